"""Equity of existing and future customers, by model or by constant retention, and its elasticities (B11a, B12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.analyses.customer_equity.declared import ACQUIRED, BY_HAND, COST, DISCOUNT, MARGIN, RETENTION
from klientel.errors import NotEnoughData
from klientel.forecast.business import Existing, existing, rows
from klientel.forecast.candidates import MODELS
from klientel.forecast.contracts_alone import Alone, alone
from klientel.forecast.customer_values import MEASURES, Measured, per_month, valued
from klientel.forecast.past import Past
from klientel.forecast.terms import unread
from klientel.forecast.value import YEAR
from klientel.quality import Flag
from klientel.stats.lifetime_formulas import constant_retention
from klientel.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from klientel.analysis import Context

_FAR = 120  # months over which the spread of the sum is measured
_BUMP = 0.01


@dataclass(frozen=True)
class Worth:
    """Existing customers: number, equity and its standard deviation, value of a new one, what stands behind.

    at: the equity of existing customers and the value of a new one at another discount rate and with the
    retention times a factor. measure: what is counted, revenue or margin.
    """

    customers: float
    static: float
    new_value: float
    retention: float
    discount: float
    method: str
    at: Callable[[float, float], tuple[float, float]]
    measure: str
    spread: float = 0.0
    reasons: tuple[tuple[Flag, str], ...] = ()
    coverage: float | None = None

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
    customers: int, margin: float, retention: float, discount: float, case: str, growth: float, measure: str
) -> Worth:
    """Constant retention with numbers entered by hand, yearly; case as in `constant_retention` (B11a).

    A new customer's first payment counts: its value is case `first_included`.
    """

    def at(d: float, lift: float) -> tuple[float, float]:
        kept = min(retention * lift, 1.0)
        known = float(constant_retention(margin, kept, d, case=case, growth=growth))
        return customers * known, float(
            constant_retention(margin, kept, d, case="first_included", growth=growth)
        )

    static, new = at(discount, 1.0)
    note = say("Constant retention is assumed: the same for all customers and for ever.")
    return Worth(
        customers, static, new, retention, discount, BY_HAND, at, measure, reasons=(("amber", note),)
    )


def from_orders(
    purchases: Any,
    contracts: Any,
    context: Context,
    discount: float,
    share: float,
    value: str = "auto",
    business: str = "auto",
) -> Worth:
    """Values as `lifetime_value` finds them (`existing`), without end of the horizon.

    share: margin per unit of revenue entered by hand; where it is not 1, revenue times it is the measure.
    Raises NotEnoughData where neither a model nor a retention is known.
    """
    measured = valued(purchases, "revenue" if share != 1 else value)
    if share != 1:
        measured = Measured("margin", level=share)
    past = Past.of(purchases, context)
    found = existing(past, contracts, context, measured, horizon=_FAR, discount=discount, business=business)
    parts = {row["business"]: row for row in rows(found.split, found.relative)}
    listed = found.split.listed
    sums = (
        listed.agg(
            n=listed.count(),
            ever=listed.lifetime_value_infinite.sum(),
            next=listed.value_next_12m.sum(),
            last=listed.value_last_12m.sum(),
            buyers=(listed.value_last_12m > 0).cast("int64").sum(),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    if sums["ever"] is None:
        raise NotEnoughData(_TOO_SHORT)
    told: tuple[tuple[Flag, str], ...] = tuple(("amber", reason) for reason in found.made.reasons)
    if found.running is not None:
        told = (*unread(contracts, context), *told)
    if found.made.model is None:
        note = say(
            "No model beat the naive forecast: last year's value with a constant retention, the same for all."
        )
        told = (*told, ("amber", note))
    static = float(sums["ever"])
    retention = found.retention
    if retention is None:
        year = float(sums["next"] or 0)
        retention = float(np.clip(1 + discount - year / static, 0.0, 0.9999)) if static > 0 else 0.0
    retention = min(retention, 1.0)
    each = float(sums["last"] or 0) / sums["buyers"] if sums["buyers"] else 0.0

    def at(d: float, lift: float) -> tuple[float, float]:
        if found.made.model is None:
            known = found.endless(contracts, context.as_of, d, lift)
            return known or 0.0, _steady(each, min(retention * lift, 1.0), d)
        known = static if d == discount else found.endless(contracts, context.as_of, d)
        moved, included = _lifted(retention, d, lift)
        return (known or 0.0) * moved, _first_order(found, d) * included

    new = at(discount, 1.0)[1]
    return Worth(
        float(sums["n"]), static, new, retention, discount, MODELS[found.made.name], at,
        MEASURES[measured.measure], _spread(parts), (*measured.reasons, *told), measured.coverage,
    )  # fmt: skip


def from_contracts(contracts: Any, context: Context, discount: float, share: float, value: str) -> Worth:
    """Values of running contracts as `lifetime_value` finds them without dated orders, without end.

    A new customer has contracts like the mean of today's that begin now: young ones are lost sooner.
    Raises NotEnoughData as `alone`, and where margins are asked for.
    """
    if value == "margin":
        raise NotEnoughData(say("Contracts tell revenue only: no margin is known."))

    def sums(d: float) -> tuple[Alone, float, float]:
        found = alone(contracts, context, _FAR, d)
        listed = found.split.listed
        row = listed.agg(
            ever=listed.lifetime_value_infinite.sum(), next=listed.value_next_12m.sum()
        ).to_pyarrow().to_pylist()[0]  # fmt: skip
        return found, share * float(row["ever"] or 0), share * float(row["next"] or 0)

    found, static, year = sums(discount)
    parts = {row["business"]: row for row in rows(found.split, None)}
    retention = float(np.clip(1 + discount - year / static, 0.0, 0.9999)) if static > 0 else 0.0

    def at(d: float, lift: float) -> tuple[float, float]:
        moved, included = _lifted(retention, d, lift)
        known = static if d == discount else sums(d)[1]
        return known * moved, share * found.fresh(d) * included

    note = say("A new customer counts like the mean of today's with contracts that begin now.")
    measure = MEASURES["margin" if share != 1 else "revenue"]
    return Worth(
        float(found.customers), static, at(discount, 1.0)[1], retention, discount, found.method, at, measure,
        share * _spread(parts), (*found.reasons, ("green", note)),
    )  # fmt: skip


_TOO_SHORT = say("The history is too short for a yearly retention: enter one by hand.")


def _spread(parts: dict[str, dict[str, Any]]) -> float:
    """Standard deviation of the endless sums: their parts vary by the same share as within the far horizon."""
    variance = 0.0
    for row in parts.values():
        if row["spread"] is not None and row["lifetime_value"]:
            share = row["spread"] / abs(float(row["lifetime_value"]))
            variance += (share * float(row["lifetime_value_infinite"])) ** 2
    return float(variance**0.5)


def _first_order(found: Existing, d: float) -> float:
    """Value of a new customer from its first order on, by the model."""
    assert found.made.model is not None
    assert found.made.spend is not None
    nothing = np.zeros(1)
    order = float(found.made.spend.mean(nothing, nothing, nothing)[0]) * found.worth.level
    delta = float(np.log1p(d)) / YEAR
    further = float(found.made.model.discounted_expected_purchases(delta, nothing, nothing, nothing)[0])
    return (1 + further) * order


def _steady(each: float, kept: float, d: float) -> float:
    """Value of a new customer who pays `each` a year in monthly parts, the first at once (B11a)."""
    keep, monthly = per_month(kept, d)
    return float(constant_retention(each / 12, keep, monthly, case="first_included"))


def _lifted(r: float, d: float, lift: float) -> tuple[float, float]:
    """By how much more retention r moves the value of customers who have just paid, and of new ones.

    The constant-retention equivalent of the model: r / (1 + d - r), and (1 + d) / (1 + d - r) with the first
    payment.
    """
    up = min(r * lift, 1.0)
    included = (1 + d - r) / (1 + d - up)
    return (up / r * included if r > 0 else 1.0), included


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
                "The history is too short to tell new customers from old ones: none are expected, unless "
                "their number a year is entered by hand."
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

    With a model, retention moves the constant-retention equivalent of today's equity: d ln CE / d ln r =
    (1+d) / (1+d-r) for customers who have just paid, r / (1+d-r) where the first payment counts already.
    """
    whole = worth.static + future.equity
    d, r = worth.discount, worth.retention

    def moved(rate: float, lift: float) -> float:
        static, new = worth.at(rate, lift)
        weight = float(((1 + rate) ** -np.arange(1.0, future.years + 1)).sum())
        return static + future.yearly * (new - future.cost) * weight - whole

    gross = future.yearly * worth.new_value * future.weight
    changes = {
        RETENTION: (r, moved(d, 1 + _BUMP)),
        MARGIN: (worth.each or 0.0, _BUMP * (worth.static + gross)),
        DISCOUNT: (d, moved(d * (1 + _BUMP), 1.0)),
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
