"""RFM: vector V30, mid-rank scores, ties, the 25 cells, edges, and the real data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

import pytest
import structure_tables as st_
from hypothesis import given, settings
from hypothesis import strategies as st
from structure_tables import MONEY, YEAR, column, flags, memtable, rows, run, texts

from klientel.analyses.rfm import RECTANGLES, fixed_score, parsed, rfm, segment_of
from klientel.errors import BadParameter

AS_OF = YEAR.as_of


def book(people):
    """totals and histories from (id, days since the last order, order days, revenue)."""
    totals = memtable(
        [{"customer_id": k, "matched_revenue": Decimal(str(m)), "order_days": f} for k, _, f, m in people],
        {"customer_id": "string", "matched_revenue": MONEY, "order_days": "int64"},
    )
    histories = memtable(
        [{"customer_id": k, "last_day": AS_OF - timedelta(days=r)} for k, r, _, _ in people],
        {"customer_id": "string", "last_day": "date"},
    )
    return totals, histories


V30_R, V30_F, V30_M = (1, 3, 6, 9), (10, 19, 29, 40), (5, 10, 20, 50)


@pytest.mark.parametrize(
    ("months", "orders", "spend", "score"),
    [
        (2, 12, 6, "422"),  # A, last order 05/08
        (6, 18, 9, "322"),  # B, 01/08: six months, upper bound inclusive
        (8, 35, 40, "244"),  # C, 11/07
        (0, 1, 1, "511"),  # D, 07/08
        (14, 5, 2, "111"),  # G, 05/07
        (0, 20, 9, "532"),  # H
        # rows E and F of the source contradict its own rule (handbook V30): the rule gives 112 and 345
        (18, 6, 5, "112"),
        (4, 40, 90, "345"),
    ],
)
def test_v30_fixed_limits(months, orders, spend, score):
    found = (
        fixed_score(months, V30_R, descending=True),
        fixed_score(orders, V30_F),
        fixed_score(spend, V30_M),
    )
    assert "".join(map(str, found)) == score


def test_v30_through_the_engine():
    people = [
        ("A", 2, 12, 6),
        ("B", 6, 18, 9),
        ("C", 8, 35, 40),
        ("D", 0, 1, 1),
        ("G", 14, 5, 2),
        ("H", 0, 20, 9),
    ]
    found = run(
        rfm, *book(people), context=YEAR, r_limits="1,3,6,9", f_limits="10;19;29;40", m_limits="5, 10, 20, 50"
    )
    assert {r["customer_id"]: r["score"] for r in rows(found, "customers")} == {
        "A": "422",
        "B": "322",
        "C": "244",
        "D": "511",
        "G": "111",
        "H": "532",
    }


@given(st.floats(0, 100), st.lists(st.integers(1, 99), min_size=4, max_size=4, unique=True).map(sorted))
def test_fixed_scores_turn_round(value, limits):
    assert fixed_score(value, limits) + fixed_score(value, limits, descending=True) == 6
    assert fixed_score(limits[3], limits) == 4
    assert fixed_score(limits[3] + 1, limits) == 5


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,x", "4,3,2,1", "1,1,2,3", "1,2,3,4,5"])
def test_limits_must_be_four_rising_numbers(text):
    with pytest.raises(BadParameter, match="four rising numbers"):
        parsed(text, "r")


def test_golden_scores_of_ten_customers():
    people = [(f"K{i}", 10 * (i + 1), 10 - i, 100 * (10 - i)) for i in range(10)]
    names = st_.customers({"K0": "Adler AG"})
    found = run(rfm, *book(people), names, context=YEAR)
    assert rows(found, "customers")[0] == {
        "customer_id": "K0",
        "name": "Adler AG",
        "recency_days": 10,
        "frequency": 10,
        "monetary": 1000,
        "r": 5,
        "f": 5,
        "m": 5,
        "score": "555",
        "segment": "Champions",
    }
    assert (
        column(found, "customers", "score")
        == ["555"] * 2 + ["444"] * 2 + ["333"] * 2 + ["222"] * 2 + ["111"] * 2
    )
    assert found.figures["champions"] == 2
    assert found.figures["champions_value_share"] == pytest.approx(1900 / 5500)
    assert found.figures["median_recency_days"] == 55


def test_ties_share_their_score_and_groups_may_be_unequal():
    # 8 of 10 customers ordered once: mid-rank 4.5, score ceil(5 * 4 / 10) = 2 for all of them
    people = [(f"K{i}", i + 1, 1 if i < 8 else i, 10) for i in range(10)]
    found = run(rfm, *book(people), context=YEAR)
    assert {r["customer_id"]: r["f"] for r in rows(found, "customers")} == {
        **{f"K{i}": 2 for i in range(8)},
        "K8": 5,
        "K9": 5,
    }
    assert set(column(found, "customers", "m")) == {3}
    assert "0, 8, 0, 0, 2" in texts(found)


people = st.lists(
    st.tuples(st.integers(0, 700), st.integers(1, 12), st.integers(-500, 10_000)), min_size=1, max_size=25
)


@settings(max_examples=25, deadline=None)
@given(people, st.randoms(use_true_random=False))
def test_scores_are_the_formula_whatever_the_row_order(values, rand):
    named = [(f"K{i:02d}", *v) for i, v in enumerate(values)]
    mixed = list(named)
    rand.shuffle(mixed)
    found = {r["customer_id"]: r for r in rows(run(rfm, *book(mixed), context=YEAR), "customers")}
    n = len(values)
    for key, r, f, m in named:
        for name, value, all_values, sign in (
            ("r", r, [v[0] for v in values], -1),
            ("f", f, [v[1] for v in values], 1),
            ("m", m, [v[2] for v in values], 1),
        ):
            less = sum(sign * v < sign * value for v in all_values)
            equal = sum(v == value for v in all_values)
            midrank = Decimal(2 * less + equal + 1) / 2
            assert found[key][name] == ceil(5 * (midrank - Decimal("0.5")) / n)


def test_segments_cover_the_plane_exactly_once():
    for r in range(1, 6):
        for f in range(1, 6):
            inside = [name for name, r0, r1, f0, f1 in RECTANGLES if r0 <= r <= r1 and f0 <= f <= f1]
            assert inside == [segment_of(r, f)]
    assert len({name for name, *_ in RECTANGLES}) == 8


def test_cells_and_segments_add_up():
    people_ = [(f"K{i:02d}", (i * 37) % 400, 1 + (i * 7) % 9, 10 + i) for i in range(40)]
    found = run(rfm, *book(people_), context=YEAR)
    assert len(rows(found, "cells")) == 25
    for table in ("cells", "segments"):
        assert sum(column(found, table, "customers")) == 40
        assert sum(column(found, table, "value")) == found.figures["total_value"]
        assert sum(column(found, table, "value_share")) == pytest.approx(1)
    assert column(found, "segments", "segment") == [name for name, *_ in RECTANGLES]
    assert found.figures["endangered"] == sum(
        r["customers"] for r in rows(found, "segments") if r["segment"] in ("At risk", "Can't lose")
    )


def test_mean_per_order_separates_m_from_f():
    people_ = [("MANY", 5, 10, 1000), ("FEW", 5, 1, 500)]
    found = run(rfm, *book(people_), context=YEAR, monetary="mean")
    assert {r["customer_id"]: r["monetary"] for r in rows(found, "customers")} == {"MANY": 100, "FEW": 500}
    assert found.figures["total_value"] == 1500


def test_customers_without_an_order_are_not_scored():
    found = run(rfm, *book([("A", 5, 2, 10), ("RETURNED", 9, 0, 0)]), context=YEAR)
    assert column(found, "customers", "customer_id") == ["A"]
    assert column(found, "customers", "score") == ["333"]
    assert "Scored customers: 1" in texts(found)


def test_nobody_is_red():
    found = run(rfm, *book([]), context=YEAR)
    assert flags(found) == ["red"]
    assert sum(column(found, "cells", "customers")) == 0
    assert found.lines == ()


def test_a_short_history_is_said():
    late = replace(YEAR, first_day=date(2023, 7, 1))
    assert "not fully covered" in texts(run(rfm, *book([("A", 5, 2, 10)]), context=late))


def test_the_sentence_names_what_hangs_on_the_endangered():
    people_ = [(f"K{i}", 1 + i, 1, 10) for i in range(8)] + [("GONE", 300, 9, 100), ("AWAY", 400, 8, 120)]
    found = run(rfm, *book(people_), context=YEAR)
    assert found.figures["endangered"] == 2
    assert "Endangered: 2 once frequent customers" in str(found.lines[-1])
    assert "73.3" in str(found.lines[-1])


@pytest.mark.real
def test_cdnow_sample_agrees_with_plain_numpy():
    import ibis
    import numpy as np

    if not (st_.DATA / "cdnow").exists():
        pytest.skip("REAL DATA ABSENT: cdnow is not in ../shared/data")
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"create table lines as {st_._LINES['cdnow_sample'].format(data=st_.DATA)}")
    connection.raw_sql(
        "create table totals as select customer_id, count(distinct day)::bigint as order_days, "
        "sum(cast(amount as decimal(18,4)))::decimal(38,4) as matched_revenue from lines group by all"
    )
    connection.raw_sql(
        "create table histories as select customer_id, max(day) as last_day from lines group by all"
    )
    context = replace(
        YEAR, as_of=date(1998, 7, 1), start=None, end=date(1998, 7, 1), first_day=date(1997, 1, 1)
    )
    found = run(rfm, connection.table("totals"), connection.table("histories"), context=context)
    table = found.tables["customers"].to_pyarrow().to_pydict()
    for raw, name, sign in (("recency_days", "r", -1), ("frequency", "f", 1), ("monetary", "m", 1)):
        values = sign * np.array(table[raw], dtype=float)
        less = (values[:, None] > values[None, :]).sum(axis=1)
        equal = (values[:, None] == values[None, :]).sum(axis=1)
        expected = -(-(5 * (2 * less + equal)) // (2 * values.size))
        assert np.array(table[name]).tolist() == expected.tolist()
    assert found.figures["customers"] == 2357
