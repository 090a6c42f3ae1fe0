"""What people do with records: make, edit, delete, bring back. Rights, rules and history apply to each.

actor: a user, None for the owner of the folder; at: the moment, from the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import models, transaction

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import changes, custom, kinds
from klientel.web.records import models as m
from klientel.web.records.rows import ModelClass
from klientel.web.records.values import checked, columns, title_of
from klientel.words import say

# Written by the acts that belong to them, with their history: `deals`.
BY_DEALS: dict[Any, tuple[str, ...]] = {
    m.Opportunity: ("stage", "outcome", "close_date"),
    m.Lead: ("converted_on", "opportunity_id"),
}


def add(
    model: ModelClass, values: Mapping[str, Any], *, actor: Any = None, at: datetime, act: str = ""
) -> Any:
    """Make a record. Raises BadParameter for what the kind does not allow, NotAllowed without the right."""
    given = _given(model, {}, values)
    dated = kinds.DATED.get(model)
    if dated and not given.get(dated):
        given[dated] = at.date()
    _belongs(model, given)
    record = model(**given)
    _whole(record, given, actor, at)
    made = changes.create(model, given, actor, at=at, act=act)
    if model is m.Opportunity and made.stage:
        entry = {"opportunity": made, "stage": made.stage, "entered_on": made.created_on, "rep": made.rep}
        changes.create(m.StageEntry, entry, actor, at=at, act=act)
    return made


def edit(
    record: Any,
    values: Mapping[str, Any],
    *,
    actor: Any = None,
    at: datetime,
    based_on: int | None = None,
    on: date | None = None,
    reason: str = "",
    act: str = "",
) -> Any:
    """Change fields of a record; the record as it is then.

    based_on: the version that the person saw (`changes.version`); raises Outdated if it is no longer the newest.
    on, reason: from which day on a company has its new attributes, and why.
    """
    model: ModelClass = type(record)
    with transaction.atomic():
        now = model.objects.select_for_update().filter(pk=record.pk).first()
        if now is None or getattr(now, "deleted_at", None) is not None:
            raise BadParameter(say("This {model} is gone.", model=title_of(model)))
        rights.demand(actor, "write", now)
        if based_on is not None:
            changes.up_to_date(now, based_on)
        given = _given(model, getattr(now, "custom", {}), values)
        given = {name: value for name, value in given.items() if getattr(now, name) != value}
        closed = [name for name in BY_DEALS.get(model, ()) if name in given]
        if closed:
            raise BadParameter(
                say(
                    "{field} changes by moving or closing the deal, which writes its history.",
                    field=closed[0],
                )
            )
        for name, value in given.items():
            setattr(now, name, value)
        _whole(now, given, actor, at)
        changes.update(record, given, actor, at=at, act=act, on=on, reason=reason)
    record.refresh_from_db()
    return record


def remove(record: Any, *, actor: Any = None, at: datetime, why: str = "delete", act: str = "") -> None:
    """Delete a record; it can be brought back, and what belongs to it stays."""
    rights.demand(actor, "write", record)
    changes.delete(record, actor, why, at, act=act)


def bring_back(record: Any, *, actor: Any = None, at: datetime, act: str = "") -> None:
    """Bring a deleted record back. Raises BadParameter for one that was merged away: un-merge it instead."""
    rights.demand(actor, "write", record)
    if getattr(record, "merged_into_id", None) is not None:
        raise BadParameter(say("{name} was merged; take the merger back instead.", name=str(record)))
    changes.restore(record, actor, at=at, act=act)


def done(task: Any, *, actor: Any = None, at: datetime, on: date | None = None, act: str = "") -> Any:
    """Tick a task off."""
    return edit(task, {"done_on": on or at.date()}, actor=actor, at=at, act=act)


def expired(day: date) -> Any:
    """Notes whose day is over."""
    return m.Note.present.filter(expires_on__lt=day).order_by("expires_on", "pk")


def expire(day: date, *, actor: Any = None, at: datetime) -> int:
    """Delete the notes whose day is over; how many."""
    rights.demand_all(actor, "write")
    ids = list(expired(day).values_list("pk", flat=True))
    return len(changes.bulk_delete(m.Note, ids, None, at, actor=actor, why="expired"))


def _given(model: ModelClass, held: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values checked by their kinds; custom ones put together with those that are there."""
    own = {"number", "deleted_at", "merged_into", "merged_into_id", "imported_by", "imported_by_id", "source"}
    for name in values:
        if name in own - {"number"}:
            raise BadParameter(say("{model} has no {field}.", model=title_of(model), field=name))
    given = checked(model, {name: value for name, value in values.items() if name != "custom"})
    if "custom" in values:
        given["custom"] = custom.merged(model, held, values["custom"] or {})
    return given


def _belongs(model: ModelClass, given: dict[str, Any]) -> None:
    """A record of a contact, lead or deal belongs to the company of that, unless it says otherwise."""
    if "company_id" not in columns(model) or given.get("company_id") is not None:
        return
    for name, other in (("contact_id", m.Contact), ("opportunity_id", m.Opportunity), ("lead_id", m.Lead)):
        if given.get(name) is not None:
            company = other.objects.filter(pk=given[name]).values_list("company_id", flat=True).first()
            if company is not None:
                given["company_id"] = company
                return


def _whole(record: Any, given: Mapping[str, Any], actor: Any, at: datetime) -> None:
    """Rights, references and rules of a record that is about to be written."""
    model: ModelClass = type(record)
    for name in given:
        field = columns(model)[name]
        if isinstance(field, models.ForeignKey) and given[name] is not None:
            _there(field.related_model, given[name], actor)
    rights.demand(actor, "write", record) if record.pk is None else _still_allowed(record, given, actor)
    kinds.check(record, given, at.date())


def _there(model: ModelClass, pk: int, actor: Any) -> None:
    manager = getattr(model, "present", model.objects)
    if not rights.visible(manager.filter(pk=pk), actor).exists():
        raise BadParameter(say("There is no such {model}, or you may not see it.", model=title_of(model)))


def _still_allowed(record: Any, given: Mapping[str, Any], actor: Any) -> None:
    """Whoever moves a record to another company or sales person needs the right there, too."""
    if not isinstance(record, m.Company) and given.get("company_id") is not None:
        rights.demand(actor, "write", record.company)
