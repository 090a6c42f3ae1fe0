"""Gamma-Gamma: what an order of each customer is worth, shrunken towards the portfolio."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from klientel.errors import BadParameter, NotEnoughData
from klientel.words import Sentence, say

Floats = NDArray[np.float64]

ENOUGH = 50  # customers with repeat orders below which a prior holds the parameters (handbook B11)
DEPENDENT = 0.2  # |Spearman| of orders and value above which the model's assumption fails (handbook B11)
_LOW, _HIGH, _FLAT = np.log(1e-4), np.log(2e4), 1e4
_STARTS = ((1.0, 2.0), (6.0, 4.0), (0.5, 1.5), (20.0, 3.0), (2.0, 15.0))
_CENTRE, _SD = np.log(np.array([3.0, 3.0])), 1.0  # of p and q; v follows from the mean value


class GammaGamma:
    """Order values: gamma(p, nu) per order, nu gamma(q, v) over customers; independent of frequency.

    penalty: weight of the prior on log-parameters; None takes 0 for at least 50 customers and 1 below
    (stated in `warnings_`). Learned: `p_`, `q_`, `v_` (v in units of money), `population_mean_`, `loglik_`,
    `covariance_` of (log p, log q, log v), `n_`, `converged_`, `penalty_`, `warnings_`.
    Sources: Fader, Hardie & Lee 2005 (JMR 42), Fader & Hardie note 025; equations cited at the methods.
    """

    names = ("p", "q", "v")
    p_: float
    q_: float
    v_: float

    def __init__(self, penalty: float | None = None, starts: int = 5) -> None:
        """Settings only; `fit` learns."""
        self.penalty = penalty
        self.starts = starts

    def fit(self, mean_value: ArrayLike, orders: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Maximum likelihood; returns self. Note 025 eq. 1a (the likelihood of a mean of x orders).

        mean_value: mean value per repeat order, orders: how many repeat orders it is the mean of; rows with
        no order say nothing and are left out. weights: customers behind each row. Raises BadParameter for
        mean values that are not positive and NotEnoughData if nobody ordered again.
        """
        self._settings()
        z, x, w = _rows(mean_value, orders, weights)
        scale = float(w @ z) / float(w.sum())
        self.n_ = float(w.sum())
        self.penalty_ = float(self.penalty) if self.penalty is not None else float(self.n_ < ENOUGH)
        likelihood = _Likelihood(z / scale, x, w)
        theta, self.converged_, information = likelihood.maximise(self.penalty_, self.starts)
        self.loglik_ = likelihood(theta)[0] - float(w.sum()) * float(np.log(scale))
        self.p_, self.q_, self.v_ = (float(v) for v in np.exp(theta) * [1.0, 1.0, scale])
        values, vectors = np.linalg.eigh(information)
        self.covariance_ = (vectors / np.maximum(values, 0.25)) @ vectors.T  # flat: sd of 2 on the log scale
        self.warnings_ = self._words(bool(values.min() > 0.25), np.exp(theta), likelihood.rank_correlation())
        return self

    @classmethod
    def from_parameters(cls, p: float, q: float, v: float) -> Self:
        """A model with given parameters. Raises BadParameter unless all are positive."""
        model = cls()
        for name, value in zip(cls.names, (p, q, v), strict=True):
            if not (np.isfinite(value) and value > 0):
                raise BadParameter(say("The parameter {name} must be a positive number.", name=name))
            setattr(model, f"{name}_", float(value))
        model.converged_, model.n_ = True, 0.0
        model.warnings_ = () if q > 1 else (_no_mean(q),)
        return model

    @property
    def population_mean_(self) -> float:
        """Mean value of an order of a customer yet unknown: p v/(q - 1) (note 025); NaN where q <= 1."""
        return self.p_ * self.v_ / (self.q_ - 1) if self.q_ > 1 else float("nan")

    @property
    def parameters_(self) -> dict[str, float]:
        """Learned or given parameters by name."""
        return {name: getattr(self, f"{name}_") for name in self.names}

    def expected_value(self, mean_value: ArrayLike, orders: ArrayLike) -> Floats:
        """E[value of an order | mean of x orders] = p (v + x z)/(p x + q - 1): note 025 eq. 5.

        One per customer; with no order the population's mean. NaN where q <= 1 leaves no mean.
        """
        z, x = np.broadcast_arrays(np.asarray(mean_value, dtype=float), np.asarray(orders, dtype=float))
        if (x < 0).any() or not np.isfinite(x).all() or not (np.isfinite(z) & (z > 0))[x > 0].all():
            raise BadParameter(say("Mean values must be positive and numbers of orders not negative."))
        below = self.p_ * x + self.q_ - 1
        value = self.p_ * (self.v_ + np.where(x > 0, x * z, 0.0))
        return np.asarray(np.where(below > 0, value / np.where(below > 0, below, 1.0), np.nan))

    def draws(self, n: int, seed: int) -> Floats:
        """n draws of (p, q, v) from the normal law of their logarithms. BadParameter if not fitted."""
        if not hasattr(self, "covariance_"):
            raise BadParameter(say("Draws need a fitted model: given parameters have no uncertainty."))
        rng = np.random.default_rng(seed)
        values, vectors = np.linalg.eigh(self.covariance_)
        z = rng.standard_normal((n, 3)) * np.sqrt(np.maximum(values, 0.0))
        return np.asarray(np.exp(np.log([self.p_, self.q_, self.v_]) + z @ vectors.T))

    def sample_mean_value(self, mean_value: ArrayLike, orders: ArrayLike, draws: int, seed: int) -> Floats:
        """Draws of each customer's own mean order value: customers × draws.

        nu | data ~ gamma(p x + q, v + x z) (note 025), the mean is p/nu.
        """
        z, x = np.broadcast_arrays(np.asarray(mean_value, dtype=float), np.asarray(orders, dtype=float))
        rng = np.random.default_rng(seed)
        shape, rate = np.ravel(self.p_ * x + self.q_), np.ravel(self.v_ + np.where(x > 0, x * z, 0.0))
        return np.asarray(self.p_ * rate[:, None] / rng.gamma(shape[:, None], size=(x.size, draws)))

    def _settings(self) -> None:
        if (self.penalty is not None and not self.penalty >= 0) or self.starts < 1:
            raise BadParameter(say("The penalty must not be negative and at least one start is needed."))

    def _words(self, sound: bool, scaled: Floats, rank: float) -> tuple[Sentence, ...]:
        said = []
        if self.penalty_ > 0 and self.penalty is None:
            said.append(
                say(
                    "Only {n} customers with repeat orders: a prior holds the spend parameters near usual values.",
                    n=round(self.n_),
                )
            )
        if not self.converged_:
            said.append(say("The fit did not settle: treat its forecasts with care."))
        if self.q_ <= 1:
            said.append(_no_mean(self.q_))
        if not sound or (scaled > _FLAT).any() or (scaled[:2] <= np.exp(_LOW)).any():
            said.append(
                say("The spend likelihood is flat: order values differ too little to fix all parameters.")
            )
        if abs(rank) > DEPENDENT:
            said.append(
                say(
                    "Order value depends on order frequency (rank correlation {rank}): the spend model assumes "
                    "that it does not, so value groups of customers separately.",
                    rank=round(rank, 2),
                )
            )
        return tuple(said)


def rank_correlation(mean_value: ArrayLike, orders: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Spearman's rank correlation of mean order value and number of orders, among those with orders.

    Midranks for ties; 0 where one of the two does not vary. The Gamma-Gamma model assumes about 0;
    above 0.2 in size it should not be used for all customers at once (handbook B11).
    """
    z, x, w = _rows(mean_value, orders, weights)
    a, b = _midranks(z, w), _midranks(x, w)
    total = w.sum()
    a, b = a - (w @ a) / total, b - (w @ b) / total
    spread = float(np.sqrt((w @ a**2) * (w @ b**2)))
    return float(w @ (a * b)) / spread if spread > 0 else 0.0


class _Likelihood:
    """Note 025 eq. 1a and its gradient by the log-parameters; gamma functions once per number of orders."""

    def __init__(self, z: Floats, x: Floats, w: Floats) -> None:
        self.z, self.x, self.w = z, x, w
        self.levels, self.at = np.unique(x, return_inverse=True)
        self.level_weights = np.bincount(self.at, w, minlength=self.levels.size)
        self.sum_log = np.bincount(self.at, w * np.log(z * x), minlength=self.levels.size)
        self.constant = -float(w @ np.log(z))

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        from scipy.special import gammaln, psi

        p, q, v = np.exp(theta)
        n, weight = self.levels, self.level_weights
        spent = self.z * self.x
        log = np.log1p(spent / v)  # log (v + x z) - log v
        per = np.bincount(self.at, self.w * log, minlength=n.size)
        value = (
            weight @ (gammaln(p * n + q) - gammaln(p * n) - gammaln(q) - p * n * np.log(v))
            + self.sum_log @ (p * n) - per @ (p * n + q) + self.constant
        )  # fmt: skip
        both = psi(p * n + q)
        by_p = weight @ (n * (both - psi(p * n) - np.log(v))) + self.sum_log @ n - per @ n
        by_q = weight @ (both - psi(q)) - per.sum()
        share = self.w * (spent / (v + spent))
        by_v = (np.bincount(self.at, share, minlength=n.size) @ (p * n + q)) - weight @ (p * n)
        return float(value), np.array([by_p * p, by_q * q, by_v])

    def maximise(self, penalty: float, starts: int) -> tuple[Floats, bool, Floats]:
        """(log-parameters, settled, minus the Hessian) of the best start, with mean value 1."""
        from scipy.optimize import minimize

        def loss(theta: Floats) -> tuple[float, Floats]:
            value, gradient = self(theta)
            off = (theta[:2] - _CENTRE) / _SD
            gradient[:2] -= penalty * off / _SD
            return -(value - 0.5 * penalty * float(off @ off)) / scale, -gradient / scale

        scale = float(self.w.sum())
        bounds = [(_LOW, _HIGH), (_LOW, _HIGH), (np.log(1e-6), np.log(1e6))]
        options = {"maxiter": 1_000, "ftol": 1e-15, "gtol": 1e-10}
        found = []
        for p, q in _STARTS[:starts]:
            start = np.log([p, q, max(q - 1, 0.5) / p])
            found.append(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options))
        theta = np.asarray(min(found, key=lambda one: float(one.fun)).x)
        for _ in range(8):  # Newton steps settle what the quasi-Newton search left
            bend, slope = _hessian(loss, theta), loss(theta)[1]
            if np.linalg.eigvalsh(bend).min() <= 0:
                break
            step = np.linalg.solve(bend, slope)
            if np.abs(step).max() > 0.5 or float(step @ slope) * scale < 1e-13:
                break
            theta = np.clip(theta - step, [b[0] for b in bounds], [b[1] for b in bounds])
        settled = float(np.abs(loss(theta)[1]).max()) < 1e-6
        return theta, settled, _hessian(loss, theta) * scale

    def rank_correlation(self) -> float:
        return rank_correlation(self.z, self.x, self.w)


def _hessian(loss: object, theta: Floats) -> Floats:
    step = 1e-4
    rows = [(loss(theta + m)[1] - loss(theta - m)[1]) / (2 * step) for m in np.eye(theta.size) * step]  # type: ignore[operator]
    found = np.array(rows)
    return np.asarray((found + found.T) / 2)


def _midranks(values: Floats, w: Floats) -> Floats:
    distinct, at = np.unique(values, return_inverse=True)
    counts = np.bincount(at, w, minlength=distinct.size)
    return np.asarray((np.cumsum(counts) - counts / 2)[at])


def _rows(
    mean_value: ArrayLike, orders: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    z, x = np.broadcast_arrays(np.asarray(mean_value, dtype=float), np.asarray(orders, dtype=float))
    w = np.ones(x.shape) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != x.shape or not (np.isfinite(w) & (w >= 0)).all():
        raise BadParameter(say("Weights count customers: one per row, not negative, and not all zero."))
    if (x < 0).any() or not np.isfinite(x).all():
        raise BadParameter(say("Mean values must be positive and numbers of orders not negative."))
    used = (x > 0) & (w > 0)
    z, x, w = z[used], x[used], w[used]
    if x.size == 0:
        raise NotEnoughData(say("No customer has a repeat order, so nothing is known about order values."))
    if not (np.isfinite(z) & (z > 0)).all():
        raise BadParameter(say("Mean values must be positive and numbers of orders not negative."))
    return np.ravel(z), np.ravel(x), np.ravel(w)


def _no_mean(q: float) -> Sentence:
    return say(
        "Order values vary so much that they have no mean (q = {q}, above 1 is needed): no value is "
        "expected for customers without repeat orders.",
        q=round(q, 2),
    )
