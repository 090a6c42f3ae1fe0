"""The app of the pages: templates, tags and static files."""

from __future__ import annotations

from django.apps import AppConfig


class Pages(AppConfig):
    """Holds no models."""

    name = "klientel.web.pages"
    label = "pages"
