"""Books with contracts and no dated orders: retention by age or by renewals, values by hand, and what is refused."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import klientel
from klientel.analyses.customer_equity import customer_equity
from klientel.analyses.lifetime_value import lifetime_value
from klientel.answer import answer
from klientel.forecast import tenures
from klientel.stats.lifetime_formulas import constant_retention

AS_OF = date(2024, 1, 1)


def register(rows: list[tuple[str, int, bool, int]]) -> pa.Table:
    """Contracts without dates: type, months, ended, amount a month."""
    return pa.table(
        {
            "contract_id": [f"K{i:05d}" for i in range(len(rows))],
            "customer_id": [f"C{i:05d}" for i in range(len(rows))],
            "type": [r[0] for r in rows],
            "tenure_months": [r[1] for r in rows],
            "ended": [r[2] for r in rows],
            "recurring_amount": [D(r[3]) for r in rows],
        }
    )


def undated(rows: list[tuple[str, int, bool, int]]) -> Any:
    return klientel.open_book({"project_contract": register(rows)})


def lives(churn: Any, n: int, kind: str, seed: int, oldest: int = 60) -> list[tuple[str, int, bool, int]]:
    """Contracts that began evenly over the last months and are lost each month by `churn(rng)`, their own chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        known = int(rng.integers(1, oldest + 1))
        stays = int(rng.geometric(churn(rng)))
        rows.append((kind, min(stays, known), stays <= known, 100))
    return rows


def test_renewals_due_by_age_are_counted_by_hand():
    contracts = [("a", 3, False, 10), ("a", 2, True, 10), ("a", 0, True, 10), ("b", 1, False, 10)]
    import ibis

    rows = tenures._counts(tenures._complete(ibis.memtable(register(contracts))))
    due = tenures._due(rows, from_age=3)
    assert [(r["type"], r["number"], r["due"], r["renewed"], r["late"]) for r in due] == [
        ("a", 1, 3, 2, False),  # who ended in the first month was up for one renewal
        ("a", 2, 2, 1, False),
        ("a", 3, 1, 1, True),
        ("b", 1, 1, 1, False),
    ]


def test_one_rate_gives_the_closed_form():
    rows = lives(lambda rng: 0.03, 4_000, "monthly", 1)
    found = answer(undated(rows), lifetime_value, horizon=240, discount=0.1)
    assert found.figures["model"] == "one renewal rate"
    due = sum(r[1] for r in rows)
    keep = 1 - sum(r[2] for r in rows) / due
    running = sum(not r[2] for r in rows)
    table = found.tables["customers"].to_pyarrow().to_pylist()
    assert len(table) == running == found.figures["customers"]
    assert len({r["lifetime_value"] for r in table}) == 1  # one rate: age does not matter
    monthly = 1.1 ** (1 / 12) - 1
    # paid evenly within the month instead of at its end: half a month less of discount
    even = float(constant_retention(100, keep, monthly, case="just_paid")) * monthly / np.log1p(monthly)
    assert float(table[0]["lifetime_value_infinite"]) == pytest.approx(even, rel=1e-3)
    year = 100 * sum(keep**k for k in range(1, 13))
    assert float(table[0]["value_next_12m"]) == pytest.approx(year, rel=1e-6)
    assert found.estimates["lifetime_value"].low < found.figures["lifetime_value"]
    assert found.figures["lifetime_value"] < found.estimates["lifetime_value"].high


def test_types_that_differ_age_on_their_own_and_old_contracts_are_worth_more():
    rows = lives(lambda rng: rng.beta(2.0, 10.0), 8_000, "free", 2)
    rows += lives(lambda rng: rng.beta(2.0, 800.0), 4_000, "bound", 3)
    found = answer(undated(rows), lifetime_value)
    held = found.tables["renewals"].to_pyarrow().to_pylist()
    assert found.figures["model"].endswith("by contract type")
    assert [r["method"] for r in held if r["shown"]] == [found.figures["model"]]
    assert {r["from_age"] for r in held} == {41}
    best = min(held, key=lambda r: r["log_loss"])
    assert best["log_loss"] < next(r for r in held if r["method"] == "one renewal rate")["log_loss"]
    values: dict[tuple[str, int], float] = {}
    by_id = {f"C{i:05d}": r for i, r in enumerate(rows)}
    for row in found.tables["customers"].to_pyarrow().to_pylist():
        kind, months, ended, _ = by_id[row["customer_id"]]
        assert not ended
        values[kind, months] = float(row["lifetime_value"])
    assert values["free", 50] > values["free", 2]
    assert all(values["bound", m] > values["free", m] for m in (2, 20, 50))
    told = " ".join(map(str, found.quality.reasons))
    assert "no dates" in told


def test_row_order_changes_nothing_and_the_ended_bring_nothing():
    rows = lives(lambda rng: rng.beta(1.0, 20.0), 900, "m", 4)
    strip = lambda r: json.dumps({k: v for k, v in r.to_dict().items() if k != "reproduce"}, sort_keys=True)  # noqa: E731
    table = register(rows)
    order = list(range(len(rows)))
    random.Random(1).shuffle(order)
    one = answer(klientel.open_book({"project_contract": table}), lifetime_value)
    other = answer(klientel.open_book({"project_contract": table.take(order)}), lifetime_value)
    assert strip(one) == strip(other)


def test_nobody_ended_is_refused_with_a_reason():
    found = answer(undated([("m", 5, False, 10)] * 30), lifetime_value)
    assert found.quality.flag == "red"
    assert "No contract is known to have ended" in str(found.quality.reasons[0])
    equity = answer(undated([("m", 5, False, 10)] * 30), customer_equity)
    assert equity.quality.flag == "red"
    by_hand = answer(undated([("m", 5, False, 10)] * 30), customer_equity, retention=0.8)
    assert by_hand.figures["static_equity"] is not None


def test_margins_of_contracts_are_refused_and_months_are_needed():
    book = undated(lives(lambda rng: 0.05, 300, "m", 5))
    assert "no margin" in str(answer(book, lifetime_value, value="margin").quality.reasons[0])
    table = register(lives(lambda rng: 0.05, 50, "m", 5)).drop_columns(["tenure_months"])
    found = answer(klientel.open_book({"project_contract": table}), lifetime_value)
    assert found.quality.flag == "red"
    assert "contract.tenure_months" in str(found.quality.reasons[0])


def dated(seed: int = 2, customers: int = 160, keep: float = 0.85) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    found = []
    for c in range(customers):
        start = date(2018, 1, 1) + timedelta(days=chance.randrange(700))
        number = 0
        while start < AS_OF + timedelta(days=200):
            end = start + timedelta(days=365)
            found.append(
                {"contract_id": f"{c}-{number}", "customer_id": f"C{c:03d}", "type": "service", "signed_on": start,
                 "start": start, "end": end, "recurring_amount": D(100), "period_months": 1}
            )  # fmt: skip
            number += 1
            start = end
            if chance.random() > keep:
                break
    return found


def of_dates(rows: list[dict[str, Any]], as_of: date | None = AS_OF, **more: Any) -> Any:
    book = klientel.open_book({"project_contract": pa.Table.from_pylist(rows)}, as_of=as_of)
    return answer(book, more.pop("analysis", lifetime_value), **more)


def test_contracts_with_dates_are_worth_what_they_pay_and_renew():
    found = of_dates(dated(), horizon=12, discount=0.05)
    assert found.figures["model"] == "one renewal rate"
    keep = next(r for r in found.tables["renewals"].to_pyarrow().to_pylist() if r["shown"])
    assert keep["origin"] == date(2023, 1, 1)
    renewals = klientel.analyse(
        klientel.open_book({"project_contract": pa.Table.from_pylist(dated())}, as_of=AS_OF), "renewals"
    )
    p = renewals.figures["renewal_rate"]
    ends = {r["customer_id"]: r["end"] for r in dated() if r["start"] < AS_OF <= r["end"]}
    table = {r["customer_id"]: r for r in found.tables["customers"].to_pyarrow().to_pylist()}
    assert set(table) == set(ends)
    for customer, end in ends.items():
        left = min((end - AS_OF).days, 365.25)
        paid = (left + p * (365.25 - left)) / 365.25 * 1200
        assert float(table[customer]["value_next_12m"]) == pytest.approx(paid, rel=1e-6)
    equity = of_dates(dated(), analysis=customer_equity, discount=0.05)
    assert equity.figures["static_equity"] == found.figures["static_equity"]
    assert equity.figures["new_customer_value"] > 0


def test_later_contracts_change_nothing_and_a_day_is_needed():
    strip = lambda r: json.dumps({k: v for k, v in r.to_dict().items() if k != "reproduce"}, sort_keys=True)  # noqa: E731
    at = date(2022, 7, 1)
    known = [r for r in dated() if r["signed_on"] < at]
    assert strip(of_dates(dated(), at)) == strip(of_dates(known, at))
    assert "--as-of" in str(of_dates(dated(), None).quality.reasons[0])


@pytest.mark.real
def test_telco_customers_are_worth_less_where_they_can_leave_each_month(real):
    book = klientel.open_book(real / "telco_churn")
    found = answer(book, lifetime_value)
    assert found.figures["customers"] == 5174  # README: active
    # all would bring 12 x the monthly amount of the active ones (README: 316,985.75) if nobody left
    assert 0.9 < float(found.figures["value_next_12m"]) / (12 * 316_985.75) < 1.0
    held = found.tables["renewals"].to_pyarrow().to_pylist()
    shown = next(r for r in held if r["shown"])
    assert shown["log_loss"] == min(r["log_loss"] for r in held)
    assert shown["due"] == 33_694
    frame = found.tables["customers"].to_pandas()
    import csv

    with next((real / "telco_churn").glob("*.csv")).open(encoding="utf-8") as file:
        kinds = {r["customerID"]: (r["Contract"], float(r["MonthlyCharges"])) for r in csv.DictReader(file)}
    frame["kind"] = [kinds[c][0] for c in frame["customer_id"]]
    frame["months"] = [
        float(v) / kinds[c][1] for c, v in zip(frame.customer_id, frame.lifetime_value, strict=True)
    ]
    means = frame.groupby("kind")["months"].mean()
    assert means["Month-to-month"] < means["One year"] < means["Two year"] < 36
    equity = answer(book, customer_equity)
    assert equity.figures["static_equity"] == found.figures["static_equity"]
    assert equity.figures["new_customer_value"] < equity.figures["static_equity"] / 5174
