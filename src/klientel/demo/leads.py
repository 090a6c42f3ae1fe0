"""Leads: where they came from, how soon somebody answered, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.campaigns import Campaigns, on_fair
from klientel.demo.columns import NEVER, Flags, Floats, Ints, Texts, dates, masked, numbered, picked, texts
from klientel.demo.days import Span
from klientel.demo.deals import Deals
from klientel.demo.names import PLACES, addresses, company_names, slug
from klientel.demo.persons import addresses as mail_addresses
from klientel.demo.persons import people
from klientel.demo.sellers import IDS
from klientel.demo.selling import CHANNELS, NEW, Selling
from klientel.demo.settings import INDUSTRIES, SIZES

if TYPE_CHECKING:
    import pyarrow as pa

STATUS = ("new", "contacted", "qualified", "converted", "disqualified", "nurturing")
FRESH, CONTACTED, QUALIFIED, CONVERTED, DISQUALIFIED, NURTURING = range(6)
_DAY = 1_440
_LAG_SIGMA = 0.7
_TO_FAIR = 180  # days before a deal in which a fair may have been where it began


@dataclass(frozen=True)
class Leads:
    """Leads by index, by time. moment, answered: minutes since 1970 (NEVER-like -1: no answer yet).

    company: row of the customer table or -1; deal: index of the deal it became, else -1; turns: whether it
    becomes a deal, now or after the data. name: of the company.
    """

    channel: Ints
    company: Ints
    deal: Ints
    moment: Ints
    answered: Ints
    status: Ints
    campaign: Ints
    turns: Flags
    names: Texts
    ids: Texts
    table: pa.Table


def draw_leads(
    rng: np.random.Generator,
    deals: Deals,
    customers: pa.Table,
    campaigns: Campaigns,
    span: Span,
    selling: Selling,
) -> Leads:
    """One lead for every deal of new business, and those that never became one."""
    rows = np.flatnonzero(deals.kind == NEW)
    channel = deals.source[rows]
    created = deals.created[rows] - _lags(rng, channel, selling)
    created, _ = on_fair(campaigns, channel, created, _TO_FAIR)
    pending, since = _pending(rng, channel, created, span, selling)
    hopeless = _hopeless(rng, channel, created, span, selling)
    day = np.concatenate([created, since, span.start + rng.integers(0, span.end - span.start, len(hopeless))])
    channel = np.concatenate([channel, pending, hopeless])
    deal = np.concatenate([rows, np.full(len(pending) + len(hopeless), -1)])
    turns = np.arange(len(day)) < len(rows) + len(pending)
    day, _ = on_fair(campaigns, channel, day, 45)
    moment = day * _DAY + rng.integers(7 * 60, 19 * 60, len(day))
    order = np.argsort(moment, kind="stable")
    channel, deal, moment, day = (a[order] for a in (channel, deal, moment, day))
    turns = turns[order]
    answered = _answers(rng, moment, deal, deals, turns, span, selling)
    status = _status(rng, day, deal, turns, answered, span)
    company = np.where(deal >= 0, deals.company[np.maximum(deal, 0)], -1)
    names, website = _companies(rng, company, customers)
    campaign = campaigns.of(channel, day)
    ids = numbered("L", np.arange(1, len(day) + 1), 5)
    table = _table(rng, ids, names, website, channel, company, moment, answered, status, campaign, campaigns,
                   customers, deal, deals)  # fmt: skip
    return Leads(channel, company, deal, moment, answered, status, campaign, turns, names, ids, table)


def _lags(rng: np.random.Generator, channel: Ints, selling: Selling) -> Ints:
    days = np.array(selling.lead_days)[channel] * np.exp(_LAG_SIGMA * rng.standard_normal(len(channel)))
    return np.maximum(np.round(days), 0).astype(np.int64)


def _rates(channel: Ints, created: Ints, span: Span) -> Floats:
    """Leads a day and channel that became deals; counted where the end of the data does not hide any."""
    last = span.end - min(200, (span.end - span.start) // 2)
    inside = (created >= span.start) & (created < last)
    return np.bincount(channel[inside], minlength=len(CHANNELS)) / (last - span.start)


def _pending(
    rng: np.random.Generator, channel: Ints, created: Ints, span: Span, selling: Selling
) -> tuple[Ints, Ints]:
    """Channel and day of leads that will become deals only after the data."""
    window = 200
    count = rng.poisson(_rates(channel, created, span) * window)
    coming = np.repeat(np.arange(len(CHANNELS)), count)
    day = span.end - window + rng.integers(0, window, len(coming))
    late = day + _lags(rng, coming, selling) >= span.end
    return coming[late], day[late]


def _hopeless(rng: np.random.Generator, channel: Ints, created: Ints, span: Span, selling: Selling) -> Ints:
    """Channels of the leads that never become a deal: so many that the qualified shares hold."""
    share = np.array(selling.qualified)
    count = rng.poisson(_rates(channel, created, span) * (1 - share) / share * (span.end - span.start))
    return np.repeat(np.arange(len(CHANNELS)), count)


def _answers(
    rng: np.random.Generator,
    moment: Ints,
    deal: Ints,
    deals: Deals,
    turns: Flags,
    span: Span,
    selling: Selling,
) -> Ints:
    """Minute of the first answer, -1 where nobody has answered; before the deal where there is one."""
    median = np.where(turns, selling.response_hours[0], selling.response_hours[1])
    hours = median * np.exp(selling.response_sigma * rng.standard_normal(len(moment)))
    silent = ~turns & (rng.random(len(moment)) < selling.never_answered)
    at = moment + np.maximum(np.round(hours * 60), 2).astype(np.int64)
    began = np.where(deal >= 0, deals.created[np.maximum(deal, 0)], NEVER)
    at = np.where(began < NEVER, np.minimum(at, np.maximum((began + 1) * _DAY - 1, moment + 2)), at)
    return np.where(silent | (at >= span.end * _DAY), -1, at)


def _status(
    rng: np.random.Generator, day: Ints, deal: Ints, turns: Flags, answered: Ints, span: Span
) -> Ints:
    recent = span.end - day < 30
    lasting = np.where(rng.random(len(day)) < 0.7, DISQUALIFIED, NURTURING)
    pending = np.where(span.end - day > 10, QUALIFIED, CONTACTED)
    waiting = np.where(answered < 0, FRESH, CONTACTED)
    return np.where(
        deal >= 0, CONVERTED, np.where(answered < 0, np.where(recent, FRESH, DISQUALIFIED),
                                       np.where(turns, pending, np.where(recent, waiting, lasting)))
    )  # fmt: skip


def _companies(rng: np.random.Generator, company: Ints, customers: pa.Table) -> tuple[Texts, Texts]:
    """Name and website: of the customer file, or invented."""
    unknown = np.flatnonzero(company < 0)
    n = len(unknown)
    place = rng.choice(len(PLACES), n, p=[p.weight for p in PLACES])
    size = rng.choice(len(SIZES), n, p=[s.weight for s in SIZES])
    towns, _ = addresses(rng, place)
    made, forms = company_names(
        rng, rng.integers(len(INDUSTRIES), size=n), size, place, towns, np.full(n, -1)
    )
    known = customers["name"].to_pylist()
    taken = set(known)
    rows = np.maximum(company, 0)
    names = np.array(known, dtype=object)[rows]
    website = np.array(customers["website"].to_pylist(), dtype=object)[rows]
    names[unknown] = [f"{m} {t}" if m in taken else m for m, t in zip(made, towns, strict=True)]
    website[unknown] = [f"www.{slug(m, f)}" for m, f in zip(made, forms, strict=True)]
    return names, website


def _table(
    rng: np.random.Generator,
    ids: Texts,
    names: Texts,
    website: Texts,
    channel: Ints,
    company: Ints,
    moment: Ints,
    answered: Ints,
    status: Ints,
    campaign: Ints,
    campaigns: Campaigns,
    customers: pa.Table,
    deal: Ints,
    deals: Deals,
) -> pa.Table:
    import pyarrow as pa

    first, last = people(rng, len(ids))
    whole = np.array([f"{a} {b}" for a, b in zip(first.tolist(), last.tolist(), strict=True)], dtype=object)
    unknown = company < 0
    rows = np.maximum(company, 0)
    owner = np.array(customers["owner_rep_id"].to_pylist(), dtype=object)[rows]
    anybody = np.array(IDS, dtype=object)[rng.integers(len(IDS), size=len(ids))]
    number = np.array(customers["customer_id"].to_pylist(), dtype=object)[rows]
    converted = np.where(deal >= 0, deals.created[np.maximum(deal, 0)], NEVER)
    none = campaign < 0
    return pa.table(
        {
            "lead_id": texts(ids),
            "name": texts(whole),
            "company": texts(names),
            "email": texts(mail_addresses(first, last, website)),
            "created_on": moments(moment),
            "channel": picked(CHANNELS, channel),
            "status": picked(STATUS, status),
            "rep_id": texts(np.where(unknown, anybody, owner)),
            "campaign_id": texts(
                campaigns.ids[np.maximum(campaign, 0)] if len(campaigns.ids) else names, none
            ),
            "first_response_at": masked(moments(np.maximum(answered, 0)), answered < 0),
            "converted_on": dates(converted),
            "customer_id": texts(number, unknown),
        }
    )


def moments(minutes: Ints) -> pa.Array:
    """Minutes since 1970 as timestamps."""
    import pyarrow as pa

    return pa.array(minutes * 60).cast(pa.timestamp("s"))
