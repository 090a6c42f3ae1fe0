"""Retention: what has been kept long enough, and letting it go; a dry run says what would go."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter, nearest
from klientel.periods import add_months
from klientel.words import Word, mark, say

if TYPE_CHECKING:
    from klientel.web.home import Home

# What a rule can be about, and what happens to it.
SUBJECTS: dict[str, Word] = {
    "Note": mark("notes are deleted, counted from the day they were written"),
    "Interaction": mark("texts of interactions are emptied, counted from their day; the interactions stay"),
    "SurveyAnswer": mark("texts of survey answers are emptied, counted from their day; the scores stay"),
    "Lead": mark("leads that became nothing are anonymised, counted from their last interaction"),
    "Contact": mark("contacts that left are anonymised, counted from the day they left"),
    "Import": mark("rejected rows of imports are deleted, counted from the import"),
}


@dataclass(frozen=True)
class Due:
    """What has been kept long enough: a subject, why ("expired" or the rule in months), the ids."""

    model: str
    why: str
    ids: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.ids)


def set_rule(actor: Any, model: str, months: int, purpose: str = "") -> Any:
    """Keep a subject (a key of `SUBJECTS`) for at most so many months; 0 removes the rule. BadParameter, NotAllowed."""
    from klientel.web import rights
    from klientel.web.privacy.models import RetentionRule

    rights.demand_all(actor, "write")
    if model not in SUBJECTS:
        near = nearest(model, SUBJECTS)
        hint = (
            say("did you mean {near}?", near=near)
            if near
            else say("there are: {names}.", names=list(SUBJECTS))
        )
        raise BadParameter(say("There are no retention rules on {model}; {hint}", model=model, hint=hint))
    if purpose and model != "Note":
        raise BadParameter(say("Only rules on notes have a purpose."))
    if months < 0:
        raise BadParameter(say("A rule keeps for 0 months or more, not {n}.", n=months))
    if months == 0:
        RetentionRule.objects.filter(model=model, purpose=purpose).delete()
        return None
    rule, _ = RetentionRule.objects.update_or_create(
        model=model, purpose=purpose, defaults={"months": months}
    )
    return rule


def due(home: Home, today: date) -> list[Due]:
    """What has been kept long enough on a day: notes past their expiry, and whatever a rule names."""
    from klientel.web.privacy.models import RetentionRule
    from klientel.web.records.models import Note

    expired = Note.objects.filter(expires_on__lte=today).order_by("pk").values_list("pk", flat=True)
    found = [Due("Note", "expired", tuple(expired))]
    rules = list(RetentionRule.objects.order_by("model", "purpose"))
    special = {r.purpose for r in rules if r.model == "Note" and r.purpose}
    for rule in rules:
        ids = _DUE[rule.model](home, rule, add_months(today, -rule.months), special)
        why = f"{rule.months}" + (f" ({rule.purpose})" if rule.purpose else "")
        found.append(
            Due(rule.model, why, tuple(i for i in ids if rule.model != "Note" or i not in found[0].ids))
        )
    return [d for d in found if d.ids]


def apply(home: Home, today: date, now: datetime, *, actor: Any = None) -> list[Due]:
    """Let go what is due; what went. Can be cut off and done again. NotAllowed unless `actor` may do everything."""
    from klientel.web import rights
    from klientel.web.imports.writing import writing
    from klientel.web.privacy import erasing
    from klientel.web.records.models import Contact, Lead

    rights.demand_all(actor, "write")
    rights.demand_all(actor, "personal")
    found = due(home, today)
    records: list[Any] = []
    for one in found:
        if one.model in ("Contact", "Lead"):
            records += list({"Contact": Contact, "Lead": Lead}[one.model].objects.filter(pk__in=one.ids))
    if records:
        erasing.erase(home, records, now, actor=actor, why="retention")
    rest = [one for one in found if one.model not in ("Contact", "Lead")]
    if rest:
        with writing(home, "retention", now):
            _let_go(home, rest, actor, now)
            erasing.finish(home, now)
    return found


def _let_go(home: Home, found: list[Due], actor: Any, now: datetime) -> None:
    from django.db import transaction

    from klientel.web.privacy.models import Erasure

    counts: Counter[str] = Counter()
    for one in found:
        if one.model == "Import":
            for number in one.ids:
                for path in _rejected(home, number):
                    path.unlink()
            counts["import_files"] += one.count
    with transaction.atomic():
        for one in found:
            if one.model == "Note":
                _delete_notes(one.ids, actor, now)
                counts["notes"] += one.count
            elif one.model != "Import":
                _empty_texts(one, actor, now)
                counts["texts"] += one.count
        models = ", ".join(sorted({one.model for one in found}))[:50]
        Erasure.objects.create(
            at=now, actor=actor, why="retention", token="", model=models, counts=dict(counts)
        )
    shutil.rmtree(home.folder / "cache", ignore_errors=True)


def _delete_notes(ids: tuple[int, ...], actor: Any, now: datetime) -> None:
    """Notes and all that the log says of them; that there was one stays in the log."""
    from klientel.web.records.models import Change, Note

    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        Change.objects.filter(model="Note", object_id__in=part).delete()
        Note.objects.filter(pk__in=part).delete()
        Change.objects.bulk_create(
            Change(at=now, actor=actor, why="retention", model="Note", object_id=i, before={}, after=None)
            for i in part
        )


def _empty_texts(one: Due, actor: Any, now: datetime) -> None:
    from django.apps import apps

    from klientel.web.records.models import Change

    model = apps.get_model("records", one.model)
    for start in range(0, len(one.ids), 500):
        part = one.ids[start : start + 500]
        model.objects.filter(pk__in=part).update(text="")
        for change in Change.objects.filter(model=one.model, object_id__in=part):
            sides = {
                s: {k: v for k, v in (getattr(change, s) or {}).items() if k != "text"}
                for s in ("before", "after")
            }
            new = {s: v for s, v in sides.items() if getattr(change, s) and v != getattr(change, s)}
            if new:
                Change.objects.filter(pk=change.pk).update(**new)
        Change.objects.bulk_create(
            Change(at=now, actor=actor, why="retention", model=one.model, object_id=i, before={"text": ""},
                   after={"text": ""})
            for i in part
        )  # fmt: skip


def _rejected(home: Home, number: int) -> list[Any]:
    folder = home.of_import(number)
    return sorted(folder.glob("rejected-*")) if folder.is_dir() else []


def _notes(_home: Home, rule: Any, before: date, special: set[str]) -> list[int]:
    from klientel.web.records.models import Note

    notes = Note.objects.filter(written_on__lt=before)
    # A rule with a purpose goes before the one without.
    notes = notes.filter(purpose=rule.purpose) if rule.purpose else notes.exclude(purpose__in=special)
    return list(notes.order_by("pk").values_list("pk", flat=True))


def _interactions(_home: Home, _rule: Any, before: date, _special: set[str]) -> list[int]:
    from klientel.web.records.models import Interaction

    found = Interaction.objects.filter(ts__lt=before).exclude(text="")
    return list(found.order_by("pk").values_list("pk", flat=True))


def _answers(_home: Home, _rule: Any, before: date, _special: set[str]) -> list[int]:
    from klientel.web.records.models import SurveyAnswer

    found = SurveyAnswer.objects.filter(answered_on__lt=before).exclude(text="")
    return list(found.order_by("pk").values_list("pk", flat=True))


def _leads(_home: Home, _rule: Any, before: date, _special: set[str]) -> list[int]:
    """Leads that never became a customer or a deal and of whom nothing was heard since."""
    from klientel.web.records.models import Interaction, Lead

    heard = Interaction.objects.filter(ts__gte=before, lead__isnull=False).values("lead")
    found = Lead.objects.filter(created_on__lt=before, company=None, opportunity=None, converted_on=None)
    found = found.exclude(pk__in=heard).exclude(name__startswith="erased-")
    return list(found.order_by("pk").values_list("pk", flat=True))


def _contacts(_home: Home, _rule: Any, before: date, _special: set[str]) -> list[int]:
    from klientel.web.records.models import Contact

    found = Contact.objects.filter(active_to__lt=before).exclude(name__startswith="erased-")
    return list(found.order_by("pk").values_list("pk", flat=True))


def _imports(home: Home, _rule: Any, before: date, _special: set[str]) -> list[int]:
    from klientel.web.imports.models import Import

    old = Import.objects.filter(at__date__lt=before).order_by("pk").values_list("pk", flat=True)
    return [n for n in old if _rejected(home, n)]


_DUE: dict[str, Callable[[Home, Any, date, set[str]], list[int]]] = {
    "Note": _notes,
    "Interaction": _interactions,
    "SurveyAnswer": _answers,
    "Lead": _leads,
    "Contact": _contacts,
    "Import": _imports,
}
