"""Reads sources in tests and gives back what was staged."""

from pathlib import Path
from typing import Any

import duckdb

from klientel.ingest.formats import read_sources
from klientel.ingest.raw import RawTable


def read(path: Any, folder: Path) -> list[RawTable]:
    return read_sources([path], folder / "stage")


def read_one(path: Any, folder: Path) -> RawTable:
    (table,) = read(path, folder)
    return table


def written(folder: Path, name: str, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def staged(table: RawTable) -> list[tuple[Any, ...]]:
    """Rows of a raw table in order: the cells of its columns, then the line where there is one."""
    names = [f'"{c.name}"' for c in table.columns] + (["line"] if table.has_line else [])
    paths = [str(p) for p in table.source]
    with duckdb.connect() as con:
        return con.execute(f"SELECT {', '.join(names)} FROM read_parquet(?)", [paths]).fetchall()


def headers(table: RawTable) -> list[str]:
    return [c.header for c in table.columns]


def reasons(table: RawTable) -> list[tuple[int, str]]:
    return [(r.line, r.reason) for r in table.rejections]
