"""What was imported, and the numbered snapshots that readers see."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Import(models.Model):
    """One import: its files, what it did, whether it was undone."""

    class State(models.TextChoices):
        """How far it is; only `done` is seen by readers."""

        STARTED = "started"
        DONE = "done"
        UNDONE = "undone"
        FAILED = "failed"

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.STARTED)
    files = models.JSONField(default=list)  # [{"name", "size", "sha256"}]
    options = models.JSONField(default=dict)  # mapping, currency, ... to do the same again
    counts = models.JSONField(default=dict)  # table -> {create, update, skip, conflict, rejected}
    undone_at = models.DateTimeField(null=True, blank=True)
    conflicts = models.JSONField(default=list)  # what undo left alone, because it was changed since

    def __str__(self) -> str:
        return f"Import {self.pk}"


class Snapshot(models.Model):
    """A whole state of the workspace: readers take the newest and keep it while they read.

    facts: name of the fact table -> version of its Delta table; a version above it is not part of the workspace.
    """

    number = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    why = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    book = models.JSONField(default=dict)  # what is known of the lines: rows, first and last day, currency
    import_run = models.ForeignKey(Import, models.SET_NULL, null=True, blank=True, related_name="snapshots")

    def __str__(self) -> str:
        return f"Snapshot {self.number}"


class Mapping(models.Model):
    """A saved mapping: which headers of which files go where, as `klientel.ingest.mapping.Template` writes it."""

    name = models.CharField(max_length=100, unique=True)
    content = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
