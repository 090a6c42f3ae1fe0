"""The app of privacy."""

from django.apps import AppConfig


class Privacy(AppConfig):
    """Erasures and retention rules."""

    name = "klientel.web.privacy"
    label = "privacy"
