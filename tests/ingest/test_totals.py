"""Total rows inside tables do not count twice; customers that only sound like totals stay."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from writing_files import TODAY, by_customer, notes, opened, reasons, revenue, write

from klientel.ingest.opening import open_book

ROWS = [("Alpha Bau", "100,50"), ("Beta Druck", "80,25"), ("Gamma Stahl", "60,00"), ("Delta IT", "9,25")]
SUM = Decimal("250.00")


@pytest.mark.parametrize("label", ["Summe aller Kunden", "Gesamtumsatz 2024:", "Total", "SUMME Vertrieb", ""])
@pytest.mark.parametrize("first", [True, False])
def test_a_total_above_or_below_a_list_does_not_count(tmp_path, label, first):
    total = (label, "250,00")
    book = opened(write(tmp_path / "l.csv", "Kunde;Umsatz", [total, *ROWS] if first else [*ROWS, total]))
    assert by_customer(book).keys() == {name for name, _ in ROWS}
    assert revenue(book) == SUM
    assert [line for line, _ in reasons(book)] == [2 if first else 6]
    assert book.facts.value_coverage in (None, 1.0)


def test_subtotals_of_groups_do_not_count(tmp_path):
    rows = [("Alpha Bau", "1.3.2024", "10,00"), ("Alpha Bau", "2.3.2024", "20,00"), ("Alpha Bau Ergebnis", "", "30,00"),
            ("Beta Druck", "1.3.2024", "5,00"), ("Beta Druck", "2.3.2024", "1,00"), ("Beta Druck Ergebnis", "", "6,00"),
            ("Gesamtergebnis", "", "36,00")]  # fmt: skip
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", rows))
    assert revenue(book) == Decimal(36)
    assert reasons(book) == [(4, "total row"), (7, "total row"), (8, "total row")]


def test_subtotals_in_an_undated_list_do_not_count(tmp_path):
    rows = [*ROWS[:2], ("Summe Nord", "180,75"), *ROWS[2:], ("Summe Süd", "69,25"), ("Summe", "250,00")]
    book = opened(write(tmp_path / "l.csv", "Kunde;Umsatz", rows))
    assert revenue(book) == SUM


def test_rounded_totals_are_still_totals(tmp_path):
    rows = [
        ("Alpha", "10,4"),
        ("Beta", "10,4"),
        ("Gamma", "10,4"),
        ("Delta", "20,1"),
        ("Summe Kunden", "51,4"),
    ]
    assert revenue(opened(write(tmp_path / "l.csv", "Kunde;Umsatz", rows))) == Decimal("51.3")


def test_a_firm_called_total_is_a_customer(tmp_path):
    rows = [*ROWS, ("Total Energies SE", "77,00"), ("Ergebnis Beratung GmbH", "12,00")]
    book = opened(write(tmp_path / "l.csv", "Kunde;Umsatz", rows))
    assert revenue(book) == SUM + 89
    assert "total" not in notes(book)


def test_a_total_that_does_not_add_up_is_said(tmp_path):
    rows = [*ROWS[:2], ("Summe Export", "777,00"), *ROWS[2:]]
    book = opened(write(tmp_path / "l.csv", "Kunde;Umsatz", rows))
    assert revenue(book) == SUM + 777
    assert "“Summe Export” looks like a total but does not add up" in notes(book)


def test_a_row_that_is_all_others_together_is_a_total_whatever_its_name(tmp_path):
    rows = [("Muster GmbH", "250,00"), *ROWS]
    assert revenue(opened(write(tmp_path / "l.csv", "Kunde;Umsatz", rows))) == SUM


def test_totals_of_months_side_by_side(tmp_path):
    rows = [
        ("Alpha", "1,00", "2,00"),
        ("Beta", "3,00", ""),
        ("Alle Kunden", "4,00", "2,00"),
        ("Gamma", "5,00", "6,00"),
    ]
    book = opened(write(tmp_path / "l.csv", "Kunde;Umsatz 2023;Umsatz 2024", rows))
    assert by_customer(book) == {"Alpha": Decimal(3), "Beta": Decimal(3), "Gamma": Decimal(11)}
    report = book.intake.tables["order_line"]
    assert (report.rows, report.rejected, book.intake.rejected, book.intake.aside) == (3, 0, 0, 1)


def test_totals_in_a_frame_and_in_its_customers(tmp_path):
    frame = pd.DataFrame({
        "Kundennummer": ["17", "23", "Gesamtsumme"], "Ort": ["Ulm", "Kiel", None], "Umsatz": [1.5, 2.5, 4.0],
    })  # fmt: skip
    book = open_book(frame, today=TODAY)
    assert by_customer(book) == {"17": Decimal("1.5"), "23": Decimal("2.5")}
    assert set(book.known_customers.customer_id.to_pyarrow().to_pylist()) == {"17", "23"}


def test_the_total_column_of_a_pivot_table_is_no_margin(tmp_path):
    rows = [
        ("Alpha", "1,00", "2,00", "3,00"),
        ("Beta", "3,00", "1,00", "4,00"),
        ("Gesamtergebnis", "4,00", "3,00", "7,00"),
    ]
    book = opened(write(tmp_path / "l.csv", "Zeilenbeschriftungen;2023;2024;Gesamtergebnis", rows))
    assert revenue(book) == Decimal(7)
    assert "margin" not in book.tables["lines"].columns
