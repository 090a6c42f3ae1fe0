"""Do order values rise? The yearly growth of what the same customer pays for an order, where it is certain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from klientel.order_histories import Floats

if TYPE_CHECKING:
    import ibis.expr.types as ir

SHORTEST = 547  # days of history without which a season looks like growth
LONGEST = 364  # days ahead for which growth goes on: hold-outs test no longer ones
_CERTAIN, _MOST = 2.0, 0.20  # standard errors that count as certain; yearly growth taken over at most
_YEAR = 365.25


@dataclass(frozen=True)
class Growth:
    """Yearly growth of order values (a logarithm), its standard error, both 0 where nothing is known."""

    yearly: float = 0.0
    error: float = 0.0

    @property
    def certain(self) -> bool:
        """True if the growth is further from zero than two standard errors."""
        return abs(self.yearly) > _CERTAIN * self.error > 0

    def lift(self, behind: float, ahead: float) -> float:
        """Level of order values in the middle of the next `ahead` days over that of the last `behind` days.

        Beyond 364 days growth is not carried on: no hold-out has tried it. 1 where it is not certain.
        """
        if not self.certain:
            return 1.0
        years = (behind + min(ahead, LONGEST)) / 2 / _YEAR
        return float(np.exp(np.clip(self.yearly, -_MOST, _MOST) * years))


def growth(orders: ir.Table, first_day: date | None, origin: date) -> Growth:
    """Growth of what an order is worth, before `origin`: slope of ln(value) over years within customers.

    Customers are weighted with their mean order value, because sums of money need the growth of money; the
    standard error is clustered by customer, so that one large customer alone makes nothing certain. Histories
    of less than a year and a half give none.
    """
    import ibis

    if first_day is None or (origin - first_day).days < SHORTEST:
        return Growth()
    known = orders.filter((orders.day < origin) & (orders.value > 0))
    years = known.day.delta(ibis.literal(first_day), unit="day").cast("float64") / _YEAR
    known = known.select("customer_id", t=years, value=known.value.cast("float64"))
    known = known.mutate(l=known.value.ln())
    each = known.group_by("customer_id").agg(
        n=known.count().cast("float64"), value=known.value.sum(), t=known.t.sum(), l=known.l.sum(),
        tt=(known.t * known.t).sum(), tl=(known.t * known.l).sum(),
    )  # fmt: skip
    sums = each.filter(each.n > 1).order_by("customer_id").drop("customer_id").to_pyarrow()
    c = {name: np.asarray(sums[name].to_numpy(), dtype=float) for name in sums.column_names}
    return _slope(c["n"], c["value"], c["t"], c["l"], c["tt"], c["tl"])


def _slope(n: Floats, value: Floats, t: Floats, log: Floats, tt: Floats, tl: Floats) -> Growth:
    w = value / np.maximum(n, 1)
    spread, along = w * (tt - t * t / n), w * (tl - t * log / n)
    whole = float(spread.sum())
    if n.size < 2 or not whole > 0:
        return Growth()
    slope = float(along.sum()) / whole
    error = float(np.sqrt(((along - slope * spread) ** 2).sum())) / whole
    return Growth(slope, error)
