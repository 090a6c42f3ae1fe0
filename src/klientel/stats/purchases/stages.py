"""Erlang stages: orders that come every k-th event of a Poisson stream (regular timing)."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np

from klientel.stats.purchases.gamma_functions import gammaln
from klientel.stats.purchases.histories import Floats, Histories


@dataclass(frozen=True)
class Silence:
    """log of S = sum over j<k of (Z)_j/j! u^j, its derivatives by Z and by log u."""

    log: Floats
    by_whole: Floats
    by_log_share: Floats


def terms(whole: Floats, share: Floats, k: int) -> list[Floats]:
    """(Z)_j/j! u^j for j < k: relative chances of j stages since the last order.

    whole = r + k x = Z; share u = (T - t_x)/(alpha + T). From the Poisson chance of j events within T - t_x
    under the gamma rate (Platzer & Reutterer 2016).
    """
    found = [np.ones(np.broadcast(whole, share).shape)]
    for j in range(1, k):
        found.append(found[-1] * share * (whole + (j - 1)) / j)
    return found


def log_none(whole: Floats, share: Floats, k: int) -> Floats:
    """log of the sum of `terms`; the chance of no order since t_x is (1 - u)^Z times it."""
    return (
        np.zeros(np.broadcast(whole, share).shape)
        if k == 1
        else np.log(np.sum(terms(whole, share, k), axis=0))
    )


def shares(whole: Floats, share: Floats, k: int) -> Floats:
    """Chance that j < k stages have passed since the last order, given alive: k × customers."""
    found = np.array(terms(whole, share, k))
    return np.asarray(found / found.sum(axis=0))


def silence(whole: Floats, share: Floats, k: int) -> Silence:
    """The sum of `terms` as a logarithm with derivatives, for the likelihood."""
    term, slope = np.ones_like(share), np.zeros_like(share)
    total, by_whole, by_share = term.copy(), slope.copy(), np.zeros_like(share)
    for j in range(1, k):
        slope = (slope * (whole + (j - 1)) + term) * (share / j)
        term = term * share * ((whole + (j - 1)) / j)
        total += term
        by_whole += slope
        by_share += j * term
    return Silence(np.log(total), by_whole / total, by_share / total)


def log_fewer(r: Floats, u: Floats, start: Floats, k: int) -> Floats:
    """log P(start <= M < start + k), M negative binomial with shape r and success share u (new customer)."""
    from scipy.special import logsumexp, xlogy

    parts = [
        gammaln(r + start + j) - gammaln(r) - gammaln(start + j + 1) + r * np.log1p(-u) + xlogy(start + j, u)
        for j in range(k)
    ]
    return np.asarray(logsumexp(parts, axis=0))


def constant(rows: Histories, k: int) -> float:
    """Log-density of (x, t_x) beside the kernel, relative to random timing, where single gaps are unknown.

    The sum of x Erlang-k gaps is Erlang-kx: t_x^(kx-1)/Gamma(kx), divided by the same with k = 1.
    """
    repeat = rows.x > 0
    x, t_x, w = rows.x[repeat], rows.t_x[repeat], rows.w[repeat]
    return float(w @ ((k - 1) * x * np.log(t_x) + gammaln(x) - gammaln(k * x)))


def log_factorial(n: int) -> float:
    """ln n!"""
    return lgamma(n + 1)
