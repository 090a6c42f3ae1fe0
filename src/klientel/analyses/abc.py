"""ABC analysis: customers by value, classed by the share that the larger ones bring (handbook A1)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import Chart, Column, Context, Figure, Need, Outcome, Param, Table, Window, analysis
from klientel.errors import BadParameter
from klientel.expressions import (
    EXACT,
    VALUES,
    below,
    in_memory,
    known_values,
    named,
    share,
    short_history,
    small_arrow,
    small_table,
)
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

BOUNDARY = 10  # a customer is on the boundary within 1/10 of the value at the limit
_STABLE_UP_TO = 5_000  # boundary customers whose class stability is drawn
_ALL_UP_TO = 2_000  # customers up to which a draw regrades everybody
_GRADES = ("A", "B", "C", "N")
_RULES = ("before", "after")

CUSTOMERS = Table(
    "customers",
    mark("Customers by value"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("value", mark("Value"), "money", mark("the chosen value in the window")),
        Column("share", mark("Share"), "share", mark("value / sum of the positive values")),
        Column("share_before", mark("Share before"), "share", mark("share of all larger customers")),
        Column("share_after", mark("Cumulative share"), "share", mark("share before plus own share")),
        Column("grade", mark("Class"), "class", mark("A, B or C; N for a negative value")),
        Column("boundary", mark("Near a limit"), "flag", mark("within 10 % of the value at a class limit")),
    ),
    mark("Sorted by value; the shares run down the list."),
)
CLASSES = Table(
    "classes",
    mark("Classes"),
    (
        Column("grade", mark("Class"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("customers_share", mark("Share of customers"), "share"),
        Column("value", mark("Value"), "money"),
        Column("value_share", mark("Share of value"), "share", mark("value / sum of the positive values")),
    ),
)
LIMITS = Table(
    "boundary",
    mark("Customers near a class limit"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("value", mark("Value"), "money"),
        Column("grade", mark("Class"), "class"),
        Column("limit", mark("Limit of class"), "class", mark("the class whose lower limit is near")),
        Column("distance", mark("Distance"), "share", mark("value / value at the limit − 1")),
        Column("stability", mark("Class stability"), "share", mark("draws of months that keep the class")),
    ),
    mark("One order more or less may change their class."),
)

FIGURES = (
    Figure(
        "customers", mark("Customers graded"), "count", mark("Customers with a known value in the window.")
    ),
    Figure("total_value", mark("Total value"), "money", mark("Sum of the positive values."), "up", True),
    Figure("signed_total", mark("Total with negatives"), "money", mark("Sum of all values.")),
    Figure("a_customers", mark("Customers in class A"), "count", mark("Customers graded A."), "", True),
    Figure("b_customers", mark("Customers in class B"), "count", mark("Customers graded B.")),
    Figure("c_customers", mark("Customers in class C"), "count", mark("Customers graded C.")),
    Figure("n_customers", mark("Negative customers"), "count", mark("Customers below zero."), "down"),
    Figure("zero_customers", mark("Customers at zero"), "count", mark("Customers with a value of zero.")),
    Figure(
        "a_customers_share", mark("Share of customers in A"), "share", mark("A customers / all customers.")
    ),
    Figure("a_value_share", mark("Value share of A"), "share", mark("Value of A / total value."), "", True),
    Figure("b_value_share", mark("Value share of B"), "share", mark("Value of B / total value.")),
    Figure("c_value_share", mark("Value share of C"), "share", mark("Value of C / total value.")),
    Figure("a_limit", mark("Smallest value in A"), "money", mark("Value of the smallest A customer.")),
    Figure("b_limit", mark("Smallest value in B"), "money", mark("Value of the smallest B customer.")),
    Figure(
        "boundary_customers",
        mark("Customers near a limit"),
        "count",
        mark("Customers within 10 % of the value at a class limit."),
    ),
)


@analysis(
    title=mark("ABC analysis"),
    question=mark("Which customers carry most of the value?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue")),
        Need("customers", ("customer_id", "name"), optional=True),
        Need("purchases", ("customer_id", "day"), optional=True),
        Need("contracts", ("customer_id", "recurring_amount"), optional=True),
    ),
    tables=(CUSTOMERS, CLASSES, LIMITS),
    figures=FIGURES,
    charts=(
        Chart(
            "pareto",
            "customers",
            "pareto",
            x="customer_id",
            y="value",
            color="grade",
            title=mark("Few customers carry most of the value"),
            options={"cumulative": "share_after"},
        ),
        Chart("classes", "classes", "bar", x="grade", y="value_share", title=mark("Value by class")),
    ),
)
def abc(
    totals: Any,
    customers: Any = None,
    purchases: Any = None,
    contracts: Any = None,
    *,
    window: Window = "12",
    value: Annotated[str, Param(mark("Value"), choices=tuple(VALUES))] = "revenue",
    a: Annotated[float, Param(mark("Upper limit of class A"), min=0, max=1, unit="share")] = 0.80,
    b: Annotated[float, Param(mark("Upper limit of class B"), min=0, max=1, unit="share")] = 0.95,
    rule: Annotated[
        str, Param(mark("Share compared with the limit: before or after the customer"), choices=_RULES)
    ] = "before",
    context: Context,
) -> Outcome:
    """Class A, B or C of each customer by the running share of value, largest first (A1, G6, G7)."""
    del window  # the Book has cut `totals` to it
    if a > b:
        raise BadParameter(say("The limit of class A ({a}) is above that of class B ({b}).", a=a, b=b))
    valued = known_values(totals, contracts, value, context.as_of if context.dated else None)
    counts = {row["grade"]: row for row in _classes(valued.usable, a, b, rule)}
    figures = _figures(counts)
    graded = _graded(valued.usable, counts)
    figures["boundary_customers"] = int(graded.boundary.sum().fill_null(0).to_pyarrow().as_py())
    boundary = _boundary(graded, customers)
    if 0 < figures["boundary_customers"] <= _STABLE_UP_TO and purchases is not None and value != "recurring":
        boundary = _with_stability(boundary, graded, purchases, value, (a, b, rule), figures, context)
    listed = named(_with_shares(graded, figures["total_value"]), customers)
    listed = listed.select([c.name for c in CUSTOMERS.columns])
    return Outcome(
        tables={
            "customers": listed.order_by([listed.value.desc(), listed.customer_id]),
            "classes": _class_table(counts, figures),
            "boundary": boundary,
        },
        figures=figures,
        n=figures["customers"],
        excluded=valued.excluded,
        coverage=valued.coverage,
        reasons=(*valued.reasons, *_reasons(figures, value), *_history(value, context)),
        lines=_lines(figures, value),
    )


def _classes(values: ir.Table, a: float, b: float, rule: str) -> list[dict[str, Any]]:
    """Customers, value and extremes of each class, graded by level of value: a tie group is one level (G7)."""
    import ibis

    grouped = values.group_by("value").agg(n=values.count(), worth=values.value.sum().cast(EXACT))
    zero = ibis.literal(0).cast(EXACT)
    down = ibis.window(order_by=grouped.value.desc(), preceding=None, following=0)
    positive = ibis.greatest(grouped.worth, zero)
    levels = grouped.mutate(
        total=positive.sum().over(ibis.window()).cast(EXACT),
        before=(positive.sum().over(down) - positive).cast(EXACT),
    )
    first = ibis.greatest(levels.value, zero) if rule == "after" else zero
    levels = levels.mutate(judged=(levels.before + first).cast(EXACT))
    grade = ibis.cases(
        (levels.value < 0, "N"),
        (levels.value == 0, "C"),
        (below(levels.judged, levels.total, a, or_equal=rule == "after"), "A"),
        (below(levels.judged, levels.total, b, or_equal=rule == "after"), "B"),
        else_="C",
    )
    classed = levels.mutate(grade=grade)
    found = classed.group_by("grade").agg(
        customers=classed.n.sum().cast("int64"),
        value=classed.worth.sum().cast(EXACT),
        smallest=classed.value.min(),
        zero=classed.n.sum(where=classed.value == 0).fill_null(0).cast("int64"),
    )
    rows: list[dict[str, Any]] = found.to_pyarrow().to_pylist()
    return rows


def _graded(values: ir.Table, counts: dict[str, dict[str, Any]]) -> ir.Table:
    """Adds grade, a_limit, b_limit (smallest value of the class, NULL if nobody is below it) and boundary.

    Classes follow the value, so the smallest value of each is all that a customer is compared with.
    """
    import ibis

    low = {g: ibis.literal(counts[g]["smallest"], EXACT) for g in "AB" if g in counts}
    grade = ibis.cases(
        (values.value < 0, "N"),
        (values.value == 0, "C"),
        *((values.value >= low[g], g) for g in "AB" if g in low),
        else_="C",
    )
    none = ibis.null(EXACT)
    a_limit = low["A"] if "A" in low and {"B", "C"} & counts.keys() else none
    b_limit = low["B"] if "B" in low and "C" in counts else none
    found = values.mutate(grade=grade, a_limit=a_limit, b_limit=b_limit)

    def near(limit: Any) -> Any:
        return ((found.value - limit).abs() * BOUNDARY <= limit).fill_null(False)

    return found.mutate(boundary=(found.value > 0) & (near(found.a_limit) | near(found.b_limit)))


def _with_shares(graded: ir.Table, total: Decimal) -> ir.Table:
    """Adds share, share_before and share_after down the list; the order of equal ones is for display."""
    import ibis

    positive = ibis.greatest(graded.value, ibis.literal(0).cast(EXACT))
    order = [graded.value.desc(), graded.customer_id.asc()]
    down = ibis.window(order_by=order, preceding=None, following=0)
    run = graded.mutate(after=positive.sum().over(down).cast(EXACT))
    whole = ibis.literal(total, EXACT)
    return run.mutate(
        share=(run.value >= 0).ifelse(share(run.value, whole), None),
        share_before=(run.value >= 0).ifelse(share(run.after - run.value, whole), None),
        share_after=(run.value >= 0).ifelse(share(run.after, whole), None),
    )


def _figures(counts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    n = sum(row["customers"] for row in counts.values())
    total = sum((counts[g]["value"] for g in "ABC" if g in counts), Decimal(0))
    figures: dict[str, Any] = {
        "customers": n,
        "total_value": total,
        "signed_total": total + (counts["N"]["value"] if "N" in counts else 0),
    }
    for grade in _GRADES:
        figures[f"{grade.lower()}_customers"] = counts[grade]["customers"] if grade in counts else 0
    figures["zero_customers"] = sum(row["zero"] for row in counts.values())
    figures["a_customers_share"] = figures["a_customers"] / n if n else None
    for grade in "ABC":
        value = counts[grade]["value"] if grade in counts else Decimal(0)
        figures[f"{grade.lower()}_value_share"] = float(value / total) if total else None
    figures["a_limit"] = counts["A"]["smallest"] if "A" in counts else None
    figures["b_limit"] = counts["B"]["smallest"] if "B" in counts else None
    return figures


def _class_table(counts: dict[str, dict[str, Any]], figures: dict[str, Any]) -> ir.Table:
    n, total = figures["customers"], figures["total_value"]
    rows = [
        {
            "grade": grade,
            "customers": counts[grade]["customers"] if grade in counts else 0,
            "customers_share": counts[grade]["customers"] / n if grade in counts else (0.0 if n else None),
            "value": counts[grade]["value"] if grade in counts else Decimal(0),
            "value_share": figures.get(f"{grade.lower()}_value_share") if total else None,
        }
        for grade in _GRADES
        if grade != "N" or "N" in counts
    ]
    kinds = {"grade": "string", "customers": "int64", "customers_share": "float64"}
    return small_table(rows, **kinds, value="decimal(38, 4)", value_share="float64").order_by("grade")


def _boundary(graded: ir.Table, customers: ir.Table | None) -> ir.Table:
    import ibis

    near = graded.filter(graded.boundary)
    to_a = (near.value - near.a_limit).abs() / near.a_limit.cast("float64")
    to_b = (near.value - near.b_limit).abs() / near.b_limit.cast("float64")
    is_a = near.b_limit.isnull() | (near.a_limit.notnull() & (to_a <= to_b))
    near = near.mutate(limit=is_a.ifelse("A", "B"), at=is_a.ifelse(near.a_limit, near.b_limit))
    near = near.mutate(distance=share(near.value, near.at) - 1, stability=ibis.null("float64"))
    shown = named(near, customers).select([c.name for c in LIMITS.columns])
    return shown.order_by([shown.value.desc(), shown.customer_id])


def _with_stability(
    boundary: ir.Table,
    graded: ir.Table,
    purchases: ir.Table,
    value: str,
    limits: tuple[float, float, str],
    figures: dict[str, Any],
    context: Context,
) -> ir.Table:
    """The boundary table with the share of draws of the customer's months that keep the class (G13).

    Up to 2,000 customers each draw grades everybody anew; above, the class limits are held.
    """
    import ibis
    import numpy as np
    import pyarrow as pa

    from klientel.stats.stability import class_stability

    start, end = context.start or context.first_day, context.end or context.as_of
    if start is None or value not in purchases.columns:
        return boundary
    shown = boundary.to_pyarrow()
    everybody = figures["customers"] <= _ALL_UP_TO
    people = graded.select("customer_id", "grade") if everybody else boundary.select("customer_id", "grade")
    # by number: the draws are dealt out in this order, and an engine gives rows in any
    known = people.order_by("customer_id").to_pyarrow().to_pydict()
    inside = purchases.filter((purchases.day >= start) & (purchases.day < end))
    if not everybody:
        inside = inside.semi_join(ibis.memtable(shown.select(["customer_id"])), "customer_id")
    # month number counted from the start of the window, also where it does not start on a first
    month = (inside.day.year() - start.year) * 12 + inside.day.month() - start.month
    month = month - (inside.day.day() < start.day).cast("int64")
    sums = inside.group_by(customer_id=inside.customer_id, month=month).agg(value=inside[value].sum())
    found = sums.to_pyarrow()
    place = {customer: i for i, customer in enumerate(known["customer_id"])}
    months = max((end.year - start.year) * 12 + end.month - start.month + (end.day > start.day), 1)
    cells = np.zeros((len(place), months))
    rows = zip(*(found[c].to_pylist() for c in ("customer_id", "month", "value")), strict=True)
    for customer, number, amount in rows:
        if customer in place and amount is not None:
            cells[place[customer], min(max(number, 0), months - 1)] = float(amount)
    classes = np.array([_GRADES.index(g) for g in known["grade"]])
    a, b, rule = limits
    lowest = [float(figures[k]) if figures[k] is not None else np.inf for k in ("a_limit", "b_limit")]
    kept = class_stability(
        cells,
        classes,
        shares=(a, b) if everybody else None,
        values=(lowest[0], lowest[1]),
        inclusive=rule == "after",
    )
    stability = [float(kept[place[c]]) for c in shown["customer_id"].to_pylist()]
    at = shown.schema.get_field_index("stability")
    kind = pa.schema([("stability", pa.float64())])
    drawn = small_arrow([{"stability": x} for x in stability], kind)["stability"]
    table = in_memory(shown.set_column(at, "stability", drawn))
    return table.order_by([table.value.desc(), table.customer_id])


def _reasons(figures: dict[str, Any], value: str) -> tuple[tuple[Flag, str], ...]:
    reasons: list[tuple[Flag, str]] = []
    positive = figures["customers"] - figures["n_customers"] - figures["zero_customers"]
    if figures["customers"] == 0:
        reasons.append(("red", say("No customer has a value ({value}) in the window.", value=VALUES[value])))
    elif positive == 0:
        reasons.append(("red", say("No customer has a positive value ({value}).", value=VALUES[value])))
    elif figures["customers"] == 1:
        reasons.append(("amber", say("There is only one customer: class A by definition.")))
    elif figures["a_customers"] == positive > 1 and not figures["zero_customers"] and _flat(figures):
        reasons.append(("amber", say("All customers have the same value: all of them are in class A.")))
    if positive and figures["a_customers"] == 0:
        reasons.append(("amber", say("The largest customer exceeds the limit of class A: A is empty.")))
    if figures["n_customers"]:
        text = say("Customers below zero (class N), outside the shares: {n}.", n=figures["n_customers"])
        reasons.append(("green", text))
    return tuple(reasons)


def _flat(figures: dict[str, Any]) -> bool:
    """True if all A customers have the value of the smallest one."""
    return bool(figures["a_limit"] * figures["a_customers"] == figures["total_value"])


def _history(value: str, context: Context) -> tuple[tuple[Flag, str], ...]:
    """A recurring amount is a stock at the as-of date: no window to cover."""
    return () if value == "recurring" else short_history(context.start, context.end, context.first_day)


def _lines(figures: dict[str, Any], value: str) -> tuple[str, ...]:
    if not figures["total_value"] or not figures["a_customers"]:
        return ()
    lines = [
        say(
            "{a} of {n} customers bring {share} of the value ({value}): class A.",
            a=figures["a_customers"],
            n=figures["customers"],
            share=Share(figures["a_value_share"]),
            value=VALUES[value],
        )
    ]
    if figures["c_customers"] > 1:
        lines.append(
            say(
                "The {c} customers of class C bring {share} together.",
                c=figures["c_customers"],
                share=Share(figures["c_value_share"]),
            )
        )
    if figures["boundary_customers"] > 1:
        lines.append(
            say(
                "{n} customers are within 10 % of a class limit: one order may move them.",
                n=figures["boundary_customers"],
            )
        )
    return tuple(lines)
