"""Framework and service contracts, one row per term, and the flat rates billed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Flags, Floats, Ints, Texts, dates, decimals, numbered, picked, texts
from klientel.demo.customers import customer_ids
from klientel.demo.days import Span
from klientel.demo.names import PLACES
from klientel.demo.population import CONTRACT_TYPES, SERVICE, Population

if TYPE_CHECKING:
    import pyarrow as pa

RUNNING, RENEWED, ENDED, TERMINATED = range(4)
STATUS = ("running", "renewed", "expired", "terminated")
CURRENCIES = ("EUR", "CHF")
UPLIFT = 0.03


@dataclass(frozen=True)
class Contracts:
    """Terms by index: customer, [start, end) as day numbers, months per period, cents per period."""

    table: pa.Table
    ids: Texts
    customer: Ints
    start: Ints
    end: Ints
    period: Ints
    amount: Ints
    service: Flags


def month_start(months: Ints) -> Ints:
    """Day number of the first day of months counted from 1970-01."""
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64), dtype=np.int64)


def month_of(days: Ints) -> Ints:
    """Months since 1970-01 of day numbers."""
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64), dtype=np.int64)


def draw_contracts(rng: np.random.Generator, people: Population, span: Span) -> Contracts:
    """Consecutive terms of 12 (framework) or 24 months (service) from the first contract until the end.

    A customer who leaves inside a term terminates it at the end of that month; after a comeback there is
    no new contract. Every term raises the amount by UPLIFT.
    """
    who = np.flatnonzero(people.contract > 0)
    term = np.where(people.contract[who] == SERVICE, 24, 12)
    earliest = np.maximum(month_of(people.acquired[who]) + 1, month_of(np.full(len(who), span.start)) - 30)
    first = earliest + np.floor(rng.gamma(1.2, 5.0, len(who))).astype(np.int64)
    longest = int(np.max((month_of(np.full(1, span.end))[0] - first) // term, initial=0)) + 1
    k = np.tile(np.arange(longest), len(who))
    row = np.repeat(np.arange(len(who)), longest)
    begin = first[row] + k * term[row]
    start, regular = month_start(begin), month_start(begin + term[row])
    left = people.pause_start[who][row]
    keep = (start < np.minimum(left, span.end)) & (regular > span.start)
    row, k, begin, start, regular, left = (a[keep] for a in (row, k, begin, start, regular, left))
    terminated = (left < regular) & (left < span.end)
    end = np.where(terminated, month_start(month_of(np.minimum(left, span.end)) + 1), regular)
    customer = who[row]
    base, period = _base(rng, people, who)
    amount = np.round(base[row] * (1 + UPLIFT) ** k).astype(np.int64) * 100
    running = ~terminated & (regular > span.end)
    renewed = ~terminated & ~running & (left > regular)
    status = np.where(terminated, TERMINATED, np.where(running, RUNNING, np.where(renewed, RENEWED, ENDED)))
    order = np.lexsort((customer, start))
    row, start, end, customer, amount, status = (
        a[order] for a in (row, start, end, customer, amount, status)
    )
    ids = numbered("C", np.arange(1, len(order) + 1), 5)
    signed = np.maximum(start - rng.integers(7, 60, len(order)), people.acquired[customer])
    before = np.where(k[order] > 0, _row_before(customer), -1)
    table = _table(people, ids, customer, signed, start, end, amount, period[row], status, before)
    service = people.contract[customer] == SERVICE
    return Contracts(table, ids, customer, start, end, period[row], amount, service)


def _base(rng: np.random.Generator, people: Population, who: Ints) -> tuple[Floats, Ints]:
    """Amount per period in the first term and months per period: 80 % of a year's orders, or a flat rate."""
    yearly = people.yearly()[who]
    service = people.contract[who] == SERVICE
    months = np.where(service, rng.choice([1, 3], len(who), p=[0.6, 0.4]), 12)
    flat = np.maximum(np.round(yearly * rng.uniform(0.10, 0.22, len(who)) / 12, -1), 60) * months
    framework = np.maximum(np.round(0.8 * yearly, -3), 2_000)
    return np.where(service, flat, framework).astype(np.float64), months.astype(np.int64)


def _table(
    people: Population,
    ids: Texts,
    customer: Ints,
    signed: Ints,
    start: Ints,
    end: Ints,
    amount: Ints,
    period: Ints,
    status: Ints,
    before: Ints,
) -> pa.Table:
    import pyarrow as pa

    service = people.contract[customer] == SERVICE
    return pa.table(
        {
            "contract_id": texts(ids),
            "customer_id": texts(customer_ids(len(people))[customer]),
            "type": picked(CONTRACT_TYPES, people.contract[customer]),
            "signed_on": dates(signed),
            "start": dates(start),
            "end": dates(end),
            "recurring_amount": decimals(amount),
            "period_months": pa.array(period),
            "currency": picked(CURRENCIES, swiss(people)[customer].astype(np.int64)),
            "auto_renew": pa.array(service),
            "notice_days": pa.array(np.where(service, 90, 30)),
            "status": picked(STATUS, status),
            "min_term_months": pa.array(np.where(service, 24, 12)),
            "indexation_rule": pa.repeat(pa.scalar("3 % each term"), len(ids)),
            "renewal_of": texts(ids[before] if len(ids) else ids, before < 0),
        }
    )


def _row_before(customer: Ints) -> Ints:
    """The row of the same customer's term before this one, -1 for the first that the table holds."""
    found = np.full(len(customer), -1)
    latest: dict[int, int] = {}
    for row, who in enumerate(customer.tolist()):
        found[row] = latest.get(who, -1)
        latest[who] = row
    return found


def swiss(people: Population) -> Flags:
    """Customers who pay in CHF."""
    return np.array([p.currency == "CHF" for p in PLACES])[people.place]


def billed(contracts: Contracts, people: Population, span: Span) -> tuple[Ints, Ints]:
    """Invoices of the flat rates: contract index and day (the first of a period, or Monday after it)."""
    rows = np.flatnonzero(contracts.service)
    start = contracts.start[rows]
    count = -(-(month_of(contracts.end[rows] - 1) + 1 - month_of(start)) // contracts.period[rows])
    row = np.repeat(rows, count)
    k = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    day = month_start(month_of(contracts.start[row]) + k * contracts.period[row])
    day += np.choose((day + 3) % 7, [0, 0, 0, 0, 0, 2, 1])
    leaves = np.minimum(contracts.end[row], people.pause_start[contracts.customer[row]])
    keep = (day >= span.start) & (day < np.minimum(leaves, span.end)) & (day < NEVER)
    return row[keep], day[keep]
