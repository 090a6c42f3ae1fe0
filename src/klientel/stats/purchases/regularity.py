"""How regularly customers order: the number of Erlang stages that explains the order times best."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from klientel.errors import BadParameter
from klientel.stats.purchases.bgnbd import BGNBD, MBGNBD
from klientel.words import say

MOST = 4


@dataclass(frozen=True)
class Regularity:
    """k stages (1: random timing; the CV of a customer's gaps is 1/sqrt(k)), and the model fitted for each k.

    gain: log-likelihood of the best k over random timing, 0 for k = 1. All have the same number of parameters.
    """

    k: int
    models: tuple[BGNBD, ...]
    gain: float

    @property
    def model(self) -> BGNBD:
        """The model with the best k."""
        return self.models[self.k - 1]


def regularity(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    log_gaps: ArrayLike | None = None,
    *,
    family: type[BGNBD] = MBGNBD,
    most: int = MOST,
) -> Regularity:
    """Fit k = 1 .. most and take the k with the highest likelihood (Reutterer, Platzer & Schröder 2021).

    log_gaps: sum over each customer's gaps between orders of their logarithms; with it the likelihood is
    that of the order times, the papers' one. Without it, it is that of (x, t_x), which tells less. Whether
    regular timing forecasts better is for the hold-out to say. Raises BadParameter as `fit`.
    """
    if not 1 <= most <= MOST:
        raise BadParameter(say("The number of stages k must be 1 (random timing), 2, 3 or 4 (regular)."))
    models = tuple(family(k=k).fit(x, t_x, T, weights, log_gaps) for k in range(1, most + 1))
    best = max(models, key=lambda model: model.loglik_)
    return Regularity(best.k, models, best.loglik_ - models[0].loglik_)
