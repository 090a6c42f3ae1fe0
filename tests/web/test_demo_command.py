"""`klientel demo`: the command reads the clock, keeps the day of a workspace that is there, and says so."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from klientel import demo as package
from klientel.cli import cli
from klientel.web import showcase

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KLIENTEL_TEST_POSTGRES")), reason="the demo makes SQLite workspaces only"
)
DAY = date(2025, 3, 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days that firms were simulated for; reports and workspaces, which take long, are left out."""
    days: list[date] = []
    simulate = package.simulate

    def simulated(**given: Any) -> Any:
        days.append(given["as_of"])
        return simulate(**given)

    monkeypatch.setattr("klientel.demo.simulate", simulated)
    monkeypatch.setattr("klientel.cli_demo.open_sources", lambda *_, **__: None)
    monkeypatch.setattr("klientel.show.write.report", lambda *_, **__: None)
    monkeypatch.setattr("klientel.cli_demo._demo_workspace", lambda *_: True)
    return days


def run(folder: Path, *options: str) -> Result:
    """`klientel demo` with twenty customers."""
    return CliRunner().invoke(cli, ["demo", str(folder), "--customers", "20", "--lang", "en", *options])


def there(folder: Path, **changed: Any) -> None:
    """Leave in `folder` what says that a workspace of the firm is there."""
    (folder / "workspace").mkdir()
    (folder / "workspace" / "workspace.json").write_text("{}")
    told = {"seed": 7, "customers": 20, "lang": "en", "as_of": DAY.isoformat(), "whole": True}
    (folder / showcase.MADE_BY).write_text(json.dumps({**told, **changed}))


def months() -> set[date]:
    """The first of this month, as a person may call it."""
    return {date.today().replace(day=1)}


def test_without_a_day_the_data_end_with_last_month(asked: list[date], tmp_path: Path) -> None:
    around = months()
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "stays" not in done.output
    assert asked[0] in around | months()


@pytest.mark.parametrize("text", ["2024-10-01", "01.10.2024"])
def test_a_day_is_taken_as_it_is(asked: list[date], tmp_path: Path, text: str) -> None:
    there(tmp_path)
    done = run(tmp_path, "--as-of", text)
    assert done.exit_code == 0, done.output
    assert asked == [date(2024, 10, 1)]
    assert "stays" not in done.output


def test_a_workspace_of_an_earlier_month_stays_and_it_is_said_how_to_renew_it(
    asked: list[date], tmp_path: Path
) -> None:
    there(tmp_path)
    done = run(tmp_path)
    assert asked == [DAY]
    assert "end before 2025-03-01" in done.output
    assert any(f"--as-of {day.isoformat()}" in done.output.replace("\n", " ") for day in months())


@pytest.mark.parametrize("changed", [{"seed": 8}, {"customers": 30}, {"lang": "de"}, {"whole": False}])
def test_what_is_there_of_another_firm_has_no_say(
    asked: list[date], tmp_path: Path, changed: dict[str, Any]
) -> None:
    there(tmp_path, **changed)
    around = months()
    done = run(tmp_path)
    assert asked[0] in around | months()
    assert "stays" not in done.output


def test_files_alone_do_not_look_at_the_workspace(asked: list[date], tmp_path: Path) -> None:
    there(tmp_path)
    around = months()
    run(tmp_path, "--no-workspace")
    assert asked[0] in around | months()


def test_days_to_come_are_refused(asked: list[date], tmp_path: Path) -> None:
    wrong = run(tmp_path, "--as-of", (date.today() + timedelta(days=3)).isoformat())
    assert wrong.exit_code != 0
    assert "up to today at most" in str(wrong.exception)
    assert not asked
    assert not (tmp_path / "files").exists()
