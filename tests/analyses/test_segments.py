"""Segments: golden table, unknown, one segment per customer, growth, choice of the attribute, edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import structure_tables as st_
from hypothesis import given, settings
from hypothesis import strategies as st
from structure_tables import UNDATED, YEAR, column, flags, rows, run, texts, totals

from klientel.analyses.segments import segments
from klientel.attribute import attributes, chosen
from klientel.errors import BadParameter, MissingInput

NAMES = {f"K{i:02d}": f"Customer {i}" for i in range(6)}


def people(industries, names=NAMES, **more):
    return st_.customers(names, industry_code=industries, **more)


def test_golden_table():
    listed = people(["Steel", "Steel", "Food", "Food", None, "Food"])
    now = totals([600, 200, 50, 100, 50])  # K05 bought nothing in the window, but is active
    before = totals([400, 100, 100, 60], ["K00", "K02", "K03", "K05"])
    found = run(segments, now, before, listed, context=YEAR)
    assert rows(found, "segments") == [
        _row("Steel", 2, 2, 800, 0.8, 400, 400, 1.0, 0.75),
        _row("Food", 3, 3, 150, 0.15, 75, 260, 150 / 260 - 1, 100 / 150),
        _row("unknown", 1, 1, 50, 0.05, 50, 0, None, 1.0),
    ]
    assert found.figures["segments"] == 2
    assert (found.figures["unknown_customers"], found.figures["unknown_value_share"]) == (1, 0.05)
    assert found.figures["largest_segment"] == "Steel"
    assert "Steel is the largest of 2 segments and brings 80.0\u202f%" in str(found.lines[0])


def _row(segment, n, active, value, share, each, prior, growth, top):
    return {
        "segment": segment,
        "customers": n,
        "active_customers": active,
        "value": Decimal(value),
        "value_share": pytest.approx(share),
        "value_per_customer": Decimal(each),
        "prior_value": Decimal(prior),
        "growth": None if growth is None else pytest.approx(growth),
        "top_customer_share": pytest.approx(top),
    }


def test_unknown_comes_last_even_if_it_is_the_largest_and_lowers_the_quality():
    found = run(
        segments, totals([10, 900, 20]), None, people(["A", " ", "n/a"], dict(list(NAMES.items())[:3]))
    )
    assert column(found, "segments", "segment") == ["A", "unknown"]
    assert "red" in flags(found)  # 99 % of the value have no industry
    assert "Industry" in texts(found)


def test_customers_that_no_file_lists_are_unknown():
    found = run(segments, totals([10, 20], ["K00", "ELSEWHERE"]), None, people(["A"] * 6))
    assert found.figures["unknown_customers"] == 1
    assert sum(column(found, "segments", "value")) == 30


def test_a_customer_listed_twice_is_in_one_segment_and_that_is_said():
    listed = people(["A", "B"], {"K00": "x", "K01": "y"})
    twice = listed.union(people(["C"], {"K00": "x"}))
    found = run(segments, totals([10, 20]), None, twice)
    assert sum(column(found, "segments", "customers")) == 2
    assert sum(column(found, "segments", "value")) == 30
    assert "more than once" in texts(found)


def test_former_customers_without_value_are_not_counted():
    listed = st_.memtable(
        [
            {"customer_id": "K00", "status": "former", "region": "North"},
            {"customer_id": "K01", "status": "former", "region": "North"},
            {"customer_id": "K02", "status": "prospect", "region": "North"},
        ],
        dict.fromkeys(["customer_id", "status", "region"], "string"),
    )
    found = run(segments, totals([10], ["K00"]), None, listed)
    assert (column(found, "segments", "customers"), column(found, "segments", "active_customers")) == (
        [1],
        [0],
    )


def test_no_growth_where_the_window_before_is_not_covered():
    late = replace(YEAR, first_day=date(2022, 3, 1))
    found = run(segments, totals([10]), totals([5]), people(["A"] * 6), context=late)
    assert column(found, "segments", "growth") == [None]
    assert column(found, "segments", "prior_value") == [None]
    assert "No growth" in texts(found)
    whole = run(segments, totals([10]), totals([5]), people(["A"] * 6), context=YEAR)
    assert column(whole, "segments", "growth") == [1.0]


def test_the_fastest_segment_needs_five_customers():
    names = {f"K{i:02d}": "" for i in range(7)}
    listed = people(["Big"] * 5 + ["Tiny"] * 2, names)
    found = run(segments, totals([20] * 5 + [90] * 2), totals([10] * 5 + [1] * 2), listed, context=YEAR)
    assert (found.figures["fastest_segment"], found.figures["fastest_growth"]) == ("Big", 1.0)


def test_attribute_unknown_gets_a_suggestion_or_the_list():
    listed = people(["A"] * 6, size_class=["S"] * 6)
    with pytest.raises(BadParameter, match="did you mean industry_code"):
        run(segments, totals([1]), None, listed, by="industry")
    with pytest.raises(BadParameter, match=r"there are: status, industry_code, size_class\."):
        run(segments, totals([1]), None, listed, by="xyzzy")
    with pytest.raises(MissingInput, match="no attribute"):
        run(segments, totals([1]), None, st_.customers(NAMES))


def test_personal_data_and_addresses_never_divide():
    columns = ["customer_id", "name", "email", "contact_name", "street", "status", "my_cluster", "country"]
    assert attributes(columns) == ["status", "my_cluster", "country"]
    with pytest.raises(BadParameter):
        chosen("email", people(["A"] * 6, email=["a@b"] * 6))


def test_auto_takes_the_first_usual_attribute_that_is_well_filled():
    half = ["S", "M", None, None, None, "S"]
    listed = people(
        half, country=["DE", "DE", "AT", "DE", "DE", "DE"], region=["N", "S", "", "n/a", "-", "N"]
    )
    assert chosen("auto", listed) == "country"
    assert chosen("auto", people(["A", "B"] * 3, country=["DE", "AT"] * 3)) == "industry_code"
    assert chosen("auto", people(half, region=["N", None, None, None, None, None])) == "industry_code"
    assert chosen("auto", st_.customers(NAMES, my_cluster=["1", "2"] * 3)) == "my_cluster"
    assert chosen("region", listed) == "region"


def test_numbers_and_dates_divide_too():
    listed = st_.memtable(
        [
            {"customer_id": "K00", "acquired_on": date(2020, 5, 1), "employees": 5},
            {"customer_id": "K01", "acquired_on": date(2020, 7, 1), "employees": 9},
        ],
        {"customer_id": "string", "acquired_on": "date", "employees": "int64"},
    )
    assert column(run(segments, totals([1, 2]), None, listed, by="acquired_on"), "segments", "segment") == [
        "2020"
    ]
    assert column(run(segments, totals([1, 2]), None, listed, by="employees"), "segments", "segment") == [
        "9",
        "5",
    ]


def test_nobody_is_red():
    found = run(segments, totals([]), None, people([], {}))
    assert flags(found) == ["red"]
    assert rows(found, "segments") == []


def test_negative_value_is_shown_and_the_total_is_signed():
    found = run(segments, totals([100, -20]), None, people(["A", "B"] + ["A"] * 4))
    assert column(found, "segments", "value") == [100, -20]
    assert sum(column(found, "segments", "value_share")) == pytest.approx(1)
    assert column(found, "segments", "top_customer_share") == [1.0, None]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-1000, 10**6), st.sampled_from(["A", "B", "C", None])), min_size=1, max_size=25
    ),
    st.randoms(use_true_random=False),
)
def test_every_customer_once_whatever_the_row_order(found, rand):
    names = {f"K{i:02d}": "" for i in range(len(found))}
    first = run(segments, totals([v for v, _ in found]), None, people([s for _, s in found], names))
    assert sum(column(first, "segments", "customers")) == len(found)
    assert sum(column(first, "segments", "value")) == sum(v for v, _ in found)
    order = list(range(len(found)))
    rand.shuffle(order)
    mixed = totals([found[i][0] for i in order], [f"K{i:02d}" for i in order])
    second = run(segments, mixed, None, people([s for _, s in found], names), context=UNDATED)
    assert rows(first, "segments") == rows(second, "segments")
