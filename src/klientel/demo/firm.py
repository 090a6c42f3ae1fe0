"""Simulates a B2B firm, an invented supplier of drives and conveyors, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.catalogue import draw_catalogue, group_table
from klientel.demo.columns import dates, decimals, texts
from klientel.demo.contracts import draw_contracts
from klientel.demo.credits import credit_table, draw_credits
from klientel.demo.customers import customer_ids, customer_table
from klientel.demo.days import Span, clock, intensity
from klientel.demo.market import Market, draw_market
from klientel.demo.orders import draw_lines, draw_orders, line_table, order_table
from klientel.demo.population import Population, draw_population
from klientel.demo.rates import draw_rates
from klientel.demo.sales_truth import SalesTruth, tell_sales_truth
from klientel.demo.sellers import owners, sellers
from klientel.demo.settings import AS_OF, DEFAULT, Settings
from klientel.demo.streams import streams
from klientel.demo.truth import Truth, tell_truth
from klientel.errors import BadParameter
from klientel.periods import add_months
from klientel.words import Amount, Sentence, mark, say

if TYPE_CHECKING:
    import pyarrow as pa

NAME = mark("Norderwerk Drives and Conveyors (an invented firm)")


@dataclass(frozen=True)
class Firm:
    """The tables of a firm in canonical columns (clean), and the truth they were drawn from.

    `population` and `market` hold the latent values as arrays, for kinds of records that are drawn later;
    `sales` is the truth about marketing and sales.
    """

    seed: int
    start: date
    as_of: date
    currency: str
    customers: pa.Table
    orders: pa.Table
    order_lines: pa.Table
    credit_notes: pa.Table
    products: pa.Table
    product_groups: pa.Table
    contracts: pa.Table
    reps: pa.Table
    successions: pa.Table
    rates: pa.Table
    truth: Truth
    sales: SalesTruth
    population: Population
    market: Market

    def tables(self) -> dict[str, pa.Table]:
        """The tables under their canonical names."""
        return {
            "customer": self.customers,
            "order_header": self.orders,
            "order_line": self.order_lines,
            "credit_note_line": self.credit_notes,
            "product": self.products,
            "product_group": self.product_groups,
            "project_contract": self.contracts,
            "rep": self.reps,
            "customer_succession": self.successions,
            "fx_rate": self.rates,
            **self.market.tables,
        }

    def summary(self) -> Sentence:
        """One sentence for a person: who this is and what is true about it."""
        return say(
            "{name}: {customers} customers, {orders} orders with {lines} lines from {start} to {end}, "
            "true net revenue {revenue} {currency}.",
            name=NAME,
            customers=self.truth.customers.num_rows,
            orders=self.truth.orders,
            lines=self.truth.order_lines,
            start=self.start,
            end=self.as_of - timedelta(days=1),
            revenue=Amount(self.truth.revenue),
            currency=self.currency,
        )


def simulate(
    seed: int = 7, customers: int = 1200, years: int = 3, settings: Settings = DEFAULT, as_of: date = AS_OF
) -> Firm:
    """Simulate `customers` customers over the `years` years before the day `as_of`.

    The same arguments give the same firm. Every kind of record has its own random stream
    (`streams.NAMES`). Raises BadParameter for fewer than 20 customers, fewer than 1 or more than 20 years, and a
    day outside 1970 to 2100.
    """
    if customers < 20:
        raise BadParameter(say("A simulated firm needs at least {n} customers.", n=20))
    if not 1 <= years <= 20:
        raise BadParameter(say("A simulated firm can have {low} to {high} years.", low=1, high=20))
    if not 1970 <= as_of.year <= 2100:
        raise BadParameter(
            say("A simulated firm can end in the years {low} to {high}.", low="1970", high="2100")
        )
    draw = streams(seed)
    span = Span.of(years, as_of)
    clocks = clock(intensity(span, settings))
    people = draw_population(
        draw["population"], draw["behaviour"], draw["mergers"], customers, span, clocks, settings
    )
    catalogue = draw_catalogue(draw["catalogue"], span, settings)
    rates = draw_rates(draw["rates"], span, settings)
    contracts = draw_contracts(draw["contracts"], people, span)
    owner = owners(draw["people"], people)
    orders = draw_orders(draw["orders"], people, contracts, clocks, span)
    lines = draw_lines(draw["lines"], people, contracts, orders, catalogue, rates, span, settings)
    credits = draw_credits(draw["credits"], people, orders, lines, span, settings)
    customer = customer_table(draw["names"], draw["outside"], people, owner, span)
    market = draw_market(draw, people, customer, contracts, catalogue, owner, span, settings)
    return Firm(
        seed=seed,
        start=add_months(as_of, -12 * years),
        as_of=as_of,
        currency="EUR",
        customers=customer,
        orders=order_table(draw["orders"], people, orders, contracts, owner),
        order_lines=line_table(orders, lines, catalogue),
        credit_notes=credit_table(people, orders, lines, credits, catalogue),
        products=catalogue.table,
        product_groups=group_table(),
        contracts=contracts.table,
        reps=sellers(draw["people"]),
        successions=_successions(people),
        rates=rates.table,
        truth=tell_truth(people, orders, lines, credits, rates, span, settings),
        sales=tell_sales_truth(market, len(people), span, settings.selling),
        population=people,
        market=market,
    )


def _successions(people: Population) -> pa.Table:
    import pyarrow as pa

    merged = np.flatnonzero(people.merged_into >= 0)
    ids = customer_ids(len(people))
    return pa.table(
        {
            "from_id": texts(ids[merged]),
            "to_id": texts(ids[people.merged_into[merged]]),
            "valid_from": dates(people.merged_on[merged]),
            "share": decimals(np.full(len(merged), 100)),
            "kind": pa.array(["merger"] * len(merged), type=pa.string()),
        }
    )
