"""A browser without a screen for pages: Django's client on a workspace, signed in as whom a test wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
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
