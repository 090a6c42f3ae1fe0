"""Addresses."""

from __future__ import annotations

from typing import Any

from django.urls import path

from klientel.web.pages.people import entry

app_name = "people"
urlpatterns: list[Any] = [
    path("sign-in", entry.sign_in, name="sign-in"),
    path("sign-out", entry.sign_out, name="sign-out"),
    path("language", entry.language, name="language"),
]
