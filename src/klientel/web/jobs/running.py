"""Doing one job: as its person, told step by step, ended where somebody wants that, and its end written down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import Error

from klientel.errors import KlientelError, NotAllowed
from klientel.web.jobs import live
from klientel.web.jobs.kinds import KINDS, Run
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import told as kept
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.web.home import Home

_log = logging.getLogger(__name__)
_OFTEN = 0.2  # seconds between two looks for somebody's wish, and between two words of progress

CUT_OFF = mark(
    "The work was cut off: the server was stopped, or it ran out of memory. "
    "Nothing of it stays; it can be started again."
)
UNSURE = mark(
    "The work ended early, and whether something of it stays could not be found out. "
    "Look at the imports before you start it again."
)
BROKEN = mark("This is a fault of ours; it is in the server's log. Nothing was changed.")


class Cancelled(Exception):
    """Somebody wants the job to end."""


class Stopped(Exception):
    """The server ends, and the job with it."""


class Watched:
    """The progress of a job: tells it to everybody, and raises Cancelled or Stopped where it is to end."""

    def __init__(self, home: Home, job: int, stopping: Callable[[], bool]) -> None:
        self.home, self.job, self.stopping = home, job, stopping
        self.last: tuple[str, int, int | None] = ("", 0, None)
        self._looked = 0.0

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Called by the work between batches."""
        at = time.monotonic()
        changed = what != self.last[0]
        self.last = (what, done, total)
        if not changed and at - self._looked < _OFTEN:
            return
        self._looked = at
        if self.stopping():
            raise Stopped
        if live.asked_to_end(self.home, self.job):
            raise Cancelled
        live.tell(self.home, self.job, what, done, total)


def run(home: Home, job: Job, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> None:
    """Do a waiting job, if nobody else took it. Never raises for what goes wrong inside: the job tells it.

    Where the end cannot be written down, the database's Error or an OSError comes out; the job is reaped later.
    clock: what time it is; stopping: True if the server is about to end.
    """
    at = clock()
    taken = Job.objects.filter(pk=job.pk, state=Job.State.WAITING).update(
        state=Job.State.RUNNING, started_at=at, heartbeat_at=at
    )
    if not taken:
        return
    told = Watched(home, job.pk, stopping)
    ended: dict[str, Any]
    with _alive(home, job.pk):
        try:
            told(mark("Getting ready"), 0, None)
            ended = {"state": Job.State.DONE, "result": _work(home, job, told, at)}
        except Cancelled:
            ended = {"state": Job.State.CANCELLED}
        except Stopped:
            ended = {"state": Job.State.FAILED, "why": kept(CUT_OFF)}
        except KlientelError as refused:
            ended = {"state": Job.State.FAILED, "why": kept(refused.sentence)}
        except Exception:  # noqa: BLE001 - whatever breaks, the worker goes on and the person hears of it
            _log.exception("Job %s (%s) failed", job.pk, job.kind)
            ended = {"state": Job.State.FAILED, "why": kept(BROKEN)}
    job.started_at = at
    what, done, total = told.last
    ended = as_it_stands(home, job, ended)
    end(home, job.pk, clock(), what=kept(what), done=done, total=total, **ended)
    if ended["state"] != Job.State.DONE and job.kind in KINDS and KINDS[job.kind].writes:
        clean(home, clock())


def as_it_stands(home: Home, job: Job, ended: dict[str, Any]) -> dict[str, Any]:
    """How a job ended, which is done where its work stands although something broke or was stopped after it.

    Where that cannot be found out, it says so: "nothing was changed" might be wrong.

    Raises Django's Error where the database is away.
    """
    if ended["state"] == Job.State.DONE or job.kind not in KINDS:
        return ended
    try:
        stands = KINDS[job.kind].stands(home, job)
    except Error:
        raise  # nobody can say: it is asked again once the database answers
    except Exception:  # noqa: BLE001 - whatever breaks, the job ends as it was going to
        _log.exception("Whether the work of job %s stands could not be told", job.pk)
        return {**ended, "state": Job.State.FAILED, "why": kept(UNSURE)}
    return ended if stands is None else {"state": Job.State.DONE, "result": stands}


def _work(home: Home, job: Job, told: Watched, at: datetime) -> dict[str, Any]:
    """The work itself, with the rights that its person has now."""
    kind = KINDS.get(job.kind)
    if kind is None:
        raise KlientelError(say("This Klientel does not know work of the kind {kind}.", kind=job.kind))
    actor = type(job).actor.get_queryset().filter(pk=job.actor_id).first()
    if actor is None or not actor.is_active:
        raise NotAllowed(mark("Whoever wanted this may not sign in any more."))
    kind.demand(actor)
    return kind.work(Run(home, job, actor, told, at))


def end(home: Home, job: int, at: datetime, **values: Any) -> None:
    """Write down how a running job ended."""
    Job.objects.filter(pk=job, state=Job.State.RUNNING).update(ended_at=at, heartbeat_at=at, **values)
    live.forget(home, job)


def clean(home: Home, at: datetime) -> None:
    """Clean away what a work that did not end well began, unless somebody else writes and does so.

    Never raises: nothing of it is seen by readers, and the next writer tries again.
    """
    from klientel.web.imports.writing import Busy, writing

    try:
        with writing(home, "clean", at):
            return
    except Busy:
        return
    except Exception:  # noqa: BLE001 - whatever it is, the end of the job is written down already
        _log.exception("What a job left could not be cleaned away")


class _alive:  # noqa: N801 - a context, used as a function is
    """Signs of life for as long as a job runs, from a thread of their own."""

    def __init__(self, home: Home, job: int) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(home, job), daemon=True)

    def _beat(self, home: Home, job: int) -> None:
        while not self._over.wait(live.PULSE):
            live.pulse(home, job)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
