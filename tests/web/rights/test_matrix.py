"""Role x object x channel: every service there is, found by itself, for everybody of the cast.

A new function with an `actor` fails here until somebody says what it needs; a new module without one until somebody
says that it only works inside others.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from services_of_rights import AT, INNER, PREFIX, USERS, WITHOUT, Target, services

from klientel.errors import KlientelError, NotAllowed
from klientel.web.rights import access, visible


def _found() -> dict[str, list[str]]:
    """Module -> public functions with an actor, of everything below klientel.web."""
    import klientel.web

    modules = {}
    for info in pkgutil.walk_packages(klientel.web.__path__, PREFIX):
        if ".migrations" in info.name or info.name == "klientel.web.wsgi":  # which serves, when it is loaded
            continue
        module = importlib.import_module(info.name)
        functions = [
            f for n, f in vars(module).items()
            if inspect.isfunction(f) and f.__module__ == info.name and not n.startswith("_")
        ]  # fmt: skip
        if functions:
            modules[info.name.removeprefix(PREFIX)] = [
                f.__name__ for f in functions if "actor" in inspect.signature(f).parameters
            ]
    return modules


def test_every_function_with_an_actor_is_in_the_matrix(people: Any) -> None:
    found = {f"{module}.{name}" for module, names in _found().items() for name in names}
    known = set(services()) | INNER
    assert found - known == set(), "say what it needs in _services, or why it asks nobody in INNER"
    assert known - found == set(), "these are gone"


def test_every_module_without_an_actor_is_known_to_need_none(people: Any) -> None:
    # Views of pages and API take requests: `test_every_address` and `web/api/test_rights_of_api` ask every one of them.
    found = {m for m, names in _found().items() if not names and not m.startswith(("pages.", "api."))}
    assert found - set(WITHOUT) == set(), "functions that touch records take an actor"


@pytest.fixture
def targets(own_people: Any) -> dict[str, Target]:
    """What belongs to Anna, to Ben, and to nobody of the cast's sales people."""
    from klientel.web.imports.models import Import
    from klientel.web.records import changes, deals, merging
    from klientel.web.records import models as m

    Import.objects.create(at=AT, state="done")
    made = {}
    for who, firm, other, third in (("anna", "K01", "K02", "K03"), ("ben", "K04", "K05", "K07")):
        a, b, c = (m.Company.objects.get(number=n) for n in (firm, other, third))
        rep = own_people.reps[who]
        changes.update(b, {"name": a.name}, None, "edit", AT)

        def new(model: Any, **values: Any) -> Any:
            return changes.create(model, values, None, "edit", AT)

        deal = new(
            m.Opportunity,
            company_id=a.pk,
            name="Deal",
            stage="new",
            rep_id=rep.pk,
            created_on=date(2024, 1, 1),
        )
        closed = new(
            m.Opportunity,
            company_id=a.pk,
            name="Old",
            stage="new",
            rep_id=rep.pk,
            created_on=date(2024, 1, 1),
        )
        deals.close(closed, "lost", loss_reason="price", on=date(2024, 6, 1), at=AT)
        portfolio = new(m.Portfolio, name=f"P {who}", owner_id=rep.pk)
        act = merging.merge(a, [c], at=AT)
        contact = new(m.Contact, company_id=a.pk, name=f"Contact of {who}", email=f"{who}@example.com")
        made[who] = Target(
            own_people.home, a, b, contact,
            deal, closed, new(m.Lead, name=f"Lead {who}", rep_id=rep.pk), new(m.Task, company_id=a.pk, title="Call"),
            own_people.users[who], portfolio, new(m.Membership, company_id=a.pk, portfolio_id=portfolio.pk), act,
            new(m.SavedView, kind="companies", name=f"V {who}", shared=True, owner_id=own_people.users[who].pk),
        )  # fmt: skip
    return made


def test_each_service_asks_and_answers_right_for_each_of_the_cast(
    targets: dict[str, Target], own_people: Any
) -> None:
    from django.db import transaction

    class Back(Exception):
        pass

    wrong = []
    for name, (needs, call) in services().items():
        for who in USERS:
            user = own_people.users[who]
            for owner, target in targets.items():
                for record in (
                    target.firm,
                    target.other,
                    target.contact,
                    target.deal,
                    target.closed,
                    target.lead,
                    target.task,
                ):
                    record.refresh_from_db()
                wanted = needs(user, target)
                try:
                    with transaction.atomic():
                        try:
                            call(user, target)
                            allowed = True
                        except NotAllowed:
                            allowed = False
                        except (KlientelError, OSError):
                            allowed = (
                                True  # the question was answered before: something else is wrong with it
                            )
                        raise Back
                except Back:
                    pass
                if allowed:  # the database is as before; what was read into the records is not
                    for record in target.records():
                        record.refresh_from_db()
                if allowed is not wanted:
                    wrong.append(
                        f"{name}: {who} with what is {owner}'s: {'allowed' if allowed else 'refused'}"
                    )
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_record_in_every_channel_for_each_of_the_cast(
    targets: dict[str, Target], own_people: Any
) -> None:
    """Lists, single records, exports and changes agree about every record with every person."""
    from django.apps import apps

    from klientel.web.rights import demand, rows, shown

    for model in apps.get_app_config("records").get_models():
        for who in USERS:
            user = own_people.users[who]
            everything = list(model._base_manager.all()[:6])
            for action in ("read", "export"):
                listed = set(visible(model._base_manager.all(), user, action).values_list("pk", flat=True))
                assert {
                    r[model._meta.pk.attname] for r in rows(model._base_manager.all(), user, action)
                } == listed
                for record in everything:
                    assert _answered(lambda: shown(record, user, action)) is (record.pk in listed)  # noqa: B023 - called at once
            writable = set(visible(model._base_manager.all(), user, "write").values_list("pk", flat=True))
            for record in everything:
                assert _answered(lambda: demand(user, "write", record)) is (record.pk in writable)  # noqa: B023 - called at once


def _answered(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except NotAllowed:
        return False
    return True


def _each_gets_an_answer_of_ones_own(own_people: Any) -> None:
    """Asked in turns, and again, when answers of all of them are kept: nobody gets somebody else's."""
    from klientel.analyses import ANALYSES
    from klientel.web import results

    # 2024, by hand: Anna 6,000 + 1,000 + 800 + 200; Ben 500 + 500 + 400 - 300 + 0; nobody's partner counts.
    wanted = {"ada": 9100, "anna": 8000, "cem": 0, "ben": 1100, "lena": 9100, "dora": 9100}
    for who in (*wanted, *wanted, *reversed(wanted)):
        user = own_people.users[who]
        found = results.answer(own_people.home, ANALYSES["abc"], actor=user, as_of=date(2025, 1, 1))
        assert found.figures["signed_total"] == wanted[who], who
        seen = access(user).numbers("read")
        told = set(found.tables["customers"].to_pyarrow()["customer_id"].to_pylist())
        assert seen is None or told <= set(seen)


def test_reports_and_the_command_line_hold_only_what_the_person_may_see(
    own_people: Any, tmp_path: Path
) -> None:
    """Analyses as JSON, CSV and text, the report as HTML and workbook, check: for Anna, Cem, and without a right."""
    import csv

    from click.testing import CliRunner

    import cast
    from klientel.cli import cli
    from klientel.web.imports import importing
    from klientel.web.records.models import Company

    for name, rows in (("orders", cast.LINES), ("customers", cast.CUSTOMERS)):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    files = [tmp_path / "orders.csv", tmp_path / "customers.csv"]
    importing.run(own_people.home, files, progress=lambda *_: None, now=AT)
    place = str(own_people.home.folder)
    names = {c.number: c.name for c in Company.objects.all()}
    _each_gets_an_answer_of_ones_own(own_people)

    def told(*args: str) -> Any:
        answered = CliRunner().invoke(cli, [*args, "--as-of", "2025-01-01"])
        assert answered.exception is None or isinstance(answered.exception, NotAllowed), answered.exception
        return answered

    for who in ("anna", "cem"):
        own = access(own_people.users[who]).numbers("read") or frozenset()
        foreign = [names[n] for n in names if n not in own]
        texts = [
            told("analyse", "abc", place, "--as", who, "--format", form).output
            for form in ("text", "json", "csv")
        ]
        texts.append(told("analyse", "movement", place, "--as", who, "--format", "json").output)
        texts.append(told("check", place, "--as", who, "--format", "json").output)
        out = tmp_path / f"{who}.html"
        made = told("report", place, "--as", who, "-o", str(out))
        if who == "anna":
            assert made.exit_code == 0, (made.output, made.exception)
        if out.exists():
            texts.append(out.read_text(encoding="utf-8"))
        for text in texts:
            assert [n for n in foreign if n in text] == []
        if who == "anna":
            assert "Giant AG" in texts[0]
            assert "Giant AG" in texts[-1]
    for who, args in (
        ("ben", ("analyse", "abc", place, "--format", "csv")),
        ("ben", ("analyse", "abc", place, "-o", str(tmp_path / "x.json"))),
        ("ben", ("report", place, "-o", str(tmp_path / "x.html"))),
        ("new", ("analyse", "abc", place)),
        ("gone", ("check", place)),
    ):
        refused = told(*args, "--as", who)
        assert isinstance(refused.exception, NotAllowed), (who, args, refused.output)
    assert not (tmp_path / "x.html").exists()
    assert not (tmp_path / "x.json").exists()
