"""Links that work once: the first administrator's, and those that sign somebody in. Only their hash is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from klientel.errors import BadParameter
from klientel.web.accounts import events
from klientel.web.accounts.models import Link, User
from klientel.web.accounts.sealing import digest, made
from klientel.words import say

HOLD = {"welcome": timedelta(hours=24), "sign-in": timedelta(minutes=60)}


def has_administrator() -> bool:
    """True if there is an active administrator who can sign in or was invited to."""
    return bool(User.objects.filter(is_superuser=True, is_active=True).exists())


def welcome(at: datetime) -> str | None:
    """The secret of a link that makes the first administrator; None if there is one. Earlier ones end."""
    if has_administrator():
        return None
    Link.objects.filter(kind="welcome", used_at=None).update(used_at=at)
    return _link("welcome", None, at)


def sign_in(user: Any, at: datetime) -> str:
    """The secret of a link that signs a user in once. Raises BadParameter for one who is not active."""
    if not user.is_active:
        raise BadParameter(say("{name} is not active.", name=user.username))
    return _link("sign-in", user, at)


def _link(kind: str, user: Any, at: datetime) -> str:
    secret = made()
    values = {"kind": kind, "user": user, "made_at": at, "expires_at": at + HOLD[kind]}
    Link.objects.create(digest=digest(secret), **values)
    return secret


def held(kind: str, secret: str, at: datetime) -> Link:
    """The link of a secret. Raises BadParameter if it does not hold (any more)."""
    found = Link.objects.select_related("user").filter(kind=kind, digest=digest(secret)).first()
    gone = found is None or found.used_at is not None or found.expires_at <= at
    if gone or (kind == "welcome" and has_administrator()) or (found.user and not found.user.is_active):
        raise BadParameter(
            say("This link does not hold (any more): it works once, and for a short time. Ask for a new one.")
        )
    return found


def use(kind: str, secret: str, at: datetime) -> Link:
    """Take the link: of two who come at the same time one gets it. Raises BadParameter as `held`."""
    found = held(kind, secret, at)
    if not Link.objects.filter(pk=found.pk, used_at=None).update(used_at=at):
        raise BadParameter(say("This link was used already."))
    if found.user is not None:
        events.note("link used", at, user=found.user)
    return found


def first_administrator(
    secret: str, name: str, password: str, language: str, at: datetime, *, email: str = ""
) -> Any:
    """Make the administrator whom a welcome link lets in. Raises BadParameter; the link holds on then."""
    from django.db import transaction

    from klientel.web.accounts import services

    with transaction.atomic():
        use("welcome", secret, at)
        user = services.add_user(None, name, at, role="administrator", language=language, email=email)
        services.set_password(user, user, password, at)
    return user


def forget(at: datetime) -> None:
    """Remove links that are over."""
    Link.objects.filter(expires_at__lt=at - timedelta(days=7)).delete()
