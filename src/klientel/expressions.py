"""Shared Ibis expressions: values, names, shares, running sums, classes by share, midranks, month bits.

They mean the same on every engine: sums and limits in exact decimals, ranks shared by ties (handbook
G7), no NTILE and no ROW_NUMBER.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from klientel.errors import MissingInput
from klientel.quality import Flag, covered
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

EXACT = "decimal(27, 4)"  # leaves room to multiply by a whole number of 10 digits within 38
MINOR = 10_000  # minor units of money in one unit: amounts have four decimals
VALUES = {  # what a customer can be valued by (handbook G4)
    "revenue": mark("revenue"),
    "invoiced": mark("invoiced revenue"),
    "matched_revenue": mark("revenue by day of sale"),
    "margin": mark("margin"),
    "recurring": mark("monthly recurring revenue"),
}
WORD = 60  # months per bitmap word of `histories`


@dataclass(frozen=True)
class Valued:
    """Customers with their value (customer_id, value), and what is known about it.

    usable: those with a known value, none where the coverage is too low to answer (G8); excluded: how
    many customers have no known value; coverage: share of revenue with a known margin, None for others.
    """

    usable: ir.Table
    excluded: int = 0
    coverage: float | None = None
    reasons: tuple[tuple[Flag, str], ...] = ()


def known_values(totals: ir.Table, contracts: ir.Table | None, value: str, as_of: date | None) -> Valued:
    """The customers of `totals` by one of VALUES, as exact decimals; `recurring` from the contracts.

    as_of None: nothing is dated. Unknown is left out, never 0; margins known for less than half of the
    revenue give no customers and a red reason. Raises MissingInput if the source has no such value.
    """
    if value == "recurring":
        if contracts is None:
            raise MissingInput(say("The value {value} needs contracts with a recurring amount.", value=value))
        return Valued(recurring(contracts, as_of))
    if value not in totals.columns:
        raise MissingInput(say("The value {value} is not in this source.", value=value))
    values = totals.select("customer_id", value=totals[value].cast(EXACT))
    asked = {"unknown": totals[value].isnull().sum()}
    if value == "margin" and "margin_base" in totals.columns:
        asked |= {"base": totals.margin_base.sum(), "all": totals.revenue.sum()}
    found = totals.agg(**asked).to_pyarrow().to_pylist()[0]
    excluded, coverage = int(found["unknown"] or 0), None
    if found.get("all"):
        coverage = min(max(float((found["base"] or 0) / found["all"]), 0.0), 1.0)
    quality = covered(0, excluded, coverage, VALUES[value])
    if excluded:
        left_out = say(
            "Customers without a known value ({value}), left out: {n}.", n=excluded, value=VALUES[value]
        )
        quality = quality.because("amber", left_out)
    usable = values.filter(values.value.notnull())
    if coverage is not None and coverage < 0.5:
        usable = usable.limit(0)
    return Valued(usable, excluded, coverage, tuple((quality.flag, r) for r in quality.reasons))


def recurring(contracts: ir.Table, as_of: date | None) -> ir.Table:
    """Monthly recurring amount per customer of the contracts running at `as_of` (customer_id, value).

    A contract runs if it is not marked as ended, has started, and its end is open or later than
    `as_of` (G1, G2). The amount is per period of `period_months` months (1 if unknown). Raises
    MissingInput without recurring amounts.
    """
    import ibis

    if "recurring_amount" not in contracts.columns:
        raise MissingInput(say("The contracts have no recurring amount."))
    runs: Any = contracts.recurring_amount.notnull()
    if "ended" in contracts.columns:
        runs = runs & ~contracts.ended.fill_null(False)
    if as_of is not None and "start" in contracts.columns:
        runs = runs & (contracts.start.isnull() | (contracts.start <= as_of))
    if as_of is not None and "end" in contracts.columns:
        runs = runs & (contracts["end"].isnull() | (contracts["end"] > as_of))
    open_ = contracts.filter(runs)
    amount = open_.recurring_amount.cast(EXACT)
    if "period_months" in contracts.columns:
        months = open_.period_months.fill_null(1)
        amount = (amount / ibis.greatest(months, 1)).round(4).cast(EXACT)
    return (
        open_.mutate(_amount=amount).group_by("customer_id").agg(value=lambda t: t._amount.sum().cast(EXACT))
    )


def small_table(rows: list[dict[str, Any]], **types: str) -> ir.Table:
    """Rows computed in Python as a table, with these column types in this order."""
    import ibis

    return in_memory(small_arrow(rows, ibis.schema(types).to_pyarrow()))


def in_memory(data: pa.Table) -> ir.Table:
    """An Arrow table as an expression: what `ibis.memtable` does, which first looks through all its kinds of
    frames and so imports pandas and datasets, half a second at every start."""
    import ibis.expr.operations as ops
    import ibis.expr.schema as sch
    from ibis.formats.pyarrow import PyArrowTableProxy
    from ibis.util import gen_name

    made = ops.InMemoryTable(
        name=gen_name("klientel_memory"), schema=sch.infer(data), data=PyArrowTableProxy(data)
    )
    table: ir.Table = made.to_expr()
    return table


def small_arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Some rows of Python values as Arrow: text, numbers, exact decimals, dates, flags; None stays NULL.

    By way of CSV in memory, because PyArrow imports pandas, half a second, when it makes arrays of Python values.
    """
    import csv
    import io

    import pyarrow as pa
    from pyarrow import csv as pacsv

    null = "\0"
    text = io.StringIO(newline="")
    write = csv.writer(text, quoting=csv.QUOTE_ALL).writerow
    plain = [
        int
        if pa.types.is_integer(kind)
        else (lambda v: repr(float(v)))
        if pa.types.is_floating(kind)
        else str
        for kind in schema.types
    ]
    for row in rows:
        values = [row.get(name) for name in schema.names]
        write([null if v is None else make(v) for v, make in zip(values, plain, strict=True)])
    data = text.getvalue().encode()
    if not data:
        return pa.table(
            {name: pa.nulls(0, kind) for name, kind in zip(schema.names, schema.types, strict=True)}
        )
    return pacsv.read_csv(
        pa.py_buffer(data),
        pacsv.ReadOptions(column_names=schema.names, use_threads=False, block_size=len(data) + 1),
        pacsv.ParseOptions(newlines_in_values=True),
        pacsv.ConvertOptions(
            column_types=schema,
            null_values=[null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            true_values=["True"],
            false_values=["False"],
        ),
    )


def named(table: ir.Table, customers: ir.Table | None) -> ir.Table:
    """The table with a column `name`: the customer's name, the number where there is none."""
    if customers is None or "name" not in customers.columns:
        return table.mutate(name=table.customer_id)
    names = customers.select(_id=customers.customer_id, _name=customers.name)
    joined = table.left_join(names, table.customer_id == names._id)
    return joined.mutate(name=joined._name.fill_null(joined.customer_id)).drop("_id", "_name")


def share(part: Any, whole: Any) -> Any:
    """part / whole as a fraction (float64), NULL where the whole is 0 or NULL; for showing, not deciding."""
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


def running(table: ir.Table, value: str = "value", key: str = "customer_id") -> ir.Table:
    """Adds total, after and before: sums of the positive values, all and down to each row.

    The order is value descending, then key (display order, G7). Negative values count as 0 (G6), so
    shares of `total` add up to 1. NULL values must be filtered out before.
    """
    import ibis

    zero = ibis.literal(0).cast(EXACT)
    positive = table.mutate(_positive=ibis.greatest(table[value], zero))
    order = [positive[value].desc(), positive[key].asc()]
    down = ibis.window(order_by=order, preceding=None, following=0)
    summed = positive.mutate(
        total=positive._positive.sum().over(ibis.window()).cast(EXACT),
        after=positive._positive.sum().over(down).cast(EXACT),
    )
    return summed.mutate(before=(summed.after - summed._positive).cast(EXACT)).drop("_positive")


def below(amount: Any, total: Any, limit: float, *, or_equal: bool = False) -> Any:
    """True where amount / total < limit (<= with or_equal), decided without rounding.

    amount and total: exact decimals (EXACT); limit: a fraction with up to 9 decimals.
    """
    exact = Fraction(str(round(limit, 9)))
    left, right = amount * exact.denominator, total * exact.numerator
    return left <= right if or_equal else left < right


def first_of_ties(column: Any, value: Any) -> Any:
    """The smallest `column` among the rows with the same value: what a whole tie group is judged by (G7)."""
    import ibis

    return column.min().over(ibis.window(group_by=value))


def abc_grades(values: ir.Table, a: float, b: float, rule: str = "before") -> ir.Table:
    """Adds share, share_before, share_after and grade (A, B, C, N) to customers with a known value (A1).

    A customer is graded by the running share before (or after) the first of its tie group, in exact
    decimals: no rounding and no row order decides a class.
    """
    import ibis

    run = running(values)
    judged = first_of_ties(run.before if rule == "before" else run.after, run.value)
    run = run.mutate(judged=judged.cast(EXACT))
    inclusive = rule == "after"
    grade = ibis.cases(
        (run.value < 0, "N"),
        (run.value == 0, "C"),
        (below(run.judged, run.total, a, or_equal=inclusive), "A"),
        (below(run.judged, run.total, b, or_equal=inclusive), "B"),
        else_="C",
    )
    run = run.mutate(grade=grade)
    known = run.value >= 0
    return run.mutate(
        share=known.ifelse(share(run.value, run.total), None),
        share_before=known.ifelse(share(run.before, run.total), None),
        share_after=known.ifelse(share(run.after, run.total), None),
    )


def doubled_midrank(column: Any, *, descending: bool = False) -> Any:
    """Twice (midrank - 1/2) of each row as a whole number: ties share it, row order does not matter.

    Rows below plus half of those equal, times two. NULLs must be filtered out before.
    """
    import ibis

    order = column.desc() if descending else column.asc()
    ahead = ibis.rank().over(ibis.window(order_by=order)).cast("int64")
    equal = column.count().over(ibis.window(group_by=column)).cast("int64")
    return 2 * ahead + equal


def score(column: Any, n: Any, *, best: int = 5, descending: bool = False) -> Any:
    """Score 1..best of each row: ceil(best * (midrank - 1/2) / n), in whole numbers (handbook A6).

    n: number of rows (expression or int). The largest value is best; descending turns it round.
    """
    rank = doubled_midrank(column, descending=descending)
    return ((best * rank + 2 * n - 1) // (2 * n)).cast("int64")


def in_month(histories: ir.Table, number: int) -> Any:
    """True where the customer ordered in month `number` after the epoch of `histories`."""
    import ibis

    column = f"months_{number // WORD}"
    if number < 0 or column not in histories.columns:
        return ibis.literal(False)
    return ((histories[column] >> (number % WORD)) & 1) == 1


def in_months(histories: ir.Table, start: int, end: int) -> Any:
    """True where the customer ordered in any of the months start <= number < end after the epoch."""
    import ibis

    found: Any = ibis.literal(False)
    for word in range(max(start, 0) // WORD, -(-max(end, 0) // WORD)):
        column = f"months_{word}"
        low, high = max(start - word * WORD, 0), min(end - word * WORD, WORD)
        if column in histories.columns and low < high:
            mask = (1 << high) - (1 << low)
            found = found | ((histories[column] & ibis.literal(mask, "int64")) != 0)
    return found


def short_history(
    start: date | None, end: date | None, first_day: date | None
) -> tuple[tuple[Flag, Sentence], ...]:
    """Reason that the window [start, end) begins before the data do: empty if all of it is covered."""
    if start is None or first_day is None or first_day <= start:
        return ()
    share_ = 1.0
    if end is not None and end > start:
        share_ = max((end - first_day).days, 0) / (end - start).days
    sentence = say(
        "The data begin on {first}; the window from {start} is not fully covered by them.",
        first=first_day,
        start=start,
    )
    # A few missing days at the start (first order on the 4th) change nothing.
    return () if share_ >= 0.98 else (("amber", sentence),)
