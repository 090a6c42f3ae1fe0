"""Imports on their way: uploaded files in a folder of their own until they are imported or a day has passed.

uploads/TOKEN/draft.json   whose it is, what was chosen so far
uploads/TOKEN/files        the uploaded files under names of ours
uploads/TOKEN/stage        the same as text in Parquet, so that a changed mapping is seen at once
uploads/TOKEN/rejected     rows that the dry run would not take
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.errors import BadFile
from klientel.web.rights import demand_all
from klientel.words import mark

if TYPE_CHECKING:
    from klientel.web.home import Home

ABANDONED = timedelta(days=1)
GONE = mark("The uploaded files are gone: they are kept for a day. Upload them again.")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_LONGEST = 120  # characters of a file's name
_ODD = re.compile(r"[^\w .,&+()@#-]+")


@dataclass
class Draft:
    """An import that is being prepared.

    choices: place of a table -> {"table": name, "-" or "", "columns": {column of ours: "table.column" or "-"}};
    template: name of a saved mapping; tried: number of the job of the last dry run, good until something changes.
    """

    folder: Path
    who: int
    files: list[str] = field(default_factory=list)
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    template: str = ""
    overwrite: bool = False
    tried: int | None = None

    @property
    def token(self) -> str:
        """What its address holds."""
        return self.folder.name

    @property
    def paths(self) -> list[Path]:
        """The uploaded files."""
        return [self.folder / "files" / name for name in self.files]

    @property
    def stage(self) -> Path:
        """Where the tables lie as they were read."""
        return self.folder / "stage"

    @property
    def size(self) -> int:
        """Bytes of the uploaded files."""
        return sum(path.stat().st_size for path in self.paths if path.exists())

    @property
    def subject(self) -> str:
        """The names of the files, for lists."""
        return ", ".join(self.files[:3]) + (" …" if len(self.files) > 3 else "")

    def save(self) -> None:
        """Keep what was chosen."""
        told = {
            "who": self.who, "files": self.files, "choices": self.choices, "template": self.template,
            "overwrite": self.overwrite, "tried": self.tried,
        }  # fmt: skip
        write(self.folder / "draft.json", told)

    def alike(self, other: Draft) -> bool:
        """True if the other would be imported just so: the same files, taken for the same."""
        return (self.files, self.choices, self.template, self.overwrite) == (
            other.files, other.choices, other.template, other.overwrite,
        )  # fmt: skip

    def place_for(self, name: str) -> Path:
        """A new path for an uploaded file of that name, which is not trusted."""
        (self.folder / "files").mkdir(mode=0o700, exist_ok=True)
        made = harmless(name, self.files)
        self.files.append(made)
        return self.folder / "files" / made

    def leave_out(self, name: str) -> None:
        """Take an uploaded file away, and what was read of it."""
        if name in self.files:
            self.files.remove(name)
            (self.folder / "files" / name).unlink(missing_ok=True)
            self.forget_looks()

    def forget_looks(self) -> None:
        """What was read of the files is no longer good."""
        shutil.rmtree(self.stage, ignore_errors=True)
        self.tried = None


def write(place: Path, content: Any) -> None:
    """Write JSON for its owner only; it appears whole or not at all."""
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as target:
        json.dump(content, target, ensure_ascii=False, indent=1)
    part.replace(place)


def harmless(name: str, taken: Iterable[str]) -> str:
    """A name of ours for a file that somebody called `name`: no folders, no signs that mean something, not taken."""
    bare = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    clean = " ".join(_ODD.sub("_", bare).split()).strip(". ") or "file"
    stem, dot, suffix = clean.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, dot, suffix = clean, "", ""
    stem = (stem.strip(". ") or "file")[:_LONGEST]
    while len(stem.encode()) > 2 * _LONGEST:  # letters of several bytes: a name may have 255
        stem = stem[:-1]
    made, n = f"{stem}{dot}{suffix}", 2
    known = {t.lower() for t in taken}
    while made.lower() in known:
        made, n = f"{stem} ({n}){dot}{suffix}", n + 1
    return made


def new(home: Home, actor: Any) -> Draft:
    """A new draft, empty. NotAllowed unless the person may change everybody's customers."""
    demand_all(actor, "write")
    place = _folder(home) / secrets.token_urlsafe(16)
    place.mkdir(mode=0o700)
    made = Draft(place, actor.pk)
    made.save()
    return made


def find(home: Home, actor: Any, token: str) -> Draft | None:
    """The draft of that token, if it is the person's own; NotAllowed for whom may not import (any more)."""
    demand_all(actor, "write")
    found = read(_folder(home) / token) if _TOKEN.fullmatch(token) else None
    return found if found is not None and found.who == actor.pk else None


def needed(home: Home, actor: Any, token: str) -> Draft:
    """The same; BadFile if it is gone."""
    found = find(home, actor, token)
    if found is None:
        raise BadFile(GONE)
    return found


def listed(home: Home, actor: Any) -> list[Draft]:
    """The person's own drafts with files, newest first."""
    demand_all(actor, "write")
    found = [read(place) for place in _folder(home).iterdir()]
    own = [draft for draft in found if draft is not None and draft.who == actor.pk and draft.files]
    return sorted(own, key=lambda d: -(d.folder / "draft.json").stat().st_mtime)


def drop(draft: Draft) -> None:
    """Delete a draft with its files."""
    shutil.rmtree(draft.folder, ignore_errors=True)


def tidy(home: Home, at: datetime) -> int:
    """Delete drafts that nobody touched for a day; how many."""
    gone = 0
    for place in _folder(home).iterdir():
        touched = max((p.stat().st_mtime for p in (place, place / "draft.json") if p.exists()), default=0.0)
        if at.timestamp() - touched > ABANDONED.total_seconds():
            shutil.rmtree(place, ignore_errors=True)
            gone += 1
    return gone


def touch(draft: Draft) -> None:
    """The draft is in use."""
    os.utime(draft.folder / "draft.json", (time.time(), time.time()))


def clear(home: Home) -> None:
    """Delete all drafts: whatever they hold is to be gone."""
    shutil.rmtree(home.folder / "uploads", ignore_errors=True)


def _folder(home: Home) -> Path:
    place = home.folder / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def read(place: Path) -> Draft | None:
    """The draft of a folder as it is kept; None if there is none (any more)."""
    try:
        told = json.loads((place / "draft.json").read_text(encoding="utf-8"))
        return Draft(place, **told)
    except (OSError, ValueError, TypeError):
        return None
