"""Who is watched at an origin: history, rhythm, horizon and rule of each active customer, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.forecast.past import Past
from klientel.order_histories import Floats, Grouped, at_origin, gaps
from klientel.status import activity

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHORTEST, LONGEST = 90, 365  # days of the horizon (B14)
_NO_GAP = 180.0  # usual gap where nobody in the portfolio has ordered twice
HALF = 182  # days over which partial churn and lost product groups are looked for (B14 iii)
_RECENT, _LEAST = 3, 6  # orders that make the recent value, and orders needed to compare
_KEYS = ("x", "t_x", "T", "paid", "horizon", "late", "silent")


@dataclass(frozen=True)
class Cases:
    """Distinct histories with horizon, rule and outcome (0 or 1; silent only where it is known), n each."""

    rows: Grouped
    horizon: Floats
    late: Floats
    silent: Floats

    @property
    def n(self) -> Floats:
        """Customers behind each row."""
        return self.rows.n


def watched(purchases: ir.Table, past: Past, origin: date, horizon: int = 0) -> ir.Table:
    """One row per customer who ordered before `origin`, with its rhythm.

    Columns of `at_origin` and gap, long_gap (own, else the portfolio's middle one), horizon
    (max(90, 2 x gap) capped at 365 days, or the given one), recency, late (recency > 2 x long_gap,
    rule L0), active (within the activity window, G2), order_value_change, half_year_change.
    """
    import ibis

    orders = past.orders
    year = timedelta(days=365)
    found = at_origin(orders, origin, origin - year, origin + year)
    pace = activity(purchases, origin).select(_a="customer_id", own_gap="gap", window_days="window_days")
    found = found.left_join(pace, found.customer_id == pace._a).drop("_a")
    own = gaps(orders, origin).select(_g="customer_id", some_gap="gap", own_long="long_gap")
    found = found.left_join(own, found.customer_id == own._g).drop("_g")
    sizes = _order_values(orders, origin)
    found = found.left_join(sizes, found.customer_id == sizes._s).drop("_s")
    halves = _half_years(orders, origin)
    found = found.left_join(halves, found.customer_id == halves._h).drop("_h")
    middle = own.agg(_middle=own.some_gap.median(), _middle_long=own.own_long.median())
    found = found.cross_join(middle)
    gap = ibis.coalesce(found.own_gap, found.some_gap, found._middle, ibis.literal(_NO_GAP))
    long_gap = ibis.coalesce(found.own_long, found._middle_long, ibis.literal(_NO_GAP))
    recency = ibis.literal(origin).delta(found.last_day, unit="day").cast("int64")
    days = ibis.literal(horizon) if horizon else (2 * gap).clip(lower=SHORTEST, upper=LONGEST).round()
    found = found.mutate(gap=gap, long_gap=long_gap, recency=recency, horizon=days.cast("int64"))
    found = found.mutate(
        late=found.recency > 2 * found.long_gap, active=found.recency.cast("float64") <= found.window_days
    )
    return found.drop("_middle", "_middle_long", "own_gap", "own_long", "some_gap", "window_days")


def cases(purchases: ir.Table, past: Past, origin: date, ahead: int, horizon: int = 0) -> Cases:
    """The active customers of an origin with what came: silent if no order within the own horizon.

    Horizons longer than the `ahead` days held out are cut to them.
    """
    import ibis

    found = watched(purchases, past, origin, horizon)
    found = found.filter(found.active.fill_null(False))
    orders = past.orders
    coming = orders.filter(orders.day >= origin)
    then = coming.group_by("customer_id").agg(next_day=coming.day.min())
    then = then.select(_n="customer_id", next_day="next_day")
    found = found.left_join(then, found.customer_id == then._n).drop("_n")
    found = found.mutate(horizon=ibis.least(found.horizon, ahead))
    waited = found.next_day.delta(ibis.literal(origin), unit="day").cast("int64")
    found = found.mutate(silent=(waited >= found.horizon).fill_null(True).cast("int64"))
    return distinct(found)


def distinct(found: ir.Table) -> Cases:
    """Distinct (history, horizon, rule, outcome) of watched customers with counts, in one fixed order."""
    import ibis

    kept = found if "silent" in found.columns else found.mutate(silent=ibis.literal(0))
    kept = kept.mutate(late=kept.late.cast("int64"))
    table = kept.group_by(list(_KEYS)).agg(n=kept.count()).order_by(list(_KEYS)).to_pyarrow()
    c = {k: np.asarray(table[k].cast("float64").to_numpy(), dtype=float) for k in table.column_names}
    nothing = np.zeros(c["n"].size)
    rows = Grouped(c["x"], c["t_x"], c["T"], c["paid"], c["n"], nothing, nothing, nothing, nothing)
    return Cases(rows, c["horizon"], c["late"], c["silent"])


def rates(found: Cases) -> tuple[float, float]:
    """Share silent among those in time and among the late ones; the common share where a group is empty."""
    both = float(found.n @ found.silent / found.n.sum())
    told = []
    for group in (0.0, 1.0):
        n = found.n * (found.late == group)
        told.append(float(n @ found.silent / n.sum()) if n.sum() else both)
    return told[0], told[1]


def _order_values(orders: ir.Table, origin: date) -> Any:
    """Mean value of the last three orders against those before, from six orders on."""
    import ibis

    known = orders.filter(orders.day < origin)
    each = ibis.window(group_by=known.customer_id, order_by=known.day.desc())
    ranked = known.mutate(_back=ibis.row_number().over(each), _value=known.value.cast("float64"))
    means = ranked.group_by("customer_id").agg(
        _count=ranked.count(),
        _now=ranked.value.sum(where=ranked._back < _RECENT).cast("float64") / _RECENT,
        _all=ranked.value.sum().cast("float64"),
    )
    before = (means._all - means._now * _RECENT) / (means._count - _RECENT).nullif(0)
    change = (means._now / before.nullif(0.0) - 1).round(9)
    return means.select(
        _s=means.customer_id,
        order_value_change=((means._count >= _LEAST) & (before > 0)).ifelse(change, ibis.null("float64")),
    )


def _half_years(orders: ir.Table, origin: date) -> Any:
    """Value of the last half year against the same half year before: the season cancels (B14 iii)."""
    import ibis

    half, year = timedelta(days=HALF), timedelta(days=365)
    known = orders.filter(orders.day < origin)
    zero = ibis.literal(0).cast("decimal(38, 4)")

    def brought(end: date) -> Any:
        inside = (known.day >= end - half) & (known.day < end)
        return ibis.ifelse(inside, known.value, zero).sum().cast("float64")

    sums = known.group_by("customer_id").agg(_now=brought(origin), _then=brought(origin - year))
    sums = sums.cross_join(
        known.agg(_begin=known.day.min())
    )  # a half year that is not all in the data says nothing
    change = (sums._now / sums._then.nullif(0.0) - 1).round(9)
    return sums.select(
        _h=sums.customer_id,
        half_year_change=((sums._then > 0) & (sums._begin <= origin - year - half)).ifelse(
            change, ibis.null("float64")
        ),
    )
