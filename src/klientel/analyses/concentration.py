"""Concentration: how much of the value hangs on few customers (handbook A2)."""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import (
    Chart,
    Column,
    Context,
    Estimate,
    Figure,
    Need,
    Outcome,
    Param,
    Table,
    Window,
    analysis,
)
from klientel.expressions import (
    MINOR,
    VALUES,
    below,
    known_values,
    named,
    running,
    share,
    short_history,
    small_table,
)
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

MAJOR = 0.10  # share above which a customer counts as major (ASC 280, IFRS 8.34)
SMALLEST = 10  # customers from which on Gini and the Pareto pair are shown (A2)

LORENZ = Table(
    "lorenz",
    mark("Lorenz curve"),
    (
        Column("p", mark("Share of customers"), "share", mark("smallest customers first")),
        Column("share", mark("Share of value"), "share", mark("value of these customers / total value")),
    ),
    mark("The further the curve hangs below the diagonal, the more the value hangs on few customers."),
)
TOP = Table(
    "top",
    mark("Largest customers"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("value", mark("Value"), "money"),
        Column("share", mark("Share"), "share", mark("value / sum of the positive values")),
        Column("cumulative", mark("Cumulative share"), "share"),
        Column("major", mark("Major customer"), "flag", mark("more than 10 % of the value")),
    ),
    mark("More than 10 % of the revenue is the usual threshold for naming a customer in annual accounts."),
)

FIGURES = (
    Figure(
        "customers",
        mark("Customers with a positive value"),
        "count",
        mark("Customers with a positive value in the window."),
    ),
    Figure("total_value", mark("Total value"), "money", mark("Sum of the positive values."), "up"),
    Figure(
        "effective_customers",
        mark("Effective number of customers"),
        "number",
        mark("So many customers of equal size would be as concentrated: 1 / HHI."),
        "up",
        True,
    ),
    Figure(
        "gini",
        mark("Gini coefficient"),
        "number",
        mark("0: all equal, near 1: one has it all."),
        "down",
        True,
    ),
    Figure("gini_corrected", mark("Gini, corrected"), "number", mark("Gini × n / (n − 1)."), "down"),
    Figure("hhi", mark("Herfindahl index (HHI)"), "number", mark("Sum of the squared shares, 0–1."), "down"),
    Figure("hhi_normalised", mark("HHI, normalised"), "number", mark("(HHI − 1/n) / (1 − 1/n)."), "down"),
    Figure(
        "rosenbluth",
        mark("Rosenbluth index"),
        "number",
        mark("1 / (2 × sum of rank × share − 1), the largest first."),
        "down",
    ),
    Figure(
        "top1_share",
        mark("Share of the largest customer"),
        "share",
        mark("Its value / total value."),
        "down",
        True,
    ),
    Figure(
        "cr5", mark("Share of the 5 largest"), "share", mark("Value of the 5 largest / total value."), "down"
    ),
    Figure(
        "top10_share",
        mark("Share of the 10 largest"),
        "share",
        mark("Value of the 10 largest / total value."),
        "down",
    ),
    Figure(
        "top20_share",
        mark("Share of the top 20 %"),
        "share",
        mark("Value of the largest 20 % of customers (rounded up) / total value."),
        "down",
        True,
    ),
    Figure(
        "top20_share_interpolated",
        mark("Share of the top 20 %, interpolated"),
        "share",
        mark("The same with a fraction of the customer at the limit."),
        "down",
    ),
    Figure(
        "pareto_customers_80",
        mark("Customers for 80 % of the value"),
        "count",
        mark("Smallest number of customers that bring 80 %."),
        "up",
        True,
    ),
    Figure(
        "pareto_share_80",
        mark("Share of customers for 80 %"),
        "share",
        mark("That number / customers."),
        "up",
    ),
    Figure(
        "major_customers",
        mark("Customers above 10 %"),
        "count",
        mark("Customers with more than 10 %."),
        "down",
    ),
    Figure("largest_customer", mark("Largest customer"), "text", mark("The one with the highest value.")),
)


@analysis(
    title=mark("Concentration"),
    question=mark("How much does the business hang on few customers?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue")),
        Need("customers", ("customer_id", "name"), optional=True),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(TOP, LORENZ),
    figures=FIGURES,
    charts=(
        Chart("lorenz", "lorenz", "lorenz", x="p", y="share", title=mark("How unevenly the value is spread")),
        Chart("top", "top", "bar", x="name", y="share", color="major", title=mark("The largest customers")),
    ),
)
def concentration(
    totals: Any,
    customers: Any = None,
    contracts: Any = None,
    *,
    window: Window = "12",
    value: Annotated[str, Param(mark("Value"), choices=tuple(VALUES))] = "revenue",
    top: Annotated[int, Param(mark("Largest customers listed"), min=1, max=1000)] = 20,
    context: Context,
) -> Outcome:
    """Concentration of the positive values, with intervals over redrawn customers (A2, G13)."""
    del window  # the Book has cut `totals` to it
    known = known_values(totals, contracts, value, context.as_of if context.dated else None)
    ordered = named(running(known.usable.filter(known.usable.value > 0)), customers)
    ordered = ordered.mutate(
        share=share(ordered.value, ordered.total),
        cumulative=share(ordered.after, ordered.total),
        major=~below(ordered.value, ordered.total, MAJOR, or_equal=True),
    )
    largest = ordered.order_by([ordered.value.desc(), ordered.customer_id]).limit(top)
    largest = largest.select([c.name for c in TOP.columns])
    figures, curve, others = _measured(known.usable, context.level)
    head = largest.limit(1).to_pyarrow().to_pylist()
    figures["largest_customer"] = head[0]["name"] if head else None
    return Outcome(
        tables={"lorenz": curve, "top": largest.order_by([largest.value.desc(), largest.customer_id])},
        figures=figures,
        n=figures["customers"],
        excluded=known.excluded + others,
        coverage=known.coverage,
        reasons=(*known.reasons, *_reasons(figures, value, others), *_history(value, context)),
        lines=_lines(figures, value),
    )


def _measured(values: ir.Table, level: float) -> tuple[dict[str, Any], ir.Table, int]:
    """All figures, the Lorenz curve, and the number of customers that are not positive (left out)."""
    import numpy as np

    from klientel.stats import inequality

    # Money as whole minor units: sums and the 80 % limit are exact.
    minor = values.select(value=(values.value * MINOR).cast("int64")).to_pyarrow()["value"].to_numpy()
    positive = np.sort(minor[minor > 0])
    n = int(positive.size)
    figures: dict[str, Any] = dict.fromkeys(figure.name for figure in FIGURES)
    figures |= {"customers": n, "total_value": Decimal(int(positive.sum())) / MINOR, "major_customers": 0}
    if n:
        figures |= {
            "effective_customers": inequality.effective_number(positive),
            "hhi": inequality.hhi(positive),
            "top1_share": inequality.concentration_ratio(positive, 1),
            "cr5": inequality.concentration_ratio(positive, 5),
            "top10_share": inequality.concentration_ratio(positive, 10),
            "major_customers": int((positive > positive.sum() // 10).sum()),
        }
    if n >= SMALLEST:
        figures |= {
            "gini": inequality.gini(positive),
            "gini_corrected": inequality.gini(positive, corrected=True),
            "hhi_normalised": inequality.hhi(positive, normalised=True),
            "rosenbluth": inequality.rosenbluth(positive),
            "top20_share": inequality.top_share(positive),
            "top20_share_interpolated": inequality.top_share(positive, interpolated=True),
            "pareto_customers_80": inequality.pareto_customers(positive),
            "pareto_share_80": inequality.pareto_customers(positive) / n,
        }
        found = inequality.concentration_intervals(positive, level)
        figures |= _estimates(figures, found, n, level)
    p, held = inequality.lorenz(positive)
    points = [{"p": float(x), "share": float(y)} for x, y in zip(p, held, strict=True)]
    curve = small_table(points, p="float64", share="float64")
    return figures, curve.order_by(["p", "share"]), int(minor.size - n)


def _estimates(figures: dict[str, Any], found: dict[str, Any], n: int, level: float) -> dict[str, Estimate]:
    def made(name: str, low: float, high: float, method: str) -> Estimate:
        return Estimate(figures[name], min(low, figures[name]), max(high, figures[name]), level, method)

    gini, hhi, top20, pareto = (found[k] for k in ("gini", "hhi", "top20", "pareto_share"))
    stretch = n / (n - 1)
    return {
        "gini": made("gini", gini.low, gini.high, gini.method),
        "gini_corrected": made("gini_corrected", gini.low * stretch, gini.high * stretch, gini.method),
        "hhi": made("hhi", hhi.low, hhi.high, hhi.method),
        "effective_customers": made("effective_customers", 1 / hhi.high, 1 / hhi.low, hhi.method),
        "top20_share": made("top20_share", top20.low, top20.high, top20.method),
        "pareto_customers_80": made(
            "pareto_customers_80", round(pareto.low * n), ceil(round(pareto.high * n, 6)), pareto.method
        ),
        "pareto_share_80": made("pareto_share_80", pareto.low, pareto.high, pareto.method),
    }


def _reasons(figures: dict[str, Any], value: str, others: int) -> tuple[tuple[Flag, str], ...]:
    reasons: list[tuple[Flag, str]] = []
    n = figures["customers"]
    if n == 0:
        reasons.append(("red", say("No customer has a positive value ({value}).", value=VALUES[value])))
    elif n < SMALLEST:
        text = say(
            "Customers with a positive value: {n}. Below {least} only the shares of the largest and the "
            "effective number are shown.",
            n=n,
            least=SMALLEST,
        )
        reasons.append(("amber", text))
    if others:
        reasons.append(("green", say("Customers at or below zero, left out: {n}.", n=others)))
    return tuple(reasons)


def _history(value: str, context: Context) -> tuple[tuple[Flag, str], ...]:
    """A recurring amount is a stock at the as-of date: no window to cover."""
    return () if value == "recurring" else short_history(context.start, context.end, context.first_day)


def _plain(figure: Any) -> Any:
    return figure.value if isinstance(figure, Estimate) else figure


def _lines(figures: dict[str, Any], value: str) -> tuple[str, ...]:
    n = figures["customers"]
    if n < 2:
        return ()
    lines = []
    if figures["top1_share"] > MAJOR:
        lines.append(
            say(
                "{name} alone brings {share} of the value ({value}); above 10 % a customer counts as major.",
                name=figures["largest_customer"],
                share=Share(figures["top1_share"]),
                value=VALUES[value],
            )
        )
    if n >= SMALLEST:
        lines.append(
            say(
                "The top 20 % of the customers bring {share}; {k} of {n} are enough for 80 %.",
                share=Share(_plain(figures["top20_share"])),
                k=_plain(figures["pareto_customers_80"]),
                n=n,
            )
        )
    effective = _plain(figures["effective_customers"])
    effective = round(effective, 1) if effective < SMALLEST else round(effective)
    text = say("The portfolio is as concentrated as one of {e} customers of equal size.", e=effective)
    return (*lines, text)
