"""Limits of classes and scores keep all four decimals of the amounts that they are taken from."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klientel

# Four decimals that rounding to three would move across the limit, up or down.
ENDS = (0.4725, 0.4724, 0.0001, 0.9999, 0.5)


def book(values, days=None):
    days = days or [date(2024, 1, 1) + timedelta(days=i % 300) for i in range(len(values))]
    columns = {"Customer": [f"K{i:03d}" for i in range(len(values))], "Date": days, "Amount": values}
    return klientel.open_book(pa.table(columns), as_of="2024-12-31")


@pytest.mark.parametrize("end", ENDS)
def test_the_last_customer_of_a_class_is_in_it(end):
    values = [520 + end, 300 + end, 100 + end, 60 + end, 30 + end, 10 + end]
    found = klientel.abc(book(values))
    grades = [row["grade"] for row in found.tables["customers"].to_pyarrow().to_pylist()]
    assert "".join(grades) == "AABBCC"
    assert [found.figures[f"{g}_customers"] for g in "abc"] == [2, 2, 2]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=30))
def test_scores_are_the_midranks_of_the_amounts(numbers):
    """Against the definition: ceil(5 * (customers below + half of the equal ones) / n)."""
    values = [n / 10_000 for n in numbers]
    found = klientel.rfm(book(values)).tables["customers"].to_pyarrow().to_pylist()
    n, count = len(numbers), Counter(numbers)
    for row in found:
        number = numbers[int(row["customer_id"][1:])]
        doubled = 2 * sum(c for other, c in count.items() if other < number) + count[number]
        assert row["m"] == -(-5 * doubled // (2 * n))
