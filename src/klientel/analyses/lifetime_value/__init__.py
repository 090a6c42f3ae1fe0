"""Lifetime value: what each customer is still expected to bring, with proof on held-out time (B11, B12)."""

from __future__ import annotations

from math import exp
from typing import Annotated, Any

from klientel.analyses.lifetime_value import by_contracts
from klientel.analyses.lifetime_value.declared import (
    BUSINESS,
    CALIBRATION,
    CHARTS,
    CUSTOMERS,
    FIGURES,
    HOLDOUT,
    RENEWALS,
    TRACKING,
)
from klientel.analyses.lifetime_value.tables import (
    calibration_rows,
    holdout_rows,
    named_customers,
    sums_of,
    table_of,
)
from klientel.analysis import Context, Estimate, Need, Outcome, Param, analysis
from klientel.forecast import business as told_apart
from klientel.forecast.candidates import MODELS
from klientel.forecast.contracts_alone import holdout_rows as renewal_rows
from klientel.forecast.customer_values import MEASURES, valued
from klientel.forecast.past import Past
from klientel.forecast.proof import Forecast, tracking
from klientel.forecast.scores import captured
from klientel.forecast.terms import unread
from klientel.quality import Flag
from klientel.words import Share, in_currency, mark, say


@analysis(
    title=mark("Lifetime value"),
    question=mark("What will each customer still bring, and how sure is that?"),
    group="value",
    needs=(
        Need("purchases", ("customer_id", "day", "matched_revenue", "is_order"), instead="contracts"),
        Need("customers", ("customer_id", "name"), optional=True),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(CUSTOMERS, BUSINESS, HOLDOUT, CALIBRATION, TRACKING, RENEWALS),
    figures=FIGURES,
    charts=CHARTS,
)
def lifetime_value(
    purchases: Any = None,
    customers: Any = None,
    contracts: Any = None,
    *,
    horizon: Annotated[int, Param(mark("Horizon in months"), min=1, max=240, unit="months")] = 36,
    discount: Annotated[float, Param(mark("Discount rate per year"), min=0.0001, max=1, unit="share")] = 0.10,
    value: Annotated[
        str, Param(mark("Value: margin where it is known"), choices=("auto", "revenue", "margin"))
    ] = "auto",
    model: Annotated[
        str,
        Param(mark("Model of orders"), choices=("auto", "mbgnbd", "bgnbd", "paretonbd", "baseline")),
    ] = "auto",
    holdout: Annotated[int, Param(mark("Weeks held out; 0: a third of the history"), min=0, max=520)] = 0,
    business: Annotated[
        str,
        Param(
            mark("Customers with running contracts: by their main business, by contracts, or by orders"),
            choices=("auto", "contracts", "orders"),
        ),
    ] = "auto",
    context: Context,
) -> Outcome:
    """Residual value of each customer: discounted expected orders x expected value of an order (B11b).

    Money in the reporting currency, orders in days with an order. The model is chosen on held-out time;
    where none beats the naive baselines, the baseline is shown and said so (B11a: constant retention).
    Without dated orders, running contracts are valued alone (B11c). Raises NotEnoughData without orders or, for
    margins, where less than half of the revenue has one.
    """
    if purchases is None:
        return by_contracts.outcome(contracts, customers, context, horizon, discount, value)
    if contracts is not None and "start" not in contracts.columns:
        contracts = None
    worth = valued(purchases, value)
    past = Past.of(purchases, context)
    stock = told_apart.existing(
        past, contracts, context, worth,
        horizon=horizon, discount=discount, model=model, holdout=holdout, business=business,
    )  # fmt: skip
    made, found = stock.made, stock.split
    extra = () if stock.running is None else (*unread(contracts, context), *stock.running.reasons)
    held = holdout_rows(made)
    sums = sums_of(found.listed)
    parts = told_apart.rows(found, stock.relative)
    figures = _figures(made, sums, parts, held, worth.measure)
    if stock.running is not None and stock.running.rates is not None:
        figures["renewal_skill"] = stock.running.rates.skill
    return Outcome(
        tables={
            "customers": named_customers(found.listed, customers),
            "business": table_of(BUSINESS, parts),
            "holdout": table_of(HOLDOUT, held),
            "calibration": table_of(CALIBRATION, calibration_rows(made)),
            "tracking": table_of(TRACKING, tracking(made)),
            "renewals": table_of(
                RENEWALS, [] if stock.running is None else renewal_rows(stock.running, None)
            ),
        },
        figures=figures,
        n=int(sums["n"] or 0),
        excluded=max(0, round(made.rows.customers) - int(sums["n"] or 0)),
        coverage=worth.coverage,
        reasons=(*worth.reasons, *_reasons(made, stock.retention, figures), *extra),
        lines=_lines(made, figures, horizon, context.currency),
    )


def _figures(
    made: Forecast,
    sums: dict[str, Any],
    parts: list[dict[str, Any]],
    held: list[dict[str, Any]],
    measure: str,
) -> dict[str, Any]:
    newest, shown = made.contest.newest, next((row for row in held if row["shown"]), None)
    by_model = made.model is not None
    kept = made.contest.skill if by_model else None
    best = float(sums["best"] / sums["positive"]) if sums["positive"] else None
    by = {row["business"]: row for row in parts}
    contracts = by.get(told_apart.CONTRACT)
    return {
        "lifetime_value": _estimate(sums["lifetime"], by.get(told_apart.TOGETHER)),
        "contract_customers": contracts["customers"] if contracts else None,
        "contract_value": contracts["lifetime_value"] if contracts else None,
        "static_equity": sums["ever"],
        "value_next_12m": sums["next"],
        "value_last_12m": sums["last"],
        "orders_next_12m": float(sums["orders"]) if sums["orders"] is not None else None,
        "customers": int(sums["n"] or 0),
        "expected_alive": float(sums["alive"]) if by_model and sums["alive"] is not None else None,
        "model": MODELS[made.name],
        "measure": MEASURES[measure],
        "tracking_error": _tracking(held),
        "skill": kept,
        "mae_skill": shown["mae_skill"] if by_model and shown else None,
        "value_skill": made.value_skill if by_model else None,
        "renewal_skill": None,
        "coverage_80": _mean(made.intervals.held) if by_model else None,
        "coverage_model": _mean(made.intervals.raw) if by_model else None,
        "value_error": made.value_error if by_model else None,
        "order_value_growth": exp(made.growth.yearly) - 1 if by_model and made.growth.certain else None,
        "top_decile_capture": captured(newest.rows.next, newest.predicted, newest.rows.n)
        if by_model and newest
        else None,
        "one_order_share": made.rows.once_share,
        "top_decile_value_share": best,
    }


def _mean(shares: tuple[float, ...]) -> float | None:
    return sum(shares) / len(shares) if shares else None


def _tracking(held: list[dict[str, Any]]) -> float | None:
    shown = [row for row in held if row["shown"]]
    came = sum(row["actual_orders"] for row in shown)
    return sum(row["predicted_orders"] for row in shown) / came - 1 if came else None


def _estimate(total: Any, together: dict[str, Any] | None) -> Any:
    """The sum with its 95 % interval, where there is one."""
    if total is None or together is None or together["low"] is None:
        return total
    word = mark(
        "uncertain parameters, the chance of each customer's course, and how far sums were off so far"
    )
    return Estimate(total, together["low"], together["high"], 0.95, word)


def _reasons(
    made: Forecast, retention: float | None, figures: dict[str, Any]
) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = [("amber", reason) for reason in made.reasons]
    if made.model is None:
        told.append(
            (
                "amber",
                say(
                    "Shown is the baseline: every customer brings next year what it brought in the last 12 "
                    "months."
                ),
            )
        )
        if retention is None:
            told.append(("amber", say("The history is too short for a yearly retention: no lifetime value.")))
        else:
            told.append(
                (
                    "amber",
                    say(
                        "The lifetime value of the baseline assumes that {share} of the customers stay each "
                        "year, the same for all and for ever.",
                        share=Share(retention),
                    ),
                )
            )
        return tuple(told)
    error, inside = figures["tracking_error"], figures["coverage_80"]
    if error is not None and abs(error) > 0.10:
        told.append(
            (
                "amber",
                say("On held-out time the forecast of all orders was off by {share}.", share=Share(error)),
            )
        )
    if inside is not None and not 0.75 <= inside <= 0.85:
        told.append(
            (
                "amber",
                say(
                    "The 80 % intervals held {share} of the customers on held-out time; 75 % to 85 % is right.",
                    share=Share(inside),
                ),
            )
        )
    if figures["mae_skill"] is not None and figures["mae_skill"] <= 0:
        told.append(
            (
                "green",
                say(
                    "By absolute errors a naive baseline was closer for single customers; by squared errors, "
                    "which sums depend on, the model was."
                ),
            )
        )
    told.append(
        (
            "green",
            say(
                "Framework contracts inside the orders and seasons are not modelled; intervals of single customers "
                "are wide."
            ),
        )
    )
    return tuple(told)


def _lines(made: Forecast, figures: dict[str, Any], horizon: int, currency: str | None) -> tuple[str, ...]:
    total = figures["lifetime_value"]
    lines = []
    if isinstance(total, Estimate) and total.value is not None:
        lines.append(
            say(
                "The {n} customers are expected to bring {value} in the next {months} months, discounted "
                "({measure}; between {low} and {high}), of it {best} from a tenth of them.",
                n=figures["customers"],
                value=in_currency(total.value, currency),
                months=horizon,
                measure=figures["measure"],
                low=in_currency(total.low, currency),
                high=in_currency(total.high, currency),
                best=Share(figures["top_decile_value_share"] or 0.0),
            )
        )
        skill = figures["skill"]
        lines.append(
            say(
                "{model} forecast {tracking} of the orders that came on held-out time and beats the better naive "
                "baseline by {skill} of its squared error per customer.",
                model=figures["model"],
                tracking=Share(1 + (figures["tracking_error"] or 0.0)),
                skill=Share(skill.value if skill else 0.0),
            )
        )
    elif figures["value_next_12m"] is not None:
        lines.append(
            say(
                "No model beat the naive forecast: {value} in the next 12 months, as in the last ({measure}).",
                value=in_currency(figures["value_next_12m"], currency),
                measure=figures["measure"],
            )
        )
    return tuple(lines)
