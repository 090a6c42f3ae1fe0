"""The forecast that is shown and its proof: contest, model of today, spend, value on held-out time (F)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp, log
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast.candidates import BASELINE, OrderModel
from klientel.forecast.growth import LONGEST, Growth, growth
from klientel.forecast.holdout import Contest, Trial, contest, origins
from klientel.forecast.intervals import Calibrated, calibrated, places
from klientel.forecast.past import Past
from klientel.forecast.spend import Spend, fit_spend
from klientel.order_histories import Grouped, scored, spending
from klientel.periods import add_months
from klientel.stats.purchases.model import ENOUGH_CUSTOMERS, ENOUGH_REPEATERS
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir


_DAYS = 365  # of the last year, whose level of order values the answer starts from
_STEPS = 13  # points of the tracking line
CAME, FORECAST = mark("came"), mark("forecast")


@dataclass(frozen=True)
class Forecast:
    """Histories at the as-of date, the contest, and the model and spend that were chosen (None: baseline).

    values: what the value forecast was worth per origin; intervals: levels of the draws that held.
    """

    orders: ir.Table
    histories: ir.Table
    rows: Grouped
    contest: Contest
    model: OrderModel | None
    spend: Spend | None
    values: tuple[dict[str, Any], ...]
    reasons: tuple[str, ...]
    intervals: Calibrated = field(default_factory=Calibrated)
    growth: Growth = field(default_factory=Growth)

    @property
    def name(self) -> str:
        """The model behind the answer, a name of MODELS."""
        return self.contest.chosen.name if self.model is not None and self.contest.chosen else BASELINE

    @property
    def value_skill(self) -> float | None:
        """Skill of the value per customer against last year's value, all origins together."""
        return _together(self.values)

    @property
    def missed(self) -> float:
        """Mean square of ln(forecast / came) of the sum of values over the origins; 0 where nothing was held out."""
        pairs = [(float(v["predicted"] or 0), float(v["actual"] or 0)) for v in self.values]
        squares = [log(told / came) ** 2 for told, came in pairs if told > 0 and came > 0]
        return min(sum(squares) / len(squares), 4.0) if squares else 0.0

    @property
    def value_error(self) -> float | None:
        """Value forecast / value that came - 1, all origins together."""
        told, came = (sum(float(v[k] or 0) for v in self.values) for k in ("predicted", "actual"))
        return told / came - 1 if came > 0 else None


def forecast(
    past: Past, first_day: date | None, as_of: date, wanted: str = "auto", weeks: int = 0
) -> Forecast:
    """Fit, test and choose; made once per Book and question. Raises NotEnoughData if nobody ordered before `as_of`.

    wanted: auto, mbgnbd, bgnbd, paretonbd or baseline; weeks: length of the hold-out, 0 for the usual
    one. With `auto` the baseline is kept wherever no model beats it on held-out time, in orders and in
    value; a model asked for by name is shown anyhow, with the same words beside it.
    """
    made: Forecast = past.once(
        ("forecast", as_of, wanted, weeks), lambda: _forecast(past, first_day, as_of, wanted, weeks)
    )
    return made


def today(past: Past, as_of: date) -> tuple[ir.Table, Grouped]:
    """Histories of all customers at the as-of date, with the last 12 months, and the distinct ones."""
    year_ago = add_months(as_of, -12)
    return past.histories(as_of, year_ago, as_of), past.rows(as_of, year_ago, as_of, windows=False)


def spend_of(past: Past, origin: date, since: date, until: date) -> Spend:
    """The spend model of an origin at the level of [since, origin), made once; raises NotEnoughData."""

    def make() -> Spend | NotEnoughData:
        histories = past.histories(origin, since, until)
        rows = past.rows(origin, since, until, windows=False)
        try:
            return fit_spend(**spending(histories)).brought_up(rows, _last_value(histories))
        except NotEnoughData as thin:
            return thin

    found: Spend | NotEnoughData = past.once(("spend", origin, since), make)
    if isinstance(found, NotEnoughData):
        raise found
    return found


def growth_at(past: Past, first_day: date | None, origin: date) -> Growth:
    """Growth of order values as known at an origin, made once."""
    found: Growth = past.once(("growth", origin), lambda: growth(past.orders, first_day, origin))
    return found


def _forecast(past: Past, first_day: date | None, as_of: date, wanted: str, weeks: int) -> Forecast:
    histories, rows = today(past, as_of)
    if not rows.customers:
        raise NotEnoughData(say("Nobody has ordered before the as-of date."))
    enough = rows.customers >= ENOUGH_CUSTOMERS and rows.repeaters >= ENOUGH_REPEATERS
    found = contest(past, rows, wanted, origins(first_day, as_of, weeks), enough=enough)
    reasons: list[str] = list(found.reasons)
    model = spend = None
    if found.chosen is not None:
        try:
            model = past.fit(found.chosen, as_of, rows)
            spend = spend_of(past, as_of, add_months(as_of, -12), as_of)
        except NotEnoughData as thin:
            model, reasons = None, [*reasons, thin.sentence]
    values: list[dict[str, Any]] = []
    intervals, rising = Calibrated(), Growth()
    if model is not None and spend is not None:
        values, rising, told = _valued(past, found, first_day, as_of)
        spend = spend.lifted(rising.lift(_DAYS, LONGEST))
        reasons += [*model.warnings_, *spend.notes, *told]
        gain = _together(values)
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
        if model is not None:
            intervals = calibrated([places(past, t, v["spend"]) for t, v in _pairs(found, values)])
    said = tuple(dict.fromkeys(reasons))
    return Forecast(past.orders, histories, rows, found, model, spend, tuple(values), said, intervals, rising)


def _pairs(found: Contest, values: list[dict[str, Any]]) -> list[tuple[Trial, dict[str, Any]]]:
    by_origin = {v["origin"]: v for v in values}
    return [(t, by_origin[t.origin]) for t in found.own if t.origin in by_origin]


def _valued(
    past: Past, found: Contest, first_day: date | None, as_of: date
) -> tuple[list[dict[str, Any]], Growth, tuple[str, ...]]:
    """What the value forecast was worth, with order values as in the last year or growing on as they did.

    Growth is carried on only where that had the smaller squared error on held-out time.
    """
    flat, rising = [], []
    for trial in found.own:
        plain = value_trial(past, trial)
        if plain is None:
            continue
        lift = growth_at(past, first_day, trial.origin).lift(trial.ahead, trial.ahead)
        flat.append(plain)
        rising.append(plain if lift == 1 else value_trial(past, trial, lift) or plain)
    now = growth_at(past, first_day, as_of)
    grown, level = (sum(float(v["square"]) for v in rows) for rows in (rising, flat))
    if not now.certain or not grown < level:
        return flat, Growth(), ()
    told = say(
        "The same customers paid {share} more for an order each year; carrying that on for a year forecast "
        "better on held-out time, so it is.",
        share=Share(exp(now.yearly) - 1),
    )
    return rising, now, (told,)


def value_trial(past: Past, trial: Trial, lift: float = 1.0) -> dict[str, Any] | None:
    """What the value forecast of a trial was worth: sums of actual and forecast value and of their errors.

    The spend model knows only what lay before the origin; customers are compared one by one on the
    engine. lift: level of order values over that of the last window. None where nothing was known about
    order values. Amounts are revenue in the matching view.
    """
    since, until = (trial.origin + timedelta(days=sign * trial.ahead) for sign in (-1, 1))
    histories = past.histories(trial.origin, since, until)
    rows = past.rows(trial.origin, since, until, windows=False)
    try:
        spend = spend_of(past, trial.origin, since, until).lifted(lift)
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
    return row | {"origin": trial.origin, "skill": _together([row]), "spend": spend}


def _together(values: Sequence[dict[str, Any]]) -> float | None:
    loss, base = (sum(float(v[k] or 0) for v in values) for k in ("square", "square_last"))
    return 1 - loss / base if base > 0 else None


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


def returning_share(past: Past, first_day: date | None, as_of: date) -> float | None:
    """Yearly retention of customers, for the baseline: of those with an order in the window before the last
    one, the share with an order in the last one, brought to a year. Windows: 12 months or half the history.
    """
    if first_day is None:
        return None
    days = min(365, (as_of - first_day).days // 2)
    if days < 30:
        return None
    origin = as_of - timedelta(days=days)
    rows = past.rows(origin, origin - timedelta(days=days), as_of)
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
