"""What an import did, or would do, as JSON for pages: counts and samples by table, notes, rejected rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.corrected import HINT, LINE, OURS, REASON
from klientel.schema import TABLES
from klientel.web.kinds_of_values import told as kept
from klientel.web.rights import access
from klientel.words import mark

if TYPE_CHECKING:
    from klientel.web.imports.importing import Report

NOTES = 50  # notes that are kept
_LINES = {"lines": mark("Lines")}
HIDDEN = "•••"  # what a person may not see


def title(table: str) -> str:
    """The title of a table of records or facts."""
    if table in _LINES:
        return _LINES[table]
    return TABLES[table].title if table in TABLES else table


def told(report: Report, actor: Any, files: Iterable[Path]) -> dict[str, Any]:
    """The report of a dry run; stored values that the person may not see are left out of its samples."""
    found = report.to_dict(getattr(actor, "language", "en"))
    for name, table in found["tables"].items():
        for samples in table["samples"].values():
            for sample in samples:
                _without_hidden(name, sample, actor)
    return {"tables": found["tables"], **findings(report), "files": [path.name for path in files]}


def findings(report: Report) -> dict[str, Any]:
    """Notes and what was left out of the files, for the page of an import."""
    intake = report.taken.intake
    return {
        "notes": [kept(note) for note in report.notes[:NOTES]],
        "ignored": [[file, kept(why)] for file, why in intake.ignored[:NOTES]],
        "aside": intake.aside,
        "rejected": sum(c.rejected for c in report.counts.values()),
    }


def _without_hidden(table: str, sample: dict[str, Any], actor: Any) -> None:
    """Blank the stored side of changes in columns that are personal or costs, where those are out of reach."""
    from klientel.web.records.models import CANONICAL
    from klientel.web.rights.columns import hidden_fields

    model = CANONICAL.get(table)
    if model is None:
        return
    reach, hide = access(actor), hidden_fields(model)
    for kind in ("personal", "margin"):
        if reach.everything(kind):
            continue
        for name in hide.of(kind):
            if isinstance(sample.get(name), list) and len(sample[name]) == 2:
                sample[name][0] = HIDDEN
        if isinstance(sample.get("custom"), list):
            sample["custom"][0] = HIDDEN


def rejected_rows(files: Iterable[Path], most: int) -> Iterator[dict[str, Any]]:
    """The first rejected rows of files that `rejected.write` wrote: file, line, reason, hint, and the row's cells."""
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as source:
            for row in csv.DictReader(source, delimiter=";"):
                if most <= 0:
                    return
                most -= 1
                cells = [(h, c) for h, c in row.items() if h not in OURS and h is not None and c]
                yield {
                    "file": path.name,
                    "line": row.get(LINE, ""),
                    "reason": row.get(REASON, ""),
                    "hint": row.get(HINT, ""),
                    "cells": cells[:6],
                }


def rejected_files(folder: Path) -> list[Path]:
    """The files of rejected rows in a folder."""
    return sorted(folder.glob("rejected-*.csv")) if folder.is_dir() else []
