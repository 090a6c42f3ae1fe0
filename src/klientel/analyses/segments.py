"""Segments: the portfolio split by an attribute of the customers, each customer in exactly one (A7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import Chart, Column, Context, Figure, Need, Outcome, Param, Table, Window, analysis
from klientel.attribute import AUTO, MANY, attribute_text, attribute_title, chosen
from klientel.expressions import EXACT, VALUES, known_values, short_history, small_table
from klientel.periods import add_months, window_months
from klientel.quality import Flag, covered
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir

UNKNOWN = mark("unknown")
_ACTIVE = ("active", "reactivated")

SEGMENTS = Table(
    "segments",
    mark("Segments"),
    (
        Column("segment", mark("Segment"), "class", mark("value of the attribute; unknown comes last")),
        Column("customers", mark("Customers"), "count", mark("with a value in the window, or active")),
        Column("active_customers", mark("Active customers"), "count", mark("by customer status")),
        Column("value", mark("Value"), "money", mark("the chosen value in the window")),
        Column("value_share", mark("Share of value"), "share", mark("value / value of all segments")),
        Column(
            "value_per_customer", mark("Value per customer"), "money", mark("over customers with a value")
        ),
        Column("prior_value", mark("Value in the window before"), "money"),
        Column("growth", mark("Growth"), "share", mark("value / value in the window before − 1")),
        Column("top_customer_share", mark("Share of the largest customer"), "share", mark("in the segment")),
    ),
    mark("Each customer is in exactly one segment."),
)
FIGURES = (
    Figure("segments", mark("Segments"), "count", mark("Segments with a customer, without unknown.")),
    Figure("customers", mark("Customers in segments"), "count", mark("Customers in all segments.")),
    Figure("total_value", mark("Value of all segments"), "money", mark("Value of all segments."), "up"),
    Figure(
        "largest_segment", mark("Largest segment"), "class", mark("The one with the highest value."), "", True
    ),
    Figure(
        "largest_share", mark("Share of the largest segment"), "share", mark("Its value / total."), "", True
    ),
    Figure(
        "fastest_segment",
        mark("Fastest growing segment"),
        "class",
        mark("Of those with 5 customers or more."),
    ),
    Figure("fastest_growth", mark("Growth of this segment"), "share", mark("Against the window before.")),
    Figure(
        "unknown_customers", mark("Customers without the attribute"), "count", mark("Counted apart."), "down"
    ),
    Figure(
        "unknown_value_share", mark("Value share of unknown"), "share", mark("Their value / total."), "down"
    ),
    Figure("attribute", mark("Attribute"), "attribute", mark("What the customers are divided by.")),
)


@analysis(
    title=mark("Segments"),
    question=mark("Which kinds of customers bring the value, and which ones grow?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue")),
        Need("totals", ("customer_id", "revenue"), back=1, optional=True),
        Need("customers", ("customer_id", "status", "attribute")),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(SEGMENTS,),
    figures=FIGURES,
    charts=(Chart("value", "segments", "bar", x="segment", y="value", title=mark("Value by segment")),),
)
def segments(
    totals: Any,
    before: Any,
    customers: Any,
    contracts: Any = None,
    *,
    by: Annotated[
        str, Param(mark("Attribute of the customers; auto: the best known one"), unit="attribute")
    ] = AUTO,
    window: Window = "12",
    value: Annotated[str, Param(mark("Value"), choices=tuple(VALUES))] = "revenue",
    context: Context,
) -> Outcome:
    """Customers, value, growth and dependence per segment; unknown is a segment of its own (A7, G8)."""
    attribute = chosen(by, customers)
    known = known_values(totals, contracts, value, context.as_of if context.dated else None)
    prior_start = _prior_start(window, context)
    first = context.first_day
    covers = (
        before is not None
        and value != "recurring"
        and prior_start is not None
        and first is not None
        and first <= prior_start
    )
    prior = known_values(before, None, value, None).usable if covers else None
    members, doubled = _members(customers, attribute)
    rows = _rows(_joined(known.usable, prior, members), compared=covers)
    figures = _figures(rows, attribute)
    reasons = [*known.reasons, *_reasons(figures, doubled, attribute)]
    if value != "recurring":
        reasons += short_history(context.start, context.end, context.first_day)
    if context.dated and not covers and value != "recurring":
        reasons.append(("green", say("No growth: the data do not cover the window before.")))
    return Outcome(
        tables={"segments": small_table(rows, **_KINDS)},
        figures=figures,
        n=figures["customers"],
        excluded=known.excluded,
        coverage=known.coverage,
        reasons=tuple(reasons),
        lines=_lines(figures, rows),
    )


_KINDS = {
    c.name: {"class": "string", "count": "int64", "money": "decimal(38, 4)", "share": "float64"}[c.unit]
    for c in SEGMENTS.columns
}


def _prior_start(window: str, context: Context) -> date | None:
    months = window_months(window)
    if context.start is None or months is None:
        return None
    return add_months(context.as_of, -2 * months)


def _members(customers: ir.Table, attribute: str) -> tuple[ir.Table, int]:
    """One row per customer (customer_id, segment, is_customer, active), and how many were ambiguous.

    A customer listed twice with different attributes gets the first in the alphabet and is counted:
    the split stays free of overlaps (MECE).
    """
    import ibis

    text = attribute_text(customers[attribute])
    status = customers.status if "status" in customers.columns else ibis.null("string")
    listed = customers.select("customer_id", segment=text, status=status)
    members = listed.group_by("customer_id").agg(
        segment=listed.segment.min(),
        kinds=listed.segment.nunique(),
        active=listed.status.isin(_ACTIVE).fill_null(False).any(),
    )
    doubled = int(members.filter(members.kinds > 1).count().to_pyarrow().as_py())
    return members.select("customer_id", "segment", "active"), doubled


def _joined(values: ir.Table, prior: ir.Table | None, members: ir.Table) -> ir.Table:
    """Every customer with a value in a window or active: segment (NULL unknown), active, value, prior."""
    import ibis

    now = values.select("customer_id", value=values.value, prior=ibis.null(EXACT))
    sides = [now]
    if prior is not None:
        sides.append(prior.select("customer_id", value=ibis.null(EXACT), prior=prior.value))
    active = members.filter(members.active)
    sides.append(active.select("customer_id", value=ibis.null(EXACT), prior=ibis.null(EXACT)))
    together = ibis.union(*sides)
    people = together.group_by("customer_id").agg(value=together.value.max(), prior=together.prior.max())
    joined = people.left_join(members, people.customer_id == members.customer_id)
    return joined.select("customer_id", "value", "prior", "segment", active=joined.active.fill_null(False))


def _rows(people: ir.Table, *, compared: bool) -> list[dict[str, Any]]:
    zero = people.value.isnull() & ~people.active  # bought only in the window before
    grouped = people.group_by("segment").agg(
        customers=(~zero).sum(),
        active_customers=people.active.sum(),
        valued=people.value.count(),
        value=people.value.sum().cast(EXACT),
        positive=people.value.sum(where=people.value > 0).cast(EXACT),
        largest=people.value.max(),
        prior_value=people.prior.sum().cast(EXACT),
    )
    found = [r for r in grouped.to_pyarrow().to_pylist() if r["customers"] or r["prior_value"]]
    total = sum((r["value"] or 0) for r in found)
    rows = []
    for r in found:
        value, prior = r["value"] or 0, r["prior_value"] or 0
        rows.append(
            {
                "segment": r["segment"] if r["segment"] is not None else UNKNOWN,
                "customers": r["customers"],
                "active_customers": r["active_customers"],
                "value": _money(value),
                "value_share": float(value / total) if total > 0 else None,
                "value_per_customer": _money(value / r["valued"]) if r["valued"] else None,
                "prior_value": _money(prior) if compared else None,
                "growth": float(value / prior - 1) if compared and prior > 0 else None,
                "top_customer_share": float(r["largest"] / r["positive"])
                if (r["positive"] or 0) > 0
                else None,
                "unknown": r["segment"] is None,
            }
        )
    rows.sort(key=lambda row: (row["unknown"], -row["value"], row["segment"]))
    return rows


def _money(value: Any) -> Any:
    from decimal import Decimal

    return Decimal(value).quantize(Decimal("0.0001"))


def _figures(rows: list[dict[str, Any]], attribute: str) -> dict[str, Any]:
    unknown = [row for row in rows if row["unknown"]]
    known = [row for row in rows if not row["unknown"]]
    growing = [row for row in known if row["growth"] is not None and row["customers"] >= 5]
    fastest = max(growing, key=lambda row: row["growth"], default=None)
    for row in rows:
        del row["unknown"]
    return {
        "segments": len(known),
        "customers": sum(row["customers"] for row in rows),
        "total_value": _money(sum(row["value"] for row in rows)),
        "largest_segment": known[0]["segment"] if known else None,
        "largest_share": known[0]["value_share"] if known else None,
        "fastest_segment": fastest["segment"] if fastest else None,
        "fastest_growth": fastest["growth"] if fastest else None,
        "unknown_customers": sum(row["customers"] for row in unknown),
        "unknown_value_share": (unknown[0]["value_share"] if unknown else 0.0) if rows else None,
        "attribute": attribute,
    }


def _reasons(figures: dict[str, Any], doubled: int, attribute: str) -> list[tuple[Flag, str]]:
    reasons: list[tuple[Flag, str]] = []
    title = attribute_title(attribute)
    if not figures["customers"]:
        reasons.append(("red", say("No customer has a value in the window.")))
    elif figures["unknown_value_share"] is not None:
        quality = covered(figures["customers"], 0, 1 - figures["unknown_value_share"], title)
        reasons += [(quality.flag, sentence) for sentence in quality.reasons]
    if figures["unknown_customers"]:
        text = say(
            "Customers without {attribute}: {n}, counted as a segment of their own.",
            attribute=title,
            n=figures["unknown_customers"],
        )
        reasons.append(("green", text))
    if doubled:
        text = say(
            "Customers listed more than once with different {attribute}: {n}.", attribute=title, n=doubled
        )
        reasons.append(("amber", text))
    if figures["segments"] > MANY:
        text = say(
            "{n} segments are too many to act upon; choose a coarser attribute.", n=figures["segments"]
        )
        reasons.append(("amber", text))
    return reasons


def _lines(figures: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    if figures["segments"] < 2 or figures["largest_share"] is None:
        return ()
    lines = [
        say(
            "{segment} is the largest of {k} segments and brings {share} of the value.",
            segment=figures["largest_segment"],
            k=figures["segments"],
            share=Share(figures["largest_share"]),
        )
    ]
    if figures["fastest_segment"] is not None and figures["fastest_growth"] > 0:
        lines.append(
            say(
                "{segment} grows fastest: {growth} against the window before.",
                segment=figures["fastest_segment"],
                growth=Share(figures["fastest_growth"]),
            )
        )
    hanging = [r for r in rows if r["customers"] >= 5 and (r["top_customer_share"] or 0) > 0.5]
    if hanging:
        lines.append(
            say(
                "In {segment} one customer brings {share} of the value.",
                segment=hanging[0]["segment"],
                share=Share(hanging[0]["top_customer_share"]),
            )
        )
    return tuple(lines)
