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
from django.db import DatabaseError

from klientel.errors import BadParameter, KlientelError
from klientel.web.api import outbox, reaching
from klientel.web.api.models import Delivery, Subscription
from klientel.words import Word, mark

_log = logging.getLogger(__name__)
# Seconds until the next attempt, after the first, second, ...
PAUSES = (60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 18 * 3600, 48 * 3600)
GIVE_UP_AFTER = 5  # deliveries given up in a row end a subscription
KEPT = timedelta(days=30)
AT_ONCE = 100  # deliveries of one round
_SENDERS = 8
REST = 1.0  # seconds between two rounds

NOT_ACTIVE: Word = mark("The user is not active any more.")
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
    due = Delivery.objects.filter(state=Delivery.State.WAITING, next_at__lte=now, subscription__active=True)
    chosen = list(due.select_related("subscription__user").order_by("next_at", "pk")[:AT_ONCE])
    _ended(one.subscription for one in chosen)
    chosen = [one for one in chosen if one.subscription.active]
    with ThreadPoolExecutor(_SENDERS) as pool:
        told = list(pool.map(lambda one: _sent(one, now, post), chosen))
    for one, (status, why) in zip(chosen, told, strict=True):
        _note(one, status, why, now)
    return sum(one.state == Delivery.State.DELIVERED for one in chosen)


def tidy(now: datetime) -> int:
    """Delete deliveries that ended long ago; how many."""
    return int(Delivery.objects.filter(ended_at__lt=now - KEPT).delete()[0])


def keep_delivering(now: Callable[[], datetime], over: threading.Event) -> None:
    """Deliver until told to stop; what fails is tried again in the next round."""
    tidied: datetime | None = None
    while not over.is_set():
        try:
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


def _ended(subscriptions: Any) -> None:
    """End subscriptions whose people are gone."""
    for held in subscriptions:
        if held.active and not held.user.is_active:
            _end(held, NOT_ACTIVE)


def _end(held: Subscription, why: Word) -> None:
    held.active, held.why = False, why
    held.save(update_fields=["active", "why"])


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
    held = Subscription.objects.get(pk=one.subscription_id)  # as others in this round left it
    one.attempts += 1
    one.answered, one.why = status, why
    if status is not None and 200 <= status < 300:
        one.state, one.ended_at = Delivery.State.DELIVERED, now
        if held.failures:
            Subscription.objects.filter(pk=held.pk).update(failures=0)
    elif status == 410:
        one.state, one.ended_at = Delivery.State.GIVEN_UP, now
        _end(held, GONE)
    elif one.attempts > len(PAUSES):
        one.state, one.ended_at = Delivery.State.GIVEN_UP, now
        held.failures += 1
        held.save(update_fields=["failures"])
        if held.failures >= GIVE_UP_AFTER:
            _end(held, FAILING)
    else:
        one.next_at = now + timedelta(seconds=PAUSES[one.attempts - 1])
    one.save()
