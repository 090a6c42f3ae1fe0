"""Credit notes count negative however the file tells them; cancelled orders do not count."""

from __future__ import annotations

from decimal import Decimal

import pytest
from writing_files import notes, opened, reasons, revenue, write

AMOUNTS = [100, 50, 30, 20, 10, 40, 60, 70, 80, 5]


def invoices(credit, number=lambda i, back: f"RE{1000 + i}", text=lambda back: "Lieferung", sign=1):
    """Ten rows: number, day, customer, text, amount; rows in `credit` take back."""
    return [
        (number(i, i in credit), f"{i + 1}.03.2024", f"Kunde {i % 3}", text(i in credit),
         f"{amount * (sign if i in credit else 1)},00")
        for i, amount in enumerate(AMOUNTS)
    ]  # fmt: skip


HEADER = "Rechnung;Datum;Kunde;{};Netto"
NET = Decimal(sum(AMOUNTS) - 2 * (50 + 5))


@pytest.mark.parametrize(
    ("usual", "back"),
    [
        ("RE-", "RK-"),
        ("RE", "GS"),
        ("RG", "SR"),
        ("R", "G"),
        ("", "C"),
        ("INV", "CN"),
        ("I-", "C-"),
        ("RE", "ST"),
    ],
)
def test_numbers_of_credit_notes_begin_with_other_letters(tmp_path, usual, back):
    rows = invoices({1, 9}, lambda i, credit: f"{back if credit else usual}{1000 + i}")
    book = opened(write(tmp_path / "l.csv", HEADER.format("Bemerkung"), rows))
    assert revenue(book) == NET
    assert "2 credit notes with positive amounts" in notes(book)
    lines = book.tables["lines"]
    assert lines.filter(lines.is_credit).count().to_pyarrow().as_py() == 2


@pytest.mark.parametrize(("usual", "other"), [("RE", "AB"), ("K", "G"), ("A", "B"), ("N", "S")])
def test_other_numbers_say_nothing(tmp_path, usual, other):
    rows = invoices({1, 9}, lambda i, credit: f"{other if credit else usual}{1000 + i}")
    assert revenue(opened(write(tmp_path / "l.csv", HEADER.format("Bemerkung"), rows))) == sum(AMOUNTS)


def test_negative_credit_notes_stay_as_they_are(tmp_path):
    rows = invoices({1, 9}, lambda i, credit: f"{'G' if credit else 'R'}{1000 + i}", sign=-1)
    book = opened(write(tmp_path / "l.csv", HEADER.format("Bemerkung"), rows))
    assert revenue(book) == NET
    assert "count negative" not in notes(book)


@pytest.mark.parametrize("header", ["Text", "Bemerkung", "Buchungstext", "Positionstext"])
@pytest.mark.parametrize("said", ["Gutschrift zu RE1001", "Storno", "Credit note for RE7"])
def test_texts_tell_credit_notes(tmp_path, header, said):
    rows = invoices({1, 9}, text=lambda credit: said if credit else "Lieferung vom März")
    book = opened(write(tmp_path / "l.csv", HEADER.format(header), rows))
    assert revenue(book) == NET


@pytest.mark.parametrize("header", ["Vorgang", "Belegart", "Typ", "Art"])
@pytest.mark.parametrize(
    ("usual", "back"), [("Rechnung", "Gutschrift"), ("RE", "GS"), ("F2", "G2"), ("Invoice", "Refund")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_document_types_tell_credit_notes(tmp_path, header, usual, back, sign):
    rows = invoices({1, 9}, text=lambda credit: back if credit else usual, sign=sign)
    book = opened(write(tmp_path / "storno_liste.csv", HEADER.format(header), rows))
    assert revenue(book) == NET


def test_codes_without_an_invoice_among_them_say_nothing(tmp_path):
    rows = invoices({1, 9}, text=lambda credit: "ST" if credit else "EX")
    assert revenue(opened(write(tmp_path / "l.csv", HEADER.format("Auftragsart"), rows))) == sum(AMOUNTS)


def test_cancelled_orders_do_not_count_and_are_told(tmp_path):
    rows = invoices({1, 9}, text=lambda off: "storniert" if off else "abgeschlossen")
    book = opened(write(tmp_path / "l.csv", HEADER.format("Auftragsstatus"), rows))
    assert revenue(book) == sum(AMOUNTS) - 55
    assert reasons(book) == [(3, "The order was cancelled."), (11, "The order was cancelled.")]


def test_a_cancellation_with_its_own_negative_row_is_taken_as_it_is(tmp_path):
    rows = invoices({1, 9}, text=lambda off: "storniert" if off else "bezahlt")
    rows.append(("RE1100", "12.03.2024", "Kunde 1", "storniert", "-50,00"))
    book = opened(write(tmp_path / "l.csv", HEADER.format("Status"), rows))
    assert revenue(book) == sum(AMOUNTS) - 50


def test_lines_of_cancelled_orders_do_not_count(tmp_path):
    heads = [
        (i, f"Kunde {i % 3}", f"{i + 1}.03.2024", "storniert" if i == 4 else "geliefert") for i in range(9)
    ]
    write(tmp_path / "auftraege.csv", "Auftragsnr;Kunde;Auftragsdatum;Auftragsstatus", heads)
    items = [(i, 1, "A-1", 2, "10,00") for i in range(9)]
    write(tmp_path / "positionen.csv", "Auftragsnr;Pos;Artikelnr;Menge;Einzelpreis", items)
    book = opened(tmp_path)
    assert revenue(book) == Decimal(160)
    assert [r for _, r in reasons(book)] == ["The order was cancelled."] * 2
