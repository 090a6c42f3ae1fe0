"""The integral over the unseen time of leaving, exact to about 1e-11 with few nodes per customer.

    I = integral from t to T of (alpha + y)^-m (beta + y)^-(s+1) dy

is the heart of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987; Fader & Hardie note 009 eqs. 18-20, where it
is a difference of two 2F1 that cancels when t is near T). With c = min(alpha, beta), C = max and
y + c = (t + c) exp(xi) it is, up to the factor (c+t)(alpha+t)^-m (beta+t)^-(s+1),

    K = integral from 0 to L of exp(-D(xi)) dxi,   D = p xi + n log(1 + rho (exp(xi) - 1)),

rho = (c+t)/(C+t), (p, n) = (s, m) if beta = c, else (m-1, s+1). D is convex, and exp(-D) is analytic up to
|Im xi| = pi. So Gauss-Legendre converges exponentially; how many nodes it needs follows from the fall D(L)
and the length L alone (thresholds calibrated on 400,000 random cases, worst error 2e-11). What lies beyond
a fall of exp(-30) is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from klientel.stats.purchases.histories import Floats

_CUT, _STEEP = 30.0, 36.0
_NODES = np.array([6, 8, 10, 12, 16, 20, 24, 32, 40])
_FALLS = np.array([0.5, 2.0, 8.0, 16.0, 28.0])  # up to here 6, 8, 10, 12, 16 nodes do, beyond 20
_FALL_CLASS = np.array([0, 1, 2, 3, 4, 5])
_LENGTHS = np.array([0.3, 1.0, 2.0, 3.0, 5.0, 8.0])  # up to here 6, 8, 10, 16, 24, 32 nodes do, beyond 40
_LENGTH_CLASS = np.array([0, 1, 2, 4, 6, 7, 8])
_PANEL = 12.0  # longest piece that 40 nodes master
_CELLS = 65_536  # numbers per matrix: it stays in the cache


@dataclass(frozen=True)
class Leaving:
    """log K and means under exp(-D): of xi, of log(1 + rho (e^xi - 1)), and of exp(-those two)."""

    log: Floats
    near: Floats
    far: Floats
    near_inverse: Floats
    far_inverse: Floats


def leaving(p: Floats, n: Floats, rho: Floats, length: Floats, means: bool = True) -> Leaving:
    """K as a logarithm, and the means that its gradient is made of (not with means=False).

    Arrays of one length. length = 0 gives a logarithm of about -690, for a chance that is nil.
    """
    cut, fall = _shortened(p, n, rho, length)
    kind = np.maximum(
        _FALL_CLASS[np.searchsorted(_FALLS, fall)], _LENGTH_CLASS[np.searchsorted(_LENGTHS, cut)]
    )
    out = np.zeros((5, p.size))
    for k in np.flatnonzero(np.bincount(kind, minlength=_NODES.size)):
        rows = np.flatnonzero(kind == k)
        nodes, weights = _rule(int(_NODES[k]))
        panels = max(1, int(np.ceil(cut[rows].max() / _PANEL)))
        if panels > 1:
            nodes = ((np.arange(panels)[:, None] + nodes) / panels).ravel()
            weights = np.tile(weights / panels, panels)
        piece = max(1, _CELLS // nodes.size)
        for i in range(0, rows.size, piece):
            part = rows[i : i + piece]
            out[:, part] = _quadrature(p[part], n[part], rho[part], cut[part], nodes, weights, means)
    return Leaving(*out)


def _quadrature(
    p: Floats, n: Floats, rho: Floats, length: Floats, nodes: Floats, weights: Floats, means: bool
) -> Floats:
    xi = length[:, None] * nodes
    grown = np.exp(xi)
    other = grown - 1.0
    other *= rho[:, None]
    other += 1.0
    log = np.log(other)
    density = log * n[:, None]
    density += xi * p[:, None]
    np.negative(density, out=density)
    np.exp(density, out=density)
    mass = np.maximum(_sums(density, weights), 1e-300)
    out = np.empty((5, p.size))
    out[0] = np.log(mass * np.maximum(length, 1e-300))
    if means:
        out[1] = length * _sums(density, weights * nodes) / mass
        log *= density
        out[2] = _sums(log, weights) / mass
        np.divide(density, grown, out=grown)
        out[3] = _sums(grown, weights) / mass
        density /= other
        out[4] = _sums(density, weights) / mass
    return out


def _sums(values: Floats, weights: Floats) -> Floats:
    """Weighted sum of each row; einsum, because a BLAS that spins up threads for this costs more."""
    return np.asarray(np.einsum("ij,j->i", values, weights))


def _shortened(p: Floats, n: Floats, rho: Floats, length: Floats) -> tuple[Floats, Floats]:
    """Where to stop, and the fall D there: the whole length, or where exp(-D) has become negligible."""
    slope = p + n * rho
    cut = np.where(slope * length > _CUT, _CUT / np.maximum(slope, 1e-300), length)
    fall = p * cut + n * np.log1p(rho * np.expm1(cut))
    for _ in range(50):  # D is convex and we stand to the right: Newton comes down without overshooting
        steep = np.flatnonzero(fall > _STEEP)
        if steep.size == 0:
            break
        here, share = cut[steep], rho[steep]
        grown = share * np.exp(here)
        rise = p[steep] + n[steep] * grown / (grown + 1 - share)
        here = here - (fall[steep] - _CUT) / rise
        cut[steep] = here
        fall[steep] = p[steep] * here + n[steep] * np.log1p(share * np.expm1(here))
    return cut, fall


@cache
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre on 0 to 1."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return (at + 1) / 2, weight / 2
