"""Frames of all kinds are described, and can be read by DuckDB."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from reading_tables import read_one

from klientel.errors import BadFile
from klientel.ingest.formats import read_sources
from klientel.ingest.raw import RawTable

DATA: dict[str, list[Any]] = {
    "kunde": ["A", "B", None],
    "umsatz": [1.5, 2.5, 3.5],
    "tag": [date(2024, 1, 2)] * 3,
}
ROWS = [("A", 1.5, "2024-01-02"), ("B", 2.5, "2024-01-02"), (None, 3.5, "2024-01-02")]


def rows(table: RawTable) -> list[tuple[Any, ...]]:
    query = "SELECT kunde, umsatz, CAST(CAST(tag AS DATE) AS VARCHAR) FROM {} ORDER BY umsatz"
    with duckdb.connect() as con:
        if isinstance(table.source, list):
            return con.execute(query.format("read_parquet(?)"), [[str(p) for p in table.source]]).fetchall()
        con.register("frame", table.source)
        return con.execute(query.format("frame")).fetchall()


FRAMES = {
    "pandas": lambda: pd.DataFrame(DATA),
    "polars": lambda: pl.DataFrame(DATA),
    "lazy": lambda: pl.DataFrame(DATA).lazy(),
    "arrow": lambda: pa.table(DATA),
    "batch": lambda: pa.RecordBatch.from_pydict(DATA),
    "reader": lambda: pa.table(DATA).to_reader(),
    "rows": lambda: [dict(zip(DATA, row, strict=True)) for row in zip(*DATA.values(), strict=True)],
    "duckdb": lambda: duckdb.connect().from_arrow(pa.table(DATA)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_are_described(tmp_path: Path, kind: str) -> None:
    table = read_one(FRAMES[kind](), tmp_path)
    assert (table.rows, table.has_line, table.header_line) == (3, False, None)
    assert [c.name for c in table.columns] == [c.header for c in table.columns] == ["kunde", "umsatz", "tag"]
    assert table.columns[1].type == "double"
    assert rows(table) == ROWS


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_frames_are_not_copied(tmp_path: Path, kind: str) -> None:
    frame = FRAMES[kind]()
    assert read_one(frame, tmp_path).source is frame


def test_ibis_tables_stay_where_they_are(tmp_path: Path) -> None:
    con = ibis.duckdb.connect()
    con.con.register("lines", pa.table(DATA))
    source = con.table("lines")
    table = read_one(source, tmp_path)
    assert table.source is source
    assert (table.rows, [c.type for c in table.columns]) == (3, ["string", "double", "date32[day]"])


def test_names_and_frames(tmp_path: Path) -> None:
    tables = read_sources(
        [{"kunden": pd.DataFrame({"a": [1]}), "umsatz": pl.DataFrame({"b": [1]})}], tmp_path
    )
    assert [t.name for t in tables] == ["kunden", "umsatz"]
    assert [t.name for t in read_sources([pa.table({"a": [1]}), pa.table({"a": [1]})], tmp_path)] == [
        "frame",
        "frame_2",
    ]
    assert [t.name for t in read_sources({"x": pa.table({"a": [1]})}, tmp_path)] == ["x"]


def test_named_index_and_mixed_columns_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"wert": [1, "x", None]}, index=pd.Index(["A", "B", "C"], name="kunde"))
    table = read_one(frame, tmp_path)
    assert [c.name for c in table.columns] == ["kunde", "wert"]
    with duckdb.connect() as con:
        con.register("frame", table.source)
        assert con.execute("SELECT kunde, wert FROM frame").fetchall() == [
            ("A", "1"),
            ("B", "x"),
            ("C", None),
        ]


def test_levels_and_doubles_of_pandas_headers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_tuples([("umsatz", "2023"), ("umsatz", "2024")])
    )
    assert [c.name for c in read_one(frame, tmp_path).columns] == ["umsatz 2023", "umsatz 2024"]
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert [c.name for c in read_one(frame, tmp_path).columns] == ["a", "a (2)"]


def test_anything_else_is_refused(tmp_path: Path) -> None:
    for source in (42, object(), ["x", 3]):
        with pytest.raises(BadFile):
            read_sources([source], tmp_path)
    for nothing in ([], {}, [{}]):
        with pytest.raises(BadFile):
            read_sources(nothing, tmp_path)
