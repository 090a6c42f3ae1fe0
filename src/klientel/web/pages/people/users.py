"""Users, for administrators: who is there, what each may do, letting in and locking out."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klientel.errors import BadParameter
from klientel.web.accounts import factors, letters, provider, rules, services, sessions, tokens
from klientel.web.accounts.models import ApiToken, Factor, Team, User
from klientel.web.pages import shell
from klientel.web.pages.people import history
from klientel.web.pages.people.addresses import number
from klientel.web.pages.people.doorkeeper import administrators, delicate
from klientel.web.pages.people.links import absolute
from klientel.web.records.models import Rep
from klientel.web.rights import ACTIONS, SCOPES, explain
from klientel.web.rights.effective import SCOPE_NAMES
from klientel.words import LANGUAGES, Word, mark, say

ROLES: dict[str, Word] = {
    "sales": mark("Sales person"),
    "leader": mark("Team leader"),
    "director": mark("Sales director"),
    "reader": mark("Reader"),
    "administrator": mark("Administrator"),
}
SHORT: dict[str, Word] = {
    "none": mark("nobody's"),
    "own": mark("own"),
    "team": mark("team's"),
    "subtree": mark("team's and below"),
    "all": mark("all"),
}


@require_GET
def listed(request: Any) -> Any:
    """All users, with team, sales person and rights; searched by ?q=, ?state=inactive for those locked out."""
    services.administrate(request.user)
    words = str(request.GET.get("q", "")).strip()
    state = str(request.GET.get("state", ""))
    found = User.objects.select_related("team", "rep").prefetch_related("grants").order_by("username")
    counts = User.objects.aggregate(
        active=Count("pk", filter=Q(is_active=True)), inactive=Count("pk", filter=Q(is_active=False))
    )
    if words:
        names = ("username", "first_name", "last_name", "email", "team__name", "rep__number")
        wanted = Q()
        for name in names:
            wanted |= Q(**{f"{name}__icontains": words})
        found = found.filter(wanted)
    found = found.filter(is_active=state != "inactive")
    real = Factor.objects.filter(user=OuterRef("pk")).exclude(kind=Factor.Kind.CODES)
    found = found.annotate(strong=Exists(real))
    context = {
        "users": [{"user": user, "grants": _grants(user)} for user in found[:500]],
        "words": words,
        "state": state,
        "counts": counts,
        "factor_needed": rules.second_factor_needed(),
    }
    return shell.page(request, "people/users.html", context)


def _grants(user: Any) -> list[tuple[Word, list[Word]]]:
    """(whose customers, what may be done with them), the farthest first."""
    held = {grant.action: grant.scope for grant in user.grants.all()}
    found = {scope: [title for name, title in ACTIONS.items() if held.get(name) == scope] for scope in SCOPES}
    return [(SHORT[scope], titles) for scope, titles in reversed(found.items()) if titles]


@require_http_methods(["GET", "POST"])
@administrators
@delicate
def add(request: Any) -> Any:
    """A new user; an invitation link comes with it."""
    given = {
        name: str(request.POST.get(name, "")).strip()[:254]
        for name in ("name", "first_name", "last_name", "email", "language", "role", "team", "rep")
    }
    refusal = ""
    if request.method == "POST":
        try:
            user = _made(request, given)
        except BadParameter as refused:
            refusal = refused.sentence
        else:
            shell.tell(request, say("User {name} was made.", name=user.username))
            return _invited(request, user)
    context = {
        **_choices(),
        "given": given if request.method == "POST" else {"role": "sales", "language": request.lang},
        "roles": ROLES,
        "refusal": refusal,
    }
    return shell.page(request, "people/user_add.html", context, status=400 if refusal else 200)


def _made(request: Any, given: dict[str, str]) -> Any:
    actor, at = request.user, shell.now()
    language = given["language"] if given["language"] in LANGUAGES else "en"
    with transaction.atomic():
        user = services.add_user(
            actor, given["name"], at, role=given["role"] or None, team=given["team"] or None,
            rep=given["rep"] or None, language=language,
        )  # fmt: skip
        services.edit_profile(
            actor, user, at, first_name=given["first_name"], last_name=given["last_name"],
            email=given["email"],
        )  # fmt: skip
    return user


def _choices() -> dict[str, Any]:
    """What forms offer: teams, and sales people with whom they are tied to."""
    return {
        "teams": list(Team.objects.order_by("name").values_list("name", flat=True)),
        "reps": list(Rep.objects.filter(deleted_at=None).select_related("user").order_by("name", "number")),
        "languages": (("en", "English"), ("de", "Deutsch")),
    }


def _user(request: Any, pk: int) -> Any:
    services.administrate(request.user)
    user = User.objects.select_related("team", "rep").filter(pk=pk).first()
    if user is None:
        raise Http404
    return user


@require_GET
def user(request: Any, pk: int) -> Any:
    """One user: rights as a table, what follows from them and why, sessions, second factor, what was changed."""
    return _page(request, _user(request, pk))


def _page(request: Any, user: Any, status: int = 200, **more: Any) -> Any:
    at = shell.now()
    effective = explain(user, shell.today())
    held = dict(user.grants.values_list("action", "scope"))
    rights = [
        {
            "name": name,
            "title": title,
            "held": held.get(name, "none"),
            "effective": next(one for one in effective.actions if one.name == name),
        }
        for name, title in ACTIONS.items()
    ]
    context = {
        "user": user,
        "rights": rights,
        "scopes": [(scope, SHORT[scope], SCOPE_NAMES[scope]) for scope in ("none", *SCOPES)],
        "roles": ROLES,
        "effective": effective,
        "sessions": sessions.listed(user, at),
        "tokens": tokens.listed(user, at),
        "factors": factors.listed(user),
        "identities": list(user.identities.all()),
        "history": history.of_user(user),
        "itself": user.pk == request.user.pk,
        **_choices(),
        **more,
    }
    return shell.page(request, "people/user.html", context, status=status)


def _back(user: Any, part: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("people:user", args=[user.pk]) + (f"#{part}" if part else ""))


@require_POST
@administrators
@delicate
def rights(request: Any, pk: int) -> Any:
    """Change what a user may do: a role, or action by action."""
    user = _user(request, pk)
    role = str(request.POST.get("role", "")) or None
    grants = {name: str(request.POST[f"grant-{name}"]) for name in ACTIONS if f"grant-{name}" in request.POST}
    try:
        services.edit_user(
            request.user, user, shell.now(), role=role, grants={} if role is not None else grants
        )
    except BadParameter as refused:
        return _page(request, _user(request, pk), 400, rights_refusal=refused.sentence)
    shell.tell(request, say("User {name} was changed.", name=user.username))
    return _back(user, "rights")


@require_POST
@administrators
@delicate
def person(request: Any, pk: int) -> Any:
    """Change name, address, language, team and sales person of a user."""
    user = _user(request, pk)
    given = {name: str(request.POST.get(name, "")).strip()[:254] for name in services.PROFILE}
    try:
        with transaction.atomic():
            services.edit_profile(request.user, user, shell.now(), **given)
            services.edit_user(
                request.user,
                user,
                shell.now(),
                team=str(request.POST.get("team", "")).strip()[:200],
                rep=str(request.POST.get("rep", "")).strip()[:200],
            )
    except BadParameter as refused:
        return _page(request, _user(request, pk), 400, person_refusal=refused.sentence)
    shell.tell(request, say("User {name} was changed.", name=user.username))
    return _back(user)


@require_POST
@administrators
@delicate
def active(request: Any, pk: int) -> Any:
    """Let a user in, or lock out; with that all sessions end."""
    user = _user(request, pk)
    wanted = request.POST.get("active") == "yes"
    try:
        services.edit_user(request.user, user, shell.now(), active=wanted)
    except BadParameter as refused:
        shell.tell(request, refused.sentence, "error")
        return _back(user)
    told = say("{name} may sign in again.", name=user.username)
    shell.tell(request, told if wanted else say("{name} is locked out.", name=user.username))
    return _back(user)


@require_POST
@administrators
@delicate
def invite(request: Any, pk: int) -> Any:
    """A link with which the user chooses a password; sent as a letter, too, where mail is set up."""
    return _invited(request, _user(request, pk))


def _invited(request: Any, user: Any) -> Any:
    token = services.invitation(request.user, user, shell.now())
    link = absolute(request, reverse("people:accept", args=[token]))
    sent = letters.possible(user)
    if sent:
        letters.send("invitation", user, link)
    return _page(request, _user(request, user.pk), invitation=link, sent=sent)


@require_POST
def end_sessions(request: Any, pk: int) -> Any:
    """End a session of a user, or all."""
    user = _user(request, pk)
    one = request.POST.get("session")
    n = sessions.end(request.user, user, shell.now(), pk=(number(one) or 0) if one else None)
    shell.tell(request, say("Sessions ended: {n}.", n=n))
    return _back(user, "sessions")


@require_POST
def revoke_token(request: Any, pk: int, token: int) -> Any:
    """End a token of a user."""
    user = _user(request, pk)
    found = ApiToken.objects.filter(user=user, pk=token).first()
    if found is not None:
        tokens.revoke(request.user, found, shell.now())
        shell.tell(request, say("The token {name} was revoked.", name=found.name))
    return _back(user, "tokens")


@require_POST
@administrators
@delicate
def reset_factors(request: Any, pk: int) -> Any:
    """Take the second factors of somebody away who lost them."""
    user = _user(request, pk)
    factors.reset(request.user, user, shell.now())
    shell.tell(request, say("{name} signs in with the password alone now.", name=user.username))
    return _back(user, "factors")


@require_POST
@administrators
@delicate
def untie(request: Any, pk: int) -> Any:
    """Forget which identity of the provider a user has, so that another one can be tied."""
    user = _user(request, pk)
    provider.untie(request.user, user, shell.now())
    shell.tell(request, say("{name} is tied to no identity of the provider now.", name=user.username))
    return _back(user, "factors")


@require_POST
@administrators
@delicate
def need_factor(request: Any) -> Any:
    """Whether everybody must have a second factor."""
    wanted = request.POST.get("needed") == "yes"
    rules.need_second_factor(request.user, wanted, shell.now())
    told = mark("Everybody needs a second factor now; who has none sets one up with the next page.")
    shell.tell(request, told if wanted else mark("A second factor is everybody's own choice now."))
    return HttpResponseRedirect(reverse("people:users"))
