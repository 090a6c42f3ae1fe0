"""Maximum likelihood on log-parameters: cheap screening of starts, then exact Newton steps on all rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from klientel.stats.purchases.histories import Floats, Histories, chunks

Evaluate = Callable[[Floats, Histories], tuple[float, Floats]]
Objective = Callable[[Floats], tuple[float, Floats]]
_Top = tuple[Floats, float, Floats, bool]  # log-parameters, value, gradient, settled

LOW, HIGH = np.log(1e-5), np.log(2e4)  # of every parameter, in scaled time
FLAT = 1e4  # a parameter beyond this says that the likelihood is flat (handbook B11)
_SIZES = (2_048, 16_384, 65_536)  # histories that the search goes through before it takes all
_STEP = 1e-4


@dataclass(frozen=True)
class Fit:
    """Where the search ended: log-parameters, value, gradient, minus the Hessian, and whether it is a top."""

    theta: Floats
    value: float
    gradient: Floats
    information: Floats
    converged: bool


@dataclass(frozen=True)
class Prior:
    """Independent normal priors on log-parameters: `weight` times ((theta - centre) / sd)^2 / 2 is taken off."""

    centre: Floats
    sd: Floats
    weight: float

    def add(self, theta: Floats, value: float, gradient: Floats) -> tuple[float, Floats]:
        """Value and gradient with the prior's part."""
        z = (theta - self.centre) / self.sd
        return value - 0.5 * self.weight * float(z @ z), gradient - self.weight * z / self.sd


def maximise(evaluate: Evaluate, rows: Histories, starts: Sequence[Floats], prior: Prior) -> Fit:
    """The best log-parameters found from all starts.

    Starts are screened on about 2,000 histories; the best top found there climbs on about 16,000, 65,000
    and all of them, each time with the curvature of the smaller set, so that few exact passes do.
    """
    theta, value, gradient, done = _screened(evaluate, rows, starts, prior)
    sizes = [size for size in _SIZES if size < rows.rows] + [rows.rows]
    final: Floats | None = None
    for smaller, size in pairwise(sizes):
        final = curvature(objective(evaluate, rows.sample(smaller), prior), theta, gradient)
        here = objective(evaluate, rows.sample(size), prior)
        theta, value, gradient, done = _top(here, theta, final, 1e-10 if size > _SIZES[1] else 1e-12)
    if (
        final is None or rows.rows <= _SIZES[-1]
    ):  # beyond, the curve of 65,536 evenly taken histories tells it
        final = curvature(objective(evaluate, rows, prior), theta)
    return Fit(theta, value, gradient, final, done)


def _screened(evaluate: Evaluate, rows: Histories, starts: Sequence[Floats], prior: Prior) -> _Top:
    """The best top on a few histories; the start that leads to it may lie anywhere."""
    few = objective(evaluate, rows.sample(_SIZES[0]), prior)
    tried = sorted((_lbfgs(few, np.asarray(s), 30) for s in starts), key=lambda found: -found[0])
    ends: list[Floats] = []
    for _, theta in tried[:3]:  # those that lead to the same top are climbed once
        if all(np.abs(theta - other).max() > 0.02 for other in ends):
            ends.append(theta)
    return max((_top(few, theta, curvature(few, theta), 1e-12) for theta in ends), key=lambda top: top[1])


def _top(f: Objective, theta: Floats, bend: Floats, tolerance: float) -> _Top:
    """The top near theta: Newton steps, and the slower search where they do not settle."""
    found = _climb(f, theta, bend, tolerance)
    if found[3]:
        return found
    theta = _lbfgs(f, found[0], 500)[1]
    return _climb(f, theta, curvature(f, theta), tolerance)


def objective(evaluate: Evaluate, rows: Histories, prior: Prior) -> Objective:
    """Penalised log-likelihood and gradient of all rows, piece by piece on the processor's cores."""

    def whole(theta: Floats) -> tuple[float, Floats]:
        return prior.add(theta, *total(evaluate, theta, rows))

    return whole


def total(evaluate: Evaluate, theta: Floats, rows: Histories) -> tuple[float, Floats]:
    """Sum over the pieces, always in the same order, so that cores do not change the result."""
    pieces = rows.pieces
    if len(pieces) == 1:
        return evaluate(theta, pieces[0])
    parts = list(_threads().map(lambda piece: evaluate(theta, piece), pieces))
    return float(sum(part[0] for part in parts)), np.sum([part[1] for part in parts], axis=0)


def in_pieces(f: Callable[[slice], Floats], size: int, piece: int = 32_768) -> Floats:
    """f over slices of `size` rows on the processor's cores, joined in order."""
    slices = list(chunks(size, piece))
    if len(slices) == 1:
        return f(slices[0])
    return np.concatenate(list(_threads().map(f, slices))) if slices else np.zeros(0)


def climb_two(evaluate: Objective, theta: Floats, fixed: tuple[float, float]) -> float:
    """The best value over the first two log-parameters while the last two stay at `fixed`."""

    def first(free: Floats) -> tuple[float, Floats]:
        value, gradient = evaluate(np.concatenate([free, fixed]))
        return value, gradient[:2]

    return _lbfgs(first, theta[:2], 200)[0]


def curvature(f: Objective, theta: Floats, gradient: Floats | None = None) -> Floats:
    """Minus the Hessian by differences of the gradient: central ones, or forward ones from a known gradient."""
    size = theta.size
    found = np.empty((size, size))
    step = _STEP if gradient is None else _STEP / 10
    for i, move in enumerate(np.eye(size) * step):
        if gradient is None:
            found[i] = (f(theta - move)[1] - f(theta + move)[1]) / (2 * step)
        else:
            found[i] = (gradient - f(theta + move)[1]) / step
    return (found + found.T) / 2


def inverse(information: Floats) -> tuple[Floats, bool]:
    """(covariance, whether the information is positive definite and well conditioned).

    A direction in which the likelihood is flat gets the variance 4 (a standard deviation of two
    on the log scale), so that draws stay usable; the caller says so.
    """
    values, vectors = np.linalg.eigh(information)
    floor = 0.25
    sound = bool(values.min() > floor)
    return (vectors / np.maximum(values, floor)) @ vectors.T, sound


def _lbfgs(f: Objective, start: Floats, steps: int) -> tuple[float, Floats]:
    from scipy.optimize import minimize

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, gradient = f(theta)
        return -value / scale, -gradient / scale

    start = np.clip(start, LOW, HIGH)
    scale = max(abs(f(start)[0]) * 1e-3, 1e-9)
    options = {"maxiter": steps, "ftol": 1e-14, "gtol": 1e-9}
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(LOW, HIGH)] * start.size, options=options
    )
    return -float(found.fun) * scale, np.asarray(found.x)


def _climb(f: Objective, theta: Floats, information: Floats, tolerance: float) -> _Top:
    """Newton steps with BFGS updates of the curvature until a step promises less than `tolerance`."""
    values, vectors = np.linalg.eigh(information)
    bend = (vectors * np.maximum(values, 1e-8 * max(values.max(), 1.0))) @ vectors.T
    value, gradient = f(theta)
    for _ in range(40):
        free = ~(((theta <= LOW) & (gradient < 0)) | ((theta >= HIGH) & (gradient > 0)))
        step = np.zeros_like(theta)
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], gradient[free])
        promise = float(gradient @ step)
        if promise < tolerance:
            return theta, value, gradient, True
        step *= min(1.0, 2.0 / np.abs(step).max())
        for _ in range(25):
            tried = np.clip(theta + step, LOW, HIGH)
            new, slope = f(tried)
            if new >= value - 1e-12 * abs(value):
                break
            step /= 2
        else:
            return theta, value, gradient, promise < 1e-6
        moved, turned = tried - theta, gradient - slope
        if float(moved @ turned) > 1e-12 * float(moved @ moved):
            along = bend @ moved
            bend = (
                bend + np.outer(turned, turned) / (turned @ moved) - np.outer(along, along) / (moved @ along)
            )
        theta, value, gradient = tried, new, slope
    return theta, value, gradient, False


@cache  # one pool per process; a forked process makes its own, because threads do not survive a fork
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="purchases")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)
