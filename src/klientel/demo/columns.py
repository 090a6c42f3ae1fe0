"""NumPy arrays to Arrow columns: exact money from integers, days, texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]

NEVER = np.iinfo(np.int32).max
"""A day number that never comes: becomes NULL in a date column."""


def decimals(units: Ints, scale: int = 2, missing: Flags | None = None) -> pa.Array:
    """Integers of 10^-scale units as decimal(18, scale), exactly; `missing` rows become NULL."""
    import pyarrow as pa

    wide = np.empty((len(units), 2), dtype=np.int64)
    wide[:, 0] = units
    wide[:, 1] = np.where(units < 0, -1, 0)  # sign extension of the upper 64 bits
    exact = pa.Array.from_buffers(pa.decimal128(18, scale), len(units), [None, pa.py_buffer(wide)])
    return exact if missing is None else masked(exact, missing)


def masked(column: pa.Array, missing: Flags) -> pa.Array:
    """The column with NULL where `missing`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)


def dates(days: Ints) -> pa.Array:
    """Day numbers since 1970-01-01 as date32; NEVER and later become NULL."""
    import pyarrow as pa

    missing = days >= NEVER
    return pa.array(np.where(missing, 0, days).astype(np.int32), mask=missing).cast(pa.date32())


def texts(values: Texts, missing: Flags | None = None) -> pa.Array:
    """Texts as strings; `missing` rows become NULL."""
    import pyarrow as pa

    return pa.array(values.astype(object), type=pa.string(), mask=missing)


def picked(names: tuple[str, ...], index: Ints, missing: Flags | None = None) -> pa.Array:
    """names[index] as strings, without making a Python object per row."""
    import pyarrow as pa

    return pa.array(names, type=pa.string()).take(pa.array(index, mask=missing))


def numbered(prefix: str, numbers: Ints, width: int = 0) -> Texts:
    """Texts like "A00042" from numbers."""
    return np.array([f"{prefix}{n:0{width}d}" for n in numbers.tolist()], dtype=object)
