"""BG/NBD and MBG/NBD: customers may leave after an order; timing random or regular (Erlang-k)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from klientel.errors import BadParameter
from klientel.stats.purchases import stages
from klientel.stats.purchases.expectation import discounted_orders, expected_orders
from klientel.stats.purchases.gamma_functions import gammaln, psi
from klientel.stats.purchases.histories import Floats, Histories, checked, chunks, flattened, pairs, together
from klientel.stats.purchases.model import PurchaseModel
from klientel.stats.purchases.settings import look_ahead, positive_rate
from klientel.words import say

_STARTS = (
    (0.3, 0.6, 0.5, 2.0),
    (1.0, 0.5, 1.0, 3.0),
    (3.0, 0.9, 1.0, 10.0),
    (0.1, 0.6, 0.3, 0.7),
    (1.0, 0.9, 0.1, 5.0),
)


class BGNBD(PurchaseModel):
    """Beta-geometric/NBD: orders at a gamma rate, dropout with a beta probability after each repeat order.

    Parameters r, alpha (order rate: gamma with mean r/alpha per unit of time) and a, b (dropout per
    order: beta with mean a/(a+b)). k > 1 makes the time between orders Erlang-k: regular (BG/CNBD-k).
    Sources: Fader, Hardie & Lee 2005 (Marketing Science 24), equations cited at each method; note 021 for
    P(alive); Platzer & Reutterer 2016 for k. A customer with one order is alive for certain here: use
    `MBGNBD` where many have ordered once.
    """

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    clocked: ClassVar[tuple[str, ...]] = ("alpha",)
    at_start: ClassVar[int] = 0  # 1: a customer may leave at the first order too
    r_: float
    alpha_: float
    a_: float
    b_: float

    def __init__(self, penalty: float | None = None, starts: int = 5, k: int = 1) -> None:
        """penalty and starts as in `PurchaseModel`; k: Erlang stages between orders (1 random, 2-4 regular)."""
        super().__init__(penalty, starts)
        self.k = k

    # -- what the history says -------------------------------------------------------------------

    def probability_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(alive at T | x, t_x, T), one per customer.

        BG: 1/(1 + 1{x>0} a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)), note 021 (handbook B11);
        MBG: b+x instead of b+x-1 and no indicator, Batislam et al. 2007; for k > 1 the power is
        divided by the chance of fewer than k stages since the last order.
        """
        return self._alive(*checked(x, t_x, T))

    def predict_purchases(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """E[orders in (T, T+t] | x, t_x, T], one per customer; t a number or one per customer.

        Fader, Hardie & Lee 2005 eq. 10, computed as a sum of positive terms (see `expectation`), so that
        a = 1 is no special case; for k > 1 exact as well (mixture over the stages since the last order).
        """
        count, last, observed, ahead = together(*checked(x, t_x, T), look_ahead(t))
        out = np.empty(count.size)
        flat = [flattened(c) for c in (count, last, observed, ahead)]
        for part in chunks(out.size, 1_048_576):
            out[part] = self._predict(*(c[part] for c in flat))
        return out.reshape(count.shape)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """E[X(t)] of a new customer, first order not counted. Fader, Hardie & Lee 2005 eq. 9."""
        ahead = np.atleast_1d(look_ahead(t))
        zero = np.zeros_like(ahead)
        alive = self.b_ / (self.a_ + self.b_) if self.at_start else 1.0
        value = alive * expected_orders(
            ahead / self.alpha_, zero + self.r_, zero + self.a_, zero + self._survivals(0.0), self.k, 0
        )
        return value if np.ndim(t) else value[0]

    def probability_of_orders(self, n: ArrayLike, t: ArrayLike) -> Floats:
        """P(X(t) = n) of a new customer. Fader, Hardie & Lee 2005 eq. 8 (for MBG with dropout at time 0)."""
        from scipy.special import betainc, betaln

        n_, t_ = together(n, look_ahead(t))
        if not ((n_ >= 0) & (n_ == np.rint(n_))).all():
            raise BadParameter(say("A number of orders must be whole and not negative."))
        u = t_ / (self.alpha_ + t_)
        base = betaln(self.a_, self.b_)
        stay = np.exp(betaln(self.a_, self.b_ + n_ + self.at_start) - base)
        reach = np.where(n_ > 0, betainc(np.maximum(self.k * n_, 1e-300), self.r_, u), 1.0)
        exact = np.exp(stages.log_fewer(self.r_ + 0 * u, u, self.k * n_, self.k))
        leaves = np.maximum(self.b_ + n_ + self.at_start - 1, 1e-300)
        gone = np.where(n_ + self.at_start > 0, np.exp(betaln(self.a_ + 1, leaves) - base), 0.0)
        return np.asarray(stay * exact + gone * reach)

    def probability_of_none(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(no order in (T, T+t] | x, t_x, T): gone already, or alive and silent. Handbook B11, B14."""
        count, last, observed, ahead = together(*checked(x, t_x, T), look_ahead(t))
        gone = 1.0 / (1.0 + np.exp(np.minimum(-self._log_odds_gone(count, last, observed), 709.0)))
        whole = self.r_ + self.k * count
        now = stages.log_none(whole, (observed - last) / (self.alpha_ + observed), self.k)
        later = stages.log_none(whole, (observed + ahead - last) / (self.alpha_ + observed + ahead), self.k)
        silent = whole * np.log((self.alpha_ + observed) / (self.alpha_ + observed + ahead)) + later - now
        return np.asarray(gone + (1 - gone) * np.exp(silent))

    def discounted_expected_purchases(
        self, rate: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """DERT: orders to come for ever, each discounted by exp(-rate × time until it).

        rate: continuous discount rate per unit of time, ln(1 + d) (> 0). The (M)BG/NBD has no closed
        form; see `expectation.discounted_orders`, exact to 1e-9. Source of the idea: Fader, Hardie & Lee
        2005 (JMR) for the Pareto/NBD.
        """
        delta = positive_rate(rate)
        count, last, observed = checked(x, t_x, T)
        out = np.zeros(count.size)
        flat = [np.ravel(c) for c in (count, last, observed)]
        for part in chunks(out.size, 1_048_576):
            xs, ts, ends = (c[part] for c in flat)
            at, which = pairs(xs, ends)
            weights = stages.shares(self.r_ + self.k * xs, (ends - ts) / (self.alpha_ + ends), self.k)
            value = np.zeros(xs.shape)
            for j in range(self.k):
                per = discounted_orders(
                    delta,
                    self.r_ + self.k * xs[at] + j,
                    self.alpha_ + ends[at],
                    self.a_,
                    self._survivals(xs[at]),
                    self.k,
                    j,
                )
                value += weights[j] * per[which]
            out[part] = value * self._alive(xs, ts, ends)
        return out.reshape(count.shape)

    # -- inside -----------------------------------------------------------------------------------

    def _survivals(self, x: Any) -> Any:
        """b + orders survived: the second parameter of the dropout probability of one who is alive."""
        return self.b_ + x + self.at_start

    def _alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive) of checked histories; without a first dropout, those without a further order are alive."""
        if self.at_start or x.ndim != 1:
            return np.asarray(1.0 / (1.0 + np.exp(np.minimum(self._log_odds_gone(x, t_x, T), 709.0))))
        alive, may = np.ones(x.size), np.flatnonzero(x)
        alive[may] = 1.0 / (1.0 + np.exp(np.minimum(self._log_odds_gone(x[may], t_x[may], T[may]), 709.0)))
        return alive

    def _log_odds_gone(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        whole = self.r_ + self.k * x
        gap = (T - t_x) / (self.alpha_ + t_x)
        silent = stages.log_none(whole, (T - t_x) / (self.alpha_ + T), self.k)
        with np.errstate(divide="ignore"):
            chance = np.log(np.where(x + self.at_start > 0, self.a_, 0.0))
        survived = np.where(x + self.at_start > 0, self._survivals(x) - 1, 1.0)
        return np.asarray(chance - np.log(survived) + whole * np.log1p(gap) - silent)

    def _predict(self, x: Floats, t_x: Floats, T: Floats, t: Floats) -> Floats:
        at, which = pairs(x, T, t)
        whole, scaled = self.r_ + self.k * x[at], t[at] / (self.alpha_ + T[at])
        dropout, survived = np.full(at.size, self.a_), self._survivals(x[at])
        if self.k == 1:
            value = expected_orders(scaled, whole, dropout, survived, 1, 0)[which]
        else:
            weights = stages.shares(self.r_ + self.k * x, (T - t_x) / (self.alpha_ + T), self.k)
            value = np.zeros(x.shape)
            for j in range(self.k):
                value += weights[j] * expected_orders(scaled, whole + j, dropout, survived, self.k, j)[which]
        return value * self._alive(x, t_x, T)

    def _simulate(self, rng: np.random.Generator, t: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        out = np.zeros(x.size)
        here = np.flatnonzero(rng.random(x.size) < self.probability_alive(x, t_x, T))
        xs, ts, ends = x[here], t_x[here], T[here]
        weights = np.cumsum(
            stages.shares(self.r_ + self.k * xs, (ends - ts) / (self.alpha_ + ends), self.k), axis=0
        )
        done = (rng.random(here.size) > weights).sum(axis=0) if self.k > 1 else np.zeros(here.size)
        rate = rng.gamma(self.r_ + self.k * xs + done) / (self.alpha_ + ends)
        wanted = (rng.poisson(rate * t) + done) // self.k
        leave = np.maximum(rng.beta(self.a_, self._survivals(xs)), 1e-15)
        until = np.ceil(np.log1p(-rng.random(here.size)) / np.log1p(-np.minimum(leave, 1 - 1e-16)))
        out[here] = np.minimum(wanted, np.maximum(until, 1.0))
        return out

    def _evaluate(self, theta: Floats, rows: Histories) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(theta)
        n = rows.levels
        whole, stayed = r + self.k * n, n + self.at_start
        arguments = np.concatenate([whole, b + stayed, a + b + stayed, [r, b, a + b]])
        logs, slopes = gammaln(arguments), psi(arguments)
        of_whole, of_stayed, of_both = logs[:-3].reshape(3, -1)
        table = of_whole - logs[-3] - self.k * n * np.log(alpha) + of_stayed - logs[-2] - of_both + logs[-1]
        may = stayed > 0
        odds = np.where(may, np.log(a) - np.log(np.where(may, b + stayed - 1, 1.0)), -np.inf)
        Z = whole[rows.at]
        end, last = np.log1p(rows.T / alpha), np.log1p(rows.t_x / alpha)
        d = odds[rows.at] + Z * (end - last)
        silent = None
        if self.k > 1:
            silent = stages.silence(Z, (rows.T - rows.t_x) / (alpha + rows.T), self.k)
            d -= silent.log
        e = np.exp(-np.abs(d))
        dead = np.where(d >= 0, 1.0, e) / (1.0 + e)
        alive_log = -Z * end if silent is None else silent.log - Z * end
        value = float(rows.w @ (alive_log + np.maximum(d, 0.0) + np.log1p(e)) + rows.level_weights @ table)
        return value, self._slope(rows, (r, alpha, a, b), (Z, end, last, dead), silent, slopes)

    def _slope(
        self, rows: Histories, parameters: tuple[float, ...], parts: tuple[Floats, ...],
        silent: stages.Silence | None, slopes: Floats,
    ) -> Floats:  # fmt: skip
        """Gradient of the log-likelihood by the log-parameters."""
        r, alpha, a, b = parameters
        Z, end, last, dead = parts
        n, weight = rows.levels, rows.level_weights
        stayed = n + self.at_start
        per = np.bincount(rows.at, rows.w * dead, minlength=n.size)  # expected dropouts per level
        alive = 1.0 - dead
        from_r = -(alive * end + dead * last)
        from_alpha = Z * (alive * (rows.T / (alpha + rows.T)) + dead * (rows.t_x / (alpha + rows.t_x)))
        if silent is not None:
            from_r += alive * silent.by_whole
            from_alpha -= alive * silent.by_log_share * (alpha / (alpha + rows.T))
        of_whole, of_stayed, of_both = slopes[:-3].reshape(3, -1)
        common = weight @ (slopes[-1] - of_both)
        survived = np.where(stayed > 0, b + stayed - 1, 1.0)
        by_r = weight @ (of_whole - slopes[-3]) + rows.w @ from_r
        by_alpha = rows.w @ from_alpha - weight @ (self.k * n)
        by_a = common + per.sum() / a
        by_b = common + weight @ (of_stayed - slopes[-2]) - per @ (1.0 / survived)
        return np.array([by_r * r, by_alpha, by_a * a, by_b * b])

    def _starts(self, rows: Histories) -> list[Floats]:
        rate = self.k * (rows.orders + 0.5) / rows.time
        return [np.log([r, r * slow / rate, a, b]) for r, slow, a, b in _STARTS]

    def _prior(self, rows: Histories) -> tuple[Floats, Floats]:
        rate = self.k * (rows.orders + 0.5) / rows.time
        return np.log([1.0, 0.7 / rate, 1.0, 3.0]), np.array([1.0, 1.5, 1.0, 1.0])

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "k": self.k}

    def _settings(self) -> None:
        super()._settings()
        if self.k not in (1, 2, 3, 4):
            raise BadParameter(say("The number of stages k must be 1 (random timing), 2, 3 or 4 (regular)."))


class MBGNBD(BGNBD):
    """Modified BG/NBD: dropout is possible at the first order too, so customers with one order can be gone.

    The default for portfolios in which more than a fifth ordered once (handbook B11). Sources: Batislam,
    Denizel & Filiztekin 2007; k > 1: MBG/CNBD-k of Reutterer, Platzer & Schröder 2021.
    """

    at_start: ClassVar[int] = 1
