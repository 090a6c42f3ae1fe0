"""Intervals for proportions, differences, counts, shrunken rates and bootstrap draws (handbook G13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter
from klientel.words import mark, say

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats], Floats]

DRAWS = 2_000  # handbook G13
SEED = 20_240_229  # fixed, so that the same book gives the same interval
_CELLS = 2_000_000  # weights held in memory at once (16 MB)
_GROUPS = 1_000  # most groups of the delete-a-group jackknife


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Any, Any]:
    """Wilson score interval (low, high) of a proportion, as fractions; arrays give arrays.

    n = 0 gives (0, 1): nothing is known. Raises BadParameter unless 0 <= successes <= n and
    0 < level < 1. Source: Wilson 1927, eq. for the roots of (p - x)^2 = z^2 x (1 - x) / n; G13.
    """
    k, m = _cases(successes, n)
    z2 = _z(level) ** 2
    safe = np.where(m > 0, m, 1.0)
    p = k / safe
    middle = (p + z2 / (2 * safe)) / (1 + z2 / safe)
    half = np.sqrt(z2 * (p * (1 - p) / safe + z2 / (4 * safe**2))) / (1 + z2 / safe)
    low = np.where((k == 0) | (m == 0), 0.0, middle - half)
    high = np.where((k == m) | (m == 0), 1.0, middle + half)
    return _same_shape(low, high)


def jeffreys(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Any, Any]:
    """Jeffreys interval (low, high): quantiles of Beta(k + 1/2, n - k + 1/2), closed at k = 0 and k = n.

    Raises BadParameter as `wilson`. Source: Brown, Cai & DasGupta 2001, section 4.3.
    """
    from scipy.special import betaincinv

    k, m = _cases(successes, n)
    tail = (1 - _level(level)) / 2
    low = np.where(k == 0, 0.0, betaincinv(k + 0.5, m - k + 0.5, tail))
    high = np.where(k == m, 1.0, betaincinv(k + 0.5, m - k + 0.5, 1 - tail))
    return _same_shape(low, high)


def newcombe(
    successes1: ArrayLike, n1: ArrayLike, successes2: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> tuple[Any, Any]:
    """Interval (low, high) of the difference p1 - p2 of two independent proportions.

    Built from the two Wilson intervals. Raises BadParameter as `wilson`; n = 0 gives an interval
    that is wide but finite. Source: Newcombe 1998, method 10.
    """
    k1, m1 = _cases(successes1, n1)
    k2, m2 = _cases(successes2, n2)
    p1 = np.where(m1 > 0, k1 / np.where(m1 > 0, m1, 1), 0.5)
    p2 = np.where(m2 > 0, k2 / np.where(m2 > 0, m2, 1), 0.5)
    low1, high1 = wilson(k1, m1, level)
    low2, high2 = wilson(k2, m2, level)
    low = p1 - p2 - np.sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    high = p1 - p2 + np.sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    return _same_shape(low, high)


def garwood(count: ArrayLike, exposure: ArrayLike = 1.0, level: float = 0.95) -> tuple[Any, Any]:
    """Exact interval (low, high) of a Poisson rate: events per unit of exposure.

    Raises BadParameter if a count is negative or an exposure is not positive. Source: Garwood 1936
    (chi-square quantiles with 2k and 2k + 2 degrees of freedom, halved).
    """
    from scipy.special import gammaincinv

    k = np.asarray(count, dtype=float)
    e = np.asarray(exposure, dtype=float)
    if not (np.isfinite(k).all() and (k >= 0).all() and (e > 0).all()):
        raise BadParameter(say("A count must not be negative and its exposure must be positive."))
    tail = (1 - _level(level)) / 2
    low = np.where(k == 0, 0.0, gammaincinv(np.where(k == 0, 1.0, k), tail))
    return _same_shape(low / e, gammaincinv(k + 1, 1 - tail) / e)


@dataclass(frozen=True)
class Shrunken:
    """Rates pulled towards the common rate: posterior mean and interval, and the prior Beta(alpha, beta)."""

    mean: Floats
    low: Floats
    high: Floats
    alpha: float
    beta: float


def beta_prior(successes: ArrayLike, n: ArrayLike) -> tuple[float, float]:
    """Prior Beta(alpha, beta) of many rates by maximum likelihood of the beta-binomial.

    successes, n: one entry per rate. Where the rates differ no more than chance would make them,
    alpha + beta stops at 1e6: every rate is then shrunken to the common one. Raises BadParameter with
    fewer than two rates that have a case. Source: handbook C3 and V37; Skellam 1948.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, psi

    k, m = _cases(successes, n)
    k, m = k[m > 0], m[m > 0]
    if k.size < 2:
        raise BadParameter(say("A common prior needs at least two rates with a case."))
    pairs, times = np.unique(np.column_stack([k, m]), axis=0, return_counts=True)
    k, m = pairs[:, 0], pairs[:, 1]
    mean = np.clip((times * k).sum() / (times * m).sum(), 1e-6, 1 - 1e-6)

    def loss(x: Floats) -> tuple[float, Floats]:
        p, size = 1 / (1 + np.exp(-x[0])), np.exp(x[1])
        a, b = p * size, (1 - p) * size
        value = (times * (betaln(k + a, m - k + b) - betaln(a, b))).sum()
        common = psi(a + b) - psi(m + a + b)
        slope_a = (times * (psi(k + a) - psi(a) + common)).sum()
        slope_b = (times * (psi(m - k + b) - psi(b) + common)).sum()
        slope = np.array([(slope_a - slope_b) * p * (1 - p) * size, slope_a * a + slope_b * b])
        return -value / times.sum(), -slope / times.sum()

    starts = [np.array([np.log(mean / (1 - mean)), np.log(size)]) for size in (2.0, 50.0, 2_000.0)]
    bounds = [(-14.0, 14.0), (np.log(1e-2), np.log(1e6))]
    fits = [minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(fits, key=lambda fit: float(fit.fun)).x
    p, size = 1 / (1 + np.exp(-best[0])), np.exp(best[1])
    return float(p * size), float((1 - p) * size)


def beta_binomial(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95, prior: tuple[float, float] | None = None
) -> Shrunken:
    """Rates shrunken towards their common prior (empirical Bayes): mean and equal-tailed interval.

    prior: (alpha, beta); None fits it with `beta_prior`. Raises BadParameter on bad cases or a prior
    that is not positive. Source: handbook G9, C3, vector V37.
    """
    from scipy.special import betaincinv

    k, m = _cases(successes, n)
    alpha, beta = prior if prior is not None else beta_prior(k, m)
    if not (alpha > 0 and beta > 0):
        raise BadParameter(say("Both numbers of a beta prior must be positive."))
    tail = (1 - _level(level)) / 2
    a, b = k + alpha, m - k + beta
    return Shrunken(a / (a + b), betaincinv(a, b, tail), betaincinv(a, b, 1 - tail), alpha, beta)


@dataclass(frozen=True)
class Bootstrap:
    """Interval from bootstrap draws: value on the data, low, high, and the method in words."""

    value: float
    low: float
    high: float
    method: str


def bootstrap(
    statistic: Statistic,
    values: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Bootstrap:
    """Bootstrap interval of a statistic over customers; BCa for n >= 30, else percentile (G13).

    values: one row per customer (one number, or several columns). statistic(values, weights) takes
    weights of shape (draws, n), how often each customer was drawn, and gives one number per draw.
    Memory is bounded: weights are made in pieces. Raises BadParameter if there is no customer.
    Source: Efron 1987; acceleration by the jackknife, over at most 1,000 groups of customers.
    """
    data = np.asarray(values, dtype=float)
    if data.shape[:1] in {(), (0,)} or draws < 1:
        raise BadParameter(say("A bootstrap needs at least one customer and one draw."))
    n = data.shape[0]
    value = float(statistic(data, np.ones((1, n)))[0])
    drawn = np.concatenate([statistic(data, w) for w in weights(n, draws, seed)])
    if n < 30:
        return Bootstrap(value, *percentile(drawn, level), mark("percentile bootstrap over customers"))
    low, high = bca(drawn, value, _jackknife(statistic, data), level)
    return Bootstrap(value, low, high, mark("BCa bootstrap over customers"))


def weights(n: int, draws: int = DRAWS, seed: int = SEED) -> Any:
    """How often each of n customers is drawn, as pieces of shape (some draws, n) that fit into memory."""
    rng = np.random.default_rng(seed)
    piece = max(1, _CELLS // max(n, 1))
    for start in range(0, draws, piece):
        size = min(piece, draws - start)
        drawn = rng.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)


def percentile(drawn: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed percentile interval of bootstrap draws; draws that are not finite are left out."""
    finite = _finite(drawn)
    tail = (1 - _level(level)) / 2
    if finite.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)


def bca(drawn: ArrayLike, value: float, influence: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Bias-corrected and accelerated interval of bootstrap draws (Efron 1987, eqs. 3.6 and 6.6).

    influence: influence of each customer (or group) on the statistic, up to a common factor.
    """
    finite = _finite(drawn)
    if finite.size == 0:
        return float("nan"), float("nan")
    normal = NormalDist()
    below = (np.sum(finite < value) + 0.5 * np.sum(finite == value)) / finite.size
    z0 = normal.inv_cdf(float(np.clip(below, 1 / (finite.size + 1), finite.size / (finite.size + 1))))
    u = np.asarray(influence, dtype=float)
    u = u - u.mean()
    spread = float((u**2).sum())
    acceleration = float((u**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    tail = (1 - _level(level)) / 2
    ends = []
    for share in (tail, 1 - tail):
        z = z0 + normal.inv_cdf(share)
        room = 1 - acceleration * z
        ends.append(normal.cdf(z0 + z / room) if room > 0 else share)
    low, high = np.quantile(finite, ends)
    return float(low), float(high)


def mean(values: Floats, w: Floats) -> Floats:
    """Weighted mean per draw, a statistic for `bootstrap`."""
    return np.asarray(w @ values / w.sum(axis=1))


def ratio(values: Floats, w: Floats) -> Floats:
    """Sum of the first column over sum of the second per draw, a statistic for `bootstrap` (NRR, shares)."""
    sums = w @ values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


def _jackknife(statistic: Statistic, data: Floats) -> Floats:
    n = data.shape[0]
    groups = min(n, _GROUPS)
    member = np.arange(n) % groups
    left = []
    piece = max(1, _CELLS // n)
    for start in range(0, groups, piece):
        out = np.arange(start, min(start + piece, groups))
        left.append(statistic(data, (member[None, :] != out[:, None]).astype(float)))
    found = np.concatenate(left)
    found = found[np.isfinite(found)]
    return np.asarray(found.mean() - found) if found.size else np.zeros(1)


def _cases(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    k, m = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    if not (np.isfinite(k).all() and np.isfinite(m).all() and (k >= 0).all() and (k <= m).all()):
        raise BadParameter(say("Successes must lie between 0 and the number of cases."))
    return k, m


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise BadParameter(say("The level of an interval must lie between 0 and 1, for example 0.95."))
    return level


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + _level(level)) / 2)


def _finite(drawn: ArrayLike) -> Floats:
    found = np.asarray(drawn, dtype=float)
    finite: Floats = found[np.isfinite(found)]
    return finite


def _same_shape(low: Any, high: Any) -> tuple[Any, Any]:
    """Plain floats for plain input, arrays for arrays."""
    return (float(low), float(high)) if np.ndim(low) == 0 else (np.asarray(low), np.asarray(high))
