"""One file is one analysis; ANALYSES lists them in menu order."""

from __future__ import annotations

from klientel.analysis import Analysis
from klientel.errors import BadParameter, nearest
from klientel.words import say

ANALYSES: dict[str, Analysis] = {a.name: a for a in ()}


def find(name: str) -> Analysis:
    """The analysis of that name; BadParameter with a suggestion if there is none."""
    if name in ANALYSES:
        return ANALYSES[name]
    near = nearest(name, ANALYSES)
    if near:
        raise BadParameter(say("There is no analysis {name}; did you mean {near}?", name=name, near=near))
    raise BadParameter(
        say("There is no analysis {name}; there are: {names}.", name=name, names=list(ANALYSES))
    )
