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
_FIRST = 512  # histories that tell which starts lead to the same top
_SIZES = (2_048, 16_384, 65_536)  # histories that the search goes through before it takes all
_STEP = 1e-4
# Of the log-likelihood, what a last step may still promise: of all rows (it is gone), of a part of them, of a trial
# per customer (a logarithm is then known to about 0.006)
_TOLERANCE, _NEAR, _CLOSE = 1e-7, 1e-4, 1e-6
_FARTHEST = 2.0  # of a logarithm in one step


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

    Starts are screened on about 500 histories; the best top climbs on about 2,000, 16,000, 65,000 and all of
    them, each time with the curvature of the smaller set, so that few exact passes do.
    """
    theta, value, gradient, done = _screened(evaluate, rows, starts, prior)
    sizes = [size for size in _SIZES if size < rows.rows] + [rows.rows]
    final: Floats | None = None
    for smaller, size in pairwise(sizes):
        final = curvature(objective(evaluate, rows.sample(smaller), prior), theta, gradient)
        here = objective(evaluate, rows.sample(size), prior)
        theta, value, gradient, done = _top(here, theta, final, _NEAR, onward=size == rows.rows)
    if final is None or rows.rows <= _SIZES[-1]:  # beyond, that of 65,536 evenly taken histories tells it
        here = objective(evaluate, rows, prior)
        final = curvature(here, theta, here(theta)[1])
    return Fit(theta, value, gradient, final, done)


def _screened(evaluate: Evaluate, rows: Histories, starts: Sequence[Floats], prior: Prior) -> _Top:
    """The best top on a few histories; the start that leads to it may lie anywhere."""
    first = objective(evaluate, rows.sample(_FIRST), prior)
    few = objective(evaluate, rows.sample(_SIZES[0]), prior)
    tried = sorted(
        (_climb(first, np.asarray(s), None, _CLOSE * rows.n, 30) for s in starts), key=lambda found: -found[1]
    )
    ends: list[Floats] = []
    for theta, *_ in tried[:3]:  # those that lead to the same top are climbed once
        if all(np.abs(theta - other).max() > 0.02 for other in ends):
            ends.append(theta)
    enough = 1e-12 if rows.rows <= _SIZES[0] else _NEAR
    bends = [(theta, curvature(few, theta, few(theta)[1])) for theta in ends]
    return max((_top(few, theta, bend, enough) for theta, bend in bends), key=lambda top: top[1])


def _top(f: Objective, theta: Floats, bend: Floats, tolerance: float, onward: bool = False) -> _Top:
    """The top near theta: Newton steps, and a search that forgets the curvature where they do not settle."""
    found = _climb(f, theta, bend, _TOLERANCE if onward else tolerance, onward=onward)
    if found[3]:
        return found
    theta = _climb(f, found[0], None, 1e-10 if onward else tolerance, 500)[0]
    return _climb(f, theta, curvature(f, theta), 1e-10 if onward else tolerance)


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

    return _climb(first, theta[:2], None, 1e-6, 200)[1]


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


def _climb(
    f: Objective,
    theta: Floats,
    information: Floats | None,
    tolerance: float,
    steps: int = 40,
    onward: bool = False,
) -> _Top:
    """Newton steps with BFGS updates of the curvature until a step promises less than `tolerance`.

    information: minus the Hessian at theta; None starts from the slope alone. onward: go the last step
    too, without a look from its end (the gradient is that before it). Parameters at their limit
    stay there while the slope points outwards. (SciPy's L-BFGS-B does the same on more parameters, but
    importing it takes longer than a whole fit, and its threads wait for each other.)
    """
    theta = np.clip(theta, LOW, HIGH)
    value, gradient = f(theta)
    bend = _positive(information) if information is not None else None
    for _ in range(steps):
        if bend is None:
            bend = np.eye(theta.size) * max(float(np.abs(gradient).max()), 1e-8)
        free = ~(((theta <= LOW) & (gradient < 0)) | ((theta >= HIGH) & (gradient > 0)))
        step = np.zeros_like(theta)
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], gradient[free])
        promise = float(gradient @ step)
        if promise < tolerance:
            if onward and np.abs(step).max() < 1e-3:
                return np.clip(theta + step, LOW, HIGH), value + promise / 2, gradient, True
            return theta, value, gradient, True
        step *= min(1.0, _FARTHEST / np.abs(step).max())
        found = _uphill(f, theta, value, step)
        if found is None:
            return theta, value, gradient, promise < 1e-6
        tried, new, slope = found
        bend = _turned(bend, tried - theta, gradient - slope)
        theta, value, gradient = tried, new, slope
    return theta, value, gradient, False


def _uphill(f: Objective, theta: Floats, value: float, step: Floats) -> tuple[Floats, float, Floats] | None:
    """The step, halved until the value does not fall; None if it falls however short the step."""
    for _ in range(25):
        tried = np.clip(theta + step, LOW, HIGH)
        new, slope = f(tried)
        if new >= value - 1e-12 * abs(value):
            return tried, new, slope
        step = step / 2
    return None


def _positive(information: Floats) -> Floats:
    """The same curvature, made positive definite."""
    values, vectors = np.linalg.eigh(information)
    return np.asarray((vectors * np.maximum(values, 1e-8 * max(values.max(), 1.0))) @ vectors.T)


def _turned(bend: Floats, moved: Floats, turned: Floats) -> Floats:
    """BFGS: the curvature that explains how the slope turned; flatter where it did not turn against the way."""
    if float(moved @ turned) > 1e-12 * float(moved @ moved):
        along = bend @ moved
        return np.asarray(
            bend + np.outer(turned, turned) / (turned @ moved) - np.outer(along, along) / (moved @ along)
        )
    return bend / 4


@cache  # one pool per process; a forked process makes its own, because threads do not survive a fork
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="purchases")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)
