"""Writes rows of text to Parquet in bounded memory, and looks at the last rows before they are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.formats.header import is_total
from klientel.ingest.formats.limits import LIMITS, Limits
from klientel.ingest.formats.rejections import BLANK_HINT, FOOTER, TOTAL, TOTAL_HINT, Rejections
from klientel.ingest.raw import Progress
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import pyarrow as pa

_FOOT = re.compile(
    r"\W*(?:erstellt|exportiert|gedruckt|stand|seite|quelle|hinweis|anmerkung|legende|druckdatum|created|generated"
    r"|exported|printed|page|source|note|as of|report)\b.*",
    re.IGNORECASE,
)
_TAIL = 8  # last rows that may be totals or footers
_ROWS = 500_000  # rows in a row group


@dataclass
class Reading:
    """One call of `read_sources`: where to stage, whom to tell, which limits hold."""

    stage: Path
    progress: Progress | None = None
    limits: Limits = LIMITS
    made: int = 0
    unpacked: int = 0  # bytes unpacked from archives so far

    def new_path(self, suffix: str = ".parquet") -> Path:
        """A path in the stage folder that nobody uses yet."""
        self.stage.mkdir(parents=True, exist_ok=True)
        while True:
            path = self.stage / f"{self.made:05d}{suffix}"
            self.made += 1
            if not path.exists():
                return path

    def tell(self, what: str, done: int, total: int | None) -> None:
        """Report progress, if anybody listens."""
        if self.progress:
            self.progress(what, done, total)


@dataclass
class Staging:
    """A Parquet file with text columns c0, c1, ... and `line`, written row group by row group.

    Rows without any value are left out and counted in `empty`. `close` returns the number of rows.
    """

    path: Path
    width: int
    rejections: Rejections
    limits: Limits = LIMITS
    rows: int = 0
    empty: int = 0
    filled: set[int] = field(default_factory=set)
    totals: int = 0
    last: int = 0  # the line of the last row that has a value
    formulas: bool = False  # cells such as ="00123" occur: so Excel is told to keep zeros
    _held: list[pa.Table] = field(default_factory=list)
    _writer: Any = None

    def names(self) -> list[str]:
        """Names of the text columns."""
        return [f"c{k}" for k in range(self.width)]

    def add_rows(self, rows: Sequence[Sequence[str | None]], lines: Sequence[int]) -> None:
        """Add rows of `width` cells; empty cells become NULL."""
        if rows:
            self.add_columns(list(zip(*rows, strict=True)), lines)

    def add_columns(self, columns: Sequence[Sequence[str | None]], lines: Sequence[int]) -> None:
        """The same, given by columns."""
        import pyarrow as pa

        arrays = [pa.array([c or None for c in column], pa.string()) for column in columns]
        self.add(pa.table([*arrays, pa.array(lines, pa.int64())], names=[*self.names(), "line"]))

    def add(self, table: pa.Table) -> None:
        """Add a table of columns c0, c1, ..., line."""
        if self.formulas:
            table = _without_formulas(table)
        table = self._without_empty(table)
        if not table.num_rows:
            return
        self.last = table.column("line")[-1].as_py()
        for k in range(self.width):
            if k not in self.filled and table.column(k).null_count < table.num_rows:
                self.filled.add(k)
        self._held.append(table)
        rows = sum(t.num_rows for t in self._held)
        if rows > _ROWS or sum(t.nbytes for t in self._held) > self.limits.group_bytes:
            self._write(keep=_TAIL)

    def close(self) -> int:
        """Take total rows and footers off the end, write the rest; the number of rows written."""
        import pyarrow as pa

        if self._held:
            whole = pa.concat_tables(self._held)
            tail = whole.slice(max(0, whole.num_rows - _TAIL))
            cut = self._closing([tuple(row.values()) for row in tail.to_pylist()])
            self._held = [whole.slice(0, whole.num_rows - cut)]
        self._write(keep=0)
        self._writer.close()
        return self.rows

    def _without_empty(self, table: pa.Table) -> pa.Table:
        import pyarrow.compute as pc

        if table.column(0).null_count == 0:
            return table
        some = pc.is_valid(table.column(0))
        for k in range(1, self.width):
            if table.column(k).null_count == 0:
                return table
            if table.column(k).null_count < table.num_rows:
                some = pc.or_(some, pc.is_valid(table.column(k)))
        kept = table.filter(some)
        self.empty += table.num_rows - kept.num_rows
        return kept

    def _closing(self, tail: list[tuple[Any, ...]]) -> int:
        """How many rows at the end are totals or footers; they are rejected with a reason."""
        cut = 0
        for i in range(len(tail) - 1, -1, -1):
            *cells, line = tail[i]
            apart = i > 0 and line - tail[i - 1][-1] > 1
            if is_total(cells):
                self.rejections.add(line, _text(cells), TOTAL, TOTAL_HINT)
                self.totals += 1
            elif (
                self.width >= 3
                and cells[0]
                and not any(cells[1:])
                and (apart or cut or _FOOT.match(cells[0]))
            ):
                self.rejections.add(line, _text(cells), FOOTER, BLANK_HINT)
            else:
                break
            cut += 1
        return cut

    def _write(self, keep: int) -> None:
        """Write all held rows but the last `keep`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = self.names()
        if self._writer is None:
            schema = pa.schema([*((name, pa.string()) for name in names), ("line", pa.int64())])
            self._writer = pq.ParquetWriter(
                self.path,
                schema,
                compression="lz4",
                use_dictionary=names if self.width <= 500 else False,
                column_encoding={"line": "DELTA_BINARY_PACKED"},
            )
        if not self._held:
            return
        whole = pa.concat_tables(self._held)
        ready = whole.slice(0, max(0, whole.num_rows - keep))
        if ready.num_rows:
            self._writer.write_table(ready)
            self.rows += ready.num_rows
        rest = whole.slice(ready.num_rows)
        # a copy: a slice would keep the memory of the whole
        self._held = [pa.Table.from_pylist(rest.to_pylist(), schema=rest.schema)] if rest.num_rows else []


def _without_formulas(table: pa.Table) -> pa.Table:
    """Texts instead of the formulas that give them: 00123 for ="00123"."""
    import pyarrow.compute as pc

    for k, column in enumerate(table.columns[:-1]):
        if pc.any(pc.starts_with(column, '="')).as_py():
            bare = pc.replace_substring_regex(column, r'^="([^"]*)"$', r"\1")
            table = table.set_column(k, table.field(k), bare)
    return table


def closing_notes(staging: Staging) -> list[Sentence]:
    """What was left out at staging, as sentences."""
    notes = []
    if staging.empty:
        notes.append(say("Empty rows skipped: {n}.", n=staging.empty))
    if staging.totals:
        notes.append(say("Total rows at the end left out: {n}.", n=staging.totals))
    return notes


def _text(cells: Sequence[str | None]) -> str:
    return "; ".join(c for c in cells if c)
