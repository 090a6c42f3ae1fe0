"""What the footers of Parquet files tell of a column, so that it need not be read to be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Footer:
    """Of one column in all row groups of all files. nulls: how many; low, high: extremes; None: not told."""

    nulls: int | None
    low: Any
    high: Any


def footers(source: Any) -> dict[str, Footer]:
    """Column -> what is told of it; nothing for sources that are not paths of Parquet files."""
    if not isinstance(source, list):
        return {}
    import pyarrow.parquet as pq

    seen: dict[str, list[Any]] = {}
    for path in source:
        metadata = pq.read_metadata(Path(path))
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            for i in range(metadata.num_columns):
                column = row_group.column(i)
                seen.setdefault(column.path_in_schema, []).append(column.statistics)
    return {name: _together(told) for name, told in seen.items()}


def _together(told: Sequence[Any]) -> Footer:
    nulls = low = high = None
    if all(s is not None and s.has_null_count for s in told):
        nulls = sum(s.null_count for s in told)
    if all(s is not None and s.has_min_max for s in told):
        low, high = min(s.min for s in told), max(s.max for s in told)
    return Footer(nulls, low, high)
