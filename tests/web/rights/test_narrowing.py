"""A Book of the cast, narrowed: no row, column, total or note of a customer out of reach."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from cast_of_rights import ALL, DAY, cast_book

import klientel
from klientel.web.rights import access, narrow

ANNA = {"K01", "K02", "K03", "K06", "K08"}
BEN = {"K04", "K05", "K07", "K09", "K10", "K11"}


@pytest.fixture(scope="module")
def whole() -> Any:
    return cast_book()


def _values(table: Any, column: str) -> set[Any]:
    return set(table.to_pyarrow()[column].to_pylist())


@pytest.mark.parametrize(
    ("name", "own"), [("anna", ANNA), ("ben", BEN), ("dora", ANNA | BEN), ("cem", set())]
)
def test_every_table_holds_own_customers_only(people: Any, whole: Any, name: str, own: set[str]) -> None:
    book = narrow(whole, people.users[name])
    seen = {t for t, table in book.tables.items() if "customer_id" in table.columns}
    assert seen == {"lines", "customer", "contact", "interaction", "opportunity"}
    for table in seen:
        assert _values(book.tables[table], "customer_id") <= own, table
    assert _values(book.customers, "customer_id") == own
    assert book.facts.rows == len(book.tables["lines"].to_pyarrow())
    assert book.as_of == DAY


def test_cem_has_an_empty_book(people: Any, whole: Any) -> None:
    book = narrow(whole, people.users["cem"])
    assert book.facts.rows == 0
    assert book.status_counts() == {}
    assert klientel.analyse(book, "abc").figures["total_value"] == 0
    assert _values(book.tables["rep"], "rep_id") == {"cem"}


def test_totals_are_their_own(people: Any, whole: Any) -> None:
    def total(book: Any) -> D:
        return klientel.analyse(book, "abc", window="all").figures["signed_total"]

    anna, ben = (total(narrow(whole, people.users[n])) for n in ("anna", "ben"))
    assert anna == D("18300.00")
    assert anna + ben == total(narrow(whole, people.users["dora"])) == total(whole)


def test_margins_are_gone_where_nobodys_may_be_seen(people: Any, whole: Any) -> None:
    book = narrow(whole, people.users["ben"])
    assert "margin" not in book.tables["lines"].columns
    assert "margin" not in book.columns("totals")
    assert "cost" not in book.tables["interaction"].columns
    assert "cost_hour" not in book.tables["rep"].columns
    assert "margin" in narrow(whole, people.users["anna"]).columns("totals")


def test_margins_of_others_are_unknown_not_zero(own_people: Any, whole: Any) -> None:
    from klientel.web.accounts.models import Grant

    Grant.objects.filter(user=own_people.users["anna"], action="read").update(scope="team")
    book = narrow(whole, own_people.users["anna"])
    rows = book.tables["lines"].to_pyarrow().to_pylist()
    assert {r["customer_id"] for r in rows if r["margin"] is not None} == ANNA
    assert {r["customer_id"] for r in rows if r["margin"] is None} == BEN - {"K11"}
    before = whole.tables["lines"].to_pyarrow().to_pylist()
    assert sum(r["amount"] for r in rows) == sum(r["amount"] for r in before if r["customer_id"] != "K12")


def test_personal_columns_are_gone_without_the_right(people: Any, whole: Any) -> None:
    book = narrow(whole, people.users["dora"])
    assert set(book.tables["contact"].columns) & {"name", "first_name", "email", "phone"} == set()
    assert not any("Person" in str(row) for row in book.tables["contact"].to_pyarrow().to_pylist())
    assert _values(book.tables["contact"], "contact_id").isdisjoint({"PK01", "PK02"})
    assert "name" in narrow(whole, people.users["anna"]).tables["contact"].columns


def test_personal_data_of_others_are_unknown(own_people: Any, whole: Any) -> None:
    from klientel.web.accounts.models import Grant

    Grant.objects.filter(user=own_people.users["anna"], action="read").update(scope="team")
    rows = narrow(whole, own_people.users["anna"]).tables["contact"].to_pyarrow().to_pylist()
    assert {r["customer_id"] for r in rows if r["name"] is not None} == ANNA
    assert {r["customer_id"] for r in rows} == ANNA | BEN


def test_an_export_holds_what_may_be_exported(people: Any, whole: Any) -> None:
    lena = people.users["lena"]
    assert _values(narrow(whole, lena).customers, "customer_id") == ANNA | BEN
    assert _values(narrow(whole, lena, "export").customers, "customer_id") == set()


def test_what_was_told_of_the_whole_is_not_told(people: Any, whole: Any) -> None:
    from klientel.words import say

    whole.notes.append(say("{n} lines are left out.", n=42))
    try:
        book = narrow(whole, people.users["anna"])
        assert book.notes == []
        assert book.intake.tables["order_line"].rows == book.facts.rows
        assert book.intake.tables["customer"].rows == 5
        assert [*book.intake.rejections, *book.intake.notes, *book.intake.ignored] == []
        assert "cost_hour" not in narrow(whole, people.users["ben"]).intake.tables["rep"].matches
        assert book.facts.value_coverage is None
        assert book.facts.rows < whole.facts.rows
    finally:
        whole.notes.pop()


def test_the_owner_has_the_book_as_it_is(people: Any, whole: Any) -> None:
    assert narrow(whole, None) is whole
    assert narrow(whole, people.users["ada"]) is whole
    assert narrow(whole, access(None)) is whole


def test_a_table_nobody_thought_of_is_left_out(people: Any, whole: Any) -> None:
    from dataclasses import replace

    import pyarrow as pa

    odd = whole.engine.view(pa.table({"secret": ["x"]}), "odd")
    stages = whole.engine.view(pa.table({"opportunity_id": ["O0", "O3"], "stage": ["a", "b"]}), "stages")
    book = replace(whole, tables={**whole.tables, "odd": odd, "opportunity_stage_hist": stages})
    anna = narrow(book, people.users["anna"]).tables
    assert "odd" not in anna
    assert _values(anna["opportunity_stage_hist"], "opportunity_id") == {"O0"}


def test_merged_customers_belong_to_whom_their_heir_belongs_to(people: Any, whole: Any) -> None:
    from dataclasses import replace

    import pyarrow as pa

    # K04 (Ben's) went up in K01 (Anna's); K03 (Anna's) was split between K02 (Anna) and K05 (Ben).
    rows = [
        {"from_id": "K04", "to_id": "K01", "share": D(1)},
        {"from_id": "K03", "to_id": "K02", "share": D("0.25")},
        {"from_id": "K03", "to_id": "K05", "share": D("0.75")},
    ]
    book = replace(
        whole,
        tables={**whole.tables, "customer_succession": whole.engine.view(pa.Table.from_pylist(rows), "succ")},
    )

    def totals(one: Any) -> dict[str, D]:
        found = klientel.analyse(one, "abc", window="all").tables["customers"].to_pyarrow().to_pylist()
        return {r["customer_id"]: r["value"] for r in found}

    anna, ben, everybody = (
        totals(narrow(book, people.users["anna"])),
        totals(narrow(book, people.users["ben"])),
        totals(book),
    )
    assert anna["K01"] == everybody["K01"] == D("14000")
    assert anna["K02"] == D("1500") + D("700")
    assert ben["K05"] == D("1000") + D("2100")
    assert sum(anna.values()) + sum(ben.values()) == sum(everybody.values())


def test_records_without_a_company_follow_their_sales_person(people: Any, whole: Any) -> None:
    from dataclasses import replace

    import pyarrow as pa

    leads = pa.Table.from_pylist(
        [
            {"lead_id": "1", "name": "A", "customer_id": None, "rep_id": "anna", "status": "new"},
            {"lead_id": "2", "name": "B", "customer_id": None, "rep_id": "ben", "status": "new"},
            {"lead_id": "3", "name": "C", "customer_id": "K01", "rep_id": "ben", "status": "new"},
            {"lead_id": "4", "name": "D", "customer_id": None, "rep_id": None, "status": "new"},
        ]
    )
    book = replace(whole, tables={**whole.tables, "lead": whole.engine.view(leads, "leads")})
    anna = narrow(book, people.users["anna"]).tables["lead"]
    assert _values(anna, "lead_id") == {"1", "3"}
    assert _values(anna, "name") == {"A", "C"}
    ben = narrow(book, people.users["ben"]).tables["lead"]
    assert _values(ben, "lead_id") == {"2"}
    assert "name" not in ben.columns
    assert set(ALL) >= {"read"}


@pytest.mark.parametrize("name", ["anna", "ben", "cem", "dora", "rita"])
def test_each_analysis_answers_or_says_why_not(people: Any, whole: Any, name: str) -> None:
    from klientel.analyses import ANALYSES
    from klientel.errors import MissingInput

    book = narrow(whole, people.users[name])
    own = access(people.users[name]).numbers("read") or frozenset()
    foreign = {f"K{i:02d}" for i in range(1, 13)} - own
    for analysis in ANALYSES.values():
        try:
            result = klientel.analyse(book, analysis.name)
        except MissingInput:
            continue
        for table in result.tables.values():
            for row in table.to_pyarrow().to_pylist():
                told = {str(v) for v in row.values()}
                assert told.isdisjoint(foreign), (analysis.name, row)
