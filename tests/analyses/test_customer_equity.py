"""Customer equity: the published constant-retention values by hand, parts that add up, elasticities."""

from __future__ import annotations

import sys
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import klientel
from klientel.analyses.customer_equity import customer_equity
from klientel.answer import answer
from klientel.errors import BadParameter

sys.path.insert(0, str(Path(__file__).parent.parent / "forecast"))
import order_firms


def one(**parameters: Any) -> Any:
    lines = pa.table({"customer_id": ["A"], "net_amount": [D("100.00")]})
    return answer(klientel.open_book({"order_line": lines}), customer_equity, years=0, **parameters)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        # V12
        ({"margin": 15.49, "discount": 0.01, "retention": 0.99}, 766.755),
        ({"margin": 15.49, "discount": 0.01, "retention": 0.95}, 245.258),
        ({"margin": 15.49, "discount": 0.01, "retention": 0.90}, 126.736),
        # V14, margin multiples
        ({"margin": 1, "discount": 0.10, "retention": 0.80}, 2.6667),
        ({"margin": 1, "discount": 0.16, "retention": 0.60}, 1.0714),
        # V16, the three cases; the margin of the first row comes from the data
        ({"discount": 0.1, "retention": 0.8, "case": "first_included"}, 366.667),
        ({"discount": 0.1, "retention": 0.8, "case": "just_paid"}, 266.667),
        ({"discount": 0.1, "retention": 0.8, "case": "end_of_period"}, 333.333),
    ],
)
def test_the_named_cases_give_the_published_values(given, value):
    found = one(**given)
    assert float(found.figures["static_equity"]) == pytest.approx(value, abs=0.001)
    assert found.figures["customer_equity"] == found.figures["static_equity"]
    assert found.quality.flag == "amber"  # constant retention is an assumption, and it is said


def test_future_customers_are_discounted_and_cost_what_they_cost():
    lines = pa.table({"customer_id": ["A"], "net_amount": [D("100.00")]})
    book = klientel.open_book({"order_line": lines})
    given = {"retention": 0.8, "margin": 100, "discount": 0.1, "new_customers": 10, "acquisition_cost": 150}
    found = answer(book, customer_equity, years=3, **given)
    weight = 1 / 1.1 + 1 / 1.1**2 + 1 / 1.1**3
    assert float(found.figures["future_equity"]) == pytest.approx(10 * (366.6667 - 150) * weight, abs=0.01)
    moved = {r["driver"]: r for r in found.tables["drivers"].to_pyarrow().to_pylist()}
    # each driver moved by hand
    for driver, name, factor in (("value per customer", "margin", 1), ("acquisition cost", "acquisition_cost", 1),
                                 ("new customers", "new_customers", 1), ("retention", "retention", 1),
                                 ("discount rate", "discount", 1)):  # fmt: skip
        changed = answer(book, customer_equity, years=3, **{**given, name: given[name] * 1.01 * factor})
        by_hand = float(changed.figures["customer_equity"]) - float(found.figures["customer_equity"])
        assert float(moved[driver]["change"]) == pytest.approx(by_hand, abs=0.01), driver


def test_existing_customers_are_worth_what_lifetime_value_says():
    from klientel.analyses.lifetime_value import lifetime_value

    book = order_firms.book()
    equity, values = answer(book, customer_equity), answer(book, lifetime_value)
    assert equity.figures["method"] == values.figures["model"]
    assert float(equity.figures["static_equity"]) == pytest.approx(
        float(values.figures["static_equity"]), rel=1e-6
    )
    parts = {r["part"]: r for r in equity.tables["parts"].to_pyarrow().to_pylist()}
    both = parts["existing customers"]["equity"] + parts["future customers"]["equity"]
    assert float(both) == pytest.approx(float(parts["customer equity"]["equity"]), abs=0.001)
    interval = equity.estimates["customer_equity"]
    assert interval.low < interval.value < interval.high
    assert equity.figures["new_customers"] == 0  # all of them came in the first year


def firm_with_contracts() -> Any:
    """Orders with margins of 30 to 60 % and contracts, of twelve customers large ones, of eight tiny ones."""
    from datetime import date

    people = sorted({r["customer_id"] for r in order_firms.rows()})
    terms = [
        {"contract_id": f"{c}-{k}", "customer_id": c, "start": date(2021 + k, 3, 1), "end": date(2022 + k, 3, 1),
         "recurring_amount": D(100_000 if i < 12 else 1), "period_months": 12, "status": "running"}
        for i, c in enumerate(people[:20]) for k in range(3)
    ]  # fmt: skip
    lines = [
        dict(r, direct_cost=r["net_amount"] * D(40 + 3 * (i % 10)) / 100)
        for i, r in enumerate(order_firms.rows())
    ]
    tables = {"order_line": pa.Table.from_pylist(lines), "project_contract": pa.Table.from_pylist(terms)}
    return klientel.open_book(tables, as_of=order_firms.AS_OF)


def test_both_count_the_same_measure_and_contracts_alike():
    """The equity of existing customers is the one of lifetime_value, whatever is asked for."""
    from klientel.analyses.lifetime_value import lifetime_value

    book = firm_with_contracts()
    seen = set()
    for given in (
        {},
        {"value": "revenue"},
        {"value": "margin", "business": "orders"},
        {"business": "contracts"},
    ):
        equity = answer(book, customer_equity, **given)
        values = answer(book, lifetime_value, **given, horizon=24)
        assert equity.figures["measure"] == values.figures["measure"]
        assert equity.figures["customers"] == values.figures["customers"]
        assert equity.figures["static_equity"] == values.figures["static_equity"]
        # whatever is counted is said in the first sentence of both
        assert f"({equity.figures['measure']}" in str(equity.lines[0])
        assert f"({values.figures['measure']}" in str(values.lines[0])
        seen.add(equity.figures["static_equity"])
    assert len(seen) == 4
    by_hand = answer(book, customer_equity, margin_share=0.4, business="orders")
    revenue = answer(book, customer_equity, value="revenue", business="orders")
    assert float(by_hand.figures["static_equity"]) == pytest.approx(
        0.4 * float(revenue.figures["static_equity"])
    )
    assert float(by_hand.figures["new_customer_value"]) == pytest.approx(
        0.4 * float(revenue.figures["new_customer_value"])
    )
    assert by_hand.figures["measure"] == "margin"


def test_drivers_of_the_data_against_the_answer_with_the_driver_moved():
    book = firm_with_contracts()
    given = {"new_customers": 20.0, "acquisition_cost": 5000.0, "discount": 0.1}
    found = answer(book, customer_equity, **given)
    moved = {r["driver"]: r for r in found.tables["drivers"].to_pyarrow().to_pylist()}
    for driver, name in (("discount rate", "discount"), ("new customers", "new_customers"),
                         ("acquisition cost", "acquisition_cost")):  # fmt: skip
        changed = answer(book, customer_equity, **{**given, name: given[name] * 1.01})
        by_hand = float(changed.figures["customer_equity"]) - float(found.figures["customer_equity"])
        assert float(moved[driver]["change"]) == pytest.approx(by_hand, rel=1e-6, abs=0.01), driver


def test_what_cannot_be_is_refused():
    with pytest.raises(BadParameter, match="needs a retention"):
        one(margin=100)
    with pytest.raises(BadParameter, match="endless"):
        one(retention=1.0, growth=0.2)
    with pytest.raises(BadParameter, match="Did you mean just_paid"):
        one(retention=0.8, case="justpaid")
    with pytest.raises(BadParameter, match="leave one of the two out"):
        one(retention=0.8, value="margin", margin_share=0.5)
    undated = one()
    assert undated.quality.flag == "red"
    assert "retention" in str(undated.quality.reasons[0])
