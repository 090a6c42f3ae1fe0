"""Origins, baselines and the choice of a model on held-out time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import order_firms
import pytest

from klientel.forecast.candidates import candidates, rate_and_recency
from klientel.forecast.holdout import calibration, contest, coverage_of, origins
from klientel.forecast.past import Past
from klientel.order_histories import Grouped, at_origin, grouped, order_days


def one(x: float, t_x: float, T: float) -> Grouped:
    row = {"x": x, "t_x": t_x, "T": T, "paid": x, "n": 1, "last": 0, "next": 0, "spent": 0, "squared": 0}
    return Grouped(**{k: np.array([float(v)]) for k, v in row.items()})


def test_a_third_is_held_out_between_26_and_52_weeks_and_origins_follow_every_quarter():
    day = date(2024, 1, 1)
    assert origins(day - timedelta(days=1095), day)[0] == (day - timedelta(days=364), 364)
    assert len(origins(day - timedelta(days=1095), day)) == 4
    assert [a for _, a in origins(day - timedelta(days=374), day)] == [182]
    assert origins(day - timedelta(days=272), day) == []  # less than a quarter would be left to learn from
    assert origins(None, day) == []
    assert origins(day - timedelta(days=546), day, weeks=39)[0] == (day - timedelta(days=273), 273)


def test_the_rule_keeps_the_rate_until_the_silence_is_twice_the_gap():
    # 4 gaps of 50 days in 200 days, observed 300: silence of 100 is still allowed
    assert rate_and_recency(one(4, 200, 300), 365)[0] == pytest.approx(4 / 300 * 365)
    assert rate_and_recency(one(4, 200, 301), 365)[0] == 0
    # short gaps: 90 days are always allowed
    assert rate_and_recency(one(10, 20, 110), 30)[0] == pytest.approx(10 / 110 * 30)
    assert rate_and_recency(one(0, 0, 50), 365)[0] == 0


def test_the_default_depends_on_how_many_ordered_once():
    assert candidates("auto", 0.3)[0].name == "mbgnbd"
    assert candidates("auto", 0.1)[0].name == "bgnbd"
    assert {c.name for c in candidates("paretonbd", 0.3)} == {"paretonbd"}
    # BG/NBD calls everybody with one order alive: where many ordered once it is compared, not chosen
    assert {c.name for c in candidates("auto", 0.3) if not c.eligible} == {"bgnbd", "bgnbd2"}
    assert all(c.eligible for c in candidates("auto", 0.1))
    assert all(c.eligible for c in candidates("bgnbd", 0.3))


@pytest.fixture(scope="module")
def held():
    orders = order_days(order_firms.book().purchases)
    when = origins(order_firms.START, order_firms.AS_OF)
    now = grouped(at_origin(orders, order_firms.AS_OF, order_firms.AS_OF, order_firms.AS_OF), windows=False)
    return Past(orders), now, when


def test_a_firm_that_follows_the_model_beats_the_baselines(held):
    past, now, when = held
    found = contest(past, now, "bgnbd", when, enough=True)
    assert found.chosen is not None
    assert found.skill.low > 0
    assert abs(found.tracking_error) < 0.15
    assert [t.origin for t in found.own] == sorted([o for o, _ in when], reverse=True)
    assert coverage_of(found.newest) == pytest.approx(0.8, abs=0.07)


def test_calibration_adds_up_to_what_was_forecast_and_what_came(held):
    past, now, when = held
    newest = contest(past, now, "bgnbd", when[:1], enough=True).newest
    rows = calibration(newest)
    assert sum(r["customers"] for r in rows) == newest.row["customers"]
    came = sum(r["customers"] * r["actual_orders"] for r in rows)
    assert came == pytest.approx(newest.row["actual_orders"])
    told = sum(r["customers"] * r["predicted_orders"] for r in rows)
    assert told == pytest.approx(newest.row["predicted_orders"])
    shares = [r["predicted_share"] for r in rows]
    assert shares == sorted(shares)


def test_too_few_customers_or_no_time_to_hold_out_give_the_baseline_and_say_why(held):
    past, now, when = held
    few = contest(past, now, "auto", when, enough=False)
    assert few.chosen is None
    assert "needs 100 and 50" in few.reasons[0]
    short = contest(past, now, "auto", [], enough=True)
    assert short.chosen is None
    assert "too short" in short.reasons[0]


def test_where_the_model_loses_the_baseline_is_kept():
    """All customers order three times as often since 2022: a rate over the whole history lags behind."""
    lines = []
    for c in range(120):
        days = [*range(c % 60, 365, 60), *range(365 + c % 20, 1095, 20)]
        lines += [
            {
                "order_id": f"{c}-{d}",
                "customer_id": f"C{c}",
                "order_date": order_firms.START + timedelta(days=d),
                "net_amount": 100,
                "direct_cost": 70,
            }
            for d in days
        ]
    orders = order_days(order_firms.book(lines).purchases)
    as_of = order_firms.AS_OF
    now = grouped(at_origin(orders, as_of, as_of, as_of), windows=False)
    found = contest(Past(orders), now, "auto", origins(order_firms.START, as_of)[:1], enough=True)
    assert found.chosen is None
    assert found.skill.value < 0
    assert "no better than the naive baselines" in found.reasons[-1]
