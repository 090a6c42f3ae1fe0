"""Records as canonical tables: exact, without what is deleted, with own fields, as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest


def at(month: int) -> datetime:
    return datetime(2024, month, 1, 12, tzinfo=UTC)


@pytest.fixture
def w(home: Any) -> Any:
    from klientel.web.records import canonical, changes, models

    class World:
        t, c, m = canonical, changes, models

    return World


def rows(w: Any, table: str, *args: Any) -> list[dict[str, Any]]:
    return w.t.tables(*args or ({},))[table].to_pylist()


def test_values_are_exact(w: Any) -> None:
    anna = w.c.create(w.m.Rep, {"number": "anna", "name": "Anna", "cost_hour": D("80.25")}, at=at(1))
    values = {
        "number": "K1",
        "name": "Müller",
        "annual_revenue": D("99999999999999.9999"),
        "employees": 12,
        "acquired_on": date(2020, 2, 29),
        "owner": anna,
    }
    firm = w.c.create(w.m.Company, values, at=at(1))
    w.c.create(w.m.Company, {"number": "K2", "annual_revenue": D("-0.0001")}, at=at(1))
    deal = {"number": "O1", "company": firm, "probability": D("0.3333333333"), "amount": D("10.1")}
    w.c.create(w.m.Opportunity, deal, at=at(1))
    contract = {"number": "C1", "company": firm, "auto_renew": False, "period_months": 12}
    w.c.create(w.m.Contract, contract, at=at(1))
    rate = {
        "date": date(2024, 1, 31),
        "from_currency": "USD",
        "to_currency": "EUR",
        "rate": D("0.9211111111"),
    }
    w.c.create(w.m.Rate, rate, at=at(1))
    first, second = rows(w, "customer")
    assert first == {
        "customer_id": "K1",
        "name": "Müller",
        "annual_revenue": D("99999999999999.9999"),
        "employees": 12,
        "acquired_on": date(2020, 2, 29),
        "owner_rep_id": "anna",
    }
    assert (second["name"], second["annual_revenue"], second["employees"]) == (None, D("-0.0001"), None)
    assert rows(w, "rep") == [{"rep_id": "anna", "name": "Anna", "cost_hour": D("80.2500")}]
    assert rows(w, "opportunity")[0]["probability"] == D("0.3333333333")
    assert rows(w, "project_contract") == [
        {"contract_id": "C1", "customer_id": "K1", "period_months": 12, "auto_renew": False}
    ]
    assert rows(w, "fx_rate")[0]["rate"] == D("0.9211111111")


def test_what_is_deleted_is_not_there(w: Any) -> None:
    firm = w.c.create(w.m.Company, {"number": "K1", "name": "A"}, at=at(1))
    deal = w.c.create(w.m.Opportunity, {"number": "O1", "company": firm, "stage": "Offer"}, at=at(1))
    w.c.create(
        w.m.StageEntry, {"opportunity": deal, "stage": "Offer", "entered_on": date(2024, 1, 1)}, at=at(1)
    )
    assert rows(w, "opportunity_stage_hist") == [
        {"opportunity_id": "O1", "stage": "Offer", "entered_on": date(2024, 1, 1)}
    ]
    w.c.delete(deal, at=at(2))
    w.c.delete(firm, at=at(2))
    assert w.t.tables({}) == {}


def test_own_fields_and_seen_columns(w: Any) -> None:
    w.c.create(w.m.Company, {"number": "K1", "custom": {"fleet": 3, "green": True, "city": "Ulm"}}, at=at(1))
    w.c.create(w.m.Company, {"number": "K2", "city": "Bonn", "custom": {"city": "Kiel"}}, at=at(1))
    table = w.t.tables({"customer": ["customer_id", "segment", "note"]})["customer"]
    assert set(table.column_names) == {"customer_id", "segment", "note", "city", "fleet", "green"}
    found = [{k: v for k, v in r.items() if v is not None} for r in table.to_pylist()]
    assert found == [
        {"customer_id": "K1", "city": "Ulm", "fleet": "3", "green": "true"},
        {"customer_id": "K2", "city": "Bonn"},
    ]


def test_attributes_are_as_they_were(w: Any) -> None:
    firm = w.c.create(
        w.m.Company, {"number": "K1", "segment": "A", "employees": 5, "annual_revenue": 7}, at=at(1)
    )
    w.c.create(w.m.Company, {"number": "K2", "segment": "B", "employees": 6, "annual_revenue": 8}, at=at(1))
    w.c.update(firm, {"segment": "", "employees": 50, "annual_revenue": D("70.5")}, at=at(3))

    def seen(day: date | None) -> list[tuple[Any, ...]]:
        return [(r["segment"], r["employees"], r["annual_revenue"]) for r in rows(w, "customer", {}, day)]

    assert seen(date(2024, 3, 1)) == [("A", 5, D(7)), ("B", 6, D(8))]
    assert seen(date(2024, 3, 2)) == seen(None) == [(None, 50, D("70.5")), ("B", 6, D(8))]


def test_companies_of_which_nothing_but_references_tell_are_left_out(w: Any) -> None:
    reference = w.t.REFERENCE
    firms = [
        {"number": "K1", "name": "A", "source": reference},
        {"number": "K2", "name": "B", "source": reference, "city": "Ulm"},
        {"number": "K3", "name": "C"},
    ]
    w.c.bulk_create(w.m.Company, firms, None, at(1))
    w.c.create(w.m.Product, {"number": "P", "source": reference}, at=at(1))
    assert [r["customer_id"] for r in rows(w, "customer")] == ["K2", "K3"]
    assert "product" not in w.t.tables({})


def test_many_rows_come_in_parts(w: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(w.t, "PART", 7)
    firms = [{"number": f"K{i}", "custom": {"even": "x"} if i > 40 and i % 2 == 0 else {}} for i in range(50)]
    w.c.bulk_create(w.m.Company, firms, None, at(1))
    found = rows(w, "customer")
    assert [r["customer_id"] for r in found] == [f"K{i}" for i in range(50)]
    assert [r["customer_id"] for r in found if r["even"]] == ["K42", "K44", "K46", "K48"]
