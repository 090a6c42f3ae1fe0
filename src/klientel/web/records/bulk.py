"""Many records at one stroke: one act in the log, which takes all of it back. The right is asked for each of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex
from typing import Any

from django.db import transaction

from klientel.errors import BadParameter, NotAllowed
from klientel.web import rights
from klientel.web.records import changes, kinds, rows
from klientel.web.records.catalog import BY_MODEL, Kind
from klientel.web.records.services import BY_DEALS
from klientel.web.records.values import checked, columns, name_of, title_of
from klientel.words import say

MOST = 20_000  # records of one act


def change(
    kind: Kind, ids: Iterable[int], column: str, value: Any, *, actor: Any = None, at: datetime
) -> tuple[str, int]:
    """Give many records the same value of one column; the act and how many really changed.

    value: as `checked` takes it, references by id. Raises NotAllowed unless all of them may be changed, BadParameter
    for a column that is not changed this way, a value that cannot be one, or too many.
    """
    model = kind.model
    if column not in kind.bulk or column in BY_DEALS.get(model, ()):
        raise BadParameter(say("{field} is not changed for many at once.", field=column))
    given = checked(model, {column: value})[column]
    allowed = kinds.CHOICES.get(model, {}).get(column)
    if allowed is not None and given and given not in allowed:
        raise BadParameter(say("{value} is none of the choices.", value=str(given)))
    _there(model, column, given, actor)
    act = token_hex(8)
    with transaction.atomic():
        wanted = _writable(model, ids, actor)
        pairs = ((i, {column: given}) for i in wanted)
        done = changes.bulk_update(model, pairs, None, at, actor=actor, why="bulk", act=act)
    return act, len(done)


def remove(kind: Kind, ids: Iterable[int], *, actor: Any = None, at: datetime) -> tuple[str, int]:
    """Delete many records, which can be brought back; the act and how many. Raises as `change`."""
    act = token_hex(8)
    with transaction.atomic():
        wanted = _writable(kind.model, ids, actor)
        done = changes.bulk_delete(kind.model, wanted, None, at, actor=actor, why="bulk", act=act)
    return act, len(done)


def _writable(model: Any, ids: Iterable[int], actor: Any) -> list[int]:
    """The ids, if every one is there and may be changed."""
    wanted = sorted(set(ids))
    if not wanted:
        raise BadParameter(say("Nothing is chosen."))
    if len(wanted) > MOST:
        raise BadParameter(say("{n} are too many at once; {most} are the most.", n=len(wanted), most=MOST))
    rights.demand(actor, "write")
    found: list[int] = []
    for batch in rows.batches(wanted):
        mine = rights.visible(model.present.filter(pk__in=batch), actor, "write")
        found += mine.values_list("pk", flat=True)
    if len(found) < len(wanted):
        raise NotAllowed(
            say(
                "{n} of {total} may not be changed by you, so none was.",
                n=len(wanted) - len(found),
                total=len(wanted),
            )
        )
    return wanted


def _there(model: Any, column: str, given: Any, actor: Any) -> None:
    target = columns(model)[column].related_model
    if target is None or given is None:
        return
    if not rights.visible(target.present.filter(pk=given), actor).exists():
        title = BY_MODEL[name_of(target)].one if name_of(target) in BY_MODEL else title_of(target)
        raise BadParameter(say("There is no such {model}, or you may not see it.", model=title))
