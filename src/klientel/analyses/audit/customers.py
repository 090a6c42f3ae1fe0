"""Lenses 1 and 2 on the engine: one row per customer, its sums, tenths of the customers."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from klientel.analyses.audit.declared import DECILES
from klientel.analysis import Context
from klientel.expressions import EXACT, named, score, share
from klientel.periods import window_before

if TYPE_CHECKING:
    import ibis.expr.types as ir


def each(purchases: ir.Table, context: Context, months: int | None) -> ir.Table:
    """Per customer: order days, orders and revenue of the history, the window, the one before, 12 months."""
    import ibis

    spans: dict[str, tuple[date | None, date]] = {
        "all": (None, context.as_of),
        "year": (window_before(context.as_of, 12).start, context.as_of),
    }
    start_now = window_before(context.as_of, months).start
    start_then = window_before(context.as_of, months, back=1).start
    spans["now"] = (start_now, context.as_of)
    spans["then"] = (start_then, start_now or context.as_of) if months else (context.as_of, context.as_of)
    numbers = ibis.ifelse(purchases.orders > 0, purchases.orders, purchases.is_order.cast("int64"))
    known = "margin" in purchases.columns and "margin_base" in purchases.columns
    parts: dict[str, Any] = {"first_day": purchases.day.min(where=purchases.is_order)}
    for name, (start, end) in spans.items():
        inside = purchases.day < ibis.literal(end)
        if start is not None:
            inside = inside & (purchases.day >= ibis.literal(start))
        parts[f"days_{name}"] = (purchases.is_order & inside).sum()
        parts[f"orders_{name}"] = numbers.sum(where=inside).fill_null(0)
        parts[f"revenue_{name}"] = purchases.revenue.sum(where=inside).cast(EXACT).fill_null(Decimal(0))
        if name == "now":
            parts["margin"] = purchases.margin.sum(where=inside) if known else ibis.null(EXACT)
            parts["margin_base"] = purchases.margin_base.sum(where=inside) if known else ibis.null(EXACT)
    each = purchases.group_by("customer_id").aggregate(numbered=purchases.orders.sum(), **parts)
    known_before = each.first_day < ibis.literal(start_now) if start_now else ibis.literal(False)
    return each.mutate(known_before=known_before.fill_null(False))


def sums(each: ir.Table) -> dict[str, Any]:
    """All totals of the audit in one query, and the three groups of lens 2."""
    import ibis

    group = ibis.cases(
        ((each.days_then > 0) & (each.days_now > 0), "stayed"),
        (each.days_then > 0, "left"),
        (each.days_now > 0, "came"),
        else_="neither",
    )
    tagged = each.mutate(group=group)
    names = [f"{what}_{span}" for what in ("orders", "revenue") for span in ("all", "year", "now", "then")]
    rows = (
        tagged.group_by("group")
        .aggregate(
            all=tagged.count(),
            customers=(tagged.days_all > 0).sum(),
            repeat=(tagged.days_all > 1).sum(),
            days=tagged.days_all.sum(),
            with_number=(tagged.numbered > 0).sum(),
            with_numbers=(tagged.numbered > 1).sum(),
            active_year=(tagged.days_year > 0).sum(),
            known_before=tagged.known_before.sum(),
            **{name: tagged[name].sum() for name in names},
        )
        .to_pyarrow()
        .to_pylist()
    )
    groups = {r.pop("group"): r for r in rows}
    keys = list(next(iter(groups.values()))) if groups else []
    sums: dict[str, Any] = defaultdict(int)
    sums |= {key: sum((g[key] for g in groups.values()), 0) for key in keys}
    empty: dict[str, Any] = defaultdict(int)
    sums["groups"] = {name: groups.get(name, empty) for name in ("left", "came", "stayed", "neither")}
    return sums


def spenders(each: ir.Table, customers: ir.Table) -> ir.Table:
    """Lens 1: the customers of the window with their tenth; ties share the better one's rank (G7)."""
    import ibis

    there = each.filter((each.days_now > 0) | (each.revenue_now != 0))
    there = there.mutate(total=there.count().over(ibis.window()))
    enough = there.margin_base.cast("float64") >= 0.5 * there.revenue_now.cast("float64")
    there = there.mutate(
        decile=score(there.revenue_now, there.total, best=10, descending=True),
        revenue=there.revenue_now,
        orders=there.orders_now,
        value_per_order=(there.revenue_now.cast("float64") / there.orders_now.nullif(0)).round(4).cast(EXACT),
        margin_share=ibis.ifelse(enough, share(there.margin, there.margin_base), ibis.null("float64")),
    )
    full = named(there, customers)
    return full.order_by(full.revenue.desc(), "customer_id")


def deciles(spenders: ir.Table) -> ir.Table:
    """Lens 1: the tenths of the customers, with what makes their revenue."""
    import ibis

    tens = spenders.group_by("decile").aggregate(
        customers=spenders.count(),
        revenue=spenders.revenue.sum(),
        orders=spenders.orders.sum(),
        margin=spenders.margin.sum(),
        margin_base=spenders.margin_base.sum(),
    )
    whole = tens.revenue.sum().over(ibis.window())
    enough = tens.margin_base.cast("float64") >= 0.5 * tens.revenue.cast("float64")
    tens = tens.mutate(
        share=share(tens.revenue, whole),
        orders_per_customer=share(tens.orders, tens.customers),
        value_per_order=(tens.revenue.cast("float64") / tens.orders.nullif(0)).round(4).cast(EXACT),
        margin_share=ibis.ifelse(enough, share(tens.margin, tens.margin_base), ibis.null("float64")),
    )
    return tens.order_by("decile").select(*(c.name for c in DECILES.columns))


def median_gap(purchases: ir.Table) -> float | None:
    """Median number of days between two successive order days of a customer."""
    import ibis

    days = purchases.filter(purchases.is_order).select("customer_id", "day")
    last = days.day.lag().over(ibis.window(group_by="customer_id", order_by="day"))
    gaps = days.mutate(last=last)
    gaps = gaps.filter(gaps.last.notnull())
    found = gaps.aggregate(gap=gaps.day.delta(gaps.last, unit="day").median()).to_pyarrow()["gap"][0].as_py()
    return None if found is None else float(found)
