"""Log-gamma and its slope in NumPy alone: importing scipy.special takes longer than a fit to a million customers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from klientel.stats.purchases.histories import Floats

_FAR = (
    10  # arguments are moved beyond it, where Stirling's series with these terms is exact to the last digits
)
_LOG = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_SLOPE = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_HALF_LOG = 0.5 * float(np.log(2 * np.pi))


def gammaln(z: ArrayLike) -> Floats:
    """ln Gamma(z) for z > 0: Stirling's series, Abramowitz & Stegun 6.1.41, after the recurrence 6.1.15."""
    at = np.asarray(z, dtype=float)
    near = at < _FAR
    small = np.where(near, at, 1.0)
    product = small.copy()
    for i in range(1, _FAR):
        product *= small + i
    far = np.where(near, at + _FAR, at)
    series = _series(_LOG, far) / far
    found = (far - 0.5) * np.log(far) - far + _HALF_LOG + series
    return np.asarray(np.where(near, found - np.log(product), found))


def psi(z: ArrayLike) -> Floats:
    """The slope of ln Gamma(z) for z > 0: Abramowitz & Stegun 6.3.18 after the recurrence 6.3.5."""
    at = np.asarray(z, dtype=float)
    near = at < _FAR
    small = np.where(near, at, 1.0)
    passed = np.zeros_like(small)
    for i in range(_FAR):
        passed += 1 / (small + i)
    far = np.where(near, at + _FAR, at)
    found = np.log(far) - 0.5 / far - _series(_SLOPE, far) / far**2
    return np.asarray(np.where(near, found - passed, found))


def _series(terms: tuple[float, ...], z: Floats) -> Floats:
    """Sum of terms[i] / z^(2i), from the small ones to the large."""
    square, total = 1 / z**2, np.zeros_like(z)
    for term in reversed(terms):
        total = total * square + term
    return total
