"""Every address of the pages, found by itself: strangers get nowhere, who may see nothing sees nothing, nothing breaks.

A new address with a new kind of argument fails here until `fillings` says what to put in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

# Open to strangers, each with the reason; everything else sends them to the door.
PUBLIC = {
    "theme": "colours",
    "people:sign-in": "the door",
    "people:language": "the door in one's language",
    "inbound:stamp": "a form on the firm's own site, before it is sent",
    "inbound:form": "the form on the firm's own site",
    "people:passkey-question": "the door by passkey",
    "people:passkey-sign-in": "the door by passkey",
    "people:forgotten": "the door for who forgot",
    "people:second-factor": "the door's second step",
    "people:provider": "the door by a provider",
    "people:provider-back": "the way back from there",
    "people:welcome": "the first administrator; holds a secret",
    "people:enter": "a link that signs in; holds a secret",
    "people:accept": "an invitation; holds a secret",
}
# Not asked with POST: they would end the session that asks.
ENDING = {"people:sign-out"}
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)


def walk(resolver: Any, prefix: str = "", space: str = "") -> Iterator[tuple[str, str, tuple[str, ...], Any]]:
    """(name, route, names of arguments, view) of every address below a resolver."""
    from django.urls import URLResolver

    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name or route}", route, tuple(entry.pattern.converters), entry.callback


def addresses() -> list[tuple[str, str, tuple[str, ...]]]:
    """(name, route, names of arguments) of every address."""
    from django.urls import get_resolver

    found = [
        (name, route, arguments)
        for name, route, arguments, _ in walk(get_resolver())
        if not route.startswith("api/")
    ]  # tests/web/api asks those
    return sorted(set(found))


ABSENT = 10**9
# Whose number stands in an address, by how its route begins; the first that fits counts.
NUMBERED = {
    "customers/": "records.Company",
    "contacts/": "records.Contact",
    "deals/": "records.Opportunity",
    "leads/": "records.Lead",
    "tasks/": "records.Task",
    "portfolios/": "records.Portfolio",
    "<folios:kind>/": "records.Portfolio",
    "<kind:kind>/views/": "records.SavedView",
    "people/teams/": "accounts.Team",
    "account/factors/": "accounts.Factor",
    "account/tokens/": "accounts.ApiToken",
    "lead-forms/": "inbound.LeadForm",
    "jobs/": "jobs.Job",
    "imports/": "imports.Import",
}


def numbers(route: str, kind: str) -> list[int]:
    """Numbers to put into a route: of something that is there, and of nothing."""
    from django.apps import apps

    from klientel.web.accounts.models import User
    from klientel.web.pages.records.kinds import KINDS

    if route.startswith("people/<"):  # somebody who may everything, and the person itself
        found = list(User.objects.filter(username__in=("boss", "nobody")).values_list("pk", flat=True))
        return [*found, ABSENT]
    label = next((model for start, model in NUMBERED.items() if route.startswith(start)), None)
    if label is None and kind not in KINDS:
        return [ABSENT]
    model: Any = apps.get_model(label) if label else KINDS[kind].model
    there = model._base_manager.order_by("pk").values_list("pk", flat=True).first()
    assert there is not None, f"`small_firm` needs one of {model}, for {route}"
    return [there, ABSENT]


def fillings(route: str, kind: str) -> dict[str, list[Any]]:
    """Argument -> what to put in: something that is there, and something that is not."""
    from klientel.web.accounts.models import ApiToken
    from klientel.web.inbound.models import LeadForm
    from klientel.web.pages import shell
    from klientel.web.records.models import Change, Company, Membership

    company = Company.present.order_by("pk").first()
    tokens: dict[str, Any] = {
        "forms/": LeadForm.objects.get().token,
        "imports/new/": next((shell.workspace().folder / "uploads").iterdir()).name,
        "people/<": ApiToken.objects.get().pk,
    }
    return {
        "pk": numbers(route, kind),
        "number": numbers(route, kind),
        "name": ["abc", "retention", "nothing"],
        "token": [next((one for start, one in tokens.items() if route.startswith(start)), "1"), "nothing"],
        "act": [Change.objects.exclude(act="").values_list("act", flat=True)[0], "nothing"],
        "first": [company.pk],
        "second": [company.pk + 1],
        "membership": [Membership.objects.order_by("pk").first().pk],
    }


def every_address() -> Iterator[tuple[str, str]]:
    """(name, path) with arguments filled in."""
    from klientel.web.pages.records.kinds import KINDS

    for name, route, arguments in addresses():
        kinds = (
            ["portfolios"] if "<folios:" in route else [*KINDS, "nothing"] if "kind" in arguments else [""]
        )
        for kind in kinds:
            held = {**fillings(route, kind), "kind": [kind]}
            missing = [a for a in arguments if a not in held]
            assert not missing, f"{name}: say in `fillings` what {missing} may be ({route})"
            for values in product(*(held[a] for a in arguments)):
                path = route
                for argument, value in zip(arguments, values, strict=True):
                    start, end = path.index("<"), path.index(">")
                    assert argument in path[start:end]
                    path = f"{path[:start]}{value}{path[end + 1 :]}"
                yield name, f"/{path}"


def furnish(home: Any) -> None:
    """What the simulated firm lacks, so that every address finds something: kinds without records, things of boss."""
    from klientel.web.accounts import factors, services, tokens
    from klientel.web.imports import drafts
    from klientel.web.inbound import services as inbound
    from klientel.web.jobs.models import Job
    from klientel.web.records import models as m
    from klientel.web.records import services as records

    services.add_user(None, "nobody", AT)
    boss = services.add_user(None, "boss", AT, role="administrator", language="de")
    company = m.Company.present.order_by("pk").first()
    records.add(m.Survey, {"number": "S1", "name": "Survey of the year"}, at=AT)
    task = records.add(m.Task, {"title": "Call them back soon", "company": company}, at=AT)
    records.done(task, at=AT, act="once")
    records.add(
        m.Note,
        {
            "text": "A note that is nobody's business",
            "company": company,
            "purpose": "service",
            "expires_on": AT.date() + timedelta(days=99),
        },
        at=AT,
    )
    records.add(m.CompetitorObservation, {"company": company, "competitor": "Rival & Rival"}, at=AT)
    m.SavedView.objects.create(kind="companies", name="A view of boss", owner=boss)
    secret = factors.new_secret()
    factors.add_app(boss, secret, factors.code_at(secret, int(AT.timestamp()) // 30), AT)
    tokens.make(boss, "Program of boss", ["read"], AT)
    inbound.create(boss, "A form", AT)
    Job.objects.create(kind="import", actor=boss, created_at=AT, started_at=AT, state="done", ended_at=AT)
    draft = drafts.new(home, boss)
    draft.place_for("orders.csv").write_text("customer,amount\nSecret Customer Ltd,12\n", encoding="utf-8")
    draft.save()


@pytest.fixture(scope="module")
def small_firm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a simulated firm with 20 customers, and a person without any right."""
    import os

    from django.db import connections

    if os.environ.get("KLIENTEL_TEST_POSTGRES") == "1":
        pytest.skip("the simulated firm leaves a database of its own alone; on SQLite only")
    from klientel.demo import simulate
    from klientel.demo import write as write_files
    from klientel.web import showcase

    folder = tmp_path_factory.mktemp("small")
    firm = simulate(seed=7, customers=20)
    write_files(firm, folder / "files", lang="en")
    showcase.make(firm, folder / "workspace", folder / "files", "en", AT, lambda *_: None)
    from klientel.web import home

    furnish(home.find(folder / "workspace"))
    connections.close_all()
    return folder / "workspace"


@pytest.fixture
def served_firm(small_firm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A copy of it, served."""
    from django.db import connections

    from klientel.web import home
    from klientel.web.pages import shell

    folder = tmp_path / "workspace"
    connections.close_all()
    shutil.copytree(small_firm, folder)
    monkeypatch.setenv("KLIENTEL_WORKSPACE", str(folder))
    shell._found.cache_clear()
    yield home.find(folder)
    shell._found.cache_clear()
    connections.close_all()


def client_of(name: str | None) -> Any:
    """A client of a person, or of a stranger."""
    from django.test import Client

    from klientel.web.accounts.models import User

    made = Client(headers={"host": "localhost"}, raise_request_exception=False)
    if name:
        made.force_login(User.objects.get(username=name))
    return made


def secrets_of_the_firm() -> list[str]:
    """Names that nobody without rights may read anywhere."""
    from klientel.web.records.models import Company, Contact, Opportunity

    names = set(Company.objects.values_list("name", flat=True))
    names |= set(Contact.objects.exclude(email="").values_list("email", flat=True))
    names |= set(Opportunity.objects.exclude(name="").values_list("name", flat=True))
    return sorted(n for n in names if len(n) > 6)


def text_of(answer: Any) -> str:
    """The body as text, streamed ones too."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode("utf-8", "replace")


def test_strangers_are_sent_to_the_door(served_firm: Any) -> None:
    """No address answers a stranger, with GET or POST, but those that say why."""
    stranger = client_of(None)
    open_to_all = set()
    for name, path in every_address():
        for answer in (stranger.get(path), stranger.post(path)):
            to_the_door = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in")
            if not to_the_door and answer.status_code not in (403, 404):
                open_to_all.add(name)
    assert open_to_all - {"people:sign-out"} <= set(PUBLIC)


def test_who_may_see_nothing_sees_nothing(served_firm: Any) -> None:
    """Every page, list, search and download of a person without rights is free of everybody's data."""
    hidden = secrets_of_the_firm()
    assert len(hidden) > 40
    nobody = client_of("nobody")
    leaks, broken = set(), []
    for name, path in every_address():
        for query in ("", f"?q={hidden[0][:5]}"):
            answer = nobody.get(path + query)
            text = text_of(answer)
            if answer.status_code >= 500:
                broken.append((path, answer.status_code))
            leaks |= {(name, word) for word in hidden if word in text}
    assert leaks == set()
    assert broken == []


OWN = ("accounts.User", "accounts.Session", "sessions.Session", "accounts.Attempts", "accounts.Event")


def everything(home: Any, own: int) -> dict[str, Any]:
    """All rows of all tables but sessions, counted attempts, the log of the door and the user `own`; all files
    but kept answers.
    """
    from django.apps import apps
    from django.db.models import Q

    found: dict[str, Any] = {}
    for model in apps.get_models():
        label, rows = model._meta.label, model._base_manager.order_by("pk")
        if label in OWN and label != "accounts.User":
            continue
        if label == "accounts.User":
            rows = rows.exclude(pk=own)
        if label == "records.Change":
            rows = rows.exclude(Q(model="accounts.User") & Q(object_id=own))
        found[label] = list(rows.values())
    for file in sorted(home.folder.rglob("*")):
        place = file.relative_to(home.folder)
        kept = place.parts[0] in ("cache", "locks") or file.name.startswith("records.sqlite3")
        if file.is_file() and not kept:
            found[str(place)] = (file.stat().st_size, file.stat().st_mtime_ns)
    return found


def test_who_may_change_nothing_changes_nothing(served_firm: Any) -> None:
    """POST to every address without rights leaves all tables and files as they were, but for one's own account."""
    from klientel.web.accounts.models import User
    from klientel.web.rights import ACTIONS, access

    nobody = client_of("nobody")
    own = User.objects.get(username="nobody")
    before = everything(served_firm, own.pk)
    wanted = {
        "name": "Neu", "title": "Neu", "text": "Neu", "ids": "1", "action": "delete", "role": "administrator",
        "grant-read": "all", "active": "no", "needed": "yes", "what": "remove", "stage": "won", "done": "yes",
        "reason": "price", "scope": "read", "days": "30", "confirm": "yes",
    }  # fmt: skip
    broken = []
    for name, path in every_address():
        if name in ENDING:
            continue
        for values in ({},) if name.startswith("analyses:") else ({}, wanted):  # which compute either time
            answer = nobody.post(path, values)
            if answer.status_code >= 500:
                broken.append((path, answer.status_code))
    assert broken == []
    after = everything(served_firm, own.pk)
    assert {one: after.get(one) for one in {*before, *after} if before.get(one) != after.get(one)} == {}
    own = User.objects.get(pk=own.pk)
    assert (own.is_superuser, own.is_active, own.team_id, own.grants.count()) == (False, True, None, 0)
    assert not any(access(own).may(action) for action in ACTIONS)


def test_nothing_breaks_for_who_may_do_everything(served_firm: Any) -> None:
    """Every address answers an administrator, in German, without a fault of ours."""
    boss = client_of("boss")
    broken = []
    for _, path in every_address():
        answer = boss.get(path)
        text_of(answer)
        if answer.status_code >= 500:
            broken.append((path, answer.status_code))
    assert broken == []
