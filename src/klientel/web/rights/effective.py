"""Effective access: what a person may do with whose customers, and why; as data for the web and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from klientel.web.rights.reach import ACTIONS, Access, access, granted
from klientel.words import Sentence, Word, mark, say

SCOPE_NAMES: dict[str, Word] = {
    "own": mark("own customers"),
    "team": mark("customers of the team"),
    "subtree": mark("customers of the team and of everybody below"),
    "all": mark("all customers"),
    "none": mark("nobody's customers"),
}


@dataclass(frozen=True)
class Action:
    """One action: how far it reaches ("none", "own", "team", "subtree", "all"), why, and how many customers."""

    name: str
    title: Word
    scope: str
    why: Word | Sentence
    customers: int


@dataclass(frozen=True)
class Person:
    """A sales person that is reached, and why."""

    number: str
    name: str
    why: Word | Sentence


@dataclass(frozen=True)
class Given:
    """A portfolio that is reached through its sales person."""

    name: str
    rep: str
    rule: dict[str, list[Any]]
    by_hand: int


@dataclass(frozen=True)
class Effective:
    """The effective access of one person on a day."""

    person: str
    team: str | None
    rep: str | None
    day: date
    actions: tuple[Action, ...]
    people: tuple[Person, ...]
    portfolios: tuple[Given, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; sentences in English."""
        from dataclasses import asdict

        return {**asdict(self), "day": self.day.isoformat()}


def explain(user: Any, as_of: date | None = None) -> Effective:
    """What `user` may do with whose customers, and why. None is the owner of the folder."""
    found = access(user, as_of)
    user = found.actor
    rep = getattr(user, "rep", None) if user is not None else None
    return Effective(
        person=str(user) if user is not None else "",
        team=user.team.name if getattr(user, "team", None) else None,
        rep=rep.number if rep is not None else None,
        day=found.day,
        actions=tuple(_action(found, name) for name in ACTIONS),
        people=tuple(_people(found)),
        portfolios=tuple(_portfolios(found)),
    )


def _action(found: Access, name: str) -> Action:
    user = found.actor
    reach = found.reach(name)
    count = 0 if reach.nobody else found.companies(name).filter(deleted_at=None).count()
    scope = "none"
    why: Word | Sentence = mark("not granted")
    if user is None:
        scope, why = "all", mark("owner of the folder")
    elif not user.is_active:
        why = mark("the user is not active")
    elif user.is_superuser:
        scope, why = "all", mark("administrator")
    else:
        direct = dict(user.grants.values_list("action", "scope"))
        scope = granted(user).get(name, "none")
        if scope != "none":
            why = say("granted: {scope}", scope=SCOPE_NAMES[direct[name]])
            if direct[name] != scope:
                why = say("granted: {scope}, but no further than reading", scope=SCOPE_NAMES[direct[name]])
        elif name in direct:
            why = mark("granted, but nothing may be read")
    return Action(name, ACTIONS[name], scope, why, count)


def _people(found: Access) -> list[Person]:
    from klientel.web.rights.people import sales_people

    scope = granted(found.actor).get("read") if getattr(found.actor, "pk", None) else None
    if scope in (None, "all") or found.everything("read") or not found.may("read"):
        return []
    people = sales_people(found.actor, str(scope))
    return [Person(p.rep.number, f"{p.rep.first_name} {p.rep.name}".strip(), p.why) for p in people]


def _portfolios(found: Access) -> list[Given]:
    from klientel.web.records.models import Portfolio

    owned = Portfolio.objects.exclude(owner=None).select_related("owner").order_by("name")
    if not found.everything("read"):
        owned = owned.filter(owner__in=list(found.reach("read").reps))
    return [
        Given(
            p.name,
            p.owner.number,
            p.rule,
            p.members.filter(excluded=False).values("company").distinct().count(),
        )
        for p in owned
    ]
