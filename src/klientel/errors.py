"""What can go wrong, each with a sentence that says what to do next."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class KlientelError(Exception):
    """Base of all errors shown to a person. `exit_code` is the one of the command line.

    The message is a sentence; give a `words.Sentence` so that it can be read in both languages.
    """

    exit_code = 1

    @property
    def sentence(self) -> str:
        """The message as it was given, a `words.Sentence` where the writer made one."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class MissingInput(KlientelError):
    """A table or column that the question needs is not in the Book."""

    exit_code = 2


class BadParameter(KlientelError):
    """A parameter has the wrong name, type or range."""

    exit_code = 2


class BadFile(KlientelError):
    """A file cannot be used at all: unreadable, empty, not a table."""

    exit_code = 2


class NotAllowed(KlientelError):
    """The person has no right to do that, or not with these customers."""


class NotEnoughData(KlientelError):
    """A figure cannot be computed on so little. Analyses catch it and answer with a red flag."""


class AnalysisFailed(KlientelError):
    """An analysis broke inside: a fault of ours, told with its name."""


class EngineFailed(KlientelError):
    """The database behind the Book refused or broke."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, for "did you mean ..."; None if nothing is near."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    found = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None
