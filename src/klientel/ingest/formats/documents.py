"""Reads JSON and JSON lines: objects become rows, nested objects columns with dotted names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from klientel.errors import BadFile
from klientel.ingest.formats.header import cell_kind
from klientel.ingest.formats.rejections import Rejections
from klientel.ingest.formats.staging import Reading, Staging, closing_notes
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import mark, say

_BATCH = 20_000
_NO_OBJECT = mark("the line is not a JSON object")
_NO_OBJECT_HINT = mark("Each line has to be one complete object in braces.")


class _Figure(str):
    """A number as it is spelled in the document."""


def read_json(path: Path, file: str, name: str, reading: Reading) -> RawTable:
    """Stage a JSON document (a list of objects, or an object that holds one) or JSON lines as texts.

    `line` is the physical line of JSON lines, else the number of the object. Lines that cannot be read
    become rejections. Raises BadFile if there are no objects.
    """
    rejections = Rejections(file, reading.limits)
    columns: dict[str, int] = {}
    for _, row in _rows(path, file, reading, rejections):
        for key in row:
            columns.setdefault(key, len(columns))
        if len(columns) > reading.limits.columns:
            raise BadFile(
                say(
                    "The objects in {file} have more than {most} different names.",
                    file=file,
                    most=len(columns) - 1,
                )
            )
    if not columns:
        raise BadFile(say("{file} holds no list of JSON objects, so there is no table in it.", file=file))
    staging = Staging(reading.new_path(), len(columns), rejections, reading.limits)
    typed, loose = set[str](), set[str]()
    cells: list[list[str]] = []
    lines: list[int] = []
    for line, row in _rows(path, file, reading, None):
        for key, value in row.items():
            if _figure(value):
                (typed if isinstance(value, _Figure) else loose).add(key)
        cells.append([row.get(key, "") for key in columns])
        lines.append(line)
        if len(cells) >= _BATCH:
            staging.add_rows(cells, lines)
            cells, lines = [], []
    staging.add_rows(cells, lines)
    rows = staging.close()
    return RawTable(
        name=name,
        file=file,
        columns=tuple(RawColumn(f"c{k}", key, native=key in typed - loose) for key, k in columns.items()),
        source=[staging.path],
        rows=rows,
        header_line=None,
        rejections=rejections.kept,
        rejected=rejections.count,
        aside=rejections.aside,
        notes=closing_notes(staging),
    )


def _figure(value: str) -> bool:
    return isinstance(value, _Figure) or cell_kind(value) in ("number", "date")


def _rows(
    path: Path, file: str, reading: Reading, rejections: Rejections | None
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, flat row) of each object; bad lines go to `rejections` if they are asked for."""
    with path.open("rb") as stream:
        first = stream.readline(reading.limits.line)
    # an object on a line of its own is JSON lines; one that is the whole file may hold the list
    if isinstance(_parsed(first), dict) and len(first) < path.stat().st_size:
        yield from _line_rows(path, file, reading, rejections)
        return
    if path.stat().st_size > reading.limits.record_bytes:
        raise BadFile(say("{file} is too large for one JSON document: save it as JSON lines.", file=file))
    document = _parsed(path.read_bytes())
    if document is None:
        raise BadFile(say("{file} is not valid JSON: it is damaged or cut off.", file=file))
    for number, item in enumerate(_listed(document), 1):
        if isinstance(item, dict):
            yield number, dict(_flat(item))
        elif rejections:
            rejections.add(number, str(item), _NO_OBJECT, _NO_OBJECT_HINT)


def _line_rows(
    path: Path, file: str, reading: Reading, rejections: Rejections | None
) -> Iterator[tuple[int, dict[str, str]]]:
    size, done, number = path.stat().st_size, 0, 0
    with path.open("rb") as stream:
        while text := stream.readline(reading.limits.line):
            number += 1
            done += len(text)
            if text.strip():
                item = _parsed(text)
                if isinstance(item, dict):
                    yield number, dict(_flat(item))
                elif rejections:
                    rejections.add(number, text.decode("utf-8", "replace"), _NO_OBJECT, _NO_OBJECT_HINT)
            if number % _BATCH == 0:
                reading.tell(file, done, size)


def _parsed(text: bytes) -> Any:
    """The value in `text`, numbers as they are spelled; None if it is not JSON."""
    try:
        return json.loads(text.decode("utf-8-sig"), parse_int=_Figure, parse_float=_Figure)
    except (ValueError, RecursionError):
        return None


def _listed(document: Any) -> list[Any]:
    """The list of objects in a document: itself, or the longest list in it, as in {"data": [...]}."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return []
    lists = [v for v in document.values() if isinstance(v, list) and any(isinstance(i, dict) for i in v)]
    return max(lists, key=len, default=[document])


def _flat(item: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 5:
            yield from _flat(value, f"{name}.", depth + 1)
        elif value is None:
            yield name, ""
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, str):
            yield name, value.encode("utf-8", "replace").decode("utf-8") if not _sound(value) else value
        else:
            yield name, json.dumps(value, ensure_ascii=False, default=str)


def _sound(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, written as an escape
        return False
    return True
