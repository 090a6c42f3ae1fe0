"""Intervals set by what came: levels from other origins, ties, and how many they hold."""

from __future__ import annotations

import numpy as np
import pytest

from klientel.forecast.intervals import LEVELS, Places, calibrated


def drawn(spread: float, seed: int, customers: int = 4000, draws: int = 400) -> Places:
    """What came is normal with this standard deviation; the model thinks it is 1."""
    rng = np.random.default_rng(seed)
    came = spread * rng.standard_normal(customers)
    forecast = rng.standard_normal((customers, draws))
    return Places((forecast < came[:, None]).mean(axis=1), (forecast <= came[:, None]).mean(axis=1))


def test_a_right_model_keeps_its_levels():
    found = calibrated([drawn(1.0, 1), drawn(1.0, 2)])
    assert found.levels == pytest.approx(LEVELS, abs=0.02)
    assert found.raw == pytest.approx((0.8, 0.8), abs=0.02)


def test_intervals_too_narrow_are_widened_until_they_hold_elsewhere():
    found = calibrated([drawn(1.5, 1), drawn(1.5, 2), drawn(1.5, 3)])
    # P(|1.5 z| < 1.2816) = 0.607
    assert found.raw == pytest.approx((0.607,) * 3, abs=0.02)
    assert found.held == pytest.approx((0.8,) * 3, abs=0.025)
    # the 10 % point of what came, -1.9224, lies at this share of the model's own draws
    assert found.levels[0] == pytest.approx(0.0273, abs=0.008)


def test_one_origin_is_tried_on_its_other_half():
    found = calibrated([drawn(1.5, 4)])
    assert len(found.held) == 1
    assert found.held[0] == pytest.approx(0.8, abs=0.03)
    assert calibrated([]).levels == LEVELS


def test_a_tie_counts_by_the_part_of_it_inside():
    # everybody brought nothing, and nine of ten draws say so: 80 % of a right forecast is inside
    ties = Places(np.zeros(50), np.full(50, 0.9))
    assert ties.covered(0.0, 0.45) == pytest.approx(0.5)
    below_all = Places(np.zeros(10), np.zeros(10))
    assert below_all.covered(0.1, 0.9) == 0
    above_all = Places(np.ones(10), np.ones(10))
    assert above_all.covered(0.1, 0.9) == 0
    assert calibrated([above_all, above_all]).levels == (1.0, 1.0, 1.0)
