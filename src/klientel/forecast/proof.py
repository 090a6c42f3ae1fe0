"""The forecast that is shown and its proof: contest, model of today, spend, value on held-out time (F)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast.candidates import BASELINE, OrderModel
from klientel.forecast.holdout import Contest, Trial, contest, origins
from klientel.forecast.spend import Spend, fit_spend
from klientel.order_histories import Grouped, at_origin, grouped, scored, spending
from klientel.periods import add_months
from klientel.stats.purchases.model import ENOUGH_CUSTOMERS, ENOUGH_REPEATERS
from klientel.words import mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir


_STEPS = 13  # points of the tracking line
CAME, FORECAST = mark("came"), mark("forecast")


@dataclass(frozen=True)
class Forecast:
    """Histories at the as-of date, the contest, and the model and spend that were chosen (None: baseline)."""

    orders: ir.Table
    histories: ir.Table
    rows: Grouped
    contest: Contest
    model: OrderModel | None
    spend: Spend | None
    values: tuple[dict[str, Any], ...]
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The model behind the answer, a name of MODELS."""
        return self.contest.chosen.name if self.model is not None and self.contest.chosen else BASELINE

    @property
    def value_skill(self) -> float | None:
        """Skill of the value per customer against last year's value, all origins together."""
        loss, base = (sum(float(v[k]) for v in self.values) for k in ("square", "square_last"))
        return 1 - loss / base if base > 0 else None


def forecast(
    orders: ir.Table, first_day: date | None, as_of: date, wanted: str = "auto", weeks: int = 0
) -> Forecast:
    """Fit, test and choose. Raises NotEnoughData if nobody ordered before `as_of`.

    wanted: auto, mbgnbd, bgnbd, paretonbd or baseline; weeks: length of the hold-out, 0 for the usual
    one. With `auto` the baseline is kept wherever no model beats it on held-out time, in orders and in
    value; a model asked for by name is shown anyhow, with the same words beside it.
    """
    histories = at_origin(orders, as_of, add_months(as_of, -12), as_of)
    rows = grouped(histories, windows=False)
    if not rows.customers:
        raise NotEnoughData(say("Nobody has ordered before the as-of date."))
    enough = rows.customers >= ENOUGH_CUSTOMERS and rows.repeaters >= ENOUGH_REPEATERS
    found = contest(orders, rows, wanted, origins(first_day, as_of, weeks), enough=enough)
    reasons: list[str] = list(found.reasons)
    model = spend = None
    values: list[dict[str, Any]] = []
    if found.chosen is not None:
        try:
            model = found.chosen.fit(rows)
            spend = fit_spend(**spending(histories)).brought_up(rows, _last_value(histories))
        except NotEnoughData as thin:
            model, reasons = None, [*reasons, thin.sentence]
    made = Forecast(orders, histories, rows, found, model, spend, (), ())
    if model is not None and spend is not None:
        values = [v for t in found.own if (v := value_trial(orders, t)) is not None]
        made = Forecast(orders, histories, rows, found, model, spend, tuple(values), ())
        reasons += [*model.warnings_, *spend.notes]
        gain = made.value_skill
        if gain is not None and gain <= 0:
            reasons.append(
                say(
                    "The value per customer was forecast no better than last year's value on held-out time "
                    "(skill {skill}).",
                    skill=round(gain, 3),
                )
            )
            if wanted == "auto":
                model = spend = None
    return Forecast(
        orders, histories, rows, found, model, spend, tuple(values), tuple(dict.fromkeys(reasons))
    )


def value_trial(orders: ir.Table, trial: Trial) -> dict[str, Any] | None:
    """What the value forecast of a trial was worth: sums of actual and forecast value and of their errors.

    The spend model knows only what lay before the origin; customers are compared one by one on the
    engine. None where nothing was known about order values. Amounts are revenue in the matching view.
    """
    span = timedelta(days=trial.ahead)
    histories = at_origin(orders, trial.origin, trial.origin - span, trial.origin + span)
    rows = grouped(histories, windows=False)
    try:
        spend = fit_spend(**spending(histories)).brought_up(rows, _last_value(histories))
    except NotEnoughData:
        return None
    assert trial.model is not None
    told = trial.model.predict_purchases(float(trial.ahead), rows.x, rows.t_x, rows.T)
    each = told * spend.each(rows.paid)
    table = scored(histories, rows, {"each": each, "level": spend.level(rows.x)})
    value = (table.each * (table.level + table.spent.cast("float64"))).round(4).cast("decimal(38, 4)")
    table = table.mutate(_value=value)
    off, last = table._value - table.next_value, table.last_value - table.next_value

    def squares(error: Any) -> Any:
        wide = error.cast("float64")
        return (wide * wide).round(2).cast("decimal(38, 2)").sum()

    sums = table.agg(
        customers=table.count(),
        actual=table.next_value.sum(),
        predicted=table._value.sum(),
        error=off.abs().sum(),
        error_last=last.abs().sum(),
        square=squares(off),
        square_last=squares(last),
    )
    row: dict[str, Any] = sums.to_pyarrow().to_pylist()[0]
    return row | {"origin": trial.origin, "skill": _skill(row)}


def _skill(row: dict[str, Any]) -> float | None:
    base = float(row["square_last"] or 0)
    return 1 - float(row["square"]) / base if base > 0 else None


def tracking(made: Forecast) -> list[dict[str, Any]]:
    """Orders added up over the newest hold-out: what came, and what the shown model had forecast."""
    trial = made.contest.newest if made.model is not None else None
    if trial is None:
        return []
    assert trial.model is not None
    days = [round(trial.ahead * (i + 1) / _STEPS) for i in range(_STEPS)]
    known = made.orders.day.min().over(_by_customer(made.orders)) < trial.origin
    held = made.orders.mutate(_known=known)
    held = held.filter(held._known & (held.day >= trial.origin))
    counts = held.agg(
        **{f"d{d}": (held.day < trial.origin + timedelta(days=d)).cast("int64").sum() for d in days}
    )
    came = counts.to_pyarrow().to_pylist()[0]
    rows = trial.rows
    told = []
    for d in days:
        expected = trial.model.predict_purchases(float(d), rows.x, rows.t_x, rows.T)
        day = trial.origin + timedelta(days=d)
        told.append({"day": day, "course": CAME, "orders": float(came[f"d{d}"] or 0)})
        told.append({"day": day, "course": FORECAST, "orders": float(expected @ rows.n)})
    return told


def returning_share(orders: ir.Table, first_day: date | None, as_of: date) -> float | None:
    """Yearly retention of customers, for the baseline: of those with an order in the window before the last
    one, the share with an order in the last one, brought to a year. Windows: 12 months or half the history.
    """
    if first_day is None:
        return None
    days = min(365, (as_of - first_day).days // 2)
    if days < 30:
        return None
    origin = as_of - timedelta(days=days)
    rows = grouped(at_origin(orders, origin, origin - timedelta(days=days), as_of))
    base = rows.n * (rows.last > 0)
    if not base.sum():
        return None
    share = float(base @ (rows.next > 0) / base.sum())
    return float(share ** (365 / days))


def _last_value(histories: ir.Table) -> float:
    return float(histories.last_value.sum().to_pyarrow().as_py() or 0)


def _by_customer(orders: ir.Table) -> Any:
    import ibis

    return ibis.window(group_by=orders.customer_id)
