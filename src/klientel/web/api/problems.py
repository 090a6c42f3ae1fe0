"""Errors of the API as problem JSON (RFC 9457): one sentence that says what to do, in the reader's language."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from klientel.errors import KlientelError, MissingInput, NotAllowed, nearest
from klientel.words import Word, mark, say, translate

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"

TITLES: dict[str, tuple[int, Word]] = {
    "bad-request": (400, mark("The request cannot be used")),
    "missing-input": (400, mark("Data is missing")),
    "unauthenticated": (401, mark("Nobody is signed in")),
    "not-allowed": (403, mark("Not allowed")),
    "not-found": (404, mark("Not found")),
    "no-such-method": (405, mark("That cannot be done here")),
    "outdated": (409, mark("Changed in the meantime")),
    "busy": (409, mark("Somebody else is writing")),
    "too-large": (413, mark("Too large")),
    "key-reused": (422, mark("The key was used for something else")),
    "too-many": (429, mark("Too many requests")),
    "broken": (500, mark("Something broke")),
}


class Problem(Exception):
    """A refusal with its kind (a key of `TITLES`), its sentence, and the field it is about."""

    def __init__(
        self, kind: str, sentence: str, field: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence
        self.field = field
        self.headers = dict(headers or {})


class Missing(Problem):
    """No such thing, or one that the person may not see: both are told alike."""

    def __init__(self) -> None:
        super().__init__("not-found", mark("There is nothing here, or you may not see it."))


def refused(request: Any, problem: Problem) -> HttpResponse:
    """A problem as an answer."""
    status, title = TITLES[problem.kind]
    lang = getattr(request, "lang", "en")
    body: dict[str, Any] = {
        "type": f"urn:klientel:problem:{problem.kind}",
        "title": translate(title, lang),
        "detail": translate(problem.sentence, lang),
        "status": status,
    }
    if problem.field:
        body["field"] = problem.field
    made = HttpResponse(json.dumps(body, ensure_ascii=False), content_type=MEDIA_TYPE, status=status)
    for name, value in problem.headers.items():
        made[name] = value
    return made


def told(error: Exception) -> Problem:
    """What went wrong, as a problem; what is no error of ours is a fault of ours, and goes to the server's log."""
    from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
    from django.db import OperationalError
    from django.http import Http404
    from ninja.errors import AuthenticationError, HttpError, ValidationError

    match error:
        case Problem():
            return error
        case NotAllowed():
            return Problem("not-allowed", error.sentence)
        case MissingInput():
            return Problem("missing-input", error.sentence)
        case KlientelError():
            return _of_ours(error)
        case ValidationError():
            return _of_form(error.errors[0] if error.errors else {})
        case AuthenticationError():
            return unauthenticated()
        case Http404():
            return Missing()
        case RequestDataTooBig() | TooManyFilesSent():
            return Problem("too-large", mark("That is more than one request may carry."))
        case OperationalError() if _locked(error):
            return _busy(mark("Somebody else is writing; try again in a moment."))
        case HttpError() | SuspiciousOperation():
            return Problem("bad-request", mark("The body cannot be read; it must be JSON in UTF-8."))
    _log.error("The API broke", exc_info=error)
    return Problem("broken", mark("This is a fault of ours; it is in the server's log."))


def unauthenticated() -> Problem:
    """Nobody is signed in, or the token does not hold."""
    sentence = mark("Send a token that holds: Authorization: Bearer TOKEN.")
    return Problem("unauthenticated", sentence, headers={"WWW-Authenticate": 'Bearer realm="klientel"'})


def unknown_parameter(name: str, known: list[str]) -> Problem:
    """A parameter that there is not, with the one that was meant."""
    like = nearest(name, known)
    hint = say("did you mean {near}?", near=like) if like else say("there are: {names}.", names=known or "–")
    return Problem("bad-request", say("There is no parameter {name}; {hint}", name=name, hint=hint), name)


def _of_ours(error: KlientelError) -> Problem:
    from klientel.errors import AnalysisFailed, EngineFailed
    from klientel.web.imports.receiving import TooLarge
    from klientel.web.imports.writing import Busy
    from klientel.web.records.changes import Outdated

    if isinstance(error, Outdated):
        return Problem("outdated", error.sentence)
    if isinstance(error, Busy):
        return _busy(error.sentence)
    if isinstance(error, TooLarge):
        return Problem("too-large", error.sentence)
    if isinstance(error, AnalysisFailed | EngineFailed):
        _log.error("An analysis failed", exc_info=error)
        return Problem("broken", error.sentence)
    return Problem("bad-request", error.sentence)


def _locked(error: Exception) -> bool:
    """True if a database gave up waiting for another writer: SQLite says so, or a lock timed out in PostgreSQL."""
    return "locked" in str(error) or getattr(error.__cause__, "sqlstate", None) in ("55P03", "40P01")


def _busy(sentence: str) -> Problem:
    return Problem("busy", sentence, headers={"Retry-After": "10"})


# What pydantic calls a mistake -> our sentence about it.
_MISTAKES: dict[str, Word] = {
    "missing": mark("{field} is needed."),
    "extra_forbidden": mark("There is no {field} here."),
    "int": mark("{field} must be a whole number."),
    "decimal": mark("{field} must be a number."),
    "float": mark("{field} must be a number."),
    "bool": mark("{field} must be true or false."),
    "string_too_long": mark("{field} is too long."),
    "string": mark("{field} must be a text."),
    "date": mark("{field} must be a date such as 2024-03-01."),
    "moment_form": mark("{field} must be a moment such as 2024-03-01T12:00:00Z."),
    "literal_error": mark("{field} is one of {expected}."),
    "enum": mark("{field} is one of {expected}."),
    "greater_than": mark("{field} is too small."),
    "less_than": mark("{field} is too large."),
    "list": mark("{field} must be a list."),
    "dict": mark("{field} must be an object."),
    "too_long": mark("{field} holds too many."),
}


def _of_form(mistake: Mapping[str, Any]) -> Problem:
    """The first mistake of a request's form, in our words."""
    place = [str(part) for part in mistake.get("loc", ())][1:]
    field = ".".join(place[1:] if place[:1] in (["body"], ["asked"]) else place)
    kind = str(mistake.get("type", ""))
    found = max((k for k in _MISTAKES if kind.startswith(k)), key=len, default="")
    template = _MISTAKES[found] if found else mark("{field} does not have the form that is needed.")
    expected = str(mistake.get("ctx", {}).get("expected", ""))
    sentence = say(
        template, field=field or "body", **({"expected": expected} if "expected" in template else {})
    )
    return Problem("bad-request", sentence, field)
