"""Finds the header of a table from its first rows, and reads title and total rows as what they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Literal

from klientel.ingest.values.calendar import MONTHS
from klientel.words import Sentence, mark, say

Cells = Sequence[str]
_Kind = Literal["", "number", "date", "text"]

_NUMBER = re.compile(
    r"^[(\s]*(?:[€$£]|[A-Z]{3})?\s*[-+−]?\s*[€$£]?\s*\d[\d.,'’ \u00a0\u202f]*"
    r"(?:[kKM]|(?i:tsd|mio|mrd|mn|bn)\.?)?\s*(?:[€$£%]|[A-Z]{3})?\s*[-)]?$"
)
_DATE = re.compile(
    r"^(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[ T].*)?"
    r"|\d{4}-\d{2}|\d{1,2}[./-]\d{4}"
    rf"|(?:\d{{1,2}}\.?[ -])?(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?[ -]\d{{2,4}}"
    r"|Q[1-4][ /-]?\d{4}|\d{4}[ /-]?Q[1-4])$",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"^\W*(?:(?:grand|sub|overall)[ -]?total|total(?:s|e|summe)?|gesamt(?:summe|ergebnis|betrag|umsatz|wert)?"
    r"|(?:zwischen|end)?summen?|ergebnis|insgesamt|sum)(?:\s+(?:umsatz|revenue|sales|eur|€|\d{4}))?\W*$",
    re.IGNORECASE,
)
_FIRST = 60  # rows that are looked at
_WIDE = 200  # columns that are looked at
_WORDS = """id nr no number name date kunde kunden kundennr firma datum umsatz betrag menge preis artikel
    rechnung customer company account amount revenue quantity qty price product order invoice value sales
    status type typ art land country city ort plz zip region branche industry segment beschreibung
    description"""
_COMMON = frozenset(_WORDS.split())


@dataclass(frozen=True)
class Layout:
    """Where the table begins: indices into the rows. header None: there is none; first: first data row.

    second: the header has a second row (right below the first), to be joined with it.
    """

    header: int | None
    first: int
    second: bool = False


def find_header(rows: Sequence[Cells], width: int) -> Layout:
    """Decide which of the first rows is the header, from the values below it.

    rows: the first rows of the file in order, title rows included; width: columns of the table.
    A row is the header if its cells are names while the cells below are figures or dates; in a table
    of texts only, if its cells look like names and none of them occurs again below.
    """
    rows = rows[:_FIRST]
    top = _first_full(rows, width)
    if top is None:
        return Layout(None, 0)
    body = [row for row in rows[top + 1 :] if any(row)]
    if not _is_header(rows[top], body):
        return Layout(None, top)
    second = _has_second(rows, top)
    return Layout(top, top + 2 if second else top + 1, second)


def _first_full(rows: Sequence[Cells], width: int) -> int | None:
    """Index of the first row that is filled like the rows of the table; title rows are not."""
    filled = [sum(1 for c in row if c.strip()) for row in rows]
    inside = [f for row, f in zip(rows, filled, strict=True) if f and len(row) >= width - 1]
    if not inside:
        return next((i for i, f in enumerate(filled) if f), None)
    need = 1 if width == 1 else max(2, round(0.5 * median(inside)))
    for i, row in enumerate(rows):
        if filled[i] >= need and len(row) >= width - 1:
            return _fuller(rows, filled, i, width)
    return next((i for i, f in enumerate(filled) if f), None)


def _fuller(rows: Sequence[Cells], filled: Sequence[int], i: int, width: int) -> int:
    """The header, if row `i` is a title after all: sparse or no header, with a fuller row of names below."""
    if filled[i] > 0.6 * width and (filled[i] == width or _is_header(rows[i], rows[i + 1 :])):
        return i
    for j in range(i + 1, min(i + 6, len(rows))):
        names = all(cell_kind(c) in ("text", "") for c in rows[j])
        if filled[j] <= filled[i] or not names or not _is_header(rows[j], rows[j + 1 :]):
            continue
        spans = [c for c in rows[i] if c.strip()]
        if len(spans) >= 2 and all(cell_kind(c) != "date" for c in spans) and _repeats(rows[j]):
            return i  # names over several columns each, above names that repeat: a header of two rows
        return j
    return i


def _repeats(row: Cells) -> bool:
    names = [c.strip().casefold() for c in row if c.strip()]
    return len(set(names)) < len(names)


def _has_second(rows: Sequence[Cells], top: int) -> bool:
    """True if the row below the header completes it: blanks above are named, or spans are told apart."""
    if top + 2 >= len(rows):
        return False
    head, below = rows[top], rows[top + 1]
    blanks = [k for k, c in enumerate(head) if not c.strip() and k < len(below) and below[k].strip()]
    if not blanks:
        return False
    body = [row for row in rows[top + 2 :] if any(row)]
    labels = all(cell_kind(c) in ("text", "") or _is_period(c) for c in below)
    return labels and bool(body) and _votes(below, body) > 0


def _is_header(head: Cells, body: Sequence[Cells]) -> bool:
    votes = _votes(head, body)
    if votes:
        return votes > 0
    names = [c.strip().casefold() for c in head if c.strip()]
    return len(set(names)) == len(names) and all(_like_name(name) for name in names)


def _votes(head: Cells, body: Sequence[Cells]) -> float:
    """Evidence for (positive) or against (negative) `head` being names of the columns in `body`."""
    votes = 0.0
    periods = sum(_is_period(c) for c in head) >= 2
    for k, cell in enumerate(head[:_WIDE]):
        cell = cell.strip()
        if not cell:
            continue
        below = [row[k].strip() for row in body if k < len(row) and row[k].strip()]
        kinds = Counter(cell_kind(c) for c in below)
        figures = (kinds["number"] + kinds["date"]) / len(below) if below else 0.0
        if cell_kind(cell) == "text":
            votes += _text_votes(cell, below, figures)
        elif periods and _is_period(cell) and sum(_is_period(c) for c in below) <= 0.5 * len(below):
            votes += 1
        elif not below or figures >= 0.8:
            votes -= 2
        else:
            votes -= 0.5
    return votes


def _text_votes(cell: str, below: Sequence[str], figures: float) -> float:
    votes = 1.0 if _known(cell) else 0.0
    if not below:
        return votes
    if figures >= 0.8:
        return votes + 2
    if cell in below:
        return votes - 2
    if "@" in cell or (any(c.isdigit() for c in cell) and _alike(cell, below)):
        return votes - 2
    return votes


def _alike(cell: str, below: Sequence[str]) -> bool:
    shape = _shape(cell)
    return sum(_shape(c) == shape for c in below) >= 0.8 * len(below)


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))


def _like_name(name: str) -> bool:
    return len(name) <= 100 and any(c.isalpha() for c in name) and "@" not in name and "://" not in name


def cell_kind(cell: str) -> _Kind:
    """What a cell looks like: nothing, a number, a date or a text."""
    cell = cell.strip()
    if not cell:
        return ""
    if _NUMBER.match(cell):
        return "number"
    if any(c.isdigit() for c in cell) and _DATE.match(cell):
        return "date"
    return "text"


def _is_period(cell: str) -> bool:
    cell = cell.strip()
    return bool(re.fullmatch(r"(?:19[89]|20\d)\d", cell)) or cell_kind(cell) == "date"


@cache
def _vocabulary() -> frozenset[str]:
    from klientel.schema import TABLES

    words = set(_COMMON)
    for entity in TABLES.values():
        for known in entity.fields:
            words.add(known.name.replace("_", " "))
            words.add(known.title.casefold())
    return frozenset(words)


def _known(cell: str) -> bool:
    spaced = re.sub(r"(?<=[a-zäöüß])(?=[A-Z])", " ", cell)
    name = " ".join(re.sub(r"[\W_]+", " ", spaced.casefold()).split())
    known = _vocabulary()
    return name in known or name.replace(" ", "") in known or any(word in _COMMON for word in name.split())


def joined_header(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """One header of two rows: "Revenue" spanning "2023" and "2024" becomes "Revenue 2023", "Revenue 2024"."""
    names, span = [], ""
    for k in range(max(len(above), len(below))):
        top = above[k].strip() if k < len(above) else ""
        low = below[k].strip() if k < len(below) else ""
        span = top or span
        names.append(f"{span} {low}".strip() if low else top)
    return names


def is_total(cells: Sequence[str | None]) -> bool:
    """True for a row like "Summe; ; 1.234,56": the label of a total and, besides it, only figures."""
    given = [c.strip() for c in cells if c and c.strip()]
    if not given or not _TOTAL.match(given[0]):
        return False
    return all(cell_kind(c) == "number" or _TOTAL.match(c) for c in given[1:])


def column_names(
    cells: Cells, width: int, kept: Sequence[int] | None = None
) -> tuple[list[str], list[Sentence]]:
    """Headers for `width` columns: tidied, unique, "Column 3" where empty; and notes on what was changed.

    kept: indices of the columns that notes may speak of; None: all.
    """
    notes: list[Sentence] = []
    names: list[str] = []
    seen: Counter[str] = Counter()
    taken = {" ".join(c.split()).casefold() for c in cells}
    for k in range(width):
        name = " ".join(cells[k].replace("\ufeff", "").split()) if k < len(cells) else ""
        if not name:
            name = f"Column {k + 1}"
            if kept is None or k in kept:
                notes.append(say("Column {number} has no header.", number=str(k + 1)))
        seen[name.casefold()] += 1
        if seen[name.casefold()] > 1:
            count = seen[name.casefold()]
            while f"{name} ({count})".casefold() in taken:
                count += 1
            fresh = f"{name} ({count})"
            notes.append(
                say(
                    "The header “{header}” occurs more than once: column {number} is called “{name}”.",
                    header=name,
                    number=str(k + 1),
                    name=fresh,
                )
            )
            taken.add(fresh.casefold())
            name = fresh
        names.append(name)
    return names, _few(notes)


def _few(notes: list[Sentence]) -> list[Sentence]:
    if len(notes) <= 5:
        return notes
    return [*notes[:4], say("… and {n} more headers are empty or occur twice.", n=len(notes) - 4)]


NO_HEADER = mark("No header row was found: the columns are called Column 1, Column 2, …")
