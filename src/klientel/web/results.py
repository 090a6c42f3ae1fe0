"""Answers of a workspace, kept for as long as nothing they rest on changes; data only, nothing is ever unpickled.

An answer is known by the content of the workspace, the analysis and its parameters, the day, the currency, the code,
and what the person may see. So nobody is given an answer that was made for somebody who may see more.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import klientel
from klientel.analysis import Analysis, Estimate
from klientel.answer import answer as compute
from klientel.answer import check_parameters
from klientel.quality import Quality
from klientel.result import Recipe, Result, ResultTable, Tables
from klientel.web import books
from klientel.web.home import Home
from klientel.web.rights import access
from klientel.words import Amount, Sentence, Share, Word, say

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.ingest.raw import Progress

LIMIT = 256 * 2**20  # bytes of all kept answers; the ones not asked for longest go first
_FORMAT = 1


def answer(
    home: Home,
    analysis: Analysis,
    *,
    actor: Any = None,
    as_of: date | None = None,
    currency: str | None = None,
    level: str = "customer",
    fiscal_year_start_month: int | None = None,
    today: date | None = None,
    progress: Progress | None = None,
    action: str = "read",
    **parameters: Any,
) -> Result:
    """The Result of an analysis on the workspace, from what is kept if that is still good.

    Raises what `klientel.answer.answer` and `books.open_book` raise.
    """
    check_parameters(analysis, parameters)
    found = access(actor)
    asked = {
        "analysis": analysis.name,
        "parameters": {k: repr(v) for k, v in sorted(parameters.items())},
        "as_of": str(as_of),
        "today": str(today) if as_of is None else "",
        "currency": currency or home.settings.get("currency"),
        "level": level,
        "fiscal": fiscal_year_start_month or home.settings.get("fiscal_year_start_month"),
        "sees": [found.key, action],
        "code": _code(),
        "folder": str(home.folder),  # the recipe names it
        "format": _FORMAT,
    }
    place = _place(home, asked, str(books.state()))
    kept = _read(place, analysis)
    if kept is not None:
        return kept
    book, state = books.opened(
        home,
        actor=found,
        as_of=as_of,
        currency=currency,
        level=level,
        fiscal_year_start_month=fiscal_year_start_month,
        progress=progress,
        today=today,
        action=action,
    )
    made = compute(book, analysis, **parameters)
    _write(home, _place(home, asked, str(state)), made)
    return made


def clear(home: Home) -> int:
    """Delete everything that is kept; how many files went. Erasure needs it: answers hold names."""
    place = folder(home)
    files = list(place.iterdir()) if place.is_dir() else []
    for file in files:
        _remove(file)
    return len(files)


def keep_tables(home: Home, place: Path, tables: dict[str, pa.Table]) -> None:
    """Keep Arrow tables in a folder of their own, which appears whole or not at all."""
    import pyarrow as pa

    part = place.with_name(f"{place.stem}-{token_hex(4)}.part")
    try:
        folder(home).mkdir(mode=0o700, exist_ok=True)
        part.mkdir(mode=0o700)
        for name, table in tables.items():
            with (
                pa.OSFile(str(part / f"{name}.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as writer,
            ):
                writer.write_table(table)
        part.rename(place)
        _bound(home)
    except OSError:
        _remove(part)


def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)


def _size(file: Path) -> int:
    return sum(f.stat().st_size for f in file.iterdir()) if file.is_dir() else file.stat().st_size


def folder(home: Home) -> Path:
    """Where answers and large records are kept."""
    return home.folder / "cache"


def _place(home: Home, asked: dict[str, Any], state: str) -> Path:
    text = json.dumps({**asked, "state": state}, sort_keys=True)
    return folder(home) / f"{sha256(text.encode()).hexdigest()}.answer"


@cache
def _code() -> str:
    """The version of the code; in a checkout, also when its files were changed last."""
    root = Path(klientel.__file__).parent
    stamps = [f"{p.relative_to(root)}:{p.stat().st_mtime_ns}" for p in sorted(root.rglob("*.py"))]
    return f"{klientel.__version__}:{sha256(chr(10).join(stamps).encode()).hexdigest()[:16]}"


def _write(home: Home, place: Path, result: Result) -> None:
    """Keep a result. What cannot be kept is not: an answer is worth more than its copy."""
    import pyarrow as pa

    head = {
        "as_of": _told(result.as_of),
        "currency": result.currency,
        "parameters": _told(result.parameters),
        "figures": _told(result.figures),
        "quality": _told(asdict(result.quality)),
        "estimates": {name: _told(asdict(e)) for name, e in result.estimates.items()},
        "lines": _told(list(result.lines)),
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
    part = place.with_name(f"{place.stem}-{token_hex(4)}.part")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with part.open("xb") as target:
            target.write(len(text).to_bytes(8, "big"))
            target.write(text)
            for body in bodies:
                target.write(body)
        part.replace(place)
        _bound(home)
    except OSError:
        part.unlink(missing_ok=True)


def _read(place: Path, analysis: Analysis) -> Result | None:
    """A kept result; None if there is none, or none that can be read."""
    import pyarrow as pa

    try:
        content = place.read_bytes()
        os.utime(place)
        size = int.from_bytes(content[:8], "big")
        head = json.loads(content[8 : 8 + size])
        start = 8 + size
        tables = {}
        for table in analysis.tables:
            length = head["tables"][table.name]
            body = pa.py_buffer(content[start : start + length])
            tables[table.name] = ResultTable(table, pa.ipc.open_stream(body).read_all())
            start += length
        recipe = dict(head["reproduce"])
        sql = recipe.pop("sql", "")
        quality = _again(head["quality"])
        return Result(
            analysis=analysis,
            as_of=_again(head["as_of"]),
            currency=head["currency"],
            parameters=_again(head["parameters"]),
            tables=Tables(tables),
            figures=_again(head["figures"]),
            quality=Quality(**{**quality, "reasons": tuple(quality["reasons"])}),
            estimates={n: Estimate(**_again(e)) for n, e in head["estimates"].items()},
            lines=tuple(_again(head["lines"])),
            reproduce=Recipe(recipe, lambda: str(sql)),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def _bound(home: Home) -> None:
    """Keep the folder below its limit, and free of what killed writers left."""
    files = []
    for file in folder(home).iterdir():
        try:
            files.append((file.stat().st_mtime, _size(file), file))
        except FileNotFoundError:
            continue
    files.sort(key=lambda f: f[0], reverse=True)
    newest, total = files[0][0] if files else 0.0, 0
    for at, size, file in files:
        total += size
        stale = file.suffix == ".part" and at < newest - timedelta(hours=1).total_seconds()
        if total > LIMIT or stale:
            _remove(file)


# -- values that keep their kind ------------------------------------------------------------------


def _told(value: Any) -> Any:
    """A value as JSON that tells its kind."""
    match value:
        case None | bool():
            return value
        case Sentence():
            return {"say": value.template, "with": {k: _told(v) for k, v in value.values.items()}}
        case Word():
            return {"mark": str(value)}
        case str():
            return str(value)
        case Share():
            return {"share": float(value)}
        case Amount():
            return {"amount": str(value)}
        case Decimal():
            return {"decimal": str(value)}
        case date():
            return {"date": value.isoformat()}
        case dict():
            return {"dict": {str(k): _told(v) for k, v in value.items()}}
        case list():
            return [_told(v) for v in value]
        case tuple():
            return {"tuple": [_told(v) for v in value]}
        case int():
            return int(value)
        case float():
            return float(value)
    if hasattr(value, "item"):
        return _told(value.item())
    raise TypeError(f"no answer holds {type(value).__name__}")


def _again(value: Any) -> Any:
    """The value that `_told` wrote."""
    if isinstance(value, list):
        return [_again(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "say" in value:
        return say(value["say"], **{k: _again(v) for k, v in value["with"].items()})
    ((kind, content),) = value.items()
    match kind:
        case "mark":
            return Word(content)
        case "share":
            return Share(content)
        case "amount":
            return Amount(content)
        case "decimal":
            return Decimal(content)
        case "date":
            return date.fromisoformat(content)
        case "tuple":
            return tuple(_again(v) for v in content)
    return {k: _again(v) for k, v in content.items()}
