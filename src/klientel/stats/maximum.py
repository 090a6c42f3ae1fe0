"""Maximum likelihood on the logarithms of a few positive parameters, with errors from the curvature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def maximise(
    loss: Callable[[Floats], tuple[float, Floats]], starts: list[Floats], limits: Floats
) -> tuple[Floats, float, Floats]:
    """Smallest loss over the logarithms of parameters: (where, loss, Hessian there).

    loss gives (value, slope); limits: one (low, high) pair per parameter, not in logarithms. L-BFGS from
    every start, then Newton steps, because L-BFGS stops early on the flat ridges of these likelihoods.
    """
    from scipy.optimize import minimize

    low, high = np.log(limits).T
    bounds = list(zip(low, high, strict=True))
    fits = [minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(fits, key=lambda fit: float(fit.fun))
    x, value = np.asarray(best.x, dtype=float), float(best.fun)
    hessian = _hessian(loss, x)
    for _ in range(20):
        slope = loss(x)[1]
        try:
            step = np.linalg.solve(hessian, slope)
        except np.linalg.LinAlgError:
            break
        new = x - step
        if not ((new > low) & (new < high)).all() or not loss(new)[0] <= value + 1e-12 * abs(value):
            break
        x, value = new, loss(new)[0]
        if np.abs(step).max() < 1e-10:
            break
        hessian = _hessian(loss, x)
    return x, value, _hessian(loss, x)


def _hessian(loss: Callable[[Floats], tuple[float, Floats]], x: Floats) -> Floats:
    h = 1e-5
    rows = [(loss(x + h * e)[1] - loss(x - h * e)[1]) / (2 * h) for e in np.eye(x.size)]
    found = np.array(rows)
    return np.asarray((found + found.T) / 2)


def inverse(hessian: Floats) -> Floats:
    """Inverse of a positive definite matrix; NaN where it is not, so that nobody reads false errors."""
    try:
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return np.full(hessian.shape, np.nan)
    return np.asarray(np.linalg.inv(hessian))
