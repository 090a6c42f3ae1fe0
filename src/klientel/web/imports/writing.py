"""One writer at a time, and a clean start for each: what a killed writer left is found and cleaned away."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from klientel.errors import KlientelError
from klientel.store.facts import FactTable
from klientel.web.home import Home
from klientel.web.imports.models import Import, Snapshot
from klientel.words import Sentence, say

GRACE = timedelta(hours=1)  # readers keep files of a snapshot for so long after the next one came
_ADVISORY = 0x6B6C69656E74  # "klient": the number of the lock at PostgreSQL


class Busy(KlientelError):
    """Somebody else is writing to the workspace."""


@dataclass
class Writing:
    """What a writer has while it holds the lock: the workspace, and what was cleaned away before it began."""

    home: Home
    recovered: list[Sentence] = field(default_factory=list)


@contextmanager
def writing(home: Home, what: str, now: datetime | None = None) -> Iterator[Writing]:
    """Hold the workspace's lock; recover first. Raises Busy, at once, while another process writes.

    what: said to others while they have to wait ("import", "undo", ...).
    """
    with home.lock.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(_busy(home)) from None
        lock.truncate(0)
        lock.write(json.dumps({"what": what, "process": os.getpid()}))
        lock.flush()
        with _at_database():
            yield Writing(home, recover(home, now or datetime.now(UTC)))
        lock.truncate(0)


@contextmanager
def _at_database() -> Iterator[None]:
    """The same lock at a PostgreSQL that several machines share."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY])
        if not cursor.fetchone()[0]:
            raise Busy(say("Another process is writing to this workspace; try again when it is done."))
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY])


def _busy(home: Home) -> Sentence:
    try:
        told = json.loads(home.lock.read_text(encoding="utf-8"))
        return say(
            "Another process ({what}, process {number}) is writing to this workspace; try again when it is done.",
            what=told["what"],
            number=str(told["process"]),
        )
    except (OSError, ValueError, KeyError):
        return say("Another process is writing to this workspace; try again when it is done.")


def newest() -> Snapshot | None:
    """The snapshot that readers see; None in a new workspace."""
    return Snapshot.objects.order_by("-number").first()


def tables(home: Home) -> dict[str, FactTable]:
    """The fact tables that lie in the workspace, pinned or not."""
    if not home.facts.is_dir():
        return {}
    return {p.name: FactTable(p) for p in sorted(home.facts.iterdir()) if p.is_dir()}


def recover(home: Home, now: datetime) -> list[Sentence]:
    """Forget what killed writers began: versions that no snapshot pins, their files, imports that never ended.

    A killed import is cleaned away, not finished: import the files again, nothing is counted twice. Sentences
    about what was found; none if all was clean. Only under the writers' lock.
    """
    found: list[Sentence] = []
    pinned: dict[str, Any] = dict((newest() or Snapshot()).facts)
    for name, table in tables(home).items():
        if table.exists and table.version() != pinned.get(name, -1):
            table.restore(pinned.get(name, -1))
    for run in Import.objects.filter(state=Import.State.STARTED):
        run.state = Import.State.FAILED
        run.save(update_fields=["state"])
        found.append(
            say("Import {n} had been cut off; it was cleaned away, nothing of it stays.", n=str(run.pk))
        )
    done = set(
        Import.objects.filter(state__in=[Import.State.DONE, Import.State.UNDONE]).values_list("pk", flat=True)
    )
    folder = home.folder / "imports"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.name.isdigit() or int(path.name) not in done:
            shutil.rmtree(path, ignore_errors=True)
    sweep(home, now)
    from klientel.web.privacy import erasing  # which needs the lock of this module

    erasing.finish(home, now)  # what a killed erasure left
    return found


def sweep(home: Home, now: datetime, *, grace: timedelta = GRACE) -> list[str]:
    """Delete the files of facts that no reader can be at: of no snapshot of the last hour. Their names.

    grace: zero for erasure, where nothing old may stay. Only under the writers' lock.
    """
    keep: dict[str, set[int]] = {}
    until: datetime | None = None
    for snapshot in Snapshot.objects.order_by("-number").iterator():
        if until is not None and until < now - grace:
            break
        for name, version in snapshot.facts.items():
            keep.setdefault(name, set()).add(version)
        until = snapshot.at
        if until is not None and grace == timedelta(0):
            break
    gone = []
    for name, table in tables(home).items():
        gone += table.sweep(v for v in keep.get(name, ()) if v >= 0)
    return gone
