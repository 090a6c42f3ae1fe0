"""The probability of renewal: one rate, a rate by type, sBG or BdW, whichever held on held-out time (B11c, F)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klientel.errors import NotEnoughData
from klientel.words import mark, say

Floats = NDArray[np.float64]
LEAST, INDICATIVE = 5, 20  # decided renewals for any rate, and for one that is more than indicative (G9)
AGEING = ("sbg", "bdw")  # methods in which the rate changes with the number of renewals
BY_TYPE = ("sbg_by_type", "bdw_by_type")  # the same, each type that is large enough on its own
LARGE, LOST = 100, 20  # renewals and losses that a type needs for a model of its own
METHODS = {
    "constant": mark("one renewal rate"),
    "by_type": mark("renewal rate by contract type, shrunken"),
    "sbg": mark("shifted beta-geometric"),
    "bdw": mark("beta-discrete-Weibull"),
    "sbg_by_type": mark("shifted beta-geometric by contract type"),
    "bdw_by_type": mark("beta-discrete-Weibull by contract type"),
}
_BETTER = 0.002  # share of the loss that a richer method must save
_SURE = {
    "by_type": 1.0,
    "sbg": 1.0,
    "bdw": 2.0,
    "sbg_by_type": 1.0,
    "bdw_by_type": 2.0,
}  # standard errors of what it saves that it must save; c is easily fooled


@dataclass(frozen=True)
class Decided:
    """Decided renewals per (type, number): how many were due and how many renewed."""

    types: list[str]
    number: Floats
    due: Floats
    renewed: Floats

    @property
    def n(self) -> float:
        """Number of decided renewals."""
        return float(self.due.sum())


@dataclass(frozen=True)
class Rates:
    """The chosen method: name, probability with 95 % limits per (type, number), hold-out, notes, model."""

    name: str
    table: Decided
    holdout: tuple[dict[str, Any], ...] = ()
    skill: float | None = None
    notes: tuple[str, ...] = ()
    model: Any = None

    @property
    def missed(self) -> float:
        """By what factor the share lost was missed on what was held out, beyond chance: 1 or more; 1 if untested.

        Chance are the 95 % limits (Wilson) of the share lost: a forecast between them missed nothing; beyond them it
        counts against the nearer one. So a few late renewals say little, and one loss more or less changes little.
        """
        from klientel.stats.intervals import wilson

        shown = next((r for r in self.holdout if r["shown"]), None)
        if shown is None:
            return 1.0
        due, told = float(shown["due"]), 1 - float(shown["predicted_share"])
        low, high = (float(end) for end in wilson(due * (1 - shown["renewed_share"]), due))
        return max(1.0, low / told, told / high)

    def of(self, types: list[str], number: Floats) -> tuple[Floats, Floats, Floats]:
        """(probability, low, high) for contracts of these types with the renewal of that number coming up."""
        return _limits(self.name, self.table, types, number, self.model)


def table_of(rows: list[dict[str, Any]], late: bool | None = None) -> Decided:
    """Counts as arrays; late: only those on that side of the origin."""
    kept = [r for r in rows if late is None or r["late"] == late]
    return Decided(
        [r["type"] or "" for r in kept],
        np.array([float(r["number"]) for r in kept]),
        np.array([float(r["due"]) for r in kept]),
        np.array([float(r["renewed"]) for r in kept]),
    )


def chosen(rows: list[dict[str, Any]], origin: date | None, ageing: tuple[str, ...] = AGEING) -> Rates:
    """The method with the smallest logarithmic loss on the renewals decided from `origin` on (rows marked late).

    A method richer than one rate must save 0.2 % of the loss and more than the standard error of what it saves.

    Raises NotEnoughData with fewer than 5 decided renewals. With fewer than 20 on the early or 10 on
    the late side nothing can be tested: one rate.
    """
    whole, early, late = table_of(rows), table_of(rows, late=False), table_of(rows, late=True)
    if whole.n < LEAST:
        raise NotEnoughData(
            say(
                "Only {n} renewals have been decided so far: too few for a probability ({need} are needed).",
                n=round(whole.n),
                need=LEAST,
            )
        )
    notes: list[str] = []
    if whole.n < INDICATIVE:
        notes.append(say("Only {n} decided renewals: indicative.", n=round(whole.n)))
    if early.n < INDICATIVE or late.n < INDICATIVE / 2:
        if whole.n >= INDICATIVE:
            notes.append(
                say("Too few renewals on either side of a hold-out to test a model: one rate for all.")
            )
        return Rates("constant", whole, notes=tuple(notes))
    several = len(set(early.types)) > 1
    losses = {
        name: loss
        for name in ("constant", *(("by_type",) if several else ()), *ageing)
        if (several or name not in BY_TYPE) and (loss := _loss(name, early, late)) is not None
    }
    base = losses["constant"][0]
    name = _simplest(losses, late)
    model = _by_age(name, whole) if name in (*AGEING, *BY_TYPE) else None
    if name in AGEING and (model is None or not model.identified_):
        name, model = "constant", None
        notes.append(say("The renewal model is not identified by all renewals: one rate for all."))
    if name == "constant":
        notes.append(say("No model told renewals apart better than one rate for all on held-out time."))
    told = tuple(
        {
            "origin": origin,
            "method": key,
            "shown": key == name,
            "due": round(late.n),
            "renewed_share": float(late.renewed.sum() / late.n),
            "predicted_share": share,
            "log_loss": loss,
            "skill": 1 - loss / base if base > 0 else None,
        }
        for key, (loss, share, _) in losses.items()
    )
    skill = 1 - losses[name][0] / base if name != "constant" and base > 0 else None
    return Rates(name, whole, told, skill, tuple(notes), model)


def _of_type(table: Decided, kind: str) -> Decided:
    here = np.array([t == kind for t in table.types])
    return Decided([kind] * int(here.sum()), table.number[here], table.due[here], table.renewed[here])


def _loss(name: str, early: Decided, late: Decided) -> tuple[float, float, Floats] | None:
    """(loss per renewal, forecast share, ln p and ln (1 - p)) on `late` of a method that knows `early`."""
    model = _by_age(name, early) if name in (*AGEING, *BY_TYPE) else None
    if model is None and name in (*AGEING, *BY_TYPE):
        return None
    p = np.clip(_limits(name, early, late.types, late.number, model)[0], 1e-6, 1 - 1e-6)
    loss = -(late.renewed @ np.log(p) + (late.due - late.renewed) @ np.log1p(-p)) / late.n
    return float(loss), float(late.due @ p / late.n), np.stack([np.log(p), np.log1p(-p)])


def _simplest(losses: dict[str, tuple[float, float, Floats]], late: Decided) -> str:
    """The method that stays when each richer one must save more than chance would, in order of richness."""
    name, least = "constant", _BETTER * losses["constant"][0]
    for richer, (loss, _, logs) in losses.items():
        if losses[name][0] - loss > max(least, _SURE.get(richer, 0.0) * _doubt(logs - losses[name][2], late)):
            name = richer
    return name


def _doubt(gain: Floats, late: Decided) -> float:
    """Standard error of the mean gain in logarithmic loss: gain[0] per renewed, gain[1] per lost renewal."""
    counts = np.stack([late.renewed, late.due - late.renewed])
    mean = float((gain * counts).sum()) / late.n
    return float(np.sqrt((counts * (gain - mean) ** 2).sum())) / late.n


def _limits(
    name: str, table: Decided, types: list[str], number: Floats, model: Any
) -> tuple[Floats, Floats, Floats]:
    from klientel.stats.intervals import beta_binomial, wilson

    if name in BY_TYPE:
        return _each_type(table, types, number, model)
    if name in AGEING and model is not None:
        levels, at = np.unique(number, return_inverse=True)
        p = np.atleast_1d(model.retention(levels))
        low, high = p, p
        if model.identified_:
            low, high = (np.atleast_1d(e) for e in model.interval(lambda m: m.retention(levels)))
        return p[at], low[at], high[at]
    if name == "by_type":
        names = sorted(set(table.types))
        place = {t: i for i, t in enumerate(names)}
        index = np.array([place[t] for t in table.types])
        due = np.bincount(index, table.due, len(names))
        renewed = np.bincount(index, table.renewed, len(names))
        shrunken = beta_binomial(renewed, due)
        common = float(table.renewed.sum() / table.n)
        ends = wilson(float(table.renewed.sum()), table.n)
        at = np.array([place.get(t, len(names)) for t in types], dtype=int)
        return (
            np.append(shrunken.mean, common)[at],
            np.append(shrunken.low, float(ends[0]))[at],
            np.append(shrunken.high, float(ends[1]))[at],
        )
    rate = float(table.renewed.sum() / table.n)
    low_, high_ = wilson(float(table.renewed.sum()), table.n)
    ones = np.ones(number.size)
    return rate * ones, float(low_) * ones, float(high_) * ones


def _each_type(
    table: Decided, types: list[str], number: Floats, models: dict[str, Any]
) -> tuple[Floats, Floats, Floats]:
    """Each type by its own model, types too small for one by that of all together (key "")."""
    found = np.zeros((3, number.size))
    own = np.array([t if t in models else "" for t in types], dtype=object)
    for kind, model in models.items():
        here = own == kind
        if here.any():
            found[:, here] = _limits("sbg", table, [""] * int(here.sum()), number[here], model)
    return found[0], found[1], found[2]


def _by_age(name: str, table: Decided) -> Any:
    """sBG or BdW fitted to the risk table of renewal numbers; None where the data do not allow it.

    For methods by type: a model for each type that is large enough, and one for all under the key "".
    """
    if name in BY_TYPE:
        simple = name.removesuffix("_by_type")
        models = {"": _by_age(simple, table)}
        for kind in sorted(set(table.types)):
            part = _of_type(table, kind)
            if part.n >= LARGE and float((part.due - part.renewed).sum()) >= LOST:
                models[kind] = _by_age(simple, part)
        return None if any(m is None for m in models.values()) or len(models) == 1 else models
    from klientel.stats.renewal_tables import RiskTable
    from klientel.stats.renewals import BetaDiscreteWeibull, ShiftedBetaGeometric

    kind_of_model = ShiftedBetaGeometric if name == "sbg" else BetaDiscreteWeibull
    number, at = np.unique(table.number, return_inverse=True)
    due = np.bincount(at, table.due, number.size).astype(float)
    gone = np.bincount(at, table.due - table.renewed, number.size).astype(float)
    try:
        return kind_of_model().fit_table(RiskTable(number, due, gone))
    except NotEnoughData:
        return None
