"""What customers say and do: answers to the yearly survey, visits on the website, use of remote support."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.campaigns import FAIR, WEB, Campaigns
from klientel.demo.catalogue import Catalogue
from klientel.demo.columns import Ints, dates, masked, numbered, picked, texts
from klientel.demo.contacts import Contacts
from klientel.demo.customers import customer_ids
from klientel.demo.days import YEAR, Span, number
from klientel.demo.leads import Leads, moments
from klientel.demo.population import SERVICE, Population
from klientel.demo.selling import Selling

if TYPE_CHECKING:
    import pyarrow as pa

_BAD = ("Deliveries come too late.", "Nobody calls back.", "Too expensive by now.", "Spare parts take weeks.")
_FAIR = ("Good products, slow offers.", "All right so far.", "The web shop could be better.")
_GOOD = ("Always reachable, thank you.", "Quick help with the conveyor.", "Good advice, fair prices.")
COMMENTS = (*_BAD, *_FAIR, *_GOOD)
PAGES = ("products", "prices", "support", "contact", "news", "careers")
_DAY = 1_440


@dataclass(frozen=True)
class Surveys:
    """Answers, and per wave the day and how many were asked."""

    table: pa.Table
    day: Ints
    asked: Ints
    score: Ints
    wave: Ints


def draw_surveys(
    rng: np.random.Generator, people: Population, contacts: Contacts, span: Span, selling: Selling
) -> Surveys:
    """Once a year the main contact of every living customer is asked; who is about to leave is less content."""
    import pyarrow as pa

    days = [number(date(y, selling.survey_month, 12)) for y in span.years]
    days = [d for d in days if span.start <= d < span.end - 30]
    rows: list[tuple[Ints, Ints, Ints, Ints]] = []
    asked = []
    for wave, day in enumerate(days):
        alive = (people.acquired < day) & (people.pause_start > day) & (people.merged_on > day)
        who = np.flatnonzero(alive)
        asked.append(len(who))
        mean = selling.score[0] + selling.score_before_leaving * (people.pause_start[who] < day + YEAR)
        score = np.clip(np.round(rng.normal(mean, selling.score[1])), 0, 10).astype(np.int64)
        there = rng.random(len(who)) < selling.answers
        after = day + np.floor(rng.exponential(4.0, len(who))).clip(0, 28).astype(np.int64)
        rows.append((who[there], score[there], np.full(there.sum(), wave), after[there]))
    none = np.zeros(0, dtype=np.int64)
    who, score, which, when = (np.concatenate([none, *(r[k] for r in rows)]) for k in range(4))
    word = np.where(
        score <= 6, rng.integers(0, 4, len(who)),
        np.where(score <= 8, rng.integers(4, 7, len(who)), rng.integers(7, 10, len(who))),
    )  # fmt: skip
    mute = rng.random(len(who)) < 0.6
    names = tuple(f"NPS {date.fromordinal(d + date(1970, 1, 1).toordinal()).year}" for d in days) or ("",)
    table = pa.table(
        {
            "response_id": texts(numbered("S", np.arange(1, len(who) + 1), 5)),
            "survey_id": picked(names, which),
            "question": pa.repeat(pa.scalar("How likely are you to recommend us?"), len(who)),
            "customer_id": texts(customer_ids(len(people))[who]),
            "contact_id": texts(contacts.ids[contacts.first[who]]),
            "answered_on": dates(when),
            "score": pa.array(score),
            "text": masked(picked(COMMENTS, word), mute),
        }
    )
    return Surveys(table, np.array(days, dtype=np.int64), np.array(asked, dtype=np.int64), score, which)


def draw_touchpoints(
    rng: np.random.Generator,
    people: Population,
    leads: Leads,
    campaigns: Campaigns,
    span: Span,
    selling: Selling,
) -> pa.Table:
    """Visits on the website: of customers, of leads before they ask, and of machines that read it."""
    import pyarrow as pa

    rate = np.array(selling.visits)[people.size]
    length = span.end - span.start
    who = np.repeat(np.arange(len(people)), rng.poisson(rate * length / YEAR))
    day = span.start + rng.integers(0, length, len(who))
    lives = (day >= people.acquired[who]) & (day < people.dropout[who])
    who, day = who[lives], day[lives]
    before = rng.poisson(np.where(leads.channel == WEB, 3.0, np.where(leads.channel == FAIR, 0.5, 0.8)))
    lead = np.repeat(np.arange(len(before)), before)
    at = leads.moment[lead] // _DAY - np.floor(rng.exponential(9.0, len(lead))).astype(np.int64)
    bots = int(rng.poisson((len(who) + len(lead)) * selling.bots))
    company = np.concatenate([who, np.full(len(lead) + bots, -1)])
    lead = np.concatenate([np.full(len(who), -1), lead, np.full(bots, -1)])
    day = np.concatenate([day, at, span.start + rng.integers(0, length, bots)])
    keep = day >= span.start
    company, lead, day = company[keep], lead[keep], day[keep]
    moment = day * _DAY + rng.integers(6 * 60, 22 * 60, len(day))
    late = (lead >= 0) & (moment >= leads.moment[np.maximum(lead, 0)] if len(leads.moment) else False)
    moment = np.where(late, leads.moment[np.maximum(lead, 0)] - 1, moment)
    order = np.lexsort((lead, company, moment))
    company, lead, moment = company[order], lead[order], moment[order]
    bot = (company < 0) & (lead < 0)
    campaign = campaigns.of(np.full(len(moment), WEB), moment // _DAY)
    paid = (lead >= 0) & (rng.random(len(moment)) < 0.5) & (campaign >= 0)
    visitor = np.where(company >= 0, company + 1, np.where(lead >= 0, 50_000 + lead, 90_000))
    page = np.where(lead >= 0, rng.choice(len(PAGES), len(moment), p=[0.4, 0.3, 0.05, 0.2, 0.05, 0.0]),
                    rng.choice(len(PAGES), len(moment), p=[0.4, 0.12, 0.25, 0.08, 0.1, 0.05]))  # fmt: skip
    return pa.table(
        {
            "touch_id": texts(numbered("T", np.arange(1, len(moment) + 1), 6)),
            "ts": moments(moment),
            "channel": picked(("website", "search ads"), paid.astype(np.int64)),
            "kind": pa.repeat(pa.scalar("visit"), len(moment)),
            "customer_id": texts(customer_ids(len(people))[np.maximum(company, 0)], company < 0),
            "lead_id": texts(leads.ids[np.maximum(lead, 0)], lead < 0),
            "visitor_id": texts(numbered("v", visitor, 5)),
            "campaign_id": texts(campaigns.ids[np.maximum(campaign, 0)], ~paid),
            "url_class": picked(PAGES, page),
            "is_bot": pa.array(bot),
        }
    )


def draw_usage(
    rng: np.random.Generator, people: Population, catalogue: Catalogue, span: Span, selling: Selling
) -> pa.Table:
    """Days on which users of service customers used remote support in the last year; less before they leave."""
    import pyarrow as pa

    begin = max(span.start, span.end - 365)
    mine = np.flatnonzero(
        (people.contract == SERVICE) & (people.pause_start > begin) & (people.acquired < span.end)
    )
    users = np.array(selling.users)[people.size[mine]]
    who = np.repeat(mine, users)
    user = np.arange(len(who)) - np.repeat(np.cumsum(users) - users, users)
    zeal = rng.gamma(2.0, 0.5, len(who))
    days = np.arange(begin, span.end)
    days = days[(days + 3) % 7 < 5]
    chance = np.minimum(selling.use_days * zeal / 21.7, 0.9)[:, None] * np.ones(len(days))
    near = people.pause_start[who][:, None] - days[None, :]
    chance = np.where(near < 183, chance * selling.use_decline, chance)
    chance = np.where((near <= 0) | (days[None, :] < people.acquired[who][:, None]), 0.0, chance)
    row, column = np.nonzero(rng.random(chance.shape) < chance)
    order = np.lexsort((row, column))
    row, column = row[order], column[order]
    events = 1 + rng.poisson(6.0, len(row))
    return pa.table(
        {
            "customer_id": texts(customer_ids(len(people))[who[row]]),
            "product_id": pa.array(catalogue.ids, type=pa.string()).take(
                pa.array(catalogue.service + people.size[who[row]])
            ),
            "user_hash": texts(np.array([f"u{w:05d}{u}" for w, u in zip(who.tolist(), user.tolist(), strict=True)],
                                        dtype=object)[row]),
            "day": dates(days[column]),
            "events": pa.array(events),
            "core_events": pa.array(rng.binomial(events, 0.4)),
            "minutes": pa.array(np.round(events * rng.gamma(2.0, 1.5, len(row))).astype(np.int64)),
        }
    )  # fmt: skip
