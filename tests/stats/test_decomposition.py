"""Splits add up exactly; published Shapley vectors; the linearised ratio against the bootstrap."""

from __future__ import annotations

from decimal import Decimal
from math import log, prod

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from klientel.errors import BadParameter
from klientel.stats.decomposition import linear_ratio, log_mean, settle, shapley, split_change
from klientel.stats.intervals import bootstrap, ratio


def test_log_mean():
    assert log_mean(2.0, 1.0) == pytest.approx(1 / log(2))
    assert log_mean(5.0, 5.0) == 5.0
    assert log_mean(5.0, 5.0 * (1 + 1e-9)) == pytest.approx(5.0, rel=1e-8)
    assert log_mean([2.0, 3.0], [1.0, 3.0]).tolist() == pytest.approx([1 / log(2), 3.0])
    with pytest.raises(BadParameter):
        log_mean(0.0, 1.0)


@given(st.floats(0.1, 1e6), st.floats(-1e-3, 1e-3))
def test_log_mean_is_smooth_where_both_are_close(a, d):
    b = a * (1 + d)
    exact = a if a == b else (b - a) / np.log1p((b - a) / a)
    assert log_mean(a, b) == pytest.approx(exact, rel=1e-11)
    assert min(a, b) * (1 - 1e-12) <= log_mean(a, b) <= max(a, b) * (1 + 1e-12)


def test_split_by_hand():
    # 10 customers x 2 orders x 50 = 1000 -> 12 x 2 x 40 = 960
    pieces = split_change((10, 2, 50), (12, 2, 40))
    mean = -40 / log(960 / 1000)
    assert pieces == pytest.approx((mean * log(1.2), 0.0, mean * log(0.8)))
    assert sum(pieces) == pytest.approx(-40)


def test_zero_factors_take_the_shapley_value():
    assert split_change((4, 5), (0, 5)) == (-20, 0)
    # from nothing to 3 x 7: each factor gets half of the product
    assert split_change((0, 0), (3, 7)) == (10.5, 10.5)
    with pytest.raises(BadParameter):
        split_change((1, 2), (1,))


def test_v24_shapley():
    worth = {(): 0, (0,): 2, (1,): 1.5, (0, 1): 4}
    assert shapley(2, lambda s: worth[tuple(sorted(s))]) == (2.25, 1.75)
    glove = shapley(3, lambda s: float(2 in s and (0 in s or 1 in s)))
    assert glove == pytest.approx((1 / 6, 1 / 6, 2 / 3))


factors = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=5)


@given(factors)
@example([(1.0, 1.5), (1.0, 5e-324)])
def test_pieces_add_up(pairs):
    before, after = zip(*pairs, strict=True)
    pieces = split_change(before, after)
    change = prod(after) - prod(before)
    # Mixed products, old and new factors together, can be far larger than both ends.
    scale = max(prod(max(pair) for pair in pairs), 1.0)
    assert sum(pieces) == pytest.approx(change, abs=1e-9 * scale)
    for piece, (a, b) in zip(pieces, pairs, strict=True):
        if a == b:
            assert piece == pytest.approx(0, abs=1e-9 * scale)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_settled_pieces_are_exact(pieces):
    total = Decimal(repr(sum(pieces))).quantize(Decimal("0.01"))
    settled = settle(pieces, total)
    assert sum(settled) == total
    for piece, given_ in zip(settled, pieces, strict=True):
        assert abs(float(piece) - given_) <= 0.01 * (len(pieces) + 1)


def test_pieces_of_something_else_are_refused():
    with pytest.raises(BadParameter):
        settle([1.0, 2.0], Decimal(4))


def test_linear_ratio_is_near_the_bootstrap():
    rng = np.random.default_rng(11)
    x = rng.gamma(2, 100, 800)
    y = x * rng.uniform(0.5, 1.4, 800)
    low, high = linear_ratio(800, y.sum(), x.sum(), (y * y).sum(), (x * y).sum(), (x * x).sum())
    drawn = bootstrap(ratio, np.column_stack([y, x]))
    assert (low, high) == pytest.approx((drawn.low, drawn.high), abs=0.004)
    # y proportional to x: the ratio has no spread
    assert linear_ratio(3, 6, 3, 12, 6, 3) == pytest.approx((2, 2))
    with pytest.raises(BadParameter):
        linear_ratio(1, 1, 1, 1, 1, 1)
