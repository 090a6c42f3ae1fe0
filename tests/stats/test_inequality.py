"""Inequality: published vector V31, brute force, invariances, and coverage of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.errors import BadParameter
from klientel.stats import inequality, intervals

V31 = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
amounts = st.lists(st.integers(1, 10**9), min_size=2, max_size=40)


def test_v31_hhi_rosenbluth_gini():
    assert inequality.hhi(V31) == pytest.approx(0.1840812, abs=5e-8)
    assert inequality.rosenbluth(V31) == pytest.approx(0.1859051, abs=5e-8)
    assert inequality.effective_number(V31) == pytest.approx(5.4324, abs=5e-5)
    assert inequality.gini(V31) == pytest.approx(0.462091, abs=5e-7)
    assert inequality.gini(V31, corrected=True) == pytest.approx(0.513435, abs=5e-7)
    assert inequality.concentration_ratio(V31, 2) == pytest.approx(0.513096, abs=5e-7)
    assert inequality.pareto_customers(V31) == 5
    assert inequality.top_share(V31) == pytest.approx(0.513096, abs=5e-7)


@given(amounts)
def test_gini_is_the_mean_difference(values):
    v = np.array(values, dtype=float)
    brute = np.abs(v[:, None] - v[None, :]).mean() / (2 * v.mean())
    assert inequality.gini(values) == pytest.approx(brute, abs=1e-9)
    assert inequality.gini(values, corrected=True) == pytest.approx(brute * v.size / (v.size - 1), abs=1e-9)


@given(amounts, st.integers(2, 1000), st.randoms())
def test_measures_ignore_row_order_and_currency(values, factor, random):
    mixed = list(values)
    random.shuffle(mixed)
    for measure in (inequality.gini, inequality.hhi, inequality.rosenbluth, inequality.top_share):
        assert measure(mixed) == pytest.approx(measure(values), rel=1e-9, abs=1e-12)
        assert measure([v * factor for v in values]) == pytest.approx(measure(values), rel=1e-9, abs=1e-12)
    assert inequality.pareto_customers([v * factor for v in mixed]) == inequality.pareto_customers(values)


@given(amounts)
def test_doubling_the_portfolio_keeps_gini_and_halves_hhi(values):
    assert inequality.gini(values * 2) == pytest.approx(inequality.gini(values), abs=1e-9)
    assert inequality.hhi(values * 2) == pytest.approx(inequality.hhi(values) / 2, rel=1e-9)


@given(amounts, st.floats(0.05, 0.95))
def test_pareto_customers_is_the_smallest_number_that_reaches(values, share):
    share = round(share, 3)
    k = inequality.pareto_customers(values, share)
    largest_first = sorted(values, reverse=True)
    thousandth = round(share * 1000)
    assert sum(largest_first[:k]) * 1000 >= thousandth * sum(values)
    assert sum(largest_first[: k - 1]) * 1000 < thousandth * sum(values)


def test_pareto_is_exact_where_the_limit_is_hit():
    # 80 + 15 + 5: one customer holds exactly 80 %, in cents and in floats
    assert inequality.pareto_customers([8_000, 1_500, 500]) == 1
    assert inequality.pareto_customers([0.8, 0.15, 0.05]) == 1
    assert inequality.pareto_customers([10] * 10) == 8


def test_top_share_counts_whole_customers_or_interpolates():
    values = [50, 30, 10, 5, 3, 2]  # 20 % of 6 are 1.2 customers
    assert inequality.top_share(values) == pytest.approx(0.80)
    assert inequality.top_share(values, interpolated=True) == pytest.approx(0.56)


def test_equal_customers_have_no_inequality():
    assert inequality.gini([7] * 9) == 0.0
    assert inequality.hhi([7] * 9) == pytest.approx(1 / 9)
    assert inequality.hhi([7] * 9, normalised=True) == pytest.approx(0.0, abs=1e-15)
    assert inequality.effective_number([7] * 9) == pytest.approx(9)


def test_lorenz_runs_from_corner_to_corner_under_the_diagonal():
    p, share = inequality.lorenz(V31, points=200)
    assert p.tolist() == [i / 10 for i in range(11)]
    assert (share[0], share[-1]) == (0.0, 1.0)
    assert (np.diff(share) >= 0).all()
    assert (share <= p + 1e-12).all()
    area = ((share[1:] + share[:-1]) / 2 * np.diff(p)).sum()
    assert 1 - 2 * area == pytest.approx(inequality.gini(V31), abs=1e-12)
    assert inequality.lorenz(range(1, 5001), points=200)[0].size == 201


def test_nothing_to_measure_gives_nan_or_nothing():
    assert np.isnan(inequality.gini([]))
    assert np.isnan(inequality.gini([0, 0]))
    assert np.isnan(inequality.gini([5], corrected=True))
    assert inequality.gini([5]) == 0.0
    assert np.isnan(inequality.hhi([0.0]))
    assert inequality.pareto_customers([0, 0]) == 0
    assert inequality.lorenz([])[0].size == 0
    assert inequality.concentration_intervals([5]) == {}


def test_negative_values_are_refused():
    with pytest.raises(BadParameter, match="not negative"):
        inequality.gini([3, -1])


def test_integers_do_not_overflow():
    values = np.array([10**15] * 5_000, dtype=np.int64)
    assert inequality.gini(values) == pytest.approx(0.0, abs=1e-12)
    assert inequality.rosenbluth(values) == pytest.approx(1 / 5_000)


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=30), st.integers(0, 1000))
def test_weighted_draws_equal_the_measures_of_the_repeated_values(values, seed):
    v = np.sort(np.array(values, dtype=float))
    w = np.random.default_rng(seed).multinomial(v.size, np.full(v.size, 1 / v.size), size=3).astype(float)
    found = inequality.drawn(v, w)
    for i in range(3):
        repeated = np.repeat(v, w[i].astype(int))
        assert found["gini"][i] == pytest.approx(inequality.gini(repeated), abs=1e-9)
        assert found["hhi"][i] == pytest.approx(inequality.hhi(repeated), rel=1e-9)
        assert found["top20"][i] == pytest.approx(inequality.top_share(repeated), rel=1e-9)
        assert found["pareto_share"][i] * v.size == pytest.approx(inequality.pareto_customers(repeated))


def test_influence_predicts_what_a_heavier_customer_does():
    v = np.sort(np.random.default_rng(1).lognormal(3, 1, 2_000))
    bends, step = inequality.influence(v), 1e-3
    names = {"gini": inequality.gini, "top20": lambda x: inequality.top_share(x, interpolated=True)}
    for name, i in [("gini", 3), ("gini", 1500), ("gini", 1990), ("top20", 10), ("top20", 1990)]:
        # weight of customer i rises from 1/n to (1 - step)/n + step: mixture derivative
        w = np.full(2_000, (1 - step))
        w[i] += step * 2_000
        moved = _mixture(v, w, name)
        assert (moved - names[name](v)) / step == pytest.approx(bends[name][i], rel=0.02, abs=0.02)


def _mixture(v, w, name):
    p, share = np.cumsum(w) / w.sum(), np.cumsum(w * v) / (w * v).sum()
    p, share = np.concatenate([[0], p]), np.concatenate([[0], share])
    if name == "gini":
        return 1 - ((share[1:] + share[:-1]) * np.diff(p)).sum()
    return 1 - np.interp(0.8, p, share)


@pytest.mark.parametrize("n", [200, 6_000])
def test_intervals_cover_the_truth_of_a_known_distribution(n):
    # exponential values: Gini 1/2, top 20 % hold 0.2 * (1 + ln 5), E x^2 / (E x)^2 = 2
    truth = {"gini": 0.5, "top20": 0.2 * (1 + np.log(5)), "hhi": 2 / n}
    rounds, hits = 120, dict.fromkeys(truth, 0)
    for seed in range(rounds):
        v = np.random.default_rng(seed).exponential(1000, n)
        found = inequality.concentration_intervals(v)
        for name, value in truth.items():
            hits[name] += found[name].low <= value <= found[name].high
    for name, hit in hits.items():
        assert hit / rounds >= 0.87, (name, hit / rounds)


def test_the_two_methods_agree_where_they_meet():
    v = np.sort(np.random.default_rng(2).gamma(1.5, 100, inequality.BOOTSTRAP_UP_TO))
    v /= v.mean()
    boot = inequality.concentration_intervals(v)
    for name, bend in inequality.influence(v).items():
        half = 1.96 * np.sqrt((bend**2).mean() / v.size)
        scale = inequality.hhi(v) if name == "hhi" else 1.0
        assert (boot[name].high - boot[name].low) / 2 / scale == pytest.approx(half, rel=0.15), name


def test_the_method_is_stated_and_the_currency_does_not_matter():
    few, some = inequality.concentration_intervals(V31), inequality.concentration_intervals(V31 * 4)
    assert "percentile" in few["gini"].method
    assert "BCa" in some["gini"].method
    assert "influence" in inequality.concentration_intervals(np.arange(1, 6_000))["gini"].method
    scaled = inequality.concentration_intervals([v * 1_000_000 for v in V31])
    assert scaled["gini"].low == pytest.approx(few["gini"].low, rel=1e-9)


def test_seeds_are_fixed():
    assert inequality.concentration_intervals(V31) == inequality.concentration_intervals(V31)
    assert [w.tolist() for w in intervals.weights(3, 2)] == [w.tolist() for w in intervals.weights(3, 2)]
