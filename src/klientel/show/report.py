"""The portfolio report: one content, written as HTML, PDF or XLSX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from klientel.errors import BadParameter
from klientel.ingest.raw import Rejection
from klientel.schema import TABLES
from klientel.show import chapters
from klientel.words import day, mark, number, say, translate

if TYPE_CHECKING:
    from klientel.result import Result
    from klientel.show.chapters import Content, Grid

FORMATS = (".html", ".pdf", ".xlsx")


@dataclass(frozen=True)
class BookSummary:
    """What a report says about its data.

    sources: names of files; accepted, rejected: rows per canonical table; status: customers per status;
    rejections: the rows themselves, capped; notes: sentences on what was decided while reading;
    locked: name of an analysis -> sentence that says what is missing.
    """

    sources: tuple[str, ...] = ()
    as_of: date | None = None
    currency: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    customers: int = 0
    accepted: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    status: Mapping[str, int] = field(default_factory=dict)
    rejections: Sequence[Rejection] = ()
    notes: Sequence[str] = ()
    locked: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def report(results: Sequence[Result], summary: BookSummary, lang: str, out: str | Path) -> Path:
    """Write the report to `out`; the suffix (.html, .pdf, .xlsx) decides the form.

    Raises BadParameter for any other suffix.
    """
    target = Path(out)
    suffix = target.suffix.lower()
    if suffix == ".html":
        from klientel.show.pages import page

        target.write_text(page(content(results, summary, lang)), encoding="utf-8")
    elif suffix == ".pdf":
        from klientel.show.pdf import pdf

        target.write_bytes(pdf(content(results, summary, lang)))
    elif suffix == ".xlsx":
        from klientel.show.workbook import workbook

        workbook(results, target, lang, content(results, summary, lang))
    else:
        known = ", ".join(FORMATS)
        raise BadParameter(
            say(
                "A report cannot be written as {suffix}; use one of {known}.",
                suffix=suffix or "?",
                known=known,
            )
        )
    return target


def content(results: Sequence[Result], summary: BookSummary, lang: str) -> Content:
    """Everything the report says, as text in one language."""
    made_by = say("Made with Klientel {version}", version=summary.version or "")
    return chapters.Content(
        lang=lang,
        title=translate(mark("Customer portfolio report"), lang),
        facts=_facts(summary, lang),
        sources=tuple(summary.sources),
        opening=chapters.opening(results, lang),
        chapters=tuple(chapters.chapter(r, lang) for r in results),
        locked=tuple(
            (chapters.locked_title(name, lang), translate(why, lang)) for name, why in summary.locked.items()
        ),
        notes=tuple(translate(note, lang) for note in summary.notes),
        intake=_intake(summary, lang),
        glossary=chapters.glossary(results, lang),
        made_by=translate(made_by, lang).strip(),
    )


def _facts(summary: BookSummary, lang: str) -> tuple[tuple[str, str], ...]:
    """What stands under the title, as (name, value)."""
    facts = []
    if summary.as_of:
        facts.append((mark("As of"), day(summary.as_of, lang)))
    if summary.first_day and summary.last_day:
        facts.append((mark("Data"), f"{day(summary.first_day, lang)} – {day(summary.last_day, lang)}"))
    if summary.customers:
        facts.append((mark("Customers in the portfolio"), number(summary.customers, lang)))
    if summary.currency:
        facts.append((mark("Currency"), summary.currency))
    accepted, rejected = sum(summary.accepted.values()), sum(summary.rejected.values())
    if accepted or rejected:
        told = say("{accepted} accepted, {rejected} rejected", accepted=accepted, rejected=rejected)
        facts.append((mark("Rows"), translate(told, lang)))
    return tuple((translate(name, lang), value) for name, value in facts)


def _intake(summary: BookSummary, lang: str) -> tuple[Grid, ...]:
    """Tables on the data: rows per table, customers per status, rejected rows."""
    grids = []
    names = list(dict.fromkeys([*summary.accepted, *summary.rejected]))
    if names:
        rows = [
            (
                translate(TABLES[n].title, lang) if n in TABLES else n,
                summary.accepted.get(n, 0),
                summary.rejected.get(n, 0),
            )
            for n in names
        ]
        heads = (mark("Table"), mark("Rows accepted"), mark("Rows rejected"))
        grids.append(chapters.simple_grid(mark("Rows read"), heads, rows, lang))
    if summary.status:
        status = [(translate(name, lang), n) for name, n in summary.status.items()]
        heads2 = (mark("Status"), mark("Customers"))
        grids.append(chapters.simple_grid(mark("Customers by status"), heads2, status, lang))
    if summary.rejections:
        grids.append(_rejections(summary, lang))
    return tuple(grids)


def _rejections(summary: BookSummary, lang: str) -> Grid:
    most = chapters.MOST_REJECTIONS
    rows = [
        (
            r.file,
            str(r.line) if r.line else "",
            r.column,
            r.value[:60],
            translate(r.reason, lang),
            translate(r.hint, lang),
        )
        for r in summary.rejections[:most]
    ]
    total = max(sum(summary.rejected.values()), len(summary.rejections))
    note = (
        say("The first {shown} of {total} rows.", shown=len(rows), total=total) if total > len(rows) else ""
    )
    heads = (mark("File"), mark("Line"), mark("Column"), mark("Value"), mark("Reason"), mark("What to do"))
    return chapters.simple_grid(mark("Rejected rows"), heads, rows, lang, note)
