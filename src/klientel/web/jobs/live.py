"""How far a running job is, told through small files: an import holds the database's lock for as long as it writes.

jobs/N.json      step, done, total, machine and process of the worker; its time stamp is the sign of life
jobs/N.cancel    somebody wants it to end
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.web.kinds_of_values import again
from klientel.web.kinds_of_values import told as kept

if TYPE_CHECKING:
    from klientel.web.home import Home

PULSE = 2.0  # seconds between signs of life
SILENT = 60.0  # seconds without one after which a worker on another machine counts as dead


def folder(home: Home) -> Path:
    """Where the files lie; made if it is not there."""
    place = home.folder / "jobs"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


@dataclass(frozen=True)
class Told:
    """What is told of a running job: step, done of total (None: nobody knows), machine, and seconds of silence."""

    what: Any
    done: int
    total: int | None
    machine: str
    silent: float


def tell(home: Home, job: int, what: Any, done: int, total: int | None) -> None:
    """Write how far a job is. A full disk does not end the job."""
    told = {"what": kept(what), "done": done, "total": total, "machine": socket.gethostname()}
    place = _file(home, job)
    part = place.with_suffix(".part")
    try:
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(place)
    except OSError:
        return


def told(home: Home, job: int) -> Told | None:
    """What is told of a job; None if nothing is."""
    place = _file(home, job)
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        silent = time.time() - place.stat().st_mtime
        return Told(again(found["what"]), found["done"], found["total"], found["machine"], silent)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def pulse(home: Home, job: int) -> None:
    """Give a sign of life."""
    try:
        os.utime(_file(home, job))
    except OSError:
        return


def ask_to_end(home: Home, job: int) -> None:
    """Tell the worker that the job is to end."""
    _wish(home, job).touch(mode=0o600)


def asked_to_end(home: Home, job: int) -> bool:
    """True if somebody wants the job to end."""
    return _wish(home, job).exists()


def forget(home: Home, job: int) -> None:
    """Remove the files of a job."""
    for place in (_file(home, job), _file(home, job).with_suffix(".part"), _wish(home, job)):
        place.unlink(missing_ok=True)


def _file(home: Home, job: int) -> Path:
    return folder(home) / f"{job}.json"


def _wish(home: Home, job: int) -> Path:
    return folder(home) / f"{job}.cancel"
