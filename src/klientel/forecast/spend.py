"""What an order of each customer is worth: Gamma-Gamma, scaled by frequency class where value depends on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from klientel.errors import NotEnoughData
from klientel.order_histories import Floats, Grouped
from klientel.words import Sentence, say

CLASSES = 5  # frequency classes at most where the level of order values depends on frequency
_LEAST = 50  # customers with repeat orders per class (handbook B11)
_FREE = 0.05  # q - 1 where order values have no mean: hardly any shrinkage


@dataclass(frozen=True)
class Spend:
    """Gamma-Gamma parameters: p, q for all, v by repeat orders x: the last class whose start is <= x.

    starts: lowest x per class, first 0; v: one per class; covariance: of (log p, log q, log v);
    correlation: Spearman of mean value and orders; notes: what must be said about the fit; recent: level of
    order values in the last 12 months / over the whole history.
    """

    p: float
    q: float
    v: Floats
    starts: Floats
    covariance: Floats
    correlation: float
    notes: tuple[Sentence, ...]
    recent: float = 1.0

    def each(self, paid: Floats) -> Floats:
        """Expected value of an order per unit of (v + spent): recent * p / (p paid + q - 1)."""
        return np.asarray(self.recent * self.p / (self.p * paid + self.q - 1))

    def level(self, x: Floats) -> Floats:
        """v for customers with x repeat orders."""
        return np.asarray(self.v[np.searchsorted(self.starts, x, side="right") - 1])

    def mean(self, x: Floats, paid: Floats, spent: Floats) -> Floats:
        """E[value of an order]: p (v + spent) / (p paid + q - 1); note 025 eq. 5, handbook B11b."""
        return self.each(paid) * (self.level(x) + spent)

    def brought_up(self, rows: Grouped, value: float) -> Spend:
        """The same at the level of the last 12 months: `value` is what the `rows.last` orders of them brought.

        Prices rise, and the mean of a whole history lags behind: measured on what is known at the origin.
        """
        expected = self.each(rows.paid) * (self.level(rows.x) * rows.n + rows.spent) / rows.n
        told = float(rows.last @ expected)
        return replace(self, recent=value / told) if told > 0 and value > 0 else self

    def simulate(self, orders: Floats, paid: Floats, *seed: int) -> Floats:
        """Value of simulated orders (rows x draws) per unit of (v + spent).

        The sum of N orders is gamma(p N, nu) with nu ~ gamma(p paid + q, v + spent), so it is
        (v + spent) * gamma(p N) / gamma(p paid + q): one draw serves all who share a history (note 025).
        """
        rng = np.random.default_rng(list(seed))
        worth = rng.standard_gamma(self.p * orders)
        worth /= np.maximum(rng.standard_gamma((self.p * paid + self.q)[:, None], orders.shape), 1e-300)
        return np.asarray(worth * self.recent)

    def lifted(self, factor: float) -> Spend:
        """The same at another level of order values."""
        return replace(self, recent=self.recent * factor)

    def moved(self, step: Floats) -> Spend:
        """The same with (log p, log q, log v) moved by `step`."""
        p, q, v = np.exp(step)
        return replace(self, p=self.p * p, q=max(self.q * q, 1 + _FREE / 2), v=self.v * v)


def fit_spend(x: Floats, paid: Floats, mean: Floats, n: Floats) -> Spend:
    """The spend model of customers with paid repeat orders: Gamma-Gamma on their mean order values.

    Where |Spearman| of value and frequency exceeds 0.2, the model's assumption fails for all customers
    at once (B11b): then it is fitted to values relative to the mean of their class of frequency (at least
    50 customers each), and those without repeat orders take the lowest class. Raises NotEnoughData if
    nobody has a paid repeat order.
    """
    from klientel.stats.spend import DEPENDENT, rank_correlation

    if not x.size:
        raise NotEnoughData(say("No customer has a repeat order, so nothing is known about order values."))
    correlation = rank_correlation(mean, paid, n)
    dependent = abs(correlation) > DEPENDENT
    starts = _classes(x, n) if dependent else np.zeros(1)
    at = np.searchsorted(starts, x, side="right") - 1
    levels = np.bincount(at, n * mean, starts.size) / np.bincount(at, n, starts.size)
    numbers, covariance, notes = _fit(mean / levels[at], paid, n)
    if starts.size > 1:
        told = say(
            "Order value depends on order frequency (rank correlation {rank}): its level is estimated "
            "separately in {k} classes of frequency.",
            rank=round(correlation, 2),
            k=int(starts.size),
        )
        notes = (*notes, told)
    elif dependent:
        told = say(
            "Order value depends on order frequency (rank correlation {rank}), and there are too few "
            "customers for separate classes: read order values with care.",
            rank=round(correlation, 2),
        )
        notes = (*notes, told)
    p, q, v = numbers
    return Spend(p, q, v * levels, starts, covariance, correlation, notes)


def _fit(
    mean: Floats, paid: Floats, n: Floats
) -> tuple[tuple[float, float, float], Floats, tuple[Sentence, ...]]:
    """(p, q, v), covariance of their logarithms, notes; without a finite mean hardly any shrinkage."""
    from klientel.stats.spend import GammaGamma

    model = GammaGamma().fit(mean, paid, n)
    notes = tuple(w for w in model.warnings_ if "rank" not in w.values)  # the correlation is told above
    if model.q_ <= 1:
        model = GammaGamma(penalty=1.0).fit(mean, paid, n)
    if model.q_ > 1 + _FREE:
        return (model.p_, model.q_, model.v_), np.asarray(model.covariance_), notes
    plain = float((n * paid) @ mean / (n @ paid))
    return (1.0, 1 + _FREE, plain * _FREE), np.zeros((3, 3)), notes


def _classes(x: Floats, n: Floats) -> Floats:
    """Lowest x of up to CLASSES classes of about equal size with at least _LEAST customers each; first 0."""
    levels, at = np.unique(x, return_inverse=True)
    size = np.bincount(at, n, levels.size)
    k = int(min(CLASSES, size.sum() // _LEAST))
    starts, inside, left = [0.0], 0.0, float(size.sum())
    for level, count in zip(levels, size, strict=True):
        if len(starts) < k and inside >= max(_LEAST, size.sum() / k) and left >= _LEAST:
            starts.append(float(level))
            inside = 0.0
        inside += count
        left -= count
    return np.array(starts)
