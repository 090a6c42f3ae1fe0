"""Regularity of series: coefficient of variation, with trend and season taken out, intermittence (A3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.words import mark

Floats = NDArray[np.float64]
ADI_LIMIT, CV2_LIMIT = 1.32, 0.49  # Syntetos, Boylan & Croston 2005
PATTERNS = (mark("smooth"), mark("intermittent"), mark("erratic"), mark("lumpy"))
DRAWS, BLOCK, SEED = 200, 3, 20_240_302
_SPARE = 7  # degrees of freedom that must remain beside trend and season


def cv(values: ArrayLike, ddof: int = 0) -> Floats:
    """Coefficient of variation σ/μ of each row; NaN where the mean is not positive.

    values: rows × periods. Source: handbook A3 (not μ/σ, as one page has it), vector V47.
    """
    v = np.atleast_2d(np.asarray(values, dtype=float))
    return _over(v.std(axis=1, ddof=ddof), v.mean(axis=1))


def residuals(values: Floats, season: int) -> tuple[Floats, int]:
    """What trend and season leave of each row, and how many numbers were fitted.

    values: rows × periods; season: periods per year (12 or 4). Least squares on an intercept, a linear
    trend and one effect per period of the year, the same design for every row.
    """
    design = _design(values.shape[1], season)
    basis, _ = np.linalg.qr(design)
    return values - (values @ basis) @ basis.T, design.shape[1]


def can_take_out(periods: int, season: int) -> bool:
    """True if so many periods allow a trend and a season to be fitted: two years and spare freedom."""
    return periods >= 2 * season and periods - season - 1 >= _SPARE


def residual_cv(values: ArrayLike, season: int = 12) -> Floats:
    """σ/μ of each row with σ of the residual after trend and season; NaN where μ is not positive.

    σ divides by periods minus fitted numbers: 13 numbers fitted to 24 months would otherwise make
    every series look regular. Raises ValueError if there are too few periods.
    """
    v = np.atleast_2d(np.asarray(values, dtype=float))
    if not can_take_out(v.shape[1], season):
        raise ValueError("too few periods for a trend and a season")
    rest, fitted = residuals(v, season)
    return _over(np.sqrt((rest**2).sum(axis=1) / (v.shape[1] - fitted)), v.mean(axis=1))


@dataclass(frozen=True)
class Intermittence:
    """adi: periods per active period; cv2: squared CV of the sizes above zero; pattern: index of PATTERNS."""

    adi: Floats
    cv2: Floats
    pattern: NDArray[np.int64]


def intermittence(values: ArrayLike) -> Intermittence:
    """Demand pattern of each row by ADI < 1.32 and CV² < 0.49 (Syntetos-Boylan-Croston 2005).

    Active periods are those above zero. No active period: NaN and pattern -1.
    """
    v = np.atleast_2d(np.asarray(values, dtype=float))
    active = v > 0
    n = active.sum(axis=1).astype(float)
    safe = np.where(n > 0, n, np.nan)
    sizes = np.where(active, v, 0.0)
    mean = sizes.sum(axis=1) / safe
    variance = np.maximum((sizes**2).sum(axis=1) / safe - mean**2, 0.0)
    adi, cv2 = v.shape[1] / safe, variance / mean**2
    pattern = (adi >= ADI_LIMIT).astype(np.int64) + 2 * (cv2 >= CV2_LIMIT).astype(np.int64)
    return Intermittence(adi, cv2, np.where(n > 0, pattern, -1))


def classed(cvs: Floats, x: float, y: float) -> NDArray[np.int64]:
    """0 (X) up to and including x, 1 (Y) up to and including y, 2 (Z) above, -1 where undefined."""
    code = np.where(cvs <= x, 0, np.where(cvs <= y, 1, 2))
    return np.where(np.isnan(cvs), -1, code)


def class_stability(
    values: Floats, x: float, y: float, *, season: int | None = None, ddof: int = 0
) -> Floats:
    """Share of block-bootstrap draws in which each row keeps its class (G13, A3).

    Blocks of three neighbouring periods are drawn with replacement, the same ones for all rows; season
    not None: the residuals after trend and season are drawn and the mean is held.
    """
    n, periods = values.shape
    if season is None:
        rest, freedom, now = values, periods - ddof, classed(cv(values, ddof), x, y)
    else:
        rest, fitted = residuals(values, season)
        freedom, now = periods - fitted, classed(residual_cv(values, season), x, y)
    rng = np.random.default_rng(SEED)
    kept = np.zeros(n)
    for _ in range(DRAWS):
        starts = rng.integers(0, periods, size=-(-periods // BLOCK))
        at = ((starts[:, None] + np.arange(BLOCK)) % periods).ravel()[:periods]
        drawn = rest[:, at]
        centre = drawn.mean(axis=1, keepdims=True) if season is None else 0.0
        mean = drawn.mean(axis=1) if season is None else values.mean(axis=1)
        sigma = np.sqrt(((drawn - centre) ** 2).sum(axis=1) / freedom)
        kept += classed(_over(sigma, mean), x, y) == now
    return kept / DRAWS


def _design(periods: int, season: int) -> Floats:
    t = np.arange(periods)
    months = (t[:, None] % season == np.arange(1, season)[None, :]).astype(float)
    return np.column_stack([np.ones(periods), t / periods, months])


def _over(sigma: Floats, mean: Floats) -> Floats:
    return np.where(mean > 0, sigma / np.where(mean > 0, mean, 1.0), np.nan)
