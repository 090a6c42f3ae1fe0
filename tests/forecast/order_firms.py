"""Invented firms whose customers order and leave by a known process, for tests of forecasts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

import klientel

START, AS_OF = date(2021, 1, 1), date(2024, 1, 1)
_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("customer_id", pa.string()),
        ("order_date", pa.date32()),
        ("net_amount", pa.decimal128(18, 4)),
        ("direct_cost", pa.decimal128(18, 4)),
    ]
)


@cache
def rows(customers: int = 260, seed: int = 5, leaving: float = 0.06) -> tuple[dict[str, Any], ...]:
    """Orders of customers who come in the first year, order at random and leave after an order by chance."""
    chance = np.random.default_rng(seed)
    found = []
    for c in range(customers):
        rate = chance.gamma(1.4, 1 / 60)  # orders per day
        leave = chance.beta(1.0, 1 / leaving)
        worth = float(np.exp(chance.normal(6, 0.5)))
        day = float(chance.integers(0, 365))
        number = 0
        while day < (AS_OF - START).days:
            amount = D(str(round(worth * float(chance.gamma(4, 0.25)) + 1, 2)))
            found.append(
                {
                    "order_id": f"{c}-{number}",
                    "customer_id": f"C{c:04d}",
                    "order_date": START + timedelta(days=int(day)),
                    "net_amount": amount,
                    "direct_cost": (amount * D("0.7")).quantize(D("0.01")),
                }
            )
            number += 1
            if chance.random() < leave:
                break
            day += float(chance.exponential(1 / rate)) + 1
    return tuple(found)


def book(given: Any = None, as_of: date = AS_OF, *, costs: bool = False) -> Any:
    """The orders as a Book, without costs unless asked for."""
    kept = [dict(r) for r in (rows() if given is None else given)]
    names = [n for n in _SCHEMA.names if costs or n != "direct_cost"]
    table = pa.Table.from_pylist(kept, _SCHEMA).select(names)
    return klientel.open_book({"order_line": table}, as_of=as_of)
