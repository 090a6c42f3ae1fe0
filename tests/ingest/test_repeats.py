"""The same sales in two files count once; months beside one another all count."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

import klientel

ROWS = [(f"C{i % 7}", date(2024, 1, 1) + timedelta(days=i % 300), f"{i % 90 + 1}.50") for i in range(400)]


def write(path: Path, rows: list, *, german: bool = False) -> None:
    """Rows as CSV, in English or in German dialect."""
    if german:
        text = "Kunde;Datum;Betrag\n" + "".join(
            f"{c};{d:%d.%m.%Y};{a.replace('.', ',')}\n" for c, d, a in rows
        )
    else:
        text = "customer,date,amount\n" + "".join(f"{c},{d},{a}\n" for c, d, a in rows)
    path.write_text(text, encoding="utf-8")


def revenue(folder: Path) -> float:
    """Revenue of all time of a folder."""
    return float(klientel.analyse(klientel.open_book(folder), "abc", window="all").figures["signed_total"])


TOTAL = sum(float(a) for _, _, a in ROWS)


def test_the_same_export_in_two_dialects_counts_once(tmp_path):
    write(tmp_path / "sales.csv", ROWS)
    write(tmp_path / "umsatz.csv", ROWS[::-1], german=True)
    assert revenue(tmp_path) == pytest.approx(TOTAL)
    book = klientel.open_book(tmp_path)
    assert [file for file, _ in book.intake.ignored] == ["umsatz.csv"]
    assert any("not counted twice" in str(note) for note in book.notes)


def test_a_sample_beside_the_whole_counts_once(tmp_path):
    write(tmp_path / "all.csv", ROWS)
    write(tmp_path / "sample.csv", ROWS[::5])
    assert revenue(tmp_path) == pytest.approx(TOTAL)


def test_months_in_files_of_their_own_all_count(tmp_path):
    for month in range(1, 11):
        write(tmp_path / f"sales_{month:02d}.csv", [r for r in ROWS if r[1].month == month])
    assert revenue(tmp_path) == pytest.approx(TOTAL)
    assert klientel.open_book(tmp_path).intake.ignored == []


def test_equal_sales_that_occur_more_often_are_not_a_repetition(tmp_path):
    once = [("A", date(2024, 1, 1), "10.00")] * 30
    more = [("A", date(2024, 1, 2), "10.00")] * 30
    write(tmp_path / "one.csv", once)
    write(tmp_path / "two.csv", more)
    assert revenue(tmp_path) == pytest.approx(600)


def test_orders_and_lines_in_two_languages_count_once(tmp_path):
    for german in (False, True):
        mark = ";" if german else ","
        heads = [("Belegnummer", "Kundennummer", "Belegdatum"), ("order_id", "customer_id", "order_date")][
            not german
        ]
        lines = [
            ("Belegnummer", "Artikelnummer", "Menge", "Einzelpreis"),
            ("order_id", "product_id", "quantity", "unit_price"),
        ]
        chosen = lines[not german]
        orders = [(str(i), c, f"{d:%d.%m.%Y}" if german else str(d)) for i, (c, d, _) in enumerate(ROWS)]
        parts = [
            (str(i), f"P{i % 5}", "2", a.replace(".", ",") if german else a)
            for i, (_, _, a) in enumerate(ROWS)
        ]
        for name, head, rows in (("orders", heads, orders), ("lines", chosen, parts)):
            text = mark.join(head) + "\n" + "".join(mark.join(r) + "\n" for r in rows)
            (tmp_path / f"{name}_{'de' if german else 'en'}.csv").write_text(text, encoding="utf-8")
    assert revenue(tmp_path) == pytest.approx(2 * TOTAL)
    assert klientel.open_book(tmp_path).intake.rejected == 0
