"""Expected orders of one who may leave after each order, exact to 1e-9 in the corners too.

With dropout p ~ Beta(a, B) after each order, order rate lambda ~ Gamma(Z, A) and u = t/A, the orders that
would come without dropout are negative binomial M, and the i-th of them happens if the i-1 before it were
survived, with chance E[(1-p)^(i-1)] = (B)_(i-1)/(a+B)_(i-1). So

    E[orders] = sum over m of P(M = m) S(m),   S(m) = sum over i <= m of (B)_(i-1)/(a+B)_(i-1),

a sum of positive terms: equal to Fader, Hardie & Lee 2005 eqs. 9 and 10, without their singularity at
a = 1 and without the cancellation of their hypergeometric form. With k stages to an order and j of them
done, S(m) becomes S(floor((m+j)/k)). Where u is so large that the sum gets long, the same expectation is
taken as an integral over p, double-exponential in its logit.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np

from klientel.stats.purchases.histories import Floats, Integers

_COLUMNS = 2_048  # customers summed at once
_LONG = 4_000.0  # terms from which the integral is quicker
_SHARE = 1e-15  # of the sum: what the terms left out may amount to
_SURE = -14.0  # log chance to stay below which leaving is as good as sure
_LOG = 0.04  # step of the double-exponential rule


def expected_orders(u: Floats, whole: Floats, a: Floats, survived: Floats, k: int, done: int) -> Floats:
    """E[orders in the next t] given alive: u = t/(alpha+T), Z = whole, p ~ Beta(a, survived), k stages.

    All arrays of one length; done: stages since the last order (0 for k = 1).
    """
    length = whole * u + 10 * np.sqrt(whole * u * (1 + u)) + 37 * (1 + u) + 16
    out = np.empty(u.size)
    long = length > _LONG
    order = np.flatnonzero(~long)
    order = order[np.argsort(length[order], kind="stable")]
    pieces = [order[i : i + _COLUMNS] for i in range(0, order.size, _COLUMNS)]
    hard = np.flatnonzero(long)

    def work(piece: Integers) -> None:
        out[piece] = _series(u[piece], whole[piece], a[piece], survived[piece], k, done)

    if len(pieces) > 2:
        with ThreadPoolExecutor(max_workers=min(8, cpu_count() or 1)) as pool:
            list(pool.map(work, pieces))
    else:
        for piece in pieces:
            work(piece)
    for i in range(0, hard.size, 256):
        part = hard[i : i + 256]
        out[part] = _integral(u[part], whole[part], a[part], survived[part], k, done)
    return out


def _series(u: Floats, whole: Floats, a: Floats, survived: Floats, k: int, done: int) -> Floats:
    share = u / (1 + u)
    chance, mass = np.ones_like(u), np.ones_like(u)  # P(M = m) up to a factor, and its sum
    survive, orders = np.ones_like(u), np.zeros_like(u)  # E[(1-p)^n] of the next order, and S
    found = np.zeros_like(u)
    n, m = 0, 0
    both, rest = a + survived, np.empty_like(u)
    while True:
        np.add(whole, m, out=rest)
        rest *= share
        rest /= m + 1
        chance *= rest
        m += 1
        if (m + done) % k == 0:
            orders += survive
            survive *= (survived + n) / (both + n)
            n += 1
        mass += chance
        found += chance * orders
        if m % 16 == 0:
            ratio = share * (whole + m) / (m + 1) * (1 + 1.0 / m)
            if (ratio < 1).all() and (chance * np.maximum(orders, 1.0) <= _SHARE * found * (1 - ratio)).all():
                return found / mass
            if chance.max() > 1e200:
                shrink = 1.0 / np.maximum(chance, 1.0)
                chance, mass, found = chance * shrink, mass * shrink, found * shrink


def dropout_rule(a: Floats, survived: Floats) -> tuple[Floats, Floats, Floats]:
    """Nodes p, log(1 - p) and weights (sum 1) of a Beta(a, survived) mean: rows × nodes.

    Trapezoid in xi with logit p = centre + scale sinh(xi): double-exponential at both ends.
    """
    a, b = np.atleast_1d(a)[:, None], np.atleast_1d(survived)[:, None]
    scale = np.minimum(np.sqrt(1 / a + 1 / b), 1.0)
    centre = np.log(a) - np.log(b)
    left, right = (np.arcsinh(_reach(a, b, centre, scale * side) / scale) for side in (-1, 1))
    steps = int(np.ceil(float((left + right).max()) / _LOG))
    xi = -left + (left + right) * (np.arange(steps + 1) / steps)
    y = centre + scale * np.sinh(xi)
    low = np.logaddexp(0.0, -y)  # -log p
    high = np.logaddexp(0.0, y)  # -log (1 - p)
    log = -a * low - b * high
    weight = np.exp(log - log.max(axis=1, keepdims=True)) * np.cosh(xi)
    # a small `a` puts weight on p below 1e-290; what is averaged is constant there, but must not divide 0 by 0
    p, log_stay = np.maximum(np.exp(-low), 1e-290), -np.maximum(high, 1e-290)
    return p, log_stay, weight / weight.sum(axis=1, keepdims=True)


def _reach(a: Floats, b: Floats, centre: Floats, step: Floats) -> Floats:
    """How far from the centre, by doubled steps, the beta density of the logit has fallen by exp(-45)."""

    def height(y: Floats) -> Floats:
        return -a * np.logaddexp(0.0, -y) - b * np.logaddexp(0.0, y)

    top, far = height(centre), step.copy()
    for _ in range(80):
        short = height(centre + far) > top - 45
        if not short.any():
            break
        far = np.where(short, 2 * far, far)
    return np.abs(far)


def _integral(u: Floats, whole: Floats, a: Floats, survived: Floats, k: int, done: int) -> Floats:
    """E over p of (1 - (1-p)^N)/p, N = floor((M + done)/k): orders until dropout or t.

    For k = 1 it is (1 - (1 + p u)^-Z)/p, as in Fader, Hardie & Lee 2005 before eq. 9. For k > 1 the power with
    the floor is a sum over the k-th roots z of 1 - p of c z^(M + done), c = mean of z^-l for l < k, and the
    mean of z^M is (1 + u (1 - z))^-Z; 1 - z and the differences from 1 are taken without cancellation.
    """
    p, log_stay, weight = dropout_rule(a, survived)
    u, whole = u[:, None], whole[:, None]
    log_z = np.maximum(log_stay, _SURE) / k if k > 1 else log_stay
    lost = -np.expm1(log_z)
    reached = -np.expm1(-whole * np.log1p(u * lost))
    beyond = sum(np.expm1((done - i) * log_z) for i in range(k)) / k if k > 1 else 0.0
    orders = ((1 + beyond) * reached - beyond) / p
    for i in range(1, k):
        z = np.exp(log_z + 2j * np.pi * i / k)
        per = z ** (done + 1) / (k * (1 - z)) * np.exp(-k * log_z)  # c z^done over p
        orders -= (per * (1 + u * (1 - z)) ** -whole).real
    if k > 1:  # nearly sure to leave: the roots would cancel, but 1 - p is so small that two orders do
        none, one = _few(u, whole, k, done)
        orders = np.where(log_stay < _SURE, (1 - none - np.exp(log_stay) * one) / p, orders)
    return np.asarray((weight * orders).sum(axis=1))


def _few(u: Floats, whole: Floats, k: int, done: int) -> tuple[Floats, Floats]:
    """P(N = 0) and P(N = 1) without dropout: negative binomial stages, `done` of the first k passed."""
    chance = np.exp(-whole * np.log1p(u))
    parts = [chance]
    for m in range(2 * k - done - 1):
        chance = chance * (u / (1 + u)) * (whole + m) / (m + 1)
        parts.append(chance)
    return np.sum(parts[: k - done], axis=0), np.sum(parts[k - done :], axis=0)


def discounted_orders(
    rate: float, whole: Floats, amount: Floats, a: float, survived: Floats, k: int, done: int
) -> Floats:
    """Expected discounted orders for ever given alive: lambda ~ Gamma(whole, amount), p ~ Beta(a, survived).

    Given lambda and p, order i comes after k i - done stages, each discounted by q = lambda/(lambda+rate), and
    happens with chance (1-p)^(i-1); the geometric sum is q^-done / (q^-k - 1 + p). The mean over p is
    taken once per distinct `survived` on a grid of log lambda, the mean over lambda is a trapezoid sum on it,
    which converges exponentially fast.
    """
    out = np.empty(whole.size)
    levels, at = np.unique(survived, return_inverse=True)
    order = np.argsort(at, kind="stable")
    ends = np.searchsorted(at[order], np.arange(levels.size + 1))
    for i, level in enumerate(levels):
        rows = order[ends[i] : ends[i + 1]]
        out[rows] = _discounted(rate, whole[rows], amount[rows], a, float(level), k, done)
    return out


def _discounted(
    rate: float, whole: Floats, amount: Floats, a: float, survived: float, k: int, done: int
) -> Floats:
    from scipy.special import gammaln

    Z = float(whole.max())
    step = min(0.2, 0.5 / np.sqrt(Z + 1))
    low = -45 / (float(whole.min()) + 1) - np.log(float(amount.max())) + np.log(float(whole.min()) + 1) - 2
    high = np.log(Z + 12 * np.sqrt(Z) + 60) - np.log(float(amount.min()))
    grid = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    rates = np.exp(grid)
    loss = np.log1p(rate / rates)
    p, _, weight = dropout_rule(np.array([a]), np.array([survived]))
    mean = _in_rows(grid.size, lambda part: (1 / (p + np.expm1(k * loss[part])[:, None])) @ weight[0])
    mean *= np.exp(done * loss) * step

    def density(part: slice) -> Floats:
        z, scale = whole[part, None], amount[part, None]
        log = z * (grid + np.log(scale)) - scale * rates - gammaln(z)
        return np.asarray(np.exp(log) @ mean)

    return _in_rows(whole.size, density)


def _in_rows(size: int, f: Callable[[slice], Floats], piece: int = 4_096) -> Floats:
    """f over slices of the rows, so that no matrix gets large."""
    return np.concatenate([f(slice(i, i + piece)) for i in range(0, size, piece)])
