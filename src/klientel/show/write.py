"""Writes results, checks and reports: JSON, CSV, Parquet, XLSX to a file or to standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter, KlientelError
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.analysis import Analysis
    from klientel.book import Book
    from klientel.ingest.raw import Progress
    from klientel.result import Result

_ENDINGS = {".json": "json", ".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx", ".txt": "text"}
REPORTS = (".html", ".pdf", ".xlsx")


def form_of(output: str | None) -> str | None:
    """The form that the ending of a file asks for; None if it says nothing."""
    return _ENDINGS.get(Path(output).suffix.lower()) if output else None


def result(answer: Result, form: str, table: str | None, output: str | None, lang: str) -> None:
    """Write a result as json, csv, parquet or xlsx to a file, or to standard output (json, csv)."""
    chosen = answer.tables[table] if table else next(iter(answer.tables.values()))
    match form:
        case "json":
            text(answer.to_dict(lang), output)
        case "csv":
            from klientel.show.delimited import csv_text, write_csv

            if output:
                write_csv(chosen, Path(output))
            else:
                sys.stdout.write(csv_text(chosen, lang))
        case "parquet":
            import pyarrow.parquet as pq

            pq.write_table(chosen.to_pyarrow(), _needed(output, "parquet"))
        case "xlsx":
            from klientel.show.workbook import workbook

            workbook([answer], Path(_needed(output, "xlsx")), lang)


def text(content: Any, output: str | None) -> None:
    """Write JSON: UTF-8, two spaces, keys in their given order; piece by piece, since tables can be long."""
    pieces = json.JSONEncoder(ensure_ascii=False, indent=2, allow_nan=False).iterencode(content)
    if not output:
        sys.stdout.writelines(pieces)
        sys.stdout.write("\n")
        return
    with Path(output).open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
        file.write("\n")


def _needed(output: str | None, form: str) -> str:
    if not output:
        raise BadParameter(say("{form} is not text: name a file with -o FILE.{form}", form=form))
    return output


def catalogue(analyses: Iterable[Analysis], locked: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """The catalogue as JSON: analyses with parameters, tables and figures; with `locked`, what is missing."""
    listed = []
    for analysis in analyses:
        entry: dict[str, Any] = {
            "name": analysis.name,
            "title": analysis.title,
            "question": analysis.question,
            "group": analysis.group,
            "parameters": [
                {
                    "name": p.name,
                    "title": p.title,
                    "default": p.default,
                    "min": p.min,
                    "max": p.max,
                    "choices": list(p.choices),
                }
                for p in analysis.params
            ],
            "figures": [
                {"name": f.name, "title": f.title, "unit": f.unit, "meaning": f.meaning}
                for f in analysis.figures
            ],
            "tables": {t.name: [c.name for c in t.columns] for t in analysis.tables},
        }
        if locked is not None:
            entry["missing"] = str(locked[analysis.name]) if analysis.name in locked else None
        listed.append(entry)
    return listed


def report_form(output: str) -> None:
    """Raise BadParameter before any work if the ending names no report form."""
    if Path(output).suffix.lower() not in REPORTS:
        raise BadParameter(
            say(
                "A report is written as {known}, not as {file}.",
                known=list(REPORTS),
                file=repr(Path(output).name),
            )
        )


def report(
    book: Book, output: Path, lang: str, progress: Progress, *, forecasts: bool = True
) -> list[Result]:
    """Answer everything that the Book can answer and write the report; the results come back.

    An analysis that fails is listed with its reason; it does not take the report with it. forecasts: with
    what models say of the future, each tried on held-out time first, which takes about a quarter of the time.
    """
    from klientel import __version__
    from klientel.analyses import ANALYSES, unlocked
    from klientel.answer import answer
    from klientel.show.report import BookSummary
    from klientel.show.report import report as written

    free, gaps = unlocked(book)
    locked: dict[str, str] = {name: missing.sentence for name, missing in gaps.items()}
    results: list[Result] = []
    if not forecasts:
        free = [analysis for analysis in free if analysis.group == "understand"]
        locked = {name: why for name, why in locked.items() if ANALYSES[name].group == "understand"}
    for i, analysis in enumerate(free):
        progress(analysis.title, i, len(free))
        try:
            results.append(answer(book, analysis))
        except KlientelError as failed:
            locked[analysis.name] = failed.sentence
    progress(mark("Writing the report"), 0, None)
    intake = book.intake
    tables = intake.tables if intake else {}
    status = book.status_counts()
    summary = BookSummary(
        sources=tuple(Path(source).name for source in book.sources),
        as_of=book.as_of,
        currency=book.currency,
        first_day=book.facts.first_day,
        last_day=book.facts.last_day,
        # Leads, prospects, partners and former customers are known, but outside the portfolio (G2).
        customers=status.get("active", 0) + status.get("reactivated", 0),
        accepted={name: t.accepted for name, t in tables.items() if t.rows > t.again},
        rejected={name: t.rejected for name, t in tables.items() if t.rows > t.again},
        status=status,
        rejections=intake.rejections if intake else (),
        notes=tuple(book.notes),
        locked=locked,
        version=__version__,
    )
    written(results, summary, lang, output)
    return results
