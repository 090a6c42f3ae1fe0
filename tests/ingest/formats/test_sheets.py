"""Sheets of workbooks come back cell by cell, with their rows."""

import random
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P
from reading_tables import headers, read, read_one, reasons, staged, written
from xls_files import xls

from klientel.errors import BadFile
from klientel.ingest.formats.sheets import cell_text

HEAD = ["Kunde", "Nr", "Datum", "Zeit", "Umsatz", "Aktiv"]
BODY: list[list[Any]] = [
    ["Müller & Söhne", "00017", date(2024, 1, 2), datetime(2024, 1, 2, 8, 26), 1234.5, True],
    ['Bäcker "Zum Korn"', "00018", date(1999, 12, 31), datetime(2024, 2, 29, 23, 59, 59), -0.1, False],
    ["€ <b> & 'x'", None, None, None, 1e-7, None],
    ["Groß", "00020", date(2030, 6, 1), datetime(2024, 1, 2, 0, 0), 12345678, True],
]
EXPECTED = [
    ("Müller & Söhne", "00017", "2024-01-02", "2024-01-02 08:26:00", "1234.5", "true"),
    ('Bäcker "Zum Korn"', "00018", "1999-12-31", "2024-02-29 23:59:59", "-0.1", "false"),
    ("€ <b> & 'x'", None, None, None, "0.0000001", None),
    ("Groß", "00020", "2030-06-01", "2024-01-02", "12345678", "true"),
]


def openpyxl_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def xlsxwriter_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for k, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(i, k, cell, moment if isinstance(cell, datetime) else day)
                    elif isinstance(cell, str):
                        sheet.write_string(i, k, cell)
                    elif cell is not None:
                        sheet.write(i, k, cell)
    return path


def ods_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for cell in row:
                line.addElement(ods_cell(cell))
            table.addElement(line)
        book.spreadsheet.addElement(table)
    book.save(str(path))
    return path


def ods_cell(value: Any) -> Any:
    match value:
        case None:
            return TableCell()
        case bool():
            cell = TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        case int() | float():
            cell = TableCell(valuetype="float", value=repr(value))
        case date():
            cell = TableCell(valuetype="date", datevalue=value.isoformat())
        case _:
            cell = TableCell(valuetype="string")
    cell.addElement(P(text=str(value)))
    return cell


WRITERS = {"openpyxl.xlsx": openpyxl_book, "xlsxwriter.xlsx": xlsxwriter_book, "odfpy.ods": ods_book}


@pytest.mark.parametrize("name", WRITERS)
def test_cells_come_back_as_texts(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / name, {"Umsätze": [HEAD, *BODY]})
    table = read_one(path, tmp_path)
    assert headers(table) == HEAD
    assert staged(table) == [(*row, line) for line, row in enumerate(EXPECTED, 2)]
    assert (table.name, table.sheet, table.place) == ("Umsätze", "Umsätze", f"{name}[Umsätze]")
    native = {c.header: c.native for c in table.columns}
    assert native == {"Kunde": False, "Nr": False, "Datum": True, "Zeit": True, "Umsatz": True, "Aktiv": True}


@pytest.mark.parametrize("name", WRITERS)
def test_titles_totals_and_gaps(tmp_path: Path, name: str) -> None:
    rows: list[list[Any]] = [
        ["Umsatzbericht", None, None],
        ["Stand", "01.03.2024", None],
        [None, None, None],
        ["Kunde", "Ort", "Umsatz"],
        ["A", "Berlin", 1.5],
        [None, None, None],
        ["B", "Bonn", 2],
        ["Summe", None, 3.5],
        [None, None, None],
        ["Quelle: Warenwirtschaft", None, None],
    ]
    table = read_one(WRITERS[name](tmp_path / name, {"Tabelle1": rows}), tmp_path)
    assert table.name == name.split(".")[0]
    assert (headers(table), table.header_line) == (["Kunde", "Ort", "Umsatz"], 4)
    assert staged(table) == [("A", "Berlin", "1.5", 5), ("B", "Bonn", "2", 7)]
    assert sorted(reasons(table)) == [
        (1, "text above the table"),
        (2, "text above the table"),
        (8, "total row"),
        (10, "text below the table"),
    ]


def test_several_sheets_hidden_and_notes(tmp_path: Path) -> None:
    sheets = {
        "Hinweise": [["Bitte nicht ändern"]],
        "Kunden": [["Nr", "Kunde"], [1, "A"], [2, "B"]],
        "Aufträge": [["Nr", "Kunde", "Umsatz"], [7, 1, 5.5]],
        "Alt": [["Nr", "Kunde"], [3, "C"]],
        "leer": [],
    }
    path = openpyxl_book(tmp_path / "mappe.xlsx", sheets)
    book = openpyxl.load_workbook(path)
    book["Alt"].sheet_state = "hidden"
    book.save(path)
    tables = read(path, tmp_path)
    assert [(t.name, t.rows) for t in tables] == [("Kunden", 2), ("Aufträge", 1)]
    told = " ".join(tables[0].notes)
    assert "Hinweise" in told
    assert "Hidden sheets left out: Alt" in told


def test_merged_cells_are_filled_down_unless_they_are_amounts(tmp_path: Path) -> None:
    rows = [
        ["Kunde", "Budget", "Artikel", "Umsatz"],
        ["A", 100, "x", 1],
        [None, None, "y", 2],
        ["B", 50, "z", 3],
    ]
    path = openpyxl_book(tmp_path / "m.xlsx", {"S": rows})
    book = openpyxl.load_workbook(path)
    book["S"].merge_cells("A2:A3")
    book["S"].merge_cells("B2:B3")
    book.save(path)
    assert staged(read_one(path, tmp_path)) == [
        ("A", "100", "x", "1", 2),
        ("A", None, "y", "2", 3),
        ("B", "50", "z", "3", 4),
    ]


def test_header_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["Kunde", "Umsatz", None, "Menge", None],
        [None, 2023, 2024, 2023, 2024],
        ["A", 1.5, 2.5, 3, 4],
        ["B", 5, 6, 7, 8],
    ]
    table = read_one(openpyxl_book(tmp_path / "m.xlsx", {"S": rows}), tmp_path)
    assert headers(table) == ["Kunde", "Umsatz 2023", "Umsatz 2024", "Menge 2023", "Menge 2024"]
    assert [row[-1] for row in staged(table)] == [3, 4]


def test_formulas_without_result_and_error_cells_are_told(tmp_path: Path) -> None:
    path = openpyxl_book(
        tmp_path / "f.xlsx", {"S": [["Kunde", "Umsatz", "Quote"], ["A", "=1+1", "#N/A"], ["B", 2, 3]]}
    )
    table = read_one(path, tmp_path)
    assert staged(table)[0] == ("A", None, None, 2)
    told = " ".join(table.notes)
    assert "Formulas without a stored result, counted as empty: 1." in told
    assert "Cells with an error such as #N/A, counted as empty: 1." in told


def test_a_table_that_does_not_begin_in_the_corner(tmp_path: Path) -> None:
    rows = [[], [], [None, None, "Kunde", "Umsatz"], [None, None, "A", 1], [None, None, "B", 2]]
    table = read_one(openpyxl_book(tmp_path / "c.xlsx", {"S": rows}), tmp_path)
    assert headers(table) == ["Kunde", "Umsatz"]
    assert staged(table) == [("A", "1", 4), ("B", "2", 5)]


def test_old_binary_workbooks(tmp_path: Path) -> None:
    rows: list[list[str | float | None]] = [
        ["Umsätze", None, None],
        ["Kunde", "Nr", "Umsatz"],
        ["Müller €", "007", 1234.5],
    ]
    data = xls("Umsätze", [*rows, ["B", None, 3.0], ["Summe", None, 1237.5]])
    table = read_one(written(tmp_path, "alt.xls", data), tmp_path)
    assert (headers(table), table.sheet, table.header_line) == (["Kunde", "Nr", "Umsatz"], "Umsätze", 2)
    assert staged(table) == [("Müller €", "007", "1234.5", 3), ("B", None, "3", 4)]
    assert sorted(reasons(table)) == [(1, "text above the table"), (5, "total row")]
    assert table.columns[2].native
    with pytest.raises(BadFile, match="damaged"):
        read_one(written(tmp_path, "ab.xls", data[:1000]), tmp_path)


def test_names_do_not_decide_what_a_file_is(tmp_path: Path) -> None:
    path = openpyxl_book(tmp_path / "x.xlsx", {"S": [["Kunde", "Umsatz"], ["A", 1]]})
    renamed = path.rename(tmp_path / "x.csv")
    assert staged(read_one(renamed, tmp_path)) == [("A", "1", 2)]
    text = written(tmp_path, "y.xlsx", "Kunde;Umsatz\nA;1\n")
    assert staged(read_one(text, tmp_path)) == [("A", "1", 2)]


def test_two_cells_in_far_corners_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, 1)
        sheet.write(1_048_575, 16_383, 2)
    with pytest.raises(BadFile, match="1,048,576 rows and 16,384 columns"):
        read_one(path, tmp_path)


def test_repeated_cells_of_ods_are_refused(tmp_path: Path) -> None:
    book = OpenDocumentSpreadsheet()
    table = Table(name="S")
    row = TableRow(numberrowsrepeated=1_000_000)
    row.addElement(TableCell(numbercolumnsrepeated=10_000, valuetype="float", value="1"))
    row.addElement(CoveredTableCell())
    table.addElement(row)
    book.spreadsheet.addElement(table)
    book.save(str(tmp_path / "bomb.ods"))
    with pytest.raises(BadFile, match="reaches over"):
        read_one(tmp_path / "bomb.ods", tmp_path)


def test_a_password_is_named(tmp_path: Path) -> None:
    ole = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 1000
        + "EncryptedPackage".encode("utf-16-le")
        + b"\0" * 1000
    )
    with pytest.raises(BadFile, match="protected by a password"):
        read_one(written(tmp_path, "p.xlsx", ole), tmp_path)


@pytest.mark.parametrize("keep", [30, 600, 2000, 4000])
def test_cut_off_workbooks(tmp_path: Path, keep: int) -> None:
    path = openpyxl_book(tmp_path / "x.xlsx", {"S": [["Kunde", "Umsatz"], ["A", 1]]})
    with pytest.raises(BadFile, match="damaged"):
        read_one(written(tmp_path, "cut.xlsx", path.read_bytes()[:keep]), tmp_path)


def test_only_empty_sheets(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no sheet with a table"):
        read_one(openpyxl_book(tmp_path / "x.xlsx", {"S": []}), tmp_path)


def test_cell_texts() -> None:
    assert cell_text(3.0) == "3"
    assert cell_text(1e22) == "10000000000000000000000"
    assert cell_text(1.5e-9) == "0.0000000015"
    assert cell_text(float("nan")) == ""
    assert cell_text(True) == "true"
    assert cell_text(time(8, 30)) == "08:30:00"
    assert cell_text(datetime(2024, 1, 2, 8, 25, 59, 999_900)) == "2024-01-02 08:26:00"


texts = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=12)
    .map(str.strip)
    .filter(lambda text: not text.startswith("="))  # writers take it for a formula
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            texts,
            st.dates(date(1905, 1, 1), date(2100, 1, 1)),
            st.floats(-1e9, 1e9).map(lambda x: round(x, 6) + 0.0),
            st.integers(-(10**9), 10**9),
        ),
        min_size=1,
        max_size=8,
    ),
    name=st.sampled_from(sorted(WRITERS)),
)
def test_any_cells_come_back(tmp_path: Path, rows: list[tuple[Any, ...]], name: str) -> None:
    path = WRITERS[name](tmp_path / name, {"S": [["Kunde", "Datum", "Umsatz", "Menge"], *map(list, rows)]})
    found = staged(read_one(path, tmp_path))
    assert [row[-1] for row in found] == list(range(2, len(rows) + 2))
    for got, (text, day, amount, count) in zip(found, rows, strict=True):
        assert (got[0] or "", got[1], got[3]) == (" ".join(text.split(" ")), day.isoformat(), str(count))
        assert float(got[2]) == pytest.approx(amount, rel=1e-12)


def test_damaged_binary_workbooks_do_not_end_the_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, rng = xls("S", [["Kunde", "Umsatz"], ["A", 1.5], ["B", 2.5]]), random.Random(7)
    refused = 0
    for _ in range(25):
        changed = bytearray(data)
        for _ in range(20):  # the first bytes say how long everything is
            changed[rng.randrange(8, 1200)] = rng.randrange(256)
        try:
            read_one(written(tmp_path, "d.xls", bytes(changed)), tmp_path)
        except BadFile:
            refused += 1
    assert refused >= 10
    assert capfd.readouterr().err == ""
