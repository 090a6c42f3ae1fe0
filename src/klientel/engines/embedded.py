"""The embedded engine: Ibis on DuckDB, without what Ibis does on the way that a Book does not need.

Imported only when a Book is opened, so it may import Ibis at its top.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.formats.pyarrow import PyArrowData

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir


def on(con: duckdb.DuckDBPyConnection) -> Embedded:
    """Ibis on an open connection of DuckDB."""
    made: Embedded = Embedded.from_connection(con)
    return made


class Embedded(Backend):  # type: ignore[misc]  # Ibis gives its classes no types
    """DuckDB through Ibis: Arrow results do not load pandas, selects are not merged before DuckDB does it."""

    def to_pyarrow(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:
        """The result as Arrow, as Ibis gives it; its own way imports pandas, half a second for nothing."""
        table = self._to_duckdb_relation(expr, params=params, limit=limit, **kwargs).to_arrow_table()
        return expr.__pyarrow_result__(table, data_mapper=_Arrow)

    def _to_duckdb_relation(self, expr: ir.Expr, **kwargs: Any) -> Any:
        with _unmerged():
            return super()._to_duckdb_relation(expr, **kwargs)

    def create_table(self, *args: Any, **kwargs: Any) -> ir.Table:
        """As Ibis does it."""
        with _unmerged():
            return super().create_table(*args, **kwargs)


@contextmanager
def _unmerged() -> Iterator[None]:
    """DuckDB merges nested selects in no time; in Python it is most of the work of making SQL."""
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = before


class _Arrow(PyArrowData):  # type: ignore[misc]  # Ibis gives its classes no types
    """Columns of type null, which DuckDB hands over as numbers, stay nulls."""

    @classmethod
    def convert_scalar(cls, scalar: pa.Scalar, dtype: dt.DataType) -> pa.Scalar:
        return pa.scalar(None) if dtype.is_null() else super().convert_scalar(scalar, dtype)

    @classmethod
    def convert_column(cls, column: pa.Array, dtype: dt.DataType) -> pa.Array:
        return pa.nulls(len(column)) if dtype.is_null() else super().convert_column(column, dtype)
