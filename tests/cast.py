"""The fixed cast: twelve customers, each there for a reason, and three owners; as of 2025-01-01.

Anna sells to most, Ben to some, Cem sees nothing. Amounts are chosen so that tables can be worked out by
hand. Revenue of 2024 (the last 12 months) stands behind each name.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

AS_OF = date(2025, 1, 1)

_CUSTOMERS: list[tuple[str, str, str | None, str | None, str | None]] = [
    # the giant: most of the revenue
    ("K01", "Giant AG", "steel", "anna", None),
    # grows
    ("K02", "Grow GmbH", "steel", "anna", None),
    # shrinks
    ("K03", "Shrink KG", "food", "anna", None),
    # ties with K05
    ("K04", "Twin One", "food", "ben", None),
    ("K05", "Twin Two", "food", "ben", None),
    # lost: bought in 2022 only, longer ago than two years
    ("K06", "Lost Ltd", "food", "anna", None),
    # new in 2024
    ("K07", "New SE", None, "ben", None),
    # came back after three years
    ("K08", "Back & Co", "steel", "anna", None),
    # credited more than it bought: class N
    ("K09", "Minus e.K.", "steel", "ben", None),
    # one order, fully returned
    ("K10", "Return OHG", "food", "ben", None),
    # never bought: a lead
    ("K11", "Lead <b>GmbH</b>", "food", "ben", None),
    # a partner, never part of the portfolio
    ("K12", "Partner AG", "steel", None, "partner"),
]

CUSTOMERS: list[dict[str, Any]] = [
    {"customer_id": c, "name": n, "industry_code": i, "owner_rep_id": o, "relation_type": r}
    for c, n, i, o, r in _CUSTOMERS
]

# order_id, customer, day, product, quantity, amount (negative: credit note), original order
_LINES: list[tuple[str, str, date, str, int, str, str | None]] = [
    ("1", "K01", date(2022, 3, 10), "P1", 10, "1000.00", None),
    ("2", "K01", date(2023, 3, 10), "P1", 60, "6000.00", None),
    ("3", "K01", date(2024, 3, 10), "P1", 40, "4000.00", None),
    ("3", "K01", date(2024, 3, 10), "P2", 10, "1000.00", None),
    ("4", "K01", date(2024, 9, 10), "P1", 10, "1000.00", None),
    ("5", "K02", date(2023, 5, 2), "P1", 5, "500.00", None),
    ("6", "K02", date(2024, 5, 2), "P1", 9, "900.00", None),
    ("7", "K02", date(2024, 11, 2), "P2", 1, "100.00", None),
    ("8", "K03", date(2023, 2, 1), "P2", 20, "2000.00", None),
    ("9", "K03", date(2024, 2, 1), "P2", 8, "800.00", None),
    ("10", "K04", date(2023, 7, 7), "P1", 5, "500.00", None),
    ("11", "K04", date(2024, 7, 7), "P1", 5, "500.00", None),
    ("12", "K05", date(2023, 8, 8), "P1", 5, "500.00", None),
    ("13", "K05", date(2024, 8, 8), "P1", 5, "500.00", None),
    ("14", "K06", date(2022, 2, 1), "P1", 3, "300.00", None),
    ("15", "K06", date(2022, 6, 1), "P1", 3, "300.00", None),
    ("16", "K07", date(2024, 10, 1), "P2", 4, "400.00", None),
    ("17", "K08", date(2021, 12, 20), "P1", 2, "200.00", None),
    ("18", "K08", date(2024, 12, 15), "P1", 2, "200.00", None),
    ("19", "K09", date(2023, 12, 1), "P1", 2, "200.00", None),
    ("C19", "K09", date(2024, 1, 20), "P1", -2, "-200.00", "19"),
    ("C20", "K09", date(2024, 4, 1), "P2", -1, "-100.00", None),
    ("21", "K10", date(2024, 6, 3), "P2", 1, "100.00", None),
    ("C21", "K10", date(2024, 6, 20), "P2", -1, "-100.00", "21"),
    ("22", "K12", date(2024, 6, 3), "P2", 50, "5000.00", None),
]

LINES: list[dict[str, Any]] = [
    {"order_id": o, "customer_id": c, "order_date": d, "product_id": p, "qty": D(q), "net_amount": D(a),
     "original_order_id": r}
    for o, c, d, p, q, a, r in _LINES
]  # fmt: skip


def frames() -> dict[str, Any]:
    """The cast as Arrow tables, ready for `klientel.open_book`."""
    import pyarrow as pa

    lines = pa.Table.from_pylist(LINES)
    return {"order_line": lines, "customer": pa.Table.from_pylist(CUSTOMERS)}


def book(**options: Any) -> Any:
    """The cast as a Book."""
    import klientel

    return klientel.open_book(frames(), as_of=options.pop("as_of", AS_OF), **options)
