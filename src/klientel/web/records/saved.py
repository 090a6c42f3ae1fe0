"""Saved views: lists as somebody wants them again, for oneself or shared with everybody.

One's own can be changed by their maker; shared ones by their maker or an administrator.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from klientel.errors import BadParameter, NotAllowed
from klientel.web import rights
from klientel.web.records import changes
from klientel.web.records.catalog import KINDS
from klientel.web.records.models import SavedView
from klientel.web.rights import access
from klientel.words import mark, say


def views(kind: str, *, actor: Any = None) -> list[Any]:
    """The views of a kind of list that a person has: own ones and shared ones, by name."""
    from django.db.models import Q

    own = Q(shared=True) if actor is None else Q(owner=actor) | Q(shared=True)
    found = rights.visible(SavedView.objects.filter(own, kind=kind), actor)
    return list(found.order_by("name", "pk"))


def may_change(view: Any, actor: Any) -> bool:
    """True for the maker, and for administrators if it is shared."""
    found = access(actor)
    if found.actor is None:
        return True
    if not found.actor.is_active:
        return False
    return view.owner_id == found.actor.pk or (view.shared and found.actor.is_superuser)


def save(kind: str, name: str, query: str, *, shared: bool = False, actor: Any = None, at: datetime) -> Any:
    """Keep a view under a name. Raises BadParameter for a name that is empty, too long or taken."""
    rights.demand(actor, "read")
    if actor is None:
        raise BadParameter(say("A view belongs to somebody who signs in."))
    if kind not in KINDS:
        raise BadParameter(say("There is no list {name}.", name=kind))
    values = {"kind": kind, "name": _name(name), "query": query[:4000], "shared": shared, "owner": actor}
    if SavedView.objects.filter(kind=kind, owner=actor, name=values["name"]).exists():
        raise BadParameter(say("You have a view “{name}” already.", name=values["name"]))
    return changes.create(SavedView, values, actor, at=at)


def alter(
    view: Any,
    *,
    name: str | None = None,
    query: str | None = None,
    shared: bool | None = None,
    actor: Any = None,
    at: datetime,
) -> Any:
    """Give a view another name or content, or share it. Raises NotAllowed, BadParameter."""
    _demand(view, actor)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _name(name)
        if (
            SavedView.objects.filter(kind=view.kind, owner=view.owner_id, name=values["name"])
            .exclude(pk=view.pk)
            .exists()
        ):
            raise BadParameter(say("You have a view “{name}” already.", name=values["name"]))
    if query is not None:
        values["query"] = query[:4000]
    if shared is not None:
        values["shared"] = shared
    changes.update(view, values, actor, at=at)
    return view


def forget(view: Any, *, actor: Any = None, at: datetime, act: str = "") -> None:
    """Delete a view."""
    _demand(view, actor)
    changes.delete(view, actor, at=at, act=act)


def _demand(view: Any, actor: Any) -> None:
    if not may_change(view, actor):
        raise NotAllowed(mark("Only its maker changes a view, and an administrator one that is shared."))


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise BadParameter(say("A view needs a name."))
    return name[:200]
