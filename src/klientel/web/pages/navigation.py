"""Where one can go: the rail at the side and the palette are made of this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from klientel.web.rights import Access
from klientel.words import mark, translate


@dataclass(frozen=True)
class Place:
    """A page one can go to: address, title, icon (heroicons), the right it takes, letters that open it."""

    name: str
    title: str
    icon: str
    args: tuple[str, ...] = ()
    action: str = ""  # "write" and so on: with everybody's customers; "admin": administrators only


ROOMS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "",
        (
            Place("home", mark("Home"), "home"),
            Place("analyses:index", mark("Analyses"), "chart-bar"),
        ),
    ),
    (
        mark("Customers"),
        (
            Place("records:list", mark("Companies"), "building-office-2", ("companies",)),
            Place("records:list", mark("Contacts"), "users", ("contacts",)),
            Place("records:list", mark("Contracts"), "document-text", ("contracts",)),
            Place("records:list", mark("Portfolios"), "rectangle-stack", ("portfolios",)),
        ),
    ),
    (
        mark("Sales"),
        (
            Place("records:board", mark("Deals"), "view-columns"),
            Place("records:list", mark("Leads"), "funnel", ("leads",)),
            Place("records:list", mark("Interactions"), "chat-bubble-left-right", ("interactions",)),
            Place("records:list", mark("Tasks"), "check-circle", ("tasks",)),
            Place("records:list", mark("Campaigns"), "megaphone", ("campaigns",)),
            Place("records:list", mark("Products"), "cube", ("products",)),
        ),
    ),
    (
        mark("Data"),
        (
            Place("intake:index", mark("Imports"), "arrow-up-tray", action="read"),
            Place("inbound:index", mark("Web forms"), "inbox-arrow-down", action="write"),
            Place("records:duplicates", mark("Duplicates"), "document-duplicate"),
            Place("people:users", mark("People and rights"), "key", action="admin"),
        ),
    ),
)


def places(found: Access) -> list[tuple[str, Place, str]]:
    """(room, place, address) of all that the person may go to and that is there."""
    made = []
    for room, entries in ROOMS:
        for place in entries:
            if place.action == "admin" and not (found.actor is None or found.actor.is_superuser):
                continue
            if place.action and place.action != "admin" and not found.everything(place.action):
                continue
            try:
                made.append((room, place, reverse(place.name, args=place.args)))
            except NoReverseMatch:
                continue
    return made


def navigation(request: Any, found: Access) -> list[dict[str, Any]]:
    """Rooms with their places, in the reader's language; the one that is open is marked."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    best = ""
    for room, place, url in places(found):
        entry: dict[str, Any] = {
            "title": translate(place.title, request.lang),
            "icon": place.icon,
            "url": url,
        }
        rooms.setdefault(room, []).append(entry)
        if request.path == url or (url != "/" and request.path.startswith(url)):
            best = max(best, url, key=len)
    for entries in rooms.values():
        for entry in entries:
            entry["here"] = entry["url"] == best
    return [
        {"title": translate(room, request.lang) if room else "", "places": e} for room, e in rooms.items()
    ]
