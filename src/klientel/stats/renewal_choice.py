"""Which renewal model forecasts best: chosen by hold-out, with a constant rate among the candidates (F1, F2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.renewal_tables import RiskTable, cohort_table
from klientel.stats.renewals import BetaDiscreteWeibull, ConstantRetention, RenewalModel, ShiftedBetaGeometric
from klientel.words import say

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HoldOut:
    """How a model forecast the later renewals: logarithmic loss per renewal, mean error of S(t), forecast."""

    name: str
    loss: float
    survival_error: float
    forecast: Floats


@dataclass(frozen=True)
class Choice:
    """The model with the smallest hold-out loss, refitted to everything, beside what all candidates scored."""

    model: RenewalModel
    name: str
    scores: tuple[HoldOut, ...]
    calibrated_on: int

    @property
    def beats_baseline(self) -> bool:
        """True if the chosen model is not the constant rate."""
        return not isinstance(self.model, ConstantRetention)


def choose(
    table: RiskTable | ArrayLike,
    candidates: tuple[type[RenewalModel], ...] = (
        ConstantRetention,
        ShiftedBetaGeometric,
        BetaDiscreteWeibull,
    ),
    holdout: float = 1 / 3,
) -> Choice:
    """The renewal model that forecasts the held-out later renewal periods best (handbook F1, F2).

    table: a risk table, or survivors of one cohort. The last `holdout` share of the renewal periods is
    kept back; each candidate is fitted to the earlier ones and scored by its logarithmic loss on who
    left later. Candidates that need more periods than there are drop out; at a tie the first wins.
    Raises NotEnoughData if fewer than two periods remain to fit or none to score.
    """
    whole = table if isinstance(table, RiskTable) else cohort_table(table)
    if not 0 < holdout < 1:
        raise BadParameter(say("The share held out must lie between 0 and 1."))
    cut = whole.t.size - max(1, round(holdout * whole.t.size))
    if cut < 2:
        raise NotEnoughData(say("A hold-out needs at least three renewal periods."))
    early = RiskTable(whole.t[:cut], whole.at_risk[:cut], whole.ended[:cut])
    late = RiskTable(whole.t[cut:], whole.at_risk[cut:], whole.ended[cut:])
    scores, kinds = [], []
    for kind in candidates:
        try:
            scores.append(_score(kind().fit_table(early), late))
            kinds.append(kind)
        except NotEnoughData:
            continue
    if not scores:
        raise NotEnoughData(say("No contract ended, so a renewal model has nothing to learn from."))
    best = int(np.argmin([score.loss for score in scores]))
    return Choice(kinds[best]().fit_table(whole), scores[best].name, tuple(scores), cut)


def _score(model: RenewalModel, late: RiskTable) -> HoldOut:
    keep = np.clip(np.asarray(model.retention(late.t)), 1e-12, 1 - 1e-12)
    n, d = late.at_risk, late.ended
    loss = -(d * np.log1p(-keep) + (n - d) * np.log(keep)).sum() / n.sum()
    forecast = np.cumprod(keep)
    error = np.abs(forecast - np.cumprod(1 - d / n)).mean()
    return HoldOut(model.title, float(loss), float(error), forecast)
