"""What the page of a customer needs beside the analyses of the menu: status and its reason, revenue, its course.

Declared like any analysis, so that they are computed, kept and narrowed to a person's rights in the same way; they
are in no menu.
"""

from __future__ import annotations

from typing import Any

from klientel.analysis import Chart, Column, Context, Figure, Need, Outcome, Table, analysis
from klientel.words import mark

_CUSTOMERS = Table(
    "customers",
    mark("Customers"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("status", mark("Status"), "class"),
        Column("status_reason", mark("Reason"), "class"),
        Column("first_day", mark("First order"), "date"),
        Column("last_day", mark("Last order"), "date"),
        Column("revenue", mark("Revenue of the last 12 months"), "money"),
        Column("before", mark("Revenue of the 12 months before"), "money"),
    ),
)
_MONTHS = Table(
    "months",
    mark("Revenue by month"),
    (
        Column("month", mark("Month"), "month"),
        Column("revenue", mark("Revenue"), "money"),
        Column("order_days", mark("Order days"), "count"),
    ),
)


@analysis(
    title=mark("Standing of the customers"),
    question=mark("Who works with the company now, and since when?"),
    group="understand",
    needs=(
        Need("customers", ("customer_id", "status", "status_reason")),
        Need("histories", ("customer_id", "first_day", "last_day"), optional=True),
        Need("totals", ("customer_id", "revenue"), optional=True),
        Need("totals", ("customer_id", "revenue"), back=1, optional=True),
    ),
    tables=(_CUSTOMERS,),
    figures=(Figure("customers", mark("Customers in the portfolio"), "count"),),
)
def standing(
    customers: Any, histories: Any = None, totals: Any = None, earlier: Any = None, *, context: Context
) -> Outcome:
    """Status (G2), first and last order day, revenue of two years of each known customer."""
    import ibis

    found = customers.select("customer_id", "status", "status_reason")
    if histories is not None:
        days = histories.select("customer_id", "first_day", "last_day")
        found = found.left_join(days, "customer_id").drop("customer_id_right")
    else:
        found = found.mutate(first_day=ibis.null("date"), last_day=ibis.null("date"))
    for name, table in (("revenue", totals), ("before", earlier if context.dated else None)):
        if table is None:
            found = found.mutate(**{name: ibis.null("decimal(38, 4)")})
            continue
        summed = table.select("customer_id", **{name: table.revenue})
        found = found.left_join(summed, "customer_id").drop("customer_id_right")
    found = found.order_by("customer_id")
    inside = found.filter(found.status.isin(["active", "reactivated"])).count().to_pyarrow().as_py()
    return Outcome({"customers": found}, {"customers": inside})


@analysis(
    title=mark("Course of a customer"),
    question=mark("What did the customer bring, month by month?"),
    group="understand",
    needs=(Need("purchases", ("customer_id", "day", "revenue", "is_order")),),
    tables=(_MONTHS,),
    charts=(Chart("course", "months", "bar", x="month", y="revenue", title=mark("Course of revenue")),),
)
def course(purchases: Any, *, context: Context) -> Outcome:
    """Revenue by month of the last 36 months, by quarter where the history is longer; gaps are zeros."""

    from klientel.periods import add_months

    last = add_months(context.as_of.replace(day=1), 0)
    known = purchases.filter(purchases.day < context.as_of)
    bounds = known.agg(first=known.day.min()).to_pyarrow().to_pylist()[0]
    first = bounds["first"].replace(day=1) if bounds["first"] else last
    length = (last.year - first.year) * 12 + last.month - first.month + 1
    step = 1 if length <= 36 else 3
    if step == 3:
        first = first.replace(month=first.month - (first.month - 1) % 3)
    starts = []
    while first < context.as_of:
        starts.append(first)
        first = add_months(first, step)
    unit = "M" if step == 1 else "Q"
    summed = known.group_by(month=known.day.truncate(unit).cast("date")).agg(
        revenue=known.revenue.sum(), order_days=known.is_order.cast("int64").sum()
    )
    rows = {row["month"]: row for row in summed.to_pyarrow().to_pylist()}
    return Outcome({"months": _filled(starts, rows)}, n=len(rows))


def _filled(starts: list[Any], rows: dict[Any, Any]) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "month": pa.array(starts, pa.date32()),
            "revenue": pa.array(
                [rows[s]["revenue"] if s in rows else 0 for s in starts], pa.decimal128(38, 4)
            ),
            "order_days": pa.array([rows[s]["order_days"] if s in rows else 0 for s in starts], pa.int64()),
        }
    )
