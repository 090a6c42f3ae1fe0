"""Reads a text file of any common dialect into a raw table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.blocks import BlockParser
from klientel.ingest.formats.datev import read_datev
from klientel.ingest.formats.dialect import (
    Dialect,
    Record,
    declared_separator,
    find_dialect,
    records,
    split_lines,
)
from klientel.ingest.formats.encoding import Encoding, find_encoding, stream_utf8
from klientel.ingest.formats.header import NO_HEADER, Layout, column_names, find_header, joined_header
from klientel.ingest.formats.rejections import BLANK_HINT, COMMENT, TITLE, Rejections, ragged
from klientel.ingest.formats.staging import Reading, Staging, closing_notes
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import Sentence, say


@dataclass(frozen=True)
class _Plan:
    """What the beginning of a file told: dialect, header cells, index of the line where the rows begin."""

    dialect: Dialect
    header: list[str]
    header_line: int | None
    first: int
    width: int
    titles: list[tuple[int, str]]


def read_text(path: Path, file: str, name: str, reading: Reading) -> RawTable:
    """Read a text file as a table of texts, staged as Parquet.

    file: how the file is called for a person; name: of the table. Raises BadFile for a file that is
    empty, binary, has no line breaks or too many columns. Rows that cannot be read become rejections.
    """
    encoding = find_encoding(path, file, reading.limits)
    booked = read_datev(path, file, name, encoding, reading)
    if booked is not None:
        return booked
    plan = _plan(path, file, encoding, reading)
    rejections = Rejections(file, reading.limits)
    for number, text in plan.titles:
        reason = COMMENT if text.lstrip().startswith("#") else TITLE
        rejections.add(number, text, reason, BLANK_HINT)
    staging = Staging(reading.new_path(), plan.width, rejections, reading.limits)
    parser = BlockParser(plan.dialect, staging, rejections, plan.first + 1, reading.limits)
    size, skip = path.stat().st_size, plan.first
    for data, position in stream_utf8(path, encoding, reading.limits):
        if skip:
            data, skip = _without_lines(data, skip)
        if data:
            parser.feed(data)
        reading.tell(file, position, size)
    parser.finish()
    rows = staging.close()
    rejections.below(staging.last, ragged(1, plan.width))
    columns, notes = _columns(plan, staging, rows)
    return RawTable(
        name=name,
        file=file,
        columns=columns,
        source=[staging.path],
        rows=rows,
        header_line=plan.header_line,
        rejections=rejections.kept,
        rejected=rejections.count,
        aside=rejections.aside,
        notes=[*_told(encoding, plan), *notes, *closing_notes(staging)],
    )


def _plan(path: Path, file: str, encoding: Encoding, reading: Reading) -> _Plan:
    sample = _sample(path, file, encoding, reading)
    text = sample.decode("utf-8", "replace")
    lines = split_lines(text)
    separator = declared_separator(lines[0]) if lines else None
    begin = 1 if separator else 0
    dialect = find_dialect("".join(lines[begin:]), separator)
    if dialect.spaces or dialect.cuts:
        lines = split_lines(dialect.plain(sample).decode("utf-8", "replace"))
    found = _first_records(lines, dialect, begin)
    if not found:
        raise BadFile(say("{file} is empty: there is nothing to read in it.", file=file))
    rows = [[c.strip() for c in r.cells] if r.cells else [] for r in found]
    layout = find_header(rows, _modal(rows))
    header = _header_cells(rows, layout)
    width = _width(header, rows[layout.first :])
    if width > reading.limits.columns:
        raise BadFile(
            say(
                "{file} has {n} columns, more than the {most} that can be read: "
                "check the separator, or keep only the columns that matter.",
                file=file,
                n=width,
                most=reading.limits.columns,
            )
        )
    at = layout.header if layout.header is not None else layout.first
    last = found[layout.first - 1] if layout.first else None
    first = found[layout.first].start if layout.first < len(found) else 0
    if layout.header is not None and last:
        first = last.start + last.lines  # blank lines right below the header are counted like others
    return _Plan(
        dialect=dialect,
        header=header,
        header_line=None if layout.header is None else found[at].start + 1,
        first=first,
        width=width,
        titles=[(r.start + 1, lines[r.start]) for r in found[:at]],
    )


def _first_records(lines: list[str], dialect: Dialect, begin: int) -> list[Record]:
    """The first rows that are not blank."""
    found = []
    for record in records(lines, dialect, begin):
        if record.cells is None or any(cell.strip() for cell in record.cells):
            found.append(record)
        if len(found) >= 200:
            break
    return found


def _sample(path: Path, file: str, encoding: Encoding, reading: Reading) -> bytes:
    """The beginning of the file in whole lines."""
    limits = reading.limits
    data = next(iter(stream_utf8(path, encoding, limits)), (b"", 0))[0]
    if len(data) <= limits.sample:
        return data
    cut = data.rfind(b"\n", 0, limits.sample) + 1 or data.find(b"\n", 0, limits.line) + 1
    if not cut:
        raise BadFile(
            say(
                "{file} has no line break in its first {n} characters: it is not a table, "
                "or it was exported without line breaks.",
                file=file,
                n=min(len(data), limits.line),
            )
        )
    return data[:cut]


def _without_lines(data: bytes, skip: int) -> tuple[bytes, int]:
    at = 0
    while skip:
        end = data.find(b"\n", at)
        if end < 0:
            return b"", skip
        at, skip = end + 1, skip - 1
    return data[at:], 0


def _modal(rows: Sequence[Sequence[str]]) -> int:
    """The width most rows have; of the widths above one, if there are several rows of them."""
    widths = Counter(len(row) for row in rows if row)
    wide = {w: n for w, n in widths.items() if w > 1}
    if wide and sum(wide.values()) >= 0.25 * sum(widths.values()):
        return max(wide, key=lambda w: (wide[w], w))
    return max(widths, key=lambda w: (widths[w], w), default=1)


def _header_cells(rows: list[list[str]], layout: Layout) -> list[str]:
    if layout.header is None:
        return []
    head = rows[layout.header]
    return joined_header(head, rows[layout.header + 1]) if layout.second else head


def _width(header: Sequence[str], body: Sequence[Sequence[str]]) -> int:
    """Columns of the table: the header's, unless nearly all rows have more, or its last names are empty."""
    widths = Counter(len(row) for row in body if row)
    if not header:
        return _modal(body)
    if not widths:
        return len(header)
    usual = max(widths, key=lambda w: (widths[w], w))
    most = widths[usual] >= 0.6 * sum(widths.values())
    if most and usual > len(header):
        return usual
    if most and usual < len(header) and not any(header[usual:]):
        return usual
    return len(header)


def _columns(plan: _Plan, staging: Staging, rows: int) -> tuple[tuple[RawColumn, ...], list[Sentence]]:
    """Columns with tidy headers; a column without header and without any value is left out."""
    header = plan.header
    named = {k for k, name in enumerate(header) if name.strip()}
    kept = [k for k in range(plan.width) if not rows or k in staging.filled or k in named]
    names, notes = column_names(header, plan.width, kept)
    if plan.header_line is None:
        notes = [say(NO_HEADER)]
    return tuple(RawColumn(f"c{k}", names[k]) for k in kept), notes


def _told(encoding: Encoding, plan: _Plan) -> list[Sentence]:
    notes = [
        say(
            "Read as text: encoding {encoding}, separator {separator}.",
            encoding=encoding.label,
            separator=plan.dialect.title,
        )
    ]
    if encoding.some_bad:
        notes.append(say("Some rows are not valid {encoding} and are rejected.", encoding=encoding.label))
    if plan.titles:
        notes.append(say("Lines above the table left out: {n}.", n=len(plan.titles)))
    return notes
