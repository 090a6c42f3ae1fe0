"""XYZ: how regularly each customer buys, and the ABC-XYZ matrix (handbook A3, A4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import Chart, Column, Context, Figure, Need, Outcome, Param, Table, Window, analysis
from klientel.errors import BadParameter, MissingInput
from klientel.expressions import EXACT, abc_grades, named, short_history, small_table
from klientel.periods import add_months, month_number, month_start, window_months
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_STEP = {"month": 1, "quarter": 3}
_LEAST = {"month": 12, "quarter": 8}  # periods since the first order (A3)
_ACTIVE = 6  # periods with a purchase, below them no class
_ROWS = 100_000  # customers whose matrix is held in memory at once
_STABLE_UP_TO = 5_000  # customers up to which class stability is drawn
_CLASSES = ("X", "Y", "Z")
_PRESETS = {"customers": None, "strict": (0.25, 0.50), "materials": (0.10, 0.25)}
INSUFFICIENT = mark("insufficient")
UNDEFINED = mark("undefined")

PLAYS = {  # defaults; a company edits them
    "AX": mark("Key account plan and a long contract"),
    "AY": mark("Key account plan; agree volumes per quarter"),
    "AZ": mark("Forecast call before each period and safety stock or capacity"),
    "BX": mark("Framework contract, standing orders"),
    "BY": mark("Regular contact, develop towards class A"),
    "BZ": mark("Contact on occasion; ask for plans early"),
    "CX": mark("Automate: web shop, standing order"),
    "CY": mark("Serve by inside sales, bundle orders"),
    "CZ": mark("Least effort, or a higher price"),
}

CUSTOMERS = Table(
    "customers",
    mark("Customers by regularity"),
    (
        Column("customer_id", mark("Customer number"), "key"),
        Column("name", mark("Customer"), "text"),
        Column("grade", mark("XYZ class"), "class", mark("X steady, Y varying, Z irregular")),
        Column("abc", mark("ABC class"), "class", mark("by revenue of the last 12 months")),
        Column("value", mark("Revenue"), "money", mark("in the last 12 months")),
        Column("cv", mark("Coefficient of variation"), "number", mark("standard deviation / mean")),
        Column("cv_plain", mark("CV without adjustment"), "number", mark("trend and season left in")),
        Column("mean", mark("Mean per period"), "money"),
        Column("periods", mark("Periods"), "count", mark("since the first order, in the window")),
        Column("active_periods", mark("Active periods"), "count", mark("with a value above zero")),
        Column("adi", mark("Interval between active periods"), "number", mark("periods / active periods")),
        Column("cv2", mark("CV² of the sizes"), "number", mark("of the periods above zero")),
        Column("pattern", mark("Pattern"), "class", mark("smooth, intermittent, erratic or lumpy")),
        Column("stability", mark("Class stability"), "share", mark("draws of periods that keep the class")),
    ),
)
MATRIX = Table(
    "matrix",
    mark("ABC-XYZ matrix"),
    (
        Column("abc", mark("ABC class"), "class"),
        Column("xyz", mark("XYZ class"), "class"),
        Column("customers", mark("Customers"), "count"),
        Column("value", mark("Revenue"), "money", mark("in the last 12 months")),
        Column("value_share", mark("Share of revenue"), "share", mark("of all customers with revenue")),
        Column("play", mark("Default play"), "class", mark("a proposal, to be edited")),
    ),
)
FIGURES = (
    Figure("classified", mark("Classified customers"), "count", mark("Customers with class X, Y or Z.")),
    Figure("x_customers", mark("Customers in class X"), "count", mark("Steady customers."), "up", True),
    Figure("y_customers", mark("Customers in class Y"), "count", mark("Varying customers.")),
    Figure("z_customers", mark("Customers in class Z"), "count", mark("Irregular customers."), "down", True),
    Figure("insufficient", mark("Without a class"), "count", mark("History too short or too few purchases.")),
    Figure("x_value_share", mark("Revenue share of X"), "share", mark("Revenue of X / revenue."), "up", True),
    Figure("ax_customers", mark("Customers in AX"), "count", mark("Large and steady."), "up"),
    Figure("az_customers", mark("Customers in AZ"), "count", mark("Large and irregular."), "down"),
    Figure("periods", mark("Periods"), "count", mark("Complete months or quarters in the window.")),
    Figure("method", mark("Method"), "class", mark("Whether trend and season were taken out.")),
)


@analysis(
    title=mark("XYZ analysis"),
    question=mark("Who buys regularly, and who cannot be planned?"),
    group="understand",
    needs=(
        Need("purchases", ("customer_id", "day", "revenue")),
        Need("histories", ("customer_id", "first_day")),
        Need("customers", ("customer_id", "name"), optional=True),
    ),
    tables=(CUSTOMERS, MATRIX),
    figures=FIGURES,
    charts=(
        Chart(
            "matrix",
            "matrix",
            "heatmap",
            x="xyz",
            y="abc",
            color="value_share",
            title=mark("Value and regularity"),
            options={"label": "customers"},
        ),
    ),
)
def xyz(
    purchases: Any,
    histories: Any,
    customers: Any = None,
    *,
    window: Window = "24",
    grain: Annotated[str, Param(mark("Period"), choices=tuple(_STEP))] = "month",
    method: Annotated[
        str, Param(mark("Take out trend and season (residual)"), choices=("auto", "plain", "residual"))
    ] = "auto",
    preset: Annotated[
        str, Param(mark("Limits: customers (x and y), or a preset"), choices=tuple(_PRESETS))
    ] = "customers",
    x: Annotated[float, Param(mark("Upper limit of class X"), min=0, max=10)] = 0.5,
    y: Annotated[float, Param(mark("Upper limit of class Y"), min=0, max=10)] = 1.0,
    ddof: Annotated[int, Param(mark("Standard deviation divides by n − ddof"), min=0, max=1)] = 0,
    context: Context,
) -> Outcome:
    """Class X, Y or Z by the variation of a customer's periods; the matrix with ABC (A3, A4)."""
    x, y = _PRESETS[preset] or (x, y)
    if x > y:
        raise BadParameter(say("The limit of class X ({x}) is above that of class Y ({y}).", x=x, y=y))
    periods = _calendar(window, grain, context)
    rule = _Rule(x, y, ddof, method, 12 // _STEP[grain], _LEAST[grain])
    series = _series(purchases, histories, periods, grain)
    graded = _graded(series, periods.count, rule)
    joined = _with_abc(graded, purchases, context.as_of)
    groups = _groups(joined)
    rows = _matrix_rows(groups)
    figures = _figures(rows, groups, periods, rule)
    listed = named(joined, customers).select([c.name for c in CUSTOMERS.columns])
    kinds = {"abc": "string", "xyz": "string", "customers": "int64", "value": "decimal(38, 4)"}
    matrix = small_table(rows, **kinds, value_share="float64", play="string")
    return Outcome(
        tables={
            "customers": listed.order_by([listed.value.desc(nulls_first=False), listed.customer_id]),
            "matrix": matrix.order_by(["abc", "xyz"]),
        },
        figures=figures,
        n=figures["classified"],
        excluded=figures["insufficient"],
        reasons=_reasons(figures, periods, rule, grain, context),
        lines=_lines(figures),
    )


@dataclass(frozen=True)
class _Periods:
    start: date
    end: date
    count: int


@dataclass(frozen=True)
class _Rule:
    x: float
    y: float
    ddof: int
    method: str
    season: int
    least: int

    def takes_out(self, periods: int) -> bool:
        """True if trend and season are taken out of a series of so many periods."""
        from klientel.stats.regularity import can_take_out

        return self.method != "plain" and can_take_out(periods, self.season)


def _calendar(window: str, grain: str, context: Context) -> _Periods:
    """Whole periods before the as-of date; the month that is still running is left out."""
    if context.first_day is None:
        raise MissingInput(say("XYZ needs dates: no dated sale lies before the as-of date."))
    end, months = month_start(context.as_of), window_months(window)
    available = max(month_number(end, context.first_day), 0)
    wanted = available if months is None else min(months, available)
    count = wanted // _STEP[grain]
    return _Periods(add_months(end, -count * _STEP[grain]), end, count)


def _series(purchases: ir.Table, histories: ir.Table, periods: _Periods, grain: str) -> pa.Table:
    """Rows of customer_id, first (period of the first order, 0 = start), period and value."""
    step = _STEP[grain]

    def number(day: Any) -> Any:
        months = (day.year() - periods.start.year) * 12 + day.month() - periods.start.month
        return (months // step).cast("int64")

    inside = purchases.filter((purchases.day >= periods.start) & (purchases.day < periods.end))
    sums = inside.group_by(customer_id=inside.customer_id, period=number(inside.day)).agg(
        value=inside.revenue.sum().cast("float64")
    )
    begun = histories.filter(histories.first_day.notnull() & (histories.first_day < periods.end))
    first = begun.select(
        _id=begun.customer_id, first=(begun.first_day < periods.start).ifelse(0, number(begun.first_day))
    )
    joined = sums.inner_join(first, sums.customer_id == first._id)
    found: pa.Table = (
        joined.select("customer_id", "first", "period", "value").order_by("customer_id").to_pyarrow()
    )
    return found


def _graded(series: pa.Table, count: int, rule: _Rule) -> pa.Table:
    """One row per customer: cv, class and pattern; the matrix is built for 100,000 customers at a time."""
    import numpy as np
    import pyarrow as pa

    encoded = series["customer_id"].combine_chunks().dictionary_encode()
    code = encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(code, kind="stable")
    code = code[order]
    period = series["period"].to_numpy()[order]
    value = series["value"].to_numpy()[order]
    n = len(encoded.dictionary)
    first = np.zeros(n, dtype=np.int64)
    first[code] = np.maximum(series["first"].to_numpy()[order], 0)
    parts = []
    for low in range(0, n, _ROWS):
        high = min(low + _ROWS, n)
        at = slice(*np.searchsorted(code, [low, high]))
        cells = np.zeros((high - low, count))
        cells[code[at] - low, period[at]] = value[at]
        parts.append(_part(cells, first[low:high], rule, stable=n <= _STABLE_UP_TO))
    columns = (
        {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        if parts
        else _part(np.zeros((0, count)), first, rule, stable=False)
    )
    arrays = {"customer_id": encoded.dictionary.cast(pa.string())}
    arrays |= {name: pa.array(found, from_pandas=True) for name, found in columns.items()}
    return pa.table(arrays)


def _part(
    cells: NDArray[np.float64], first: NDArray[np.int64], rule: _Rule, *, stable: bool
) -> dict[str, Any]:
    """Figures of these customers (rows of cells), by groups with the same first period."""
    import numpy as np

    from klientel.stats import regularity

    n, count = cells.shape
    found: dict[str, Any] = {
        k: np.full(n, np.nan) for k in ("cv", "cv_plain", "mean", "adi", "cv2", "stability")
    }
    found["periods"] = count - first
    # a credit booked before the first order lies outside the series
    found["active_periods"] = ((cells > 0) & (np.arange(count) >= first[:, None])).sum(axis=1)
    found["pattern"] = np.full(n, None, dtype=object)
    for start in np.unique(first):
        rows = np.flatnonzero(first == start)
        v = cells[rows, start:]
        found["mean"][rows] = v.mean(axis=1)
        if v.shape[1] < rule.least:
            continue
        season = rule.season if rule.takes_out(v.shape[1]) else None
        found["cv_plain"][rows] = regularity.cv(v, rule.ddof)
        found["cv"][rows] = found["cv_plain"][rows] if season is None else regularity.residual_cv(v, season)
        demand = regularity.intermittence(v)
        found["adi"][rows], found["cv2"][rows] = demand.adi, demand.cv2
        found["pattern"][rows] = np.array([*regularity.PATTERNS, None], dtype=object)[demand.pattern]
        if stable:
            found["stability"][rows] = regularity.class_stability(
                v, rule.x, rule.y, season=season, ddof=rule.ddof
            )
    enough = (found["periods"] >= rule.least) & (found["active_periods"] >= _ACTIVE)
    codes = regularity.classed(found["cv"], rule.x, rule.y)
    names = np.array([*_CLASSES, UNDEFINED], dtype=object)[codes]
    found["grade"] = np.where(enough, names, INSUFFICIENT).astype(object)
    for name in ("cv", "stability"):
        found[name] = np.where(enough, found[name], np.nan)
    return found


def _with_abc(graded: pa.Table, purchases: ir.Table, as_of: date) -> ir.Table:
    """The graded customers, and those with revenue in the last 12 months, with their ABC class."""
    import ibis

    inside = purchases.filter((purchases.day >= add_months(as_of, -12)) & (purchases.day < as_of))
    values = inside.group_by("customer_id").agg(value=inside.revenue.sum().cast(EXACT))
    abc = abc_grades(values.filter(values.value.notnull()), 0.80, 0.95)
    abc = abc.select(_id=abc.customer_id, abc=abc.grade, value=abc.value)
    table = ibis.memtable(graded)
    kinds = {"grade": "string", "pattern": "string"} | dict.fromkeys(
        ("cv", "cv_plain", "mean", "adi", "cv2", "stability"), "float64"
    )
    table = table.mutate(**{k: table[k].cast(v) for k, v in kinds.items()})
    joined = table.outer_join(abc, table.customer_id == abc._id)
    joined = joined.mutate(
        customer_id=ibis.coalesce(joined.customer_id, joined._id),
        grade=joined.grade.fill_null(INSUFFICIENT),
        mean=joined["mean"].cast("decimal(38, 4)"),
    )
    return joined.drop("_id")


def _groups(joined: ir.Table) -> dict[tuple[str | None, str], dict[str, Any]]:
    """Customers and revenue by ABC class (None: no revenue in the last 12 months) and XYZ class."""
    grouped = joined.group_by("abc", "grade").agg(
        customers=joined.count(), value=joined.value.sum().cast(EXACT)
    )
    return {(r["abc"], r["grade"]): r for r in grouped.to_pyarrow().to_pylist()}


def _matrix_rows(found: dict[tuple[str | None, str], dict[str, Any]]) -> list[dict[str, Any]]:
    from decimal import Decimal

    total = sum((r["value"] or 0) for (abc, _), r in found.items() if abc in ("A", "B", "C"))
    rows = []
    for abc in "ABC":
        for grade in _CLASSES:
            row = found.get((abc, grade), {"customers": 0, "value": 0})
            value = Decimal(row["value"] or 0)
            rows.append(
                {
                    "abc": abc,
                    "xyz": grade,
                    "customers": row["customers"],
                    "value": value,
                    "value_share": float(value / total) if total else None,
                    "play": PLAYS[abc + grade],
                }
            )
    return rows


def _figures(
    rows: list[dict[str, Any]],
    groups: dict[tuple[str | None, str], dict[str, Any]],
    periods: _Periods,
    rule: _Rule,
) -> dict[str, Any]:
    def counted(grade: str) -> int:
        return sum(r["customers"] for (_, g), r in groups.items() if g == grade)

    by = {grade: counted(grade) for grade in _CLASSES}
    cells = {row["abc"] + row["xyz"]: row for row in rows}
    shares = [cells[abc + "X"]["value_share"] for abc in "ABC"]
    return {
        "classified": sum(by.values()),
        **{f"{grade.lower()}_customers": n for grade, n in by.items()},
        "insufficient": counted(INSUFFICIENT) + counted(UNDEFINED),
        "x_value_share": None if None in shares else sum(shares),
        "ax_customers": cells["AX"]["customers"],
        "az_customers": cells["AZ"]["customers"],
        "periods": periods.count,
        "method": mark("trend and season taken out")
        if rule.takes_out(periods.count)
        else mark("plain coefficient of variation"),
    }


def _reasons(
    figures: dict[str, Any], periods: _Periods, rule: _Rule, grain: str, context: Context
) -> tuple[tuple[Flag, str], ...]:
    reasons: list[tuple[Flag, str]] = []
    if periods.count < rule.least:
        text = (
            say("XYZ needs 12 complete months, the data hold {n}.", n=periods.count)
            if grain == "month"
            else say("XYZ needs 8 complete quarters, the data hold {n}.", n=periods.count)
        )
        return (("red", text),)
    reasons += short_history(context.start, context.end, context.first_day)
    if figures["classified"] == 0:
        reasons.append(("red", say("No customer has a history long enough for a class.")))
    elif figures["insufficient"] > figures["classified"]:
        text = say(
            "Most customers have no class: {n} bought in fewer than 6 periods or are too new.",
            n=figures["insufficient"],
        )
        reasons.append(("amber", text))
    if rule.method == "residual" and not rule.takes_out(periods.count):
        reasons.append(("amber", say("Too few periods to take out trend and season: plain variation shown.")))
    return tuple(reasons)


def _lines(figures: dict[str, Any]) -> tuple[str, ...]:
    if not figures["classified"] or figures["x_value_share"] is None:
        return ()
    if not figures["x_customers"]:
        text = say(
            "None of the {n} classified customers buys steadily (X); {z} buy irregularly (Z).",
            n=figures["classified"],
            z=figures["z_customers"],
        )
        return (text,)
    lines = [
        say(
            "{x} of {n} classified customers buy steadily (X) and bring {share} of the revenue.",
            x=figures["x_customers"],
            n=figures["classified"],
            share=Share(figures["x_value_share"]),
        )
    ]
    if figures["az_customers"]:
        lines.append(
            say("{n} large customers buy irregularly (AZ): agree on a forecast.", n=figures["az_customers"])
        )
    return tuple(lines)
