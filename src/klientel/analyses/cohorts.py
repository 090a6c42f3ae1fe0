"""Cohorts: of the customers won together, how many still buy (handbook A10, B9)."""

from __future__ import annotations

from datetime import date
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Annotated, Any

from klientel.analysis import Chart, Column, Context, Estimate, Figure, Need, Outcome, Param, Table, analysis
from klientel.errors import MissingInput
from klientel.expressions import in_months, small_arrow
from klientel.periods import add_months
from klientel.quality import Flag
from klientel.words import Share, mark, say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_STEP = {"month": 1, "quarter": 3, "year": 12}
_GRAINS = {"month": mark("month"), "quarter": mark("quarter"), "year": mark("year")}
_BANDS_BY_QUARTER = 24  # up to so many months of history the revenue stack has quarterly bands

COHORTS = Table(
    "cohorts",
    mark("Cohorts"),
    (
        Column("cohort", mark("Won in"), "month", mark("first day of the period of the first order")),
        Column(
            "size", mark("Customers won"), "count", mark("customers whose first order lies in the period")
        ),
        Column("age", mark("Periods later"), "count", mark("0 = the period of the first order")),
        Column("active", mark("Active"), "count", mark("customers of the cohort who ordered in that period")),
        Column(
            "share", mark("Share active"), "share", mark("active / customers won; empty while incomplete")
        ),
        Column("share_low", mark("Share, lower limit"), "share", mark("lower Wilson limit")),
        Column("share_high", mark("Share, upper limit"), "share", mark("upper Wilson limit")),
        Column("complete", mark("Complete"), "flag", mark("the period has ended before the as-of date")),
    ),
    mark("One row per cohort and period since; the period that is still running is counted but not rated."),
)
CURVE = Table(
    "curve",
    mark("Share active by age"),
    (
        Column("age", mark("Periods later"), "count"),
        Column("cohorts", mark("Cohorts"), "count", mark("cohorts that are old enough for a complete cell")),
        Column("size", mark("Customers"), "count", mark("customers of these cohorts")),
        Column("active", mark("Active"), "count"),
        Column(
            "share", mark("Share active"), "share", mark("active / customers, all complete cohorts pooled")
        ),
        Column("share_low", mark("Share, lower limit"), "share", mark("lower Wilson limit")),
        Column("share_high", mark("Share, upper limit"), "share", mark("upper Wilson limit")),
    ),
    mark("All complete cohorts pooled, weighted by size."),
)
REVENUE = Table(
    "revenue",
    mark("Revenue by time of acquisition"),
    (
        Column(
            "cohort", mark("Won in"), "month", mark("first day of the year or quarter of the first order")
        ),
        Column("period", mark("Period"), "month", mark("first day of the calendar period")),
        Column(
            "customers", mark("Active"), "count", mark("customers of the cohort who ordered in the period")
        ),
        Column("revenue", mark("Revenue"), "money", mark("net revenue, credits in the period they correct")),
    ),
    mark(
        "Each band is the revenue of the customers won in one year (one quarter in a short history); "
        "complete periods only."
    ),
)


@analysis(
    title=mark("Cohorts"),
    question=mark("How many of the customers won together still buy later?"),
    group="understand",
    needs=(
        Need("histories", ("customer_id", "first_day", "last_day", "months_0")),
        # optional: only the revenue stack reads them, so that they are not computed for the matrix
        Need("purchases", ("customer_id", "day", "matched_revenue", "is_order"), optional=True),
    ),
    tables=(COHORTS, CURVE, REVENUE),
    figures=(
        Figure("cohorts", mark("Cohorts"), "count", mark("Periods in which at least one customer was won.")),
        Figure(
            "customers",
            mark("Customers in cohorts"),
            "count",
            mark("Customers with a first order, in all cohorts."),
        ),
        Figure(
            "share_next_period",
            mark("Active one period later"),
            "share",
            mark(
                "Share of the customers who ordered again in the period after the one of their first order."
            ),
            "up",
        ),
        Figure(
            "repeat_share_12",
            mark("Active twelve months later"),
            "share",
            mark("Share of the customers who ordered in the period twelve months after their first one."),
            "up",
            headline=True,
        ),
        Figure(
            "share_ever_returned",
            mark("Ever returned"),
            "share",
            mark("Share of the customers who ordered in any later period, of those who had a complete one."),
            "up",
            headline=True,
        ),
    ),
    charts=(
        Chart(
            "triangle",
            "cohorts",
            "cohorts",
            "age",
            "cohort",
            "share",
            mark("Share of each cohort still active"),
        ),
        Chart(
            "curve",
            "curve",
            "line",
            "age",
            "share",
            title=mark("Share active by age"),
            options={"low": "share_low", "high": "share_high"},
        ),
        Chart(
            "stack", "revenue", "area", "period", "revenue", "cohort", mark("Revenue by time of acquisition")
        ),
    ),
)
def cohorts(
    histories: Any,
    purchases: Any = None,
    *,
    grain: Annotated[str, Param(mark("Period"), choices=("month", "quarter", "year"))] = "month",
    kind: Annotated[
        str,
        Param(
            mark("Counted as active: in the period (classic), or then or later (rolling)"),
            choices=("classic", "rolling"),
        ),
    ] = "classic",
    skip: Annotated[int, Param(mark("Leave out the first cohorts"), min=0, max=600)] = 0,
    context: Context,
) -> Outcome:
    """Cohort matrix from month bitmaps, pooled curve, and revenue by time of acquisition.

    Bits are summed per cohort, so the cost is one pass over the histories and never grows with age.
    Source: handbook A10 (lenses 3-5), B9; Fader, Hardie & Ross 2022.
    """
    if context.epoch is None or not context.months:
        raise MissingInput(say("Cohorts need an order date: no dated order lies before the as-of date."))
    calendar = Calendar(context, _STEP[grain])
    bought = histories.filter(histories.first_day.notnull())
    won = bought.mutate(cohort_no=calendar.number(bought.first_day), last_no=calendar.number(bought.last_day))
    won = won.filter(won.cohort_no >= skip)
    wide = _wide(won, calendar, rolling=kind == "rolling")
    summed = sorted(wide.to_pyarrow().to_pylist(), key=lambda row: int(row["cohort_no"]))
    curve = _curve(summed, calendar.complete(), context.level)
    sizes = {int(row["cohort_no"]): int(row["size"]) for row in summed}
    with_chance = [row for row in summed if row["cohort_no"] + 1 < calendar.complete()]
    returned, chances = (sum(int(row[c]) for row in with_chance) for c in ("returned", "size"))
    figures = _figures(curve.to_pylist(), sizes, returned, chances, _STEP[grain], context.level)
    return Outcome(
        tables={
            "cohorts": _cells(wide, calendar, context.level),
            "curve": curve,
            **({"revenue": _revenue(won, purchases, calendar, context)} if purchases is not None else {}),
        },
        figures=figures,
        n=sum(sizes.values()),
        excluded=int(histories.count().to_pyarrow().as_py()) - sum(sizes.values()),
        reasons=_reasons(sizes, chances, calendar, grain, skip),
        lines=_lines(figures, chances),
    )


class Calendar:
    """Periods of 1, 3 or 12 months in the fiscal calendar; number 0 holds the epoch of the histories."""

    def __init__(self, context: Context, step: int) -> None:
        assert context.epoch is not None
        self.step = step
        self.epoch = context.epoch
        self.as_of = context.as_of
        epoch = context.epoch.year * 12 + context.epoch.month - 1
        # Months of period 0 that lie before the epoch.
        self.lead = (epoch - (context.fiscal_year_start_month - 1)) % step
        self.base = epoch - self.lead
        self.months = context.months
        self.count = -(-(context.months + self.lead) // step)

    def number(self, day: ir.Value) -> ir.Value:
        """Number of the period of a day."""
        months = day.year() * 12 + day.month() - (1 + self.base)
        return (months if self.step == 1 else (months / self.step).floor()).cast("int64")

    def first_day(self, number: ir.Value) -> ir.Value:
        """First day of the period of that number."""
        import ibis

        month = number * self.step + self.base
        year = (month / 12).floor().cast("int64")
        return ibis.date(year, month - year * 12 + 1, 1)

    def start(self, number: int) -> date:
        """First day of the period of that number."""
        return add_months(self.epoch.replace(day=1), number * self.step - self.lead)

    def complete(self) -> int:
        """How many periods have ended before or on the as-of date."""
        return self.count if self.start(self.count) <= self.as_of else self.count - 1

    def first_month(self, number: int) -> int:
        """Number of the first month of a period, counted from the epoch; negative before it."""
        return number * self.step - self.lead


def _wide(won: ir.Table, calendar: Calendar, *, rolling: bool) -> ir.Table:
    """One row per cohort: its size, how many returned, and how many were active in each period."""
    sums = {f"active_{p}": _active(won, calendar, p, rolling=rolling) for p in range(calendar.count)}
    returned = (won.last_no > won.cohort_no).sum()
    return won.group_by("cohort_no").aggregate(size=won.count(), returned=returned, **sums)


def _cells(wide: ir.Table, calendar: Calendar, level: float) -> ir.Table:
    """The cohort matrix, one row per cell."""
    import ibis

    numbers = ibis.range(calendar.count).unnest().name("period_no").as_table()
    crossed = wide.cross_join(numbers)
    cells = crossed.filter(crossed.period_no >= crossed.cohort_no)
    count = ibis.cases(*[(cells.period_no == p, cells[f"active_{p}"]) for p in range(calendar.count)])
    cells = cells.select(
        cohort=calendar.first_day(cells.cohort_no),
        size=cells["size"],
        age=(cells.period_no - cells.cohort_no).cast("int64"),
        active=count.cast("int64"),
        complete=cells.period_no < calendar.complete(),
    )
    share, low, high = _wilson(cells.active, cells["size"], level)
    cells = cells.mutate(
        share=ibis.ifelse(cells.complete, share, ibis.null("float64")),
        share_low=ibis.ifelse(cells.complete, low, ibis.null("float64")),
        share_high=ibis.ifelse(cells.complete, high, ibis.null("float64")),
    )
    return cells.select(*(c.name for c in COHORTS.columns)).order_by("cohort", "age")


def _active(won: ir.Table, calendar: Calendar, number: int, *, rolling: bool) -> ir.Value:
    """How many customers were active in a period (classic) or in it or later (rolling)."""
    if rolling:
        return (won.last_no >= number).sum()
    first = calendar.first_month(number)
    return in_months(won, first, first + calendar.step).sum()


def _curve(summed: list[dict[str, Any]], complete: int, level: float) -> Any:
    """The complete cells pooled by age, from the few rows of `_wide`: a second pass would cost as much."""
    import pyarrow as pa

    from klientel.stats.intervals import wilson

    found: list[tuple[Any, ...]] = []
    for age in range(complete):
        old = [row for row in summed if row["cohort_no"] + age < complete]
        if old:
            size = sum(int(row["size"]) for row in old)
            active = sum(int(row[f"active_{row['cohort_no'] + age}"]) for row in old)
            found.append((age, len(old), size, active, active / size, *wilson(active, size, level)))
    names = [c.name for c in CURVE.columns]
    types = [pa.int64()] * 4 + [pa.float64()] * 3
    schema = pa.schema(list(zip(names, types, strict=True)))
    return small_arrow([dict(zip(names, row, strict=True)) for row in found], schema)


def _revenue(won: ir.Table, purchases: ir.Table, calendar: Calendar, context: Context) -> ir.Table:
    """Revenue of each acquisition band in each period, zeros included; complete periods only."""
    import ibis

    step = max(calendar.step, 3 if context.months <= _BANDS_BY_QUARTER else 12)
    bands = Calendar(context, step)
    keys = won.select("customer_id", band=bands.number(won.first_day))
    days = purchases.select(
        "customer_id", "matched_revenue", "is_order", period=calendar.number(purchases.day)
    ).inner_join(keys, "customer_id")
    each = days.group_by("band", "period").aggregate(
        customers=days.customer_id.nunique(where=days.is_order), revenue=days.matched_revenue.sum()
    )
    numbers = ibis.range(calendar.complete()).unnest().name("no").as_table()
    grid = keys.select("band").distinct().cross_join(numbers)
    grid = grid.filter(calendar.first_day(grid.no) >= bands.first_day(grid.band))
    full = grid.left_join(each, [grid.band == each.band, grid.no == each.period])
    made = full.select(
        cohort=bands.first_day(full.band),
        period=calendar.first_day(full.no),
        customers=full.customers.fill_null(0),
        revenue=full.revenue.fill_null(ibis.literal(0, type=each.revenue.type())),
    )
    return made.order_by("cohort", "period")


def _figures(
    curve: list[dict[str, Any]], sizes: dict[int, int], returned: int, chances: int, step: int, level: float
) -> dict[str, Any]:
    from klientel.stats.intervals import wilson

    by_age = {r["age"]: r for r in curve}

    def at(age: int) -> Estimate | None:
        row = by_age.get(age)
        if row is None:
            return None
        return Estimate(row["share"], row["share_low"], row["share_high"], level, mark("Wilson"))

    ever = None
    if chances:
        low, high = wilson(returned, chances, level)
        ever = Estimate(returned / chances, float(low), float(high), level, mark("Wilson"))
    return {
        "cohorts": len(sizes),
        "customers": sum(sizes.values()),
        "share_next_period": at(1),
        "repeat_share_12": at(12 // step),
        "share_ever_returned": ever,
    }


def _reasons(
    sizes: dict[int, int], chances: int, calendar: Calendar, grain: str, skip: int
) -> tuple[tuple[Flag, str], ...]:
    told: list[tuple[Flag, str]] = []
    if not chances:
        text = say(
            "No cohort has a complete later {period} yet: nothing can be compared.", period=_GRAINS[grain]
        )
        told.append(("red", text))
    following = [sizes[n] for n in range(1, calendar.complete()) if n in sizes]
    first = sizes.get(0, 0)
    if skip == 0 and following and first >= 10 and first > 2 * median(following):
        text = say(
            "The first cohort ({first} customers) is far larger than the following ones (median {usual}): "
            "it holds customers who are older than the data. Leave it out with skip = 1.",
            first=first,
            usual=median(following),
        )
        told.append(("amber", text))
    if len(sizes) > 1 and median(sizes.values()) < 5:
        text = say(
            "Half of the cohorts hold fewer than 5 customers: single cells are no rates; take longer periods."
        )
        told.append(("amber", text))
    return tuple(told)


def _lines(figures: dict[str, Any], chances: int) -> tuple[str, ...]:
    lines: list[str] = []
    ever, year = figures["share_ever_returned"], figures["repeat_share_12"]
    if ever:
        text = say(
            "{share} of {n} customers ordered again in a later period than their first one.",
            share=Share(ever.value),
            n=chances,
        )
        lines.append(text)
    if year:
        text = say(
            "Twelve months after their first order {share} of the customers were active "
            "(between {low} and {high}).",
            share=Share(year.value),
            low=Share(year.low),
            high=Share(year.high),
        )
        lines.append(text)
    return tuple(lines)


def _wilson(hits: ir.Value, of: ir.Value, level: float) -> tuple[ir.Value, ir.Value, ir.Value]:
    """Share with its Wilson limits as expressions (handbook G13): the closed form works on every engine."""
    import ibis

    z = NormalDist().inv_cdf(0.5 + level / 2)
    n = of.cast("float64")
    share = hits.cast("float64") / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = (share * (1 - share) / n + z * z / (4 * n * n)).sqrt() * z / (1 + z * z / n)
    low = ibis.ifelse(hits == 0, 0.0, middle - half)
    return share, low, ibis.ifelse(hits == of, 1.0, middle + half)
