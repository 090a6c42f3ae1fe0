"""The sales people that a scope reaches: one's own, the team's, those of the teams and people below."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from klientel.words import Sentence, Word, mark, say

OWN: Word = mark("the user's own sales person")


@dataclass(frozen=True)
class Reached:
    """A sales person (`records.Rep`) that a scope reaches, and why."""

    rep: Any
    why: Word | Sentence


def sales_people(user: Any, scope: str) -> list[Reached]:
    """The sales people of a scope ("own", "team", "subtree"), each once, with the first reason.

    A sales person belongs to the team of his user; without a user to the team whose name the record carries.
    The subtree holds the teams below the user's team and whoever reports to the user's sales person.
    """
    from klientel.web.records.models import Rep

    reps = list(Rep._base_manager.select_related("user__team").order_by("pk"))
    own = [rep for rep in reps if rep.user_id == user.pk]
    found = {rep.pk: Reached(rep, OWN) for rep in own}
    if scope == "own":
        return list(found.values())
    if user.team_id is not None:
        for rep in reps:
            if _in_team(rep, user.team):
                found.setdefault(rep.pk, Reached(rep, say("in the team {team}", team=user.team.name)))
    if scope == "subtree":
        for team in teams_below(user.team):
            for rep in reps:
                if _in_team(rep, team):
                    why = say("in the team {team} below", team=team.name)
                    found.setdefault(rep.pk, Reached(rep, why))
        for rep, chief in _reporting_to(own, reps):
            found.setdefault(rep.pk, Reached(rep, say("reports to {name}", name=_name(chief))))
    return list(found.values())


def _in_team(rep: Any, team: Any) -> bool:
    if rep.user_id is not None and rep.user.team_id is not None:
        return bool(rep.user.team_id == team.pk)
    return bool(rep.team) and rep.team == team.name


def in_teams(teams: list[Any]) -> list[Any]:
    """The sales people (`records.Rep`) of some teams, those below not counted."""
    from klientel.web.records.models import Rep

    reps = Rep._base_manager.select_related("user__team").order_by("pk")
    return [rep for rep in reps if any(_in_team(rep, team) for team in teams)]


def teams_below(team: Any) -> list[Any]:
    """The teams below a team in the reporting tree, nearest first; a circle is walked once."""
    from klientel.web.accounts.models import Team

    if team is None:
        return []
    below: dict[int, list[Any]] = defaultdict(list)
    for one in Team.objects.exclude(parent=None).order_by("pk"):
        below[one.parent_id].append(one)
    found: dict[int, Any] = {}
    waiting = [team]
    while waiting:
        for child in below[waiting.pop(0).pk]:
            if child.pk not in found and child.pk != team.pk:
                found[child.pk] = child
                waiting.append(child)
    return list(found.values())


def _reporting_to(chiefs: list[Any], reps: list[Any]) -> list[tuple[Any, Any]]:
    """Who reports to these sales people, through any number of steps, with the chief of each."""
    below: dict[int, list[Any]] = defaultdict(list)
    for rep in reps:
        if rep.reports_to_id is not None:
            below[rep.reports_to_id].append(rep)
    seen = {chief.pk for chief in chiefs}
    found = []
    waiting = list(chiefs)
    while waiting:
        chief = waiting.pop(0)
        for rep in below[chief.pk]:
            if rep.pk not in seen:
                seen.add(rep.pk)
                found.append((rep, chief))
                waiting.append(rep)
    return found


def _name(rep: Any) -> str:
    return f"{rep.first_name} {rep.name}".strip() or str(rep.number)
