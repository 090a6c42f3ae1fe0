"""One file is one analysis; ANALYSES lists them in menu order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klientel.analyses.abc import abc
from klientel.analyses.audit import audit
from klientel.analyses.churn_risk import churn_risk
from klientel.analyses.cohorts import cohorts
from klientel.analyses.concentration import concentration
from klientel.analyses.customer_equity import customer_equity
from klientel.analyses.lifetime import lifetime
from klientel.analyses.lifetime_value import lifetime_value
from klientel.analyses.movement import movement
from klientel.analyses.renewals import renewals
from klientel.analyses.retention import retention
from klientel.analyses.rfm import rfm
from klientel.analyses.segments import segments
from klientel.analyses.xyz import xyz
from klientel.analysis import Analysis
from klientel.answer import Missing, lacking
from klientel.errors import BadParameter, nearest
from klientel.words import say

if TYPE_CHECKING:
    from klientel.book import Book

# In menu order. A new analysis is one file and one line here.
ANALYSES: dict[str, Analysis] = {
    a.name: a
    for a in (
        abc,
        concentration,
        xyz,
        segments,
        rfm,
        cohorts,
        retention,
        movement,
        audit,
        lifetime_value,
        customer_equity,
        churn_risk,
        lifetime,
        renewals,
    )
}


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


def unlocked(book: Book) -> tuple[list[Analysis], dict[str, Missing]]:
    """The analyses that a Book can answer, and what is missing for the others."""
    gaps = {name: lacking(book, analysis) for name, analysis in ANALYSES.items()}
    free = [a for name, a in ANALYSES.items() if gaps[name] is None]
    return free, {name: gap for name, gap in gaps.items() if gap is not None}
