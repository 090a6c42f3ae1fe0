"""A sample of a table spread over its length, and what its columns look like in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from klientel.ingest.values.shapes import LONGEST, MOST, Shape

if TYPE_CHECKING:
    import duckdb

    from klientel.ingest.raw import RawTable

SIZE = 50_000
"""Rows of a sample."""
_SLICES = 20
_LONG = 1_000_000
"""Typed columns of longer tables are profiled on the sample."""
_WHOLE = {f"{u}{size}INT" for u in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {
    "INTEGER",
    "UINTEGER",
}


@dataclass(frozen=True)
class Sample:
    """`table`: the sample; `whole`: the relation it stands for (the same if complete); their row counts."""

    table: str
    whole: str
    size: int
    rows: int

    @property
    def complete(self) -> bool:
        """True if the sample is the whole table."""
        return self.size == self.rows

    @property
    def skip_typed(self) -> bool:
        """True if typed columns are looked at in the sample only."""
        return self.rows > _LONG


def column_types(con: duckdb.DuckDBPyConnection, view: str) -> list[tuple[str, str]]:
    """Name and sort of each column: text, enum, whole, float, date, timestamp, flag, other."""
    rows = con.execute(f"DESCRIBE SELECT * FROM {view}").fetchall()
    return [(str(row[0]), _sort(str(row[1]))) for row in rows]


def _sort(type_: str) -> str:
    name = type_.partition("(")[0].upper()
    if name == "VARCHAR":
        return "text"
    if name == "ENUM":
        return "enum"
    if name in _WHOLE:
        return "whole"
    if name in ("DOUBLE", "FLOAT", "DECIMAL"):
        return "float"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    return {"DATE": "date", "BOOLEAN": "flag"}.get(name, "other")


@contextmanager
def draw(con: duckdb.DuckDBPyConnection, view: str, raw: RawTable, name: str) -> Iterator[Sample]:
    """Sample `view` into the temporary table `name`, dropped on leaving; short tables are taken whole."""
    row = con.execute(f"SELECT count(*) FROM {view}").fetchone()
    rows = int(row[0]) if row else 0
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {_query(con, view, raw, rows)}")
    try:
        got = con.execute(f"SELECT count(*) FROM {name}").fetchone()
        size = int(got[0]) if got else 0
        yield Sample(name, name if size == rows else view, size, rows)
    finally:
        con.execute(f"DROP TABLE IF EXISTS {name}")


def _query(con: duckdb.DuckDBPyConnection, view: str, raw: RawTable, rows: int) -> str:
    if rows <= 2 * SIZE:
        return f"SELECT * FROM {view}"
    names = {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {view}").fetchall()}
    number = next(
        (n for n in ("line", "file_row_number") if n in names and (raw.has_line or n != "line")), None
    )
    if number:
        row = con.execute(f"SELECT min({number}), max({number}) FROM {view}").fetchone()
        low, high = (int(row[0]), int(row[1])) if row and row[0] is not None else (0, 0)
        step = max((high - low) // _SLICES, 1)
        each = max(SIZE * (high - low + 1) // (rows * _SLICES), 1)
        # ranges of the row number let DuckDB skip row groups; the last slice ends with the table
        starts = [low + step * i for i in range(_SLICES - 1)] + [high - each + 1]
        slices = " OR ".join(f"({number} >= {s} AND {number} < {s + each})" for s in starts)
        return f"SELECT * FROM {view} WHERE {slices}"
    share = 100 * SIZE / rows
    return (
        f"SELECT * FROM (SELECT * FROM {view} LIMIT {SIZE // 5}) UNION ALL "
        f"SELECT * FROM {view} TABLESAMPLE system({share:.6f} PERCENT) REPEATABLE (1)"
    )


@dataclass
class Found:
    """What a column looks like in the sample: its shapes, the 20 most frequent filled values with counts, how
    many values differ, the shortest and the longest text."""

    shapes: list[Shape] = field(default_factory=list)
    values: list[tuple[str, int]] = field(default_factory=list)
    distinct: int = 0
    shortest: int = 0
    longest: int = 0


def tell(con: duckdb.DuckDBPyConnection, sample: Sample, columns: list[tuple[str, str]]) -> dict[str, Found]:
    """What the columns, given as (name, SQL), look like in the sample; three queries for all of them."""
    found = {name: Found() for name, _ in columns}
    if not columns:
        return found
    texts = ", ".join(f"CAST({sql} AS VARCHAR) AS v{i}" for i, (_, sql) in enumerate(columns))
    names = ", ".join(f"v{i}" for i in range(len(columns)))
    long = f"(UNPIVOT (SELECT {texts} FROM {sample.table}) ON {names} INTO NAME name VALUE x)"
    counted = f"SELECT name, x, count(*) AS n FROM {long} WHERE trim(x) <> '' GROUP BY ALL"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {sample.table}_values AS {counted}")
    try:
        shaped = con.execute(
            f"SELECT * FROM (SELECT name, translate(x, '012345678', '999999999') AS shape, "
            f"regexp_matches(x, '^[^0-9]*0') AS zero, CAST(sum(n) AS BIGINT) AS n FROM {sample.table}_values "
            f"WHERE length(x) <= {LONGEST} GROUP BY ALL) "
            f"QUALIFY row_number() OVER (PARTITION BY name ORDER BY n DESC, shape, zero) <= {MOST} "
            f"ORDER BY name, n DESC, shape, zero"
        ).fetchall()
        valued = con.execute(
            f"SELECT name, left(x, 200), n, count(*) OVER one, "
            f"min(length(x)) OVER one, max(length(x)) OVER one "
            f"FROM {sample.table}_values WINDOW one AS (PARTITION BY name) "
            f"QUALIFY row_number() OVER (PARTITION BY name ORDER BY n DESC, x) <= 20 ORDER BY name, n DESC, x"
        ).fetchall()
    finally:
        con.execute(f"DROP TABLE IF EXISTS {sample.table}_values")
    by_number = [found[name] for name, _ in columns]
    for name, shape, zero, n in shaped:
        by_number[int(name[1:])].shapes.append(Shape(shape, bool(zero), int(n)))
    for name, value, n, distinct, shortest, longest in valued:
        one = by_number[int(name[1:])]
        one.values.append((value, int(n)))
        one.distinct, one.shortest, one.longest = int(distinct), int(shortest), int(longest)
    return found
