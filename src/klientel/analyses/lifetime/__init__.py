"""Lifetime: how long customers stay, by segment, with the living counted as far as they are known (B5, B9, G12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from klientel.analyses.lifetime import curves as drawn
from klientel.analyses.lifetime.declared import (
    CAUSES,
    CHARTS,
    CONTRACTS,
    CURVE,
    FIGURES,
    ORDERS,
    SEGMENTS,
)
from klientel.analyses.lifetime.spells import Spells, of_contracts, of_orders
from klientel.analysis import Context, Estimate, Need, Outcome, Param, analysis
from klientel.attribute import AUTO, chosen
from klientel.errors import MissingInput, NotEnoughData
from klientel.expressions import small_table
from klientel.forecast.terms import unread
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Table

_NONE, END, BRIDGED = "none", "end", "bridged"
_MANY = 0.2  # share of customers with pauses from which the reader is warned
_UNSURE = 0.05  # p-value from which segments are not said to differ


@analysis(
    title=mark("Lifetime"),
    question=mark("How long do customers stay, and in which segments longer?"),
    group="keep",
    needs=(
        Need("customers", ("customer_id",)),
        Need("purchases", ("customer_id", "day", "is_order"), optional=True),
        Need("contracts", ("customer_id",), optional=True),
    ),
    tables=(SEGMENTS, CURVE, CAUSES),
    figures=FIGURES,
    charts=CHARTS,
)
def lifetime(
    customers: Any,
    purchases: Any = None,
    contracts: Any = None,
    *,
    by: Annotated[
        str, Param(mark("Attribute of the customers; auto: the best known one; none"), unit="attribute")
    ] = AUTO,
    basis: Annotated[
        str, Param(mark("Lifetimes of orders or of contracts"), choices=(AUTO, "orders", "contracts"))
    ] = AUTO,
    pauses: Annotated[
        str,
        Param(mark("Pauses longer than the activity window: the end, or bridged"), choices=(END, BRIDGED)),
    ] = END,
    context: Context,
) -> Outcome:
    """Survival curves with median and mean months, living customers censored, old ones entering late.

    Orders: a lifetime ends with the last order before the first silence longer than the activity window (G2, B5),
    or, with pauses bridged, before one after which nothing came. Contracts: at the end of the last term. Raises
    NotEnoughData without dates or where nobody has a known start.
    """
    spells, used = _spells(customers, purchases, contracts, context, by, basis, pauses == BRIDGED)
    if not spells.customers:
        raise NotEnoughData(say("No customer has been there long enough to tell how long customers stay."))
    whole = drawn.Curve("", drawn.fitted(spells), spells.n > 0)
    if whole.horizon() is None:
        raise NotEnoughData(say("Fewer than 10 customers can be watched at any age."))
    shown = drawn.by_segment(spells)
    rows = drawn.segment_rows(spells, shown)
    test = drawn.compared(spells, shown)
    figures = _figures(whole, spells, rows, used, None if len(shown) < 2 else _attribute(by, customers), test)
    return Outcome(
        tables={
            "segments": _table(SEGMENTS, rows),
            "curve": _table(CURVE, drawn.curve_rows(shown)),
            "causes": _table(CAUSES, drawn.causes(spells)),
        },
        figures=figures,
        n=spells.customers,
        excluded=spells.young + spells.unstarted,
        reasons=(
            *(unread(contracts, context) if used == CONTRACTS else ()),
            *_reasons(spells, whole, pauses == BRIDGED),
        ),
        lines=_lines(figures, rows),
    )


def _spells(
    customers: ir.Table, purchases: Any, contracts: Any, context: Context, by: str, basis: str, bridged: bool
) -> tuple[Spells, str]:
    attribute = _attribute(by, customers)
    dated = contracts is not None and {"start", "tenure_months"} & set(contracts.columns)
    if purchases is not None and basis != "contracts":
        return of_orders(purchases, customers, context, attribute, bridged), ORDERS
    if dated and basis != "orders":
        return of_contracts(contracts, customers, context, attribute), CONTRACTS
    raise NotEnoughData(
        say(
            "Lifetimes need a date for each sale (order_line.order_date), or contracts with a start or the months "
            "since it (contract.start, contract.tenure_months)."
        )
    )


def _attribute(by: str, customers: ir.Table) -> str | None:
    if by == _NONE:
        return None
    try:
        return chosen(by, customers)
    except MissingInput:
        if by != AUTO:
            raise
        return None


def _figures(
    whole: drawn.Curve,
    spells: Spells,
    rows: list[dict[str, Any]],
    used: str,
    attribute: str | None,
    test: Any,
) -> dict[str, Any]:
    mean = whole.fit.restricted_mean()
    low, high = whole.fit.median_interval()
    median = whole.fit.median_
    word = mark("limits of the curve (Greenwood, log-log)")
    return {
        "median_lifetime": Estimate(median, low, high, 0.95, word) if median is not None else None,
        "mean_lifetime": Estimate(mean.mean, mean.low, mean.high, 0.95, mark("Greenwood")),
        "stays_12m": drawn.stays(whole, 12),
        "horizon": mean.tau,
        "customers": spells.customers,
        "lost_customers": round(float(spells.n @ spells.ended)),
        "living_customers": round(float(spells.n @ (1 - spells.ended))),
        "p_value": test.p_value if test is not None else None,
        "attribute": attribute,
        "basis": used,
        "too_young": spells.young,
    }


def _reasons(spells: Spells, whole: drawn.Curve, bridged: bool) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = []
    if spells.customers < drawn.LEAST:
        told.append(("amber", say("Only {n} customers: indicative.", n=spells.customers)))
    if whole.fit.note_ is not None:
        told.append(("amber", whole.fit.note_))
    if spells.early:
        told.append(
            (
                "amber" if spells.early > 0.2 * spells.customers else "green",
                say(
                    '{n} customers first ordered soon after the data begin and have no date in "customer since": '
                    "they may have been customers before, so lifetimes may be longer.",
                    n=spells.early,
                ),
            )
        )
    if spells.paused:
        told.append(_paused(spells, bridged))
    if spells.young:
        told.append(
            (
                "green",
                say(
                    "{n} customers are too new for anything to be known about their staying.", n=spells.young
                ),
            )
        )
    if spells.unstarted:
        told.append(
            ("amber", say("{n} contracts without a known start or end are left out.", n=spells.unstarted))
        )
    if not spells.ended.any():
        told.append(("amber", say("Nobody has left yet: only lower limits of lifetimes are known.")))
    return tuple(told)


def _paused(spells: Spells, bridged: bool) -> tuple[Flag, str]:
    if bridged:
        told = say(
            "{n} customers came back after a silence longer than their activity window: that counts as a pause, not "
            "as an end.",
            n=spells.paused,
        )
        return "green", told
    told = say(
        "{n} customers came back after a silence longer than their activity window: their lifetime ended with it all "
        "the same; with pauses bridged it goes on.",
        n=spells.paused,
    )
    return ("amber" if spells.paused > _MANY * spells.customers else "green"), told


def _lines(figures: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    lines = []
    median, stays = figures["median_lifetime"], figures["stays_12m"]
    if median is not None and median.value < 0.1:
        lines.append(say("Half of the customers are gone after their first order."))
    elif median is not None:
        lines.append(
            say(
                "Half of the customers stay longer than {months} months ({low} to {high}).",
                months=round(median.value, 1),
                low=round(median.low, 1) if median.low is not None else "…",
                high=round(median.high, 1) if median.high is not None else "…",
            )
        )
    elif stays is not None:
        lines.append(
            say(
                "More than half of the customers are still there after {months} months; {share} after 12.",
                months=round(figures["horizon"]),
                share=Share(stays),
            )
        )
    certain = [
        r for r in rows if r["difference_low"] is not None and r["difference_low"] * r["difference_high"] > 0
    ]
    if certain and (figures["p_value"] or 0) < _UNSURE:
        best = max(certain, key=lambda r: abs(r["difference"]))
        words = (
            mark("{segment}: customers stay {months} months longer than the others, within {horizon} months.")
            if best["difference"] > 0
            else mark(
                "{segment}: customers stay {months} months less than the others, within {horizon} months."
            )
        )
        horizon = min(figures["horizon"], max((r["mean_high"] or 0.0) for r in rows)) if rows else 0.0
        lines.append(
            say(
                words,
                segment=best["segment"],
                months=round(abs(best["difference"]), 1),
                horizon=round(horizon),
            )
        )
    elif figures["p_value"] is not None:
        lines.append(
            say("The segments do not differ by more than chance (p = {p}).", p=round(figures["p_value"], 2))
        )
    return tuple(lines)


def _table(table: Table, rows: list[dict[str, Any]]) -> ir.Table:
    kinds = {"count": "int64", "class": "string"}
    return small_table(rows, **{c.name: kinds.get(c.unit, "float64") for c in table.columns})
