"""What the undo of an import would do, before it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klientel.engine import connect
from klientel.errors import BadParameter
from klientel.schema import TABLES
from klientel.web.imports import heads, lines
from klientel.web.imports.models import Import
from klientel.web.imports.renumbering import aliases
from klientel.web.imports.taking import MEMORY
from klientel.web.imports.undoing import companies
from klientel.web.imports.writing import newest
from klientel.web.records import undoing
from klientel.web.records.models import Change, Company
from klientel.web.records.values import model_of, name_of, title_of
from klientel.web.rights import demand_all
from klientel.words import Sentence, mark, say

if TYPE_CHECKING:
    from klientel.web.home import Home

LARGE = 50_000  # changes of records above which nobody waits for a preview
SHOWN = 100  # conflicts that are told


@dataclass
class Preview:
    """What would go and come back by table, and what would stay. known: False for an import too large to look."""

    known: bool
    tables: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[Sentence] = field(default_factory=list)
    count: int = 0


def undo(home: Home, run: Import, *, actor: Any = None) -> Preview:
    """What the undo of an import would do. Raises NotAllowed, BadParameter for an import that cannot be undone."""
    demand_all(actor, "write")
    if run.state == Import.State.UNDONE:
        raise BadParameter(say("Import {n} is undone already.", n=str(run.pk)))
    if run.state != Import.State.DONE:
        raise BadParameter(say("Import {n} never came to its end; there is nothing to undo.", n=str(run.pk)))
    if Change.objects.filter(import_run=run)[: LARGE + 1].count() > LARGE:
        return Preview(False)
    found = Preview(True)
    numbers, left = _facts(home, run, found)
    held, followed = companies(numbers), companies(set(aliases(numbers).values()))
    undone = undoing.preview(run, actor=actor, held={name_of(Company): held}, followed=followed)
    for model in dict.fromkeys([*undone.removed, *undone.restored]):
        found.tables.append(
            _row(title_of(model_of(model)), undone.removed.get(model, 0), undone.restored.get(model, 0))
        )
    found.conflicts = [c.sentence for c in undone.conflicts[:SHOWN]]
    found.count = len(undone.conflicts)
    if left:
        found.conflicts.insert(0, say("{n} lines stay: a later import changed them.", n=left))
        found.count += 1
    return found


def _facts(home: Home, run: Import, found: Preview) -> tuple[set[str], int]:
    """Counts of the fact tables; the customers that facts which stay belong to, and the lines that stay changed."""
    con = connect(None).connection.con
    con.execute(f"SET memory_limit = '{MEMORY}'")
    dead = list(Import.objects.filter(state=Import.State.UNDONE).values_list("pk", flat=True))
    before = newest()
    numbers: set[str] = set()
    left = 0
    for name, version in (before.facts if before else {}).items():  # a newer one may be of a writer at work
        facts = lines.table(home, name)
        told = lines.would_undo(con, home, facts, version, run.pk, dead)
        left += told["conflict"]
        if told["removed"] or told["restored"]:
            title = _title(name)
            found.tables.append(_row(title, told["removed"], told["restored"]))
        stored = facts.select(version)
        if stored and "customer_id" in facts.columns(version):
            sql = f"SELECT DISTINCT customer_id FROM ({stored}) WHERE import_id IS DISTINCT FROM {run.pk}"
            if told["restored"]:
                sql += " UNION SELECT customer_id FROM back_lines"
            numbers |= {row[0] for row in con.execute(sql).fetchall() if row[0]}
    return numbers, left


def _title(name: str) -> Any:
    if name == lines.LINES:
        return mark("Lines")
    return TABLES["order_header" if name == heads.HEADS else name].title


def _row(title: Any, removed: int, restored: int) -> dict[str, Any]:
    return {"title": title, "removed": removed, "restored": restored}
