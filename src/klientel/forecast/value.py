"""Residual value of each history: discounted orders times spend, with intervals by simulation (B11b, G13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from klientel.forecast.candidates import OrderModel
from klientel.forecast.spend import Spend
from klientel.order_histories import Floats, Grouped

YEAR = 365.25
MONTH = YEAR / 12
SEED = 20_240_903
LEVELS = (0.1, 0.5, 0.9)  # of the interval of a customer, and the middle course
Levels = tuple[float, float, float]
_NODES = 8  # of Gauss-Legendre over the horizon: the orders expected until t are smooth in t
_BATCH, _MANY, _FEW = 8_192, 500, 200  # rows per batch, draws, draws where there are very many histories
_LARGE = 20_000
_SAMPLE, _STEP, _WIDEST = 2_000, 0.02, 2.0  # histories and step of the gradient; largest relative deviation


@dataclass(frozen=True)
class Scores:
    """Per distinct history. alive: P(alive); year: orders expected in 12 months; horizon: discounted orders
    within the horizon; ever: discounted orders without end; spread: expected value of an order is
    spread * (v + spent); low, middle, high: quantiles of the discounted value within the horizon per
    unit of (v + spent); noise: its variance.
    """

    alive: Floats
    year: Floats
    horizon: Floats
    ever: Floats
    spread: Floats
    v: Floats
    low: Floats
    middle: Floats
    high: Floats
    noise: Floats


def score(
    model: OrderModel, spend: Spend, rows: Grouped, days: float, discount: float, levels: Levels = LEVELS
) -> Scores:
    """Scores of the distinct histories for a horizon in days and a yearly discount rate (above 0).

    Residual value = E[orders, each discounted by the time until it] x E[value of an order] (B11b):
    truncated, integral of exp(-delta t) dE[Y(t)], by parts; for ever, DERT of the model. levels: of the
    simulated values that are the interval's ends and middle.
    """
    delta = float(np.log1p(discount)) / YEAR
    spread = spend.each(rows.paid)
    until = model.predict_purchases(days, rows.x, rows.t_x, rows.T)
    horizon = _truncated(model, rows, days, delta, until)
    low, middle, high, noise = _quantiles(
        model, spend, rows, days, horizon / np.where(until > 0, until, 1.0), levels
    )
    return Scores(
        alive=model.probability_alive(rows.x, rows.t_x, rows.T),
        year=model.predict_purchases(YEAR, rows.x, rows.t_x, rows.T),
        horizon=horizon,
        ever=model.discounted_expected_purchases(delta, rows.x, rows.t_x, rows.T),
        spread=spread,
        v=spend.level(rows.x),
        low=low,
        middle=middle,
        high=high,
        noise=noise,
    )


def portfolio_spread(
    model: OrderModel, spend: Spend, rows: Grouped, found: Scores, days: float, missed: float = 0.0
) -> float:
    """Standard deviation of the portfolio's value as a share of its expectation.

    Uncertain parameters (delta method on their logarithms over a sample of histories) plus the chance of
    every customer's own course, whose variances add up because customers are independent given the
    parameters; plus `missed`, the mean square by which sums were off on held-out time (of the logarithm):
    what the model does not know of, prices and the economy, has moved all customers at once.
    """
    total = float((found.horizon * found.spread) @ (rows.n * found.v + rows.spent))
    if not total > 0:
        return 0.0
    squares = rows.n * found.v**2 + 2 * found.v * rows.spent + rows.squared
    chance = float(found.noise @ squares) / total**2
    return float(
        np.sqrt(missed + chance + min(_parameter_variance(model, spend, _sample(rows), days), _WIDEST**2))
    )


def _parameter_variance(model: OrderModel, spend: Spend, rows: Grouped, days: float) -> float:
    """Variance of ln E[value] from uncertain parameters: gradient by their logarithms, delta method."""
    logs = np.log([getattr(model, f"{name}_") for name in model.names])

    def orders(step: Floats) -> Floats:
        return model.at_draw(np.exp(logs + step)).predict_purchases(days, rows.x, rows.t_x, rows.T)

    def money(step: Floats) -> Floats:
        moved = spend.moved(step)
        return np.asarray(moved.each(rows.paid) * (rows.n * moved.level(rows.x) + rows.spent))

    expected, worth = orders(np.zeros(logs.size)), money(np.zeros(3))
    by_orders = [_slope(lambda s: float(np.log(orders(s) @ worth)), step) for step in np.eye(logs.size)]
    by_money = [_slope(lambda s: float(np.log(expected @ money(s))), step) for step in np.eye(3)]
    g, h = np.array(by_orders), np.array(by_money)
    return float(g @ model.covariance_ @ g + h @ spend.covariance @ h)


def _slope(log_value: Callable[[Floats], float], direction: Floats) -> float:
    return (log_value(_STEP * direction) - log_value(-_STEP * direction)) / (2 * _STEP)


def _truncated(model: OrderModel, rows: Grouped, days: float, delta: float, until: Floats) -> Floats:
    """exp(-delta H) Y(H) + delta * integral of exp(-delta t) Y(t) over [0, H], per history."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    times = days * (nodes + 1) / 2
    found = np.exp(-delta * days) * until
    for t, w in zip(times, weights * days / 2, strict=True):
        found = found + delta * w * np.exp(-delta * t) * model.predict_purchases(
            float(t), rows.x, rows.t_x, rows.T
        )
    return np.asarray(found)


def _quantiles(
    model: OrderModel, spend: Spend, rows: Grouped, days: float, factor: Floats, levels: Levels
) -> tuple[Floats, Floats, Floats, Floats]:
    """10, 50, 90 % quantiles and variance of the discounted value per unit of (v + spent).

    N orders drawn with uncertain parameters, and their sum given N (`Spend.simulate`). factor: discounted
    over undiscounted orders; levels: of the draws, as calibrated on held-out time.
    """
    draws = _MANY if rows.x.size <= _LARGE else _FEW
    out = np.empty((4, rows.x.size))
    for start in range(0, rows.x.size, _BATCH):
        part = slice(start, start + _BATCH)
        orders = model.sample_future(
            days, rows.x[part], rows.t_x[part], rows.T[part], draws=draws, seed=SEED, uncertain=True
        )
        worth = spend.simulate(orders, rows.paid[part], SEED, start) * factor[part, None]
        out[:3, part] = np.quantile(worth, levels, axis=1)
        out[3, part] = worth.var(axis=1)
    return out[0], out[1], out[2], out[3]


def _sample(rows: Grouped) -> Grouped:
    """Histories taken in even steps, all if there are few."""
    if rows.x.size <= _SAMPLE:
        return rows
    chosen = (np.arange(_SAMPLE) * rows.x.size) // _SAMPLE
    return Grouped(**{name: getattr(rows, name)[chosen] for name in rows.__dataclass_fields__})
