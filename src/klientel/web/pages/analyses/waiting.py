"""Answers that take a while: one thread computes them one after the other, pages look in until theirs is there.

What is waited for is known by a key that holds the content of the workspace, so an answer or a refusal that is
here is good until somebody changes something; what broke is tried again after a while.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, PriorityQueue
from time import monotonic
from typing import Any

from klientel.errors import (
    BadFile,
    BadParameter,
    KlientelError,
    MissingInput,
    NotAllowed,
    NotEnoughData,
)
from klientel.web import results
from klientel.words import mark, say

_log = logging.getLogger(__name__)
FIRST, LATER = 0, 1  # what somebody looks at, and what is only nice to have
_LOOK = 0.5  # seconds between two looks whether the server ends
IDLE = 120.0  # seconds without work after which the open Book is closed
_MOST = 200  # refusals and small answers that are remembered
_FAULT = mark("This is a fault of ours; it is in the server's log. Nothing was changed.")
# What says something of the content or the question, and so holds as long as these do; all else may pass.
_LASTING = (MissingInput, BadParameter, BadFile, NotAllowed, NotEnoughData)
AGAIN = 60.0  # seconds after which what broke is tried again


@dataclass
class Waiting:
    """An answer that is on its way, or was refused (`why`), or is there (`answer`)."""

    key: str
    work: Callable[[Callable[[str, int, int | None], None]], Any]
    ended: threading.Event = field(default_factory=threading.Event)
    said: str = mark("Waiting for other answers")
    done: int = 0
    total: int | None = None
    why: KlientelError | None = None
    answer: Any = None
    content: str = field(default_factory=results.content)  # of the workspace, when it was asked for
    broke: float | None = None  # when (of `monotonic`), if `why` may be over by now

    @property
    def over(self) -> bool:
        """True if it broke so long ago that it is tried again; whoever looks in until then is told."""
        return self.broke is not None and monotonic() - self.broke > AGAIN

    def tell(self, what: str, done: int, total: int | None) -> None:
        """The progress of the work."""
        self.said, self.done, self.total = what, done, total


_known: OrderedDict[str, Waiting] = OrderedDict()
_queue: PriorityQueue[tuple[int, int, Waiting]] = PriorityQueue()
_lock = threading.Lock()
_count = 0
_thread: threading.Thread | None = None
_over = threading.Event()  # the server ends
_PATIENCE = 15.0  # seconds that an answer under way may hold up the end of the server


def ask(
    key: str, work: Callable[[Callable[[str, int, int | None], None]], Any], rank: int = FIRST
) -> Waiting:
    """What is known of the answer with this key; the work is put in line if nobody asked before."""
    global _count, _thread
    with _lock:
        found = _known.get(key)
        if found is None or found.over:
            found = _known[key] = Waiting(key, work)
            _count += 1
            _queue.put((rank, _count, found))
        elif rank == FIRST and not found.ended.is_set():
            _count += 1
            _queue.put((rank, _count, found))  # before what is only nice to have; done twice it is not
        _known.move_to_end(key)
        for old in list(_known):
            if len(_known) <= _MOST:
                break
            if _known[old].ended.is_set():
                del _known[old]
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="answers", daemon=True)
            _thread.start()
    return found


@atexit.register
def _end() -> None:
    """Let the answer under way end: a thread that dies inside the engine takes the process with it."""
    _over.set()
    if _thread is not None:
        _thread.join(_PATIENCE)


def forget(key: str) -> None:
    """Take an answer off the list: it lies elsewhere by now, or is to be tried again."""
    with _lock:
        if key in _known and _known[key].ended.is_set():
            del _known[key]


@results.forgets
def forget_all() -> None:
    """Take all that ended off the list."""
    with _lock:
        for key in [key for key, one in _known.items() if one.ended.is_set()]:
            del _known[key]


def _work() -> None:
    from django.db import connections

    idle = 0.0
    while not _over.is_set():
        try:
            _, _, one = _queue.get(timeout=_LOOK)
        except Empty:
            idle += _LOOK
            if idle >= IDLE:
                results.let_go()
            continue
        idle = 0.0
        if one.ended.is_set():
            continue
        try:
            one.answer = one.work(one.tell)
        except KlientelError as refused:
            one.why = refused
            one.broke = None if isinstance(refused, _LASTING) else monotonic()
        except Exception as broke:  # noqa: BLE001 - whoever waits must be told
            _log.exception("An answer broke")
            one.why = KlientelError(say("{why} ({kind})", why=_FAULT, kind=type(broke).__name__))
            one.broke = monotonic()
        finally:
            connections.close_all()
            with suppress(AttributeError):  # the work may have opened none
                del connections["default"]  # a process may go from one workspace to another (`home.attach`)
            one.ended.set()
            if one.content != results.content():  # whoever asks now asks another question
                forget(one.key)
