"""Files on their way into a draft: counted as they come, there only once they are whole, never trusted by name."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from secrets import token_hex
from types import TracebackType

from django.conf import settings

from klientel.errors import BadFile, KlientelError
from klientel.web.imports import drafts
from klientel.web.imports.drafts import Draft
from klientel.words import Sentence, say

KEEP_FREE = 256 * 10**6  # bytes of the disk that uploads leave alone
_AROUND = 10**6  # bytes of a request around its files


class TooLarge(KlientelError):
    """More was sent than may be uploaded, or than the disk can hold."""


def too_large() -> Sentence:
    """What to say of more than may be uploaded."""
    return say(
        "The files are larger than {mb} MB together. Send fewer, or have KLIENTEL_UPLOAD_MB raised.",
        mb=settings.UPLOAD_LIMIT // 10**6,
    )


def demand_room(draft: Draft, announced: int) -> None:
    """Raise TooLarge for a request of so many bytes if they may not be uploaded, or the disk is too full for them."""
    if draft.size + announced > settings.UPLOAD_LIMIT + _AROUND:
        raise TooLarge(too_large())
    if announced + KEEP_FREE > shutil.disk_usage(draft.folder).free:
        raise TooLarge(say("There is not enough room on the server's disk for these files."))


@contextmanager
def changing(draft: Draft) -> Iterator[None]:
    """The draft as it is by now, changed by nobody else meanwhile, and saved if all goes well; not to be nested.

    Raises BadFile if it is gone.
    """
    try:
        lock = (draft.folder / "lock").open("ab")
    except FileNotFoundError:
        raise BadFile(drafts.GONE) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = drafts.read(draft.folder)
        if now is None:
            raise BadFile(drafts.GONE)
        for field in fields(draft):
            setattr(draft, field.name, getattr(now, field.name))
        yield
        draft.save()


class Incoming:
    """A file that comes in, readable by the owner of the workspace only. Until `keep` it is no file of the draft.

    As a context it is kept if all goes well and thrown away otherwise.
    """

    def __init__(self, draft: Draft, name: str) -> None:
        self.draft, self.name, self.size = draft, name, 0
        folder = draft.folder / "files"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._part = folder / f".{token_hex(8)}.part"
        self._target = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, piece: bytes, others: int = 0) -> None:
        """Take a piece; TooLarge if the draft holds too much then. others: bytes that wait to be kept as well."""
        self.size += len(piece)
        if self.draft.size + others + self.size > settings.UPLOAD_LIMIT:
            raise TooLarge(too_large())
        self._target.write(piece)

    def keep(self) -> None:
        """Make it a file of the draft, as the draft is by now; TooLarge if others came in meanwhile."""
        try:
            self._target.close()
            with changing(self.draft):
                if self.draft.size + self.size > settings.UPLOAD_LIMIT:
                    raise TooLarge(too_large())
                self._part.replace(self.draft.place_for(self.name))
                self.draft.forget_looks()
        except BaseException:
            self.throw_away()
            raise

    def throw_away(self) -> None:
        """Forget it, whatever was written."""
        with suppress(OSError):  # a full disk cannot take the last piece; it goes anyway
            self._target.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.keep()
        else:
            self.throw_away()
