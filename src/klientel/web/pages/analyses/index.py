"""All analyses by group: the question, whether this workspace can answer it, and what the answer says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from klientel.analyses import ANALYSES, unlocked
from klientel.analysis import GROUPS, Analysis
from klientel.errors import BadFile
from klientel.result import Result
from klientel.schema import TABLES
from klientel.show import chapters
from klientel.web import books, results
from klientel.web.pages import shell
from klientel.web.pages.analyses import answers, asked
from klientel.web.pages.analyses.show import declared
from klientel.words import Word, say


@dataclass(frozen=True)
class Entry:
    """An analysis in the list; missing: what has to be brought for it, in words."""

    analysis: Analysis
    tile: Any = None
    flag: str = ""
    missing: tuple[str, ...] = ()
    computed: bool = True


@dataclass
class Group:
    """A group of the menu."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def index(request: Any) -> Any:
    """The catalogue."""
    nobody = asked.of_nobody(request)
    gaps = None if nobody else gaps_of(request)
    groups = {name: Group(title) for name, title in GROUPS.items()}
    state = books.state()
    for analysis in ANALYSES.values():
        missing = gaps.get(analysis.name, ()) if gaps is not None else ()
        if nobody:
            groups[analysis.group].entries.append(Entry(analysis))
            continue
        found = None if missing else answers.known(asked.Asked(request, analysis).question(), state)
        groups[analysis.group].entries.append(_entry(analysis, missing, found, request.lang))
    return shell.page(
        request,
        "analyses/index.html",
        {
            "groups": [g for g in groups.values() if g.entries],
            "nobody": asked.NOBODY if nobody else "",
            "empty": gaps is not None and len(gaps) == len(ANALYSES),
            "may_import": shell.reach(request).everything("write"),
            "may_export": shell.reach(request).may("export"),
        },
    )


def card(request: Any, name: str) -> Any:
    """The headline of one analysis, computed when the others that people look at are done."""
    analysis = declared(name)
    if asked.of_nobody(request):
        return shell.page(request, "analyses/card.html", {"entry": Entry(analysis), "refused": asked.NOBODY})
    gaps = gaps_of(request) or {}
    if gaps.get(name):
        return shell.page(
            request, "analyses/card.html", {"entry": _entry(analysis, gaps[name], None, request.lang)}
        )
    found = answers.get(asked.Asked(request, analysis).question(), answers.LATER, patience=0.3)
    given: dict[str, Any] = {"entry": _entry(analysis, (), found, request.lang)}
    if not isinstance(found, Result) and found.why is not None:
        given = {"entry": Entry(analysis), "refused": found.why.sentence}
    return shell.page(request, "analyses/card.html", given)  # fmt: skip


def _entry(analysis: Analysis, missing: tuple[str, ...], found: Any, lang: str) -> Entry:
    if not isinstance(found, Result):
        return Entry(analysis, missing=missing, computed=False)
    cards, _ = chapters.cards_of(found, lang)
    return Entry(analysis, cards[0] if cards else None, found.quality.flag, missing)


def gaps_of(request: Any, patience: float = 1.5) -> dict[str, tuple[str, ...]] | None:
    """What each analysis lacks in this workspace, in words; None if that is not known yet."""
    question = asked.Asked(request, next(iter(ANALYSES.values()))).question()
    one = answers.soon(
        f"{question.place()}:gaps", lambda progress: _gaps(question, progress), patience=patience
    )
    if isinstance(one.why, BadFile):  # an empty workspace: nothing can be answered
        return {name: _words(_everything(analysis)) for name, analysis in ANALYSES.items()}
    found: dict[str, tuple[str, ...]] | None = one.answer
    return found


def _gaps(question: results.Question, progress: Any) -> dict[str, tuple[str, ...]]:
    with results.computing():
        book, _ = results.book_for(question, progress)
        _, gaps = unlocked(book)
    return {name: _words(missing.columns) for name, missing in gaps.items()}


def _everything(analysis: Analysis) -> tuple[str, ...]:
    return tuple(f"{need.table}." for need in analysis.needs if not need.optional)


def _words(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns as people call them: title of the table and of the column."""
    made = []
    for text in columns:
        table, _, column = text.partition(".")
        entity = TABLES.get(table)
        if entity is None:
            continue
        title = entity.field(column).title if column in entity.names() else ""
        made.append(
            say("{table}: {column}", table=Word(entity.title), column=Word(title)) if title else entity.title
        )
    return tuple(dict.fromkeys(made))  # fmt: skip
