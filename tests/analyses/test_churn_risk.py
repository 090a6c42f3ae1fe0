"""Churn risk: rhythms worked out by hand, probabilities against the model, and what must not change."""

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

from klientel.analyses.churn_risk import churn_risk
from klientel.analyses.churn_risk.watch import cases, watched
from klientel.answer import answer
from klientel.forecast.past import Past
from klientel.order_histories import order_days

sys.path.insert(0, str(Path(__file__).parent.parent / "forecast"))
import order_firms


def content(result: Any) -> str:
    told = result.to_dict()
    told.pop("reproduce")
    return json.dumps(told, sort_keys=True, allow_nan=False)


@cache
def of_the_firm() -> Any:
    return answer(order_firms.book(), churn_risk, model="bgnbd")


def small(orders: dict[str, list[tuple[date, int]]], as_of: date = date(2023, 1, 1)) -> Any:
    rows = [
        {"order_id": f"{c}{i}", "customer_id": c, "order_date": d, "net_amount": D(v), "direct_cost": D(0)}
        for c, pairs in orders.items()
        for i, (d, v) in enumerate(pairs)
    ]
    return order_firms.book(rows, as_of)


def every(days: int, until: date, times: int, value: int = 100) -> list[tuple[date, int]]:
    return [(until - timedelta(days=days * (times - 1 - k)), value) for k in range(times)]


LAST = date(2022, 12, 31)
RHYTHMS = {
    "steady": every(30, LAST, 20),
    "broken": every(30, LAST - timedelta(days=69), 18),  # silent for 70 days, usual gap 30
    "slow": every(100, LAST - timedelta(days=49), 8),
    "shrinking": [*every(30, LAST - timedelta(days=60), 15), (LAST - timedelta(days=30), 40), (LAST, 30)],
    "once": [(LAST - timedelta(days=40), 500)],
    "gone": every(30, date(2020, 6, 1), 10),
}


def test_rhythm_reason_and_horizon_by_hand():
    result = answer(small(RHYTHMS), churn_risk)
    rows = {r["customer_id"]: r for r in result.tables["customers"].to_pyarrow().to_pylist()}
    assert "gone" not in rows
    assert result.figures["former_customers"] == 1
    assert result.figures["customers"] == 5
    broken = rows["broken"]
    assert (broken["reason"], broken["late"]) == ("rhythm broken", True)
    # last order on 23 October, twice the longest usual gap of 30 days later
    assert broken["broken_since"] == LAST - timedelta(days=69) + timedelta(days=60)
    assert (broken["usual_gap_days"], broken["long_gap_days"], broken["recency_days"]) == (30, 30, 70)
    assert (broken["horizon_days"], rows["slow"]["horizon_days"]) == (90, 200)
    assert rows["steady"]["reason"] == "in rhythm"
    assert rows["steady"]["broken_since"] is None
    assert rows["once"]["reason"] == "one order so far"
    assert rows["once"]["usual_gap_days"] is None
    shrinking = rows["shrinking"]
    assert shrinking["reason"] == "orders get smaller"
    assert shrinking["order_value_change"] == pytest.approx((100 + 40 + 30) / 3 / 100 - 1)


def test_few_customers_get_the_rule_and_it_is_said():
    result = answer(small(RHYTHMS), churn_risk)
    assert result.figures["method"].startswith("rule")
    told = " ".join(map(str, result.quality.reasons))
    assert "needs 100 and 50" in told
    assert "Shown is the rule" in told
    table = result.tables["customers"].to_pandas()
    assert table["p_alive"].isna().all()
    json.dumps(result.to_dict(), allow_nan=False)


def test_what_came_within_the_own_horizon_is_the_outcome():
    purchases = small(RHYTHMS).purchases
    found = cases(purchases, Past(order_days(purchases)), LAST - timedelta(days=100), 182)
    assert found.n.sum() == 4  # once had not ordered yet, gone was former
    # within 90 (slow: cut to 182) days everybody ordered again
    assert (found.n @ found.silent) == 0
    later = cases(purchases, Past(order_days(purchases)), LAST - timedelta(days=5), 60)
    # the last orders of steady and shrinking come; broken, slow and once stay silent
    assert (later.n @ later.silent) == 3


def test_later_rows_are_not_seen_at_an_origin():
    with_later = small(RHYTHMS)
    origin = LAST - timedelta(days=200)
    without = small({c: [(d, v) for d, v in pairs if d < origin] for c, pairs in RHYTHMS.items()}, origin)
    columns = [
        "customer_id",
        "x",
        "t_x",
        "T",
        "gap",
        "long_gap",
        "horizon",
        "late",
        "active",
        "order_value_change",
    ]

    def known(book: Any) -> Any:
        table = watched(book.purchases, Past(order_days(book.purchases)), origin).select(columns)
        return table.order_by("customer_id").to_pyarrow().to_pylist()

    assert known(with_later) == known(without)


def test_the_model_beats_the_rule_where_the_firm_follows_it():
    result = of_the_firm()
    assert result.figures["method"] == "BG/NBD"
    assert result.estimates["skill"].low > 0
    assert result.figures["auc"] > result.figures["auc_rule"]
    table = result.tables["customers"].to_pandas()
    assert table["p_no_order"].between(0, 1).all()
    product = table["p_no_order"] * table["value_next_12m"].astype(float)
    assert np.allclose(product, table["value_at_stake"].astype(float), atol=1e-3, rtol=1e-5)
    assert table["value_at_stake"].is_monotonic_decreasing
    assert sum(table["value_at_stake"]) == result.figures["value_at_stake"]
    reasons = result.tables["reasons"].to_pandas()
    assert sum(reasons["value_at_stake"]) == result.figures["value_at_stake"]
    assert reasons["customers"].sum() == result.figures["customers"] == len(table)


def test_row_order_and_later_rows_change_nothing():
    rows = [dict(r) for r in order_firms.rows()]
    random.Random(3).shuffle(rows)
    later = [
        dict(r, order_id="x" + r["order_id"], order_date=r["order_date"] + timedelta(days=1200))
        for r in rows[:300]
    ]
    assert content(answer(order_firms.book(rows + later), churn_risk, model="bgnbd")) == content(
        of_the_firm()
    )


def test_nobody_active_is_red_and_a_longer_horizon_lowers_the_risk():
    gone = answer(small({"gone": RHYTHMS["gone"]}), churn_risk)
    assert gone.quality.flag == "red"
    longer = answer(order_firms.book(), churn_risk, model="bgnbd", horizon=365)
    shorter = of_the_firm().tables["customers"].to_pandas().set_index("customer_id")["p_no_order"]
    table = longer.tables["customers"].to_pandas().set_index("customer_id")
    assert set(table["horizon_days"]) == {365}
    if longer.figures["method"] == of_the_firm().figures["method"]:
        assert (table["p_no_order"] <= shorter.loc[table.index] + 1e-9).all()


def test_partial_churn_is_less_than_half_of_the_same_half_year_before():
    shrinks = [*every(30, LAST - timedelta(days=190), 18, 300), *every(30, LAST, 6, 100)]
    season = [*every(30, LAST - timedelta(days=365), 3, 100), *every(30, LAST, 3, 100)]
    book = small({"shrinks": shrinks, "season": season, "steady": every(30, LAST, 24)})
    table = answer(book, churn_risk).tables["customers"].to_pandas().set_index("customer_id")
    assert table.loc["shrinks", "reason"] == "buys less than half"
    assert table.loc["shrinks", "half_year_change"] == pytest.approx(-2 / 3, abs=0.06)
    assert table.loc["season", "half_year_change"] == pytest.approx(0.0)
    assert table.loc["steady", "half_year_change"] == pytest.approx(0.0, abs=0.2)
    assert table.loc["steady", "reason"] == "in rhythm"


def test_value_at_stake_is_margin_where_it_is_known_as_in_lifetime_value():
    from klientel.analyses.lifetime_value import lifetime_value

    book = order_firms.book(costs=True)
    told = {v: answer(book, churn_risk, model="bgnbd", value=v) for v in ("auto", "revenue", "margin")}
    for measure in told:
        assert (
            told[measure].figures["measure"]
            == (answer(book, lifetime_value, value=measure).figures["measure"])
        )
    assert told["auto"].figures["measure"] == "margin"
    own = (
        book.purchases.group_by("customer_id")
        .agg(m=book.purchases.margin.sum(), r=book.purchases.margin_base.sum())
        .to_pandas()
        .set_index("customer_id")
    )
    share = (own["m"].astype(float) / own["r"].astype(float)).to_dict()
    tables = {k: r.tables["customers"].to_pandas().set_index("customer_id") for k, r in told.items()}
    for name in ("value_next_12m", "value_at_stake"):
        revenue = tables["revenue"][name].astype(float)
        expected = revenue * [share[c] for c in revenue.index]
        margin = tables["auto"].loc[revenue.index, name].astype(float)
        assert np.allclose(margin, expected, atol=1e-3, rtol=1e-6)
    assert (
        tables["auto"].loc[tables["revenue"].index, "p_no_order"] == tables["revenue"]["p_no_order"]
    ).all()


def test_who_has_no_known_margin_has_no_value_and_is_not_dropped():
    rows = [
        {"order_id": f"{c}{k}", "customer_id": c, "order_date": d, "net_amount": D(v),
         "direct_cost": None if c == "unknown" else D(v) * D("0.6")}
        for c, size in (("known", 900), ("other", 800), ("unknown", 100))
        for k, (d, v) in enumerate(every(30, LAST, 20, size))
    ]  # fmt: skip
    result = answer(order_firms.book(rows, date(2023, 1, 1), costs=True), churn_risk)
    assert result.figures["measure"] == "margin"
    assert result.quality.coverage == pytest.approx(17 / 18)
    table = {r["customer_id"]: r for r in result.tables["customers"].to_pyarrow().to_pylist()}
    assert table["unknown"]["value_next_12m"] is None
    assert table["unknown"]["value_at_stake"] is None
    assert table["known"]["value_next_12m"] == D("900") * D("0.4") * 13  # 13 orders in the last 365 days
    assert result.figures["customers"] == 3
    refused = answer(small(RHYTHMS), churn_risk, value="revenue")
    assert refused.figures["measure"] == "revenue"


def test_a_reason_whose_customers_have_no_known_margin_comes_last():
    rows = [
        {"order_id": f"{c}{k}", "customer_id": c, "order_date": d, "net_amount": D(v),
         "direct_cost": None if c == "unknown" else D(v) * D("0.6")}
        for c, orders in (("known", every(30, LAST, 20, 900)), ("unknown", every(30, LAST - timedelta(days=69), 18)))
        for k, (d, v) in enumerate(orders)
    ]  # fmt: skip
    result = answer(order_firms.book(rows, date(2023, 1, 1), costs=True), churn_risk)
    reasons = result.tables["reasons"].to_pyarrow().to_pylist()
    assert [r["reason"] for r in reasons] == ["in rhythm", "rhythm broken"]
    assert reasons[-1]["value_at_stake"] is None


HALF = LAST - timedelta(days=181)  # the first day of the last half year
ARTICLES = {n: f"P{k}" for k, n in enumerate(("screw M4", "glue A", "glue B", "oil", "rope", "tape"))}


def assortment(as_of: date = date(2023, 1, 1), extra: Any = (), **tables: Any) -> Any:
    """Anna buys screws, glue and seldom oil each month and drops glue; Ben buys all on; Cem stops altogether."""
    rows: list[dict[str, Any]] = []

    def buys(customer: str, product: str, days: list[date], value: int) -> None:
        rows.extend(
            {"order_id": f"{customer}{d}", "customer_id": customer, "order_date": d, "product_id": ARTICLES[product],
             "qty": D(1), "net_amount": D(value)}
            for d in days
        )  # fmt: skip

    monthly = [d for d, _ in every(30, LAST, 24)]
    before = [d for d in monthly if d < HALF]
    buys("anna", "screw M4", monthly, 100)
    buys("anna", "glue A", before, 60)
    buys("anna", "glue B", before, 40)
    buys("anna", "oil", before[:2], 900)  # not regularly
    buys("anna", "rope", before, 70)  # nobody buys rope any more
    for product in ("screw M4", "glue A", "oil"):
        buys("ben", product, monthly, 100)
    buys("ben", "tape", before[::3], 100)  # too seldom to tell
    buys("dora", "tape", monthly, 10)
    buys("cem", "screw M4", before, 100)
    groups = {"screw M4": "G1", "glue A": "G2", "glue B": "G2", "oil": "G3", "rope": "G4", "tape": "G5"}
    products = [{"product_id": ARTICLES[p], "name": p, "product_group_id": g} for p, g in groups.items()]
    import klientel

    sources: dict[str, Any] = {"order_line": [*rows, *extra], "product": products, **tables}
    return klientel.open_book({k: v for k, v in sources.items() if v}, as_of=as_of)


def lost_of(book: Any) -> dict[str, Any]:
    table = answer(book, churn_risk).tables["customers"].to_pyarrow().to_pylist()
    return {r["customer_id"]: r for r in table}


def test_product_groups_bought_regularly_and_no_more_are_named():
    names = {"G1": "Screws", "G2": "Glue", "G3": "Oil"}
    book = assortment(categories=[{"category_id": k, "category_name": v} for k, v in names.items()])
    found = lost_of(book)
    anna = found["anna"]
    assert (anna["lost_groups"], anna["lost_names"]) == (1, "Glue")
    months = sum(1 for d, _ in every(30, LAST, 24) if HALF - timedelta(days=365) <= d < HALF)
    year = months * (100 + 100 + 70)  # oil was bought before that year
    assert anna["lost_share"] == pytest.approx(months * 100 / year)
    assert "buys fewer product groups" in (anna["reason"], anna["further_reason"])
    assert found["ben"]["lost_groups"] == 0
    assert found["ben"]["lost_names"] is None
    # who is silent altogether lost no group: the silence is the reason
    assert found.get("cem", {"lost_groups": 0})["lost_groups"] == 0
    assert answer(book, churn_risk).figures["lost_group_customers"] == 1


def test_what_has_no_product_counts_for_all_that_a_customer_buys():
    monthly = [d for d, _ in every(30, LAST, 24) if HALF - timedelta(days=365) <= d < HALF]
    extra = [
        {"order_id": f"u{d}", "customer_id": "anna", "order_date": d, "product_id": None, "qty": D(1),
         "net_amount": D(230)}
        for d in monthly
    ]  # fmt: skip
    anna = lost_of(assortment(extra=extra))["anna"]
    assert (anna["lost_groups"], anna["lost_names"]) == (1, "G2")
    assert anna["lost_share"] == pytest.approx(100 / (100 + 100 + 70 + 230))


def test_products_stand_in_where_no_group_is_known_and_it_is_said():
    book = assortment(product=None)
    result = answer(book, churn_risk)
    anna = {r["customer_id"]: r for r in result.tables["customers"].to_pyarrow().to_pylist()}["anna"]
    # nobody else buys glue B: that may have been taken off the market
    assert (anna["lost_groups"], anna["lost_names"]) == (1, "P1")
    assert any("told by products" in str(r) for r in result.quality.reasons)


def test_lost_groups_know_nothing_later():
    later = [
        {"order_id": f"x{k}", "customer_id": "anna", "order_date": date(2023, 1, 1) + timedelta(days=k),
         "product_id": ARTICLES["glue A"], "qty": D(1), "net_amount": D(1000)}
        for k in range(5)
    ]  # fmt: skip
    assert content(answer(assortment(extra=later), churn_risk)) == content(answer(assortment(), churn_risk))
    once_more = [dict(later[0], order_date=LAST)]
    assert lost_of(assortment(extra=once_more))["anna"]["lost_groups"] == 0


def test_a_history_too_short_for_lost_groups_says_nothing():
    book = assortment(as_of=HALF - timedelta(days=40))
    found = lost_of(book)
    assert {r["lost_groups"] for r in found.values()} == {None}
    assert answer(book, churn_risk).figures["lost_group_customers"] is None
