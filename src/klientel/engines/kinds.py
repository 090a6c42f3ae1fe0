"""Types of results that every engine can hand over as Arrow."""

from __future__ import annotations

from typing import Any


def limited(schema: Any) -> Any:
    """The schema with limits for decimals that have none: Arrow needs them, and takes 38 digits, 9 behind."""
    import ibis
    import ibis.expr.datatypes as dt

    def fixed(kind: Any) -> Any:
        open_ended = kind.is_decimal() and (kind.precision is None or kind.scale is None)
        return dt.Decimal(38, 9, nullable=kind.nullable) if open_ended else kind

    return ibis.schema({name: fixed(kind) for name, kind in schema.items()})


def storable(schema: Any) -> Any:
    """The schema with text for columns that hold nothing and have no type: no server can store those."""
    import ibis
    import ibis.expr.datatypes as dt

    return ibis.schema({name: dt.string if kind.is_null() else kind for name, kind in schema.items()})


def as_promised(table: Any, schema: Any) -> Any:
    """An Arrow table in the types of the schema; columns without a type hold nothing."""
    import pyarrow as pa

    wanted = schema.to_pyarrow()
    columns = [
        pa.nulls(table.num_rows) if field.type == pa.null() else column.cast(field.type)
        for column, field in zip(table.columns, wanted, strict=True)
    ]
    return pa.table(columns, schema=wanted)
