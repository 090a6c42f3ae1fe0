"""The addresses of the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path

from klientel.web.api import document
from klientel.web.api.interface import api
from klientel.web.api.problems import Missing, refused


@login_not_required
def nothing(request: Any) -> Any:
    """Addresses that there are not."""
    return refused(request, Missing())


nothing.csrf_exempt = True


def _open(patterns: Any) -> Any:
    """The API asks for a token itself and sends nobody to the sign-in page."""
    for one in patterns:
        login_not_required(one.callback)
    return patterns


app_name = "api"
urlpatterns = [
    path("", document.page, name="page"),
    path("openapi.json", document.openapi, name="openapi"),
    *_open([p for p in api.urls[0] if p.name != "api-root"]),
    re_path(r"^.*$", nothing),
]
