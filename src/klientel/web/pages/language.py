"""Which language a page speaks: the person's own, else what the browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import translation

from klientel.words import LANGUAGES

COOKIE = "language"


class Language:
    """Sets `request.lang`, and Django's language for its own texts."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """The answer in the language of whoever asks."""
        request.lang = chosen(request)
        with translation.override(request.lang):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.lang)
        return response


def chosen(request: Any) -> str:
    """The language of a request: of the signed-in person, of the cookie, of the browser; English else."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.language in LANGUAGES:
        return str(user.language)
    kept = request.COOKIES.get(COOKIE, "")
    if kept in LANGUAGES:
        return str(kept)
    found = translation.get_language_from_request(request)[:2]
    return found if found in LANGUAGES else "en"
