"""How long what happened at the door is kept: the worker clears up each hour, and every start of the server."""

from __future__ import annotations

from datetime import datetime

from klientel.web.accounts import attempts, events, links, sessions


def tidy(at: datetime) -> None:
    """Remove attempts, events, one-time links and sessions whose time is over."""
    for old in (attempts, events, links):
        old.forget(at)
    sessions.tidy(at)
