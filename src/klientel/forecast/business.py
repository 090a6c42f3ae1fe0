"""Order business and contract business told apart: each customer is valued by one of them, never by both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from klientel.forecast import contract_value
from klientel.forecast.contract_value import Contracts
from klientel.forecast.customer_values import (
    Measured,
    baseline_customers,
    endless,
    model_customers,
    with_rate,
)
from klientel.forecast.past import Past
from klientel.forecast.proof import Forecast, forecast, returning_share
from klientel.forecast.value import MONTH
from klientel.words import mark

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Context

ORDER, CONTRACT, TOGETHER = mark("order"), mark("contract"), mark("together")
MAIN = 0.5  # share of last year's revenue from which running contracts are a customer's main business
_SUM = "decimal(38, 4)"
_Z = 1.959964
_MONEY = ("value_next_12m", "lifetime_value", "lifetime_value_infinite")


@dataclass(frozen=True)
class Split:
    """All customers with their business, and the variance of the contract sum within the horizon."""

    listed: ir.Table
    variance: float = 0.0


@dataclass(frozen=True)
class Existing:
    """Existing customers with what each is still expected to bring, and what stands behind it.

    split: one row per customer; relative: relative deviation of the order sum within the horizon (None: by
    the baseline); retention: of the baseline; running: the contracts, None where there are none.
    """

    made: Forecast
    worth: Measured
    split: Split
    relative: float | None
    retention: float | None
    running: Contracts | None

    def endless(
        self, contracts: ir.Table | None, as_of: date, discount: float, lift: float = 1.0
    ) -> float | None:
        """The sum of values without end at another discount rate; lift: factor on the baseline's retention."""
        if self.made.model is not None:
            orders = endless(self.made, self.worth, discount)
        else:
            kept = None if self.retention is None else min(self.retention * lift, 1.0)
            orders = baseline_customers(self.made, self.worth, as_of, 1, discount, kept)
        listed = self.split.listed
        by_contract = listed.filter(listed.business == CONTRACT)
        orders = orders.anti_join(by_contract, orders.customer_id.cast("string") == by_contract.customer_id)
        total = orders.lifetime_value_infinite.sum().to_pyarrow().as_py()
        if contracts is None or self.running is None:
            return None if total is None else float(total)
        again = contract_value.valued(contracts, as_of, MONTH, discount).customers
        again = with_rate(
            again.semi_join(by_contract, again.customer_id == by_contract.customer_id), self.worth
        )
        more = (again.lifetime_value_infinite.cast("float64") * again.rate).round(4).cast(_SUM).sum()
        return float(total or 0) + float(more.to_pyarrow().as_py() or 0)


def existing(
    past: Past,
    contracts: ir.Table | None,
    context: Context,
    worth: Measured,
    *,
    horizon: int,
    discount: float,
    model: str = "auto",
    holdout: int = 0,
    business: str = "auto",
) -> Existing:
    """Values of all existing customers within `horizon` months and without end (B11, B12).

    Orders by the model that held on held-out time, else by the baseline; customers whose main business are
    running contracts by these. business: auto, contracts (everybody with a contract) or orders (nobody).
    Raises NotEnoughData without orders.
    """
    made = forecast(past, context.first_day, context.as_of, model, holdout)
    retention = relative = None
    if made.model is not None:
        listed, relative = model_customers(made, worth, context.as_of, horizon, discount)
    else:
        retention = returning_share(past, context.first_day, context.as_of)
        listed = baseline_customers(made, worth, context.as_of, horizon, discount, retention)
    if contracts is None or business == "orders":
        return Existing(made, worth, of_orders(listed), relative, retention, None)
    running = contract_value.valued(contracts, context.as_of, horizon * MONTH, discount)
    found = split(listed, made, running, worth, context.as_of, business == "contracts")
    return Existing(made, worth, found, relative, retention, running)


def of_orders(listed: ir.Table) -> Split:
    """Everybody by orders."""
    import ibis

    return Split(listed.mutate(business=ibis.literal(ORDER)))


def split(
    listed: ir.Table, made: Forecast, contracts: Contracts, worth: Measured, as_of: date, everybody: bool
) -> Split:
    """Customers with running contracts by these, the others by orders.

    Unless `everybody` with a contract is meant, only those whose contracts bring at least half of their
    revenue of the last 12 months: invoices of small contracts stand among the orders already.
    """
    import ibis

    history = made.histories.select(
        _h=made.histories.customer_id.cast("string"), x=made.histories.x, last_day=made.histories.last_day,
        last_value=made.histories.last_value,
    )  # fmt: skip
    found = contracts.customers.left_join(history, contracts.customers.customer_id == history._h).drop("_h")
    last = found.last_value.fill_null(ibis.literal(Decimal(0)).cast(_SUM))
    if not everybody:
        found = found.filter(found.annual_value.cast("float64") >= MAIN * last.cast("float64"))
    rated = with_rate(found, worth)

    def money(column: Any) -> Any:
        return (column.cast("float64") * rated.rate).round(4).cast(_SUM)

    none, number = ibis.null(_SUM), ibis.null("float64")
    rows = rated.select(
        customer_id=rated.customer_id,
        orders=(rated.x + 1).cast("int64"),
        recency_days=ibis.literal(as_of).delta(rated.last_day, unit="day").cast("int64"),
        p_alive=number,
        orders_next_12m=number,
        order_value=none,
        value_last_12m=money(rated.last_value),
        value_next_12m=money(rated.value_next_12m),
        lifetime_value=money(rated.lifetime_value),
        low=ibis.least(money(rated.low), money(rated.high)),
        median=money(rated.median),
        high=ibis.greatest(money(rated.low), money(rated.high)),
        lifetime_value_infinite=money(rated.lifetime_value_infinite),
        business=ibis.literal(CONTRACT),
    )
    noise = (rated.noise.cast("float64") * rated.rate**2).round(2).cast("decimal(38, 2)").sum()
    value = (rated.lifetime_value.cast("float64") * rated.rate).round(4).cast(_SUM).sum()
    sums = rated.agg(noise=noise, kept=value).to_pyarrow().to_pylist()[0]
    whole = contracts.customers.lifetime_value.sum().to_pyarrow().as_py()
    part = float(sums["kept"] or 0) / float(whole) if whole else 0.0
    variance = float(sums["noise"] or 0) + (contracts.uncertain * part) ** 2
    by_orders = of_orders(listed).listed.select(rows.columns)
    types = dict(rows.schema().items())
    both = by_orders.anti_join(found, by_orders.customer_id == found.customer_id).cast(types).union(rows)
    return Split(both, variance)


def rows(found: Split, relative: float | None) -> list[dict[str, Any]]:
    """Sums of orders, of contracts, and of both together, with their 95 % interval and standard deviation
    (`spread`) within the horizon.
    """
    listed = found.listed
    sums = {
        row["business"]: row
        for row in listed.group_by("business")
        .agg(customers=listed.count(), **{k: listed[k].sum().cast(_SUM) for k in _MONEY})
        .to_pyarrow()
        .to_pylist()
    }
    orders, contracts = sums.get(ORDER), sums.get(CONTRACT)
    told = []
    spread: dict[str, float | None] = {}
    if orders is not None:
        value = orders["lifetime_value"]
        spread[ORDER] = None if relative is None or value is None else (relative * float(value)) ** 2
        told.append(orders)
    if contracts is not None:
        spread[CONTRACT] = found.variance
        told.append(contracts)
    parts = list(spread.values())
    spread[TOGETHER] = None if any(p is None for p in parts) else sum(p or 0.0 for p in parts)
    if told:
        whole = {k: _sum([r[k] for r in told]) for k in ("customers", *_MONEY)}
        told.append({"business": TOGETHER, **whole})
    for row in told:
        variance = spread[row["business"]]
        row["low"], row["high"] = limits(row["lifetime_value"], variance)
        row["spread"] = None if variance is None else variance**0.5
    return told


def limits(value: Decimal | None, variance: float | None) -> tuple[Decimal | None, Decimal | None]:
    """95 % limits of a sum, lognormal so that it stays on its side of zero."""
    from math import exp

    if not value or variance is None:
        return None, None
    ends = sorted(value * Decimal(exp(z * variance**0.5 / abs(float(value)))) for z in (-_Z, _Z))
    return ends[0].quantize(Decimal("0.0001")), ends[1].quantize(Decimal("0.0001"))


def _sum(values: list[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known) if known else None
