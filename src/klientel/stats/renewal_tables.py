"""What a renewal model sees: contracts up for each renewal and those that ended there (handbook B11c, G12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.words import say

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RiskTable:
    """Contracts up for renewal number t (1, 2, ...) and those of them that ended there; counts, maybe weighted."""

    t: Floats
    at_risk: Floats
    ended: Floats


def cohort_table(survivors: ArrayLike) -> RiskTable:
    """Risk table of one cohort from the counts alive after 0, 1, 2, ... periods.

    Raises BadParameter if a count is negative or grows, NotEnoughData without a renewal period.
    """
    alive = np.atleast_1d(np.asarray(survivors, dtype=float))
    if alive.ndim != 1 or not np.isfinite(alive).all() or (alive < 0).any() or (np.diff(alive) > 0).any():
        raise BadParameter(say("Survivors must be counts that never grow from one period to the next."))
    if alive.size < 2 or alive[0] == 0:
        raise NotEnoughData(say("A renewal model needs contracts and at least one renewal."))
    up = alive[:-1] > 0
    return RiskTable(np.arange(1.0, alive.size)[up], alive[:-1][up], (alive[:-1] - alive[1:])[up])


def contract_table(
    durations: ArrayLike, ended: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> RiskTable:
    """Risk table of single contracts with right censoring and left truncation.

    durations: whole number of renewals each contract came up for; ended True: it was not renewed at
    the last of them, False: it was, and nothing later is known. entry: renewals it had behind it when
    it came under observation (0 if seen from the start); those are not evidence, because contracts
    that ended earlier could not be seen. Raises BadParameter on durations that are not whole or do not
    exceed the entry of an ended contract, NotEnoughData if no renewal was observed.
    """
    t, over, start, w = _contracts(durations, ended, entry, weights)
    last = int(t.max(initial=0))
    if last < 1 or not (w * (t - start)).sum() > 0:
        raise NotEnoughData(say("A renewal model needs contracts and at least one renewal."))
    leaves = np.bincount(t, w, last + 1)
    enters = np.bincount(start, w, last + 1)
    at_risk = np.cumsum(enters)[:-1] - np.cumsum(leaves)[:-1]  # entered before renewal t, not gone before it
    gone = np.bincount(t[over], w[over], last + 1)[1:]
    seen = at_risk > 1e-12 * w.sum()
    return RiskTable(np.arange(1.0, last + 1)[seen], at_risk[seen], gone[seen])


def _contracts(
    durations: ArrayLike, ended: ArrayLike, entry: ArrayLike | None, weights: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], Floats]:
    t = np.asarray(durations, dtype=float).ravel()
    over = np.asarray(ended, dtype=bool).ravel()
    start = np.zeros(t.size) if entry is None else np.asarray(entry, dtype=float).ravel()
    w = np.ones(t.size) if weights is None else np.asarray(weights, dtype=float).ravel()
    if not t.size == over.size == start.size == w.size:
        raise BadParameter(say("Durations, ends, entries and weights must be equally many."))
    whole = all(np.isfinite(v).all() and (v >= 0).all() and (v == np.floor(v)).all() for v in (t, start))
    if not whole or not (np.isfinite(w).all() and (w >= 0).all()):
        raise BadParameter(
            say("Durations and entries must be whole numbers of renewals, and weights not negative.")
        )
    if (t < start + over).any():
        raise BadParameter(say("A contract cannot end before it came under observation."))
    return t.astype(np.int64), over, start.astype(np.int64), w
