"""The five lenses by hand, their identities, and the truths of the real data."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_books import DATA, book, cdnow, declared, northwind, rows, value

from klientel.analyses.audit import audit
from klientel.errors import BadParameter

# window before: 2023, window: 2024
SALES = [
    ("a", "2023-02-01", 100), ("a", "2023-08-01", 100), ("a", "2024-02-01", 150), ("a", "2024-05-01", 150),
    ("a", "2024-08-01", 150),
    ("b", "2023-03-01", 50),
    ("c", "2024-04-01", 30), ("c", "2024-04-11", 30),
    ("d", "2022-01-10", 10), ("d", "2023-12-01", 40), ("d", "2024-12-01", 20),
]  # fmt: skip


# A failing book shrinks for minutes; the example that failed first says enough.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def run(made, **parameters):
    outcome = audit.function(made.purchases, made.customers, context=made.context, **parameters)
    declared(audit, outcome)
    return outcome


def figures(outcome):
    return {k: value(v) for k, v in outcome.figures.items()}


def test_figures_by_hand():
    found = figures(run(book(SALES, "2025-01-01")))
    assert found == {
        "customers": 4, "active_customers_12m": 3, "revenue_total": 830, "revenue_12m": 530, "orders": 11,
        "order_days": 11, "average_order_value": Decimal("75.4545"), "repeat_rate": 0.75,
        "repeat_rate_by_order_number": 0.75, "revenue_change": 240, "top_decile_share": None,
        # pauses of a: 181, 184, 90, 92; of c: 10; of d: 690, 366
        "median_days_between_orders": 181.0,
    }  # fmt: skip


def test_lens_1_customers_and_tenths():
    sales = [(f"c{i:02d}", "2024-06-01", 10 * (i + 1)) for i in range(20)] + [("c19", "2024-07-01", 0)]
    outcome = run(book(sales, "2025-01-01", margin_share="0.4"))
    deciles = rows(outcome.tables["deciles"])
    assert [(r["decile"], r["customers"], r["revenue"]) for r in deciles][:2] == [(1, 2, 390), (2, 2, 350)]
    assert deciles[0]["share"] == pytest.approx(390 / 2100)
    assert deciles[0]["orders_per_customer"] == 1.5
    assert deciles[0]["value_per_order"] == 130
    assert deciles[0]["margin_share"] == pytest.approx(0.4)
    assert sum(r["share"] for r in deciles) == pytest.approx(1)
    first = rows(outcome.tables["customers"])[0]
    assert (first["customer_id"], first["orders"], first["value_per_order"], first["decile"]) == (
        "c19",
        2,
        100,
        1,
    )


def test_equal_customers_share_a_tenth():
    sales = [(f"c{i}", "2024-06-01", 10) for i in range(7)]
    assert len(rows(run(book(sales, "2025-01-01")).tables["deciles"])) == 1


def test_margin_is_empty_where_it_is_not_known():
    assert all(r["margin_share"] is None for r in rows(run(book(SALES, "2025-01-01")).tables["deciles"]))


def test_lens_2_groups_and_factors():
    outcome = run(book(SALES, "2025-01-01"))
    assert [tuple(r.values()) for r in rows(outcome.tables["changes"])] == [
        ("left", 1, 50, 0, -50), ("came", 1, 0, 60, 60), ("stayed", 2, 240, 470, 230),
    ]  # fmt: skip
    steps = rows(outcome.tables["drivers"])
    assert [(r["step"], r["before"], r["after"]) for r in steps[1:-1]] == [
        ("customers", 3, 4), ("share active", 1, 0.75), ("orders per active", pytest.approx(4 / 3), 2),
        ("value per order", 72.5, pytest.approx(530 / 6)),
    ]  # fmt: skip
    stayers = rows(outcome.tables["stayers"])
    # 3 orders of 80 became 4 of 117.50; L = 230 / ln(470 / 240)
    assert [(r["step"], r["before"], r["after"]) for r in stayers[1:-1]] == [
        ("number of orders", 3, 4), ("value per order", 80, 117.5),
    ]  # fmt: skip
    assert stayers[1]["amount"] == Decimal("98.45")
    for table in (steps, stayers):
        assert table[0]["amount"] + sum(r["amount"] for r in table[1:-1]) == table[-1]["amount"]


def test_lens_3_one_cohort():
    outcome = run(book(SALES, "2025-01-01"), cohort="2023-02", grain="year")
    names = ("size", "active", "share", "orders_per_active", "value_per_order", "revenue")
    assert [(r["period"].year, *(r[n] for n in names)) for r in rows(outcome.tables["life"])] == [
        (2023, 2, 2, 1.0, 1.5, Decimal("83.3333"), 250), (2024, 2, 1, 0.5, 3.0, 150, 450),
    ]  # fmt: skip
    with pytest.raises(BadParameter, match="there are cohorts from"):
        run(book(SALES, "2025-01-01"), cohort="2019-01")
    with pytest.raises(BadParameter, match="is not a month"):
        run(book(SALES, "2025-01-01"), cohort="soon")


def test_lens_4_equal_age_and_running_period_left_out():
    ages = rows(run(book(SALES, "2024-12-15"), grain="year").tables["ages"])
    assert [(r["cohort"].year, r["age"], r["revenue_per_customer"], r["revenue_so_far"]) for r in ages] == [
        (2022, 0, 10, 10), (2022, 1, 40, 50), (2023, 0, 125, 125),
    ]  # fmt: skip


def test_lens_5_stack_and_statuses():
    outcome = run(book(SALES, "2025-01-01"), grain="year")
    stack = rows(outcome.tables["stack"])
    assert [(r["acquired"], r["period"].year, r["active"], r["revenue"]) for r in stack] == [
        ("2022", 2022, 1, 10), ("2022", 2023, 1, 40), ("2022", 2024, 1, 20),
        ("2023", 2023, 2, 250), ("2023", 2024, 1, 450), ("2024", 2024, 1, 60),
    ]  # fmt: skip
    assert rows(outcome.tables["statuses"]) == [{"status": "active", "customers": 4}]


def test_thin_books_do_not_break():
    one = run(book([("a", "2024-06-01", 10)], "2025-01-01"))
    assert figures(one)["median_days_between_orders"] is None
    assert [r["step"] for r in rows(one.tables["stayers"])] == ["opening", "closing"]
    assert [r["step"] for r in rows(one.tables["drivers"])] == ["opening", "change", "closing"]
    credit = run(book([("a", "2024-06-01", 10), ("z", "2024-06-02", -4)], "2025-01-01"))
    assert (credit.n, credit.excluded) == (1, 1)
    assert rows(credit.tables["changes"])[-1]["group"] == "credit notes only"
    assert sum(r["change"] for r in rows(credit.tables["changes"])) == 6


def test_short_history_is_told_and_whole_history_has_no_second_window():
    short = run(book([("a", "2024-02-01", 5), ("a", "2024-06-01", 5)], "2025-01-01"))
    assert short.reasons[0][0] == "amber"
    assert len(short.lines) == 1
    whole = run(book(SALES, "2025-01-01"), window="all")
    assert any("there is only one" in text for _, text in whole.reasons)
    assert sum(r["revenue"] for r in rows(whole.tables["customers"])) == 830


sales_ = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 1100), st.integers(-300, 2000)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=6, deadline=None, phases=QUICK)
@given(sales_, st.sampled_from(["month", "quarter", "year"]), st.randoms(use_true_random=False))
def test_identities_and_row_order(sales, grain, chance):
    named = [(c, (date(2022, 1, 1) + timedelta(days=n)).isoformat(), v) for c, n, v in sales]
    outcome = run(book(named, "2025-01-10"), grain=grain)
    found = figures(outcome)
    bought = {c for c, _, v in sales if v >= 0}
    assert found["customers"] == len(bought)
    assert found["revenue_total"] == sum(v for _, _, v in sales)
    ended = sum(v for c, d, v in named if c in bought and d < "2025-01-01")  # January 2025 is running
    assert sum(r["revenue"] for r in rows(outcome.tables["stack"])) == ended
    for name in ("drivers", "stayers"):
        table = rows(outcome.tables[name])
        assert table[0]["amount"] + sum(r["amount"] for r in table[1:-1]) == table[-1]["amount"]
    change = rows(outcome.tables["changes"])
    assert sum(r["change"] for r in change) == found["revenue_change"]
    mixed = list(named)
    chance.shuffle(mixed)
    again = run(book(mixed, "2025-01-10"), grain=grain)
    assert again.figures == outcome.figures
    assert all(rows(again.tables[t]) == rows(outcome.tables[t]) for t in again.tables)


@pytest.mark.real
@pytest.mark.parametrize(
    ("sales", "as_of", "truth"),
    [
        (northwind, "1998-05-07", ("1265793.04", "856885.23", 88, 0.988764, 89)),
        (cdnow, "1998-07-01", ("2500315.63", "1069356.50", 8332, 0.488587, 23570)),
    ],
)
def test_real_truths(sales, as_of, truth):
    if not DATA.exists():
        pytest.skip("the real data do not lie beside the checkout")
    found = figures(run(book(sales(), as_of)))
    cents = Decimal("0.01")
    assert found["revenue_total"].quantize(cents) == Decimal(truth[0])
    assert found["revenue_12m"].quantize(cents) == Decimal(truth[1])
    assert found["active_customers_12m"] == truth[2]
    assert found["repeat_rate"] == pytest.approx(truth[3], abs=1e-6)
    assert found["customers"] == truth[4]
