"""Rows that are not data are told, good rows are kept with their lines."""

from pathlib import Path

import pytest
from reading_tables import headers, read_one, reasons, staged, written

from klientel.errors import BadFile
from klientel.ingest.formats import read_sources
from klientel.ingest.formats.limits import Limits


def test_titles_blank_lines_comments_and_totals_are_not_data(tmp_path: Path) -> None:
    text = (
        "Umsatzbericht 2024;;\n"
        "# erstellt am 01.03.2024\n"
        "\n"
        "Kunde;Datum;Umsatz\n"
        "Anna GmbH;01.01.2024;10,00\n"
        "\n"
        "Ben AG;02.01.2024;20,00\n"
        ";;\n"
        "Summe;;30,00\n"
    )
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert headers(table) == ["Kunde", "Datum", "Umsatz"]
    assert table.header_line == 4
    assert staged(table) == [("Anna GmbH", "01.01.2024", "10,00", 5), ("Ben AG", "02.01.2024", "20,00", 7)]
    assert reasons(table) == [(1, "text above the table"), (2, "comment line"), (9, "total row")]
    assert table.rows == 2


@pytest.mark.parametrize(
    "label", ["Summe", "Gesamt", "Total", "Grand Total", "Ergebnis", "TOTAL:", "Gesamtergebnis"]
)
def test_total_labels(tmp_path: Path, label: str) -> None:
    table = read_one(written(tmp_path, "b.csv", f"Kunde,Umsatz\nA,10\nB,20\n{label},30\n"), tmp_path)
    assert reasons(table) == [(4, "total row")]
    assert table.rows == 2


def test_a_customer_called_total_is_a_customer(tmp_path: Path) -> None:
    text = "Kunde,Ort,Umsatz\nTotal,Paris,10\nA,Berlin,20\nTotal,Paris,30\n"
    assert read_one(written(tmp_path, "b.csv", text), tmp_path).rows == 3


def test_footer_below_the_table(tmp_path: Path) -> None:
    text = "Kunde;Datum;Umsatz\nA;01.01.2024;1\nB;01.01.2024;2\n\nStand: 02.01.2024;;\n"
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert reasons(table) == [(5, "text below the table")]


def test_ragged_rows_do_not_stop_the_rest(tmp_path: Path) -> None:
    text = "Kunde,Ort,Umsatz\nA,Berlin,1\nB,Bonn\nC,Köln,3,zu viel\nD,Ulm,4\nE,Jena,5,,\n"
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert [row[0] for row in staged(table)] == ["A", "D", "E"]
    assert reasons(table) == [(3, "2 instead of 3 cells"), (4, "4 instead of 3 cells")]
    assert table.rejections[0].value == "B,Bonn"
    assert table.rejections[0].hint


def test_lines_after_quoted_line_breaks(tmp_path: Path) -> None:
    text = 'Kunde,Notiz,Umsatz\nA,"eins\nzwei\n\ndrei",1\nB,x,2\nC,"y\r\nz",3\nD,,4\n'
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert [(row[0], row[-1]) for row in staged(table)] == [("A", 2), ("B", 6), ("C", 7), ("D", 9)]
    assert staged(table)[0][1] == "eins\nzwei\n\ndrei"


def test_an_open_quotation_mark_costs_one_row(tmp_path: Path) -> None:
    good = "".join(f"K{i},Ort {i},{i}\n" for i in range(2000))
    text = f'Kunde,Ort,Umsatz\n{good}X,"offen,5\n{good}'
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert reasons(table) == [(2002, "a quotation mark is opened and not closed")]
    assert table.rows == 4000
    assert staged(table)[-1] == ("K1999", "Ort 1999", "1999", 4002)


def test_a_wrong_quotation_mark_does_not_swallow_good_rows(tmp_path: Path) -> None:
    text = 'Kunde,Ort,Umsatz\nA,"Berlin,1\nB,Bonn,2\nC,"Köln, Süd",3\nD,Ulm,4\n'
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert [row[0] for row in staged(table)] == ["B", "C", "D"]
    assert reasons(table)[0][0] == 2


def test_nul_bytes_reject_their_row(tmp_path: Path) -> None:
    data = b"Kunde,Umsatz\nA,1\nB\0,2\nC,3\n"
    table = read_one(written(tmp_path, "b.csv", data), tmp_path)
    assert reasons(table) == [(3, "a NUL byte in the row")]
    assert [row[0] for row in staged(table)] == ["A", "C"]


def test_a_very_long_line_is_skipped(tmp_path: Path) -> None:
    text = "Kunde,Umsatz\nA,1\n" + "x" * 300_000 + "\nB,2\n"
    limits = Limits(block=64_000, sample=4_000, line=100_000)
    (table,) = read_sources([written(tmp_path, "b.csv", text)], tmp_path / "s", limits=limits)
    assert reasons(table) == [(3, "the line is too long to be a row")]
    assert [(row[0], row[-1]) for row in staged(table)] == [("A", 2), ("B", 4)]


@pytest.mark.parametrize("block", [17, 64, 1000, 5000])
def test_small_blocks_give_the_same_rows(tmp_path: Path, block: int) -> None:
    rows = []
    for i in range(300):
        note = f'"Zeile {i}\nund ""mehr""\n;{i}"' if i % 3 == 0 else f"Notiz {i}"
        rows.append(f"K{i};{note};{i},5")
        if i % 50 == 7:
            rows.append("kaputt;zu;viele;Zellen;hier")
        if i % 70 == 9:
            rows.append("")
    path = written(tmp_path, "b.csv", "Kunde;Notiz;Umsatz\n" + "\n".join(rows) + "\n")
    whole = read_one(path, tmp_path)
    (small,) = read_sources([path], tmp_path / "small", limits=Limits(block=block, sample=20_000_000))
    if block >= 1000:  # the sample is the first block: it has to hold some rows
        assert staged(small) == staged(whole)
        assert reasons(small) == reasons(whole)
    assert whole.rows == 300
    assert whole.rejected == 6
    text = path.read_text().split("\n")
    assert all(text[row[-1] - 1].startswith(f"{row[0]};") for row in staged(whole))


def test_headers_are_made_unique(tmp_path: Path) -> None:
    text = "Name,Umsatz,,name,Umsatz\nA,1,x,B,2\nC,3,y,D,4\n"
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert headers(table) == ["Name", "Umsatz", "Column 3", "name (2)", "Umsatz (2)"]
    assert len(table.notes) == 4


def test_separator_at_the_end_of_each_row_makes_no_column(tmp_path: Path) -> None:
    for head in ("Kunde;Umsatz", "Kunde;Umsatz;"):
        table = read_one(written(tmp_path, "b.csv", f"{head}\nA;1;\nB;2;\nC;3;\n"), tmp_path)
        assert headers(table) == ["Kunde", "Umsatz"]
        assert table.rows == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme,12\nBeta,13\nGamma,15\n", None),
        ("kunde,ort\nAcme,Berlin\nBeta,Bonn\n", 1),
        ("Acme Corp;Anna;West\nBeta;Ben;West\nGamma;Anna;East\n", None),
        ("C001;Berlin;a@x.de\nC002;Bonn;b@x.de\n", None),
        ("Kunde;2022;2023;2024\nA;10,5;20,5;30\nB;1;2;3\n", 1),
        ("1;2\n3;4\n", None),
        ("id\n1\n2\n", 1),
        ("Firma\nAcme\nBeta\n", 1),
        ("Kunde,Umsatz\n", 1),
    ],
)
def test_header_or_not(tmp_path: Path, text: str, expected: int | None) -> None:
    table = read_one(written(tmp_path, "h.csv", text), tmp_path)
    assert table.header_line == expected
    assert table.rows == len(text.splitlines()) - (expected or 0)


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n  \n", "empty"),
        ("a.csv", b"\xef\xbb\xbf", "empty"),
        ("a.csv", bytes(range(256)) * 40, "not a text file"),
        ("a.csv", b"\0" * 100_000, "not a text file"),
        ("a.csv", b"%PDF-1.7\n...", "PDF"),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        ("a.csv", ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n", "10,000 columns"),
        ("a.csv", b"x" * 5_000_000, "no line break"),
    ],
)
def test_useless_files_are_one_sentence(tmp_path: Path, name: str, data: bytes, part: str) -> None:
    with pytest.raises(BadFile, match=part):
        read_one(written(tmp_path, name, data), tmp_path)


def test_a_missing_file_is_asked_back(tmp_path: Path) -> None:
    written(tmp_path, "kunden.csv", "a,b\n1,2\n")
    with pytest.raises(BadFile, match=r"did you mean .*kunden\.csv"):
        read_one(tmp_path / "kundn.csv", tmp_path)


def test_at_most_so_many_rejections_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    text = "a,b\n" + "3,4\n" * 13_000 + "1,2,3\n" * 12_000 + "1,2\n"
    table = read_one(written(tmp_path, "b.csv", text), tmp_path)
    assert (len(table.rejections), table.rejected, table.rows) == (10_000, 12_000, 13_001)


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "b.csv", "a,b\n" + "1,2\n" * 50_000)
    told: list[tuple[str, int, int | None]] = []
    read_sources([path], tmp_path / "s", lambda *args: told.append(args), Limits(block=50_000, sample=1000))
    assert [t[0] for t in told] == ["b.csv"] * len(told)
    assert told[-1][1:] == (path.stat().st_size, path.stat().st_size)
    assert [t[1] for t in told] == sorted(t[1] for t in told)
