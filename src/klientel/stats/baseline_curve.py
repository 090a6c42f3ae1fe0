"""The level of a hazard over time: one per period, a natural cubic curve, or one for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BASELINES = ("periods", "spline", "constant")


def baseline_design(periods: Floats, size: Floats, kind: str, knots: int) -> Floats:
    """Columns of the baseline per distinct period; the first is the level."""
    level = np.ones((periods.size, 1))
    if kind == "constant" or periods.size == 1:
        return level
    if kind == "periods" or periods.size <= knots:
        return np.hstack([level, np.eye(periods.size)])
    curve = _natural_spline(periods, size, knots)
    mean = size @ curve / size.sum()
    spread = np.sqrt(size @ (curve - mean) ** 2 / size.sum())
    return np.hstack([level, (curve - mean) / np.where(spread > 0, spread, 1.0)])


def _natural_spline(t: Floats, size: Floats, knots: int) -> Floats:
    """Natural cubic spline without intercept, knots at weighted quantiles (Hastie et al. 2009, eq. 5.4)."""
    reached = np.cumsum(size) / size.sum()
    inner = np.interp(np.linspace(0, 1, max(knots, 3))[1:-1], reached, t)
    at = np.unique(np.concatenate([[t[0]], inner, [t[-1]]]))
    span = t[-1] - t[0]
    u, q = (t - t[0]) / span, (at - t[0]) / span

    def bend(k: int) -> Floats:
        cubes = np.maximum(u - q[k], 0) ** 3 - np.maximum(u - q[-1], 0) ** 3
        return np.asarray(cubes / (q[-1] - q[k]))

    last = bend(q.size - 2)
    return np.column_stack([u, *[bend(k) - last for k in range(q.size - 2)]])
