"""Lifetime value: truths of CDNOW, hand-made baselines, and what must not change the answer."""

from __future__ import annotations

import json
import random
import sys
from datetime import date, timedelta
from decimal import Decimal as D
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import klientel
from klientel.analyses.lifetime_value import lifetime_value
from klientel.answer import answer
from klientel.errors import BadParameter

sys.path.insert(0, str(Path(__file__).parent.parent / "forecast"))
import order_firms

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@cache
def of_the_firm(**parameters: Any) -> Any:
    return answer(order_firms.book(), lifetime_value, model="bgnbd", **parameters)


def content(result: Any) -> str:
    told = result.to_dict()
    told.pop("reproduce")
    return json.dumps(told, sort_keys=True, allow_nan=False)


def test_every_customer_has_a_value_inside_its_interval_and_they_add_up():
    result = of_the_firm()
    table = result.tables["customers"].to_pandas()
    assert len(table) == 260
    assert table["customer_id"].is_unique
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert (table["lifetime_value"] <= table["lifetime_value_infinite"]).all()
    assert table["p_alive"].between(0, 1).all()
    assert sum(table["lifetime_value"]) == result.figures["lifetime_value"]
    assert sum(table["lifetime_value_infinite"]) == result.figures["static_equity"]
    interval = result.estimates["lifetime_value"]
    assert interval.low < interval.value < interval.high
    assert interval.level == 0.95


def test_intervals_hold_what_they_promise_at_origins_they_did_not_learn_from():
    result = of_the_firm()
    assert 0.75 <= result.figures["coverage_80"] <= 0.85
    held = result.tables["holdout"].to_pandas().query("shown")
    assert len(held) == 4
    assert held["coverage_80"].between(0.7, 0.9).all()
    assert held["coverage_model"].notna().all()


def test_churn_risk_uses_the_fits_of_lifetime_value_and_says_the_same_without_them(monkeypatch):
    from klientel.analyses.churn_risk import churn_risk
    from klientel.forecast.candidates import Candidate

    alone = content(answer(order_firms.book(), churn_risk))
    fits = []
    plain = Candidate.fit
    monkeypatch.setattr(Candidate, "fit", lambda self, rows: fits.append(self.name) or plain(self, rows))
    book = order_firms.book()
    answer(book, lifetime_value)
    before = len(fits)
    assert content(answer(book, churn_risk)) == alone
    again = len(fits) - before
    fits.clear()
    answer(order_firms.book(), churn_risk)
    assert again < len(fits) / 2


def test_the_value_of_the_next_year_is_orders_times_value():
    table = of_the_firm().tables["customers"].to_pandas()
    product = table["orders_next_12m"] * table["order_value"].astype(float)
    assert np.allclose(product, table["value_next_12m"].astype(float), rtol=1e-5, atol=1e-3)


def test_discounting_against_small_steps():
    """Truncated value = sum over half days of expected orders, discounted one by one."""
    from klientel.forecast.value import YEAR, _truncated
    from klientel.order_histories import Grouped
    from klientel.stats.purchases import BGNBD

    model = BGNBD.from_parameters(0.8, 40.0, 0.5, 6.0)
    ones = np.ones(3)
    x, t_x, T = np.array([0.0, 3, 40]), np.array([0.0, 100, 390]), np.array([200.0, 300, 400])
    rows = Grouped(x, t_x, T, *[ones] * 6)
    delta, days = float(np.log(1.1)) / YEAR, 1095.75
    until = model.predict_purchases(days, rows.x, rows.t_x, rows.T)
    found = _truncated(model, rows, days, delta, until)
    edges = np.linspace(0, days, 2192)
    orders = np.array([model.predict_purchases(float(t), rows.x, rows.t_x, rows.T) for t in edges])
    middle = (edges[1:] + edges[:-1]) / 2
    stepped = (np.diff(orders, axis=0) * np.exp(-delta * middle)[:, None]).sum(axis=0)
    assert found == pytest.approx(stepped, rel=1e-6)


@pytest.mark.slow
def test_a_longer_horizon_is_worth_more_and_a_higher_discount_less():
    base, changed = of_the_firm(), of_the_firm(horizon=60, discount=0.2)
    assert changed.figures["lifetime_value"] > base.figures["lifetime_value"]
    assert changed.figures["static_equity"] < base.figures["static_equity"]
    assert changed.figures["value_next_12m"] == base.figures["value_next_12m"]
    with pytest.raises(BadParameter):
        answer(order_firms.book(), lifetime_value, discount=-0.1)


@pytest.mark.slow
def test_the_margin_is_the_own_share_of_the_revenue():
    with_costs = order_firms.book(costs=True)
    margin = answer(with_costs, lifetime_value, model="bgnbd")
    revenue = of_the_firm()  # without costs in the source
    assert margin.figures["measure"] == "margin"
    assert float(margin.figures["lifetime_value"]) == pytest.approx(
        0.3 * float(revenue.figures["lifetime_value"]), rel=1e-3
    )
    refused = answer(order_firms.book(), lifetime_value, value="margin")
    assert refused.quality.flag == "red"


@pytest.mark.slow
def test_row_order_later_rows_and_split_lines_change_nothing():
    rows = [dict(r) for r in order_firms.rows()]
    random.Random(3).shuffle(rows)
    later = [
        dict(r, order_id="x" + r["order_id"], order_date=r["order_date"] + timedelta(days=1200))
        for r in rows[:300]
    ]
    assert content(answer(order_firms.book(rows + later), lifetime_value, model="bgnbd")) == content(
        of_the_firm()
    )


@pytest.mark.slow
def test_money_scales_and_orders_do_not():
    rows = [dict(r, net_amount=r["net_amount"] * 10) for r in order_firms.rows()]
    scaled, base = answer(order_firms.book(rows), lifetime_value, model="bgnbd"), of_the_firm()
    for figure in lifetime_value.figures:
        before, after = base.figures[figure.name], scaled.figures[figure.name]
        if before is None:
            assert after is None, figure.name
        elif figure.unit == "money":
            assert float(after) == pytest.approx(10 * float(before), rel=1e-5), figure.name
        elif figure.unit != "class":
            assert float(after) == pytest.approx(float(before), rel=1e-5), figure.name


def small(pairs: list[tuple[str, date, int]]) -> Any:
    rows = [
        {"order_id": str(i), "customer_id": c, "order_date": d, "net_amount": D(v), "direct_cost": D(0)}
        for i, (c, d, v) in enumerate(pairs)
    ]
    return order_firms.book(rows)


def test_few_customers_get_the_baseline_worked_out_by_hand():
    """Two of three customers of 2022 came back in 2023: retention 2/3; d = 10 %, 36 months, monthly."""
    pairs = [
        ("A", date(2022, 3, 1), 100), ("B", date(2022, 3, 1), 100), ("C", date(2022, 3, 1), 100),
        ("A", date(2023, 3, 1), 600), ("B", date(2023, 6, 1), 300), ("A", date(2021, 3, 1), 50),
    ]  # fmt: skip
    result = answer(small(pairs), lifetime_value)
    table = result.tables["customers"].to_pandas().set_index("customer_id")
    assert result.figures["model"] == "last year again"
    assert float(result.figures["value_next_12m"]) == 900
    kept = (2 / 3) ** (365 / 365 / 12) / 1.1 ** (1 / 12)
    within = sum(kept**i for i in range(1, 37)) / 12
    assert float(table.loc["A", "lifetime_value"]) == pytest.approx(600 * within, abs=0.01)
    assert float(table.loc["A", "lifetime_value_infinite"]) == pytest.approx(
        600 / 12 * kept / (1 - kept), abs=0.01
    )
    assert float(table.loc["C", "lifetime_value"]) == 0
    assert table["p_alive"].isna().all()
    assert table["low"].isna().all()
    told = " ".join(map(str, result.quality.reasons))
    assert "needs 100 and 50" in told
    assert "Shown is the baseline" in told
    assert result.quality.flag == "amber"


def test_a_model_asked_for_by_name_is_shown_with_its_prior_even_for_few():
    few = [r for r in order_firms.rows() if r["customer_id"] < "C0040"]
    result = answer(order_firms.book(few), lifetime_value, model="mbgnbd")
    assert result.figures["model"] in ("MBG/NBD", "MBG/CNBD-2, regular orders")
    assert any("prior" in str(r) for r in result.quality.reasons)
    json.dumps(result.to_dict(), allow_nan=False)


def test_nothing_before_the_as_of_date_is_red():
    assert answer(order_firms.book(as_of=date(2000, 1, 1)), lifetime_value).quality.flag == "red"


@pytest.mark.slow
def test_all_customers_equal_and_nobody_ordering_twice_do_not_break():
    equal = [
        (f"C{c}", order_firms.START + timedelta(days=60 * k), 100) for c in range(120) for k in range(18)
    ]
    once = [(f"C{c}", order_firms.START + timedelta(days=c), 100 + c) for c in range(150)]
    for pairs in (equal, once):
        result = answer(small(pairs), lifetime_value, model="mbgnbd")
        json.dumps(result.to_dict(), allow_nan=False)
        for chart in lifetime_value.charts:
            result.chart(chart.name).to_dict()


@pytest.mark.real
def test_cdnow_weeks_40_to_78_against_the_published_forecast(real):
    book = klientel.open_book(real / "cdnow" / "CDNOW_sample.txt")
    result = answer(book, lifetime_value, model="bgnbd", holdout=39)
    first = result.tables["holdout"].to_pandas().query("model == 'BG/NBD'").iloc[0]
    assert str(first["origin"])[:10] == "1997-10-01"
    assert first["customers"] == 2357
    assert first["actual_orders"] == 1882
    assert first["predicted_orders"] == pytest.approx(1653.41, abs=0.02)
    assert first["skill"] > 0.2
    assert result.figures["value_skill"] > 0


def test_each_customer_is_valued_once_by_orders_or_by_its_contracts():
    import pyarrow as pa

    from klientel.forecast.business import limits

    people = sorted({r["customer_id"] for r in order_firms.rows()})
    terms = [
        {"contract_id": f"{c}-{k}", "customer_id": c, "start": date(2021 + k, 3, 1), "end": date(2022 + k, 3, 1),
         "recurring_amount": D(amount), "period_months": 12, "status": "running"}
        for c, amount in [*((c, 100_000) for c in people[:12]), *((c, 1) for c in people[12:20])]
        for k in range(3)
    ]  # fmt: skip
    terms[0 * 3 + 2]["status"] = "gekündigt"  # notice is given: it brings money until March and then ends
    lines = pa.Table.from_pylist([dict(r) for r in order_firms.rows()], order_firms._SCHEMA)
    tables = {
        "order_line": lines.drop_columns(["direct_cost"]),
        "project_contract": pa.Table.from_pylist(terms),
    }
    book = klientel.open_book(tables, as_of=order_firms.AS_OF)
    result = answer(book, lifetime_value, model="bgnbd")
    table = result.tables["customers"].to_pandas().set_index("customer_id")
    assert table.index.is_unique
    assert len(table) == 260
    small = table.loc[people[12:20]]
    silent = small["value_last_12m"].astype(float) == 0
    # a contract of 1 a year is the main business of those only who bought nothing else
    assert ((small["business"] == "contract") == silent).all()
    assert (table["business"] == "contract").sum() == 12 + silent.sum()
    parts = result.tables["business"].to_pandas().set_index("business")
    both = parts.loc["order", "lifetime_value"] + parts.loc["contract", "lifetime_value"]
    assert both == parts.loc["together", "lifetime_value"] == result.figures["lifetime_value"]
    # every renewal so far succeeded, so the rate is 1: 36 months of 100,000 a year, discounted
    delta = np.log(1.1)
    whole = 100_000 * (1 - np.exp(-3 * delta)) / delta
    assert float(table.loc[people[1], "lifetime_value"]) == pytest.approx(whole, rel=1e-4)
    until = 100_000 * (1 - np.exp(-60 / 365.25 * delta)) / delta  # 2024-03-01 is 60 days ahead
    assert float(table.loc[people[0], "lifetime_value"]) == pytest.approx(until, rel=1e-4)
    by_orders = answer(book, lifetime_value, model="bgnbd", business="orders")
    assert set(by_orders.tables["customers"].to_pandas()["business"]) == {"order"}
    low, high = limits(D(100), 25.0)
    assert low < 100 < high
