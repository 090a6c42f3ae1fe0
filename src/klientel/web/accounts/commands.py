"""The command line of people and rights: access, users, user add/edit/password."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import click

from klientel.errors import BadParameter
from klientel.web import commandline
from klientel.web.commandline import answer_language
from klientel.words import Sentence, Word, mark, say, translate

ROLES = ("sales", "leader", "director", "reader", "administrator")


def commands(lang: str) -> dict[str, click.Command]:
    """The commands by name, their help in `lang`."""

    def told(text: str) -> str:
        return translate(text, lang)

    def command(name: str, run: Callable[..., None], text: str, *options: Any) -> click.Command:
        return commandline.command(name, run, text, lang, *options)

    name = click.argument("name", metavar="NAME")
    rights = [
        click.option(
            "--role",
            type=click.Choice(ROLES),
            help=told(mark("What people of this kind usually may do; replaces all grants.")),
        ),
        click.option(
            "--grant",
            "grants",
            multiple=True,
            metavar="ACTION=SCOPE",
            help=told(mark("read, write, export, margin or personal = own, team, subtree, all or none.")),
        ),
        click.option("--team", help=told(mark("The team; made if there is none of that name."))),
        click.option("--reports-to", "parent", help=told(mark("The team that this team reports to."))),
        click.option(
            "--rep", help=told(mark("Number of the sales person whose customers are the user's own."))
        ),
    ]
    invite = click.option(
        "--invite",
        is_flag=True,
        help=told(mark("Print a one-time token instead of asking for a password.")),
    )
    user = click.Group("user", help=told(mark("Make users, say what they may do, let them in.")))
    user.add_command(command("add", _add, mark("Make a user; asks for a password."), name, *rights, invite))
    active = click.option(
        "--active/--inactive", default=None, help=told(mark("Let the user in, or lock out."))
    )
    user.add_command(command("edit", _edit, mark("Change what a user may do."), name, *rights, active))
    user.add_command(
        command("password", _password, mark("Give a user a password, or a one-time token."), name, invite)
    )
    user.add_command(
        command("accept", _accept, mark("Set one's password with a one-time token."), click.argument("token"))
    )
    who = click.option(
        "--as", "user", metavar="USER", help=told(mark("Of this user; default: of everybody."))
    )
    return {
        "access": command("access", _access, mark("Say who may do what with whose customers, and why."), who),
        "users": command("users", _users, mark("List the users, their teams and grants.")),
        "user": user,
    }


def _access(folder: str, user: str | None, form: str, lang: str | None) -> None:
    from klientel.web import home as homes
    from klientel.web.rights import explain

    homes.find(folder)
    from klientel.web.accounts.models import User
    from klientel.web.accounts.services import find_user

    chosen = [find_user(user)] if user else list(User.objects.order_by("username"))
    day = date.today()  # noqa: DTZ011 - the edge: business days are local
    found = [explain(one, day) for one in chosen]
    spoken = answer_language(lang)
    if form == "json":
        click.echo(
            json.dumps([_translated(one.to_dict(), spoken) for one in found], ensure_ascii=False, indent=1)
        )
        return
    for one in found:
        _show_access(one, spoken)
    if not found:
        click.echo(translate(mark("There are no users; the owner of the folder may do everything."), spoken))


def _translated(value: Any, lang: str) -> Any:
    if isinstance(value, dict):
        return {k: _translated(v, lang) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_translated(v, lang) for v in value]
    return translate(value, lang) if isinstance(value, Sentence | Word) else value


def _show_access(one: Any, lang: str) -> None:
    from klientel.web.rights.effective import SCOPE_NAMES

    def line(text: str, indent: int = 2) -> None:
        click.echo(" " * indent + translate(text, lang))

    click.echo(one.person)
    line(say("team {team}, sales person {rep}", team=one.team or "–", rep=one.rep or "–"))
    for action in one.actions:
        told = {
            "what": action.title,
            "whose": SCOPE_NAMES[action.scope],
            "n": action.customers,
            "why": action.why,
        }
        line(say("{what}: {whose} ({n}); {why}", **told))
    for person in one.people:
        line(
            say("through {name} ({number}): {why}", name=person.name, number=person.number, why=person.why), 4
        )
    for given in one.portfolios:
        rule = ", ".join(f"{k} = {' | '.join(map(str, v))}" for k, v in given.rule.items())
        told = {"name": given.name, "rep": given.rep, "rule": rule or "–", "n": given.by_hand}
        line(say("portfolio {name} of {rep}: {rule}; {n} by hand", **told), 4)


def _users(folder: str, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from klientel.web.accounts.models import User

    rows = []
    for user in User.objects.select_related("team", "rep").order_by("username"):
        rep = getattr(user, "rep", None)
        rows.append(
            {
                "name": user.username,
                "team": user.team.name if user.team else None,
                "rep": rep.number if rep is not None else None,
                "administrator": user.is_superuser,
                "active": user.is_active,
                "grants": {g.action: g.scope for g in user.grants.order_by("pk")},
            }
        )
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    spoken = answer_language(lang)
    for row in rows:
        grants = " ".join(f"{a}={s}" for a, s in row["grants"].items())
        if row["administrator"]:
            grants = translate(mark("administrator"), spoken)
        if not row["active"]:
            grants = translate(mark("the user is not active"), spoken)
        click.echo(f"{row['name']:<20} {row['team'] or '–':<20} {row['rep'] or '–':<12} {grants or '–'}")
    if not rows:
        click.echo(translate(mark("There are no users; the owner of the folder may do everything."), spoken))


def _pairs(grants: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in grants:
        action, sign, scope = text.partition("=")
        if not sign:
            raise BadParameter(say("--grant takes ACTION=SCOPE, such as read=team, not {text}.", text=text))
        found[action.strip()] = scope.strip()
    return found


def _add(
    folder: str,
    name: str,
    role: str | None,
    grants: tuple[str, ...],
    team: str | None,
    parent: str | None,
    rep: str | None,
    invite: bool,
    form: str,
    lang: str | None,
) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from django.db import transaction

    from klientel.web.accounts import services

    at = datetime.now(UTC)
    spoken = answer_language(lang)
    password = None if invite else _asked(spoken)
    with transaction.atomic():
        user = services.add_user(
            None, name, at, role=role, grants=_pairs(grants), team=team, rep=rep, language=spoken
        )
        if team and parent is not None:
            services.find_team(None, team, at, parent=parent)
        if password is not None:
            services.set_password(None, user, password, at)
    token = services.invitation(None, user) if invite else None
    _done(say("User {name} was made.", name=name), token, form, spoken)


def _edit(
    folder: str,
    name: str,
    role: str | None,
    grants: tuple[str, ...],
    team: str | None,
    parent: str | None,
    rep: str | None,
    active: bool | None,
    form: str,
    lang: str | None,
) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from django.db import transaction

    from klientel.web.accounts import services

    at = datetime.now(UTC)
    user = services.find_user(name)
    with transaction.atomic():
        services.edit_user(
            None, user, at, role=role, grants=_pairs(grants), team=team, rep=rep, active=active
        )
        if parent is not None:
            own = team or (user.team.name if user.team else None)
            if own is None:
                raise BadParameter(say("{name} is in no team that could report to another.", name=name))
            services.find_team(None, own, at, parent=parent)
    _done(say("User {name} was changed.", name=name), None, form, answer_language(lang))


def _password(folder: str, name: str, invite: bool, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from klientel.web.accounts import services

    user = services.find_user(name)
    spoken = answer_language(lang)
    token = None
    if invite:
        token = services.invitation(None, user)
    else:
        services.set_password(None, user, _asked(spoken), datetime.now(UTC))
    _done(say("User {name} was changed.", name=name), token, form, spoken)


def _accept(folder: str, token: str, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from klientel.web.accounts import services

    spoken = answer_language(lang)
    user = services.accept(token, _asked(spoken), datetime.now(UTC))
    _done(say("User {name} was changed.", name=user.username), None, form, spoken)


def _asked(lang: str) -> str:
    return str(
        click.prompt(translate(mark("Password"), lang), hide_input=True, confirmation_prompt=True, err=True)
    )


def _done(sentence: str, token: str | None, form: str, lang: str) -> None:
    if form == "json":
        click.echo(json.dumps({"told": translate(sentence, lang), "token": token}, ensure_ascii=False))
        return
    click.echo(translate(sentence, lang))
    if token:
        click.echo(translate(say("One-time token, good for three days: {token}", token=token), lang))
