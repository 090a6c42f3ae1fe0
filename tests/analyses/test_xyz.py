"""XYZ: classes by hand, zero months, the running month, season, thin histories, the matrix."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import structure_tables as st_
from hypothesis import given, settings
from hypothesis import strategies as st
from structure_tables import MONEY, YEAR, column, flags, memtable, purchases, rows, run, texts

from klientel.analyses.xyz import PLAYS, xyz
from klientel.errors import BadParameter, MissingInput
from klientel.periods import add_months

START = date(2022, 1, 1)


def book(series, start=START):
    """purchases and histories from {customer: values of consecutive months}, on the 10th of each month."""
    bought = [
        (key, add_months(start, i).replace(day=10), v)
        for key, values in series.items()
        for i, v in enumerate(values)
        if v
    ]
    first = {}
    for key, day, _ in bought:
        first[key] = min(first.get(key, day), day)
    histories = memtable(
        [{"customer_id": k, "first_day": d} for k, d in first.items()],
        {"customer_id": "string", "first_day": "date"},
    )
    return purchases(bought), histories


def by_customer(outcome):
    return {r["customer_id"]: r for r in rows(outcome, "customers")}


def test_classes_of_twelve_months_by_hand():
    series = {
        "STEADY": [0] * 12 + [100, 104, 98, 102, 96, 100] * 2,
        "VARYING": [0] * 12 + [1, 3, 0, 2] * 3,  # mean 1.5, variance 1.25: CV .745
        "LUMPY": [0] * 12 + [9, 0, 9, 0, 900, 0, 9, 0, 9, 0, 9, 0],
    }
    found = by_customer(run(xyz, *book(series), context=YEAR, window="12"))
    assert {k: r["grade"] for k, r in found.items()} == {"STEADY": "X", "VARYING": "Y", "LUMPY": "Z"}
    assert found["STEADY"]["cv"] == pytest.approx(0.02582, abs=5e-6)
    assert found["VARYING"]["cv"] == pytest.approx((1.25**0.5) / 1.5)
    assert found["VARYING"]["adi"] == pytest.approx(12 / 9)
    assert found["LUMPY"]["pattern"] == "lumpy"
    assert found["STEADY"]["mean"] == 100
    # 1200 + 945 + 18: STEADY has 0 % before it, LUMPY 55.5 %, VARYING 99.2 %
    assert {k: r["abc"] for k, r in found.items()} == {"STEADY": "A", "VARYING": "C", "LUMPY": "A"}


def test_zero_months_before_the_first_order_do_not_count_but_later_ones_do():
    late = {"LATE": [0] * 12 + [50] * 12, "GAPS": [50] + [0] * 11 + [50] * 12}
    found = by_customer(run(xyz, *book(late), context=YEAR, method="plain"))
    assert (found["LATE"]["periods"], found["LATE"]["cv"]) == (12, 0.0)
    assert (found["GAPS"]["periods"], found["GAPS"]["active_periods"]) == (24, 13)
    assert found["GAPS"]["cv"] == pytest.approx((11 / 13) ** 0.5)


def test_the_running_month_is_left_out():
    series = {"A": [50] * 24}
    bought, histories = book(series)
    mid = replace(YEAR, as_of=date(2023, 12, 15), end=date(2023, 12, 15))
    found = run(xyz, bought, histories, context=mid, window="12")
    assert found.figures["periods"] == 12
    assert by_customer(found)["A"]["periods"] == 12
    assert by_customer(found)["A"]["cv"] == 0.0  # December, not over, is no zero month


def test_season_and_trend_are_taken_out_from_24_months_on():
    seasonal = [10, 10, 10, 200, 300, 200, 10, 10, 10, 10, 10, 10]
    series = {"GARDEN": [v + 2 * i for i, v in enumerate(seasonal * 2)], "ODD": [1, 400, 3, 2, 1, 2] * 4}
    auto = run(xyz, *book(series), context=YEAR)
    plain = run(xyz, *book(series), context=YEAR, method="plain")
    assert by_customer(plain)["GARDEN"]["grade"] == "Z"
    assert by_customer(auto)["GARDEN"]["grade"] == "X"
    assert by_customer(auto)["GARDEN"]["cv_plain"] == pytest.approx(by_customer(plain)["GARDEN"]["cv"])
    assert "season" in auto.figures["method"]
    assert "plain" in plain.figures["method"]


def test_too_few_purchases_or_too_short_a_history_have_no_class():
    series = {
        "RARE": [0] * 12 + [10, 0, 0, 10, 0, 0, 10, 0, 10, 0, 10, 0],  # 5 active months
        "NEW": [0] * 13 + [10] * 11,
        "OLD": [0] * 12 + [10] * 12,
    }
    found = run(xyz, *book(series), context=YEAR)
    grades = {k: r["grade"] for k, r in by_customer(found).items()}
    assert grades == {"RARE": "insufficient", "NEW": "insufficient", "OLD": "X"}
    assert (found.n, found.excluded) == (1, 2)
    assert by_customer(found)["RARE"]["cv"] is None
    assert "Most customers have no class" in texts(found)


def test_a_mean_that_is_not_positive_is_undefined():
    series = {"BACK": [0] * 12 + [10, -20] * 6, "OK": [0] * 12 + [10] * 12}
    bought, histories = book(series)
    found = run(xyz, bought, histories, context=YEAR, window="12")
    assert by_customer(found)["BACK"]["grade"] == "undefined"
    assert by_customer(found)["BACK"]["abc"] == "N"


def test_the_matrix_has_nine_cells_with_plays_and_adds_up():
    series = {f"K{i}": [0] * 12 + [100 * (i + 1)] * 12 for i in range(6)}
    series |= {f"Z{i}": [0] * 12 + [9, 0, 9, 0, 900, 0, 9, 0, 9, 0, 9, 0] for i in range(2)}
    found = run(xyz, *book(series), context=YEAR)
    cells = rows(found, "matrix")
    assert [c["abc"] + c["xyz"] for c in cells] == [a + x for a in "ABC" for x in "XYZ"]
    assert [c["play"] for c in cells] == [PLAYS[c["abc"] + c["xyz"]] for c in cells]
    assert sum(c["customers"] for c in cells) == found.figures["classified"] == 8
    assert sum(c["value_share"] for c in cells) == pytest.approx(1)
    assert found.figures["x_customers"] == 6
    assert found.figures["x_value_share"] == pytest.approx(25200 / (25200 + 2 * 945))
    assert "6 of 8 classified customers buy steadily" in str(found.lines[0])


def test_quarters():
    series = {"A": [30, 0, 0] * 8, "B": [1, 0, 0, 9, 0, 0] * 4}
    found = run(xyz, *book(series), context=YEAR, grain="quarter")
    assert found.figures["periods"] == 8
    assert {k: (r["grade"], r["periods"]) for k, r in by_customer(found).items()} == {
        "A": ("X", 8),
        "B": ("Y", 8),
    }
    assert by_customer(found)["B"]["cv"] == pytest.approx(0.8)


def test_a_short_book_is_red_and_says_what_is_needed():
    short = replace(YEAR, first_day=date(2023, 6, 1))
    found = run(xyz, *book({"A": [5] * 7}, date(2023, 6, 1)), context=short)
    assert flags(found) == ["red"]
    assert "needs 12 complete months, the data hold 7" in texts(found)
    assert found.figures["classified"] == 0
    assert set(column(found, "customers", "grade")) == {"insufficient"}


def test_nobody():
    found = run(xyz, *book({}), context=YEAR)
    assert "red" in flags(found)
    assert rows(found, "customers") == []
    assert len(rows(found, "matrix")) == 9
    with pytest.raises(MissingInput, match="dates"):
        run(xyz, *book({}), context=st_.UNDATED)


def test_presets_and_limits():
    series = {"A": [0] * 12 + [100, 140, 60, 110, 80, 110] * 2}  # CV .25166 (V47)
    grade = {
        p: column(run(xyz, *book(series), context=YEAR, preset=p), "customers", "grade")[0]
        for p in ("customers", "strict", "materials")
    }
    assert grade == {"customers": "X", "strict": "Y", "materials": "Z"}
    assert column(run(xyz, *book(series), context=YEAR, ddof=1), "customers", "cv") == pytest.approx(
        [0.25166 * (12 / 11) ** 0.5], abs=1e-5
    )
    with pytest.raises(BadParameter, match="above"):
        run(xyz, *book(series), context=YEAR, x=0.9, y=0.5)


def test_rows_on_or_after_the_as_of_date_are_not_read():
    series = {"A": [0] * 12 + [50] * 12 + [5000]}
    before = run(xyz, *book({"A": series["A"][:24]}), context=YEAR)
    after = run(xyz, *book(series), context=YEAR)
    assert rows(before, "customers") == rows(after, "customers")


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 500), min_size=12, max_size=12), min_size=1, max_size=6),
    st.integers(2, 50),
)
def test_currency_scaling_changes_no_class(series, factor):
    small = {f"K{i}": [0] * 12 + s for i, s in enumerate(series) if any(s)}
    large = {k: [v * factor for v in s] for k, s in small.items()}
    first, second = (run(xyz, *book(b), context=YEAR) for b in (small, large))
    assert column(first, "customers", "grade") == column(second, "customers", "grade")


def test_memory_pieces_change_nothing(monkeypatch):
    import sys

    series = {
        f"K{i:02d}": [0] * (i % 5) + [10 + i * (j % (i + 2)) for j in range(24 - i % 5)] for i in range(17)
    }
    whole = run(xyz, *book(series), context=YEAR)
    monkeypatch.setattr(sys.modules["klientel.analyses.xyz"], "_ROWS", 4)
    pieces = run(xyz, *book(series), context=YEAR)
    assert column(whole, "customers", "cv") == pytest.approx(column(pieces, "customers", "cv"))
    assert column(whole, "customers", "grade") == column(pieces, "customers", "grade")


@pytest.mark.real
def test_cdnow_full_is_fast_and_mostly_without_a_class():

    import ibis

    if not (st_.DATA / "cdnow").exists():
        pytest.skip("REAL DATA ABSENT: cdnow is not in ../shared/data")
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"create table lines as {st_._LINES['cdnow_full'].format(data=st_.DATA)}")
    connection.raw_sql(
        f"create table purchases as select customer_id, day, sum(amount)::{MONEY} as revenue "
        "from lines group by all"
    )
    connection.raw_sql(
        "create table histories as select customer_id, min(day) as first_day from lines group by all"
    )
    context = replace(
        YEAR, as_of=date(1998, 7, 1), start=date(1996, 7, 1), end=date(1998, 7, 1), first_day=date(1997, 1, 1)
    )
    found = run(xyz, connection.table("purchases"), connection.table("histories"), context=context)
    assert found.figures["periods"] == 18
    assert found.n + found.excluded == 23_570
    assert found.excluded > found.n
    assert "not fully covered" in texts(found)
