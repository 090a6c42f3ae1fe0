"""Corrects probabilities so that of those given 20 % about 20 % happen: isotonic and Platt (handbook B14, F3)."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData, nearest
from klientel.words import say

Floats = NDArray[np.float64]

METHODS = ("auto", "platt", "isotonic")
_ENOUGH_ROWS, _ENOUGH_EVENTS = (
    1_000,
    100,
)  # below, isotonic steps follow chance (Niculescu-Mizil & Caruana 2005)
_EDGE = 1e-12


class Calibrator:
    """A monotone map from forecast to corrected probability, learned on rows the model has not seen.

    method: `platt` fits the log-odds by level and slope (slope 1, level 0 = nothing to correct);
    `isotonic` any rising step curve, joined by lines and kept off 0 and 1 by half an event among all;
    `auto` takes isotonic from 1,000 rows with 100 events and 100 others on, else Platt.
    After `fit`: `method_`, `slope_` and `level_` (Platt), `points_` and `values_` (isotonic).
    Source: Platt 1999, with his prior targets; Zadrozny & Elkan 2002; Ayer et al. 1955 (pool adjacent
    violators).
    """

    method_: str
    slope_: float
    level_: float
    points_: Floats
    values_: Floats

    def __init__(self, method: str = "auto"):
        if method not in METHODS:
            guess = nearest(method, METHODS) or METHODS[0]
            raise BadParameter(
                say("There is no calibration {name}; did you mean {guess}?", name=method, guess=guess)
            )
        self.method = method

    def fit(self, probability: ArrayLike, event: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Learn from forecasts 0..1, events 0/1 (or shares of groups) and weights.

        Raises BadParameter on broken input, NotEnoughData without an event or without its absence.
        """
        p, y = (np.asarray(v, dtype=float).ravel() for v in (probability, event))
        w = np.ones(p.size) if weights is None else np.asarray(weights, dtype=float).ravel()
        if not p.size == y.size == w.size:
            raise BadParameter(say("Features, events, periods and weights must have equally many rows."))
        if not (((p >= 0) & (p <= 1)).all() and ((y >= 0) & (y <= 1)).all() and (w >= 0).all()):
            raise BadParameter(say("Probabilities and events must lie between 0 and 1."))
        gone, stayed = float(w @ y), float(w @ (1 - y))
        if not (gone > 0 and stayed > 0):
            raise NotEnoughData(
                say("A calibration needs cases in which it happened and cases in which it did not.")
            )
        rich = w.sum() >= _ENOUGH_ROWS and min(gone, stayed) >= _ENOUGH_EVENTS
        self.method_ = ("isotonic" if rich else "platt") if self.method == "auto" else self.method
        points, back = np.unique(p, return_inverse=True)
        size = np.asarray(np.bincount(back, w, points.size), dtype=float)
        mean = np.bincount(back, w * y, points.size) / np.where(size > 0, size, 1.0)
        points, mean, size = points[size > 0], mean[size > 0], size[size > 0]
        if self.method_ == "isotonic":
            self._isotonic(points, np.asarray(mean), size)
        else:
            self._platt(points, np.asarray(mean), size)
        return self

    def predict(self, probability: ArrayLike) -> Floats:
        """The corrected probabilities; never falling where the forecast rises."""
        p = np.asarray(probability, dtype=float)
        if self.method_ == "isotonic":
            return np.asarray(np.interp(p, self.points_, self.values_))
        from scipy.special import expit

        return np.asarray(expit(self.level_ + self.slope_ * _logit(p)))

    def _isotonic(self, points: Floats, mean: Floats, size: Floats) -> None:
        from scipy.optimize import isotonic_regression

        values = np.asarray(isotonic_regression(mean, weights=size).x)
        edge = 0.5 / (size.sum() + 1)
        self.points_, self.values_ = points, np.clip(values, edge, 1 - edge)

    def _platt(self, points: Floats, mean: Floats, size: Floats) -> None:
        from scipy.special import expit

        gone, stayed = float(size @ mean), float(size @ (1 - mean))
        high, low = (gone + 1) / (gone + 2), 1 / (stayed + 2)
        target = mean * high + (1 - mean) * low
        z = _logit(points)
        design = np.column_stack([np.ones(z.size), z])
        theta = np.array([0.0, 1.0])

        def loss(at: Floats) -> float:
            eta = design @ at
            return float(size @ (np.logaddexp(0, eta) - target * eta))

        value = loss(theta)
        for _ in range(100):
            chance = expit(design @ theta)
            slope = design.T @ (size * (chance - target))
            curve = (design.T * (size * chance * (1 - chance))) @ design + 1e-9 * np.eye(2)
            step = np.linalg.solve(curve, -slope)
            while loss(theta + step) > value + 1e-12 * abs(value) and np.abs(step).max() > 1e-12:
                step = step / 2
            theta, value = theta + step, loss(theta + step)
            if np.abs(step).max() < 1e-10:
                break
        if theta[1] < 0:  # a forecast that ranks the wrong way round corrects to the common rate
            theta = np.array([float(_logit(np.array(gone / (gone + stayed)))), 0.0])
        self.level_, self.slope_ = float(theta[0]), float(theta[1])


def _logit(p: Floats) -> Floats:
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))
