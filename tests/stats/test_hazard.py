"""Discrete-time hazard: against a direct optimiser, recovery, grouping, signs, calibration, explanations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit

from klientel.errors import BadParameter, NotEnoughData
from klientel.stats.calibration import Calibrator
from klientel.stats.hazard import DiscreteHazard, best_penalty, person_periods

BETA = np.array([0.8, -0.5, 0.0])


def portfolio(n=4_000, seed=1, periods=12):
    """Person-periods of customers with three features on very different scales and a falling level."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [1, 50, 0.01] + [0, 300, 5]
    per_unit = BETA / [1, 50, 0.01]
    period = rng.integers(1, periods + 1, n)
    eta = -1.5 - 0.1 * period + (x - [0, 300, 5]) @ per_unit
    return x, rng.random(n) < expit(eta), period, per_unit


def penalised(theta, z, y, design, penalty):
    eta = design @ theta[: design.shape[1]] + z @ theta[design.shape[1] :]
    return (np.logaddexp(0, eta) - y * eta).sum() + 0.5 * penalty * (theta[1:] ** 2).sum()


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_the_fit_minimises_the_penalised_likelihood(penalty):
    x, y, period, _ = portfolio(600)
    model = DiscreteHazard(penalty).fit(x, y, period)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    design = np.hstack([np.ones((y.size, 1)), np.eye(12)[period - 1]])
    direct = minimize(penalised, np.zeros(16), (z, y, design, penalty), method="L-BFGS-B", tol=1e-14,
                      options={"maxiter": 5_000, "maxfun": 200_000})  # fmt: skip
    assert model.scaled_coef_ == pytest.approx(direct.x[13:], abs=2e-4)
    assert penalised(model._theta, z, y, design, penalty) <= direct.fun + 1e-7
    eta = model.log_odds(x, period)
    assert model.loglik_ == pytest.approx(-(np.logaddexp(0, eta) - y * eta).sum(), rel=1e-9)


def test_without_features_and_penalty_it_is_the_rate_of_each_period():
    rng = np.random.default_rng(2)
    period = np.repeat([3, 4, 9], [50, 70, 80])
    y = rng.random(200) < 0.3
    model = DiscreteHazard(penalty=0).fit(np.zeros((200, 1)), y, period)
    rates = [y[period == p].mean() for p in (3, 4, 9)]
    assert model.hazard(np.zeros((3, 1)), [3, 4, 9]) == pytest.approx(rates, abs=1e-6)
    assert model.coef_.tolist() == [0]


@pytest.mark.parametrize("baseline", ["periods", "spline"])
def test_recovery(baseline):
    off = []
    for seed in range(8):
        x, y, period, per_unit = portfolio(5_000, seed)
        model = DiscreteHazard(0.1, baseline).fit(x, y, period)
        off.append((model.coef_ - per_unit) / np.sqrt(np.diag(model.covariance_)))
        level = model.baseline_ - (x.mean(axis=0) - [0, 300, 5]) @ per_unit
        assert level == pytest.approx(-1.5 - 0.1 * np.arange(1, 13), abs=0.45)
    assert np.abs(off).max() < 3.5
    assert 0.6 < np.std(off) < 1.5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 9)), min_size=4, max_size=25))
@settings(max_examples=40, deadline=None)
def test_groups_with_weights_are_single_rows(cells):
    size = [n + 1 for _, _, n in cells]
    gone = [min(n % 3, s) for (_, _, n), s in zip(cells, size, strict=True)]
    if not 0 < sum(gone) < sum(size):
        return
    x, period = np.array([[c[0]] for c in cells], float), np.array([c[1] for c in cells])
    grouped = DiscreteHazard().fit(x, np.array(gone) / size, period, weights=size)
    again = np.repeat(np.arange(len(cells)), size)
    events = np.concatenate([np.arange(s) < g for s, g in zip(size, gone, strict=True)])
    single = DiscreteHazard().fit(x[again], events, period[again])
    assert grouped.coef_ == pytest.approx(single.coef_, abs=1e-7)
    assert grouped.baseline_ == pytest.approx(single.baseline_, abs=1e-7)


def test_units_and_row_order_do_not_matter():
    x, y, period, _ = portfolio(800)
    model = DiscreteHazard().fit(x, y, period)
    order = np.random.default_rng(0).permutation(800)
    other = DiscreteHazard().fit(x[order] * [1000, 0.01, 7], y[order], period[order])
    assert other.coef_ * [1000, 0.01, 7] == pytest.approx(model.coef_, rel=1e-6)
    assert other.hazard(x * [1000, 0.01, 7], period) == pytest.approx(model.hazard(x, period), rel=1e-6)


def test_a_strong_penalty_leaves_the_level_alone():
    x, y, period, _ = portfolio()
    model = DiscreteHazard(1e9).fit(x, y, period)
    assert np.abs(model.scaled_coef_).max() < 1e-4
    assert model.hazard(x, period) == pytest.approx(np.full(y.size, y.mean()), abs=1e-4)


def test_signs_are_kept_and_optimal():
    x, y, period, _ = portfolio()
    free, held = DiscreteHazard().fit(x, y, period), DiscreteHazard(signs=[1, 1, 0]).fit(x, y, period)
    assert free.coef_[1] < 0
    assert held.scaled_coef_[1] == 0
    assert held.coef_[0] > 0
    # with its coefficient at the limit, the column might as well be absent
    without = DiscreteHazard().fit(x[:, [0, 2]], y, period)
    assert held.scaled_coef_[[0, 2]] == pytest.approx(without.scaled_coef_, abs=1e-5)
    same = DiscreteHazard(signs={0: 1, 1: -1}).fit(x, y, period)
    assert same.scaled_coef_ == pytest.approx(free.scaled_coef_, abs=1e-5)
    with pytest.raises(BadParameter):
        DiscreteHazard(signs=[2]).fit(x, y, period)


def test_separated_data_stay_finite():
    x = np.array([[0.0], [0], [0], [1], [1], [1]])
    model = DiscreteHazard(0.1, "constant").fit(x, x[:, 0])
    assert np.isfinite(model.coef_).all()
    assert model.hazard([[0], [1]])[0] < 0.2 < 0.8 < model.hazard([[0], [1]])[1]


def test_offset_is_added():
    x, y, period, _ = portfolio(2_000)
    plain = DiscreteHazard(0.01, "constant").fit(x, y, period)
    moved = DiscreteHazard(0.01, "constant").fit(x, y, period, offset=np.full(y.size, 0.7))
    assert moved.baseline_[0] == pytest.approx(plain.baseline_[0] - 0.7, abs=1e-6)


def test_later_periods_take_the_last_level():
    x, y, period, _ = portfolio()
    model = DiscreteHazard().fit(x, y, period)
    last = model.hazard(x[:5], 12)
    assert model.hazard(x[:5], 40).tolist() == last.tolist() == model.hazard(x[:5]).tolist()
    assert model.hazard(x[:5], -3).tolist() == model.hazard(x[:5], 1).tolist()


def test_churn_over_a_horizon():
    x, y, period, _ = portfolio()
    model = DiscreteHazard().fit(x, y, period)
    a, b, c = (model.hazard(x[:9], 4 + k) for k in range(3))
    assert model.churn(x[:9], 4, 3) == pytest.approx(1 - (1 - a) * (1 - b) * (1 - c), rel=1e-12)
    assert model.churn(x[:9], 4, 0).tolist() == [0] * 9
    with pytest.raises(BadParameter):
        model.churn(x[:9], 4, -1)


def test_explanations_sum_to_the_log_odds():
    x, y, period, _ = portfolio()
    model = DiscreteHazard(names=["tickets", "revenue", "age"]).fit(x, y, period)
    total = model.explain(x).sum(axis=1) + model.baseline_[period - 1]
    assert total == pytest.approx(model.log_odds(x, period), abs=1e-10)
    columns, values = model.reasons([[3.0, 300, 5], [-2.0, 100, 5]], top=2)
    assert columns[0, 0] == 0
    assert columns[1, 0] == 1
    assert values[0, 0] == pytest.approx(model.explain([[3.0, 300, 5]])[0, 0])
    average = model.reasons([model.means_])
    assert set(average[0].ravel()) == {-1}
    assert (average[1] == 0).all()


def test_interval_covers_the_truth():
    inside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(3, 2, size=(300, 1))
        y = rng.random(300) < expit(-2 + 0.4 * x[:, 0])
        low, high = DiscreteHazard(0.1, "constant").fit(x, y).interval([[5.0]])
        inside += low[0] <= expit(0.0) <= high[0]
    assert 0.91 <= inside / 200 <= 0.985


def test_person_periods_by_hand():
    row, period, event = person_periods([3, 2, 1], [True, False, True], entry=[1, 0, 1])
    assert row.tolist() == [0, 0, 1, 1]
    assert period.tolist() == [2, 3, 1, 2]
    assert event.tolist() == [False, True, False, False]
    assert person_periods([], [])[0].size == 0
    with pytest.raises(BadParameter):
        person_periods([1.5], [True])
    with pytest.raises(BadParameter):
        person_periods([1], [True], [2])


def test_person_periods_reproduce_the_survival_curve():
    from klientel.stats.survival import KaplanMeier

    rng = np.random.default_rng(3)
    t, ends = rng.integers(1, 9, 300), rng.random(300) < 0.5
    _, period, event = person_periods(t, ends)
    model = DiscreteHazard(penalty=0).fit(np.zeros((period.size, 1)), event, period)
    km = KaplanMeier().fit(t, ends)
    assert np.cumprod(1 - expit(model.baseline_)) == pytest.approx(km.survival_, abs=1e-6)


@pytest.mark.parametrize(
    "bad",
    [
        {"x": [[1.0], [np.nan], [3]]},
        {"event": [0, 1, 2]},
        {"event": [0, 1]},
        {"weights": [1, -1, 1]},
        {"period": [1, 2, np.nan]},
        {"x": np.zeros((3, 1, 1))},
    ],
)
def test_broken_input_is_refused(bad):
    good = {"x": [[1.0], [2], [3]], "event": [0, 1, 0]} | bad
    with pytest.raises(BadParameter):
        DiscreteHazard().fit(**good)


def test_the_missing_feature_is_named():
    with pytest.raises(BadParameter, match="tickets"):
        DiscreteHazard(names=["tickets"]).fit([[1.0], [np.nan]], [0, 1])


def test_wrong_settings_and_questions():
    with pytest.raises(BadParameter, match="did you mean spline"):
        DiscreteHazard(baseline="splines")
    with pytest.raises(BadParameter):
        DiscreteHazard(penalty=-1)
    x, y, period, _ = portfolio(300)
    with pytest.raises(BadParameter, match="knows 3 features"):
        DiscreteHazard().fit(x, y, period).hazard(x[:, :2])


@pytest.mark.parametrize("event", [[0, 0, 0], [1, 1, 1]])
def test_nobody_or_everybody_left(event):
    with pytest.raises(NotEnoughData):
        DiscreteHazard().fit([[1.0], [2], [3]], event)
    with pytest.raises(NotEnoughData):
        Calibrator().fit([0.1, 0.2, 0.3], event)


def test_no_rows():
    with pytest.raises(NotEnoughData):
        DiscreteHazard().fit(np.zeros((0, 2)), [])


def test_penalty_chosen_on_later_rows():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 30))  # mostly noise: a little ridge must win over none
    y = rng.random(500) < expit(-1 + x[:, 0])
    late = np.arange(500) >= 300
    best, losses = best_penalty(x, y, None, late, grid=(0.001, 10.0, 1e6), baseline="constant")
    assert best == 10.0
    eta = DiscreteHazard(10.0, "constant").fit(x[~late], y[~late]).log_odds(x[late])
    assert losses[10.0] == pytest.approx((np.logaddexp(0, eta) - y[late] * eta).mean(), rel=1e-9)
    with pytest.raises(BadParameter):
        best_penalty(x, y, None, np.zeros(500, bool))


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_corrects_an_overconfident_forecast(method):
    rng = np.random.default_rng(5)
    truth = expit(rng.normal(-1, 1, 20_000))
    stated = expit(1.0 + 2.2 * logit(truth))
    y = rng.random(20_000) < truth
    known = Calibrator(method).fit(stated[:10_000], y[:10_000])
    corrected = known.predict(stated[10_000:])
    assert np.abs(corrected - truth[10_000:]).mean() < 0.02
    assert np.abs(stated - truth).mean() > 0.08
    if method == "platt":
        assert known.slope_ == pytest.approx(1 / 2.2, abs=0.05)
        assert known.level_ == pytest.approx(-1 / 2.2, abs=0.08)


def test_isotonic_by_hand():
    known = Calibrator("isotonic").fit([0.1, 0.2, 0.3, 0.4, 0.4], [0, 1, 0, 1, 1])
    # 0.2 and 0.3 pool to 1/2; the ends stay half an event off 0 and 1
    assert known.predict([0.1, 0.2, 0.3, 0.4]) == pytest.approx([0.5 / 6, 0.5, 0.5, 1 - 0.5 / 6])
    assert known.predict(0.25) == pytest.approx(0.5)
    assert known.predict([0.0, 1.0]) == pytest.approx([0.5 / 6, 1 - 0.5 / 6])


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 3)), min_size=3, max_size=40),
    st.sampled_from(["platt", "isotonic", "auto"]),
)
@settings(max_examples=120, deadline=None)
def test_corrected_probabilities_rise_and_stay_inside(cases, method):
    p, y, w = (np.array([c[k] for c in cases], float) for k in range(3))
    if not 0 < y.sum() < y.size:
        return
    known = Calibrator(method).fit(p / 20, y, w)
    grid = known.predict(np.linspace(0, 1, 60))
    assert (np.diff(grid) >= -1e-12).all()
    assert ((grid >= 0) & (grid <= 1)).all()
    again = Calibrator(method).fit(np.repeat(p / 20, w.astype(int)), np.repeat(y, w.astype(int)))
    assert again.predict(0.37) == pytest.approx(known.predict(0.37), abs=1e-7)


def test_few_rows_take_platt_and_many_take_isotonic():
    rng = np.random.default_rng(6)
    p = rng.random(3_000)
    y = rng.random(3_000) < p
    assert Calibrator().fit(p, y).method_ == "isotonic"
    assert Calibrator().fit(p[:300], y[:300]).method_ == "platt"


def test_a_forecast_the_wrong_way_round_gives_the_common_rate():
    rng = np.random.default_rng(7)
    p = rng.random(500)
    y = rng.random(500) < 1 - p
    known = Calibrator("platt").fit(p, y)
    assert known.predict([0.1, 0.9]) == pytest.approx([y.mean()] * 2, abs=1e-9)


def test_the_model_uses_its_calibration():
    x, y, period, _ = portfolio(6_000)
    model = DiscreteHazard().fit(x[:2_000], y[:2_000], period[:2_000])
    raw = model.hazard(x[4_000:], period[4_000:])
    rare = y & (np.random.default_rng(8).random(y.size) < 0.5)  # later only half as many leave
    model.calibrate(x[2_000:4_000], rare[2_000:4_000], period[2_000:4_000])
    corrected = model.hazard(x[4_000:], period[4_000:])
    assert raw.mean() > 1.5 * rare[4_000:].mean()
    assert corrected.mean() == pytest.approx(rare[4_000:].mean(), abs=0.02)
    low, high = model.interval(x[4_000:], period[4_000:])
    assert (low <= corrected + 1e-12).all()
    assert (corrected <= high + 1e-12).all()
    assert model.fit(x, y, period).calibrator_ is None  # a new fit needs a new calibration
    with pytest.raises(BadParameter, match="did you mean isotonic"):
        Calibrator("isotone")


@pytest.mark.slow
def test_a_million_rows_need_little_memory():
    import tracemalloc

    rng = np.random.default_rng(9)
    x = rng.normal(size=(1_000_000, 20))
    period = rng.integers(1, 25, 1_000_000)
    beta = rng.normal(size=20) * 0.2
    y = rng.random(1_000_000) < expit(-3 + x @ beta)
    tracemalloc.start()
    model = DiscreteHazard().fit(x, y, period)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    assert np.abs((model.coef_ - beta) / np.sqrt(np.diag(model.covariance_))).max() < 4
    assert model.steps_ <= 8
