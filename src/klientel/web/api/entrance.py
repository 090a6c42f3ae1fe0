"""Who asks: the holder of a bearer token, or the person of a session, whose changes need the CSRF token."""

from __future__ import annotations

import time
from typing import Any

from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from klientel.web.accounts import factors, rules, tokens
from klientel.web.api import limits
from klientel.web.api.problems import Problem, unauthenticated
from klientel.web.pages import shell
from klientel.words import LANGUAGES, mark


class Token(AuthBase):
    """`Authorization: Bearer TOKEN`."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: Any) -> Any:
        """The user, None where no token was sent; a token that does not hold is refused."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        known = scheme.lower() == "bearer"
        address = request.META.get("REMOTE_ADDR", "")
        found = tokens.holder(text.strip(), shell.now(), address=address) if known else None
        if found is None:
            raise unauthenticated()
        request.user, request.token = found
        _let_in(request, f"token {request.token.pk}")
        return request.user


class Session(AuthBase):
    """The session of a signed-in person, for pages of ours."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "sessionid"

    def __init__(self) -> None:
        self.param_name = self.openapi_name
        super().__init__()

    def __call__(self, request: Any) -> Any:
        """The user, None for strangers; changes without the CSRF token are refused."""
        if not request.user.is_authenticated:
            return None
        if (
            not request.session.get("strong")
            and rules.second_factor_needed()
            and not factors.has(request.user)
        ):
            raise Problem(
                "not-allowed", mark("This workspace wants a second factor; set one up on your page first.")
            )
        if check_csrf(request) is not None:
            raise Problem("not-allowed", mark("The CSRF token is missing or does not fit; send X-CSRFToken."))
        _let_in(request, f"user {request.user.pk}")
        return request.user


def language(asked: str, own: str) -> str:
    """The first of our languages that an Accept-Language header asks for, else the person's own."""
    for name, weight in parse_accept_lang_header(asked):
        known = str(name).partition("-")[0]
        if weight and known in LANGUAGES:
            return known
    return own


def _let_in(request: Any, key: str) -> None:
    """Language and rate of a request whose person is known."""
    request.lang = language(request.headers.get("Accept-Language", ""), request.user.language)
    translation.activate(request.lang)
    request.left = limits.buckets.take(key, time.monotonic())
    if not request.left.allowed:
        raise Problem("too-many", mark("That was too many requests for a minute; wait a little."))
