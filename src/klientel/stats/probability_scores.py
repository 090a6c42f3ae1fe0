"""How good probabilities and rankings were: calibration, Brier, AUC, capture (handbook B14, F3)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats import intervals
from klientel.words import say

Floats = NDArray[np.float64]

SLOPE_LIMITS = (0.7, 1.3)  # of the calibration line (handbook F7)
_EDGE = 1e-12


@dataclass(frozen=True)
class Bins:
    """One row per bin: number of cases (weight), mean forecast, mean outcome, and its interval."""

    n: Floats
    forecast: Floats
    actual: Floats
    low: Floats
    high: Floats


def calibration(
    event: ArrayLike,
    probability: ArrayLike,
    bins: int = 10,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Bins:
    """Reliability table: cases in equally filled bins of the forecast, events in each with Wilson limits (F3).

    Equal forecasts stay in one bin, so there may be fewer bins than asked for.
    """
    y, p, w = cases(event, probability, weights)
    at = np.unique(places(p, w, bins), return_inverse=True)[1]
    n, forecast, gone = sums(at, w, w * p, w * y)
    low, high = intervals.wilson(np.minimum(gone, n), n, level)
    return Bins(n, forecast / n, gone / n, np.atleast_1d(low), np.atleast_1d(high))


def calibration_error(table: Bins) -> float:
    """Expected calibration error: mean gap between forecast and outcome over the bins, by cases."""
    return (
        float(table.n @ np.abs(table.forecast - table.actual) / table.n.sum())
        if table.n.size
        else float("nan")
    )


@dataclass(frozen=True)
class Line:
    """Calibration line on the log-odds: 1 and 0 are perfect; slope < 1 overconfident; standard errors beside."""

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float

    @property
    def within(self) -> bool:
        """True if the slope lies within 0.7 to 1.3; else refit or amber (handbook F7)."""
        return SLOPE_LIMITS[0] <= self.slope <= SLOPE_LIMITS[1]


def calibration_line(event: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None) -> Line:
    """Slope and intercept of a logistic regression of the events on the log-odds of the forecast (F3, Cox 1958).

    Raises NotEnoughData if all or none happened, or all forecasts are equal.
    """
    y, p, w = cases(event, probability, weights)
    z = np.log(np.clip(p, _EDGE, 1)) - np.log(np.clip(1 - p, _EDGE, 1))
    if not 0 < float(w @ y) < float(w.sum()) or z.min() == z.max():
        raise NotEnoughData(say("A calibration line needs events, their absence and differing forecasts."))
    from klientel.stats.hazard import DiscreteHazard

    model = DiscreteHazard(penalty=0.0, baseline="constant").fit(z[:, None], y, weights=w)
    slope, mean = float(model.coef_[0]), float(model.means_[0])
    level, steep = np.diag(model._covariance) / [1, float(model.scales_[0]) ** 2]
    cross = float(model._covariance[0, 1]) / float(model.scales_[0])
    spread = level - 2 * mean * cross + mean**2 * steep
    return Line(
        slope, float(model.baseline_[0]) - slope * mean, float(steep**0.5), float(max(spread, 0) ** 0.5)
    )


@dataclass(frozen=True)
class Brier:
    """Mean squared error of probabilities and its parts: score = reliability - resolution + uncertainty."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float


def brier(event: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None) -> Brier:
    """Brier score with Murphy's exact parts over distinct forecasts (Brier 1950; Murphy 1973; vector V40)."""
    y, p, w = cases(event, probability, weights)
    if y.size == 0:
        raise NotEnoughData(say("There is no customer to compare forecast and outcome for."))
    total, rate = float(w.sum()), float(w @ y / w.sum())
    points, at = np.unique(p, return_inverse=True)
    n, forecast, gone = sums(at, w, w * points[at], w * y)
    reliability = float(n @ ((forecast - gone) / n) ** 2 / total)
    resolution = float(n @ (gone / n - rate) ** 2 / total)
    uncertainty = float(w @ y**2 / total) - rate**2
    return Brier(float(w @ (p - y) ** 2 / total), reliability, resolution, uncertainty)


def log_loss(event: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean of -ln(probability given to what happened); probabilities are kept 1e-12 off 0 and 1."""
    y, p, w = cases(event, probability, weights)
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return float(-(w @ (y * np.log(inside) + (1 - y) * np.log1p(-inside))) / w.sum())


@dataclass(frozen=True)
class Discrimination:
    """Area under the ROC curve with its interval; 0.5 is chance; NaN where only one kind happened."""

    auc: float
    low: float
    high: float
    error: float


def auc(
    event: ArrayLike, score: ArrayLike, level: float = 0.95, weights: ArrayLike | None = None
) -> Discrimination:
    """AUC: probability that a case with the event has the higher score, ties count half (vector V40).

    The interval is DeLong's on the log-odds of the AUC; at 0 and 1 it is Wilson's for the smaller group.
    Source: DeLong et al. 1988, in the fast form of Sun & Xu 2014; weights are repetition.
    """
    y, s, w = cases(event, score, weights, bounded=False)
    hit = y > 0.5
    wins, losses = float(w[hit].sum()), float(w[~hit].sum())
    if not (wins > 0 and losses > 0):
        return Discrimination(float("nan"), 0.0, 1.0, float("nan"))
    above, below = _shares_below(s[hit], s[~hit], w[~hit]), _shares_below(s[~hit], s[hit], w[hit])
    value = float(w[hit] @ above / wins)
    one = float(w[hit] @ (above - value) ** 2) / max(wins - 1, 1)
    two = float(w[~hit] @ (1 - below - value) ** 2) / max(losses - 1, 1)
    error = float(np.sqrt(one / wins + two / losses))
    if error == 0 or not 0 < value < 1:
        least = min(wins, losses)
        low, high = intervals.wilson(value * least, least, level)
    else:
        half = normal_quantile(level) * error / (value * (1 - value))
        centre = np.log(value / (1 - value))
        low, high = (1 / (1 + np.exp(-(centre + sign * half))) for sign in (-1, 1))
    return Discrimination(value, float(low), float(high), error)


def average_precision(event: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the precision-recall curve as Σ (recall step) · precision; ties enter together. NaN without events."""
    y, s, w = cases(event, score, weights, bounded=False)
    _, at = np.unique(-s, return_inverse=True)
    n, gone = (np.cumsum(v) for v in sums(at, w, w * y)) if y.size else (np.zeros(0), np.zeros(0))
    if not gone.size or gone[-1] == 0:
        return float("nan")
    return float(np.diff(gone, prepend=0.0) @ (gone / n) / gone[-1])


def capture(
    value: ArrayLike, score: ArrayLike, share: float = 0.1, weights: ArrayLike | None = None
) -> float:
    """Share of the value (events, revenue) that the `share` of customers with the highest scores hold.

    value: per customer; weights: customers per row. Customers tied at the limit count in part, so row order
    does not matter (G7). Lift = capture / share.
    """
    v, s = pairs(value, score)
    whole = float(v.sum() if weights is None else v @ pairs(v, weights)[1])
    if not 0 < share <= 1 or v.size == 0 or whole == 0:
        return float("nan")
    return held_by_top(v, s, share, weights) / whole


def held_by_top(
    value: ArrayLike, score: ArrayLike, share: float = 0.1, weights: ArrayLike | None = None
) -> float:
    """The value that the `share` of customers with the highest scores hold; see `capture`."""
    v, s = pairs(value, score)
    w = np.ones(v.size) if weights is None else pairs(v, weights)[1]
    _, at = np.unique(-s, return_inverse=True)
    n, held = sums(at, w, w * v)
    before = np.cumsum(n) - n
    return float(np.clip((share * w.sum() - before) / n, 0, 1) @ held)


def lift(event: ArrayLike, score: ArrayLike, share: float = 0.1) -> float:
    """How many times more events the top `share` by score holds than a random one (top-decile lift, B14)."""
    return capture(event, score, share) / share


def _shares_below(s: Floats, others: Floats, w: Floats) -> Floats:
    """For each score the weight share of the others below it, ties half."""
    order = np.argsort(others, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(w[order])])
    left, right = (reached[np.searchsorted(others[order], s, side=side)] for side in ("left", "right"))
    return np.asarray((left + right) / 2 / reached[-1])


def places(score: Floats, w: Floats, bins: int) -> NDArray[np.int64]:
    """Equally filled bin 0 .. bins - 1 of each row by score, equal scores in the same one; some may be empty."""
    if bins < 1:
        raise BadParameter(say("There must be at least one bin."))
    points, back = np.unique(score, return_inverse=True)
    size = np.bincount(back, w, points.size)
    middle = (np.cumsum(size) - size / 2) / max(float(size.sum()), _EDGE)
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1)[back])


def sums(at: Any, *columns: Floats) -> list[Floats]:
    """Sums of columns per group; groups whose first sum is 0 are left out."""
    sums = [np.asarray(np.bincount(at, column), dtype=float) for column in columns]
    return [column[sums[0] > 0] for column in sums]


def pairs(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    """Two equally long columns of numbers; raises BadParameter otherwise."""
    a, b = (np.asarray(v, dtype=float).ravel() for v in (one, other))
    if a.size != b.size:
        raise BadParameter(say("Forecast and outcome must have equally many rows."))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BadParameter(
            say("Forecasts and outcomes must be numbers; leave out rows where one is missing.")
        )
    return a, b


def cases(
    event: ArrayLike, forecast: ArrayLike, weights: ArrayLike | None, bounded: bool = True
) -> tuple[Floats, Floats, Floats]:
    """Events, forecasts and weights; raises BadParameter unless they fit together and lie in range."""
    y, p = pairs(event, forecast)
    w = np.ones(y.size) if weights is None else np.asarray(weights, dtype=float).ravel()
    if w.size != y.size or not (np.isfinite(w).all() and (w >= 0).all()):
        raise BadParameter(say("Forecast and outcome must have equally many rows."))
    if not ((y >= 0) & (y <= 1)).all() or (bounded and not ((p >= 0) & (p <= 1)).all()):
        raise BadParameter(say("Probabilities and events must lie between 0 and 1."))
    return y, p, w


def normal_quantile(level: float) -> float:
    """Half width of a normal interval in standard errors: 1.96 for 0.95."""
    if not 0 < level < 1:
        raise BadParameter(say("The level of an interval must lie between 0 and 1, for example 0.95."))
    return NormalDist().inv_cdf((1 + level) / 2)
