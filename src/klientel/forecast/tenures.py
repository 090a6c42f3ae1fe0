"""Contracts without dates: retention by age, from months since the start and who has ended (B11c, G12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from klientel.errors import NotEnoughData
from klientel.forecast.renewal_rates import AGEING, BY_TYPE, Rates, chosen
from klientel.forecast.terms import MONEY
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

EARLY = 2 / 3  # of the ages are learned from, the later ones held out


@dataclass(frozen=True)
class Register:
    """What contracts with months since the start say: those that run, rates by age, the age held out from.

    running: as from `contract_value.running`; a contract has just been paid for its month (case 2 of B11a) and
    comes up for renewal each month. unknown: left out, because months or amount are not known.
    """

    running: ir.Table
    rates: Rates
    from_age: int
    unknown: int


def known(contracts: ir.Table) -> bool:
    """True if contracts without dates tell how long they have lasted and which have ended."""
    return {"tenure_months", "ended"} <= set(contracts.columns)


def register(contracts: ir.Table) -> Register:
    """The monthly retention by age of contracts without dates, and those that run.

    A contract that has lasted t months came up for renewal in each of them; one that ended did not renew the
    last. The retention is chosen among one rate, rates by type, sBG and BdW, for all or by type: what forecast
    the ages above two thirds of the oldest best, known the younger ones only. There are no dates, so later ages
    are held out, not later time.

    Raises NotEnoughData where no contract has ended, or fewer than 5 renewals were due.
    """
    table = _complete(contracts)
    rows = _counts(table)
    oldest = max((r["months"] for r in rows), default=0)
    from_age = int(oldest * EARLY) + 1
    due = _due(rows, from_age)
    if not sum(r["due"] - r["renewed"] for r in due):
        raise NotEnoughData(
            say(
                "No contract is known to have ended, so nothing is known about how long they last. "
                "customer_equity takes a retention by hand."
            )
        )
    rates = chosen(due, None, (*AGEING, *BY_TYPE))
    running = table.filter(~table.over)
    usable = running.filter(running.months.notnull() & (running.annual_value > 0).fill_null(False))
    unknown = running.count().to_pyarrow().as_py() - usable.count().to_pyarrow().as_py()
    return Register(_at_renewal(usable), rates, from_age, int(unknown))


def _complete(contracts: ir.Table) -> ir.Table:
    import ibis

    have = set(contracts.columns)
    table = contracts.mutate(
        **{n: v for n, v in {"type": ibis.null("string"), "period_months": ibis.null("int64")}.items()
           if n not in have}
    )  # fmt: skip
    periods = ibis.greatest(table.period_months.fill_null(1), 1)
    yearly = (table.recurring_amount.cast("decimal(27, 4)") * 12 / periods).round(4).cast(MONEY)
    return table.select(
        customer_id=table.customer_id.cast("string"),
        type=table.type.fill_null(""),
        months=table.tenure_months.cast("int64"),
        over=table.ended.fill_null(False),
        annual_value=yearly,
    )


def _counts(table: ir.Table) -> list[dict[str, Any]]:
    """Contracts by type, months and whether they ended, from the engine; the only rows that come here."""
    seen = table.filter(table.months.notnull() & (table.months >= 0))
    grouped = seen.group_by("type", "months", "over").agg(n=seen.count())
    found: list[dict[str, Any]] = grouped.to_pyarrow().to_pylist()
    return sorted(found, key=lambda r: (r["type"], r["months"], r["over"]))


def _due(rows: list[dict[str, Any]], from_age: int) -> list[dict[str, Any]]:
    """Renewals due and made by type and month of age (G12: running contracts count as far as they are known)."""
    due: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        # who ended in the first month was up for one renewal
        last = max(row["months"], 1) if row["over"] else row["months"]
        for age in range(1, last + 1):
            counts = due.setdefault((row["type"], age), [0, 0])
            counts[0] += row["n"]
            counts[1] += row["n"] if not (row["over"] and age == last) else 0
    return [
        {"type": kind, "number": age, "due": n, "renewed": kept, "late": age >= from_age}
        for (kind, age), (n, kept) in sorted(due.items())
    ]


def _at_renewal(usable: ir.Table) -> ir.Table:
    import ibis

    return usable.select(
        "customer_id",
        "annual_value",
        "type",
        open_=ibis.literal(False),
        number=usable.months + 1,
        length=ibis.literal(0, "int64"),
        left_days=ibis.literal(0, "int64"),
        leaves=ibis.literal(0, "int64"),
    )
