"""The process that does the jobs of a workspace, one after the other: python -m klientel.web.jobs.worker FOLDER.

It ends on SIGTERM or SIGINT, after taking the running job back, and when whoever started it is gone: its standard
input is a pipe from there.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klientel.web.home import Home

_log = logging.getLogger(__name__)
REST = 0.15  # seconds between two looks for work
TIDY = 3600.0  # seconds between two rounds of tidying
AGAIN = 2.0  # seconds until the database is asked again
PATIENCE = 8.0  # seconds for the running job to end once nobody is there any more


def now() -> datetime:
    """This moment: the worker is an edge, where the clock is read."""
    return datetime.now(UTC)


def main(folder: str) -> None:
    """Do jobs until told to stop."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if not sys.stdin.isatty():
        threading.Thread(target=_until_alone, args=(over,), daemon=True).start()
    from klientel.web import home as homes

    home = homes.find(folder)
    _warm()
    from klientel.web.jobs import services

    while not over.is_set():
        with services.the_only_worker(home) as ours:
            if ours:
                work(home, over)
        over.wait(1.0)  # another one works: stand by


def _until_alone(over: threading.Event) -> None:
    """End once the pipe from the starter closes; what does not listen then is left to the next one's cleaning."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    over.set()
    time.sleep(PATIENCE)
    os._exit(1)


def _warm() -> None:
    """Load what imports need, so that the first one does not wait for it."""
    from klientel.engine import connect
    from klientel.web.imports import importing, undoing

    assert importing
    assert undoing
    connect(None)


def work(home: Home, over: threading.Event) -> None:
    """Look for waiting jobs and do them, until told to stop. Only as the one worker."""
    from django.db import close_old_connections

    from klientel.web import kept_records
    from klientel.web.api.delivering import keep_delivering  # beside the jobs: an import may take long
    from klientel.web.jobs import running, services
    from klientel.web.jobs.models import Job

    threading.Thread(target=keep_delivering, args=(now, over), daemon=True).start()
    tidied = -TIDY
    begun = prepared = False
    while not over.is_set():
        try:
            close_old_connections()
            if not begun:
                services.reap(home, now())
                begun = True
            job = Job.objects.filter(state=Job.State.WAITING).order_by("pk").first()
            if job is not None:
                prepared = False
                running.run(home, job, now, over.is_set)
                continue
            if not prepared:
                prepared = True
                kept_records.prepare(home)
            if time.monotonic() - tidied > TIDY:
                tidied = time.monotonic()
                _tidy(home)
        except Exception:  # noqa: BLE001 - the database is away, the disk is full, whatever: it is tried again
            _log.exception("The worker could not go on, and tries it again")
            begun = False  # a job whose end could not be written down is still told as running
            over.wait(AGAIN)
        over.wait(REST)


def _tidy(home: Home) -> None:
    from klientel.web.accounts import retention
    from klientel.web.imports import drafts, kept_backups
    from klientel.web.jobs import services

    services.tidy(home, now())
    drafts.tidy(home, now())
    kept_backups.tidy(home, now())
    retention.tidy(now())


if __name__ == "__main__":
    main(sys.argv[1])
