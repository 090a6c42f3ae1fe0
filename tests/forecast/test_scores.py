"""Measures of forecasts against published or hand-made values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.forecast import scores
from klientel.stats import validation

ONES = np.ones(4)


def test_v40_auc_and_brier():
    assert scores.auc(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]), ONES) == pytest.approx(0.75)
    assert scores.brier(np.array([0, 1, 1, 0.0]), np.array([0.1, 0.9, 0.8, 0.3]), ONES) == pytest.approx(
        0.0375
    )


def test_ties_count_half_and_weights_count_customers():
    tied = scores.auc(np.array([0, 1.0]), np.array([0.5, 0.5]), np.ones(2))
    assert tied == pytest.approx(0.5)
    event, p = np.array([0, 1, 1.0]), np.array([0.2, 0.2, 0.9])
    weighted = scores.auc(event, p, np.array([2.0, 1, 3]))
    spread = scores.auc(event.repeat([2, 1, 3]), p.repeat([2, 1, 3]), np.ones(6))
    assert weighted == pytest.approx(spread)
    assert scores.auc(np.ones(2), np.array([0.1, 0.2]), np.ones(2)) is None


def test_coverage_of_a_right_forecast_is_the_level():
    """Orders are whole numbers, so a plain count of hits would overstate: here exactly 80 % are inside."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.6, 1.5, 4000)  # mostly nothing, sometimes much
    actual = rng.poisson(rate).astype(float)
    sampled = rng.poisson(rate[:, None], (4000, 400)).astype(float)
    assert scores.coverage(actual, sampled, np.ones(4000)) == pytest.approx(0.8, abs=0.02)
    assert scores.coverage(actual + 20, sampled, np.ones(4000)) == pytest.approx(0.0, abs=0.01)


def test_capture_is_one_for_a_perfect_ranking_and_splits_ties():
    actual, n = np.array([10.0, 5, 1, 0]), np.array([1.0, 1, 4, 4])
    assert scores.captured(actual, actual * 2, n) == pytest.approx(1.0)
    # everybody predicted alike: a tenth of all that came
    assert scores.captured(actual, np.zeros(4), n) == pytest.approx(0.1 * 19 / 10)
    assert scores.captured(np.zeros(4), actual, n) is None


def test_skill_is_zero_for_the_baseline_itself_and_its_interval_holds_it():
    loss, n = np.array([1.0, 4, 9]), np.array([10.0, 10, 10])
    assert scores.skill(loss, loss, n) == pytest.approx((0, 0, 0))
    value, low, high = scores.skill(loss / 2, loss, n)
    assert low <= value <= high
    assert value == pytest.approx(0.5)


def test_the_linearised_interval_of_many_rows_is_that_of_the_bootstrap(monkeypatch):
    rng = np.random.default_rng(3)
    base = rng.gamma(1, 1, 3000)
    loss, n = base * rng.uniform(0.4, 1.2, 3000), rng.integers(1, 4, 3000).astype(float)
    drawn = scores.skill(loss, base, n)
    monkeypatch.setattr(validation, "_MANY", 100)
    assert scores.skill(loss, base, n) == pytest.approx(drawn, abs=0.003)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=40))
@settings(deadline=None)
def test_tenths_rise_with_the_prediction_and_ties_stay_together(rows):
    predicted, n = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    found = scores.tenths(predicted, n)
    assert ((found >= 1) & (found <= 10)).all()
    order = np.argsort(predicted, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    for level in np.unique(predicted):
        assert len(set(found[predicted == level])) == 1
