"""Inequality and concentration of values over customers (handbook A2), weighted for bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, exp
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter
from klientel.stats import intervals
from klientel.words import mark, say

Floats = NDArray[np.float64]
BOOTSTRAP_UP_TO = 5_000  # customers; above it the linearised interval, which costs one sort
_TOLERANCE = 1e-12
METHODS = {
    "bca": mark("BCa bootstrap over customers, 2,000 draws"),
    "percentile": mark("percentile bootstrap over customers, 2,000 draws"),
    "linear": mark("normal interval from the influence function"),
}
_METHOD_NAMES = ("gini", "hhi", "top20", "pareto_share")


def gini(values: ArrayLike, *, corrected: bool = False) -> float:
    """Gini coefficient 0-1 of non-negative values; corrected: times n / (n - 1).

    NaN for no customers or a total of 0 (and, corrected, for one customer). Raises BadParameter for
    negative values: the Lorenz curve is not defined there (G6). Source: A2, first formula.
    """
    v = _sorted(values)
    n, total = v.size, float(v.sum())
    if n == 0 or total <= 0 or (corrected and n < 2):
        return float("nan")
    raw = float(2 * (np.arange(1.0, n + 1) * v).sum() / (n * total) - (n + 1) / n)
    raw = max(raw, 0.0)
    return raw * n / (n - 1) if corrected else raw


def hhi(values: ArrayLike, *, normalised: bool = False) -> float:
    """Herfindahl index: sum of squared shares, 1/n to 1; normalised to 0-1 (NaN for one customer)."""
    v = _sorted(values)
    total = float(v.sum())
    if total <= 0 or (normalised and v.size < 2):
        return float("nan")
    h = float(((v / total) ** 2).sum())
    return (h - 1 / v.size) / (1 - 1 / v.size) if normalised else h


def effective_number(values: ArrayLike) -> float:
    """Effective number of customers 1/H: how many equal customers would be as concentrated."""
    return 1 / hhi(values)


def rosenbluth(values: ArrayLike) -> float:
    """Rosenbluth / Hall-Tideman index 1 / (2 * sum of rank * share - 1), largest first."""
    v = _sorted(values)[::-1]
    total = float(v.sum())
    if total <= 0:
        return float("nan")
    return float(1 / (2 * (np.arange(1.0, v.size + 1) * v / total).sum() - 1))


def concentration_ratio(values: ArrayLike, k: int) -> float:
    """CR_k: share of the k largest customers (of all, if there are fewer)."""
    v = _sorted(values)
    total = float(v.sum())
    return float(v[-k:].sum()) / total if total > 0 and k > 0 else float("nan")


def pareto_customers(values: ArrayLike, share: float = 0.80) -> int:
    """Smallest number of customers that reach `share` of the value.

    Exact for integers (minor units of money); floats are compared with a tolerance of 1e-12 (A1).
    0 if the total is 0.
    """
    v = _sorted(values)[::-1]
    if v.size == 0 or v.sum() <= 0:
        return 0
    running = v.cumsum()
    if np.issubdtype(v.dtype, np.integer):
        wanted: Any = ceil(Fraction(str(share)) * int(running[-1]))
    else:
        wanted = (share - _TOLERANCE) * running[-1]
    return min(int(np.searchsorted(running, wanted, side="left")) + 1, v.size)


def top_share(values: ArrayLike, share: float = 0.20, *, interpolated: bool = False) -> float:
    """Value share of the top `share` of customers: of ceil(share * n) of them, or interpolated."""
    v = _sorted(values)[::-1]
    total = float(v.sum())
    if total <= 0:
        return float("nan")
    exact = Fraction(str(share)) * v.size
    if not interpolated:
        return float(v[: ceil(exact)].sum()) / total
    whole = int(exact)
    rest = float(exact - whole) * float(v[whole]) if whole < v.size else 0.0
    return (float(v[:whole].sum()) + rest) / total


def lorenz(values: ArrayLike, points: int = 200) -> tuple[Floats, Floats]:
    """Lorenz curve as (p, share), both from 0 to 1, smallest customers first, at most `points` + 1 points.

    Empty arrays if the total is 0.
    """
    v = _sorted(values)
    total = float(v.sum())
    if total <= 0:
        return np.empty(0), np.empty(0)
    at = np.unique(np.linspace(0, v.size, min(points, v.size) + 1).round().astype(int))
    running = np.concatenate([[0.0], v.cumsum() / total])
    running[-1] = 1.0
    return at / v.size, running[at]


def drawn(sorted_values: Floats, weights: Floats) -> dict[str, Floats]:
    """Measures per bootstrap draw: gini, hhi, top20 (of ceil(0.2 n) customers), pareto_share.

    sorted_values: ascending, shape (n,); weights: (draws, n), how often each customer was drawn. No
    sorting: O(n) per draw. The pareto share counts whole customers, as `pareto_customers` does.
    """
    n = weights.sum(axis=1)
    mass = weights * sorted_values
    running = mass.cumsum(axis=1)
    total = running[:, -1]
    rank = weights.cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # equal customers drawn w times hold ranks rank-w+1 .. rank: their mean rank counts
        gini_ = 2 * (mass * (rank - (weights - 1) / 2)).sum(axis=1) / (n * total) - (n + 1) / n
        hhi_ = (mass * sorted_values).sum(axis=1) / total**2
        top = _top_of_draw(sorted_values, rank, running, n - np.ceil(0.2 * n - _TOLERANCE))
        at = (running <= (0.2 + _TOLERANCE) * total[:, None]).sum(axis=1)  # customers that may be left out
        below = np.where(at > 0, np.take_along_axis(running, np.maximum(at - 1, 0)[:, None], 1)[:, 0], 0.0)
        known = np.where(at > 0, np.take_along_axis(rank, np.maximum(at - 1, 0)[:, None], 1)[:, 0], 0.0)
        size = sorted_values[np.minimum(at, sorted_values.size - 1)]
        more = np.floor((0.2 * total - below) / size + 1e-9)
        pareto = 1 - (known + more) / n
    return {"gini": gini_, "hhi": hhi_, "top20": top, "pareto_share": pareto}


def influence(sorted_values: Floats) -> dict[str, Floats]:
    """Influence of each customer on gini, hhi (of log H), top20 and pareto_share; ascending order kept.

    The variance of a measure is mean(influence**2) / n. Gini: (E|x - X| - D)/mu - G (x - mu)/mu with
    D = 2 mu G; top share T(p) = (E(X - q)+ + p q)/mu, q the quantile. Source: Cowell & Flachaire 2007.
    """
    v = np.asarray(sorted_values, dtype=float)
    n, mu = v.size, float(v.mean())
    running = v.cumsum()
    rank = np.arange(1.0, n + 1)
    distance = (v * (2 * rank - n) + running[-1] - 2 * running) / n
    g = gini(v)
    found = {"gini": (distance - 2 * mu * g) / mu - g * (v - mu) / mu}
    squares = float((v**2).mean())
    found["hhi"] = (v**2 - squares) / squares - 2 * (v - mu) / mu
    found["top20"] = _share_influence(v, mu, ceil(Fraction(1, 5) * n) / n)
    p = pareto_customers(v) / n
    q = float(v[max(n - round(p * n), 0)])
    found["pareto_share"] = -_share_influence(v, mu, p) * mu / q if q > 0 else np.zeros(n)
    return found


@dataclass(frozen=True)
class Interval:
    """Low and high end of one measure and the method in words (a key of the catalogue)."""

    low: float
    high: float
    method: str


def concentration_intervals(values: ArrayLike, level: float = 0.95) -> dict[str, Interval]:
    """Intervals of gini, hhi, top20 and pareto_share over redrawn customers.

    Up to 5,000 customers: bootstrap with multinomial weights, BCa from 30 customers on; above: normal
    interval from the influence function (log scale for hhi). Empty for fewer than 2 customers or a
    total of 0. Source: handbook G13 and A2.
    """
    v = _sorted(values).astype(float)
    if v.size < 2 or v.sum() <= 0:
        return {}
    v = v / v.mean()  # scale-free, so that the result does not depend on the currency
    bends = influence(v)
    here = {"gini": gini(v), "hhi": hhi(v), "top20": top_share(v)}
    here["pareto_share"] = pareto_customers(v) / v.size
    if v.size > BOOTSTRAP_UP_TO:
        return {name: _normal(name, here[name], bends[name], level) for name in _METHOD_NAMES}
    pieces = [drawn(v, w) for w in intervals.weights(v.size)]
    result = {}
    for name in _METHOD_NAMES:
        draws = np.concatenate([piece[name] for piece in pieces])
        if v.size < 30:
            result[name] = Interval(*intervals.percentile(draws, level), METHODS["percentile"])
        else:
            result[name] = Interval(*intervals.bca(draws, here[name], bends[name], level), METHODS["bca"])
    return result


def _normal(name: str, value: float, bend: Floats, level: float) -> Interval:
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * float(np.sqrt((bend**2).mean() / bend.size))
    if name == "hhi":
        return Interval(value * exp(-half), min(value * exp(half), 1.0), METHODS["linear"])
    return Interval(max(value - half, 0.0), min(value + half, 1.0), METHODS["linear"])


def _share_influence(v: Floats, mu: float, p: float) -> Floats:
    q = float(v[min(max(int(np.ceil((1 - p) * v.size)) - 1, 0), v.size - 1)])
    above = np.maximum(v - q, 0.0)
    theta = float(above.mean()) + p * q
    return np.asarray((above + p * q - theta - theta / mu * (v - mu)) / mu)


def _top_of_draw(v: Floats, rank: Floats, running: Floats, bottom: Floats) -> Floats:
    """Share of all but the `bottom` smallest customers of each draw."""
    at = np.minimum((rank <= bottom[:, None] + _TOLERANCE).sum(axis=1), v.size - 1)
    earlier = np.maximum(at - 1, 0)[:, None]
    known = np.where(at > 0, np.take_along_axis(rank, earlier, 1)[:, 0], 0.0)
    below = np.where(at > 0, np.take_along_axis(running, earlier, 1)[:, 0], 0.0)
    return np.asarray(1 - (below + (bottom - known) * v[at]) / running[:, -1])


def _sorted(values: ArrayLike) -> NDArray[Any]:
    """Ascending copy: integers stay integers, all else becomes float."""
    v = np.asarray(values)
    v = v if np.issubdtype(v.dtype, np.integer) else v.astype(float)
    if v.ndim != 1 or (v.size and (not np.isfinite(v).all() or v.min() < 0)):
        raise BadParameter(say("Concentration needs a list of values that are not negative."))
    return np.sort(v)
