"""Reads one file, whatever it is, into the raw tables it holds."""

from __future__ import annotations

from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.archives import members, unpack
from klientel.ingest.formats.columnar import read_arrow, read_parquet
from klientel.ingest.formats.documents import read_json
from klientel.ingest.formats.kinds import find_kind, stem
from klientel.ingest.formats.rejections import NOT_READ_HINT
from klientel.ingest.formats.sheets import read_workbook
from klientel.ingest.formats.sqlite import read_sqlite
from klientel.ingest.formats.staging import Reading
from klientel.ingest.formats.text import read_text
from klientel.ingest.raw import RawTable, Rejection
from klientel.words import Sentence, say

_NESTED = 3  # an archive in an archive in an archive


def read_file(path: Path, file: str, reading: Reading, depth: int = 0) -> list[RawTable]:
    """All tables in a file; `file` is what it is called for a person.

    Raises BadFile with one sentence if nothing in it can be used.
    """
    try:
        return _read(path, file, reading, depth)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadFile(say("{file} cannot be opened: {reason}.", file=file, reason=reason)) from error
    except MemoryError as error:
        raise BadFile(
            say("{file} is too large for the memory of this computer: save it as CSV or Parquet.", file=file)
        ) from error


def _read(path: Path, file: str, reading: Reading, depth: int) -> list[RawTable]:
    if path.stat().st_size == 0:
        raise BadFile(say("{file} is empty: there is nothing to read in it.", file=file))
    kind, complaint = find_kind(path, file)
    name = stem(file)
    match kind:
        case "useless":
            raise BadFile(complaint)
        case "text":
            return [read_text(path, file, name, reading)]
        case "parquet":
            return [read_parquet(path, file, name, reading)]
        case "arrow":
            return [read_arrow(path, file, name, reading)]
        case "workbook":
            return read_workbook(path, file, name, reading)
        case "sqlite":
            return read_sqlite(path, file, reading)
        case "json":
            return [read_json(path, file, name, reading)]
    if depth >= _NESTED:
        raise BadFile(say("{file} is packed too many times: give the unpacked file.", file=file))
    if kind == "zip":
        return _zip(path, file, reading, depth)
    inner = unpack(path, kind, file, reading)
    return _inside(inner, file, reading, depth)


def _inside(inner: Path, file: str, reading: Reading, depth: int) -> list[RawTable]:
    """Tables of an unpacked file, which is removed unless a table points to it."""
    tables: list[RawTable] = []
    try:
        tables = read_file(inner, file, reading, depth + 1)
    finally:
        if not any(isinstance(t.source, list) and inner in t.source for t in tables):
            inner.unlink(missing_ok=True)
    return tables


def _zip(path: Path, file: str, reading: Reading, depth: int) -> list[RawTable]:
    tables: list[RawTable] = []
    failed: list[Rejection] = []
    for member, found in members(path, file, reading):
        label = f"{file}/{member}"
        if isinstance(found, Sentence):
            failed.append(not_read(label, found))
            continue
        try:
            tables += _inside(found, label, reading, depth)
        except BadFile as error:
            failed.append(not_read(label, error.sentence))
    if not tables:
        raise BadFile(failed[0].reason)
    add_failures(tables, failed)
    return tables


def not_read(file: str, reason: str) -> Rejection:
    """A whole file of a folder or archive that was left out."""
    return Rejection(file, 0, "", "", reason, NOT_READ_HINT)


def add_failures(tables: list[RawTable], failed: list[Rejection]) -> None:
    """Tell of files left out with the first table of the same folder or archive."""
    tables[0].rejections.extend(failed)
    tables[0].rejected += len(failed)
