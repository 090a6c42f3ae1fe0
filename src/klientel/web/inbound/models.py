"""A form on a web site whose answers become leads."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class LeadForm(models.Model):
    """A form: its address is secret enough not to be guessed, but no secret. origins: sites that may send to it."""

    name = models.CharField(max_length=100, unique=True)
    token = models.CharField(max_length=43, unique=True)
    channel = models.CharField(max_length=100)
    rep = models.ForeignKey("records.Rep", models.SET_NULL, null=True, blank=True, related_name="+")
    origins = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    received = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
