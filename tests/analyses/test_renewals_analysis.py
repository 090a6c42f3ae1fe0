"""Renewals: chains, numbers and deadlines by hand; the method chosen on held-out time; what must not change."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from decimal import Decimal as D
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import klientel
from klientel.analyses.renewals import renewals
from klientel.analyses.renewals.due import due
from klientel.answer import answer, lacking
from klientel.errors import MissingInput, NotEnoughData
from klientel.forecast.renewal_rates import Decided, Rates, chosen
from klientel.stats.intervals import wilson

AS_OF = date(2024, 1, 1)
_SCHEMA = pa.schema(
    [
        ("contract_id", pa.string()), ("customer_id", pa.string()), ("type", pa.string()), ("signed_on", pa.date32()),
        ("start", pa.date32()), ("end", pa.date32()), ("recurring_amount", pa.decimal128(18, 4)),
        ("period_months", pa.int64()), ("notice_days", pa.int64()), ("auto_renew", pa.bool_()), ("ended", pa.bool_()),
    ]
)  # fmt: skip


def term(number: str, customer: str, start: date, end: date | None, **more: Any) -> dict[str, Any]:
    base = {
        "contract_id": number, "customer_id": customer, "type": "service", "signed_on": start, "start": start,
        "end": end, "recurring_amount": D(100), "period_months": 1, "notice_days": 60, "auto_renew": True,
        "ended": None,
    }  # fmt: skip
    return base | more


def of(terms: list[dict[str, Any]], as_of: date = AS_OF, **parameters: Any) -> Any:
    lines = pa.table({"customer_id": ["Z"], "order_date": [date(2020, 1, 1)], "net_amount": [D("5.00")]})
    table = pa.Table.from_pylist(terms, _SCHEMA)
    if table["ended"].null_count == len(table):
        table = table.drop_columns(["ended"])
    book = klientel.open_book({"order_line": lines, "project_contract": table}, as_of=as_of)
    return answer(book, renewals, **parameters)


def rows(result: Any, table: str) -> list[dict[str, Any]]:
    return result.tables[table].to_pyarrow().to_pylist()


HAND = [
    term("A1", "A", date(2021, 3, 1), date(2022, 3, 1)),
    term("A2", "A", date(2022, 3, 15), date(2023, 3, 1)),  # a pause of 14 days: renewed
    term("A3", "A", date(2023, 3, 1), date(2024, 3, 1)),  # up for renewal, two renewals behind it
    term("B1", "B", date(2021, 6, 1), date(2022, 6, 1)),
    term(
        "B2", "B", date(2022, 9, 1), date(2023, 9, 1)
    ),  # a pause of 92 days: a new chain, B1 was not renewed
    term("C1", "C", date(2022, 5, 1), date(2024, 5, 1), recurring_amount=D(600), period_months=3),
    term("D1", "D", date(2022, 12, 20), date(2023, 12, 20)),  # ended 12 days ago, undecided
    term("E1", "E", date(2022, 2, 1), date(2024, 2, 1)),
    term("E2", "E", date(2024, 2, 1), date(2026, 2, 1), signed_on=date(2023, 12, 1)),  # E1 is renewed already
    term("F1", "F", date(2022, 1, 1), None),
    term("G1", "G", date(2022, 1, 1), None, ended=True),
]


def test_what_comes_up_with_number_deadline_and_value():
    result = of(HAND)
    found = {r["contract_id"]: r for r in rows(result, "contracts")}
    assert list(found) == ["D1", "A3", "C1"]
    assert found["A3"]["renewals"] == 2
    assert found["A3"]["days_left"] == 60
    assert found["A3"]["notice_deadline"] == date(2024, 1, 1)
    assert found["A3"]["notice_passed"] is False
    assert found["D1"]["days_left"] == -12
    assert found["D1"]["notice_passed"] is True
    assert found["C1"]["annual_value"] == 2400
    assert result.figures["due_contracts"] == 3
    assert result.figures["due_value"] == 1200 + 2400 + 1200
    assert result.figures["open_ended"] == 1
    assert result.quality.excluded == 1
    assert result.figures["deadlines_30d"] == 1


def test_decided_are_terms_that_ended_thirty_days_ago():
    result = of(HAND)
    history = rows(result, "history")
    # A1 renewed, A2 renewed, B1 not, B2 not
    assert [(r["renewal"], r["due"], r["renewed"]) for r in history] == [(1, 3, 1), (2, 1, 1)]
    assert result.figures["decided_renewals"] == 4


def test_four_decided_renewals_give_no_probability_and_it_is_said():
    result = of(HAND)
    assert all(r["p_renewal"] is None for r in rows(result, "contracts"))
    assert result.figures["renewal_rate"] is None
    assert any("too few for a probability" in str(r) for r in result.quality.reasons)
    assert result.quality.flag == "amber"
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_longer_window_lists_more_and_nothing_later_is_known():
    assert of(HAND, months=1).figures["due_contracts"] == 1
    at = date(2023, 11, 1)  # E2 is not yet signed, so E1 comes up
    found = {r["contract_id"] for r in rows(of(HAND, as_of=at), "contracts")}
    assert found == {"D1", "A3", "E1", "C1"} - {"C1"}
    undated = [dict(t, ended=None) for t in HAND]  # that G1 has ended has no day
    kept = [t for t in undated if t["signed_on"] < at]
    strip = lambda r: json.dumps({k: v for k, v in r.to_dict().items() if k != "reproduce"}, sort_keys=True)  # noqa: E731
    assert strip(of(undated, as_of=at)) == strip(of(kept, as_of=at))


def export(statuses: dict[str, str]) -> list[dict[str, Any]]:
    """The contracts of HAND as an export at the end of 2023 tells them, with status texts."""
    return [dict(t, status=statuses.get(t["contract_id"], "running"), ended=None) for t in HAND]


def texts(result: Any) -> str:
    strip = {k: v for k, v in result.to_dict().items() if k != "reproduce"}
    return json.dumps(strip, sort_keys=True)


def of_export(terms: list[dict[str, Any]], as_of: date) -> Any:
    table = pa.Table.from_pylist(terms, pa.schema([*_SCHEMA, pa.field("status", pa.string())]))
    lines = pa.table({"customer_id": ["Z"], "order_date": [date(2020, 1, 1)], "net_amount": [D("5.00")]})
    return klientel.open_book({"order_line": lines, "project_contract": table}, as_of=as_of)


@pytest.mark.parametrize("name", ["renewals", "lifetime_value", "customer_equity"])
def test_a_status_without_a_day_is_not_known_earlier(name):
    """Two exports that differ in status texts only give the same answer for a day before both."""
    at = date(2023, 6, 1)
    how = {} if name == "renewals" else {"business": "contracts"}
    one = klientel.analyse(of_export(export({}), at), name, **how)
    other = klientel.analyse(of_export(export({"A3": "terminated", "C1": "gekündigt"}), at), name, **how)
    assert texts(one) == texts(other)
    assert any("status of a contract" in str(r) for r in one.quality.reasons)


def test_notice_counts_at_the_end_of_the_data_by_its_text():
    found = lambda terms, at: {  # noqa: E731
        r["contract_id"] for r in rows(klientel.analyse(of_export(terms, at), "renewals"), "contracts")
    }
    told, at = export({"A3": "terminated"}), date(2023, 11, 1)
    assert "A3" in found(told, at)  # the data go on until E2 is signed in December
    assert "A3" not in found(told, AS_OF)
    live = klientel.analyse(of_export(told, AS_OF), "renewals")
    assert not any("status of a contract" in str(r) for r in live.quality.reasons)


def starting_later(lines: bool, as_of: date | None, today: date | None = None) -> set[str]:
    """Contracts up for renewal; A3 has given notice, and a contract without a signature starts after the end."""
    terms = [dict(t, signed_on=None) for t in export({"A3": "terminated"}) if t["start"] < AS_OF]
    terms.append(
        dict(terms[0], contract_id="Z1", customer_id="Z", start=date(2024, 2, 1), end=date(2025, 2, 1))
    )
    table = pa.Table.from_pylist(terms, pa.schema([*_SCHEMA, pa.field("status", pa.string())]))
    sales = pa.table({"customer_id": ["Z"], "order_date": [date(2023, 12, 31)], "net_amount": [D("5.00")]})
    book = klientel.open_book(
        {"project_contract": table} | ({"order_line": sales} if lines else {}), as_of=as_of, today=today
    )
    return {r["contract_id"] for r in rows(klientel.analyse(book, "renewals"), "contracts")}


def test_a_contract_that_starts_later_was_known_before():
    """Whether the end of the data is asked for or not makes no difference, and a status counts there."""
    asked, unasked = starting_later(True, AS_OF), starting_later(True, None)
    assert asked == unasked
    assert "A3" not in asked
    assert "A3" in starting_later(True, date(2023, 12, 31))  # a sale is later


def test_starts_tell_the_end_of_contracts_without_sales_but_for_today():
    assert "A3" in starting_later(False, AS_OF)
    assert "A3" not in starting_later(False, AS_OF, today=date(2023, 12, 31))  # nothing is known of tomorrow
    assert "A3" in starting_later(False, AS_OF, today=date(2024, 3, 1))


def many(rates: dict[str, float], customers: int = 160, seed: int = 2) -> list[dict[str, Any]]:
    """Yearly terms since 2019 of customers who renew with the rate of their type."""
    chance = random.Random(seed)
    found = []
    for c in range(customers):
        kind = sorted(rates)[c % len(rates)]
        start = date(2018, 1, 1) + timedelta(days=chance.randrange(700))
        number = 0
        while start < AS_OF:
            end = start + timedelta(days=365)
            found.append(term(f"{c}-{number}", f"C{c}", start, end, type=kind))
            number += 1
            start = end
            if chance.random() > rates[kind]:
                break
    return found


def test_types_that_differ_get_their_own_rate():
    result = of(many({"framework": 0.95, "trial": 0.5}))
    assert result.figures["method"] == "renewal rate by contract type, shrunken"
    assert result.figures["skill"] > 0.05
    p = {r["type"]: r for r in rows(result, "contracts")}
    assert p["framework"]["low"] < 0.95 < p["framework"]["high"]
    assert p["framework"]["p_renewal"] > 0.9
    if "trial" in p:
        assert p["trial"]["low"] < 0.5 < p["trial"]["high"]
    total = sum(r["expected_value"] + r["value_at_risk"] for r in rows(result, "contracts"))
    assert total == result.figures["due_value"]


def test_types_that_do_not_differ_share_one_rate_and_it_is_said():
    result = of(many({"framework": 0.8, "trial": 0.8}, customers=200))
    assert result.figures["method"] == "one renewal rate"
    estimate = result.estimates["renewal_rate"]
    assert estimate.low < 0.8 < estimate.high
    assert {r["p_renewal"] for r in rows(result, "contracts")} == {estimate.value}
    assert any("No model told renewals apart" in str(r) for r in result.quality.reasons)


def test_sorting_by_age_is_found_by_the_beta_geometric():
    """Each contract has its own churn, Beta(0.7, 1.2): rates rise with the renewal number."""
    rng = np.random.default_rng(4)
    counted: dict[tuple[int, bool], list[int]] = {}
    for _ in range(3000):
        theta, begun = rng.beta(0.7, 1.2), int(rng.integers(0, 8))
        for number in range(1, 9 - begun):
            cell = counted.setdefault((number, begun + number == 8), [0, 0])
            cell[0] += 1
            if rng.random() < theta:
                break
            cell[1] += 1
    given = [
        {"type": "", "number": n, "late": late, "due": due, "renewed": kept}
        for (n, late), (due, kept) in sorted(counted.items())
    ]
    found = chosen(given, date(2023, 1, 1))
    assert found.name == "sbg"
    assert found.skill > 0.01
    p, low, high = found.of([""] * 4, np.array([1.0, 2, 3, 4]))
    assert (np.diff(p) > 0).all()
    assert ((low < p) & (p < high)).all()
    truth = (1.2 + np.arange(4)) / (1.9 + np.arange(4))
    assert ((low - 0.02 < truth) & (truth < high + 0.02)).all()


@pytest.mark.parametrize(
    ("status", "listed"),
    [("terminated", False), ("Gekündigt zum 01.03.", False), ("cancelled by customer", False), ("running", True),
     ("expired", True), (None, True)],
)  # fmt: skip
def test_with_notice_given_a_contract_is_not_up_for_renewal(status, listed):
    schema = _SCHEMA.append(pa.field("status", pa.string()))
    known = [t | {"status": None} for t in HAND if t["contract_id"] != "A3"]
    last = term("A3", "A", date(2023, 3, 1), date(2024, 3, 1), status=status)
    lines = pa.table({"customer_id": ["Z"], "order_date": [date(2020, 1, 1)], "net_amount": [D("5.00")]})
    tables = {"order_line": lines, "project_contract": pa.Table.from_pylist([*known, last], schema)}
    result = answer(klientel.open_book(tables, as_of=AS_OF), renewals)
    assert ("A3" in {r["contract_id"] for r in rows(result, "contracts")}) is listed


def test_fewer_than_five_decided_raise():
    with pytest.raises(NotEnoughData, match="too few"):
        chosen([{"type": None, "number": 1, "late": True, "due": 4, "renewed": 4}], AS_OF)


def test_row_order_and_scale_do_not_matter():
    given = many({"framework": 0.95, "trial": 0.5}, customers=60)
    shuffled = [*given]
    random.Random(1).shuffle(shuffled)
    base, other = of(given), of(shuffled)
    assert rows(base, "contracts") == rows(other, "contracts")
    assert base.figures == other.figures
    tenfold = of([dict(t, recurring_amount=t["recurring_amount"] * 10) for t in given])
    assert tenfold.figures["value_at_risk"] == pytest.approx(
        10 * base.figures["value_at_risk"], abs=D("0.01")
    )
    assert tenfold.figures["renewal_rate"] == base.figures["renewal_rate"]


def test_books_without_contracts_are_locked_with_a_cure():
    book = klientel.open_book(
        pa.table({"customer_id": ["A"], "order_date": [date(2023, 1, 1)], "net_amount": [D("5.00")]})
    )
    assert lacking(book, renewals) is not None
    with pytest.raises(MissingInput, match="--map"):
        answer(book, renewals)


def test_nothing_known_before_the_as_of_date_is_red_and_nothing_due_is_said():
    assert of(HAND, as_of=date(2019, 1, 1)).quality.flag == "red"
    later = of([term("H", "H", date(2023, 1, 1), date(2030, 1, 1))])
    assert later.figures["due_contracts"] == 0
    assert "No contract comes up" in str(later.lines[0])
    for chart in renewals.charts:
        later.chart(chart.name).to_dict()


def held_out(due: int, lost: int, told: float) -> Rates:
    late = {"shown": True, "due": due, "renewed_share": 1 - lost / due, "predicted_share": 1 - told}
    return Rates("constant", Decided([], np.array([]), np.array([]), np.array([])), (late,))


def test_a_forecast_that_chance_explains_missed_nothing():
    assert held_out(10, 2, 0.1).missed == 1.0
    assert held_out(10, 0, 0.05).missed == 1.0  # 95 % limits of 0 of 10 reach to 27.8 %
    low, high = wilson(200, 1000)
    assert held_out(1000, 200, 0.1).missed == pytest.approx(float(low) / 0.1)
    assert held_out(1000, 200, 0.4).missed == pytest.approx(0.4 / float(high))
    # one loss more or less changes little, none of them is a case of its own
    told = [held_out(200, lost, 0.1).missed for lost in range(12)]
    assert all(a >= b for a, b in pairwise(told))
    assert max(a / b for a, b in pairwise(told)) < 1.6
    assert told[0] == pytest.approx(0.1 / float(wilson(0, 200)[1]))


def test_contracts_that_ended_are_told_apart_from_those_that_end_soon():
    left = pa.array([5, -1, 90, None, 0, 91, -30], pa.int32())
    ends = [None if n is None else AS_OF + timedelta(days=n) for n in left.to_pylist()]
    coming, ended = due(pa.table({"days_left": left, "end": pa.array(ends, pa.date32())}), 90)
    assert coming["days_left"].to_pylist() == [0, 5, 90]
    assert ended["days_left"].to_pylist() == [-30, -1]
