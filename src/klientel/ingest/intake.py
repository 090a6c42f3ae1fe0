"""What came in: per canonical table what was recognised, and every row that was not taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from klientel.errors import BadFile
from klientel.ingest.formats.rejections import ASIDE
from klientel.ingest.raw import Rejection
from klientel.ingest.recognition import Match, Recognition
from klientel.ingest.soundness import damaged
from klientel.words import Sentence, translate

LISTED = 10_000  # rejections kept by name; all are counted


@dataclass
class TableReport:
    """One canonical table: where it was read from and how many rows were taken.

    rows = accepted + rejected counts rows of the files, also where several rows make one customer; `again` of
    them stand in another table's count already.
    """

    table: str
    title: str
    files: list[str] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    matches: dict[str, Match] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    again: int = 0  # of the rows, those of files that another table counts already (a flat file's customers)

    @property
    def file(self) -> str:
        """The files' names, as one text."""
        return ", ".join(self.files)

    @property
    def accepted(self) -> int:
        """Rows taken."""
        return self.rows - self.rejected


@dataclass
class Intake:
    """The whole intake of a Book: reports, rejections (at most 10,000 kept, `rejected` counts all), notes.

    set_aside: lines that are no rows of a table (titles, comments, totals, texts below), `aside` counts all.
    """

    tables: dict[str, TableReport] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    rejected: int = 0
    set_aside: list[Rejection] = field(default_factory=list)
    aside: int = 0
    ignored: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)
    recognitions: list[Recognition] = field(default_factory=list)

    def damaged(self) -> BadFile | None:
        """What to say if a source is damaged in a place that was not read when the Book was opened."""
        return damaged([found.raw for found in self.recognitions])

    def take(self, found: list[Rejection], count: int, aside: int) -> None:
        """Add what was not taken, `count` in all and `aside` of them no rows; as far as there is room."""
        for rejection in found:
            kept = self.set_aside if rejection.reason in ASIDE else self.rejections
            if len(kept) < LISTED:
                kept.append(rejection)
        self.rejected += count - aside
        self.aside += aside

    def to_dict(self, unlocks: list[str], locked: dict[str, list[str]], lang: str = "en") -> dict[str, Any]:
        """The JSON form of `klientel check` (design, section 5); sentences in `lang`."""
        return {
            "tables": {
                report.table: {
                    "file": report.file,
                    "rows": report.rows,
                    "accepted": report.accepted,
                    "rejected": report.rejected,
                    "columns": {name: match.header for name, match in report.matches.items()},
                    "confidence": {name: round(m.confidence, 3) for name, m in report.matches.items()},
                    "unmapped": [translate(h, lang) for h in report.unmapped],
                }
                for report in self.tables.values()
            },
            "rejected": self.rejected,
            "rejections": [_told(r, lang) for r in self.rejections],
            "aside": self.aside,
            "set_aside": [_told(r, lang) for r in self.set_aside],
            "ignored": [{"file": file, "why": translate(why, lang)} for file, why in self.ignored],
            "notes": [translate(note, lang) for note in self.notes],
            "unlocks": unlocks,
            "locked": locked,
        }


def _told(rejection: Rejection, lang: str) -> dict[str, Any]:
    return {
        "file": rejection.file,
        "line": rejection.line,
        "column": rejection.column,
        "value": rejection.value,
        "reason": translate(rejection.reason, lang),
        "hint": translate(rejection.hint, lang),
    }
