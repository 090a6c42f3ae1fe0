"""Customers of a Book without dated orders, valued by their contracts alone (B11c, B12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast import contract_value, tenures
from klientel.forecast.business import CONTRACT, Split
from klientel.forecast.contract_value import Contracts
from klientel.forecast.renewal_rates import METHODS
from klientel.forecast.terms import unread
from klientel.forecast.value import MONTH
from klientel.quality import Flag
from klientel.words import mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Context

UNTIL_END = mark("until the end of each contract")


@dataclass(frozen=True)
class Alone:
    """Customers valued by contracts, with what stands behind it.

    split: one row per customer and the variance of the sum within the horizon; from_age: age in months from
    which renewals were held out, None where they were held out by date; fresh: value of a customer like today's
    whose contracts begin now, without end, at a yearly discount rate.
    """

    split: Split
    running: Contracts
    from_age: int | None
    reasons: tuple[tuple[Flag, str], ...]
    customers: int
    fresh: Callable[[float], float]

    @property
    def method(self) -> str:
        """The word for how the renewals were forecast."""
        rates = self.running.rates
        return UNTIL_END if rates is None else METHODS[rates.name]


def alone(contracts: ir.Table, context: Context, horizon: int, discount: float) -> Alone:
    """Values within `horizon` months and without end, from contracts with dates or with months since the start.

    Raises NotEnoughData where contracts have neither, where no day to look from is known, where no contract
    runs, or where nothing is known about how long they last.
    """
    days = horizon * MONTH
    dated = {"start", "end"} <= set(contracts.columns)
    if dated:
        if context.as_of == date.max:
            raise NotEnoughData(say("Contracts need a day to look from: give one with --as-of."))
        table, rates = context.once(
            "running contracts", lambda: contract_value.running(contracts, context.as_of)
        )
        from_age, length = None, None
    elif tenures.known(contracts):
        register = context.once("register of contracts", lambda: tenures.register(contracts))
        table, rates, from_age, length = register.running, register.rates, register.from_age, MONTH
    else:
        raise NotEnoughData(
            say(
                "Values of contracts need start and end (contract.start, contract.end), or the months since the start "
                "and whether they ended (contract.tenure_months, contract.ended)."
            )
        )
    running = contract_value.worth(table, rates, days, discount, length)
    told = _about_dated(running) if dated else _about_ages(register)
    sums = running.customers.agg(n=running.customers.count(), noise=running.customers.noise.sum())
    found = sums.to_pyarrow().to_pylist()[0]
    if not found["n"]:
        raise NotEnoughData(say("No contract with a recurring amount and a known end is running."))
    variance = float(found["noise"] or 0) + running.uncertain**2
    notes: list[tuple[Flag, str]] = (
        [] if running.rates is None else [("green", n) for n in running.rates.notes]
    )
    n = int(found["n"])

    def fresh(d: float) -> float:
        import ibis

        new = {
            "number": ibis.literal(1, "int64"),
            "leaves": ibis.literal(0, "int64"),
            "left_days": table.length,
        }
        begun = contract_value.worth(table.mutate(**new), rates, MONTH, d, length).customers
        sums = begun.agg(ever=begun.lifetime_value_infinite.sum(), paid=begun.annual_value.sum())
        row = sums.to_pyarrow().to_pylist()[0]
        first = 0.0 if dated else float(row["paid"]) / 12  # the month that has just been paid
        return (float(row["ever"] or 0) + first) / n

    reasons = (*unread(contracts, context), *told, *notes)
    return Alone(Split(_listed(running), variance), running, from_age, reasons, n, fresh)


def _listed(running: Contracts) -> ir.Table:
    """The columns of customers valued by orders, those about orders empty."""
    import ibis

    rows = running.customers
    none, number, whole = ibis.null("decimal(38, 4)"), ibis.null("float64"), ibis.null("int64")
    return rows.select(
        "customer_id",
        orders=whole,
        recency_days=whole,
        p_alive=number,
        orders_next_12m=number,
        order_value=none,
        value_last_12m=none,
        value_next_12m=rows.value_next_12m,
        lifetime_value=rows.lifetime_value,
        low=ibis.least(rows.low, rows.high),
        median=rows["median"],
        high=ibis.greatest(rows.low, rows.high),
        lifetime_value_infinite=rows.lifetime_value_infinite,
        business=ibis.literal(CONTRACT),
    )


def _about_dated(running: Contracts) -> list[tuple[Flag, str]]:
    told = list(running.reasons)
    if running.rates is not None and not running.rates.holdout:
        told.append(("amber", say("The renewal rate could not be tested on held-out time.")))
    return told


def _about_ages(register: tenures.Register) -> list[tuple[Flag, str]]:
    told: list[tuple[Flag, str]] = [
        (
            "amber",
            say(
                "The contracts have no dates: retention is that of the ages in months, as if contracts of all years "
                "were alike and the list held all that ever began; held out were the ages from {age} months on.",
                age=register.from_age,
            ),
        )
    ]
    if register.unknown:
        told.append(
            (
                "amber",
                say(
                    "{n} running contracts without months since the start or without an amount are left out.",
                    n=register.unknown,
                ),
            )
        )
    return told


def holdout_rows(found: Contracts, from_age: int | None) -> list[dict[str, Any]]:
    """The hold-out of the renewals: one row per method, with the age or the day from which was held out."""
    rates = found.rates
    return [
        dict(row, method=METHODS[row["method"]], from_age=from_age)
        for row in (rates.holdout if rates is not None else ())
    ]
