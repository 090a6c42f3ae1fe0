"""Purchase models in 40 digits (mpmath), written from the papers' formulas and not from the product's."""

from __future__ import annotations

import mpmath as mp

mp.mp.dps = 40

# Corners: many orders long ago, last order near the end, one order, tiny and large histories.
HISTORIES = [
    (200, 20, 78), (200, 77.999, 78), (200, 78, 78), (0, 0, 78), (0, 0, 0), (1, 0.001, 78), (1, 77.9999, 78),
    (3, 40, 78), (26, 30.86, 31), (2, 30.43, 38.86), (60, 1800, 1826), (5, 5e-4, 1e-3),
]  # fmt: skip


def log_likelihood(model, parameters, x, t_x, T, k=1):
    """ln L of one history: BG (Fader, Hardie & Lee 2005 eq. 3), MBG (Batislam et al. 2007), k stages."""
    r, alpha, a, b = (mp.mpf(v) for v in parameters)
    x, t_x, T = mp.mpf(x), mp.mpf(t_x), mp.mpf(T)
    start = 1 if model == "MBGNBD" else 0
    kernel = mp.gamma(r + k * x) / mp.gamma(r) * alpha**r
    silent = sum(
        mp.rf(r + k * x, j) / mp.factorial(j) * (T - t_x) ** j / (alpha + T) ** (r + k * x + j)
        for j in range(k)
    )
    alive = mp.beta(a, b + x + start) / mp.beta(a, b) * silent
    gone = mp.mpf(0)
    if x + start > 0:
        gone = mp.beta(a + 1, b + x + start - 1) / mp.beta(a, b) / (alpha + t_x) ** (r + k * x)
    return mp.log(kernel * (alive + gone)), alive / (alive + gone)


def expected_if_alive(model, parameters, t, x, T):
    """E[Y(t)] of one who is alive at T: Fader, Hardie & Lee 2005 eq. 10 with 2F1, a = 1 as a limit."""
    r, alpha, a, b = (mp.mpf(v) for v in parameters)
    if a == 1:
        a += mp.mpf(10) ** -20
    start = 1 if model == "MBGNBD" else 0
    Z, B, t, T = r + x, b + x + start, mp.mpf(t), mp.mpf(T)
    F = mp.hyp2f1(Z, B, a + B - 1, t / (alpha + T + t))
    return (a + B - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + t)) ** Z * F)


def discounted_if_alive(model, parameters, rate, x, T):
    """Discounted orders of one who is alive: rate times the integral of exp(-rate t) E[Y(t)], by quadrature."""
    rate, end = mp.mpf(rate), mp.log(60 / mp.mpf(rate))

    def inner(q):
        t = mp.exp(q)
        return t * mp.exp(-rate * t) * expected_if_alive(model, parameters, t, x, T)

    with mp.workdps(30):
        return rate * mp.quad(inner, mp.linspace(end - 36, end, 13), maxdegree=4)


def pareto(parameters, x, t_x, T):
    """(ln L, P(alive)) of one history: the integral over the time of leaving, by quadrature in a logarithm of it.

    Schmittlein, Morrison & Colombo 1987; Fader & Hardie note 009 eqs. 18-20 before the 2F1 is brought in.
    """
    r, alpha, s, beta = (mp.mpf(v) for v in parameters)
    x, t_x, T = mp.mpf(x), mp.mpf(t_x), mp.mpf(T)
    gone = s * leaving(r + x, s + 1, alpha, beta, t_x, T)
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    kernel = mp.gamma(r + x) / mp.gamma(r) * alpha**r * beta**s
    return mp.log(kernel * (alive + gone)), alive / (alive + gone)


def leaving(m, n, alpha, beta, low, high):
    """Integral of (alpha+y)^-m (beta+y)^-n over y from low to high."""
    base, other = min(alpha, beta), max(alpha, beta)
    i, j = (m, n) if alpha < beta else (n, m)
    if high == low:
        return mp.mpf(0)
    start, stop = mp.log(base + low), mp.log(base + high)

    def log(q):
        return -(i - 1) * q - j * mp.log(mp.exp(q) + other - base)

    left, right = start, stop  # log-concave: what lies beyond a fall of exp(-90) does not count
    if log(stop) < log(start) - 90:
        for _ in range(60):
            middle = (left + right) / 2
            left, right = (middle, right) if log(middle) > log(start) - 90 else (left, middle)
    return mp.quad(lambda q: mp.exp(log(q)), mp.linspace(start, right, 61), method="gauss-legendre")
