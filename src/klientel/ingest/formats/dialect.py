"""Finds out how the rows of a text file are written: separator, quotation marks, escapes."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from klientel.ingest.formats.fixed import find_cuts, sliced
from klientel.ingest.formats.limits import LIMITS
from klientel.words import mark

SINGLE = "\x1f"  # separator of a file with one column: occurs in no text
_CANDIDATES = ("\t", ";", "|", ",")
_NAMES = {
    "\t": mark("tab"),
    ";": mark("semicolon"),
    "|": mark("vertical bar"),
    ",": mark("comma"),
    " ": mark("spaces"),
    "fixed": mark("fixed width"),
    SINGLE: mark("none, one column"),
}
_SEP = re.compile(r'^"?sep=(.|\\t)"?[;,\t|]*\s*$', re.IGNORECASE)
_NUMBER = re.compile(
    r"^[\s(€$£]*[-+−]?[\s€$£]*(?:\d[\d.,]*|\d{1,3}(?:['’ \u00a0\u202f]\d{3})+(?:[.,]\d+)?)"
    r"(?:k|\s?(?i:tsd|mio|mrd|mn|bn)\.?)?[\s€$£%)A-Z-]*$"
)
_SEVERAL = re.compile(r"\S {2,}\S|^ *[\d.,-]+(?: +[\d.,-]+)+ *$")
_RUNS = {1: re.compile(rb"[ \t]+"), 2: re.compile(rb" {2,}|\t[ \t]*")}
_EDGES = re.compile(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)")


@dataclass(frozen=True)
class Dialect:
    """How rows are written. `spaces`: columns apart by runs of at least that many spaces (0: they are not).

    cuts: where columns of fixed width begin. skip_space: quotation marks may follow a space after the separator.
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    spaces: int = 0
    skip_space: bool = False
    cuts: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """Name of the separator for a person, marked for translation."""
        if self.cuts:
            return _NAMES["fixed"]
        return _NAMES[" "] if self.spaces else _NAMES.get(self.delimiter, self.delimiter)

    def plain(self, data: bytes) -> bytes:
        """The text with runs of spaces turned into the separator; unchanged for other dialects."""
        if self.cuts:
            return sliced(data.decode("utf-8", "surrogateescape"), self.cuts).encode(
                "utf-8", "surrogateescape"
            )
        if not self.spaces:
            return data
        return _RUNS[self.spaces].sub(b"\t", _EDGES.sub(b"", data))


@dataclass(frozen=True)
class Record:
    """One row of text: index of its first line, how many lines, cells (None: not readable)."""

    start: int
    lines: int
    cells: list[str] | None
    fault: str = ""


class _TooManyLines(Exception):
    pass


def records(lines: Sequence[str], dialect: Dialect, start: int = 0) -> Iterator[Record]:
    """Rows of `lines` (line ends included) from index `start` on.

    A row whose quotation mark is not closed before the lines end, or within the allowed number of
    lines, comes as `Record(cells=None, fault="open")` of one line and reading goes on in the next line:
    one bad row does not swallow the rest. Text that the csv rules forbid has the fault "stray".
    """
    csv.field_size_limit(max(csv.field_size_limit(), LIMITS.line))
    at = start
    while at < len(lines):
        feed = _Feed(lines, at)
        reader = _reader(feed, dialect)
        fault = ""
        while True:
            feed.first = feed.at
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                fault = "stray"
            except _TooManyLines:
                fault = "open"
            if feed.ended and feed.first < len(lines):
                fault = "open"
            if fault:
                break
            yield Record(feed.first, feed.at - feed.first, cells)
        yield Record(feed.first, 1, None, fault)
        at = feed.first + 1


class _Feed:
    """Hands lines to the csv reader and remembers where it stands."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self.lines, self.at, self.first, self.ended = lines, at, at, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            self.ended = True
            raise StopIteration
        if self.at - self.first > LIMITS.record_lines:
            raise _TooManyLines
        if len(self.lines[self.at]) > LIMITS.line:  # no row, and millions of cells would fill the memory
            raise csv.Error
        self.at += 1
        return self.lines[self.at - 1]


def _reader(feed: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    return csv.reader(
        feed,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
        skipinitialspace=dialect.skip_space,
        strict=False,
    )


def declared_separator(line: str) -> str | None:
    """The separator that Excel was told in a first line `sep=;`; None if the line is no such thing."""
    found = _SEP.match(line.strip("\r\n"))
    if not found:
        return None
    return "\t" if found[1] == "\\t" else found[1]


def find_dialect(text: str, separator: str | None = None) -> Dialect:
    """The dialect under which the rows of `text` agree best in width and whose cells look clean.

    text: the beginning of the file, whole lines; separator: fixed if the file declares it.
    """
    lines = text.splitlines(keepends=True) if "\n" not in text else _split(text)
    candidates = [separator] if separator else list(_CANDIDATES)
    best, best_score = Dialect(separator or SINGLE, _quote(text, separator or SINGLE)), 0.4
    for delimiter in candidates:
        if delimiter not in text:
            continue
        dialect = _with_quotes(text, delimiter)
        score = _score(lines, dialect)
        if separator or score > best_score:
            best, best_score = dialect, score
    if separator or best_score > 0.75:
        return best
    spaced = _spaced(lines, best, best_score)
    return spaced if spaced is not best else _fixed(lines, best, best_score)


def _split(text: str) -> list[str]:
    """Physical lines, ends included; only line feeds end a line."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


split_lines = _split


def _with_quotes(text: str, delimiter: str) -> Dialect:
    quote = _quote(text, delimiter)
    mark_, sep = re.escape(quote or '"'), re.escape(delimiter)
    # a backslash and quotation mark inside a cell only makes sense as an escape: rows that double
    # their marks have a second mark, a separator or the line end there
    escaped = re.search(rf"[^\\{mark_}{sep}\n]\\{mark_}[^{mark_}{sep}\r\n]", text)
    escaped = escaped or re.search(rf"(?:^|{sep}|\n){mark_}\\{mark_}[^{mark_}{sep}\r\n]", text)
    skip = bool(re.search(rf"{sep} +{mark_}[^{mark_}\n]*{mark_}\s*(?:{sep}|\r?\n|$)", text))
    skip = skip and not re.search(rf"{sep}{mark_}", text)
    return Dialect(delimiter, quote, "\\" if escaped and quote else None, skip_space=skip)


def _quote(text: str, delimiter: str) -> str:
    """Single quotation marks only where cells are wrapped in them and none in double ones."""
    sep = re.escape(delimiter)
    if re.search(rf'(?:^|{sep} ?|\n)"', text):
        return '"'
    wrapped = re.compile(rf"(?:^|{sep})'(?:[^'\n]|'')+'(?={sep}|\r?$)")
    lines = text.split("\n")[:200]
    return "'" if sum(bool(wrapped.search(line)) for line in lines) >= max(2, 0.3 * len(lines)) else '"'


def _score(lines: list[str], dialect: Dialect) -> float:
    """How well rows agree in width (from the first row of that width on) times the share of clean cells."""
    rows = [r.cells for r in records(lines[:500], dialect) if r.cells is None or any(r.cells)]
    widths = Counter(len(cells) for cells in rows if cells and len(cells) > 1)
    if not widths:
        return 0.0
    width = max(widths, key=lambda w: (widths[w], w))
    first = next(i for i, cells in enumerate(rows) if cells and len(cells) == width)
    agree = widths[width] / (len(rows) - first)
    covered = widths[width] / len(rows)
    cells = [c for row in rows[first : first + 200] if row and len(row) == width for c in row[:60]]
    clean = sum(_clean(c, dialect.delimiter) for c in cells) / len(cells)
    return agree * clean * (0.6 + 0.4 * covered) + 0.002 * min(width, 20)


def _clean(cell: str, delimiter: str) -> bool:
    """True if nothing in the cell looks as if another separator had been meant."""
    if not cell or _NUMBER.match(cell):
        return True
    if _SEVERAL.search(cell) or any(other in cell for other in "\t;|" if other != delimiter):
        return False
    return "," not in cell.replace(", ", "")


def _spaced(lines: list[str], best: Dialect, best_score: float) -> Dialect:
    """Columns set apart by runs of spaces, if that explains the file better: nearly all rows agree."""
    text = "".join(lines[:500])
    if '"' in text:
        return best
    for least in (2, 1):
        dialect = Dialect("\t", None, spaces=least)
        plain = _split(dialect.plain(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace"))
        rows = [line.strip("\r\n").split("\t") for line in plain if line.strip()]
        widths = Counter(len(row) for row in rows)
        width = max(widths, key=lambda w: (widths[w], w), default=1)
        alike = [row for row in rows if len(row) == width]
        if width < 2 or len(alike) < 0.8 * len(rows) or len(alike) < 2:
            continue
        cells = [c for row in alike[1:] for c in row]
        figures = sum(bool(_NUMBER.match(c)) for c in cells) / len(cells)
        score = len(alike) / len(rows) * sum(not _SEVERAL.search(c) for c in cells) / len(cells)
        if figures >= (0.5 if least == 1 else 0.2) and score > best_score:
            best, best_score = dialect, score
    return best


def _fixed(lines: list[str], best: Dialect, best_score: float) -> Dialect:
    """Columns of fixed width, with cells that may be empty, where no separator explains the file."""
    if best_score > 0.65 or '"' in "".join(lines[:50]):
        return best
    for skipped in range(min(4, len(lines))):
        cuts = find_cuts(lines[skipped:200])
        if not cuts:
            continue
        rows = [row.split("\t") for row in sliced("".join(lines[skipped:200]), cuts).split("\n") if row]
        cells = [c for row in rows[1:] for c in row if c]
        filled = len(cells) / (len(cuts) * max(len(rows) - 1, 1))
        figures = sum(bool(_NUMBER.match(c)) for c in cells) / max(len(cells), 1)
        clean = sum(not _SEVERAL.search(c) for c in cells) / max(len(cells), 1)
        if filled >= 0.5 and figures >= 0.2 and clean >= 0.95:
            return Dialect("\t", None, cuts=cuts)
    return best
