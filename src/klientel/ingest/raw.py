"""A file as it was found: raw text with line numbers, before anything is understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klientel.words import Sentence

Progress = Callable[[str, int, int | None], None]
"""Called as progress(what, done, total); total None if unknown; bytes or rows, whatever the step counts."""


@dataclass(frozen=True)
class Rejection:
    """A row (or, with line 0, a file) that was not taken, and what to do about it."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    hint: str


@dataclass(frozen=True)
class RawColumn:
    """A column as found. `name` is its name in `source`; `header` what the person wrote above it.

    type: "text" for columns that still have to be parsed, else the Arrow type ("int64", "date32[day]", ...).
    native: a text column whose figures and dates were typed cells of a spreadsheet or JSON, so that they
    are certain to be written with a decimal point (1234.5) and as ISO dates (2024-03-01).
    """

    name: str
    header: str
    type: str = "text"
    native: bool = False


@dataclass
class RawTable:
    """One table found in a file, a sheet or a frame.

    source: paths of Parquet files, or an object that DuckDB can register (Arrow table, pandas or Polars
    frame, DuckDB relation) or an Ibis table. Staged text has columns c0, c1, ... and `line` (int64, the
    physical line, or spreadsheet row, counted from 1 in the original file); text cells keep their
    spelling, empty cells are NULL. Typed sources (has_line False) keep their own column names.
    parts: names of the original files, one for each path in `source`, if they differ from `file`.
    rejections: rows that could not even be read as a row (ragged, undecodable); at most 10,000 are kept,
    `rejected` counts all, `aside` those of them that are no rows of the table (titles, totals, texts below).
    notes: what was decided ("semicolon, Windows-1252, 2 title rows skipped").
    """

    name: str
    file: str
    columns: tuple[RawColumn, ...]
    source: list[Path] | Any
    rows: int
    sheet: str | None = None
    header_line: int | None = 1
    has_line: bool = True
    rejections: list[Rejection] = field(default_factory=list)
    rejected: int = 0
    aside: int = 0
    notes: list[Sentence] = field(default_factory=list)
    parts: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """File and sheet as shown to a person."""
        return f"{self.file}[{self.sheet}]" if self.sheet else self.file

    def headers(self) -> dict[str, str]:
        """Column name -> header."""
        return {c.name: c.header for c in self.columns}
