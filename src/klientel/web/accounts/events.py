"""What happened at the door: kept for a year, shown to administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from klientel.web.accounts.models import Event
from klientel.words import Word, mark

KEPT = timedelta(days=365)
TITLES: dict[str, Word] = {
    "signed in": mark("signed in"),
    "signed out": mark("signed out"),
    "sign-in failed": mark("sign-in failed"),
    "locked": mark("locked after too many attempts"),
    "code failed": mark("wrong code of the second factor"),
    "recovery code": mark("used a recovery code"),
    "factor added": mark("added a second factor"),
    "factor removed": mark("removed a second factor"),
    "factors reset": mark("second factor reset"),
    "session ended": mark("session ended"),
    "sessions ended": mark("all sessions ended"),
    "password changed": mark("password changed"),
    "password asked for": mark("asked for a new password"),
    "invited": mark("invitation made"),
    "link used": mark("one-time link used"),
    "token made": mark("API token made"),
    "token revoked": mark("API token revoked"),
    "token used": mark("API token used"),
    "provider refused": mark("refused after signing in elsewhere"),
    "identity untied": mark("untied from the identity of the provider"),
    "rule changed": mark("rule of the workspace changed"),
}


def note(
    kind: str,
    at: datetime,
    *,
    user: Any = None,
    by: Any = None,
    address: str = "",
    agent: str = "",
    detail: str = "",
) -> None:
    """Keep that something happened. kind: a key of `TITLES`; user: whom it is about; by: who did it, if another."""
    if kind not in TITLES:  # it fails where it is made, not where it is shown
        raise KeyError(kind)
    who = by if getattr(by, "pk", None) else None
    Event.objects.create(
        at=at, kind=kind, user=user, actor=who, address=address, agent=agent[:300], detail=detail[:200]
    )


def forget(at: datetime) -> None:
    """Remove what is older than a year."""
    Event.objects.filter(at__lt=at - KEPT).delete()
