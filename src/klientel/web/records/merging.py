"""Merging duplicates: a preview of what is taken from which, the merger, and its taking back.

What belongs to those that are merged away goes over to the one that stays; orders follow through a succession of the
kind duplicate (G11). Those merged away are hidden, not gone, and everything is one act in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any

from django.db import transaction

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import acts, changes, names
from klientel.web.records.models import Change, Company, DatedValue, Succession
from klientel.web.records.rows import ModelClass
from klientel.web.records.undoing import references
from klientel.web.records.values import columns, field_title, name_of, title_of
from klientel.words import Sentence, say

# Never taken over from another record: what makes it that record.
_OWN = frozenset(
    {
        "number",
        "source",
        "created_at",
        "updated_at",
        "deleted_at",
        "imported_by_id",
        "merged_into_id",
        "custom",
    }
)
DUPLICATE = "duplicate"  # the kind of succession


@dataclass(frozen=True)
class Taken:
    """The value that a column will have, and the record it comes from."""

    column: str
    title: str
    value: Any
    source: int  # id of the record
    others: tuple[Any, ...]  # the values that are given up


@dataclass
class Preview:
    """What a merger would do: values by column, rows that move by model, doubts."""

    survivor: int
    values: list[Taken] = field(default_factory=list)
    moves: dict[str, int] = field(default_factory=dict)
    doubts: list[Sentence] = field(default_factory=list)


def preview(
    survivor: Any, others: Sequence[Any], *, choose: Mapping[str, int] | None = None, actor: Any = None
) -> Preview:
    """What `merge` with the same arguments would do."""
    _mergeable(survivor, others, actor)
    found = Preview(survivor.pk, _values(survivor, others, choose or {}))
    for owner, ref in _moving(type(survivor)):
        n = owner._base_manager.filter(**{f"{ref.attname}__in": [o.pk for o in others]}).count()
        if n:
            title = title_of(owner)
            found.moves[title] = found.moves.get(title, 0) + n
    if isinstance(survivor, Company):
        found.doubts = _doubts(survivor, others)
    return found


def merge(
    survivor: Any,
    others: Sequence[Any],
    *,
    choose: Mapping[str, int] | None = None,
    based_on: Mapping[int, int] | None = None,
    actor: Any = None,
    at: datetime,
) -> str:
    """Merge companies, or contacts, into one; the act, by which `unmerge` takes it back.

    A value of the survivor stays; what it lacks comes from the others in their order; `choose` says otherwise:
    column -> id of the record whose value is to be taken. based_on: id -> the version that the person saw. Raises
    BadParameter for records that cannot be merged, Outdated for those changed since.
    """
    act = token_hex(8)
    model: ModelClass = type(survivor)
    with transaction.atomic():
        _mergeable(survivor, others, actor)
        for record in (survivor, *others):
            if based_on and record.pk in based_on:
                changes.up_to_date(record, based_on[record.pk])
        taken = {
            t.column: t.value for t in _values(survivor, others, choose or {}) if t.source != survivor.pk
        }
        custom: dict[str, Any] = {}
        for record in (*reversed(others), survivor):
            custom |= record.custom
        if custom != survivor.custom:
            taken["custom"] = custom
        _keep_acyclic(survivor, others, taken)
        log = {"actor": actor, "why": "merge", "act": act}
        for owner, ref in _moving(model):
            _move(owner, ref, survivor, others, at, log)
        changes.update(survivor, taken, actor, "merge", at, act=act)
        for other in others:
            changes.update(other, {"merged_into": survivor, "deleted_at": at}, actor, "merge", at, act=act)
            if model is Company:
                follows = {"from_id": other.number, "to_id": survivor.number, "share": 1, "kind": DUPLICATE}
                changes.create(Succession, follows, actor, "merge", at, act=act)
    survivor.refresh_from_db()
    return act


def unmerge(record: Any, *, actor: Any = None, at: datetime) -> acts.TakenBack:
    """Take back the merger by which a record was merged away; what was changed since stays and is listed.

    Raises BadParameter if the record was not merged.
    """
    rights.demand(actor, "write", record)
    log = Change.objects.filter(model=name_of(type(record)), object_id=record.pk, why="merge")
    merger = log.filter(after__has_key="merged_into_id").order_by("-id").first()
    if merger is None or record.merged_into_id is None:
        raise BadParameter(say("{name} was not merged.", name=str(record)))
    return acts.take_back(merger.act, actor=actor, at=at, why="unmerge")


def survivors(model: ModelClass, ids: Sequence[int]) -> dict[int, int]:
    """Of records that were merged away, the id of the one that stands for them now, through chains of mergers."""
    found: dict[int, int] = {}
    step = dict(model.objects.filter(pk__in=ids, merged_into__isnull=False).values_list("pk", "merged_into"))
    found.update(step)
    while step:
        further = model.objects.filter(pk__in=set(step.values()), merged_into__isnull=False)
        step = dict(further.values_list("pk", "merged_into"))
        found = {old: step.get(new, new) for old, new in found.items()}
    return found


def _mergeable(survivor: Any, others: Sequence[Any], actor: Any) -> None:
    model: ModelClass = type(survivor)
    alike = all(type(record) is model for record in others)
    if not others or not alike or "merged_into_id" not in columns(model):
        raise BadParameter(say("Two or more companies, or contacts, can be merged into one of them."))
    if len({record.pk for record in (survivor, *others)}) <= len(others):
        raise BadParameter(say("{name} cannot be merged with itself.", name=str(survivor)))
    rights.demand(actor, "write", survivor, *others)
    for record in (survivor, *others):
        record.refresh_from_db()
        if record.deleted_at is not None:
            raise BadParameter(say("{record} is gone.", record=str(record)))


def _values(survivor: Any, others: Sequence[Any], choose: Mapping[str, int]) -> list[Taken]:
    model: ModelClass = type(survivor)
    known = {record.pk: record for record in (survivor, *others)}
    for column, pk in choose.items():
        if column not in columns(model) or column in _OWN or pk not in known:
            raise BadParameter(say("{field} cannot be taken from record {id}.", field=column, id=str(pk)))
    taken = []
    for column in columns(model):
        if column in _OWN:
            continue
        order = [known[choose[column]]] if column in choose else [survivor, *others]
        source = next((r for r in order if getattr(r, column) not in (None, "")), order[0])
        value = getattr(source, column)
        given_up = dict.fromkeys(getattr(r, column) for r in known.values())
        rest = tuple(v for v in given_up if v not in (None, "", value))
        if value not in (None, "") or rest:
            taken.append(Taken(column, field_title(model, column), value, source.pk, rest))
    return taken


def _moving(model: ModelClass) -> list[tuple[Any, Any]]:
    """References that move with a merger: all but the history of attributes, which stays with the record it is of."""
    return [
        (owner, ref) for owner, ref in references() if ref.related_model is model and owner is not DatedValue
    ]


def _move(
    owner: Any, ref: Any, survivor: Any, others: Sequence[Any], at: datetime, log: dict[str, Any]
) -> None:
    gone = [o.pk for o in others]
    rows = owner._base_manager.filter(**{f"{ref.attname}__in": gone})
    if owner is type(survivor):
        rows = rows.exclude(
            pk__in=[survivor.pk, *gone]
        )  # references among themselves are settled with their values
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    changes.bulk_update(owner, ((i, {ref.attname: survivor.pk}) for i in ids), None, at, **log)


def _keep_acyclic(survivor: Any, others: Sequence[Any], taken: dict[str, Any]) -> None:
    """A company that belonged to one it swallows belongs to what that one belonged to."""
    if not isinstance(survivor, Company):
        return
    gone = {other.pk: other for other in others}
    parent = taken.get("parent_id", survivor.parent_id)
    seen: set[int] = set()
    while parent is not None and parent in gone and parent not in seen:
        seen.add(parent)
        parent = gone[parent].parent_id
    if parent == survivor.pk or parent in gone or _below(parent, {survivor.pk, *gone}):
        parent = None
    if parent != survivor.parent_id or "parent_id" in taken:
        taken["parent_id"] = parent


def _below(company: int | None, above: set[int]) -> bool:
    """True if a company lies below one of `above`."""
    seen: set[int] = set()
    while company is not None and company not in seen:
        if company in above:
            return True
        seen.add(company)
        company = Company.objects.filter(pk=company).values_list("parent_id", flat=True).first()
    return False


def _doubts(survivor: Any, others: Sequence[Any]) -> list[Sentence]:
    """What speaks against a merger of companies."""
    found = []
    mine = names.firm(survivor.name, survivor.legal_form)
    for other in others:
        theirs = names.firm(other.name, other.legal_form)
        if names.differ(mine.form, theirs.form):
            found.append(
                say(
                    "{one} and {other} have different legal forms ({a}, {b}): they are two companies by law.",
                    one=str(survivor),
                    other=str(other),
                    a=mine.form,
                    b=theirs.form,
                )
            )
        if names.vat(survivor.vat_id) and names.vat(other.vat_id) not in ("", names.vat(survivor.vat_id)):
            found.append(
                say("{one} and {other} have different VAT numbers.", one=str(survivor), other=str(other))
            )
        if other.parent_id == survivor.pk or survivor.parent_id == other.pk:
            found.append(
                say(
                    "{one} and {other} are parent and daughter in one group.",
                    one=str(survivor),
                    other=str(other),
                )
            )
    return found
