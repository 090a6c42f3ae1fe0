"""Whose customers a person may read, change, export, see margins of and see personal data of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

from klientel.words import Word, mark

ACTIONS: dict[str, Word] = {
    "read": mark("read"),
    "write": mark("alter"),
    "export": mark("export"),
    "margin": mark("see costs and margins"),
    "personal": mark("see personal data"),
}
SCOPES = ("own", "team", "subtree", "all")


@dataclass(frozen=True)
class Reach:
    """Whose customers: everybody's, or those of these sales people; `users` are the people behind them."""

    everybody: bool = False
    reps: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()

    @property
    def nobody(self) -> bool:
        """True if it reaches no customer at all."""
        return not (self.everybody or self.reps or self.users)


NOBODY = Reach()
EVERYBODY = Reach(everybody=True)


@dataclass(frozen=True)
class Access:
    """What a person may do on a day, action by action. Made by `access`.

    actor: the user, or None for the owner of the folder on the command line, who may do everything.
    """

    actor: Any
    day: date
    reaches: Mapping[str, Reach]

    def reach(self, action: str) -> Reach:
        """How far an action reaches; KeyError for an action that does not exist."""
        return self.reaches[action]

    def may(self, action: str) -> bool:
        """True if the action is allowed with at least some customers."""
        return not self.reaches[action].nobody

    def everything(self, action: str) -> bool:
        """True if the action is allowed with everybody's customers."""
        return self.reaches[action].everybody

    @property
    def unlimited(self) -> bool:
        """True if nothing at all is kept from this person."""
        return all(self.reaches[action].everybody for action in ACTIONS)

    def condition(self, action: str) -> Any:
        """The customers of an action as a condition on `records.Company`."""
        from klientel.web.rights.members import companies_of

        return companies_of(self.reaches[action], self.day)

    def companies(self, action: str = "read") -> Any:
        """The customers of an action, deleted ones too: a query of `records.Company`."""
        from klientel.web.records.models import Company

        return Company._base_manager.filter(self.condition(action))

    def numbers(self, action: str = "read") -> frozenset[str] | None:
        """The numbers of the customers of an action; None means everybody's."""
        if self.reaches[action].everybody:
            return None
        if action not in self._numbers:
            self._numbers[action] = frozenset(self.companies(action).values_list("number", flat=True))
        return self._numbers[action]

    def rep_numbers(self, action: str = "read") -> frozenset[str] | None:
        """The numbers of the sales people of an action; None means all of them."""
        if self.reaches[action].everybody:
            return None
        from klientel.web.records.models import Rep

        found = Rep._base_manager.filter(pk__in=self.reaches[action].reps)
        return frozenset(found.values_list("number", flat=True))

    @cached_property
    def written(self) -> dict[tuple[str, str], Any]:
        """Queries of what is reached, by model and action, as SQL with its values; see `lists.within`."""
        return {}

    @cached_property
    def _numbers(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def key(self) -> str:
        """Stands for all that the person may see: results may be shared exactly between equal keys."""
        parts = []
        for action in ("read", "export", "margin", "personal"):
            held = (self.numbers(action), self.rep_numbers(action))
            parts += ["*" if found is None else "\x1f".join(sorted(found)) for found in held]
        return sha256("\x1e".join(parts).encode()).hexdigest()


def access(actor: Any, as_of: date | None = None) -> Access:
    """What `actor` may do on a day.

    actor: an `accounts.User`, None for the owner of the folder (everything), or an Access, which is given back.
    as_of: the day whose memberships count, default today: a right is a matter of now, so a Book of an old date
    holds the customers that the person may see today, not those that somebody saw then. Everything that is not
    granted is refused; people who are not active may do nothing. An actor with `limited_to` (the holder of a token,
    see `accounts.tokens`) may do no more than those actions.
    """
    if isinstance(actor, Access):
        return actor
    found = _whole(actor, as_of)
    limited = getattr(actor, "limited_to", None)
    if limited is None:
        return found
    reaches = {action: reach if action in limited else NOBODY for action, reach in found.reaches.items()}
    return Access(actor, found.day, reaches)


def _whole(actor: Any, as_of: date | None) -> Access:
    from django.utils import timezone

    day = as_of or timezone.localdate()
    if actor is None:
        return Access(None, day, dict.fromkeys(ACTIONS, EVERYBODY))
    if not getattr(actor, "pk", None) or not actor.is_active:
        return Access(actor, day, dict.fromkeys(ACTIONS, NOBODY))
    if actor.is_superuser:
        return Access(actor, day, dict.fromkeys(ACTIONS, EVERYBODY))
    scopes = granted(actor)
    made = {scope: _reach(actor, scope) for scope in set(scopes.values())}
    reaches = {action: made.get(scopes.get(action, ""), NOBODY) for action in ACTIONS}
    return Access(actor, day, reaches)


def granted(user: Any) -> dict[str, str]:
    """Action -> scope of a user's grants; what may not be read may not be changed, exported or looked into."""
    from klientel.web.accounts.models import Grant

    found = dict(Grant.objects.filter(user=user).values_list("action", "scope"))
    known = {a: s for a, s in found.items() if a in ACTIONS and s in SCOPES}
    if "read" not in known:
        return {}
    most = SCOPES.index(known["read"])
    return {action: SCOPES[min(SCOPES.index(scope), most)] for action, scope in known.items()}


def _reach(user: Any, scope: str) -> Reach:
    if scope == "all":
        return EVERYBODY
    from klientel.web.rights.people import sales_people

    found = sales_people(user, scope)
    users = {person.rep.user_id for person in found if person.rep.user_id} | {user.pk}
    return Reach(reps=frozenset(person.rep.pk for person in found), users=frozenset(users))
