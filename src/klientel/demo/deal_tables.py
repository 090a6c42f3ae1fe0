"""Opportunities, their stages and competitors as tables: what was known on the last day, not what came later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.catalogue import GOODS
from klientel.demo.columns import NEVER, Flags, Ints, Texts, dates, decimals, numbered, picked, texts
from klientel.demo.contracts import CURRENCIES, Contracts, swiss
from klientel.demo.days import Span
from klientel.demo.deals import LOST, WON, Deals, open_stage
from klientel.demo.leads import Leads
from klientel.demo.population import Population
from klientel.demo.sellers import IDS
from klientel.demo.selling import CHANNELS, CLOSED, COMPETITORS, KINDS, LOSS_REASONS, RENEWAL, STAGES, Selling

if TYPE_CHECKING:
    import pyarrow as pa

SOURCES = (*CHANNELS, "existing customer")
_TYPED = (10, 25, 50, 75, 100, 0, 0)  # per cent that the program shows for each stage


def deal_tables(
    rng: np.random.Generator,
    deals: Deals,
    leads: Leads,
    people: Population,
    customers: pa.Table,
    contracts: Contracts,
    span: Span,
    selling: Selling,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Tables `opportunity`, `opportunity_stage_hist` and `competitor_observation`."""
    ids = numbered("O", np.arange(1, len(deals) + 1), 5)
    companies, numbers = _companies(deals, leads, customers)
    rep = _reps(rng, deals, leads, customers)
    rival = _rivals(rng, deals, selling)
    reason = rng.choice(len(LOSS_REASONS), len(deals), p=selling.reason)
    goods = rng.integers(len(GOODS), size=len(deals))
    titles = _titles(deals, goods, companies, contracts)
    closed = deals.closed < span.end
    seen = np.minimum(np.where(deals.entered[:, 2] < NEVER, deals.entered[:, 2], deals.closed - 1), NEVER)
    rival = np.where(seen < span.end, rival, -1)  # nobody knows yet who will be met
    opportunity = _opportunities(
        ids,
        deals,
        titles,
        companies,
        numbers,
        rep,
        rival,
        reason,
        people,
        closed,
        span,
    )
    return (
        opportunity,
        _stages(ids, deals, rep, span),
        _observed(rng, ids, deals, people, numbers, rival, seen, customers, span),
    )


def _companies(deals: Deals, leads: Leads, customers: pa.Table) -> tuple[Texts, Texts]:
    """Name and number of the company of each deal; no number where only sales knows it."""
    rows = np.maximum(deals.company, 0)
    names = np.array(customers["name"].to_pylist(), dtype=object)[rows]
    numbers = np.array(customers["customer_id"].to_pylist(), dtype=object)[rows]
    began = np.flatnonzero(leads.deal >= 0)
    names[leads.deal[began]] = leads.names[began]
    numbers[deals.company < 0] = None
    return names, numbers


def _reps(rng: np.random.Generator, deals: Deals, leads: Leads, customers: pa.Table) -> Texts:
    owner = np.array(customers["owner_rep_id"].to_pylist(), dtype=object)[np.maximum(deals.company, 0)]
    began = np.flatnonzero(leads.deal >= 0)
    owner[leads.deal[began]] = np.array(leads.table["rep_id"].to_pylist(), dtype=object)[began]
    moved = rng.random(len(deals)) < 0.05  # now and then a colleague takes a deal over
    return np.where(moved, np.array(IDS, dtype=object)[rng.integers(len(IDS), size=len(deals))], owner)


def _rivals(rng: np.random.Generator, deals: Deals, selling: Selling) -> Ints:
    share = np.where(deals.result == WON, selling.competitor_won, selling.competitor_lost)
    who = rng.choice(len(COMPETITORS), len(deals), p=selling.competitor)
    return np.where(rng.random(len(deals)) < share, who, -1)


def _titles(deals: Deals, goods: Ints, companies: Texts, contracts: Contracts) -> Texts:
    made = [
        f"Framework contract: {contracts.ids[c]}" if k == RENEWAL else f"{GOODS[g].name}: {name}"
        for k, c, g, name in zip(
            deals.kind.tolist(), deals.contract.tolist(), goods.tolist(), companies.tolist(), strict=True
        )
    ]
    return np.array(made, dtype=object)


def _opportunities(
    ids: Texts,
    deals: Deals,
    titles: Texts,
    companies: Texts,
    numbers: Texts,
    rep: Texts,
    rival: Ints,
    reason: Ints,
    people: Population,
    closed: Flags,
    span: Span,
) -> pa.Table:
    import pyarrow as pa

    stage = np.where(closed, len(STAGES) + deals.result, open_stage(deals, span.end))
    francs = np.concatenate([swiss(people), np.zeros(1, dtype=np.bool_)])
    francs = francs[np.where(deals.company < len(people), deals.company, -1)]
    likely = np.maximum(deals.created + 75, span.end + 10 + deals.created % 50)  # what the seller expects
    outcome = np.where(closed, deals.result, 3)
    lost = closed & (deals.result == LOST)
    return pa.table(
        {
            "opportunity_id": texts(ids),
            "name": texts(titles),
            "customer_id": pa.array(numbers.tolist(), type=pa.string()),
            "customer_name": texts(companies),
            "created_on": dates(deals.created),
            "close_date": dates(np.where(closed, deals.closed, likely)),
            "amount": decimals(deals.amount),
            "currency": picked(CURRENCIES, francs.astype(np.int64)),
            "stage": picked((*STAGES, *CLOSED), stage),
            "outcome": picked(("won", "lost", "no decision", "open"), outcome),
            "probability": decimals(np.array(_TYPED)[stage], 2),
            "kind": picked(KINDS, deals.kind),
            "rep_id": texts(rep),
            "source_channel": picked(SOURCES, deals.source),
            "loss_reason": picked(LOSS_REASONS, reason, ~lost),
            "competitor": picked(COMPETITORS, np.maximum(rival, 0), rival < 0),
        }
    )


def _stages(ids: Texts, deals: Deals, rep: Texts, span: Span) -> pa.Table:
    """One row per stage entered before the end of the data, closing included, in order of time."""
    import pyarrow as pa

    days = np.concatenate([deals.entered, deals.closed[:, None]], axis=1)
    deal, place = np.nonzero(days < min(span.end, NEVER))
    day = days[deal, place]
    stage = np.where(place == len(STAGES), len(STAGES) + deals.result[deal], place)
    order = np.lexsort((stage, deal, day))
    deal, stage, day = deal[order], stage[order], day[order]
    return pa.table(
        {
            "opportunity_id": texts(ids[deal]),
            "stage": picked((*STAGES, *CLOSED), stage),
            "entered_on": dates(day),
            "rep_id": texts(rep[deal]),
        }
    )


def _observed(
    rng: np.random.Generator,
    ids: Texts,
    deals: Deals,
    people: Population,
    numbers: Texts,
    rival: Ints,
    seen: Ints,
    customers: pa.Table,
    span: Span,
) -> pa.Table:
    """Competitors met in deals, and those whose share of a customer's purchases a seller has estimated."""
    import pyarrow as pa

    met = np.flatnonzero((rival >= 0) & (deals.company >= 0) & (seen >= span.start))
    guessed = np.flatnonzero(rng.random(len(people)) < 0.25)
    day = span.start + rng.integers(0, span.end - span.start, len(guessed))
    alive = (day < people.pause_start[guessed]) & (day > people.acquired[guessed])
    guessed, day = guessed[alive], day[alive]
    share = np.round(100 * rng.beta(2.0, 3.0, len(guessed)) / 5).astype(np.int64) * 5
    known = np.array(customers["customer_id"].to_pylist(), dtype=object)
    company = np.concatenate([numbers[met], known[guessed]])
    which = np.concatenate([rival[met], rng.choice(len(COMPETITORS), len(guessed))])
    when = np.concatenate([seen[met], day])
    deal = np.concatenate([ids[met], np.full(len(guessed), None, dtype=object)])
    portion = np.concatenate([np.full(len(met), -1), share])
    order = np.lexsort((np.arange(len(when)), when))
    return pa.table(
        {
            "observation_id": texts(numbered("W", np.arange(1, len(when) + 1), 5)),
            "seen_on": dates(when[order]),
            "customer_id": texts(company[order]),
            "competitor": picked(COMPETITORS, which[order]),
            "opportunity_id": pa.array(deal[order].tolist(), type=pa.string()),
            "share": decimals(np.maximum(portion[order], 0), 2, portion[order] < 0),
        }
    )
