"""What every page stands in: the workspace, the person, the language, the day, the navigation."""

from __future__ import annotations

import os
from datetime import date, datetime
from functools import cache
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

import klientel
from klientel.web import home as homes
from klientel.web.home import Home
from klientel.web.pages.navigation import navigation
from klientel.web.rights import Access, access
from klientel.words import translate


@cache
def _found(folder: str) -> Home:
    return homes.find(folder)


def workspace() -> Home:
    """The workspace that this server serves (KLIENTEL_WORKSPACE)."""
    return _found(os.environ["KLIENTEL_WORKSPACE"])


def now() -> datetime:
    """This moment: the edge at which the clock is read."""
    return timezone.now()


def today() -> date:
    """The day it is where the workspace is."""
    return timezone.localdate()


def reach(request: Any) -> Access:
    """What the person may do, found once per request."""
    if not hasattr(request, "_reach"):
        request._reach = access(request.user)
    found: Access = request._reach
    return found


def currency() -> str | None:
    """The currency in which the workspace reports."""
    return workspace().settings.get("currency")


def page(
    request: Any, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A template as an answer, with what every page needs: lang, person, today, navigation, version.

    The template extends "pages/base.html"; where htmx asked, a template may extend `layout` instead and
    gets only its content.
    """
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    given = {
        "request": request,
        "lang": request.lang,
        "person": request.user if signed_in else None,
        "today": today(),
        "version": klientel.__version__,
        "navigation": navigation(request, reach(request)) if signed_in else [],
        "layout": "pages/part.html" if _asks_for_part(request) else "pages/base.html",
        "currency": currency(),
        **(context or {}),
    }
    return HttpResponse(render_to_string(template, given, request), status=status)


def _asks_for_part(request: Any) -> bool:
    """True if htmx asks for content; going back in the browser needs the whole page, as htmx keeps none."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def tell(request: Any, sentence: str, level: str = "success", *, undo: str = "") -> None:
    """Show a sentence on top of the next page; `undo`: the address that takes back what was done (POST)."""
    messages.add_message(
        request, getattr(messages, level.upper()), translate(sentence, request.lang), extra_tags=undo
    )
