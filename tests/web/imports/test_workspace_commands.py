"""The command line of a workspace: exit codes, one line of error, German, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import portfolio as p
import pytest


def klientel(*arguments: Any, code: int = 0, lang: str = "en") -> str:
    command = [Path(sys.executable).parent / "klientel", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"KLIENTEL_LANG": lang, "PATH": ""}
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert len(done.stderr.strip().splitlines()) == 1
        return done.stderr.strip()
    return done.stdout


def test_the_whole_way(tmp_path):
    home = tmp_path / "firm"
    file = p.orders(
        tmp_path / "a.csv",
        [p.line(1), p.line(2, customer="C2"), p.line(3, amount="zwölf"), *[p.line(i) for i in range(4, 20)]],
    )
    assert "Workspace made" in klientel("init", home, "--currency", "eur")
    assert "dry run" in klientel("import", home, file, "--dry-run")
    told = json.loads(klientel("import", home, file, "--format", "json", "--rejected", tmp_path / "bad"))
    assert told["tables"]["lines"]["create"] == 18
    assert told["tables"]["lines"]["rejected"] == 1
    assert Path(told["rejected_files"][0]).parent == tmp_path / "bad"
    listed = json.loads(klientel("imports", home, "--format", "json"))
    assert [(r["id"], r["state"], r["files"][0]["name"]) for r in listed] == [(1, "done", "a.csv")]
    answer = json.loads(klientel("analyse", "abc", home, "--format", "json"))
    assert (answer["currency"], answer["figures"]["total_value"]) == ("EUR", 1800)
    assert json.loads(klientel("check", home, "--format", "json"))["tables"]["order_line"]["rows"] == 18
    assert "abc" in klientel("analyses", "--for", home)
    klientel("report", home, "-o", tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size > 10_000
    klientel("backup", home, tmp_path / "b.zip")
    klientel("restore", tmp_path / "b.zip", tmp_path / "again")
    again = json.loads(klientel("analyse", "abc", tmp_path / "again", "--format", "json"))
    assert again["tables"] == answer["tables"]
    assert json.loads(klientel("undo", home, 1, "--format", "json"))["conflicts"] == []
    assert "is empty" in klientel("analyse", "abc", home, code=2)


@pytest.mark.parametrize("lang", ["en", "de"])
def test_wrong_use_is_one_line(tmp_path, lang):
    home = tmp_path / "firm"
    klientel("init", home, lang=lang)
    klientel("init", home, code=2, lang=lang)
    klientel("import", tmp_path, tmp_path / "a.csv", code=2, lang=lang)
    klientel("import", home, tmp_path / "none.csv", code=2, lang=lang)
    klientel("import", home, code=2, lang=lang)
    klientel("undo", home, 5, code=2, lang=lang)
    klientel("undo", home, "x", code=2, lang=lang)
    klientel("restore", home / "workspace.json", tmp_path / "new", code=2, lang=lang)
    klientel("init", tmp_path / "x", "--currency", "Taler", code=2, lang=lang)
    assert not (tmp_path / "new").exists()


def test_german(tmp_path):
    home = tmp_path / "firma"
    assert "Arbeitsbereich" in klientel("init", home, lang="de")
    file = p.orders(tmp_path / "a.csv", [p.line(1), p.line(2)])
    told = klientel("import", home, file, lang="de")
    assert "2 neu" in told
    assert "rückgängig" in klientel("undo", home, 1, lang="de")
