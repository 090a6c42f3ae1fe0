"""Renewal models: vector V10, corners against mpmath, censoring and truncation, recovery, choice by hold-out."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats import beta_functions
from klientel.stats.renewal_choice import choose
from klientel.stats.renewal_tables import cohort_table, contract_table
from klientel.stats.renewals import BetaDiscreteWeibull, ConstantRetention, ShiftedBetaGeometric

HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "loglik", "later"),
    [
        (HIGH_END, 0.668, 3.806, -1611.2, (0.4604, 0.4358, 0.4142, 0.3951, 0.3780)),
        (REGULAR, 0.704, 1.182, -1680.3, (0.2201, 0.2044, 0.1912, 0.1799, 0.1700)),
    ],
)
def test_v10(survivors, alpha, beta, loglik, later):
    model = ShiftedBetaGeometric().fit(survivors)
    assert (model.alpha_, model.beta_) == pytest.approx((alpha, beta), abs=1e-3)
    assert model.loglik_ == pytest.approx(loglik, abs=0.05)
    assert model.survival(np.arange(8, 13)) == pytest.approx(later, abs=1e-4)
    assert model.identified_


def test_the_fit_is_a_maximum():
    model = ShiftedBetaGeometric().fit(HIGH_END)
    table = cohort_table(HIGH_END)
    slope = model._loss(np.array([model.alpha_, model.beta_]), table)[1]
    assert np.abs(slope).max() < 1e-5
    weibull = BetaDiscreteWeibull().fit(HIGH_END)
    assert weibull.loglik_ >= model.loglik_
    slope = weibull._loss(np.array([weibull.alpha_, weibull.beta_, weibull.c_]), table)[1]
    assert np.abs(slope).max() < 1e-4


@pytest.mark.parametrize("kind", [ShiftedBetaGeometric, BetaDiscreteWeibull])
def test_slopes_against_differences(kind):
    table = cohort_table(HIGH_END)
    x = np.log([0.7, 2.3, 1.4][: len(kind.names)])
    slope = kind()._loss(np.exp(x), table)[1]
    for i, e in enumerate(np.eye(x.size)):
        up, down = (kind()._loss(np.exp(x + sign * 1e-6 * e), table)[0] for sign in (1, -1))
        assert slope[i] == pytest.approx((up - down) / 2e-6, rel=1e-6)


def test_covariance_against_the_curvature_by_mpmath():
    model = ShiftedBetaGeometric().fit(REGULAR)

    def loglik(a, b):
        ends = itertools.pairwise(REGULAR)
        value = mpmath.mpf(0)
        for t, (now, then) in enumerate(ends):
            value += (now - then) * mpmath.log(mpmath.beta(a + 1, b + t) / mpmath.beta(a, b))
        return value + REGULAR[-1] * mpmath.log(mpmath.beta(a, b + 7) / mpmath.beta(a, b))

    with mpmath.workdps(30):
        a, b = mpmath.mpf(model.alpha_), mpmath.mpf(model.beta_)
        assert float(loglik(a, b)) == pytest.approx(model.loglik_, abs=1e-9)
        second = [
            [-mpmath.diff(loglik, (a, b), k) for k in row] for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
        ]
        exact = np.array(mpmath.inverse(mpmath.matrix(second)).tolist(), dtype=float)
    assert model.covariance_ == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("a", [1e-8, 1e-3, 0.7, 40.0, 1e5, 1e8])
@pytest.mark.parametrize("b", [1e-6, 0.3, 29.0, 31.0, 1e7])
@pytest.mark.parametrize("t", [1.0, 12.0, 3.7, 1e4, 1e9])
def test_survival_against_mpmath(a, b, t):
    with mpmath.workdps(50):
        ma, mb, mt = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(t)
        exact = mpmath.loggamma(mb + mt) + mpmath.loggamma(ma + mb)
        exact -= mpmath.loggamma(ma + mb + mt) + mpmath.loggamma(mb)
    got = float(beta_functions.log_beta_ratio(a, b, np.array(t)))
    assert got == pytest.approx(float(exact), rel=1e-9, abs=1e-13)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.integers(0, 200))
def test_survival_is_the_product_of_retention(a, b, t):
    model = ShiftedBetaGeometric.of(a, b)
    steps = np.arange(1, t + 1)
    assert model.survival(t) == pytest.approx(np.prod(np.asarray(model.retention(steps))), rel=1e-9)
    assert model.probability_of_renewal(t, 3) == pytest.approx(
        np.prod(np.asarray(model.retention([t + 1, t + 2, t + 3]))), rel=1e-9
    )
    rising = np.asarray(model.retention(np.arange(1, 50)))
    assert (np.diff(rising) > 0).all()  # sorting: who stays is ever more loyal


@given(st.floats(0.05, 20), st.floats(0.05, 20), st.floats(1e-6, 0.5))
@settings(deadline=None, max_examples=25)
def test_the_weibull_with_c_one_is_the_beta_geometric(a, b, rate):
    one, plain = BetaDiscreteWeibull.of(a, b, 1.0), ShiftedBetaGeometric.of(a, b)
    assert one.survival([0, 1, 5, 40]) == pytest.approx(plain.survival([0, 1, 5, 40]), rel=1e-10)
    assert one.discounted_expected_lifetime(rate) == pytest.approx(
        plain.discounted_expected_lifetime(rate), rel=1e-9
    )
    n = [1, 4, 30]
    ours = one.discounted_expected_residual_lifetime(rate, n)
    assert ours == pytest.approx(plain.discounted_expected_residual_lifetime(rate, n), rel=1e-9)


@pytest.mark.parametrize(("a", "b", "c"), [(3, 2, 0.7), (0.8, 2, 1.9)])
def test_weibull_lifetime_against_two_million_terms(a, b, c):
    last = 2_000_000.0
    terms = np.exp(beta_functions.log_beta_ratio(a, b, np.arange(last) ** c))
    end = float(np.exp(beta_functions.log_beta_ratio(a, b, np.array(last**c))))
    brute = terms.sum() + end * last / (a * c - 1) + end / 2  # S(t) ~ t^-ac
    assert BetaDiscreteWeibull.of(a, b, c).expected_lifetime == pytest.approx(brute, rel=1e-8)


def test_lifetimes_that_do_not_end():
    assert ShiftedBetaGeometric.of(0.7, 1.2).expected_lifetime == np.inf
    assert BetaDiscreteWeibull.of(0.7, 1.2, 1.1).expected_lifetime == np.inf
    assert ShiftedBetaGeometric.of(3, 2).expected_lifetime == pytest.approx(2)
    assert ConstantRetention.of(0.2).expected_lifetime == pytest.approx(5)
    # near the edge the tail is a very slow power
    assert BetaDiscreteWeibull.of(1.01, 2, 1).expected_lifetime == pytest.approx(201, rel=1e-9)


def test_the_first_renewals_of_a_truncated_value():
    model = ShiftedBetaGeometric().fit(HIGH_END)
    s = np.asarray(model.survival(np.arange(40)))
    worth = 1.1 ** -np.arange(3.0)
    assert model.discounted_expected_lifetime(0.1, 3) == pytest.approx(s[:3] @ worth, rel=1e-12)
    assert model.discounted_expected_residual_lifetime(0.1, 5, 3) == pytest.approx(
        s[5:8] @ worth / s[4], rel=1e-12
    )
    assert model.discounted_expected_lifetime(0.1, 0) == 0
    assert model.discounted_expected_lifetime(0.1) == pytest.approx(
        model.discounted_expected_lifetime(0.1, 3_000)
    )
    both = ConstantRetention.of(0.2)
    assert both.discounted_expected_lifetime(0.1) == pytest.approx(1.1 / 0.3)  # case 1 of B11a
    assert both.discounted_expected_residual_lifetime(0.1, [1, 9]) == pytest.approx([0.8 * 1.1 / 0.3] * 2)


def test_cohort_and_single_contracts_see_the_same():
    durations = [t for t, gone in enumerate(-np.diff(REGULAR), 1) for _ in range(gone)] + [7] * REGULAR[-1]
    ended = [True] * (1000 - 241) + [False] * 241
    one, many = ShiftedBetaGeometric().fit(REGULAR), ShiftedBetaGeometric().fit_censored(durations, ended)
    assert (many.alpha_, many.beta_, many.loglik_) == pytest.approx(
        (one.alpha_, one.beta_, one.loglik_), rel=1e-9
    )
    pairs, times = np.unique(np.column_stack([durations, ended]), axis=0, return_counts=True)
    few = ShiftedBetaGeometric().fit_censored(pairs[:, 0], pairs[:, 1], weights=times)
    assert (few.alpha_, few.beta_) == pytest.approx((one.alpha_, one.beta_), rel=1e-9)


def test_contract_table_by_hand():
    # seen from the start: ends at 2, renews 3 times; seen from 1: ends at 2; seen from 2: nothing after
    table = contract_table([2, 3, 2, 2], [True, False, True, False], entry=[0, 0, 1, 2])
    assert table.t.tolist() == [1, 2, 3]
    assert table.at_risk.tolist() == [2, 3, 1]
    assert table.ended.tolist() == [0, 2, 0]


def _contracts(rng, n, alpha, beta, c=1.0):
    theta = rng.beta(alpha, beta, n)
    u = rng.random(n)
    return np.ceil((np.log(u) / np.log1p(-theta)) ** (1 / c)).clip(1, 10_000)


def _imported(seed):
    """Contracts of a file that starts late: durations, ended, entry."""
    rng = np.random.default_rng(seed)
    life = _contracts(rng, 5_000, 0.9, 3.0)
    seen = rng.integers(0, 4, 5_000)
    until = seen + rng.integers(1, 9, 5_000)
    there = life > seen  # who ended before the import date is not in the file
    return np.minimum(life, until)[there], (life <= until)[there], seen[there]


def test_recovery_under_censoring_and_truncation():
    off = []
    for seed in range(20):
        durations, ended, seen = _imported(seed)
        model = ShiftedBetaGeometric().fit_censored(durations, ended, entry=seen)
        found = np.array([model.alpha_, model.beta_])
        off.append((found - [0.9, 3.0]) / np.sqrt(np.diag(model.covariance_)))
    off = np.array(off)  # in standard errors: centred, and as wide as they say
    assert np.abs(off.mean(axis=0)).max() < 3 / np.sqrt(20)
    assert (off.std(axis=0) > 0.6).all()
    assert (off.std(axis=0) < 1.5).all()


def test_ignoring_the_entry_flatters_the_contracts():
    durations, ended, seen = _imported(1)
    right = ShiftedBetaGeometric().fit_censored(durations, ended, entry=seen)
    blind = ShiftedBetaGeometric().fit_censored(durations, ended)
    assert blind.survival(3) > right.survival(3) + 0.05


def test_recovery_of_the_weibull():
    life = _contracts(np.random.default_rng(11), 20_000, 1.2, 4.0, 1.5)
    model = BetaDiscreteWeibull().fit_censored(np.minimum(life, 15), life <= 15)
    error = np.sqrt(np.diag(model.covariance_))
    assert np.abs(np.array([model.alpha_, model.beta_, model.c_]) - [1.2, 4.0, 1.5]).max() < 1.5
    assert (np.abs(np.array([model.alpha_, model.beta_, model.c_]) - [1.2, 4.0, 1.5]) < 3 * error).all()


def test_interval_covers_the_estimate_and_narrows():
    wide = ShiftedBetaGeometric().fit([100, 63, 47, 38, 33, 29]).interval(lambda m: m.survival([1, 5, 10]))
    fine = ShiftedBetaGeometric().fit([10_000, 6_300, 4_700, 3_800, 3_300, 2_900])
    low, high = fine.interval(lambda m: m.survival([1, 5, 10]))
    assert (low < fine.survival([1, 5, 10])).all()
    assert (fine.survival([1, 5, 10]) < high).all()
    assert ((wide[1] - wide[0]) > 5 * (high - low)).all()
    single = fine.interval(lambda m: m.discounted_expected_lifetime(0.1), level=0.8)
    assert single[0] < fine.discounted_expected_lifetime(0.1) < single[1]


def test_equal_risks_are_not_identified():
    model = ShiftedBetaGeometric().fit([100_000, 80_000, 64_000, 51_200, 40_960])
    assert not model.identified_
    assert "constant rate" in str(model.note_)
    assert model.retention([1, 4]) == pytest.approx([0.8, 0.8], abs=1e-3)
    assert np.isnan(model.covariance_).all()
    with pytest.raises(NotEnoughData, match="identify"):
        model.draws(3)


def test_all_or_nothing_is_not_identified():
    model = ShiftedBetaGeometric().fit([1000, 700, 700, 700])
    assert not model.identified_
    assert "never" in str(model.note_)
    assert model.survival(3) == pytest.approx(0.7, abs=1e-3)


@pytest.mark.parametrize("survivors", [[], [5], [0, 0, 0], [10, 10, 10], [10, 5], [10, 0, 0]])
def test_too_little_to_learn_from(survivors):
    with pytest.raises(NotEnoughData):
        ShiftedBetaGeometric().fit(survivors)


@pytest.mark.parametrize("survivors", [[10, 11], [10, -1], [10, float("nan")]])
def test_impossible_cohorts(survivors):
    with pytest.raises(BadParameter):
        ShiftedBetaGeometric().fit(survivors)


@pytest.mark.parametrize(
    ("durations", "ended", "entry"),
    [
        ([1.5], [True], None),
        ([2], [True], [2]),
        ([1], [False], [2]),
        ([1, 2], [True], None),
        ([-1], [False], None),
    ],
)
def test_impossible_contracts(durations, ended, entry):
    with pytest.raises(BadParameter):
        ShiftedBetaGeometric().fit_censored(durations, ended, entry=entry)


def test_nobody_observed():
    with pytest.raises(NotEnoughData):
        ShiftedBetaGeometric().fit_censored([], [])
    with pytest.raises(NotEnoughData):
        ShiftedBetaGeometric().fit_censored([2, 3], [False, False], entry=[2, 3])


def test_impossible_questions():
    model = ShiftedBetaGeometric.of(1, 2)
    for ask in (
        lambda: model.retention(0),
        lambda: model.survival(-1),
        lambda: model.probability_of_renewal(-1),
    ):
        with pytest.raises(BadParameter):
            ask()
    with pytest.raises(BadParameter):
        ShiftedBetaGeometric.of(1, -2)
    with pytest.raises(BadParameter):
        model.discounted_expected_lifetime(-0.1)


def test_choice_by_holdout_prefers_what_forecasts():
    choice = choose(HIGH_END)
    losses = {score.name: score.loss for score in choice.scores}
    assert choice.calibrated_on == 5
    assert losses["constant retention"] > losses["shifted beta-geometric"]
    assert losses[choice.name] == min(losses.values())
    assert choice.beats_baseline
    # the chosen model has seen everything
    assert choice.model.loglik_ == pytest.approx(type(choice.model)().fit(HIGH_END).loglik_)
    two = choose(REGULAR, (ShiftedBetaGeometric,))
    early = ShiftedBetaGeometric().fit(REGULAR[:6])
    assert two.scores[0].forecast == pytest.approx(early.survival([6, 7]) / early.survival(5), rel=1e-9)
    actual = np.array([262, 241]) / 289
    assert two.scores[0].survival_error == pytest.approx(
        np.abs(two.scores[0].forecast - actual).mean(), rel=1e-9
    )


def test_choice_keeps_the_constant_rate_where_it_wins():
    rng = np.random.default_rng(3)
    won = 0
    for _ in range(20):
        life = rng.geometric(0.2, 400)
        cohort = [int((life > t).sum()) for t in range(10)]
        won += choose(cohort, (ConstantRetention, ShiftedBetaGeometric)).name == "constant retention"
    assert won >= 10


def test_choice_needs_periods():
    with pytest.raises(NotEnoughData):
        choose([10, 5, 2])
    with pytest.raises(BadParameter):
        choose(HIGH_END, holdout=1.0)


def test_everybody_leaves_at_the_first_renewal():
    gone = ConstantRetention().fit([10, 0, 0])
    assert gone.churn_ == 1
    assert gone.survival([0, 1, 5]) == pytest.approx([1, 0, 0], abs=1e-200)
    assert gone.discounted_expected_lifetime(0.1) == pytest.approx(1)
    assert gone.loglik_ == 0


def test_a_cohort_that_dies_out_can_be_judged():
    choice = choose([100, 60, 40, 30, 24, 20, 0, 0])
    assert choice.calibrated_on == 4
    assert all(np.isfinite(score.loss) for score in choice.scores)
