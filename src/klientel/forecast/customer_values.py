"""What orders of each customer are still expected to bring, by model or by baseline, as revenue or margin (B11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast.proof import Forecast
from klientel.forecast.value import MONTH, YEAR, portfolio_spread, score
from klientel.order_histories import scored
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEASURES = {"revenue": mark("revenue"), "margin": mark("margin")}
_SUM = "decimal(38, 4)"


@dataclass(frozen=True)
class Measured:
    """How revenue becomes value: per customer a factor, `rates` (None: `level` for all).

    level: value per unit of revenue of all customers together, for those nothing is known of yet.
    """

    measure: str
    rates: ir.Table | None = None
    coverage: float | None = None
    level: float = 1.0
    reasons: tuple[tuple[Flag, str], ...] = ()


def valued(purchases: ir.Table, value: str) -> Measured:
    """Revenue, or margin by the own margin rate of each customer (margin / revenue with a known margin).

    `auto`: margin where at least 80 % of the revenue has one. A customer without any known margin is
    left out, never imputed (G8). Raises NotEnoughData for margins known for less than half of the revenue.
    """
    if value == "revenue":
        return Measured("revenue")
    sums = (
        purchases.agg(
            base=purchases.margin_base.sum(), margin=purchases.margin.sum(), all=purchases.revenue.sum()
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    share = float(sums["base"] or 0) / float(sums["all"]) if sums["all"] else 0.0
    share = min(max(share, 0.0), 1.0)
    if value == "auto" and share < 0.8:
        note: tuple[Flag, str] = ("green", say("Margins are known for {share} only.", share=Share(share)))
        return Measured("revenue", reasons=(note,) if share else ())
    if share < 0.5:
        raise NotEnoughData(
            say("Margins are known for {share} of the revenue; half is needed.", share=Share(share))
        )
    each = purchases.group_by("customer_id").agg(
        _margin=purchases.margin.sum().cast("float64"), _base=purchases.margin_base.sum().cast("float64")
    )
    each = each.filter(each._margin.notnull() & (each._base > 0))
    rates = each.select(_id=each.customer_id, rate=each._margin / each._base)
    return Measured("margin", rates, share, float(sums["margin"]) / float(sums["base"]))


def with_rate(table: ir.Table, worth: Measured, *, everybody: bool = False) -> ir.Table:
    """The table with a column `rate`, without customers whose rate is unknown; `everybody`: NULL for those."""
    import ibis

    if worth.rates is None:
        return table.mutate(rate=ibis.literal(worth.level))
    if everybody:
        return table.left_join(worth.rates, table.customer_id == worth.rates._id).drop("_id")
    return table.inner_join(worth.rates, table.customer_id == worth.rates._id).drop("_id")


def model_customers(
    made: Forecast, worth: Measured, as_of: date, horizon: int, discount: float
) -> tuple[ir.Table, float]:
    """One row per customer by the model, and the relative deviation of the portfolio's value."""
    assert made.model is not None
    assert made.spend is not None
    days = horizon * MONTH
    found = score(made.model, made.spend, made.rows, days, discount, made.intervals.levels)
    relative = portfolio_spread(made.model, made.spend, made.rows, found, days, made.missed)
    columns = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "noise"}
    table = with_rate(scored(made.histories, made.rows, columns), worth)
    level = (table.v + table.spent.cast("float64")) * table.rate
    ends = table.low * level, table.high * level
    import ibis

    return (
        table.select(
            "customer_id",
            orders=table.x + 1,
            recency_days=_since(table, as_of),
            p_alive=table.alive,
            orders_next_12m=table.year,
            order_value=_money(table.spread * level),
            value_last_12m=_money(table.last_value.cast("float64") * table.rate),
            value_next_12m=_money(table.year * table.spread * level),
            lifetime_value=_money(table.horizon * table.spread * level),
            low=_money(ibis.least(*ends)),
            median=_money(table.middle * level),
            high=_money(ibis.greatest(*ends)),
            lifetime_value_infinite=_money(table.ever * table.spread * level),
        ),
        relative,
    )


def endless(made: Forecast, worth: Measured, discount: float) -> ir.Table:
    """customer_id and lifetime_value_infinite by the model at a yearly discount rate, without intervals."""
    import numpy as np

    assert made.model is not None
    assert made.spend is not None
    rows = made.rows
    ever = made.model.discounted_expected_purchases(
        float(np.log1p(discount)) / YEAR, rows.x, rows.t_x, rows.T
    )
    columns = {"each": ever * made.spend.each(rows.paid), "v": made.spend.level(rows.x)}
    table = with_rate(scored(made.histories, rows, columns), worth)
    level = (table.v + table.spent.cast("float64")) * table.rate
    return table.select("customer_id", lifetime_value_infinite=_money(table.each * level))


def baseline_customers(
    made: Forecast, worth: Measured, as_of: date, horizon: int, discount: float, retention: float | None
) -> ir.Table:
    """One row per customer by the naive baseline: last year's value again, with constant retention (B11a)."""
    import ibis

    table = with_rate(made.histories, worth)
    last = table.last_value.cast("float64") * table.rate
    within, ever = _multiples(horizon, discount, retention)
    none, number = ibis.null(_SUM), ibis.null("float64")
    return table.select(
        "customer_id",
        orders=table.x + 1,
        recency_days=_since(table, as_of),
        p_alive=number,
        orders_next_12m=table.last_orders.cast("float64"),
        order_value=(table.last_orders > 0).ifelse(_money(last / table.last_orders.nullif(0)), none),
        value_last_12m=_money(last),
        value_next_12m=_money(last),
        lifetime_value=none if within is None else _money(last * within),
        low=none,
        median=none,
        high=none,
        lifetime_value_infinite=none if ever is None else _money(last * ever),
    )


def per_month(retention: float, discount: float) -> tuple[float, float]:
    """Monthly retention and discount rate of yearly ones."""
    from klientel.stats.lifetime_formulas import per_period

    return float(retention ** (1 / 12)), float(per_period(discount, 12))


def _multiples(horizon: int, discount: float, retention: float | None) -> tuple[float | None, float | None]:
    """Value in yearly values, within the horizon and without end: constant retention, just paid, monthly."""
    from klientel.stats.lifetime_formulas import constant_retention

    if retention is None:
        return None, None
    keep, monthly = per_month(retention, discount)

    def multiple(periods: int | None) -> float:
        return float(constant_retention(1 / 12, keep, monthly, case="just_paid", periods=periods))

    return multiple(horizon), multiple(None)


def _since(table: ir.Table, as_of: date) -> Any:
    import ibis

    return ibis.literal(as_of).delta(table.last_day, unit="day").cast("int64")


def _money(amount: Any) -> Any:
    return amount.round(4).cast(_SUM)
