"""Customer-base audit: five looks at the same customers (handbook A10; Fader, Hardie & Ross 2022)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from klientel.analyses.audit import declared
from klientel.analyses.audit.cohorts import STEP, ages, cells, chosen, life, stack, truncated
from klientel.analyses.audit.customers import deciles, each, median_gap, spenders, sums
from klientel.analyses.audit.declared import CUSTOMERS
from klientel.analyses.audit.periods import changes, drivers, money
from klientel.analysis import Context, Estimate, Need, Outcome, Param, Window, analysis
from klientel.errors import MissingInput
from klientel.periods import window_before, window_months
from klientel.quality import Flag, small_sample
from klientel.words import Share, in_currency, mark, say


@analysis(
    title=mark("Customer-base audit"),
    question=mark("How healthy is the customer base as a whole?"),
    group="understand",
    needs=(
        Need("purchases", ("customer_id", "day", "revenue", "matched_revenue", "orders", "is_order")),
        Need("customers", ("customer_id", "name", "status")),
    ),
    tables=declared.TABLES,
    figures=declared.FIGURES,
    charts=declared.CHARTS,
)
def audit(
    purchases: Any,
    customers: Any,
    *,
    window: Window = "12",
    grain: Annotated[str, Param(mark("Period"), choices=("month", "quarter", "year"))] = "quarter",
    cohort: Annotated[str, Param(mark("Cohort of lens 3: a day or month in it, 2024-03"))] = "",
    context: Context,
) -> Outcome:
    """The five lenses: distribution, two periods, one cohort, cohorts at equal age, the whole base.

    Lenses 1 and 2 use revenue as booked, 3 to 5 the matching view (G5). Source: handbook A10.
    """
    if context.epoch is None or not context.months:
        raise MissingInput(say("The audit needs a date for each sale (order_line.order_date)."))
    months = window_months(window)
    base = each(purchases, context, months)
    found, sizes, calendar = cells(purchases, context, STEP[grain])
    known = sums(base)
    shown = spenders(base, customers)
    tens = deciles(shown).to_pyarrow()
    figures = _figures(known, median_gap(purchases), tens, context.level)
    uncovered = _uncovered(context, months)
    every, stayers = drivers(known)
    return Outcome(
        tables={
            "customers": shown.select(*(c.name for c in CUSTOMERS.columns)),
            "deciles": tens,
            "changes": changes(known),
            "drivers": every,
            "stayers": stayers,
            "life": life(found, sizes, calendar, chosen(sizes, calendar, cohort), context.level),
            "ages": ages(found, sizes, calendar),
            "stack": stack(found, calendar, context.fiscal_year_start_month),
            "statuses": customers.group_by("status")
            .aggregate(customers=customers.count())
            .order_by("status"),
        },
        figures=figures,
        n=known["customers"],
        excluded=known["all"] - known["customers"],
        reasons=_reasons(known, uncovered, sizes[0] if truncated(sizes, calendar) else 0),
        lines=_lines(figures, known, uncovered, context.currency),
    )


def _figures(known: dict[str, Any], gap: float | None, deciles: Any, level: float) -> dict[str, Any]:
    from klientel.stats.intervals import wilson

    def rate(hits: int, of: int) -> Estimate | None:
        if not of:
            return None
        low, high = wilson(hits, of, level)
        return Estimate(hits / of, float(low), float(high), level, mark("Wilson"))

    total, orders = money(known["revenue_all"]), int(known["orders_all"])
    top = [r for r in deciles.to_pylist() if r["decile"] == 1]
    return {
        "customers": int(known["customers"]),
        "active_customers_12m": int(known["active_year"]),
        "revenue_total": total,
        "revenue_12m": money(known["revenue_year"]),
        "orders": orders,
        "order_days": int(known["days"]),
        "average_order_value": (total / orders).quantize(Decimal("0.0001")) if orders else None,
        "repeat_rate": rate(int(known["repeat"]), int(known["customers"])),
        "repeat_rate_by_order_number": rate(int(known["with_numbers"]), int(known["with_number"])),
        "median_days_between_orders": gap,
        "top_decile_share": top[0]["share"] if top else None,
        "revenue_change": money(known["revenue_now"]) - money(known["revenue_then"]),
    }


def _uncovered(context: Context, months: int | None) -> tuple[Flag, str] | None:
    """Flag and sentence if the history does not reach back over both windows of lens 2."""
    start, middle = (window_before(context.as_of, months, back=k).start for k in (1, 0))
    first = context.first_day
    if start is None or middle is None or months is None:
        return "amber", say(
            "Lens 2 compares two windows of equal length; over all of history there is only one."
        )
    if first is None or (first - start) / (middle - start) <= 0.02:
        return None
    have = (context.as_of.year - first.year) * 12 + context.as_of.month - first.month
    text = say(
        "The history covers {have} months; {need} are needed for lens 2: it compares with a partial window.",
        have=have - (context.as_of.day < first.day),
        need=2 * months,
    )
    return "amber", text


def _reasons(
    known: dict[str, Any], uncovered: tuple[Flag, str] | None, older: int
) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = [uncovered] if uncovered else []
    if older:
        note = say(
            "The first cohort ({first} customers) holds customers who are older than the data; "
            "lens 3 passes over it.",
            first=older,
        )
        told.append(("green", note))
    flag, text = small_sample(int(known["customers"]))
    if text:
        told.append((flag, text))
    return tuple(told)


def _lines(
    figures: dict[str, Any], known: dict[str, Any], uncovered: tuple[Flag, str] | None, currency: str | None
) -> tuple[str, ...]:
    if not figures["customers"]:
        return ()
    lines: list[str] = [
        say(
            "{active} of {n} customers ordered in the last twelve months; "
            "{repeat} of all came back at least once.",
            active=figures["active_customers_12m"],
            n=figures["customers"],
            repeat=Share(figures["repeat_rate"].value),
        )
    ]
    if uncovered is None:
        groups = known["groups"]
        lines.append(
            say(
                "Revenue changed by {change}: {came} customers came with {won}, {left} left with {lost}, "
                "and those who stayed changed by {rest}.",
                change=in_currency(figures["revenue_change"], currency),
                came=groups["came"]["all"],
                won=in_currency(money(groups["came"]["revenue_now"]), currency),
                left=groups["left"]["all"],
                lost=in_currency(money(groups["left"]["revenue_then"]), currency),
                rest=in_currency(
                    money(groups["stayed"]["revenue_now"]) - money(groups["stayed"]["revenue_then"]), currency
                ),
            )
        )
    return tuple(lines)
