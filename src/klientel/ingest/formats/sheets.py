"""Reads workbooks (XLSX, XLSM, XLS, ODS): one raw table for each sheet that holds one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from klientel.errors import BadFile
from klientel.ingest.formats.archives import locked
from klientel.ingest.formats.header import (
    NO_HEADER,
    Layout,
    cell_kind,
    column_names,
    find_header,
    joined_header,
)
from klientel.ingest.formats.rejections import BLANK_HINT, TITLE, Rejections
from klientel.ingest.formats.staging import Reading, Staging, closing_notes
from klientel.ingest.formats.workbooks import damaged, inspect
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import Sentence, say

_BATCH = 20_000
_FEW = 200
_LOOK = 80  # rows looked at to find the header
_GENERIC = re.compile(
    r"^(?:tabelle|sheet|blatt|feuil|table|worksheet|data|daten|export)?[\s_]*\d*$", re.IGNORECASE
)


def read_workbook(path: Path, file: str, name: str, reading: Reading) -> list[RawTable]:
    """One raw table for each visible sheet with a table; hidden and tiny sheets are told in a note.

    Cells are texts: numbers with a decimal point and without exponent, dates as yyyy-mm-dd, with a time if
    they have one, booleans true and false. `line` is the row of the sheet. Raises BadFile for a file
    that needs a password, is damaged, too large, or holds no table.
    """
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    facts = inspect(path, file, reading.limits)
    tables: list[RawTable] = []
    skipped: list[str] = []
    with path.open("rb") as stream:
        book = _opened(stream, file)
        sheets = [m for m in book.sheets_metadata if m.typ == SheetTypeEnum.WorkSheet]
        hidden = [m.name for m in sheets if m.visible != SheetVisibleEnum.Visible]
        shown = [m.name for m in sheets if m.name not in hidden] or hidden
        for sheet in shown:
            table = _table(_loaded(book, sheet, file), file, sheet, reading)
            if table is None:
                skipped.append(sheet)
            else:
                tables.append(table)
        if not tables and skipped:  # nothing but notes: then the notes are what was meant
            found = [_table(_loaded(book, s, file), file, s, reading, least=1) for s in skipped]
            tables, skipped = (
                [t for t in found if t],
                [s for s, t in zip(skipped, found, strict=True) if not t],
            )
    if not tables:
        raise BadFile(
            say("{file} holds no sheet with a table: every sheet is empty or only a note.", file=file)
        )
    _name(tables, name)
    tables[0].notes += facts.notes() + _skipped_notes(skipped, [h for h in hidden if h not in shown])
    return tables


def _skipped_notes(skipped: list[str], hidden: list[str]) -> list[Sentence]:
    notes = []
    if skipped:
        notes.append(say("Sheets without a table left out: {sheets}.", sheets=skipped))
    if hidden:
        notes.append(say("Hidden sheets left out: {sheets}.", sheets=hidden))
    return notes


def _name(tables: list[RawTable], name: str) -> None:
    """Tables are named after their sheets, unless the name of the sheet says nothing."""
    for table in tables:
        generic = table.sheet is None or _GENERIC.match(table.sheet.strip())
        table.name = name if generic else str(table.sheet).strip()


def _opened(stream: Any, file: str) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_filelike(stream)
    except PasswordError as error:
        raise BadFile(locked(file)) from error
    except (CalamineError, OSError, ValueError, MemoryError) as error:
        raise BadFile(damaged(file)) from error
    except BaseException as error:
        raise _unless_panic(error, file) from error


def _loaded(book: Any, sheet: str, file: str) -> Any:
    from python_calamine import CalamineError

    try:
        return book.get_sheet_by_name(sheet)
    except (CalamineError, OSError, ValueError, MemoryError) as error:
        raise BadFile(damaged(file)) from error
    except BaseException as error:
        raise _unless_panic(error, file) from error


def _unless_panic(error: BaseException, file: str) -> BaseException:
    """A panic of the Rust library (no Exception, on purpose) is a damaged file; anything else goes on."""
    return BadFile(damaged(file)) if type(error).__name__ == "PanicException" else error


def _table(sheet: Any, file: str, name: str, reading: Reading, least: int = 2) -> RawTable | None:
    """Stage one sheet; None if it has fewer than `least` rows that look like rows of a table."""
    if sheet.start is None:
        return None
    width = sheet.width
    if width > reading.limits.columns:
        raise BadFile(
            say(
                "{file} has {n} columns, more than the {most} that can be read: "
                "keep only the columns that matter.",
                file=file,
                n=width,
                most=reading.limits.columns,
            )
        )
    top = [_texts(row) for _, row in zip(range(_LOOK), sheet.iter_rows(), strict=False)]
    start = sheet.start[0]
    top = [row if i >= start else [""] * width for i, row in enumerate(top)]
    looked = [[c.strip() for c in row] for row in top]
    full = sum(sum(map(bool, row)) >= min(2, width) for row in looked)
    if full < least:
        return None
    layout = find_header(looked, 1 if width == 1 else width)
    rejections = Rejections(f"{file}[{name}]", reading.limits)
    head = layout.header if layout.header is not None else layout.first
    for i in range(head):
        if any(looked[i]):
            rejections.add(i + 1, "; ".join(filter(None, looked[i])), TITLE, BLANK_HINT)
    staging = Staging(reading.new_path(), width, rejections, reading.limits)
    tally = _Tally(width)
    _stage(sheet, layout.first, staging, tally, file, reading)
    rows = staging.close()
    columns, notes = _columns(looked, layout, staging, tally, rows)
    return RawTable(
        name=name,
        file=file,
        columns=columns,
        source=[staging.path],
        rows=rows,
        sheet=name,
        header_line=None if layout.header is None else layout.header + 1,
        rejections=rejections.kept,
        rejected=rejections.count,
        aside=rejections.aside,
        notes=[*notes, *closing_notes(staging)],
    )


def _stage(sheet: Any, first: int, staging: Staging, tally: _Tally, file: str, reading: Reading) -> None:
    merged = _Merged(sheet)
    rows: list[list[Any]] = []
    width, total, line = staging.width, sheet.total_height, first + 1
    for i, row in enumerate(sheet.iter_rows()):
        if i < first:
            continue
        rows.append(merged.filled(i, row) if len(row) == width else [""] * width)
        if len(rows) >= _BATCH:
            _stage_batch(rows, line, staging, tally)
            rows, line = [], i + 2
            reading.tell(file, i + 1, total)
    _stage_batch(rows, line, staging, tally)
    reading.tell(file, total, total)


def _stage_batch(rows: list[list[Any]], line: int, staging: Staging, tally: _Tally) -> None:
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    tally.add(columns)
    staging.add_columns([_texts(column) for column in columns], range(line, line + len(rows)))


def _columns(
    looked: list[list[str]], layout: Layout, staging: Staging, tally: _Tally, rows: int
) -> tuple[tuple[RawColumn, ...], list[Sentence]]:
    head: list[str] = []
    if layout.header is not None:
        head = looked[layout.header]
        if layout.second:
            head = joined_header(head, looked[layout.header + 1])
    named = {k for k, cell in enumerate(head) if cell.strip()}
    kept = [k for k in range(staging.width) if not rows or k in staging.filled or k in named]
    names, notes = column_names(head, staging.width, kept)
    if layout.header is None:
        notes = [say(NO_HEADER)]
    return tuple(RawColumn(f"c{k}", names[k], native=tally.native(k)) for k in kept), notes


@dataclass
class _Tally:
    """Counts, for each column, cells typed by the spreadsheet and texts that only look like figures."""

    width: int
    typed: list[int] = field(default_factory=list)
    loose: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.typed, self.loose = [0] * self.width, [False] * self.width

    def add(self, columns: Sequence[Sequence[Any]]) -> None:
        for k, column in enumerate(columns):
            texts = {cell for cell in column if type(cell) is str}
            typed = sum(type(cell) is not str for cell in column)
            self.typed[k] += typed
            if not self.loose[k]:
                # a column of texts alone is no question; there a few are enough
                looked = texts if typed else islice(texts, _FEW)
                self.loose[k] = any(cell_kind(text) in ("number", "date") for text in looked)

    def native(self, k: int) -> bool:
        return self.typed[k] > 0 and not self.loose[k]


class _Merged:
    """Fills texts down where cells of several rows are merged into one.

    Only texts and dates: an amount that stands once for several rows must not be counted several times.
    """

    def __init__(self, sheet: Any) -> None:
        offset = sheet.start[1]
        ranges = sheet.merged_cell_ranges or ()
        self.tops: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, _) in ranges:
            if bottom > top and left >= offset:
                self.tops.setdefault(top, []).append((left - offset, bottom))
        self.open: dict[int, tuple[int, Any]] = {}

    def filled(self, i: int, row: list[Any]) -> list[Any]:
        if self.open:
            self.open = {k: v for k, v in self.open.items() if v[0] >= i}
            for k, (_, value) in self.open.items():
                if k < len(row) and row[k] == "":
                    row[k] = value
        for k, bottom in self.tops.get(i, ()):
            if k < len(row) and isinstance(row[k], str | date) and row[k] != "":
                self.open[k] = (bottom, row[k])
        return row


def _texts(row: Sequence[Any]) -> list[str]:
    return [cell if isinstance(cell, str) else cell_text(cell) for cell in row]


def cell_text(value: Any) -> str:
    """A typed cell as text that reads the same everywhere: 1234.5, 2024-03-01, 2024-03-01 08:30:00, true."""
    if type(value) is float:
        text = repr(value)
        if text.endswith(".0"):
            return text[:-2]
        if "e" in text:
            return format(Decimal(text), "f")
        return "" if text in ("nan", "inf", "-inf") else text
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case datetime():
            # spreadsheets keep times as fractions of a day: seconds are what they can be trusted with
            rounded = (value + timedelta(milliseconds=500)).replace(microsecond=0)
            midnight = rounded.time() == time.min
            return rounded.date().isoformat() if midnight else rounded.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
