"""Rolling-origin hold-out: every candidate against the naive baselines on time it has not seen (F1, F2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from klientel.analysis import Estimate
from klientel.errors import NotEnoughData
from klientel.forecast import scores
from klientel.forecast.candidates import (
    BASELINE,
    MODELS,
    Candidate,
    OrderModel,
    candidates,
    last_again,
    rate_and_recency,
)
from klientel.forecast.past import Past
from klientel.order_histories import Floats, Grouped
from klientel.stats.purchases.model import ENOUGH_CUSTOMERS, ENOUGH_REPEATERS
from klientel.words import Sentence, mark, say

QUARTER, MOST, LEAST, LONGEST = 91, 4, 182, 364  # days between origins, origins, shortest, longest hold-out
_FIRST = 91  # days of history that the newest origin must have behind it
_MARGIN = 0.01  # share by which a challenger must beat the default model to replace it
DRAWS, SEED = 300, 20_240_902


@dataclass(frozen=True)
class Trial:
    """One forecast of one origin held against what came: `ahead` days from `origin`."""

    origin: date
    ahead: int
    name: str
    rows: Grouped
    predicted: Floats
    model: OrderModel | None = None

    @cached_property
    def row(self) -> dict[str, Any]:
        """The figures of the hold-out table, without those of value."""
        actual, n = self.rows.next, self.rows.n
        came, told = float(n @ actual), float(n @ self.predicted)
        naive = (last_again(self.rows), rate_and_recency(self.rows, self.ahead))
        loss, last, rule = (scores.mean_error(actual, one, n) for one in (self.predicted, *naive))
        square, best = self.square, min(scores.mean_square(actual, one, n) for one in naive)
        return {
            "origin": self.origin,
            "until": self.origin + timedelta(days=self.ahead),
            "model": self.name,
            "customers": round(self.rows.customers),
            "actual_orders": round(came),
            "predicted_orders": told,
            "tracking_error": told / came - 1 if came else None,
            "mae": loss,
            "mae_last_year": last,
            "mae_rate_recency": rule,
            "mae_skill": 1 - loss / min(last, rule) if min(last, rule) > 0 else None,
            "rmse": square**0.5,
            "rmse_baseline": best**0.5,
            "skill": 1 - square / best if best > 0 else None,
        }

    @cached_property
    def square(self) -> float:
        """Mean squared error of orders per customer: what models are chosen by, because sums need right means."""
        return scores.mean_square(self.rows.next, self.predicted, self.rows.n)


@dataclass(frozen=True)
class Contest:
    """What the hold-out says: the trials, the chosen candidate (None: the baseline) and why."""

    trials: tuple[Trial, ...]
    chosen: Candidate | None
    skill: Estimate | None = None
    reasons: tuple[Sentence, ...] = ()

    @property
    def own(self) -> list[Trial]:
        """Trials of the chosen model (or of the baseline), newest origin first."""
        name = self.chosen.name if self.chosen else BASELINE
        return [t for t in self.trials if t.name == name]

    @property
    def newest(self) -> Trial | None:
        """The trial of the chosen model at the newest origin."""
        return self.own[0] if self.own else None

    @property
    def tracking_error(self) -> float | None:
        """Predicted over actual orders - 1, all origins together."""
        came = sum(float(t.rows.n @ t.rows.next) for t in self.own)
        told = sum(float(t.rows.n @ t.predicted) for t in self.own)
        return told / came - 1 if came else None


def origins(first_day: date | None, as_of: date, weeks: int = 0) -> list[tuple[date, int]]:
    """(origin, days held out) of the hold-outs, newest first; empty where the history is too short.

    A third of the history is held out, at least 26 and at most 52 weeks (or `weeks`). Older origins
    follow every quarter, up to 4, while as much lies before them as is held out or 26 weeks.
    """
    if first_day is None:
        return []
    whole = (as_of - first_day).days
    ahead = weeks * 7 or min(max(LEAST, whole // 3), LONGEST)
    newest = as_of - timedelta(days=ahead)
    if (newest - first_day).days < _FIRST:
        return []
    found = [(newest, ahead)]
    for step in range(1, MOST):
        origin = newest - timedelta(days=step * QUARTER)
        if (origin - first_day).days < min(ahead, LEAST):
            break
        found.append((origin, ahead))
    return found


def contest(past: Past, now: Grouped, wanted: str, when: list[tuple[date, int]], *, enough: bool) -> Contest:
    """Compare the candidates for `wanted` with the baselines at the origins of `when`, and choose.

    now: histories at the as-of date (their share of one-order customers decides the default). A
    candidate is chosen only if its squared error per customer is below that of both baselines over all
    origins; a challenger must beat the default by 1 %. Squared, because absolute errors reward forecasts
    that are too low where most customers do not order, and sums of money need right means.
    enough: at least 100 customers of whom 50 ordered again.
    """
    held = [(origin, ahead, _rows(past, origin, ahead)) for origin, ahead in when]
    held = [one for one in held if one[2].customers > 0]
    naive = [
        Trial(origin, ahead, name, rows, predicted)
        for origin, ahead, rows in held
        for name, predicted in ((BASELINE, last_again(rows)), ("recency", rate_and_recency(rows, ahead)))
    ]
    reasons = _obstacles(now, held, wanted, enough)
    usable = [one for one in held if one[2].repeaters > 0]
    if wanted == BASELINE or (wanted == "auto" and not enough) or not usable:
        return Contest(tuple(naive), None, None, reasons)
    known = candidates(wanted, now.once_share)
    first = [t for c in known if (t := _trial(past, c, *usable[0])) is not None]
    first.sort(key=lambda t: t.square)
    allowed = {c.name for c in known if c.eligible}
    leading = {t.name for t in [t for t in first if t.name in allowed][:2]}
    finalists = [c for c in known if c is known[0] or c.name in leading]
    trials = [t for t in first if t.name not in {c.name for c in finalists}]
    for c in finalists:
        trials += [t for t in first if t.name == c.name]
        trials += [t for one in usable[1:] if (t := _trial(past, c, *one)) is not None]
    best = _best(finalists, trials)
    told = tuple(
        sorted([*trials, *naive], key=lambda t: (-t.origin.toordinal(), t.name in (BASELINE, "recency")))
    )
    if best is None:
        return Contest(told, None, None, reasons)
    own = [t for t in trials if t.name == best.name]
    gain = _skill(own)
    assert gain.value is not None
    if gain.value <= 0:
        lost = say(
            "The best model ({model}) forecast the orders per customer no better than the naive baselines on "
            "held-out time (skill {skill}).",
            model=MODELS[best.name],
            skill=round(gain.value, 3),
        )
        kept = best if wanted != "auto" else None
        return Contest(told, kept, gain, (*reasons, lost))
    return Contest(told, best, gain, reasons)


def simulated(trial: Trial) -> Floats:
    """Orders of each row of a trial, drawn with uncertain parameters (rows × draws)."""
    assert trial.model is not None
    rows = trial.rows
    return trial.model.sample_future(
        float(trial.ahead), rows.x, rows.t_x, rows.T, draws=DRAWS, seed=SEED, uncertain=True
    )


def coverage_of(trial: Trial) -> float:
    """Share of customers whose orders fell into their 80 % interval (`scores.coverage`)."""
    rows = trial.rows
    some = _thinned(rows, 20_000)
    return scores.coverage(some.next, simulated(replace(trial, rows=some)), some.n)


def calibration(trial: Trial) -> list[dict[str, Any]]:
    """Tenths of customers by the predicted chance of an order in the held-out time, beside the share that came."""
    from klientel.stats.intervals import wilson

    if trial.model is None:
        return []
    rows, n = trial.rows, trial.rows.n
    chance = 1 - trial.model.probability_of_none(float(trial.ahead), rows.x, rows.t_x, rows.T)
    alive = trial.model.probability_alive(rows.x, rows.t_x, rows.T)
    tenth = scores.tenths(chance, n)
    told = []
    for k in np.unique(tenth):
        here = tenth == k
        size = float(n[here].sum())
        came = float(n[here] @ (rows.next[here] > 0))
        low, high = wilson(came, size)
        told.append(
            {
                "tenth": int(k),
                "customers": round(size),
                "p_alive": float(n[here] @ alive[here] / size),
                "predicted_share": float(n[here] @ chance[here] / size),
                "actual_share": came / size,
                "actual_low": float(low),
                "actual_high": float(high),
                "predicted_orders": float(n[here] @ trial.predicted[here] / size),
                "actual_orders": float(n[here] @ rows.next[here] / size),
            }
        )
    return told


def _rows(past: Past, origin: date, ahead: int) -> Grouped:
    span = timedelta(days=ahead)
    return past.rows(origin, origin - span, origin + span)


def _trial(past: Past, candidate: Candidate, origin: date, ahead: int, rows: Grouped) -> Trial | None:
    try:
        model = past.fit(candidate, origin, rows)
    except NotEnoughData:
        return None
    predicted = model.predict_purchases(float(ahead), rows.x, rows.t_x, rows.T)
    if not np.isfinite(predicted).all():
        return None
    return Trial(origin, ahead, candidate.name, rows, predicted, model)


def _best(finalists: list[Candidate], trials: list[Trial]) -> Candidate | None:
    found = {c.name: _error([t for t in trials if t.name == c.name]) for c in finalists}
    known = [c for c in finalists if found[c.name] is not None]
    if not known:
        return None
    default = known[0]
    best = min(known, key=lambda c: float(found[c.name] or 0.0))
    better = float(found[best.name] or 0.0) < (1 - _MARGIN) * float(found[default.name] or 0.0)
    return best if better else default


def _error(trials: list[Trial]) -> float | None:
    size = sum(t.rows.customers for t in trials)
    return sum(t.square * t.rows.customers for t in trials) / size if size else None


def _skill(trials: list[Trial]) -> Estimate:
    """Skill (squared error) against the better of the two baselines, all origins together."""
    n = np.concatenate([t.rows.n for t in trials])
    actual = np.concatenate([t.rows.next for t in trials])
    loss = (np.concatenate([t.predicted for t in trials]) - actual) ** 2
    naive = [
        (np.concatenate([last_again(t.rows) for t in trials]) - actual) ** 2,
        (np.concatenate([rate_and_recency(t.rows, t.ahead) for t in trials]) - actual) ** 2,
    ]
    better = min(naive, key=lambda one: float(n @ one))
    value, low, high = scores.skill(loss, better, n)
    return Estimate(value, low, high, 0.95, mark("bootstrap over customers"))


def _obstacles(
    now: Grouped, held: list[tuple[date, int, Grouped]], wanted: str, enough: bool
) -> tuple[Sentence, ...]:
    said = []
    if not enough:
        said.append(
            say(
                "{n} customers, {repeaters} of them with repeat orders: a model of orders needs {need} and "
                "{again}.",
                n=round(now.customers),
                repeaters=round(now.repeaters),
                need=ENOUGH_CUSTOMERS,
                again=ENOUGH_REPEATERS,
            )
        )
    if not held:
        said.append(
            say(
                "The history is too short to hold 26 weeks out after a first quarter: no model can be tested."
            )
        )
    return tuple(said) if wanted != BASELINE else ()


def _thinned(rows: Grouped, most: int) -> Grouped:
    """About `most` of the rows in even steps: enough for a share, and bounded memory."""
    if rows.x.size <= most:
        return rows
    chosen = (np.arange(most) * rows.x.size) // most
    return Grouped(**{name: getattr(rows, name)[chosen] for name in rows.__dataclass_fields__})
