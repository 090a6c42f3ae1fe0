"""What uploaded files are taken for, on their real first rows: the step of an import at which a person corrects it.

Files are read once; the tables stay as text in Parquet beside them, so that another mapping is seen at once. The
import itself reads the files anew, on the way every import takes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.engine import connect, failed
from klientel.errors import BadFile, KlientelError
from klientel.ingest.formats import read_sources
from klientel.ingest.mapping import Template, recognise
from klientel.ingest.opening import Opening
from klientel.ingest.raw import RawColumn, RawTable, Rejection
from klientel.ingest.soundness import damaged, narrowed
from klientel.ingest.values import profile
from klientel.ingest.values.shapes import identifier
from klientel.schema import TABLES
from klientel.web.imports import drafts
from klientel.web.imports.receiving import changing
from klientel.web.kinds_of_values import again
from klientel.web.kinds_of_values import told as kept
from klientel.words import Sentence

if TYPE_CHECKING:
    from klientel.ingest.raw import Progress
    from klientel.ingest.recognition import Recognition

ROWS = 8  # first rows that are shown
_TABLES = "tables.json"
_CELL = 80  # characters of a cell that are shown
_REJECTIONS = 200  # of what could not be read as a row, kept with the tables


@dataclass(frozen=True)
class Seen:
    """A column of a file: what it is taken for ("table", "column"; "attribute" or "period" as table) and how sure."""

    name: str
    header: str
    table: str = ""
    column: str = ""
    confidence: float = 0.0
    why: str = ""
    also: tuple[tuple[str, str], ...] = ()

    @property
    def value(self) -> str:
        """As the choice of a person says it; "" if nothing is made of it."""
        return f"{self.table}.{self.column}" if self.table in TABLES else self.table


@dataclass
class Sheet:
    """A table of the files: what it is taken for, its columns, its first rows, what is still missing."""

    place: str
    rows: int
    table: str | None
    confidence: float
    why: str
    inside: list[str] = field(default_factory=list)
    columns: list[Seen] = field(default_factory=list)
    first: list[tuple[int, list[str]]] = field(default_factory=list)
    missing: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)


@dataclass
class Look:
    """What the files are taken for. trouble: what is wrong with what was chosen, in a sentence; nothing else then."""

    sheets: list[Sheet]
    not_read: list[Rejection] = field(default_factory=list)
    recognitions: list[Recognition] = field(default_factory=list)
    trouble: Sentence | str | None = None

    @property
    def usable(self) -> bool:
        """True if something of it can be imported."""
        return any(sheet.table for sheet in self.sheets)


def staged(draft: drafts.Draft) -> bool:
    """True if the files have been read."""
    return (draft.stage / _TABLES).is_file()


def read(draft: drafts.Draft, progress: Progress) -> list[RawTable]:
    """Read the files, once. Raises BadFile if nothing in them can be read, or the draft is gone."""
    while True:
        if not staged(draft):
            _stage(draft, progress)
        try:
            return _load(draft.stage / _TABLES)
        except FileNotFoundError:  # a file was added or taken away meanwhile
            continue


def _stage(draft: drafts.Draft, progress: Progress) -> None:
    """Read the files beside the draft; what was read is the draft's where its files are still the same."""
    own = draft.folder / f"stage-{secrets.token_hex(4)}"  # two may read at once: each for itself
    files = list(draft.files)
    try:
        own.mkdir(mode=0o700)
    except FileNotFoundError:
        raise BadFile(drafts.GONE) from None
    try:
        raws = [narrowed(raw) for raw in read_sources([str(p) for p in draft.paths], own, progress)]
        drafts.write(own / _TABLES, [_kept(raw, own, draft.stage) for raw in raws])
        with changing(draft):
            if draft.files == files and not staged(draft):
                shutil.rmtree(draft.stage, ignore_errors=True)
                own.rename(draft.stage)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def look(draft: drafts.Draft, template: Template | None, progress: Progress) -> Look:
    """What the files of a draft are taken for with what was chosen so far. Raises BadFile as `read` does.

    A choice that does not fit any more (a header that is gone) is told as `trouble` and what is recognised without
    choices is shown.
    """
    raws = read(draft, progress)
    opening = Opening(connect(None), progress, apart=True)
    trouble: Sentence | str | None = None
    try:
        views = [opening._view(raw, i) for i, raw in enumerate(raws)]
        profiles = {i: profile(opening.con, views[i], raw) for i, raw in enumerate(raws)}
        try:
            found = recognise(raws, profiles, mapping(draft, raws), template)
        except KlientelError as refused:
            trouble = refused.sentence
            found = recognise(raws, profiles)
        sheets = [_sheet(opening, raw, view, found) for raw, view in zip(raws, views, strict=True)]
    except KlientelError:
        raise
    except Exception as broke:
        if type(broke).__module__.split(".")[0] in ("duckdb", "_duckdb"):
            raise damaged(raws) or failed(broke) from broke
        raise
    lost = [r for raw in raws for r in raw.rejections if r.line == 0]
    return Look(sheets, lost, found, trouble)


def mapping(draft: drafts.Draft, raws: Sequence[RawTable]) -> dict[str, str]:
    """What was chosen, as `recognise` and the command line take it ({"FILE:TABLE.COLUMN": header, ...})."""
    by_place = {raw.place: raw for raw in raws}
    told: dict[str, str] = {}
    for place, chosen in draft.choices.items():
        raw = by_place.get(place)
        if raw is None:
            continue
        if chosen.get("table"):
            told[place] = chosen["table"]
        headers = [c.header for c in raw.columns]
        for column in raw.columns:
            value = chosen.get("columns", {}).get(column.name, "")
            # A header that stands over two columns says too little: then the column's own name does.
            header = column.header if headers.count(column.header) == 1 else column.name
            if value == "-":
                told[f"{place}:-.{header}"] = "-"
            elif value:
                told[f"{place}:{value}"] = header
    return told


def choose(draft: drafts.Draft, place: str, column: str, value: str) -> None:
    """Note what a person says of a column of a table; of the whole table if `column` is "".

    value: "table.column", "-" for leave out, "" for as recognised; of a table its canonical name, "-" or "".
    """
    chosen = draft.choices.setdefault(place, {"table": "", "columns": {}})
    if not column:
        draft.choices[place] = {
            "table": value,
            "columns": {},
        }  # what was said of its columns meant another table
        return
    columns = {k: v for k, v in chosen["columns"].items() if k != column and (v == "-" or v != value)}
    if value:
        columns[column] = value
    chosen["columns"] = columns


def _sheet(opening: Opening, raw: RawTable, view: str, found: list[Recognition]) -> Sheet:
    own = [r for r in found if r.raw is raw]
    primary = own[0]
    sheet = Sheet(raw.place, raw.rows, primary.table, primary.confidence, primary.why, notes=list(raw.notes))
    sheet.inside = [r.table for r in own[1:] if r.table]
    sheet.columns = [_seen(column, own) for column in raw.columns]
    if primary.table:
        have = set(primary.columns) | ({"net_amount"} if primary.periods else set())
        sheet.missing = [g for g in TABLES[primary.table].required if not have & set(g)]
    sheet.first = _first(opening, raw, view)
    return sheet


def _seen(column: RawColumn, own: list[Recognition]) -> Seen:
    """What a column is taken for: by the file's own table first, then by those that lie inside it."""
    takes: list[tuple[str, str, float, str]] = []
    for recognition in own:
        if column.name in recognition.periods:
            takes.append(("period", "", 0.9, recognition.why))
        for name, match in recognition.columns.items():
            parts = recognition.added.get(name, ())
            if match.column == column.name or any(p.name == column.name for p in parts):
                takes.append((str(recognition.table), name, match.confidence, match.why))
        for name, match in recognition.attributes.items():
            if match.column == column.name:
                takes.append(("attribute", name, match.confidence, match.why))
    if not takes:
        return Seen(column.name, column.header)
    table, name, confidence, why = takes[0]
    return Seen(column.name, column.header, table, name, confidence, why, tuple(t[:2] for t in takes[1:]))


def _first(opening: Opening, raw: RawTable, view: str) -> list[tuple[int, list[str]]]:
    columns = ", ".join(f"CAST({identifier(c.name)} AS VARCHAR)" for c in raw.columns)
    parquet = isinstance(raw.source, list)
    line = "line" if raw.has_line else "file_row_number + 1" if parquet else "0"
    # The order of the file: the first rows come out of one row group.
    rows = opening.con.execute(f"SELECT {line}, {columns} FROM {view} ORDER BY 1 LIMIT {ROWS}").fetchall()
    return [(int(at), [_cell(cell) for cell in cells]) for at, *cells in rows]


def _cell(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


# -- tables as they were read, beside the files ---------------------------------------------------


def _kept(raw: RawTable, own: Path, stage: Path) -> dict[str, Any]:
    """A table for JSON; what lies in the folder it was read into is said to lie in `stage`, where that comes to be."""
    told = {f: getattr(raw, f) for f in ("name", "file", "rows", "sheet", "header_line", "has_line", "aside")}
    return {
        **told,
        "columns": [asdict(c) for c in raw.columns],
        "source": [str(stage / p.relative_to(own) if p.is_relative_to(own) else p) for p in raw.source],
        "rejected": raw.rejected,
        "rejections": [
            {**asdict(r), "reason": kept(r.reason), "hint": kept(r.hint)}
            for r in raw.rejections[:_REJECTIONS]
        ],
        "notes": [kept(n) for n in raw.notes],
        "parts": list(raw.parts),
    }


def _load(place: Path) -> list[RawTable]:
    os.utime(place)
    told: list[Mapping[str, Any]] = json.loads(place.read_text(encoding="utf-8"))
    return [
        RawTable(
            **{
                **raw,
                "columns": tuple(RawColumn(**c) for c in raw["columns"]),
                "source": [Path(p) for p in raw["source"]],
                "rejections": [
                    Rejection(**{**r, "reason": again(r["reason"]), "hint": again(r["hint"])})
                    for r in raw["rejections"]
                ],
                "notes": [again(n) for n in raw["notes"]],
                "parts": tuple(raw["parts"]),
            }
        )
        for raw in told
    ]
