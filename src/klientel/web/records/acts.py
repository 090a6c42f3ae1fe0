"""Acts, done at one stroke, taken back at one stroke: mergers, conversions. What was changed since stays.

Field by field: what the act wrote and nobody touched since is as it was before; what somebody changed since keeps the
new value and is listed. Rows that the act made go; rows that it removed are there again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import changes, rows
from klientel.web.records.models import Change
from klientel.web.records.undoing import Conflict, called, users_of
from klientel.web.records.values import columns, decode, model_of, plain
from klientel.words import say


@dataclass
class TakenBack:
    """How many rows came back, and what stays because it was changed or is used since."""

    restored: int = 0
    removed: int = 0
    conflicts: list[Conflict] = field(default_factory=list)


def take_back(act: str, *, actor: Any = None, at: datetime, why: str = "take back") -> TakenBack:
    """Take back everything that one act did.

    Raises BadParameter for an act that is unknown or taken back already, or where another record has a number or name
    of before by now; NotAllowed unless `actor` may change all records that it touched.
    """
    try:
        return _taken_back(act, actor, at, why)
    except IntegrityError:
        raise BadParameter(
            say("This cannot be taken back: a number or name of before is taken by another record by now.")
        ) from None


def _taken_back(act: str, actor: Any, at: datetime, why: str) -> TakenBack:
    with transaction.atomic():
        done = list(Change.objects.filter(act=act).order_by("id")) if act else []
        if not done:
            raise BadParameter(say("There is nothing to take back: the act is unknown."))
        if Change.objects.filter(act=_name(act)).exists():
            raise BadParameter(say("This was taken back already."))
        result = TakenBack()
        by_record: dict[tuple[str, int], list[Change]] = {}
        for change in done:
            by_record.setdefault((change.model, change.object_id), []).append(change)
        _allowed(actor, by_record)
        later = _later(by_record, done[-1].pk)
        made = {key: None for key, found in by_record.items() if found[0].before is None}
        untouched: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for key, found in by_record.items():
            if key in made:
                continue
            if key in later or found[-1].after is None:
                _back(key, found, later.get(key, []), result, actor, at, why, act)
            else:
                untouched.setdefault(key[0], []).append((key[1], _before(found)))
        log = {"actor": actor, "why": why, "act": _name(act)}
        for model, pairs in untouched.items():
            _back_as_they_were(model, pairs, result, at, log)
        for key in reversed(made):
            _away(key, later.get(key, []), result, actor, at, why, act)
    return result


def _allowed(actor: Any, keys: Iterable[tuple[str, int]]) -> None:
    """Refuse whoever may not change all that was touched; a succession belongs to its merger, whoever made that."""
    if rights.access(actor).everything("write"):
        return
    for name, i in keys:
        if name != "Succession":
            rights.demand(actor, "write", model_of(name).objects.filter(pk=i).first())


def _name(act: str) -> str:
    """The name under which taking back is logged."""
    return f"-{act}"[:40]


def _later(keys: Iterable[tuple[str, int]], last: int) -> dict[tuple[str, int], list[Change]]:
    """Changes after the act, by record."""
    by_model: dict[str, list[int]] = {}
    for model, i in keys:
        by_model.setdefault(model, []).append(i)
    found: dict[tuple[str, int], list[Change]] = {}
    for model, ids in by_model.items():
        for batch in rows.batches(ids):
            log = Change.objects.filter(model=model, object_id__in=batch, pk__gt=last).order_by("id")
            for change in log.select_related("actor"):
                found.setdefault((model, change.object_id), []).append(change)
    return found


def _before(done: list[Change]) -> dict[str, Any]:
    """The values before the first of these changes."""
    was: dict[str, Any] = {}
    for change in done:
        was = {**(change.before or {}), **was}
    return was


def _back_as_they_were(
    model: str, pairs: list[tuple[int, dict[str, Any]]], result: TakenBack, at: datetime, log: dict[str, Any]
) -> None:
    """Many records that nobody touched since."""
    kind = model_of(model)
    values = [(i, decode(kind, was)) for i, was in pairs]
    for name, column in columns(kind).items():
        if isinstance(column, models.ForeignKey):
            wanted = {was[name] for _, was in values if was.get(name) is not None}
            there = {pk for batch in rows.batches(wanted) for pk in _there(column.related_model, batch)}
            for _, was in values:
                if was.get(name) is not None and was[name] not in there:
                    was[name] = None
    result.restored += len(changes.bulk_update(kind, values, None, at, history=False, **log))


def _there(model: Any, ids: list[int]) -> Any:
    return model.objects.filter(pk__in=ids).values_list("pk", flat=True)


def _back(
    key: tuple[str, int],
    done: list[Change],
    later: list[Change],
    result: TakenBack,
    actor: Any,
    at: datetime,
    why: str,
    act: str,
) -> None:
    """One record that the act changed or removed as it was, but for what was changed since."""
    kind = model_of(key[0])
    if done[-1].after is None:
        if not kind.objects.filter(pk=key[1]).exists():
            changes.recreate(done[-1], actor, why, at, act=_name(act))
            result.restored += 1
        return
    record = kind.objects.filter(pk=key[1]).first()
    if record is None:
        return
    was = _before(done)
    touched = {name for change in later for name in (change.after or {})}
    kept = sorted(
        name for name in was if name in touched and getattr(record, name) != decode(kind, was)[name]
    )
    if kept:
        by = next((str(c.actor) for c in reversed(later) if c.actor), "")
        result.conflicts.append(
            Conflict(
                key[0],
                key[1],
                str(getattr(record, "number", "")),
                called(record, actor),
                "changed",
                by,
                tuple(kept),
            )
        )
    values = {name: value for name, value in decode(kind, was).items() if name not in kept}
    _emptied(kind, values)
    if changes.update(record, values, actor, why, at, act=_name(act), history=False):
        result.restored += 1


def _emptied(kind: Any, values: dict[str, Any]) -> None:
    """References to what is no longer there are emptied."""
    for name, value in values.items():
        column = columns(kind)[name]
        if not isinstance(column, models.ForeignKey) or value is None:
            continue
        if not column.related_model.objects.filter(pk=value).exists():
            values[name] = None


def _away(
    key: tuple[str, int], later: list[Change], result: TakenBack, actor: Any, at: datetime, why: str, act: str
) -> None:
    """One record that the act made, unless somebody worked on it since."""
    kind = model_of(key[0])
    record = kind.objects.filter(pk=key[1]).first()
    if record is None or getattr(record, "deleted_at", None) is not None:
        return
    by = next((str(c.actor) for c in reversed(later) if c.actor), "")
    user = users_of(kind, key[1])
    if later or user:
        number = str(plain(getattr(record, "number", "")))
        reason = "changed" if later else "used"
        result.conflicts.append(
            Conflict(key[0], key[1], number, called(record, actor), reason, by if later else str(user))
        )
        return
    if key[0] == "DatedValue" and record.valid_from is None and _continues(record):
        return  # what came later needs to know what was before
    changes.delete(record, actor, why, at, act=_name(act))
    result.removed += 1


def _continues(value: Any) -> bool:
    """True if the history of an attribute goes on after its first value."""
    rest = type(value).objects.filter(company=value.company_id, attribute=value.attribute)
    return bool(rest.exclude(pk=value.pk).exists())
