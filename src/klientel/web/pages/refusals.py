"""Errors as pages: one sentence that says what to do, never a trace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)

from klientel.errors import KlientelError, NotAllowed
from klientel.web.pages import shell
from klientel.web.pages.language import chosen
from klientel.words import mark, say, translate

_log = logging.getLogger(__name__)
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


class Refusals:
    """Turns our errors into pages with the right status."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Passes the request on."""
        return self.get_response(request)

    def process_exception(self, request: Any, error: Exception) -> Any:
        """403 for what a person may not do, 400 for other errors of ours; the rest goes on."""
        if isinstance(error, NotAllowed):
            return refused(request, error.sentence, 403)
        if isinstance(error, KlientelError):
            return refused(request, error.sentence, 400)
        return unreadable(request, error) if isinstance(error, TOO_MUCH) else None


def refused(request: Any, sentence: str, status: int) -> Any:
    """The page that says why not."""
    titles = {
        400: mark("That did not work"),
        403: mark("Not allowed"),
        404: mark("Not found"),
        413: mark("Too large"),
        500: mark("Something broke"),
    }
    # Some refusals come before the language is known.
    lang = getattr(request, "lang", None) or chosen(request)
    request.lang = lang
    context = {
        "title": translate(titles[status], lang),
        "sentence": translate(sentence, lang),
        "status": status,
    }
    return shell.page(request, "pages/refused.html", context, status=status)


def forbidden(request: Any, exception: Exception | None = None, *, reason: str = "") -> Any:
    """Django's own refusals, such as a missing CSRF token (`reason` says more, to programmers)."""
    return refused(
        request, mark("This is not allowed, or the page was open for too long. Load it again."), 403
    )


def unreadable(request: Any, exception: Exception | None = None) -> Any:
    """What cannot be taken: 413 for more than one request may carry, else 400."""
    if isinstance(exception, TOO_MUCH):
        return refused(request, say("That is more than one request may carry."), 413)
    if isinstance(exception, DisallowedHost):
        return refused(
            request,
            mark(
                "The server does not answer to this name. Whoever runs it lists its names in KLIENTEL_HOSTS."
            ),
            400,
        )
    return refused(request, mark("The server cannot read what was sent."), 400)


def not_found(request: Any, exception: Exception) -> Any:
    """No such page or record, or one that the person may not see."""
    return refused(request, mark("There is nothing here, or you may not see it."), 404)


def broken(request: Any) -> Any:
    """A fault of ours; the server's log has it."""
    return refused(request, mark("This is a fault of ours; it is in the server's log."), 500)
