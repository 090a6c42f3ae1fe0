"""Collects rows that could not be read, with what to do about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from klientel.ingest.formats.limits import LIMITS, Limits
from klientel.ingest.raw import Rejection
from klientel.words import Sentence, mark, say

BLANK_HINT = mark("Nothing to do, if this line is not part of the table.")
TITLE = mark("text above the table")
COMMENT = mark("comment line")
TOTAL = mark("total row")
TOTAL_HINT = mark("Nothing to do: totals are computed from the rows.")
FOOTER = mark("text below the table")
NO_SALE = mark("a booking or account that is no sale to a debtor")
ASIDE = frozenset({TITLE, COMMENT, TOTAL, FOOTER, NO_SALE})
"""What stands around a table and is none of its rows: set aside, not rejected."""
UNDECODABLE = mark("characters that cannot be decoded")
UNDECODABLE_HINT = mark("Save the file again as UTF-8, for example in Excel as “CSV UTF-8”.")
NUL = mark("a NUL byte in the row")
NUL_HINT = mark("The file is damaged here: export it again.")
OPEN_QUOTE = mark("a quotation mark is opened and not closed")
OPEN_QUOTE_HINT = mark("Close the quotation mark, or write a quotation mark inside a text twice.")
STRAY = mark("a line break or quotation mark at a place where it cannot be read")
STRAY_HINT = mark("Put the cell into quotation marks, and write quotation marks inside it twice.")
TOO_LONG = mark("the line is too long to be a row")
TOO_LONG_HINT = mark("Check that the file has line breaks where rows end.")
RAGGED_HINT = mark("Put a text that contains the separator into quotation marks, or complete the row.")
NOT_READ_HINT = mark("Leave the file out, or save it as CSV or XLSX.")


@dataclass
class Rejections:
    """The bad rows of one file; keeps the first ones, counts all."""

    file: str
    limits: Limits = LIMITS
    kept: list[Rejection] = field(default_factory=list)
    count: int = 0
    aside: int = 0  # of them, titles, comments, totals and texts below the table
    _listed_aside: int = 0

    def add(self, line: int, value: str, reason: str, hint: str, column: str = "") -> None:
        """Note the row that begins in physical line `line`, with an excerpt of its text."""
        self.count += 1
        self.aside += reason in ASIDE
        listed = self._listed_aside if reason in ASIDE else len(self.kept) - self._listed_aside
        if listed < self.limits.rejections:
            self._listed_aside += reason in ASIDE
            excerpt = shortened(value, self.limits.excerpt)
            self.kept.append(Rejection(self.file, line, column, excerpt, reason, hint))

    def below(self, last: int, reason: str) -> None:
        """Call what was rejected for `reason` below the `last` row of the table a text below it."""
        for i, r in enumerate(self.kept):
            if r.line > last and r.reason == reason:
                self.kept[i] = replace(r, reason=FOOTER, hint=BLANK_HINT)
                self.aside += 1
                self._listed_aside += 1


def shortened(text: str, most: int) -> str:
    """The text on one line, printable, at most `most` characters."""
    flat = " ".join(text[: 4 * most].split())
    clean = "".join(c if c.isprintable() else "�" for c in flat)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def ragged(found: int, expected: int) -> Sentence:
    """The reason for a row with too few or too many cells."""
    return say("{found} instead of {expected} cells", found=found, expected=expected)
