"""Attributes of companies as they were: owner, segment, status set by hand and every other, by day (G1).

A value holds from its day until the next one. What a company came with, and what an import fills in where nothing
was known, holds from the beginning (valid_from NULL) and is written down only once it changes. An as-of date is
exclusive, here as for every row: a value from that day on is not seen yet, so a result for an old date stays what
it was when newer edits arrive.

`changes` calls `note` for every change of a company, whether a person made it or an import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from klientel import schema
from klientel.errors import BadParameter, nearest
from klientel.web.records import rows
from klientel.web.records.models import Company, CustomField, DatedValue, Rep
from klientel.words import say

# Old and new values of a company's columns.
Pair = tuple[int, Mapping[str, Any], Mapping[str, Any]]


@cache
def tracked() -> dict[str, str]:
    """Columns of Company whose history is kept -> the attribute's canonical name."""
    wanted = [*schema.attributes(schema.TABLES["customer"].names()), "owner_rep_id", "manual_status"]
    found = {}
    for name in dict.fromkeys(wanted):
        path = Company.COLUMNS.get(name, name)
        found[path.replace("__number", "_id")] = name
    return found


def note(pairs: Iterable[Pair], on: date, *, at: datetime, reason: str = "", **log: Any) -> None:
    """Write the history of changes that were made: (company id, before, after) by column.

    log: how `changes` is to log it (import_run, actor, why, act). Where an import fills in what was empty, we
    learn what has been; where a person does, something new begins.
    """
    filling = log.get("import_run") is not None
    for batch in rows.batches(pairs):
        found = _moves(batch)
        if filling:
            known = _with_history({company for company, _, old, _ in found if not old})
            found = [m for m in found if m[2] or (m[0], m[1]) in known]
        if found:
            _write(found, on, at, reason, log)


def set(
    company: Any,
    attribute: str,
    value: Any,
    on: date,
    *,
    actor: Any = None,
    at: datetime,
    reason: str = "",
    act: str = "",
) -> None:
    """Give an attribute a value from a day on, today's or an earlier one; the company follows if none is newer.

    Raises BadParameter for an unknown attribute or a day to come, NotAllowed without the right.
    """
    from klientel.web import rights  # which knows the records
    from klientel.web.records import changes

    rights.demand(actor, "write", company)
    if on > at.date():
        raise BadParameter(say("{day} is still to come; a change is dated today or earlier.", day=on))
    column = _column(attribute)
    with transaction.atomic():
        known = DatedValue.objects.filter(company=company, attribute=attribute)
        if known.filter(valid_from__gt=on).exists():  # what holds now came later; only the past is corrected
            _correct(
                known, company, attribute, (column, value), on, reason, {"actor": actor, "at": at, "act": act}
            )
            return
        values = {column: value} if column else {"custom": {**company.custom, attribute: value}}
        changes.update(company, values, actor, "edit", at, act=act, on=on, reason=reason)


def _correct(
    known: Any,
    company: Any,
    attribute: str,
    given: tuple[str, Any],
    on: date,
    reason: str,
    log: dict[str, Any],
) -> None:
    """Write a value between those that are known already."""
    from klientel.web.records import changes
    from klientel.web.records.values import checked

    column, value = given
    if column:
        value = checked(Company, {column: value})[column]
    text = _texts([(column or attribute, value)])[0]
    before = known.filter(Q(valid_from__isnull=True) | Q(valid_from__lte=on))
    last = before.order_by(models.F("valid_from").asc(nulls_first=True), "id").last()
    if last is not None and last.valid_from == on:
        changes.update(last, {"value": text, "reason": reason}, **log)
    elif last is None or last.value != text:
        made = {"company": company, "attribute": attribute, "value": text, "valid_from": on, "reason": reason}
        changes.create(DatedValue, made, **log)


def on_day(day: date, attributes: Iterable[str] | None = None) -> dict[str, dict[int, str]]:
    """attribute -> company id -> its value before `day` as text, for companies whose attribute ever changed.

    Whoever is not in it has always had the value it has now. An empty text says that there was none.
    """
    seen = DatedValue.objects.filter(Q(valid_from__isnull=True) | Q(valid_from__lt=day))
    known = DatedValue.objects.all()
    if attributes is not None:
        wanted = list(attributes)
        seen, known = seen.filter(attribute__in=wanted), known.filter(attribute__in=wanted)
    found: dict[str, dict[int, str]] = {}
    for company, attribute in known.values_list("company_id", "attribute").iterator(chunk_size=rows.BATCH):
        found.setdefault(attribute, {})[company] = ""
    ordered = seen.order_by(models.F("valid_from").asc(nulls_first=True), "id")
    for company, attribute, value in ordered.values_list("company_id", "attribute", "value").iterator(
        chunk_size=rows.BATCH
    ):
        found[attribute][company] = value
    return found


def history(company: Any, attribute: str) -> list[tuple[date | None, str, str]]:
    """(from which day, value, reason) of a company's attribute, oldest first; empty if it never changed."""
    known = DatedValue.objects.filter(company=company, attribute=attribute)
    ordered = known.order_by(models.F("valid_from").asc(nulls_first=True), "id")
    return list(ordered.values_list("valid_from", "value", "reason"))


def _column(attribute: str) -> str:
    """The column of an attribute; "" for a custom field."""
    columns = {name: column for column, name in tracked().items()}
    if attribute in columns:
        return columns[attribute]
    custom = list(CustomField.objects.filter(model="Company").values_list("name", flat=True))
    if attribute in custom:
        return ""
    near = nearest(attribute, [*columns, *custom])
    if near:
        raise BadParameter(
            say("Companies have no attribute {name}; did you mean {near}?", name=attribute, near=near)
        )
    raise BadParameter(say("Companies have no attribute {name}.", name=attribute))


def _moves(batch: list[Pair]) -> list[tuple[int, str, str, str]]:
    """(company, attribute, old text, new text) of what is tracked and really moved."""
    personal: frozenset[str] | None = None
    flat: list[tuple[int, str, str, Any, Any]] = []
    for company, before, after in batch:
        for column, new in after.items():
            if column in tracked():
                flat.append((company, tracked()[column], column, before.get(column), new))
            elif column == "custom":
                if personal is None:
                    personal = _personal()
                old = before.get("custom") or {}
                flat += [
                    (company, key, key, old.get(key), (new or {}).get(key))
                    for key in {**old, **(new or {})}
                    if key not in personal and old.get(key) != (new or {}).get(key)
                ]
    olds = _texts([(column, old) for _, _, column, old, _ in flat])
    news = _texts([(column, new) for _, _, column, _, new in flat])
    moved = zip(flat, olds, news, strict=True)
    return [(company, name, a, b) for (company, name, _, _, _), a, b in moved if a != b]


def _personal() -> frozenset[str]:
    return frozenset(
        CustomField.objects.filter(model="Company", personal=True).values_list("name", flat=True)
    )


def _texts(pairs: list[tuple[str, Any]]) -> list[str]:
    """Values as the history writes them: references by number, decimals and days as JSON has them."""
    from klientel.web.records.values import plain

    wanted = {
        "owner_id": (Rep, {v for c, v in pairs if c == "owner_id" and v is not None}),
        "parent_id": (Company, {v for c, v in pairs if c == "parent_id" and v is not None}),
    }
    numbers: dict[tuple[str, int], str] = {}
    for column, (model, ids) in wanted.items():
        for batch in rows.batches(sorted(ids)):
            for i, number in model.objects.filter(pk__in=batch).values_list("pk", "number"):
                numbers[column, i] = number
    texts = []
    for column, value in pairs:
        if column in wanted:
            texts.append(numbers.get((column, value), "") if value is not None else "")
        elif isinstance(value, bool):
            texts.append("true" if value else "false")
        else:
            texts.append("" if value is None else str(plain(value))[:500])
    return texts


def _with_history(companies: Iterable[int]) -> frozenset[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for batch in rows.batches(sorted(companies)):
        held = DatedValue.objects.filter(company__in=batch)
        found += held.values_list("company_id", "attribute")
    return frozenset(found)


def _write(
    moves: list[tuple[int, str, str, str]], on: date, at: datetime, reason: str, log: dict[str, Any]
) -> None:
    """A first value from the beginning where there is none yet, and the new one from its day on."""
    from klientel.web.records import changes

    companies = sorted({company for company, _, _, _ in moves})
    known: dict[tuple[int, str], dict[date | None, int]] = {}
    for batch in rows.batches(companies):
        held = DatedValue.objects.filter(company__in=batch)
        for i, company, attribute, day in held.values_list("pk", "company_id", "attribute", "valid_from"):
            known.setdefault((company, attribute), {})[day] = i
    new: list[dict[str, Any]] = []
    again: list[tuple[int, dict[str, Any]]] = []
    for company, attribute, old, now in moves:
        days = known.get((company, attribute), {})
        row = {"company": company, "attribute": attribute}
        if not days:
            new.append({**row, "value": old, "valid_from": None, "reason": ""})
        if on in days:
            again.append((days[on], {"value": now, "reason": reason}))
        else:
            new.append({**row, "value": now, "valid_from": on, "reason": reason})
    run = log.get("import_run")
    options = {key: log[key] for key in ("actor", "why", "act") if key in log}
    changes.bulk_create(DatedValue, new, run, at, **options)
    changes.bulk_update(DatedValue, again, run, at, **options)
