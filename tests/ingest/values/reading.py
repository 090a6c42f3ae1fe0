"""Reads a column of texts through profile, chosen format and SQL, as the tests of this folder do."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from klientel.ingest import values
from klientel.ingest.raw import RawColumn, RawTable

_CON = duckdb.connect()
_CON.execute("SET threads = 1")  # tables of a few rows


def raw(columns: dict[str, str], rows: int, **more: Any) -> RawTable:
    described = tuple(RawColumn(name, header) for name, header in columns.items())
    return RawTable("t", "t.csv", described, None, rows, **more)


def profiled(
    cells: dict[str, list[str | None]], hint: Any = None, headers: dict[str, str] | None = None, **more: Any
) -> tuple[duckdb.DuckDBPyConnection, dict[str, values.Profile]]:
    """Profile of columns given as lists; the connection has them as the view `t`."""
    con = _CON.cursor()
    rows = len(next(iter(cells.values())))
    table = pa.table(
        {n: pa.array(v, pa.string()) for n, v in cells.items()}
        | {"line": pa.array(range(2, rows + 2), pa.int64())}
    )
    con.register("t", table)
    return con, values.profile(con, "t", raw(headers or {n: n for n in cells}, rows, **more), hint)


def column(con: duckdb.DuckDBPyConnection, sql: str) -> list[Any]:
    """Values of an SQL expression over `t`, in the order of the lines."""
    return [row[0] for row in con.execute(f"SELECT {sql} FROM t ORDER BY line").fetchall()]


def numbers(cells: list[str | None], hint: Any = None, **more: Any) -> tuple[list[Any], values.NumberFormat]:
    con, found = profiled({"c0": cells}, hint, **more)
    fmt = found["c0"].number
    assert fmt is not None, cells
    return column(con, values.number_sql("c0", fmt)), fmt


def shares(cells: list[str | None], header: str = "c0") -> list[Any]:
    con, found = profiled({"c0": cells}, headers={"c0": header})
    fmt = found["c0"].number
    assert fmt is not None, cells
    return column(con, values.share_sql("c0", fmt))


def dates(
    cells: list[str | None], hint: Any = None, header: str = "Order date"
) -> tuple[list[Any], values.DateFormat]:
    con, found = profiled({"c0": cells}, hint, {"c0": header})
    fmt = found["c0"].date
    assert fmt is not None, cells
    return column(con, values.date_sql("c0", fmt)), fmt
