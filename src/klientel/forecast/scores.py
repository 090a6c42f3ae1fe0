"""How good a forecast was, over rows that stand for many customers: the names that the hold-out uses (F).

The measures themselves are in `klientel.stats.validation` and `klientel.stats.probability_scores`.
"""

from __future__ import annotations

import numpy as np

from klientel.order_histories import Floats
from klientel.stats import probability_scores
from klientel.stats.validation import grouped_skill as skill
from klientel.stats.validation import mean_error, mean_square
from klientel.stats.validation import sample_coverage as coverage

__all__ = ["auc", "brier", "captured", "coverage", "mean_error", "mean_square", "skill", "tenths"]


def captured(actual: Floats, predicted: Floats, n: Floats, share: float = 0.1) -> float | None:
    """Of what the truly best `share` of customers brought, how much did the predicted best bring.

    1 is a perfect ranking; customers tied at the limit count in part. None if nobody brought anything.
    """
    best = probability_scores.held_by_top(actual, actual, share, n)
    return probability_scores.held_by_top(actual, predicted, share, n) / best if best > 0 else None


def brier(event: Floats, probability: Floats, n: Floats) -> float:
    """Brier score: mean squared difference of probability and what happened (0 or 1); V40."""
    return probability_scores.brier(event, np.clip(probability, 0.0, 1.0), n).score


def auc(event: Floats, probability: Floats, n: Floats) -> float | None:
    """Chance that one with the event has the higher probability than one without, ties half; V40.

    None where everybody or nobody had the event.
    """
    found = probability_scores.auc(event, probability, weights=n).auc
    return None if np.isnan(found) else found


def tenths(predicted: Floats, n: Floats) -> Floats:
    """Tenth 1..10 of each row by prediction, equal predictions in the same one."""
    return np.asarray(probability_scores.places(predicted, n, 10) + 1, dtype=float)
