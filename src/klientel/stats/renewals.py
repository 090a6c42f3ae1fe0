"""Contracts that are renewed or not: beta-geometric retention that rises with age by sorting (handbook B11c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats import lifetime_formulas as formulas
from klientel.stats.beta_functions import log_beta_ratio, log_beta_ratio_far
from klientel.stats.intervals import percentile
from klientel.stats.maximum import inverse, maximise
from klientel.stats.renewal_tables import RiskTable, cohort_table, contract_table
from klientel.words import Sentence, mark, say

Floats = NDArray[np.float64]

LIMIT = 1e4  # a parameter above it means a flat likelihood: not identified (handbook B11b)
_LOWEST = 1e-6
_WIDEST = 2.0  # standard error of a logarithm: beyond it a parameter is known to a factor of 50 at best
_BOUNDS = {"c": (0.02, 20.0)}  # beyond it t^c is a step or a constant
_HEAD = 2_000  # terms summed one by one before the rest is integrated
_GRID = 4_000
SEED = 20_240_311


class RenewalModel:
    """What all renewal models can answer once their survival curve S(t) is known."""

    names: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = ""
    loglik_: float
    covariance_: Floats
    n_: float
    identified_: bool = True
    note_: Sentence | None = None

    def fit(self, survivors: ArrayLike) -> Self:
        """Fit to the counts of one cohort alive after 0, 1, 2, ... periods; see `cohort_table`."""
        return self.fit_table(cohort_table(survivors))

    def fit_censored(
        self,
        durations: ArrayLike,
        ended: ArrayLike,
        weights: ArrayLike | None = None,
        entry: ArrayLike | None = None,
    ) -> Self:
        """Fit to single contracts with right censoring and left truncation; see `contract_table`."""
        return self.fit_table(contract_table(durations, ended, entry, weights))

    def fit_table(self, table: RiskTable) -> Self:
        """Fit to a risk table by maximum likelihood; several starts, Newton steps at the end.

        The likelihood sees only who was up for renewal t and who left there, so a risk table is
        sufficient. Raises NotEnoughData if nobody left, or with fewer renewal periods than parameters.
        """
        _enough(table, len(self.names))
        self.n_ = float(table.at_risk.max())
        limits = np.array([_BOUNDS.get(name, (_LOWEST, LIMIT)) for name in self.names])
        best, value, hessian = maximise(lambda x: self._loss(np.exp(x), table), self._starts(table), limits)
        numbers = np.exp(best)
        for name, number in zip(self.names, numbers, strict=True):
            setattr(self, f"{name}_", float(number))
        self.loglik_ = -float(value)
        self._log_covariance = inverse(hessian)
        inside = (numbers < 0.999 * limits[:, 1]) & (numbers > 1.001 * limits[:, 0])
        spread = np.sqrt(np.diag(self._log_covariance))  # NaN where the likelihood is flat
        self.identified_ = bool(inside.all() and (spread < _WIDEST).all())
        if not self.identified_:
            self._log_covariance = np.full(hessian.shape, np.nan)
        self.covariance_ = self._log_covariance * np.outer(numbers, numbers)
        self.note_ = None if self.identified_ else _unidentified(numbers)
        return self

    def log_survival(self, t: ArrayLike) -> Floats:
        """ln S(t), the logarithm of the share alive after t periods, t >= 0."""
        raise NotImplementedError

    def survival(self, t: ArrayLike) -> Any:
        """S(t): probability that a new contract is alive after t periods, t >= 0."""
        return _plain(np.exp(self.log_survival(_at_least(t, 0))))

    def retention(self, t: ArrayLike) -> Any:
        """S(t) / S(t-1): probability that renewal t = 1, 2, ... succeeds, given that it comes up."""
        at = _at_least(t, 1)
        return _plain(np.exp(self.log_survival(at) - self.log_survival(at - 1)))

    def probability_of_renewal(self, n: ArrayLike, periods: ArrayLike = 1) -> Any:
        """S(n + periods) / S(n): probability that a contract with n renewals behind it makes the next ones."""
        at, more = np.broadcast_arrays(_at_least(n, 0), _at_least(periods, 0))
        return _plain(np.exp(self.log_survival(at + more) - self.log_survival(at)))

    @property
    def expected_lifetime(self) -> float:
        """Expected periods of a new contract, the first one counted: sum of S(t) from 0; may be infinite."""
        return float(self.discounted_expected_lifetime(0.0))

    def discounted_expected_lifetime(self, rate: float, periods: int | None = None) -> float:
        """DEL: sum_{t>=0} S(t) / (1 + rate)^t, the value of a new contract in payments at period starts.

        periods: count only the first so many payments. CLV = margin · DEL. Source: handbook B11c.
        """
        if periods is None:
            return 1.0 + float(self._residual(formulas._rate(rate), np.ones(1))[0]) / (1 + rate)
        return self._sum(0.0, 0.0, rate, periods)

    def discounted_expected_residual_lifetime(
        self, rate: float, n: ArrayLike, periods: int | None = None
    ) -> Any:
        """DERL just before renewal n = 1, 2, ...: sum_{t>=n} S(t) / S(n-1) / (1 + rate)^(t-n).

        The contract is alive, has been paid for n periods and renewal n comes next; its payment counts
        in full. n may be an array; periods as in DEL. RLV = margin · DERL. Source: handbook B11c.
        """
        at = _at_least(n, 1)
        if periods is None:
            different, back = np.unique(at.ravel(), return_inverse=True)
            return _plain(self._residual(formulas._rate(rate), different)[back].reshape(at.shape))
        sums = [self._sum(float(k), float(k) - 1, rate, periods) for k in at.ravel()]
        return _plain(np.array(sums).reshape(at.shape))

    def draws(self, size: int = 500, seed: int = SEED) -> list[Self]:
        """Models with parameters drawn from the normal of their logarithms (handbook G13).

        Raises NotEnoughData if the parameters are not identified.
        """
        if not self.identified_ or not np.isfinite(self._log_covariance).all():
            raise NotEnoughData(
                say("The data do not identify the renewal model, so no interval can be given.")
            )
        centre = np.log([getattr(self, f"{name}_") for name in self.names])
        rng = np.random.default_rng(seed)
        drawn = rng.multivariate_normal(centre, self._log_covariance, size=size, method="eigh")
        return [self.of(*np.exp(np.clip(row, -30, 30))) for row in drawn]

    def interval(
        self, quantity: Callable[[Self], ArrayLike], level: float = 0.95, size: int = 500
    ) -> tuple[Any, Any]:
        """Interval (low, high) of any figure of the model, e.g. `lambda m: m.survival([1, 2, 3])`."""
        values = np.array([np.asarray(quantity(model), dtype=float) for model in self.draws(size)])
        ends = np.array([percentile(column, level) for column in values.reshape(size, -1).T])
        shape = values.shape[1:]
        return _plain(ends[:, 0].reshape(shape)), _plain(ends[:, 1].reshape(shape))

    @classmethod
    def of(cls, *numbers: float) -> Self:
        """A model with parameters entered by hand, in the order of `names`."""
        if len(numbers) != len(cls.names) or not all(np.isfinite(v) and v > 0 for v in numbers):
            raise BadParameter(
                say(
                    "The model needs {n} positive numbers: {names}.",
                    n=len(cls.names),
                    names=", ".join(cls.names),
                )
            )
        made = cls()
        for name, number in zip(cls.names, numbers, strict=True):
            setattr(made, f"{name}_", float(number))
        size = len(cls.names)
        made.loglik_, made.covariance_ = float("nan"), np.full((size, size), np.nan)
        made._log_covariance = made.covariance_
        return made

    _log_covariance: Floats

    def _loss(self, numbers: Floats, table: RiskTable) -> tuple[float, Floats]:
        """Minus log-likelihood and its slope in the logarithms of the parameters."""
        raise NotImplementedError

    def _starts(self, table: RiskTable) -> list[Floats]:
        churn = float(np.clip(table.ended.sum() / table.at_risk.sum(), 1e-4, 1 - 1e-4))
        rest = [1.0] * (len(self.names) - 2)
        sizes = (0.3, 1.0, 4.0, 30.0, 300.0)
        return [np.log(np.clip([churn * s, (1 - churn) * s, *rest], 1e-4, LIMIT / 2)) for s in sizes]

    def _residual(self, rate: float, n: Floats) -> Floats:
        """DERL without end for each n."""
        raise NotImplementedError

    def _sum(self, first: float, given: float, rate: float, periods: int) -> float:
        k = np.arange(formulas._whole(periods), dtype=float)
        log_given = self.log_survival(np.array(given))
        terms = self.log_survival(first + k) - log_given - k * np.log1p(formulas._rate(rate))
        return float(np.exp(terms).sum())


class ConstantRetention(RenewalModel):
    """The naive baseline: every renewal succeeds with the same probability `retention_`."""

    names = ("churn",)
    title = mark("constant retention")
    churn_: float

    def fit_table(self, table: RiskTable) -> Self:
        """Fit to a risk table: ended / at risk over all renewals."""
        _enough(table, 1)
        n, d = float(table.at_risk.sum()), float(table.ended.sum())
        self.n_, self.churn_ = float(table.at_risk.max()), d / n
        with np.errstate(divide="ignore", invalid="ignore"):
            self.loglik_ = float(np.nansum([d * np.log(d / n), (n - d) * np.log1p(-d / n) if d < n else 0.0]))
        self.covariance_ = np.array([[d / n * (1 - d / n) / n]])
        self._log_covariance = self.covariance_ / self.churn_**2
        return self

    def log_survival(self, t: ArrayLike) -> Floats:
        """ln S(t) = t ln(1 - churn)."""
        at = np.asarray(t, dtype=float)
        return np.asarray(at * np.log(max(1 - self.churn_, 1e-300)))

    def _residual(self, rate: float, n: Floats) -> Floats:
        keep = max(1 - self.churn_, 0.0)
        return np.full(n.shape, keep * (1 + rate) / (1 + rate - keep))


class ShiftedBetaGeometric(RenewalModel):
    """Each contract has its own churn probability θ ~ Beta(alpha, beta) at every renewal (sBG).

    P(T=1) = α/(α+β), r_t = (β+t-1)/(α+β+t-1), S(t) = B(α, β+t)/B(α, β). After `fit`: `alpha_`, `beta_`,
    `loglik_`, `covariance_` (of alpha, beta), `identified_`, `note_`. Source: Fader & Hardie 2007,
    eqs. 5-7; handbook B11c, vector V10.
    """

    names = ("alpha", "beta")
    title = mark("shifted beta-geometric")
    alpha_: float
    beta_: float

    def log_survival(self, t: ArrayLike) -> Floats:
        """ln S(t) = ln B(α, β+t) - ln B(α, β), without cancellation for large α, β or t."""
        return log_beta_ratio(self.alpha_, self.beta_, np.asarray(t, dtype=float))

    def retention(self, t: ArrayLike) -> Any:
        """Probability that renewal t = 1, 2, ... succeeds: (β+t-1) / (α+β+t-1)."""
        at = _at_least(t, 1)
        return _plain((self.beta_ + at - 1) / (self.alpha_ + self.beta_ + at - 1))

    def _residual(self, rate: float, n: Floats) -> Floats:
        found = formulas.discounted_expected_residual_lifetime(self.alpha_, self.beta_, rate, n)
        return np.asarray(found)

    def _loss(self, numbers: Floats, table: RiskTable) -> tuple[float, Floats]:
        a, b = numbers
        n, d, past = table.at_risk, table.ended, table.t - 1
        kept = n - d
        value = d.sum() * np.log(a) + (kept * np.log(b + past)).sum() - (n * np.log(a + b + past)).sum()
        both = (n / (a + b + past)).sum()
        slope = np.array([d.sum() / a - both, (kept / (b + past)).sum() - both])
        return -float(value), -slope * numbers


class BetaDiscreteWeibull(RenewalModel):
    """sBG whose single contracts age: S(t) = B(α, β + t^c) / B(α, β); c = 1 is the sBG, c > 1 tires (BdW).

    After `fit`: `alpha_`, `beta_`, `c_`, `loglik_`, `covariance_` (in that order). Source: Fader, Hardie
    et al. 2018, JIM 43; handbook B11c.
    """

    names = ("alpha", "beta", "c")
    title = mark("beta-discrete-Weibull")
    alpha_: float
    beta_: float
    c_: float

    def log_survival(self, t: ArrayLike) -> Floats:
        """ln S(t) = ln B(α, β + t^c) - ln B(α, β)."""
        return log_beta_ratio(self.alpha_, self.beta_, np.asarray(t, dtype=float) ** self.c_)

    def _residual(self, rate: float, n: Floats) -> Floats:
        if rate == 0 and self.alpha_ * self.c_ <= 1:
            return np.full(n.shape, np.inf)
        return np.array([self._one_residual(rate, float(k)) for k in n])

    def _one_residual(self, rate: float, n: float) -> float:
        """Terms one by one, then Euler-Maclaurin: integral + f/2 - f'/12 from where S has become smooth."""
        delta = np.log1p(rate)
        given = float(self.log_survival(np.array(n - 1)))
        k = np.arange(_HEAD, dtype=float)
        head = float(np.exp(self.log_survival(n + k) - given - delta * k).sum())
        start = n + _HEAD

        def log_term(log_t: Floats) -> Floats:  # by ln t, because power tails reach beyond the largest float
            value = log_beta_ratio_far(self.alpha_, self.beta_, self.c_ * log_t) - given
            return np.asarray(value - delta * (np.exp(log_t) - n) if delta > 0 else value)

        def term(t: float) -> float:
            return float(np.exp(log_term(np.log(np.array(t)))))

        first = term(start)
        if first < 1e-300:
            return head
        reach = np.log(800 / delta) if delta > 0 else 60 / (self.alpha_ * self.c_ - 1) + np.log(start)
        s = np.linspace(-np.arcsinh(45.0), np.arcsinh(reach), _GRID)
        u = np.sinh(s)  # t = start + e^u: power tails become exponential ones, which the trapezium rule likes
        values = np.exp(log_term(np.logaddexp(np.log(start), u)) + u) * np.cosh(s)
        slope = term(start + 0.5) - term(start - 0.5)
        return head + float(np.trapezoid(values, s)) + first / 2 - slope / 12

    def _loss(self, numbers: Floats, table: RiskTable) -> tuple[float, Floats]:
        from scipy.special import psi

        a, b, c = numbers
        n, d = table.at_risk, table.ended
        t = np.stack([table.t, table.t - 1])
        u = t**c
        log_s = log_beta_ratio(a, b, u)
        by_u = psi(b + u) - psi(a + b + u)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_c = np.where(t > 0, by_u * u * np.log(t), 0.0)
        slopes = np.stack([psi(a + b) - psi(a + b + u), by_u - psi(b) + psi(a + b), by_c])
        log_keep = np.minimum(log_s[0] - log_s[1], -1e-300)
        churn = np.maximum(-np.expm1(log_keep), 1e-300)
        value = (d * np.log(churn) + (n - d) * log_keep).sum()
        per_keep = (n - d) - d * np.exp(log_keep) / churn
        slope = ((slopes[:, 0] - slopes[:, 1]) * per_keep).sum(axis=1)
        return -float(value), -slope * numbers


def _enough(table: RiskTable, parameters: int) -> None:
    if not table.ended.sum() > 0:
        raise NotEnoughData(say("No contract ended, so a renewal model has nothing to learn from."))
    if table.t.size < parameters:
        raise NotEnoughData(
            say(
                "The model has {n} parameters and needs as many renewal periods; there are {found}.",
                n=parameters,
                found=int(table.t.size),
            )
        )


def _unidentified(numbers: Floats) -> Sentence:
    if numbers[:2].sum() > 1:  # flat towards large numbers: equal contracts
        return say(
            "Not identified: the contracts do not differ in their risk, a constant rate describes them as well."
        )
    return say("Not identified: almost all contracts either leave at once or never.")


def _at_least(values: ArrayLike, least: int) -> Floats:
    found = np.asarray(values, dtype=float)
    if not (found >= least).all():
        raise BadParameter(say("The number of periods must be {least} or more.", least=least))
    return found


def _plain(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else np.asarray(values)
