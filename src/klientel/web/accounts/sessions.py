"""Browsers that are signed in: listed, and ended from anywhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from klientel.web.accounts import events
from klientel.web.accounts.callers import address_of, agent_of, browser
from klientel.web.accounts.models import Session

SEEN_EVERY = timedelta(minutes=5)  # how fine "seen last" is: a write for each page would be too much


def begin(request: Any, user: Any, way: str, at: datetime, *, strong: bool) -> None:
    """Sign `user` in: a new session key, and the session on the list.

    way: "password", "passkey", "link" or "provider"; strong: more than a password was shown.
    """
    from django.contrib.auth import login

    request.session_way = way
    login(request, user, backend="klientel.web.accounts.backends.NameOrMail")
    request.session["strong"] = strong
    proved(request, at)
    found = Session.objects.filter(key=request.session.session_key)
    found.update(way=way, started_at=at, seen_at=at)
    events.note("signed in", at, user=user, address=address_of(request), agent=agent_of(request), detail=way)


def proved(request: Any, at: datetime) -> None:
    """The person has just shown who it is; what is delicate may be changed for a while."""
    request.session["proved_at"] = int(at.timestamp())


def fresh(request: Any, at: datetime, minutes: int = 15) -> bool:
    """True if the person showed who it is within the last minutes."""
    return int(at.timestamp()) - int(request.session.get("proved_at", 0)) < minutes * 60


def opened(request: Any, user: Any, **_: Any) -> None:
    """Django's signal of a sign-in, by whatever way: the session goes on the list."""
    from django.utils import timezone

    if request.session.session_key is None:
        request.session.save()
    at = timezone.now()
    request.session["seen"] = int(at.timestamp())
    proved(request, at)
    values = {
        "user": user, "started_at": at, "seen_at": at, "way": getattr(request, "session_way", "password"),
        "address": address_of(request), "agent": agent_of(request),
    }  # fmt: skip
    Session.objects.update_or_create(key=request.session.session_key, defaults=values)


def closed(request: Any, user: Any, **_: Any) -> None:
    """Django's signal of a sign-out: the session leaves the list."""
    if user is not None and request.session.session_key:
        Session.objects.filter(key=request.session.session_key).delete()


def seen(request: Any, at: datetime) -> None:
    """The session is in use; written down at most every five minutes."""
    if int(at.timestamp()) - int(request.session.get("seen", 0)) < SEEN_EVERY.total_seconds():
        return
    request.session["seen"] = int(at.timestamp())
    Session.objects.filter(key=request.session.session_key).update(
        seen_at=at, address=address_of(request), agent=agent_of(request)
    )


def listed(user: Any, at: datetime, current: str | None = None) -> list[dict[str, Any]]:
    """The sessions of a user that are alive, the newest first: pk, current, way, started_at, seen_at, ..."""
    from django.contrib.sessions.models import Session as Content

    found = list(Session.objects.filter(user=user).order_by("-seen_at"))
    alive = set(
        Content.objects.filter(session_key__in=[s.key for s in found], expire_date__gt=at).values_list(
            "session_key", flat=True
        )
    )
    return [
        {
            "pk": one.pk, "current": one.key == current, "way": one.way, "started_at": one.started_at,
            "seen_at": one.seen_at, "address": one.address or "–", "browser": browser(one.agent),
        }
        for one in found
        if one.key in alive
    ]  # fmt: skip


def end(actor: Any, user: Any, at: datetime, *, pk: int | None = None, keep: str | None = None) -> int:
    """End the sessions of `user`: the one with `pk`, else all but the one with the key `keep`; how many.

    One's own, those of others as administrator. Raises NotAllowed.
    """
    from django.contrib.sessions.models import Session as Content

    from klientel.web.accounts.services import administrate

    if actor is None or actor.pk != user.pk:
        administrate(actor)
    found = Session.objects.filter(user=user).exclude(key=keep or "")
    if pk is not None:
        found = found.filter(pk=pk)
    keys = list(found.values_list("key", flat=True))
    Content.objects.filter(session_key__in=keys).delete()
    found.filter(key__in=keys).delete()
    if keys:
        events.note("session ended" if pk is not None else "sessions ended", at, user=user, by=actor)
    return len(keys)


def renewed(request: Any, user: Any) -> None:
    """After a change of the own password: this session goes on, under a new key."""
    from django.contrib.auth import update_session_auth_hash

    before = request.session.session_key
    update_session_auth_hash(request, user)
    Session.objects.filter(key=before).update(key=request.session.session_key)


def tidy(at: datetime) -> None:
    """Remove sessions that are over."""
    from django.contrib.sessions.models import Session as Content

    Content.objects.filter(expire_date__lt=at).delete()
    alive = Content.objects.values("session_key")
    Session.objects.exclude(key__in=alive).delete()
