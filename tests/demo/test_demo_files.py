"""The files say what the tables say, in the dialect of the country, spoiled rows where they are stated."""

import csv
import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from klientel.demo.dirt import dirty_rows
from klientel.demo.firm import simulate
from klientel.demo.layouts import LAYOUTS
from klientel.demo.vocabulary import GERMAN, german
from klientel.demo.write import write
from klientel.errors import BadParameter


@pytest.fixture(scope="module")
def folders(firm, tmp_path_factory):
    made = {}
    for lang in ("de", "en"):
        made[lang] = tmp_path_factory.mktemp(lang)
        paths = write(firm, made[lang], lang)
        assert sorted(paths) == sorted(made[lang].iterdir())
    return made


def rows_of(path, lang, encoding):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=";" if lang == "de" else ","))


def read(folder, layout, lang):
    path = folder / layout.name(lang)
    if layout.title:
        sheet = openpyxl.load_workbook(path, read_only=True).active
        return [list(row) for row in sheet.iter_rows(values_only=True)]
    old = lang == "de" and layout.old_encoding
    return rows_of(path, lang, "cp1252" if old else "utf-8-sig")


def amount(text, lang):
    return Decimal(text.replace(".", "").replace(",", ".") if lang == "de" else text)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.table)
def test_every_row_is_written(firm, folders, layout, lang):
    rows = read(folders[lang], layout, lang)
    header = rows[3 if layout.title else 0]
    assert header == [h.spoken(lang) for h in layout.headers]
    spoiled = sum(1 for d in dirty_rows(firm, lang) if d.table == layout.table)
    frame = 4 if layout.title else 1
    total = 1 if layout.total else 0
    assert len(rows) == firm.tables()[layout.table].num_rows + spoiled + frame + total


@pytest.mark.parametrize("lang", ["de", "en"])
def test_the_sums_of_the_files_are_the_truth(firm, folders, lang):
    layouts = {layout.table: layout for layout in LAYOUTS}
    orders = {r[0]: r[3] for r in read(folders[lang], layouts["order_header"], lang)}
    spoiled = {(d.table, d.line) for d in dirty_rows(firm, lang)}
    invoiced, credited = defaultdict(Decimal), defaultdict(Decimal)
    for n, row in enumerate(read(folders[lang], layouts["order_line"], lang), start=1):
        if n > 1 and ("order_line", n) not in spoiled:
            invoiced[orders[row[0]]] += amount(row[7], lang)
    for n, row in enumerate(read(folders[lang], layouts["credit_note_line"], lang), start=1):
        if n > 1 and ("credit_note_line", n) not in spoiled:
            credited[row[9]] += amount(row[7], lang)
    assert invoiced == firm.truth.invoiced
    assert credited == firm.truth.credited


@pytest.mark.parametrize("lang", ["de", "en"])
def test_spoiled_rows_are_where_they_are_said_to_be(firm, folders, lang):
    layouts = {layout.table: layout for layout in LAYOUTS}
    spoiled = dirty_rows(firm, lang)
    assert len(spoiled) >= 6
    for dirt in spoiled:
        rows = read(folders[lang], layouts[dirt.table], lang)
        header = rows[3 if layouts[dirt.table].title else 0]
        assert (rows[dirt.line - 1][header.index(dirt.header)] or "") == dirt.value, dirt


def test_german_dialect(folders):
    lines = (folders["de"] / "Auftragspositionen.csv").read_bytes()
    assert b"zw\xf6lf" in lines  # Windows-1252
    assert b"\r\n" in lines
    orders = (folders["de"] / "Auftraege.csv").read_bytes()
    assert orders.startswith(b"\xef\xbb\xbf")
    assert "Außendienst".encode() in orders
    text = lines.decode("cp1252")
    assert any(
        cell.count(".") == 1 and cell.count(",") == 1
        for cell in text[:200_000].replace("\r\n", ";").split(";")
    )


def test_spreadsheets_hold_titles_dates_numbers_and_a_total(firm, folders):
    layouts = {layout.table: layout for layout in LAYOUTS}
    rows = read(folders["de"], layouts["customer"], "de")
    assert rows[0][0] == "Kundenliste"
    assert rows[1][0] == "Stand: 30.09.2024"
    assert isinstance(rows[4][0], str)
    assert isinstance(rows[4][13], datetime)
    codes = [row[8] for row in rows[4:]]
    assert any(code.startswith("0") for code in codes)
    rows = read(folders["de"], layouts["project_contract"], "de")
    assert rows[-1][0] == "Summe"
    assert rows[-1][6] == pytest.approx(float(sum(firm.contracts["recurring_amount"].to_pylist())))


def test_same_bytes_in_another_process(folders, tmp_path):
    code = "from klientel.demo.firm import simulate; from klientel.demo.write import write; "
    code += f"write(simulate(), {str(tmp_path)!r}, 'de')"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "123"})
    for path in folders["de"].iterdir():
        assert digest(tmp_path / path.name) == digest(path), path.name


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_word_of_the_files_has_a_german_one(firm):
    for layout in LAYOUTS:
        for header in layout.headers:
            if header.format == "word":
                for word in set(firm.tables()[layout.table][header.column].to_pylist()) - {None}:
                    assert german(word) != word or word in GERMAN, word


def test_product_names_keep_their_type():
    assert german("Ball bearing LG 20") == "Kugellager LG 20"
    assert german("unknown word") == "unknown word"


def test_other_languages_are_refused(tmp_path):
    with pytest.raises(BadParameter, match="en, de"):
        write(simulate(1, 20), tmp_path, "fr")


def test_dates_stay_before_the_as_of_day(firm):
    assert firm.as_of == date(2024, 10, 1)
    for table, column in ((firm.orders, "order_date"), (firm.credit_notes, "date"), (firm.rates, "date")):
        assert max(table[column].to_pylist()) < firm.as_of
