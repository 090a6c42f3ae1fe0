"""What a browser may do with our pages: nothing from elsewhere, no script or style inside the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


class Policy:
    """Puts the security headers on every answer, those of static files too."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """The answer with its headers; pages are never kept by caches on the way."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT)
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.setdefault("Cache-Control", "private, no-store")
        return response
