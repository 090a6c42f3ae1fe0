"""What the API keeps: answers under their keys, subscriptions, what is to be delivered and was."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Kept(models.Model):
    """An answer given under an Idempotency-Key; `asked` tells two questions apart. Erasure deletes all of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    asked = models.CharField(max_length=64)
    status = models.IntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["at"], name="kept_at")]

    def __str__(self) -> str:
        return self.key


class Horizon(models.Model):
    """How far the log of changes is settled (see `settled`): no transaction can still add a change below `safe`."""

    safe = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    over = models.BigIntegerField(
        default=0
    )  # the transaction id before which all must have ended for `pending`

    def __str__(self) -> str:
        return str(self.safe)


class Subscription(models.Model):
    """An address that is told of changes; its secret is made from `salt` and the workspace's own, never kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions")
    url = models.CharField(max_length=2000)
    events = models.JSONField(default=list)  # "companies.created", "deals.*", "*"
    salt = models.CharField(max_length=64)
    at = models.DateTimeField()
    active = models.BooleanField(default=True)
    why = models.CharField(max_length=300, blank=True, default="")  # why it is not active
    change = models.BigIntegerField(default=0)  # the newest change that was looked at
    snapshot = models.BigIntegerField(default=0)  # the newest snapshot that was looked at
    failures = models.IntegerField(default=0)  # deliveries given up in a row

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to one subscription; `body` names records and fields, never what they hold."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given up"

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=64)
    kind = models.CharField(max_length=100)
    body = models.TextField()
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.IntegerField(default=0)
    next_at = models.DateTimeField()
    answered = models.IntegerField(null=True)  # the status of the last answer
    why = models.CharField(max_length=300, blank=True, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "event"], name="each_event_once")]
        indexes = [models.Index(fields=["state", "next_at"], name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.event}"
