"""Titles, totals and texts below a table are told apart from rows that were rejected."""

from __future__ import annotations

import json

import pytest
from writing_files import opened, revenue

from klientel.cli import cli

TITLED = """Muster GmbH - Umsatzliste
# Export vom 01.03.2024

Kunde;Datum;Umsatz
Alpha;01.02.2024;100,00
Beta;02.02.2024;abc
Zwischensumme;;100,00
Gamma;03.02.2024;50,00
;04.02.2024;7,00
Gesamt;;150,00

Erstellt mit Warenwirtschaft 12
"""


@pytest.fixture
def titled(tmp_path):
    path = tmp_path / "liste.csv"
    path.write_text(TITLED, encoding="utf-8")
    return path


def test_only_rows_of_the_table_are_rejections(titled):
    intake = opened(titled).intake
    assert [r.line for r in intake.rejections] == [6, 9]
    assert intake.rejected == 2
    assert sorted(r.line for r in intake.set_aside) == [1, 2, 7, 10, 12]
    assert intake.aside == 5
    report = intake.tables["order_line"]
    assert (report.rows, report.accepted, report.rejected) == (4, 2, 2)
    assert revenue(opened(titled)) == 150


def test_the_json_keeps_them_apart(titled, runner):
    told = json.loads(runner(["check", str(titled), "--format", "json"]))
    assert [r["line"] for r in told["rejections"]] == [6, 9]
    assert sorted(r["reason"] for r in told["set_aside"]) == [
        "comment line", "text above the table", "text below the table", "total row", "total row",
    ]  # fmt: skip
    assert (told["rejected"], told["aside"]) == (2, 5)


def test_the_text_lists_both(titled, runner):
    text = runner(["check", str(titled)])
    assert "2 rejected rows" in text
    assert "5 lines set aside" in text


def test_a_file_of_titles_does_not_hide_its_bad_rows(tmp_path):
    path = tmp_path / "l.csv"
    rows = "".join(f"Alpha;01.02.2024;{'x' if i % 3 else i}\n# Seite {i}\n" for i in range(1, 7001))
    path.write_text(f"Kunde;Datum;Umsatz\n{rows}", encoding="utf-8")
    intake = opened(path).intake
    assert intake.aside == len(intake.set_aside) == 7000
    assert intake.rejected == len(intake.rejections) == 4667
    assert [r.line for r in intake.rejections[:2]] == [2, 4]


@pytest.fixture
def runner():
    from click.testing import CliRunner

    def run(arguments):
        result = CliRunner(env={"COLUMNS": "200"}).invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run
