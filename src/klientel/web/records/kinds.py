"""What a record of each kind must hold when a person writes it; files may say less or say it otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from klientel.errors import BadParameter
from klientel.web.records import models as m
from klientel.web.records.values import field_title, title_of
from klientel.words import Word, mark, say

INTERACTIONS = {
    "call": mark("Call"),
    "visit": mark("Visit"),
    "meeting": mark("Meeting"),
    "email": mark("E-mail"),
    "fair": mark("Fair"),
    "door-to-door": mark("Door to door"),
    "social": mark("Social network"),
    "demo": mark("Demonstration"),
    "offer": mark("Offer"),
    "event": mark("Event"),
}
OUTCOMES = {
    "open": mark("open"),
    "won": mark("won"),
    "lost": mark("lost"),
    "no_decision": mark("no decision"),
    "abandoned": mark("abandoned"),
}
RELATIONS = ("customer", "lead", "prospect", "partner", "former")
STATUSES = ("active", "former", "reactivated", "lead", "prospect", "partner")
DIRECTIONS = ("in", "out")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Rule = Callable[[Any, date], None]

# model -> groups of columns, of each of which one must be filled
NEEDED: dict[Any, tuple[tuple[str, ...], ...]] = {
    m.Rep: (("name", "first_name"),),
    m.Company: (("name",),),
    m.Product: (("name",),),
    m.ProductGroup: (("name",),),
    m.Contact: (("name", "email"),),
    m.Contract: (("company_id",),),
    m.Campaign: (("name",),),
    m.Lead: (("name", "company_name", "email"),),
    m.Opportunity: (("company_id", "customer_name", "name"),),
    m.Interaction: (("company_id", "contact_id", "lead_id", "opportunity_id"), ("ts",), ("type",)),
    m.Task: (("title",),),
    m.Note: (("text",), ("purpose",), ("expires_on",)),
    m.CompetitorObservation: (("competitor",), ("company_id", "opportunity_id")),
    m.Survey: (("name",),),
    m.SurveyAnswer: (("score", "text"), ("survey_id", "question")),
}
# model -> column -> what it may be
CHOICES: dict[Any, dict[str, Any]] = {
    m.Company: {"relation_type": RELATIONS, "manual_status": STATUSES},
    m.Interaction: {"type": INTERACTIONS, "direction": DIRECTIONS},
    m.Opportunity: {"outcome": OUTCOMES},
}
# model -> (earlier, later) columns
ORDERED: dict[Any, tuple[tuple[str, str], ...]] = {
    m.Contract: (
        ("start", "end"),
        ("signed_on", "end"),
        ("start", "ended_on"),
        ("signed_on", "ended_on"),
        ("signed_on", "cancelled_on"),
    ),
    m.Campaign: (("start", "end"),),
    m.Opportunity: (("created_on", "close_date"),),
    m.Lead: (("created_on", "converted_on"),),
    m.Note: (("written_on", "expires_on"),),
}
# model -> columns that cannot be negative
NOT_NEGATIVE: dict[Any, tuple[str, ...]] = {
    m.Rep: ("capacity_hours_month", "cost_hour"),
    m.Company: ("employees",),
    m.Product: ("list_price", "standard_cost"),
    m.Contract: ("recurring_amount", "one_off_amount", "period_months", "notice_days", "min_term_months"),
    m.Campaign: ("cost",),
    m.Opportunity: ("amount",),
    m.Interaction: ("duration_min", "cost"),
    m.SurveyAnswer: ("score",),
}
# model -> the day it is dated by, today if a person gives none
DATED: dict[Any, str] = {
    m.Lead: "created_on",
    m.Opportunity: "created_on",
    m.Interaction: "ts",
    m.Note: "written_on",
    m.CompetitorObservation: "seen_on",
    m.SurveyAnswer: "answered_on",
}
# What has happened cannot be dated to come.
PAST: dict[Any, tuple[str, ...]] = {
    m.Interaction: ("ts",),
    m.Contract: ("cancelled_on", "ended_on"),
    m.Lead: ("created_on", "converted_on"),
    m.Opportunity: ("created_on",),
    m.Note: ("written_on",),
    m.CompetitorObservation: ("seen_on",),
    m.SurveyAnswer: ("answered_on",),
    m.Task: ("done_on",),
}


def check(record: Any, given: Mapping[str, Any], today: date) -> None:
    """Refuse what a person may not write: `record` as it would be, `given` the columns that were given.

    Raises BadParameter with the first thing that is wrong.
    """
    model: Any = type(record)
    _filled(model, record)
    for column, allowed in CHOICES.get(model, {}).items():
        value = getattr(record, column)
        if column in given and value and value not in allowed:
            raise BadParameter(
                say(
                    "{field}: {value} is not one of {allowed}.",
                    field=field_title(model, column),
                    value=value,
                    allowed=list(allowed),
                )
            )
    for earlier, later in ORDERED.get(model, ()):
        first, last = getattr(record, earlier), getattr(record, later)
        if first and last and last < first:
            raise BadParameter(
                say(
                    "{later} ({last}) is before {earlier} ({first}).",
                    later=field_title(model, later),
                    earlier=field_title(model, earlier),
                    last=last,
                    first=first,
                )
            )
    _bounds(model, record, given, today)
    if "email" in given and given["email"] and not _EMAIL.fullmatch(given["email"]):
        raise BadParameter(say("{value} is not an e-mail address.", value=given["email"]))
    if model is m.Company and record.parent_id is not None:
        acyclic(record)


def _filled(model: Any, record: Any) -> None:
    for group in NEEDED.get(model, ()):
        if all(getattr(record, column) in (None, "") for column in group):
            titles = [Word(field_title(model, column)) for column in group]
            raise BadParameter(say("{model} needs {fields}.", model=title_of(model), fields=_either(titles)))


def _either(titles: list[Word]) -> Any:
    if len(titles) == 1:
        return titles[0]
    return say("one of: {titles}", titles=titles)


def _bounds(model: Any, record: Any, given: Mapping[str, Any], today: date) -> None:
    for column in NOT_NEGATIVE.get(model, ()):
        value = getattr(record, column)
        if value is not None and value < 0:
            raise BadParameter(say("{field} cannot be negative.", field=field_title(model, column)))
    for column in PAST.get(model, ()):
        value = getattr(record, column)
        if column in given and value and value > today + timedelta(days=1):  # it may be tomorrow elsewhere
            raise BadParameter(
                say("{field} ({day}) is still to come.", field=field_title(model, column), day=value)
            )


def acyclic(company: Any) -> None:
    """Refuse a parent company that belongs to the company itself, over however many levels (G11)."""
    seen = {company.pk}
    parent = company.parent
    while parent is not None:
        if parent.pk in seen:
            raise BadParameter(
                say("{parent} belongs to {company} already and cannot be above it.",
                    parent=str(company.parent), company=str(company))
            )  # fmt: skip
        seen.add(parent.pk)
        parent = parent.parent
