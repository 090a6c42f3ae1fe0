"""Answers of a workspace, kept for as long as nothing they rest on changes; data only, nothing is ever unpickled.

An answer is known by the content of the workspace, the analysis and its parameters, the day, the currency, the code,
and what the person may see. So nobody is given an answer that was made for somebody who may see more.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection

import klientel
from klientel.analysis import Analysis, Estimate
from klientel.answer import answer as compute
from klientel.answer import check_parameters
from klientel.quality import Quality
from klientel.result import Recipe, Result, ResultTable, Tables
from klientel.web import books
from klientel.web.home import Home
from klientel.web.kinds_of_values import again, told
from klientel.web.rights import Access, access

if TYPE_CHECKING:
    from klientel.book import Book
    from klientel.ingest.raw import Progress

LIMIT = 512 * 2**20  # bytes of all kept answers; the ones not asked for longest go first
_FORMAT = 1


class Part(Protocol):
    """A part of what a person may see: `web.scopes` has them."""

    @property
    def key(self) -> str:
        """Stands for the part, with all that decides who is in it beside the content of the workspace."""

    def narrow(self, book: Book) -> Book:
        """The Book of the part."""


@dataclass(frozen=True)
class Question:
    """What an answer answers: an analysis with its parameters, for whom, of which day, in which part.

    Made by `ask`. Two questions with the same `place` have the same answer.
    """

    home: Home
    analysis: Analysis
    found: Access
    opening: dict[str, Any]  # what `books.opened` takes
    parameters: dict[str, Any]
    part: Part | None = None

    @cached_property
    def asked(self) -> dict[str, Any]:
        """All that tells this question from others, but for the content of the workspace."""
        as_of, settings = self.opening["as_of"], self.home.settings
        return {
            "analysis": self.analysis.name,
            "parameters": {k: repr(v) for k, v in sorted(self.parameters.items())},
            "as_of": str(as_of),
            "today": str(self.opening["today"]) if as_of is None else "",
            "currency": self.opening["currency"] or settings.get("currency"),
            "level": self.opening["level"],
            "fiscal": self.opening["fiscal_year_start_month"] or settings.get("fiscal_year_start_month"),
            "sees": [_sees(self.found), self.opening["action"]],
            "part": self.part.key if self.part is not None else "",
            "code": code(),
            "folder": str(self.home.folder),  # the recipe names it
            "format": _FORMAT,
        }

    def place(self, state: books.State | None = None) -> Path:
        """Where the answer is kept, for a content of the workspace (default: the one it has now)."""
        if state is None:
            state = books.state()
            _look(f"{self.home.folder}:{state}")
        return _place(self.home, self.asked, str(state))


def ask(
    home: Home,
    analysis: Analysis,
    *,
    actor: Any = None,
    as_of: date | None = None,
    currency: str | None = None,
    level: str = "customer",
    fiscal_year_start_month: int | None = None,
    today: date | None = None,
    action: str = "read",
    part: Part | None = None,
    **parameters: Any,
) -> Question:
    """A question to the workspace; raises BadParameter for parameters that the analysis does not take.

    part: only these of the customers that `actor` may see; it narrows before anything is computed.
    """
    check_parameters(analysis, parameters)
    opening = {
        "as_of": as_of,
        "currency": currency,
        "level": level,
        "fiscal_year_start_month": fiscal_year_start_month,
        "today": today,
        "action": action,
    }
    return Question(home, analysis, access(actor), opening, parameters, part)


def answer(home: Home, analysis: Analysis, *, progress: Progress | None = None, **options: Any) -> Result:
    """The Result of an analysis on the workspace, from what is kept if that is still good. Options: see `ask`.

    Raises what `klientel.answer.answer` and `books.open_book` raise.
    """
    return give(ask(home, analysis, **options), progress)


def kept(question: Question, state: books.State | None = None) -> Result | None:
    """The answer if it is kept and still good; nothing is computed."""
    return _read(question.place(state), question.analysis)


def give(question: Question, progress: Progress | None = None) -> Result:
    """The answer, kept or computed; who asks the same meanwhile waits and gets the same.

    One answer is computed at a time in a process: memory holds one Book, which questions that differ only in
    analysis and parameters share.
    """
    found = kept(question)
    if found is not None:
        return found
    with _alone(question), _COMPUTING:
        found = kept(question)
        if found is not None:
            return found
        book, state = book_for(question, progress)
        if progress is not None:
            progress(question.analysis.title, 0, None)
        made = compute(book, question.analysis, **question.parameters)
        place = question.place(state)
        _write(question.home, place, made, state)
        return _read(place, question.analysis) or made


_COMPUTING = RLock()
_OPEN: dict[str, tuple[Book, books.State]] = {}  # the Book that was asked last, and its last part


def book_for(question: Question, progress: Progress | None = None) -> tuple[Book, books.State]:
    """The Book that a question is put to, and its content. Only under `computing`.

    The Book that was asked last stays open, whole and in the part that was asked for, for the next question.
    """
    told = {k: v for k, v in question.asked.items() if k not in ("analysis", "parameters", "part")}
    key = f"{books.state()}:{json.dumps(told, sort_keys=True)}"
    if key not in _OPEN:
        _OPEN.clear()
        book, state = books.opened(question.home, actor=question.found, progress=progress, **question.opening)
        key = f"{state}:{json.dumps(told, sort_keys=True)}"
        _OPEN[key] = (book, state)
    book, state = _OPEN[key]
    if question.part is None:
        return book, state
    narrow = f"{key}:{question.part.key}"
    if narrow not in _OPEN:
        for old in [k for k in _OPEN if k != key]:
            del _OPEN[old]
        _OPEN[narrow] = (question.part.narrow(book), state)
    return _OPEN[narrow]


@contextmanager
def computing() -> Iterator[None]:
    """Nothing else is computed in this process meanwhile."""
    with _COMPUTING:
        yield


def let_go() -> None:
    """Close the Book that was asked last, if nobody asks it now."""
    if _COMPUTING.acquire(blocking=False):
        _OPEN.clear()
        _COMPUTING.release()


@contextmanager
def _alone(question: Question) -> Iterator[None]:
    """Only one process and thread computes the answers of a question; others wait."""
    place = question.home.folder / "locks"
    place.mkdir(mode=0o700, exist_ok=True)
    with (place / f"{question.place().stem[:2]}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_now = [""]  # the content that was looked at last, with its folder
_forgetting: list[Callable[[], None]] = []


def forgets(forget: Callable[[], None]) -> Callable[[], None]:
    """Marks a function that throws away what a process holds of answers: called at the first question after the
    content changed. Nothing of before is asked again, and it may name persons who were erased.
    """
    _forgetting.append(forget)
    return forget


def content() -> str:
    """The content that this process answered of last: what was begun under another one is not to be held."""
    return _now[0]


def _look(found: str) -> None:
    if _now[0] != found:
        _now[0] = found
        for forget in _forgetting:
            forget()


_SEEN: dict[
    Any, str
] = {}  # what a person sees, by reach and content: telling it takes a list of all customers


def _sees(found: Access) -> str:
    if found.unlimited or "key" in found.__dict__:
        return found.key
    reaches = tuple(sorted((a, r.everybody, r.reps, r.users) for a, r in found.reaches.items()))
    key = (connection.settings_dict["NAME"], found.day, reaches, str(books.state()))
    if key not in _SEEN:
        if len(_SEEN) > 500:
            _SEEN.clear()
        _SEEN[key] = found.key
    found.__dict__["key"] = _SEEN[key]
    return _SEEN[key]


def clear(home: Home) -> int:
    """Delete everything that is kept; how many files went. Erasure needs it: answers hold names."""
    let_go()
    place = folder(home)
    files = list(place.iterdir()) if place.is_dir() else []
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def folder(home: Home) -> Path:
    """Where answers and large records are kept."""
    return home.folder / "cache"


def _place(home: Home, asked: dict[str, Any], state: str) -> Path:
    text = json.dumps({**asked, "state": state}, sort_keys=True)
    return folder(home) / f"{sha256(text.encode()).hexdigest()}.answer"


@cache
def code() -> str:
    """The version of the code; in a checkout, also when its files were changed last."""
    root = Path(klientel.__file__).parent
    stamps = [f"{p.relative_to(root)}:{p.stat().st_mtime_ns}" for p in sorted(root.rglob("*.py"))]
    return f"{klientel.__version__}:{sha256(chr(10).join(stamps).encode()).hexdigest()[:16]}"


def _write(home: Home, place: Path, result: Result, state: books.State) -> None:
    """Keep a result. What cannot be kept is not: an answer is worth more than its copy.

    state: what it was made of. If that changed meanwhile nothing stays: an erasure cleans up what is kept when it
    is done, and what is written after that would hold who was erased for good.
    """
    import pyarrow as pa

    head = {
        "as_of": told(result.as_of),
        "currency": result.currency,
        "parameters": told(result.parameters),
        "figures": told(result.figures),
        "quality": told(asdict(result.quality)),
        "estimates": {name: told(asdict(e)) for name, e in result.estimates.items()},
        "lines": told(list(result.lines)),
        "reproduce": dict(result.reproduce),
        "tables": {},
    }
    bodies = []
    for name, table in result.tables.items():
        sink = pa.BufferOutputStream()
        arrow = table.to_pyarrow()
        with pa.ipc.new_stream(sink, arrow.schema) as writer:
            writer.write_table(arrow)
        bodies.append(sink.getvalue())
        head["tables"][name] = len(bodies[-1])
    if sum(map(len, bodies)) > LIMIT // 4:
        return
    text = json.dumps(head).encode()
    text += b" " * (-(8 + len(text)) % 64)  # so that the tables lie where numbers may lie
    part = place.with_name(f"{place.stem}-{token_hex(4)}.part")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with part.open("xb") as target:
            target.write(len(text).to_bytes(8, "big"))
            target.write(text)
            for body in bodies:
                target.write(body)
        if books.state() != state:
            part.unlink()
            return
        part.replace(place)
        bound(home)
    except OSError:
        part.unlink(missing_ok=True)
    if books.state() != state:  # and now: what changes from here on, cleans up after this
        place.unlink(missing_ok=True)


def _read(place: Path, analysis: Analysis) -> Result | None:
    """A kept result; None if there is none, or none that can be read. Its tables are read where they lie."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(place)) as file:
            content = file.read_buffer()
        os.utime(place)
        size = int.from_bytes(content[:8].to_pybytes(), "big")
        head = json.loads(content[8 : 8 + size].to_pybytes())
        start = 8 + size
        tables = {}
        for table in analysis.tables:
            length = head["tables"][table.name]
            body = content[start : start + length]
            tables[table.name] = ResultTable(table, pa.ipc.open_stream(body).read_all())
            start += length
        recipe = dict(head["reproduce"])
        sql = recipe.pop("sql", "")
        quality = again(head["quality"])
        return Result(
            analysis=analysis,
            as_of=again(head["as_of"]),
            currency=head["currency"],
            parameters=again(head["parameters"]),
            tables=Tables(tables),
            figures=again(head["figures"]),
            quality=Quality(**{**quality, "reasons": tuple(quality["reasons"])}),
            estimates={n: Estimate(**again(e)) for n, e in head["estimates"].items()},
            lines=tuple(again(head["lines"])),
            reproduce=Recipe(recipe, lambda: str(sql)),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def bound(home: Home) -> None:
    """Keep the folder below its limit, and free of what killed writers left."""
    files = []
    for file in folder(home).iterdir():
        try:
            files.append((file.stat().st_mtime, file.stat().st_size, file))
        except FileNotFoundError:
            continue
    files.sort(key=lambda f: f[0], reverse=True)
    newest, total = files[0][0] if files else 0.0, 0
    for at, size, file in files:
        total += size
        stale = file.suffix == ".part" and at < newest - timedelta(hours=1).total_seconds()
        if total > LIMIT or stale:
            file.unlink(missing_ok=True)
