"""Subscriptions: addresses that are told of changes, with the log of what was delivered."""

from __future__ import annotations

from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field, StrictBool

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.api import delivering, outbox, reaching
from klientel.web.api.models import Delivery, Subscription
from klientel.web.api.operations import Form, answer, put_up
from klientel.web.api.problems import Missing
from klientel.web.pages import shell
from klientel.words import say, translate

TAG = "Webhooks"
MOST = 20  # subscriptions of one person


class Hook(BaseModel):
    """A subscription."""

    id: int
    url: str
    events: list[str]
    active: bool
    why: str = Field(description="Why it is not active.")
    at: datetime


class NewHook(Hook):
    """A subscription that was just made, with its secret."""

    secret: str = Field(description="For the signature after the Standard Webhooks; it is not told again.")


class Hooks(BaseModel):
    """Your subscriptions, and the events there are."""

    items: list[Hook]
    events: list[str]


class Subscribe(Form):
    """Where to post, and what."""

    url: str = Field(min_length=8, max_length=2000)
    events: list[str] = Field(min_length=1, max_length=100)


class ChangeHook(Form):
    """What changes of a subscription."""

    events: list[str] | None = Field(None, min_length=1, max_length=100)
    active: StrictBool | None = None


class Sent(BaseModel):
    """A delivery: how often it was tried and what came of it."""

    id: int
    event: str
    type: str
    state: str
    attempts: int
    answered: int | None
    why: str
    at: datetime
    next_at: datetime | None
    ended_at: datetime | None


class Log(BaseModel):
    """Deliveries, newest first."""

    items: list[Sent]
    next: int | None


class LogAsked(Form):
    """Which part of the log."""

    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=2**63 - 1)


def put_up_all(api: NinjaAPI) -> None:
    """The operations."""
    one = "/webhooks/{int:pk}"
    for method, path, view, name, title, gives, options in (
        ("GET", "/webhooks", listed, "list", "List subscriptions", {200: Hooks}, {}),
        (
            "POST",
            "/webhooks",
            subscribe,
            "add",
            "Subscribe",
            {201: NewHook},
            {"body": Subscribe, "once": False},
        ),
        ("GET", one, read, "read", "Read a subscription", {200: Hook}, {}),
        ("PATCH", one, change, "change", "Change a subscription", {200: Hook}, {"body": ChangeHook}),
        ("DELETE", one, end, "delete", "End a subscription", {200: Hook}, {}),
        ("POST", f"{one}/ping", ping, "ping", "Try a subscription", {202: Sent}, {}),
        ("GET", f"{one}/deliveries", log, "log", "Read the log", {200: Log}, {"query": LogAsked}),
        (
            "POST",
            f"{one}/deliveries/{{int:delivery}}/again",
            again,
            "again",
            "Deliver again",
            {202: Sent},
            {},
        ),
    ):
        put_up(api, method, path, view, name=f"webhooks-{name}", title=title, tag=TAG, gives=gives, **options)


def _told(held: Subscription, lang: str) -> dict[str, Any]:
    return {"id": held.pk, "url": held.url, "events": held.events, "active": held.active,
            "why": translate(held.why, lang), "at": held.at.isoformat()}  # fmt: skip


def _own(request: Any, pk: int) -> Subscription:
    """A subscription of the person; what others have is not there."""
    found = Subscription.objects.filter(pk=pk, user=request.user).first()
    if found is None:
        raise Missing
    return found


def _may(request: Any) -> None:
    """Raise NotAllowed unless the person may take data out."""
    rights.demand(shell.reach(request), "export")


def listed(request: Any) -> HttpResponse:
    """Your subscriptions."""
    known = Subscription.objects.filter(user=request.user).order_by("pk")
    return answer({"items": [_told(one, request.lang) for one in known], "events": outbox.names()})


def read(request: Any, pk: int) -> HttpResponse:
    """A subscription of yours."""
    return answer(_told(_own(request, pk), request.lang))


def subscribe(request: Any, body: Subscribe) -> HttpResponse:
    """Have an address told of changes to what you may see; takes the right to export."""
    _may(request)
    outbox.check(body.events)
    reaching.target(body.url)
    if Subscription.objects.filter(user=request.user).count() >= MOST:
        raise BadParameter(say("{n} subscriptions are the most that one person may have.", n=MOST))
    made = Subscription(
        user=request.user, url=body.url, events=body.events, salt=token_urlsafe(32), at=shell.now()
    )
    outbox.begin(made)
    made.save()
    told = {**_told(made, request.lang), "secret": delivering.secret_text(made)}
    return answer(told, 201, {"Location": f"/api/v1/webhooks/{made.pk}"})


def change(request: Any, pk: int, body: ChangeHook) -> HttpResponse:
    """Other events, or a pause; what happens meanwhile is not told afterwards."""
    held = _own(request, pk)
    _may(request)
    if body.events is not None:
        outbox.check(body.events)
        held.events = body.events
    if body.active is not None:
        if body.active and not held.active:
            outbox.begin(held)
            held.failures, held.why = 0, ""
        held.active = body.active
    held.save()
    return answer(_told(held, request.lang))


def end(request: Any, pk: int) -> HttpResponse:
    """End a subscription; its log goes with it."""
    held = _own(request, pk)
    limited = getattr(request.user, "limited_to", None)
    if (
        limited is not None and "export" not in limited
    ):  # who lost the right may end it, a lesser token may not
        _may(request)
    told = _told(held, request.lang)
    held.delete()
    return answer(told)


def ping(request: Any, pk: int) -> HttpResponse:
    """Send an event that says nothing; the log tells whether it arrived."""
    held = _own(request, pk)
    _may(request)
    return answer(_sent(outbox.ping(held, shell.now())), 202)


def log(request: Any, pk: int, asked: LogAsked) -> HttpResponse:
    """What was delivered, what waits, and what was given up; kept for 30 days."""
    known = Delivery.objects.filter(subscription=_own(request, pk)).order_by("-pk")
    if asked.before is not None:
        known = known.filter(pk__lt=asked.before)
    part = list(known[: asked.limit + 1])
    items = part[: asked.limit]
    return answer(
        {"items": [_sent(one) for one in items], "next": items[-1].pk if len(part) > len(items) else None}
    )


def again(request: Any, pk: int, delivery: int) -> HttpResponse:
    """Deliver once more, from the first attempt on."""
    found = Delivery.objects.filter(pk=delivery, subscription=_own(request, pk)).first()
    if found is None:
        raise Missing
    _may(request)
    found.state, found.attempts, found.ended_at = Delivery.State.WAITING, 0, None
    found.next_at = shell.now()
    found.save()
    return answer(_sent(found), 202)


def _sent(one: Delivery) -> dict[str, Any]:
    waits = one.state == Delivery.State.WAITING
    return {
        "id": one.pk,
        "event": one.event,
        "type": one.kind,
        "state": str(one.state),
        "attempts": one.attempts,
        "answered": one.answered,
        "why": one.why,
        "at": one.at.isoformat(),
        "next_at": one.next_at.isoformat() if waits else None,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }
