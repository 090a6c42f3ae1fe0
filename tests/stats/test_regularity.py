"""Regularity: vector V47, trend and season, intermittence, class stability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.stats import regularity


@pytest.mark.parametrize(
    ("values", "zero", "one"),
    [
        ((100, 104, 98, 102, 96, 100), 0.02582, 0.02828),
        ((100, 140, 60, 110, 80, 110), 0.25166, 0.27568),
        ((0, 0, 300, 0, 0, 0), 2.23607, 2.44949),
    ],
)
def test_v47(values, zero, one):
    assert regularity.cv(values)[0] == pytest.approx(zero, abs=5e-6)
    assert regularity.cv(values, ddof=1)[0] == pytest.approx(one, abs=5e-6)


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=30), st.integers(2, 1000), st.randoms())
def test_cv_ignores_currency_and_order(values, factor, rand):
    mixed = [v * factor for v in values]
    rand.shuffle(mixed)
    assert regularity.cv(mixed)[0] == pytest.approx(regularity.cv(values)[0], rel=1e-9, abs=1e-12)


def test_no_positive_mean_has_no_cv():
    assert np.isnan(regularity.cv([[0, 0], [-5, 1]])).all()
    assert regularity.classed(np.array([np.nan]), 0.5, 1.0).tolist() == [-1]


def test_limits_belong_to_the_better_class():
    assert regularity.classed(np.array([0.5, 0.500001, 1.0, 1.000001]), 0.5, 1.0).tolist() == [0, 1, 1, 2]


def test_a_seasonal_and_growing_customer_is_regular():
    t = np.arange(36)
    seasonal = 100 + 90 * np.sin(2 * np.pi * t / 12) + 3 * t
    assert regularity.cv(seasonal)[0] > 0.35
    assert regularity.residual_cv(seasonal)[0] == pytest.approx(0.0, abs=1e-9)


def test_pure_noise_keeps_its_variation():
    # the freedom used up by 13 fitted numbers is given back: neither better nor worse on average
    v = np.random.default_rng(1).normal(100, 30, (4_000, 24))
    plain, rest = regularity.cv(v, ddof=1).mean(), regularity.residual_cv(v)
    assert np.sqrt((rest**2).mean()) == pytest.approx(0.30, abs=0.01)
    assert plain == pytest.approx(0.30, abs=0.01)


def test_residuals_against_least_squares():
    v = np.random.default_rng(2).gamma(2, 50, (3, 27))
    rest, fitted = regularity.residuals(v, 12)
    design = regularity._design(27, 12)
    for i in range(3):
        beta, *_ = np.linalg.lstsq(design, v[i], rcond=None)
        assert rest[i] == pytest.approx(v[i] - design @ beta, abs=1e-8)
    assert fitted == 13


def test_too_few_periods_for_a_season():
    assert regularity.can_take_out(24, 12)
    assert not regularity.can_take_out(23, 12)
    assert not regularity.can_take_out(11, 4)
    assert regularity.can_take_out(12, 4)
    with pytest.raises(ValueError, match="too few"):
        regularity.residual_cv(np.ones((1, 20)))


def test_intermittence_patterns():
    smooth = [10, 11, 9, 10, 10, 11, 9, 10]
    intermittent = [10, 0, 0, 10, 0, 0, 10, 0]
    erratic = [1, 30, 2, 1, 40, 1, 2, 1]
    lumpy = [0, 0, 50, 0, 0, 1, 0, 2]
    found = regularity.intermittence([smooth, intermittent, erratic, lumpy, [0] * 8])
    assert [regularity.PATTERNS[p] if p >= 0 else None for p in found.pattern] == [
        "smooth",
        "intermittent",
        "erratic",
        "lumpy",
        None,
    ]
    assert found.adi[1] == pytest.approx(8 / 3)
    assert found.cv2[1] == 0
    assert np.isnan(found.adi[4])


def test_stability_is_sure_far_from_a_limit_and_unsure_near_it():
    rng = np.random.default_rng(3)
    far = rng.normal(100, 5, (20, 24))
    near = rng.normal(100, 50, (20, 24))
    assert regularity.class_stability(far, 0.5, 1.0).min() == 1.0
    assert regularity.class_stability(near, 0.5, 1.0).mean() < 0.9
    assert regularity.class_stability(far, 0.5, 1.0, season=12).min() == 1.0
