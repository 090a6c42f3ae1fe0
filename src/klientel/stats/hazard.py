"""Churn per period from what is known before it: penalised discrete-time hazard (handbook B14 L2, G12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData, nearest
from klientel.stats.baseline_curve import BASELINES, baseline_design
from klientel.stats.calibration import Calibrator
from klientel.words import say

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

GRID = (0.1, 1.0, 10.0, 100.0, 1_000.0)  # penalties tried by `best_penalty`
_PIECE = 32_768  # rows standardised at once, so that memory stays bounded
_STEPS = 60
_LEAST = 1e-8  # ridge that keeps dummies of all periods beside an intercept identified


def person_periods(
    durations: ArrayLike, ended: ArrayLike, entry: ArrayLike | None = None
) -> tuple[Whole, Whole, NDArray[np.bool_]]:
    """One row per customer and period under observation: (row of the customer, period 1, 2, ..., ended in it).

    durations: whole periods until the end or until now; entry: periods already over when observation
    began. The last row of an ended customer is the event. Raises BadParameter on broken durations.
    Source: Singer & Willett 1993; handbook G12.
    """
    t, over = np.asarray(durations, dtype=float).ravel(), np.asarray(ended, dtype=bool).ravel()
    start = np.zeros(t.size) if entry is None else np.asarray(entry, dtype=float).ravel()
    if not t.size == over.size == start.size:
        raise BadParameter(say("Durations, ends, entries and weights must be equally many."))
    if not (np.isfinite(t).all() and (t == np.floor(t)).all() and (start == np.floor(start)).all()):
        raise BadParameter(say("Durations and entries must be whole numbers of periods."))
    if (start < 0).any() or (start > t).any():
        raise BadParameter(
            say("Nobody can leave before coming under observation: an entry lies after its end.")
        )
    spans = (t - start).astype(np.int64)
    row = np.repeat(np.arange(t.size), spans)
    first = np.cumsum(spans) - spans
    period = (np.arange(row.size) - first[row] + start[row] + 1).astype(np.int64)
    return row, period, np.asarray(over[row] & (period == t[row]))


class DiscreteHazard:
    """Logistic hazard h = 1 / (1 + exp(-(baseline(period) + x'β))) with an L2 penalty, by Newton steps.

    penalty: weight λ of ½ Σ β² on standardised features (and on the deviations of the periods); the level
    itself is free. baseline: `periods` one level per period, `spline` a natural cubic curve, `constant`.
    signs: -1, +1 or 0 per feature (a list, or {column: sign}); +1 forces β >= 0, so that risk can only
    rise with the feature (in a linear log-odds model this is what monotone means). names: of the features.
    Class weights are not used: they would spoil the probabilities (B14).

    After `fit`: `coef_` (log-odds per unit), `scaled_coef_` (per standard deviation), `means_`,
    `scales_`, `periods_`, `baseline_` (log-odds of the average customer per period), `covariance_` (of
    coef_), `loglik_`, `n_`, `events_`, `steps_`. Source: Allison 1982, eq. 9; Cox 1972, section 6.
    """

    coef_: Floats
    scaled_coef_: Floats
    means_: Floats
    scales_: Floats
    periods_: Floats
    baseline_: Floats
    covariance_: Floats
    loglik_: float
    n_: float
    events_: float
    steps_: int
    calibrator_: Calibrator | None = None

    def __init__(
        self,
        penalty: float = 1.0,
        baseline: str = "periods",
        knots: int = 4,
        signs: Sequence[int] | Mapping[int, int] | None = None,
        names: Sequence[str] | None = None,
    ):
        if not 0 <= penalty < np.inf:
            raise BadParameter(say("The penalty must be 0 or more."))
        if baseline not in BASELINES:
            guess = nearest(baseline, BASELINES) or BASELINES[0]
            raise BadParameter(
                say("There is no baseline {name}; did you mean {guess}?", name=baseline, guess=guess)
            )
        self.penalty, self.baseline, self.knots, self.signs, self.names = (
            penalty,
            baseline,
            knots,
            signs,
            names,
        )

    def fit(
        self,
        x: ArrayLike,
        event: ArrayLike,
        period: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Learn from person-periods: features rows × p, event 0/1 (or the share of a group), period, weights.

        Features must be known before the period begins. offset is added to the log-odds. Grouped rows
        (share of events, number as weight) give the same fit as single ones. Raises BadParameter on missing
        or unequal input, NotEnoughData if nobody or everybody left.
        """
        rows = self._rows(x, event, period, weights, offset)
        total, gone = float(rows.w.sum()), float(rows.w @ rows.y)
        if not 0 < gone < total:
            raise NotEnoughData(say("A churn model needs customers who left and customers who stayed."))
        self.n_, self.events_, self.calibrator_ = total, gone, None
        self.means_ = np.asarray(rows.w @ rows.x / total)
        spread = np.sqrt(np.maximum(sum(w @ (x - self.means_) ** 2 for x, w in rows.pieces()) / total, 0.0))
        self.scales_ = np.where(spread > 1e-12 * np.maximum(np.abs(self.means_), 1), spread, 1.0)
        size = np.asarray(np.bincount(rows.at, rows.w, self.periods_.size), dtype=float)
        self._design = baseline_design(self.periods_, size, self.baseline, self.knots)
        theta, hessian, value = self._newton(rows, np.log(gone / (total - gone)))
        k = self._design.shape[1]
        self._theta, self.scaled_coef_ = theta, theta[k:]
        self.coef_ = np.asarray(self.scaled_coef_ / self.scales_)
        self.baseline_ = np.asarray(self._design @ theta[:k])
        self._covariance = np.asarray(np.linalg.inv(hessian), dtype=float)
        self.covariance_ = np.asarray(self._covariance[k:, k:] / np.outer(self.scales_, self.scales_))
        self.loglik_ = -(value - 0.5 * float(self._ridge(theta.size) @ theta**2))
        return self

    def calibrate(
        self,
        x: ArrayLike,
        event: ArrayLike,
        period: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        method: str = "auto",
    ) -> Self:
        """Learn from later rows, which the fit has not seen, how its probabilities must be corrected.

        From then on `hazard` and `churn` give corrected probabilities. method: see `Calibrator`.
        """
        self.calibrator_ = None
        self.calibrator_ = Calibrator(method).fit(self.hazard(x, period), event, weights)
        return self

    def log_odds(self, x: ArrayLike, period: ArrayLike | None = None) -> Floats:
        """Log-odds of leaving in the period, before calibration.

        A period beyond those seen takes the level of the nearest one before it. None takes the last level.
        """
        features = self._features(x)
        return np.asarray(
            self.baseline_[self._place(period, features.shape[0])] + (features - self.means_) @ self.coef_
        )

    def hazard(self, x: ArrayLike, period: ArrayLike | None = None) -> Floats:
        """Probability of leaving in the period, given that the customer is there at its beginning."""
        p = _expit(self.log_odds(x, period))
        return p if self.calibrator_ is None else self.calibrator_.predict(p)

    def churn(self, x: ArrayLike, period: ArrayLike | None = None, horizon: int = 1) -> Floats:
        """Probability of leaving within `horizon` periods from `period` on: 1 - Π (1 - h), features held."""
        features = self._features(x)
        if horizon < 0 or horizon != int(horizon):
            raise BadParameter(say("The number of periods must be a whole number, 0 or more."))
        last = self.periods_[-1] if period is None else np.asarray(period, dtype=float)
        begin = np.broadcast_to(last, features.shape[:1])
        stay = np.ones(features.shape[0])
        for k in range(int(horizon)):
            stay *= 1 - self.hazard(features, begin + k)
        return 1 - stay

    def interval(
        self, x: ArrayLike, period: ArrayLike | None = None, level: float = 0.95
    ) -> tuple[Floats, Floats]:
        """Interval (low, high) of the hazard from the curvature of the penalised likelihood, on the log-odds."""
        if not 0 < level < 1:
            raise BadParameter(say("The level of an interval must lie between 0 and 1, for example 0.95."))
        features = self._features(x)
        centre = self.log_odds(features, period)
        full = np.hstack(
            [self._design[self._place(period, features.shape[0])], (features - self.means_) / self.scales_]
        )
        half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(((full @ self._covariance) * full).sum(axis=1))
        low, high = _expit(centre - half), _expit(centre + half)
        known = self.calibrator_
        return (low, high) if known is None else (known.predict(low), known.predict(high))

    def explain(self, x: ArrayLike) -> Floats:
        """What each feature adds to the log-odds against the average customer: β (x - mean), rows × p.

        The rows sum to log-odds minus `baseline_`; for a linear model these are the Shapley values.
        """
        return np.asarray((self._features(x) - self.means_) * self.coef_)

    def reasons(self, x: ArrayLike, top: int = 3) -> tuple[Whole, Floats]:
        """The features that raise the risk most: (columns, their log-odds), rows × top; column -1 where none does."""
        parts = self.explain(x)
        top = min(top, parts.shape[1])
        order = np.argsort(-parts, axis=1, kind="stable")[:, :top]
        values = np.take_along_axis(parts, order, axis=1)
        return np.where(values > 0, order, -1).astype(np.int64), np.maximum(values, 0.0)

    def _newton(self, rows: _Rows, level: float) -> tuple[Floats, Floats, float]:
        k, p = self._design.shape[1], rows.x.shape[1]
        theta = np.zeros(k + p)
        theta[0] = level
        ridge = self._ridge(k + p)
        low, high = _bounds(self.signs, k, p)
        free = bool(np.isinf(low).all() and np.isinf(high).all())
        value, slope, hessian = self._curvature(rows, theta, ridge)
        for self.steps_ in range(1, _STEPS + 1):
            step = _solve(hessian, -slope) if free else _bounded(hessian, slope, low - theta, high - theta)
            expected = -(slope @ step + 0.5 * step @ hessian @ step)
            gain = expected / (1 + abs(value))
            shrink = 1.0
            while True:
                new = np.clip(theta + shrink * step, low, high)
                found = self._curvature(rows, new, ridge)
                if found[0] <= value + 1e-12 * abs(value) or shrink < 1e-6:
                    break
                shrink /= 2
            theta, (value, slope, hessian) = new, found
            if gain < 1e-8:  # the step just taken has squared what was left of the error
                break
        return theta, hessian, value

    def _curvature(self, rows: _Rows, theta: Floats, ridge: Floats) -> tuple[float, Floats, Floats]:
        """Penalised loss, its slope and curvature; dummies of periods enter as sums per period, never as columns."""
        from scipy.sparse import csr_matrix

        k, p, count = self._design.shape[1], rows.x.shape[1], self.periods_.size
        level, beta = self._design @ theta[:k], theta[k:]
        value, slope_x, inner = 0.0, np.zeros(p), np.zeros((p, p))
        by_period, weight, cross = np.zeros(count), np.zeros(count), np.zeros((count, p))
        for begin in range(0, rows.y.size, _PIECE):
            at, y, w = (v[begin : begin + _PIECE] for v in (rows.at, rows.y, rows.w))
            z = (rows.x[begin : begin + _PIECE] - self.means_) / self.scales_
            eta = rows.offset[begin : begin + _PIECE] + level[at] + z @ beta
            chance = _expit(eta)
            off, curve = w * (chance - y), w * chance * (1 - chance)
            value += float(w @ (np.logaddexp(0, eta) - y * eta))
            heavy = z * curve[:, None]
            slope_x += z.T @ off
            inner += z.T @ heavy
            by_period += np.bincount(at, off, count)
            weight += np.bincount(at, curve, count)
            pick = csr_matrix((np.ones(y.size), (at, np.arange(y.size))), shape=(count, y.size))
            cross += pick @ heavy
        design = self._design
        slope = np.concatenate([design.T @ by_period, slope_x]) + ridge * theta
        side = design.T @ cross
        hessian = np.block([[(design.T * weight) @ design, side], [side.T, inner]]) + np.diag(ridge)
        return value + 0.5 * float(ridge @ theta**2), slope, hessian

    def _ridge(self, size: int) -> Floats:
        ridge = np.full(size, max(self.penalty, _LEAST))
        ridge[0] = 0.0  # the level is free
        return ridge

    def _rows(
        self,
        x: ArrayLike,
        event: ArrayLike,
        period: ArrayLike | None,
        weights: ArrayLike | None,
        offset: ArrayLike | None,
    ) -> _Rows:
        features = _matrix(x, self.names)
        n = features.shape[0]
        y = np.asarray(event, dtype=float).ravel()
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=float).ravel()
        shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float).ravel()
        when = np.zeros(n) if period is None else np.asarray(period, dtype=float).ravel()
        if not y.size == w.size == shift.size == when.size == n:
            raise BadParameter(say("Features, events, periods and weights must have equally many rows."))
        numbers = np.isfinite(w).all() and np.isfinite(shift).all() and np.isfinite(when).all()
        if not (numbers and (w >= 0).all() and ((y >= 0) & (y <= 1)).all()):
            raise BadParameter(say("Events must lie between 0 and 1, and weights must not be negative."))
        if n == 0:
            raise NotEnoughData(say("A churn model needs customers who left and customers who stayed."))
        self.periods_, at = np.unique(when, return_inverse=True)
        return _Rows(features, y, at.astype(np.int64), w, shift)

    def _features(self, x: ArrayLike) -> Floats:
        features = _matrix(x, self.names)
        if features.shape[1] != self.coef_.size:
            raise BadParameter(
                say(
                    "The model knows {n} features, but {found} were given.",
                    n=self.coef_.size,
                    found=features.shape[1],
                )
            )
        return features

    def _place(self, period: ArrayLike | None, n: int) -> Whole:
        when = np.broadcast_to(self.periods_[-1] if period is None else np.asarray(period, dtype=float), (n,))
        return np.clip(np.searchsorted(self.periods_, when, side="right") - 1, 0, self.periods_.size - 1)

    _theta: Floats
    _design: Floats
    _covariance: Floats


def best_penalty(
    x: ArrayLike,
    event: ArrayLike,
    period: ArrayLike | None,
    late: ArrayLike,
    weights: ArrayLike | None = None,
    grid: Sequence[float] = GRID,
    **settings: Any,
) -> tuple[float, dict[float, float]]:
    """The penalty whose fit to the early rows forecasts the late ones best: (penalty, log loss per row of each).

    late: True for rows of the held-out time, never a random choice of rows (handbook F1). settings go
    to `DiscreteHazard`. At a tie the larger penalty wins. Raises BadParameter if a part is empty.
    """
    features, y = np.asarray(x, dtype=float), np.asarray(event, dtype=float).ravel()
    out = np.asarray(late, dtype=bool).ravel()
    w = np.ones(y.size) if weights is None else np.asarray(weights, dtype=float).ravel()
    when = np.zeros(y.size) if period is None else np.asarray(period, dtype=float).ravel()
    if not out.any() or out.all():
        raise BadParameter(say("A hold-out needs early rows to learn from and late rows to test on."))
    losses = {}
    for penalty in sorted(grid, reverse=True):
        model = DiscreteHazard(penalty, **settings).fit(features[~out], y[~out], when[~out], w[~out])
        eta = model.log_odds(features[out], when[out])
        losses[float(penalty)] = float(w[out] @ (np.logaddexp(0, eta) - y[out] * eta) / w[out].sum())
    return min(losses, key=lambda penalty: losses[penalty]), losses


@dataclass(frozen=True)
class _Rows:
    x: Floats
    y: Floats
    at: Whole  # place of the period
    w: Floats
    offset: Floats

    def pieces(self) -> Iterator[tuple[Floats, Floats]]:
        for begin in range(0, self.y.size, _PIECE):
            yield self.x[begin : begin + _PIECE], self.w[begin : begin + _PIECE]


def _bounds(signs: Sequence[int] | Mapping[int, int] | None, k: int, p: int) -> tuple[Floats, Floats]:
    low, high = np.full(k + p, -np.inf), np.full(k + p, np.inf)
    pairs = dict(signs) if isinstance(signs, Mapping) else dict(enumerate(signs or ()))
    for column, sign in pairs.items():
        if not 0 <= column < p or sign not in {-1, 0, 1}:
            raise BadParameter(say("Signs must be -1, 0 or 1, one per feature."))
        if sign:
            (low if sign > 0 else high)[k + column] = 0.0
    return low, high


def _solve(hessian: Floats, right: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(hessian, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(hessian, right, rcond=None)[0])


def _bounded(hessian: Floats, slope: Floats, low: Floats, high: Floats) -> Floats:
    """The step that minimises ½ s'Hs + g's between its limits (bounded least squares on the Cholesky factor)."""
    from scipy.optimize import lsq_linear

    factor = np.linalg.cholesky(hessian + 1e-12 * np.trace(hessian) / slope.size * np.eye(slope.size))
    right = -np.linalg.solve(factor, slope)
    found = lsq_linear(factor.T, right, bounds=(np.minimum(low, 0.0), np.maximum(high, 0.0)), method="bvls")
    return np.asarray(found.x)


def _matrix(x: ArrayLike, names: Sequence[str] | None) -> Floats:
    features = np.asarray(x, dtype=float)
    features = features[:, None] if features.ndim == 1 else features
    if features.ndim != 2:
        raise BadParameter(say("Features must be a table of rows and columns."))
    missing = np.flatnonzero(~np.isfinite(features).all(axis=0))
    if missing.size:
        which = names[missing[0]] if names is not None and missing[0] < len(names) else str(missing[0])
        raise BadParameter(
            say("The feature {name} has missing values; fill or leave out those rows.", name=which)
        )
    return features


def _expit(eta: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(eta))
