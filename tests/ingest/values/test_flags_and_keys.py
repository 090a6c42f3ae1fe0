"""Flags and keys in text columns, and typed columns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from reading import column, profiled, raw

from klientel.ingest import values


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["yes", "No", " YES "], [True, False, True]),
        (["ja", "Nein", None], [True, False, None]),
        (["J", "N"], [True, False]),
        (["Y", "N"], [True, False]),
        (["WAHR", "FALSCH"], [True, False]),
        (["true", "False"], [True, False]),
        (["0", "1"], [False, True]),
        (["1.0", "0.0"], [True, False]),
        (["aktiv", "inaktiv"], [True, False]),
        (["Active", "Inactive"], [True, False]),
        (["x", None, "X"], [True, False, True]),
    ],
)
def test_flags(cells: list[str | None], expected: list[bool | None]) -> None:
    con, found = profiled({"c0": cells})
    fmt = found["c0"].flag
    assert fmt is not None
    assert found["c0"].flag_share == 1
    assert column(con, values.flag_sql("c0", fmt)) == expected


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "2"],
        ["1", "1"],
        ["yes", "maybe"],
        ["x", "x"],
        ["No", "Yes", "No phone service"],
        ["n", "n"],
        ["5"],
    ],
)
def test_other_words_are_no_flag(cells: list[str | None]) -> None:
    _, found = profiled({"c0": cells})
    assert found["c0"].flag is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["17850.0", "12346.0", None], ["17850", "12346", None]),
        (["17850.0", "nan", ""], ["17850", None, None]),
        (["17850.0", "A12"], ["17850.0", "A12"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),
        (["00123", "0123"], ["00123", "0123"]),
        ([" AB 1\u00a0", "NULL", "NA", "-"], ["AB 1", None, "NA", "-"]),
        (["Äpfel ", " Österreich"], ["Äpfel", "Österreich"]),
    ],
)
def test_keys(cells: list[str | None], expected: list[str | None]) -> None:
    con, found = profiled({"c0": cells})
    assert column(con, values.key_sql("c0", found["c0"].key)) == expected


def test_keys_damaged_by_a_spreadsheet_are_counted() -> None:
    _, found = profiled({"c0": ["4.05E+12", "4051234567890"]})
    assert found["c0"].key.damaged == 1


def test_uniqueness_is_exact() -> None:
    _, found = profiled({"c0": ["a", "b", "c"], "c1": ["a", "b", "b"], "c2": ["a", None, " "]})
    assert [found[c].unique for c in ("c0", "c1", "c2")] == [True, False, True]
    assert [found[c].distinct for c in ("c0", "c1", "c2")] == [3, 2, 1]
    assert found["c2"].filled == 1


def test_typed_columns_are_profiled_and_read() -> None:
    table = pa.table(
        {
            "n": pa.array([1, 2, None], pa.int32()),
            "f": pa.array([17850.0, 12346.0, None]),
            "p": pa.array([0.5, 0.25, -1.0]),
            "d": pa.array([date(2024, 1, 1), date(2024, 2, 1), None]),
            "t": pa.array([datetime(2024, 1, 1, 23, 59), datetime(2024, 2, 1), None], pa.timestamp("us")),
            "z": pa.array(
                [datetime(2024, 1, 1, 23, 59), datetime(2024, 2, 1), None], pa.timestamp("us", "UTC")
            ),
            "b": pa.array([True, False, None]),
            "m": pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(12, 2)),
            "y": pa.array([19970101, 19971231, None]),
            "e": pa.array(["a", "b", None]).dictionary_encode(),
            "q": pa.array([0, 1, None], pa.int8()),
        }
    )
    con = duckdb.connect()
    con.register("t", table)
    found = values.profile(con, "t", raw({n: n for n in table.column_names}, 3, has_line=False))

    def read(sql: str) -> list[object]:
        return [row[0] for row in con.execute(f"SELECT {sql} FROM t").fetchall()]

    def fmt(name: str, reading: str) -> object:
        got = getattr(found[name], reading)
        assert got is not None, (name, reading)
        return got

    assert read(values.number_sql("n", fmt("n", "number"))) == [Decimal(1), Decimal(2), None]  # type: ignore[arg-type]
    assert read(values.number_sql("p", fmt("p", "number"))) == [Decimal("0.5"), Decimal("0.25"), Decimal(-1)]  # type: ignore[arg-type]
    assert read(values.number_sql("m", fmt("m", "number"))) == [Decimal("1.5"), Decimal("2.25"), None]  # type: ignore[arg-type]
    assert read(values.key_sql("f", found["f"].key)) == ["17850", "12346", None]
    assert read(values.key_sql("n", found["n"].key)) == ["1", "2", None]
    for name in ("d", "t", "z"):
        assert read(values.date_sql(name, fmt(name, "date"))) == [date(2024, 1, 1), date(2024, 2, 1), None]  # type: ignore[arg-type]
    assert read(values.date_sql("y", fmt("y", "date"))) == [date(1997, 1, 1), date(1997, 12, 31), None]  # type: ignore[arg-type]
    assert read(values.flag_sql("b", fmt("b", "flag"))) == [True, False, None]  # type: ignore[arg-type]
    assert read(values.flag_sql("q", fmt("q", "flag"))) == [False, True, None]  # type: ignore[arg-type]
    assert read(values.key_sql("e", found["e"].key)) == ["a", "b", None]
    assert read(values.key_sql("d", found["d"].key)) == ["2024-01-01", "2024-02-01", None]
    assert read(values.key_sql("b", found["b"].key)) == ["true", "false", None]
    assert found["p"].negative == pytest.approx(1 / 3)
    assert found["n"].filled == 2
