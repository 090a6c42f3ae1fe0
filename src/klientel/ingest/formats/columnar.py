"""Reads Parquet and Arrow files: typed tables, of which only the description is read here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from klientel.errors import BadFile
from klientel.ingest.formats.staging import Reading
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path, file: str, name: str, reading: Reading) -> RawTable:
    """Describe a Parquet file from its metadata; the data stay where they are. Raises BadFile if damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadFile(_damaged(file)) from error
    return described(schema, metadata.num_rows, [path], file, name, reading)


def read_arrow(path: Path, file: str, name: str, reading: Reading) -> RawTable:
    """Stage an Arrow IPC or Feather file (file or stream format) as Parquet, batch by batch."""
    import pyarrow as pa
    from pyarrow import ipc

    target = reading.new_path()
    try:
        with path.open("rb") as stream:
            head = stream.read(6)
        with pa.memory_map(str(path)) as source:
            if head == b"ARROW1":
                reader = ipc.open_file(source)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            else:
                reader = ipc.open_stream(source)
                batches = iter(reader)
            rows = stage_batches(reader.schema, batches, target)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        target.unlink(missing_ok=True)
        raise BadFile(_damaged(file)) from error
    return described(reader.schema, rows, [target], file, name, reading)


def stage_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch], target: Path) -> int:
    """Write record batches to Parquet after checking them; the number of rows."""
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(target, schema, compression="lz4") as writer:
        for batch in batches:
            batch.validate(full=True)
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def described(
    schema: pa.Schema, rows: int, source: object, file: str, name: str, reading: Reading
) -> RawTable:
    """A typed raw table; columns without name and with nested types are told in notes."""
    if not len(schema):
        raise BadFile(say("{file} has no columns.", file=file))
    if len(schema) > reading.limits.columns:
        raise BadFile(
            say(
                "{file} has {n} columns, more than the {most} that can be read: "
                "keep only the columns that matter.",
                file=file,
                n=len(schema),
                most=reading.limits.columns,
            )
        )
    notes: list[Sentence] = []
    nested = [f.name for f in schema if f.type.num_fields and not str(f.type).startswith("dictionary")]
    if nested:
        notes.append(say("Columns with nested values cannot be used: {columns}.", columns=nested))
    return RawTable(
        name=name,
        file=file,
        columns=tuple(RawColumn(f.name, f.name, str(f.type)) for f in schema if f.name not in nested),
        source=source,
        rows=rows,
        header_line=None,
        has_line=False,
        notes=notes,
    )


def _damaged(file: str) -> Sentence:
    return say("{file} is damaged or cut off: export or download it again.", file=file)
