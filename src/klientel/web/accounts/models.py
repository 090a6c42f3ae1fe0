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
