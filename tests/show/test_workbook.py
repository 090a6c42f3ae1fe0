from __future__ import annotations

import zipfile
from datetime import date, datetime

import openpyxl
import pyarrow as pa
import pytest
import samples

from klientel.analysis import Column
from klientel.show import workbook as module
from klientel.show.report import report
from klientel.show.workbook import workbook


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return workbook(samples.all_results(), tmp_path_factory.mktemp("book") / "r.xlsx", "en")


@pytest.fixture(scope="module")
def read(path):
    return openpyxl.load_workbook(path)


def test_one_sheet_per_table_with_valid_unique_names(read) -> None:
    tables = sum(len(r.tables) for r in samples.all_results())
    assert len(read.sheetnames) == 1 + tables + 1  # summary first, chart data last
    assert read.sheetnames[0] == "Summary"
    assert read.sheetnames[-1] == "Chart data"
    assert all(len(n) <= 31 for n in read.sheetnames)
    assert len({n.casefold() for n in read.sheetnames}) == len(read.sheetnames)


def test_values_are_real_numbers_texts_and_dates(read) -> None:
    sheet = read["ABC analysis Customers"]
    assert [c.value for c in sheet[1]] == [
        "Customer number",
        "Customer",
        "Revenue (EUR)",
        "Share",
        "Running share",
        "Class",
        "Customer since",
    ]
    source = samples.abc().tables["customers"].to_pyarrow().slice(0, 1).to_pylist()[0]
    row = sheet[2]
    assert row[0].value == "010000"
    assert row[0].data_type == "s"
    assert row[2].value == pytest.approx(float(source["value"]))
    assert row[2].number_format == "#,##0.00"
    assert row[3].number_format == "0.0 %"
    assert row[6].value == datetime(2020, 1, 1)
    assert row[6].number_format == "yyyy-mm-dd"
    assert sheet.max_row == 641


def test_formulas_in_names_stay_text(read) -> None:
    sheet = read["ABC analysis Customers"]
    assert sheet["B2"].value == samples.NASTY
    assert sheet["B3"].value == '=HYPERLINK("http://evil")'
    for name in read.sheetnames:
        for row in read[name].iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_every_dangerous_beginning_is_a_guarded_string(tmp_path, text) -> None:
    made = samples.result("t", {"t": ((Column("x", "X"),), pa.table({"x": [text]}))})
    cell = openpyxl.load_workbook(workbook([made], tmp_path / "t.xlsx"))["T"]["A2"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x000D_", "\r").strip() == text.strip()  # the way XML keeps a return
    assert cell.quotePrefix


def test_header_stays_in_view_and_filters(read) -> None:
    sheet = read["ABC analysis Customers"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:G641"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["B"].width > 15


def test_native_charts(path) -> None:
    with zipfile.ZipFile(path) as box:
        charts = [box.read(n).decode() for n in box.namelist() if n.startswith("xl/charts/chart")]
    pareto = next(c for c in charts if "Few customers carry" in c)
    assert "<c:barChart>" in pareto
    assert "<c:lineChart>" in pareto
    assert "$C$2:$C$61" in pareto
    assert "$E$2:$E$61" in pareto
    bridge = next(c for c in charts if "What changed the revenue" in c)
    assert '<c:grouping val="stacked"/>' in bridge
    assert "<a:noFill/>" in bridge
    course = next(c for c in charts if "Revenue retention" in c)
    assert course.count("<c:ser>") == 2


def test_the_bridge_stands_on_its_foot(read) -> None:
    sheet = read["Chart data"]
    top = next(r[0].row for r in sheet.iter_rows() if r[0].value == "What changed the revenue")
    rows = [[c.value for c in sheet[top + 2 + i]][:5] for i in range(7)]
    assert [r[0] for r in rows] == ["opening", "new", "reactivated", "up", "down", "lost", "closing"]
    assert rows[1][1:] == [pytest.approx(5.21e6), None, pytest.approx(6.2e5), None]
    assert rows[4][1:] == [
        pytest.approx(5.21e6 + 6.2e5 + 8.4e4 + 7.3e5 - 5.1e5),
        None,
        None,
        pytest.approx(5.1e5),
    ]
    assert rows[6][1:] == [0, pytest.approx(5.714e6), None, None]


def test_summary_has_figures_intervals_and_quality(read) -> None:
    cells = [[c.value for c in row] for row in read["Summary"].iter_rows()]
    gini = next(r for r in cells if r[0] == "Gini")
    assert gini[1] == pytest.approx(0.7312)
    assert gini[2].startswith("0.702 to 0.758 (95")
    assert ["Retention", "read with care"] in [r[:2] for r in cells]
    assert any(r[3] == "Only 14 cases: indicative." for r in cells)


def test_report_workbook_in_german(summary, tmp_path, german) -> None:
    made = openpyxl.load_workbook(
        report([samples.abc(), samples.movement()], summary, "de", tmp_path / "r.xlsx")
    )
    assert made.sheetnames[0] == "Zusammenfassung"
    said = [c.value for row in made.worksheets[0].iter_rows() for c in row if c.value is not None]
    assert "Kundenportfolio-Bericht" in said
    assert "Abgewiesene Zeilen" in said
    assert "=1+1" in said  # the rejected value, as text
    assert all(c.data_type != "f" for row in made.worksheets[0].iter_rows() for c in row)
    dated = next(s for s in made.worksheets if "Customers" in s.title or "Kunden" in s.title)
    assert dated["G2"].number_format == "dd.mm.yyyy"


def test_long_tables_are_cut_and_said(tmp_path, monkeypatch, summary) -> None:
    monkeypatch.setattr(module, "REPORT_ROWS", 100)
    made = openpyxl.load_workbook(report([samples.abc()], summary, "en", tmp_path / "r.xlsx"))
    assert made.worksheets[1].max_row == 101
    said = " ".join(str(c.value) for row in made.worksheets[0].iter_rows() for c in row)
    assert "the first 100 of 640 rows" in said
    assert "--table customers -o customers.csv" in said


def test_big_tables_are_streamed_with_the_same_content(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_STREAM", 10)
    made = openpyxl.load_workbook(workbook([samples.abc(), samples.movement()], tmp_path / "r.xlsx"))
    sheet = made["ABC analysis Customers"]
    assert sheet.max_row == 641
    assert sheet["B2"].value == samples.NASTY
    assert "Chart data" in made.sheetnames


def test_names_of_sheets_that_collide_or_are_not_allowed(tmp_path) -> None:
    data = ((Column("x", "X"),), pa.table({"x": ["a"]}))
    results = [
        samples.result(f"r{i}", {"t": data}, title="A/B: [very] long * name? of an analysis")
        for i in range(3)
    ]
    names = openpyxl.load_workbook(workbook(results, tmp_path / "t.xlsx")).sheetnames[1:]
    assert len(set(names)) == 3
    assert all(len(n) <= 31 and not set(n) & set("[]:*?/\\'") for n in names)


def test_missing_and_infinite_values_are_empty(tmp_path) -> None:
    columns = (Column("v", "V", "money"), Column("d", "D", "date"), Column("b", "B", "flag"))
    data = pa.table(
        {
            "v": [1.0, None, float("nan"), float("inf")],
            "d": [None, date(2024, 1, 2), None, None],
            "b": [True, None, False, None],
        }
    )
    sheet = openpyxl.load_workbook(
        workbook([samples.result("t", {"t": (columns, data)})], tmp_path / "t.xlsx")
    )["T"]
    assert [[c.value for c in row] for row in sheet.iter_rows(min_row=2)] == [
        [1, None, "yes"],
        [None, datetime(2024, 1, 2), None],
        [None, None, "no"],
    ]


def test_empty_result(tmp_path) -> None:
    full = samples.abc()
    columns = full.tables["customers"].table.columns
    empty = full.tables["customers"].to_pyarrow().slice(0, 0)
    made = openpyxl.load_workbook(
        workbook([samples.result("t", {"t": (columns, empty)})], tmp_path / "t.xlsx")
    )
    assert made["T"]["A1"].value == "Customer number"
