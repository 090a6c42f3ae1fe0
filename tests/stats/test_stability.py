"""Class stability: certain where months are equal, the binomial chance where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.stats.stability import A, B, C, class_stability, graded


def test_graded_is_the_rule_of_a1_with_ties_lifted():
    v41 = np.array([50000, 20000, 8000, 5000, 5000, 5000, 4000, 2000, 1000, 0, -3000], dtype=float)
    assert graded(v41, 0.8, 0.95).tolist() == [A] * 6 + [B] + [C] * 4
    assert graded(np.array([80.0, 15.0, 5.0]), 0.8, 0.95).tolist() == [A, B, C]
    assert graded(np.array([80.0, 15.0, 5.0]), 0.8, 0.95, inclusive=True).tolist() == [A, B, C]
    assert graded(np.array([90.0, 6.0, 4.0]), 0.8, 0.95, inclusive=True).tolist() == [B, C, C]
    assert graded(np.zeros(3), 0.8, 0.95).tolist() == [C] * 3


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.randoms())
def test_graded_does_not_see_the_row_order(values, rand):
    order = list(range(len(values)))
    rand.shuffle(order)
    v = np.array(values, dtype=float)
    assert graded(v[order], 0.8, 0.95).tolist() == graded(v, 0.8, 0.95)[order].tolist()


def test_equal_months_keep_every_class():
    cells = np.repeat([[50.0], [20.0], [8.0], [8.0], [4.0]], 12, axis=1)
    classes = graded(cells.sum(axis=1), 0.8, 0.95)
    assert class_stability(cells, classes, shares=(0.8, 0.95)).tolist() == [1.0] * 5


def test_held_limits_give_the_binomial_chance():
    cells = np.zeros((1, 12))
    cells[0, 0] = 100
    found = class_stability(cells, np.array([B]), values=(150.0, 50.0))
    assert found[0] == pytest.approx((11 / 12) ** 11, abs=0.06)  # drawn exactly once


def test_negative_customers_are_compared_as_negative():
    found = class_stability(np.full((1, 6), -1.0), np.array([3]), values=(150.0, 50.0))
    assert found.tolist() == [1.0]
