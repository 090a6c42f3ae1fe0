"""Equity of existing and future customers, by model or by constant retention, and its elasticities (B11a, B12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.analyses.customer_equity.declared import ACQUIRED, BY_HAND, COST, DISCOUNT, MARGIN, RETENTION
from klientel.errors import NotEnoughData
from klientel.forecast.candidates import MODELS
from klientel.forecast.past import Past
from klientel.forecast.proof import Forecast, forecast, returning_share
from klientel.forecast.value import MONTH, YEAR, portfolio_spread, score
from klientel.quality import Flag
from klientel.stats.lifetime_formulas import constant_retention
from klientel.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from klientel.analysis import Context

_FAR = 120 * MONTH  # days over which the spread of the sum is measured
_BUMP = 0.01


@dataclass(frozen=True)
class Worth:
    """Existing customers: number, equity and its standard deviation, value of a new one, what stands behind.

    at: the equity of existing customers and the value of a new one at another discount rate.
    """

    customers: float
    static: float
    new_value: float
    retention: float
    discount: float
    method: str
    at: Callable[[float], tuple[float, float]]
    spread: float = 0.0
    reasons: tuple[tuple[Flag, str], ...] = ()
    case: str = "just_paid"

    @property
    def each(self) -> float | None:
        """Mean value of an existing customer."""
        return self.static / self.customers if self.customers else None


@dataclass(frozen=True)
class Future:
    """Customers still to be won: per year and in all, cost of one, equity and its standard deviation."""

    yearly: float
    number: float
    cost: float
    equity: float
    spread: float
    years: int
    weight: float  # Σ 1 / (1 + d)^k over the years of acquisition
    reasons: tuple[tuple[Flag, str], ...] = field(default=())


def by_hand(
    customers: int, margin: float, retention: float, discount: float, case: str, growth: float
) -> Worth:
    """Constant retention with numbers entered by hand, yearly; case as in `constant_retention` (B11a).

    A new customer's first payment counts: its value is case `first_included`.
    """

    def at(d: float) -> tuple[float, float]:
        known = float(constant_retention(margin, retention, d, case=case, growth=growth))
        return customers * known, float(
            constant_retention(margin, retention, d, case="first_included", growth=growth)
        )

    static, new = at(discount)
    note = say("Constant retention is assumed: the same for all customers and for ever.")
    return Worth(
        customers, static, new, retention, discount, BY_HAND, at, reasons=(("amber", note),), case=case
    )


def from_orders(purchases: Any, context: Context, discount: float, share: float) -> Worth:
    """Values by the model that held on held-out time, or by last year's value with the retention of the data.

    share: margin per unit of revenue. Raises NotEnoughData where neither is known.
    """
    past = Past.of(purchases, context)
    made = forecast(past, context.first_day, context.as_of)
    if made.model is not None:
        return _by_model(made, discount, share)
    kept = returning_share(past, context.first_day, context.as_of)
    if kept is None:
        raise NotEnoughData(
            say("The history is too short for a yearly retention: enter it, --retention 0.8.")
        )
    last = float(made.histories.last_value.sum().to_pyarrow().as_py() or 0) * share
    buyers = float(made.histories.filter(made.histories.last_orders > 0).count().to_pyarrow().as_py())
    kept = min(kept, 1.0)
    each = last / buyers if buyers else 0.0

    def at(d: float) -> tuple[float, float]:
        known = float(constant_retention(last, kept, d, case="just_paid"))
        return known, float(constant_retention(each, kept, d, case="first_included"))

    static, new = at(discount)
    note = say(
        "No model beat the naive forecast: last year's value with a constant retention, the same for all."
    )
    told: tuple[tuple[Flag, str], ...] = (*(("amber", str_) for str_ in made.reasons), ("amber", note))
    return Worth(buyers, static, new, kept, discount, MODELS["baseline"], at, reasons=told)


def _by_model(made: Forecast, discount: float, share: float) -> Worth:
    model, spend, rows = made.model, made.spend, made.rows
    assert model is not None
    assert spend is not None
    worth = spend.each(rows.paid) * (spend.level(rows.x) * rows.n + rows.spent) * share
    nothing = np.zeros(1)
    order = float(spend.mean(nothing, nothing, nothing)[0]) * share

    def at(d: float) -> tuple[float, float]:
        delta = float(np.log1p(d)) / YEAR
        ever = model.discounted_expected_purchases(delta, rows.x, rows.t_x, rows.T)
        first = float(model.discounted_expected_purchases(delta, nothing, nothing, nothing)[0])
        return float(ever @ worth), (1 + first) * order

    static, new = at(discount)
    found = score(model, spend, rows, _FAR, discount)
    relative = portfolio_spread(model, spend, rows, found, _FAR, made.missed)
    year = float(model.predict_purchases(YEAR, rows.x, rows.t_x, rows.T) @ worth)
    retention = float(np.clip(1 + discount - year / static, 0.0, 0.9999)) if static > 0 else 0.0
    told: tuple[tuple[Flag, str], ...] = tuple(("amber", str_) for str_ in made.reasons)
    return Worth(
        rows.customers, static, new, retention, discount, MODELS[made.name], at, relative * static, told
    )


def of_future(
    worth: Worth, purchases: Any, context: Context, wanted: float, cost: float, years: int, discount: float
) -> Future:
    """Σ_k N (value of a new customer - cost) / (1 + d)^k over the years k = 1 .. years (B12).

    N: entered, or the customers who first ordered in the last 12 months; its spread is that of a count (Garwood
    would be wider below 10). The first 12 months of a history hold old customers too: then none are expected.
    """
    told: tuple[tuple[Flag, str], ...] = ()
    yearly, spread = max(wanted, 0.0), 0.0
    if wanted < 0 and years:
        since = context.as_of - timedelta(days=365)
        if purchases is None or context.first_day is None or context.first_day > since - timedelta(days=365):
            note = say(
                "The history is too short to tell new customers from old ones: none are expected. Enter their number "
                "a year, --new-customers 50."
            )
            told = (("green", note),)
        else:
            kept = purchases.filter(purchases.is_order)
            first = kept.group_by("customer_id").agg(day=kept.day.min())
            yearly = float(first.filter(first.day >= since).count().to_pyarrow().as_py())
            spread = yearly**0.5
    weight = float(((1 + discount) ** -np.arange(1.0, years + 1)).sum())
    gain = worth.new_value - cost
    return Future(
        yearly, yearly * years, cost, yearly * gain * weight, spread * abs(gain) * weight, years, weight, told
    )


def drivers(worth: Worth, future: Future) -> list[dict[str, Any]]:
    """Elasticity of equity to each driver: change in per cent for 1 % more of it alone.

    Retention moves the constant-retention equivalent of today's equity: d ln CE / d ln r = (1+d) / (1+d-r) for
    customers who have just paid, r / (1+d-r) where the first payment counts already.
    """
    whole = worth.static + future.equity
    d, r = worth.discount, worth.retention
    moved_static, moved_new = worth.at(d * (1 + _BUMP))
    weight = float(((1 + d * (1 + _BUMP)) ** -np.arange(1.0, future.years + 1)).sum())
    r_up = min(r * (1 + _BUMP), 1.0)
    just_paid = (r_up / (1 + d - r_up)) / (r / (1 + d - r)) - 1 if r > 0 else 0.0
    included = (1 + d - r) / (1 + d - r_up) - 1
    existing = just_paid if worth.case == "just_paid" else included
    gross = future.yearly * worth.new_value * future.weight
    changes = {
        RETENTION: (r, existing * worth.static + included * gross),
        MARGIN: (worth.each or 0.0, _BUMP * (worth.static + gross)),
        DISCOUNT: (d, moved_static + future.yearly * (moved_new - future.cost) * weight - whole),
        ACQUIRED: (future.yearly, _BUMP * future.equity),
        COST: (future.cost, -_BUMP * future.yearly * future.cost * future.weight),
    }
    return [
        {
            "driver": name,
            "value": value,
            "elasticity": change / whole / _BUMP if whole else None,
            "change": change,
        }
        for name, (value, change) in changes.items()
    ]
