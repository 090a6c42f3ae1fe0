"""Intervals: published vectors (handbook V22, V37), exact properties, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from klientel.errors import BadParameter
from klientel.stats import intervals

cases = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_v22_wilson_as_published_by_newcombe():
    assert intervals.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert intervals.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_v22_jeffreys():
    assert intervals.jeffreys(81, 263) == pytest.approx((0.2545, 0.3656), abs=5e-5)


def test_newcombe_difference_as_published():
    # Newcombe 1998 (differences), table II: 56/70 - 48/80, method 10
    assert intervals.newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # 9/10 - 3/10 and 10/10 - 0/20 of the same table
    assert intervals.newcombe(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert intervals.newcombe(10, 10, 0, 20) == pytest.approx((0.6791, 1.0), abs=5e-5)


def test_garwood_is_the_chi_square_interval():
    for count in (0, 1, 5, 10, 250):
        low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
        high = stats.chi2.ppf(0.975, 2 * count + 2) / 2
        assert intervals.garwood(count) == pytest.approx((low, high), rel=1e-9)
    assert intervals.garwood(10, exposure=4.0)[0] == pytest.approx(intervals.garwood(10)[0] / 4)


def test_arrays_give_arrays_and_agree_with_single_calls():
    low, high = intervals.wilson([0, 3, 7], [7, 7, 7])
    for i, k in enumerate((0, 3, 7)):
        assert (low[i], high[i]) == intervals.wilson(k, 7)
    assert low[0] == 0.0
    assert high[2] == 1.0


@given(cases, st.sampled_from([0.8, 0.9, 0.95]))
def test_wilson_encloses_the_rate_mirrors_and_widens(case, level):
    k, n = case
    low, high = intervals.wilson(k, n, level)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= k / n <= high
    mirrored = intervals.wilson(n - k, n, level)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)
    wide = intervals.wilson(k, n, 0.99)
    assert wide[0] <= low
    assert high <= wide[1]


def test_no_case_means_nothing_is_known():
    assert intervals.wilson(0, 0) == (0.0, 1.0)
    assert intervals.jeffreys(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (1, -1), (float("nan"), 5)])
def test_impossible_cases_are_refused(k, n):
    for make in (intervals.wilson, intervals.jeffreys, intervals.beta_prior):
        with pytest.raises(BadParameter, match="Successes must lie"):
            make(k, n)


def test_impossible_levels_counts_and_priors_are_refused():
    with pytest.raises(BadParameter, match="level"):
        intervals.wilson(1, 2, level=95)
    with pytest.raises(BadParameter, match="negative"):
        intervals.garwood(-1)
    with pytest.raises(BadParameter, match="positive"):
        intervals.garwood(3, exposure=0)
    with pytest.raises(BadParameter, match="prior"):
        intervals.beta_binomial(1, 2, prior=(0, 1))
    with pytest.raises(BadParameter, match="two rates"):
        intervals.beta_prior([1], [2])
    with pytest.raises(BadParameter, match="at least one customer"):
        intervals.bootstrap(intervals.mean, [])


def test_v37_shrinkage_with_the_published_prior():
    found = intervals.beta_binomial([300, 4], [1000, 10], prior=(78.661, 224.875))
    assert found.mean == pytest.approx([0.2905, 0.2636], abs=5e-5)
    assert (found.low[0], found.high[0]) == pytest.approx((0.2662, 0.3154), abs=5e-5)


def test_the_prior_is_recovered_by_maximum_likelihood():
    rng = np.random.default_rng(3)
    n = rng.integers(20, 200, 4_000)
    k = rng.binomial(n, rng.beta(6.0, 14.0, n.size))
    alpha, beta = intervals.beta_prior(k, n)
    assert alpha / (alpha + beta) == pytest.approx(0.30, abs=0.005)
    assert alpha + beta == pytest.approx(20.0, rel=0.08)


def test_the_prior_is_a_maximum_of_the_likelihood():
    rng = np.random.default_rng(4)
    n = rng.integers(5, 60, 300)
    k = rng.binomial(n, rng.beta(2.0, 3.0, n.size))
    alpha, beta = intervals.beta_prior(k, n)
    here = stats.betabinom.logpmf(k, n, alpha, beta).sum()
    for a, b in ((1.05, 1.0), (0.95, 1.0), (1.0, 1.05), (1.0, 0.95)):
        assert stats.betabinom.logpmf(k, n, alpha * a, beta * b).sum() < here


def test_rates_that_differ_only_by_chance_are_all_shrunken_to_the_common_rate():
    found = intervals.beta_binomial([50] * 20, [100] * 20)
    assert found.mean == pytest.approx([0.5] * 20, abs=1e-3)


def test_bootstrap_of_a_mean_agrees_with_the_normal_interval_and_is_repeatable():
    values = np.random.default_rng(5).normal(100, 15, 400)
    first = intervals.bootstrap(intervals.mean, values)
    half = 1.96 * values.std(ddof=1) / 20
    assert (first.low, first.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.25)
    assert first == intervals.bootstrap(intervals.mean, values)
    assert "BCa" in first.method
    assert "percentile" in intervals.bootstrap(intervals.mean, values[:29]).method


def test_bca_leans_to_the_side_of_the_skew():
    values = np.random.default_rng(6).lognormal(0, 1.2, 80)
    found = intervals.bootstrap(intervals.mean, values)
    draws = np.concatenate([intervals.mean(values, w) for w in intervals.weights(80)])
    plain = intervals.percentile(draws)
    assert found.low > plain[0]
    assert found.high > plain[1]


def test_bca_against_scipy():
    values = np.random.default_rng(7).exponential(50, 60)
    other = stats.bootstrap((values,), np.mean, n_resamples=8_000, rng=np.random.default_rng(8))
    found = intervals.bootstrap(intervals.mean, values, draws=8_000)
    width = found.high - found.low
    assert found.low == pytest.approx(other.confidence_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(other.confidence_interval.high, abs=0.05 * width)


def test_ratio_bootstrap_scales_out_the_currency():
    pairs = np.random.default_rng(9).gamma(2, 100, (150, 2))
    small = intervals.bootstrap(intervals.ratio, pairs)
    large = intervals.bootstrap(intervals.ratio, pairs * 1e6)
    assert (small.low, small.high) == pytest.approx((large.low, large.high), rel=1e-9)


def test_each_draw_draws_n_customers():
    for piece in intervals.weights(37, draws=10):
        assert (piece.sum(axis=1) == 37).all()
    assert sum(p.shape[0] for p in intervals.weights(300_000, draws=20)) == 20


def test_wilson_covers_as_promised():
    rng = np.random.default_rng(10)
    k = rng.binomial(40, 0.3, 20_000)
    low, high = intervals.wilson(k, 40)
    assert ((low <= 0.3) & (high >= 0.3)).mean() == pytest.approx(0.95, abs=0.02)
