"""The one entrance: files, folders, archives and frames become raw tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from klientel.errors import BadFile, nearest
from klientel.ingest.formats.files import read_file
from klientel.ingest.formats.folders import read_folder
from klientel.ingest.formats.frames import is_frame, read_frame
from klientel.ingest.formats.limits import LIMITS, Limits
from klientel.ingest.formats.staging import Reading
from klientel.ingest.raw import Progress, RawTable
from klientel.words import say


def read_sources(
    sources: Sequence[str | Path | Any] | Mapping[str, Any] | str | Path | Any,
    stage: Path,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
) -> list[RawTable]:
    """Read all sources into raw tables, in order; names of the tables are unique.

    sources: paths of files, folders and archives; frames (pandas, Polars, PyArrow, DuckDB, Ibis); dicts
    of name -> any of these; lists of dict rows. A single source need not be in a list.
    stage: an existing or new folder for staged Parquet files; it must outlive the tables.
    progress: called as progress(file, bytes done, bytes in total).
    Raises BadFile if a named source cannot be used at all.
    """
    reading = Reading(Path(stage), progress, limits)
    tables: list[RawTable] = []
    for source in _listed(sources):
        tables += _read(source, "", reading)
    if not tables:
        raise BadFile(say("Nothing was given to read: name a file or a folder."))
    return _uniquely_named(tables)


def _listed(sources: Any) -> list[Any]:
    if isinstance(sources, str | os.PathLike | Mapping) or is_frame(sources):
        return [sources]
    return list(sources)


def _read(source: Any, name: str, reading: Reading) -> list[RawTable]:
    if isinstance(source, str | os.PathLike):
        tables = _read_path(Path(source).expanduser(), reading)
        if name and len(tables) == 1:
            tables[0].name = name
        return tables
    if isinstance(source, Mapping):
        if not source:
            raise BadFile(say("Nothing was given to read: name a file or a folder."))
        return [table for key, value in source.items() for table in _read(value, str(key), reading)]
    return [read_frame(source, name or "frame", reading)]


def _read_path(path: Path, reading: Reading) -> list[RawTable]:
    try:
        if path.is_dir():
            return read_folder(path, reading)
        if path.is_file():
            return read_file(path, path.name, reading)
        exists = path.exists()
    except (OSError, ValueError):  # too long, or a NUL byte in the name
        exists = False
    if exists:
        raise BadFile(say("{file} is neither a file nor a folder.", file=str(path)))
    raise BadFile(_missing(path))


def _missing(path: Path) -> str:
    try:
        near = nearest(path.name, (p.name for p in path.parent.iterdir()))
    except (OSError, ValueError):
        near = None
    if near:
        found = str(path.parent / near)
        return say("{file} does not exist; did you mean {near}?", file=str(path), near=found)
    return say("{file} does not exist: check the path.", file=str(path))


def _uniquely_named(tables: list[RawTable]) -> list[RawTable]:
    taken: set[str] = set()
    for table in tables:
        base, count = table.name, 2
        while table.name in taken:
            table.name = f"{base}_{count}"
            count += 1
        taken.add(table.name)
    return tables
