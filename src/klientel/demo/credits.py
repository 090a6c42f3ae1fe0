"""Credit notes: returns, price corrections, bonuses, and a few that ruin a customer's year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.catalogue import Catalogue
from klientel.demo.columns import Flags, Ints, dates, decimals, masked, numbered, picked, texts
from klientel.demo.contracts import CURRENCIES, swiss
from klientel.demo.customers import customer_ids
from klientel.demo.days import Span, calendar, number
from klientel.demo.orders import Lines, Orders
from klientel.demo.population import SINGLE, Population
from klientel.demo.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

REASONS = ("return", "complaint", "price correction", "annual bonus", "stock taken back")
RETURN, COMPLAINT, CORRECTION, BONUS, TAKEN_BACK = range(5)
BONUS_SHARE = 0.02


@dataclass(frozen=True)
class Credits:
    """Credit note lines by index, sorted by day. line: credited order line, -1 without; named: the order
    is named on the credit note; amount: cents > 0 in the customer's currency reduce revenue."""

    customer: Ints
    day: Ints
    line: Ints
    named: Flags
    qty: Ints
    amount: Ints
    reason: Ints


def draw_credits(
    rng: np.random.Generator, people: Population, orders: Orders, lines: Lines, span: Span, settings: Settings
) -> Credits:
    """All credit notes; never on or after the end of the span, never before the order they credit."""
    parts = [
        _of_lines(rng, orders, lines, settings),
        _bonuses(people, orders, lines, span),
        _taken_back(rng, people, orders, lines, span),
    ]
    customer, day, line, named, qty, amount, reason = (
        np.concatenate([part[k] for part in parts]) for k in range(7)
    )
    keep = (amount > 0) & (day < span.end)
    order = np.flatnonzero(keep)[np.lexsort((line[keep], customer[keep], day[keep]))]
    return Credits(
        customer[order],
        day[order],
        line[order],
        named[order].astype(np.bool_),
        qty[order],
        amount[order],
        reason[order],
    )


def _of_lines(
    rng: np.random.Generator, orders: Orders, lines: Lines, settings: Settings
) -> tuple[Ints | Flags, ...]:
    """A random share of the lines, 3-80 days later, in full (with quantity) or in part (money only)."""
    goods = orders.contract[lines.order] < 0
    line = np.flatnonzero((rng.random(len(lines.order)) < settings.credit_share) & goods & (lines.net > 0))
    n = len(line)
    full = rng.random(n) < settings.credit_full
    part = np.round(lines.net[line] * rng.uniform(0.05, 0.6, n)).astype(np.int64)
    amount = np.where(full, lines.net[line], np.minimum(np.maximum(part, 100), lines.net[line]))
    day = orders.day[lines.order[line]] + 3 + np.floor(rng.gamma(1.6, 11, n)).clip(0, 77).astype(np.int64)
    day += np.choose((day + 3) % 7, [0, 0, 0, 0, 0, 2, 1])
    reason = np.where(full, RETURN, np.where(rng.random(n) < 0.6, COMPLAINT, CORRECTION))
    named = rng.random(n) < settings.credit_reference
    qty = np.where(full, lines.qty[line], 0)
    return orders.billed_to[lines.order[line]], day, line, named, qty, amount, reason


def _bonuses(people: Population, orders: Orders, lines: Lines, span: Span) -> tuple[Ints | Flags, ...]:
    """Every 20 January key accounts get 2 % of the last calendar year, without any order number."""
    keys = np.flatnonzero(people.key_account)
    none = np.zeros(0, dtype=np.int64)  # one calendar year has no year before it
    customer, day, amount = [none], [none], [none]
    year = calendar(orders.day)[0][lines.order]
    for y in span.years[1:]:
        sums = np.bincount(
            orders.customer[lines.order[year == y - 1]],
            weights=lines.net[year == y - 1],
            minlength=len(people),
        )
        paid = np.round(sums[keys] * BONUS_SHARE).astype(np.int64)
        customer.append(keys)
        day.append(np.full(len(keys), number(date(y, 1, 20))))
        amount.append(paid)
    who = np.concatenate(customer)
    n = len(who)
    return (
        who,
        np.concatenate(day),
        np.full(n, -1),
        np.zeros(n, dtype=np.bool_),
        np.zeros(n, dtype=np.int64),
        np.concatenate(amount),
        np.full(n, BONUS),
    )


def _taken_back(
    rng: np.random.Generator, people: Population, orders: Orders, lines: Lines, span: Span
) -> tuple[Ints | Flags, ...]:
    """A few customers who left return their stock, so that their last twelve months are negative.

    One per 250 customers: all lines of the last order, named, in the last year. Every second one also
    gives back goods from before the data begins: one amount, nothing named, above all they ever bought.
    """
    last = np.full(len(people), -1)
    last[orders.customer] = np.arange(len(orders.day))  # orders are sorted by day: the latest one stays
    gone = (people.dropout < span.end - 380) & (people.dropout > span.end - 700) & (people.contract == SINGLE)
    able = np.flatnonzero(gone & (last >= 0) & (people.merged_into < 0))
    able = able[orders.day[last[able]] < span.end - 366]
    who = rng.permutation(able)[: max(2, len(people) // 250)]
    when = np.full(len(people), span.end)
    when[who] = span.end - 30 - rng.integers(0, 300, len(who))
    line = np.flatnonzero(np.isin(lines.order, last[who]))
    owner = orders.customer[lines.order[line]]
    bought = np.bincount(orders.customer[lines.order], weights=lines.net, minlength=len(people))
    old = who[::2]
    n, m = len(line), len(old)
    return (
        np.concatenate([owner, old]),
        np.concatenate([when[owner], when[old] + 14]),
        np.concatenate([line, np.full(m, -1)]),
        np.concatenate([np.ones(n, dtype=np.bool_), np.zeros(m, dtype=np.bool_)]),
        np.concatenate([lines.qty[line], np.zeros(m, dtype=np.int64)]),
        np.concatenate([lines.net[line], np.round(bought[old] * 1.1).astype(np.int64) + 50_000]),
        np.full(n + m, TAKEN_BACK),
    )


def credit_table(
    people: Population, orders: Orders, lines: Lines, credits: Credits, catalogue: Catalogue
) -> pa.Table:
    """Table `credit_note_line`; net_amount positive = reduction."""
    import pyarrow as pa

    known = credits.line >= 0
    line = np.maximum(credits.line, 0)
    order = lines.order[line] if len(lines.order) else line
    new = np.concatenate([[True], (np.diff(credits.customer) != 0) | (np.diff(credits.day) != 0)])[
        : len(line)
    ]
    note = np.cumsum(new)
    within = np.arange(len(line)) - np.maximum.accumulate(np.where(new, np.arange(len(line)), 0)) + 1
    francs = swiss(people)[np.where(known, orders.customer[order], credits.customer)]
    return pa.table(
        {
            "credit_id": texts(numbered("GS", 10_000 + note, 5)),
            "line_no": pa.array(within * 10),
            "date": dates(credits.day),
            "customer_id": texts(customer_ids(len(people))[credits.customer]),
            "original_order_id": texts(orders.ids[order], ~(known & credits.named)),
            "product_id": texts(catalogue.ids[lines.product[line]], ~known),
            "qty": masked(pa.array(credits.qty), credits.qty == 0),
            "net_amount": decimals(credits.amount),
            "reason": picked(REASONS, credits.reason),
            "currency": picked(CURRENCIES, francs.astype(np.int64)),
        }
    )
