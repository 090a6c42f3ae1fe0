"""Texts below tables, too many columns, damaged files, rates: said in one clear sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from writing_files import notes, opened, reasons, revenue, write

import klientel
from klientel.errors import BadFile
from klientel.ingest import reading

ROWS = [(f"Firma {i % 4}", f"{i + 1}.03.2024", f"{i},00") for i in range(12)]


def test_texts_below_a_table_are_called_so(tmp_path):
    below = "\nErstellt am 05.01.2025 von Meier\nSeite 1 von 1"
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", ROWS, above="Umsatzliste", below=below))
    assert revenue(book) == Decimal(66)
    assert reasons(book) == [
        (1, "text above the table"), (16, "text below the table"), (17, "text below the table"),
    ]  # fmt: skip


def test_a_text_padded_with_separators_is_below_the_table_too(tmp_path):
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", ROWS, below="Erstellt am 05.01.2025;;"))
    assert reasons(book) == [(14, "text below the table")]


def test_a_short_row_inside_the_table_is_no_footer(tmp_path):
    rows = [*ROWS[:6], ("verrutscht",), *ROWS[6:]]
    book = opened(write(tmp_path / "l.csv", "Kunde;Datum;Umsatz", rows))
    assert reasons(book) == [(8, "1 instead of 3 cells")]


def test_of_very_many_columns_the_first_are_looked_at(tmp_path):
    header = "Kunde;Datum;Umsatz;" + ";".join(f"Feld {i}" for i in range(600))
    book = opened(write(tmp_path / "l.csv", header, [(*row, *range(600)) for row in ROWS]))
    assert revenue(book) == Decimal(66)
    assert "Only the first 500 of 603 columns are looked at." in notes(book)


def test_of_a_very_wide_parquet_file_too(tmp_path):
    columns = {"customer": [f"F{i % 4}" for i in range(12)], "revenue": [float(i) for i in range(12)]}
    columns |= {f"x{i}": list(range(12)) for i in range(600)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet")
    assert revenue(opened(tmp_path / "wide.parquet")) == Decimal(66)


def test_damaged_pages_are_a_sentence(tmp_path):
    path = tmp_path / "sales.parquet"
    table = pa.table({"customer_id": list(range(500)), "revenue": [i * 1.5 for i in range(500)]})
    pq.write_table(table, path, compression="none")
    data = bytearray(path.read_bytes())
    data[8:200] = bytes(b ^ 0x5A for b in data[8:200])
    path.write_bytes(bytes(data))
    with pytest.raises(BadFile, match=r"sales\.parquet is damaged: parts of it cannot be read"):
        opened(path)


@pytest.mark.parametrize("analysis", ["abc", "rfm", "cohorts"])
def test_damage_that_only_an_analysis_meets_is_a_sentence(tmp_path, monkeypatch, analysis):
    monkeypatch.setattr(reading, "LARGE", 1)
    path = tmp_path / "sales.parquet"
    days = [date(2024, 1 + i % 12, 1 + i % 28) for i in range(5000)]
    table = pa.table(
        {"customer": [i % 97 for i in range(5000)], "date": days, "amount": [i * 1.5 for i in range(5000)]}
    )
    pq.write_table(table, path, compression="none", row_group_size=1000)
    book = opened(path)  # where a large file is damaged, opening it did not look
    data = bytearray(path.read_bytes())
    middle = pq.read_metadata(path).row_group(2).column(2)
    for at in range(middle.data_page_offset, middle.data_page_offset + 200):
        data[at] ^= 0x5A
    path.write_bytes(bytes(data))
    with pytest.raises(BadFile, match=r"sales\.parquet is damaged: parts of it cannot be read"):
        klientel.analyse(book, analysis)


def test_the_currency_that_all_rates_lead_into_is_the_reporting_currency(tmp_path):
    sales = [(f"Firma {i % 4}", "05.03.2024", "10,00", ("USD", "USD", "EUR")[i % 3]) for i in range(12)]
    write(tmp_path / "umsatz.csv", "Kunde;Datum;Umsatz;Währung", sales)
    write(tmp_path / "kurse.csv", "date;from;to;rate", [("2024-03-01", "USD", "EUR", "0.5")])
    book = opened(tmp_path)
    assert (book.currency, revenue(book)) == ("EUR", Decimal(80))


@pytest.mark.parametrize("header", ["Monat", "Bestellnr"])
def test_amounts_that_belong_to_nobody_are_left_out_and_said(tmp_path, header):
    rows = [
        (f"2024-{i:02d}" if header == "Monat" else f"X{i}", f"{i}.03.2024", "10,00") for i in range(1, 10)
    ]
    book = opened(write(tmp_path / "l.csv", f"{header};Rechnungsdatum;Umsatz", rows))
    assert "lines" not in book.tables
    assert "l.csv is left out: no column names the customer" in notes(book)


def test_a_forecast_is_no_revenue(tmp_path):
    rows = [(f"Firma {i}", f"{i}00,00") for i in range(1, 6)]
    assert "lines" not in opened(write(tmp_path / "l.csv", "Kunde;Forecast 2025", rows)).tables
    assert revenue(opened(write(tmp_path / "m.csv", "Kunde;Umsatz 2025", rows))) == Decimal(1500)
