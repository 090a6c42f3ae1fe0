"""The app of inbound leads."""

from __future__ import annotations

from django.apps import AppConfig


class Inbound(AppConfig):
    """Forms on web sites."""

    name = "klientel.web.inbound"
    label = "inbound"
