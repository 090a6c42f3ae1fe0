"""Where a change comes from: log-mean and Shapley shares of factors, exact rounding, ratios (A10, B10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import combinations
from math import factorial, log, prod
from statistics import NormalDist
from sys import float_info

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter
from klientel.words import say

Floats = NDArray[np.float64]


def log_mean(a: ArrayLike, b: ArrayLike) -> Floats:
    """Logarithmic mean L(a, b) = (a − b) / ln(a / b), L(a, a) = a, of positive numbers; arrays give arrays.

    Source: handbook A10; Ang 2004 (LMDI-I). Near a = b the logarithm is taken as
    2·artanh((b − a)/(a + b)), because a difference of two logarithms loses its digits there.
    """
    x, y = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    if not ((x > 0).all() and (y > 0).all()):
        raise BadParameter(say("The logarithmic mean is defined for positive numbers only."))
    close = np.abs(y - x) <= 0.5 * x
    tilt = np.where(close, y - x, 0.0) / (x + y)
    logs = np.where(close, 2 * np.arctanh(tilt), np.log(y) - np.log(x))
    same = logs == 0
    return np.asarray(np.where(same, x, (y - x) / np.where(same, 1.0, logs)))


def split_change(before: Sequence[float], after: Sequence[float]) -> tuple[float, ...]:
    """How much each factor of a product contributes to its change; the pieces add up to the change.

    before, after: the factors x_k0 and x_k1 of R = Π x_k, in the same order, any units. Positive factors
    are split by the logarithmic mean (LMDI): ΔR_k = L(R1, R0) · ln(x_k1 / x_k0). If any factor is zero or
    negative the logarithm does not exist and the Shapley value of the product is taken. Raises
    BadParameter for different lengths. Source: handbook A10.
    """
    if len(before) != len(after) or not before:
        raise BadParameter(say("Both periods need the same factors."))
    start, end = prod(before), prod(after)
    if min(*before, *after, start, end) < float_info.min:  # or so tiny that digits are missing
        places = range(len(before))
        return shapley(
            len(before), lambda chosen: prod(after[k] if k in chosen else before[k] for k in places)
        )
    mean = float(log_mean(end, start))
    return tuple(mean * (log(b) - log(a)) for a, b in zip(before, after, strict=True))


def shapley(players: int, worth: Callable[[frozenset[int]], float]) -> tuple[float, ...]:
    """Shapley value of each of `players`; worth(set of players) is the value they reach together.

    The values add up to worth(all) − worth(none). Cost 2^players calls: for a handful of factors.
    Source: Shapley 1953; vector V24.
    """
    known = {
        frozenset(chosen): worth(frozenset(chosen))
        for size in range(players + 1)
        for chosen in combinations(range(players), size)
    }
    values = []
    for player in range(players):
        value = 0.0
        for chosen, base in known.items():
            if player not in chosen:
                weight = factorial(len(chosen)) * factorial(players - len(chosen) - 1) / factorial(players)
                value += weight * (known[chosen | {player}] - base)
        values.append(value)
    return tuple(values)


def settle(pieces: Sequence[float], total: Decimal, step: str = "0.01") -> tuple[Decimal, ...]:
    """The pieces rounded to `step` so that they add up to `total` exactly.

    The rounding rest, a few steps at most, goes to the largest piece, where it is seen least (the first
    of equals). Raises BadParameter if the pieces are not a split of the total at all.
    """
    unit = Decimal(step)
    rounded = [Decimal(repr(float(p))).quantize(unit, ROUND_HALF_EVEN) for p in pieces]
    rest = total - sum(rounded, Decimal(0))
    if abs(rest) > unit * (len(pieces) + 1) + abs(total) * Decimal("1e-9"):
        raise BadParameter(say("The pieces do not add up to the total."))
    largest = max(range(len(rounded)), key=lambda k: (abs(rounded[k]), -k))
    rounded[largest] += rest
    return tuple(rounded)


def linear_ratio(
    n: int, top: float, bottom: float, top2: float, cross: float, bottom2: float, level: float = 0.95
) -> tuple[float, float]:
    """Interval (low, high) of the ratio Σy / Σx over n customers from sums alone (Taylor linearisation).

    top, bottom: Σy, Σx; top2, cross, bottom2: Σy², Σxy, Σx². One pass on the engine gives them, so the
    cost does not grow with draws. Raises BadParameter for fewer than two customers or Σx = 0. Source:
    Cochran, Sampling Techniques, ch. 6 (large-sample variance of a ratio); handbook G13.
    """
    if n < 2 or not bottom:
        raise BadParameter(say("A ratio needs at least two customers and a denominator that is not zero."))
    ratio = top / bottom
    spread = max(top2 - 2 * ratio * cross + ratio**2 * bottom2, 0.0) * n / (n - 1)
    half = NormalDist().inv_cdf(0.5 + level / 2) * spread**0.5 / abs(bottom)
    return ratio - half, ratio + half
