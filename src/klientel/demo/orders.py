"""Orders of the simulated years: when, by whom, and their lines with prices, discounts and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.catalogue import GOODS, PER_GROUP, SERVICE, Catalogue
from klientel.demo.columns import Flags, Floats, Ints, Texts, dates, decimals, numbered, picked, texts
from klientel.demo.contracts import CURRENCIES, Contracts, billed, swiss
from klientel.demo.customers import customer_ids
from klientel.demo.days import YEAR, Span, calendar
from klientel.demo.population import FRAMEWORK, Population
from klientel.demo.rates import UNIT, Rates
from klientel.demo.sellers import IDS
from klientel.demo.settings import INDUSTRIES, SIZES, Settings

if TYPE_CHECKING:
    import pyarrow as pa

CHANNELS = ("field sales", "phone", "web shop", "EDI", "contract")


@dataclass(frozen=True)
class Orders:
    """Orders by index, sorted by day. customer: who ordered; billed_to: under whose number (merger).

    contract: index of the service contract it bills, else -1.
    """

    customer: Ints
    billed_to: Ints
    day: Ints
    contract: Ints
    ids: Texts


@dataclass(frozen=True)
class Lines:
    """Order lines by index; money in cents of the currency of the order, discount in per mille."""

    order: Ints
    number: Ints
    product: Ints
    qty: Ints
    list_price: Ints
    price: Ints
    discount: Ints
    net: Ints
    unit_cost: Ints


def draw_orders(
    rng: np.random.Generator, people: Population, contracts: Contracts, clocks: Floats, span: Span
) -> Orders:
    """Called orders (Poisson in business time) and the invoices of service contracts."""
    customer, day = _called(rng, people, clocks, span)
    contract, invoiced = billed(contracts, people, span)
    customer = np.concatenate([customer, contracts.customer[contract]])
    day = np.concatenate([day, invoiced])
    contract = np.concatenate([np.full(len(day) - len(contract), -1), contract])
    order = np.lexsort((customer, day))
    customer, day, contract = customer[order], day[order], contract[order]
    merged = (people.merged_into[customer] >= 0) & (day >= people.merged_on[customer])
    billed_to = np.where(merged, people.merged_into[customer], customer)
    ids = numbered("RE", 100_001 + np.arange(len(day)), 6)
    return Orders(customer, billed_to, day, contract, ids)


def _called(rng: np.random.Generator, people: Population, clocks: Floats, span: Span) -> tuple[Ints, Ints]:
    """Customer and day of each order: the n of a customer are uniform in the business time they lived.

    Framework customers call at regular intervals (one order in each of n equal stretches); newcomers and
    those who come back order on their first day.
    """
    days = span.end - span.start
    born = np.where(people.newcomer, people.acquired + 1, span.start)
    a, p, q, b = (
        np.clip(x - span.start, 0, days) for x in (born, people.pause_start, people.pause_end, people.dropout)
    )
    at = [clocks[people.industry, x] for x in (a, p, q, b)]
    before, after = at[1] - at[0], at[3] - at[2]
    n = rng.poisson(people.rate * (before + after))
    who = np.repeat(np.arange(len(people)), n)
    k = np.arange(len(who)) - np.repeat(np.cumsum(n) - n, n)
    u = rng.random(len(who))
    u = np.where(people.contract[who] == FRAMEWORK, (k + u) / n[who], u) * (before + after)[who]
    moment = np.where(u < before[who], at[0][who] + u, at[2][who] + (u - before[who]))
    day = np.empty(len(who), dtype=np.int64)
    for industry, elapsed in enumerate(clocks):
        mine = people.industry[who] == industry
        day[mine] = np.searchsorted(elapsed, moment[mine], side="right") - 1
    day = np.clip(day, 0, days - 1) + span.start
    first = np.flatnonzero(people.newcomer)
    back = np.flatnonzero((people.pause_end > people.pause_start) & (people.pause_end < span.end))
    back = back[people.pause_end[back] < people.dropout[back]]
    who = np.concatenate([who, first, back])
    return who, np.concatenate([day, people.acquired[first], people.pause_end[back]])


def draw_lines(
    rng: np.random.Generator,
    people: Population,
    contracts: Contracts,
    orders: Orders,
    catalogue: Catalogue,
    rates: Rates,
    span: Span,
    settings: Settings,
) -> Lines:
    """Lines of every order. Quantities follow the value the customer means to buy at first-year prices."""
    more = np.array([s.extra_lines for s in SIZES])[people.size[orders.customer]]
    count = np.where(orders.contract >= 0, 1, 1 + rng.poisson(more))
    order = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count) + 1
    who, day = orders.customer[order], orders.day[order]
    flat = orders.contract[order] >= 0
    product = _products(rng, people, catalogue, who, day)
    product = np.where(flat, catalogue.service + people.size[who], product)
    qty = np.where(flat, 1, _quantities(rng, people, orders, order, catalogue.base[product], span, settings))
    francs = swiss(people)[who]
    year = calendar(day)[0] - catalogue.first_year
    listed = _in_currency(catalogue.prices[product, year], francs, _list_rates(rates, catalogue, span)[year])
    cost = _in_currency(catalogue.costs[product, year], francs, rates.on(day))
    agreed = rng.integers(94, 99, len(people))[who]  # framework customers have their own prices
    price = np.where((people.contract[who] == FRAMEWORK) & ~flat, (listed * agreed + 50) // 100, listed)
    discount = np.where(flat, 0, _discounts(rng, people, who, settings))
    fee = contracts.amount[np.maximum(orders.contract[order], 0)] if len(contracts.amount) else listed
    noise = rng.normal(1, 0.15, len(order)).clip(0.6, 1.5)
    listed, price = np.where(flat, fee, listed), np.where(flat, fee, price)
    cost = np.where(flat, np.round(fee * SERVICE.cost * noise).astype(np.int64), cost)
    net = (qty * price * (1000 - discount) + 500) // 1000
    return Lines(order, number, product, qty, listed, price, discount, net, cost)


def _products(
    rng: np.random.Generator, people: Population, catalogue: Catalogue, who: Ints, day: Ints
) -> Ints:
    """A product per line: group by the customer's affinity, then mostly the customer's usual article."""
    affinity = np.array([i.groups for i in INDUSTRIES], dtype=np.float64)[people.industry]
    affinity = np.cumsum(affinity * rng.gamma(0.6, 1.0, affinity.shape), axis=1)
    usual = rng.integers(0, PER_GROUP, affinity.shape)
    u, v = rng.random((2, len(who)))
    group = np.empty(len(who), dtype=np.int64)
    for i in range(0, len(who), 500_000):  # bounded memory for large firms
        part = slice(i, i + 500_000)
        edges = affinity[who[part]]
        group[part] = (edges < (u[part] * edges[:, -1])[:, None]).sum(axis=1)
    group = np.minimum(group, len(GOODS) - 1)
    within = (usual[who, group] + np.floor(PER_GROUP * v**2.5).astype(np.int64)) % PER_GROUP
    product = group * PER_GROUP + within
    return np.asarray(np.where(day >= catalogue.gone[product], product + 1, product), dtype=np.int64)


def _quantities(
    rng: np.random.Generator,
    people: Population,
    orders: Orders,
    order: Ints,
    base: Floats,
    span: Span,
    settings: Settings,
) -> Ints:
    years = (orders.day - span.start) / YEAR
    sigma = settings.order_sigma
    target = people.value[orders.customer] * np.exp(people.trend[orders.customer] * years)
    target = target * rng.lognormal(-(sigma**2) / 2, sigma, len(years))
    part = rng.gamma(1.5, 1.0, len(order))
    whole = np.bincount(order, weights=part, minlength=len(years))
    qty = np.round(target[order] * part / whole[order] / base)
    return np.maximum(np.where(qty > 60, np.round(qty, -1), qty), 1).astype(np.int64)


def _discounts(rng: np.random.Generator, people: Population, who: Ints, settings: Settings) -> Ints:
    """Per mille: a level per customer by size, a little noise per line, in steps of half a per cent."""
    level = np.array([s.discount for s in SIZES])[people.size] + rng.normal(
        0, settings.discount_sigma, len(people)
    )
    level = level.clip(0, 0.35) + settings.loss_maker_discount * people.loss_maker
    share = level[who] + rng.choice([0, 0, 0, 0.01, 0.02], len(who))
    step = settings.discount_step * 10
    return np.asarray(np.round(share * 1000 / step) * step, dtype=np.int64)


def _list_rates(rates: Rates, catalogue: Catalogue, span: Span) -> Ints:
    """The rate each year's franc price list was made with: the average of the first month of that year."""
    years = np.arange(catalogue.prices.shape[1]) + catalogue.first_year - 1970
    january = years.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    return rates.on(np.maximum(january, span.start))


def _in_currency(cents: Ints, francs: Flags, rate: Ints) -> Ints:
    return np.where(francs, (cents * UNIT + rate // 2) // rate, cents)


def order_table(
    rng: np.random.Generator, people: Population, orders: Orders, contracts: Contracts, owner: Ints
) -> pa.Table:
    """Table `order_header`."""
    import pyarrow as pa

    who, flat = orders.customer, orders.contract >= 0
    channel = np.minimum(
        rng.integers(0, 3, len(who)) + (people.size[who] >= 2) * rng.integers(0, 3, len(who)), 3
    )
    numbers = contracts.ids[np.maximum(orders.contract, 0)] if len(contracts.ids) else np.full(len(who), "")
    return pa.table(
        {
            "order_id": texts(orders.ids),
            "customer_id": texts(customer_ids(len(people))[orders.billed_to]),
            "order_date": dates(orders.day),
            "currency": picked(CURRENCIES, swiss(people)[who].astype(np.int64)),
            "channel": picked(CHANNELS, np.where(flat, 4, channel)),
            "rep_id": picked(IDS, owner[orders.billed_to]),
            "contract_id": texts(numbers, ~flat),
        }
    )


def line_table(orders: Orders, lines: Lines, catalogue: Catalogue) -> pa.Table:
    """Table `order_line`."""
    import pyarrow as pa

    return pa.table(
        {
            "order_id": pa.array(orders.ids, type=pa.string()).take(pa.array(lines.order)),
            "line_no": pa.array(lines.number * 10),
            "product_id": pa.array(catalogue.ids, type=pa.string()).take(pa.array(lines.product)),
            "qty": pa.array(lines.qty),
            "list_price": decimals(lines.list_price),
            "invoice_price": decimals(lines.price),
            "discount_share": decimals(lines.discount, 3),
            "net_amount": decimals(lines.net),
            "unit_cost": decimals(lines.unit_cost),
        }
    )
