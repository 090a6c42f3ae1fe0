"""Long lists with a period in each row: it stands for its last day."""

from __future__ import annotations

from datetime import date

import pytest
from writing_files import opened, reasons, write

FIRMS = ("Alpha Bau", "Beta Druck", "Gamma Stahl", "Delta IT")


def long_list(tmp_path, header, periods):
    rows = [(name, *period, "100,50") for period in periods for name in FIRMS]
    return opened(write(tmp_path / "liste.csv", f"Kunde;{header};Umsatz", rows))


@pytest.mark.parametrize(
    ("header", "periods", "first", "last"),
    [
        ("Monat", [("2024-03",), ("2024-11",)], date(2024, 3, 31), date(2024, 11, 30)),
        ("Periode", [("03/2024",), ("12/2024",)], date(2024, 3, 31), date(2024, 12, 31)),
        ("Monat", [("Jan 2024",), ("Feb 2024",)], date(2024, 1, 31), date(2024, 2, 29)),
        ("Quartal", [("Q1 2024",), ("Q4 2024",)], date(2024, 3, 31), date(2024, 12, 31)),
        ("Jahr", [("2023",), ("2024",)], date(2023, 12, 31), date(2024, 12, 31)),
        ("Jahr;Monat", [("2023", "3"), ("2024", "12")], date(2023, 3, 31), date(2024, 12, 31)),
        ("Jahr;Monat", [("2023", "März"), ("2024", "Dez.")], date(2023, 3, 31), date(2024, 12, 31)),
        ("Monat;Jahr", [("02", "2024"), ("11", "2024")], date(2024, 2, 29), date(2024, 11, 30)),
        ("Jahr;Quartal", [("2023", "Q1"), ("2024", "Q2")], date(2023, 3, 31), date(2024, 6, 30)),
        ("Jahr;Quartal", [("2023", "1"), ("2024", "2")], date(2023, 3, 31), date(2024, 6, 30)),
    ],
)
def test_a_period_stands_for_its_last_day(tmp_path, header, periods, first, last):
    book = long_list(tmp_path, header, periods)
    assert (book.facts.first_day, book.facts.last_day) == (first, last)
    assert book.facts.rows == 8
    assert book.intake.tables["order_line"].unmapped == []


def test_an_unreadable_or_empty_period_is_rejected(tmp_path):
    book = long_list(tmp_path, "Monat", [("2024-03",)] * 3 + [("2024-13",), ("",)])
    assert book.facts.rows == 12
    assert {r for _, r in reasons(book)} == {"This is not a date that fits the column.", "Monat is empty."}
