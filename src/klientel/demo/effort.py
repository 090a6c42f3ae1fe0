"""Interactions: calls, visits, mails; what they take and what they come to. Some customers take far too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import Flags, Floats, Ints, Texts, dates, numbered, picked, texts
from klientel.demo.contacts import Contacts
from klientel.demo.days import YEAR, Span, calendar, holidays
from klientel.demo.deals import Deals
from klientel.demo.handovers import Handovers
from klientel.demo.population import Population
from klientel.demo.sellers import IDS
from klientel.demo.selling import TOUCHES, Selling

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOMES = tuple(dict.fromkeys(name for t in TOUCHES for name, _ in t.outcomes))
_IN_DEALS = np.array([0.30, 0.30, 0.22, 0.15, 0.0, 0.0, 0.03])  # shares of TOUCHES in deals


@dataclass(frozen=True)
class Effort:
    """The interactions and the laws behind them. rate: a year and customer, with time_taker already in it."""

    table: pa.Table
    time_taker: Flags
    rate: Floats


def draw_effort(
    rng: np.random.Generator,
    people: Population,
    contacts: Contacts,
    deals: Deals,
    owner: Ints,
    handovers: Handovers,
    span: Span,
    selling: Selling,
) -> Effort:
    """A Poisson process per customer while the customer lives (and two months longer), and more for deals."""
    taker = (rng.random(len(people)) < selling.time_takers) & (people.size <= 1) & ~people.key_account
    rate = np.array(selling.touches)[people.size] * rng.gamma(
        selling.touch_shape, 1 / selling.touch_shape, len(people)
    )
    rate = np.where(taker, rate * selling.time_taken, rate)
    who, day = _usual(rng, people, rate, span)
    kind = rng.choice(len(TOUCHES), len(who), p=[t.share for t in TOUCHES])
    deal, moment = _of_deals(rng, deals, span, selling)
    kind = np.concatenate([kind, rng.choice(len(TOUCHES), len(deal), p=_IN_DEALS)])
    who = np.concatenate([who, deals.company[deal]])
    day = _working(np.concatenate([day, moment]), span)
    deal = np.concatenate([np.full(len(who) - len(deal), -1), deal])
    order = np.lexsort((deal, who, day))
    who, day, kind, deal = who[order], day[order], kind[order], deal[order]
    minutes = np.array([t.minutes for t in TOUCHES])[kind] * np.exp(
        selling.minutes_sigma * rng.standard_normal(len(kind))
    )
    rep = handovers.owner(owner, who, day)
    table = _table(rng, contacts, who, day, kind, deal, minutes, rep)
    return Effort(table, taker, rate)


def _usual(rng: np.random.Generator, people: Population, rate: Floats, span: Span) -> tuple[Ints, Ints]:
    length = span.end - span.start
    who = np.repeat(np.arange(len(people)), rng.poisson(rate * length / YEAR))
    day = span.start + rng.integers(0, length, len(who))
    since = np.where(people.newcomer, people.acquired - 30, span.start)
    lives = (day >= since[who]) & (day < people.dropout[who] + 60)
    lives &= (day < people.pause_start[who] + 60) | (day >= people.pause_end[who] - 60)
    lives &= day < people.merged_on[who]
    return who[lives], day[lives]


def _of_deals(rng: np.random.Generator, deals: Deals, span: Span, selling: Selling) -> tuple[Ints, Ints]:
    """Deal and day of the interactions of deals with companies of the customer file."""
    stages = (deals.entered < span.end).sum(axis=1)
    count = np.where(deals.company >= 0, rng.poisson(selling.deal_touches * stages), 0)
    deal = np.repeat(np.arange(len(deals)), count)
    last = np.minimum(deals.closed, span.end)[deal]
    day = deals.created[deal] + np.floor(
        rng.random(len(deal)) * np.maximum(last - deals.created[deal], 1)
    ).astype(np.int64)
    inside = day >= span.start
    return deal[inside], day[inside]


def _working(day: Ints, span: Span) -> Ints:
    """The day itself or the last working day before it (the first one of the data has nothing before it)."""
    days = np.arange(span.start - 14, span.end)
    years = sorted(set(calendar(days)[0].tolist()))
    closed = np.isin(days, sorted(set().union(*(holidays(y) for y in years)))) | ((days + 3) % 7 >= 5)
    last = np.maximum.accumulate(np.where(closed, days[0], days))
    found = last[day - days[0]]
    first = days[(days >= span.start) & ~closed][0]
    return np.asarray(np.maximum(found, first), dtype=np.int64)


def _table(
    rng: np.random.Generator,
    contacts: Contacts,
    who: Ints,
    day: Ints,
    kind: Ints,
    deal: Ints,
    minutes: Floats,
    rep: Ints,
) -> pa.Table:
    import pyarrow as pa

    # The main contact is spoken to most often.
    place = np.floor(contacts.count[who] * rng.random(len(who)) ** 2).astype(np.int64)
    person = contacts.first[who] + place
    person = np.where(day < contacts.left[person], person, contacts.first[who])
    to_us = rng.random(len(who)) < 0.3
    step = np.where(minutes > 20, 5, 1)
    rounded = np.maximum(np.round(minutes / step) * step, 1).astype(np.int64)
    customer = contacts.table["customer_id"].take(pa.array(contacts.first[who]))
    return pa.table(
        {
            "interaction_id": texts(numbered("A", np.arange(1, len(who) + 1), 6)),
            "ts": dates(day),
            "type": picked(tuple(t.name for t in TOUCHES), kind),
            "customer_id": customer,
            "contact_id": pa.array(contacts.ids, type=pa.string()).take(pa.array(person)),
            "opportunity_id": texts(_deal_ids(deal), deal < 0),
            "rep_id": picked(IDS, rep),
            "direction": picked(("outbound", "inbound"), to_us.astype(np.int64)),
            "duration_min": pa.array(rounded),
            "outcome": picked(OUTCOMES, _outcomes(rng, kind)),
        }
    )


def _deal_ids(deal: Ints) -> Texts:
    known = numbered("O", np.arange(1, max(int(deal.max(initial=-1)) + 2, 2)), 5)
    return known[np.maximum(deal, 0)]


def _outcomes(rng: np.random.Generator, kind: Ints) -> Ints:
    u = rng.random(len(kind))
    found = np.zeros(len(kind), dtype=np.int64)
    for k, touch in enumerate(TOUCHES):
        names, shares = zip(*touch.outcomes, strict=True)
        mine = kind == k
        at = np.minimum(np.searchsorted(np.cumsum(shares), u[mine], side="right"), len(names) - 1)
        found[mine] = np.array([OUTCOMES.index(n) for n in names])[at]
    return found
