"""Customers known by name: spellings that read the same are one customer, near ones are shown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from writing_files import by_customer, notes, opened, write

from klientel.ingest.spellings import alike


def sold(names):
    return [(name, f"{i + 1}.03.2024", "10,00") for i, name in enumerate(names)]


@pytest.mark.parametrize(
    "other",
    [
        "MÜLLER & SÖHNE GMBH",
        "Müller  & Söhne GmbH ",
        "Mueller und Soehne GmbH",
        "Müller+Söhne, GmbH",
        "müller & söhne gmbh",
    ],
)
def test_the_same_name_in_another_spelling_is_the_same_customer(tmp_path, other):
    names = ["Müller & Söhne GmbH", "Alpha Bau AG", other, "Müller & Söhne GmbH"]
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", sold(names)))
    assert by_customer(book) == {"Müller & Söhne GmbH": Decimal(30), "Alpha Bau AG": Decimal(10)}
    assert "1 spellings of customers" in notes(book)


def test_near_names_count_apart_and_are_shown(tmp_path):
    names = [
        "Schäfer Metallbau KG",
        "Schaefer Metalbau KG",
        "Weiß Elektro AG",
        "Weiß Elektro GmbH",
        "Alpha Bau",
    ]
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", sold(names)))
    assert len(by_customer(book)) == 5
    assert "2 pairs of customers may be the same" in notes(book)
    assert "“Weiß Elektro AG” / “Weiß Elektro GmbH”" in notes(book)


def test_names_beside_numbers_are_not_touched(tmp_path):
    rows = [(n, name, d, a) for n, (name, d, a) in enumerate(sold(["Acme GmbH", "ACME GMBH", "Acme  GmbH"]))]
    book = opened(write(tmp_path / "l.csv", "Kundennr;Kunde;Datum;Umsatz", rows))
    assert len(by_customer(book)) == 3
    assert "spellings" not in notes(book)


def test_the_spelling_of_the_customer_list_goes_before(tmp_path):
    write(tmp_path / "kunden.csv", "Firma;Branche", [("Acme GmbH", "Bau"), ("Beta KG", "Bau")])
    write(tmp_path / "umsatz.csv", "Firma;Datum;Umsatz", sold(["ACME GMBH"] * 3 + ["Beta KG"]))
    book = opened(tmp_path)
    assert by_customer(book) == {"Acme GmbH": Decimal(30), "Beta KG": Decimal(10)}
    assert book.known_customers.count().to_pyarrow().as_py() == 2


def test_numbered_names_are_not_near(tmp_path):
    book = opened(
        write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", sold([f"Filiale Nord {i}" for i in range(9)]))
    )
    assert "may be the same" not in notes(book)


@pytest.mark.parametrize(
    ("a", "b"), [("Société Lefèvre", "SOCIETE LEFEVRE"), ("A&B", "A und B"), ("X-Y Ltd.", "x y ltd")]
)
def test_what_reads_alike(a, b):
    assert alike(a) == alike(b)
