"""DATEV batches of bookings: signs, days without year, accounts of debtors, Windows-1252."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from writing_files import by_customer, notes, opened, revenue

from klientel.errors import BadFile
from klientel.ingest.opening import open_book

NAMES = (
    "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Kurs;Basis-Umsatz;WKZ Basis-Umsatz;Konto;"
    "Gegenkonto (ohne BU-Schlüssel);BU-Schlüssel;Belegdatum;Belegfeld 1;Belegfeld 2;Skonto;Buchungstext;Postensperre"
)


def extf(begins: str = "20240101", first: str = "20240101", last: str = "20241231", length: int = 4) -> str:
    return (
        f'"EXTF";700;21;"Buchungsstapel";13;20250115103000000;;"RE";"";"";29098;55003;{begins};{length};{first};{last};'
        '"Buchungsstapel";"WD";1;0;0;"EUR";;"";;;"03";;;"";""'
    )


def booking(amount, side, konto, contra, day, number="", text="") -> str:
    return f'{amount};"{side}";"EUR";;;"";{konto};{contra};"";{day};"{number}";"";;"{text}"'  # short rows are usual


def days(book) -> list[date]:
    return sorted(book.tables["lines"].day.to_pyarrow().to_pylist())


def saved(path: Path, *lines: str, encoding: str = "cp1252") -> Path:
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


BATCH = (
    booking("1.190,00", "S", 10001, 8400, "1501", "RE-1", "Müller GmbH"),
    booking("119,00", "H", 10001, 8400, "0302", "GS-1", "Gutschrift Müller"),
    booking("238,50", "H", 8400, 10002, "503", "RE-2", "Straßenbau AG"),
    booking("1190,00", "S", 1200, 10001, "2001", "", "Zahlung"),
    booking("500,00", "S", 4930, 70001, "2101", "ER-9", "Bürobedarf"),
    booking("11,90", "H", 10001, 8736, "2001", "RE-1", "Skonto"),
)


def test_a_batch_with_its_two_header_lines(tmp_path):
    book = opened(saved(tmp_path / "EXTF_Buchungsstapel.csv", extf(), NAMES, *BATCH))
    assert by_customer(book) == {"10001": Decimal("1059.10"), "10002": Decimal("238.50")}
    assert days(book) == [date(2024, 1, 15), date(2024, 1, 20), date(2024, 2, 3), date(2024, 3, 5)]
    assert "debit counts positive" in notes(book)
    assert "VAT" in notes(book)
    assert (book.intake.rejected, book.intake.aside) == (0, 3)  # the header line, a payment, an expense
    assert book.currency == "EUR"


def test_a_fiscal_year_that_begins_in_july(tmp_path):
    rows = [booking("10,00", "S", 10001, 4400, d) for d in ("0107", "3112", "101", "3006")]
    book = opened(saved(tmp_path / "b.csv", extf("20230701", "20230701", "20240630"), NAMES, *rows))
    assert days(book) == [date(2023, 7, 1), date(2023, 12, 31), date(2024, 1, 1), date(2024, 6, 30)]


def test_accounts_of_six_digits(tmp_path):
    rows = [booking("10,00", "S", 1000100, 840000, "0107"), booking("5,00", "S", 120000, 1000100, "0207")]
    book = opened(saved(tmp_path / "b.csv", extf(length=6), NAMES, *rows))
    assert by_customer(book) == {"1000100": Decimal(10)}


def test_without_the_marked_line_the_year_is_in_the_name_or_above(tmp_path):
    head = "Belegdatum;Belegfeld 1;Konto;Gegenkonto;Betrag;S/H;Buchungstext"
    rows = [
        "1501;R1;10001;8400;100,00;S;Müller",
        "3.2.;R2;10002;8300;50,00;S;Weiß",
        "0403;R3;10001;8400;20,00;H;Müller",
    ]
    named = opened(saved(tmp_path / "Buchungen 2023.csv", head, *rows))
    assert by_customer(named) == {"10001": Decimal(80), "10002": Decimal(50)}
    above = opened(saved(tmp_path / "b.csv", "Mandant 55003;Wirtschaftsjahr 2023", "", head, *rows))
    assert days(above) == days(named)
    assert (named.facts.first_day, named.facts.last_day) == (date(2023, 1, 15), date(2023, 3, 4))


def test_a_year_that_nobody_says_is_told(tmp_path):
    head = "Belegdatum;Belegfeld 1;Konto;Gegenkonto;Betrag;S/H;Buchungstext"
    book = opened(
        saved(tmp_path / "b.csv", head, "1501;R1;10001;8400;100,00;S;x", "1601;R1;10002;8400;9,00;S;x")
    )
    assert revenue(book) == 109
    assert "nothing says the year" in notes(book)


def test_bookings_without_sales_are_refused(tmp_path):
    path = saved(tmp_path / "bank.csv", extf(), NAMES, booking("5,00", "S", 1200, 10001, "0101"))
    with pytest.raises(BadFile, match=r"bank\.csv holds bookings, but none between a debtor"):
        open_book(path)


def test_debtors_give_their_names(tmp_path):
    batch = saved(tmp_path / "EXTF_Buchungsstapel.csv", extf(), NAMES, *BATCH)
    head = extf().replace(';21;"Buchungsstapel";13', ';16;"Debitoren/Kreditoren";5')
    people = saved(
        tmp_path / "EXTF_DebKred.csv", head, "Konto;Name (Adressattyp Unternehmen);Ort;Land",
        '10001;"Müller GmbH";"Köln";"DE"', '10002;"Straßenbau AG";"Ulm";"DE"', '70001;"Papier OHG";"Bonn";"DE"',
    )  # fmt: skip
    book = opened(batch, people)
    known = {r["customer_id"]: r["name"] for r in book.known_customers.to_pyarrow().to_pylist()}
    assert known == {"10001": "Müller GmbH", "10002": "Straßenbau AG"}
    assert by_customer(book)["10002"] == Decimal("238.50")
