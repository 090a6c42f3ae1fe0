"""Closed lifetime formulas: vectors V12-V16, identities, beta-geometric sums against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.errors import BadParameter
from klientel.stats import lifetime_formulas as lf

share = st.floats(0, 0.999)
rate = st.floats(0.001, 2)


@pytest.mark.parametrize(("r", "value"), [(0.99, 766.755), (0.95, 245.258), (0.90, 126.736)])
def test_v12_case_two(r, value):
    assert lf.constant_retention(15.49, r, 0.01, case="just_paid") == pytest.approx(value, abs=1e-3)


def test_v13_cohort_present_value():
    flows = [1600, 1000, 1260, 1280, 1440, 1632, 1536, 600, 140]
    assert lf.net_present_value(flows, 0.02) == pytest.approx(9_811.88, abs=0.005)


def test_v14_margin_multiples():
    rows = {
        0.6: (1.20, 1.15, 1.11, 1.07),
        0.7: (1.75, 1.67, 1.59, 1.52),
        0.8: (2.67, 2.50, 2.35, 2.22),
        0.9: (4.50, 4.09, 3.75, 3.46),
    }
    for r, expected in rows.items():
        assert lf.margin_multiple(r, [0.10, 0.12, 0.14, 0.16]) == pytest.approx(expected, abs=0.005)


def test_v15_berger_nasr():
    assert lf.berger_nasr(260, 50, 0.75, 0.20, periods=10) == pytest.approx(568.783, abs=5e-4)
    by_hand = sum(260 * 0.75**i / 1.2**i for i in range(11))
    by_hand -= sum(50 * 0.75 ** (i - 1) / 1.2 ** (i - 0.5) for i in range(1, 11))
    assert lf.berger_nasr(260, 50, 0.75, 0.20, periods=10) == pytest.approx(by_hand, rel=1e-14)


def test_v16_three_cases():
    values = [lf.constant_retention(100, 0.8, 0.1, case=case) for case in lf.CASES]
    assert values == pytest.approx([366.667, 266.667, 333.333], abs=5e-4)


@given(st.floats(-1e6, 1e6), share, rate)
def test_identities_between_the_cases(m, r, d):
    one, two, three = (lf.constant_retention(m, r, d, case=case) for case in lf.CASES)
    assert one == pytest.approx((1 + d) * three, rel=1e-12, abs=1e-9)
    assert one == pytest.approx(m + two, rel=1e-12, abs=1e-6)


@given(share, rate, st.floats(-0.3, 0.3), st.integers(0, 40), st.sampled_from(lf.CASES))
def test_truncated_value_is_the_plain_sum(r, d, g, n, case):
    q = r * (1 + g) / (1 + d)
    first = {"first_included": 1.0, "just_paid": q, "end_of_period": 1 / (1 + d)}[case]
    plain = sum(first * q**k for k in range(n))
    assert lf.constant_retention(1, r, d, case=case, growth=g, periods=n) == pytest.approx(
        plain, rel=1e-9, abs=1e-12
    )


def test_many_periods_reach_the_endless_value():
    for case in lf.CASES:
        endless = lf.constant_retention(100, 0.9, 0.08, case=case, growth=0.02)
        assert lf.constant_retention(100, 0.9, 0.08, case=case, growth=0.02, periods=600) == pytest.approx(
            endless
        )


def test_a_rate_of_one_without_discount_counts_periods():
    assert lf.constant_retention(7, 1, 0, case="first_included", periods=12) == pytest.approx(84, rel=1e-12)
    with pytest.raises(BadParameter, match="endless"):
        lf.constant_retention(7, 1, 0, case="first_included")
    with pytest.raises(BadParameter, match="endless"):
        lf.constant_retention(7, 0.95, 0.05, case="just_paid", growth=0.2)


def test_the_case_must_be_named():
    with pytest.raises(TypeError):
        lf.constant_retention(1, 0.8, 0.1)
    with pytest.raises(BadParameter, match="did you mean just_paid"):
        lf.constant_retention(1, 0.8, 0.1, case="justpaid")
    with pytest.raises(BadParameter, match="known are"):
        lf.constant_retention(1, 0.8, 0.1, case="x")


@pytest.mark.parametrize("bad", [(1, 1.2, 0.1), (1, -0.1, 0.1), (1, 0.5, -1), (float("nan"), 0.5, 0.1)])
def test_impossible_numbers_are_refused(bad):
    with pytest.raises(BadParameter):
        lf.constant_retention(*bad, case="just_paid")


def test_lifetime_and_rates():
    assert lf.expected_lifetime(0.8) == pytest.approx(5)
    assert lf.per_period(0.10, 12) == pytest.approx(1.1 ** (1 / 12) - 1, rel=1e-14)
    with pytest.raises(BadParameter):
        lf.expected_lifetime(1.0)
    with pytest.raises(BadParameter):
        lf.per_period(0.1, 0)


def test_panel_value_by_hand():
    value = lf.panel_value([[0.9, 0.8], [0.5, 0.2]], [[100, 100], [50, 40]], [10, 10], 0.1)
    assert value == pytest.approx([80 / 1.1 + 70 / 1.21, 15 / 1.1 - 2 / 1.21], rel=1e-14)


def test_numbers_come_back_as_they_were_given():
    assert isinstance(lf.constant_retention(1, 0.5, 0.1, case="just_paid"), float)
    assert lf.constant_retention([1, 2], 0.5, 0.1, case="just_paid").shape == (2,)


CORNERS = [
    (0.668, 3.806, 0.1), (0.704, 1.182, 0.1), (1e-3, 1e-3, 1e-8), (1e-3, 5e3, 1e-4), (0.3, 30.0, 1e-8),
    (1.0, 0.5, 1e-4), (1.5, 3.8, 1e-8), (10.0, 5e3, 0.01), (2e3, 1e-3, 0.1), (2e3, 30.0, 3.0), (2.0, 2.0, 1e-12),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "d"), CORNERS)
def test_del_against_mpmath(a, b, d):
    with mpmath.workdps(40):
        exact = mpmath.hyp2f1(1, b, mpmath.mpf(a) + b, 1 / (1 + mpmath.mpf(d)))
    assert lf.discounted_expected_lifetime(a, b, d) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 3_000])
@pytest.mark.parametrize("d", [1e-7, 0.02, 0.5])
def test_derl_against_mpmath(n, d):
    a, b = mpmath.mpf("0.668"), mpmath.mpf("3.806")
    with mpmath.workdps(40):
        exact = (b + n - 1) / (a + b + n - 1) * mpmath.hyp2f1(1, b + n, a + b + n, 1 / (1 + mpmath.mpf(d)))
    assert lf.discounted_expected_residual_lifetime(0.668, 3.806, d, n) == pytest.approx(
        float(exact), rel=1e-12
    )


def test_without_discount_the_sum_is_exact_or_endless():
    assert lf.discounted_expected_lifetime(3.0, 2.0, 0.0) == pytest.approx(2.0, rel=1e-14)
    assert lf.discounted_expected_lifetime([1.0, 0.4], 2.0, 0.0).tolist() == [np.inf, np.inf]
    # ... and it is what small discounts tend to
    assert lf.discounted_expected_lifetime(3.0, 2.0, 1e-10) == pytest.approx(2.0, rel=1e-9)


@given(st.floats(0.05, 50), st.floats(0.05, 50), st.floats(0.001, 1), st.integers(1, 60))
def test_derl_steps_back_by_one_renewal(a, b, d, n):
    here = lf.discounted_expected_residual_lifetime(a, b, d, n)
    after = lf.discounted_expected_residual_lifetime(a, b, d, n + 1)
    keep = (b + n - 1) / (a + b + n - 1)
    assert here == pytest.approx(keep * (1 + after / (1 + d)), rel=1e-11)


def test_huge_parameters_are_a_constant_rate():
    value = lf.discounted_expected_lifetime(2e7, 8e7, 0.1)
    assert value == pytest.approx(1.1 / 0.3, rel=1e-6)


def test_bad_beta_parameters():
    with pytest.raises(BadParameter):
        lf.discounted_expected_lifetime(0, 1, 0.1)
    with pytest.raises(BadParameter):
        lf.discounted_expected_lifetime(1, 1, -0.1)
    with pytest.raises(BadParameter):
        lf.discounted_expected_residual_lifetime(1, 1, 0.1, 0)
