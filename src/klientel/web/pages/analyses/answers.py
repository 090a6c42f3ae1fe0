"""Answers for pages: what is kept at once, what is not by and by, what cannot be had as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klientel.result import Result
from klientel.web import books, results
from klientel.web.pages.analyses import waiting
from klientel.web.pages.analyses.waiting import FIRST, LATER, Waiting

__all__ = ["FIRST", "LATER", "NOT_ASKED", "Waiting", "get", "known", "soon"]


def get(question: results.Question, rank: int = FIRST, patience: float = 0.0) -> Result | Waiting:
    """The answer if it is kept; else what is waited for, which may have been refused (`why`).

    patience: seconds to wait before saying that it takes a while.
    """
    found = results.kept(question)
    if found is not None:
        return found
    one = waiting.ask(str(question.place()), _computation(question), rank)
    one.ended.wait(patience)
    return one.answer if isinstance(one.answer, Result) else one


def known(question: results.Question, state: books.State | None = None) -> Result | None:
    """The answer if it is kept; nothing is asked for."""
    return results.kept(question, state)


def soon(key: str, work: Callable[[Any], Any], rank: int = FIRST, patience: float = 0.0) -> Waiting:
    """Any other work that is done in line with the answers."""
    one = waiting.ask(key, work, rank)
    one.ended.wait(patience)
    return one


def _computation(question: results.Question) -> Callable[[Any], Result]:
    return lambda progress: results.give(question, progress)


NOT_ASKED = Waiting("", lambda progress: progress)
"""Stands for an answer that nobody asked for yet."""
