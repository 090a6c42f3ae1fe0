"""Deals on their way: stages with their history, winning and losing, and leads that become customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from typing import Any

from django.db import transaction

from klientel.errors import BadParameter
from klientel.ingest.mapping.outcomes import outcome_of
from klientel.web import rights
from klientel.web.records import changes, kinds, services
from klientel.web.records import models as m
from klientel.words import say

WON, LOST = "Won", "Lost"  # the stages that close a deal where a firm has none of its own


def move(
    deal: Any,
    stage: str,
    *,
    on: date | None = None,
    loss_reason: str = "",
    actor: Any = None,
    at: datetime,
    based_on: int | None = None,
    act: str = "",
) -> Any:
    """Move a deal to a stage on a day (today): its history says so; a stage that means won or lost closes it.

    loss_reason: for a stage that means lost (see `close`).
    Raises BadParameter for a closed deal, or a day before the deal or its last stage began: history runs forward.
    """
    day = on or at.date()
    act = act or token_hex(8)
    with transaction.atomic():
        now = _ready(deal, actor, based_on)
        if closed(now):
            raise BadParameter(say("{deal} is closed; reopen it before moving it.", deal=str(now)))
        outcome = outcome_of(stage)
        if outcome in ("won", "lost"):
            how: dict[str, Any] = {"on": day, "stage": stage, "loss_reason": loss_reason}
            return close(deal, outcome, actor=actor, at=at, act=act, **how)
        if now.stage != stage:
            _enter(now, stage, day, actor, at, act)
            changes.update(deal, {"stage": stage}, actor, at=at, act=act)
    deal.refresh_from_db()
    return deal


def close(
    deal: Any,
    outcome: str,
    *,
    on: date | None = None,
    stage: str | None = None,
    loss_reason: str = "",
    competitor: str = "",
    amount: Any = None,
    actor: Any = None,
    at: datetime,
    based_on: int | None = None,
    act: str = "",
) -> Any:
    """Close a deal on a day (today) as won, lost, no_decision or abandoned; the closing day is set with it.

    Raises BadParameter for one that is not won and of which nobody says why, or is closed, and as `move` for its day.
    """
    if outcome not in kinds.OUTCOMES or outcome == "open":
        ends = [name for name in kinds.OUTCOMES if name != "open"]
        raise BadParameter(
            say("A deal closes as one of {outcomes}, not {value}.", outcomes=ends, value=outcome)
        )
    day = on or at.date()
    act = act or token_hex(8)
    with transaction.atomic():
        now = _ready(deal, actor, based_on)
        if closed(now):
            raise BadParameter(say("{deal} is closed already.", deal=str(now)))
        if outcome != "won" and not (loss_reason.strip() or now.loss_reason):
            raise BadParameter(say("Say why: the reasons tell later what to do better."))
        last = stage or {"won": WON, "lost": LOST}.get(outcome, now.stage)
        if last and last != now.stage:
            _enter(now, last, day, actor, at, act)
        else:
            _forward(now, day, at)
        values: dict[str, Any] = {"outcome": outcome, "close_date": day, "stage": last}
        values |= {"loss_reason": loss_reason} if loss_reason else {}
        values |= {"competitor": competitor} if competitor else {}
        values |= {"amount": amount} if amount is not None else {}
        changes.update(deal, values, actor, at=at, act=act)
    deal.refresh_from_db()
    return deal


def reopen(
    deal: Any, stage: str, *, on: date | None = None, actor: Any = None, at: datetime, act: str = ""
) -> Any:
    """Open a closed deal again in a stage; that it was closed stays in its history."""
    day = on or at.date()
    act = act or token_hex(8)
    with transaction.atomic():
        now = _ready(deal, actor, None)
        if not closed(now):
            raise BadParameter(say("{deal} is open.", deal=str(now)))
        if outcome_of(stage) not in (None, "open"):
            raise BadParameter(say("{stage} is no stage of an open deal.", stage=stage))
        _enter(now, stage, day, actor, at, act)
        values = {"outcome": "open", "close_date": None, "stage": stage, "loss_reason": ""}
        changes.update(deal, values, actor, at=at, act=act)
    deal.refresh_from_db()
    return deal


def closed(deal: Any) -> bool:
    """True if a deal is won, lost or given up."""
    return deal.close_date is not None and deal.outcome not in ("", "open")


@dataclass(frozen=True)
class Converted:
    """What became of a lead; `act` takes it back (`acts.take_back`)."""

    company: Any
    contact: Any
    deal: Any
    act: str


def convert(
    lead: Any,
    *,
    company: Any = None,
    deal: Mapping[str, Any] | None = None,
    on: date | None = None,
    actor: Any = None,
    at: datetime,
) -> Converted:
    """Make of a lead a company with a contact and, if `deal` has its values, an opportunity.

    company: one that is there; else the lead's own, else a new one with the lead's name. Interactions, tasks and notes
    of the lead go on at the company with the days they had, so that one timeline begins at the first contact.
    Raises BadParameter for a lead that was converted before.
    """
    day = on or at.date()
    act = token_hex(8)
    with transaction.atomic():
        now = _ready(lead, actor, None)
        if now.converted_on is not None:
            raise BadParameter(say("{lead} was converted on {day}.", lead=str(now), day=now.converted_on))
        if now.created_on and day < now.created_on:
            raise BadParameter(
                say("{lead} came on {day} and cannot be converted before.", lead=str(now), day=now.created_on)
            )
        firm = company or now.company or _company(now, actor, at, act)
        rights.demand(actor, "write", firm)
        person = _contact(now, firm, actor, at, act)
        made = None
        if deal is not None:
            values = {"company": firm, "created_on": day, "rep": now.rep, "source_channel": now.channel}
            values |= {"name": now.company_name or str(firm), **deal}
            made = services.add(m.Opportunity, values, actor=actor, at=at, act=act)
        values = {"company": firm, "converted_on": day, "status": "converted", "opportunity": made}
        changes.update(lead, values, actor, at=at, act=act)
        for model in (m.Interaction, m.Task, m.Note):
            mine = model.objects.filter(lead=now, company=None).values_list("pk", flat=True)
            extra = {"contact": person} if model is not m.Task and person else {}
            pairs = [(pk, {"company": firm, **extra}) for pk in mine]
            changes.bulk_update(model, pairs, None, at, actor=actor, why="convert", act=act)
    lead.refresh_from_db()
    return Converted(firm, person, made, act)


def _company(lead: Any, actor: Any, at: datetime, act: str) -> Any:
    name = lead.company_name or lead.customer_name or lead.name or lead.email
    values = {"name": name, "acquisition_channel": lead.channel, "owner": lead.rep, "relation_type": "lead"}
    return services.add(m.Company, values, actor=actor, at=at, act=act)


def _contact(lead: Any, firm: Any, actor: Any, at: datetime, act: str) -> Any:
    """The lead's person at the company: the one with the same address, or a new one; None if nobody is named."""
    if not (lead.email or (lead.name and lead.name != str(firm))):
        return None
    there = m.Contact.present.filter(company=firm)
    known = there.filter(email__iexact=lead.email).first() if lead.email else None
    known = known or there.filter(name=lead.name, email="").first()
    if known:
        return known
    values = {"company": firm, "name": lead.name, "email": lead.email, "phone": lead.phone}
    return changes.create(m.Contact, values, actor, at=at, act=act)


def _ready(record: Any, actor: Any, based_on: int | None) -> Any:
    """The record as it is now, locked; refused if it is gone, not the person's, or newer than what was seen."""
    model: Any = type(record)
    now = model.present.select_for_update().filter(pk=record.pk).first()
    if now is None:
        raise BadParameter(say("{record} is gone.", record=str(record)))
    rights.demand(actor, "write", now)
    if based_on is not None:
        changes.up_to_date(now, based_on)
    return now


def _forward(deal: Any, day: date, at: datetime) -> None:
    """Refuse a day to come, before the deal began, or before its last stage."""
    if day > at.date():
        raise BadParameter(say("{day} is still to come; a change is dated today or earlier.", day=day))
    if deal.created_on and day < deal.created_on:
        raise BadParameter(
            say("{deal} began on {day}; nothing can come before.", deal=str(deal), day=deal.created_on)
        )
    last = deal.stages.order_by("entered_on", "id").last()
    if last is not None and day < last.entered_on:
        raise BadParameter(
            say(
                "{deal} is in stage {stage} since {day}; the next step cannot come before.",
                deal=str(deal),
                stage=last.stage,
                day=last.entered_on,
            )
        )


def _enter(deal: Any, stage: str, day: date, actor: Any, at: datetime, act: str) -> None:
    _forward(deal, day, at)
    if deal.stage and not deal.stages.exists():
        # It came from a file without history: what is known is the stage it was in when the file came.
        since = deal.created_on or day
        first = {"opportunity": deal, "stage": deal.stage, "entered_on": since, "rep": deal.rep}
        changes.create(m.StageEntry, first, actor, at=at, act=act)
    if deal.stages.filter(stage=stage, entered_on=day).exists():
        return
    entry = {"opportunity": deal, "stage": stage, "entered_on": day, "rep": deal.rep}
    changes.create(m.StageEntry, entry, actor, at=at, act=act)
