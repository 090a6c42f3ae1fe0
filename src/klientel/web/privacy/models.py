"""What was erased, without saying whose it was, and how long what is kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Erasure(models.Model):
    """The protocol of one erasure: when, by whom, why, how many places; no personal data.

    state: `begun` until every old copy is off the disk, which a killed erasure leaves for the next writer.
    """

    class State(models.TextChoices):
        """How far it is."""

        BEGUN = "begun"
        DONE = "done"

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=200)  # "request", "retention", ...
    token = models.CharField(max_length=40)  # stands where the person stood
    model = models.CharField(max_length=50)
    counts = models.JSONField(default=dict)  # place -> how many
    state = models.CharField(max_length=10, choices=State.choices, default=State.BEGUN)

    def __str__(self) -> str:
        return f"Erasure {self.pk}"


class Erased(models.Model):
    """A keyed digest of what an erased person was known by, and what stands for the person now; names nobody."""

    digest = models.CharField(max_length=64, unique=True)
    number = models.CharField(max_length=300)  # of the record that stays
    token = models.CharField(max_length=40)  # its name
    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="digests")

    def __str__(self) -> str:
        return self.token


class RetentionRule(models.Model):
    """How many months something is kept, at most; `purpose` narrows a rule on notes."""

    model = models.CharField(max_length=50)
    purpose = models.CharField(max_length=300, blank=True, default="")
    months = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "purpose"], name="one_rule_per_purpose")]

    def __str__(self) -> str:
        return f"{self.model} {self.purpose}: {self.months}"
