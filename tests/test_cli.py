"""The command line as people and scripts use it: exit codes, one clear line on stderr, stable JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from klientel import cli

TWO = "Kunde;Umsatz\nAlpha GmbH;1.234,50\nBeta AG;500,00\nGamma KG;100,25\n"
LOG = "customer,date,amount\n" + "".join(
    f"C{i % 9},{2023 + i % 2}-{1 + i % 12:02d}-{1 + i % 27:02d},{10 + i}\n" for i in range(300)
)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in a fresh folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name in ("KLIENTEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["klientel", *args])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out = capsys.readouterr()
        return int(left.value.code or 0), out.out, out.err

    return call


@pytest.fixture
def two(tmp_path) -> str:
    (tmp_path / "liste.csv").write_text(TWO, encoding="utf-8")
    return "liste.csv"


@pytest.fixture
def log(tmp_path) -> str:
    (tmp_path / "orders.csv").write_text(LOG, encoding="utf-8")
    return "orders.csv"


def test_a_two_column_list_is_enough(run, two):
    code, out, err = run("analyse", "abc", two, "--format", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert list(told) == [
        "analysis", "as_of", "currency", "parameters", "figures", "tables", "quality", "reproduce",
    ]  # fmt: skip
    columns = [c["name"] for c in told["tables"]["customers"]["columns"]]
    assert columns == [
        "customer_id",
        "name",
        "value",
        "share",
        "share_before",
        "share_after",
        "grade",
        "boundary",
    ]
    rows = told["tables"]["customers"]["rows"]
    assert [(r[0], r[2], r[6]) for r in rows] == [
        ("Alpha GmbH", 1234.5, "A"), ("Beta AG", 500, "A"), ("Gamma KG", 100.25, "B"),
    ]  # fmt: skip
    assert rows[-1][5] == pytest.approx(1.0)
    assert told["as_of"] is None
    assert set(told["reproduce"]) == {"python", "cli", "sql"}


def test_parameters_become_options_and_are_checked(run, log):
    code, out, _ = run(
        "analyse", "abc", log, "--a", "0.5", "--b", "0.9", "--window", "all", "--format", "json"
    )
    assert code == 0
    assert json.loads(out)["parameters"]["a"] == 0.5
    assert json.loads(out)["parameters"]["window"] == "all"
    code, out, err = run("analyse", "abc", log, "--a", "7")
    assert (code, out) == (2, "")
    assert "between" in err
    code, _, err = run("analyse", "abc", log, "--window", "soon")
    assert code == 2
    assert "months" in err


def test_as_of_is_half_open_and_shown(run, log):
    code, out, _ = run("analyse", "abc", log, "--as-of", "2024-01-01", "--format", "json")
    assert code == 0
    assert json.loads(out)["as_of"] == "2024-01-01"
    german = run("analyse", "abc", log, "--as-of", "01.01.2024", "--format", "json")[1]
    assert json.loads(german)["figures"] == json.loads(out)["figures"]
    assert run("analyse", "abc", log, "--as-of", "yesterday")[0] == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("analyse", "abd", "x.csv"), "did you mean abc"),
        (("analyze", "abc", "x.csv"), "did you mean analyse"),
        (("analyse", "abc", "nothing.csv"), "does not exist"),
        (("analyse", "abc"), "Missing argument"),
        (("report", "x.csv", "-o", "report.docx"), ".html"),
        (("analyse", "abc", "x.csv", "--map", "umsatz"), "TABLE.COLUMN"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(run, args, said):
    code, out, err = run(*args)
    assert code == 2
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err


def test_an_unusable_file_is_one_line_and_exit_code_two(run, tmp_path):
    (tmp_path / "junk.xlsx").write_bytes(bytes(range(256)) * 40)
    code, out, err = run("analyse", "abc", "junk.xlsx")
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1


def test_a_missing_column_says_what_to_bring(run, two):
    code, _, err = run("analyse", "cohorts", two)
    assert code == 2
    assert "order_line.order_date" in err
    assert "--map" in err


def test_check_as_json(run, log):
    code, out, _ = run("check", log, "--format", "json")
    assert code == 0
    told = json.loads(out)
    line = told["tables"]["order_line"]
    assert line["columns"] == {"customer_id": "customer", "order_date": "date", "net_amount": "amount"}
    assert (line["file"], line["rows"], line["accepted"], line["rejected"]) == ("orders.csv", 300, 300, 0)
    assert "abc" in told["unlocks"]
    assert told["rejections"] == []


def test_check_lists_rejected_rows_with_place_reason_and_hint(run, tmp_path):
    rows = "Kunde;Datum;Betrag\nA;01.02.2024;10,50\nB;31.02.2024;20,00\n;03.02.2024;1,00\n"
    rows += "C;04.02.2024;abc\nD;05.02.2024;7,00\n"
    (tmp_path / "dirty.csv").write_text(rows, encoding="utf-8")
    code, out, _ = run("check", "dirty.csv", "--format", "json")
    assert code == 0
    told = json.loads(out)
    assert [(r["line"], r["column"], r["value"]) for r in told["rejections"]] == [
        (3, "Datum", "31.02.2024"), (4, "Kunde", ""), (5, "Betrag", "abc"),
    ]  # fmt: skip
    assert all(r["reason"] and r["hint"] and r["file"] == "dirty.csv" for r in told["rejections"])
    figures = json.loads(run("analyse", "abc", "dirty.csv", "--format", "json")[1])["figures"]
    assert figures["signed_total"] == 17.5


def test_map_names_a_column_that_was_not_recognised(run, tmp_path):
    (tmp_path / "odd.csv").write_text("foo;bar;baz\nA;x;10\nB;y;20\n", encoding="utf-8")
    code, out, _ = run(
        "analyse", "abc", "odd.csv", "--map", "order_line.customer_id=bar", "--map", "order_line.net_amount=baz",
        "--format", "json",
    )  # fmt: skip
    assert code == 0
    assert [r[0] for r in json.loads(out)["tables"]["customers"]["rows"]] == ["y", "x"]
    code, _, err = run("analyse", "abc", "odd.csv", "--map", "order_line.net_amount=bax")
    assert code == 2
    assert "did you mean" in err


def test_a_mapping_is_saved_and_reused(run, tmp_path):
    (tmp_path / "odd.csv").write_text("foo;bar;baz\nA;x;10\nB;y;20\n", encoding="utf-8")
    (tmp_path / "odd2.csv").write_text("baz;foo;bar\n5;A;x\n6;B;z\n", encoding="utf-8")
    maps = ("--map", "order_line.customer_id=bar", "--map", "order_line.net_amount=baz")
    assert run("analyse", "abc", "odd.csv", *maps, "--save-template", "t.json", "--format", "json")[0] == 0
    code, out, _ = run("analyse", "abc", "odd2.csv", "--template", "t.json", "--format", "json")
    assert code == 0
    assert [r[0] for r in json.loads(out)["tables"]["customers"]["rows"]] == ["z", "x"]


def test_files_are_written_in_every_format(run, log, tmp_path):
    for ending in ("json", "csv", "parquet", "xlsx"):
        code, out, _ = run("analyse", "abc", log, "-o", f"abc.{ending}")
        assert (code, out) == (0, "")
        assert (tmp_path / f"abc.{ending}").stat().st_size > 100
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "abc.parquet").num_rows == 9
    assert run("analyse", "abc", log, "--format", "parquet")[0] == 2


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "html"])
def test_charts_are_written(run, log, tmp_path, ending):
    code, _, err = run("analyse", "abc", log, "--chart", f"c.{ending}")
    assert (code, err) == (0, "")
    assert (tmp_path / f"c.{ending}").stat().st_size > 1000


def test_german_and_english_say_the_same_numbers(run, log):
    english = run("analyse", "abc", log, "--lang", "en")[1]
    german = run("analyse", "abc", log, "--lang", "de")[1]
    assert "customers bring" in english
    assert "Kunden" in german
    assert "customers" not in german.replace("--table", "")


def test_report_in_three_forms(run, log, tmp_path):
    for ending in ("html", "pdf", "xlsx"):
        code, _, err = run("report", log, "-o", f"r.{ending}", "--lang", "de")
        assert (code, err) == (0, "")
        assert (tmp_path / f"r.{ending}").stat().st_size > 10_000
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<html lang="de"' in page


def test_the_catalogue(run, two):
    code, out, _ = run("analyses")
    assert code == 0
    assert "abc" in out
    code, out, _ = run("analyses", "--for", two)
    assert code == 0
    assert "order_line.order_date" in out.replace("\n", "") or "date" in out


def test_help_is_fast_and_imports_nothing_heavy():
    """Not a timing: the modules that would make it slow are not loaded."""
    code = (
        "import sys; sys.argv=['klientel','--help']\n"
        "from klientel import cli\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "heavy={'ibis','duckdb','pandas','altair','scipy','pyarrow','numpy','rich','typst'}&set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "analyse" in done.stdout


def test_every_command_has_help_in_german(run):
    for command in ("analyse", "check", "analyses", "report", "demo"):
        code, out, _ = run(command, "--help", "--lang", "de")
        assert code == 0
        assert out


def test_interrupting_ends_quietly_and_leaves_no_files(tmp_path):
    """Ctrl+C in the middle: exit code 130, one line, the scratch folder gone."""
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("customer,date,amount\n")
        block = "".join(f"C{i % 999},2024-0{1 + i % 9}-1{i % 9},{i % 500}.50\n" for i in range(20_000))
        for _ in range(50):
            file.write(block)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    env = {**os.environ, "TMPDIR": str(scratch), "KLIENTEL_LANG": "en"}
    command = [str(Path(sys.executable).parent / "klientel"), "analyse", "abc", str(path)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not any(scratch.iterdir()) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(2)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert err.strip() == "klientel: Interrupted."
    assert [str(p) for p in scratch.rglob("*")] == []
