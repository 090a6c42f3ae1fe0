"""Lenses 3 to 5: one cohort over time, cohorts at equal age, revenue by year of acquisition."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

from klientel.analyses.audit.declared import AGES, LIFE, STACK
from klientel.analyses.audit.periods import money
from klientel.analysis import Context, Table
from klientel.errors import BadParameter
from klientel.periods import add_months, fiscal_year
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

STEP = {"month": 1, "quarter": 3, "year": 12}
Cells = dict[tuple[int, int], dict[str, Any]]  # (cohort, period) -> active, orders, revenue


class Calendar:
    """Periods of 1, 3 or 12 months of the fiscal calendar, numbered from the one of the first order."""

    def __init__(self, context: Context, step: int) -> None:
        assert context.epoch is not None
        month = context.epoch.year * 12 + context.epoch.month - 1
        self.step, self.as_of = step, context.as_of
        self.base = month - (month - (context.fiscal_year_start_month - 1)) % step

    def number(self, day: ir.Value) -> ir.Value:
        """Number of the period of a day, as an expression."""
        months = day.year() * 12 + day.month() - (1 + self.base)
        return (months / self.step).floor().cast("int64")

    def number_of(self, day: date) -> int:
        """Number of the period of a day."""
        return (day.year * 12 + day.month - 1 - self.base) // self.step

    def start(self, number: int) -> date:
        """First day of a period."""
        return add_months(date(self.base // 12, self.base % 12 + 1, 1), number * self.step)

    def complete(self, number: int) -> bool:
        """True if the period ended before or on the as-of date."""
        return self.start(number + 1) <= self.as_of


def cells(purchases: ir.Table, context: Context, step: int) -> tuple[Cells, dict[int, int], Calendar]:
    """Active customers, orders and revenue per cohort and period; cohort sizes. One query, a small answer."""
    import ibis

    calendar = Calendar(context, step)
    numbers = ibis.ifelse(purchases.is_order, ibis.greatest(purchases.orders, 1), 0)
    days = purchases.select(
        "customer_id", "is_order", "matched_revenue", period=calendar.number(purchases.day), number=numbers
    )
    mine = days.group_by("customer_id", "period").aggregate(
        bought=days.is_order.cast("int64").max(), orders=days.number.sum(), revenue=days.matched_revenue.sum()
    )
    bought = ibis.ifelse(mine.bought > 0, mine.period, ibis.null("int64"))
    mine = mine.mutate(cohort=bought.min().over(ibis.window(group_by="customer_id")))
    mine = mine.filter(mine.cohort.notnull())
    rows = (
        mine.group_by("cohort", "period")
        .aggregate(active=mine.bought.sum(), orders=mine.orders.sum(), revenue=mine.revenue.sum())
        .to_pyarrow()
        .to_pylist()
    )
    cells = {(int(r.pop("cohort")), int(r.pop("period"))): r for r in rows}
    return cells, {c: int(cell["active"]) for (c, p), cell in sorted(cells.items()) if c == p}, calendar


def chosen(sizes: dict[int, int], calendar: Calendar, wanted: str) -> int | None:
    """The cohort of lens 3: the wanted one, else the largest with a complete later period.

    The first cohort is passed over if it is more than twice the median of the others: it holds
    customers who are older than the data.
    """
    if wanted:
        try:
            number = calendar.number_of(date.fromisoformat(wanted if len(wanted) > 7 else f"{wanted}-01"))
        except ValueError:
            raise BadParameter(say("{text} is not a month; write 2024-03.", text=repr(wanted))) from None
        if number not in sizes:
            first, last = (calendar.start(n) for n in (min(sizes), max(sizes)))
            text = say(
                "No customer was won then; there are cohorts from {first} to {last}.", first=first, last=last
            )
            raise BadParameter(text)
        return number
    old = {c: n for c, n in sizes.items() if calendar.complete(c + 1)}
    if len(old) > 1 and truncated(sizes, calendar):
        old.pop(0, None)
    return max(old, key=lambda c: (old[c], -c)) if old else None


def truncated(sizes: dict[int, int], calendar: Calendar) -> bool:
    """True if the first cohort is more than twice the median of the others: it is older than the data."""
    rest = [n for c, n in sizes.items() if c > 0 and calendar.complete(c)]
    return bool(rest) and sizes.get(0, 0) > 2 * median(rest)


def life(cells: Cells, sizes: dict[int, int], calendar: Calendar, chosen: int | None, level: float) -> Any:
    """Lens 3: the chosen cohort in each of its complete periods."""
    from klientel.stats.intervals import wilson

    rows = []
    number = chosen
    while number is not None and calendar.complete(number):
        assert chosen is not None
        cell, size = cells.get((chosen, number), _NOTHING), sizes[chosen]
        active, orders, revenue = int(cell["active"]), int(cell["orders"]), money(cell["revenue"])
        low, high = wilson(active, size, level)
        per_active = orders / active if active else None
        per_order = (revenue / orders).quantize(_FOUR) if orders else None
        age = number - chosen
        share_ = active / size
        rows.append(
            (calendar.start(number), age, size, active, share_, low, high, per_active, per_order, revenue)
        )
        number += 1
    return _arrow(LIFE, rows)


def ages(cells: Cells, sizes: dict[int, int], calendar: Calendar) -> Any:
    """Lens 4: every cohort in each of its complete periods, per customer won."""
    rows = []
    for cohort, size in sizes.items():
        so_far, number = Decimal(0), cohort
        while calendar.complete(number):
            cell = cells.get((cohort, number), _NOTHING)
            so_far += money(cell["revenue"])
            each, total = ((x / size).quantize(_FOUR) for x in (money(cell["revenue"]), so_far))
            rows.append(
                (calendar.start(cohort), number - cohort, size, int(cell["active"]) / size, each, total)
            )
            number += 1
    return _arrow(AGES, rows)


def stack(cells: Cells, calendar: Calendar, first_month: int) -> Any:
    """Revenue per fiscal year of acquisition and period; with zeros where there was none."""
    found: dict[tuple[int, int], list[Any]] = {}
    last = max((p for _, p in cells if calendar.complete(p)), default=-1)
    for (cohort, period), cell in cells.items():
        if period > last:
            continue
        year = fiscal_year(calendar.start(cohort), first_month)
        for number in range(min(cohort, period), last + 1):
            found.setdefault((year, number), [0, Decimal(0)])
        found[year, period][0] += int(cell["active"])
        found[year, period][1] += money(cell["revenue"])
    rows = [
        (str(y), calendar.start(p), active, revenue) for (y, p), (active, revenue) in sorted(found.items())
    ]
    return _arrow(STACK, rows)


_NOTHING: dict[str, Any] = {"active": 0, "orders": 0, "revenue": Decimal(0)}


_FOUR = Decimal("0.0001")


def _arrow(table: Table, rows: list[tuple[Any, ...]]) -> Any:
    """Rows as an Arrow table with the types of the declared units."""
    import pyarrow as pa

    types = {"money": pa.decimal128(38, 4), "month": pa.date32(), "count": pa.int64(), "text": pa.string()}
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    return pa.table(
        {
            c.name: pa.array(values, types.get(c.unit, pa.float64()))
            for c, values in zip(table.columns, columns, strict=True)
        }
    )
