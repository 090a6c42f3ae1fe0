"""Regular timing: k is detected, and the exact formulas for k > 1 hold in simulated futures."""

from __future__ import annotations

import numpy as np
import pytest
import simulated_purchases as simulated

from klientel.errors import BadParameter
from klientel.stats.purchases import BGNBD, MBGNBD, regularity


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("gaps_known", [True, False])
def test_the_true_number_of_stages_is_found(k, gaps_known):
    x, t_x, T, gaps = simulated.bg(21, 1_500, 1.5, 4.0 / k, 0.8, 4.0, k=k, at_start=True)
    found = regularity(x, t_x, T, log_gaps=gaps if gaps_known else None)
    assert found.k == k
    assert found.model.k == k
    assert (found.gain > 0) == (k > 1)


@pytest.mark.real
def test_cdnow_orders_at_random(real):
    assert regularity(*simulated.cdnow(real)).k == 1


@pytest.mark.parametrize(("family", "k"), [(BGNBD, 2), (MBGNBD, 2), (MBGNBD, 4), (BGNBD, 1)])
def test_forecasts_hit_the_future_of_simulated_customers(family, k):
    """True parameters, whole course simulated, cut at T: the future by groups must be what is expected."""
    r, alpha, a, b = truth = (1.5, 8.0 / k, 0.9, 4.0)
    n, cut, end = 60_000, 40.0, 66.0
    rng = np.random.default_rng(31)
    rate, leave = rng.gamma(r, size=n) / alpha, rng.beta(a, b, n)
    x, t_x, later = np.zeros(n), np.zeros(n), np.zeros(n)
    here, t = np.ones(n, dtype=bool), np.zeros(n)
    if family is MBGNBD:
        here = rng.random(n) >= leave
    while here.any():
        t = t + rng.gamma(k, size=n) / rate
        here &= t <= end
        past = here & (t <= cut)
        x, t_x, later = x + past, np.where(past, t, t_x), later + (here & (t > cut))
        here &= rng.random(n) >= leave
    model = family.from_parameters(*truth, k=k)
    expected = model.predict_purchases(end - cut, x, t_x, cut)
    none = model.probability_of_none(end - cut, x, t_x, cut)
    for group in (x == 0, x == 1, x == 3, (x > 3) & (t_x < 30), (x > 3) & (t_x > 38), t_x > 39):
        size = group.sum()
        off = (later[group] - expected[group]).mean() / (later[group].std() / np.sqrt(size))
        assert abs(off) < 4
        silent = ((later[group] == 0) - none[group]).mean() * np.sqrt(size) / 0.5
        assert abs(silent) < 4


def test_discounted_orders_of_regular_customers_are_those_of_simulated_ones():
    model = MBGNBD.from_parameters(1.5, 4.0, 0.9, 4.0, k=2)
    rng, n, delta = np.random.default_rng(5), 400_000, 0.05
    x, t_x, T = 4.0, 36.0, 40.0
    alive = float(model.probability_alive(x, t_x, T))
    # one who is alive: 0 or 1 stages since the last order, then rate and dropout given the history
    u = (T - t_x) / (4.0 + T)
    done = (rng.random(n) < (1.5 + 8) * u / (1 + (1.5 + 8) * u)).astype(int)
    rate, leave = rng.gamma(1.5 + 8 + done) / (4.0 + T), rng.beta(0.9, 4.0 + x + 1, n)
    total, t, here = np.zeros(n), rng.gamma(2 - done) / rate, np.ones(n, dtype=bool)
    while here.any():
        total += here * np.exp(-delta * t)
        here &= (rng.random(n) >= leave) & (t < 400)
        t += rng.gamma(2, size=n) / rate
    found = model.discounted_expected_purchases(delta, x, t_x, T)
    assert found == pytest.approx(alive * total.mean(), rel=5 * total.std() / total.mean() / np.sqrt(n))


def test_too_many_stages_are_refused():
    with pytest.raises(BadParameter, match="stages"):
        regularity([1], [1], [2], most=9)


def test_intervals_cover_the_future_they_promise():
    """Fitted on the past of 2,500 simulated customers: 80 % intervals per customer, 95 % for their sum."""
    n, cut, end = 2_500, 52.0, 104.0
    rng = np.random.default_rng(17)
    rate, leave = rng.gamma(1.2, size=n) / 9.0, rng.beta(0.9, 4.0, n)
    x, t_x, later, t = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    here = rng.random(n) >= leave
    while here.any():
        t = t + rng.exponential(size=n) / rate
        here &= t <= end
        past = here & (t <= cut)
        x, t_x, later = x + past, np.where(past, t, t_x), later + (here & (t > cut))
        here &= rng.random(n) >= leave
    model = MBGNBD().fit(x, t_x, cut)
    futures = model.sample_future(end - cut, x, t_x, np.full(n, cut), draws=400, seed=1, uncertain=True)
    low, high = np.quantile(futures, [0.1, 0.9], axis=1)
    inside = ((later >= low) & (later <= high)).mean()
    # whole orders make intervals wider than asked; the mid-count of ties at the ends must be near 80 %
    strictly = ((later > low) & (later < high)).mean()
    assert strictly < 0.8 <= inside
    low, high = np.quantile(futures.sum(axis=0), [0.025, 0.975])
    assert low <= later.sum() <= high
