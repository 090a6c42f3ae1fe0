"""BG/NBD: published vectors V01-V04, invariances, limits, simulation."""

from __future__ import annotations

import numpy as np
import pytest
import simulated_purchases as simulated
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.purchases import BGNBD, MBGNBD

PUBLISHED = BGNBD.from_parameters(0.243, 4.414, 0.793, 2.426)


@pytest.mark.real
def test_v01_v03_cdnow_as_published(real):
    x, t_x, T = simulated.cdnow(real)
    model = BGNBD().fit(x, t_x, T)
    assert list(model.parameters_.values()) == pytest.approx([0.24259, 4.41353, 0.79289, 2.42575], rel=1e-4)
    assert model.loglik_ == pytest.approx(-9582.4256, abs=0.001)
    expected = model.expected_purchases([0.1429, 1, 3, 31.8571, 32, 78])
    assert expected == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8580], abs=1e-4)
    assert model.predict_purchases(39, x, t_x, T).sum() == pytest.approx(1653.41, abs=0.1)
    assert model.converged_
    assert model.warnings_ == ()
    assert model.n_ == 2357


def test_v02_conditional_expectation_as_published():
    assert PUBLISHED.predict_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=5e-4)


def test_v04_distribution_of_orders_as_published():
    assert PUBLISHED.probability_of_orders(0, 39) == pytest.approx(0.5737864, abs=1e-7)
    assert PUBLISHED.probability_of_orders(0, 39) == pytest.approx((4.414 / 43.414) ** 0.243, rel=1e-12)
    published = [
        0.0019995, 0.0015170, 0.0011633, 0.0009003, 0.0007024, 0.0005518, 0.0004362, 0.0003467, 0.0002770,
        0.0002222,
    ]  # fmt: skip
    assert PUBLISHED.probability_of_orders(np.arange(11, 21), 30) == pytest.approx(published, abs=6e-8)
    assert PUBLISHED.probability_of_orders(10, 2) == pytest.approx(1.07869e-07, rel=1e-5)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_distribution_sums_to_one_and_has_the_expected_mean(model, k):
    m = model.from_parameters(0.8, 5.0, 1.5, 4.0, k=k)
    n = np.arange(400)
    chances = m.probability_of_orders(n, 20.0)
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert chances @ n == pytest.approx(m.expected_purchases(20.0), rel=1e-7)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
def test_a_new_customer_is_a_history_without_time(model):
    m = model.from_parameters(0.8, 5.0, 1.5, 4.0)
    assert m.predict_purchases([1, 10, 300], 0, 0, 0) == pytest.approx(m.expected_purchases([1, 10, 300]))
    assert m.probability_of_none(20, 0, 0, 0) == pytest.approx(m.probability_of_orders(0, 20))


@given(
    st.sampled_from([BGNBD, MBGNBD]),
    st.integers(0, 60),
    st.floats(0.01, 1),
    st.floats(0.1, 500),
    st.floats(0.01, 300),
    st.sampled_from([1, 2, 4]),
)
@settings(max_examples=80, deadline=None)
def test_what_holds_for_every_history(model, x, share, T, t, k):
    m = model.from_parameters(0.7, 6.0, 0.9, 3.0, k=k)
    t_x = share * T if x else 0.0
    alive = float(m.probability_alive(x, t_x, T))
    none = float(m.probability_of_none(t, x, t_x, T))
    expected = float(m.predict_purchases(t, x, t_x, T))
    assert 0 <= alive <= 1
    assert 1 - alive - 1e-12 <= none <= 1
    assert expected >= (1 - none) * (1 - 1e-9) - 1e-14  # a count is at least 1 where it is not 0
    assert expected <= float(m.predict_purchases(t * 1.5, x, t_x, T))
    longer = float(m.probability_alive(x, t_x, T * 1.5))
    assert longer <= alive + 1e-12
    endless = float(m.discounted_expected_purchases(0.01, x, t_x, T))
    assert endless >= expected * np.exp(-0.01 * t) * (1 - 1e-9)


def test_discounting_hardly_at_all_over_a_short_life_counts_the_orders():
    m = BGNBD.from_parameters(2.0, 5.0, 4.0, 2.0)  # gone after a few orders
    far = m.predict_purchases(1e5, 3, 10, 12)
    assert m.discounted_expected_purchases(1e-9, 3, 10, 12) == pytest.approx(far, rel=2e-3)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
@pytest.mark.parametrize("k", [1, 3])
def test_gradient_is_the_slope_of_the_likelihood(model, k):
    x, t_x, T, _ = simulated.bg(3, 200, 0.9, 8.0, 1.2, 3.0, k=k)
    from klientel.stats.purchases.histories import grouped

    rows, m, theta = grouped(x, t_x, T), model(k=k), np.log([0.6, 5.0, 0.9, 2.0])
    _, gradient = m._evaluate(theta, rows)
    for i, step in enumerate(np.eye(4) * 1e-5):
        slope = (m._evaluate(theta + step, rows)[0] - m._evaluate(theta - step, rows)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "truth", "k"),
    [
        (BGNBD, (0.9, 8.0, 1.2, 3.0), 1),
        (MBGNBD, (0.9, 8.0, 1.2, 3.0), 1),
        (BGNBD, (1.5, 4.0, 1.2, 4.0), 2),
        (MBGNBD, (1.5, 3.0, 1.2, 4.0), 3),
    ],
)
def test_parameters_are_recovered_within_three_standard_errors(model, truth, k):
    x, t_x, T, gaps = simulated.bg(11, 5_000, *truth, k=k, at_start=model is MBGNBD)
    m = model(k=k).fit(x, t_x, T, log_gaps=gaps)
    assert m.converged_
    off = (np.log(list(m.parameters_.values())) - np.log(truth)) / np.sqrt(np.diag(m.covariance_))
    assert np.abs(off).max() < 3
    assert m.warnings_ == ()


def test_unit_of_time_scales_alpha_and_shifts_the_likelihood():
    x, t_x, T, _ = simulated.bg(5, 800, 0.9, 8.0, 1.2, 3.0)
    weeks, days = BGNBD().fit(x, t_x, T), BGNBD().fit(x, 7 * t_x, 7 * T)
    assert days.parameters_ == pytest.approx({**weeks.parameters_, "alpha": 7 * weeks.alpha_}, rel=1e-6)
    assert days.loglik_ == pytest.approx(weeks.loglik_ - x.sum() * np.log(7), rel=1e-9)
    assert days.predict_purchases(70, x, 7 * t_x, 7 * T) == pytest.approx(
        weeks.predict_purchases(10, x, t_x, T), rel=1e-5
    )


def test_weights_are_repetition_and_row_order_does_not_matter():
    x, t_x, T, _ = simulated.bg(6, 300, 0.9, 8.0, 1.2, 3.0)
    times = np.random.default_rng(0).integers(0, 4, 300)
    weighted = MBGNBD().fit(x, t_x, T, times)
    shuffled = np.random.default_rng(1).permutation(np.repeat(np.arange(300), times))
    repeated = MBGNBD().fit(x[shuffled], t_x[shuffled], T[shuffled])
    assert weighted.parameters_ == pytest.approx(repeated.parameters_, rel=1e-6)
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)
    assert weighted.n_ == repeated.n_ == times.sum()


def test_loglik_is_that_of_the_fit():
    x, t_x, T, _ = simulated.bg(6, 300, 0.9, 8.0, 1.2, 3.0)
    m = BGNBD().fit(x, t_x, T)
    assert m.loglik(x, t_x, T) == pytest.approx(m.loglik_, rel=1e-12)
    assert BGNBD.from_parameters(**m.parameters_).loglik(x, t_x, T) == pytest.approx(m.loglik_, rel=1e-12)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
def test_without_dropout_the_data_are_said_to_show_none(model):
    x, t_x, T, _ = simulated.bg(7, 1_500, 0.9, 8.0, 1e-6, 1.0)
    m = model().fit(x, t_x, T)
    assert any("show no dropout" in word for word in m.warnings_)
    assert m.r_ == pytest.approx(0.9, rel=0.15)
    assert m.predict_purchases(10, 5, 20, 40) == pytest.approx((m.r_ + 5) / (m.alpha_ + 40) * 10, rel=0.05)


def test_only_first_orders_give_a_warning_and_finite_numbers():
    T = np.linspace(10, 60, 400)
    m = MBGNBD().fit(np.zeros(400), np.zeros(400), T)
    assert any("No customer has ordered again" in word for word in m.warnings_)
    assert m.penalty_ == 1
    assert 0 <= m.predict_purchases(52, 0, 0, 30) < 0.2


def test_few_customers_are_held_by_a_prior_that_is_stated():
    x, t_x, T, _ = simulated.bg(8, 25, 0.9, 8.0, 1.2, 3.0)
    m = MBGNBD().fit(x, t_x, T)
    assert m.penalty_ == 1
    assert any("a prior holds the parameters" in word for word in m.warnings_)
    assert all(0.01 < value < 200 for value in m.parameters_.values())
    free = MBGNBD(penalty=0).fit(x, t_x, T)
    assert free.loglik_ >= m.loglik_ - 1e-9
    assert not any("a prior holds" in word for word in free.warnings_)


def test_draws_have_the_covariance_and_need_a_fit():
    x, t_x, T, _ = simulated.bg(9, 2_000, 0.9, 8.0, 1.2, 3.0)
    m = BGNBD().fit(x, t_x, T)
    drawn = np.log(m.draws(20_000, seed=1))
    assert np.cov(drawn.T) == pytest.approx(m.covariance_, rel=0.1, abs=1e-3)
    assert m.draws(5, seed=2) == pytest.approx(m.draws(5, seed=2))
    with pytest.raises(BadParameter, match="fitted model"):
        PUBLISHED.draws(5, seed=1)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
@pytest.mark.parametrize("k", [1, 2])
def test_simulated_futures_have_the_expected_orders(model, k):
    m = model.from_parameters(0.9, 8.0, 1.2, 3.0, k=k)
    x, t_x, T = np.array([0, 1, 4, 12]), np.array([0, 5, 30, 38.0]), np.array([20, 40, 40, 40.0])
    futures = m.sample_future(26, x, t_x, T, draws=40_000, seed=3)
    assert futures.shape == (4, 40_000)
    error = futures.std(axis=1) / np.sqrt(40_000)
    assert (np.abs(futures.mean(axis=1) - m.predict_purchases(26, x, t_x, T)) < 4 * error).all()
    none = m.probability_of_none(26, x, t_x, T)
    assert (futures == 0).mean(axis=1) == pytest.approx(none, abs=0.01)


def test_uncertain_futures_are_wider():
    x, t_x, T, _ = simulated.bg(8, 60, 0.9, 8.0, 1.2, 3.0)
    m = MBGNBD().fit(x, t_x, T)
    known = m.sample_future(52, x, t_x, T, 2_000, seed=1).sum(axis=0)
    unknown = m.sample_future(52, x, t_x, T, 2_000, seed=1, uncertain=True).sum(axis=0)
    assert unknown.std() > known.std()


@pytest.mark.parametrize(
    ("x", "t_x", "T", "word"),
    [
        (1.5, 3, 10, "whole number"),
        (-1, 0, 10, "whole number"),
        (1, 11, 10, "between 0 and the end"),
        (0, 3, 10, "exactly where there is no repeat order"),
        (2, 0, 10, "exactly where there is no repeat order"),
        (1, float("nan"), 10, "missing number"),
    ],
)
def test_impossible_histories_are_refused_by_name(x, t_x, T, word):
    with pytest.raises(BadParameter, match=word):
        BGNBD().fit([x, 1], [t_x, 2], [T, 9])
    with pytest.raises(BadParameter, match=word):
        PUBLISHED.probability_alive(x, t_x, T)


def test_nothing_to_learn_from():
    with pytest.raises(BadParameter, match="no customer"):
        BGNBD().fit([], [], [])
    with pytest.raises(NotEnoughData):
        BGNBD().fit([0, 0], [0, 0], [0, 0])
    with pytest.raises(BadParameter, match="Weights"):
        BGNBD().fit([0, 0], [0, 0], [1, 1], [0, 0])
    with pytest.raises(BadParameter, match="stages"):
        BGNBD(k=9).fit([0, 0], [0, 0], [1, 1])
    with pytest.raises(BadParameter, match="r, alpha, a, b"):
        BGNBD.from_parameters(1.0, 2.0)
    with pytest.raises(BadParameter, match="discount rate"):
        PUBLISHED.discounted_expected_purchases(0, 1, 2, 3)
