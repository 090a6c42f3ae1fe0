"""Users, teams with a reporting tree, and grants: who may do what with whose customers."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Team(models.Model):
    """A team; its parent is the team that it reports to."""

    name = models.CharField(max_length=200, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. `rep` of records ties a user to the sales person whose customers are "own"."""

    language = models.CharField(max_length=5, default="en", choices=[("en", "English"), ("de", "Deutsch")])
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="users")

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class Grant(models.Model):
    """A right of a user: an action, and how far it reaches."""

    class Action(models.TextChoices):
        """What may be done."""

        READ = "read"
        WRITE = "write"
        EXPORT = "export"
        MARGIN = "margin"  # see costs and margins
        PERSONAL = "personal"  # see personal data

    class Scope(models.TextChoices):
        """Whose customers: one's own, those of the team, of the team and the teams below it, everybody's."""

        OWN = "own"
        TEAM = "team"
        SUBTREE = "subtree"
        ALL = "all"

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    action = models.CharField(max_length=10, choices=Action.choices)
    scope = models.CharField(max_length=10, choices=Scope.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "action"], name="one_scope_per_action")]

    def __str__(self) -> str:
        return f"{self.user}: {self.action} {self.scope}"


class Session(models.Model):
    """A browser that is signed in: who, since when, from where. Its content is Django's, under the same key."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    key = models.CharField(max_length=40, unique=True)
    way = models.CharField(max_length=20, default="password")  # "password", "passkey", "link", "provider"
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.user} {self.started_at}"


class Attempts(models.Model):
    """Failed attempts under one key, such as a user name or an address, of which only a hash is kept."""

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.failures}"


class Link(models.Model):
    """A link that works once: makes the first administrator, or signs its user in. Only a hash is kept."""

    kind = models.CharField(max_length=20)  # "welcome", "sign-in"
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.made_at}"


class Factor(models.Model):
    """A second factor: an authenticator app, recovery codes or a passkey. `secret` is encrypted."""

    class Kind(models.TextChoices):
        """What it is."""

        APP = "app"
        CODES = "codes"
        PASSKEY = "passkey"

    user = models.ForeignKey(User, models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=100, blank=True)
    handle = models.CharField(max_length=1400, blank=True)  # of a passkey: its credential id
    secret = models.TextField()
    counter = models.BigIntegerField(default=0)  # the newest step or signature seen: nothing works twice
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"], condition=~models.Q(kind="passkey"), name="one_app_one_list_of_codes"
            ),
            models.UniqueConstraint(
                fields=["handle"], condition=~models.Q(handle=""), name="a_passkey_belongs_to_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.kind}"


class ApiToken(models.Model):
    """A token for programs, which may do part of what its user may. Only a hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    scopes = models.JSONField()  # actions of Grant
    digest = models.CharField(max_length=64, unique=True)
    start = models.CharField(max_length=12)  # its first letters, to know it by
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} {self.name}"


class Identity(models.Model):
    """Whom a provider of identities means: its issuer and subject, tied to a user at the first sign-in."""

    user = models.ForeignKey(User, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_user_per_identity")]

    def __str__(self) -> str:
        return f"{self.user} {self.issuer}"


class Event(models.Model):
    """What happened at the door: sign-ins, failures, lockouts, second factors, tokens. `Change` has the rights."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="events")
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="event_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.kind}"


class Setting(models.Model):
    """A setting of the workspace that administrators change, such as "second_factor"."""

    name = models.CharField(max_length=40, unique=True)
    value = models.JSONField()

    def __str__(self) -> str:
        return self.name
