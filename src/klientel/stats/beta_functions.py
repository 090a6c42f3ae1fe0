"""Beta and gamma functions at arguments where the plain difference of logarithms loses its digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_CAP = 300.0  # logarithm of u from which Γ(x+u)/Γ(x+u+α) is u^-α to the last digit


def log_beta_ratio(alpha: float, beta: float, u: Floats) -> Floats:
    """ln B(α, β+u) - ln B(α, β), exact to about 1e-12 also where α, β or u are huge."""
    by_u = log_rise(beta, u) - log_rise(alpha + beta, u)
    by_alpha = log_rise(beta, np.full(u.shape, alpha)) - log_rise(beta + u, np.full(u.shape, alpha))
    return np.asarray(np.where(u <= alpha, by_u, by_alpha))


def log_rise(x: ArrayLike, h: ArrayLike) -> Floats:
    """ln Γ(x+h) - ln Γ(x) for x > 0, h >= 0; by Stirling's series where the plain difference cancels."""
    from scipy.special import gammaln

    base, step = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(h, dtype=float))
    large = base > 30
    safe = np.where(large, base, 30.0)
    stirling = (safe - 0.5) * np.log1p(step / safe) + step * np.log(safe + step) - step
    stirling = stirling + _stirling_rest(safe + step) - _stirling_rest(safe)
    small = np.where(large, 1.0, base)
    return np.asarray(np.where(large, stirling, gammaln(small + np.where(large, 0, step)) - gammaln(small)))


def _stirling_rest(x: Floats) -> Floats:
    y = 1 / (x * x)
    return np.asarray((1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x)


def log_beta_ratio_far(alpha: float, beta: float, log_u: Floats) -> Floats:
    """ln B(α, β+u) - ln B(α, β) from ln u, also where u itself overflows."""
    beyond = np.maximum(log_u - _CAP, 0.0)
    return np.asarray(log_beta_ratio(alpha, beta, np.exp(np.minimum(log_u, _CAP))) - alpha * beyond)
