"""A workspace opened with the eyes of one of its users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter, NotAllowed
from klientel.words import say

if TYPE_CHECKING:
    from klientel.book import Book


def opened_as(name: str, action: str) -> Callable[..., Book]:
    """What opens a Book as `klientel.open_book` does, narrowed to what the user `name` may read (or export).

    The function raises BadParameter for anything but a workspace or an unknown user, NotAllowed if the action was
    not granted at all.
    """

    def opened(sources: Sequence[str], **options: Any) -> Book:
        from klientel.web import home as homes

        given = [options.pop(key, None) for key in ("map", "template", "save_template")]
        if len(sources) != 1 or not homes.is_workspace(Path(sources[0])):
            raise BadParameter(say("--as needs a workspace as the one source; files have no users."))
        if any(given):
            raise BadParameter(
                say("A workspace is mapped already; --map and --template belong to `klientel import`.")
            )
        home = homes.find(sources[0])
        from klientel.web import books
        from klientel.web.accounts.services import find_user
        from klientel.web.rights import ACTIONS, access

        user = find_user(name)
        if not access(user).may(action):
            raise NotAllowed(say("{who} may not {what}.", who=name, what=ACTIONS[action]))
        return books.open_book(home, actor=user, action=action, **options)

    return opened
