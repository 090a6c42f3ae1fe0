"""Churn risk: who will stay away, what is at stake, and why, with proof on held-out time (B14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from klientel.analyses.churn_risk.assortment import WEIGHTY, Lost, lost
from klientel.analyses.churn_risk.declared import (
    BROKEN,
    CALIBRATION,
    CHARTS,
    CUSTOMERS,
    FIGURES,
    GROUPS,
    HOLDOUT,
    LATE,
    ONCE,
    PARTIAL,
    REASONS,
    RULE,
    SMALLER,
    STEADY,
)
from klientel.analyses.churn_risk.trials import Judged, judged
from klientel.analyses.churn_risk.watch import distinct, watched
from klientel.analysis import Context, Need, Outcome, Param, analysis
from klientel.errors import NotEnoughData
from klientel.expressions import named, small_table
from klientel.forecast.candidates import MODELS
from klientel.forecast.customer_values import MEASURES, Measured, valued, with_rate
from klientel.forecast.past import Past
from klientel.order_histories import scored
from klientel.quality import Flag
from klientel.words import Share, in_currency, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from klientel.analysis import Table

_YEAR, _SMALLER, _PARTIAL = 365.25, -0.3, -0.5
_SUM = "decimal(38, 4)"


@analysis(
    title=mark("Churn risk"),
    question=mark("Who will stay away, what is at stake, and why?"),
    group="keep",
    needs=(
        Need("purchases", ("customer_id", "day", "matched_revenue", "is_order")),
        Need("customers", ("customer_id", "name", "status")),
        Need("lines", ("customer_id", "day"), optional=True),
        Need("products", ("product_id",), optional=True),
        Need("product_groups", ("product_group_id", "name"), optional=True),
    ),
    tables=(CUSTOMERS, REASONS, HOLDOUT, CALIBRATION),
    figures=FIGURES,
    charts=CHARTS,
)
def churn_risk(
    purchases: Any,
    customers: Any,
    lines: Any = None,
    products: Any = None,
    product_groups: Any = None,
    *,
    horizon: Annotated[
        int, Param(mark("Horizon in days; 0: each customer's own"), min=0, max=1095, unit="days")
    ] = 0,
    model: Annotated[
        str, Param(mark("Model of orders"), choices=("auto", "mbgnbd", "bgnbd", "paretonbd", "baseline"))
    ] = "auto",
    value: Annotated[
        str, Param(mark("Value: margin where it is known"), choices=("auto", "revenue", "margin"))
    ] = "auto",
    context: Context,
) -> Outcome:
    """P(no order within the horizon) of each active customer, and the value of 12 months that hangs on it.

    The event is stated (B14): no order within H = max(90, 2 x own median gap) days, at most 365. A model is
    shown only where its Brier score on held-out time beats the rule "silence over twice the own 90 % gap".
    Value is measured as by `lifetime_value`; a customer without a known margin has none (G8). Raises
    NotEnoughData if no customer is active, or where margins are asked for and unknown.
    """
    worth = valued(purchases, value)
    past = Past.of(purchases, context)
    found = watched(purchases, past, context.as_of, horizon)
    known = customers.select(_c=customers.customer_id, status=customers.status)
    found = found.inner_join(known, found.customer_id == known._c).drop("_c")
    found = past.once(("watched", horizon), lambda: past.kept(found, "watched"))
    counts = {
        row["status"]: row["n"]
        for row in found.group_by("status").agg(n=found.count()).to_pyarrow().to_pylist()
    }
    watching = sum(counts.get(status, 0) for status in ("active", "reactivated"))
    if not watching:
        raise NotEnoughData(say("No customer is active on the as-of date."))
    found = found.filter(found.status.isin(["active", "reactivated"]))
    verdict = judged(purchases, past, context, model, horizon)
    gone = past.once("lost groups", lambda: _kept(lines, products, product_groups, past, context))
    risky = past.once(
        ("risky", horizon, model, worth.measure),
        lambda: past.kept(
            _with_reasons(_with_groups(_with_risk(with_rate(found, worth, everybody=True), verdict), gone)),
            "risky",
        ),
    )
    listed = named(risky, customers).select([c.name for c in CUSTOMERS.columns])
    reasons = _by_reason(risky)
    figures = _figures(risky, verdict, watching, counts.get("former", 0), worth)
    return Outcome(
        tables={
            "customers": listed.order_by(
                [
                    listed.value_at_stake.desc(nulls_first=False),
                    listed.value_next_12m.desc(),
                    listed.customer_id,
                ]
            ),
            "reasons": _table(REASONS, reasons),
            "holdout": _table(HOLDOUT, list(verdict.holdout)),
            "calibration": _table(CALIBRATION, list(verdict.calibration)),
        },
        figures=figures,
        n=watching,
        excluded=counts.get("former", 0),
        coverage=worth.coverage,
        reasons=(*worth.reasons, *_told(verdict, counts.get("former", 0), gone)),
        lines=_lines(figures, reasons, context.currency),
    )


def _with_risk(found: ir.Table, verdict: Judged) -> ir.Table:
    """Adds p_no_order, p_alive and value_next_12m, by the model or by the rule."""
    import ibis

    last = found.last_value.cast("float64") * found.rate
    if verdict.model is None or verdict.spend is None:
        none = ibis.null("float64")
        rates = verdict.rates
        chance = none if rates is None else ibis.ifelse(found.late, rates[1], rates[0])
        # without any hold-out nothing is known about probabilities: what the late ones brought is at stake
        share = found.late.cast("float64") if rates is None else chance
        return found.mutate(
            p_no_order=chance, p_alive=none, value_next_12m=_money(last), value_at_stake=_money(share * last)
        )
    cases = distinct(found)
    rows, model = cases.rows, verdict.model
    alive = model.probability_alive(rows.x, rows.t_x, rows.T)
    year = model.predict_purchases(_YEAR, rows.x, rows.t_x, rows.T)
    table = scored(
        found.mutate(_late=found.late.cast("int64")),
        rows,
        {
            "horizon": cases.horizon,
            "_late": cases.late,
            "p_no_order": model.probability_of_none(cases.horizon, rows.x, rows.t_x, rows.T),
            "p_alive": alive,
            "if_stays": year / alive.clip(1e-12) * verdict.spend.each(rows.paid),
            "level": verdict.spend.level(rows.x),
        },
        extra=("horizon", "_late"),
    )
    value = _money(table.if_stays * (table.level + table.spent.cast("float64")) * table.rate)
    table = table.mutate(value_next_12m=value)
    stake = _money(table.p_no_order * table.value_next_12m.cast("float64"))
    return table.mutate(value_at_stake=stake)


def _kept(lines: Any, products: Any, groups: Any, past: Past, context: Context) -> Lost | None:
    found = lost(lines, products, groups, context.as_of, context.first_day)
    return None if found is None else Lost(past.kept(found.customers, "lost_groups"), found.by_group)


def _with_groups(risky: ir.Table, gone: Lost | None) -> ir.Table:
    """Adds lost_groups (0 where none, NULL where nothing is known), lost_names and lost_share."""
    import ibis

    if gone is None:
        return risky.mutate(
            lost_groups=ibis.null("int64"), lost_names=ibis.null("string"), lost_share=ibis.null("float64")
        )
    named_ = gone.customers.rename(_l="customer_id")
    table = risky.left_join(named_, risky.customer_id == named_._l).drop("_l")
    return table.mutate(lost_groups=table.lost_groups.fill_null(0))


def _with_reasons(risky: ir.Table) -> ir.Table:
    """The gravest reason and a further one, in classes that are words; and since when the rhythm is broken."""
    import ibis

    smaller = (risky.order_value_change <= _SMALLER).fill_null(False)
    partial = (risky.half_year_change < _PARTIAL).fill_null(False)
    fewer = (risky.lost_share >= WEIGHTY).fill_null(False)
    once = risky.x == 0
    late = risky.recency > risky.long_gap
    main = ibis.cases(
        (risky.late, BROKEN),
        (once, ONCE),
        (late, LATE),
        (partial, PARTIAL),
        (fewer, GROUPS),
        (smaller, SMALLER),
        else_=str(STEADY),
    )
    after = risky.late | once | late
    further = ibis.cases(
        (risky.late & once, ONCE),
        (after & partial, PARTIAL),
        ((after | partial) & fewer, GROUPS),
        ((after | partial | fewer) & smaller, SMALLER),
        else_=ibis.null("string"),
    )
    since = risky.last_day + (2 * risky.long_gap).ceil().cast("int64").as_interval("D")
    return risky.mutate(
        reason=main,
        further_reason=further,
        broken_since=ibis.ifelse(risky.late, since.cast("date"), ibis.null("date")),
        recency_days=risky.recency,
        usual_gap_days=ibis.ifelse(risky.x > 0, risky.gap, ibis.null("float64")),
        long_gap_days=ibis.ifelse(risky.x > 0, risky.long_gap, ibis.null("float64")),
        horizon_days=risky.horizon,
    )


def _by_reason(risky: ir.Table) -> list[dict[str, Any]]:
    grouped = risky.group_by("reason").agg(
        customers=risky.count(),
        value_at_stake=risky.value_at_stake.sum().cast(_SUM),
        mean_probability=risky.p_no_order.round(9).cast("decimal(38, 9)").sum(),
    )
    rows: list[dict[str, Any]] = grouped.to_pyarrow().to_pylist()
    for row in rows:
        total = row["mean_probability"]
        row["mean_probability"] = None if total is None else float(total) / row["customers"]

    def rank(row: dict[str, Any]) -> tuple[bool, Any, str]:
        worth = row["value_at_stake"]  # None where no margin of these customers is known: last
        return worth is None, -(worth or 0), row["reason"]

    return sorted(rows, key=rank)


def _figures(risky: ir.Table, verdict: Judged, watching: int, former: int, worth: Measured) -> dict[str, Any]:
    sums = (
        risky.agg(
            stake=risky.value_at_stake.sum().cast(_SUM),
            next=risky.value_next_12m.sum().cast(_SUM),
            late=risky.late.cast("int64").sum(),
            late_value=risky.late.ifelse(risky.value_next_12m, 0).sum().cast(_SUM),
            partial=(risky.half_year_change < _PARTIAL).fill_null(False).cast("int64").sum(),
            fewer=(risky.lost_share >= WEIGHTY).fill_null(False).cast("int64").sum(),
            seen=risky.lost_groups.count(),
            risk=(risky.p_no_order > 0.5).cast("int64").sum(),
            silent=risky.p_no_order.round(9).cast("decimal(38, 9)").sum(),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    shown = next((row for row in verdict.holdout if row["shown"]), {})
    return {
        "value_at_stake": sums["stake"],
        "late_customers": sums["late"],
        "high_risk_customers": sums["risk"],
        "partial_customers": sums["partial"],
        "lost_group_customers": sums["fewer"] if sums["seen"] else None,
        "late_value": sums["late_value"],
        "measure": MEASURES[worth.measure],
        "value_next_12m": sums["next"],
        "customers": watching,
        "expected_silent": None if sums["silent"] is None else float(sums["silent"]),
        "former_customers": former,
        "method": RULE if verdict.model is None else MODELS[verdict.name],
        "brier": shown.get("brier"),
        "brier_rule": shown.get("brier_rule"),
        "skill": verdict.skill if verdict.model is not None else None,
        "auc": shown.get("auc"),
        "auc_rule": shown.get("auc_rule"),
        "lift": shown.get("lift"),
    }


def _told(verdict: Judged, former: int, gone: Lost | None) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = [("amber", reason) for reason in verdict.reasons]
    if verdict.model is None and verdict.rates is not None:
        told.append(
            (
                "amber",
                say(
                    "Shown is the rule: late customers stayed away in {late} of the cases on held-out time, the "
                    "others in {others}.",
                    late=Share(verdict.rates[1]),
                    others=Share(verdict.rates[0]),
                ),
            )
        )
    elif verdict.model is None:
        told.append(
            (
                "amber",
                say(
                    "Shown is the rule without probabilities: the value at stake is what late customers brought "
                    "in the last 12 months."
                ),
            )
        )
    if former:
        told.append(("green", say("{n} former customers are left out.", n=former)))
    if gone is not None and not gone.by_group:
        told.append(
            ("green", say("Product groups are not known: what customers no longer buy is told by products."))
        )
    told.append(
        (
            "green",
            say(
                "Risk does not say whom a call would keep: compare with 10 to 20 % of customers left uncalled, "
                "drawn by lot."
            ),
        )
    )
    return tuple(told)


def _lines(figures: dict[str, Any], reasons: list[dict[str, Any]], currency: str | None) -> tuple[str, ...]:
    if figures["value_at_stake"] is None:
        return ()
    first = say(
        "{stake} of {value} ({measure}) that the {n} active customers bring in 12 months are at stake; {late} of "
        "them are late by their own rhythm.",
        measure=figures["measure"],
        stake=in_currency(figures["value_at_stake"], currency),
        value=in_currency(figures["value_next_12m"], currency),
        n=figures["customers"],
        late=figures["late_customers"],
    )
    if figures["skill"] is None or figures["auc"] is None:
        return (first,)
    second = say(
        "On held-out time {method} told who would stay away with an AUC of {auc} (the rule: {rule}) and a Brier "
        "score {skill} better than the rule's.",
        method=figures["method"],
        auc=round(figures["auc"], 2),
        rule=round(figures["auc_rule"] or 0.5, 2),
        skill=Share(figures["skill"].value),
    )
    return first, second


def _table(table: Table, rows: list[dict[str, Any]]) -> ir.Table:
    kinds = {"money": _SUM, "count": "int64", "date": "date", "class": "string", "flag": "boolean"}
    return small_table(rows, **{c.name: kinds.get(c.unit, "float64") for c in table.columns})


def _money(amount: Any) -> Any:
    return amount.round(4).cast(_SUM)
