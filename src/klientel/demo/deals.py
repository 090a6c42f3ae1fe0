"""Opportunities: who is won, in which stages a deal lies how long, and what is still open at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Flags, Floats, Ints
from klientel.demo.contracts import Contracts
from klientel.demo.days import YEAR, Span
from klientel.demo.population import Population
from klientel.demo.selling import CHANNELS, EXPANSION, NEW, RENEWAL, STAGES, Selling

if TYPE_CHECKING:
    import pyarrow as pa

WON, LOST, UNDECIDED = range(3)
EXISTING = len(CHANNELS)  # source of deals with customers
BEFORE = 500  # days before the data in which deals begin that reach into it, and as many after it
NOWHERE = 9


@dataclass
class Deals:
    """Deals by index, by day of creation; all days are the true ones, also those after the end of the data.

    kind, source: index into KINDS and CHANNELS (EXISTING: a customer asked). company: row of the customer
    table, -1 for companies that only sales knows. entered: deals x stages, NEVER where a stage was skipped
    or not reached. closed: day, result: WON, LOST or UNDECIDED. amount: cents of the currency. size: size
    class of the company. contract: row of the contract that a renewal continues, else -1.
    """

    kind: Ints
    source: Ints
    company: Ints
    size: Ints
    created: Ints
    entered: Ints
    closed: Ints
    result: Ints
    amount: Ints
    contract: Ints

    def __len__(self) -> int:
        """Number of deals."""
        return len(self.kind)

    def take(self, rows: Ints | Flags) -> Deals:
        """These deals only."""
        return Deals(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def draw_deals(
    rng: np.random.Generator,
    people: Population,
    customers: pa.Table,
    contracts: Contracts,
    span: Span,
    selling: Selling,
) -> Deals:
    """New business, more business with customers, renewals of framework contracts; none closed before the data."""
    channel = np.array([CHANNELS.index(c) for c in customers["acquisition_channel"].to_pylist()])
    parts = [
        *_new(rng, people, channel[: len(people)], span, selling),
        _expansions(rng, people, span, selling),
        _renewals(rng, people, contracts, selling),
    ]
    whole = Deals(*(np.concatenate([getattr(p, name) for p in parts]) for name in Deals.__dataclass_fields__))
    whole = whole.take((whole.closed >= span.start) & (whole.created < span.end))
    whole = whole.take(np.lexsort((whole.closed, whole.kind, whole.created)))
    _to_outsiders(whole, customers, channel, len(people), span)
    return whole


def _new(
    rng: np.random.Generator, people: Population, channel: Ints, span: Span, selling: Selling
) -> list[Deals]:
    """Won: the newcomers, and as many a day after the data; lost: by channel, so that the win rates hold."""
    rows = np.flatnonzero(people.newcomer)
    length = span.end - span.start
    shares = np.bincount(channel, minlength=len(CHANNELS)) / len(channel)
    later = int(rng.poisson(len(rows) / length * BEFORE))
    source = np.concatenate([channel[rows], rng.choice(len(CHANNELS), later, p=shares)])
    company = np.concatenate([rows, np.full(later, -1)])
    closed = np.concatenate(
        [people.acquired[rows] - rng.integers(0, 11, len(rows)), span.end + rng.integers(0, BEFORE, later)]
    )
    stay = _stays(rng, np.full(len(source), NEW), np.full(len(source), NOWHERE), selling)
    like = rows if len(rows) else np.arange(len(people))
    model = np.concatenate([rows, rng.choice(like, later)])
    won = _deals(rng, people, NEW, source, company, model, closed - stay.sum(axis=1), stay, WON, selling)
    win = np.array(selling.win_new)
    lost = rng.poisson(len(rows) / length * shares * (1 - win) / win * (length + BEFORE))
    source = np.repeat(np.arange(len(CHANNELS)), lost)
    created = span.start - BEFORE + rng.integers(0, length + BEFORE, len(source))
    where = rng.choice(len(STAGES), len(source), p=selling.leaves)
    stay = _stays(rng, np.full(len(source), NEW), where, selling)
    result = np.where(rng.random(len(source)) < selling.no_decision, UNDECIDED, LOST)
    nobody = np.full(len(source), -1)
    model = rng.choice(like, len(source))
    return [won, _deals(rng, people, NEW, source, nobody, model, created, stay, result, selling)]


def _expansions(rng: np.random.Generator, people: Population, span: Span, selling: Selling) -> Deals:
    """A Poisson process per customer, while the customer lives and for two months is one."""
    rate = np.array(selling.expansions)[people.size]
    length = span.end - span.start + BEFORE
    who = np.repeat(np.arange(len(people)), rng.poisson(rate * length / YEAR))
    created = span.start - BEFORE + rng.integers(0, length, len(who))
    lives = (created < people.pause_start[who]) | (
        (created >= people.pause_end[who]) & (created < people.dropout[who])
    )
    lives &= (created >= people.acquired[who] + 60) & (created < people.merged_on[who])
    who, created = who[lives], created[lives]
    won = rng.random(len(who)) < selling.win_expansion
    where = np.where(won, NOWHERE, rng.choice(len(STAGES), len(who), p=selling.leaves))
    stay = _stays(rng, np.full(len(who), EXPANSION), where, selling)
    undecided = rng.random(len(who)) < selling.no_decision
    result = np.where(won, WON, np.where(undecided, UNDECIDED, LOST))
    source = np.full(len(who), EXISTING)
    return _deals(rng, people, EXPANSION, source, who, who, created, stay, result, selling)


def _renewals(rng: np.random.Generator, people: Population, contracts: Contracts, selling: Selling) -> Deals:
    """One per term of a framework contract: won if it was renewed, lost if it ended, else still open."""
    status = np.array(contracts.table["status"].to_pylist())
    rows = np.flatnonzero(
        ~contracts.service & np.isin(status, ["renewed", "expired", "terminated", "running"])
    )
    end, who = contracts.end[rows], contracts.customer[rows]
    goes_on = (status[rows] == "renewed") | ((status[rows] == "running") & (people.pause_start[who] > end))
    # Whoever leaves inside a term is asked too late: the talks begin when the notice is near.
    result = np.where(goes_on, WON, LOST)
    created = end - selling.renewal_lead
    share = np.where(goes_on, rng.uniform(0.5, 0.95, len(rows)), rng.uniform(0.78, 1.0, len(rows)))
    days = np.round(share * selling.renewal_lead).astype(np.int64)
    parts = np.cumsum(rng.dirichlet((2.0, 3.0, 3.0), len(rows)), axis=1) * days[:, None]
    entered = np.full((len(rows), len(STAGES)), NEVER)
    entered[:, 0] = created
    entered[:, 2] = created + parts[:, 0].astype(np.int64)
    entered[:, 3] = created + parts[:, 1].astype(np.int64)
    n = len(rows)
    return Deals(
        np.full(n, RENEWAL), np.full(n, EXISTING), who, people.size[who], created, entered, created + days,
        result, contracts.amount[rows], rows,
    )  # fmt: skip


def _stays(rng: np.random.Generator, kind: Ints, where: Ints, selling: Selling) -> Ints:
    """Days in each stage, 0 where it is skipped or not reached. where: stage in which the deal ends, or NOWHERE."""
    pace = np.array(selling.pace)[kind]
    median = np.array(selling.stage_days)[None, :] * pace[:, None]
    days = median * np.exp(selling.stage_sigma * rng.standard_normal(median.shape))
    stay = np.maximum(np.round(days), 1).astype(np.int64)
    skipped = (rng.random(len(kind)) < np.array(selling.skips_needs)[kind]) & (where != 1)
    stay[skipped, 1] = 0
    stay[np.arange(len(STAGES))[None, :] > where[:, None]] = 0
    return np.asarray(stay, dtype=np.int64)


def _deals(
    rng: np.random.Generator,
    people: Population,
    kind: int,
    source: Ints,
    company: Ints,
    model: Ints,
    created: Ints,
    stay: Ints,
    result: Ints | int,
    selling: Selling,
) -> Deals:
    """Put deals together; their value follows the yearly purchases of the customers in `model`."""
    n = len(source)
    median, sigma = selling.new_share if kind == NEW else selling.expansion_share
    value = people.yearly()[model] * median * np.exp(sigma * rng.standard_normal(n))
    passed = created[:, None] + np.cumsum(stay, axis=1) - stay
    entered = np.where(stay > 0, passed, NEVER)
    return Deals(
        np.full(n, kind), source, company, people.size[model], created, entered, created + stay.sum(axis=1),
        np.zeros(n, dtype=np.int64) + result, np.maximum(np.round(value, -2), 300).astype(np.int64) * 100,
        np.full(n, -1),
    )  # fmt: skip


def _to_outsiders(deals: Deals, customers: pa.Table, channel: Ints, inside: int, span: Span) -> None:
    """Open new deals belong to prospects of the customer file, the last lost ones to its leads, by channel."""
    relation = np.array(customers["relation_type"].to_pylist())
    open_ = deals.closed >= span.end
    for kind, mine in (("prospect", open_), ("lead", ~open_ & (deals.result != WON))):
        free = [r for r in np.flatnonzero(relation == kind).tolist() if r >= inside]
        rows = np.flatnonzero(mine & (deals.kind == NEW) & (deals.company < 0))
        for row in rows[np.argsort(-deals.created[rows], kind="stable")].tolist():
            found = next((r for r in free if channel[r] == deals.source[row]), None)
            if found is not None:
                free.remove(found)
                deals.company[row] = found


def open_stage(deals: Deals, day: int) -> Ints:
    """Stage of every deal on a day (index into STAGES): the last one entered before it."""
    inside = deals.entered < day
    return np.asarray(len(STAGES) - 1 - np.argmax(inside[:, ::-1], axis=1), dtype=np.int64)


def stays(deals: Deals) -> Floats:
    """True days in each stage, deals x stages; NaN where a stage was skipped or not reached."""
    after = np.where(deals.entered < NEVER, deals.entered, deals.closed[:, None])
    following = np.minimum.accumulate(
        np.concatenate([after[:, 1:], deals.closed[:, None]], axis=1)[:, ::-1], axis=1
    )[:, ::-1]
    return np.where(deals.entered < NEVER, following - deals.entered, np.nan)
