"""The app of jobs."""

from __future__ import annotations

from django.apps import AppConfig


class Jobs(AppConfig):
    """Work that takes longer than a page may."""

    name = "klientel.web.jobs"
    label = "jobs"
