"""How long events, attempts, links and sessions are kept, while a server runs on for months, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)


def test_the_worker_clears_up_what_is_over(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.sessions.models import Session as Content

    from klientel.web.accounts import events, services
    from klientel.web.accounts.models import Attempts, Event, Link, Session
    from klientel.web.jobs import worker

    anna = services.add_user(None, "anna", AT)
    for n, (days, hours) in enumerate(((366, 49), (364, 47))):
        events.note("signed in", AT - timedelta(days=days), user=anna, detail=str(n))
        Attempts.objects.create(key=str(n), last_at=AT - timedelta(hours=hours))
        ends = AT + timedelta(days=n - 0.5)
        Content.objects.create(session_key=f"session{n}", session_data="", expire_date=ends)
        Session.objects.create(user=anna, key=f"session{n}", started_at=AT, seen_at=AT)
        over = ends - timedelta(days=8)
        Link.objects.create(
            kind="sign-in", user=anna, digest=str(n), made_at=over, expires_at=ends - timedelta(days=7)
        )
    monkeypatch.setattr(worker, "now", lambda: AT)
    worker._tidy(home)
    assert list(Event.objects.filter(kind="signed in").values_list("detail", flat=True)) == ["1"]
    assert list(Attempts.objects.values_list("key", flat=True)) == ["1"]
    assert list(Link.objects.values_list("digest", flat=True)) == ["1"]
    assert list(Content.objects.values_list("session_key", flat=True)) == ["session1"]
    assert list(Session.objects.values_list("key", flat=True)) == ["session1"]
