"""Net amounts in one column per tax rate are added up; gross amounts and taxes beside them are not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from writing_files import by_customer, notes, opened, reasons, write

GERMAN = (
    "Rechnungsnr;Datum;Kunde;Netto 19 %;Netto 7 %;Steuerfrei;USt 19 %;USt 7 %;Brutto 19 %;Brutto 7 %;Brutto"
)
ROWS = [
    ("R1", "01.02.2024", "Alpha", "100,00", "50,00", "", "19,00", "3,50", "119,00", "53,50", "172,50"),
    ("R2", "02.02.2024", "Beta", "", "", "30,00", "", "", "", "", "30,00"),
    ("R3", "03.02.2024", "Alpha", "-10,00", "", "", "-1,90", "", "-11,90", "", "-11,90"),
    ("R4", "04.02.2024", "Beta", "1.000,00", "", "5,00", "190,00", "", "1.190,00", "", "1.195,00"),
]


def test_an_invoice_list_in_german(tmp_path):
    book = opened(write(tmp_path / "rechnungen.csv", GERMAN, ROWS))
    assert by_customer(book) == {"Alpha": Decimal(140), "Beta": Decimal(1035)}
    assert "Nettobetrag is the sum of Netto 19 %, Netto 7 %, Steuerfrei" in notes(book)


@pytest.mark.parametrize(
    "header",
    [
        "Invoice no;Date;Customer;Net 20%;Net 5%;Zero rated;VAT 20%;VAT 5%;Gross 20%;Gross 5%;Total gross",
        "Invoice No.;Invoice date;Client;Sales 20 % excl. VAT;Sales 5 % excl. VAT;Tax exempt;VAT amount 20;"
        "VAT amount 5;"
        "Amount incl. VAT 20 %;Amount incl. VAT 5 %;Grand total",
        "Belegnr;Belegdatum;Kundenname;Umsatz 19% netto;Umsatz 7% netto;steuerfreie Umsätze;MwSt 19%;MwSt 7%;"
        "Umsatz 19% brutto;Umsatz 7% brutto;Rechnungsbetrag brutto",
        "Rechnung;Datum;Kunde;Nettobetrag 19,0%;Nettobetrag 7,0%;Innergemeinschaftliche Lieferung;Steuer 19%;Steuer 7%;"
        "Bruttobetrag 19%;Bruttobetrag 7%;Bruttosumme",
    ],
)  # fmt: skip
def test_other_spellings(tmp_path, header):
    book = opened(write(tmp_path / "l.csv", header, ROWS))
    assert by_customer(book) == {"Alpha": Decimal(140), "Beta": Decimal(1035)}


def test_a_net_column_of_its_own_goes_first(tmp_path):
    rows = [(*row, net) for row, net in zip(ROWS, ("150,00", "30,00", "-10,00", "1.005,00"), strict=True)]
    book = opened(write(tmp_path / "l.csv", f"{GERMAN};Netto gesamt", rows))
    assert by_customer(book) == {"Alpha": Decimal(140), "Beta": Decimal(1035)}
    assert "is the sum of" not in notes(book)


def test_what_cannot_be_read_in_any_part_rejects_the_row(tmp_path):
    rows = [*ROWS, ("R5", "05.02.2024", "Alpha", "7,00", "??", "", "", "", "", "", "9,00")]
    rows.append(("R6", "05.02.2024", "Alpha", "", "", "", "", "", "", "", "9,00"))
    book = opened(write(tmp_path / "l.csv", GERMAN, rows))
    assert [line for line, _ in reasons(book)] == [6, 7]
    assert by_customer(book) == {"Alpha": Decimal(140), "Beta": Decimal(1035)}


def test_what_a_person_says_goes_first(tmp_path):
    path = write(tmp_path / "l.csv", GERMAN, ROWS)
    book = opened(path, map={"order_line.net_amount": "Netto 19 %"})
    assert by_customer(book) == {"Alpha": Decimal(90), "Beta": Decimal(1000)}


def test_a_saved_template_adds_up_again(tmp_path):
    path = write(tmp_path / "l.csv", GERMAN, ROWS)
    opened(path, save_template=tmp_path / "t.json")
    assert by_customer(opened(path, template=tmp_path / "t.json")) == {
        "Alpha": Decimal(140),
        "Beta": Decimal(1035),
    }
