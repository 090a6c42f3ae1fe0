"""A piece of long work: who wants it, how far it is, what came of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Job(models.Model):
    """One job. How far a running one is lies in a file beside the database (see `live`), which nobody locks.

    what: the sentence of the last step; why: the sentence that says what went wrong (both as `values.kept` writes
    them); result: {"said": sentence, "address": [name of a page, arguments...], ...}. A job goes with its person:
    without one it would be nobody's, and nobody may do anything.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    what = models.JSONField(null=True, blank=True)
    why = models.JSONField(null=True, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)  # last sign of life that was seen

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="jobs_by_state")]

    def __str__(self) -> str:
        return f"Job {self.pk}"

    @property
    def ended(self) -> bool:
        """True if nothing more happens to it."""
        return self.state not in (self.State.WAITING, self.State.RUNNING)
