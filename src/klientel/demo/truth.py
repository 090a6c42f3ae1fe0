"""What is known about the simulated firm because it was drawn: latent values and exact sums."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, Flags, Floats, Ints, dates, decimals, texts
from klientel.demo.contracts import CURRENCIES, swiss
from klientel.demo.credits import Credits
from klientel.demo.customers import customer_ids
from klientel.demo.days import Span
from klientel.demo.orders import Lines, Orders
from klientel.demo.population import Population
from klientel.demo.rates import UNIT, Rates
from klientel.demo.settings import Settings
from klientel.errors import BadParameter
from klientel.words import say

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Truth:
    """Latent values per customer and sums of the whole firm.

    customers: customer_id, rate (orders a year), rate_mean (its mean given industry and size), order_value
    (EUR list value), trend (yearly log change), drop_rate (yearly hazard), lifetime_scale, acquired_on,
    pause_start, pause_end, dropout_on (may lie after the data; NULL = thousands of years away), alive and
    lost (on the as-of day), merged_into, merged_on, key_account, loss_maker, orders, invoiced, credited,
    revenue (EUR; of orders and credit notes under the customer's own number).
    settings: the stated distributions. invoiced, credited: per currency, exact. revenue: R2 of the handbook
    (G4) in EUR at the average rate of the booking month, exact. margin: revenue less the cost of all
    invoiced goods (returned goods are not put back on stock). orders, order_lines: counts of valid rows.
    """

    customers: pa.Table
    settings: Settings
    invoiced: dict[str, Decimal]
    credited: dict[str, Decimal]
    revenue: Decimal
    margin: Decimal
    orders: int
    order_lines: int

    def of(self, customer_id: str) -> dict[str, object]:
        """The latent values of one customer by column name; BadParameter if there is no such customer."""
        import pyarrow.compute as pc

        found = self.customers.filter(pc.field("customer_id") == customer_id).to_pylist()
        if not found:
            raise BadParameter(
                say("The simulated firm has no customer with number {number}.", number=customer_id)
            )
        return dict(found[0])


def tell_truth(
    people: Population,
    orders: Orders,
    lines: Lines,
    credits: Credits,
    rates: Rates,
    span: Span,
    settings: Settings,
) -> Truth:
    """Add up lines and credit notes exactly (integers) and lay out the latent values."""
    francs = swiss(people)
    line_francs = francs[orders.customer[lines.order]]
    payer = np.where(credits.line >= 0, orders.customer[lines.order[credits.line]], credits.customer)
    credit_francs = francs[payer]
    n = len(people)
    rate = np.where(line_francs, rates.on(orders.day[lines.order]), UNIT)
    credit_rate = np.where(credit_francs, rates.on(credits.day), UNIT)
    invoiced = _sums(orders.billed_to[lines.order], lines.net * rate, n)
    credited = _sums(credits.customer, credits.amount * credit_rate, n)
    cost = int((lines.qty * lines.unit_cost * rate).sum())
    total = int(invoiced.sum() - credited.sum())
    placed = np.bincount(orders.billed_to, minlength=n)
    return Truth(
        _latent(people, placed, invoiced, credited, span),
        settings,
        _by_currency(lines.net, line_francs),
        _by_currency(credits.amount, credit_francs),
        _money(total),
        _money(total - cost),
        len(orders.day),
        len(lines.order),
    )


def _sums(index: Ints, values: Ints, n: int) -> Ints:
    sums = np.zeros(n, dtype=np.int64)
    np.add.at(sums, index, values)
    return sums


def _money(units: int) -> Decimal:
    return Decimal(units) / (100 * UNIT)


def _by_currency(cents: Ints, francs: Flags) -> dict[str, Decimal]:
    return {name: Decimal(int(cents[francs == bool(k)].sum())) / 100 for k, name in enumerate(CURRENCIES)}


def _latent(people: Population, placed: Ints, invoiced: Ints, credited: Ints, span: Span) -> pa.Table:
    import pyarrow as pa

    ids = customer_ids(len(people))
    paused = people.pause_end > people.pause_start
    alive = (people.dropout >= span.end) & (people.merged_into < 0)
    far = 2_932_000  # beyond about the year 9997 a date cannot be read by most programs

    def when(days: Ints, missing: Flags | None = None) -> pa.Array:
        return dates(np.where((days > far) | (missing if missing is not None else False), NEVER, days))

    floats: dict[str, Floats] = {
        "rate": people.rate,
        "rate_mean": people.rate_mean,
        "order_value": people.value,
        "trend": people.trend,
        "drop_rate": people.drop_rate,
        "lifetime_scale": people.lifetime_scale,
    }
    return pa.table(
        {
            "customer_id": texts(ids),
            **{name: pa.array(values) for name, values in floats.items()},
            "newcomer": pa.array(people.newcomer),
            "acquired_on": when(people.acquired),
            "pause_start": when(people.pause_start, ~paused),
            "pause_end": when(people.pause_end, ~paused),
            "dropout_on": when(people.dropout),
            "alive": pa.array(alive),
            "lost": pa.array(people.dropout < span.end),
            "merged_into": texts(ids[np.maximum(people.merged_into, 0)], people.merged_into < 0),
            "merged_on": when(people.merged_on),
            "key_account": pa.array(people.key_account),
            "loss_maker": pa.array(people.loss_maker),
            "orders": pa.array(placed),
            "invoiced": decimals(invoiced, 6),
            "credited": decimals(credited, 6),
            "revenue": decimals(invoiced - credited, 6),
        }
    )
