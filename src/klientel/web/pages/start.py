"""The first page."""

from __future__ import annotations

from typing import Any

from klientel.web.pages import shell


def home(request: Any) -> Any:
    """My portfolio today."""
    return shell.page(request, "pages/home.html")
