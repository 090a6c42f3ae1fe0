"""RFM: how lately, how often and for how much each customer bought, scored 1 to 5 (handbook A6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import Chart, Column, Context, Figure, Need, Outcome, Param, Table, Window, analysis
from klientel.errors import BadParameter
from klientel.expressions import EXACT, named, short_history, small_table
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Rectangles of the R × F plane: (segment, lowest R, highest R, lowest F, highest F); every cell is in one.
RECTANGLES = (
    (mark("Champions"), 5, 5, 4, 5),
    (mark("Loyal"), 3, 4, 4, 5),
    (mark("Promising"), 4, 5, 2, 3),
    (mark("New"), 4, 5, 1, 1),
    (mark("Need attention"), 3, 3, 1, 3),
    (mark("At risk"), 1, 2, 3, 4),
    (mark("Can't lose"), 1, 2, 5, 5),
    (mark("Hibernating"), 1, 2, 1, 2),
)
_ENDANGERED = ("At risk", "Can't lose")
_UNEVEN = 0.40  # a score group larger than twice its fifth

CUSTOMERS = Table(
    "customers",
    mark("Customers by score"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("recency_days", mark("Days since the last order"), "days"),
        Column("frequency", mark("Order days"), "count", mark("days with an order in the window")),
        Column("monetary", mark("Revenue"), "money", mark("in the window, credits where they belong")),
        Column("r", mark("R"), "score", mark("recency, 5 = lately")),
        Column("f", mark("F"), "score", mark("frequency, 5 = often")),
        Column("m", mark("M"), "score", mark("revenue, 5 = much")),
        Column("score", mark("RFM score"), "text", mark("R, F and M written together")),
        Column("segment", mark("Segment"), "class", mark("by R and F")),
    ),
    mark("Equal customers have equal scores."),
)
CELLS = Table(
    "cells",
    mark("R × F cells"),
    (
        Column("r", mark("R"), "score"),
        Column("f", mark("F"), "score"),
        Column("segment", mark("Segment"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("customers_share", mark("Share of customers"), "share"),
        Column("value", mark("Revenue"), "money"),
        Column("value_share", mark("Share of revenue"), "share"),
    ),
    mark("Frequencies are whole numbers, so the groups of a score can be of unequal size."),
)
SEGMENTS = Table(
    "segments",
    mark("Segments"),
    (
        Column("segment", mark("Segment"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("customers_share", mark("Share of customers"), "share"),
        Column("value", mark("Revenue"), "money"),
        Column("value_share", mark("Share of revenue"), "share"),
        Column("mean_recency_days", mark("Mean days since the last order"), "days"),
        Column("mean_frequency", mark("Mean order days"), "number"),
    ),
)
FIGURES = (
    Figure("customers", mark("Customers scored"), "count", mark("Customers with an order in the window.")),
    Figure("total_value", mark("Revenue"), "money", mark("Revenue of these customers in the window."), "up"),
    Figure("champions", mark("Champions"), "count", mark("Customers with R = 5 and F = 4 or 5."), "up", True),
    Figure("champions_value_share", mark("Revenue share of champions"), "share", mark("Of these."), "", True),
    Figure(
        "endangered",
        mark("Endangered customers"),
        "count",
        mark("Once frequent, not seen lately: at risk or can't lose."),
        "down",
        True,
    ),
    Figure(
        "endangered_value_share",
        mark("Revenue share of endangered customers"),
        "share",
        mark("Their revenue in the window / revenue."),
        "down",
    ),
    Figure("median_recency_days", mark("Median days since the last order"), "days", mark("Middle customer.")),
    Figure("median_frequency", mark("Median order days"), "number", mark("Middle customer.")),
)


@analysis(
    title=mark("RFM"),
    question=mark("Who bought lately, often and much, and who slips away?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "matched_revenue", "order_days")),
        Need("histories", ("customer_id", "last_day")),
        Need("customers", ("customer_id", "name"), optional=True),
    ),
    tables=(CUSTOMERS, CELLS, SEGMENTS),
    figures=FIGURES,
    charts=(
        Chart(
            "cells",
            "cells",
            "heatmap",
            x="f",
            y="r",
            color="customers",
            title=mark("Customers by recency and frequency"),
            options={"label": "segment"},
        ),
        Chart("segments", "segments", "bar", x="segment", y="value_share", title=mark("Revenue by segment")),
    ),
)
def rfm(
    totals: Any,
    histories: Any,
    customers: Any = None,
    *,
    window: Window = "24",
    monetary: Annotated[
        str, Param(mark("M: revenue in total or per order day"), choices=("total", "mean"))
    ] = "total",
    r_limits: Annotated[str, Param(mark("Fixed limits of R in days, four numbers; empty: fifths"))] = "",
    f_limits: Annotated[str, Param(mark("Fixed limits of F, four numbers; empty: fifths"))] = "",
    m_limits: Annotated[str, Param(mark("Fixed limits of M, four numbers; empty: fifths"))] = "",
    context: Context,
) -> Outcome:
    """Scores 1-5 by mid-ranks or fixed limits, and eight segments of the R × F plane (A6, G7)."""
    del window  # the Book has cut `totals` to it
    limits = {
        name: parsed(text, name) for name, text in zip("rfm", (r_limits, f_limits, m_limits), strict=True)
    }
    scored = _scored(_measured(totals, histories, monetary, context), limits)
    listed = named(scored, customers).select([c.name for c in CUSTOMERS.columns])
    cells = {(row["r"], row["f"]): row for row in _cells(scored)}
    n = sum(row["customers"] for row in cells.values())
    cell_rows, segment_rows = _cell_rows(cells), _segment_rows(cells)
    figures = _figures(scored, segment_rows, n)
    return Outcome(
        tables={
            "customers": listed.order_by([listed.score.desc(), listed.monetary.desc(), listed.customer_id]),
            "cells": small_table(cell_rows, **_kinds(CELLS)).order_by(["r", "f"]),
            "segments": small_table(segment_rows, **_kinds(SEGMENTS)),
        },
        figures=figures,
        n=n,
        reasons=_reasons(cells, n, limits, context),
        lines=_lines(figures),
    )


def fixed_score(value: float, limits: Sequence[float], *, descending: bool = False) -> int:
    """Score 1-5 of one value by four rising limits; vector V30.

    Below the first limit 1, then up to and including the second 2, the third 3, the fourth 4, above
    it 5. descending (recency): 5 to 1 instead.
    """
    step = 1 if value < limits[0] else 2 + sum(value > limit for limit in limits[1:])
    return 6 - step if descending else step


def parsed(text: str, name: str) -> tuple[float, ...]:
    """Four rising numbers of a text such as "30, 90, 180, 270"; empty for no text. BadParameter otherwise."""
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    try:
        found = tuple(float(part) for part in parts)
    except ValueError:
        found = (0.0,)
    if found and (len(found) != 4 or list(found) != sorted(set(found))):
        raise BadParameter(
            say(
                "{name}_limits needs four rising numbers, for example {example}, not {text}.",
                name=name,
                example="30, 90, 180, 270",
                text=text,
            )
        )
    return found


def segment_of(r: int, f: int) -> str:
    """The segment whose rectangle holds the cell (r, f)."""
    return next(name for name, r0, r1, f0, f1 in RECTANGLES if r0 <= r <= r1 and f0 <= f <= f1)


def _measured(totals: ir.Table, histories: ir.Table, monetary: str, context: Context) -> ir.Table:
    import ibis

    joined = totals.filter(totals.order_days > 0)
    if "last_day" not in joined.columns:  # the Book has it at hand where there are no credit notes
        last = histories.select(_id=histories.customer_id, last_day=histories.last_day)
        joined = joined.inner_join(last, joined.customer_id == last._id)
    joined = joined.filter(joined.last_day.notnull())
    # delta() counts midnights between two dates on every engine
    days = ibis.literal(context.as_of).delta(joined.last_day, unit="day").cast("int64")
    value = joined.matched_revenue.cast(EXACT)
    if monetary == "mean":
        value = (value / joined.order_days).round(4).cast(EXACT)
    return joined.select(
        "customer_id",
        recency_days=days,
        frequency=joined.order_days.cast("int64"),
        monetary=value,
        value=joined.matched_revenue.cast(EXACT),
    )


def _scored(measured: ir.Table, limits: dict[str, tuple[float, ...]]) -> ir.Table:
    import ibis

    columns = {"r": "recency_days", "f": "frequency", "m": "monetary"}
    fifths = _fifths(measured, {name: column for name, column in columns.items() if not limits[name]})
    scores = {
        name: _fixed(measured[column], limits[name], descending=name == "r")
        if limits[name]
        else _by_fifths(measured[column], fifths[name], descending=name == "r")
        for name, column in columns.items()
    }
    scored = measured.mutate(**scores)
    rules = [
        (scored.r.between(r0, r1) & scored.f.between(f0, f1), name) for name, r0, r1, f0, f1 in RECTANGLES
    ]
    text = scored.r.cast("string") + scored.f.cast("string") + scored.m.cast("string")
    return scored.mutate(score=text, segment=ibis.cases(*rules))


def _fifths(measured: ir.Table, columns: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Score, lowest and highest value of each score, from mid-ranks of the levels (A6, G7).

    Equal customers are one level, and a score grows with its level: so customers need no ranking, only
    a comparison with at most four values.
    """
    import ibis

    parts = [
        _levels(measured, column, descending=name == "r").mutate(name=ibis.literal(name))
        for name, column in columns.items()
    ]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in columns}
    if parts:
        together = ibis.union(*parts) if len(parts) > 1 else parts[0]
        for row in together.to_pyarrow().to_pylist():
            found[row["name"]].append(row)
    return {name: sorted(rows, key=lambda row: int(row["score"])) for name, rows in found.items()}


def _levels(measured: ir.Table, column: str, *, descending: bool) -> ir.Table:
    """One row per score: ceil(5 * (midrank - 1/2) / n) of each level in whole numbers, then its extremes."""
    import ibis

    levels = measured.group_by(x=measured[column].cast(EXACT)).agg(n=measured.count())
    order = levels.x.desc() if descending else levels.x.asc()
    through = levels.n.sum().over(ibis.window(order_by=order, preceding=None, following=0)).cast("int64")
    everybody = levels.n.sum().over(ibis.window()).cast("int64")
    # twice (midrank - 1/2) is twice the customers ahead and once those of the level
    score = (5 * (2 * through - levels.n) + 2 * everybody - 1) // (2 * everybody)
    scored = levels.mutate(score=score.cast("int64"))
    return scored.group_by("score").agg(low=scored.x.min(), high=scored.x.max())


def _by_fifths(column: Any, rows: list[dict[str, Any]], *, descending: bool) -> Any:
    import ibis

    if not rows:
        return ibis.literal(1, "int64")  # nobody to be scored
    value = column.cast(EXACT)
    steps = [
        (value >= ibis.literal(row["low"], EXACT), row["score"])
        if descending
        else (value <= ibis.literal(row["high"], EXACT), row["score"])
        for row in rows[:-1]
    ]
    last = ibis.literal(rows[-1]["score"], "int64")
    return ibis.cases(*steps, else_=last).cast("int64") if steps else last


def _fixed(column: Any, limits: tuple[float, ...], *, descending: bool) -> Any:
    """`fixed_score` as an expression."""
    from decimal import Decimal

    import ibis

    exact = [ibis.literal(Decimal(str(limit)), EXACT) for limit in limits]
    value = column.cast(EXACT)
    steps = [(value < exact[0], 1), *((value <= limit, i + 2) for i, limit in enumerate(exact[1:]))]
    step = ibis.cases(*steps, else_=5).cast("int64")
    return 6 - step if descending else step


def _cells(scored: ir.Table) -> list[dict[str, Any]]:
    grouped = scored.group_by("r", "f").agg(
        customers=scored.count(),
        value=scored.value.sum().cast("decimal(38, 4)"),
        recency=scored.recency_days.sum().cast("int64"),
        frequency=scored.frequency.sum().cast("int64"),
    )
    rows: list[dict[str, Any]] = grouped.to_pyarrow().to_pylist()
    return rows


def _cell_rows(cells: dict[tuple[int, int], dict[str, Any]]) -> list[dict[str, Any]]:
    """All 25 cells, also the empty ones."""
    n = sum(row["customers"] for row in cells.values())
    total = sum(row["value"] for row in cells.values())
    rows = []
    for r in range(1, 6):
        for f in range(1, 6):
            found = cells.get((r, f), {"customers": 0, "value": 0})
            rows.append(
                {"r": r, "f": f, "segment": segment_of(r, f)}
                | _part(found["customers"], found["value"], n, total)
            )
    return rows


def _segment_rows(cells: dict[tuple[int, int], dict[str, Any]]) -> list[dict[str, Any]]:
    n = sum(row["customers"] for row in cells.values())
    total = sum(row["value"] for row in cells.values())
    rows = []
    for name, *_ in RECTANGLES:
        found = [row for (r, f), row in cells.items() if segment_of(r, f) == name]
        size = sum(row["customers"] for row in found)
        rows.append(
            {"segment": name}
            | _part(size, sum(row["value"] for row in found), n, total)
            | {
                "mean_recency_days": sum(row["recency"] for row in found) / size if size else None,
                "mean_frequency": sum(row["frequency"] for row in found) / size if size else None,
            }
        )
    return rows


def _part(customers: int, value: Any, n: int, total: Any) -> dict[str, Any]:
    from decimal import Decimal

    return {
        "customers": customers,
        "customers_share": customers / n if n else None,
        "value": Decimal(value),
        "value_share": float(value / total) if total > 0 else None,
    }


def _kinds(table: Table) -> dict[str, str]:
    kinds = {"money": "decimal(38, 4)", "score": "int64", "count": "int64", "class": "string"}
    return {c.name: kinds.get(c.unit, "float64") for c in table.columns}


def _figures(scored: ir.Table, segments: list[dict[str, Any]], n: int) -> dict[str, Any]:
    by = {row["segment"]: row for row in segments}
    medians = scored.agg(r=scored.recency_days.median(), f=scored.frequency.median())
    middle = medians.to_pyarrow().to_pylist()[0]
    shares = [by[s]["value_share"] for s in _ENDANGERED]
    return {
        "customers": n,
        "total_value": sum(row["value"] for row in segments),
        "champions": by["Champions"]["customers"],
        "champions_value_share": by["Champions"]["value_share"],
        "endangered": sum(by[s]["customers"] for s in _ENDANGERED),
        "endangered_value_share": None if None in shares else sum(shares),
        "median_recency_days": middle["r"],
        "median_frequency": middle["f"],
    }


def _reasons(
    cells: dict[tuple[int, int], dict[str, Any]],
    n: int,
    limits: dict[str, tuple[float, ...]],
    context: Context,
) -> tuple[tuple[Flag, str], ...]:
    if n == 0:
        return (("red", say("No customer has an order in the window.")),)
    reasons: list[tuple[Flag, str]] = list(short_history(context.start, context.end, context.first_day))
    if n < 25:
        text = say("Scored customers: {n}; a fifth of them is a handful, so the scores are coarse.", n=n)
        reasons.append(("amber", text))
    groups = [sum(row["customers"] for (_, f), row in cells.items() if f == k) for k in range(1, 6)]
    if not limits["f"] and max(groups) > _UNEVEN * n:
        text = say(
            "Many customers order equally often, so the F groups are unequal (F = 1 to 5: {sizes}).",
            sizes=[str(g) for g in groups],
        )
        reasons.append(("green", text))
    return tuple(reasons)


def _lines(figures: dict[str, Any]) -> tuple[str, ...]:
    if not figures["customers"] or figures["champions_value_share"] is None:
        return ()
    lines = []
    if figures["champions"]:
        lines.append(
            say(
                "Champions: {k} of {n} customers bought lately and often; they bring {share} of the revenue.",
                k=figures["champions"],
                n=figures["customers"],
                share=Share(figures["champions_value_share"]),
            )
        )
    if figures["endangered"]:
        lines.append(
            say(
                "Endangered: {k} once frequent customers have not been seen lately; {share} of the revenue "
                "hangs on them.",
                k=figures["endangered"],
                share=Share(figures["endangered_value_share"]),
            )
        )
    return tuple(lines)
