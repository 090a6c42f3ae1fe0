"""Lifetime: the 6-MP arm as contracts, order histories by hand, old customers entering late, causes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pyarrow as pa
import pytest

import klientel
from klientel.analyses.lifetime import lifetime
from klientel.answer import answer

AS_OF = date(2024, 1, 1)
# V17: months, + still running (Freireich 1963)
ARM = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()  # noqa: SIM905


def rows(result: Any, table: str) -> list[dict[str, Any]]:
    return result.tables[table].to_pyarrow().to_pylist()


def of_orders(orders: dict[str, list[date]], people: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    lines = pa.table(
        {
            "order_id": [f"{c}{i}" for c, days in orders.items() for i in range(len(days))],
            "customer_id": [c for c, days in orders.items() for _ in days],
            "order_date": [d for days in orders.values() for d in days],
            "net_amount": [D("100.00") for days in orders.values() for _ in days],
        }
    )
    tables: dict[str, Any] = {"order_line": lines}
    if people:
        tables["customer"] = pa.Table.from_pylist(people)
    return answer(klientel.open_book(tables, as_of=AS_OF), lifetime, **more)


def monthly(first: date, times: int) -> list[date]:
    return [first + timedelta(days=30 * k) for k in range(times)]


def test_contracts_without_dates_give_the_published_curve():
    contracts = pa.table(
        {
            "contract_id": [f"K{i}" for i in range(21)],
            "customer_id": [f"C{i}" for i in range(21)],
            "tenure_months": [int(a.rstrip("+")) for a in ARM],
            "ended": [not a.endswith("+") for a in ARM],
            "recurring_amount": [D("10.00")] * 21,
        }
    )
    found = answer(klientel.open_book({"project_contract": contracts}), lifetime)
    assert found.figures["median_lifetime"] == pytest.approx(23)
    assert found.figures["basis"] == "contracts"
    assert found.figures["living_customers"] == 12
    curve = {r["age"]: r for r in rows(found, "curve")}
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690}
    for age, share in published.items():
        assert curve[age]["survival"] == pytest.approx(share, abs=0.0005)
    assert curve[6]["at_risk"] == 21
    assert max(curve) == 17  # later than 17 months fewer than 10 are watched
    assert all(r["low"] <= r["survival"] <= r["high"] for r in curve.values())


def firm() -> dict[str, list[date]]:
    """Monthly orders, so the window is 180 days: 12 stopped after a year, 12 still order, 6 have just begun."""
    found = {f"G{i:02d}": monthly(date(2021, 1, 1), 13) for i in range(12)}
    found |= {f"L{i:02d}": monthly(date(2021, 1, 1), 36) for i in range(12)}
    return found | {f"N{i}": monthly(date(2023, 8, 1), 5) for i in range(6)}


def test_lost_living_and_too_young_by_hand():
    found = of_orders(firm())
    assert found.figures["lost_customers"] == 12
    assert found.figures["living_customers"] == 12
    assert found.figures["too_young"] == 6
    # the last of 13 orders comes on day 360, the 361st day of the spell
    assert found.figures["median_lifetime"] == pytest.approx(361 / 30.4375)
    last = rows(found, "curve")[-1]
    assert last["survival"] == pytest.approx(0.5)
    # watched until one window before the as-of date, not until their last order
    assert found.figures["horizon"] == pytest.approx((1095 - 180) / 30.4375)


def test_a_pause_is_bridged_or_ends_the_first_spell():
    orders = firm()
    for i in range(12):
        orders[f"L{i:02d}"] = [d for d in orders[f"L{i:02d}"] if not date(2022, 1, 1) < d < date(2023, 1, 1)]
    bridged, ended = of_orders(orders, pauses="bridged"), of_orders(orders)
    assert bridged.figures["lost_customers"] == 12
    assert ended.figures["lost_customers"] == 24
    assert any("counts as a pause" in str(r) for r in bridged.quality.reasons)
    # handbook B5: the default ends at the first lapse, and says how many came back
    assert any("12 customers came back" in str(r) and "bridged" in str(r) for r in ended.quality.reasons)
    assert ended.quality.flag == "amber"


def test_old_customers_enter_at_the_age_at_which_they_are_first_seen():
    people = [{"customer_id": c, "acquired_on": date(2011, 1, 1) if c < "H" else None} for c in firm()]
    found = of_orders(firm(), people)
    # the lost ones are ten years old when first watched: nothing is lost before
    assert found.figures["stays_12m"] == pytest.approx(1.0)
    assert found.figures["median_lifetime"] is None or found.figures["median_lifetime"] > 120


def test_segments_are_compared():
    people = [{"customer_id": c, "segment": "short" if c < "H" else "long"} for c in firm()]
    orders = firm() | {f"LX{i:02d}": monthly(date(2021, 1, 1), 36) for i in range(12)}
    orders |= {f"GX{i:02d}": monthly(date(2021, 1, 1), 13) for i in range(12)}
    people = [{"customer_id": c, "segment": "short" if c < "H" else "long"} for c in orders]
    found = of_orders(orders, people, by="segment")
    by_name = {r["segment"]: r for r in rows(found, "segments")}
    assert by_name["short"]["lost"] == 24
    assert by_name["long"]["lost"] == 0
    assert by_name["short"]["difference_high"] < 0 < by_name["long"]["difference_low"]
    assert by_name["short"]["difference"] == pytest.approx(-by_name["long"]["difference"])
    assert found.figures["p_value"] < 1e-6
    assert of_orders(orders, people, by="none").figures["p_value"] is None


def test_rows_on_or_after_the_as_of_date_change_nothing():
    later = {
        c: [*days, *(date(2024, 1, 1) + timedelta(days=k) for k in range(3))] for c, days in firm().items()
    }
    strip = lambda r: json.dumps({k: v for k, v in r.to_dict().items() if k != "reproduce"}, sort_keys=True)  # noqa: E731
    assert strip(of_orders(firm())) == strip(of_orders(later))


def term(customer: str, start: date, end: date | None, status: str) -> dict[str, Any]:
    return {"contract_id": f"{customer}-{start}", "customer_id": customer, "start": start, "end": end,
            "status": status, "recurring_amount": D("10.00")}  # fmt: skip


def of_contracts(terms: list[dict[str, Any]], as_of: date = AS_OF) -> Any:
    schema = pa.schema(
        [("contract_id", pa.string()), ("customer_id", pa.string()), ("start", pa.date32()), ("end", pa.date32()),
         ("status", pa.string()), ("recurring_amount", pa.decimal128(18, 4))]
    )  # fmt: skip
    table = pa.Table.from_pylist(terms, schema)
    return answer(klientel.open_book({"project_contract": table}, as_of=as_of), lifetime, basis="contracts")


def test_contract_terms_are_chained_and_causes_compete():
    terms = []
    for i in range(40):
        terms.append(term(f"R{i}", date(2021, 1, 1), date(2022, 1, 1), "renewed"))
        terms.append(term(f"R{i}", date(2022, 1, 15), date(2025, 1, 1), "running"))
    terms += [term(f"T{i}", date(2021, 1, 1), date(2022, 1, 1), "terminated") for i in range(10)]
    terms += [term(f"E{i}", date(2021, 1, 1), date(2023, 1, 1), "expired") for i in range(10)]
    terms += [term(f"Y{i}", date(2023, 12, 20), date(2024, 12, 20), "running") for i in range(3)]
    found = of_contracts(terms)
    assert found.figures["lost_customers"] == 20
    assert found.figures["living_customers"] == 40
    assert found.figures["too_young"] == 3
    by_cause = {r["cause"]: r for r in rows(found, "causes")}
    # the first end in the data is a year after every start, so all are watched from then on
    assert by_cause["terminated"]["share_12m"] == pytest.approx(10 / 60)
    assert by_cause["expired"]["share_12m"] == 0
    last = rows(found, "curve")[-1]
    assert last["survival"] == pytest.approx(40 / 60)


def test_causes_from_status_texts_are_not_known_on_an_earlier_day():
    def told(status: str) -> Any:
        terms = [term(f"T{i}", date(2021, 1, 1), date(2022, 1, 1), status) for i in range(12)]
        terms += [term(f"R{i}", date(2021, 1, 1), None, "running") for i in range(20)]
        terms += [term("N", date(2023, 12, 1), date(2024, 12, 1), "running")]
        return of_contracts(terms, date(2023, 1, 1))

    one, other = told("terminated"), told("expired")
    assert {r["cause"] for r in rows(one, "causes")} <= {"lost"}
    assert one.figures == other.figures
    assert one.figures["lost_customers"] == 12
    assert any("status of a contract" in str(r) for r in one.quality.reasons)


def test_without_dates_or_starts_the_answer_says_what_to_bring():
    lines = pa.table({"customer_id": ["A", "B"], "net_amount": [D("5.00"), D("6.00")]})
    found = answer(klientel.open_book({"order_line": lines}), lifetime)
    assert found.quality.flag == "red"
    assert "order_line.order_date" in str(found.quality.reasons[0])


@pytest.mark.real
def test_telco_contracts_by_type(real):
    """S(12) against the product-limit sum worked out in the test itself."""
    book = klientel.open_book(real / "telco_churn")
    found = answer(book, lifetime, by="contract_type")
    import csv

    with next((real / "telco_churn").glob("*.csv")).open(encoding="utf-8") as file:
        people = [(int(r["tenure"]), r["Churn"] == "Yes", r["Contract"]) for r in csv.DictReader(file)]
    for kind in ("Month-to-month", "One year", "Two year"):
        own = [(t, gone) for t, gone, k in people if k == kind]
        stays = 1.0
        for month in range(1, 13):
            at_risk = sum(t >= month for t, _ in own)
            stays *= 1 - sum(t == month and gone for t, gone in own) / at_risk
        row = next(r for r in rows(found, "segments") if r["segment"] == kind)
        assert row["stays_12m"] == pytest.approx(stays, abs=1e-9)
        assert row["customers"] == len(own)
    assert found.figures["lost_customers"] == 1869
