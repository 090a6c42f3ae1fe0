"""Proof of forecasts on held-out time: tracking, errors against baselines, calibration, coverage (handbook F)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats import intervals
from klientel.stats.probability_scores import (
    Bins,
    Brier,
    Discrimination,
    Line,
    auc,
    average_precision,
    brier,
    calibration,
    calibration_error,
    calibration_line,
    capture,
    lift,
    log_loss,
    normal_quantile,
    pairs,
    sums,
)
from klientel.words import Sentence, Share, mark, say

Floats = NDArray[np.float64]

__all__ = [
    "Bins", "Brier", "Coverage", "Discrimination", "Errors", "Line", "Skill", "Tracking", "auc", "average_precision",
    "brier", "by_frequency", "calibration", "calibration_error", "calibration_line", "capture", "compare", "coverage",
    "errors", "grouped_skill", "lift", "log_loss", "mean_error", "mean_square", "midranks", "population_stability",
    "rate_recency", "rolling_origins", "sample_coverage", "skill", "spearman", "tracking", "worst_skill",
]  # fmt: skip

TRACKING_LIMIT = 0.10  # of cumulative orders (handbook B11)
SEED = 20_240_901
_MANY = 10_000  # rows from which a matrix of 500 draws would need too much memory
COVERAGE_LIMITS = (0.75, 0.85)  # of 80 % intervals (handbook F3)


def rolling_origins(
    first: float, last: float, horizon: float, step: float, history: float | None = None
) -> Floats:
    """Times to forecast from, ascending (handbook F1).

    first, last: span of the data in any unit; each origin has `history` before it (default: twice the
    horizon, so that at least a third is held out) and the whole `horizon` after it; origins lie `step`
    apart, counted back from last - horizon. Raises NotEnoughData if there is no room for one.
    """
    if not (horizon > 0 and step > 0):
        raise BadParameter(say("Horizon and step must be positive."))
    begin, end = first + (2 * horizon if history is None else history), last - horizon
    if end < begin:
        raise NotEnoughData(say("The history is too short to hold out a part of it."))
    count = int(np.floor((end - begin) / step + 1e-9)) + 1
    return np.asarray(end - step * np.arange(count)[::-1])


@dataclass(frozen=True)
class Tracking:
    """Cumulative forecast against cumulative actual: `error` per period, `final`, `worst`; fractions."""

    actual: Floats
    forecast: Floats
    error: Floats
    final: float
    worst: float
    within: bool


def tracking(actual: ArrayLike, forecast: ArrayLike, limit: float = TRACKING_LIMIT) -> Tracking:
    """Tracking of total orders (or revenue) per held-out period: Σ forecast / Σ actual - 1 up to each period.

    within: the final error stays inside ± limit. Periods before the first actual order have no error
    (NaN). Source: handbook B11 Validation.
    """
    a, f = pairs(actual, forecast)
    total_a, total_f = np.cumsum(a), np.cumsum(f)
    error = np.where(total_a > 0, total_f / np.where(total_a > 0, total_a, 1.0) - 1, np.nan)
    known = error[np.isfinite(error)]
    final = float(error[-1]) if error.size else float("nan")
    worst = float(known[np.argmax(np.abs(known))]) if known.size else float("nan")
    return Tracking(total_a, total_f, np.asarray(error), final, worst, bool(abs(final) <= limit))


@dataclass(frozen=True)
class Errors:
    """Errors per customer: mean absolute, root mean square, mean signed (forecast - actual), rank correlation."""

    n: int
    mae: float
    rmse: float
    bias: float
    spearman: float


def errors(actual: ArrayLike, forecast: ArrayLike) -> Errors:
    """Errors of a forecast per customer. Raises NotEnoughData without customers; spearman NaN if one is constant."""
    a, f = pairs(actual, forecast)
    if a.size == 0:
        raise NotEnoughData(say("There is no customer to compare forecast and outcome for."))
    root = float(np.sqrt(mean_square(a, f)))
    return Errors(a.size, mean_error(a, f), root, float((f - a).mean()), spearman(a, f))


def mean_error(actual: ArrayLike, forecast: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean absolute error per customer; weights: customers per row."""
    a, f = pairs(actual, forecast)
    return _mean(np.abs(f - a), weights)


def mean_square(actual: ArrayLike, forecast: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean squared error per customer: smallest for the true mean, whatever the distribution."""
    a, f = pairs(actual, forecast)
    return _mean((f - a) ** 2, weights)


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Rank correlation with midranks at ties; NaN if either is constant or there are fewer than two."""
    a, b = (midranks(v) for v in pairs(one, other))
    if a.size < 2 or a.min() == a.max() or b.min() == b.max():
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def midranks(values: ArrayLike) -> Floats:
    """Ranks 1 .. n, equal values share the mean of theirs (handbook G7)."""
    _, back, count = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[back], dtype=float)


@dataclass(frozen=True)
class Skill:
    """1 - loss / loss of a baseline with its customer-bootstrap interval; positive means better."""

    baseline: str
    loss: float
    baseline_loss: float
    skill: float
    low: float
    high: float

    @property
    def publish(self) -> bool:
        """True if the model may be shown: skill above 0; else the baseline is (handbook F2)."""
        return self.skill > 0

    @property
    def verdict(self) -> Sentence:
        """One sentence for the page that shows the forecast."""
        if not self.publish:
            return say(
                "The model loses against “{baseline}” on held-out time; the baseline is shown.",
                baseline=self.baseline,
            )
        if self.low > 0:
            return say(
                "On held-out time the model errs {skill} less than “{baseline}”.",
                skill=Share(self.skill), baseline=self.baseline,
            )  # fmt: skip
        return say(
            "On held-out time the model errs {skill} less than “{baseline}”, but that may be chance.",
            skill=Share(self.skill), baseline=self.baseline,
        )  # fmt: skip


def skill(
    loss: ArrayLike,
    baseline_loss: ArrayLike,
    baseline: str = mark("baseline"),
    level: float = 0.95,
    customer: ArrayLike | None = None,
) -> Skill:
    """Skill from losses per row, with a bootstrap over customers (handbook F2, G13).

    customer: whose row it is; rows of one customer (several origins) are drawn together. None: each row
    is a customer. A baseline without loss gives skill -inf, or 0 if the model has none either.
    """
    ours, theirs = pairs(loss, baseline_loss)
    if ours.size == 0:
        raise NotEnoughData(say("There is no customer to compare forecast and outcome for."))
    if customer is not None:
        _, who = np.unique(np.asarray(customer).ravel(), return_inverse=True)
        if who.size != ours.size:
            raise BadParameter(say("Forecast and outcome must have equally many rows."))
        share = np.bincount(who)
        ours, theirs = (np.asarray(np.bincount(who, v), dtype=float) for v in (ours, theirs))
        rows = int(share.sum())
    else:
        rows = ours.size
    found = intervals.bootstrap(intervals.ratio, np.column_stack([ours, theirs]), level=level)
    total = float(theirs.sum())
    value = 1 - found.value if total > 0 else (0.0 if ours.sum() == 0 else -np.inf)
    low, high = (1 - found.high, 1 - found.low) if total > 0 else (value, value)
    return Skill(baseline, float(ours.sum()) / rows, total / rows, float(value), float(low), float(high))


def grouped_skill(
    loss: ArrayLike, baseline: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[float, float, float]:
    """1 - loss / baseline loss with its interval, by bootstrap over customers (Poisson weights, G13).

    loss, baseline: loss per customer of each row; n: customers per row. For many rows the linearised
    ratio gives the same interval without a matrix of draws.
    """
    ours, theirs = pairs(loss, baseline)
    size = pairs(ours, n)[1]
    whole = float(size @ theirs)
    value = 1 - float(size @ ours) / whole if whole > 0 else 0.0
    if whole <= 0:
        return value, value, value
    if size.size > _MANY:
        spread = float(np.sqrt(size @ (ours - (1 - value) * theirs) ** 2)) / whole
        reach = normal_quantile(level) * spread
        return value, value - reach, value + reach
    drawn = np.random.default_rng(SEED).poisson(size, size=(500, size.size)).astype(float)
    below = drawn @ theirs
    used = below > 0
    if not used.any():
        return value, value, value
    low, high = intervals.percentile(1 - (drawn @ ours)[used] / below[used], level)
    return value, low, high


def compare(
    actual: ArrayLike,
    forecast: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    level: float = 0.95,
    customer: ArrayLike | None = None,
) -> dict[str, Skill]:
    """Skill in mean absolute error per customer against each named baseline forecast (handbook F2)."""
    a, f = pairs(actual, forecast)
    ours = np.abs(f - a)
    return {
        name: skill(ours, np.abs(pairs(a, values)[1] - a), name, level, customer)
        for name, values in baselines.items()
    }


def worst_skill(skills: Mapping[str, Skill]) -> Skill:
    """The comparison that decides: the one with the smallest skill. Raises NotEnoughData if there is none."""
    if not skills:
        raise NotEnoughData(say("A forecast without a baseline cannot be judged."))
    return min(skills.values(), key=lambda one: one.skill)


def rate_recency(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float, lapse: float = 2.0) -> Floats:
    """Baseline: own rate of repeat orders goes on, unless the silence exceeds `lapse` own mean gaps.

    x repeat orders, t_x time of the last, T time observed, all as in B11b; forecast for the next
    `horizon`: x / T · horizon, or 0 if T - t_x > lapse · t_x / x. One-time buyers are forecast 0.
    """
    count, last, seen = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, t_x, T)))
    busy = (count > 0) & (seen > 0)
    gap = last / np.where(busy, count, 1.0)
    awake = busy & (seen - last <= lapse * gap)
    return np.asarray(np.where(awake, count / np.where(busy, seen, 1.0) * horizon, 0.0))


@dataclass(frozen=True)
class Coverage:
    """Share of outcomes inside their intervals, with Wilson limits; below and above the interval; within limits?"""

    share: float
    low: float
    high: float
    below: float
    above: float
    within: bool


def coverage(
    actual: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    limits: tuple[float, float] = COVERAGE_LIMITS,
    level: float = 0.95,
) -> Coverage:
    """Empirical coverage of intervals; for 80 % intervals 75-85 % is asked for (handbook F3). Ends count as inside."""
    a, below = pairs(actual, low)
    above = pairs(a, high)[1]
    if a.size == 0:
        raise NotEnoughData(say("There is no customer to compare forecast and outcome for."))
    inside = int(((a >= below) & (a <= above)).sum())
    ends = intervals.wilson(inside, a.size, level)
    share = inside / a.size
    return Coverage(
        share,
        ends[0],
        ends[1],
        float((a < below).mean()),
        float((a > above).mean()),
        limits[0] <= share <= limits[1],
    )


def sample_coverage(
    actual: ArrayLike, sampled: Floats, weights: ArrayLike | None = None, level: float = 0.8
) -> float:
    """Share of customers whose number of orders fell into the central interval of `sampled` (rows × draws).

    Orders are whole numbers: a number at the edge of the interval counts by the part of its probability
    inside, so that a right forecast has a coverage of exactly `level`.
    """
    a = np.asarray(actual, dtype=float)
    below = (sampled < a[:, None] - 0.5).mean(axis=1)
    through = (sampled < a[:, None] + 0.5).mean(axis=1)
    low, high = (1 - level) / 2, (1 + level) / 2
    inside = np.clip(np.minimum(through, high) - np.maximum(below, low), 0, None)
    width = through - below
    hit = np.where(width > 0, inside / np.where(width > 0, width, 1), (below >= low) & (below <= high))
    return _mean(hit, weights)


def by_frequency(
    x: ArrayLike, actual: ArrayLike, forecast: ArrayLike, most: int = 7, level: float = 0.95
) -> tuple[Floats, Bins]:
    """Conditional expectation: mean outcome and forecast per number of past orders 0, 1, ..., most or more (B11).

    Gives the numbers of orders that occur, and the bins with normal limits of the mean outcome.
    """
    a, f = pairs(actual, forecast)
    groups, at = np.unique(np.minimum(np.asarray(x, dtype=float).ravel(), most), return_inverse=True)
    if at.size != a.size:
        raise BadParameter(say("Forecast and outcome must have equally many rows."))
    n, sum_f, sum_a, squares = sums(at, np.ones(a.size), f, a, a**2)
    mean = sum_a / n
    spread = np.sqrt(np.maximum(squares / n - mean**2, 0) / np.maximum(n - 1, 1))
    half = normal_quantile(level) * spread
    return groups, Bins(n, sum_f / n, mean, mean - half, mean + half)


def population_stability(expected: ArrayLike, now: ArrayLike, bins: int = 10) -> float:
    """PSI Σ (q - p) ln(q / p) between an input then and now, in bins filled equally then; > 0.2 is drift (F7).

    Empty bins count half a case. NaN if either side is empty.
    """
    then, today = (np.asarray(v, dtype=float).ravel() for v in (expected, now))
    if then.size == 0 or today.size == 0:
        return float("nan")
    edges = np.unique(np.quantile(then, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, v, side="left"), minlength=edges.size + 1) for v in (then, today)
    ]
    used = (counts[0] + counts[1]) > 0
    p, q = (np.maximum(c[used], 0.5) / np.maximum(c[used], 0.5).sum() for c in counts)
    return float((q - p) @ np.log(q / p))


def _mean(values: Floats, weights: ArrayLike | None) -> float:
    if weights is None:
        return float(values.mean())
    w = pairs(values, weights)[1]
    return float(w @ values / w.sum())
