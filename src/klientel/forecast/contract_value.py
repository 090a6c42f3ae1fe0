"""What running contracts are still expected to bring: payments until each renewal, renewed by chance (B11c)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from klientel.errors import NotEnoughData
from klientel.forecast import terms
from klientel.forecast.renewal_rates import Rates, chosen
from klientel.forecast.value import LEVELS, YEAR
from klientel.order_histories import Floats
from klientel.periods import add_months
from klientel.quality import Flag
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TERMS = 400  # followed one by one; beyond them the last rate goes on
_OPEN = 365  # days after which a contract without an end counts as up for renewal
_KEYS = ("type", "number", "length", "left_days", "leaves")
_SUM = "decimal(38, 4)"
_EACH = ("year", "within", "low", "middle", "high", "ever", "noise")


@dataclass(frozen=True)
class Contracts:
    """Running contracts: one row per customer, and what is known about renewals (None: too little).

    customers: customer_id, annual_value, value_next_12m (not discounted), lifetime_value (within the horizon),
    low, median, high, lifetime_value_infinite, noise (variance of the value within the horizon).
    uncertain: standard deviation of the sum from not knowing the renewal rates.
    """

    customers: ir.Table
    rates: Rates | None
    uncertain: float
    open_ended: int

    @property
    def reasons(self) -> tuple[tuple[Flag, str], ...]:
        """What a reader must know of how contracts are valued."""
        told: list[tuple[Flag, str]] = []
        if self.rates is None:
            few = say("Too few renewals have been decided: contracts are valued until their end only.")
            told.append(("amber", few))
        if self.open_ended:
            n = self.open_ended
            told.append(
                ("green", say("{n} running contracts have no end: they count as renewed every year.", n=n))
            )
        return tuple(told)


def valued(contracts: ir.Table, as_of: date, days: float, discount: float) -> Contracts:
    """Values of the contracts that run at `as_of`, for a horizon in days and a yearly discount rate.

    A contract pays evenly until its end; at each end it is renewed for a term of the same length with the
    probability of `renewals` (one rate, rate by type, sBG or BdW, chosen on held-out time). Notice given, or
    too few decided renewals for a rate: until the end only. Contracts without an end count as renewed yearly.
    Several contracts of a customer are taken to go together: limits add up, which makes intervals wide.
    """
    table, rates = running(contracts, as_of)
    return worth(table, rates, days, discount)


def running(contracts: ir.Table, as_of: date) -> tuple[ir.Table, Rates | None]:
    """The contracts that run at `as_of` (one row each, with what `worth` reads), and what is known of renewals."""
    seen = terms.known(terms.complete(contracts), as_of)
    origin = add_months(as_of, -12)
    try:
        rates: Rates | None = chosen(terms.counts(terms.decided(seen, as_of), origin), origin)
    except NotEnoughData:
        rates = None
    return _running(seen, as_of, rates is None), rates


def worth(
    found: ir.Table, rates: Rates | None, days: float, discount: float, length: float | None = None
) -> Contracts:
    """Values of running contracts (as from `running`) with these rates; length: of every term in days."""
    # grouped, not made distinct: columns that are one constant would be mixed up on PostgreSQL
    keys = found.group_by(list(_KEYS)).agg(_n=found.count()).order_by(list(_KEYS)).to_pyarrow()
    cases = {k: keys[k].to_pylist() for k in _KEYS}
    terms_ = cases if length is None else cases | {"length": [length] * keys.num_rows}
    units, ends = _units(terms_, rates, days, discount)
    table = _joined(found, cases, units | {"_up0": ends[0], "_up1": ends[1]})
    each = table.group_by("customer_id").agg(
        annual_value=table.annual_value.sum().cast(_SUM),
        **{
            name: _money(table[name] * table.annual_value.cast("float64")).sum().cast(_SUM)
            for name in _EACH[:-1]
        },
        noise=(table.noise * table.annual_value.cast("float64") ** 2).round(2).cast("decimal(38, 2)").sum(),
    )
    sums = table.agg(
        **{f"s{i}": (table.annual_value.cast("float64") * table[f"_up{i}"]).round(6).cast("decimal(38, 6)").sum()
           for i in (0, 1)}, open=table.open_.cast("int64").sum(),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    low, high = (float(sums[f"s{i}"] or 0) for i in (0, 1))
    named = each.rename(
        value_next_12m="year", lifetime_value="within", median="middle", lifetime_value_infinite="ever"
    )
    return Contracts(named, rates, abs(high - low) / (2 * 1.959964), int(sums["open"] or 0))


def _running(seen: ir.Table, as_of: date, ends_only: bool) -> ir.Table:
    import ibis

    found = terms.running(seen, as_of)
    if ends_only:
        found = found.filter(found.end_day.notnull())
    # a term that has its follow-up already pays until its own end and no further
    day = ibis.literal(as_of)
    length = found.end_day.delta(found.start, unit="day")
    left = found.end_day.delta(day, unit="day")
    age = day.delta(found.start, unit="day")
    open_ = found.end_day.isnull()
    return found.select(
        "customer_id",
        "annual_value",
        open_=open_,
        type=found.type.fill_null(""),
        number=open_.ifelse(found.number + age // _OPEN, found.number).cast("int64"),
        length=open_.ifelse(_OPEN, ibis.greatest(length, 28)).cast("int64"),
        left_days=open_.ifelse(_OPEN - age % _OPEN, ibis.greatest(left, 0)).cast("int64"),
        leaves=(found.leaves | found.renewed).cast("int64"),
    )


def _units(
    cases: dict[str, list[Any]], rates: Rates | None, days: float, discount: float
) -> tuple[dict[str, Floats], tuple[Floats, Floats]]:
    """Values per unit of yearly value of each distinct case; and the value within the horizon at both ends of p."""
    size = len(cases["number"])
    number = np.array(cases["number"], dtype=float)
    keep = np.array([rates is not None and not leaves for leaves in cases["leaves"]], dtype=float)
    steps: Floats = np.arange(float(_TERMS))[None, :]
    numbers: Floats = number[:, None] + steps
    if rates is None or not size:
        p = low = high = np.zeros((size, _TERMS))
    else:
        kinds = [t for t in cases["type"] for _ in range(_TERMS)]
        p, low, high = (
            a.reshape(size, _TERMS) for a in rates.of(kinds, np.asarray(numbers.ravel(), dtype=float))
        )
    if rates is not None and size:  # 95 % limits at least as far as the share lost was off beyond chance
        off = min(rates.missed**1.959964, 100.0)
        low, high = np.minimum(low, np.maximum(1 - (1 - p) * off, 0)), np.maximum(high, 1 - (1 - p) / off)
    length: Floats = np.array(cases["length"], dtype=float)
    left: Floats = np.array(cases["left_days"], dtype=float)
    delta = float(np.log1p(discount)) / YEAR
    ends: Floats = left[:, None] + length[:, None] * steps
    begins: Floats = np.concatenate([np.zeros((size, 1)), ends[:, :-1]], axis=1)
    p = p * keep[:, None]
    alive, gone = _chances(p)
    within = _paid(begins, ends, days, delta)
    total = np.cumsum(within, axis=1)
    mean = (alive * within).sum(axis=1)
    below = np.cumsum(gone, axis=1)
    quantiles = [
        np.take_along_axis(
            total, np.minimum((below < level - 1e-12).sum(axis=1), _TERMS - 1)[:, None], axis=1
        )[:, 0]
        for level in LEVELS
    ]
    forever = _paid(begins, ends, np.inf, delta)
    tail = alive[:, -1] * forever[:, -1] * p[:, -1] / np.maximum(np.exp(delta * length) - p[:, -1], 1e-9)
    found = {
        "year": (alive * _paid(begins, ends, YEAR, 0.0)).sum(axis=1),
        "within": mean,
        "low": quantiles[0],
        "middle": quantiles[1],
        "high": quantiles[2],
        "ever": (alive * forever).sum(axis=1) + tail,
        "noise": np.maximum((gone * total**2).sum(axis=1) - mean**2, 0.0),
    }
    ends_of_p = [(_chances(q * keep[:, None])[0] * within).sum(axis=1) for q in (low, high)]
    return found, (ends_of_p[0], ends_of_p[1])


def _chances(p: Floats) -> tuple[Floats, Floats]:
    """Chance to reach each term (the running one is certain), and to end after it; the last takes what is left."""
    alive = np.concatenate([np.ones((p.shape[0], 1)), np.cumprod(p, axis=1)[:, :-1]], axis=1)
    gone = alive * (1 - p)
    gone[:, -1:] = alive[:, -1:]
    return alive, gone


def _paid(begins: Floats, ends: Floats, days: float, delta: float) -> Floats:
    """Present value of one unit a year paid evenly from begins to ends, cut at the horizon; times in days."""
    start, stop = np.minimum(begins, days), np.minimum(ends, days)
    if delta == 0:
        return np.asarray((stop - start) / YEAR)
    return np.asarray((np.exp(-delta * start) - np.exp(-delta * stop)) / (delta * YEAR))


def _joined(running: ir.Table, cases: dict[str, list[Any]], found: dict[str, Floats]) -> ir.Table:
    import ibis
    import pyarrow as pa

    kinds = {"type": pa.string()}
    columns = {f"_{k}": pa.array(cases[k], kinds.get(k, pa.int64())) for k in _KEYS}
    columns |= {k: pa.array(v, pa.float64()) for k, v in found.items()}
    table = ibis.memtable(pa.table(columns))
    joined = running.inner_join(table, [running[k] == table[f"_{k}"] for k in _KEYS])
    return joined.drop(*(f"_{k}" for k in _KEYS))


def _money(amount: Any) -> Any:
    return amount.round(4).cast(_SUM)
