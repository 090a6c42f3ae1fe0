"""Who is at risk when: the counts behind curves with censoring, delayed entry and weights (handbook G12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter
from klientel.words import say

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RiskSets:
    """At each distinct duration: weight at risk and weight ended by each cause; who counts, who could not."""

    times: Floats
    at_risk: Floats
    ended: Floats  # causes × times
    n: float
    excluded: float


def risk_sets(t: Floats, begin: Floats, w: Floats, codes: NDArray[np.int64], causes: int) -> RiskSets:
    """Who is at risk and who ends at each distinct duration; codes: 0 still running, k ended by cause k."""
    seen = (begin < t) & (w > 0)  # who ends on the day of entry was never at risk
    times, at = np.unique(t[seen], return_inverse=True)
    place = (codes[seen] - 1) * times.size + at
    is_end = codes[seen] > 0
    counted = np.bincount(place[is_end], w[seen][is_end], causes * times.size)
    ended = np.asarray(counted, dtype=float).reshape(causes, times.size)
    at_risk = weight_at_risk(times, t[seen], begin[seen], w[seen])
    all_ends = ended.sum(axis=0)
    rounding = 1e-12 * w.sum()  # of broken weights; who is left must be nobody, not a trillionth
    at_risk = np.where(np.abs(at_risk - all_ends) <= rounding, all_ends, at_risk)
    return RiskSets(times, at_risk, ended, float(w[seen].sum()), float(w[~seen].sum()))


def weight_at_risk(times: Floats, t: Floats, begin: Floats, w: Floats) -> Floats:
    """Weight of who entered before each time and did not leave before it."""
    left = np.bincount(np.searchsorted(times, t, side="right"), w, times.size + 1)[: times.size]
    late = np.isfinite(begin)  # without delayed entry everybody is there from the start
    came = np.bincount(np.searchsorted(times, begin[late], side="right"), w[late], times.size + 1)
    return np.asarray(w[~late].sum() + np.cumsum(came[: times.size]) - np.cumsum(left))


def checked(
    durations: ArrayLike, observed: ArrayLike, entry: ArrayLike | None, weights: ArrayLike | None
) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
    """Durations, ends, entries (-inf where seen from the start) and weights; raises BadParameter if impossible."""
    t = np.asarray(durations, dtype=float).ravel()
    ends = np.asarray(observed, dtype=bool).ravel()
    begin = np.full(t.size, -np.inf) if entry is None else np.asarray(entry, dtype=float).ravel()
    w = np.ones(t.size) if weights is None else np.asarray(weights, dtype=float).ravel()
    if not t.size == ends.size == begin.size == w.size:
        raise BadParameter(say("Durations, ends, entries and weights must be equally many."))
    if not (np.isfinite(t).all() and (t >= 0).all() and np.isfinite(w).all() and (w >= 0).all()):
        raise BadParameter(say("Durations and weights must be numbers that are not negative."))
    if entry is not None:
        if not np.isfinite(begin).all() or (begin > t).any():
            raise BadParameter(
                say("Nobody can leave before coming under observation: an entry lies after its end.")
            )
        begin = np.where(begin <= 0, -np.inf, begin)  # seen from the start, also an end on the first day
    return t, ends, begin, w


def step(times: Floats, values: Floats, t: Floats, first: float, ends_at: float) -> Floats:
    """Right-continuous step function; beyond the last time NaN, or `ends_at` if the curve has ended there."""
    if np.isnan(t).any() or (t < 0).any():
        raise BadParameter(say("Durations and weights must be numbers that are not negative."))
    padded = np.concatenate([[first], values])
    found = padded[np.searchsorted(times, t, side="right")]
    if times.size == 0:
        return np.full(t.shape, np.nan)
    beyond = padded[-1] if padded[-1] == ends_at else np.nan
    return np.asarray(np.where(t > times[-1], beyond, found))


def over(a: Floats, b: Floats) -> Floats:
    """a / b, and 0 where b is 0."""
    return np.asarray(a / np.where(b > 0, b, np.inf))
