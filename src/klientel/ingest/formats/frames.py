"""Takes frames of pandas, Polars, PyArrow, DuckDB and Ibis, and rows of Python dicts, as raw tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klientel.errors import BadFile
from klientel.ingest.formats.columnar import described, stage_batches
from klientel.ingest.formats.staging import Reading
from klientel.ingest.raw import RawTable
from klientel.words import say


def is_frame(source: Any) -> bool:
    """True for objects that `read_frame` takes."""
    return bool(_family(source))


def _family(source: Any) -> str:
    """Which library the object is of, by the modules of its classes, without importing any of them."""
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        rows = bool(source) and all(isinstance(row, Mapping) for row in source)
        named = rows and any(_family(value) for row in source[:1] for value in row.values())
        return "rows" if rows and not named else ""  # [{"orders": frame}] names a frame, it is no row
    for cls in type(source).__mro__:
        top = cls.__module__.partition(".")[0].lstrip("_")
        if (top, cls.__name__) in _FAMILIES:
            return _FAMILIES[top, cls.__name__]
    return "stream" if hasattr(source, "__arrow_c_stream__") else ""


_FAMILIES = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "lazy",
    ("pyarrow", "Table"): "arrow",
    ("pyarrow", "RecordBatch"): "batch",
    ("pyarrow", "RecordBatchReader"): "stream",
    ("duckdb", "DuckDBPyRelation"): "duckdb",
    ("ibis", "Table"): "ibis",
}


def read_frame(source: Any, name: str, reading: Reading) -> RawTable:
    """Describe a frame as a typed raw table.

    pandas, Polars and Arrow tables and Ibis tables are not copied. What can be read only once, is not
    computed yet or belongs to another connection (record batch readers, lazy frames, DuckDB
    relations) is staged as Parquet. Raises BadFile for anything else.
    """
    match _family(source):
        case "pandas":
            return _pandas(source, name, reading)
        case "polars":
            return described(_polars_schema(source), source.height, source, name, name, reading)
        case "lazy":
            target = reading.new_path()
            source.sink_parquet(target)
            return _staged(target, name, reading)
        case "arrow":
            return described(source.schema, source.num_rows, source, name, name, reading)
        case "batch":
            import pyarrow as pa

            table = pa.Table.from_batches([source])
            return described(table.schema, table.num_rows, table, name, name, reading)
        case "duckdb":
            target = reading.new_path()
            source.write_parquet(str(target))
            return _staged(target, name, reading)
        case "ibis":
            rows = int(source.count().execute())
            return described(source.schema().to_pyarrow(), rows, source, name, name, reading)
        case "rows":
            return _rows(source, name, reading)
        case "stream":
            return _stream(source, name, reading)
    raise BadFile(
        say(
            "An object of type {type} cannot be read as a table: give a path, a pandas, Polars, PyArrow, "
            "DuckDB or Ibis table, or a list of dicts.",
            type=type(source).__name__,
        )
    )


def _staged(target: Any, name: str, reading: Reading) -> RawTable:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(target)
    schema = metadata.schema.to_arrow_schema()
    return described(schema, metadata.num_rows, [target], name, name, reading)


def _stream(source: Any, name: str, reading: Reading) -> RawTable:
    import pyarrow as pa

    reader = source if isinstance(source, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(source)
    target = reading.new_path()
    rows = stage_batches(reader.schema, reader, target)
    return described(reader.schema, rows, [target], name, name, reading)


def _polars_schema(frame: Any) -> Any:
    return frame.head(0).to_arrow().schema


def _pandas(frame: Any, name: str, reading: Reading) -> RawTable:
    """Named index levels become columns; a column of mixed values becomes text, as it would in a CSV."""
    import pyarrow as pa

    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    if not all(isinstance(c, str) for c in frame.columns):
        frame = frame.set_axis([_flat(c) for c in frame.columns], axis=1)
    if frame.columns.has_duplicates:
        frame = frame.set_axis(_unique(list(frame.columns)), axis=1)
    fields = []
    for column in frame.columns:
        try:
            kind = pa.Array.from_pandas(frame[column]).type
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            values = frame[column]
            frame = frame.assign(**{column: values.astype("string").where(values.notna(), None)})
            kind = pa.string()
        fields.append(pa.field(column, kind))
    return described(pa.schema(fields), len(frame), frame, name, name, reading)


def _flat(label: Any) -> str:
    return " ".join(str(part) for part in label if part != "") if isinstance(label, tuple) else str(label)


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        names.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return names


def _rows(rows: Sequence[Mapping[str, Any]], name: str, reading: Reading) -> RawTable:
    import pyarrow as pa

    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(map(str, row)))
    arrays = []
    for column in columns:
        values = [row.get(column) for row in rows]
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            arrays.append(pa.array([None if v is None else str(v) for v in values], pa.string()))
    table = pa.table(dict(zip(columns, arrays, strict=True)))
    return described(table.schema, table.num_rows, table, name, name, reading)
