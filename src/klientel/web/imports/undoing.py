"""Undoing an import: what it made goes, what it changed comes back, what was changed since stays and is listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from klientel.engine import connect
from klientel.errors import BadParameter
from klientel.web.home import Home
from klientel.web.imports import heads, lines
from klientel.web.imports.disk import told_if_full
from klientel.web.imports.models import Import, Snapshot
from klientel.web.imports.renumbering import aliases
from klientel.web.imports.taking import MEMORY
from klientel.web.imports.writing import newest, writing
from klientel.web.records import changes
from klientel.web.records.models import Company
from klientel.web.records.rows import batches
from klientel.web.records.values import name_of
from klientel.web.rights import demand_all
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    from klientel.ingest.raw import Progress


@dataclass
class Taken:
    """What an undo did: removed and restored rows by table, conflicts, what recovery found before it."""

    run: Import
    removed: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    conflicts: list[Sentence] = field(default_factory=list)
    lines_left: int = 0
    notes: list[Sentence] = field(default_factory=list)

    @property
    def sentence(self) -> Sentence:
        """What it did, in a sentence."""
        removed, restored = sum(self.removed.values()), sum(self.restored.values())
        if self.conflicts:
            return say(
                "Import {n} is undone: {removed} removed, {restored} as they were before, {conflicts} left alone.",
                n=str(self.run.pk), removed=removed, restored=restored, conflicts=len(self.conflicts),
            )  # fmt: skip
        return say(
            "Import {n} is undone: {removed} removed, {restored} as they were before.",
            n=str(self.run.pk), removed=removed, restored=restored,
        )  # fmt: skip


def undo(
    home: Home, number: int, *, actor: Any = None, progress: Progress, now: datetime | None = None
) -> Taken:
    """Undo import `number`. All or nothing. Raises BadParameter if there is no such import to undo, Busy."""
    demand_all(actor, "write")
    at = now or datetime.now(UTC)
    with told_if_full(home.folder), writing(home, "undo", at) as held:
        run = _undoable(number)
        taken = _commit(home, run, actor, progress, at)
        taken.notes = held.recovered
        return taken


def _undoable(number: int) -> Import:
    run = Import.objects.filter(pk=number).first()
    if run is None:
        raise BadParameter(say("There is no import {n}; `klientel imports` lists them.", n=str(number)))
    if run.state == Import.State.UNDONE:
        raise BadParameter(say("Import {n} is undone already.", n=str(number)))
    if run.state != Import.State.DONE:
        raise BadParameter(say("Import {n} never came to its end; there is nothing to undo.", n=str(number)))
    return run


def _commit(home: Home, run: Import, actor: Any, progress: Progress, at: datetime) -> Taken:
    engine = connect(None)
    con = engine.connection.con
    con.execute(f"SET memory_limit = '{MEMORY}'")
    before = newest()
    pinned: dict[str, int] = dict(before.facts) if before else {}
    book = dict(before.book) if before else {}
    dead = list(Import.objects.filter(state=Import.State.UNDONE).values_list("pk", flat=True))
    progress(mark("Taking the rows back"), 0, None)
    taken = Taken(run)
    changed: set[str] = set()
    for name in pinned:
        facts = lines.table(home, name)
        written, told = lines.undo(con, home, facts, facts.version(), run.pk, dead)
        taken.lines_left += told["conflict"]
        if told["removed"]:
            taken.removed[name] = told["removed"]
        if told["restored"]:
            taken.restored[name] = told["restored"]
        if written is not None:
            pinned[name] = written.version
            changed.add(name)
            book[name] = lines.describe(con, facts, written.version, None) if name != lines.LINES else {}
    if changed & {lines.LINES, heads.HEADS} and lines.LINES in pinned:
        book[lines.LINES] = heads.describe(con, home, pinned, None)
    progress(mark("Taking the records back"), 0, None)
    with transaction.atomic():
        if taken.lines_left:
            run.conflicts = [{"model": "lines", "rows": taken.lines_left, "why": "changed"}]
        numbers = _customers(con, home, pinned)
        held, followed = companies(numbers), companies(set(aliases(numbers).values()))
        undone = changes.undo(run, at, actor=actor, held={name_of(Company): held}, followed=followed)
        taken.removed |= undone.removed
        taken.restored |= undone.restored
        taken.conflicts = [c.sentence for c in undone.conflicts]
        if taken.lines_left:
            taken.conflicts.append(say("{n} lines stay: a later import changed them.", n=taken.lines_left))
        Snapshot.objects.create(at=at, why="undo", facts=pinned, book=book, import_run=run)
    return taken


def _customers(con: Any, home: Home, pinned: dict[str, int]) -> set[str]:
    """Numbers of customers that facts which stay belong to."""
    numbers: set[str] = set()
    for name, version in pinned.items():
        facts = lines.table(home, name)
        stored = facts.select(version)
        if stored and "customer_id" in facts.columns(version):
            rows = con.execute(f"SELECT DISTINCT customer_id FROM ({stored})").fetchall()
            numbers |= {row[0] for row in rows if row[0]}
    return numbers


def companies(numbers: set[str]) -> set[int]:
    """Ids of the companies of these numbers."""
    found: set[int] = set()
    for part in batches(sorted(numbers)):
        found |= set(Company.objects.filter(number__in=part).values_list("pk", flat=True))
    return found
