"""Movement: who changed class between two windows, and where the change in revenue comes from (A5)."""

from __future__ import annotations

from decimal import Decimal
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
from klientel.errors import BadParameter
from klientel.expressions import EXACT, below, first_of_ties, named, running
from klientel.periods import window_before, window_months
from klientel.quality import Flag, small_sample
from klientel.words import Share, in_currency, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLASSES = ("A", "B", "C", "N")
_FROM = (*CLASSES, mark("new"), mark("reactivated"), mark("none"))
_TO = (*CLASSES, mark("lost"))
_STEPS = (mark("lost"), mark("down"), mark("up"), mark("reactivated"), mark("new"))

CUSTOMERS = Table(
    "customers",
    mark("Biggest movers"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("class_before", mark("Class before"), "class", mark("A, B, C, N, or empty without revenue")),
        Column("class_now", mark("Class now"), "class"),
        Column("before", mark("Before"), "money", mark("net revenue in the window before")),
        Column("after", mark("Now"), "money", mark("net revenue in the window")),
        Column("change", mark("Change"), "money"),
        Column("movement", mark("Movement"), "class", mark("up, down, unchanged, new, lost, reactivated")),
    ),
    mark("Every customer of either window, largest change first."),
)
MATRIX = Table(
    "matrix",
    mark("Change of class"),
    (
        Column("from", mark("Class before"), "class"),
        Column("to", mark("Class now"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("share", mark("Share of the row"), "share", mark("of the customers of the class before")),
        Column("share_low", mark("Share, lower limit"), "share", mark("lower Wilson limit")),
        Column("share_high", mark("Share, upper limit"), "share", mark("upper Wilson limit")),
        Column("value_change", mark("Change in revenue"), "money"),
    ),
    mark("Rows are classes before, columns are classes now; each row adds up to 100 %."),
)
BRIDGE = Table(
    "bridge",
    mark("From the revenue before to the revenue now"),
    (
        Column("step", mark("Step"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("amount", mark("Amount"), "money", mark("signed: losses are negative")),
    ),
    mark("The steps add up to the last digit."),
)
_MEANING = {
    "before": mark("Net revenue in the window before, all customers."),
    "after": mark("Net revenue in the window, all customers."),
    "change": mark("Revenue now − revenue before."),
    "growth": mark("Change / revenue before."),
    "lost": mark("Change through customers of the window before who did not buy in this one."),
    "down": mark("Change through customers of both windows who brought less."),
    "up": mark("Change through customers of both windows who brought more."),
    "new": mark("Revenue of customers who bought for the first time."),
    "reactivated": mark("Revenue of customers who had bought before both windows and came back."),
    "lost_n": mark("Customers of the window before who did not buy in this one."),
    "new_n": mark("Customers who bought for the first time."),
    "a_stayed": mark("Customers of class A before who are in class A now / customers of class A before."),
}


@analysis(
    title=mark("Movement"),
    question=mark("Who rose, fell, came and left, and what did that do to revenue?"),
    group="understand",
    needs=(
        Need("totals", ("customer_id", "revenue")),
        Need("totals", ("customer_id", "revenue"), back=1),
        Need("customers", ("customer_id", "name")),
        Need("histories", ("customer_id", "first_day")),
    ),
    tables=(CUSTOMERS, MATRIX, BRIDGE),
    figures=(
        Figure("revenue_before", mark("Revenue before"), "money", _MEANING["before"]),
        Figure("revenue_now", mark("Revenue now"), "money", _MEANING["after"], "up", headline=True),
        Figure("change", mark("Change"), "money", _MEANING["change"], "up", headline=True),
        Figure("growth", mark("Growth"), "share", _MEANING["growth"], "up", headline=True),
        Figure("lost", mark("Lost"), "money", _MEANING["lost"], "up"),
        Figure("down", mark("Down"), "money", _MEANING["down"], "up"),
        Figure("up", mark("Up"), "money", _MEANING["up"], "up"),
        Figure("reactivated", mark("Reactivated"), "money", _MEANING["reactivated"], "up"),
        Figure("new", mark("New"), "money", _MEANING["new"], "up"),
        Figure("customers_lost", mark("Customers lost"), "count", _MEANING["lost_n"], "down"),
        Figure("customers_new", mark("New customers"), "count", _MEANING["new_n"], "up"),
        Figure("a_stayed", mark("A customers who stayed A"), "share", _MEANING["a_stayed"], "up"),
    ),
    charts=(
        Chart("bridge", "bridge", "bridge", "step", "amount", title=BRIDGE.title),
        Chart(
            "flow", "matrix", "flow", "from", "to", "customers", mark("Customers by class, before and now")
        ),
        Chart("matrix", "matrix", "heatmap", "to", "from", "share", MATRIX.title),
    ),
)
def movement(
    totals: Any,
    before: Any,
    customers: Any,
    histories: Any,
    *,
    window: Window = "12",
    a: Annotated[float, Param(mark("Upper limit of class A"), min=0, max=1, unit="share")] = 0.80,
    b: Annotated[float, Param(mark("Upper limit of class B"), min=0, max=1, unit="share")] = 0.95,
    context: Context,
) -> Outcome:
    """Class migration between two windows and the bridge of their revenue, exact in decimals.

    Classes follow the rule of the ABC analysis (A1) in each window. Raises BadParameter for window
    "all" and for a > b. Source: handbook A5.
    """
    months = window_months(window)
    if months is None:
        raise BadParameter(say("Movement compares two windows of equal length; give a number of months."))
    if a > b:
        raise BadParameter(say("The limit of class A ({a}) lies above the limit of class B ({b}).", a=a, b=b))
    moves = _moves(_graded(before, a, b), _graded(totals, a, b), histories, context)
    cells = _cells(moves)
    figures = _figures(cells, context.level)
    gap = _uncovered(context, months)
    reasons: list[tuple[Flag, str]] = [gap] if gap else []
    n = sum(c["customers"] for c in cells)
    flag, text = small_sample(sum(c["customers"] for c in cells if c["from"] in CLASSES))
    if text:
        reasons.append((flag, text))
    full = named(moves, customers)
    shown = full.order_by(full.change.abs().desc(), "customer_id").select(
        *(c.name for c in CUSTOMERS.columns)
    )
    return Outcome(
        tables={
            "customers": shown,
            "matrix": _matrix(cells, context.level),
            "bridge": _bridge(cells, figures),
        },
        figures=figures,
        n=n,
        reasons=tuple(reasons),
        lines=_lines(figures, shown, gap, context.currency),
    )


def _graded(totals: ir.Table, a: float, b: float) -> ir.Table:
    """Customers who bought or have a value in a window, with their class by the rule of A1."""
    import ibis

    ordered = totals.order_days > 0 if "order_days" in totals.columns else ibis.literal(True)
    there = totals.mutate(bought=ordered.fill_null(False).cast("int64"))
    there = there.filter((there.bought > 0) | (there.revenue != 0))
    summed = running(there.select("customer_id", "bought", value=there.revenue.cast(EXACT)))
    start = first_of_ties(summed.before, summed.value)  # the whole tie group is judged by its best member
    summed = summed.mutate(start=start)
    grade = ibis.cases(
        (summed.value < 0, "N"),
        (summed.value == 0, "C"),
        (below(summed.start, summed.total, a), "A"),
        (below(summed.start, summed.total, b), "B"),
        else_="C",
    )
    return summed.select("customer_id", "value", "bought", grade=grade)


def _moves(then: ir.Table, now: ir.Table, histories: ir.Table, context: Context) -> ir.Table:
    """One row per customer of either window: before, after, change, classes, movement, from, to."""
    import ibis

    zero, none, no = ibis.literal(0).cast(EXACT), ibis.null("string"), ibis.literal(0).cast("int64")
    old = {"before": then.value, "after": zero, "class_before": then.grade, "class_now": none}
    new = {"before": zero, "after": now.value, "class_before": none, "class_now": now.grade}
    both = then.select("customer_id", **old, was=then.bought, stays=no).union(
        now.select("customer_id", **new, was=no, stays=now.bought)
    )
    pairs = both.group_by("customer_id").aggregate(
        before=both.before.sum().cast(EXACT),
        after=both.after.sum().cast(EXACT),
        class_before=both.class_before.max(),
        class_now=both.class_now.max(),
        was=both.was.max(),
        stays=both.stays.max(),
    )
    first = histories.select(_id=histories.customer_id, first_day=histories.first_day)
    pairs = pairs.left_join(first, pairs.customer_id == first._id).drop("_id")
    start = window_before(context.as_of, 1).start if context.start is None else context.start
    earlier = (pairs.first_day < ibis.literal(start)).fill_null(False)
    came = ibis.ifelse(earlier, "reactivated", "new")
    was, stays = pairs.was > 0, pairs.stays > 0  # credit notes alone make nobody a customer of a window
    change = (pairs.after - pairs.before).cast(EXACT)
    movement = ibis.cases(
        (~was & stays, came),
        (was & ~stays, "lost"),
        (change > 0, "up"),
        (change < 0, "down"),
        else_="unchanged",
    )
    return pairs.mutate(
        change=change,
        movement=movement,
        state_from=ibis.cases((was, pairs.class_before), (stays, came), else_="none"),
        state_to=ibis.cases((stays, pairs.class_now), (was, "lost"), else_="none"),
    )


def _cells(moves: ir.Table) -> list[dict[str, Any]]:
    """Sums per class before, class now and movement: everything but the list of customers."""
    rows = (
        moves.group_by("state_from", "state_to", "movement")
        .aggregate(
            customers=moves.count(),
            before=moves.before.sum(),
            after=moves.after.sum(),
            change=moves.change.sum(),
        )
        .to_pyarrow()
        .to_pylist()
    )
    return [{"from": r.pop("state_from"), "to": r.pop("state_to"), **r} for r in rows]


def _figures(cells: list[dict[str, Any]], level: float) -> dict[str, Any]:
    from klientel.stats.intervals import wilson

    def total(key: str, **where: str) -> Any:
        found = [c[key] for c in cells if all(c[k] == v for k, v in where.items())]
        return sum(found, Decimal(0)) if key != "customers" else sum(found)

    before, after = total("before"), total("after")
    figures: dict[str, Any] = {
        "revenue_before": before,
        "revenue_now": after,
        "change": after - before,
        "growth": float((after - before) / before) if before > 0 else None,
        "customers_lost": total("customers", movement="lost"),
        "customers_new": total("customers", movement="new"),
        "a_stayed": None,
    }
    figures |= {step: total("change", movement=step) for step in _STEPS}
    top, stayed = total("customers", **{"from": "A"}), total("customers", **{"from": "A", "to": "A"})
    if top:
        low, high = wilson(stayed, top, level)
        figures["a_stayed"] = Estimate(stayed / top, float(low), float(high), level, mark("Wilson"))
    return figures


def _matrix(cells: list[dict[str, Any]], level: float) -> Any:
    """All combinations of the classes before that occur with all classes now, zeros included."""
    import pyarrow as pa

    from klientel.stats.intervals import wilson

    rows = [f for f in _FROM if any(c["from"] == f for c in cells)]
    found: dict[str, list[Any]] = {c.name: [] for c in MATRIX.columns}
    for f in rows:
        of = sum(c["customers"] for c in cells if c["from"] == f)
        for t in ("none",) if f == "none" else _TO if f in CLASSES else CLASSES:
            here = [c for c in cells if c["from"] == f and c["to"] == t]
            k = sum(c["customers"] for c in here)
            low, high = wilson(k, of, level)
            change = sum((c["change"] for c in here), Decimal(0))
            for name, value in zip(found, (f, t, k, k / of, float(low), float(high), change), strict=True):
                found[name].append(value)
    types = [pa.string(), pa.string(), pa.int64(), *[pa.float64()] * 3, pa.decimal128(38, 4)]
    return pa.table({name: pa.array(v, type=t) for (name, v), t in zip(found.items(), types, strict=True)})


def _bridge(cells: list[dict[str, Any]], figures: dict[str, Any]) -> Any:
    import pyarrow as pa

    def count(test: Any) -> int:
        return int(sum(c["customers"] for c in cells if test(c)))

    steps = [(mark("opening"), count(lambda c: c["from"] in CLASSES), figures["revenue_before"])]
    steps += [(s, count(lambda c, s=s: c["movement"] == s), figures[s]) for s in _STEPS]
    steps += [(mark("closing"), count(lambda c: c["to"] in CLASSES), figures["revenue_now"])]
    return pa.table(
        {
            "step": [s[0] for s in steps],
            "customers": pa.array([s[1] for s in steps], pa.int64()),
            "amount": pa.array([s[2] for s in steps], pa.decimal128(38, 4)),
        }
    )


def _uncovered(context: Context, months: int) -> tuple[Flag, str] | None:
    """Flag and sentence if the history does not reach back over both windows."""
    start, middle = (window_before(context.as_of, months, back=k).start for k in (1, 0))
    first = context.first_day
    if first is None or start is None or middle is None or (first - start) / (middle - start) <= 0.02:
        return None
    have = (context.as_of.year - first.year) * 12 + context.as_of.month - first.month
    text = say(
        "The history covers {have} months; {need} are needed: the change compares with a partial window.",
        have=have - (context.as_of.day < first.day),
        need=2 * months,
    )
    return ("amber" if (first - start) / (middle - start) <= 0.1 else "red"), text


def _lines(
    figures: dict[str, Any], shown: ir.Table, gap: tuple[Flag, str] | None, currency: str | None
) -> tuple[str, ...]:
    if gap and gap[0] == "red":
        return (say("The change in revenue cannot be judged yet. {why}", why=gap[1]),)
    if figures["growth"] is None:
        return ()
    whole = say(
        "Revenue went from {before} to {now} ({growth}): new and reactivated customers brought {won}, "
        "lost ones took {lost}, the others changed by {rest}.",
        before=in_currency(figures["revenue_before"], currency),
        now=in_currency(figures["revenue_now"], currency),
        growth=Share(figures["growth"]),
        won=in_currency(figures["new"] + figures["reactivated"], currency),
        lost=in_currency(-figures["lost"], currency),
        rest=in_currency(figures["up"] + figures["down"], currency),
    )
    lines = [whole]
    worst = shown.order_by("change", "customer_id").limit(1).select("name", "change").to_pyarrow().to_pylist()
    if worst and worst[0]["change"] < 0:
        text = say(
            "The largest decline is {name} ({change}).",
            name=worst[0]["name"],
            change=in_currency(worst[0]["change"], currency),
        )
        lines.append(text)
    if figures["a_stayed"]:
        text = say(
            "{share} of the A customers are still A customers.", share=Share(figures["a_stayed"].value)
        )
        lines.append(text)
    return tuple(lines)
