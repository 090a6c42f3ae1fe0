"""Programs that ask the API: Django's client on a workspace, as whom a test wants."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
# SQLite has one writer at a time: two at once, which these tests are about, are there on PostgreSQL only.
collect_ignore = [] if os.environ.get("KLIENTEL_TEST_POSTGRES") == "1" else ["test_settled_on_postgresql.py"]
ALL = ("read", "write", "export", "margin", "personal")


class Program:
    """Asks the API with the session of a person, and reads its answers."""

    def __init__(self, client: Any, user: Any) -> None:
        self.client, self.user = client, user

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer; `.json()` is what it says."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        options = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, f"/api/v1{path}", headers=given, **options)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.ask("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.ask("DELETE", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list, which must be there."""
        found = self.get(path)
        assert found.status_code == 200, found.content
        return found.json()["items"]


@pytest.fixture
def served(home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workspace of the test, as the one that is served, at a day that does not pass."""
    from klientel.web.api import limits
    from klientel.web.pages import shell

    monkeypatch.setenv("KLIENTEL_WORKSPACE", str(home.folder))
    monkeypatch.setattr(shell, "now", lambda: NOW)
    monkeypatch.setattr(shell, "today", lambda: NOW.date())
    monkeypatch.setattr(limits, "buckets", limits.Buckets(1_000_000))
    shell._found.cache_clear()
    yield home
    shell._found.cache_clear()


@pytest.fixture
def program(served: Any) -> Callable[..., Program]:
    """program(name, role=..., grants=..., rep=...): asks as a user, who is made if not there; None: a stranger."""
    from django.test import Client

    from klientel.web.accounts import services
    from klientel.web.accounts.models import User

    def make(name: str | None = "boss", role: str | None = "administrator", **options: Any) -> Program:
        client = Client(headers={"host": "localhost"})
        if name is None:
            return Program(client, None)
        user = User.objects.filter(username=name).first()
        if user is None:
            user = services.add_user(None, name, NOW, role=role, **options)
        client.force_login(user)
        return Program(client, user)

    return make


@pytest.fixture
def sellers(program: Any) -> dict[str, Program]:
    """Anna and Ben, each with a sales person of their own and all rights with their own customers."""
    from klientel.web.records import models as m

    made = {}
    for name in ("anna", "ben"):
        m.Rep.objects.create(number=name, name=name.title())
        made[name] = program(name, role="sales", rep=name)
    return made


@pytest.fixture
def firm(served: Any) -> Callable[..., Any]:
    """firm(name, owner=..., **values): a company of a sales person."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    def make(name: str, owner: str | None = None, **values: Any) -> Any:
        rep = m.Rep.objects.get(number=owner) if owner else None
        return services.add(m.Company, {"name": name, "owner": rep, **values}, at=NOW)

    return make


@pytest.fixture
def holder(program: Any) -> Callable[..., Program]:
    """holder(program, *scopes): asks with a token of that program's user."""
    from django.test import Client

    from klientel.web.accounts import tokens

    class Holder(Program):
        def __init__(self, user: Any, text: str) -> None:
            super().__init__(Client(headers={"host": "localhost"}), user)
            self.text = text

        def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
            return super().ask(method, path, body, **{"authorization": f"Bearer {self.text}", **headers})

    def make(of: Program, *scopes: str) -> Program:
        return Holder(of.user, tokens.make(of.user, "test", scopes or ALL, NOW)[1])

    return make
