"""Durations that may still be running: Kaplan-Meier, Aalen-Johansen, log-rank (handbook B5, B9, C4, G12, G13)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.intervals import wilson
from klientel.stats.risk_sets import checked, over, risk_sets, step, weight_at_risk
from klientel.words import Sentence, say

Floats = NDArray[np.float64]

ENOUGH = 10  # customers at risk up to which curves are read (handbook B5, C4)
_SLACK = 1e-12  # of sums of shares
_WIDEST = 700.0  # half width on the log-log scale; its exponential still is a number


@dataclass(frozen=True)
class RestrictedMean:
    """Mean duration up to tau: `mean`, its `variance`, and the interval low, high; all in units of time."""

    mean: float
    variance: float
    tau: float
    low: float
    high: float


class KaplanMeier:
    """Survival curve S(t) = Π (1 - d_j / n_j) with right censoring, delayed entry and weights.

    n_j counts who entered before t_j and did not leave before t_j; at equal times ends come before
    censoring. After `fit`: `times_` (distinct observed durations, ascending), `survival_`, `at_risk_`,
    `events_`, `median_` (first t with S <= 0.5, None if not reached), `n_`, `excluded_`, `note_`.
    start: look only at survival beyond it, which keeps a few early entrants from deciding the curve.
    Source: Kaplan & Meier 1958, eq. 2b; Greenwood 1926; handbook B5, vector V17.
    """

    times_: Floats
    survival_: Floats
    at_risk_: Floats
    events_: Floats
    n_: float
    excluded_: float
    note_: Sentence | None

    def __init__(self, start: float = 0.0):
        self.start = start

    def fit(
        self,
        durations: ArrayLike,
        observed: ArrayLike,
        entry: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Learn the curve from durations, whether each end was observed, age at entry, and counts.

        Rows may be customers or groups of equal ones with their number in weights. Raises BadParameter
        if a duration is negative, missing, or shorter than its entry. No rows give an empty curve.
        """
        t, ends, begin, w = checked(durations, observed, entry, weights)
        if self.start > 0:
            later = t > self.start
            t, ends, w, begin = t[later], ends[later], w[later], np.maximum(begin[later], self.start)
        sets = risk_sets(t, begin, w, ends.astype(np.int64), 1)
        self.times_, self.at_risk_, self.events_ = sets.times, sets.at_risk, sets.ended[0]
        self.n_, self.excluded_ = sets.n, sets.excluded
        share = over(self.events_, self.at_risk_)
        self.survival_ = np.asarray(np.cumprod(1 - share))
        left = self.at_risk_ - self.events_
        terms = np.where(left > 0, over(self.events_, self.at_risk_ * left), 0.0)
        self._greenwood = np.cumsum(terms)  # of Var S / S²; S = 0 has no interval of its own
        self.note_ = self._early_end()
        return self

    @property
    def median_(self) -> float | None:
        """First time with S <= 0.5, None if it is not reached."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float | None:
        """First time with S <= 1 - share, None if it is not reached."""
        return _first(self.times_, self.survival_ <= 1 - share + _SLACK)

    def median_interval(self, level: float = 0.95) -> tuple[float | None, float | None]:
        """Interval of the median: where the limits of the curve pass 0.5 (Brookmeyer & Crowley 1982)."""
        low, high = self.interval(level)
        return _first(self.times_, low <= 0.5), _first(self.times_, high <= 0.5)

    @property
    def variance_(self) -> Floats:
        """Greenwood's variance of S at `times_`: S² Σ d_j / (n_j (n_j - d_j))."""
        return np.asarray(self.survival_**2 * self._greenwood)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Limits (low, high) of S at `times_`: log-log with Greenwood's variance (G13).

        Before the first end (S = 1) the lower limit is Wilson's for n of n; where S = 0 it is 0 and
        the upper limit stays what it was.
        """
        z = _z(level)
        s = self.survival_
        inner = (s > 0) & (s < 1)
        log_s = np.log(np.where(inner, s, 0.5))
        width = np.minimum(z * np.sqrt(self._greenwood) / np.abs(log_s), _WIDEST)
        low, high = np.exp(log_s * np.exp(width)), np.exp(log_s * np.exp(-width))
        certain = np.asarray(wilson(self.at_risk_, self.at_risk_, level)[0]).reshape(s.shape)
        low = np.where(s >= 1, certain, np.where(s <= 0, 0.0, low))
        high = np.where(s >= 1, 1.0, np.where(s <= 0, np.inf, high))
        return low, np.minimum(1.0, np.where(s <= 0, np.minimum.accumulate(high), high)) if s.size else high

    def survival_at(self, t: ArrayLike) -> Any:
        """S at any times; 1 before the first, NaN beyond the last observed time unless S has reached 0."""
        return _plain(step(self.times_, self.survival_, np.asarray(t, dtype=float), 1.0, ends_at=0.0))

    def conditional(self, age: ArrayLike, more: ArrayLike) -> Any:
        """S(age + more) / S(age): probability that who has reached this age stays so much longer."""
        base, add = np.broadcast_arrays(np.asarray(age, dtype=float), np.asarray(more, dtype=float))
        now = step(self.times_, self.survival_, base, 1.0, ends_at=0.0)
        then = step(self.times_, self.survival_, base + add, 1.0, ends_at=0.0)
        return _plain(np.where(now > 0, then / np.where(now > 0, now, 1.0), np.nan))

    def horizon(self, at_least: float = ENOUGH) -> float:
        """Largest observed time with so many at risk, tau of B5. Raises NotEnoughData if there is none."""
        return _horizon(self.times_, self.at_risk_, at_least)

    def restricted_mean(self, tau: float | None = None, level: float = 0.95) -> RestrictedMean:
        """Mean duration up to tau, the area under S from 0 (or `start`) to tau; None takes `horizon()`.

        Variance: Σ (area from t_j to tau)² d_j / (n_j (n_j - d_j)) over ends up to tau. Raises
        BadParameter if tau lies beyond the last observed time while S is still above 0.
        Source: Irwin 1949; Klein & Moeschberger 2003, eqs. 4.5.1 and 4.5.2; handbook B5.
        """
        end = self.horizon() if tau is None else float(tau)
        last = float(self.times_[-1]) if self.times_.size else self.start
        if not end >= self.start or (end > last and not (self.times_.size and self.survival_[-1] <= 0)):
            raise BadParameter(say("The curve is known up to {last}; choose tau within it.", last=last))
        inside = self.times_ < end
        edges = np.concatenate([[self.start], np.maximum(self.times_[inside], self.start), [end]])
        heights = np.concatenate([[1.0], self.survival_[inside]])
        areas = heights * np.diff(edges)
        after = areas.sum() - np.cumsum(areas)[:-1]  # area from t_j to tau
        terms = np.diff(self._greenwood[inside], prepend=0.0)
        mean, variance = float(areas.sum()), float((after**2 * terms).sum())
        half = _z(level) * variance**0.5
        return RestrictedMean(mean, variance, end, max(0.0, mean - half), min(end, mean + half))

    def _early_end(self) -> Sentence | None:
        gone = np.flatnonzero(self.survival_ <= 0)
        if gone.size and gone[0] < self.times_.size - 1:
            return say(
                "Everybody at risk at {time} left then, while others came under observation later; "
                "begin the curve after it.",
                time=float(self.times_[gone[0]]),
            )
        return None


class AalenJohansen:
    """Cumulative incidence of several causes of an end: CIF_k(t) = Σ S(t_{j-1}) d_kj / n_j.

    S(t) + Σ_k CIF_k(t) = 1. After `fit`: `times_`, `survival_`, `at_risk_`, `causes_` (sorted),
    `incidence_[cause]`, `variance_[cause]`, `events_[cause]`, `n_`, `excluded_`.
    Source: Aalen & Johansen 1978; variance by Dinse & Larson 1986 (generalises Greenwood);
    handbook C4, vector V21.
    """

    times_: Floats
    survival_: Floats
    at_risk_: Floats
    causes_: list[Any]
    incidence_: dict[Any, Floats]
    variance_: dict[Any, Floats]
    events_: dict[Any, Floats]
    n_: float
    excluded_: float

    def fit(
        self,
        durations: ArrayLike,
        causes: ArrayLike | Sequence[Any],
        entry: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Learn from durations and the cause of each end; a cause of 0, None, "" or NaN means still running.

        Entry and weights as in `KaplanMeier.fit`. Ends of all causes on the same day enter together,
        censoring after them. Raises BadParameter as there.
        """
        codes, self.causes_ = _causes(causes)
        t, _, begin, w = checked(durations, codes > 0, entry, weights)
        sets = risk_sets(t, begin, w, codes, len(self.causes_))
        self.times_, self.at_risk_, self.n_, self.excluded_ = sets.times, sets.at_risk, sets.n, sets.excluded
        n, all_ends = sets.at_risk, sets.ended.sum(axis=0)
        self.survival_ = np.asarray(np.cumprod(1 - over(all_ends, n)))
        before = np.concatenate([[1.0], self.survival_[:-1]]) if n.size else n
        self.incidence_, self.variance_, self.events_ = {}, {}, {}
        for cause, ends in zip(self.causes_, sets.ended, strict=True):
            steps = before * over(ends, n)
            self.events_[cause] = ends
            self.incidence_[cause] = np.cumsum(steps)
            self.variance_[cause] = _incidence_variance(self.incidence_[cause], before, ends, all_ends, n)
        return self

    def incidence_at(self, cause: Hashable, t: ArrayLike) -> Any:
        """CIF of a cause at any times: 0 before the first, NaN beyond the last unless nobody is left."""
        values = self._of(self.incidence_, cause)
        done = values[-1] if values.size and self.survival_[-1] <= _SLACK else np.nan
        return _plain(step(self.times_, values, np.asarray(t, dtype=float), 0.0, ends_at=done))

    def interval(self, cause: Hashable, level: float = 0.95) -> tuple[Floats, Floats]:
        """Limits (low, high) of the CIF at `times_` on the log-log scale; (0, Wilson for 0 of n) while it is 0."""
        f, variance = self._of(self.incidence_, cause), self._of(self.variance_, cause)
        inner = (f > 0) & (f < 1 - _SLACK)  # sums of shares miss 1 by rounding
        log_f = np.log(np.where(inner, f, 0.5))
        width = _z(level) * np.sqrt(variance) / (np.where(inner, f, 0.5) * np.abs(log_f))
        width = np.minimum(width, _WIDEST)
        low, high = np.exp(log_f * np.exp(width)), np.exp(log_f * np.exp(-width))
        none = np.asarray(wilson(np.zeros_like(self.at_risk_), self.at_risk_, level)[1]).reshape(f.shape)
        return np.where(f <= 0, 0.0, np.where(inner, low, f)), np.where(
            f <= 0, none, np.where(inner, high, 1.0)
        )

    def median(self, cause: Hashable, at_least: float = ENOUGH) -> float | None:
        """Median duration of ends by this cause: first t with CIF(t) >= CIF(tau) / 2 (handbook C4).

        tau is the largest time with `at_least` at risk. None if that is nowhere or nobody ended so.
        """
        values = self._of(self.incidence_, cause)
        try:
            final = float(values[self.times_ == _horizon(self.times_, self.at_risk_, at_least)][0])
        except NotEnoughData:
            return None
        return _first(self.times_, values >= final / 2 - _SLACK) if final > 0 else None

    def _of(self, table: dict[Any, Floats], cause: Hashable) -> Floats:
        if cause not in table:
            names = ", ".join(str(name) for name in self.causes_)
            raise BadParameter(
                say("No end has the cause {cause}; known are {names}.", cause=str(cause), names=names)
            )
        return table[cause]


@dataclass(frozen=True)
class LogRank:
    """Do the curves of groups differ? Chi-square `statistic`, `degrees`, `p_value`, and per group what was
    observed and what equal curves would have led to expect."""

    statistic: float
    degrees: int
    p_value: float
    groups: list[Any]
    observed: Floats
    expected: Floats


def logrank(
    durations: ArrayLike,
    observed: ArrayLike,
    groups: ArrayLike,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> LogRank:
    """Log-rank test of equal survival in two or more groups, with delayed entry and weights.

    (O-E)' V⁻ (O-E) with the hypergeometric covariance at each end; V⁻ leaves out directions without
    information. Raises NotEnoughData with fewer than two groups or without an end.
    Source: Mantel 1966; Klein & Moeschberger 2003, eqs. 7.3.3-7.3.5; handbook B9.
    """
    from scipy.special import gammaincc

    t, ends, begin, w = checked(durations, observed, entry, weights)
    names, member = np.unique(np.asarray(groups).ravel(), return_inverse=True)
    if member.size != t.size:
        raise BadParameter(say("Durations, ends, entries and weights must be equally many."))
    times = np.unique(t[ends & (begin < t)])
    if names.size < 2 or times.size == 0:
        raise NotEnoughData(say("A comparison of curves needs two groups and at least one observed end."))
    n = np.stack(
        [weight_at_risk(times, t[member == g], begin[member == g], w[member == g]) for g in range(names.size)]
    )
    at = np.searchsorted(times, t[ends & (begin < t)])
    place = member[ends & (begin < t)] * times.size + at
    d = np.bincount(place, w[ends & (begin < t)], n.size).reshape(n.shape)
    total, gone = n.sum(axis=0), d.sum(axis=0)
    share = n / total
    expected = (share * gone).sum(axis=1)
    factor = np.where(total > 1, gone * (total - gone) / np.maximum(total - 1, 1e-300), 0.0)
    covariance = np.diag((share * factor).sum(axis=1)) - (share * factor) @ share.T
    off = d.sum(axis=1) - expected
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    degrees = int(
        np.linalg.matrix_rank(covariance, tol=1e-10 * max(covariance.max(), 1e-300), hermitian=True)
    )
    statistic = float(off @ inverse @ off)
    p = float(gammaincc(degrees / 2, statistic / 2)) if degrees else 1.0
    return LogRank(statistic, degrees, p, names.tolist(), d.sum(axis=1), expected)


def _incidence_variance(f: Floats, before: Floats, ends: Floats, all_ends: Floats, n: Floats) -> Floats:
    """Σ (F(t)-F_j)² d_j/(n_j(n_j-d_j)) + Σ S² (n_j-d_kj) d_kj/n_j³ - 2 Σ (F(t)-F_j) S d_kj/n_j², as sums."""
    left = n - all_ends
    spread = np.where(left > 0, over(all_ends, n * left), 0.0)
    own = before**2 * over(ends * (n - ends), n**3)
    mixed = before * over(ends, n**2)
    squares = f**2 * np.cumsum(spread) - 2 * f * np.cumsum(spread * f) + np.cumsum(spread * f**2)
    return np.asarray(
        np.maximum(squares + np.cumsum(own) - 2 * (f * np.cumsum(mixed) - np.cumsum(mixed * f)), 0.0)
    )


def _causes(causes: ArrayLike | Sequence[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Codes 1, 2, ... of sorted labels; 0 for ends not seen."""
    labels = np.asarray(causes, dtype=None if isinstance(causes, np.ndarray) else object).ravel()
    if labels.dtype.kind == "O":
        running = np.array([v is None or v == "" or v == 0 or v != v for v in labels], dtype=bool)
    elif labels.dtype.kind in "US":
        running = labels == ""
    else:
        running = (labels == 0) | (labels != labels)
    try:
        names, codes = np.unique(labels[~running], return_inverse=True)
    except TypeError:
        raise BadParameter(say("The causes must all be of one kind, words or numbers.")) from None
    found = np.zeros(labels.size, dtype=np.int64)
    found[~running] = codes + 1
    return found, names.tolist()


def _horizon(times: Floats, at_risk: Floats, at_least: float) -> float:
    enough = np.flatnonzero(at_risk >= at_least)
    if enough.size == 0:
        raise NotEnoughData(
            say("At no time are {n} or more at risk, so the curve cannot be read.", n=at_least)
        )
    return float(times[enough[-1]])


def _first(times: Floats, where: NDArray[np.bool_]) -> float | None:
    hits = np.flatnonzero(where)
    return float(times[hits[0]]) if hits.size else None


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise BadParameter(say("The level of an interval must lie between 0 and 1, for example 0.95."))
    return NormalDist().inv_cdf((1 + level) / 2)


def _plain(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else np.asarray(values)
