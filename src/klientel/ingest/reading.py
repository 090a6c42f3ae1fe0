"""One recognised raw table read into canonical columns, every row accepted or rejected with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from klientel.ingest import documents
from klientel.ingest.footer import Footer, footers
from klientel.ingest.formats.rejections import TOTAL, TOTAL_HINT
from klientel.ingest.intake import LISTED
from klientel.ingest.raw import Rejection
from klientel.ingest.recognition import Match, Recognition
from klientel.ingest.spans import day_of_period, months_without_year
from klientel.ingest.sql import AMOUNT, amounts, text_sql
from klientel.ingest.units import factor, multiplied, read_columns, scaled
from klientel.ingest.values import Profile, date_empty_sql, empty_sql, number_sql
from klientel.ingest.values.shapes import identifier, quoted
from klientel.schema import TABLES
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

LARGE = 200_000  # clean typed sources above this many rows are read where they are, not copied
_TOTAL = "coalesce(ends_with(reject, '|total'), false)"
FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)  # days outside are no days (values.dates)
MOST = 10**13  # amounts up to here fit into DECIMAL(18,4)

# Columns that decide whether a row can be used at all; of others an unreadable value is left empty.
ESSENTIAL: dict[str, tuple[str, ...]] = {
    "order_line": (
        "order_date", "net_amount", "qty", "invoice_price", "discount_share", "on_invoice_discount", "margin",
        "direct_cost",
    ),
    "order_header": ("order_date", "invoice_date", "net_amount"),
    "credit_note_line": ("date", "net_amount"),
    "project_contract": ("start", "end", "signed_on", "recurring_amount"),
    "opportunity": ("created_on", "close_date", "amount"),
    "fx_rate": ("date", "rate"),
    "customer_succession": ("valid_from", "share"),
}  # fmt: skip
# Of each group at least one has to be filled, if the file has one of them.
FILLED: dict[str, tuple[tuple[str, ...], ...]] = {
    "order_line": (("customer_id", "customer_name"), ("order_date",)),
    "order_header": (("order_id",), ("customer_id", "customer_name"), ("order_date", "invoice_date")),
    "credit_note_line": (("date",), ("net_amount",)),
    "customer": (("customer_id", "name"),),
    "project_contract": (("customer_id", "customer_name"),),
    "opportunity": (("opportunity_id", "name", "amount", "customer_id"),),
    "fx_rate": (("date",), ("from_currency",), ("to_currency",), ("rate",)),
    "customer_succession": (("from_id",), ("to_id",)),
    "product": (("product_id", "name"),),
    "product_group": (("product_group_id",),),
    "rep": (("rep_id", "name"),),
}


@dataclass
class Read:
    """A canonical table as read from one raw table: a DuckDB view with the canonical columns that there are.

    The view also has `line`, `source_no` and `reject` (NULL for accepted rows). aside: rejected rows that are
    totals. value, value_taken: sums of the amounts of all and of the accepted rows (order lines only). clean: no
    row can be rejected. lean: SQL of the columns straight from a large clean source, with whole numbers of
    customers left as they are.
    """

    recognition: Recognition
    view: str
    columns: tuple[str, ...]
    rows: int = 0
    rejected: int = 0
    aside: int = 0
    value: float | None = None
    value_taken: float | None = None
    clean: bool = False
    lean: str = ""
    told: dict[str, Footer] = field(default_factory=dict)
    notes: list[Sentence] = field(default_factory=list)
    listed: list[Rejection] = field(default_factory=list)

    @property
    def accepted(self) -> str:
        """SQL of the accepted rows, to stand after FROM."""
        return self.view if self.clean else f"(SELECT * FROM {self.view} WHERE reject IS NULL)"


@dataclass
class _Plan:
    """SQL of each canonical column, the raw columns behind the essential ones, and the tests of a row."""

    columns: dict[str, str]
    raw: dict[str, str] = field(default_factory=dict)
    tests: list[tuple[str, str, str]] = field(default_factory=list)  # condition, column, why
    notes: list[Sentence] = field(default_factory=list)


class Reader:
    """Reads recognised tables on one DuckDB connection; copies of text sources go to `scratch`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self.con = con
        self.scratch = scratch
        self.rejections: list[Rejection] = []
        self._made = 0

    def read(self, found: Recognition, raw_view: str, profile: dict[str, Profile]) -> Read:
        """Read one recognition from the view of its raw table; its rejections are added to `rejections`."""
        self._made += 1
        plan = _plan(found, profile)
        read = Read(found, f"read_{self._made}", tuple(plan.columns))
        source = _unpivoted(found, raw_view, profile) if found.periods else raw_view
        sql = _sql(found, plan, source, self._made)
        if not found.raw.has_line and found.raw.rows > LARGE and not found.periods:
            read.told = footers(found.raw.source)
            read.lean = self._lean(read, plan, raw_view, profile)
        if read.lean:
            self.con.execute(f"CREATE TEMP VIEW {read.view} AS {sql}")
        else:
            path = str(self.scratch / f"{read.view}.parquet")
            self.con.sql(sql).write_parquet(path, compression="snappy")
            self.con.read_parquet(path).create_view(read.view)
        self._count(read)
        if tells(found):
            read.notes = plan.notes + self._unreadable(read, plan, raw_view, profile)
        return read

    def _count(self, read: Read) -> None:
        """Count and list the rejected rows; large sources that are known to be clean are not scanned."""
        if read.lean:
            read.rows, read.clean = read.recognition.raw.rows, True
            return
        rejected = "count(reject)"
        if read.recognition.periods and read.recognition.raw.has_line:
            rejected = "count(DISTINCT line) FILTER (reject IS NOT NULL)"  # a row of the file is many cells
        value = (
            # What a total row adds up is not missing.
            f"sum({AMOUNT}) FILTER (reject IS NULL OR NOT ends_with(reject, '|total')), "
            f"sum({AMOUNT}) FILTER (reject IS NULL)"
            if AMOUNT in read.columns
            else "NULL, NULL"
        )
        aside = (
            rejected.replace("reject IS NOT NULL", _TOTAL) if "FILTER" in rejected else f"count_if({_TOTAL})"
        )
        row = self.con.execute(f"SELECT count(*), {rejected}, {value}, {aside} FROM {read.view}").fetchall()[
            0
        ]
        read.rows, read.rejected = row[0], row[1]
        read.value, read.value_taken = (None if v is None else float(v) for v in row[2:4])
        read.aside = row[4]
        read.clean = read.rejected == 0
        if read.rejected and tells(read.recognition):
            self.list_rows(
                read, f"SELECT DISTINCT line, reject, reject_value FROM {read.view} WHERE reject IS NOT NULL"
            )

    def again(self, read: Read, view: str) -> None:
        """Take another view of the same rows for a table whose rows are judged anew, and count again."""
        known = {id(r) for r in read.listed}
        self.rejections = [r for r in self.rejections if id(r) not in known]
        read.view, read.listed = view, []
        self._count(read)

    def _lean(self, read: Read, plan: _Plan, raw_view: str, profile: dict[str, Profile]) -> str:
        """SQL of order lines whose every row is known to be good, without the tests of a row; else ""."""
        columns = read.recognition.columns
        simple = {"customer_id", "customer_name", "order_date", "order_id", "product_id", "net_amount"}
        if read.recognition.table != "order_line" or not {"net_amount"} <= set(columns) <= simple:
            return ""
        good = {n: read.told.get(m.column, Footer(None, None, None)) for n, m in columns.items()}
        if any(footer.nulls != 0 for footer in good.values()):
            return ""
        chosen = dict(plan.columns)
        for name, match in columns.items():
            known, cell = profile[match.column], identifier(match.column)
            low, high = good[name].low, good[name].high
            if name == "order_date":
                if not _between(low, FIRST, LAST) or not _between(high, FIRST, LAST):
                    return ""
                chosen[name] = cell if type(low) is date else f"CAST({cell} AS DATE)"
            elif name == "net_amount":
                if not _between(low, -MOST, MOST) or not _between(high, -MOST, MOST):
                    return ""
                if plan.columns[name] != f"try_cast({cell} AS DECIMAL(18,4))":
                    return ""  # in thousands, say
                chosen[name] = chosen[AMOUNT] = f"CAST({cell} AS DECIMAL(18,4))"
                # The extremes in a footer leave out what is not a number, and DuckDB skips row groups by them
                # when asked for such rows; a sum shows it.
                if isinstance(low, float) and not self._tells(f"isfinite(sum({cell}))", raw_view):
                    return ""
            elif known.key.typed == "whole":
                chosen[name] = cell
            elif not known.key.typed:
                return ""  # texts can be blank
        return f"SELECT {', '.join(f'{sql} AS {identifier(n)}' for n, sql in chosen.items())} FROM {raw_view}"

    def _tells(self, condition: str, relation: str) -> bool:
        return bool(self.con.execute(f"SELECT {condition} FROM {relation}").fetchall()[0][0])

    def list_rows(self, read: Read, sql: str) -> None:
        """Keep rejections from rows (line, "column|why", value), the first by line, as far as there is room."""
        rows = self.con.execute(f"SELECT * FROM ({sql}) ORDER BY 1 LIMIT {LISTED}").fetchall()
        for line, code, value in rows[: max(0, LISTED - len(self.rejections))]:
            column, _, why = code.partition("|")
            match = read.recognition.columns.get(column)
            reason, hint = told(column, why, match)
            place = read.recognition.raw.place
            header = match.header if match else column
            said = Rejection(place, int(line or 0), header, str(value or "")[:200], reason, hint)
            self.rejections.append(said)
            read.listed.append(said)

    def _unreadable(
        self, read: Read, plan: _Plan, raw_view: str, profile: dict[str, Profile]
    ) -> list[Sentence]:
        """Notes on values of other columns that could not be read and stay empty."""
        found = read.recognition
        entity = TABLES[found.table or ""]
        checks = {}
        for name, match in found.columns.items():
            loose = name not in plan.raw and entity.field(name).kind not in ("key", "text", "currency")
            if loose and profile[match.column].filled and not read.lean:
                empty = _empty(entity.field(name).kind, identifier(match.column), _type(found, match.column))
                checks[match.header] = f"count(*) FILTER (NOT {empty} AND ({plan.columns[name]}) IS NULL)"
        if not checks:
            return []
        counts = self.con.execute(f"SELECT {', '.join(checks.values())} FROM {raw_view}").fetchall()[0]
        return [
            say(
                "{file}: {n} values of {header} could not be read and stay empty.",
                file=read.recognition.raw.place, n=n, header=header,
            )
            for header, n in zip(checks, counts, strict=True)
            if n
        ]  # fmt: skip


def tells(found: Recognition) -> bool:
    """False for the second reading of a file as customers: its rows were told of by the first."""
    return not (found.secondary and found.table == "customer")


def _plan(found: Recognition, profile: dict[str, Profile]) -> _Plan:
    table = found.table or ""
    columns, notes = read_columns(found, profile)
    columns |= {
        name: f"nullif(trim({text_sql(identifier(match.column))}), '')"
        for name, match in found.attributes.items()
    }
    if found.periods:
        columns |= {"order_date": "order_date", AMOUNT: AMOUNT}
        first = found.raw.headers()[next(iter(found.periods))]
        times = factor(found.raw, first)
        notes += [multiplied(found.raw, first, times)] if times != 1 else []
    elif table == "order_line":
        columns |= documents.coded(found, columns, profile)
        columns |= amounts(columns)
        yearless = months_without_year(found, profile)
        notes += [yearless] if yearless else []
        day = day_of_period(found, profile)
        columns |= {"order_date": day} if day else {}
    elif table == "credit_note_line" and "net_amount" in columns:
        columns[AMOUNT] = f"-abs({columns['net_amount']})"
    columns |= documents.said(found, profile)
    plan = _Plan(columns, notes=notes)
    wanted = {c for group in FILLED.get(table, ()) for c in group} | set(ESSENTIAL.get(table, ()))
    wanted |= {"period"} if "order_date" in columns and "order_date" not in found.columns else set()
    plan.raw = {n: found.columns[n].column for n in found.columns if n in wanted}
    plan.tests = _tests(found, plan)
    return plan


def _tests(found: Recognition, plan: _Plan) -> list[tuple[str, str, str]]:
    """The conditions under which a row is rejected, in the order in which they are told."""
    table = found.table or ""
    entity = TABLES[table]
    tests: list[tuple[str, str, str]] = []
    for name in ESSENTIAL.get(table, ()):
        if name in plan.raw:
            kind = entity.field(name).kind
            empty = _empty(kind, identifier(f"__{name}"), _type(found, plan.raw[name]))
            why = "date" if kind == "date" else "number"
            # CASE looks at the few cells that could not be read; AND would look at all of them
            test = f"CASE WHEN {identifier(name)} IS NULL THEN NOT {empty} ELSE false END"
            tests.append((test, name, why))
    if "period" in plan.raw:
        raw = text_sql(identifier("__period"))
        tests.append((f"order_date IS NULL AND NOT {date_empty_sql(raw)}", "period", "date"))
    for group in FILLED.get(table, ()):
        there = [n for n in group if n in plan.columns]
        if there:
            named = "period" if there[0] == "order_date" and "period" in plan.raw else there[0]
            tests.append((" AND ".join(f"{identifier(n)} IS NULL" for n in there), named, "empty"))
    if found.periods:
        tests.append((f"{AMOUNT} IS NULL", AMOUNT, "number"))
    elif table == "order_line" and AMOUNT in plan.columns:
        behind = next((n for n in ("net_amount", "invoice_price", "qty", "margin") if n in plan.raw), AMOUNT)
        tests.append((f"{AMOUNT} IS NULL", behind, "empty"))
    return tests


def _empty(kind: str, cell: str, type_: str) -> str:
    """SQL condition: the cell holds nothing. Numbers need not become text for that: it takes far longer."""
    if kind == "date":
        return date_empty_sql(text_sql(cell)) if type_ != "date32[day]" else _no_day(cell)
    if type_ in ("double", "float"):
        return f"({cell} IS NULL OR isnan({cell}))"
    if type_.removeprefix("u").startswith(("int", "decimal")):
        return f"({cell} IS NULL)"
    return empty_sql(text_sql(cell))


def _no_day(cell: str) -> str:
    """The days of `date_empty_sql` that a typed column can hold."""
    days = ("9999-12-31", "0001-01-01", "1899-12-30", "1899-12-31")
    return f"({cell} IS NULL OR " + " OR ".join(f"{cell} = DATE {quoted(d)}" for d in days) + ")"


def _type(found: Recognition, column: str) -> str:
    """The Arrow type of a raw column; "text" for what still has to be parsed."""
    return next((c.type for c in found.raw.columns if c.name == column), "text")


def _between(value: object, low: object, high: object) -> bool:
    """True if a value of a footer lies between two others (days for times)."""
    if isinstance(value, datetime):
        value = value.date()
    try:
        return bool(low <= value <= high)  # type: ignore[operator]
    except TypeError:
        return False


def _sql(found: Recognition, plan: _Plan, source: str, number: int) -> str:
    line = "line" if found.raw.has_line else "CAST(NULL AS BIGINT)"
    if not found.raw.has_line and isinstance(found.raw.source, list):
        line = "file_row_number + 1"  # Parquet rows have no line, but they have a number
    kept = [f"{line} AS line", f"{number} AS source_no"]
    kept += [f"{identifier(c)} AS {identifier('__' + n)}" for n, c in plan.raw.items()]
    kept += [f"{sql} AS {identifier(n)}" for n, sql in plan.columns.items()]
    if found.periods:
        kept.append("__cell")
    reject = value = "CAST(NULL AS VARCHAR)"
    if plan.tests:
        whens = [(t, f"{c}|{w}", _raw_of(c, plan, found)) for t, c, w in plan.tests]
        reject = "CASE " + " ".join(f"WHEN {t} THEN {quoted(code)}" for t, code, _ in whens) + " END"
        raws = " ".join(f"WHEN {quoted(code)} THEN {raw}" for _, code, raw in whens)
        value = f"CASE WHEN reject IS NOT NULL THEN CASE reject {raws} END END"
    names = ", ".join(["line", "source_no", *(identifier(n) for n in plan.columns)])
    tested = f"SELECT *, {reject} AS reject FROM (SELECT {', '.join(kept)} FROM {source})"
    return f"SELECT {names}, reject, {value} AS reject_value FROM ({tested})"


def _raw_of(column: str, plan: _Plan, found: Recognition) -> str:
    if found.periods and column == AMOUNT:
        return text_sql("__cell")
    return text_sql(identifier(f"__{column}")) if column in plan.raw else "NULL"


def _unpivoted(found: Recognition, raw_view: str, profile: dict[str, Profile]) -> str:
    """A wide file as rows: of each period column the amounts of its filled cells, on the period's last day."""
    pieces = []
    for column, (_, after) in found.periods.items():
        cell = identifier(column)
        known = profile[column].number
        times = factor(found.raw, found.raw.headers()[column])
        amount = scaled(number_sql(cell, known), times) if known else "CAST(NULL AS DECIMAL(18,4))"
        pieces.append(
            f"SELECT *, {amount} AS {AMOUNT}, "
            f"CAST(DATE {quoted(after)} - INTERVAL 1 DAY AS DATE) AS order_date, {cell} AS __cell "
            f"FROM {raw_view} WHERE NOT {empty_sql(text_sql(cell))}"
        )
    return "(" + " UNION ALL ".join(pieces) + ")"


def told(column: str, why: str, match: Match | None) -> tuple[Sentence, Sentence]:
    """Reason and hint of a rejection, for a person."""
    header = match.header if match else column
    if why == "empty" and column in ("customer_id", "customer_name"):
        reason = say("The row has no customer.")
        return reason, say("Fill {header}; without it the row belongs to nobody.", header=header)
    if why == "empty":
        return say("{header} is empty.", header=header), say("Fill the cell or leave the row out.")
    if why == "date":
        reason = say("This is not a date that fits the column.")
        return reason, say("Write it like the other rows of {header}.", header=header)
    if why == "number":
        reason = say("This is not a number that fits the column.")
        return reason, say("Write it like the other rows of {header}.", header=header)
    if why == "total":
        return say(TOTAL), say(TOTAL_HINT)
    if why == "unpriced":
        reason = say("Neither the line nor its product has a price.")
        return reason, say("Add the list price of the product, or a price to the line.")
    if why == "cancelled":
        return say("The order was cancelled."), say("Nothing to do: cancelled orders do not count.")
    if why == "twice":
        reason = say("{header} appears twice; the first row was taken.", header=header)
        return reason, say("Keep one row for each number.")
    if why == "orphan":
        reason = say("No order has this number.")
        return reason, say("Add the order to the orders file, or correct {header}.", header=header)
    return say("The value cannot be used."), say("Compare it with the other rows of {header}.", header=header)
