"""People: what you may do yourself, and, for administrators, what each user may."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel

from klientel.errors import NotAllowed
from klientel.web import rights
from klientel.web.api.operations import answer, put_up
from klientel.web.api.problems import Missing
from klientel.web.pages import shell
from klientel.words import mark, say, translate

TAG = "People"


class Action(BaseModel):
    """An action and how far it reaches."""

    name: str
    title: str
    scope: str
    why: str
    customers: int


class Reached(BaseModel):
    """A sales person whose customers are reached."""

    number: str
    name: str
    why: str


class Given(BaseModel):
    """A portfolio that is reached."""

    name: str
    rep: str
    rule: dict[str, list[Any]]
    by_hand: int


class Effective(BaseModel):
    """What a person may do with whose customers, and why."""

    person: str
    team: str | None
    rep: str | None
    day: str
    actions: list[Action]
    people: list[Reached]
    portfolios: list[Given]


class User(BaseModel):
    """A user."""

    id: int
    name: str
    active: bool
    administrator: bool
    team: str | None
    rep: str | None


class Users(BaseModel):
    """All users."""

    items: list[User]


def put_up_all(api: NinjaAPI) -> None:
    """The operations."""
    put_up(api, "GET", "/me", me, name="me", title="What I may do", tag=TAG, gives={200: Effective})
    put_up(api, "GET", "/users", users, name="users", title="List users", tag=TAG, gives={200: Users})
    put_up(api, "GET", "/users/{int:pk}/access", access, name="users-access", title="What a user may do", tag=TAG,
           gives={200: Effective})  # fmt: skip


def me(request: Any) -> HttpResponse:
    """What you may do with whose customers through this token, and why."""
    told = _told(request, request.user)
    limited = getattr(request.user, "limited_to", None)
    for action in told["actions"]:
        if limited is not None and action["name"] not in limited and action["scope"] != "none":
            why = translate(mark("not among the scopes of this token"), request.lang)
            action.update(scope="none", why=why, customers=0)
    return answer(told)


def _administrator(request: Any) -> None:
    """Raise NotAllowed unless an administrator asks, with a token that may read."""
    user = request.user
    if not (user.is_active and user.is_superuser and shell.reach(request).everything("read")):
        raise NotAllowed(say("{who} is no administrator.", who=str(user)))


def users(request: Any) -> HttpResponse:
    """All users; for administrators."""
    from klientel.web.accounts.models import User as Kept

    _administrator(request)
    known = Kept.objects.select_related("team", "rep").order_by("username")
    items = [
        {"id": u.pk, "name": u.username, "active": u.is_active, "administrator": u.is_superuser,
         "team": u.team.name if u.team else None, "rep": u.rep.number if hasattr(u, "rep") else None}
        for u in known
    ]  # fmt: skip
    return answer({"items": items})


def access(request: Any, pk: int) -> HttpResponse:
    """What a user may do with whose customers, and why; for administrators."""
    from klientel.web.accounts.models import User as Kept

    _administrator(request)
    user = Kept.objects.filter(pk=pk).first()
    if user is None:
        raise Missing
    return answer(_told(request, user))


def _told(request: Any, user: Any) -> dict[str, Any]:
    from dataclasses import asdict

    found = rights.explain(user)
    told = {**asdict(found), "day": found.day.isoformat()}
    for entry in (*told["actions"], *told["people"]):
        entry["why"] = translate(entry["why"], request.lang)
    for action in told["actions"]:
        action["title"] = translate(action["title"], request.lang)
    return told
