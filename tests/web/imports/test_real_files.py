"""Real files imported from the command line: the numbers of the files to the cent, and undone without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import klientel
import klientel.errors
from klientel.analyses import unlocked

pytestmark = pytest.mark.real
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
FILES = {
    "northwind": "northwind",
    "maven_crm": "maven_crm",
    "telco": "telco_churn",
    "cdnow": "cdnow/CDNOW_master.txt",
    "online_retail": "online_retail/online_retail.csv.gz",
}


def command(*arguments: Any) -> str:
    run = [Path(sys.executable).parent / "klientel", *map(str, arguments)]
    done = subprocess.run(
        run, capture_output=True, text=True, check=False, env={**os.environ, "KLIENTEL_LANG": "en"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(book: Any, name: str) -> dict[str, Any]:
    answer = klientel.analyse(book, name).to_dict()
    answer.pop("reproduce")
    return answer


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n == "online_retail" else []) for n in FILES]
)
def test_numbers_are_those_of_the_files(tmp_path, name):
    source = DATA / FILES[name]
    if not source.exists():
        pytest.skip(f"SKIPPED, NO REAL DATA: {FILES[name]}")
    os.environ.pop("KLIENTEL_DATABASE", None)
    home = tmp_path / "firm"
    command("init", home)
    first = json.loads(command("import", home, source, "--format", "json"))
    mine, theirs = klientel.open_book(home), klientel.open_book(source)
    assert (mine.facts.rows, mine.facts.last_day) == (theirs.facts.rows, theirs.facts.last_day)
    free, _ = unlocked(theirs)
    assert {a.name for a in unlocked(mine)[0]} == {a.name for a in free}
    for analysis in free:
        assert told(mine, analysis.name) == told(theirs, analysis.name), analysis.name
    again = json.loads(command("import", home, source, "--format", "json"))
    for table, counts in again["tables"].items():
        known = first["tables"][table]["create"]  # with those that only references made
        assert (counts["create"], counts["update"], counts["conflict"]) == (0, 0, 0), table
        assert 0 < counts["skip"] <= known, table
    undone = json.loads(command("undo", home, 1, "--format", "json"))
    assert undone["conflicts"] == []
    with pytest.raises(klientel.errors.BadFile):
        klientel.open_book(home)
