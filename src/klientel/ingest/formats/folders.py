"""Reads a folder of files, one level deep; files that are parts of one table become one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.files import add_failures, not_read, read_file
from klientel.ingest.formats.kinds import usable_name
from klientel.ingest.formats.staging import Reading
from klientel.ingest.raw import RawTable, Rejection
from klientel.words import Sentence, say


def read_folder(folder: Path, reading: Reading) -> list[RawTable]:
    """All tables in the files of a folder and its direct subfolders.

    Files named alike but for digits, with the same columns (2024-01.csv, 2024-02.csv), are one table.
    Raises BadFile if there is no usable file; single unusable ones become rejections with line 0.
    """
    if (folder / "_delta_log").is_dir():
        return _delta(folder, reading)
    tables: list[RawTable] = []
    failed: list[Rejection] = []
    files = list(_usable(folder))
    for path in files[: reading.limits.members]:
        label = path.relative_to(folder).as_posix()
        try:
            tables += read_file(path, label, reading)
        except BadFile as error:
            failed.append(not_read(label, error.sentence))
    if not tables:
        if failed:
            raise BadFile(failed[0].reason)
        raise BadFile(
            say(
                "The folder {folder} holds no file that could be read as a table (CSV, XLSX, Parquet, …).",
                folder=folder.name or str(folder),
            )
        )
    if len(files) > reading.limits.members:
        reason = say(
            "{file} holds {n} files; only the first {most} were read.",
            file=folder.name,
            n=len(files),
            most=reading.limits.members,
        )
        failed.append(not_read(folder.name, reason))
    tables = joined(tables)
    add_failures(tables, failed)
    return tables


def _usable(folder: Path) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    yield from (p for p in entries if p.is_file() and usable_name(Path(p.name)))
    for sub in entries:
        if sub.is_dir() and not sub.name.startswith((".", "_")):
            yield from (p for p in sorted(sub.iterdir()) if p.is_file() and usable_name(Path(p.name)))


def _delta(folder: Path, reading: Reading) -> list[RawTable]:
    """A Delta table: only the files of its last version, not those kept for older ones."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        paths = [Path(uri.removeprefix("file://")) for uri in DeltaTable(str(folder)).file_uris()]
    except (DeltaError, OSError) as error:
        raise BadFile(say("The Delta table {folder} cannot be read.", folder=folder.name)) from error
    if not paths:
        raise BadFile(say("The Delta table {folder} has no rows.", folder=folder.name))
    parts = [read_file(path, folder.name, reading)[0] for path in paths]
    return [_one(parts, folder.name, folder.name) if len(parts) > 1 else parts[0]]


def joined(tables: list[RawTable]) -> list[RawTable]:
    """Tables with names alike but for digits and the same columns, put together in the order found."""
    groups: dict[tuple[object, ...], list[RawTable]] = {}
    for number, table in enumerate(tables):
        groups.setdefault(_likeness(table, number), []).append(table)
    return [_one(g, _label(g), _common_name(g)) if len(g) > 1 else g[0] for g in groups.values()]


def _likeness(table: RawTable, number: int) -> tuple[object, ...]:
    if not isinstance(table.source, list) or table.sheet:
        return (number,)
    folder, _, name = table.file.rpartition("/")
    pattern = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", name)  # numbers, or the random part of part files
    if pattern == name:
        return (number,)
    columns = tuple((c.name, c.header.casefold(), c.type) for c in table.columns)
    return (folder, pattern, columns, table.has_line, table.header_line is None)


def _label(group: list[RawTable]) -> str:
    return f"{group[0].file} … {group[-1].file}"


def _common_name(group: list[RawTable]) -> str:
    bare = re.sub(r"[\d_.\-\s]+$|^[\d_.\-\s]+", "", group[0].name)
    return bare or group[0].file.rpartition("/")[0].rpartition("/")[2] or "table"


def _one(group: list[RawTable], file: str, name: str) -> RawTable:
    first = group[0]
    notes: list[Sentence] = [say("{n} files with the same columns are read as one table.", n=len(group))]
    for table in group:
        notes += [note for note in table.notes if note not in notes]
    return RawTable(
        name=name,
        file=file,
        columns=first.columns,
        source=[path for table in group for path in table.source],
        rows=sum(table.rows for table in group),
        header_line=first.header_line,
        has_line=first.has_line,
        rejections=[r for table in group for r in table.rejections],
        rejected=sum(table.rejected for table in group),
        aside=sum(table.aside for table in group),
        notes=notes,
        parts=tuple(part for table in group for part in (table.parts or (table.file,) * len(table.source))),
    )
