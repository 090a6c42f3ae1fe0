"""What pages show of checks, dry runs and imports: counts and samples in the reader's words, files to download."""

from __future__ import annotations

import json
import secrets
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.http import FileResponse, Http404

from klientel.schema import TABLES
from klientel.web.imports import looking, reports
from klientel.web.kinds_of_values import again
from klientel.words import mark, spoken, translate

if TYPE_CHECKING:
    from klientel.ingest.mapping import Template
    from klientel.web.imports.drafts import Draft

OUTCOMES = {
    "create": (mark("new"), "green"),
    "update": (mark("changed"), "accent"),
    "skip": (mark("unchanged"), "plain"),
    "conflict": (mark("conflict"), "amber"),
    "rejected": (mark("rejected"), "red"),
}
_LISTED = 8  # rejections and notes of a check
_CELLS = 8  # values of a sample


def tables(told: dict[str, Any], lang: str) -> list[dict[str, Any]]:
    """Counts and samples by table, in the order of the schema."""
    order = {name: i for i, name in enumerate(["lines", *TABLES])}
    found = []
    for name, counts in sorted(told.items(), key=lambda item: order.get(item[0], 99)):
        samples = counts.get("samples") or {}
        outcomes = [
            {
                "name": outcome,
                "title": text,
                "tone": tone,
                "n": counts.get(outcome, 0),
                "samples": [_sample(name, s, lang) for s in samples.get(outcome, [])],
            }
            for outcome, (text, tone) in OUTCOMES.items()
        ]
        found.append({"name": name, "title": reports.title(name), "outcomes": outcomes})
    return found


def _sample(table: str, sample: dict[str, Any], lang: str) -> list[dict[str, str]]:
    """The values of a sample, those of changes with what was before."""
    shown = []
    for name, value in sample.items():
        if value is None or value in ("", {}):
            continue
        if isinstance(value, list) and len(value) == 2:
            was, comes = (_spoken(v, lang) for v in value)
            shown.append({"name": _field(table, name, lang), "was": was, "value": comes})
        else:
            shown.append({"name": _field(table, name, lang), "was": "", "value": _spoken(value, lang)})
    return shown[:_CELLS]


def _spoken(value: Any, lang: str) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {v}" for k, v in list(value.items())[:4])
    return "–" if value in (None, "") else spoken(value, lang)


def _field(table: str, name: str, lang: str) -> str:
    """The title of a field of a record, or of a column of lines."""
    from klientel.web.records.models import CANONICAL
    from klientel.web.records.values import field_title

    known = TABLES.get("order_line" if table == "lines" else table)
    if name in ("file", "line"):
        return translate(mark("File") if name == "file" else mark("Line"), lang)
    if known is not None and name in known.names():
        return translate(known.field(name).title, lang)
    model: Any = CANONICAL.get(table)
    if model is not None:
        try:
            return translate(field_title(model, name), lang)
        except (KeyError, LookupError, AttributeError):
            return name
    return {"day": translate(mark("Day"), lang), "amount": translate(mark("Amount"), lang)}.get(name, name)


def findings(told: dict[str, Any]) -> dict[str, Any]:
    """Notes and files left out, as sentences."""
    return {
        "notes": [again(note) for note in told.get("notes", [])],
        "ignored": [(file, again(why)) for file, why in told.get("ignored", [])],
        "aside": told.get("aside", 0),
    }


def read(place: Path) -> dict[str, Any] | None:
    """What a dry run left; None if it is gone."""
    try:
        found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None


def checked(mine: Draft, template: Template | None, today: date) -> dict[str, Any]:
    """Rows taken and rejected, notes, and the analyses that the files unlock: what `klientel check` says."""
    from klientel.analyses import ANALYSES, unlocked
    from klientel.ingest.opening import open_book

    raws = looking.read(mine, _silent)
    saved: Path | None = None
    if template is not None:
        saved = mine.folder / f"template-{secrets.token_hex(4)}.json"
        template.save(saved)
    try:
        book = open_book(
            [str(p) for p in mine.paths],
            map=looking.mapping(mine, raws),
            template=saved,
            today=today,
            lenient=True,
        )
    finally:
        if saved is not None:
            saved.unlink(missing_ok=True)
    free, locked = unlocked(book)
    intake = book.intake
    assert intake is not None
    return {
        "tables": [
            {"title": t.title, "rows": t.rows, "accepted": t.accepted, "rejected": t.rejected}
            for t in intake.tables.values()
        ],
        "rejections": intake.rejections[:_LISTED],
        "rejected": intake.rejected,
        "aside": intake.aside,
        "notes": intake.notes[:_LISTED],
        "unlocks": [a.title for a in free],
        "locked": [(ANALYSES[name].title, gap.sentence) for name, gap in locked.items()],
    }


def download(files: list[Path], name: str) -> FileResponse:
    """One of the files, to be saved; 404 for any other name."""
    for path in files:
        if path.name == name:
            return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv")
    raise Http404


def _silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
