"""Value before and now of each customer, from orders or contracts, and how the customer moved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from klientel.errors import MissingInput
from klientel.expressions import EXACT
from klientel.words import mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_GAP_DAYS = 30  # a pause of up to 30 days between two contracts is no churn (B9)


def order_pairs(totals: ir.Table, before: ir.Table, histories: ir.Table | None, column: str) -> ir.Table:
    """One row per customer of either window: opening, closing, bought (in the closing window), first_day."""
    import ibis

    zero = ibis.literal(0).cast(EXACT)
    bought = totals.order_days > 0 if "order_days" in totals.columns else ibis.literal(True)
    now = totals.select(
        "customer_id",
        opening=zero,
        closing=totals[column].cast(EXACT),
        bought=bought.fill_null(False).cast("int64"),
    )
    then = before.select(
        "customer_id", opening=before[column].cast(EXACT), closing=zero, bought=ibis.literal(0).cast("int64")
    )
    both = now.union(then)
    pairs = both.group_by("customer_id").aggregate(
        opening=both.opening.sum().cast(EXACT),
        closing=both.closing.sum().cast(EXACT),
        bought=both.bought.max(),
    )
    if histories is None:
        return pairs.mutate(first_day=ibis.null("date"))
    first = histories.select(_id=histories.customer_id, first_day=histories.first_day)
    return pairs.left_join(first, pairs.customer_id == first._id).drop("_id")


def contract_pairs(contracts: ir.Table | None, start: date | None, end: date) -> tuple[ir.Table, int]:
    """As `order_pairs`, from the monthly recurring amounts of contracts running on two days (B10).

    Also the number of contracts that are marked as ended without an end date: they cannot be placed.
    """
    import ibis

    if contracts is None or "recurring_amount" not in contracts.columns:
        raise MissingInput(say("There are no contracts with a recurring amount (contract.recurring_amount)."))
    if "start" not in contracts.columns:
        raise MissingInput(
            say(
                "The contracts have no start date (contract.start) and no end date (contract.end): "
                "retention cannot be placed in time."
            )
        )
    dated = contracts.filter(contracts.start.notnull() & contracts.recurring_amount.notnull())
    dated = dated.mutate(_end=dated["end"] if "end" in dated.columns else ibis.null("date"))
    lost = dated._end.isnull() & (
        dated.ended.fill_null(False) if "ended" in dated.columns else ibis.literal(False)
    )
    unplaced = int(dated.filter(lost).count().to_pyarrow().as_py())
    dated = dated.filter(~lost)
    amount = dated.recurring_amount.cast(EXACT)
    if "period_months" in dated.columns:
        amount = (amount / ibis.greatest(dated.period_months.fill_null(1), 1)).round(4).cast(EXACT)
    follows = dated.start.lead().over(ibis.window(group_by="customer_id", order_by=[dated.start, dated._end]))
    bridged = (follows >= dated._end) & (follows <= dated._end + ibis.interval(days=_GAP_DAYS))
    dated = dated.mutate(_amount=amount, _end=ibis.ifelse(bridged.fill_null(False), follows, dated._end))
    zero = ibis.literal(0).cast(EXACT)

    def running(day: date | None) -> Any:
        return (dated.start <= day) & (dated._end.isnull() | (dated._end > day))

    parts = dated.mutate(
        _opening=ibis.ifelse(running(start), dated._amount, zero),
        _closing=ibis.ifelse(running(end), dated._amount, zero),
        _bought=running(end).cast("int64"),
    )
    pairs = parts.group_by("customer_id").aggregate(
        opening=parts._opening.sum().cast(EXACT),
        closing=parts._closing.sum().cast(EXACT),
        bought=parts._bought.max(),
        first_day=parts.start.min(),
    )
    return pairs, unplaced


def sorted_moves(pairs: ir.Table, prior_start: date | None) -> ir.Table:
    """The pairs with movement, change and kept = min(max(closing, 0), opening)."""
    import ibis

    zero = ibis.literal(0).cast(EXACT)
    s, e = pairs.opening, pairs.closing
    stays = (pairs.bought > 0) | (e > 0)
    earlier = (pairs.first_day < ibis.literal(prior_start)).fill_null(False) if prior_start else False
    movement = ibis.cases(
        ((s > 0) & (e > s), "expansion"),
        ((s > 0) & (e == s), "unchanged"),
        ((s > 0) & stays, "contraction"),
        (s > 0, "churned"),
        ((s == 0) & (e > 0) & earlier, "reactivated"),
        ((s == 0) & (e > 0), "new"),
        else_="outside",
    )
    kept = ibis.ifelse(s > 0, ibis.least(ibis.greatest(e, zero), s), zero)
    return pairs.mutate(movement=movement, change=e - s, kept=kept, credit=ibis.least(e, zero))


MOVEMENTS = {
    "expansion": mark("expansion"),
    "unchanged": mark("unchanged"),
    "contraction": mark("contraction"),
    "churned": mark("churned"),
    "reactivated": mark("reactivated"),
    "new": mark("new"),
    "outside": mark("outside"),
}
BASE = ("expansion", "unchanged", "contraction", "churned")


# Squares of money are added as decimals: a sum of floats differs in its last digit with the order of the rows.
_SQUARES = "decimal(38, 6)"


def sums_of(moves: ir.Table) -> dict[str, dict[str, Any]]:
    """Per movement, and for the whole base, the sums that every figure is made of."""
    s, e, k = (moves[c].cast("float64") for c in ("opening", "closing", "kept"))
    rows = (
        moves.group_by("movement")
        .aggregate(
            customers=moves.count(),
            opening=moves.opening.sum(),
            closing=moves.closing.sum(),
            kept=moves.kept.sum(),
            credit=moves.credit.sum(),
            ss=(s * s).cast(_SQUARES).sum(),
            ee=(e * e).cast(_SQUARES).sum(),
            es=(e * s).cast(_SQUARES).sum(),
            kk=(k * k).cast(_SQUARES).sum(),
            ks=(k * s).cast(_SQUARES).sum(),
        )
        .to_pyarrow()
        .to_pylist()
    )
    found = {r.pop("movement"): r for r in rows}
    for row in found.values():
        row |= {key: float(row[key]) for key in ("ss", "ee", "es", "kk", "ks")}
    nothing: dict[str, Any] = dict.fromkeys(("opening", "closing", "kept", "credit"), Decimal(0))
    nothing |= dict.fromkeys(("customers", "ss", "ee", "es", "kk", "ks"), 0)
    sums = {name: found.get(name, dict(nothing)) for name in MOVEMENTS}
    sums["base"] = {key: sum(sums[name][key] for name in BASE) for key in nothing}
    return sums
