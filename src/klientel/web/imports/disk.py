"""A full disk, told in one sentence, wherever it shows: in DuckDB, Delta, SQLite or a plain file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from klientel.errors import KlientelError
from klientel.words import say

# How DuckDB, Delta, SQLite and PostgreSQL say it.
_SAID = (
    "no space left", "disk full", "disk is full", "database or disk is full", "disk quota exceeded",
    "file too large", "could not extend file",
)  # fmt: skip


class DiskFull(KlientelError):
    """There is no room for what is to be written."""


@contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Raise DiskFull, with one sentence, for anything that failed because there is no room left."""
    try:
        yield
    except Exception as broke:
        if is_full(broke):
            raise DiskFull(
                say(
                    "There is no room left on the disk of {folder}. Nothing was changed; make room and do it again.",
                    folder=str(folder),
                )
            ) from broke
        raise


def is_full(broke: BaseException | None) -> bool:
    """True if an exception, or what caused it, says that there is no room."""
    seen: set[int] = set()
    while broke is not None and id(broke) not in seen:
        seen.add(id(broke))
        if isinstance(broke, OSError) and broke.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        text = str(broke).lower()
        if any(said in text for said in _SAID):
            return True
        broke = broke.__cause__ or broke.__context__
    return False
