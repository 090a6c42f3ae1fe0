"""A browser without a screen for pages: Django's client on a workspace, signed in as whom a test wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def served(home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workspace of the test, as the one that the pages serve."""
    from klientel.web.pages import shell

    monkeypatch.setenv("KLIENTEL_WORKSPACE", str(home.folder))
    shell._found.cache_clear()
    yield home
    shell._found.cache_clear()


@pytest.fixture
def sign_in(served: Any) -> Callable[..., Any]:
    """sign_in(name, role=..., language=...): a client of a user, who is made if not there; None: a stranger."""
    from django.test import Client

    from klientel.web.accounts import services
    from klientel.web.accounts.models import User

    def make(name: str | None = "boss", role: str = "administrator", **options: Any) -> Any:
        client = Client(headers={"host": "localhost"})
        if name is None:
            return client
        user = User.objects.filter(username=name).first()
        if user is None:
            user = services.add_user(None, name, NOW, role=role, **options)
        client.force_login(user)
        client.user = user
        return client

    return make


@pytest.fixture
def firms(served: Any) -> dict[str, Any]:
    """Three sales people with firms of theirs, contacts and a firm's own field."""
    from klientel.web.records import changes, custom
    from klientel.web.records import models as m

    custom.define(m.Company, "fleet", "Fleet", "integer", at=NOW)
    reps = {n: changes.create(m.Rep, {"number": n, "name": n.title()}, at=NOW) for n in ("anna", "ben")}
    rows = (
        ("K1", "Müller GmbH", "Ulm", "A", "anna", 1200, {"fleet": 3}),
        ("K2", "Mueller KG", "Köln", "B", "anna", None, {}),
        ("K3", "Zander AG", "Ulm", "", "ben", 50, {"fleet": 12}),
        ("K4", "Ärzte e.V.", "Bonn", "A", "ben", 7, {}),
    )
    made: dict[str, Any] = dict(reps)
    for number, name, city, segment, rep, employees, own in rows:
        made[number] = changes.create(
            m.Company,
            {"number": number, "name": name, "city": city, "segment": segment, "owner": reps[rep],
             "employees": employees, "custom": own, "email": f"info@{number.lower()}.de"},
            at=NOW,
        )  # fmt: skip
    return made


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> date:
    """The pages stand on the fifteenth of June."""
    from klientel.web.pages import shell

    moment = datetime(2026, 6, 15, 12, tzinfo=UTC)
    monkeypatch.setattr(shell, "now", lambda: moment)
    monkeypatch.setattr(shell, "today", moment.date)
    return moment.date()
