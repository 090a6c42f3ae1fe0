"""BG/BB: orders at discrete opportunities (yearly frames, tenders, campaigns), with unseen leaving between them."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from klientel.errors import BadParameter
from klientel.stats.purchases.histories import Floats, Histories, together
from klientel.stats.purchases.model import PurchaseModel
from klientel.stats.purchases.settings import positive_rate
from klientel.words import say

_STARTS = (
    (1.0, 1.5, 0.5, 2.0),
    (0.5, 1.2, 1.0, 5.0),
    (2.0, 2.0, 0.3, 1.0),
    (3.0, 1.0, 1.0, 10.0),
    (0.3, 3.0, 2.0, 10.0),
)
_TAIL = 1e-14  # of the sum: what discounted orders leave out


class BGBB(PurchaseModel):
    """Beta-geometric/beta-Bernoulli: an order with chance p at each opportunity, leaving with chance theta before it.

    p ~ Beta(alpha, beta), theta ~ Beta(gamma, delta). A history is x orders in n opportunities, the last at
    opportunity t_x (0 without an order). Source: Fader, Hardie & Shang 2010 (Marketing Science 29), equations
    cited at the methods.
    """

    names: ClassVar[tuple[str, ...]] = ("alpha", "beta", "gamma", "delta")
    clocked: ClassVar[tuple[str, ...]] = ()
    alpha_: float
    beta_: float
    gamma_: float
    delta_: float

    def fit(
        self,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        log_gaps: ArrayLike | None = None,
    ) -> Self:
        """Maximum likelihood; returns self. x orders, the last at opportunity t_x, of T opportunities.

        weights: customers behind each row; log_gaps has no meaning here. Raises BadParameter unless all are
        whole and x <= t_x <= T, NotEnoughData if nobody had an opportunity.
        """
        _opportunities(x, t_x, T)
        return super().fit(x, t_x, T, weights, log_gaps)

    def probability_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(still there at opportunity T + 1 | x, t_x, T): Fader, Hardie & Shang 2010 eq. A10, m = 1."""
        count, last, seen = _opportunities(x, t_x, T)
        stays = (self.delta_ + seen) / (self.gamma_ + self.delta_ + seen)
        return np.asarray(np.exp(-self._log_ratio(count, last, seen)) * stays)

    def predict_purchases(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """E[orders at the next t opportunities | x, t_x, T]; t whole. Eq. 13, without its case gamma = 1.

        Given alive after T: chance of an order (alpha+x)/(alpha+beta+T) times the expected opportunities met,
        a sum of the chances to be still there.
        """
        count, last, seen, ahead = together(*_opportunities(x, t_x, T), _whole(t))
        met = self._met(np.ravel(seen), np.ravel(ahead)).reshape(count.shape)
        order = (self.alpha_ + count) / (self.alpha_ + self.beta_ + seen)
        return np.asarray(np.exp(-self._log_ratio(count, last, seen)) * order * met)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """E[orders of a new customer at its first t opportunities]: eq. 8."""
        return self.predict_purchases(t, 0, 0, 0)

    def probability_of_none(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(no order at the next t opportunities | x, t_x, T): likelihood until T + t over that until T."""
        count, last, seen, ahead = together(*_opportunities(x, t_x, T), _whole(t))
        return np.asarray(
            np.exp(self._log_likelihood(count, last, seen + ahead) - self._log_likelihood(count, last, seen))
        )

    def probability_of_orders(self, k: ArrayLike, n: ArrayLike) -> Floats:
        """P(k orders at the first n opportunities) of a new customer: eq. 7."""
        from scipy.special import betaln, gammaln

        a, b, g, d = self.parameters_.values()
        wanted, seen = together(_whole(k), _whole(n))
        out = np.zeros(wanted.shape)
        for end in range(int(seen.max()) + 1 if seen.size else 0):
            gone = end < seen  # left after `end` opportunities, or met them all
            met = (wanted <= end) & (end <= seen)
            count = np.where(met, wanted, 0)
            ways = gammaln(end + 1) - gammaln(count + 1) - gammaln(end - count + 1)
            log = ways + betaln(a + count, b + end - count) - betaln(a, b) + betaln(g + gone, d + end)
            out += np.where(met, np.exp(log - betaln(g, d)), 0.0)
        return out

    def discounted_expected_purchases(
        self, rate: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """DERT: orders at all opportunities to come, the i-th discounted by exp(-rate × i). Eq. 14.

        rate: continuous discount rate per opportunity, ln(1 + d) (> 0).
        """
        delta = positive_rate(rate)
        count, last, seen = _opportunities(x, t_x, T)
        distinct, at = np.unique(np.ravel(seen), return_inverse=True)
        met = self._met(distinct, np.full(distinct.size, np.ceil(-np.log(_TAIL) / delta) + 1), delta)
        order = (self.alpha_ + count) / (self.alpha_ + self.beta_ + seen)
        return np.asarray(np.exp(-self._log_ratio(count, last, seen)) * order * met[at].reshape(count.shape))

    # -- inside -----------------------------------------------------------------------------------

    def _met(self, seen: Floats, ahead: Floats, rate: float = 0.0) -> Floats:
        """Expected (discounted) opportunities of the next `ahead` that one who is there after `seen` still meets."""
        total, stay = np.zeros(seen.size), np.ones(seen.size)
        after = self.delta_ + seen
        keep = np.exp(-rate)
        for i in range(int(ahead.max()) if ahead.size else 0):
            stay *= (after + i) / (self.gamma_ + after + i) * keep
            total += np.where(i < ahead, stay, 0.0)
        return total

    def _log_likelihood(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        value, _ = _likelihood(self._theta(), np.ravel(x), np.ravel(t_x), np.ravel(n), slopes=False)
        return value.reshape(np.shape(x))

    def _log_ratio(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """ln of the likelihood over its part that is alive after n."""
        return self._log_likelihood(x, t_x, n) - _alive(self._theta(), x, n)

    def _evaluate(self, theta: Floats, rows: Histories) -> tuple[float, Floats]:
        value, slopes = _likelihood(theta, rows.x, rows.t_x, rows.T)
        return float(rows.w @ value), slopes @ rows.w

    def _simulate(self, rng: np.random.Generator, t: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        out = np.zeros(x.size)
        here = np.flatnonzero(rng.random(x.size) < np.exp(-self._log_ratio(x, t_x, T)))
        order = rng.beta(self.alpha_ + x[here], self.beta_ + T[here] - x[here])
        leave = np.maximum(rng.beta(self.gamma_, self.delta_ + T[here]), 1e-15)
        stays = np.floor(np.log1p(-rng.random(here.size)) / np.log1p(-np.minimum(leave, 1 - 1e-16)))
        out[here] = rng.binomial(np.minimum(stays, t).astype(np.int64), order)
        return out

    def _starts(self, rows: Histories) -> list[Floats]:
        share = (float(rows.w @ rows.x) + 0.5) / (
            float(rows.w @ rows.T) + 1
        )  # of opportunities with an order
        chances = [min(0.95, share * more) for _, more, _, _ in _STARTS]
        return [
            np.log([a, a * (1 / chance - 1), g, d])
            for (a, _, g, d), chance in zip(_STARTS, chances, strict=True)
        ]

    def _prior(self, rows: Histories) -> tuple[Floats, Floats]:
        chance = min(0.95, 1.5 * (float(rows.w @ rows.x) + 0.5) / (float(rows.w @ rows.T) + 1))
        return np.log([1.0, 1 / chance - 1, 0.7, 3.0]), np.array([1.0, 1.5, 1.0, 1.0])


def _alive(theta: Floats, x: Floats, n: Floats) -> Floats:
    from scipy.special import betaln

    a, b, g, d = np.exp(theta)
    return np.asarray(betaln(a + x, b + n - x) - betaln(a, b) + betaln(g, d + n) - betaln(g, d))


def _likelihood(
    theta: Floats, x: Floats, t_x: Floats, n: Floats, slopes: bool = True
) -> tuple[Floats, Floats]:
    """ln L of each history and its slopes by the log-parameters (4 × rows): eq. 5.

    Terms i = 0 .. n - t_x - 1: gone before opportunity t_x + i + 1; the last: still there.
    """
    from scipy.special import betaln, psi

    a, b, g, d = np.exp(theta)
    most = int((n - t_x).max()) if x.size else 0
    logs = [_alive(theta, x, n)]
    ends = [n]
    for i in range(most):
        end = np.minimum(t_x + i, n)
        term = betaln(a + x, b + end - x) - betaln(a, b) + betaln(g + 1, d + end) - betaln(g, d)
        logs.append(np.where(t_x + i < n, term, -np.inf))
        ends.append(end)
    stacked = np.array(logs)
    top = stacked.max(axis=0)
    chance = np.exp(stacked - top)
    mass = chance.sum(axis=0)
    value = top + np.log(mass)
    if not slopes:
        return value, np.empty((4, 0))
    chance /= mass
    end, gone = np.array(ends), np.ones((most + 1, 1))
    gone[0] = 0.0
    both, drop = psi(a + b + end), psi(g + gone + d + end)
    by_a = psi(a + x) - psi(a) + psi(a + b) - (chance * both).sum(axis=0)
    by_b = (chance * (psi(b + end - x) - both)).sum(axis=0) - psi(b) + psi(a + b)
    by_g = (chance * (psi(g + gone) - drop)).sum(axis=0) - psi(g) + psi(g + d)
    by_d = (chance * (psi(d + end) - drop)).sum(axis=0) - psi(d) + psi(g + d)
    return value, np.array([by_a * a, by_b * b, by_g * g, by_d * d])


def _whole(t: ArrayLike) -> Floats:
    ahead = together(t)[0]
    if not (np.isfinite(ahead) & (ahead >= 0) & (ahead == np.rint(ahead))).all():
        raise BadParameter(say("Opportunities are counted: give whole numbers that are not negative."))
    return ahead


def _opportunities(x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    count, last, seen = together(_whole(x), _whole(t_x), _whole(n))
    if ((count > last) | (last > seen) | ((count == 0) != (last == 0))).any():
        raise BadParameter(
            say(
                "A customer has at most one order per opportunity: x <= t_x <= n, and t_x is 0 exactly where x is 0."
            )
        )
    return count, last, seen
