"""Where to go next: only to pages of this server."""

from __future__ import annotations

from typing import Any

from django.utils.http import url_has_allowed_host_and_scheme


def onward(request: Any, default: str = "/") -> str:
    """The `next` of a request if it is a path on this server, else `default`."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    return wanted if local(wanted) else default


def local(path: str) -> bool:
    """True for a path on this server: no other host, no scheme, nothing that browsers read as one."""
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
