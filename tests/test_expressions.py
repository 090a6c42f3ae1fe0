"""Shared expressions: exact limits, mid-rank scores, month bits, names, short histories, other engines."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal as D
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "analyses"))
from structure_tables import customers, memtable, totals

from klientel import expressions
from klientel.expressions import small_arrow


def listed(table):
    return table.to_pyarrow().to_pylist()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.integers(1, 999))
def test_below_decides_without_rounding(cents, thousandth):
    limit = thousandth / 1000
    total = max(sum(cents), 1)
    table = totals([c / 100 for c in cents], None, whole=[total / 100] * len(cents))
    amount, whole = (table[c].cast(expressions.EXACT) for c in ("revenue", "whole"))
    found = listed(
        table.mutate(
            less=expressions.below(amount, whole, limit),
            equal=expressions.below(amount, whole, limit, or_equal=True),
        )
    )
    for cent, row in zip(cents, sorted(found, key=lambda r: r["customer_id"]), strict=True):
        exact = Fraction(cent, total)
        assert row["less"] == (exact < Fraction(thousandth, 1000))
        assert row["equal"] == (exact <= Fraction(thousandth, 1000))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=25), st.booleans(), st.integers(2, 10))
def test_score_is_the_midrank_formula(values, descending, best):
    n = len(values)
    table = totals(values)
    scored = table.mutate(score=expressions.score(table.revenue, n, best=best, descending=descending))
    for row in listed(scored):
        sign = -1 if descending else 1
        less = sum(sign * v < sign * row["revenue"] for v in values)
        equal = sum(v == row["revenue"] for v in values)
        midrank = Fraction(2 * less + equal + 1, 2)
        assert row["score"] == ceil(best * (midrank - Fraction(1, 2)) / n)
        assert 1 <= row["score"] <= best


@given(st.sets(st.integers(0, 119), max_size=10), st.integers(-2, 125), st.integers(-2, 125))
@settings(max_examples=25, deadline=None)
def test_month_bits(months, start, end):
    words = [sum(1 << (m % 60) for m in months if m // 60 == j) for j in (0, 1)]
    table = memtable(
        [{"customer_id": "K", "months_0": words[0], "months_1": words[1]}],
        {"customer_id": "string", "months_0": "int64", "months_1": "int64"},
    )
    found = listed(
        table.mutate(one=expressions.in_month(table, start), some=expressions.in_months(table, start, end))
    )[0]
    assert found["one"] == (start in months)
    assert found["some"] == any(start <= m < end for m in months)


def test_names_fall_back_to_the_number():
    table = totals([1, 2])
    names = listed(expressions.named(table, customers({"K00": "Adler AG"})))
    assert {r["customer_id"]: r["name"] for r in names} == {"K00": "Adler AG", "K01": "K01"}
    assert [r["name"] for r in listed(expressions.named(table, None))] == ["K00", "K01"]


def test_short_histories():
    start, end = date(2023, 1, 1), date(2024, 1, 1)
    assert expressions.short_history(None, end, date(2023, 5, 1)) == ()
    assert expressions.short_history(start, end, date(2022, 5, 1)) == ()
    assert expressions.short_history(start, end, date(2023, 1, 4)) == ()  # no sale on a holiday
    ((flag, sentence),) = expressions.short_history(start, end, date(2023, 5, 1))
    assert flag == "amber"
    assert "begin on 2023-05-01" in str(sentence)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "databricks"])
def test_the_same_expressions_compile_for_other_engines(dialect):
    import ibis

    table = ibis.table({"customer_id": "string", "value": "decimal(27, 4)"}, name="values_")
    text = str(ibis.to_sql(expressions.abc_grades(table, 0.8, 0.95), dialect=dialect)).upper()
    scored = table.mutate(score=expressions.score(table.value, table.count()))
    text += str(ibis.to_sql(scored, dialect=dialect)).upper()
    assert "NTILE" not in text
    assert "ROW_NUMBER" not in text


def test_small_tables_keep_every_kind_of_value_exactly():
    kinds = pa.schema(
        [
            ("text", pa.string()),
            ("money", pa.decimal128(38, 4)),
            ("day", pa.date32()),
            ("number", pa.float64()),
            ("flag", pa.bool_()),
            ("count", pa.int64()),
        ]
    )
    rows = [
        {
            "text": 'A "B"\n, ; ä',
            "money": D("-12345678901234567890.1234"),
            "day": date(2024, 2, 29),
            "number": np.float64(0.1) + 0.2,
            "flag": True,
            "count": -(2**53) - 1,
        },
        {"text": "", "money": D("1E+2"), "day": None, "number": float("inf"), "flag": False, "count": 3.0},
        dict.fromkeys(kinds.names),
    ]
    made = small_arrow(rows, kinds)
    assert made.schema == kinds
    assert made.to_pylist() == rows
    assert small_arrow([], kinds).schema == kinds


def test_small_tables_do_not_load_pandas():
    code = (
        "import sys, pyarrow as pa; from klientel.expressions import small_arrow;"
        "small_arrow([{'a': 1}], pa.schema([('a', pa.int64())])); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
