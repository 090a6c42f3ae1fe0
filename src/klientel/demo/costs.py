"""Cost pools: what each department costs a month, and the minutes it can work in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import dates, decimals, numbered, picked, texts
from klientel.demo.contracts import month_of, month_start
from klientel.demo.days import Span

if TYPE_CHECKING:
    import pyarrow as pa

# department, EUR a month and customer in the first year, driver, people per 1,000 customers
POOLS = (
    ("Order processing", 21.0, "orders", 5.0),
    ("Field sales", 62.0, "sales minutes", 8.0),
    ("Customer service", 14.0, "interactions", 3.5),
    ("Logistics", 33.0, "order lines", 9.0),
    ("Marketing", 11.0, "leads", 2.0),
    ("Administration", 18.0, "customers", 4.0),
)
_MINUTES = 7_800  # a month and person, of which 85 % can be worked


def draw_costs(rng: np.random.Generator, customers: int, span: Span) -> pa.Table:
    """One row per department and whole month: wages rise 3.5 % every January, and nothing is quite even."""
    import pyarrow as pa

    first, last = (int(month_of(np.full(1, d))[0]) for d in (span.start - 1, span.end))
    first += 1
    month = np.repeat(np.arange(first, last), len(POOLS))
    pool = np.tile(np.arange(len(POOLS)), last - first)
    rise = 1.035 ** (month // 12 - first // 12)
    level = np.array([p[1] for p in POOLS])[pool] * customers
    amount = np.round(level * rise * rng.normal(1, 0.03, len(pool)) * 100).astype(np.int64)
    staff = np.maximum(np.array([p[3] for p in POOLS])[pool] * customers / 1_000, 0.5)
    return pa.table(
        {
            "pool_id": texts(numbered("KS", (pool + 1) * 100, 4)),
            "department": picked(tuple(p[0] for p in POOLS), pool),
            "period": dates(month_start(month)),
            "amount": decimals(amount),
            "currency": pa.repeat(pa.scalar("EUR"), len(pool)),
            "driver": picked(tuple(p[2] for p in POOLS), pool),
            "practical_capacity_min": pa.array(np.round(staff * _MINUTES * 0.85).astype(np.int64)),
        }
    )
