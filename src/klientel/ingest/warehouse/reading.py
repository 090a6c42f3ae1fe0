"""A recognised far table as canonical columns: an expression on its engine, with its rejected rows counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klientel.engine import MONEY
from klientel.ingest.mapping.outcomes import document_kind
from klientel.ingest.raw import Rejection
from klientel.ingest.reading import ESSENTIAL, FILLED, tells
from klientel.ingest.recognition import Recognition
from klientel.ingest.sql import AMOUNT, CREDIT_WORDS
from klientel.ingest.units import factor, multiplied
from klientel.ingest.values import Profile
from klientel.ingest.warehouse import cells
from klientel.schema import TABLES
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

WIDE = "decimal(28, 8)"  # a product of a quantity and a price, before it is rounded to money


@dataclass
class Far:
    """A canonical table where it is. `accepted`: its usable rows; rows and rejected are counts."""

    recognition: Recognition
    accepted: ir.Table
    columns: tuple[str, ...]
    rows: int = 0
    rejected: int = 0
    value: float | None = None
    value_taken: float | None = None
    notes: list[Sentence] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """True if it has all of these columns."""
        return set(names) <= set(self.columns)


def read(found: Recognition, table: ir.Table, profile: dict[str, Profile]) -> Far:
    """The canonical columns of a recognised table; rows without what they need are counted and left out."""
    columns, notes = _columns(found, table, profile)
    if found.table == "order_line":
        columns |= _amounts(columns, _credit_values(found, profile))
    elif found.table == "credit_note_line" and "net_amount" in columns:
        columns[AMOUNT] = -columns["net_amount"].abs()
    seen = table.mutate(**{f"_{n}": value for n, value in columns.items()})
    tests = _tests(found, seen, columns)
    names = tuple(columns)
    kept = seen
    if tests:
        kept = seen.filter(*(~test.fill_null(False) for test in tests.values()))
    far = Far(found, kept.select(**{n: kept[f"_{n}"] for n in names}), names, notes=notes)
    _count(far, seen, tests)
    return far


def _columns(
    found: Recognition, table: ir.Table, profile: dict[str, Profile]
) -> tuple[dict[str, Any], list[Sentence]]:
    entity = TABLES[found.table or ""]
    columns: dict[str, Any] = {}
    notes: list[Sentence] = []
    for name, match in list(found.columns.items()):
        field_ = entity.field(name)
        value = cells.read(field_, table[match.column], profile[match.column])
        if value is None:
            notes.append(
                say(
                    "{file}, {header}: written as text in a way that only files are read in; left out. "
                    "Give a view with a column of type number or date.",
                    file=found.raw.place, header=match.header,
                )
            )  # fmt: skip
            found.unmapped.append(match.header)
            del found.columns[name]
            continue
        if field_.kind == "money":
            times = factor(found.raw, match.header, each=bool(field_.unit))
            if times != 1:
                notes.append(multiplied(found.raw, match.header, times))
                value = (value.cast(WIDE) * int(times)).cast(MONEY)
        columns[name] = value
    for name, match in found.attributes.items():
        columns[name] = cells.text(table[match.column])
    return columns, notes


def _credit_values(found: Recognition, profile: dict[str, Profile]) -> tuple[str, ...]:
    """The codes of the document type that mean a credit note ("GS", "G2"), if all its values are codes."""
    match = found.columns.get("kind")
    values = profile[match.column].values if match else ()
    told = {value: document_kind(value) for value in values}
    if None in told.values() or "invoice" not in told.values():
        return ()
    return tuple(v.strip().lower() for v, k in told.items() if k in ("credit", "cancellation"))


def _amounts(columns: dict[str, Any], credits: tuple[str, ...]) -> dict[str, Any]:
    """Amount and margin of an order line by the columns there are (`ingest.sql.amounts` on other engines)."""
    if "net_amount" in columns:
        amount = columns["net_amount"]
    elif "invoice_price" in columns:
        amount = _priced(columns)
    else:
        return {}
    if "kind" in columns:
        kind = columns["kind"].lower()
        back = kind.isin(credits) if credits else kind.isnull() & kind.notnull()
        for word in CREDIT_WORDS:
            back = back | kind.contains(word)
        amount = back.fill_null(False).ifelse(-amount.abs(), amount)
    amount = amount.cast(MONEY)
    return {AMOUNT: amount} | _margin(columns, amount)


def _priced(columns: dict[str, Any]) -> Any:
    amount = columns["invoice_price"]
    if "qty" in columns:
        amount = columns["qty"].cast("decimal(19, 4)") * amount.cast("decimal(19, 4)")
    if "discount_share" in columns:
        left = (1 - columns["discount_share"].fill_null(0)).cast("decimal(12, 8)")
        amount = amount.cast("decimal(26, 8)") * left
    if "on_invoice_discount" in columns:
        amount = amount.cast(WIDE) - columns["on_invoice_discount"].fill_null(0)
    return amount


def _margin(columns: dict[str, Any], amount: Any) -> dict[str, Any]:
    if "margin" in columns:
        return {}
    if "margin_share" in columns:
        return {"margin": (amount * columns["margin_share"].cast("decimal(12, 6)")).cast(MONEY)}
    if "direct_cost" in columns:
        # A credit note takes its cost back, whatever sign the table gives it.
        cost = columns["direct_cost"]
        return {"margin": (amount - (amount < 0).ifelse(-cost.abs(), cost)).cast(MONEY)}
    if {"unit_cost", "qty"} <= columns.keys():
        cost = columns["qty"].cast("decimal(19, 4)") * columns["unit_cost"].cast("decimal(19, 4)")
        return {"margin": (amount - cost).cast(MONEY)}
    return {}


def _tests(found: Recognition, seen: ir.Table, columns: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """(column, why) -> condition under which a row is rejected, in the order in which they are told."""
    table = found.table or ""
    tests: dict[tuple[str, str], Any] = {}
    for name in ESSENTIAL.get(table, ()):
        if name in found.columns and name in columns:
            raw = seen[found.columns[name].column]
            filled = cells.text(raw).notnull() if raw.type().is_string() else raw.notnull()
            if raw.type().is_floating():
                filled = filled & ~raw.isnan()
            why = "date" if TABLES[table].field(name).kind == "date" else "number"
            tests[name, why] = filled & seen[f"_{name}"].isnull()
    for group in FILLED.get(table, ()):
        there = [n for n in group if n in columns]
        if there:
            empty = seen[f"_{there[0]}"].isnull()
            for n in there[1:]:
                empty = empty & seen[f"_{n}"].isnull()
            tests[there[0], "empty"] = empty
    if table == "order_line" and AMOUNT in columns:
        tests[AMOUNT, "empty"] = seen[f"_{AMOUNT}"].isnull()
    return tests


def _count(far: Far, seen: ir.Table, tests: dict[tuple[str, str], Any]) -> None:
    """Count the rows, the rejected ones by their first reason, and the value of all and of the accepted."""
    import ibis

    found = far.recognition
    whole: dict[str, Any] = {"rows": seen.count()}
    before: Any = None
    for i, test in enumerate(tests.values()):
        broken = test.fill_null(False)
        first = broken if before is None else broken & ~before
        before = broken if before is None else before | broken
        whole[f"reason_{i}"] = first.cast("int64").sum()
    valued = found.table == "order_line" and AMOUNT in far.columns
    if valued:
        amount = seen[f"_{AMOUNT}"]
        zero = ibis.literal(0).cast(MONEY)
        whole["value"] = amount.sum()
        whole["taken"] = amount.sum() if before is None else (~before).ifelse(amount, zero).sum()
    row = seen.agg(**whole).to_pyarrow().to_pylist()[0]
    far.rows = int(row["rows"])
    if valued:
        far.value = None if row["value"] is None else float(row["value"])
        far.value_taken = None if row["taken"] is None else float(row["taken"])
    for i, (name, why) in enumerate(tests):
        n = int(row[f"reason_{i}"] or 0)
        if not n:
            continue
        far.rejected += n
        if tells(found):
            header = found.columns[name].header if name in found.columns else name
            far.notes.append(say("{file}: {why}", file=found.raw.place, why=_told(why, n, header)))


def _told(why: str, n: int, header: str) -> Sentence:
    if why == "date":
        return say("{n} rows are left out: {header} is no date between 1900 and 2100.", n=n, header=header)
    if why == "number":
        return say("{n} rows are left out: {header} cannot be read as an amount.", n=n, header=header)
    return say("{n} rows are left out: {header} is empty.", n=n, header=header)
