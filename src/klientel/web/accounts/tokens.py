"""Tokens for programs: made by their user, shown once, narrowed to some of what the user may do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from klientel.errors import BadParameter
from klientel.web.accounts import events
from klientel.web.accounts.models import ApiToken
from klientel.web.accounts.sealing import digest, made
from klientel.web.rights import ACTIONS, Access, access
from klientel.words import say

START = "klt_"
NOTED_EVERY = timedelta(hours=1)  # how often the log says that a token is in use
TOUCHED_EVERY = timedelta(minutes=1)


def make(
    actor: Any, name: str, scopes: Iterable[str], at: datetime, *, days: int | None = 90
) -> tuple[ApiToken, str]:
    """A token of `actor` for a program, and its text, which is never told again.

    scopes: actions that the person has now ("read" among them); days: how long it holds, None for ever.
    Raises BadParameter.
    """
    wanted = [action for action in ACTIONS if action in set(scopes)]
    found = access(actor)
    if not name.strip():
        raise BadParameter(say("A token needs a name that says what it is for."))
    if "read" not in wanted:
        raise BadParameter(say("A token must at least read."))
    beyond = [ACTIONS[action] for action in wanted if not found.may(action)]
    if beyond:
        raise BadParameter(say("You may not do that yourself: {what}.", what=beyond))
    if days is not None and not 1 <= days <= 3650:
        raise BadParameter(say("A token holds from 1 to 3650 days."))
    text = START + made()
    token = ApiToken.objects.create(
        user=actor, name=name.strip()[:100], scopes=wanted, digest=digest(text), start=text[:10], made_at=at,
        expires_at=at + timedelta(days=days) if days is not None else None,
    )  # fmt: skip
    events.note("token made", at, user=actor, detail=f"{token.name}: {', '.join(wanted)}")
    return token, text


def holder(text: str, at: datetime | None = None, *, address: str = "") -> tuple[Any, ApiToken] | None:
    """The user and the token of a text, None if it does not hold (any more).

    The user comes narrowed: wherever it is the actor, it may do no more than the token. at: the moment, now if it is
    not given (a request is the edge); address: where it came from, for the log.
    """
    from django.utils import timezone

    now = at or timezone.now()
    if not text.startswith(START):
        return None
    token = ApiToken.objects.select_related("user").filter(digest=digest(text)).first()
    if token is None or not holds(token, now) or not token.user.is_active:
        return None
    before = token.used_at
    if before is None or now - before >= TOUCHED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
        token.used_at = now
        if before is None or now - before >= NOTED_EVERY:
            events.note("token used", now, user=token.user, address=address, detail=token.name)
    token.user.limited_to = frozenset(token.scopes)
    return token.user, token


def narrowed(token: ApiToken) -> Access:
    """What the holder of a token may do: what its user may do today, of the actions of the token."""
    token.user.limited_to = frozenset(token.scopes)
    return access(token.user)


def holds(token: ApiToken, at: datetime) -> bool:
    """True if the token is neither revoked nor over."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > at)


def listed(user: Any, at: datetime) -> list[ApiToken]:
    """The tokens of a user that hold, the newest first."""
    return [one for one in ApiToken.objects.filter(user=user).order_by("-made_at") if holds(one, at)]


def revoke(actor: Any, token: ApiToken, at: datetime) -> None:
    """End a token; one's own, or as administrator. Raises NotAllowed."""
    from klientel.web.accounts.services import administrate

    if actor is None or actor.pk != token.user_id:
        administrate(actor)
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        events.note("token revoked", at, user=token.user, by=actor, detail=token.name)
