"""Jobs for the pages: started, listed, ended, and declared dead where their worker is."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from klientel.errors import NotAllowed
from klientel.web.jobs import live, running
from klientel.web.jobs.kinds import KINDS
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import told as kept
from klientel.words import mark

if TYPE_CHECKING:
    from klientel.web.home import Home

KEPT = timedelta(days=30)  # ended jobs are listed for so long


def submit(home: Home, actor: Any, kind: str, parameters: dict[str, Any], at: datetime) -> Job:
    """Have something done; the job, waiting (done already where settings.JOBS_AT_ONCE). NotAllowed without right.

    actor: a user who is signed in; the rights are asked here and again when the work begins.
    """
    from django.conf import settings

    KINDS[kind].demand(actor)
    job = Job.objects.create(kind=kind, actor=actor, parameters=parameters, created_at=at)
    if settings.JOBS_AT_ONCE:
        running.run(home, job, lambda: at, lambda: False)
        job.refresh_from_db()
    return job


def jobs_of(actor: Any) -> Any:
    """The jobs that a person may see: the own ones, administrators all. Newest first."""
    found = Job.objects.select_related("actor").order_by("-pk")
    return found if actor.is_active and actor.is_superuser else found.filter(actor_id=actor.pk)


def cancel(home: Home, actor: Any, job: Job, at: datetime) -> None:
    """End a job: one that waits at once, one that runs at its next step. NotAllowed for somebody else's."""
    if not (job.actor_id == actor.pk or (actor.is_active and actor.is_superuser)):
        raise NotAllowed(mark("Only who wanted it, or an administrator, may end it."))
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.WAITING)
    if not waiting.update(state=Job.State.CANCELLED, ended_at=at):
        live.ask_to_end(home, job.pk)


def ahead(job: Job) -> Job | None:
    """The job that a waiting one waits for: the running one, else the first in the queue before it."""
    found = Job.objects.select_related("actor")
    running_one = found.filter(state=Job.State.RUNNING).order_by("pk").first()
    return running_one or found.filter(state=Job.State.WAITING, pk__lt=job.pk).order_by("pk").first()


@contextmanager
def the_only_worker(home: Home) -> Iterator[bool]:
    """Be the workspace's one worker; False if somebody is it already."""
    with (home.folder / "worker.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def nobody_works(home: Home) -> bool:
    """True if no worker is there to do what waits."""
    from django.conf import settings

    if settings.JOBS_AT_ONCE:
        return False
    with the_only_worker(home) as free:
        return free


def reap(home: Home, at: datetime) -> int:
    """Declare jobs ended whose worker is dead, and clean up behind them; how many. Only as the one worker.

    A job that another machine's worker ran is given a minute without a sign of life.
    """
    here = socket.gethostname()
    dead = []
    for job in Job.objects.filter(state=Job.State.RUNNING):
        told = live.told(home, job.pk)
        if told is None or told.machine == here or told.silent > live.SILENT:
            dead.append(job)
    for job in dead:
        ended = running.as_it_stands(home, job, {"state": Job.State.FAILED, "why": kept(running.CUT_OFF)})
        running.end(home, job.pk, at, **ended)
    if any(job.kind in KINDS and KINDS[job.kind].writes for job in dead):
        running.clean(home, at)
    return len(dead)


def reap_if_alone(home: Home, at: datetime) -> None:
    """The same from a page, if no worker is there."""
    from django.conf import settings

    if settings.JOBS_AT_ONCE or not Job.objects.filter(state=Job.State.RUNNING).exists():
        return
    with the_only_worker(home) as free:
        if free:
            reap(home, at)


def tidy(home: Home, at: datetime) -> None:
    """Forget jobs that ended long ago, and files of jobs that are gone."""
    ended = Job.objects.exclude(state__in=[Job.State.WAITING, Job.State.RUNNING])
    ended.filter(created_at__lt=at - KEPT).delete()
    alive = set(
        Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING]).values_list("pk", flat=True)
    )
    for file in live.folder(home).iterdir():
        if file.stem.isdigit() and int(file.stem) not in alive:
            file.unlink(missing_ok=True)
