"""What all purchase models share: fitting, given parameters, intervals, and honest words about the fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.purchases import stages
from klientel.stats.purchases.histories import SPAN, Floats, Histories, checked, chunks, grouped
from klientel.stats.purchases.search import FLAT, HIGH, LOW, Fit, Prior, climb_two, inverse, maximise, total
from klientel.words import Sentence, say

ENOUGH_CUSTOMERS, ENOUGH_REPEATERS = 100, 50  # handbook B11: below, a prior holds the parameters
_HINT, _HINT_ROWS = 2.0, 4_096  # log-likelihood that dropout must gain before the data are said to show any
_AT_ONCE = 262_144  # simulated futures worked on at once
_NONE = (-30.0, 0.0)  # logs of the two dropout parameters (a, b or s, beta) at which nobody leaves


class PurchaseModel(ABC):
    """A model of orders over time of customers who may leave unseen; scikit-learn conventions.

    penalty: weight of the prior on the log-parameters; None (default) takes 0 for at least 100
    customers of whom 50 ordered again, and 1 below that, which `warnings_` then states. starts: how many
    starting points are tried (5 or fewer are kept cheap by screening).

    Learned: the parameters (`names`), `loglik_`, `covariance_` of the log-parameters, `n_`,
    `converged_`, `penalty_`, `warnings_` (sentences).
    """

    names: ClassVar[tuple[str, ...]]
    clocked: ClassVar[tuple[str, ...]]  # parameters in units of time
    loglik_: float
    covariance_: Floats
    converged_: bool
    warnings_: tuple[Sentence, ...]
    n_: float
    penalty_: float
    k: int = 1  # stages of the time between orders: 1 is random timing, more is regular timing

    def __init__(self, penalty: float | None = None, starts: int = 5) -> None:
        """Settings only; `fit` learns."""
        self.penalty = penalty
        self.starts = starts

    def fit(
        self,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        log_gaps: ArrayLike | None = None,
    ) -> Self:
        """Maximum likelihood on the distinct histories; returns self.

        x: repeat orders (first one not counted), t_x: time of the last since the first, T: time observed
        since the first, all in one unit of time; weights: customers behind each row. log_gaps: sum of the
        logarithms of the gaps between orders, needed only to compare regular timing (k > 1).
        Raises BadParameter on impossible histories and NotEnoughData if nothing was observed (T = 0).
        """
        self._settings()
        rows = grouped(x, t_x, T, weights)
        longest = float(rows.T.max())
        if longest <= 0:
            raise NotEnoughData(
                say("All customers are new today: nothing can be learned about their orders.")
            )
        factor = SPAN / longest if self.clocked else 1.0  # opportunities are counted, not timed
        scaled = rows.scaled(factor)
        self.n_ = rows.n
        repeaters = float(rows.w[rows.x > 0].sum())
        few = rows.n < ENOUGH_CUSTOMERS or repeaters < ENOUGH_REPEATERS
        self.penalty_ = float(self.penalty) if self.penalty is not None else float(few)
        prior = Prior(*self._prior(scaled), self.penalty_)
        found = maximise(self._evaluate, scaled, self._starts(scaled)[: self.starts], prior)
        self._learn(found, prior, factor)
        clock = self.k * rows.orders * float(np.log(factor))
        self.loglik_ = float(self.loglik_ + clock + self._constant(rows, log_gaps, weights))
        self.warnings_ = self._words(found, scaled, repeaters)
        return self

    @abstractmethod
    def probability_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(still a customer at T | x, t_x, T), one per customer."""

    @abstractmethod
    def predict_purchases(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """E[orders in (T, T+t] | x, t_x, T], one per customer; t a number or one per customer."""

    @abstractmethod
    def expected_purchases(self, t: ArrayLike) -> Floats:
        """E[orders within t] of a new customer, the first one not counted."""

    @abstractmethod
    def probability_of_none(self, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(no order in (T, T+t] | x, t_x, T), one per customer."""

    @abstractmethod
    def discounted_expected_purchases(
        self, rate: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """DERT: orders to come for ever, each discounted by exp(-rate × time until it); rate > 0."""

    @classmethod
    def from_parameters(cls, *args: float, **settings: Any) -> Self:
        """A model with given parameters, in the order of `names` or by name; no covariance, no loglik.

        Raises BadParameter if one is missing, unknown or not positive.
        """
        given = dict(zip(cls.names, args, strict=False))
        given.update({name: settings.pop(name) for name in cls.names if name in settings})
        model = cls(**settings)
        if set(given) != set(cls.names) or len(args) > len(cls.names):
            raise BadParameter(say("This model needs the parameters {names}.", names=", ".join(cls.names)))
        for name, value in given.items():
            if not (np.isfinite(value) and value > 0):
                raise BadParameter(say("The parameter {name} must be a positive number.", name=name))
            setattr(model, f"{name}_", float(value))
        model.converged_, model.warnings_, model.n_ = True, (), 0.0
        model._settings()
        return model

    @property
    def parameters_(self) -> dict[str, float]:
        """Learned or given parameters by name, in the caller's unit of time."""
        return {name: getattr(self, f"{name}_") for name in self.names}

    def loglik(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> float:
        """Log-likelihood of histories at the learned or given parameters (for hold-out and tests).

        For regular timing (k > 1) it counts the order times known only by x and t_x.
        """
        rows = grouped(x, t_x, T, weights)
        value, _ = total(self._evaluate, self._theta(), rows)
        return value + self._constant(rows, None, weights)

    def draws(self, n: int, seed: int) -> Floats:
        """n draws of the parameters (n × parameters, order of `names`) from the normal law of their logs.

        Raises BadParameter for a model that was not fitted.
        """
        if not hasattr(self, "covariance_"):
            raise BadParameter(say("Draws need a fitted model: given parameters have no uncertainty."))
        rng = np.random.default_rng(seed)
        values, vectors = np.linalg.eigh(self.covariance_)
        z = rng.standard_normal((n, len(self.names)))
        moved = z * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        return np.asarray(np.exp(self._theta() + moved))

    def standard_errors(self) -> dict[str, float]:
        """Standard error of each parameter (delta method from the log scale)."""
        spread = np.sqrt(np.diag(self.covariance_))
        return {
            name: float(getattr(self, f"{name}_") * s) for name, s in zip(self.names, spread, strict=True)
        }

    def at_draw(self, drawn: ArrayLike) -> Self:
        """The same model with the parameters of one draw, for intervals by simulation."""
        model = type(self)(**self._options())
        for name, value in zip(self.names, np.asarray(drawn, dtype=float), strict=True):
            setattr(model, f"{name}_", float(value))
        model.converged_, model.warnings_, model.n_ = True, (), self.n_
        return model

    def sample_future(
        self,
        t: float,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        draws: int,
        seed: int,
        uncertain: bool = False,
    ) -> Floats:
        """Simulated orders in the next t of each customer: customers × draws, by simulating the process.

        uncertain: every draw also takes its own draw of the parameters (needs a fitted model). Call it in
        batches of customers: memory is customers × draws.
        """
        count, last, observed = checked(x, t_x, T)
        rng = np.random.default_rng(seed)
        out = np.empty((count.size, draws))
        if uncertain:
            for i, drawn in enumerate(self.draws(draws, seed)):
                model = self.at_draw(drawn)
                out[:, i] = model._simulate(rng, float(t), count.ravel(), last.ravel(), observed.ravel())
            return out
        together = max(1, _AT_ONCE // max(count.size, 1))  # few customers: many draws in one go
        for i in range(0, draws, together):
            block = min(together, draws - i)
            rows = (np.tile(column.ravel(), block) for column in (count, last, observed))
            out[:, i : i + block] = self._simulate(rng, float(t), *rows).reshape(block, -1).T
        return out

    @abstractmethod
    def _evaluate(self, theta: Floats, rows: Histories) -> tuple[float, Floats]:
        """Log-likelihood of the rows and its gradient by the log-parameters."""

    @abstractmethod
    def _starts(self, rows: Histories) -> list[Floats]:
        """Starting points (logs), in scaled time."""

    @abstractmethod
    def _prior(self, rows: Histories) -> tuple[Floats, Floats]:
        """Centre and standard deviation of the prior on the log-parameters, in scaled time."""

    @abstractmethod
    def _simulate(self, rng: np.random.Generator, t: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Orders of each customer in the next t, simulated once."""

    def _constant(self, rows: Histories, log_gaps: ArrayLike | None, weights: ArrayLike | None) -> float:
        """What the likelihood has beside the parameters, in the caller's unit of time."""
        if self.k == 1:
            return 0.0
        if log_gaps is None:
            return stages.constant(rows, self.k)
        gaps = np.asarray(log_gaps, dtype=float)
        sum_ = float(gaps.sum() if weights is None else gaps @ np.asarray(weights, dtype=float))
        return (self.k - 1) * sum_ - rows.orders * stages.log_factorial(self.k - 1)

    def _options(self) -> dict[str, Any]:
        return {"penalty": self.penalty, "starts": self.starts}

    def _settings(self) -> None:
        if self.penalty is not None and not self.penalty >= 0:
            raise BadParameter(say("The penalty must not be negative."))
        if self.starts < 1:
            raise BadParameter(say("At least one start is needed."))

    def _theta(self) -> Floats:
        return np.log([getattr(self, f"{name}_") for name in self.names])

    def _learn(self, found: Fit, prior: Prior, factor: float) -> None:
        for name, value in zip(self.names, np.exp(found.theta), strict=True):
            setattr(self, f"{name}_", float(value / factor if name in self.clocked else value))
        z = (found.theta - prior.centre) / prior.sd
        self.loglik_ = found.value + 0.5 * prior.weight * float(z @ z)
        self.converged_ = found.converged
        self.covariance_, self._sound = inverse(found.information)

    def _words(self, found: Fit, rows: Histories, repeaters: float) -> tuple[Sentence, ...]:
        said = []
        if repeaters == 0:
            said.append(
                say(
                    "No customer has ordered again: nothing is known about repeat orders, only the prior speaks."
                )
            )
        if self.penalty_ > 0 and self.penalty is None:
            said.append(
                say(
                    "Only {n} customers, {repeaters} of them with repeat orders: a prior holds the parameters "
                    "near usual values (100 and 50 are needed without).",
                    n=round(rows.n),
                    repeaters=round(repeaters),
                )
            )
        if not found.converged:
            said.append(say("The fit did not settle: treat its forecasts with care."))
        if self.penalty_ == 0 and repeaters > 0 and self._gain(found, rows) < _HINT:
            said.append(
                say("The data show no dropout: every customer is taken to stay, which the future may refute.")
            )
        at_edge = (np.exp(found.theta) > FLAT) | (found.theta <= LOW) | (found.theta >= HIGH)
        if at_edge.any() or not self._sound:
            names = [name for name, edge in zip(self.names, at_edge, strict=True) if edge] or list(self.names)
            said.append(
                say(
                    "The likelihood is flat: {names} cannot be told apart from larger or smaller values.",
                    names=", ".join(names),
                )
            )
        return tuple(said)

    def _gain(self, found: Fit, rows: Histories) -> float:
        """Log-likelihood that dropout gains over the best model without it (gamma-Poisson orders)."""
        sample = rows.sample(_HINT_ROWS)
        best = climb_two(lambda theta: total(self._evaluate, theta, sample), found.theta, _NONE)
        return total(self._evaluate, found.theta, sample)[0] - best


def in_batches(size: int) -> Iterator[slice]:
    """Slices of customers that predictions work on, so that memory stays under a few hundred megabytes."""
    return chunks(size)
