"""How good a forecast was, over weighted rows: errors, coverage of intervals, ranking, calibration (F)."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from klientel.order_histories import Floats
from klientel.stats.intervals import percentile

SEED = 20_240_901
_MANY = 10_000  # rows from which a matrix of 500 draws would need too much memory


def mean_error(actual: Floats, predicted: Floats, n: Floats) -> float:
    """Mean absolute error per customer."""
    return float(n @ np.abs(predicted - actual) / n.sum())


def mean_square(actual: Floats, predicted: Floats, n: Floats) -> float:
    """Mean squared error per customer: smallest for the true mean, whatever the distribution."""
    return float(n @ (predicted - actual) ** 2 / n.sum())


def skill(loss: Floats, baseline: Floats, n: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """1 - loss / baseline loss with its interval, by bootstrap over customers (Poisson weights, G13).

    loss, baseline: loss per customer of each row; n: customers per row. For many rows the linearised
    ratio gives the same interval without a matrix of draws.
    """
    whole = float(n @ baseline)
    value = 1 - float(n @ loss) / whole if whole > 0 else 0.0
    if whole <= 0:
        return value, value, value
    if n.size > _MANY:
        spread = float(np.sqrt(n @ (loss - (1 - value) * baseline) ** 2)) / whole
        reach = NormalDist().inv_cdf((1 + level) / 2) * spread
        return value, value - reach, value + reach
    drawn = np.random.default_rng(SEED).poisson(n, size=(500, n.size)).astype(float)
    below = drawn @ baseline
    used = below > 0
    if not used.any():
        return value, value, value
    low, high = percentile(1 - (drawn @ loss)[used] / below[used], level)
    return value, low, high


def coverage(actual: Floats, sampled: Floats, n: Floats, level: float = 0.8) -> float:
    """Share of customers whose number of orders fell into the central interval of `sampled` (rows × draws).

    Orders are whole numbers: a number at the edge of the interval counts by the part of its probability
    inside, so that a right forecast has a coverage of exactly `level`.
    """
    below = (sampled < actual[:, None] - 0.5).mean(axis=1)
    through = (sampled < actual[:, None] + 0.5).mean(axis=1)
    low, high = (1 - level) / 2, (1 + level) / 2
    inside = np.clip(np.minimum(through, high) - np.maximum(below, low), 0, None)
    width = through - below
    hit = np.where(width > 0, inside / np.where(width > 0, width, 1), (below >= low) & (below <= high))
    return float(n @ hit / n.sum())


def captured(actual: Floats, predicted: Floats, n: Floats, share: float = 0.1) -> float | None:
    """Of what the truly best `share` of customers brought, how much did the predicted best bring.

    1 is a perfect ranking; customers tied at the limit count in part. None if nobody brought anything.
    """
    best = _top(actual, actual, n, share)
    return _top(predicted, actual, n, share) / best if best > 0 else None


def _top(by: Floats, actual: Floats, n: Floats, share: float) -> float:
    order = np.argsort(-by, kind="stable")
    ranked, size, value = by[order], n[order], (actual * n)[order]
    new = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    starts = np.flatnonzero(new)
    sizes, values = np.add.reduceat(size, starts), np.add.reduceat(value, starts)
    room = share * n.sum() - (np.cumsum(sizes) - sizes)
    return float(np.clip(room / sizes, 0, 1) @ values)


def brier(event: Floats, probability: Floats, n: Floats) -> float:
    """Brier score: mean squared difference of probability and what happened (0 or 1); V40."""
    return float(n @ (probability - event) ** 2 / n.sum())


def auc(event: Floats, probability: Floats, n: Floats) -> float | None:
    """Chance that one with the event has the higher probability than one without, ties half; V40.

    None where everybody or nobody had the event.
    """
    yes, no = n * event, n * (1 - event)
    if yes.sum() <= 0 or no.sum() <= 0:
        return None
    levels, at = np.unique(probability, return_inverse=True)
    hits, others = np.bincount(at, yes, levels.size), np.bincount(at, no, levels.size)
    behind = np.cumsum(others) - others / 2
    return float(hits @ behind / (hits.sum() * others.sum()))


def tenths(predicted: Floats, n: Floats) -> Floats:
    """Tenth 1..10 of each row by prediction, equal predictions in the same one."""
    levels, at = np.unique(predicted, return_inverse=True)
    size = np.bincount(at, n, levels.size)
    middle = (np.cumsum(size) - size / 2) / size.sum()
    return np.asarray(np.minimum(np.floor(middle * 10), 9)[at] + 1)
