"""Hold-out measures: vector V40, hand tables, identities, intervals that cover, verdicts in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import rankdata, spearmanr

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats import validation as v

cases = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 3)), min_size=2, max_size=40)


def test_v40():
    assert v.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).auc == pytest.approx(0.75)
    assert v.brier([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]).score == pytest.approx(0.0375)


def test_origins_leave_history_before_and_the_horizon_after():
    found = v.rolling_origins(0, 156, 26, 13)
    assert found.tolist() == [52, 65, 78, 91, 104, 117, 130]
    assert v.rolling_origins(0, 78, 26, 13).tolist() == [52]
    assert v.rolling_origins(0, 78, 26, 13, history=30).tolist() == [39, 52]
    with pytest.raises(NotEnoughData):
        v.rolling_origins(0, 77, 26, 13)
    with pytest.raises(BadParameter):
        v.rolling_origins(0, 77, 26, 0)


def test_tracking_by_hand():
    found = v.tracking([0, 10, 10, 20], [1, 8, 12, 21])
    assert np.isnan(found.error[0])
    assert found.error[1:] == pytest.approx([-0.1, 0.05, 0.05])
    assert (found.final, found.worst) == pytest.approx((0.05, -0.1))
    assert found.within
    assert not v.tracking([10], [11.01]).within
    assert not v.tracking([0, 0], [1, 1]).within
    assert np.isnan(v.tracking([], []).final)


def test_errors_by_hand():
    found = v.errors([0, 2, 4], [1, 2, 2])
    assert (found.n, found.mae, found.rmse) == (3, 1.0, pytest.approx(np.sqrt(5 / 3)))
    assert found.bias == pytest.approx(-1 / 3)
    with pytest.raises(NotEnoughData):
        v.errors([], [])
    with pytest.raises(BadParameter):
        v.errors([1, np.nan], [1, 2])
    with pytest.raises(BadParameter):
        v.errors([1], [1, 2])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40))
def test_rank_correlation_with_ties(pairs):
    a, b = np.array(pairs, float).T
    assert v.midranks(a) == pytest.approx(rankdata(a))
    if np.ptp(a) and np.ptp(b):
        assert v.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    else:
        assert np.isnan(v.spearman(a, b))


def test_skill_against_baselines():
    rng = np.random.default_rng(1)
    truth = rng.gamma(2, 3, 600)
    actual = rng.poisson(truth)
    found = v.compare(actual, truth, {"last year": rng.poisson(truth), "mean": np.full(600, actual.mean())})
    for name, one in found.items():
        assert one.baseline == name
        assert one.low < one.skill < one.high
        assert one.skill == pytest.approx(1 - one.loss / one.baseline_loss)
        assert one.publish
        assert name in str(one.verdict)
    assert v.worst_skill(found).skill == min(one.skill for one in found.values())
    with pytest.raises(NotEnoughData):
        v.worst_skill({})


def test_verdicts_say_what_happens():
    rng = np.random.default_rng(2)
    noise = rng.exponential(1, 60)
    loses = v.skill(noise * 1.3, noise, "last year")
    assert not loses.publish
    assert "baseline is shown" in str(loses.verdict)
    perhaps = v.skill(noise, rng.permutation(noise) * 1.02, "last year")
    assert perhaps.publish
    assert perhaps.low < 0 < perhaps.skill
    assert "may be chance" in str(perhaps.verdict)
    assert "20.0" in str(v.skill(noise * 0.8, noise, "last year").verdict)


def test_a_faultless_baseline():
    assert v.skill([1, 0], [0, 0]).skill == -np.inf
    assert v.skill([0, 0], [0, 0]).skill == 0
    with pytest.raises(NotEnoughData):
        v.skill([], [])


def test_rows_of_one_customer_are_drawn_together():
    rng = np.random.default_rng(3)
    mine, base = np.repeat(rng.exponential(1, 50), 8), np.repeat(rng.exponential(1.3, 50), 8)
    alone, together = v.skill(mine, base), v.skill(mine, base, customer=np.repeat(np.arange(50), 8))
    assert together.skill == pytest.approx(alone.skill)
    assert (together.loss, together.baseline_loss) == pytest.approx((alone.loss, alone.baseline_loss))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_skill_interval_covers_the_truth():
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(60):
        mine, base = rng.exponential(0.8, 80), rng.exponential(1.0, 80)
        one = v.skill(mine, base)
        inside += one.low <= 0.2 <= one.high
    assert inside >= 51


def test_rate_recency_by_hand():
    # 4 orders in 40 of 52 weeks: gap 10, silent 12 <= 20; then silent 32; never again; observed 0
    found = v.rate_recency([4, 4, 0, 0], [40, 20, 0, 0], [52, 52, 52, 0], 26)
    assert found.tolist() == [2, 0, 0, 0]
    assert v.rate_recency([4], [20], [52], 26, lapse=7).tolist() == [2]


def test_reliability_table_by_hand():
    p, y = [0.1, 0.1, 0.2, 0.6, 0.6, 0.9], [0, 1, 0, 1, 0, 1]
    table = v.calibration(y, p, bins=2)
    assert table.n.tolist() == [3, 3]
    assert table.forecast == pytest.approx([0.4 / 3, 0.7])
    assert table.actual == pytest.approx([1 / 3, 2 / 3])
    assert v.calibration_error(table) == pytest.approx((0.2 + 1 / 30) / 2)
    assert (table.low < table.actual).all()
    assert v.calibration([], []).n.size == 0
    assert np.isnan(v.calibration_error(v.calibration([], [])))


@given(cases, st.integers(1, 12))
@settings(deadline=None)
def test_bins_lose_nobody_and_weights_are_repetition(rows, bins):
    y, s, w = (np.array([row[k] for row in rows], float) for k in range(3))
    p = s / 8
    again = np.repeat(np.arange(y.size), w.astype(int))
    table, single = v.calibration(y, p, bins, w), v.calibration(y[again], p[again], bins)
    assert table.n.sum() == w.sum()
    assert table.n @ table.forecast == pytest.approx(w @ p)
    assert table.n @ table.actual == pytest.approx(w @ y)
    assert (np.diff(table.forecast) > 0).all()
    assert table.n.tolist() == single.n.tolist()
    parts, plain = v.brier(y, p, w), v.brier(y[again], p[again])
    assert parts.score == pytest.approx(parts.reliability - parts.resolution + parts.uncertainty, abs=1e-12)
    assert parts.score == pytest.approx(((p[again] - y[again]) ** 2).mean())
    assert (plain.score, plain.resolution) == pytest.approx((parts.score, parts.resolution))
    assert v.log_loss(y, p, w) == pytest.approx(v.log_loss(y[again], p[again]))
    one, two = v.auc(y, s, weights=w), v.auc(y[again], s[again])
    if np.isnan(one.auc):
        assert y.min() == y.max()
    else:
        assert (one.auc, one.low, one.high) == pytest.approx((two.auc, two.low, two.high))


@given(cases)
@settings(deadline=None)
def test_auc_is_the_share_of_pairs_in_order(rows):
    y, s = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], float)
    if y.all() or not y.any():
        assert np.isnan(v.auc(y, s).auc)
        return
    wins = np.mean([(a > b) + 0.5 * (a == b) for a in s[y] for b in s[~y]])
    found = v.auc(y, s)
    assert found.auc == pytest.approx(wins)
    assert found.low <= found.auc + 1e-12
    assert found.auc <= found.high + 1e-12
    assert v.auc(y, -s).auc == pytest.approx(1 - wins)
    assert v.auc(y, s * 100 + 3).auc == pytest.approx(wins)


def test_auc_interval_covers_the_truth():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        y = rng.random(120) < 0.3
        found = v.auc(y, rng.normal(y * 1.0, 1))
        inside += found.low <= 0.7602 <= found.high  # Φ(1/√2)
    assert 0.91 <= inside / 300 <= 0.985


def test_calibration_line_finds_overconfidence():
    rng = np.random.default_rng(6)
    z = rng.normal(-1, 1.2, 8_000)
    y = rng.random(8_000) < expit(z)
    good = v.calibration_line(y, expit(z))
    assert abs(good.slope - 1) < 3 * good.slope_error
    assert abs(good.intercept) < 3 * good.intercept_error
    assert good.within
    loud = v.calibration_line(y, expit(0.5 + 2 * z))
    assert loud.slope == pytest.approx(good.slope / 2, rel=1e-6)
    assert loud.intercept == pytest.approx(good.intercept - 0.5 * loud.slope, abs=1e-6)
    assert not loud.within
    with pytest.raises(NotEnoughData):
        v.calibration_line([0, 1], [0.3, 0.3])
    with pytest.raises(NotEnoughData):
        v.calibration_line([0, 0], [0.3, 0.4])


def test_calibration_line_errors_are_honest():
    rng = np.random.default_rng(7)
    off = []
    for _ in range(150):
        z = rng.normal(-1, 1, 400)
        line = v.calibration_line(rng.random(400) < expit(z), expit(z))
        off.append(((line.slope - 1) / line.slope_error, line.intercept / line.intercept_error))
    assert np.std(off, axis=0) == pytest.approx([1, 1], abs=0.2)


def test_average_precision_by_hand():
    # order 1, 0, 1: precision 1 at the first event, 2/3 at the second
    assert v.average_precision([1, 0, 1], [0.9, 0.8, 0.7]) == pytest.approx(5 / 6)
    # tied scores enter together
    assert v.average_precision([1, 0], [0.5, 0.5]) == v.average_precision([0, 1], [0.5, 0.5]) == 0.5
    assert np.isnan(v.average_precision([0, 0], [0.1, 0.2]))


def test_capture_and_lift():
    value = [50, 30, 10, 5, 5, 0, 0, 0, 0, 0]
    assert v.capture(value, value, 0.1) == pytest.approx(0.5)
    assert v.capture(value, [1] * 10, 0.3) == pytest.approx(0.3)  # no ranking, no gain, in whatever order
    assert v.lift([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], range(10, 0, -1), 0.1) == pytest.approx(5)
    assert np.isnan(v.capture([0, 0], [1, 2]))


def test_coverage_by_hand():
    found = v.coverage([1, 2, 3, 4, 5], [1, 2, 4, 0, 0], [2, 2, 5, 3, 9])
    assert (found.share, found.below, found.above) == (0.6, 0.2, 0.2)
    assert not found.within
    assert found.low < 0.6 < found.high
    assert v.coverage(np.arange(10), np.r_[np.zeros(8), 9, 10], np.full(10, 12)).within
    with pytest.raises(NotEnoughData):
        v.coverage([], [], [])


def test_by_frequency_by_hand():
    groups, table = v.by_frequency([0, 0, 1, 8, 9], [0, 2, 3, 10, 12], [1, 1, 2, 9, 9])
    assert groups.tolist() == [0, 1, 7]
    assert table.n.tolist() == [2, 1, 2]
    assert table.actual.tolist() == [1, 3, 11]
    assert table.forecast.tolist() == [1, 2, 9]
    assert table.high[0] - 1 == pytest.approx(1.959964 * 1 / 1, rel=1e-6)


def test_drift():
    rng = np.random.default_rng(8)
    then = rng.normal(size=5_000)
    assert v.population_stability(then, rng.normal(size=5_000)) < 0.02
    assert v.population_stability(then, rng.normal(0.7, 1, 5_000)) > 0.2
    assert v.population_stability([1, 1, 1], [1, 1]) == pytest.approx(0)
    assert np.isnan(v.population_stability([], [1]))


@pytest.mark.parametrize("bad", [([2], [0.5]), ([1], [1.5]), ([1, 0], [0.5])])
def test_impossible_probabilities(bad):
    with pytest.raises(BadParameter):
        v.brier(*bad)
    with pytest.raises(BadParameter):
        v.calibration(*bad)
