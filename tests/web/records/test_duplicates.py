"""Duplicates are found, twins by law are not; measured on lists with planted duplicates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from duplicate_world import World

from klientel.web.records.likeness import LIKELY, SURE, Commonness, Firm, alike, compare

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


def points(one: dict[str, str], other: dict[str, str]) -> int:
    a, b = Firm(1, **one), Firm(2, **other)
    found = alike([a, b])
    direct = compare(a, b, Commonness([a.parts.core, b.parts.core])).points
    assert [x.points for x in found] == ([direct] if direct >= LIKELY else [])
    return direct


SAME = [
    ({"name": "Müller GmbH"}, {"name": "Mueller GmbH"}),
    ({"name": "Müller GmbH"}, {"name": "MÜLLER G.m.b.H."}),
    ({"name": "Müller GmbH & Co. KG"}, {"name": "Müller GmbH und Co KG"}),
    ({"name": "Bäckerei Groß e.K.", "city": "Ulm"}, {"name": "Baeckerei Gross", "city": "Ulm"}),
    ({"name": "Kettler Präzisionstechnik GmbH"}, {"name": "Ketler Präzisionstechnik GmbH"}),
    ({"name": "Smith & Sons Ltd"}, {"name": "Smith and Sons Limited"}),
    ({"name": "The Acme Company, Inc.", "city": "York"}, {"name": "ACME Company Inc", "city": "York"}),
    ({"name": "Kettler GmbH", "vat_id": "DE123456789"}, {"name": "Kettler Technik", "vat_id": "DE 123456789"}),
    ({"name": "Hirsch Druck GmbH", "phone": "0731 12345"}, {"name": "Druckerei Hirsch GmbH", "phone": "+49 731 12345",
                                                           "website": "x.de", "city": "Ulm"}),
]  # fmt: skip
DIFFERENT = [
    ({"name": "Müller GmbH"}, {"name": "Müller AG"}),
    ({"name": "Müller GmbH"}, {"name": "Müller GmbH & Co. KG"}),
    (
        {"name": "Müller GmbH", "website": "mueller.de"},
        {"name": "Müller Holding AG", "website": "mueller.de"},
    ),
    ({"name": "Smith Ltd"}, {"name": "Smith LLC"}),
    ({"name": "Solarpark 3 GmbH", "city": "Ulm"}, {"name": "Solarpark 4 GmbH", "city": "Ulm"}),
    ({"name": "Fonds II GmbH & Co. KG"}, {"name": "Fonds III GmbH & Co. KG"}),
    ({"name": "Kettler GmbH", "vat_id": "DE123456789"}, {"name": "Kettler GmbH", "vat_id": "DE987654321"}),
    ({"name": "Kettler GmbH", "city": "Ulm"}, {"name": "Hirsch GmbH", "city": "Ulm"}),
    ({"name": "Adler GmbH", "email": "adler@gmx.de"}, {"name": "Falke GmbH", "email": "falke@gmx.de"}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_company_is_found(one: Any, other: Any) -> None:
    assert points(one, other) >= LIKELY


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_company_is_not(one: Any, other: Any) -> None:
    assert points(one, other) < LIKELY


def test_reasons_are_told_in_words() -> None:
    a = Firm(1, "Müller GmbH", street="Hauptstr. 5", postcode="89073", city="Ulm", phone="0731 123450")
    b = Firm(2, "Mueller GmbH", street="Hauptstraße 5", postcode="89073", city="Ulm", phone="+49 731 123450")
    (found,) = alike([a, b])
    assert [str(r) for r in found.reasons] == ["the same name", "the same phone number", "the same address"]
    assert found.points >= SURE
    c = Firm(3, "Müller AG", city="Ulm")
    told = compare(a, c, Commonness(["mueller", "mueller"]))
    assert "different legal forms: GmbH, AG" in [str(r) for r in told.reasons]


def test_a_common_name_needs_more_than_itself() -> None:
    trades, towns = (
        ("Bau", "Druck", "Holz", "Optik", "Handel", "Textil"),
        ("Ulm", "Kiel", "Bonn", "Jena", "York"),
    )
    names = [(f"Müller {trade} GmbH", town) for trade in trades for town in towns]
    many = [Firm(i, name, city=town) for i, (name, town) in enumerate(names)]
    assert alike(many) == []
    again = Firm(99, "Müller Bau GmbH", city="Ulm")
    (found,) = alike([*many, again])
    assert (found.first, found.second) == (0, 99)


def test_planted_duplicates_are_found_and_few_others() -> None:
    world = World(6000)
    found = {(x.first, x.second) for x in alike(world.firms)}
    right = found & world.truth
    assert len(right) / len(world.truth) >= 0.94
    assert len(right) / len(found) >= 0.9


def test_the_order_of_companies_does_not_matter() -> None:
    world = World(1500, seed=3)
    one = {frozenset((x.first, x.second)): x.points for x in alike(world.firms)}
    other = {frozenset((x.first, x.second)): x.points for x in alike(world.firms[::-1])}
    assert one == other


@pytest.fixture
def kept(home: Any) -> Any:
    from klientel.web.records import changes, duplicates, models

    class Kept:
        c, d, m = changes, duplicates, models

    return Kept


def test_companies_of_the_workspace(kept: Any) -> None:
    rows = [
        {"number": n, "name": t} for n, t in (("1", "Müller GmbH"), ("2", "Mueller GmbH"), ("3", "Müller AG"))
    ]
    a, b, c = kept.c.bulk_create(kept.m.Company, rows, None, AT)
    (found,) = kept.d.companies()
    assert (found.first, found.second) == (a, b)
    assert kept.d.companies(among=[c]) == []
    assert [x.second for x in kept.d.like(kept.m.Company(name="MÜLLER Gesellschaft mbH"))] == [a, b]
    kept.c.delete(kept.m.Company.objects.get(pk=b), at=AT)
    assert kept.d.companies() == []


def test_contacts_of_the_workspace(kept: Any) -> None:
    (firm, other) = kept.c.bulk_create(kept.m.Company, [{"number": "1"}, {"number": "2"}], None, AT)
    people = [
        ("Eva", "Kurz", "eva@kurz.de", firm),
        ("", "Dr. Eva Kurz", "", firm),
        ("E.", "Kurz", "", firm),
        ("Max", "Kurz", "", firm),
        ("Eva", "Kurz", "", other),
        ("", "Empfang", "info@x.de", other),
        ("Ute", "Lang", "info@x.de", other),
    ]
    rows = [
        {"number": str(i), "first_name": f, "name": n, "email": e, "company": c}
        for i, (f, n, e, c) in enumerate(people)
    ]
    ids = kept.c.bulk_create(kept.m.Contact, rows, None, AT)
    found = {(ids.index(x.first), ids.index(x.second)) for x in kept.d.contacts()}
    assert found == {(0, 1), (0, 2), (1, 2)}


def test_two_records_side_by_side(kept: Any) -> None:
    anna = kept.c.create(kept.m.Rep, {"name": "Anna"}, at=AT)
    a = kept.c.create(kept.m.Company, {"number": "1", "name": "A", "city": "Ulm", "owner": anna}, at=AT)
    b = kept.c.create(kept.m.Company, {"number": "2", "name": "A", "custom": {"fleet": 3}}, at=AT)
    lines = {x.column: (x.values, x.same) for x in kept.d.side_by_side([a, b])}
    assert lines == {
        "number": (("1", "2"), False),
        "name": (("A", "A"), True),
        "city": (("Ulm", ""), False),
        "owner_id": (("Anna", None), False),
        "custom.fleet": ((None, 3), False),
    }
