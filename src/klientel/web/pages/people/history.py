"""What happened at the door and to rights: events and changes in one list, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from klientel.web.accounts import services
from klientel.web.accounts.callers import browser
from klientel.web.accounts.events import TITLES
from klientel.web.accounts.models import Event, Grant, Team, User
from klientel.web.pages import shell
from klientel.web.pages.people.addresses import number
from klientel.web.records.models import Change
from klientel.web.rights import ACTIONS
from klientel.web.rights.effective import SCOPE_NAMES
from klientel.words import Word, mark, say

PAGE = 50
ACCOUNTS = ("accounts.User", "accounts.Grant", "accounts.Team")
FIELDS: dict[str, Word] = {
    "username": mark("user name"),
    "first_name": mark("first name"),
    "last_name": mark("last name"),
    "email": mark("e-mail address"),
    "language": mark("language"),
    "is_active": mark("may sign in"),
    "is_superuser": mark("administrator"),
    "team_id": mark("team"),
    "name": mark("name"),
    "parent_id": mark("reports to"),
    "user_id": mark("user"),
}
SORTS: dict[str, Word] = {
    "": mark("everything"),
    "door": mark("sign-ins"),
    "trouble": mark("failures and locks"),
    "rights": mark("changes of rights"),
    "tokens": mark("tokens"),
}
RIGHT = mark("right changed")
DETAILS: dict[str, Word] = {
    "password": mark("password"),
    "passkey": mark("passkey"),
    "link": mark("link"),
    "provider": mark("provider"),
    "app": mark("authenticator app"),
    "codes": mark("recovery codes"),
    "second_factor: yes": mark("a second factor is needed"),
    "second_factor: no": mark("no second factor is needed"),
}
KINDS = {
    "door": ("signed in", "signed out", "session ended", "sessions ended", "link used", "recovery code"),
    "trouble": ("sign-in failed", "locked", "code failed", "provider refused"),
    "rights": (
        "factor added",
        "factor removed",
        "factors reset",
        "rule changed",
        "invited",
        "identity untied",
    ),
    "tokens": ("token made", "token revoked", "token used"),
}


@require_GET
def log(request: Any) -> Any:
    """The newest first; ?user=PK, ?sort=door|trouble|rights|tokens, ?before=MOMENT."""
    services.administrate(request.user)
    who = User.objects.filter(pk=number(request.GET.get("user"))).first()
    sort = str(request.GET.get("sort", ""))
    sort = sort if sort in SORTS else ""
    found, older = entries(who, sort, _moment(str(request.GET.get("before", ""))), PAGE)
    context = {
        "entries": found,
        "older": found[-1]["at"].isoformat() if older else "",
        "who": who,
        "sort": sort,
        "sorts": SORTS,
        "users": User.objects.order_by("username").only("username"),
    }
    return shell.page(request, "people/log.html", context)


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def of_user(user: Any, limit: int = 12) -> list[dict[str, Any]]:
    """The newest of what concerns one user."""
    return entries(user, "", None, limit)[0]


def entries(user: Any, sort: str, before: datetime | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Events and changes, the newest first: at, what, who (did it), about, detail, address, browser; and whether
    there may be older ones. There are some more than `limit` where many happened at one moment.
    """
    events = Event.objects.select_related("user", "actor").order_by("-at", "-pk")
    changes = Change.objects.filter(model__in=ACCOUNTS).select_related("actor").order_by("-at", "-pk")
    if sort:
        events = events.filter(kind__in=KINDS[sort])
    if before is not None:
        events, changes = events.filter(at__lt=before), changes.filter(at__lt=before)
    if user is not None:
        events = events.filter(Q(user=user) | Q(actor=user))
        changes = changes.filter(
            Q(actor=user)
            | Q(model="accounts.User", object_id=user.pk)
            | Q(model="accounts.Grant", object_id__in=_grants_ever(user))
        )
    if sort not in ("", "rights"):
        changes = changes.none()
    newest = sorted([*events[:limit], *changes[:limit]], key=lambda one: one.at, reverse=True)[:limit]
    if len(newest) == limit:  # what was done at one moment stays together
        last = newest[-1].at
        newest = [one for one in newest if one.at > last]
        newest += [*events.filter(at=last)[:1000], *changes.filter(at=last)[:1000]]
    made = _changes([one for one in newest if isinstance(one, Change)])
    found = [made[one.pk] if isinstance(one, Change) else _event(one) for one in newest]
    return _together(sorted(found, key=lambda one: one["at"], reverse=True)), len(newest) >= limit


def _together(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one person changed of another at one stroke is one entry."""
    kept: list[dict[str, Any]] = []
    for one in found:
        last = kept[-1] if kept else None
        same = last is not None and all(last[key] == one[key] for key in ("at", "who", "about"))
        if last is not None and same and last["kind"] == one["kind"] != "event":
            last["detail"] = [*one["detail"], *last["detail"]]
            last["what"] = one["what"]  # that it was made tells more than that it was changed then
        else:
            kept.append(one)
    return kept


def _grants_ever(user: Any) -> list[int]:
    """The ids of all grants that the user has or had."""
    made = Change.objects.filter(model="accounts.Grant", before__isnull=True, after__user_id=user.pk)
    gone = Change.objects.filter(model="accounts.Grant", after__isnull=True, before__user_id=user.pk)
    ids = {*made.values_list("object_id", flat=True), *gone.values_list("object_id", flat=True)}
    return [*ids, *user.grants.values_list("pk", flat=True)]


def _event(one: Event) -> dict[str, Any]:
    return {
        "at": one.at,
        "what": TITLES.get(one.kind, Word(one.kind)),
        "trouble": one.kind in KINDS["trouble"],
        "who": one.actor or one.user,
        "about": one.user if one.actor_id else None,
        "detail": [_detail(one.detail)] if one.detail else [],
        "kind": "event",
        "address": one.address,
        "browser": browser(one.agent) if one.agent else "",
    }


def _detail(text: str) -> str:
    """A detail in words; "Report: read, export" is the name of a token and what it may."""
    name, sign, rest = text.rpartition(": ")
    actions = rest.split(", ")
    if sign and all(action in ACTIONS for action in actions):
        return say("{name}: {what}", name=name, what=[ACTIONS[action] for action in actions])
    return DETAILS.get(text, text)


def _changes(found: list[Change]) -> dict[int, dict[str, Any]]:
    """The entry of each change, by its id."""
    grants = {g.pk: g for g in Grant.objects.filter(pk__in=[c.object_id for c in found])}
    owners = {g.pk: g.user_id for g in grants.values()}
    for one in found:
        for side in (one.before, one.after):
            if one.model == "accounts.Grant" and side and "user_id" in side:
                owners[one.object_id] = side["user_id"]
    users = User.objects.in_bulk(
        {*owners.values(), *(c.object_id for c in found if c.model == "accounts.User")}
    )
    teams = dict(Team.objects.values_list("pk", "name"))
    return {one.pk: _change(one, users, owners, grants, teams) for one in found}


def _change(
    one: Change,
    users: dict[int, Any],
    owners: dict[int, int],
    grants: dict[int, Grant],
    teams: dict[int, str],
) -> dict[str, Any]:
    before, after = one.before or {}, one.after or {}
    about: Any = None
    detail: list[Any] = []
    if one.model == "accounts.Grant":
        about = users.get(owners.get(one.object_id, 0))
        held = grants.get(one.object_id)
        action = before.get("action") or after.get("action") or (held.action if held else "")
        what: Word = RIGHT
        detail = [
            say(
                "{action}: {before} → {after}",
                action=ACTIONS.get(action, Word(action)),
                before=SCOPE_NAMES[before.get("scope", "none")],
                after=SCOPE_NAMES[after.get("scope", "none")],
            )
        ]
    elif one.model == "accounts.User":
        about = users.get(one.object_id)
        made = one.before is None
        what = mark("user made") if made else mark("user changed")
        if one.why == "password":
            what = mark("password changed")
        names = [n for n in FIELDS if (n in before or n in after) and not (made and n in ("user_id", "name"))]
        detail = [_value(name, before, after, teams) for name in names]
    else:
        what = (
            mark("team made")
            if one.before is None
            else mark("team removed")
            if one.after is None
            else mark("team changed")
        )
        detail = [
            _value(name, before, after, teams)
            for name in ("name", "parent_id")
            if name in {**before, **after}
        ]
    return {
        "at": one.at,
        "kind": "password" if one.why == "password" else one.model,
        "what": what,
        "trouble": False,
        "who": one.actor or mark("owner of the folder"),
        "about": about,
        "detail": detail,
        "address": "",
        "browser": "",
    }


def _value(name: str, before: dict[str, Any], after: dict[str, Any], teams: dict[int, str]) -> Any:
    def told(value: Any) -> Any:
        if name in ("team_id", "parent_id"):
            return teams.get(value, "–") if value else "–"
        if isinstance(value, bool):
            return value
        return "–" if value in (None, "") else str(value)

    title = FIELDS[name]
    if name in before:
        return say(
            "{field}: {before} → {after}",
            field=title,
            before=told(before[name]),
            after=told(after.get(name)),
        )
    return say("{field}: {after}", field=title, after=told(after.get(name)))
