"""Users, teams and grants: made and changed by administrators, every change in the log, no password among it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from klientel.errors import BadParameter, NotAllowed, nearest
from klientel.web.accounts import events
from klientel.web.accounts.models import Grant, Team, User
from klientel.web.records import changes
from klientel.web.rights import ACTIONS, SCOPES
from klientel.words import LANGUAGES, say

NAME = re.compile(r"[\w.@+-]{1,150}")
PROFILE = ("first_name", "last_name", "email", "language")

# What people usually may do; `--grant` changes single actions. No role but the administrator's exceeds its scope.
ROLES: dict[str, dict[str, str]] = {
    "sales": {"read": "own", "write": "own", "export": "own", "margin": "own", "personal": "own"},
    "leader": {"read": "team", "write": "team", "export": "team", "margin": "team", "personal": "team"},
    "director": {"read": "subtree", "write": "subtree", "export": "subtree", "margin": "subtree"},
    "reader": {"read": "all"},
    "administrator": {},
}


def find_user(name: str) -> Any:
    """The user of a name. Raises BadParameter, with the nearest one, if there is none."""
    found = User.objects.filter(username=name).first()
    if found is None:
        names = list(User.objects.order_by("username").values_list("username", flat=True))
        near = nearest(name, names)
        hint = (
            say("did you mean {near}?", near=near) if near else say("there are: {names}.", names=names or "–")
        )
        raise BadParameter(say("There is no user {name}; {hint}", name=name, hint=hint))
    return found


def add_user(
    actor: Any,
    name: str,
    at: datetime,
    *,
    role: str | None = None,
    grants: Mapping[str, str] | None = None,
    team: str | None = None,
    rep: str | None = None,
    email: str = "",
    language: str = "en",
) -> Any:
    """A new user without a password (see `set_password`, `invitation`): may do nothing that is not granted.

    role: a key of `ROLES`; grants: action -> scope on top of it; team is made if it is not there; rep: the number
    of the sales person whose customers are the user's own. Raises BadParameter, NotAllowed.
    """
    from django.contrib.auth.hashers import make_password
    from django.db import transaction

    administrate(actor)
    if User.objects.filter(username__iexact=name).exists():
        raise BadParameter(say("There is a user {name} already.", name=name))
    if not NAME.fullmatch(name):
        raise BadParameter(say("A user name has letters, digits and @ . + - _ only, 150 at most."))
    values = {
        "username": name, "email": email, "language": language, "password": make_password(None),
        "is_superuser": role == "administrator", "is_active": True, "date_joined": at,
    }  # fmt: skip
    with transaction.atomic():
        user = changes.create(User, values, actor, "user", at)
        edit_user(actor, user, at, role=role, grants=grants, team=team, rep=rep)
    return user


def edit_user(
    actor: Any,
    user: Any,
    at: datetime,
    *,
    role: str | None = None,
    grants: Mapping[str, str] | None = None,
    team: str | None = None,
    rep: str | None = None,
    active: bool | None = None,
) -> None:
    """Change what a user may do: a role replaces all grants, single grants ("none" takes one away) come on top."""
    from django.db import transaction

    from klientel.web.accounts import sessions

    administrate(actor)
    administered = user.is_superuser
    with transaction.atomic():
        if role is not None:
            if role not in ROLES:
                raise BadParameter(
                    say("{role} is no role; there are: {names}.", role=role, names=list(ROLES))
                )
            for grant in Grant.objects.filter(user=user).exclude(action__in=ROLES[role]):
                changes.delete(grant, actor, "grant", at)
            changes.update(user, {"is_superuser": role == "administrator"}, actor, "user", at)
            for action, scope in ROLES[role].items():
                _grant(actor, user, action, scope, at)
        for action, scope in (grants or {}).items():
            _grant(actor, user, action, scope, at)
        if team is not None:
            changes.update(
                user, {"team_id": find_team(actor, team, at).pk if team else None}, actor, "user", at
            )
        if rep is not None:
            _tie(actor, user, rep, at)
        if active is not None:
            changes.update(user, {"is_active": active}, actor, "user", at)
            if not active:
                sessions.end(actor, user, at)
        if administered and not User.objects.filter(is_superuser=True, is_active=True).exists():
            raise BadParameter(say("{name} is the last administrator.", name=user.username))


def _grant(actor: Any, user: Any, action: str, scope: str, at: datetime) -> None:
    if action not in ACTIONS or scope not in (*SCOPES, "none"):
        raise BadParameter(
            say(
                "A grant is ACTION=SCOPE with an action of {actions} and a scope of {scopes}, not {given}.",
                actions=list(map(str, ACTIONS)),
                scopes=[*SCOPES, "none"],
                given=f"{action}={scope}",
            )
        )
    known = Grant.objects.filter(user=user, action=action).first()
    if scope == "none":
        if known is not None:
            changes.delete(known, actor, "grant", at)
    elif known is None:
        changes.create(Grant, {"user_id": user.pk, "action": action, "scope": scope}, actor, "grant", at)
    else:
        changes.update(known, {"scope": scope}, actor, "grant", at)


def _tie(actor: Any, user: Any, number: str, at: datetime) -> None:
    """Tie a user to the sales person of a number ("" unties), whoever it was tied to before."""
    from klientel.web.records.models import Rep

    for other in Rep.objects.filter(user=user).exclude(number=number):
        changes.update(other, {"user_id": None}, actor, "user", at)
    if not number:
        return
    rep = Rep.present.filter(number=number).first()
    if rep is None:
        known = list(Rep.present.order_by("number").values_list("number", flat=True)[:200])
        near = nearest(number, known)
        hint = (
            say("did you mean {near}?", near=near) if near else say("there are: {names}.", names=known or "–")
        )
        raise BadParameter(say("There is no sales person {name}; {hint}", name=number, hint=hint))
    changes.update(rep, {"user_id": user.pk}, actor, "user", at)


def find_team(actor: Any, name: str, at: datetime, *, parent: str | None = None) -> Any:
    """The team of a name, made if there is none; parent: the team it reports to. BadParameter for a circle."""
    administrate(actor)
    team = Team.objects.filter(name=name).first() or changes.create(Team, {"name": name}, actor, "team", at)
    if parent is not None:
        above = find_team(actor, parent, at) if parent else None
        step = above
        while step is not None:
            if step.pk == team.pk:
                raise BadParameter(
                    say(
                        "{team} cannot report to {parent}, which reports to it.",
                        team=name,
                        parent=str(parent),
                    )
                )
            step = step.parent
        changes.update(team, {"parent_id": above.pk if above is not None else None}, actor, "team", at)
    return team


def set_password(actor: Any, user: Any, password: str, at: datetime, *, keep: str | None = None) -> None:
    """Give a user a password, one's own or as administrator; sessions end, but the one with the key `keep`.

    BadParameter says why a password is too weak.
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from klientel.web.accounts import sessions

    if not itself(actor, user):
        administrate(actor)
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise BadParameter(say("That password is too weak: {why}", why=" ".join(weak.messages))) from None
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        _log_password(actor, user, at)
        sessions.end(actor, user, at, keep=keep)


def _log_password(actor: Any, user: Any, at: datetime) -> None:
    """That it was changed, and by whom; never what it is."""
    from klientel.web.records.models import Change

    who = {"actor": actor, "model": "accounts.User", "object_id": user.pk}
    Change.objects.create(at=at, why="password", before={}, after={}, **who)


def invitation(actor: Any, user: Any, at: datetime | None = None) -> str:
    """A token with which the user sets a password once; worthless after that, and after three days."""
    from django.contrib.auth.tokens import default_token_generator
    from django.utils.encoding import force_bytes
    from django.utils.http import urlsafe_base64_encode

    administrate(actor)
    if at is not None:
        events.note("invited", at, user=user, by=actor)
    return f"{urlsafe_base64_encode(force_bytes(user.pk))}.{default_token_generator.make_token(user)}"


def invited(token: str) -> Any:
    """The user whom an invitation is for. Raises BadParameter if it does not hold (any more)."""
    from django.contrib.auth.tokens import default_token_generator
    from django.utils.http import urlsafe_base64_decode

    first, _, rest = token.strip().partition(".")
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(first))).first()
    except (ValueError, UnicodeDecodeError, OverflowError):
        user = None
    if user is None or not user.is_active or not default_token_generator.check_token(user, rest):
        raise BadParameter(say("This invitation does not hold (any more); ask for a new one."))
    return user


def accept(token: str, password: str, at: datetime) -> Any:
    """Set the password of whoever holds an invitation; the user. Raises BadParameter if it no longer holds."""
    user = invited(token)
    set_password(user, user, password, at)
    return user


def edit_profile(actor: Any, user: Any, at: datetime, **values: str) -> None:
    """Change what a user says about itself: first_name, last_name, email, language; one's own, or as administrator.

    Raises BadParameter for an address that is none or that another user has, NotAllowed.
    """
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    if not itself(actor, user):
        administrate(actor)
    wanted = {name: " ".join(text.split()) for name, text in values.items() if name in PROFILE}
    email = wanted.get("email", "")
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise BadParameter(say("{text} is no e-mail address.", text=email)) from None
        if User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists():
            raise BadParameter(say("Another user has that e-mail address."))
    if wanted.get("language", "en") not in LANGUAGES:
        raise BadParameter(say("There is no such language."))
    changes.update(User.objects.get(pk=user.pk), wanted, actor, "user", at)
    for name, value in wanted.items():
        setattr(user, name, value)


def change_team(actor: Any, team: Any, name: str, parent: Any, at: datetime) -> None:
    """Give a team another name, and another team that it reports to (None: to none). BadParameter for a circle."""
    from django.db import transaction

    administrate(actor)
    wanted = " ".join(name.split())
    if not wanted:
        raise BadParameter(say("A team needs a name."))
    if Team.objects.filter(name=wanted).exclude(pk=team.pk).exists():
        raise BadParameter(say("There is a team {name} already.", name=wanted))
    with transaction.atomic():
        changes.update(team, {"name": wanted}, actor, "team", at)
        find_team(actor, wanted, at, parent=parent.name if parent is not None else "")


def remove_team(actor: Any, team: Any, at: datetime) -> None:
    """Remove a team that nobody is in and that none reports to. Raises BadParameter else."""
    administrate(actor)
    if team.users.exists() or team.children.exists():
        raise BadParameter(
            say("{team} is not empty: people are in it, or teams report to it.", team=team.name)
        )
    changes.delete(team, actor, "team", at)


def itself(actor: Any, user: Any) -> bool:
    """True if a person acts for itself, and not a program with a token of that person."""
    return actor is not None and actor.pk == user.pk and getattr(actor, "limited_to", None) is None


def administrate(actor: Any) -> None:
    """Raise NotAllowed unless `actor` is an administrator or the owner of the folder. No token administrates."""
    if actor is None:
        return
    if actor.is_active and actor.is_superuser and getattr(actor, "limited_to", None) is None:
        return
    raise NotAllowed(say("{who} is no administrator.", who=str(actor)))
