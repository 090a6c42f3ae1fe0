"""Growth of order values within customers, and where it is not carried on."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D

import ibis
import numpy as np
import pyarrow as pa
import pytest

from klientel.forecast.growth import LONGEST, Growth, growth

START, ORIGIN = date(2021, 1, 1), date(2024, 1, 1)


def orders(yearly: float, customers: int = 60, noise: float = 0.3) -> ibis.Table:
    """Monthly orders; customers who come later are larger, which must not look like growth."""
    rng = np.random.default_rng(8)
    rows = []
    for c in range(customers):
        base, since = 100 * (1 + c), int(c * 10)
        for day in range(since, 1200, 30):
            value = base * np.exp(yearly * day / 365.25 + noise * rng.standard_normal())
            rows.append((f"C{c}", START + timedelta(days=day), D(str(round(value, 4)))))
    names = ("customer_id", "day", "value")
    columns = {n: [r[i] for r in rows] for i, n in enumerate(names)}
    types = (pa.string(), pa.date32(), pa.decimal128(38, 4))
    return ibis.memtable(pa.table({n: pa.array(columns[n], t) for n, t in zip(names, types, strict=True)}))


def test_the_growth_of_the_same_customers_is_found():
    found = growth(orders(0.06), START, ORIGIN)
    assert found.certain
    assert found.yearly == pytest.approx(0.06, abs=3 * found.error)
    # from the middle of the last year to the middle of the next is a year; no further however far ahead
    assert found.lift(364, 364) == pytest.approx(np.exp(found.yearly * 364 / 365.25))
    assert found.lift(364, 3650) == found.lift(364, LONGEST)


def test_nothing_is_carried_on_where_nothing_grows_or_the_history_is_short():
    assert growth(orders(0.0), START, ORIGIN).lift(364, 364) == pytest.approx(1, abs=0.03)
    assert growth(orders(0.06), START, START + timedelta(days=500)) == Growth()
    assert growth(orders(0.06), None, ORIGIN) == Growth()
    assert Growth(0.05, 0.03).lift(364, 364) == 1.0
    assert Growth(1.0, 0.01).lift(364, 364) == pytest.approx(np.exp(0.2 * 364 / 365.25))


def test_rows_from_the_origin_on_are_not_seen():
    table = orders(0.06)
    kept = table.filter(table.day < ORIGIN)
    assert growth(table, START, ORIGIN) == growth(kept, START, ORIGIN)
