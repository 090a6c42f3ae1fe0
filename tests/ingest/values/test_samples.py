"""Samples of long tables are spread over their whole length and have the size that is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import pytest

from klientel.ingest.values.sample import SIZE, draw


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Two Parquet files of 200,000 and 100,000 rows."""
    folder = tmp_path_factory.mktemp("long")
    con = duckdb.connect()
    paths = []
    for name, rows in (("a", 200_000), ("b", 100_000)):
        path = folder / f"{name}.parquet"
        con.execute(
            f"COPY (SELECT range AS n FROM range({rows})) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 20000)"
        )
        paths.append(str(path))
    con.read_parquet(paths, file_row_number=True, filename=True).create_view("whole")
    return con, SimpleNamespace(has_line=False, source=paths)


def test_every_part_of_every_file_is_in_the_sample(long):
    con, raw = long
    with draw(con, "whole", raw, "drawn") as sample:
        assert sample.rows == 300_000
        assert 0.8 * SIZE < sample.size < 1.2 * SIZE
        parts = con.execute(
            f"SELECT count(DISTINCT (filename, file_row_number // 20000)) FROM {sample.table}"
        ).fetchall()
        assert parts[0][0] == 15
        ends = con.execute(
            f"SELECT min(file_row_number), max(file_row_number) FROM {sample.table}"
        ).fetchall()
        assert ends == [(0, 199_999)]


def test_a_table_without_row_numbers_is_sampled_too(long):
    con, raw = long
    con.execute("CREATE OR REPLACE TEMP VIEW bare AS SELECT n FROM whole")
    with draw(con, "bare", raw, "bare_drawn") as sample:
        assert SIZE // 5 <= sample.size < 300_000
