"""Gamma-Gamma: published vectors V08 and V09, recovery, invariances, honest words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.spend import GammaGamma, _Likelihood, rank_correlation


def orders(seed, n, p=6.25, q=3.74, v=15.44, most=8):
    """Mean values and numbers of repeat orders of n customers of a known truth."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, most, n)
    return rng.gamma(p * x) / (rng.gamma(q, size=n) / v) / x, x


@pytest.fixture(scope="module")
def cdnow(real):
    """Mean value and number of repeat orders in weeks 1-39 of the CDNOW sample, from its lines."""
    lines = np.loadtxt(real / "cdnow" / "CDNOW_sample.txt", usecols=(1, 2, 4))
    spent: dict[tuple[int, int], float] = {}
    for customer, day, value in lines:
        spent[int(customer), int(day)] = spent.get((int(customer), int(day)), 0.0) + value
    first: dict[int, int] = {}
    for customer, day in sorted(spent):
        first.setdefault(customer, day)
    repeat: dict[int, list[float]] = {}
    for (customer, day), value in spent.items():
        if first[customer] < day <= 19970930 and value > 0:
            repeat.setdefault(customer, []).append(value)
    means = np.array([np.mean(values) for values in repeat.values()])
    return means, np.array([len(values) for values in repeat.values()])


@pytest.mark.real
def test_v08_cdnow_as_published(cdnow):
    model = GammaGamma().fit(*cdnow)
    assert (model.p_, model.q_, model.v_) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert model.loglik_ == pytest.approx(-4055.918, abs=0.001)
    assert model.population_mean_ == pytest.approx(35.1704, abs=1e-3)
    assert model.n_ == 946
    assert model.converged_


def test_v09_expected_values_as_published():
    z = [22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0]
    x = [2, 1, 0, 0, 0, 7, 1, 0, 2, 0]
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    rounded = [24.66, 18.92, 35.22, 35.22, 35.22, 71.47, 18.92, 35.22, 27.29, 35.22]
    model = GammaGamma.from_parameters(6.25, 3.74, 15.44)
    assert model.expected_value(z, x) == pytest.approx(published, abs=0.1)
    assert model.expected_value(z, x) == pytest.approx(rounded, abs=0.006)


def test_expected_value_lies_between_the_mean_and_the_population():
    model = GammaGamma.from_parameters(6.25, 3.74, 15.44)
    many = model.expected_value(80.0, [1, 5, 50, 5_000])
    assert (np.diff(many) > 0).all()
    assert model.population_mean_ < many[0]
    assert many[-1] == pytest.approx(80, rel=1e-3)


def test_gradient_is_the_slope_of_the_likelihood():
    z, x = orders(1, 300)
    likelihood, theta = _Likelihood(z, x.astype(float), np.ones(300)), np.log([4.0, 3.0, 10.0])
    for i, step in enumerate(np.eye(3) * 1e-5):
        slope = (likelihood(theta + step)[0] - likelihood(theta - step)[0]) / 2e-5
        assert likelihood(theta)[1][i] == pytest.approx(slope, rel=1e-6, abs=1e-5)


def test_likelihood_is_the_density_of_the_mean():
    z, x, (p, q, v) = 30.0, 3.0, (4.0, 3.0, 20.0)
    rates = np.linspace(1e-6, 4, 400_001)
    prior = stats.gamma.pdf(rates, q, scale=1 / v)
    density = stats.gamma.pdf(z, p * x, scale=1 / (np.maximum(rates, 1e-12) * x))
    wanted = np.log(np.trapezoid(prior * density, rates))
    likelihood = _Likelihood(np.array([z]), np.array([x]), np.ones(1))
    assert likelihood(np.log([p, q, v]))[0] == pytest.approx(wanted, rel=1e-8)


def test_parameters_are_recovered_within_three_standard_errors():
    model = GammaGamma().fit(*orders(2, 5_000))
    off = np.log([model.p_, model.q_, model.v_]) - np.log([6.25, 3.74, 15.44])
    assert (np.abs(off) < 3 * np.sqrt(np.diag(model.covariance_))).all()
    assert model.warnings_ == ()
    assert np.cov(np.log(model.draws(20_000, seed=1)).T) == pytest.approx(
        model.covariance_, rel=0.1, abs=1e-4
    )


def test_currency_scales_v_alone_and_shifts_the_likelihood():
    z, x = orders(3, 500)
    euro, cent = GammaGamma().fit(z, x), GammaGamma().fit(100 * z, x)
    assert (cent.p_, cent.q_, cent.v_) == pytest.approx((euro.p_, euro.q_, 100 * euro.v_), rel=1e-6)
    assert cent.loglik_ == pytest.approx(euro.loglik_ - 500 * np.log(100), rel=1e-9)


def test_weights_are_repetition_and_rows_without_orders_say_nothing():
    z, x = orders(4, 200)
    times = np.random.default_rng(0).integers(0, 4, 200)
    weighted = GammaGamma().fit(np.append(z, 0.0), np.append(x, 0), np.append(times, 7))
    repeated = GammaGamma().fit(np.repeat(z, times), np.repeat(x, times))
    assert weighted.parameters_ == pytest.approx(repeated.parameters_, rel=1e-6)
    assert weighted.n_ == times.sum()


def test_values_without_a_mean_are_said_to_have_none():
    model = GammaGamma().fit(*orders(5, 3_000, q=0.6))
    assert model.q_ < 1
    assert any("no mean" in word for word in model.warnings_)
    assert np.isnan(model.population_mean_)
    assert np.isnan(model.expected_value(0, 0))
    assert model.expected_value(50.0, 3) > 0


def test_value_that_depends_on_frequency_is_named():
    z, x = orders(6, 1_000)
    model = GammaGamma().fit(z * x**0.7, x)
    assert any("depends on order frequency" in word for word in model.warnings_)


def test_equal_values_are_flat_and_few_are_held_by_a_prior():
    flat = GammaGamma(penalty=0).fit(np.full(200, 40.0), np.tile([1, 2, 3, 4], 50))
    assert any("flat" in word for word in flat.warnings_)
    few = GammaGamma().fit(*orders(7, 12))
    assert any("Only 12 customers" in word for word in few.warnings_)
    assert 0.1 < few.p_ < 100
    assert np.isfinite(few.population_mean_) or few.q_ <= 1


def test_rank_correlation_is_spearmans():
    z, x = orders(8, 300)
    assert rank_correlation(z, x) == pytest.approx(stats.spearmanr(z, x).statistic, abs=1e-12)
    times = np.random.default_rng(0).integers(1, 4, 300)
    repeated = stats.spearmanr(np.repeat(z, times), np.repeat(x, times)).statistic
    assert rank_correlation(z, x, times) == pytest.approx(repeated, abs=1e-12)
    assert rank_correlation([5.0, 5.0], [1, 2]) == 0


def test_sampled_mean_values_have_the_expected_mean():
    model = GammaGamma.from_parameters(6.25, 3.74, 15.44)
    drawn = model.sample_mean_value([40.0, 0.0], [6, 0], draws=200_000, seed=1)
    assert drawn.mean(axis=1) == pytest.approx(model.expected_value([40.0, 0.0], [6, 0]), rel=0.01)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(NotEnoughData):
        GammaGamma().fit([0.0], [0])
    with pytest.raises(BadParameter, match="positive"):
        GammaGamma().fit([-5.0], [1])
    with pytest.raises(BadParameter, match="positive"):
        GammaGamma.from_parameters(1, 2, -3)
    with pytest.raises(BadParameter, match="penalty"):
        GammaGamma(penalty=-1).fit([5.0], [1])
    with pytest.raises(BadParameter, match="fitted model"):
        GammaGamma.from_parameters(1, 2, 3).draws(3, 1)
