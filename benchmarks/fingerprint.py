"""What every engine must find alike: classes, values to the cent, scores and the cells of the matrix."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def fingerprint(tables: dict[str, Any]) -> dict[str, Any]:
    """Counts and hashes of the tables abc, rfm and cohorts, whatever the engine calls its columns."""
    if not tables:
        return {}
    abc, rfm, cohorts = tables["abc"], tables["rfm"], tables["cohorts"]
    grades = _text(abc["grade"])
    value = _cents(abc["value"])
    cells = _cells(cohorts)
    return {
        "grades": {g: int((grades == g).sum()) for g in "ABC"},
        "classes": _hash(
            _ids(abc), value, np.array([ord(g) for g in "ABC"])[np.searchsorted(["A", "B", "C"], grades)]
        ),
        "scores": _hash(
            _ids(rfm),
            _whole(_first(rfm, "recency", "recency_days")),
            _whole(rfm["frequency"]),
            _cents(rfm["monetary"]),
            *(_whole(rfm[c]) for c in "rfm"),
        ),
        "customers": [abc.num_rows, rfm.num_rows],
        "value": [int(value.sum()), int(_cents(rfm["monetary"]).sum())],
        "cells": [len(cells), int(cells[:, 2].sum())],
        "matrix": hashlib.sha256(np.ascontiguousarray(cells).tobytes()).hexdigest(),
    }


def _hash(ids: Any, *columns: Any) -> str:
    """The rows in the order of the customers' numbers."""
    order = np.argsort(ids, kind="stable")
    digest = hashlib.sha256()
    for column in (ids, *columns):
        digest.update(np.ascontiguousarray(column[order].astype(np.int64)).tobytes())
    return digest.hexdigest()


def _cells(cohorts: Any) -> Any:
    """Rows (cohort counted from the first, age, active), empty cells left out."""
    import pyarrow as pa

    cohort = cohorts["cohort"]
    if pa.types.is_date(cohort.type):
        cohort = cohort.cast(pa.date32()).to_numpy().astype("M8[M]").astype(np.int64)
    else:
        cohort = _whole(cohort)
    cells = np.stack([cohort - cohort.min(), _whole(cohorts["age"]), _whole(cohorts["active"])], axis=1)
    cells = cells[cells[:, 2] > 0]
    return cells[np.lexsort((cells[:, 1], cells[:, 0]))]


def _first(table: Any, *names: str) -> Any:
    return next(table[n] for n in names if n in table.column_names)


def _ids(table: Any) -> Any:
    return _whole(_first(table, "customer", "customer_id"))


def _whole(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(pa.int64()).to_numpy()


def _cents(column: Any) -> Any:
    """Decimals with two or four places, or cents as whole numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_decimal(column.type):
        cents = pc.multiply(column.cast(pa.decimal128(30, 4)), pa.scalar(100, pa.decimal128(3, 0)))
        return cents.cast(pa.decimal128(38, 0)).cast(pa.int64()).to_numpy()  # fails if a cent is split
    return _whole(column)


def _text(column: Any) -> Any:
    return np.asarray(column.to_pylist()).astype("U1")
