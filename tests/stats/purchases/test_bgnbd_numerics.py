"""BG/NBD and MBG/NBD against 40 digits in the corners: 1e-9 is promised, 1e-10 is asked."""

from __future__ import annotations

import exact_purchases as exact
import numpy as np
import pytest

from klientel.stats import purchases
from klientel.stats.purchases import expectation
from klientel.stats.purchases.histories import grouped

PARAMETERS = [
    (0.243, 4.414, 0.793, 2.426),
    (0.5, 1e-3, 0.9999999, 2.0),
    (1.0, 50.0, 1.0, 1.0),
    (30.0, 1e4, 0.05, 0.3),
    (0.01, 1e3, 8.0, 1.0),
    (2e3, 1e5, 500.0, 4e3),
    (0.8, 60.0, 1 + 1e-9, 6.0),
]


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD"])
@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_likelihood_and_p_alive(name, k, parameters):
    model = getattr(purchases, name).from_parameters(*parameters, k=k)
    for x, t_x, T in exact.HISTORIES:
        value, alive = exact.log_likelihood(name, parameters, x, t_x, T, k)
        found = model._evaluate(np.log(parameters), grouped([x], [t_x], [T]))[0]
        assert found == pytest.approx(float(value), rel=1e-10, abs=1e-10)
        assert model.probability_alive(x, t_x, T) == pytest.approx(float(alive), rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD"])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_expected_orders(name, parameters):
    model = getattr(purchases, name).from_parameters(*parameters)
    for x, t_x, T in exact.HISTORIES:
        assert model.predict_purchases(0, x, t_x, T) == 0
        for t in (1e-3, 39.0, 5_000.0):
            wanted = float(exact.expected_if_alive(name, parameters, t, x, T))
            alive = float(model.probability_alive(x, t_x, T))
            found = model.predict_purchases(t, x, t_x, T)
            assert found == pytest.approx(wanted * alive, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("rate", [0.0018, 0.5])
@pytest.mark.parametrize("parameters", PARAMETERS[:2])
def test_discounted_orders(rate, parameters):
    model = purchases.BGNBD.from_parameters(*parameters)
    for x, t_x, T in [(0, 0, 78), (200, 77.999, 78)]:
        wanted = float(exact.discounted_if_alive("BGNBD", parameters, rate, x, T))
        alive = float(model.probability_alive(x, t_x, T))
        assert model.discounted_expected_purchases(rate, x, t_x, T) == pytest.approx(
            wanted * alive, rel=1e-10
        )


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_sum_and_the_integral_agree(k):
    """Two independent computations of the same expectation, over four orders of magnitude of everything."""
    rng = np.random.default_rng(k)
    u, whole = 10 ** rng.uniform(-2, 2, 80), 10 ** rng.uniform(-1.5, 2, 80)
    a, survived = 10 ** rng.uniform(-2, 2, 80), 10 ** rng.uniform(-1, 2, 80)
    for done in range(k):
        series = expectation._series(u, whole, a, survived, k, done)
        integral = expectation._integral(u, whole, a, survived, k, done)
        assert integral == pytest.approx(series, rel=1e-9)


@pytest.mark.parametrize("k", [1, 3])
def test_huge_horizons_are_quick_and_on_the_curve(k):
    t = np.array([1e3, 1e5, 1e7, 1e9])
    orders = purchases.MBGNBD.from_parameters(0.3, 1e-3, 0.7, 2.0, k=k).expected_purchases(t)
    assert (np.diff(orders) > 0).all()
    assert np.isfinite(orders).all()


@pytest.mark.parametrize(("a", "b"), [(80.0, 0.16), (0.011, 0.34), (1e4, 1e4), (0.5, 2e4), (1e-3, 1e3)])
def test_means_over_the_dropout_probability(a, b):
    p, log_stay, weight = expectation.dropout_rule(np.array([a]), np.array([b]))
    assert (weight * p).sum() == pytest.approx(a / (a + b), rel=1e-11)
    assert (weight * np.exp(log_stay)).sum() == pytest.approx(b / (a + b), rel=1e-11)
    assert (weight * p * p).sum() == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)), rel=1e-11)
