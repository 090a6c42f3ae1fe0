"""Teams, and which reports to which; for administrators."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from klientel.errors import BadParameter
from klientel.web.accounts import services
from klientel.web.accounts.models import Team, User
from klientel.web.pages import shell
from klientel.web.pages.people.addresses import number
from klientel.web.pages.people.doorkeeper import administrators, delicate
from klientel.words import say


@require_GET
def listed(request: Any) -> Any:
    """All teams as a tree, with their people."""
    services.administrate(request.user)
    return _page(request)


def _page(request: Any, status: int = 200, **more: Any) -> Any:
    teams = list(Team.objects.order_by("name"))
    people: dict[int, list[Any]] = {}
    for user in User.objects.exclude(team=None).order_by("username"):
        people.setdefault(user.team_id, []).append(user)
    context = {
        "tree": _tree(teams, people, None, 0, set()),
        "teams": teams,
        "alone": User.objects.filter(team=None, is_active=True).count(),
        **more,
    }
    return shell.page(request, "people/teams.html", context, status=status)


def _tree(
    teams: list[Any], people: dict[int, list[Any]], parent: int | None, depth: int, seen: set[int]
) -> list[dict[str, Any]]:
    """The teams below one, depth first: team, depth, people, and whether it may be removed."""
    found = []
    for team in teams:
        if team.parent_id != parent or team.pk in seen:
            continue
        seen.add(team.pk)
        below = _tree(teams, people, team.pk, depth + 1, seen)
        members = people.get(team.pk, [])
        found.append(
            {"team": team, "depth": min(depth, 6), "people": members, "removable": not (members or below)}
        )
        found += below
    return found


def _chosen(request: Any) -> Any:
    return Team.objects.filter(pk=number(request.POST.get("parent"))).first()


@require_POST
def add(request: Any) -> Any:
    """A new team."""
    services.administrate(request.user)
    name = " ".join(str(request.POST.get("name", "")).split())[:200]
    parent = _chosen(request)
    try:
        if not name:
            raise BadParameter(say("A team needs a name."))
        if Team.objects.filter(name=name).exists():
            raise BadParameter(say("There is a team {name} already.", name=name))
        services.find_team(request.user, name, shell.now(), parent=parent.name if parent else None)
    except BadParameter as refused:
        return _page(request, 400, refusal=refused.sentence, name=name)
    shell.tell(request, say("The team {name} was made.", name=name))
    return HttpResponseRedirect(reverse("people:teams"))


def _team(request: Any, pk: int) -> Any:
    services.administrate(request.user)
    team = Team.objects.filter(pk=pk).first()
    if team is None:
        raise Http404
    return team


@require_POST
@administrators
@delicate
def change(request: Any, pk: int) -> Any:
    """Another name, or another team to report to."""
    team = _team(request, pk)
    try:
        services.change_team(
            request.user, team, str(request.POST.get("name", ""))[:200], _chosen(request), shell.now()
        )
    except BadParameter as refused:
        return _page(request, 400, refusal=refused.sentence)
    shell.tell(request, say("The team {name} was changed.", name=team.name))
    return HttpResponseRedirect(reverse("people:teams"))


@require_POST
def remove(request: Any, pk: int) -> Any:
    """Remove an empty team."""
    team = _team(request, pk)
    try:
        services.remove_team(request.user, team, shell.now())
    except BadParameter as refused:
        return _page(request, 400, refusal=refused.sentence)
    shell.tell(request, say("The team {name} was removed.", name=team.name))
    return HttpResponseRedirect(reverse("people:teams"))
