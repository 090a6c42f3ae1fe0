"""Order histories on the engine: x, t_x, T and spend of each customer at any origin, and their grouped counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

Floats = NDArray[np.float64]
KEYS = ("x", "t_x", "T", "paid")  # what a forecast depends on, besides what was spent
_SUM = "decimal(38, 4)"


@dataclass(frozen=True)
class Grouped:
    """Distinct histories as arrays, in one fixed order: x repeat orders, t_x and T in days, n customers each.

    paid: repeat orders with a positive value; last, next: orders in the windows before and after the
    origin (`at_origin`); spent, squared: sums over the n customers of what they spent on paid repeat
    orders, and of its square.
    """

    x: Floats
    t_x: Floats
    T: Floats
    paid: Floats
    n: Floats
    last: Floats
    next: Floats
    spent: Floats
    squared: Floats

    @property
    def customers(self) -> float:
        """Number of customers."""
        return float(self.n.sum())

    @property
    def repeaters(self) -> float:
        """Number of customers with a repeat order."""
        return float(self.n[self.x > 0].sum())

    @property
    def once_share(self) -> float:
        """Share of customers with one order."""
        return 1 - self.repeaters / self.customers if self.customers else 0.0


def order_days(purchases: ir.Table) -> ir.Table:
    """customer_id, day, value (matching view, exact) of the order days: one row per customer and day (G5)."""
    kept = purchases.filter(purchases.is_order & purchases.day.notnull())
    return kept.select("customer_id", "day", value=kept.matched_revenue.cast(_SUM))


def at_origin(orders: ir.Table, origin: date, since: date, until: date) -> ir.Table:
    """One row per customer who ordered before `origin`, knowing nothing later but what is named next_*.

    x: repeat order days, t_x: days from the first to the last of them, T: days from the first to the
    last day before the origin (B11b); paid, spent: repeat orders with a positive value and their value;
    last_orders, last_value: order days and value in [since, origin); next_orders, next_value: in
    [origin, until), for hold-outs; first_day, last_day.
    """
    import ibis

    first = orders.day.min().over(ibis.window(group_by=orders.customer_id))
    known = orders.mutate(_first=first)
    known = known.filter((known.day < until) & (known._first < origin))
    before = known.day < origin
    counted = before & (known.day > known._first) & (known.value > 0)
    recent, coming = before & (known.day >= since), known.day >= origin
    zero = ibis.literal(0).cast(_SUM)
    found = known.group_by("customer_id").agg(
        first_day=known.day.min(),
        last_day=known.day.max(where=before),
        days=before.cast("int64").sum(),
        paid=counted.cast("int64").sum(),
        spent=ibis.ifelse(counted, known.value, zero).sum().cast(_SUM),
        last_orders=recent.cast("int64").sum(),
        last_value=ibis.ifelse(recent, known.value, zero).sum().cast(_SUM),
        next_orders=coming.cast("int64").sum(),
        next_value=ibis.ifelse(coming, known.value, zero).sum().cast(_SUM),
    )
    seen = ibis.literal(origin - timedelta(days=1))  # the last day that was observed
    return found.mutate(
        x=(found.days - 1).cast("int64"),
        t_x=found.last_day.delta(found.first_day, unit="day").cast("int64"),
        T=seen.delta(found.first_day, unit="day").cast("int64"),
        paid=found.paid.cast("int64"),
        last_orders=found.last_orders.cast("int64"),
        next_orders=found.next_orders.cast("int64"),
    ).drop("days")


def grouped(histories: ir.Table, *, windows: bool = True) -> Grouped:
    """The distinct histories with counts, grouped by the engine; with `windows` also by orders before and after.

    Without windows last and next are the sums over the customers of a row.
    """
    keys = [*KEYS, *(("last_orders", "next_orders") if windows else ())]
    spent = histories.spent.cast("float64")
    asked: dict[str, Any] = {
        "n": histories.count(),
        "spent": histories.spent.sum().cast(_SUM),
        # exact sums: no engine adds in an order of its own
        "squared": (spent * spent).round(2).cast("decimal(38, 2)").sum(),
    }
    if not windows:
        asked |= {"last_orders": histories.last_orders.sum(), "next_orders": histories.next_orders.sum()}
    table = histories.group_by(keys).agg(**asked).order_by(keys).to_pyarrow()
    columns = {name: _floats(table, name) for name in table.column_names}
    return Grouped(
        last=columns.pop("last_orders"),
        next=columns.pop("next_orders"),
        **{name: columns[name] for name in ("x", "t_x", "T", "paid", "n", "spent", "squared")},
    )


def spending(histories: ir.Table) -> dict[str, Floats]:
    """Distinct (x, paid, mean value) of customers with paid repeat orders, n each; for the spend model."""
    kept = histories.filter(histories.paid > 0)
    table = kept.group_by("x", "paid", "spent").agg(n=kept.count())
    found = table.order_by(["x", "paid", "spent"]).to_pyarrow()
    columns = {name: _floats(found, name) for name in ("x", "paid", "spent", "n")}
    return {
        "x": columns["x"],
        "paid": columns["paid"],
        "mean": columns["spent"] / columns["paid"] if columns["paid"].size else columns["spent"],
        "n": columns["n"],
    }


def gaps(orders: ir.Table, origin: date) -> ir.Table:
    """Days between order days before `origin` of customers who ordered again: customer_id, gap (median), long_gap.

    long_gap: own 90 % quantile (B14, rule L0).
    """
    import ibis

    known = orders.filter(orders.day < origin)
    each = ibis.window(group_by=known.customer_id, order_by=known.day)
    spans = known.select("customer_id", "day", _before=known.day.lag().over(each))
    spans = spans.filter(spans._before.notnull())
    spans = spans.mutate(_gap=spans.day.delta(spans._before, unit="day").cast("float64"))
    # Days have one place behind the point at most; engines interpolate with other rounding errors behind it.
    longest = spans._gap.quantile(0.9).round(6)
    return spans.group_by("customer_id").agg(gap=spans._gap.median(), long_gap=longest)


def scored(
    histories: ir.Table, keys: Grouped, scores: dict[str, Floats], extra: tuple[str, ...] = ()
) -> ir.Table:
    """The customers with the scores of their history: joined on the engine by the distinct histories.

    keys: as from `grouped(..., windows=False)`; scores: one array per column, one entry per history;
    extra: further integer key columns among `scores` (a horizon of its own, for example).
    """
    import ibis
    import pyarrow as pa

    names = (*KEYS, *extra)
    columns: dict[str, pa.Array] = {f"_{k}": pa.array(getattr(keys, k).astype("int64")) for k in KEYS}
    columns |= {f"_{k}": pa.array(scores[k].astype("int64")) for k in extra}
    columns |= {k: pa.array(v, from_pandas=True) for k, v in scores.items() if k not in extra}
    table = ibis.memtable(pa.table(columns))
    joined = histories.inner_join(table, [histories[k] == table[f"_{k}"] for k in names])
    return joined.drop(*(f"_{k}" for k in names))


def _floats(table: pa.Table, name: str) -> Floats:
    values = table[name].cast("float64").to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=float)
