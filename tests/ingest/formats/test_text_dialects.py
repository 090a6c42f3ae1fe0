"""Any common dialect and encoding is found without being told."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reading_tables import headers, read_one, reasons, staged, written

from klientel.ingest.formats.dialect import Dialect, find_dialect

ROWS = [
    ["Kunden-Nr", "Kunde", "Datum", "Umsatz"],
    ["00017", "Müller & Söhne", "01.02.2024", "1.234,56"],
    ["00018", 'Bäcker "Zum Korn"', "02.02.2024", "-12,50"],
    ["00019", "Groß; Klein, und | Co", "03.02.2024", "7,00"],
    ["00020", "", "04.02.2024", "0,99"],
]
EXPECTED = [(*(c or None for c in row), line) for line, row in enumerate(ROWS[1:], 2)]
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "latin-1": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


def as_csv(rows: list[list[str]], **options: object) -> str:
    out = io.StringIO()
    csv.writer(out, **options).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_dialects_and_encodings_come_back_the_same(
    tmp_path: Path, delimiter: str, encoding: str, quote: str
) -> None:
    text = as_csv(ROWS, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL)
    table = read_one(written(tmp_path, "sales.csv", text, encoding), tmp_path)
    assert headers(table) == ROWS[0]
    assert staged(table) == EXPECTED
    assert (table.rows, table.rejected, table.header_line) == (4, 0, 1)
    assert table.notes[0].values["encoding"] == ENCODINGS[encoding]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    text = as_csv(ROWS, delimiter=";", lineterminator=end)
    assert staged(read_one(written(tmp_path, "sales.csv", text), tmp_path)) == EXPECTED


def test_backslash_escapes(tmp_path: Path) -> None:
    text = as_csv(ROWS, delimiter=",", escapechar="\\", doublequote=False)
    assert '\\"Zum' in text
    assert staged(read_one(written(tmp_path, "sales.csv", text), tmp_path)) == EXPECTED


def test_a_backslash_that_is_no_escape_stays(tmp_path: Path) -> None:
    text = 'id,path,photo\n1,"C:\\Neu\\",\\x\n2,"507 - 20th Ave.\\nApt. 2A",\\x\n'
    table = read_one(written(tmp_path, "e.csv", text), tmp_path)
    assert staged(table) == [("1", "C:\\Neu\\", "\\x", 2), ("2", "507 - 20th Ave.\\nApt. 2A", "\\x", 3)]


def test_excel_separator_line(tmp_path: Path) -> None:
    table = read_one(written(tmp_path, "x.csv", "sep=;\r\nKunde;Umsatz\r\nA;1,5\r\nB;2,5\r\n"), tmp_path)
    assert headers(table) == ["Kunde", "Umsatz"]
    assert staged(table) == [("A", "1,5", 3), ("B", "2,5", 4)]
    assert table.header_line == 2


def test_decimal_commas_do_not_make_a_comma_file(tmp_path: Path) -> None:
    text = "ACME;1,50;2024-01-01\nBeta;2,75;2024-01-02\nACME;3,25;2024-01-03\n"
    table = read_one(written(tmp_path, "x.csv", text), tmp_path)
    assert staged(table)[0] == ("ACME", "1,50", "2024-01-01", 1)


def test_runs_of_spaces_without_header(tmp_path: Path) -> None:
    rows = [
        " 00004 0001 19970101  2   29.33",
        " 00004 0001 19970118 12  129.73",
        "",
        " 00021 0002 19970101  3   63.34",
    ]
    text = "\r\n".join(rows) + "\r\n"
    table = read_one(written(tmp_path, "s.txt", text), tmp_path)
    assert headers(table) == [f"Column {k}" for k in range(1, 6)]
    assert table.header_line is None
    assert staged(table) == [
        ("00004", "0001", "19970101", "2", "29.33", 1),
        ("00004", "0001", "19970118", "12", "129.73", 2),
        ("00021", "0002", "19970101", "3", "63.34", 4),
    ]


def test_columns_apart_by_two_spaces_keep_single_ones(tmp_path: Path) -> None:
    text = (
        "Kunde            Umsatz\nAcme Corp         12.50\nBeta and Sons      7.00\nCem GmbH           3.10\n"
    )
    table = read_one(written(tmp_path, "s.txt", text), tmp_path)
    assert headers(table) == ["Kunde", "Umsatz"]
    assert staged(table)[1] == ("Beta and Sons", "7.00", 3)


def test_one_column(tmp_path: Path) -> None:
    table = read_one(written(tmp_path, "s.csv", "Kunde\nAcme Corp\nBeta, Inc\nCem GmbH\n"), tmp_path)
    assert staged(table) == [("Acme Corp", 2), ("Beta, Inc", 3), ("Cem GmbH", 4)]


def test_space_after_the_separator(tmp_path: Path) -> None:
    table = read_one(written(tmp_path, "s.csv", 'id, name\n1, "Acme, Inc"\n2, "Beta, Inc"\n'), tmp_path)
    assert staged(table) == [("1", "Acme, Inc", 2), ("2", "Beta, Inc", 3)]


def test_late_bad_byte_in_utf8_rejects_only_its_row(tmp_path: Path) -> None:
    lines = [f"K{i};Müller {i};{i}" for i in range(5000)]
    data = ("Nr;Kunde;Umsatz\n" + "\n".join(lines) + "\n").encode()
    data = data.replace("Müller 4321;".encode(), b"M\xfcller 4321;")
    table = read_one(written(tmp_path, "x.csv", data), tmp_path)
    assert table.rows == 4999
    assert [(line, str(r)) for line, r in reasons(table)] == [(4323, "characters that cannot be decoded")]


def test_late_byte_in_an_ascii_file_decides_for_windows(tmp_path: Path) -> None:
    data = (
        b"Nr;Kunde\n" + b"".join(b"%d;Firma %d\n" % (i, i) for i in range(200_000)) + b"7;M\xfcller 5 \x80\n"
    )
    table = read_one(written(tmp_path, "x.csv", data), tmp_path)
    assert (table.rows, table.rejected) == (200_001, 0)
    assert staged(table)[-1] == ("7", "Müller 5 €", 200_002)


cell = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=12
) | st.sampled_from(
    ["", "€ 5,00", "Müller", 'a"b', "x;y", "l1\nl2", '"', "''", "1.234,56", "\\", '\\"', "'q'", "a\tb"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.integers(2, 5).flatmap(
        lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), min_size=1, max_size=12)
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_is_written_comes_back(
    tmp_path: Path, body: list[list[str]], delimiter: str, encoding: str, end: str, quoting: int
) -> None:
    # figures in a last column fix where the table begins; any text may stand in the others
    names = [*["Kunde", "Ort", "Notiz", "Art", "Segment"][: len(body[0])], "Umsatz"]
    rows = [names, *([*row, f"{i}{i}.5"] for i, row in enumerate(body))]
    assume(not any(c.startswith("#") for row in body for c in row))
    lines, text = [], ""
    for row in rows:
        lines.append(text.count("\n") + 1)
        text += as_csv([row], delimiter=delimiter, lineterminator=end, quoting=quoting)
    path = written(tmp_path, "r.csv", text, encoding)
    # texts full of other separators, or all in single marks, can mislead anybody
    assume(find_dialect(text) == Dialect(delimiter))
    table = read_one(path, tmp_path)
    assert headers(table) == names
    assert staged(table) == [
        (*(c or None for c in row), line) for row, line in zip(rows[1:], lines[1:], strict=True)
    ]
    assert table.rejected == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(
            st.characters(codec="cp1252", exclude_characters="\0\r\n", exclude_categories=["Cc"]), min_size=1
        ),
        min_size=3,
        max_size=8,
    )
)
def test_windows_texts_come_back(tmp_path: Path, texts: list[str]) -> None:
    rows = [["Kunde", "Umsatz"], ["Müller €", "1"], *([t, str(i)] for i, t in enumerate(texts))]
    text = as_csv(rows, delimiter=";", quoting=csv.QUOTE_ALL)
    data = text.encode("cp1252")
    try:
        data.decode("utf-8")
        assume(False)
    except UnicodeDecodeError:
        pass
    table = read_one(written(tmp_path, "w.csv", data), tmp_path)
    assert [row[0] for row in staged(table)] == [row[0] for row in rows[1:]]
