"""Who was whose seller from when: customers change hands when a colleague comes, and now and then otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import Ints, dates, picked, texts
from klientel.demo.customers import customer_ids
from klientel.demo.days import Span
from klientel.demo.population import Population
from klientel.demo.sellers import IDS
from klientel.demo.selling import Selling

if TYPE_CHECKING:
    import pyarrow as pa

REASONS = ("new colleague", "change of territory")
NEWCOMER, GIVER = 2, 1  # V13 came in the middle of the years and took customers over from V12
_TEAM = ((0, 1, 2), (3, 4, 5), (6, 7))


@dataclass(frozen=True)
class Handovers:
    """Changes by index: customer, seller before (index into IDS), day. Afterwards it is today's owner."""

    table: pa.Table
    customer: Ints
    before: Ints
    day: Ints

    def owner(self, now: Ints, customer: Ints, day: Ints) -> Ints:
        """The seller of each customer on each day; now: today's owners."""
        changed = np.full(len(now), -1)
        changed[self.customer] = np.arange(len(self.customer))
        row = changed[customer]
        earlier = (row >= 0) & (day < self.day[np.maximum(row, 0)] if len(self.day) else False)
        return np.where(earlier, self.before[np.maximum(row, 0)] if len(self.day) else 0, now[customer])


def draw_handovers(
    rng: np.random.Generator, people: Population, owner: Ints, span: Span, selling: Selling
) -> Handovers:
    """Each customer changes hands once at most; the owner of the customer file is the last one."""
    import pyarrow as pa

    n = len(people)
    came = span.start + (span.end - span.start) * 11 // 20
    taken = (owner == NEWCOMER) & (rng.random(n) < selling.handover / 0.5)
    moved = (rng.random(n) < selling.moved) & ~taken
    team = np.array([next(k for k, t in enumerate(_TEAM) if o in t) for o in range(len(IDS))])[owner]
    pick = rng.random(n)
    other = np.array(
        [_colleague(t, o, u) for t, o, u in zip(team.tolist(), owner.tolist(), pick.tolist(), strict=True)]
    )
    day = np.where(taken, came, span.start + rng.integers(30, span.end - span.start - 30, n))
    rows = np.flatnonzero((taken | moved) & (people.acquired < day) & (people.dropout > day))
    rows = rows[np.lexsort((rows, day[rows]))]
    before = np.where(taken, GIVER, other)[rows]
    table = pa.table(
        {
            "customer_id": texts(customer_ids(n)[rows]),
            "attribute": pa.repeat(pa.scalar("owner_rep_id"), len(rows)),
            "valid_from": dates(day[rows]),
            "value": picked(IDS, owner[rows]),
            "before": picked(IDS, before),
            "reason": picked(REASONS, np.where(taken[rows], 0, 1)),
        }
    )
    return Handovers(table, rows, before, day[rows])


def _colleague(team: int, owner: int, u: float) -> int:
    others = [o for o in _TEAM[team] if o != owner]
    return others[int(u * len(others))]
