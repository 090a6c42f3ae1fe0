"""The one way to write records: every creation, change and removal leaves its trace in the log (`Change`).

`at` is a moment of the edge; nothing here reads the clock. `act` ties together what is done at one stroke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, models, transaction

from klientel.errors import BadParameter, KlientelError
from klientel.web.records import dated, rows
from klientel.web.records.models import Change, Company
from klientel.web.records.rows import ModelClass
from klientel.web.records.undoing import Conflict, Undone, undo
from klientel.web.records.values import checked, checks, columns, name_of, named, plain, title_of
from klientel.words import say

__all__ = [
    "Conflict",
    "Outdated",
    "Undone",
    "bulk_create",
    "bulk_delete",
    "bulk_update",
    "create",
    "delete",
    "recreate",
    "restore",
    "undo",
    "up_to_date",
    "update",
    "version",
]

# Bookkeeping of ours, the same in every change.
UNLOGGED = frozenset({"created_at", "updated_at"})
EMPTY: tuple[Any, ...] = (None, "", {})
LOG = ("id", "at", "actor_id", "why", "model", "object_id", "before", "after", "import_run_id", "act")


class Outdated(KlientelError):
    """The record was changed by somebody else since it was opened."""


def create(
    model: ModelClass,
    values: Mapping[str, Any],
    actor: Any = None,
    why: str = "edit",
    at: datetime | None = None,
    *,
    act: str = "",
    import_run: Any = None,
) -> Any:
    """Make a record. Raises BadParameter for values that do not fit or a number that is taken."""
    at = _needed(at)
    obj = model(**{**_stamps(model, at), **checked(model, values)})
    if import_run is not None and "imported_by_id" in columns(model):
        obj.imported_by = import_run
    with _alone(model, getattr(obj, "number", "")), transaction.atomic():
        obj.save(force_insert=True)
        _log(model, obj.pk, None, content(obj), actor, why, at, act, import_run)
    return obj


@contextmanager
def _alone(model: ModelClass, number: str = "") -> Iterator[None]:
    """Tell in words of a record that would be what another one is already; around a transaction."""
    try:
        yield
    except IntegrityError:
        raise _like_another(model, number) from None


def _like_another(model: ModelClass, number: str) -> BadParameter:
    """What to raise where a record would be what another one is already."""
    if number and model.objects.filter(number=number).exists():
        return BadParameter(
            say("There is a {model} with the number {number} already.", model=title_of(model), number=number)
        )
    return BadParameter(say("{model}: there is one like it already.", model=title_of(model)))


def update(
    obj: Any,
    values: Mapping[str, Any],
    actor: Any = None,
    why: str = "edit",
    at: datetime | None = None,
    *,
    based_on: int | None = None,
    act: str = "",
    import_run: Any = None,
    on: date | None = None,
    reason: str = "",
    history: bool = True,
) -> Change | None:
    """Change fields of a record; None if nothing is different.

    based_on: the `version` that the person saw; raises Outdated if somebody changed the record since.
    on, reason: from which day on a company's attributes have the new values (today), and why; history: False if
    the caller takes back the history itself. Raises BadParameter for values that do not fit or a number that is taken.
    """
    at = _needed(at)
    model: ModelClass = type(obj)
    wanted = checked(model, values)
    with _alone(model, wanted.get("number", "")), transaction.atomic():
        now = _locked(model, obj.pk)
        if based_on is not None:
            up_to_date(now, based_on)
        before = {name: getattr(now, name) for name, value in wanted.items() if getattr(now, name) != value}
        changed = {name: wanted[name] for name in before}
        if changed:
            stamp = {"updated_at": at} if "updated_at" in columns(model) else {}
            model.objects.filter(pk=obj.pk).update(**changed, **stamp)
        logged = (_plain(before), _plain(changed))
        change = _log(model, obj.pk, *logged, actor, why, at, act, import_run) if changed else None
        if change and history and model is Company:
            log = {"actor": actor, "why": why, "act": act, "import_run": import_run}
            dated.note([(obj.pk, before, changed)], on or at.date(), at=at, reason=reason, **log)
    for name, value in {**wanted, **(stamp if changed else {})}.items():
        setattr(obj, name, value)
    return change


def delete(
    obj: Any, actor: Any = None, why: str = "delete", at: datetime | None = None, *, act: str = ""
) -> Change | None:
    """Delete a record: softly where its model can, so that it can be restored; for good otherwise."""
    at = _needed(at)
    model: ModelClass = type(obj)
    if "deleted_at" in columns(model):
        return update(obj, {"deleted_at": at}, actor, why, at, act=act) if obj.deleted_at is None else None
    with transaction.atomic():
        now = _locked(model, obj.pk)
        change = _log(model, obj.pk, content(now), None, actor, why, at, act, None)
        now.delete()
    return change


def restore(
    obj: Any, actor: Any = None, why: str = "restore", at: datetime | None = None, *, act: str = ""
) -> Change | None:
    """Bring a softly deleted record back; None if it is not deleted."""
    return update(obj, {"deleted_at": None}, actor, why, at, act=act)


def recreate(
    change: Change, actor: Any = None, why: str = "restore", at: datetime | None = None, *, act: str = ""
) -> Any:
    """Bring back, with its id, a record that was deleted for good, from the change that says so."""
    from klientel.web.records.values import decode, model_of

    at = _needed(at)
    model = model_of(change.model)
    if change.after is not None or not change.before:
        raise BadParameter(say("This change is no removal that can be taken back."))
    obj = model(pk=change.object_id, **{**_stamps(model, at), **decode(model, change.before)})
    with transaction.atomic():
        obj.save(force_insert=True)
        _log(model, obj.pk, None, content(obj), actor, why, at, act, None)
    return obj


def version(obj: Any) -> int:
    """The version of a record: the id of its newest change, 0 if it has none."""
    newest = Change.objects.filter(model=name_of(type(obj)), object_id=obj.pk).order_by("-id")
    return newest.values_list("id", flat=True).first() or 0


def content(obj: Any) -> dict[str, Any]:
    """What a record holds, as JSON: the columns that are not empty."""
    model: ModelClass = type(obj)
    held = {name: getattr(obj, name) for name in columns(model) if name not in UNLOGGED}
    return {name: plain(value) for name, value in held.items() if value not in EMPTY}


def bulk_create(
    model: ModelClass,
    rows_: Iterable[Mapping[str, Any]],
    import_run: Any,
    at: datetime,
    *,
    actor: Any = None,
    why: str = "import",
    act: str = "",
) -> list[int]:
    """Make many records; ids in the order of the rows. References are ids; all rows are logged.

    Raises BadParameter for the first value that does not fit; nothing is written then.
    """
    made: list[int] = []
    with transaction.atomic():
        for batch in rows.batches(rows_):
            made += _create_batch(model, batch, import_run, at, actor, why, act)
    return made


def _create_batch(
    model: ModelClass,
    batch: list[Mapping[str, Any]],
    import_run: Any,
    at: datetime,
    actor: Any,
    why: str,
    act: str,
) -> list[int]:
    given = named(model, dict.fromkeys(name for row in batch for name in row))
    fixed = _stamps(model, at)
    if import_run is not None and "imported_by_id" in columns(model):
        fixed["imported_by_id"] = import_run.pk
    keys = list(given)
    tests = checks(model, [given[key] for key in keys])
    rest = {n: f for n, f in columns(model).items() if n not in given.values() and n not in fixed}
    ids = rows.new_ids(model, len(batch))
    cells = [[test(row.get(key)) for row in batch] for key, test in zip(keys, tests, strict=True)]
    cells += [[value] * len(batch) for value in fixed.values()]
    cells += [_defaults(field, len(batch)) for field in rest.values()]
    names = [*given.values(), *fixed, *rest]
    logged = _contents(names, cells)
    try:
        rows.insert(model, ["id", *names], zip(ids, *cells, strict=True))
    except IntegrityError:
        raise BadParameter(
            say("{model}: a number is there already, or twice in the data.", model=title_of(model))
        ) from None
    _log_many(model, zip(ids, (None for _ in ids), logged, strict=True), import_run, at, actor, why, act)
    return list(ids)


def _defaults(field: models.Field, n: int) -> list[Any]:
    if callable(field.default) and field.default is not dict:
        return [field.get_default() for _ in range(n)]
    return [field.get_default()] * n


def _contents(names: list[str], cells: list[list[Any]]) -> list[dict[str, Any]]:
    """`content` of every row, from columns."""
    told = [(n, column) for n, column in zip(names, cells, strict=True) if n not in UNLOGGED]
    told = [(n, [plain(v) for v in column]) for n, column in told if any(v not in EMPTY for v in column)]
    if not told:
        return [{} for _ in cells[0]]
    keys = [n for n, _ in told]
    return [
        {n: v for n, v in zip(keys, row, strict=True) if v not in EMPTY}
        for row in zip(*(column for _, column in told), strict=True)
    ]


def bulk_update(
    model: ModelClass,
    pairs: Iterable[tuple[Any, Mapping[str, Any]]],
    import_run: Any,
    at: datetime,
    *,
    actor: Any = None,
    why: str = "import",
    act: str = "",
    on: date | None = None,
    history: bool = True,
) -> list[int]:
    """Change many records, given as (record or id, values); ids of those that really changed.

    Only fields that differ are written and logged. on: from which day on companies have the new values (today);
    history: False if the caller takes back the history itself.
    Raises BadParameter for the first value that does not fit.
    """
    changed: list[int] = []
    with transaction.atomic():
        for batch in rows.batches(pairs):
            found = _differences(model, batch)
            _update_batch(model, found, at)
            logs = ((i, _plain(before), _plain(after)) for i, before, after in found)
            _log_many(model, logs, import_run, at, actor, why, act)
            if model is Company and history:
                log = {"actor": actor, "why": why, "act": act, "import_run": import_run}
                dated.note(found, on or at.date(), at=at, **log)
            changed += [i for i, _, _ in found]
    return changed


def _differences(
    model: ModelClass, batch: list[tuple[Any, Mapping[str, Any]]]
) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """(id, before, after) of the rows that differ, with the fields that do."""
    given = named(model, dict.fromkeys(name for _, values in batch for name in values))
    tests = dict(zip(given, checks(model, given.values()), strict=True))
    wanted: dict[int, dict[str, Any]] = {}
    for key, values in batch:
        i = key.pk if isinstance(key, models.Model) else key
        wanted.setdefault(i, {}).update({given[n]: tests[n](v) for n, v in values.items()})
    names = list(dict.fromkeys(given.values()))
    found = []
    now = model.objects.filter(pk__in=list(wanted)).values_list("pk", *names)
    for i, *held in now.iterator(chunk_size=rows.BATCH):
        current = dict(zip(names, held, strict=True))
        after = {name: value for name, value in wanted[i].items() if current[name] != value}
        if after:
            found.append((i, {name: current[name] for name in after}, after))
    return found


def _update_batch(
    model: ModelClass, found: list[tuple[int, dict[str, Any], dict[str, Any]]], at: datetime
) -> None:
    stamp = [("updated_at", at)] if "updated_at" in columns(model) else []
    groups: dict[tuple[str, ...], list[list[Any]]] = {}
    for i, _, after in found:
        whole = [*sorted(after.items()), *stamp]
        groups.setdefault(tuple(n for n, _ in whole), []).append([*(v for _, v in whole), i])
    for names, changed in groups.items():
        rows.update(model, names, changed)


def bulk_delete(
    model: ModelClass,
    ids: Iterable[int],
    import_run: Any,
    at: datetime,
    *,
    actor: Any = None,
    why: str = "delete",
    act: str = "",
) -> list[int]:
    """Softly delete many records of a model that can; ids of those that were not deleted before."""
    pairs = ((i, {"deleted_at": at}) for i in ids)
    options: dict[str, Any] = {"actor": actor, "why": why, "act": act}
    return bulk_update(model, pairs, import_run, at, **options)


def _needed(at: datetime | None) -> datetime:
    if at is None:
        raise TypeError("a change needs its moment: at=...")
    return at


def _stamps(model: ModelClass, at: datetime) -> dict[str, Any]:
    return {name: at for name in UNLOGGED if name in columns(model)}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def _locked(model: ModelClass, pk: int) -> Any:
    try:
        return model.objects.select_for_update().get(pk=pk)
    except model.DoesNotExist:
        raise BadParameter(say("This {model} is gone.", model=title_of(model))) from None


def up_to_date(obj: Any, based_on: int) -> None:
    """Raise Outdated if somebody changed the record after the version that a person saw."""
    newest = Change.objects.filter(model=name_of(type(obj)), object_id=obj.pk).order_by("-id").first()
    if newest is None or newest.pk == based_on:
        return
    who = str(newest.actor) if newest.actor else say("the owner of the workspace")
    raise Outdated(
        say(
            "{name} was changed on {day} by {who}, after you opened it. Open it again and repeat your change.",
            name=str(obj),
            day=newest.at.date(),
            who=who,
        )
    )


def _log(
    model: ModelClass,
    pk: int,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    actor: Any,
    why: str,
    at: datetime,
    act: str,
    import_run: Any,
) -> Change:
    return Change.objects.create(
        at=at,
        actor=actor,
        why=why[:200],
        model=name_of(model),
        object_id=pk,
        before=before,
        after=after,
        import_run=import_run,
        act=act,
    )


def _log_many(
    model: ModelClass,
    logs: Iterable[tuple[int, dict[str, Any] | None, dict[str, Any] | None]],
    import_run: Any,
    at: datetime,
    actor: Any,
    why: str,
    act: str,
) -> None:
    found = list(logs)
    ids = rows.new_ids(Change, len(found))
    run = import_run.pk if import_run is not None else None
    who = actor.pk if actor is not None else None
    name = name_of(model)
    rows.insert(
        Change,
        LOG,
        ([c, at, who, why[:200], name, i, b, a, run, act] for c, (i, b, a) in zip(ids, found, strict=True)),
    )
