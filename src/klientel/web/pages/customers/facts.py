"""The records of one customer: contracts, deals, contacts, tasks, notes, effort, portfolios, history of attributes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from klientel.attribute import attribute_title
from klientel.periods import add_months
from klientel.web import portfolios as folios
from klientel.web import rights
from klientel.web.records import models as m
from klientel.web.records.kinds import INTERACTIONS
from klientel.web.rights import Access
from klientel.web.scopes import name_of

_MOST = 25  # rows of a kind; the list of records has them all


def at(company: Any, found: Access) -> Access:
    """What a person may do with one visible customer and what belongs to it, asked once for all of its records.

    To be used for records of this customer only: it says "everybody's" for what the person may do with this one.
    """
    from klientel.web.rights.reach import EVERYBODY, NOBODY

    if found.unlimited:
        return found
    own = found.reach("read")  # which the customer is in
    query = m.Company._base_manager.filter(pk=company.pk)
    within: dict[Any, bool] = {own: True, NOBODY: False, EVERYBODY: True}
    for action in rights.ACTIONS:
        reach = found.reach(action)
        if reach not in within:
            within[reach] = rights.visible(query, found, action).exists()
    reaches = {a: EVERYBODY if within[found.reach(a)] else NOBODY for a in rights.ACTIONS}
    return Access(found.actor, found.day, reaches)


@dataclass(frozen=True)
class Effort:
    """Interactions of twelve months: how many, hours, cost (None where it may not be seen), the last day."""

    count: int
    hours: Decimal | None
    cost: Decimal | None
    last: date | None
    kinds: tuple[tuple[str, int], ...]


def contracts(company: Any, found: Access) -> list[dict[str, Any]]:
    """The contracts, those that end last first."""
    return _first(m.Contract.present.filter(company=company).order_by("-end", "-start"), found)


def open_deals(company: Any, found: Access) -> list[dict[str, Any]]:
    """The deals that are open."""
    query = m.Opportunity.present.filter(company=company, outcome__in=["", "open"])
    return _first(query.order_by("-amount", "pk"), found)


def contacts(company: Any, found: Access) -> list[dict[str, Any]]:
    """The contacts, without names and addresses where personal data are out of reach."""
    query = m.Contact.present.filter(company=company, merged_into=None).order_by("name", "first_name")
    return _first(query, found)


def tasks(company: Any, found: Access) -> list[dict[str, Any]]:
    """What is to be done, the most urgent first."""
    from django.db.models import F

    query = m.Task.present.filter(company=company, done_on=None).order_by(
        F("due_on").asc(nulls_last=True), "pk"
    )
    return _first(query, found)


def notes(company: Any, found: Access) -> list[dict[str, Any]]:
    """Notes, the newest first."""
    return _first(m.Note.present.filter(company=company).order_by("-written_on", "-pk"), found)


def effort(company: Any, found: Access, day: date) -> Effort:
    """Interactions of the twelve months up to a day, which counts; their cost only where margins may be seen."""
    from django.db.models import Count, Max, Sum

    seen = rights.visible(m.Interaction.present.filter(company=company), found)
    year = seen.filter(ts__gt=add_months(day, -12), ts__lte=day)
    total = year.aggregate(n=Count("pk"), minutes=Sum("duration_min"), cost=Sum("cost"))
    counted = year.values_list("type").annotate(n=Count("pk")).order_by("-n", "type")[:4]
    kinds = tuple((INTERACTIONS.get(kind, kind), n) for kind, n in counted)
    last = seen.aggregate(last=Max("ts"))["last"]
    minutes = total["minutes"]
    return Effort(
        total["n"],
        minutes / 60 if minutes is not None else None,
        total["cost"] if found.may("margin") else None,
        last,
        kinds,
    )


def portfolios(company: Any, found: Access, day: date) -> list[tuple[Any, str]]:
    """The portfolios that reach the customer, by rule or by hand, with who answers for them."""
    found_ones = folios.reaching(company, day, actor=found)
    return [(p, name_of(p.owner) if p.owner else "") for p in found_ones]


def history(company: Any, found: Access) -> list[dict[str, Any]]:
    """How attributes changed, the newest first; the first known value of each is told too."""
    query = m.DatedValue.objects.filter(company=company).order_by("-valid_from", "attribute")
    rows = _first(query, found)
    reps = {r["value"] for r in rows if r["attribute"] == "owner_rep_id"}
    names = {rep.number: name_of(rep) for rep in m.Rep.objects.filter(number__in=reps)} if reps else {}
    for row in rows:
        row["title"] = attribute_title(row["attribute"])
        row["shown"] = names.get(row["value"], row["value"])
    return rows


def _first(query: Any, found: Access) -> list[dict[str, Any]]:
    """The first rows that the person may see, without what is to stay hidden."""
    return list(islice(rights.rows(query, found), _MOST))
