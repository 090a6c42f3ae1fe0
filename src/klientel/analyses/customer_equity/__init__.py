"""Customer equity: what existing and future customers are worth, and which driver moves it most (B11a, B12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from klientel.analyses.customer_equity.declared import (
    CHARTS,
    DRIVERS,
    EXISTING,
    FIGURES,
    FUTURE,
    PARTS,
    TOTAL,
)
from klientel.analyses.customer_equity.worth import (
    Future,
    Worth,
    by_hand,
    drivers,
    from_contracts,
    from_orders,
    of_future,
)
from klientel.analysis import Context, Estimate, Need, Outcome, Param, analysis
from klientel.errors import BadParameter, NotEnoughData
from klientel.expressions import small_table
from klientel.forecast.customer_values import MEASURES
from klientel.stats.lifetime_formulas import CASES
from klientel.words import Share, in_currency, mark, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klientel.analysis import Table


@analysis(
    title=mark("Customer equity"),
    question=mark("What are all customers worth, today's and tomorrow's, and what moves it?"),
    group="value",
    needs=(
        Need("totals", ("customer_id", "revenue")),
        Need("purchases", ("customer_id", "day", "matched_revenue", "is_order"), optional=True),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(PARTS, DRIVERS),
    figures=FIGURES,
    charts=CHARTS,
)
def customer_equity(
    totals: Any,
    purchases: Any = None,
    contracts: Any = None,
    *,
    discount: Annotated[float, Param(mark("Discount rate per year"), min=0.0001, max=1, unit="share")] = 0.10,
    years: Annotated[
        int, Param(mark("Years in which customers are won; 0: existing only"), min=0, max=50)
    ] = 5,
    new_customers: Annotated[
        float, Param(mark("New customers a year; −1: as in the last 12 months"), min=-1, max=1e9)
    ] = -1.0,
    acquisition_cost: Annotated[
        float, Param(mark("Cost to win a customer"), min=0, max=1e12, unit="money")
    ] = 0.0,
    value: Annotated[
        str, Param(mark("Value: margin where it is known"), choices=("auto", "revenue", "margin"))
    ] = "auto",
    margin_share: Annotated[
        float,
        Param(mark("By hand: margin as a share of revenue; 1: none"), min=0.0001, max=1, unit="share"),
    ] = 1.0,
    business: Annotated[
        str,
        Param(
            mark("Customers with running contracts: by their main business, by contracts, or by orders"),
            choices=("auto", "contracts", "orders"),
        ),
    ] = "auto",
    retention: Annotated[
        float, Param(mark("Yearly retention, by hand; −1: from the data"), min=-1, max=1, unit="share")
    ] = -1.0,
    margin: Annotated[
        float, Param(mark("Margin per customer and year, by hand; −1: from the data"), min=-1, max=1e12)
    ] = -1.0,
    case: Annotated[str, Param(mark("By hand: when a customer pays"), choices=CASES)] = "just_paid",
    growth: Annotated[
        float, Param(mark("By hand: yearly growth of the margin"), min=-0.99, max=10, unit="share")
    ] = 0.0,
    context: Context,
) -> Outcome:
    """Sum of lifetime values of existing customers, plus future ones less their cost (money; B12).

    Existing customers are valued as by `lifetime_value` with the same measure, model and contracts, without
    end of the horizon; or by constant retention entered by hand (cases 1-3 of B11a by name). Raises
    NotEnoughData without dates unless retention is entered, or where margins are asked for and unknown.
    """
    if purchases is not None and contracts is not None and "start" not in contracts.columns:
        contracts = None
    if value == "margin" and margin_share != 1:
        raise BadParameter(
            say("Margins come from the data or as a share of revenue by hand: leave one of the two out.")
        )
    if retention >= 0:
        count = int(totals.count().to_pyarrow().as_py())
        each = margin if margin >= 0 else _mean(totals, count) * margin_share
        measure = MEASURES["margin" if margin >= 0 or margin_share != 1 else "revenue"]
        worth = by_hand(count, each, retention, discount, case, growth, measure)
    elif margin >= 0:
        raise BadParameter(say("A margin by hand needs a retention by hand as well."))
    elif purchases is None and contracts is not None:
        worth = from_contracts(contracts, context, discount, margin_share, value)
    elif purchases is None:
        raise NotEnoughData(
            say(
                "Without a date for each sale (order_line.order_date) nothing is known about retention: enter one "
                "by hand."
            )
        )
    else:
        worth = from_orders(purchases, contracts, context, discount, margin_share, value, business)
    future = of_future(worth, purchases, context, new_customers, acquisition_cost, years, discount)
    return _outcome(worth, future, context)


def _mean(totals: Any, count: int) -> float:
    total = totals.revenue.sum().to_pyarrow().as_py()
    return float(total or 0) / count if count else 0.0


def _outcome(worth: Worth, future: Future, context: Context) -> Outcome:
    whole, spread = worth.static + future.equity, (worth.spread**2 + future.spread**2) ** 0.5
    word = mark("uncertain parameters, the chance of each customer's course, and the number of new customers")
    estimate = _estimate(whole, spread, word)
    rows = [
        _part(EXISTING, worth.customers, worth.each, None, worth.static, worth.spread),
        _part(FUTURE, future.number, worth.new_value, future.cost, future.equity, future.spread),
        _part(TOTAL, worth.customers + future.number, None, None, whole, spread),
    ]
    return Outcome(
        tables={"parts": _table(PARTS, rows), "drivers": _table(DRIVERS, drivers(worth, future))},
        figures={
            "customer_equity": estimate,
            "static_equity": _estimate(worth.static, worth.spread, word),
            "future_equity": _exact(future.equity),
            "customers": worth.customers,
            "new_customers": future.yearly,
            "new_customer_value": _exact(worth.new_value),
            "retention": worth.retention,
            "measure": worth.measure,
            "method": worth.method,
        },
        n=round(worth.customers),
        coverage=worth.coverage,
        reasons=(*worth.reasons, *future.reasons),
        lines=_lines(worth, future, estimate, context.currency),
    )


def _part(
    name: str, n: float, each: float | None, cost: float | None, value: float, spread: float
) -> dict[str, Any]:
    found = _estimate(value, spread, "")
    low, high = (found.low, found.high) if isinstance(found, Estimate) else (None, None)
    return {
        "part": name,
        "customers": n,
        "value_each": _exact(each),
        "cost_each": _exact(cost),
        "equity": _exact(value),
        "low": low,
        "high": high,
    }


def _estimate(value: float, spread: float, word: str) -> Any:
    """Normal 95 % limits: parts can be below zero, where acquisition costs more than it brings."""
    if not spread > 0:
        return _exact(value)
    ends = (value - 1.959964 * spread, value + 1.959964 * spread)
    return Estimate(_exact(value), _exact(ends[0]), _exact(ends[1]), 0.95, word)


def _exact(value: float | None) -> Any:
    from decimal import Decimal

    return None if value is None else Decimal(repr(value)).quantize(Decimal("0.0001"))


def _table(table: Table, rows: Sequence[dict[str, Any]]) -> Any:
    kinds = {"money": "decimal(38, 4)", "class": "string"}
    given = [
        {c.name: _exact(row[c.name]) if c.unit == "money" and isinstance(row[c.name], float) else row[c.name]
         for c in table.columns}
        for row in rows
    ]  # fmt: skip
    return small_table(given, **{c.name: kinds.get(c.unit, "float64") for c in table.columns})


def _lines(worth: Worth, future: Future, equity: Any, currency: str | None) -> tuple[str, ...]:
    value = equity.value if isinstance(equity, Estimate) else equity
    first = say(
        "The customers are worth {value} ({measure}), of it {share} by those of today, as if {kept} of them "
        "stayed each year.",
        measure=worth.measure,
        value=in_currency(value, currency),
        share=Share(worth.static / float(value) if value else 0.0),
        kept=Share(worth.retention),
    )
    moved = drivers(worth, future)
    best = max(moved, key=lambda row: abs(row["elasticity"] or 0.0))
    second = say(
        "One per cent more {driver} changes it by {share}.",
        driver=best["driver"],
        share=Share((best["elasticity"] or 0) / 100),
    )
    return first, second
