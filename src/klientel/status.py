"""Customer status: who works with the company now, derived, never typed in (handbook G2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from klientel.periods import add_months
from klientel.words import mark

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHORTEST, LONGEST, NO_GAPS = 180, 730, 365  # days of the activity window

STATUSES: dict[str, str] = {
    "active": mark("active"),
    "reactivated": mark("reactivated"),
    "former": mark("former"),
    "prospect": mark("prospect"),
    "lead": mark("lead"),
    "partner": mark("partner"),
}
REASONS: dict[str, str] = {
    "contract": mark("contract running"),
    "order": mark("ordered within the activity window"),
    "returned": mark("ordered again after a pause longer than the activity window"),
    "lapsed": mark("no order within the activity window"),
    "ended": mark("contract ended"),
    "open_deal": mark("open opportunity, no order yet"),
    "no_order": mark("no order and no contract"),
    "relation": mark("relation type"),
    "manual": mark("set by hand"),
}
PARTNERS = ("partner", "supplier", "lieferant", "vendor", "competitor", "wettbewerber", "intercompany")


def activity(purchases: ir.Table, as_of: date) -> ir.Table:
    """Order activity of each customer before `as_of` (columns below), one row per customer who ordered.

    customer_id, last_day, last_before (last order day a year ago), gap (median days between order days,
    NULL under 3 orders), window_days: clip(3 x median gap, 180, 730); customers with fewer than 3 order
    days take the portfolio's median gap; 365 where no gap is usable (G2).
    """
    import ibis

    orders = purchases.filter(purchases.is_order & (purchases.day < as_of))
    by_customer = ibis.window(group_by=orders.customer_id, order_by=orders.day)
    gaps = orders.select("customer_id", "day", before=orders.day.lag().over(by_customer))
    gaps = gaps.mutate(gap=gaps.day.delta(gaps.before, unit="day").cast("float64"))
    year_ago = add_months(as_of, -12)
    grouped = gaps.group_by("customer_id").agg(
        last_day=gaps.day.max(),
        first_day=gaps.day.min(),
        last_before=gaps.day.max(where=gaps.day < year_ago),
        order_days=gaps.count(),
        own_gap=gaps.gap.median(),
    )
    own = grouped.mutate(gap=(grouped.order_days >= 3).ifelse(grouped.own_gap, ibis.null("float64")))
    portfolio = gaps.agg(portfolio_gap=gaps.gap.median())
    joined = own.cross_join(portfolio)
    window = ibis.coalesce(3 * joined.gap, 3 * joined.portfolio_gap)
    days = window.clip(lower=float(SHORTEST), upper=float(LONGEST)).fill_null(float(NO_GAPS))
    return joined.select(
        "customer_id", "first_day", "last_day", "last_before", "order_days", "gap", window_days=days
    )


def of_orders(active: ir.Table, as_of: date) -> ir.Table:
    """Status by orders alone: customer_id, active_now, was_active, returned flags."""
    year_ago = add_months(as_of, -12)
    since = _days_to(active.last_day, as_of)
    before = _days_to(active.last_before, year_ago)
    now = since <= active.window_days
    return active.select(
        "customer_id",
        order_active=now,
        returned=now & active.last_before.notnull() & (before > active.window_days),
        ordered=active.last_day.notnull(),
    )


def _days_to(column: ir.DateColumn, day: date) -> ir.FloatingColumn:
    import ibis

    return ibis.literal(day).delta(column, unit="day").cast("float64")


def of_contracts(contracts: ir.Table, as_of: date) -> ir.Table:
    """Status by contracts: a line with start <= the last day before as_of and not ended runs (G2)."""
    import ibis

    columns = contracts.columns
    last = as_of - timedelta(days=1)
    runs = ibis.literal(True)
    begun = ibis.literal(True)
    if "start" in columns:
        begun = contracts.start.isnull() | (contracts.start <= last)
    if "end" in columns:
        runs = runs & (contracts.end.isnull() | (contracts.end > last))
    if "ended" in columns:
        runs = runs & ~ibis.coalesce(contracts.ended, False)
    flags = contracts.mutate(runs=begun & runs, begun=begun)
    return flags.group_by("customer_id").agg(contract_active=flags.runs.any(), contracted=flags.begun.any())


def open_deals(opportunities: ir.Table) -> ir.Table:
    """Customers with an open opportunity."""
    still_open = opportunities.filter(opportunities.outcome == "open")
    return still_open.select("customer_id").distinct().mutate(open_deal=True)


def derive(
    customers: ir.Table, orders: ir.Table | None, contracts: ir.Table | None, deals: ir.Table | None
) -> ir.Table:
    """Status and reason of every known customer: customers with columns status and status_reason added."""
    import ibis

    flags = ("order_active", "returned", "ordered", "contract_active", "contracted", "open_deal")
    table = customers
    for part in (orders, contracts, deals):
        if part is not None:
            table = table.left_join(part, "customer_id").drop("customer_id_right")
    have = {name: ibis.coalesce(table[name], False) for name in flags if name in table.columns}
    flag = {name: have.get(name, ibis.literal(False)) for name in flags}
    partner = ibis.literal(False)
    if "relation_type" in customers.columns:
        partner = ibis.coalesce(table.relation_type.lower().isin(PARTNERS), False)
    active = flag["order_active"] | flag["contract_active"]
    former = flag["ordered"] | flag["contracted"]
    status, reason = _cases(flag, partner, active, former)
    if "manual_status" in customers.columns:
        known = table.manual_status.lower()
        by_hand = known.isin(tuple(STATUSES))
        status = by_hand.ifelse(known, status)
        reason = by_hand.ifelse("manual", reason)
    return table.mutate(status=status, status_reason=reason).drop(*have)


def _cases(
    flag: dict[str, ir.BooleanValue],
    partner: ir.BooleanValue,
    active: ir.BooleanValue,
    former: ir.BooleanValue,
) -> tuple[ir.StringValue, ir.StringValue]:
    import ibis

    returned = flag["returned"] & ~flag["contract_active"]
    status = ibis.cases(
        (partner, "partner"),
        (returned, "reactivated"),
        (active, "active"),
        (former, "former"),
        (flag["open_deal"], "prospect"),
        else_="lead",
    )
    reason = ibis.cases(
        (partner, "relation"),
        (flag["contract_active"], "contract"),
        (returned, "returned"),
        (flag["order_active"], "order"),
        (flag["ordered"], "lapsed"),
        (flag["contracted"], "ended"),
        (flag["open_deal"], "open_deal"),
        else_="no_order",
    )
    return status, reason
