"""Parses text block by block: the quick way where rows are tidy, the exact way where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from klientel.ingest.formats import rejections as why
from klientel.ingest.formats.dialect import Dialect, Record, records, split_lines
from klientel.ingest.formats.header import is_total
from klientel.ingest.formats.limits import LIMITS, Limits
from klientel.ingest.formats.rejections import Rejections, ragged
from klientel.ingest.formats.staging import Staging

if TYPE_CHECKING:
    import pyarrow as pa

_FAULTS = {
    "open": (why.OPEN_QUOTE, why.OPEN_QUOTE_HINT),
    "stray": (why.STRAY, why.STRAY_HINT),
}


@dataclass
class BlockParser:
    """Takes UTF-8 text in pieces of any size and stages its rows.

    `line` is the physical line (from 1) at which the text not yet parsed begins. A block is first
    given to Arrow; its rows are kept only if they account for every physical line of the block, else
    the block is read again row by row, which finds out the line of each row and the fault of each bad one.
    """

    dialect: Dialect
    staging: Staging
    rejections: Rejections
    line: int = 1
    limits: Limits = LIMITS
    slow_blocks: int = 0
    _rest: bytes = b""
    _skipping: bool = False

    def feed(self, data: bytes) -> None:
        """Parse what is complete; the rest waits for more."""
        buffer = self._rest + data
        if self._skipping:
            buffer = self._skip_line(buffer)
        cut = self._cut(buffer)
        if cut == 0:
            if len(buffer) > self.limits.line:
                self.rejections.add(
                    self.line, buffer[:400].decode("utf-8", "replace"), why.TOO_LONG, why.TOO_LONG_HINT
                )
                self._skipping, buffer = True, b""
            self._rest = buffer
            return
        used = self._parse(buffer[:cut], final=False)
        self._rest = buffer[used:]

    def finish(self) -> None:
        """Parse the last line, whether it ends in a line break or not."""
        buffer, self._rest = self._rest, b""
        if buffer and not self._skipping:
            self._parse(buffer if buffer.endswith(b"\n") else buffer + b"\n", final=True)

    def _skip_line(self, buffer: bytes) -> bytes:
        end = buffer.find(b"\n")
        if end < 0:
            return b""
        self._skipping = False
        self.line += 1
        return buffer[end + 1 :]

    def _cut(self, buffer: bytes) -> int:
        """Where the block may end: after a line break, if possible one outside quotation marks."""
        cut = last = buffer.rfind(b"\n") + 1
        quote = self.dialect.quote
        if not quote or not cut:
            return cut
        mark = quote.encode()
        odd = buffer.count(mark, 0, cut) % 2
        for _ in range(50):
            if not odd:
                return cut
            before = buffer.rfind(b"\n", 0, cut - 1) + 1
            if not before:
                break
            odd = (odd + buffer.count(mark, before, cut)) % 2
            cut = before
        return last

    def _parse(self, data: bytes, final: bool) -> int:
        """Stage the rows of `data`; the number of bytes that are done with."""
        self.staging.formulas = self.staging.formulas or b'="' in data
        plain = self.dialect.plain(data)
        table = self._quick(plain)
        if table is not None:
            self.staging.add(table)
            self.line += data.count(b"\n")
            return len(data)
        self.slow_blocks += 1
        waiting = self._exact(plain, final)
        return len(data) - waiting

    def _quick(self, data: bytes) -> pa.Table | None:
        """Rows as Arrow parses them, or None if they do not account for every line."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import csv

        dialect, names = self.dialect, self.staging.names()
        if dialect.skip_space or b"\0" in data:
            return None
        quoted = dialect.quote is not None and dialect.quote.encode() in data
        try:
            table = csv.read_csv(
                pa.py_buffer(data),
                read_options=csv.ReadOptions(
                    column_names=names, use_threads=False, block_size=len(data) + 1, encoding="utf8"
                ),
                parse_options=csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote if quoted else False,
                    double_quote=dialect.escape is None,
                    escape_char=dialect.escape or False,
                    newlines_in_values=quoted,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError):
            return None
        total = data.count(b"\n")
        offsets = np.arange(table.num_rows, dtype=np.int64)
        if table.num_rows != total:
            if not quoted or table.num_rows == 0:
                return None
            inside = np.zeros(table.num_rows, dtype=np.int64)
            for column in table.columns:
                inside += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy()
            offsets[1:] += np.cumsum(inside)[:-1]
            if table.num_rows + int(inside.sum()) != total:
                return None
        if quoted and self._open_at_end(data, total - int(offsets[-1])):
            return None
        return table.append_column("line", pa.array(self.line + offsets, pa.int64()))

    def _open_at_end(self, data: bytes, last: int) -> bool:
        """True if the last row, the last `last` lines, is not closed."""
        at = len(data)
        for _ in range(last + 1):
            at = data.rfind(b"\n", 0, at)
            if at < 0:
                break
        text = data[at + 1 :].decode("utf-8", "replace")
        return next(records(split_lines(text), self.dialect)).cells is None

    def _exact(self, data: bytes, final: bool) -> int:
        """Row by row with Python's csv reader; the number of bytes at the end that wait for more text."""
        lines = split_lines(data.decode("utf-8", "surrogateescape"))
        rows: list[list[str]] = []
        numbers: list[int] = []
        at = 0
        while at < len(lines):
            at = self._run(lines, at, final, rows, numbers)
            if at < 0:  # an open row at the end: the lines from -at - 1 on wait
                break
        self.staging.add_rows(rows, numbers)
        done = len(lines) if at >= 0 else -at - 1
        self.line += done
        return sum(len(text.encode("utf-8", "surrogateescape")) for text in lines[done:])

    def _run(
        self, lines: list[str], start: int, final: bool, rows: list[list[str]], numbers: list[int]
    ) -> int:
        """Read rows from `start` on; the line to go on with, or -1 - line if an open row has to wait."""
        for record in records(lines, self.dialect, start):
            rest = len(lines) - record.start
            if record.fault == "open" and not final and rest <= self.limits.record_lines:
                return -1 - record.start
            cells = self._sound(record, lines)
            if cells is not None:
                rows.append(cells)
                numbers.append(self.line + record.start)
            elif record.lines > 1:
                # a mark that is opened by mistake must not swallow the good rows below it
                return record.start + 1
        return len(lines)

    def _sound(self, record: Record, lines: list[str]) -> list[str] | None:
        """The cells of a good row; None for a row that is rejected or empty."""
        line, text, cells = self.line + record.start, lines[record.start], record.cells
        width = self.staging.width
        if cells is None:
            reason, hint = _FAULTS[record.fault]
            if len(text) > self.limits.line:
                reason, hint = why.TOO_LONG, why.TOO_LONG_HINT
            self.rejections.add(line, text, reason, hint)
            return None
        if len(cells) != width:
            if not any(cells):
                self.staging.empty += bool(text.strip())
                return None
            if len(cells) < width or any(cells[width:]):
                self._ragged(line, text, cells)
                return None
            cells = cells[:width]
        joined = "".join(cells)
        if "\0" in joined:
            self.rejections.add(line, text, why.NUL, why.NUL_HINT)
            return None
        if not joined.isascii() and not _encodable(joined):
            self.rejections.add(line, text, why.UNDECODABLE, why.UNDECODABLE_HINT)
            return None
        return cells

    def _ragged(self, line: int, text: str, cells: list[str]) -> None:
        if is_total(cells):
            self.rejections.add(line, text, why.TOTAL, why.TOTAL_HINT)
        elif text.lstrip().startswith("#"):
            self.rejections.add(line, text, why.COMMENT, why.BLANK_HINT)
        else:
            self.rejections.add(line, text, ragged(len(cells), self.staging.width), why.RAGGED_HINT)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
