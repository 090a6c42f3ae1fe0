"""Puts Arrow tables where a firm would have them: a schema of a server, a DuckDB file, a folder of Parquet."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

_numbers = count()


def in_postgres(address: str, tables: dict[str, pa.Table]) -> str:
    """The address of a new schema with these tables."""
    import ibis

    from klientel.engine import connect

    schema = f"firm_{next(_numbers)}"
    connection = connect(address).connection
    connection.con.execute(f"CREATE SCHEMA {schema}")
    for name, table in tables.items():
        connection.load(f"staged_{name}", table.to_reader(), ibis.memtable(table).schema())
        connection.con.execute(f'CREATE TABLE {schema}."{name}" AS SELECT * FROM "staged_{name}"')
    return f"{address}{'&' if '?' in address else '?'}schema={schema}"


def in_duckdb(folder: Path, tables: dict[str, pa.Table]) -> str:
    """The address of a DuckDB file with these tables."""
    import duckdb

    path = folder / f"firm_{next(_numbers)}.duckdb"
    with duckdb.connect(str(path)) as con:
        for name, table in tables.items():
            con.register("staged", table)
            con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM staged')
            con.unregister("staged")
    return f"duckdb://{path}"


def in_parquet(folder: Path, tables: dict[str, pa.Table], *, delta: bool = False) -> Path:
    """A folder with one folder of Parquet files (or one Delta table) for each table, in two parts."""
    import pyarrow.parquet as pq
    from deltalake import write_deltalake

    home = folder / f"lake_{next(_numbers)}"
    for name, table in tables.items():
        place = home / name
        place.mkdir(parents=True)
        half = table.num_rows // 2
        for i, part in enumerate((table.slice(0, half), table.slice(half))):
            if delta:
                write_deltalake(place, part, mode="append")
            elif part.num_rows:
                pq.write_table(part, place / f"part-{i}.parquet")
    return home


def tables_of(source: dict[str, Any]) -> dict[str, pa.Table]:
    """Tables of rows, in the types that Arrow finds."""
    return {name: t if isinstance(t, pa.Table) else pa.Table.from_pylist(t) for name, t in source.items()}
