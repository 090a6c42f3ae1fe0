"""What was imported, for people and programs."""

from __future__ import annotations

from typing import Any

from klientel.web.imports.models import Import
from klientel.web.privacy.fields import personal
from klientel.web.rights import access, visible


def listed(actor: Any = None) -> list[dict[str, Any]]:
    """Every import, oldest first: id, moment, state, files, counts by table and in all, conflicts of its undo."""
    found = []
    for run in visible(Import.objects.order_by("pk"), actor).select_related("actor"):
        tables = run.counts.get("tables", {})
        totals: dict[str, int] = {}
        for counts in tables.values():
            for outcome, n in counts.items():
                totals[outcome] = totals.get(outcome, 0) + n
        found.append(
            {
                "id": run.pk,
                "at": run.at.isoformat(),
                "by": str(run.actor) if run.actor else None,
                "state": run.state,
                "files": run.files,
                "tables": tables,
                "totals": totals,
                "undone_at": run.undone_at.isoformat() if run.undone_at else None,
                "conflicts": [_told(conflict, actor) for conflict in run.conflicts],
            }
        )
    return found


def _told(conflict: dict[str, Any], actor: Any) -> dict[str, Any]:
    """A kept conflict as the actor may see it: people by their numbers to whom may not see personal data."""
    if "name" not in personal(conflict["model"]) or access(actor).everything("personal"):
        return conflict
    return {**conflict, "name": conflict["number"]}
