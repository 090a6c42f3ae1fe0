"""The app of the API, which keeps answers, subscriptions and deliveries."""

from __future__ import annotations

from django.apps import AppConfig


class Api(AppConfig):
    """Named apart from other apps of that name."""

    name = "klientel.web.api"
    label = "api"

    def ready(self) -> None:
        """Read the settings of the API, so that a wrong one is refused at the start."""
        from klientel.web.api import limits

        assert limits.buckets
