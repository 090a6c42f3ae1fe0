"""Pareto/NBD: orders at a gamma rate until an unseen moment of leaving, exponential with a gamma rate."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from klientel.stats.purchases.gamma_functions import gammaln, psi
from klientel.stats.purchases.histories import Floats, Histories, checked, pairs, together
from klientel.stats.purchases.leaving import Leaving, leaving
from klientel.stats.purchases.model import PurchaseModel
from klientel.stats.purchases.search import in_pieces
from klientel.stats.purchases.settings import look_ahead, positive_rate

_STARTS = (
    (0.5, 0.7, 0.5, 0.5),
    (1.0, 0.8, 1.0, 1.0),
    (3.0, 1.0, 0.3, 2.0),
    (0.2, 0.5, 2.0, 0.3),
    (1.0, 1.0, 0.1, 4.0),
)


class ParetoNBD(PurchaseModel):
    """Pareto/NBD: order rate gamma (mean r/alpha), leaving rate gamma (mean s/beta), both per unit of time.

    Sources: Schmittlein, Morrison & Colombo 1987; Fader & Hardie notes 009 and 020, equations cited
    at the methods. The customer may leave at any time, so it needs no purchase to be gone.
    """

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    clocked: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    r_: float
    alpha_: float
    s_: float
    beta_: float

    def probability_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(alive at T | x, t_x, T), one per customer: note 009 eqs. 36-37 (handbook B11)."""
        columns = checked(x, t_x, T)
        return _logistic(-self._log_odds_gone(*columns))

    def predict_purchases(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """E[orders in (T, T+t] | x, t_x, T], one per customer: note 009 eq. 41, s = 1 no special case."""
        count, last, observed, ahead = together(*checked(x, t_x, T), look_ahead(t))
        rate = (self.r_ + count) / (self.alpha_ + observed)
        stay = _time_alive(ahead, self.beta_ + observed, self.s_)
        return np.asarray(self.probability_alive(count, last, observed) * rate * stay)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """E[X(t)] of a new customer, first order not counted: note 009 eq. 27 (s = 1 no special case)."""
        ahead = look_ahead(t)
        return np.asarray(self.r_ / self.alpha_ * _time_alive(ahead, self.beta_ + 0 * ahead, self.s_))

    def probability_of_none(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(no order in (T, T+t] | x, t_x, T): gone already, silent throughout, or silent until leaving."""
        columns = together(*checked(x, t_x, T), look_ahead(t))
        count, last, observed, ahead = (np.ravel(c) for c in columns)
        gone = _logistic(self._log_odds_gone(count, last, observed))
        end, Z = observed + ahead, self.r_ + count
        from_alpha, from_beta = (
            np.log1p(ahead / (self.alpha_ + observed)),
            np.log1p(ahead / (self.beta_ + observed)),
        )
        silent = np.exp(-Z * from_alpha - self.s_ * from_beta)
        share = self._share(observed, end, Z)
        leaves = (
            self.s_ * np.exp(share.log) * (min(self.alpha_, self.beta_) + observed) / (self.beta_ + observed)
        )
        return np.asarray(gone + (1 - gone) * (silent + leaves)).reshape(columns[0].shape)

    def discounted_expected_purchases(
        self, rate: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """DERT: orders to come for ever, each discounted by exp(-rate × time until it).

        rate: continuous discount rate per unit of time (> 0). Note 020 (Fader, Hardie & Lee 2005, JMR):
        P(alive) (r+x)/(alpha+T) (beta+T) z^(s-1) Psi(s, s; z), z = rate (beta+T), Psi Tricomi's U.
        """
        delta = positive_rate(rate)
        count, last, observed = checked(x, t_x, T)
        if count.size == 0:
            return np.zeros(count.shape)
        at, which = pairs(np.ravel(observed))
        scale = self.beta_ + np.ravel(observed)[at]
        stay = scale * _laplace(self.s_, delta * scale)
        alive = self.probability_alive(count, last, observed)
        return np.asarray(
            alive * (self.r_ + count) / (self.alpha_ + observed) * stay[which].reshape(count.shape)
        )

    # -- inside -----------------------------------------------------------------------------------

    def _log_odds_gone(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """ln of chance gone over chance alive: ln(s I (alpha+T)^(r+x) (beta+T)^s)."""
        columns = [np.ravel(c) for c in (x, t_x, T)]
        again, once = np.flatnonzero(columns[0]), np.flatnonzero(columns[0] == 0)
        at, which = pairs(columns[2][once])  # of those without a further order only T differs
        chosen = np.concatenate([again, once[at]])

        def part(rows: slice) -> Floats:
            count, last, observed = (c[chosen[rows]] for c in columns)
            Z = self.r_ + count
            return self._odds(last, observed, Z, self._share(last, observed, Z, means=False))

        found = in_pieces(part, chosen.size)
        out = np.empty(columns[0].size)
        out[again], out[once] = found[: again.size], found[again.size :][which]
        return out.reshape(np.shape(x))

    def _odds(self, t: Floats, T: Floats, Z: Floats, share: Leaving) -> Floats:
        return _odds((self.alpha_, self.s_, self.beta_), t, T, Z, share)

    def _share(self, t: Floats, T: Floats, Z: Floats, means: bool = False) -> Leaving:
        return _share((self.alpha_, self.s_, self.beta_), t, T, Z, means)

    def _simulate(self, rng: np.random.Generator, t: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        out = np.zeros(x.size)
        here = np.flatnonzero(rng.random(x.size) < self.probability_alive(x, t_x, T))
        rate = rng.gamma(self.r_ + x[here]) / (self.alpha_ + T[here])
        leave = np.maximum(rng.gamma(self.s_, size=here.size), 1e-300) / (self.beta_ + T[here])
        out[here] = rng.poisson(rate * np.minimum(rng.exponential(size=here.size) / leave, t))
        return out

    def _evaluate(self, theta: Floats, rows: Histories) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(theta)
        n, weight, w = rows.levels, rows.level_weights, rows.w
        Z, t, T = (r + n)[rows.at], rows.t_x, rows.T
        share = _share((alpha, s, beta), t, T, Z, True)
        d = _odds((alpha, s, beta), t, T, Z, share)
        e = np.exp(-np.abs(d))
        gone = np.where(d >= 0, 1.0, e) / (1.0 + e)
        end_alpha, end_beta = np.log1p(T / alpha), np.log1p(T / beta)
        table = gammaln(r + n) - gammaln(r) - n * np.log(alpha)
        value = weight @ table + w @ (np.maximum(d, 0.0) + np.log1p(e) - Z * end_alpha - s * end_beta)
        if alpha >= beta:
            log_a, log_b, inverse_a, inverse_b = share.far, share.near, share.far_inverse, share.near_inverse
        else:
            log_a, log_b, inverse_a, inverse_b = share.near, share.far, share.near_inverse, share.far_inverse
        stays = 1.0 - gone
        by_r = weight @ (psi(r + n) - psi(r)) - w @ (stays * end_alpha + gone * (np.log1p(t / alpha) + log_a))
        by_s = w @ (gone * (1 / s - np.log1p(t / beta) - log_b) - stays * end_beta)
        passed = stays * (T / (alpha + T)) + gone * (1 - inverse_a * (alpha / (alpha + t)))
        by_alpha = w @ (Z * passed) - weight @ n
        left = stays * (s * T / (beta + T)) + gone * (s - (s + 1) * inverse_b * (beta / (beta + t)))
        return float(value), np.array([by_r * r, by_alpha, by_s * s, w @ left])

    def _starts(self, rows: Histories) -> list[Floats]:
        rate = (rows.orders + 0.5) / rows.time
        span = float(rows.T.max())
        return [np.log([r, r * slow / rate, s, s * span * long]) for r, slow, s, long in _STARTS]

    def _prior(self, rows: Histories) -> tuple[Floats, Floats]:
        rate = (rows.orders + 0.5) / rows.time
        return np.log([1.0, 0.7 / rate, 0.7, 0.7 * float(rows.T.max())]), np.array([1.0, 1.5, 1.0, 1.0])


def _share(parameters: tuple[float, float, float], t: Floats, T: Floats, Z: Floats, means: bool) -> Leaving:
    """The integral over the time of leaving between t and T (see `leaving`)."""
    alpha, s, beta = parameters
    low, high = min(alpha, beta), max(alpha, beta)
    length, rho = np.log1p((T - t) / (low + t)), (low + t) / (high + t)
    if alpha >= beta:
        return leaving(np.full_like(Z, s), Z, rho, length, means)
    return leaving(Z - 1, np.full_like(Z, s + 1), rho, length, means)


def _odds(parameters: tuple[float, float, float], t: Floats, T: Floats, Z: Floats, share: Leaving) -> Floats:
    alpha, s, beta = parameters
    since = T - t
    d = share.log + np.log(s) + Z * np.log1p(since / (alpha + t)) + s * np.log1p(since / (beta + t))
    return np.asarray(d if alpha >= beta else d + np.log((alpha + t) / (beta + t)))


def _time_alive(t: Floats, scale: Floats, s: float) -> Floats:
    """Expected time alive within t: integral of (scale/(scale+y))^s = scale (1-(scale/(scale+t))^(s-1))/(s-1)."""
    length = np.log1p(t / scale)
    power = (1 - s) * length
    flat = np.abs(power) < 1e-300
    return np.asarray(scale * length * np.where(flat, 1.0, np.expm1(power) / np.where(flat, 1.0, power)))


def _laplace(s: float, z: Floats) -> Floats:
    """Integral of exp(-z y)(1+y)^-s over y > 0 = z^(s-1) Psi(s, s; z): trapezoid in log y, exponentially exact."""
    step = 0.15
    grid = np.arange(-45.0, float(np.log(60 / z.min())) + step, step)
    y = np.exp(grid)
    fixed = np.exp(grid - s * np.log1p(y)) * step
    return np.concatenate([np.exp(-np.outer(z[i : i + 1_024], y)) @ fixed for i in range(0, z.size, 1_024)])


def _logistic(d: Any) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(-d, 709.0))))
