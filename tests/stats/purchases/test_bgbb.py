"""BG/BB: published vector V11, exact sums against simulation and enumeration."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.purchases import BGBB
from klientel.stats.purchases.histories import grouped

# Fader, Hardie & Shang 2010: 11,104 donors of 1995, six further years (x, t_x, donors)
DONORS = [
    (0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129), (2, 2, 613),
    (2, 3, 255), (2, 4, 155), (2, 5, 173), (2, 6, 234), (3, 3, 322), (3, 4, 181), (3, 5, 225), (3, 6, 357),
    (4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335), (5, 6, 728), (6, 6, 1203),
]  # fmt: skip
X, T_X, N = (np.array(column, dtype=float) for column in zip(*DONORS, strict=True))
PUBLISHED = BGBB.from_parameters(1.204, 0.750, 0.657, 2.783)


@pytest.fixture(scope="module")
def donors():
    return BGBB().fit(X, T_X, 6, N)


def test_v11_donations_as_published(donors):
    assert list(donors.parameters_.values()) == pytest.approx([1.2035, 0.7497, 0.6567, 2.7834], abs=2e-4)
    assert donors.loglik_ == pytest.approx(-33225.581, abs=0.001)
    assert donors.n_ == 11104
    assert donors.converged_
    assert donors.warnings_ == ()


@pytest.mark.real
def test_v11_from_the_file(real):
    table = np.loadtxt(real / "cdnow" / "donations.csv", delimiter=",", skiprows=1)
    model = BGBB().fit(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
    assert model.loglik_ == pytest.approx(-33225.581, abs=0.001)


def test_p_alive_as_in_the_paper():
    # table 6 of the paper: 0.11 without a donation, 0.93 for those who gave in the last year
    assert PUBLISHED.probability_alive(0, 0, 6) == pytest.approx(0.11, abs=0.005)
    assert PUBLISHED.probability_alive([1, 3, 6], 6, 6) == pytest.approx([0.93, 0.93, 0.93], abs=0.005)


def test_expected_orders_are_the_papers_closed_form():
    a, b, g, d = (mp.mpf(v) for v in PUBLISHED.parameters_.values())
    for x, t_x, n, t in [(0, 0, 6, 5), (3, 4, 6, 5), (6, 6, 6, 5), (1, 1, 40, 200)]:
        likelihood = mp.exp(mp.mpf(float(PUBLISHED._log_likelihood(np.array(x), np.array(t_x), np.array(n)))))
        wanted = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b) / likelihood * d / (g - 1)
        wanted *= mp.gamma(g + d) / mp.gamma(1 + d)
        wanted *= mp.gamma(1 + d + n) / mp.gamma(g + d + n) - mp.gamma(1 + d + n + t) / mp.gamma(
            g + d + n + t
        )
        assert PUBLISHED.predict_purchases(t, x, t_x, n) == pytest.approx(float(wanted), rel=1e-10)


def test_discounted_orders_are_the_papers_hypergeometric_form():
    a, b, g, d = (mp.mpf(v) for v in PUBLISHED.parameters_.values())
    for rate in (0.1, 0.01):
        for x, t_x, n in [(0, 0, 6), (3, 4, 6), (6, 6, 6)]:
            likelihood = mp.exp(
                mp.mpf(float(PUBLISHED._log_likelihood(np.array(x), np.array(t_x), np.array(n))))
            )
            wanted = mp.beta(a + x + 1, b + n - x) / mp.beta(a, b) * mp.beta(g, d + n + 1) / mp.beta(g, d)
            wanted *= mp.exp(-rate) * mp.hyp2f1(1, d + n + 1, g + d + n + 1, mp.exp(-rate)) / likelihood
            found = PUBLISHED.discounted_expected_purchases(rate, x, t_x, n)
            assert found == pytest.approx(float(wanted), rel=1e-10)


def test_likelihood_is_the_sum_over_the_time_of_leaving():
    a, b, g, d = (mp.mpf(v) for v in (0.3, 2.0, 5.0, 0.4))
    for x, t_x, n in [(0, 0, 0), (0, 0, 9), (2, 7, 9), (9, 9, 9), (3, 3, 60)]:
        wanted = mp.beta(a + x, b + n - x) / mp.beta(a, b) * mp.beta(g, d + n) / mp.beta(g, d)
        for i in range(n - t_x):
            term = mp.beta(a + x, b + t_x - x + i) / mp.beta(a, b)
            wanted += term * mp.beta(g + 1, d + t_x + i) / mp.beta(g, d)
        found = BGBB()._evaluate(np.log([0.3, 2.0, 5.0, 0.4]), grouped([x], [t_x], [n]))[0]
        assert found == pytest.approx(float(mp.log(wanted)), rel=1e-11, abs=1e-12)


def test_gradient_is_the_slope_of_the_likelihood():
    rows, m, theta = grouped(X, T_X, 6, N), BGBB(), np.log([1.0, 0.5, 0.9, 2.0])
    _, gradient = m._evaluate(theta, rows)
    for i, step in enumerate(np.eye(4) * 1e-5):
        slope = (m._evaluate(theta + step, rows)[0] - m._evaluate(theta - step, rows)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-4)


def test_distribution_sums_to_one_and_has_the_expected_mean():
    k = np.arange(13)
    chances = PUBLISHED.probability_of_orders(k, 12)
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert chances @ k == pytest.approx(PUBLISHED.expected_purchases(12), rel=1e-10)
    assert chances[0] == pytest.approx(PUBLISHED.probability_of_none(12, 0, 0, 0), rel=1e-10)


def test_parameters_are_recovered_within_three_standard_errors():
    rng, truth, n = np.random.default_rng(4), (1.2, 0.9, 0.8, 3.0), 12
    order, leave = rng.beta(truth[0], truth[1], 5_000), rng.beta(truth[2], truth[3], 5_000)
    x, t_x, here = np.zeros(5_000), np.zeros(5_000), np.ones(5_000, dtype=bool)
    for i in range(1, n + 1):
        here &= rng.random(5_000) >= leave
        orders = here & (rng.random(5_000) < order)
        x, t_x = x + orders, np.where(orders, i, t_x)
    m = BGBB().fit(x, t_x, n)
    off = (np.log(list(m.parameters_.values())) - np.log(truth)) / np.sqrt(np.diag(m.covariance_))
    assert np.abs(off).max() < 3


def test_simulated_futures_have_the_expected_orders():
    x, t_x = np.array([0, 1, 3, 6]), np.array([0, 2, 6, 6])
    futures = PUBLISHED.sample_future(5, x, t_x, np.full(4, 6), draws=40_000, seed=2)
    error = futures.std(axis=1) / np.sqrt(40_000)
    assert (np.abs(futures.mean(axis=1) - PUBLISHED.predict_purchases(5, x, t_x, 6)) < 4 * error).all()
    assert (futures == 0).mean(axis=1) == pytest.approx(PUBLISHED.probability_of_none(5, x, t_x, 6), abs=0.01)


def test_nobody_leaving_is_said():
    rng = np.random.default_rng(5)
    orders = rng.random((2_000, 8)) < rng.beta(1.5, 1.5, 2_000)[:, None]
    x = orders.sum(axis=1)
    t_x = np.where(x > 0, 8 - np.argmax(orders[:, ::-1], axis=1), 0)
    m = BGBB().fit(x, t_x, 8)
    assert any("show no dropout" in word for word in m.warnings_)


def test_impossible_histories_are_refused():
    with pytest.raises(BadParameter, match="at most one order"):
        BGBB().fit([4], [3], [6])
    with pytest.raises(BadParameter, match="whole numbers"):
        PUBLISHED.predict_purchases(1.5, 1, 1, 2)
    with pytest.raises(NotEnoughData):
        BGBB().fit([0], [0], [0])
