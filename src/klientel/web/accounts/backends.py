"""Who a person is: by user name or e-mail address, and password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q

from klientel.web.accounts.models import User


def of_name(text: str) -> Any:
    """The user whom a typed text means: the user name, else the one user with that e-mail address; None else.

    Upper and lower case do not matter unless names differ in nothing else.
    """
    typed = text.strip()
    if not typed:
        return None
    found = list(User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).order_by("pk")[:10])
    ranks = (
        [one for one in found if one.username == typed],
        [one for one in found if one.username.casefold() == typed.casefold()],
        [one for one in found if one.email.casefold() == typed.casefold()],
    )
    for rank in ranks:
        if rank:
            return rank[0] if len(rank) == 1 else None
    return None


class NameOrMail(ModelBackend):
    """Django's own check of passwords, which takes as long for a name that does not exist as for a wrong password."""

    def authenticate(
        self, _request: Any, username: str | None = None, password: str | None = None, **_rest: Any
    ) -> Any:
        """The active user with that name or address and password; None otherwise."""
        if username is None or password is None:
            return None
        user = of_name(username)
        if user is None:
            User().set_password(password)  # as much work as a check
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user
        return None
