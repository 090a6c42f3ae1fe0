"""Lines of the Book: order lines joined with their headers, credit notes, or what stands in for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from klientel.ingest.raw import Rejection
from klientel.ingest.reading import Read, Reader
from klientel.ingest.sql import AMOUNT
from klientel.ingest.values.shapes import identifier, quoted
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

# Columns of the lines in the Book, with the SQL type of an absent one where tables are put together.
COLUMNS: dict[str, str] = {
    "customer_id": "VARCHAR",
    "customer_name": "VARCHAR",
    "day": "DATE",
    "order_id": "VARCHAR",
    "line_no": "VARCHAR",
    "product_id": "VARCHAR",
    "product_group_id": "VARCHAR",
    AMOUNT: "DECIMAL(18,4)",
    "qty": "DECIMAL(18,4)",
    "margin": "DECIMAL(18,4)",
    "is_credit": "BOOLEAN",
    "original_order_id": "VARCHAR",
    "currency": "VARCHAR",
    "rep_id": "VARCHAR",
    "list_price": "DECIMAL(18,4)",
    "source_no": "INTEGER",
    "line": "BIGINT",
}
# Beginnings of words in the status of a contract that has ended or was cancelled.
OVER = (
    "gekündigt", "beendet", "abgelaufen", "ausgelaufen", "inaktiv", "storniert", "cancel", "ended", "expired",
    "inactive", "terminated", "churned",
)  # fmt: skip
_FROM_HEADER = ("customer_id", "customer_name", "order_date", "currency", "rep_id")


@dataclass
class Made:
    """The lines as a DuckDB view, and what they were made of."""

    view: str
    source: str
    columns: tuple[str, ...]
    direct: bool = False
    notes: list[Sentence] = field(default_factory=list)


class LineMaker:
    """Puts the lines together out of the tables that were read."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, scratch: Path, reader: Reader, *, apart: bool = False
    ) -> None:
        """apart: lines that know their order only are left without its customer and day, which may come later."""
        self.con = con
        self.scratch = scratch
        self.reader = reader
        self.apart = apart
        self.notes: list[Sentence] = []
        self._heads: list[Read] = []

    def make(self, reads: dict[str, list[Read]], names: str | None, today: date | None = None) -> Made | None:
        """The lines; None if no table says anything about value.

        names: view of (name, customer_id) to find the number of customers that lines know by name only.
        Order lines first; without them order totals; without those won opportunities; without those what
        the contracts that run `today` bring in each period.
        """
        lines = [r for r in reads.get("order_line", []) if AMOUNT in r.columns]
        headers = reads.get("order_header", [])
        source = "order_line"
        if len(lines) == 1 and lines[0].lean and _own(lines[0]) and set(reads) == {"order_line"}:
            return self._direct(lines[0])
        lines = [r for r in lines if self._has_customer(r, headers)]
        if self.apart and headers:
            self._headers(headers)
        parts = [self._line_part(r, headers) for r in lines]
        if not lines and any("net_amount" in h.columns for h in headers):
            source = "order_header"
            parts = [self._header_part(h) for h in headers if "net_amount" in h.columns]
        credits = [r for r in reads.get("credit_note_line", []) if AMOUNT in r.columns]
        if not parts and credits and self.apart:
            source = "credit_note_line"  # what they credit came or comes another time
        elif not parts:
            source, parts = self._stand_ins(reads, today)
        parts += [self._credit_part(r, headers) for r in credits if parts or self.apart]
        if not parts:
            return None
        return self._together(parts, source, names, reads.get("product", []))

    def _stand_ins(self, reads: dict[str, list[Read]], today: date | None) -> tuple[str, list[str]]:
        """What stands for sales where there are none: won opportunities, or else running contracts."""
        deals = [r for r in reads.get("opportunity", []) if "amount" in r.columns]
        parts = [self._deal_part(r) for r in deals if "outcome" in r.columns and _knows_customer(r)]
        if parts:
            self.notes.append(
                say("No sales were given: won opportunities stand for them, on their closing day.")
            )
        parts = [p for p in parts if p]
        if parts:
            return "opportunity", parts
        contracts = [r for r in reads.get("project_contract", []) if "recurring_amount" in r.columns]
        parts = [self._contract_part(r, today) for r in contracts if _knows_customer(r)]
        if parts:
            self.notes.append(
                say(
                    "No sales were given: the recurring amount of the running contracts stands for them. "
                    "Add invoices, or the amounts charged so far, for everything that looks at time."
                )
            )
        return "project_contract", parts

    def _has_customer(self, read: Read, headers: list[Read]) -> bool:
        """True if lines name their customer, or an order that may; what belongs to nobody is left out and said."""
        if _own(read) or ((headers or self.apart) and "order_id" in read.columns):
            return True
        place = read.recognition.raw.place
        hint = say('Say which one does with --map order_line.customer_name="Header".')
        self.notes.append(
            say("{file} is left out: no column names the customer. {hint}", file=place, hint=hint)
        )
        self.reader.rejections.append(Rejection(place, 0, "", "", say("No column names the customer."), hint))
        read.rejected, read.value, read.value_taken = read.rows, None, None
        return False

    def _direct(self, read: Read) -> Made:
        """A large clean source is read where it is: only the columns there are, nothing copied or tested.

        Whole numbers of customers stay numbers here (they group twice as fast) and become text in the Book.
        """
        have = [c for c in COLUMNS if c in read.columns and c not in ("source_no", "line")]
        chosen = [identifier(c) for c in have]
        if "customer_id" not in have:
            chosen.insert(0, "customer_name AS customer_id")
            have.insert(0, "customer_id")
        if "order_date" in read.columns:
            chosen.append("order_date AS day")
            have.append("day")
        amount = read.told[read.recognition.columns["net_amount"].column]
        if amount.low < 0:
            chosen.append(f"{AMOUNT} < 0 AS is_credit")
            have.append("is_credit")
        self.con.execute(f"CREATE TEMP VIEW book_lines AS SELECT {', '.join(chosen)} FROM ({read.lean})")
        return Made("book_lines", "order_line", tuple(have), True)

    def _line_part(self, read: Read, headers: list[Read]) -> str:
        have = set(read.columns)
        credit = f"{AMOUNT} < 0" + (" OR qty < 0" if "qty" in have else "")
        if self.apart and not _own(read):
            lost = self._orphans(read)
            return self._select(read, {"day": "order_date", "is_credit": credit}) + f" WHERE NOT ({lost})"
        if _own(read) or not headers or "order_id" not in have:
            return self._select(read, {"day": "order_date", "is_credit": credit})
        head = self._headers(headers)
        self._orphans(read)
        own = {c: f"coalesce(l.{c}, h.{c})" if c in have else f"h.{c}" for c in _FROM_HEADER}
        exprs = {"day": own["order_date"], "is_credit": credit} | {
            c: own[c] for c in _FROM_HEADER if c != "order_date"
        }
        chosen = ", ".join(f"{self._column(c, have, exprs)} AS {c}" for c in COLUMNS)
        return f"SELECT {chosen} FROM {read.accepted} l JOIN {head} h USING (order_id)"

    def _headers(self, headers: list[Read]) -> str:
        """One row per order number; a number that appears twice would multiply its lines, the first is taken."""
        chosen = "(SELECT DISTINCT ON (order_id) * FROM all_headers ORDER BY order_id, source_no, line)"
        if self._heads:
            return chosen
        self._heads = headers
        parts = []
        for h in headers:
            day = " , ".join(c for c in ("order_date", "invoice_date") if c in h.columns)
            exprs = {"order_date": f"coalesce({day})" if day else "CAST(NULL AS DATE)"}
            columns = [
                f"{exprs.get(c) or (c if c in h.columns else 'CAST(NULL AS VARCHAR)')} AS {c}"
                for c in _FROM_HEADER
            ]
            parts.append(f"SELECT order_id, {', '.join(columns)}, source_no, line FROM {h.accepted}")
        for h in headers:
            self.reader.list_rows(
                h,
                "SELECT line, 'order_id|twice', order_id FROM (SELECT *, row_number() OVER "
                f"(PARTITION BY order_id ORDER BY line) AS k FROM {h.accepted}) WHERE k > 1",
            )
            twice = self.con.execute(
                f"SELECT count(*) - count(DISTINCT order_id) FROM {h.accepted}"
            ).fetchall()[0][0]
            h.rejected += twice
        self.con.execute("CREATE OR REPLACE TEMP VIEW all_headers AS " + " UNION ALL ".join(parts))
        return chosen

    def _cancelled(self) -> str:
        """SQL of the numbers of orders that were left out because they were cancelled."""
        off = [h for h in self._heads if "cancelled" in h.columns]
        sql = [f"SELECT order_id FROM {h.view} WHERE reject = 'status|cancelled'" for h in off]
        return f"({' UNION ALL '.join(sql) or 'SELECT NULL AS order_id'})"

    def _orphans(self, read: Read) -> str:
        """Reject lines whose order is in no orders file; if it may come later, only those of cancelled orders.

        The condition of the rejected lines.
        """
        lost = "order_id IS NULL OR order_id NOT IN (SELECT order_id FROM all_headers)"
        if self.apart:
            lost = "order_id IS NULL"
            if self._heads:
                lost += (
                    f" OR (order_id IN (SELECT order_id FROM {self._cancelled()} WHERE order_id IS NOT NULL) "
                    "AND order_id NOT IN (SELECT order_id FROM all_headers))"
                )
        where = f"FROM {read.accepted} l WHERE {lost}"
        row = self.con.execute(f"SELECT count(*), sum({AMOUNT}) {where}").fetchall()[0]
        if row[0]:
            why = (
                f"CASE WHEN order_id IN (SELECT order_id FROM {self._cancelled()}) THEN 'order_id|cancelled' "
            )
            self.reader.list_rows(read, f"SELECT line, {why} ELSE 'order_id|orphan' END, order_id {where}")
            read.rejected += row[0]
            if read.value_taken is not None:
                read.value_taken -= float(row[1] or 0)
        return lost

    def _header_part(self, read: Read) -> str:
        day = ", ".join(c for c in ("order_date", "invoice_date") if c in read.columns)
        return self._select(
            read,
            {
                "day": f"coalesce({day})" if day else "NULL",
                AMOUNT: "net_amount",
                "is_credit": "net_amount < 0",
            },
        )

    def _deal_part(self, read: Read) -> str:
        day = ", ".join(c for c in ("close_date", "created_on") if c in read.columns)
        part = self._select(
            read,
            {
                "day": f"coalesce({day})" if day else "NULL",
                "order_id": "opportunity_id" if "opportunity_id" in read.columns else "NULL",
                AMOUNT: "amount",
                "is_credit": "false",
            },
        )
        key = (
            "coalesce(customer_id, customer_name)"
            if {"customer_id", "customer_name"} <= set(read.columns)
            else ("customer_id" if "customer_id" in read.columns else "customer_name")
        )
        return f"{part} WHERE outcome = 'won' AND {AMOUNT} IS NOT NULL AND {key} IS NOT NULL" if part else ""

    def _contract_part(self, read: Read, today: date | None) -> str:
        """The recurring amount of the contracts that have not ended, without a day."""
        have = set(read.columns)
        over = [f"coalesce(contains(lower(status), {quoted(w)}), false)" for w in OVER if "status" in have]
        over += ["coalesce(ended, false)"] if "ended" in have else []
        running = f"NOT ({' OR '.join(over)})" if over else "true"
        ends = ['"end"'] if "end" in have else []
        if "cancelled_on" in have:  # notice without an end: it runs out with the notice period
            period = "coalesce(notice_days, 0)::INTEGER" if "notice_days" in have else "0"
            ends.append(f"cancelled_on + {period}")
        if ends:
            known = [c for c in ("start", "signed_on", "cancelled_on") if c in have]
            last = f"(SELECT greatest({', '.join(f'max({c})' for c in map(identifier, known))}) FROM {read.view})"
            reference = f"DATE {quoted(today.isoformat())}" if today else last if known else "NULL"
            end = f"coalesce({', '.join(ends)})"
            running = f"CASE WHEN {end} IS NOT NULL THEN {end} >= {reference} ELSE {running} END"
        if "ended_on" in have:
            still = f"ended_on >= DATE {quoted(today.isoformat())}" if today else "false"
            running = f"CASE WHEN ended_on IS NOT NULL THEN {still} ELSE {running} END"
        number = "contract_id" if "contract_id" in have else "NULL"
        part = self._select(
            read, {"day": "NULL", "order_id": number, AMOUNT: "recurring_amount", "is_credit": "false"}
        )
        return f"{part} WHERE recurring_amount IS NOT NULL AND {running}"

    def _credit_part(self, read: Read, headers: list[Read]) -> str:
        exprs = {
            "day": '"date"',
            "is_credit": "true",
            "order_id": "credit_id" if "credit_id" in read.columns else "NULL",
        }
        if "qty" in read.columns:
            exprs["qty"] = "-abs(qty)"
        if _knows_customer(read) or not headers or self.apart:
            return self._select(read, exprs)
        # A credit note without customer takes the one of the order that it names.
        head = self._headers(headers)
        have = set(read.columns)
        exprs |= {"customer_id": "h.customer_id", "customer_name": "h.customer_name"}
        chosen = ", ".join(f"{self._column(c, have, exprs)} AS {c}" for c in COLUMNS)
        return f"SELECT {chosen} FROM {read.accepted} l JOIN {head} h ON h.order_id = l.original_order_id"

    def _select(self, read: Read, exprs: dict[str, str]) -> str:
        have = set(read.columns)
        chosen = []
        for c in COLUMNS:
            sql = exprs.get(c)
            if sql and c == "day" and sql == "order_date" and "order_date" not in have:
                sql = "CAST(NULL AS DATE)"
            chosen.append(f"{sql or self._column(c, have, {}, '')} AS {c}")
        return f"SELECT {', '.join(chosen)} FROM {read.accepted}"

    def _column(self, name: str, have: set[str], exprs: dict[str, str], alias: str = "l.") -> str:
        if name in exprs:
            return exprs[name]
        if name in have or name in ("source_no", "line"):
            return f"{alias}{name}"
        return f"CAST(NULL AS {COLUMNS[name]})"

    def _together(self, parts: list[str], source: str, names: str | None, products: list[Read]) -> Made:
        """All parts in one Parquet file, customers found by name where only the name is known."""
        typed = ", ".join(f"CAST({c} AS {t}) AS {c}" for c, t in COLUMNS.items())
        sql = f"SELECT {typed} FROM (" + " UNION ALL ".join(parts) + ")"
        sql = self._with_costs(sql, products)
        key = "coalesce(l.customer_id, l.customer_name)"
        if names:
            key = "coalesce(l.customer_id, n.customer_id, l.customer_name)"
            sql = (
                f"SELECT l.* REPLACE ({key} AS customer_id) FROM ({sql}) l "
                f"LEFT JOIN {names} n ON lower(trim(l.customer_name)) = n.name"
            )
        else:
            sql = f"SELECT l.* REPLACE ({key} AS customer_id) FROM ({sql}) l"
        path = str(self.scratch / "lines.parquet")
        self.con.sql(sql).write_parquet(path, compression="snappy")
        self.con.read_parquet(path).create_view("all_lines")
        filled = ", ".join(f"count({c})" for c in COLUMNS)
        counts = self.con.execute(f"SELECT {filled} FROM all_lines").fetchall()[0]
        kept = [c for c, n in zip(COLUMNS, counts, strict=True) if n or c in ("customer_id", AMOUNT)]
        self.con.execute(f"CREATE TEMP VIEW book_lines AS SELECT {', '.join(kept)} FROM all_lines")
        return Made("book_lines", source, tuple(kept), notes=self.notes)

    def _with_costs(self, sql: str, products: list[Read]) -> str:
        """Margins from the products' standard cost where lines have a quantity and no cost of their own."""
        costs = [p for p in products if {"product_id", "standard_cost"} <= set(p.columns)]
        if not costs:
            return sql
        cost = " UNION ALL ".join(f"SELECT product_id, standard_cost FROM {p.accepted}" for p in costs)
        cost_of_line = "CAST(l.qty AS DECIMAL(28,4)) * c.standard_cost"
        margin = f"coalesce(l.margin, TRY(CAST(l.amount - {cost_of_line} AS DECIMAL(18,4))))"
        return (
            f"SELECT l.* REPLACE ({margin} AS margin) FROM ({sql}) l LEFT JOIN "
            f"(SELECT product_id, max(standard_cost) AS standard_cost FROM ({cost}) GROUP BY product_id) c "
            "USING (product_id)"
        )


def _own(read: Read) -> bool:
    """True if the lines know their customer themselves."""
    return _knows_customer(read)


def _knows_customer(read: Read) -> bool:
    return bool({"customer_id", "customer_name"} & set(read.columns))
