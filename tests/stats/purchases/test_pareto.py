"""Pareto/NBD: published vectors V05-V07, 40-digit corners, limits, simulation."""

from __future__ import annotations

import exact_purchases as exact
import mpmath as mp
import numpy as np
import pytest
import simulated_purchases as simulated

from klientel.errors import BadParameter
from klientel.stats.purchases import ParetoNBD
from klientel.stats.purchases.histories import grouped

WALKTHROUGH = ParetoNBD.from_parameters(0.5534, 10.5802, 0.6061, 11.6562)
CORNERS = [
    (0.5534, 10.58, 0.6061, 11.66),
    (0.5, 1e-3, 0.8, 50.0),
    (0.5, 50.0, 0.8, 1e-3),
    (0.01, 1e-2, 30.0, 1e3),
    (20.0, 1e4, 0.01, 1e-2),
    (3.0, 5.0, 1.0, 5.0),
    (0.3, 200.0, 300.0, 2.0),
    (500.0, 2e4, 2.0, 7.0),
]


@pytest.mark.real
def test_v05_cdnow_as_published(real):
    x, t_x, T = simulated.cdnow(real)
    model = ParetoNBD().fit(x, t_x, T)
    assert list(model.parameters_.values()) == pytest.approx([0.55328, 10.57761, 0.60621, 11.66791], rel=1e-4)
    assert model.loglik_ == pytest.approx(-9594.974, abs=0.001)
    assert model.converged_
    assert model.warnings_ == ()


def test_v06_v07_the_walkthroughs_customer():
    assert WALKTHROUGH.predict_purchases(52, 26, 30.86, 31) == pytest.approx(25.455, abs=0.001)
    assert WALKTHROUGH.probability_alive(26, 30.86, 31) == pytest.approx(0.997918, abs=1e-6)
    assert WALKTHROUGH.expected_purchases(52) == pytest.approx(1.473, abs=5e-4)  # BTYD walkthrough: 1.473434


@pytest.mark.parametrize("parameters", CORNERS)
def test_likelihood_and_p_alive_in_the_corners(parameters):
    model = ParetoNBD.from_parameters(*parameters)
    for x, t_x, T in exact.HISTORIES:
        value, alive = exact.pareto(parameters, x, t_x, T)
        found = model._evaluate(np.log(parameters), grouped([x], [t_x], [T]))[0]
        assert found == pytest.approx(float(value), rel=1e-10, abs=1e-10)
        if alive > 1e-290:
            assert model.probability_alive(x, t_x, T) == pytest.approx(float(alive), rel=1e-10)


@pytest.mark.parametrize("parameters", CORNERS)
def test_expected_and_discounted_orders_in_the_corners(parameters):
    """Note 009 eq. 41; the discounted time alive as an incomplete gamma function (dlmf 8.6 with 13.6.6)."""
    model = ParetoNBD.from_parameters(*parameters)
    r, alpha, s, beta = (mp.mpf(v) for v in parameters)
    for x, t_x, T in exact.HISTORIES:
        alive, rate = exact.pareto(parameters, x, t_x, T)[1], (r + x) / (alpha + T)
        for t in (0, 1e-3, 52, 1e6):
            length = mp.log1p(mp.mpf(t) / (beta + T))
            stay = length if s == 1 else -mp.expm1((1 - s) * length) / (s - 1)
            wanted = float(alive * rate * (beta + T) * stay)
            assert model.predict_purchases(t, x, t_x, T) == pytest.approx(wanted, rel=1e-10, abs=1e-290)
        for delta in (1e-6, 0.0018, 20):
            with mp.workdps(400):  # the power and the incomplete gamma function cancel where s is large
                z = mp.mpf(delta) * (beta + T)
                stay = mp.exp(z) * z ** (s - 1) * mp.gammainc(1 - s, z)
            wanted = float(alive * rate * (beta + T) * stay)
            found = model.discounted_expected_purchases(delta, x, t_x, T)
            assert found == pytest.approx(wanted, rel=1e-10, abs=1e-290)


@pytest.mark.parametrize("parameters", CORNERS[:6])
def test_silence_ahead_in_the_corners(parameters):
    model = ParetoNBD.from_parameters(*parameters)
    r, alpha, s, beta = (mp.mpf(v) for v in parameters)
    for x, t_x, T in exact.HISTORIES:
        for H in (0.01, 52):
            alive, end = float(model.probability_alive(x, t_x, T)), mp.mpf(T) + H
            silent = ((alpha + T) / (alpha + end)) ** (r + x) * ((beta + T) / (beta + end)) ** s
            leaves = exact.leaving(r + x, s + 1, alpha, beta, mp.mpf(T), end)
            leaves *= s * (alpha + T) ** (r + x) * (beta + T) ** s
            wanted = 1 - alive * float(1 - silent - leaves)
            assert model.probability_of_none(H, x, t_x, T) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("s", [0.6061, 1.0, 1 + 1e-9, 3.0])
@pytest.mark.parametrize("rate", [1e-4, 0.0027, 0.5])
def test_discounted_orders_are_tricomis_formula(s, rate):
    model = ParetoNBD.from_parameters(0.5534, 10.5802, s, 11.6562)
    for x, t_x, T in [(0, 0, 38.86), (7, 35.0, 38.86), (26, 30.86, 31), (0, 0, 0)]:
        z = mp.mpf(rate) * (mp.mpf(11.6562) + T)
        likelihood, _ = exact.pareto((0.5534, 10.5802, s, 11.6562), x, t_x, T)
        r, alpha, beta = mp.mpf(0.5534), mp.mpf(10.5802), mp.mpf(11.6562)
        wanted = (
            alpha**r * beta**s * mp.mpf(rate) ** (mp.mpf(s) - 1) * mp.gamma(r + x + 1) * mp.hyperu(s, s, z)
        )
        wanted /= mp.gamma(r) * (alpha + T) ** (r + x + 1) * mp.exp(likelihood)
        assert model.discounted_expected_purchases(rate, x, t_x, T) == pytest.approx(float(wanted), rel=1e-10)


def test_s_of_one_is_no_special_case():
    near = [
        ParetoNBD.from_parameters(0.55, 10.6, s, 11.7).predict_purchases(52, 3, 20, 30)
        for s in (1 - 1e-9, 1, 1 + 1e-9)
    ]
    assert near[0] == pytest.approx(near[1], rel=1e-8)
    assert near[2] == pytest.approx(near[1], rel=1e-8)


@pytest.mark.parametrize(
    "theta", [(0.5, 10, 0.6, 11), (0.5, 11, 0.6, 3), (2, 3, 4, 0.1), (0.2, 0.5, 0.3, 40)]
)
def test_gradient_is_the_slope_of_the_likelihood(theta):
    rows, m = grouped(*simulated.pareto(3, 200, 0.9, 8.0, 0.7, 20.0)), ParetoNBD()
    _, gradient = m._evaluate(np.log(theta), rows)
    for i, step in enumerate(np.eye(4) * 1e-5):
        slope = (
            m._evaluate(np.log(theta) + step, rows)[0] - m._evaluate(np.log(theta) - step, rows)[0]
        ) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("truth", [(0.9, 8.0, 0.7, 20.0), (2.0, 10.0, 1.5, 60.0)])
def test_parameters_are_recovered_within_three_standard_errors(truth):
    m = ParetoNBD().fit(*simulated.pareto(13, 5_000, *truth))
    off = (np.log(list(m.parameters_.values())) - np.log(truth)) / np.sqrt(np.diag(m.covariance_))
    assert m.converged_
    assert np.abs(off).max() < 3


def test_unit_of_time_and_weights():
    x, t_x, T = simulated.pareto(5, 600, 0.9, 8.0, 0.7, 20.0)
    weeks, days = ParetoNBD().fit(x, t_x, T), ParetoNBD().fit(x, 7 * t_x, 7 * T, np.full(600, 2))
    scaled = {**weeks.parameters_, "alpha": 7 * weeks.alpha_, "beta": 7 * weeks.beta_}
    assert days.parameters_ == pytest.approx(scaled, rel=1e-6)
    assert days.loglik_ == pytest.approx(2 * (weeks.loglik_ - x.sum() * np.log(7)), rel=1e-9)
    assert days.covariance_ == pytest.approx(weeks.covariance_ / 2, rel=1e-3, abs=1e-7)


def test_without_leaving_the_data_are_said_to_show_none():
    x, t_x, T, _ = simulated.bg(7, 1_500, 0.9, 8.0, 1e-6, 1.0)
    m = ParetoNBD().fit(x, t_x, T)
    assert any("show no dropout" in word for word in m.warnings_)
    assert m.predict_purchases(10, 5, 20, 40) == pytest.approx((m.r_ + 5) / (m.alpha_ + 40) * 10, rel=0.05)


def test_few_customers_are_held_by_a_prior():
    x, t_x, T = simulated.pareto(8, 25, 0.9, 8.0, 0.7, 20.0)
    m = ParetoNBD().fit(x, t_x, T)
    assert m.penalty_ == 1
    assert any("a prior holds" in word for word in m.warnings_)
    assert all(0.01 < value < 1_000 for value in m.parameters_.values())


def test_a_new_customer_is_a_history_without_time():
    t = [1, 10, 300]
    assert WALKTHROUGH.predict_purchases(t, 0, 0, 0) == pytest.approx(WALKTHROUGH.expected_purchases(t))


def test_simulated_futures_have_the_expected_orders():
    x, t_x, T = np.array([0, 1, 4, 12]), np.array([0, 5, 30, 38.0]), np.array([20, 40, 40, 40.0])
    futures = WALKTHROUGH.sample_future(26, x, t_x, T, draws=40_000, seed=3)
    error = futures.std(axis=1) / np.sqrt(40_000)
    assert (np.abs(futures.mean(axis=1) - WALKTHROUGH.predict_purchases(26, x, t_x, T)) < 4 * error).all()
    assert (futures == 0).mean(axis=1) == pytest.approx(
        WALKTHROUGH.probability_of_none(26, x, t_x, T), abs=0.01
    )


def test_wrong_settings_are_refused():
    with pytest.raises(BadParameter, match="r, alpha, s, beta"):
        ParetoNBD.from_parameters(r=1.0, alpha=1.0)
    with pytest.raises(BadParameter, match="penalty"):
        ParetoNBD(penalty=-1).fit([1], [1], [2])
    with pytest.raises(BadParameter, match="look ahead"):
        WALKTHROUGH.predict_purchases(-1, 1, 1, 2)
