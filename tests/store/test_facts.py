"""Fact tables: rows replaced by key, versions pinned, exact money, columns that come later, sweeping."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klientel.store import facts
from klientel.store.facts import FactTable


@pytest.fixture
def con() -> Any:
    return duckdb.connect()


def put(con: Any, rows: list[tuple[str, str | None, str]], name: str = "put", more: str = "") -> str:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} (row_key VARCHAR, day DATE, amount DECIMAL(18,4)){more}"
    )
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", [list(r) for r in rows])
    return name


def content(con: Any, table: FactTable, version: int) -> dict[str, Decimal]:
    return dict(con.execute(f"SELECT row_key, amount FROM ({table.select(version)})").fetchall())


def test_a_version_is_seen_only_by_who_pins_it(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    assert not table.exists
    first = table.replace(
        con, None, why="a", put=put(con, [("1", "2024-01-01", "10.0001"), ("2", None, "-3.5")])
    )
    second = table.replace(con, first.version, why="b", put=put(con, [("1", "2024-01-01", "11")]), drop="put")
    assert content(con, table, first.version) == {"1": Decimal("10.0001"), "2": Decimal("-3.5")}
    assert content(con, table, second.version) == {"1": Decimal("11"), "2": Decimal("-3.5")}
    assert content(con, FactTable(tmp_path / "lines"), first.version)["1"] == Decimal("10.0001")


def test_money_of_eighteen_digits_stays_exact(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    large = "99999999999999.9999"
    version = table.replace(
        con, None, why="a", put=put(con, [("1", None, large), ("2", None, f"-{large}")])
    ).version
    assert content(con, table, version) == {"1": Decimal(large), "2": Decimal(f"-{large}")}


def test_only_files_with_the_keys_are_written_anew(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    one = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")]))
    two = table.replace(con, one.version, why="b", put=put(con, [("2", "2024-02-01", "2")]))
    three = table.replace(con, two.version, why="c", put=put(con, [("2", "2024-02-01", "5")]), drop="put")
    assert set(three.removed) == set(two.added)
    assert one.added[0] in {f.name for f in table.files(three.version)}


def test_a_column_that_comes_later_is_empty_before(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    one = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")]))
    con.execute(
        "CREATE TEMP TABLE wide AS SELECT '2' AS row_key, DATE '2024-01-02' AS day, 7::DECIMAL(18,4) AS margin"
    )
    two = table.replace(con, one.version, why="b", put="wide")
    rows = con.execute(
        f"SELECT row_key, amount, margin FROM ({table.select(two.version)}) ORDER BY 1"
    ).fetchall()
    assert rows == [("1", Decimal(1), None), ("2", None, Decimal(7))]
    assert "margin" not in table.columns(one.version)
    assert table.columns(table.restore(one.version)) == table.columns(one.version)


def test_restoring_forgets_what_came_after(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    one = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")]))
    two = table.replace(con, one.version, why="b", put=put(con, [("2", "2024-01-01", "2")]))
    newest = table.restore(one.version)
    assert content(con, table, newest) == {"1": Decimal(1)}
    assert set(table.sweep([newest])) == set(two.added)
    assert table.restore(one.version) == newest  # nothing to do any more
    assert table.restore(-1) == -1
    assert not table.exists


def test_sweeping_takes_everything_that_no_kept_version_names(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    one = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")]))
    two = table.replace(con, one.version, why="b", put=put(con, [("1", "2024-01-01", "2")]), drop="put")
    (table.folder / "rows-killed-0.parquet").write_bytes(b"half")
    (table.folder / "part-killed").mkdir()
    (table.folder / "part-killed" / "data_0.parquet").write_bytes(b"half")
    (table.folder / "_delta_log" / "00000000000000000009.json.tmp").write_text("half")
    (table.folder / "rows.parquet#1").write_bytes(b"half")
    gone = table.sweep([one.version, two.version])
    assert sorted(gone) == [
        "00000000000000000009.json.tmp", "part-killed", "rows-killed-0.parquet", "rows.parquet#1",
    ]  # fmt: skip
    assert content(con, table, one.version) == {"1": Decimal(1)}
    assert table.sweep([two.version]) == list(one.added)
    assert content(con, table, two.version) == {"1": Decimal(2)}


def test_small_files_are_put_together(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    version = None
    for i in range(facts.MANY + 3):
        version = table.replace(
            con, version, why="a", put=put(con, [(str(i), f"2024-01-{i + 1:02}", "1")])
        ).version
    assert len(table.files(version)) <= facts.MANY
    compact = table.compact(con, version)
    assert len(table.files(compact.version)) == 1
    assert len(content(con, table, compact.version)) == facts.MANY + 3
    days = con.execute(f"SELECT day FROM ({table.select(compact.version)})").fetchall()
    assert days == sorted(days)


def test_a_table_that_lost_all_rows_can_be_filled_again(con, tmp_path):
    table = FactTable(tmp_path / "lines")
    one = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")]))
    two = table.replace(con, one.version, why="b", drop="put")
    assert content(con, table, two.version) == {}
    assert table.columns(two.version)["amount"] == "DECIMAL(18,4)"
    three = table.replace(con, two.version, why="c", put="put")
    assert content(con, table, three.version) == {"1": Decimal(1)}


def test_folders_with_strange_names(con, tmp_path):
    table = FactTable(tmp_path / "a [1] *?" / "ü#'é" / "lines")
    version = table.replace(con, None, why="a", put=put(con, [("1", "2024-01-01", "1")])).version
    assert content(con, table, version) == {"1": Decimal(1)}


KEYS = st.integers(0, 12).map(str)
STEP = st.tuples(st.sets(KEYS, max_size=6), st.dictionaries(KEYS, st.integers(-999, 999), max_size=6))


@settings(max_examples=12, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=5))
def test_any_replacements_leave_what_a_dictionary_would(tmp_path_factory, steps):
    con = duckdb.connect()
    table = FactTable(Path(tmp_path_factory.mktemp("facts")) / "lines")
    version: int | None = None
    expected: dict[str, Decimal] = {}
    versions: list[tuple[int, dict[str, Decimal]]] = []
    for dropped, added in steps:
        gone = dropped | set(added)
        put(con, [(k, None, "0") for k in sorted(gone)], "gone")
        put(con, [(k, "2024-01-01", str(v)) for k, v in added.items()])
        version = table.replace(con, version, why="step", drop="gone", put="put").version
        expected = {k: v for k, v in expected.items() if k not in gone} | {
            k: Decimal(v) for k, v in added.items()
        }
        versions.append((version, expected))
    for number, then in versions:
        assert content(con, table, number) == then
