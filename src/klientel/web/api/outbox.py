"""Events out of the log of changes: what was written in one transaction with the change cannot be missed or invented.

An event names records and fields, never what they hold: who is told asks the API, with the rights of that moment.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from django.db import DatabaseError, transaction

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.api import changes
from klientel.web.api.kinds import KINDS
from klientel.web.api.models import Delivery, Subscription
from klientel.web.api.settled import horizon
from klientel.web.imports.models import Snapshot
from klientel.web.records.models import Change
from klientel.words import say

_log = logging.getLogger(__name__)
VERBS = {"created": "created", "updated": "updated", "deleted": "deleted", "merged": "merged",
         "brought back": "restored", "removed": "removed"}  # fmt: skip
IMPORTS = {"import": "imports.done", "undo": "imports.undone"}
PING = "ping"


def names() -> list[str]:
    """Every event there is."""
    return [
        *(f"{kind}.{verb}" for kind in KINDS for verb in VERBS.values() if verb != "removed"),
        *IMPORTS.values(),
    ]


def check(patterns: list[str]) -> None:
    """Raise BadParameter unless each is an event, all of a kind ("deals.*") or all ("*")."""
    known = {*names(), *(f"{name.partition('.')[0]}.*" for name in names()), "*"}
    for pattern in patterns:
        if pattern not in known:
            raise BadParameter(
                say(
                    "There is no event {name}; there are companies.created, companies.*, * and the like.",
                    name=pattern,
                )
            )


def wanted(name: str, patterns: list[str]) -> bool:
    """True if a subscription to these patterns wants an event."""
    return any(p in ("*", name, f"{name.partition('.')[0]}.*") for p in patterns)


def begin(subscription: Subscription) -> None:
    """A new subscription is told of what comes from now on."""
    subscription.change = horizon()
    subscription.snapshot = Snapshot.objects.order_by("-number").values_list("number", flat=True).first() or 0


def gather(now: datetime) -> int:
    """Make deliveries of what changed since the last time, for every subscription; how many."""
    made = 0
    settled = 0
    for one in Subscription.objects.filter(active=True).select_related("user").order_by("pk"):
        settled = settled or horizon()
        try:
            made += _gathered(one, settled, now)
        except DatabaseError:  # locked or away: for all of them
            raise
        except Exception:  # noqa: BLE001 - what is wrong with one must not keep the others from hearing
            _log.exception("Nothing could be gathered for subscription %s", one.pk)
    return made


def _gathered(one: Subscription, settled: int, now: datetime) -> int:
    made = 0
    while True:
        with transaction.atomic():
            held = Subscription.objects.select_for_update().filter(pk=one.pk).first()
            if held is None:  # ended meanwhile
                return made
            made += _of_records(held, one.user, settled, now) + _of_imports(held, one.user, now)
        if held.change >= settled:
            return made


def _of_records(held: Subscription, user: Any, settled: int, now: datetime) -> int:
    if held.change >= settled:
        return 0
    found = rights.access(user)
    if not found.may("export"):  # what happens meanwhile is not told afterwards
        held.change = settled
        held.save(update_fields=["change"])
        return 0
    until = min(settled, held.change + changes.AT_ONCE)
    models = [kind.model.__name__ for kind in KINDS.values() if any(
        wanted(f"{kind.name}.{verb}", held.events) for verb in VERBS.values())]  # fmt: skip
    keys = changes.seen(held.change, until, models, found, changes.AT_ONCE, import_run=None)
    made = [
        _delivery(held, f"c{row['id']}", f"{row['kind']}.{VERBS[row['verb']]}", now, row["at"],
                  {"kind": row["kind"], "id": row["record"], "version": row["id"], "fields": row["fields"],
                   "act": row["act"]})
        for start in range(0, len(keys), 500)
        for row in changes.told(keys[start : start + 500], found)
        if wanted(f"{row['kind']}.{VERBS[row['verb']]}", held.events)
    ]  # fmt: skip
    Delivery.objects.bulk_create(made, batch_size=500, ignore_conflicts=True)
    held.change = until
    held.save(update_fields=["change"])
    return len(made)


def _of_imports(held: Subscription, user: Any, now: datetime) -> int:
    """An import changes too many records to tell of each; it is one event, for whom may read everything."""
    new = list(Snapshot.objects.filter(number__gt=held.snapshot).order_by("number")[:1000])
    if not new:
        return 0
    told = [s for s in new if s.why in IMPORTS and wanted(IMPORTS[s.why], held.events)]
    if not _of_imports_told(rights.access(user)):
        told = []
    made = [
        _delivery(held, f"s{s.number}", IMPORTS[s.why], now, s.at.isoformat(), {"import": s.import_run_id})
        for s in told
    ]
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    held.snapshot = new[-1].number
    held.save(update_fields=["snapshot"])
    return len(made)


def _of_imports_told(found: rights.Access) -> bool:
    return found.may("export") and found.everything("read")


def still_seen(some: Sequence[Delivery]) -> set[int]:
    """Ids of those deliveries of one subscription that its person may still be told of."""
    found = rights.access(some[0].subscription.user)
    if not found.may("export"):
        return set()
    records = {int(one.event[1:]): one.pk for one in some if one.event.startswith("c")}
    rows = list(Change.objects.filter(pk__in=records).order_by("pk").values_list("pk", "model", "object_id"))
    seen = {records[pk] for pk in changes.about_seen(rows, found)}
    imports = {one.pk for one in some if one.event.startswith("s") and _of_imports_told(found)}
    return seen | imports | {one.pk for one in some if one.kind == PING}


def ping(held: Subscription, now: datetime) -> Delivery:
    """An event that says nothing, to try an address."""
    made = _delivery(held, f"p{token_hex(8)}", PING, now, now.isoformat(), {})
    made.save()
    return made


def _delivery(
    held: Subscription, event: str, kind: str, now: datetime, at: str, data: dict[str, Any]
) -> Delivery:
    body = json.dumps({"id": event, "type": kind, "at": at, "data": data}, separators=(",", ":"))
    return Delivery(subscription=held, event=event, kind=kind, body=body, at=now, next_at=now)
