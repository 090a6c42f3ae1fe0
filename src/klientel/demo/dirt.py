"""A handful of rows as they occur in every company: nobody can use them, and a good intake says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from klientel.demo.layouts import LAYOUTS, Layout

if TYPE_CHECKING:
    from klientel.demo.firm import Firm

_ORDER, _LINE, _CREDIT, _CONTRACT = "order_header", "order_line", "credit_note_line", "project_contract"


@dataclass(frozen=True)
class Dirt:
    """A spoiled row. file and line (counted from 1, as in the file), the header and the text that is wrong.

    cells: canonical column -> text as written; other columns are empty. after: number of clean rows above.
    """

    table: str
    file: str
    line: int
    header: str
    value: str
    cells: dict[str, str]
    after: int


def dirty_rows(firm: Firm, lang: str = "en") -> tuple[Dirt, ...]:
    """The spoiled rows that `write` adds to the files. They are additional: the truth does not count them."""
    german = lang == "de"
    year = firm.as_of.year - 1
    customer = firm.customers["customer_id"][0].as_py()
    known = firm.orders["order_id"][firm.orders.num_rows // 3].as_py()
    item = firm.products["product_id"][4].as_py()
    order = {
        "order_id": "RE900001",
        "order_date": f"14.03.{year}" if german else f"{year}-03-14",
        "currency": "EUR",
    }
    line = {"order_id": known, "line_no": "90", "product_id": item, "qty": "4"}
    credit = {"credit_id": "GS90001", "line_no": "10", "customer_id": customer, "currency": "EUR"}
    contract = {"contract_id": "C99001", "customer_id": customer}
    impossible = f"31.02.{year}" if german else f"{year}-02-31"
    made: list[tuple[str, float, str, dict[str, str]]] = [
        (_ORDER, 0.42, "customer_id", order),
        (
            _ORDER,
            0.71,
            "order_date",
            {**order, "order_id": "RE900002", "customer_id": customer, "order_date": impossible},
        ),
        (_LINE, 0.31, "net_amount", {**line, "net_amount": "auf Anfrage" if german else "on request"}),
        (_LINE, 0.64, "qty", {**line, "line_no": "91", "qty": "zwölf" if german else "twelve"}),
        (
            _CREDIT,
            0.5,
            "date",
            {**credit, "date": "00.00.0000" if german else "0000-00-00", "net_amount": "120"},
        ),
        (
            _CREDIT,
            0.8,
            "net_amount",
            {
                **credit,
                "credit_id": "GS90002",
                "date": order["order_date"],
                "net_amount": "siehe Anlage" if german else "see attachment",
            },
        ),
        (
            _CONTRACT,
            0.6,
            "recurring_amount",
            {**contract, "recurring_amount": "n. V." if german else "t.b.d."},
        ),
    ]
    layouts = {layout.table: layout for layout in LAYOUTS}
    counts = {name: table.num_rows for name, table in firm.tables().items()}
    found: list[Dirt] = []
    for table, share, column, cells in made:
        layout, after = layouts[table], int(share * counts[table])
        above = sum(1 for d in found if d.table == table)
        header = next(h.spoken(lang) for h in layout.headers if h.column == column)
        line_number = after + above + first_line(layout)
        found.append(Dirt(table, layout.name(lang), line_number, header, cells.get(column, ""), cells, after))
    return tuple(found)


def first_line(layout: Layout) -> int:
    """Line of the first row of data: below the header, in XLSX below title, date and an empty row too."""
    return 5 if layout.title else 2
