"""Sums beside the sales they sum up count once, whatever their form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from writing_files import by_customer, notes, opened, revenue, write

ROWS = [(f"Firma {i % 5}", date(2023 + i // 30, 1 + i % 12, 1 + i % 28), Decimal(i + 1)) for i in range(60)]
WHOLE = sum(a for _, _, a in ROWS)


def sums(rows):
    found: dict[str, Decimal] = {}
    for name, _, amount in rows:
        found[name] = found.get(name, Decimal(0)) + amount
    return found


def invoices(folder):
    write(
        folder / "rechnungen.csv", "Kunde;Datum;Umsatz", [(n, f"{d:%d.%m.%Y}", f"{a},00") for n, d, a in ROWS]
    )


@pytest.mark.parametrize("year", [None, 2023, 2024])
def test_a_list_of_sums_beside_its_invoices_does_not_count(tmp_path, year):
    invoices(tmp_path)
    listed = sums(r for r in ROWS if year is None or r[1].year == year)
    write(tmp_path / "summen.csv", "Kunde;Umsatz", [(n, f"{v},00") for n, v in listed.items()])
    book = opened(tmp_path)
    assert revenue(book) == WHOLE
    assert "summen.csv: it sums up what rechnungen.csv lists" in notes(book)


def test_a_list_by_month_beside_its_invoices_does_not_count(tmp_path):
    invoices(tmp_path)
    months = [f"{m:02d}/2024" for m in range(1, 13)]
    monthly = [sums(r for r in ROWS if (r[1].year, r[1].month) == (2024, m)) for m in range(1, 13)]
    rows = [(name, *(f"{month.get(name, 0)},00" for month in monthly)) for name in sums(ROWS)]
    write(tmp_path / "monate.csv", ";".join(["Kunde", *months]), rows)
    assert revenue(opened(tmp_path)) == WHOLE


def test_other_amounts_without_dates_count_and_are_said(tmp_path):
    invoices(tmp_path)
    write(tmp_path / "projekte.csv", "Kunde;Umsatz", [(f"Firma {i}", f"{700 + i},00") for i in range(5)])
    book = opened(tmp_path)
    assert revenue(book) == WHOLE + 3510
    assert "projekte.csv has no dates, rechnungen.csv has" in notes(book)


def test_running_contracts_stand_for_sales(tmp_path):
    rows = [("V1", "Alpha", "01.02.2023", "", "100,00", "aktiv"),
            ("V2", "Beta", "01.03.2023", "", "50,00", "gekündigt"),
            ("V3", "Gamma", "01.03.2023", "31.12.2024", "70,00", "gekündigt"),
            ("V4", "Delta", "01.03.2023", "31.12.2027", "30,00", "gekündigt")]  # fmt: skip
    book = opened(
        write(tmp_path / "vertraege.csv", "Vertragsnr;Kunde;Vertragsbeginn;Vertragsende;MRR;Status", rows)
    )
    assert by_customer(book) == {"Alpha": Decimal(100), "Delta": Decimal(30)}
    assert "the recurring amount of the running contracts stands for them" in notes(book)


def test_plan_beside_actual_is_not_sold(tmp_path):
    rows = [(f"Firma {i}", f"{i}00,00", f"{i}0,00", f"-{i}0,00") for i in range(1, 5)]
    book = opened(write(tmp_path / "l.csv", "Kunde;Plan 2024;Ist 2024;Abweichung", rows))
    assert (revenue(book), book.facts.last_day) == (Decimal(100), date(2024, 12, 31))


def test_months_without_year_count_as_their_sum_and_it_is_said(tmp_path):
    rows = [(f"Firma {i}", f"{i},00", f"{i},50", f"{i},25", f"{3 * i},75") for i in range(4)]
    book = opened(write(tmp_path / "l.csv", "Kunde;Jan;Feb;Mrz;Summe", rows))
    assert revenue(book) == Decimal("21.00")
    assert "the months have no year, so only Summe counts" in notes(book)
    assert "jan" not in book.columns("customers")
