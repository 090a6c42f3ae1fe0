"""Telling subscribers: signed posts, tried again with growing pauses, given up after three days, all of it logged."""

from __future__ import annotations

import hmac
import logging
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from klientel.errors import BadParameter, KlientelError
from klientel.web.api import keeping, outbox, reaching
from klientel.web.api.models import Delivery, Subscription
from klientel.web.api.settled import horizon
from klientel.words import Word, mark

_log = logging.getLogger(__name__)
# Seconds until the next attempt, after the first, second, ...
PAUSES = (60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 18 * 3600, 48 * 3600)
GIVE_UP_AFTER = 5  # deliveries given up in a row end a subscription
KEPT = timedelta(days=30)
AT_ONCE = 100  # deliveries of one round
EACH = 10  # of them for one subscription
UNWELL = timedelta(minutes=1)  # that a receiver is left alone which did not answer, or said that it is broken
_SENDERS = 8
REST = 1.0  # seconds between two rounds

NOT_ACTIVE: Word = mark("The user is not active any more.")
NOT_SEEN: Word = mark("The user may not be told of this any more.")
FAILING: Word = mark("Deliveries were given up again and again.")
GONE: Word = mark("The receiver said that the address is gone.")

Post = Callable[[str, bytes, dict[str, str]], int]


def secret(held: Subscription) -> bytes:
    """The secret of a subscription: made from its salt and the workspace's own, so that no table holds it."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"klientel webhook {held.salt}".encode(), "sha256")


def secret_text(held: Subscription) -> str:
    """The secret as it is told once."""
    return f"whsec_{b64encode(secret(held)).decode()}"


def headers(one: Delivery, at: datetime) -> dict[str, str]:
    """Headers after the Standard Webhooks: id, time stamp, and the signature of both with the body."""
    number, moment = f"{one.subscription_id}-{one.event}", str(int(at.timestamp()))
    signed = f"{number}.{moment}.{one.body}".encode()
    signature = b64encode(hmac.new(secret(one.subscription), signed, sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Klientel",
        "webhook-id": number,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


def deliver(now: datetime, post: Post = reaching.post) -> int:
    """Gather what changed, and post what is due; how many deliveries arrived."""
    outbox.gather(now)
    arrived = 0
    with ThreadPoolExecutor(_SENDERS) as pool:
        for told in pool.map(lambda some: _sent_in_turn(some, now, post), _due(now)):
            for one, status, why in told:
                try:
                    _note(one, status, why, now)
                except DatabaseError:  # it is sent again; what came of the others is written all the same
                    _log.exception("What came of a delivery could not be written")
                arrived += _well(status)
    return arrived


def _due(now: datetime) -> list[list[Delivery]]:
    """What is due and may be told, by subscription: few of each, so that all get their turn."""
    due = Delivery.objects.filter(state=Delivery.State.WAITING, next_at__lte=now, subscription__active=True)
    turn = Window(RowNumber(), partition_by="subscription_id", order_by=["next_at", "pk"])
    well = due.exclude(subscription__in=_unwell(now))
    chosen = well.annotate(turn=turn).filter(turn__lte=EACH).order_by("turn", "next_at", "pk")
    by_subscription: dict[int, list[Delivery]] = {}
    for one in chosen.select_related("subscription__user")[:AT_ONCE]:
        by_subscription.setdefault(one.subscription_id, []).append(one)
    return [_allowed(some, now) for some in by_subscription.values()]


def _unwell(now: datetime) -> Any:
    """Subscriptions whose receiver failed a moment ago: waiting for it in each round would hold up all others.

    When a delivery failed follows from when it is tried again.
    """
    lately = Q()
    for attempts, pause in enumerate(PAUSES, 1):
        lately |= Q(attempts=attempts, next_at__gt=now - UNWELL + timedelta(seconds=pause))
    failed = Q(answered__isnull=True) | Q(answered__gte=500)
    waiting = Delivery.objects.filter(lately, failed, state=Delivery.State.WAITING)
    return waiting.values("subscription")


def _allowed(some: list[Delivery], now: datetime) -> list[Delivery]:
    """Deliveries of one subscription of which its person may be told now; the others are given up."""
    held = some[0].subscription
    if not held.user.is_active:
        _end(held, NOT_ACTIVE)
        return []
    allowed = outbox.still_seen(some)
    gone = [one.pk for one in some if one.pk not in allowed]
    Delivery.objects.filter(pk__in=gone).update(state=Delivery.State.GIVEN_UP, why=NOT_SEEN, ended_at=now)
    return [one for one in some if one.pk in allowed]


def tidy(now: datetime) -> int:
    """Delete deliveries that ended long ago, and answers kept under old keys; how many deliveries."""
    keeping.forget_old(now)
    return int(Delivery.objects.filter(ended_at__lt=now - KEPT).delete()[0])


def keep_delivering(now: Callable[[], datetime], over: threading.Event) -> None:
    """Deliver until told to stop; what fails is tried again in the next round."""
    tidied: datetime | None = None
    while not over.is_set():
        try:
            close_old_connections()
            horizon()  # so that "from now on" is never long ago
            if Subscription.objects.filter(active=True).exists():
                deliver(now())
            if tidied is None or now() - tidied > timedelta(hours=1):
                tidied = now()
                tidy(tidied)
        except DatabaseError:  # locked by an import for long, or away
            _log.info("Deliveries wait for the database")
        except Exception:  # noqa: BLE001 - the next round comes all the same
            _log.exception("Deliveries failed")
        over.wait(REST)


def _end(held: Subscription, why: Word) -> None:
    Subscription.objects.filter(pk=held.pk).update(active=False, why=why)


def _sent_in_turn(some: list[Delivery], now: datetime, post: Post) -> list[tuple[Delivery, int | None, str]]:
    """What came of the deliveries of a subscription, up to the first that failed: the others wait."""
    told: list[tuple[Delivery, int | None, str]] = []
    for one in some:
        status, why = _sent(one, now, post)
        told.append((one, status, why))
        if not _well(status):
            break
    return told


def _well(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def _sent(one: Delivery, now: datetime, post: Post) -> tuple[int | None, str]:
    """The status of the answer, or why there is none. Touches no database: it runs beside others."""
    try:
        return post(one.subscription.url, one.body.encode(), headers(one, now)), ""
    except BadParameter as wrong:
        return None, str(wrong)[:300]
    except KlientelError as failed:
        return None, str(failed)[:300]
    except Exception as broke:  # noqa: BLE001 - one receiver must not keep the others from hearing
        _log.exception("A delivery broke")
        return None, type(broke).__name__


def _note(one: Delivery, status: int | None, why: str, now: datetime) -> None:
    """Write down what came of an attempt, and when the next one is."""
    held = Subscription.objects.filter(pk=one.subscription_id).first()  # as others in this round left it
    if held is None:  # ended meanwhile, with its log
        return
    attempts = one.attempts + 1
    became: dict[str, Any] = {"attempts": attempts, "answered": status, "why": why}
    if _well(status):
        became |= {"state": Delivery.State.DELIVERED, "ended_at": now}
        Subscription.objects.filter(pk=held.pk, failures__gt=0).update(failures=0)
    elif status == 410:
        became |= {"state": Delivery.State.GIVEN_UP, "ended_at": now}
        _end(held, GONE)
    elif attempts > len(PAUSES):
        became |= {"state": Delivery.State.GIVEN_UP, "ended_at": now}
        Subscription.objects.filter(pk=held.pk).update(failures=F("failures") + 1)
        if held.failures + 1 >= GIVE_UP_AFTER:
            _end(held, FAILING)
    else:
        became["next_at"] = now + timedelta(seconds=PAUSES[attempts - 1])
    Delivery.objects.filter(pk=one.pk).update(**became)
