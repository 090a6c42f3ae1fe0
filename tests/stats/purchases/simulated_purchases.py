"""Simulated order histories with known parameters, and the CDNOW summary."""

from __future__ import annotations

import numpy as np


def ordering(rng, n, rate, leave, T, k=1, at_start=False):
    """Histories (x, t_x, T, sum of log gaps) of customers with given rates and dropout chances per order."""
    x, t, logs = np.zeros(n), np.zeros(n), np.zeros(n)
    here = np.flatnonzero(rng.random(n) >= leave) if at_start else np.arange(n)
    while here.size:
        gap = rng.gamma(k, size=here.size) / rate[here]
        inside = t[here] + gap <= T[here]
        here, gap = here[inside], gap[inside]
        t[here] += gap
        x[here] += 1
        logs[here] += np.log(gap)
        here = here[rng.random(here.size) >= leave[here]]
    return x, t, T, logs


def bg(seed, n, r, alpha, a, b, *, k=1, at_start=False, longest=78.0):
    """Histories of the (M)BG/NBD with Erlang-k timing; observed between a half and all of `longest`."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(longest / 2, longest, n)
    return ordering(rng, n, rng.gamma(r, size=n) / alpha, rng.beta(a, b, n), T, k, at_start)


def pareto(seed, n, r, alpha, s, beta, longest=78.0):
    """Histories (x, t_x, T) of the Pareto/NBD, simulated order by order."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(longest / 2, longest, n)
    stays = np.minimum(rng.exponential(size=n) * beta / rng.gamma(s, size=n), T)
    x, t, _, _ = ordering(rng, n, rng.gamma(r, size=n) / alpha, np.zeros(n), stays)
    return x, t, T


def cdnow(real):
    """The published CDNOW summary: x, t_x, T in weeks of 2,357 customers."""
    table = np.loadtxt(real / "cdnow" / "cdnow_customers_summary.csv", delimiter=",", skiprows=1)
    return table[:, 1], table[:, 2], table[:, 3]
