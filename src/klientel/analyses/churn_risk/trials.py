"""The models of orders and the recency rule held against who stayed away on held-out time (B14, F)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.analyses.churn_risk.declared import RULE
from klientel.analyses.churn_risk.watch import Cases, cases, rates
from klientel.analysis import Context, Estimate
from klientel.errors import NotEnoughData
from klientel.forecast import scores
from klientel.forecast.candidates import BASELINE, MODELS, Candidate, OrderModel, candidates
from klientel.forecast.holdout import origins
from klientel.forecast.past import Past
from klientel.forecast.proof import spend_of, today
from klientel.forecast.spend import Spend
from klientel.order_histories import Floats, Grouped
from klientel.periods import add_months
from klientel.stats.purchases.model import ENOUGH_CUSTOMERS, ENOUGH_REPEATERS
from klientel.words import mark, say

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir

_BETTER = 0.01  # share by which a challenger must beat the default model
_ORIGINS = 2


@dataclass(frozen=True)
class Judged:
    """The chosen method: a model of today with spend, or None for the rule with its shares silent."""

    name: str = BASELINE
    model: OrderModel | None = None
    spend: Spend | None = None
    rates: tuple[float, float] | None = None
    skill: Estimate | None = None
    holdout: tuple[dict[str, Any], ...] = ()
    calibration: tuple[dict[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Trial:
    origin: date
    name: str
    found: Cases
    chance: Floats
    rule: Floats = field(repr=False)

    @property
    def brier(self) -> float:
        return scores.brier(self.found.silent, self.chance, self.found.n)

    def row(self, shown: str) -> dict[str, Any]:
        silent, n = self.found.silent, self.found.n
        base = scores.brier(silent, self.rule, n)
        first = scores.tenths(self.chance, n) == 10
        share = float(n @ silent / n.sum())
        there = float(n[first] @ silent[first] / n[first].sum()) if first.any() else None
        return {
            "origin": self.origin,
            "method": MODELS[self.name] if self.name != BASELINE else RULE,
            "shown": self.name == shown,
            "customers": round(float(n.sum())),
            "silent_share": share,
            "predicted_share": float(n @ self.chance / n.sum()),
            "brier": self.brier,
            "brier_rule": base,
            "skill": 1 - self.brier / base if base > 0 else None,
            "auc": scores.auc(silent, self.chance, n),
            "auc_rule": scores.auc(silent, self.rule, n),
            "lift": there / share if there is not None and share > 0 else None,
        }


def judged(purchases: ir.Table, past: Past, context: Context, wanted: str, horizon: int) -> Judged:
    """Fit, test and choose for churn. The rule stays where no model has the smaller Brier score.

    Tested are the active customers of the two newest origins with their own horizons. A model asked for
    by name is shown anyhow, with the same words beside it.
    """
    _, now = today(past, context.as_of)
    enough = now.customers >= ENOUGH_CUSTOMERS and now.repeaters >= ENOUGH_REPEATERS
    held = []
    for origin, ahead in origins(context.first_day, context.as_of)[:_ORIGINS]:
        found = cases(purchases, past, origin, ahead, horizon)
        if found.n.sum():
            held.append((origin, found))
    reasons = _obstacles(now, bool(held), wanted, enough)
    rule = [_Trial(origin, BASELINE, c, told, told) for origin, c in held for told in (_by_rule(c),)]
    known = candidates(wanted, now.once_share) if wanted != BASELINE and (enough or wanted != "auto") else []
    trials = _tried(past, held, known)
    best = _best(known, trials)
    shares = rates(held[0][1]) if held else None
    if best is None:
        return Judged(rates=shares, holdout=_rows([*trials, *rule], BASELINE), reasons=reasons)
    own = [t for t in trials if t.name == best.name]
    skill = _skill(own)
    assert skill.value is not None
    lost = skill.value <= 0
    if lost:
        reasons = (
            *reasons,
            say(
                "The best model ({model}) told who would stay away no better than the rule on held-out time "
                "(skill {skill}).",
                model=MODELS[best.name],
                skill=round(skill.value, 3),
            ),
        )
    fitted = None if lost and wanted == "auto" else _fitted(past, best, now, context.as_of)
    if fitted is None:
        return Judged(rates=shares, holdout=_rows([*trials, *rule], BASELINE), reasons=reasons)
    model, spend = fitted
    return Judged(
        best.name,
        model,
        spend,
        shares,
        skill,
        _rows([*trials, *rule], best.name),
        tuple(_calibration(own[0])),
        (*reasons, *model.warnings_, *spend.notes),
    )


def _tried(past: Past, held: list[tuple[date, Cases]], known: list[Candidate]) -> list[_Trial]:
    """All candidates at the newest origin, the default and the best two at the others."""
    trials: list[_Trial] = []
    for place, (origin, found) in enumerate(held):
        rows = past.rows(origin, origin, origin, windows=False)
        field_ = known
        if place:
            allowed = {c.name for c in known if c.eligible}
            ranked = sorted((t for t in trials if t.name in allowed), key=lambda t: t.brier)
            field_ = [c for c in known if c is known[0] or c.name in {t.name for t in ranked[:2]}]
        for candidate in field_:
            try:
                model = past.fit(candidate, origin, rows)
            except NotEnoughData:
                continue
            r = found.rows
            chance = model.probability_of_none(found.horizon, r.x, r.t_x, r.T)
            if np.isfinite(chance).all():
                trials.append(_Trial(origin, candidate.name, found, chance, _by_rule(found)))
    return trials


def _fitted(past: Past, best: Candidate, now: Grouped, as_of: date) -> tuple[OrderModel, Spend] | None:
    try:
        return past.fit(best, as_of, now), spend_of(past, as_of, add_months(as_of, -12), as_of)
    except NotEnoughData:
        return None


def _by_rule(found: Cases) -> Floats:
    """The rule as a probability: each of its two groups has the share silent that came out."""
    in_time, late = rates(found)
    return np.asarray(np.where(found.late == 1, late, in_time))


def _best(known: list[Candidate], trials: list[_Trial]) -> Candidate | None:
    """The smallest Brier score over the origins all finalists were tried at; the default unless beaten by 1 %."""
    most = max((sum(t.name == c.name for t in trials) for c in known), default=0)
    full = [c for c in known if c.eligible and most and sum(t.name == c.name for t in trials) == most]
    if not full:
        return None

    def loss(c: Candidate) -> float:
        own = [t for t in trials if t.name == c.name]
        sizes = [float(t.found.n.sum()) for t in own]
        return sum(t.brier * size for t, size in zip(own, sizes, strict=True)) / sum(sizes)

    best = min(full, key=loss)
    return best if full[0] is not known[0] or loss(best) < (1 - _BETTER) * loss(full[0]) else full[0]


def _skill(own: list[_Trial]) -> Estimate:
    n = np.concatenate([t.found.n for t in own])
    loss = np.concatenate([(t.chance - t.found.silent) ** 2 for t in own])
    base = np.concatenate([(t.rule - t.found.silent) ** 2 for t in own])
    value, low, high = scores.skill(loss, base, n)
    return Estimate(value, low, high, 0.95, mark("bootstrap over customers"))


def _rows(trials: list[_Trial], shown: str) -> tuple[dict[str, Any], ...]:
    ordered = sorted(trials, key=lambda t: (-t.origin.toordinal(), t.name == BASELINE))
    return tuple(t.row(shown) for t in ordered)


def _calibration(trial: _Trial) -> list[dict[str, Any]]:
    from klientel.stats.intervals import wilson

    silent, n = trial.found.silent, trial.found.n
    tenth = scores.tenths(trial.chance, n)
    told = []
    for k in np.unique(tenth):
        here = tenth == k
        size, gone = float(n[here].sum()), float(n[here] @ silent[here])
        low, high = wilson(gone, size)
        told.append(
            {
                "tenth": int(k),
                "customers": round(size),
                "predicted_share": float(n[here] @ trial.chance[here] / size),
                "actual_share": gone / size,
                "actual_low": float(low),
                "actual_high": float(high),
            }
        )
    return told


def _obstacles(now: Grouped, held: bool, wanted: str, enough: bool) -> tuple[str, ...]:
    said: list[str] = []
    if not enough and wanted != BASELINE:
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
    return tuple(said)
