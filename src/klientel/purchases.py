"""From lines to purchases: customer and day, credit notes matched, totals of windows, month bitmaps.

Raw lines are read as seldom as possible. Where there are no credit notes, totals and histories come
straight from the lines in one pass; otherwise from `by_day`, which is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from klientel.engine import MONEY
from klientel.periods import Window, month_number, month_start

if TYPE_CHECKING:
    import ibis.expr.types as ir

WORD = 60  # months per bitmap word: an int64 has 63 safe bits, 60 are five years
SUM = "decimal(38, 4)"


@dataclass(frozen=True)
class Lines:
    """The lines of a Book and what is known of them without reading them again.

    table: customer_id, amount decimal(18,4) (credit notes negative); if known also day, order_id,
    product_id, qty, margin, is_credit, original_order_id. credits: True if any line is a credit note.
    """

    table: ir.Table
    dated: bool
    credits: bool

    def has(self, column: str) -> bool:
        """True if the lines have that column."""
        return column in self.table.columns


def matched_days(lines: Lines) -> ir.Table:
    """Credit lines with the day of the sale they belong to (handbook G5, matching view).

    A credit note that names its order takes that order's first day. Otherwise it belongs to the latest
    sale of the same customer and product, on or before its day, of at least its quantity. What finds no
    sale keeps its own day (`matched` False). Columns: those of the lines, `sale_day`, `matched`.
    """
    import ibis

    table = lines.table
    credit = table.filter(table.is_credit)
    sales = table.filter(~table.is_credit)
    found = credit.mutate(named=ibis.null("date"), likely=ibis.null("date"))
    if lines.has("original_order_id") and lines.has("order_id"):
        orders = sales.group_by("order_id").agg(named_day=sales.day.min())
        found = (
            found.drop("named")
            .left_join(orders, found.original_order_id == orders.order_id)
            .drop("order_id_right")
            .rename(named="named_day")
        )
        # A credit note cannot belong to an order that came later.
        found = found.mutate(named=ibis.ifelse(found.named <= found.day, found.named, ibis.null("date")))
    if lines.has("product_id"):
        found = _likely_sale(found, sales, with_quantity=lines.has("qty"))
    found = found.mutate(sale_day=ibis.coalesce(found.named, found.likely, found.day))
    found = found.mutate(matched=found.named.notnull() | found.likely.notnull())
    return found.drop("named", "likely")


def _likely_sale(credit: ir.Table, sales: ir.Table, *, with_quantity: bool) -> ir.Table:
    """Fill `likely`: the latest sale of the same customer and product on or before the credit note."""
    keys = ["customer_id", "product_id", "day", *(["qty"] if with_quantity else [])]
    wanted = credit.select(keys).distinct()
    offer = sales.filter(sales.product_id.notnull()).select(keys).distinct()
    offer = offer.rename({f"sale_{k}": k for k in keys})
    conditions: list[Any] = [
        wanted.customer_id == offer.sale_customer_id,
        wanted.product_id == offer.sale_product_id,
        wanted.day >= offer.sale_day,
    ]
    if with_quantity:
        conditions.append(offer.sale_qty >= -wanted.qty)
    pairs = wanted.inner_join(offer, conditions)
    best = pairs.group_by(keys).agg(best_day=pairs.sale_day.max())
    joined = credit.drop("likely").left_join(best, keys)
    return joined.drop(*[f"{k}_right" for k in keys if f"{k}_right" in joined.columns]).rename(
        likely="best_day"
    )


def by_day(lines: Lines) -> ir.Table:
    """Purchases: one row per customer and day (docs/architecture.md, table `purchases`).

    Booking columns stand on the day of the document, `matched_*` and `is_order` on the day of the sale.
    """
    table = _complete(lines)
    if not lines.credits:
        days = _grouped_days(table)
        return days.mutate(matched_revenue=days.revenue, is_order=days.lines > 0)
    booked = _grouped_days(table)
    sale_days = table.filter(~table.is_credit).mutate(sale_day=table.day, matched=True)
    credit_days = matched_days(Lines(table, lines.dated, True))
    columns = ["customer_id", "sale_day", "amount", "qty", "has_qty", "is_credit"]
    both = sale_days.select(columns).union(credit_days.select(columns))
    matched = both.group_by("customer_id", "sale_day").agg(
        matched_revenue=both.amount.sum().cast(SUM),
        matched_qty=both.qty.sum(),
        counted=both.has_qty.sum(),
        sales=(~both.is_credit).sum(),
    )
    # Without quantities a day stays an order day while its sales outweigh what was credited.
    matched = matched.mutate(
        is_order=(matched.sales > 0)
        & ((matched.counted > 0).ifelse(matched.matched_qty > 0, matched.matched_revenue > 0))
    )
    joined = booked.outer_join(
        matched, [booked.customer_id == matched.customer_id, booked.day == matched.sale_day]
    )
    return _fill_days(joined)


def _fill_days(joined: ir.Table) -> ir.Table:
    import ibis

    zero = ibis.literal(0).cast(SUM)
    return joined.select(
        customer_id=ibis.coalesce(joined.customer_id, joined.customer_id_right),
        day=ibis.coalesce(joined.day, joined.sale_day),
        revenue=ibis.coalesce(joined.revenue, zero),
        invoiced=ibis.coalesce(joined.invoiced, zero),
        margin=joined.margin,
        margin_base=ibis.coalesce(joined.margin_base, zero),
        quantity=joined.quantity,
        orders=ibis.coalesce(joined.orders, 0),
        lines=ibis.coalesce(joined.lines, 0),
        matched_revenue=ibis.coalesce(joined.matched_revenue, zero),
        is_order=ibis.coalesce(joined.is_order, False),
    )


def _complete(lines: Lines) -> ir.Table:
    """The lines with every column that grouping needs, absent ones filled with what means "unknown"."""
    import ibis

    table = lines.table
    wanted: dict[str, Any] = {}
    if not lines.has("qty"):
        wanted["qty"] = ibis.null(MONEY)
    if not lines.has("margin"):
        wanted["margin"] = ibis.null(MONEY)
    if not lines.has("order_id"):
        wanted["order_id"] = ibis.null("string")
    if not lines.has("is_credit"):
        wanted["is_credit"] = ibis.literal(False)
    table = table.mutate(**wanted) if wanted else table
    return table.mutate(has_qty=table.qty.notnull())


def _grouped_days(table: ir.Table) -> ir.Table:
    import ibis

    sale = ~table.is_credit
    zero = ibis.literal(0).cast(MONEY)
    return table.group_by("customer_id", "day").agg(
        revenue=table.amount.sum().cast(SUM),
        invoiced=sale.ifelse(table.amount, zero).sum().cast(SUM),
        margin=table.margin.sum().cast(SUM),
        margin_base=table.margin.notnull().ifelse(table.amount, zero).sum().cast(SUM),
        quantity=table.qty.sum(),
        orders=table.order_id.nunique(where=sale & (table.amount > 0)),  # samples at no charge are no orders
        lines=table.count(),
    )


def totals(days: ir.Table, window: Window) -> ir.Table:
    """Totals per customer in a window, from purchases (docs/architecture.md, table `totals`)."""
    inside = days
    if window.start is not None:
        inside = inside.filter(inside.day >= window.start)
    if window.end is not None:
        inside = inside.filter(inside.day < window.end)
    return inside.group_by("customer_id").agg(
        revenue=inside.revenue.sum().cast(SUM),
        matched_revenue=inside.matched_revenue.sum().cast(SUM),
        invoiced=inside.invoiced.sum().cast(SUM),
        margin=inside.margin.sum().cast(SUM),
        margin_base=inside.margin_base.sum().cast(SUM),
        order_days=inside.is_order.sum(),
        orders=inside.orders.sum(),
        lines=inside.lines.sum(),
    )


def undated_totals(lines: Lines) -> ir.Table:
    """Totals per customer of a source without dates: the one period there is."""
    import ibis

    table = _complete(lines)
    sale = ~table.is_credit
    zero = ibis.literal(0).cast(MONEY)
    return table.group_by("customer_id").agg(
        revenue=table.amount.sum().cast(SUM),
        matched_revenue=table.amount.sum().cast(SUM),
        invoiced=sale.ifelse(table.amount, zero).sum().cast(SUM),
        margin=table.margin.sum().cast(SUM),
        margin_base=table.margin.notnull().ifelse(table.amount, zero).sum().cast(SUM),
        order_days=ibis.null("int64"),
        orders=table.order_id.nunique(where=sale & (table.amount > 0)),  # samples at no charge are no orders
        lines=table.count(),
    )


def histories(days: ir.Table, epoch: date, months: int) -> ir.Table:
    """First and last order day, order days and active months of each customer, from purchases.

    The months are bitmaps: bit k of months_j stands for month number 60 j + k after `epoch`.
    """
    orders = days.is_order
    aggregates: dict[str, Any] = {
        "first_day": days.day.min(where=orders),
        "last_day": days.day.max(where=orders),
        "order_days": orders.sum(),
        "revenue": days.revenue.sum().cast(SUM),
    }
    aggregates |= month_words(days.day, epoch, months, orders)
    return _zero_words(days.group_by("customer_id").agg(**aggregates))


def month_words(day: Any, epoch: date, months: int, where: Any = None) -> dict[str, Any]:
    """Aggregates months_0, months_1, ...: the bitwise or of each row's month (Ibis expressions)."""
    import ibis

    # Several words only where the history is longer than five years: one aggregate each.
    number = ((day.year() - epoch.year) * 12 + day.month() - epoch.month).cast("int64")
    words = max(1, -(-months // WORD))
    if words == 1:
        return {"months_0": (ibis.literal(1, "int64") << number).bit_or(where=where)}
    made = {}
    for j in range(words):
        inside = (number >= WORD * j) & (number < WORD * (j + 1))
        if where is not None:
            inside = inside & where
        shift = inside.ifelse(number - WORD * j, 0)
        made[f"months_{j}"] = (ibis.literal(1, "int64") << shift).bit_or(where=inside)
    return made


def _zero_words(table: ir.Table) -> ir.Table:
    import ibis

    names = [c for c in table.columns if c.startswith("months_")]
    return table.mutate(**{n: ibis.coalesce(table[n], ibis.literal(0, "int64")) for n in names})


def segments(windows: list[Window]) -> list[Window]:
    """The disjoint pieces that the windows' limits cut time into, so that each row is summed once."""
    limits = sorted({d for w in windows for d in (w.start, w.end) if d is not None})
    open_start = any(w.start is None for w in windows)
    edges: list[date | None] = [None, *limits] if open_start else list(limits)
    return [Window(a, b) for a, b in pairwise(edges)]


def wide(lines: Lines, windows: list[Window], epoch: date, months: int) -> ir.Table:
    """One pass over lines without credit notes: sums per window piece, first and last day, months.

    Columns: customer_id, first_day, last_day, months_*, and for each piece i of `segments(windows)`
    revenue_i (NULL without a line in it), margin_i, margin_base_i.
    """
    table = lines.table
    aggregates: dict[str, Any] = {"first_day": table.day.min(), "last_day": table.day.max()}
    aggregates |= month_words(table.day, epoch, months)
    pieces = segments(windows)
    for i, piece in enumerate(pieces):
        where = None if len(pieces) == 1 else _inside(table.day, piece)
        # CASE inside SUM instead of FILTER: a tenth less of the whole pass, the same NULL without a line.
        aggregates[f"revenue_{i}"] = _only(table.amount, where).sum()
        if lines.has("margin"):
            aggregates[f"margin_{i}"] = _only(table.margin, where).sum()
            known = table.margin.notnull() if where is None else table.margin.notnull() & where
            aggregates[f"margin_base_{i}"] = _only(table.amount, known).sum()
    return _zero_words(table.group_by("customer_id").agg(**aggregates))


def _only(value: Any, where: Any) -> Any:
    import ibis

    return value if where is None else where.ifelse(value, ibis.null(value.type()))


def wide_totals(passed: ir.Table, pieces: list[Window], window: Window) -> ir.Table:
    """Totals of one window out of a `wide` pass: revenue and margin of who bought in it.

    A window up to the last piece also has last_day: who bought in it has bought last in it.
    """
    import ibis

    inside = [i for i, p in enumerate(pieces) if _covers(window, p)]
    zero = ibis.literal(0).cast(MONEY)
    bought = reduce(lambda a, b: a | b, [passed[f"revenue_{i}"].notnull() for i in inside])
    known = f"margin_{inside[0]}" in passed.columns
    if known:
        some = reduce(lambda a, b: a | b, [passed[f"margin_{i}"].notnull() for i in inside])
        margin = some.ifelse(_added(passed, "margin", inside), ibis.null(SUM)).cast(SUM)
    revenue = _added(passed, "revenue", inside).cast(SUM)
    return passed.filter(bought).select(
        customer_id=passed.customer_id,
        revenue=revenue,
        matched_revenue=revenue,
        invoiced=revenue,
        margin=margin if known else ibis.null(SUM),
        margin_base=_added(passed, "margin_base", inside).cast(SUM) if known else zero.cast(SUM),
        **({"last_day": passed.last_day} if window.end == pieces[-1].end else {}),
    )


def wide_histories(passed: ir.Table, pieces: list[Window]) -> ir.Table:
    """Histories out of a `wide` pass, without order_days."""
    words = [c for c in passed.columns if c.startswith("months_")]
    revenue = _added(passed, "revenue", range(len(pieces))).cast(SUM)
    return passed.select("customer_id", "first_day", "last_day", *words, revenue=revenue)


def _added(passed: ir.Table, name: str, inside: Iterable[int]) -> Any:
    """Sum of a column of the pieces inside; a piece without a line adds nothing."""
    import ibis

    zero = ibis.literal(0).cast(MONEY)
    return reduce(lambda a, b: a + b, [ibis.coalesce(passed[f"{name}_{i}"], zero) for i in inside])


def order_days(lines: Lines, window: Window) -> ir.Table:
    """Distinct days (and order numbers) per customer in a window, for lines without credit notes.

    Two small groupings beat one count of distinct values: 0.4 s against 1.2 s for 10 million lines.
    """
    table = lines.table
    if window.start is not None:
        table = table.filter(_inside(table.day, window))
    days = table.select("customer_id", "day").distinct()
    return days.group_by("customer_id").agg(order_days=days.count())


def line_counts(lines: Lines, window: Window) -> ir.Table:
    """Number of lines per customer in a window, for lines without credit notes."""
    table = lines.table
    if window.start is not None:
        table = table.filter(_inside(table.day, window))
    return table.group_by("customer_id").agg(lines=table.count())


def order_numbers(lines: Lines, window: Window) -> ir.Table:
    """Distinct order numbers with a positive amount per customer, for lines without credit notes."""
    table = lines.table.filter(lines.table.amount > 0)
    if window.start is not None:
        table = table.filter(_inside(table.day, window))
    numbers = table.select("customer_id", "order_id").distinct()
    return numbers.group_by("customer_id").agg(orders=numbers.order_id.count())


def _inside(day: Any, window: Window) -> Any:
    import ibis

    tests = []
    if window.start is not None:
        tests.append(day >= window.start)
    if window.end is not None:
        tests.append(day < window.end)
    return reduce(lambda a, b: a & b, tests) if tests else ibis.literal(True)


def _covers(window: Window, piece: Window) -> bool:
    after = window.start is None or (piece.start is not None and piece.start >= window.start)
    before = window.end is None or (piece.end is not None and piece.end <= window.end)
    return after and before


def epoch_of(first_day: date, as_of: date) -> tuple[date, int]:
    """The first month of the history and the number of months up to `as_of`, the last maybe partial."""
    epoch = month_start(first_day)
    last = date.fromordinal(as_of.toordinal() - 1)
    return epoch, max(1, month_number(last, epoch) + 1)
