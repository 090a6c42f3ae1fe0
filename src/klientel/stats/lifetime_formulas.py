"""Closed formulas for the value of a customer over time: constant retention, and beta-geometric sums (B11)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, nearest
from klientel.words import say

Floats = NDArray[np.float64]

CASES = ("first_included", "just_paid", "end_of_period")
_POINTS = 2_400  # of the trapezium rule; its error is far below 1e-12 (see tests)
_PIECE = 2_000  # parameter pairs held in memory at once


def constant_retention(
    margin: ArrayLike,
    retention: ArrayLike,
    discount: ArrayLike,
    *,
    case: str,
    growth: ArrayLike = 0.0,
    periods: int | None = None,
) -> Any:
    """Present value of a customer with the same margin and retention in every period.

    margin: money per period; retention, discount, growth: fractions per period; case, by name because
    the three differ by up to a whole margin:
    `first_included` the first payment is due now and counts: m (1 + d) / (1 + d - r),
    `just_paid` the customer has just paid, the next payment depends on renewal: m r / (1 + d - r),
    `end_of_period` payments at the end of each period, the first is certain: m / (1 + d - r).
    growth g of the margin replaces r by r (1 + g). periods: number of payments counted; None counts all.
    Raises BadParameter if a fraction is out of range or, with all periods, unless r (1 + g) < 1 + d.
    Source: Fader & Hardie, "Reconciling and clarifying CLV formulas", cases 1-3; handbook B11a, V12, V16.
    """
    m, r, d, g = np.broadcast_arrays(*(_floats(v) for v in (margin, retention, discount, growth)))
    _check_case(case)
    _check_rates(r, d, g)
    kept = r * (1 + g) / (1 + d)  # worth of the next payment against this one
    if periods is None:
        if not (kept < 1).all():
            raise BadParameter(
                say(
                    "Retention times growth must stay below 1 plus the discount rate, else the value is endless."
                )
            )
        total = 1 / (1 - kept)
    else:
        total = _geometric(kept, _whole(periods))
    factor = {"first_included": np.ones_like(kept), "just_paid": kept, "end_of_period": 1 / (1 + d)}[case]
    return _plain(m * factor * total)


def expected_lifetime(retention: ArrayLike) -> Any:
    """Expected number of periods 1 / (1 - r) with constant retention; the first period is certain (B5).

    It assumes constant churn, which cohorts of real customers do not show: say so beside the figure.
    Raises BadParameter unless 0 <= r < 1.
    """
    r = _floats(retention)
    if not ((r >= 0) & (r < 1)).all():
        raise BadParameter(say("Retention must lie between 0 and 1 (below 1)."))
    return _plain(1 / (1 - r))


def margin_multiple(retention: ArrayLike, discount: ArrayLike, growth: ArrayLike = 0.0) -> Any:
    """What a customer who has just paid is worth in yearly margins: r / (1 + i - r) (V14).

    growth replaces r by r (1 + g) as everywhere here; Gupta & Lehmann's own table with growth pays the
    first margin ungrown, which is this divided by 1 + g. Raises as `constant_retention`.
    Source: Gupta & Lehmann 2003, 2005.
    """
    return constant_retention(1.0, retention, discount, case="just_paid", growth=growth)


def berger_nasr(
    margin: ArrayLike, promotion: ArrayLike, retention: ArrayLike, discount: ArrayLike, *, periods: int
) -> Any:
    """Finite lifetime value with promotion in the middle of each period (Berger & Nasr 1998, case 1; V15).

    sum_{i=0..n} GC r^i / (1+d)^i - sum_{i=1..n} M r^(i-1) / (1+d)^(i-0.5); margin GC and promotion M in
    money per period, periods n >= 0. Raises BadParameter on fractions out of range.
    """
    gc, m, r, d = np.broadcast_arrays(*(_floats(v) for v in (margin, promotion, retention, discount)))
    _check_rates(r, d, np.zeros(1))
    n = _whole(periods)
    kept = r / (1 + d)
    return _plain(gc * _geometric(kept, n + 1) - m * _geometric(kept, n) / np.sqrt(1 + d))


def net_present_value(flows: ArrayLike, discount: float) -> float:
    """Sum of flows_k / (1 + d)^k for k = 0, 1, 2, ... (V13). Raises BadParameter unless d > -1."""
    values = np.atleast_1d(_floats(flows))
    if not discount > -1:
        raise BadParameter(say("The discount rate must be above -1 per period."))
    return float(values @ (1 + discount) ** -np.arange(values.size, dtype=float))


def panel_value(probability: ArrayLike, margin: ArrayLike, cost: ArrayLike, discount: float) -> Any:
    """Value of each customer from a model of activity: sum_j (p_ij CM_ij - MC_ij) / (1 + d)^j (B11d).

    probability, margin, cost: customers × periods (or one row of periods), period j = 1 first.
    Source: the form of Kumar et al. 2008.
    """
    p, cm, mc = np.broadcast_arrays(*(_floats(v) for v in (probability, margin, cost)))
    if not ((p >= 0) & (p <= 1)).all() or not discount > -1:
        raise BadParameter(say("Probabilities must lie between 0 and 1 and the discount rate above -1."))
    return _plain((p * cm - mc) @ (1 + discount) ** -np.arange(1, p.shape[-1] + 1, dtype=float))


def per_period(annual: ArrayLike, periods_per_year: float) -> Any:
    """The rate per period that compounds to the annual one: (1 + d)^(1 / k) - 1."""
    d = _floats(annual)
    if not ((d > -1).all() and periods_per_year > 0):
        raise BadParameter(say("The discount rate must be above -1 per period."))
    return _plain(np.expm1(np.log1p(d) / periods_per_year))


def discounted_expected_lifetime(alpha: ArrayLike, beta: ArrayLike, discount: float) -> Any:
    """DEL of a beta-geometric customer from the start: sum_{t>=0} S(t) / (1 + d)^t.

    Payments at the beginning of each period, the first is certain. Equal to 2F1(1, beta; alpha + beta;
    1 / (1 + d)). d = 0 gives (alpha + beta - 1) / (alpha - 1), or infinity if alpha <= 1.
    Source: Fader & Hardie 2010, eq. 6; handbook B11c.
    """
    return _plain((1 + discount) * _expected_inverse(*_shapes(alpha, beta), _rate(discount)))


def discounted_expected_residual_lifetime(
    alpha: ArrayLike, beta: ArrayLike, discount: float, n: ArrayLike
) -> Any:
    """DERL just before renewal n of a beta-geometric customer alive for n periods, n = 1, 2, ...

    sum_{t>=n} S(t) / S(n-1) / (1 + d)^(t-n) = (beta+n-1) / (alpha+beta+n-1) · 2F1(1, beta+n; alpha+beta+n;
    1 / (1 + d)); the payment of this renewal counts in full if the customer renews.
    Source: Fader & Hardie 2010, eq. 8; handbook B11c.
    """
    a, b = _shapes(alpha, beta)
    periods = _floats(n)
    if not (periods >= 1).all():
        raise BadParameter(say("The number of the renewal must be 1 or more."))
    a, b, periods = np.broadcast_arrays(a, b, periods)
    renewal = (b + periods - 1) / (a + b + periods - 1)
    return _plain(renewal * (1 + discount) * _expected_inverse(a, b + periods, _rate(discount)))


def _expected_inverse(alpha: Floats, beta: Floats, d: float) -> Floats:
    """E[1 / (d + θ)] for θ ~ Beta(alpha, beta), which is 2F1(1, beta; alpha+beta; 1/(1+d)) / (1 + d).

    scipy's 2F1 loses all digits for large beta or an argument near 1. Here both E's numerator and its
    normalisation are positive integrals over y = logit θ, stretched by y = y0 + w sinh s, where the
    trapezium rule converges exponentially; y0 is the mode of the numerator.
    """
    a, b = np.broadcast_arrays(np.asarray(alpha, dtype=float), np.asarray(beta, dtype=float))
    if d == 0:
        with np.errstate(divide="ignore"):
            exact = (a + b - 1) / np.maximum(a - 1, 0)
        return np.asarray(np.where(a > 1, exact, np.inf))
    flat_a, flat_b = a.ravel(), b.ravel()
    found = np.empty(flat_a.size)
    for start in range(0, flat_a.size, _PIECE):
        piece = slice(start, start + _PIECE)
        found[piece] = _quadrature(flat_a[piece, None], flat_b[piece, None], d)
    return found.reshape(a.shape)


def _quadrature(a: Floats, b: Floats, d: float) -> Floats:
    mode = _mode(a, b, d)
    y0 = np.log(mode) - np.log1p(-mode)
    width = 1 / np.sqrt(1 + (a + b) * mode * (1 - mode))
    peak = np.log(a / b)  # of the density itself
    low = np.minimum(np.minimum(y0, peak), -np.log(50 / a)) - 50 / a - 5
    high = np.maximum(np.maximum(y0, peak), np.log(50 / b)) + 50 / b + 5
    left, right = np.arcsinh((low - y0) / width), np.arcsinh((high - y0) / width)
    s = left + (right - left) * np.linspace(0, 1, _POINTS)[None, :]
    y = y0 + width * np.sinh(s)
    log_theta, log_rest = -np.logaddexp(0, -y), -np.logaddexp(0, y)
    log_density = a * log_theta + b * log_rest
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True)) * np.cosh(s)
    return np.asarray((density / (d + np.exp(log_theta))).sum(axis=1) / density.sum(axis=1))


def _mode(a: Floats, b: Floats, d: float) -> Floats:
    """The θ where θ^a (1-θ)^b / (d + θ) is largest: positive root of A θ² + B θ - a d = 0."""
    square, linear, constant = a - 1 + b, (a + b) * d + 1 - a, a * d
    root = np.sqrt(np.maximum(linear**2 + 4 * square * constant, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.where(linear >= 0, 2 * constant / (linear + root), (root - linear) / (2 * square))
    return np.asarray(np.clip(theta, 1e-300, 1 - 1e-12))


def _geometric(kept: Floats, terms: int) -> Floats:
    """1 + q + ... + q^(terms - 1), exact near q = 1."""
    gap = kept - 1
    near = np.abs(gap) * max(terms, 1) < 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(kept > 0, np.expm1(terms * np.log(np.maximum(kept, 1e-300))), -1.0 if terms else 0.0)
        total = power / gap
    return np.asarray(np.where(near, terms * (1 + gap * (terms - 1) / 2), total))


def _check_case(case: str) -> None:
    if case not in CASES:
        guess = nearest(str(case), CASES)
        names = ", ".join(CASES)
        if guess:
            raise BadParameter(
                say(
                    "There is no case {case}; did you mean {guess}? Known: {names}.",
                    case=case,
                    guess=guess,
                    names=names,
                )
            )
        raise BadParameter(say("There is no case {case}; known are {names}.", case=case, names=names))


def _check_rates(r: Floats, d: Floats, g: Floats) -> None:
    if not ((r >= 0) & (r <= 1)).all():
        raise BadParameter(say("Retention must lie between 0 and 1."))
    if not ((d > -1).all() and (g > -1).all()):
        raise BadParameter(say("The discount rate and the growth must be above -1 per period."))


def _shapes(alpha: ArrayLike, beta: ArrayLike) -> tuple[Floats, Floats]:
    a, b = _floats(alpha), _floats(beta)
    if not ((a > 0).all() and (b > 0).all()):
        raise BadParameter(say("Both numbers of a beta distribution must be positive."))
    return a, b


def _rate(discount: float) -> float:
    if not 0 <= discount < np.inf:
        raise BadParameter(say("The discount rate must not be negative."))
    return float(discount)


def _whole(periods: int) -> int:
    if periods < 0 or periods != int(periods):
        raise BadParameter(say("The number of periods must be a whole number, 0 or more."))
    return int(periods)


def _floats(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=float)
    if not np.isfinite(found).all():
        raise BadParameter(say("Every value must be a number; one is missing or infinite."))
    return found


def _plain(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else np.asarray(values)
