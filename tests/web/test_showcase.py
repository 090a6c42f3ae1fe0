"""The workspace of the demo: everything of the firm is in it, and everybody sees their own customers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from klientel.demo import Firm, simulate, write
from klientel.demo.settings import AS_OF
from klientel.errors import BadParameter
from klientel.ingest.opening import open_book

NOW = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
# One database for all tests: the demo leaves a database of its own alone.
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KLIENTEL_TEST_POSTGRES")), reason="the demo makes SQLite workspaces only"
)


def quiet(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def firm() -> Firm:
    return simulate(seed=4, customers=150, years=2)


@pytest.fixture(scope="module")
def made(firm: Firm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from django.db import connections

    from klientel.web import showcase

    place = tmp_path_factory.mktemp("demo")
    write(firm, place / "files", "de")
    showcase.make(firm, place / "workspace", place / "files", "de", NOW, quiet)
    yield place
    connections.close_all()


@pytest.fixture
def home(made: Path) -> Any:
    from klientel.web import home as homes

    return homes.find(made / "workspace")


def revenue(book: Any) -> Decimal:
    if "lines" not in book.tables:
        return Decimal(0)
    return Decimal(str(book.purchases.revenue.sum().execute() or 0))


def test_every_record_is_there(firm: Firm, home: Any) -> None:
    from klientel.web.records.models import CANONICAL

    tables = firm.tables()
    for name, model in CANONICAL.items():
        if name == "product_group":
            continue  # the files name groups, they do not list them
        if name == "customer":
            assert model.objects.filter(source="").count() == tables[name].num_rows
        else:
            assert model.objects.count() == tables[name].num_rows, name


def test_the_numbers_are_those_of_the_files(firm: Firm, home: Any, made: Path) -> None:
    from klientel.web.books import open_book as of_workspace

    book, files = of_workspace(home), open_book(str(made / "files"))
    assert book.as_of == files.as_of == firm.as_of
    assert revenue(book) == revenue(files)
    assert abs(revenue(book) - firm.truth.revenue) < Decimal("0.05")
    assert book.status_counts() == files.status_counts()


def test_everybody_sees_their_own(firm: Firm, home: Any) -> None:
    """The sums of the sellers are the whole; who leads sees the team, the head all, the guest nothing."""
    from klientel.web.accounts.models import User
    from klientel.web.books import open_book as of_workspace
    from klientel.web.records.models import Rep

    whole = revenue(of_workspace(home))
    own = {r.number: revenue(of_workspace(home, actor=r.user)) for r in Rep.objects.all()}
    leads = {r["rep_id"] for r in firm.reps.to_pylist() if not r["reports_to"]}
    teams: dict[str, set[str]] = {}
    for row in firm.reps.to_pylist():
        teams.setdefault(row["reports_to"] or row["rep_id"], set()).add(row["rep_id"])
    owners = dict(zip(*(firm.customers[c].to_pylist() for c in ("customer_id", "owner_rep_id")), strict=True))
    sums: dict[str, Decimal] = {}
    for row in firm.truth.customers.to_pylist():
        owner = owners[
            row["merged_into"] or row["customer_id"]
        ]  # a successor carries what it took over (G11)
        sums[owner] = sums.get(owner, Decimal(0)) + row["revenue"]
    for number, seen in own.items():
        reach = teams[number] if number in leads else {number}
        assert abs(seen - sum(sums.get(r, Decimal(0)) for r in reach)) < Decimal("0.05"), number
    assert 0 < own["V12"] < own["V11"] < whole
    assert revenue(of_workspace(home, actor=User.objects.get(username="vertriebsleitung"))) == whole
    guest = of_workspace(home, actor=User.objects.get(username="gast"), lenient=True)
    assert revenue(guest) == 0
    assert all(t.count().execute() == 0 for n, t in guest.tables.items() if n in ("customer", "contact"))


def test_teams_report_to_one_head(firm: Firm, home: Any) -> None:
    from klientel.web import showcase
    from klientel.web.accounts.models import Team, User

    above = Team.objects.get(name="Vertrieb")
    assert {t.name for t in Team.objects.filter(parent=above)} == {
        "Team Nord", "Team Süd", "Team Großkunden und Ausland"
    }  # fmt: skip
    assert User.objects.count() == firm.reps.num_rows + 3
    assert User.objects.get(is_superuser=True).username == showcase.ADMINISTRATOR
    assert not any(u.has_usable_password() for u in User.objects.all())


def test_portfolios_by_rule_and_by_hand(firm: Firm, home: Any) -> None:
    from klientel.web import portfolios
    from klientel.web.books import open_book as of_workspace
    from klientel.web.records.models import Portfolio

    book = of_workspace(home)
    truth = firm.truth.customers.to_pylist()
    hand = Portfolio.objects.get(name="Schlüsselkunden")
    found = {m.number for m in portfolios.members(book, hand)}
    active = {r["customer_id"] for r in truth if r["key_account"] and r["alive"]}
    assert active <= found <= {r["customer_id"] for r in truth if r["key_account"]}
    assert Portfolio.objects.count() == firm.reps.num_rows + 1
    v12 = Portfolio.objects.get(owner__number="V12")
    assert 0 < len(portfolios.members(book, v12)) < len(truth)


def test_owners_as_they_were(firm: Firm, home: Any) -> None:
    from klientel.web.books import open_book as of_workspace

    changes = firm.tables()["customer_attribute_hist"].to_pylist()
    assert changes
    today = owner_of(of_workspace(home))
    for change in changes:
        day = change["valid_from"]
        assert today[change["customer_id"]] == change["value"]
        assert owner_of(of_workspace(home, as_of=day))[change["customer_id"]] == change["before"]
        after = owner_of(of_workspace(home, as_of=day + timedelta(days=1)))
        assert after[change["customer_id"]] == change["value"]


def owner_of(book: Any) -> dict[str, str]:
    table = book.tables["customer"].select("customer_id", "owner_rep_id").to_pyarrow()
    return dict(zip(*(table[c].to_pylist() for c in ("customer_id", "owner_rep_id")), strict=True))


@pytest.mark.slow
def test_again_it_stays_another_replaces_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    from klientel.web import showcase

    place = tmp_path / "workspace"

    def run(seed: int, customers: int, as_of: date = AS_OF) -> None:
        made = simulate(seed=seed, customers=customers, years=1, as_of=as_of)
        write(made, tmp_path / "files", "en")
        showcase.make(made, place, tmp_path / "files", "en", NOW, quiet)

    run(1, 30)
    from klientel.web.records.models import Company

    Company.objects.filter(number="100001").update(segment="edited")
    run(1, 30)
    assert Company.objects.get(number="100001").segment == "edited"
    run(2, 30)
    assert Company.objects.get(number="100001").segment == ""
    # One that was cut off before it was whole is made anew.
    mark = tmp_path / showcase.MADE_BY
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "whole": False}))
    Company.objects.filter(number="100001").update(segment="edited")
    run(2, 30)
    assert Company.objects.get(number="100001").segment == ""
    # So is one whose data end on another day; what is there already can be asked for before.
    assert showcase.ends(place, 2, 30, "en") == AS_OF
    assert showcase.ends(place, 1, 30, "en") is None
    assert showcase.ends(tmp_path / "elsewhere" / "workspace", 2, 30, "en") is None
    without = {k: v for k, v in json.loads(mark.read_text()).items() if k != "as_of"}
    mark.write_text(json.dumps(without))  # as marks were when every firm ended on the same day
    assert showcase.ends(place, 2, 30, "en") == AS_OF
    Company.objects.filter(number="100001").update(segment="edited")
    run(2, 30)
    assert Company.objects.get(number="100001").segment == "edited"
    monkeypatch.setattr("klientel.web.home.init", _stop)
    with pytest.raises(InterruptedError):
        run(2, 30, date(2025, 3, 1))
    assert not place.exists()
    connections.close_all()


def _stop(*_: Any, **__: Any) -> None:
    raise InterruptedError


@pytest.mark.parametrize("day", [None, 7, "soon"])
def test_a_mark_without_a_day_that_can_be_read_is_none(tmp_path: Path, day: Any) -> None:
    from klientel.web import showcase

    told = {"seed": 1, "customers": 30, "lang": "en", "whole": True, "as_of": day}
    (tmp_path / showcase.MADE_BY).write_text(json.dumps(told))
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "workspace.json").write_text("{}")
    assert showcase.ends(tmp_path / "workspace", 1, 30, "en") is None


def test_every_seller_has_something_to_do(firm: Firm, home: Any) -> None:
    """For open deals and contracts of own customers; the data ended five months ago, so does what is to be done."""
    from klientel.web.records.models import Task

    tasks = list(Task.present.select_related("rep", "company__owner", "opportunity").order_by("due_on", "pk"))
    assert len({t.rep.number for t in tasks}) >= 6
    assert all(t.done_on is None and t.company.owner == t.rep for t in tasks)
    deals = [t.opportunity for t in tasks if t.opportunity]
    assert deals
    assert {d.outcome for d in deals} == {"open"}
    ends = {r["contract_id"]: r["end"] for r in firm.contracts.to_pylist() if r["status"] == "running"}
    renewals = [t for t in tasks if t.opportunity is None]
    assert renewals
    for task in renewals:
        assert task.due_on < ends[task.title.split()[3]]
    late = [t for t in tasks if t.due_on < AS_OF]
    assert 0 < len(late) <= 5
    assert all(AS_OF - timedelta(days=14) < t.due_on < AS_OF + timedelta(days=60) for t in tasks)
    assert all(t.due_on.weekday() < 5 for t in tasks)


@pytest.mark.parametrize(
    ("made", "about"),
    [
        (date(2026, 11, 1), date(2026, 11, 1)),
        (date(2026, 11, 24), date(2026, 11, 24)),
        (date(2026, 12, 1), date(2026, 12, 1)),
        (date(2026, 12, 2), date(2026, 11, 1)),
        (date(2026, 10, 31), date(2026, 11, 1)),
    ],
)
def test_tasks_are_about_the_day_of_making_in_the_month_after_the_data(made: date, about: date) -> None:
    from klientel.web import showcase

    firm = simulate(seed=1, customers=20, years=1, as_of=date(2026, 11, 1))
    at = datetime(made.year, made.month, made.day, 9, tzinfo=UTC)
    assert showcase._about(firm, at) == about


@pytest.mark.parametrize("note", [None, "{}", "no json", '["seed"]'])
def test_what_is_not_the_demos_is_left_alone(firm: Firm, tmp_path: Path, note: str | None) -> None:
    from klientel.web import showcase

    place = tmp_path / "workspace"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    if note is not None:
        (tmp_path / showcase.MADE_BY).write_text(note)
    with pytest.raises(BadParameter, match="not a workspace of the demo"):
        showcase.make(firm, place, tmp_path, "en", NOW, quiet)
    assert (place / "mine.txt").read_text() == "mine"


@pytest.mark.slow
def test_without_the_web_part_there_are_files_and_a_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import importlib.util

    from click.testing import CliRunner

    from klientel.cli import cli

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "django" else real(name, *a)
    )
    done = CliRunner().invoke(
        cli, ["demo", str(tmp_path / "d"), "--customers", "20", "--as-of", "2024-10-01", "--lang", "de"]
    )
    assert done.exit_code == 0, done.output
    assert "klientel[web]" in done.output
    assert (tmp_path / "d" / "report.html").exists()


def test_a_database_of_a_company_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from klientel.cli import cli
    from klientel.web import showcase

    monkeypatch.setenv("KLIENTEL_DATABASE", "postgres://nobody@nowhere/none")
    assert showcase.elsewhere()
    done = CliRunner().invoke(
        cli, ["demo", str(tmp_path / "d"), "--customers", "20", "--as-of", "2024-10-01", "--lang", "en"]
    )
    assert done.exit_code == 0, done.output
    assert "No workspace" in done.output
    assert (tmp_path / "d" / "report.html").exists()
    assert not (tmp_path / "d" / "workspace").exists()
