"""Sources that are too wide to be looked at whole, or damaged in a place that nobody has read yet."""

from __future__ import annotations

from dataclasses import replace

from klientel.errors import BadFile
from klientel.ingest.raw import RawTable
from klientel.words import say

WIDEST = 500  # columns that are profiled; wider files are exports of features, not of sales


def damaged(raws: list[RawTable]) -> BadFile | None:
    """What to say if a Parquet file among the sources is the reason why the engine stopped."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for raw in raws:
        paths = raw.source if isinstance(raw.source, list) and not raw.has_line else []
        for i, path in enumerate(paths):
            try:
                for _ in pq.ParquetFile(path).iter_batches():
                    pass
            except (pa.ArrowException, OSError, ValueError):
                file = raw.parts[i] if i < len(raw.parts) else raw.file
                return BadFile(
                    say("{file} is damaged: parts of it cannot be read. Export or copy it again.", file=file)
                )
    return None


def narrowed(raw: RawTable) -> RawTable:
    """The raw table with its first columns, if it has more than anybody names by hand."""
    if len(raw.columns) <= WIDEST:
        return raw
    note = say("Only the first {most} of {n} columns are looked at.", most=WIDEST, n=len(raw.columns))
    return replace(raw, columns=raw.columns[:WIDEST], notes=[*raw.notes, note])
