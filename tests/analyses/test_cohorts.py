"""Cohorts against tables worked out by hand, against pandas, and on CDNOW."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_books import DATA, book, cdnow, declared, rows, value

from klientel.analyses.cohorts import cohorts

# Two customers won in January, one in February, one in April; the as-of date lies inside April.
SALES = [
    ("a", "2024-01-05", 10), ("a", "2024-02-07", 20), ("a", "2024-04-03", 5),
    ("b", "2024-01-20", 7),
    ("c", "2024-02-01", 4), ("c", "2024-03-31", 4),
    ("d", "2024-04-10", 1),
]  # fmt: skip


# A failing book shrinks for minutes; the example that failed first says enough.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def run(made, **parameters):
    outcome = cohorts.function(made.histories, made.purchases, context=made.context, **parameters)
    declared(cohorts, outcome)
    return outcome


def cells(outcome):
    return {(r["cohort"].isoformat(), r["age"]): r for r in rows(outcome.tables["cohorts"])}


def test_matrix_by_hand():
    found = cells(run(book(SALES, "2024-04-15")))
    counts = {key: (r["size"], r["active"], r["complete"]) for key, r in found.items()}
    assert counts == {
        ("2024-01-01", 0): (2, 2, True), ("2024-01-01", 1): (2, 1, True), ("2024-01-01", 2): (2, 0, True),
        ("2024-01-01", 3): (2, 1, False),
        ("2024-02-01", 0): (1, 1, True), ("2024-02-01", 1): (1, 1, True), ("2024-02-01", 2): (1, 0, False),
        ("2024-04-01", 0): (1, 1, False),
    }  # fmt: skip
    assert found["2024-01-01", 1]["share"] == 0.5
    assert found["2024-01-01", 3]["share"] is None  # the running month is counted, not rated
    # Wilson 1 of 2: z = 1.959964, centre 0.5, half width 0.405469
    assert found["2024-01-01", 1]["share_low"] == pytest.approx(0.094531, abs=1e-6)
    assert found["2024-01-01", 2]["share_low"] == 0.0


def test_last_period_is_complete_when_the_as_of_date_ends_it():
    found = cells(run(book(SALES, "2024-05-01")))
    assert found["2024-01-01", 3]["share"] == 0.5
    assert found["2024-04-01", 0]["complete"]


def test_rolling_counts_then_or_later():
    found = cells(run(book(SALES, "2024-05-01"), kind="rolling"))
    assert [found["2024-01-01", k]["active"] for k in range(4)] == [2, 1, 1, 1]


def test_quarters_and_fiscal_years():
    found = cells(run(book(SALES, "2024-07-01"), grain="quarter"))
    assert {k: (r["size"], r["active"]) for k, r in found.items()} == {
        ("2024-01-01", 0): (3, 3), ("2024-01-01", 1): (3, 1), ("2024-04-01", 0): (1, 1),
    }  # fmt: skip
    fiscal = cells(run(book(SALES, "2024-07-01", fiscal=4), grain="year"))
    assert {k: (r["size"], r["active"], r["complete"]) for k, r in fiscal.items()} == {
        ("2023-04-01", 0): (3, 3, True), ("2023-04-01", 1): (3, 1, False), ("2024-04-01", 0): (1, 1, False),
    }  # fmt: skip


def test_curve_pools_complete_cells_weighted_by_size():
    curve = rows(run(book(SALES, "2024-04-15")).tables["curve"])
    assert [(r["age"], r["cohorts"], r["size"], r["active"]) for r in curve] == [
        (0, 2, 3, 3), (1, 2, 3, 2), (2, 1, 2, 0),
    ]  # fmt: skip
    assert curve[1]["share"] == pytest.approx(2 / 3)


def test_figures_and_sentences():
    outcome = run(book(SALES, "2024-04-15"))
    figures = {k: value(v) for k, v in outcome.figures.items()}
    # a and c returned in a later month; d has had no complete later month
    assert figures == {
        "cohorts": 3, "customers": 4, "share_next_period": pytest.approx(2 / 3), "repeat_share_12": None,
        "share_ever_returned": pytest.approx(2 / 3),
    }  # fmt: skip
    assert any("of 3 customers" in line for line in outcome.lines)


def test_revenue_adds_up_and_has_zeros():
    assert sum(r["revenue"] for r in rows(run(book(SALES, "2024-04-15")).tables["revenue"])) == Decimal(45)
    revenue = rows(run(book(SALES, "2024-05-01")).tables["revenue"])
    assert sum(r["revenue"] for r in revenue) == Decimal(51)
    by = {(r["cohort"].isoformat(), r["period"].isoformat()): (r["customers"], r["revenue"]) for r in revenue}
    assert by["2024-01-01", "2024-01-01"] == (2, Decimal(17))
    assert by["2024-01-01", "2024-04-01"] == (1, Decimal(5))
    assert by["2024-04-01", "2024-04-01"] == (1, Decimal(1))


def test_more_than_five_years_use_several_words():
    sales = [("a", "2015-01-15", 1), ("a", "2020-01-15", 1), ("a", "2020-02-15", 1), ("a", "2024-12-15", 1)]
    made = book(sales, "2025-01-01")
    assert "months_1" in made.histories.columns
    active = {k[1] for k, r in cells(run(made)).items() if r["active"]}
    assert active == {0, 60, 61, 119}
    years = {k[1] for k, r in cells(run(made, grain="year")).items() if r["active"]}
    assert years == {0, 5, 9}


def test_a_quarter_across_the_word_border():
    sales = [("a", "2015-02-15", 1), ("a", "2020-02-15", 1)]  # epoch February: bits 59 and 60 share a quarter
    found = cells(run(book(sales, "2020-04-01"), grain="quarter"))
    assert [k[1] for k, r in found.items() if r["active"]] == [0, 20]


def test_first_cohort_of_older_customers_is_told():
    sales = [(f"old{i}", "2024-01-10", 1) for i in range(30)]
    sales += [(f"n{m}{i}", f"2024-{m:02d}-10", 1) for m in (2, 3, 4) for i in range(5)]
    outcome = run(book(sales, "2024-06-01"))
    assert any(flag == "amber" and "older than the data" in text for flag, text in outcome.reasons)
    left = run(book(sales, "2024-06-01"), skip=1)
    assert value(left.figures["customers"]) == 15
    assert left.excluded == 30
    assert not left.reasons


def test_one_customer_and_too_short_a_history():
    outcome = run(book([("a", "2024-01-05", 10)], "2024-01-20"))
    assert [f for f, _ in outcome.reasons] == ["red"]
    assert value(outcome.figures["share_ever_returned"]) is None
    assert len(rows(outcome.tables["cohorts"])) == 1


def test_customers_without_an_order_are_left_out():
    made = book([("a", "2024-01-05", 10), ("z", "2024-01-06", -3)], "2024-03-01")
    outcome = run(made)
    assert (outcome.n, outcome.excluded) == (1, 1)


orders = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 700), st.integers(1, 500)), min_size=1, max_size=40
)


@settings(max_examples=10, deadline=None, phases=QUICK)
@given(orders, st.sampled_from(["month", "quarter", "year"]), st.integers(1, 12))
def test_counts_agree_with_plain_python(sales, grain, fiscal):
    first = date(2022, 3, 1)
    dated = [(c, first + timedelta(days=n), v) for c, n, v in sales]
    made = book([(c, d.isoformat(), v) for c, d, v in dated], "2024-02-10", fiscal=fiscal)
    outcome = run(made, grain=grain)
    step = {"month": 1, "quarter": 3, "year": 12}[grain]

    def number(d):
        return (d.year * 12 + d.month - fiscal) // step

    won = {c: min(number(d) for x, d, _ in dated if x == c) for c, _, _ in dated}
    active = {(won[c], number(d) - won[c], c) for c, d, _ in dated}
    expected = {}
    for cohort, age, _ in active:
        expected[cohort, age] = expected.get((cohort, age), 0) + 1
    found = {
        (number(r["cohort"]), r["age"]): r["active"] for r in rows(outcome.tables["cohorts"]) if r["active"]
    }
    assert found == expected
    ended = sum(v for _, d, v in dated if number(d) < number(date(2024, 2, 9)))  # the last period is running
    assert sum(r["revenue"] for r in rows(outcome.tables["revenue"])) == ended


@settings(max_examples=3, deadline=None, phases=QUICK)
@given(orders, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(sales, chance):
    named = [(c, (date(2022, 3, 1) + timedelta(days=n)).isoformat(), v) for c, n, v in sales]
    mixed = list(named)
    chance.shuffle(mixed)
    one, two = (run(book(s, "2024-02-10")) for s in (named, mixed))
    assert all(rows(one.tables[t]) == rows(two.tables[t]) for t in one.tables)
    assert one.figures == two.figures


@pytest.mark.real
def test_cdnow():
    if not DATA.exists():
        pytest.skip("the real data do not lie beside the checkout")
    outcome = run(book(cdnow(), "1998-07-01"))
    found = cells(outcome)
    assert [found[f"1997-0{m}-01", 0]["size"] for m in (1, 2, 3)] == [7846, 8476, 7248]
    assert value(outcome.figures["customers"]) == 23570
    assert sum(r["revenue"] for r in rows(outcome.tables["revenue"])) == Decimal("2500315.63")
    assert not outcome.reasons
