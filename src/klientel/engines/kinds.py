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
