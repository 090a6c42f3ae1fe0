"""Where to go next: only to pages of this server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

_DIGITS = 18  # which databases hold


def onward(request: Any, default: str = "/") -> str:
    """The `next` of a request if it is a path on this server, else `default`."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    return wanted if local(wanted) else default


def number(text: Any) -> int | None:
    """The id that a form or address holds; None for what is none, or longer than any."""
    told = str(text or "")
    return int(told) if told.isdecimal() and len(told) <= _DIGITS else None


def open_to_all(path: str) -> bool:
    """True for a page of ours that strangers may open, such as an invitation."""
    try:
        view = resolve(urlsplit(path).path).func
    except (Resolver404, ValueError):
        return False
    return not getattr(view, "login_required", True)


def local(path: str) -> bool:
    """True for a path on this server: no other host, no scheme, nothing that browsers read as one."""
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
