"""Checks of what a caller asks: how far ahead, at which discount."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from klientel.errors import BadParameter
from klientel.stats.purchases.histories import Floats, together
from klientel.words import say


def look_ahead(t: ArrayLike) -> Floats:
    """The time to look ahead as an array. Raises BadParameter unless it is a number and not negative."""
    ahead = together(t)[0]
    if not (np.isfinite(ahead) & (ahead >= 0)).all():
        raise BadParameter(say("The time to look ahead must be a number and not negative."))
    return ahead


def positive_rate(rate: float) -> float:
    """A discount rate. Raises BadParameter unless it is positive."""
    delta = together(rate)[0]
    if delta.ndim or not (np.isfinite(delta) and delta > 0):
        raise BadParameter(say("The discount rate must be positive: orders for ever have no sum without it."))
    return float(delta)
