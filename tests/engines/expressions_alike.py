"""Expressions whose meaning differs between engines, asked on one of them and on the embedded one."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa


def numbers() -> pa.Table:
    """Floats near ties, whole numbers, decimals and days, with NULLs between."""
    chance = random.Random(4)
    rows = []
    for i in range(4000):
        cents = chance.randrange(-(10**8), 10**8)
        by = chance.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 36, 40, 80])
        rows.append(
            {
                "i": i,
                "x": None if i % 41 == 0 else cents / 100 / by,
                "a": cents,
                "b": by,
                "half": i / 2 - 400,
                "day": date(2020, 1, 1) + timedelta(days=chance.randrange(2000)),
                "flag": None if i % 17 == 0 else i % 3 == 0,
                "text": chance.choice(["ä", "Z", "a", "ß", "A", "z", "É", "_", "1", None]),
                "group": i % 7,
            }
        )
    table = pa.Table.from_pylist(rows)
    cents = [None if r["i"] % 23 == 0 else Decimal(r["a"]) / 100 for r in rows]
    return table.append_column("money", pa.array(cents, pa.decimal128(18, 4)))


def row_expressions(t: Any) -> dict[str, Any]:
    """Name -> expression of one row."""
    import ibis

    return {
        "as_money": t.x.cast("decimal(18, 4)"),
        "as_wide": t.x.cast("decimal(38, 2)"),
        "rounded": t.x.round(2),
        "rounded_nine": (t.x / 1e6).round(9),
        "rounded_money": t.money.round(2),
        "whole_of_half": t.half.cast("int64"),
        "whole_of_money": t.money.cast("int64"),
        "quotient": t.a / t.b,
        "quotient_of_money": (t.money / t.b).cast("decimal(18, 4)"),
        "share": t.money.cast("float64") / t.b.cast("float64").nullif(0.0),
        "floor": t.a // t.b,
        "rest": t.b % 7,
        "shifted": ibis.literal(1, "int64") << (t.i % 60),
        "bit": ((t.a.abs() >> (t.i % 20)) & 1) == 1,
        "days": t.day.delta(ibis.literal(date(2020, 2, 29)), unit="day").cast("int64"),
        "month": (t.day.year() - 2020) * 12 + t.day.month(),
        "truncated": t.day.truncate("M").cast("date"),
        "flag_number": t.flag.cast("int64"),
        "product": (t.money * t.b).cast("decimal(38, 4)"),
        "least": ibis.least(t.b, 6),
        "literal": t.b * 0.5,
    }


def wrong(engine: Any) -> list[str]:
    """What the engine says otherwise than the embedded one."""
    from klientel.engine import connect

    table = numbers()
    both = [connect(None), engine]
    told: list[str] = []
    views = [e.view(table, "numbers") for e in both]
    rows = [v.select("i", **row_expressions(v)).order_by("i").to_pyarrow() for v in views]
    for name in rows[0].column_names:
        pairs = zip(rows[0][name].to_pylist(), rows[1][name].to_pylist(), strict=True)
        differing = [(i, a, b) for i, (a, b) in enumerate(pairs) if not _same(a, b)]
        if differing:
            told.append(f"{name}: {len(differing)} rows, first {differing[0]}")
    groups = [_grouped(v) for v in views]
    for a, b in zip(*(g.to_pylist() for g in groups), strict=True):
        told += [f"{n} of {a['group']}: {a[n]} and {b[n]}" for n in a if not _same(a[n], b[n])]
    orders = [
        v.order_by([v.text.desc(), v.i]).select("i", "text").to_pyarrow()["i"].to_pylist() for v in views
    ]
    if orders[0] != orders[1]:
        told.append("order of texts and NULLs")
    return told


def _grouped(t: Any) -> pa.Table:
    found = t.group_by("group").agg(
        rows=t.count(),
        some=t.count(where=t.flag),
        kinds=t.text.nunique(),
        total=t.money.sum().cast("decimal(38, 4)"),
        mean=t.money.mean(),
        mean_of_whole=t.b.mean(),
        middle=t.x.median(),
        upper=t.x.quantile(0.9),
        bits=(t.b.cast("int64")).bit_or(where=t.flag),
        first=t.day.min(where=t.flag),
        last_text=t.text.max(),
        any_flag=t.flag.any(),
        flags=t.flag.sum(),
        spread=t.x.std(),
    )
    return found.order_by("group").to_pyarrow()


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return bool(a == b)
