"""Every address of the pages, found by itself: strangers get nowhere, who may see nothing sees nothing, nothing breaks.

A new address with a new kind of argument fails here until `fillings` says what to put in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
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


def fillings() -> dict[str, list[Any]]:
    """Argument -> what to put in: something that is there, and something that is not."""
    from klientel.web.accounts.models import User
    from klientel.web.imports.models import Import
    from klientel.web.pages.records.kinds import KINDS
    from klientel.web.records.models import Company

    company = Company.present.order_by("pk").first()
    return {
        "pk": [company.pk, 10**9],
        "kind": [*KINDS, "nothing"],
        "name": ["abc", "retention", "nothing"],
        "number": [Import.objects.order_by("pk").first().pk, 10**9],
        "user": [User.objects.order_by("pk").first().pk],
        "token": ["1", "nothing"],
        "act": ["nothing"],
        "first": [company.pk],
        "second": [company.pk + 1],
        "membership": [1],
    }


def every_address() -> Iterator[tuple[str, str]]:
    """(name, path) with arguments filled in."""
    held = fillings()
    for name, route, arguments in addresses():
        missing = [a for a in arguments if a not in held]
        assert not missing, f"{name}: say in `fillings` what {missing} may be ({route})"
        for values in product(*(held[a] for a in arguments)):
            path = route
            for argument, value in zip(arguments, values, strict=True):
                start, end = path.index("<"), path.index(">")
                assert argument in path[start:end]
                path = f"{path[:start]}{value}{path[end + 1 :]}"
            yield name, f"/{path}"


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
    from klientel.web.accounts import services

    services.add_user(None, "nobody", AT)
    services.add_user(None, "boss", AT, role="administrator", language="de")
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


def test_who_may_change_nothing_changes_nothing(served_firm: Any) -> None:
    """POST to every address without rights leaves the log of changes as it was, but for one's own account."""
    from klientel.web.accounts.models import User
    from klientel.web.records.models import Change

    nobody = client_of("nobody")
    before = set(Change.objects.values_list("pk", flat=True))
    own = User.objects.get(username="nobody").pk
    broken = []
    for name, path in every_address():
        if name in ENDING:
            continue
        for values in ({}, {"name": "Neu", "title": "Neu", "text": "Neu", "ids": "1", "action": "delete"}):
            answer = nobody.post(path, values)
            if answer.status_code >= 500:
                broken.append((path, answer.status_code))
    assert broken == []
    made = Change.objects.exclude(pk__in=before)
    strange = [c for c in made if not (c.model in ("accounts.User", "User") and c.object_id == own)]
    assert [(c.model, c.why, c.after) for c in strange] == []


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
