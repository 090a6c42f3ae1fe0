"""Takes persons out of records and out of the log of changes, inside one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from klientel.web.privacy.fields import INTIMATE, TEXT, personal, personal_customs
from klientel.web.privacy.persons import Person
from klientel.web.privacy.redacting import GONE, Cutter, in_json

# What reaches a sole trader, besides what is flagged.
_OF_TRADERS = ("phone", "street", "website", "vat_id")
_LINKS = ("contact_id", "lead_id")


def anonymise(
    one: Person, token: str, cutter: Cutter, actor: Any, now: datetime, counts: Counter[str]
) -> None:
    """Empty the personal fields of a person's own records; a token stands for the name."""
    for record in one.records:
        model = type(record)
        name = model.__name__
        fields = {*personal(name), *(_OF_TRADERS if name == "Company" else ())} - {"number"}
        new: dict[str, Any] = {f: "" for f in fields if getattr(record, f)}
        new["name"] = token
        # "~": a number made of what the record says, from which a name could be guessed.
        if cutter(record.number) != record.number or record.number.startswith("~") or "@" in record.number:
            taken = model.objects.filter(number=token).exists()
            new["number"] = f"{token}-{record.pk}" if taken else token  # the token stands in facts, too
        # Whatever else is kept of a person is about the person; a firm keeps what is not flagged.
        gone = personal_customs(name) if name == "Company" else frozenset(record.custom)
        new["custom"] = {k: v for k, v in in_json(record.custom, cutter).items() if k not in gone}
        _write(record, new, actor, now, kept={*fields, "name"}, customs=gone)
        counts["records"] += 1
        if name == "Rep" and record.user_id is not None:
            _anonymise_user(record.user, token)


def _anonymise_user(user: Any, token: str) -> None:
    user.username, user.first_name, user.last_name, user.email = token, "", "", ""
    user.is_active = False
    user.set_unusable_password()
    user.save()


def clean_records(
    persons: Sequence[Person],
    everywhere: Cutter,
    close: Cutter,
    actor: Any,
    now: datetime,
    counts: Counter[str],
) -> None:
    """Notes and other texts about the persons go; their names go wherever else they stand in a record."""
    for record in about(persons):
        fields = [
            f for f in TEXT.get(type(record).__name__, ()) if f in INTIMATE.get(type(record).__name__, ())
        ]
        new = {f: GONE for f in fields if getattr(record, f)}
        if new:
            _write(record, new, actor, now)
            counts["texts"] += 1
    for record, new in mentioned(persons, everywhere, close):
        _write(record, new, actor, now)
        counts["mentions"] += 1


def mentioned(
    persons: Sequence[Person], everywhere: Cutter, close: Cutter
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Records in which the persons are named, whatever they are about, with the fields as they would be without."""
    from django.apps import apps

    companies = frozenset(pk for one in persons for pk in one.companies)
    for model in apps.get_models():
        if not model.__module__.startswith("klientel.") or model.__name__ in ("Change", "Erasure", "User"):
            continue
        for record in _holding(model, close):
            near = companies & {
                record.pk if model.__name__ == "Company" else getattr(record, "company_id", None)
            }
            new = _cut(record, close if near else everywhere)
            if new:
                yield record, new


def about(persons: Sequence[Person]) -> Iterator[Any]:
    """The notes, interactions and answers that are about the persons."""
    from klientel.web.records.models import Interaction, Note, SurveyAnswer

    ids = {
        model: [pk for one in persons for pk in one.ids(model)] for model in ("Contact", "Lead", "Company")
    }
    for model in (Note, Interaction, SurveyAnswer):
        for link, own in (("contact", "Contact"), ("lead", "Lead"), ("company", "Company")):
            if ids[own] and hasattr(model, link):
                yield from model.objects.filter(**{f"{link}__in": ids[own]})


def _holding(model: Any, cutter: Cutter) -> Iterator[Any]:
    """Records that may hold one of the words."""
    found = _search(model, [f.name for f in texts_of(model)], cutter)
    if found is not None:
        yield from model._base_manager.filter(found).iterator(chunk_size=500)


def texts_of(model: Any) -> list[Any]:
    """The fields of a model that hold text that people write, or JSON."""
    kinds = ("CharField", "TextField", "JSONField", "EmailField")
    return [f for f in model._meta.concrete_fields if f.get_internal_type() in kinds and not f.choices]


def _search(model: Any, names: Sequence[str], cutter: Cutter) -> Any:
    """Where one of the words may stand: a coarse condition, cutting decides. None: there is nothing to look for."""
    from django.db.models import Q, TextField
    from django.db.models.functions import Cast
    from django.db.models.lookups import Contains, IContains

    wanted = cutter.wanted()
    if not (wanted and names):
        return None
    found = Q(pk__in=[])
    for name in names:
        text = Cast(name, TextField())
        is_json = model._meta.get_field(name).get_internal_type() == "JSONField"
        for word in wanted:
            found |= Q(IContains(text, word))
            # Databases fold only plain letters alike, and JSON writes the others as numbers.
            for form in {word, word.upper(), word.title()} if not word.isascii() else ():
                found |= Q(Contains(text, form))
                if is_json:
                    found |= Q(Contains(text, json.dumps(form)[1:-1]))
    return found


def _cut(record: Any, cutter: Cutter) -> dict[str, Any]:
    new = {}
    for field in texts_of(type(record)):
        old = getattr(record, field.name)
        cleaned = in_json(old, cutter)
        if cleaned != old:
            limit = getattr(field, "max_length", None)
            new[field.name] = cleaned[:limit] if isinstance(cleaned, str) and limit else cleaned
    return new


def _write(
    record: Any,
    new: dict[str, Any],
    actor: Any,
    now: datetime,
    *,
    kept: Iterable[str] = (),
    customs: Iterable[str] = (),
) -> None:
    """Write without keeping what was there; the log says which fields were erased, and nothing of what they held.

    So undo leaves the record alone, and a later import of the same file does not fill in again what was erased: the
    fields count as written by a person, those of `kept` and `customs` (custom fields) even if they were empty.
    """
    from klientel.web.records.models import Change
    from klientel.web.records.values import name_of

    model = type(record)
    model._base_manager.filter(pk=record.pk).update(**new)
    for name, value in new.items():
        setattr(record, name, value)
    if model._meta.app_label == "records":
        names = {n for n in {*new, *kept} if model._meta.get_field(n).get_internal_type() != "JSONField"}
        before: dict[str, Any] = dict.fromkeys(sorted(names), "")
        after = dict(before)
        if "custom" in new:
            before["custom"], after["custom"] = dict.fromkeys(sorted(customs), ""), {}
        who = {"model": name_of(model), "object_id": record.pk, "actor": actor}
        Change.objects.create(at=now, why="erase", before=before, after=after, **who)


def clean_log(persons: Sequence[Person], everywhere: Cutter, close: Cutter, counts: Counter[str]) -> None:
    """Take the persons out of what the log keeps of records before and after their changes."""
    from django.db.models import Q

    from klientel.web.records.models import Change

    own = {(type(r).__name__, r.pk) for one in persons for r in one.records}
    own |= {
        ("accounts.User", r.user_id)
        for one in persons
        for r in one.records
        if type(r).__name__ == "Rep" and r.user_id is not None
    }
    texts = {(type(r).__name__, r.pk) for r in about(persons)}
    near = own | texts
    condition = _search(Change, ["before", "after"], close)
    wanted = condition if condition is not None else Q(pk__in=[])
    for model in {name for name, _ in near}:
        wanted |= Q(model=model, object_id__in=[pk for name, pk in near if name == model])
    companies = {pk for one in persons for pk in one.companies}
    for change in Change.objects.filter(wanted).exclude(why="erase").iterator(chunk_size=500):
        key = (change.model, change.object_id)
        held = {**(change.before or {}), **(change.after or {})}
        linked = (
            key in near or held.get("company_id") in companies or key in {("Company", c) for c in companies}
        )
        new = {}
        for side in ("before", "after"):
            old = getattr(change, side)
            cleaned = _cut_state(old, change.model, key in own, key in texts, close if linked else everywhere)
            if cleaned != old:
                new[side] = cleaned
        if new:
            Change.objects.filter(pk=change.pk).update(**new)
            counts["log"] += 1


def _cut_state(state: Any, model: str, own: bool, text: bool, cutter: Cutter) -> Any:
    if not state:
        return state
    kept = dict(state)
    if own:
        gone = {*personal(model), "name", *(_OF_TRADERS if model == "Company" else ())} - {"number"}
        gone |= {"username", "first_name", "last_name", "email"} if model == "accounts.User" else set()
        kept = {k: v for k, v in kept.items() if k not in gone}
        if isinstance(kept.get("custom"), dict):
            customs = personal_customs(model) if model == "Company" else frozenset(kept["custom"])
            kept["custom"] = {k: v for k, v in kept["custom"].items() if k not in customs}
    if text:
        kept |= {k: GONE for k in INTIMATE.get(model, ()) if kept.get(k)}
    return in_json(kept, cutter)
