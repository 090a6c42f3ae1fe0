"""Analyses over the API: the same JSON as on the command line, typed parameters, tables as pages and files."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from klientel.analyses import ANALYSES

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KLIENTEL_TEST_POSTGRES")), reason="the demo makes SQLite workspaces only"
)
DAY = "2024-10-01"


def _quiet(*_: Any) -> None:
    pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The workspace of a small simulated firm."""
    from django.db import connections

    from klientel.demo import simulate, write
    from klientel.web import showcase

    place = tmp_path_factory.mktemp("demo")
    write(simulate(seed=4, customers=60, years=2), place / "files", "en")
    showcase.make(
        simulate(seed=4, customers=60, years=2), place / "workspace", place / "files", "en",
        datetime(2025, 3, 3, tzinfo=UTC), _quiet,
    )  # fmt: skip
    yield place / "workspace"
    connections.close_all()


@pytest.fixture
def home(made: Path) -> Any:
    """In place of a blank workspace."""
    from klientel.web import home as homes

    return homes.find(made)


@pytest.fixture
def boss(program: Any) -> Any:
    return program()


@pytest.fixture(scope="module")
def book(made: Path) -> Any:
    import klientel

    return klientel.open_book(made, as_of=DAY)


@pytest.mark.slow
@pytest.mark.parametrize("name", ANALYSES)
def test_every_analysis_answers_as_the_library_does(boss: Any, book: Any, name: str) -> None:
    """Exactly: parameters, figures, tables, quality and the ways to get it again."""
    import klientel

    found = boss.get(f"/analyses/{name}?as_of={DAY}")
    assert found.status_code == 200, found.content
    told, wanted = found.json(), json.loads(json.dumps(klientel.analyse(book, name).to_dict("en")))
    assert bool(told["reproduce"].pop("sql")) == bool(
        wanted["reproduce"].pop("sql")
    )  # it names views at random
    assert told == wanted


def test_the_command_line_says_the_same(boss: Any, made: Path) -> None:
    """`klientel analyse --format json`, with a parameter and in German."""
    from click.testing import CliRunner

    from klientel.cli import cli

    told = CliRunner().invoke(
        cli, ["analyse", "abc", str(made), "--as-of", DAY, "--a", "0.7", "--format", "json", "--lang", "de"]
    )
    assert told.exit_code == 0, told.output
    asked = boss.get(f"/analyses/abc?as_of={DAY}&a=0.7", accept_language="de")
    assert asked.json() == json.loads(told.stdout)


def test_the_catalogue_tells_what_is_locked_and_why(boss: Any, program: Any) -> None:
    """All analyses, in the reader's language; what is missing for one's own customers."""
    found = boss.get(f"/analyses?as_of={DAY}", accept_language="de").json()["items"]
    assert [a["name"] for a in found] == list(ANALYSES)
    abc = found[0]
    assert abc["title"] == "ABC-Analyse"
    assert {p["name"] for p in abc["parameters"]} == {p.name for p in ANALYSES["abc"].params}
    assert abc["missing"] is None
    assert abc["missing_columns"] == []
    assert program("new", role=None).get("/analyses").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("a=2", "a"), ("a=much", "a"), ("value=profit", "value"), ("window=0", "window"), ("windw=3", "windw"),
        ("as_of=0001-01-01", "as_of"), ("as_of=01.02.2024", "as_of"), ("currency=euro", "currency"),
        ("scope=everybody", "scope"), ("level=planet", "level"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(boss: Any, query: str, field: str) -> None:
    """400 with the parameter, before anything is computed."""
    found = boss.get(f"/analyses/abc?{query}")
    assert (found.status_code, found.json()["field"]) == (400, field)


def test_what_only_the_analysis_knows_is_told_too(boss: Any) -> None:
    """a above b; a part that there is not."""
    assert boss.get(f"/analyses/abc?as_of={DAY}&a=0.9&b=0.5").status_code == 400
    assert boss.get("/analyses/abc?scope=team:999").status_code == 400
    assert boss.get("/analyses/nothing").status_code == 404


def test_a_part_of_the_customers_can_be_asked(boss: Any) -> None:
    """Of one sales person there are fewer than of all."""
    rep = boss.items("/reps?limit=1&sort=id")[0]["number"]
    whole = boss.get(f"/analyses/abc?as_of={DAY}").json()
    part = boss.get(f"/analyses/abc?as_of={DAY}&scope=rep:{rep}").json()
    assert 0 < len(part["tables"]["customers"]["rows"]) < len(whole["tables"]["customers"]["rows"])


def test_tables_come_page_by_page(boss: Any, firm: Any) -> None:
    """All rows once; a cursor of an older state says so."""
    whole = boss.get(f"/analyses/abc?as_of={DAY}").json()["tables"]["customers"]
    seen, cursor = [], ""
    while cursor is not None:
        page = boss.get(f"/analyses/abc/tables/customers?as_of={DAY}&limit=7{cursor}").json()
        seen += page["rows"]
        assert page["total"] == len(whole["rows"])
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert seen == whole["rows"]
    assert page["columns"] == whole["columns"]
    first = boss.get(f"/analyses/abc/tables/customers?as_of={DAY}&limit=7").json()["next"]
    assert boss.get(f"/analyses/abc/tables/customers?as_of={DAY}&a=0.7&cursor={first}").status_code == 400
    assert boss.get(f"/analyses/abc/tables/nothing?as_of={DAY}").status_code == 404
    firm("Another")
    late = boss.get(f"/analyses/abc/tables/customers?as_of={DAY}&limit=7&cursor={first}")
    assert (late.status_code, late.json()["type"]) == (409, "urn:klientel:problem:outdated")


def test_a_cursor_belongs_to_the_answer_that_it_goes_on_with(
    boss: Any, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of another answer would come twice or not at all: of other rights, of another day."""
    from datetime import date, timedelta

    from klientel.web.accounts import services
    from klientel.web.pages import shell

    def further(who: Any, path: str) -> int:
        return int(who.get(f"{path}&cursor={cursor}").status_code)

    rep = boss.items("/reps?limit=1&sort=id")[0]
    seller = program("seller", role="sales", rep=rep["number"])
    path = f"/analyses/abc/tables/customers?as_of={DAY}&limit=2"
    cursor = seller.get(path).json()["next"]
    assert further(seller, path) == 200
    services.edit_user(None, seller.user, shell.now(), grants={"read": "all"})
    assert further(seller, path) == 409
    today = "/analyses/abc/tables/customers?limit=2"
    cursor = boss.get(today).json()["next"]
    monkeypatch.setattr(shell, "today", lambda: date(2026, 6, 15) + timedelta(days=1))
    assert further(boss, today) == 409


@pytest.mark.parametrize(
    ("form", "accept"),
    [
        ("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet"),
        ("arrow", "application/json;q=0.5, application/vnd.apache.arrow.stream"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)  # fmt: skip
def test_tables_come_as_files(boss: Any, form: str, accept: str) -> None:
    """By `format=` and by Accept, with the same rows as in JSON."""
    import csv

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = boss.get(f"/analyses/abc?as_of={DAY}").json()["tables"]["customers"]["rows"]
    asked = boss.get(f"/analyses/abc/tables/customers?as_of={DAY}", accept=accept)
    assert asked["Content-Type"] == accept.split(", ")[-1]
    assert asked["Content-Disposition"].endswith(f'.{form}"')
    named = boss.get(f"/analyses/abc/tables/customers?as_of={DAY}&format={form}")
    content = named.content
    match form:
        case "csv":
            first = [r[0] for r in csv.reader(io.StringIO(content.decode()))][1:]
        case "parquet":
            first = pq.read_table(io.BytesIO(content)).column(0).to_pylist()
        case "arrow":
            first = pa.ipc.open_stream(content).read_all().column(0).to_pylist()
        case _:
            import openpyxl

            sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[1]
            first = [r[0] for r in sheet.iter_rows(min_row=2, max_row=len(rows) + 1, values_only=True)]
    assert first == [r[0] for r in rows]


def test_charts_come_as_pictures(boss: Any) -> None:
    """SVG by default, PNG where asked."""
    drawn = boss.get(f"/analyses/abc/charts/pareto?as_of={DAY}")
    assert drawn["Content-Type"] == "image/svg+xml"
    assert drawn.content.startswith(b"<svg")
    png = boss.get(f"/analyses/abc/charts/pareto?as_of={DAY}", accept="image/png")
    assert png.content.startswith(b"\x89PNG")
    assert boss.get(f"/analyses/abc/charts/nothing?as_of={DAY}").status_code == 404


def test_files_take_the_right_to_export(boss: Any, program: Any, holder: Any) -> None:
    """A reader sees the answer and takes no file; nor does a token without that scope."""
    reader = program("looker", role="reader")
    path = f"/analyses/abc/tables/customers?as_of={DAY}"
    assert reader.get(path).status_code == 200
    for form in ("csv", "parquet", "arrow", "xlsx"):
        assert reader.get(f"{path}&format={form}").status_code == 403
        assert holder(boss, "read").get(f"{path}&format={form}").status_code == 403
    assert holder(boss, "read", "export").get(f"{path}&format=csv").status_code == 200
