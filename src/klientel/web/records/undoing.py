"""Undoing an import: what it created goes, what it changed comes back, unless it was changed since.

The log decides. Changes of undone imports are dead, all others live. A record is what its last live change left:
dead changes before it stay (the record was left alone), dead ones after it are taken back. So the order in which
imports are undone does not matter, and nothing that an undone import made comes back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction

from klientel.web.imports.models import Import
from klientel.web.privacy.fields import personal
from klientel.web.records import rows
from klientel.web.records.models import Change
from klientel.web.records.values import decode, field_title, model_of, name_of, plain, title_of
from klientel.words import Sentence, Word, mark, say

LINES = "lines"  # what lines in use are called in a conflict; they are no model


# Rows that are the history of another record: model -> (model they belong to, the reference).
PARTS = {"DatedValue": ("Company", "company_id"), "StageEntry": ("Opportunity", "opportunity_id")}


@dataclass(frozen=True)
class Conflict:
    """A record that undo left alone. why: "changed" (since) or "used" (by a record that stays)."""

    model: str
    id: int
    number: str
    name: str
    why: str
    by: str = ""  # who changed it, or what uses it
    fields: tuple[str, ...] = ()  # what was changed, where the rest came back

    def as_json(self) -> dict[str, Any]:
        """For `Import.conflicts`, from which a later undo takes up what was only in use; no person is named there."""
        name = self.number if _of_persons(model_of(self.model)) else self.name
        return {"model": self.model, "id": self.id, "number": self.number, "name": name} | (
            {"why": self.why, "by": self.by}
        )

    @property
    def sentence(self) -> Sentence:
        """The conflict in words."""
        model = title_of(model_of(self.model))
        if self.why == "used":
            user = mark("Lines") if self.by == LINES else title_of(model_of(self.by))
            return say("{model} {name} stays: used by {user}.", model=model, name=self.name, user=user)
        who = self.by or mark("the owner of the workspace")
        if self.fields:
            titles = [Word(field_title(model_of(self.model), name)) for name in self.fields]
            return say(
                "{model} {name} keeps {fields}: changed since, by {who}.",
                model=model,
                name=self.name,
                fields=titles,
                who=who,
            )
        return say("{model} {name} stays: changed since, by {who}.", model=model, name=self.name, who=who)


@dataclass
class Undone:
    """What an undo did: rows by model, and the conflicts."""

    removed: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass
class _Plan:
    remove: dict[str, set[int]] = field(default_factory=dict)
    restore: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    changed: dict[tuple[str, int], int] = field(default_factory=dict)  # record -> its last live change
    used: dict[tuple[str, int], str] = field(default_factory=dict)  # record -> model that uses it


def undo(
    import_run: Any,
    at: datetime,
    *,
    actor: Any = None,
    held: Mapping[str, Collection[int]] | None = None,
    followed: Collection[int] = (),
) -> Undone:
    """Undo what an import did to the records, and say so in the Import: state, moment, conflicts.

    held: model -> ids of records that lines which stay belong to; followed: ids of companies that they belong to
    by what the company was called before it had its number.
    """
    with transaction.atomic():
        plan = _planned(import_run, held, followed)
        conflicts = _conflicts(plan, actor)  # before the rows go
        restored = {
            model: _restore(model, found, import_run, at, actor) for model, found in plan.restore.items()
        }
        for model, ids in plan.remove.items():
            _remove(model, ids, import_run, at, actor)
        import_run.state = Import.State.UNDONE
        import_run.undone_at = at
        import_run.conflicts = [*import_run.conflicts, *(conflict.as_json() for conflict in conflicts)]
        import_run.save(update_fields=["state", "undone_at", "conflicts"])
    return Undone({m: len(ids) for m, ids in plan.remove.items() if ids}, restored, conflicts)


def preview(
    import_run: Any,
    *,
    actor: Any = None,
    held: Mapping[str, Collection[int]] | None = None,
    followed: Collection[int] = (),
) -> Undone:
    """What `undo` would do, told to `actor`; writes nothing."""
    plan = _planned(import_run, held, followed)
    removed = {m: len(ids) for m, ids in plan.remove.items() if ids}
    return Undone(removed, {m: len(found) for m, found in plan.restore.items()}, _conflicts(plan, actor))


def _planned(
    import_run: Any, held: Mapping[str, Collection[int]] | None, followed: Collection[int] = ()
) -> _Plan:
    dead = set(Import.objects.filter(state=Import.State.UNDONE).values_list("pk", flat=True))
    dead.add(import_run.pk)
    plan = _Plan()
    for model, ids in _touched(import_run, dead).items():
        for batch in rows.batches(sorted(ids)):
            _judge(plan, model, batch, dead)
    for name, held_ids in (held or {}).items():
        for i in plan.remove.get(name, set()) & set(held_ids):
            plan.remove[name].discard(i)
            plan.used[name, i] = LINES
    for i in plan.remove.get("Company", set()) & set(followed):
        plan.remove["Company"].discard(i)
        plan.used["Company", i] = LINES
    _keep_numbers(plan, (held or {}).get("Company", ()))
    _with_their_whole(plan)
    _keep_used(plan)
    return plan


def _keep_numbers(plan: _Plan, held: Collection[int]) -> None:
    """A number that lines name stays with its company, and what led to a number stays with the number."""
    from klientel.web.records.models import Company, Succession

    restored = plan.restore.get("Company", {})
    for i in [i for i in restored if i in set(held) and "number" in restored[i]]:
        del restored[i]
        plan.used["Company", i] = LINES
    going = plan.remove.get("Succession", set())
    aliases = Succession.objects.filter(pk__in=list(going), kind="renumbered")
    for i, number in list(aliases.values_list("pk", "to_id")):
        company = Company.objects.filter(number=number).values_list("pk", flat=True).first()
        if (
            company is not None
            and company not in restored
            and company not in plan.remove.get("Company", set())
        ):
            going.discard(i)
            plan.used["Succession", i] = "Company"


def _touched(import_run: Any, dead: set[int]) -> dict[str, set[int]]:
    """Records by model that the import touched, those that earlier undos kept because they were in use, and the
    history that dead imports gave to any of them."""
    touched: dict[str, set[int]] = {}
    found = Change.objects.filter(import_run=import_run).values_list("model", "object_id")
    for model, i in found.iterator(chunk_size=rows.BATCH):
        touched.setdefault(model, set()).add(i)
    for conflicts in Import.objects.filter(pk__in=dead).values_list("conflicts", flat=True):
        for known in conflicts:
            if isinstance(known, dict) and known.get("why") == "used" and "id" in known:
                touched.setdefault(known["model"], set()).add(known["id"])
    for part, (whole, ref) in PARTS.items():
        for batch in rows.batches(sorted(touched.get(whole, ()))):
            ids = set(model_of(part).objects.filter(**{f"{ref}__in": batch}).values_list("pk", flat=True))
            made = Change.objects.filter(model=part, import_run__in=dead, before__isnull=True)
            for some in rows.batches(sorted(ids)):
                found_ids = made.filter(object_id__in=some).values_list("object_id", flat=True)
                touched.setdefault(part, set()).update(found_ids)
    return touched


def _with_their_whole(plan: _Plan) -> None:
    """A history stays with the record that it belongs to, where that stays because it was changed since."""
    for part, (whole, ref) in PARTS.items():
        for going in (plan.remove.get(part, set()), plan.restore.get(part, {})):
            for batch in rows.batches(sorted(going)):
                held = model_of(part).objects.filter(pk__in=batch).values_list("pk", ref)
                for i, owner in held:
                    if (whole, owner) in plan.changed:
                        going.discard(i) if isinstance(going, set) else going.pop(i)


def _judge(plan: _Plan, model: str, ids: list[int], dead: set[int]) -> None:
    """Say for each record whether it goes, comes back or stays."""
    log = Change.objects.filter(model=model, object_id__in=ids).order_by("id")
    history: dict[int, list[tuple[int, Any, int | None]]] = {}
    for change, i, before, run in log.values_list("id", "object_id", "before", "import_run_id").iterator(
        chunk_size=rows.BATCH
    ):
        history.setdefault(i, []).append((change, before, run))
    there = set(model_of(model).objects.filter(pk__in=ids).values_list("pk", flat=True))
    for i, changes in history.items():
        if i not in there:
            continue
        last_live = max((n for n, (_, _, run) in enumerate(changes) if run not in dead), default=-1)
        after = changes[last_live + 1 :]
        if not after:
            plan.changed[model, i] = changes[last_live][0]
        elif last_live < 0 and after[0][1] is None:
            plan.remove.setdefault(model, set()).add(i)
        else:
            was: dict[str, Any] = {}
            for _, before, _ in after:
                was = {**(before or {}), **was}  # the earliest is right
            plan.restore.setdefault(model, {})[i] = was


def references() -> list[tuple[Any, Any]]:
    """(model, field) of every reference from one model to another, but for those to imports."""
    return [
        (owner, ref)
        for owner in apps.get_models()
        for ref in owner._meta.concrete_fields
        if isinstance(ref, models.ForeignKey) and ref.related_model is not Import
    ]


def users_of(model: Any, pk: int) -> str | None:
    """The name of a model that has a record, not deleted, which refers to this one; None if there is none."""
    for owner, ref in references():
        if ref.related_model is model:
            manager = getattr(owner, "present", owner._base_manager)
            if manager.filter(**{ref.attname: pk}).exists():
                return name_of(owner)
    return None


def _keep_used(plan: _Plan) -> None:
    """Take from those that go what a record that stays refers to, until nothing more is found."""
    referring = references()
    again = True
    while again:
        again = False
        for owner, ref in referring:
            target = name_of(ref.related_model)
            going = plan.remove.get(target)
            if not going:
                continue
            leaving = plan.remove.get(name_of(owner), set())
            back = plan.restore.get(name_of(owner), {})
            for batch in rows.batches(sorted(going)):
                used = owner.objects.filter(**{f"{ref.attname}__in": batch}).values_list("pk", ref.attname)
                for pk, i in used:
                    released = ref.attname in back.get(pk, {}) and back[pk][ref.attname] != i
                    if pk not in leaving and not released:
                        going.discard(i)
                        plan.used[target, i] = name_of(owner)
                        again = True


def _restore(model: str, found: dict[int, dict[str, Any]], import_run: Any, at: datetime, actor: Any) -> int:
    """Write the old values, bypassing nothing: through the log as well. References to what is gone are emptied."""
    from klientel.web.records.changes import bulk_update

    kind = model_of(model)
    for ref in kind._meta.concrete_fields:
        if isinstance(ref, models.ForeignKey):
            wanted = {was[ref.attname] for was in found.values() if was.get(ref.attname) is not None}
            there: set[int] = set()
            for batch in rows.batches(sorted(wanted)):
                there |= set(ref.related_model.objects.filter(pk__in=batch).values_list("pk", flat=True))
            for was in found.values():
                if was.get(ref.attname) is not None and was[ref.attname] not in there:
                    was[ref.attname] = None
    pairs = ((i, decode(kind, was)) for i, was in found.items())
    return len(bulk_update(kind, pairs, import_run, at, actor=actor, why="undo", history=False))


def _remove(model: str, ids: Iterable[int], import_run: Any, at: datetime, actor: Any) -> None:
    from klientel.web.records.changes import _log_many

    going = sorted(ids)
    kind = model_of(model)
    rows.remove(kind, going)
    for batch in rows.batches(going):
        # What they held stands in the change that made them.
        _log_many(kind, ((i, {}, None) for i in batch), import_run, at, actor, "undo", "")


def called(record: Any, actor: Any) -> str:
    """What a record is called to a person: by its number where its name is a person's and kept from the actor."""
    from klientel.web.rights import access

    if _of_persons(type(record)) and not access(actor).everything("personal"):
        return str(record.number)
    return str(record)


def _of_persons(model: Any) -> bool:
    return "name" in personal(model.__name__)


def _conflicts(plan: _Plan, actor: Any) -> list[Conflict]:
    """The records that stay, for the person who asks."""
    who = {}
    for batch in rows.batches(sorted(plan.changed.values())):
        for change in Change.objects.filter(pk__in=batch).select_related("actor", "import_run"):
            who[change.pk] = str(change.actor or "") or (str(change.import_run) if change.import_run else "")
    found = []
    reasons = {key: ("changed", who.get(change, "")) for key, change in plan.changed.items()}
    reasons |= {key: ("used", by) for key, by in plan.used.items()}
    by_model: dict[str, list[int]] = {}
    for model, i in reasons:
        by_model.setdefault(model, []).append(i)
    for model, ids in by_model.items():
        for batch in rows.batches(sorted(ids)):
            for obj in model_of(model).objects.filter(pk__in=batch):
                why, by = reasons[model, obj.pk]
                number = str(plain(getattr(obj, "number", "")))
                found.append(Conflict(model, obj.pk, number, called(obj, actor), why, by))
    return found
