"""The app of the API, which keeps answers, subscriptions and deliveries."""

from __future__ import annotations

from django.apps import AppConfig


class Api(AppConfig):
    """Named apart from other apps of that name."""

    name = "klientel.web.api"
    label = "api"
