"""Survival curves: vectors V17 and V21, tables by hand, identities, large and odd input, the telco truths."""

from __future__ import annotations

import csv
import itertools
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.survival import AalenJohansen, KaplanMeier, logrank

TELCO = Path(__file__).parents[3] / "shared" / "data" / "telco_churn"

SIX_MP = [
    "6",
    "6",
    "6",
    "6+",
    "7",
    "9+",
    "10",
    "10+",
    "11+",
    "13",
    "16",
    "17+",
    "19+",
    "20+",
    "22",
    "23",
    "25+",
    "32+",
    "32+",
    "34+",
    "35+",
]
TIMES, ENDS = [float(v.strip("+")) for v in SIX_MP], ["+" not in v for v in SIX_MP]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

rows = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 6), st.integers(1, 4)),
    min_size=1,
    max_size=40,
)


def test_v17_freireich():
    km = KaplanMeier().fit(TIMES, ENDS)
    expected = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert km.survival_at([6, 7, 10, 13, 16, 22, 23]) == pytest.approx(expected, abs=5e-4)
    assert km.median_ == 23
    assert km.survival_at(5.99) == 1
    assert km.survival_at(24) == km.survival_at(35) == pytest.approx(0.448, abs=5e-4)
    # beyond the last censored customer nothing is known
    assert np.isnan(km.survival_at(35.01))


def test_published_errors_and_mean_of_the_same_data():
    # standard error .0764 at 6, log-log limits .620 and .952, median's limits 13 and open, mean up to 35: 23.29 (2.83)
    km = KaplanMeier().fit(TIMES, ENDS)
    assert np.sqrt(km.variance_[0]) == pytest.approx(0.0764, abs=5e-5)
    low, high = km.interval()
    assert (low[0], high[0]) == pytest.approx((0.620, 0.952), abs=5e-4)
    assert km.median_interval() == (13, None)
    mean = km.restricted_mean(35)
    assert (mean.mean, np.sqrt(mean.variance)) == pytest.approx((23.29, 2.83), abs=5e-3)
    assert km.restricted_mean().tau == km.horizon() == 17  # the last time with ten at risk


def test_published_comparison_of_the_two_arms():
    test = logrank(TIMES + PLACEBO, ENDS + [True] * 21, ["6-MP"] * 21 + ["placebo"] * 21)
    assert test.statistic == pytest.approx(16.79, abs=5e-3)
    assert test.p_value == pytest.approx(4.17e-5, rel=2e-3)
    assert test.groups == ["6-MP", "placebo"]
    assert test.observed.tolist() == [9, 21]
    assert test.expected == pytest.approx([19.25, 10.75], abs=5e-3)


def test_v21_competing_causes():
    # at risk 304, 302, 301, 300, 298, 297 of 305: one lost before, one after the first and after the fourth end
    durations = [1, 2, 2.5, 3, 4, 5, 5.5, 6, 7] + [8] * 296
    causes = [None, "BC", None, "BC", "other", "BC", None, "other", "BC"] + [None] * 296
    aj = AalenJohansen().fit(durations, causes)
    place = np.searchsorted(aj.times_, [2, 3, 4, 5, 6, 7])
    assert aj.at_risk_[place].tolist() == [304, 302, 301, 300, 298, 297]
    assert aj.survival_[place] == pytest.approx([0.997, 0.993, 0.990, 0.987, 0.983, 0.980], abs=5.1e-4)
    found = aj.incidence_["BC"][place]
    # the handbook's figures carry the third digit of a per cent as 1/304, 2/304, 3/304, 4/304
    assert found == pytest.approx([0.00329, 0.00658, 0.00658, 0.00986, 0.00986, 0.01315], abs=6e-5)
    s, exact = Fraction(1), [Fraction(0)]
    for n, cause in zip((304, 302, 301, 300, 298, 297), ("BC", "BC", "", "BC", "", "BC"), strict=True):
        exact.append(exact[-1] + (s / n if cause else 0))
        s *= 1 - Fraction(1, n)
    assert found == pytest.approx([float(v) for v in exact[1:]], rel=1e-13)
    assert aj.survival_[-1] == pytest.approx(float(s), rel=1e-13)
    assert found[-1] + aj.incidence_["other"][-1] + aj.survival_[-1] == pytest.approx(1, abs=1e-14)


def test_delayed_entry_by_hand():
    # A 0-2 ends, B 0-3 runs, C 2-5 ends (not at risk at 2), D 1-5 ends, E 3-6 runs
    km = KaplanMeier().fit([2, 3, 5, 5, 6], [True, False, True, True, False], entry=[0, 0, 2, 1, 3])
    assert km.times_.tolist() == [2, 3, 5, 6]
    assert km.at_risk_.tolist() == [3, 3, 3, 1]
    assert km.events_.tolist() == [1, 0, 2, 0]
    assert km.survival_ == pytest.approx([2 / 3, 2 / 3, 2 / 9, 2 / 9])
    assert km.variance_[-1] == pytest.approx((2 / 9) ** 2 * (1 / 6 + 2 / 3))


def test_restricted_mean_by_hand():
    km = KaplanMeier().fit([2, 3, 5, 5, 6], [True, False, True, True, False], entry=[0, 0, 2, 1, 3])
    mean = km.restricted_mean(5.5)
    assert mean.mean == pytest.approx(2 + 3 * 2 / 3 + 0.5 * 2 / 9)
    after = (3 * 2 / 3 + 0.5 * 2 / 9, 0.5 * 2 / 9)
    assert mean.variance == pytest.approx(after[0] ** 2 / 6 + after[1] ** 2 * 2 / 3)
    assert km.restricted_mean(2).mean == pytest.approx(2)  # the end at 2 itself takes nothing away yet
    assert km.restricted_mean(2).variance == 0
    with pytest.raises(BadParameter, match="known up to"):
        km.restricted_mean(7)


def test_ties_put_ends_before_censoring():
    km = KaplanMeier().fit([4, 4, 4, 4], [True, False, False, True])
    assert km.at_risk_.tolist() == [4]
    assert km.survival_.tolist() == [0.5]
    assert km.median_ == 4


def test_ends_on_the_first_day_count_unless_entry_was_later():
    km = KaplanMeier().fit([0, 0, 3, 5], [True, False, True, False])
    assert km.survival_at(0) == 0.75
    same = KaplanMeier().fit([0, 0, 3, 5], [True, False, True, False], entry=[0, 0, 0, 0])
    assert same.survival_.tolist() == km.survival_.tolist()
    late = KaplanMeier().fit([3, 3, 5], [True, True, False], entry=[3, 0, 0])
    assert (late.at_risk_[0], late.events_[0], late.excluded_) == (2, 1, 1)


def test_everybody_still_there():
    km = KaplanMeier().fit([3, 4, 5], [False] * 3)
    assert km.survival_.tolist() == [1, 1, 1]
    assert km.median_ is None
    low, high = km.interval()
    assert high.tolist() == [1, 1, 1]
    assert low[0] == pytest.approx(3 / (3 + 1.959964**2), rel=1e-6)  # not a certainty
    assert (np.diff(low) < 0).all()
    assert km.restricted_mean(5).mean == 5
    with pytest.raises(NotEnoughData):
        km.restricted_mean()


def test_everybody_gone():
    km = KaplanMeier().fit([1, 2, 3, 4], [True] * 4)
    assert km.survival_ == pytest.approx([0.75, 0.5, 0.25, 0])
    assert km.survival_at([4, 100]).tolist() == [0, 0]
    assert km.restricted_mean(10).mean == pytest.approx(2.5)
    assert km.restricted_mean(10).variance == pytest.approx(np.var([1, 2, 3, 4]) / 4)
    low, high = km.interval()
    assert low[-1] == 0
    assert 0 < high[-1] <= high[-2]


def test_nobody_at_all():
    km = KaplanMeier().fit([], [])
    assert km.times_.size == km.survival_.size == 0
    assert km.median_ is None
    assert np.isnan(km.survival_at(1))
    assert [limit.size for limit in km.interval()] == [0, 0]
    aj = AalenJohansen().fit([], [])
    assert aj.causes_ == []
    assert AalenJohansen().fit([2, 3], [None, 0]).survival_.tolist() == [1, 1]
    with pytest.raises(NotEnoughData):
        logrank([], [], [])


@pytest.mark.parametrize(
    ("durations", "observed", "entry", "weights"),
    [
        ([-1], [True], None, None),
        ([float("nan")], [True], None, None),
        ([1, 2], [True], None, None),
        ([1], [True], [2], None),
        ([1], [True], None, [-1]),
        ([1], [True], [float("nan")], None),
    ],
)
def test_impossible_durations(durations, observed, entry, weights):
    with pytest.raises(BadParameter):
        KaplanMeier().fit(durations, observed, entry, weights)


def test_a_curve_that_dies_early_says_so_and_can_start_later():
    durations, ends, entry = [1, 8, 9, 10, 12], [True, True, True, False, False], [0, 3, 3, 4, 5]
    km = KaplanMeier().fit(durations, ends, entry)
    assert km.survival_.tolist() == [0] * 5
    assert "at 1 left" in str(km.note_)
    later = KaplanMeier(start=5).fit(durations, ends, entry)
    assert later.survival_ == pytest.approx([3 / 4, 1 / 2, 1 / 2, 1 / 2])
    assert later.note_ is None
    assert later.restricted_mean(9).mean == pytest.approx(3 + 0.75)


def test_conditional_survival():
    km = KaplanMeier().fit(TIMES, ENDS)
    assert km.conditional(10, 6) == pytest.approx(km.survival_at(16) / km.survival_at(10))
    assert km.conditional([0, 10], 0).tolist() == [1, 1]


@given(rows)
@settings(max_examples=150, deadline=None)
def test_weights_are_repetition_and_order_does_not_matter(found):
    t = [max(d, e + 1) for d, _, e, _ in found]
    cause, entry, w = ([row[k] for row in found] for k in (1, 2, 3))
    again = [i for i, times in enumerate(w) for _ in range(times)][::-1]
    for make, what in ((KaplanMeier, [c > 0 for c in cause]), (AalenJohansen, cause)):
        few = make().fit(t, what, entry, w)
        many = make().fit([t[i] for i in again], [what[i] for i in again], [entry[i] for i in again])
        assert few.times_.tolist() == many.times_.tolist()
        assert few.at_risk_.tolist() == many.at_risk_.tolist()
        assert few.survival_ == pytest.approx(many.survival_, abs=1e-14)


@given(rows)
@example([(0, 1, 0, 3), (0, 1, 1, 4), (3, 1, 0, 4)])  # shares add up to 1 but for rounding
@settings(max_examples=150, deadline=None)
def test_curve_and_incidences_sum_to_one(found):
    t = [max(d, e + 1) for d, _, e, _ in found]
    cause, entry, w = ([row[k] for row in found] for k in (1, 2, 3))
    aj = AalenJohansen().fit(t, cause, entry, w)
    km = KaplanMeier().fit(t, [c > 0 for c in cause], entry, w)
    total = aj.survival_ + sum(aj.incidence_.values(), np.zeros_like(aj.survival_))
    assert total == pytest.approx(np.ones_like(total), abs=1e-12)
    assert aj.survival_ == pytest.approx(km.survival_, abs=1e-14)
    for name in aj.causes_:
        assert (np.diff(aj.incidence_[name]) >= 0).all()
        low, high = aj.interval(name)
        assert (low <= aj.incidence_[name] + 1e-12).all()
        assert (aj.incidence_[name] <= high + 1e-12).all()
    low, high = km.interval()
    assert (np.diff(km.survival_) <= 0).all()
    assert ((low >= 0) & (low <= km.survival_ + 1e-12) & (km.survival_ <= high + 1e-12) & (high <= 1)).all()


@given(rows)
@settings(max_examples=80, deadline=None)
def test_against_the_plain_definition(found):
    t = np.array([max(d, e + 1) for d, _, e, _ in found])
    cause, entry, w = (np.array([row[k] for row in found]) for k in (1, 2, 3))
    entry = np.where(entry == 0, -1, entry)
    s, incidence = 1.0, 0.0
    for time in sorted(set(t)):
        n = w[(entry < time) & (t >= time)].sum()
        incidence += s * w[(t == time) & (cause == 1)].sum() / n
        s *= 1 - w[(t == time) & (cause > 0)].sum() / n
    aj = AalenJohansen().fit(t, cause, np.maximum(entry, 0), w)
    assert aj.survival_[-1] == pytest.approx(s, abs=1e-12)
    if 1 in aj.incidence_:
        assert aj.incidence_[1][-1] == pytest.approx(incidence, abs=1e-12)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_one_cause_is_greenwood(found):
    t, ends = [max(d, e + 1) for d, _, e, _ in found], [c > 0 for _, c, _, _ in found]
    km, aj = KaplanMeier().fit(t, ends), AalenJohansen().fit(t, ["out" if end else None for end in ends])
    if "out" in aj.variance_:
        inside = km.survival_ > 0
        assert aj.variance_["out"][inside] == pytest.approx(km.variance_[inside], abs=1e-12)


def test_incidence_variance_without_censoring_is_binomial():
    rng = np.random.default_rng(5)
    t, cause = rng.integers(1, 30, 400), rng.integers(1, 4, 400)
    aj = AalenJohansen().fit(t, cause)
    for name in (1, 2, 3):
        f = aj.incidence_[name]
        assert f[-1] == pytest.approx((cause == name).mean(), abs=1e-12)
        assert aj.variance_[name] == pytest.approx(f * (1 - f) / 400, abs=1e-12)


def test_incidence_against_the_sum_written_out():
    rng = np.random.default_rng(6)
    t, cause = rng.integers(1, 12, 120), rng.integers(0, 3, 120)
    aj = AalenJohansen().fit(t, cause)
    n, d = aj.at_risk_, aj.events_[1] + aj.events_[2]
    before, f, k = np.concatenate([[1], aj.survival_[:-1]]), aj.incidence_[2], aj.events_[2]
    at = 6
    plain = sum(
        (f[at] - f[j]) ** 2 * d[j] / (n[j] * (n[j] - d[j]))
        + before[j] ** 2 * (n[j] - k[j]) * k[j] / n[j] ** 3
        - 2 * (f[at] - f[j]) * before[j] * k[j] / n[j] ** 2
        for j in range(at + 1)
    )
    assert aj.variance_[2][at] == pytest.approx(plain, rel=1e-10)


def test_median_of_wins():
    # 20 deals: wins at 10, 20, 30, 40; losses at 15 (x3); twelve open at 50, one at 60
    t = [10, 20, 30, 40, 15, 15, 15] + [50] * 12 + [60]
    what = ["won"] * 4 + ["lost"] * 3 + [None] * 13
    aj = AalenJohansen().fit(t, what)
    won = aj.incidence_["won"]
    assert won[-1] / 2 == pytest.approx(won[aj.times_ == 20][0], rel=0.1)
    assert aj.median("won") == min(x for x in (10, 20, 30, 40) if aj.incidence_at("won", x) >= won[-1] / 2)
    assert aj.median("lost") == 15
    assert aj.median("won", at_least=100) is None
    with pytest.raises(BadParameter, match="known are lost, won"):
        aj.median("gone")


def test_incidence_at_any_time():
    aj = AalenJohansen().fit([1, 2, 3], ["a", "b", "a"])
    assert aj.incidence_at("a", [0, 1, 2.5, 3, 99]) == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    open_end = AalenJohansen().fit([1, 2, 3], ["a", "b", None])
    assert np.isnan(open_end.incidence_at("a", 4))
    with pytest.raises(BadParameter, match="one kind"):
        AalenJohansen().fit([1, 2], ["a", 3])


def test_logrank_by_the_definition_in_three_groups():
    rng = np.random.default_rng(8)
    t, ends, group = rng.integers(1, 15, 90), rng.random(90) < 0.7, rng.integers(0, 3, 90)
    test = logrank(t, ends, group)
    off, cov = np.zeros(3), np.zeros((3, 3))
    for time in sorted(set(t[ends])):
        n = np.array([((t >= time) & (group == g)).sum() for g in range(3)])
        d = np.array([((t == time) & ends & (group == g)).sum() for g in range(3)])
        off += d - n * d.sum() / n.sum()
        if n.sum() > 1:
            factor = d.sum() * (n.sum() - d.sum()) / (n.sum() - 1)
            cov += factor * (np.diag(n / n.sum()) - np.outer(n, n) / n.sum() ** 2)
    assert test.statistic == pytest.approx(off[:2] @ np.linalg.solve(cov[:2, :2], off[:2]), rel=1e-9)
    assert test.degrees == 2
    assert test.observed.sum() == pytest.approx(test.expected.sum())


def test_logrank_weights_are_repetition():
    t, ends, group, w = [3, 4, 5, 6, 7], [True, True, False, True, False], list("abaab"), [2, 3, 1, 2, 4]
    again = [i for i, times in enumerate(w) for _ in range(times)]
    one = logrank(t, ends, group, weights=w)
    two = logrank(*([column[i] for i in again] for column in (t, ends, group)))
    assert one.statistic == pytest.approx(two.statistic, rel=1e-10)


def test_logrank_holds_its_level_and_finds_a_difference():
    rng = np.random.default_rng(9)
    false = 0
    for _ in range(300):
        t = rng.exponential(10, 80)
        false += logrank(np.minimum(t, 12), t <= 12, rng.integers(0, 2, 80)).p_value < 0.05
    assert 5 <= false <= 30
    t = np.concatenate([rng.exponential(10, 200), rng.exponential(20, 200)])
    assert logrank(np.minimum(t, 15), t <= 15, np.repeat([0, 1], 200)).p_value < 1e-6
    one = logrank([1, 2], [True, True], ["a", "b"])
    assert one.degrees == 1
    with pytest.raises(NotEnoughData):
        logrank([1, 2], [True, True], ["a", "a"])


def test_interval_covers_the_truth():
    rng = np.random.default_rng(10)
    inside, means = 0, 0
    for _ in range(400):
        life, until = rng.exponential(10, 60), rng.uniform(2, 25, 60)
        km = KaplanMeier().fit(np.minimum(life, until), life <= until)
        low, high = km.interval()
        at = np.searchsorted(km.times_, 6, side="right") - 1
        inside += low[at] <= np.exp(-0.6) <= high[at]
        mean = km.restricted_mean(6)
        means += mean.low <= 10 * (1 - np.exp(-0.6)) <= mean.high
    assert 0.92 <= inside / 400 <= 0.98
    assert 0.92 <= means / 400 <= 0.98


def test_truncation_is_undone():
    rng = np.random.default_rng(12)
    life, seen = rng.exponential(10, 20_000), rng.uniform(0, 15, 20_000)
    there = life > seen
    right = KaplanMeier().fit(life[there], np.ones(there.sum(), bool), entry=seen[there])
    blind = KaplanMeier().fit(life[there], np.ones(there.sum(), bool))
    assert right.survival_at(10) == pytest.approx(np.exp(-1), abs=0.03)
    assert blind.survival_at(10) > 0.5


def test_broken_weights_reach_zero():
    km = KaplanMeier().fit([1, 2, 3], [True] * 3, weights=[0.1, 0.2, 0.7])
    assert km.survival_[-1] == 0
    assert km.survival_[:2] == pytest.approx([0.9, 0.7])


def _truths():
    text = (TELCO / "README.md").read_text()
    return json.loads(re.search(r"```json\n(\{.*\})\n```", text, re.S).group(1))


@pytest.mark.real
@pytest.mark.skipif(not TELCO.exists(), reason="real data are not beside the checkout: telco_churn")
def test_telco_truths():
    with (TELCO / "Telco-Customer-Churn.csv").open() as file:
        data = [(float(r["tenure"]), r["Churn"] == "Yes", r["Contract"]) for r in csv.DictReader(file)]
    truth = _truths()
    groups = {"all": data} | {name: [r for r in data if r[2] == name] for name in truth["km_by_contract"]}
    expected = {"all": truth["km_all"]} | truth["km_by_contract"]
    for name, members in groups.items():
        km = KaplanMeier().fit([r[0] for r in members], [r[1] for r in members])
        for time, share in expected[name]["S"].items():
            assert km.survival_at(float(time)) == pytest.approx(share, abs=1e-6), (name, time)
        assert km.median_ == expected[name]["median"]
        assert (km.n_, km.events_.sum()) == (expected[name]["n"], expected[name]["events"])
    for one, other in itertools.combinations(truth["km_by_contract"], 2):
        pair = groups[one] + groups[other]
        assert logrank(*([r[k] for r in pair] for k in range(3))).p_value < 1e-10
