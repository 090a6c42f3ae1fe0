"""Saved mappings of a workspace: once corrected, used again by name for the next file of the same kind."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter
from klientel.ingest.mapping import Template
from klientel.web.imports.models import Mapping
from klientel.web.rights import demand_all
from klientel.words import mark, say

if TYPE_CHECKING:
    from klientel.ingest.recognition import Recognition

LONGEST = 100  # characters of a name


def save(
    actor: Any,
    name: str,
    recognitions: Sequence[Recognition],
    left_out: Map[str, Sequence[str]],
    at: datetime,
) -> Mapping:
    """Keep what files were taken for under a name; one of that name is replaced. BadParameter without a name.

    left_out: place of a table -> headers that are never to be taken.
    """
    demand_all(actor, "write")
    name = " ".join(name.split())
    if not name:
        raise BadParameter(mark("A saved mapping needs a name."))
    if len(name) > LONGEST:
        raise BadParameter(say("The name is longer than {n} characters.", n=LONGEST))
    sheets = [
        replace(sheet, leave_out=tuple(left_out.get(found.raw.place, ())))
        for found in recognitions
        for sheet in Template.of([found], name).sheets
    ]
    content = Template(name, sheets).as_dict()
    if not content["sheets"]:
        raise BadParameter(mark("Nothing was recognised that could be saved."))
    made, _ = Mapping.objects.update_or_create(
        name=name, defaults={"content": content, "actor": actor, "at": at}
    )
    return made


def names(actor: Any) -> list[str]:
    """The names of the saved mappings."""
    demand_all(actor, "write")
    return list(Mapping.objects.order_by("name").values_list("name", flat=True))


def load(actor: Any, name: str) -> Template | None:
    """The saved mapping of that name; None without one."""
    demand_all(actor, "write")
    found = Mapping.objects.filter(name=name).first() if name else None
    return Template.from_dict(found.content, found.name) if found else None


def remove(actor: Any, name: str) -> bool:
    """Forget a saved mapping; True if there was one."""
    demand_all(actor, "write")
    return bool(Mapping.objects.filter(name=name).delete()[0])
