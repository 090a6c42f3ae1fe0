"""Compares what two engines say: money exactly, closed forms to 1e-9, fitted figures to 1e-6."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pyarrow as pa

FITTED = frozenset({"lifetime_value", "churn_risk", "renewals"})


def differences(one: Any, other: Any) -> list[str]:
    """Where two Results of the same analysis differ; nothing if they say the same."""
    near = 1e-6 if one.name in FITTED else 1e-9
    told = [
        f"figure {name}: {one.figures[name]!r} and {other.figures[name]!r}"
        for name in one.figures
        if not _same(one.figures[name], other.figures[name], near, exact=one.name not in FITTED)
    ]
    for name, table in one.tables.items():
        told += _rows(name, table.to_pyarrow(), other.tables[name].to_pyarrow(), near, one.name not in FITTED)
    if [str(x) for x in one.quality.reasons] != [str(x) for x in other.quality.reasons]:
        told.append(f"reasons: {one.quality.reasons} and {other.quality.reasons}")
    told += [
        f"{name}: {getattr(one.quality, name)} and {getattr(other.quality, name)}"
        for name in ("n", "excluded", "coverage", "flag")
        if not _same(getattr(one.quality, name), getattr(other.quality, name), near, exact=False)
    ]
    return told


def _rows(name: str, one: pa.Table, other: pa.Table, near: float, exact: bool) -> list[str]:
    if one.column_names != other.column_names or one.num_rows != other.num_rows:
        return [
            f"{name}: {one.num_rows} rows of {one.column_names}, {other.num_rows} of {other.column_names}"
        ]
    told = []
    for column in one.column_names:
        both = zip(one[column].to_pylist(), other[column].to_pylist(), strict=True)
        wrong = [(i, a, b) for i, (a, b) in enumerate(both) if not _same(a, b, near, exact=exact)]
        if wrong:
            told.append(f"{name}.{column}: {len(wrong)} of {one.num_rows} rows, first {wrong[0]}")
    return told


def _same(a: Any, b: Any, near: float, *, exact: bool) -> bool:
    if isinstance(a, Decimal) and isinstance(b, Decimal) and exact:
        return a == b
    numbers = isinstance(a, int | float | Decimal) and isinstance(b, int | float | Decimal)
    if numbers and not isinstance(a, bool) and not isinstance(b, bool):
        return math.isclose(a, b, rel_tol=near, abs_tol=near) or (a != a and b != b)
    return bool(a == b)
