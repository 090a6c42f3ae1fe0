"""Lifetime value where there are contracts and no dated orders: renewed by chance, with proof (B11c, B12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.analyses.lifetime_value.declared import BUSINESS, FIGURES, RENEWALS
from klientel.analyses.lifetime_value.tables import empty, named_customers, sums_of, table_of
from klientel.analysis import Context, Estimate, Outcome
from klientel.errors import NotEnoughData
from klientel.forecast import business
from klientel.forecast.contracts_alone import Alone, alone, holdout_rows
from klientel.forecast.customer_values import MEASURES
from klientel.words import Share, in_currency, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir


def outcome(
    contracts: ir.Table,
    customers: ir.Table | None,
    context: Context,
    horizon: int,
    discount: float,
    value: str,
) -> Outcome:
    """Values of all customers with running contracts, as revenue.

    Raises NotEnoughData as `alone` does, and where margins are asked for.
    """
    if value == "margin":
        raise NotEnoughData(say("Contracts tell revenue only: no margin is known."))
    found = alone(contracts, context, horizon, discount)
    sums = sums_of(found.split.listed)
    parts = business.rows(found.split, None)
    held = holdout_rows(found.running, found.from_age)
    figures = _figures(found, sums, parts)
    return Outcome(
        tables={
            "customers": named_customers(found.split.listed, customers),
            "business": table_of(BUSINESS, parts),
            "renewals": table_of(RENEWALS, held),
            **empty(("holdout", "calibration", "tracking")),
        },
        figures=figures,
        n=found.customers,
        reasons=found.reasons,
        lines=_lines(found, figures, held, horizon, context.currency),
    )


def _figures(found: Alone, sums: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    total = next(row for row in parts if row["business"] == business.TOGETHER)
    word = mark("uncertain renewal rates and how far they were off, and the chance of each contract's course")
    known: dict[str, Any] = dict.fromkeys(f.name for f in FIGURES)
    best = float(sums["best"] / sums["positive"]) if sums["positive"] else None
    value = sums["lifetime"]
    return known | {
        "lifetime_value": Estimate(value, total["low"], total["high"], 0.95, word),
        "contract_customers": found.customers,
        "contract_value": value,
        "static_equity": sums["ever"],
        "value_next_12m": sums["next"],
        "customers": found.customers,
        "model": found.method,
        "measure": MEASURES["revenue"],
        "renewal_skill": found.running.rates.skill if found.running.rates is not None else None,
        "top_decile_value_share": best,
    }


def _lines(
    found: Alone, figures: dict[str, Any], held: list[dict[str, Any]], horizon: int, currency: str | None
) -> tuple[str, ...]:
    total = figures["lifetime_value"]
    first = say(
        "The running contracts of {n} customers are expected to bring {value} in the next {months} months, discounted "
        "(revenue; between {low} and {high}).",
        n=found.customers,
        value=in_currency(total.value, currency),
        months=horizon,
        low=in_currency(total.low if total.low is not None else total.value, currency),
        high=in_currency(total.high if total.high is not None else total.value, currency),
    )
    shown = next((row for row in held if row["shown"]), None)
    if shown is None:
        return (first,)
    second = say(
        "Renewals by {method}: {told} of those held out were forecast to be lost, {came} were.",
        method=found.method,
        told=Share(1 - shown["predicted_share"]),
        came=Share(1 - shown["renewed_share"]),
    )
    return first, second
