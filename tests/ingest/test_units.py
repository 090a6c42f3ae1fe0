"""Amounts in thousands, with a currency, and gross: read as what they are, and said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from writing_files import notes, opened, revenue, write

FIRMS = ("Alpha Bau", "Beta Druck", "Gamma Stahl", "Delta IT")


def listed(amounts=("1.250,5", "830,0", "412,7", "99,1")):
    return list(zip(FIRMS, amounts, strict=True))


@pytest.mark.parametrize(
    ("header", "factor", "currency"),
    [
        ("Umsatz in TEUR", 1000, "EUR"),
        ("Umsatz (T€)", 1000, "EUR"),
        ("Umsatz in Tsd. €", 1000, "EUR"),
        ("Umsatz Mio. EUR", 1_000_000, "EUR"),
        ("Umsatz kUSD", 1000, "USD"),
        ("Umsatz CHF", 1, "CHF"),
        ("Umsatz", 1, None),
    ],
)
def test_the_unit_in_the_header_is_applied_and_said(tmp_path, header, factor, currency):
    book = opened(write(tmp_path / "liste.csv", f"Kunde;{header}", listed()))
    assert revenue(book) == Decimal("2592.3") * factor
    assert book.currency == currency
    assert ("multiplied" in notes(book)) == (factor > 1)


@pytest.mark.parametrize("title", ["Angaben in TEUR", "Umsatz 2024 in T€", "Alle Werte in Tsd. EUR"])
def test_the_unit_in_the_title_holds_for_the_table(tmp_path, title):
    book = opened(
        write(tmp_path / "liste.csv", "Kunde;Umsatz;DB", [(*r, "1,0") for r in listed()], above=title)
    )
    assert (revenue(book), book.currency) == (Decimal("2592300.00"), "EUR")
    assert notes(book).count("multiplied") == 2


def test_months_side_by_side_in_thousands(tmp_path):
    rows = [(name, "1,5", "2,5") for name in FIRMS]
    book = opened(write(tmp_path / "liste.csv", "Kunde;Umsatz 2023 (TEUR);Umsatz 2024 (TEUR)", rows))
    assert (revenue(book), book.currency) == (Decimal(16000), "EUR")


def test_a_title_about_a_period_is_no_unit(tmp_path):
    book = opened(write(tmp_path / "liste.csv", "Kunde;Umsatz", listed(), above="Umsatz in 2024;"))
    assert (revenue(book), book.currency) == (Decimal("2592.3"), None)


def test_a_currency_beside_each_amount_is_that_of_the_row(tmp_path):
    amounts = ("100,00 EUR", "50,00 EUR", "7,00 $", "200,00 EUR")
    book = opened(write(tmp_path / "liste.csv", "Kunde;Datum;Umsatz", [
        (name, f"0{i + 1}.03.2024", amount) for i, (name, amount) in enumerate(listed(amounts))
    ]))  # fmt: skip
    assert (revenue(book), book.currency) == (Decimal(350), "EUR")
    assert "1 lines in USD are left out" in notes(book)


GROSS = [
    ("Alpha Bau", "119,00", "19,00"),
    ("Beta Druck", "238,00", "38,00"),
    ("Gamma Stahl", "-11,90", "1,90"),
]


def test_gross_amounts_are_said_to_be_gross(tmp_path):
    book = opened(
        write(tmp_path / "l.csv", "Kunde;Datum;Brutto", [(k, "03.03.2024", g) for k, g, _ in GROSS])
    )
    assert revenue(book) == Decimal("345.10")
    assert "Brutto is a gross amount: VAT is in all figures" in notes(book)


def test_vat_comes_off_by_its_amount(tmp_path):
    book = opened(
        write(tmp_path / "l.csv", "Kunde;Datum;Brutto;MwSt", [(k, "03.03.2024", *g) for k, *g in GROSS])
    )
    assert revenue(book) == Decimal("290.00")
    assert "VAT was taken off with MwSt" in notes(book)


@pytest.mark.parametrize(("header", "rate"), [("MwSt %", "19 %"), ("MwSt-Satz", "19"), ("USt-Satz", "0,19")])
def test_vat_comes_off_by_its_rate(tmp_path, header, rate):
    rows = [(k, "03.03.2024", g, rate) for k, g, _ in GROSS]
    assert revenue(opened(write(tmp_path / "l.csv", f"Kunde;Datum;Brutto;{header}", rows))) == Decimal(
        "290.00"
    )


def test_an_amount_beside_vat_is_asked_about(tmp_path):
    book = opened(
        write(tmp_path / "l.csv", "Kunde;Datum;Betrag;MwSt", [(k, "03.03.2024", *g) for k, *g in GROSS])
    )
    assert "nothing says whether VAT is in Betrag" in notes(book)


def test_net_beside_gross_is_taken_without_a_word(tmp_path):
    rows = [(k, "03.03.2024", g, "100,00") for k, g, _ in GROSS]
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Brutto;Netto", rows))
    assert (revenue(book), "VAT" in notes(book)) == (Decimal(300), False)


def test_amounts_in_cents(tmp_path):
    rows = [(f"C{i}", f"2024-03-0{i + 1}", 1050 + i, "eur") for i in range(4)]
    book = opened(write(tmp_path / "charges.csv", "customer_id;created;amount_cents;currency", rows))
    assert (revenue(book), book.currency) == (Decimal("42.06"), "EUR")
