"""Reads the tables of an SQLite database with the standard library, row by row and without writing to it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.rejections import Rejections
from klientel.ingest.formats.staging import Reading, Staging, closing_notes
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

_BATCH = 20_000
_OURS = re.compile(
    r"^(?:sqlite_|django_|auth_|alembic_|__|_prisma|schema_migrations|ar_internal)", re.IGNORECASE
)


def read_sqlite(path: Path, file: str, reading: Reading) -> list[RawTable]:
    """All tables with rows as tables of texts; views, which repeat tables, and tables of frameworks are left out.

    Numbers are written with a decimal point, dates stay as the text or number that they are. Raises BadFile for
    a database that is damaged, encrypted or has no rows.
    """
    try:
        with closing(_opened(path)) as con:
            names = [
                str(row[0])
                for row in con.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' "
                    "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
                )
            ]
            ours = [name for name in names if not _OURS.match(name)][: reading.limits.members]
            tables = [_table(con, name, file, reading) for name in ours]
    except sqlite3.Error as error:
        raise BadFile(
            say("{file} is an SQLite database that cannot be read: {reason}.", file=file, reason=str(error))
        ) from error
    found = [table for table in tables if table is not None]
    if not found:
        raise BadFile(say("{file} is an SQLite database without any rows.", file=file))
    return found


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and trusts nothing that the file says about functions."""
    for option in ("mode=ro", "immutable=1"):  # the second for folders in which nothing may be written
        con = sqlite3.connect(f"{path.resolve().as_uri()}?{option}", uri=True)
        con.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            con.execute("PRAGMA trusted_schema = OFF")
            con.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            con.close()
            if option == "immutable=1":
                raise
            continue
        return con
    raise sqlite3.OperationalError


def _table(con: sqlite3.Connection, name: str, file: str, reading: Reading) -> RawTable | None:
    cursor = con.execute(f"SELECT * FROM {identifier(name)}")
    headers = [str(column[0]) for column in cursor.description]
    place = f"{file}/{name}"
    if not headers or len(headers) > reading.limits.columns:
        return None
    rejections = Rejections(place, reading.limits)
    staging = Staging(reading.new_path(), len(headers), rejections, reading.limits)
    figures, texts, blobs, line = set[int](), set[int](), set[int](), 0
    while rows := cursor.fetchmany(_BATCH):
        cells = []
        for row in rows:
            cells.append([_text(value) for value in row])
            for k, value in enumerate(row):
                if isinstance(value, int | float):
                    figures.add(k)
                elif isinstance(value, bytes):
                    blobs.add(k)
                elif value:
                    texts.add(k)
        staging.add_rows(cells, range(line + 1, line + len(cells) + 1))
        line += len(cells)
        reading.tell(place, line, None)
    count = staging.close()
    if not count:
        return None
    notes: list[Sentence] = [say("Table {table} of an SQLite database.", table=name), *closing_notes(staging)]
    if blobs:
        notes.append(
            say("Columns with binary values cannot be used: {columns}.", columns=[headers[k] for k in blobs])
        )
    return RawTable(
        name=name,
        file=place,
        columns=tuple(RawColumn(f"c{k}", h, native=k in figures - texts) for k, h in enumerate(headers)),
        source=[staging.path],
        rows=count,
        header_line=None,
        rejections=rejections.kept,
        rejected=rejections.count,
        aside=rejections.aside,
        notes=notes,
    )


def _text(value: object) -> str | None:
    """A value of SQLite as text; binary values and not-a-number are none."""
    if value is None or isinstance(value, bytes):
        return None
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return f"{value:.12f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else repr(value)
    return str(value)
