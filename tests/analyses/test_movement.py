"""Movement by hand, with the rule of ABC, and as properties: the bridge adds up to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_books import DATA, book, declared, northwind, rows, value

from klientel.analyses.movement import movement
from klientel.errors import BadParameter

OLD, BEFORE, NOW = "2022-12-20", "2023-06-15", "2024-06-15"


# A failing book shrinks for minutes; the example that failed first says enough.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def run(made, **parameters):
    outcome = movement.function(
        made.totals, made.before, made.customers, made.histories, context=made.context, **parameters
    )
    declared(movement, outcome)
    return outcome


def figures(outcome):
    return {k: value(v) for k, v in outcome.figures.items()}


# before: a 800 (A), b 150 (B), c 50 (C) -> now: a 500 (A), b gone, c 400 (A), d new 60, e back with 40
SALES = [
    ("a", BEFORE, 800), ("b", BEFORE, 150), ("c", BEFORE, 50),
    ("a", NOW, 500), ("c", NOW, 400), ("d", NOW, 60), ("e", OLD, 10), ("e", NOW, 40),
]  # fmt: skip


def test_by_hand():
    outcome = run(book(SALES, "2025-01-01"))
    assert [(r["customer_id"], r["class_before"], r["class_now"], r["change"], r["movement"])
            for r in rows(outcome.tables["customers"])] == [
        ("c", "C", "A", 350, "up"), ("a", "A", "A", -300, "down"), ("b", "B", None, -150, "lost"),
        ("d", None, "B", 60, "new"), ("e", None, "C", 40, "reactivated"),
    ]  # fmt: skip
    assert [(r["step"], r["customers"], r["amount"]) for r in rows(outcome.tables["bridge"])] == [
        ("opening", 3, 1000), ("lost", 1, -150), ("down", 1, -300), ("up", 1, 350), ("reactivated", 1, 40),
        ("new", 1, 60), ("closing", 4, 1000),
    ]  # fmt: skip
    found = figures(outcome)
    assert (found["change"], found["growth"], found["customers_lost"], found["customers_new"]) == (0, 0, 1, 1)
    assert found["a_stayed"] == 1.0
    assert any("largest decline is Firm a" in line for line in outcome.lines)


def test_matrix_rows_add_up_and_carry_wilson_limits():
    matrix = {(r["from"], r["to"]): r for r in rows(run(book(SALES, "2025-01-01")).tables["matrix"])}
    assert {f for f, _ in matrix} == {"A", "B", "C", "new", "reactivated"}
    assert [matrix["B", t]["customers"] for t in ("A", "B", "C", "N", "lost")] == [0, 0, 0, 0, 1]
    assert matrix["B", "lost"]["share"] == 1.0
    assert matrix["B", "lost"]["value_change"] == -150
    # Wilson 0 of 1: z²/(1 + z²)
    assert matrix["B", "A"]["share_high"] == pytest.approx(3.841459 / 4.841459, abs=1e-6)


def test_ties_lift_the_whole_group_and_negatives_are_class_n():
    # V41 in the window before; nothing but a in this one
    amounts = [50000, 20000, 8000, 5000, 5000, 5000, 4000, 2000, 1000, 0, -3000]
    sales = [("old", OLD, 1), *[(f"k{i:02d}", BEFORE, v) for i, v in enumerate(amounts)], ("k00", NOW, 1)]
    found = {
        r["customer_id"]: r["class_before"] for r in rows(run(book(sales, "2025-01-01")).tables["customers"])
    }
    assert "".join(found[f"k{i:02d}"] for i in range(11)) == "AAAAAABCCCN"


def test_credit_notes_alone_make_nobody_a_customer_of_a_window():
    # k left and got a credit note; z has only a credit note in this window, y one in the window before
    sales = [
        ("k", BEFORE, 100),
        ("k", NOW, -5),
        ("z", OLD, 50),
        ("z", NOW, -2),
        ("y", BEFORE, -3),
        ("y", NOW, 9),
    ]
    outcome = run(book(sales, "2025-01-01"))
    found = {
        r["customer_id"]: (r["class_now"], r["movement"], r["change"])
        for r in rows(outcome.tables["customers"])
    }
    assert found == {"k": ("N", "lost", -105), "z": ("N", "down", -2), "y": ("A", "new", 12)}
    matrix = {(r["from"], r["to"]): r["customers"] for r in rows(outcome.tables["matrix"]) if r["customers"]}
    assert matrix == {("A", "lost"): 1, ("new", "A"): 1, ("none", "none"): 1}
    steps = [r["amount"] for r in rows(outcome.tables["bridge"])]
    assert sum(steps[:-1]) == steps[-1] == 2


def test_limits_of_the_classes():
    found = rows(run(book(SALES, "2025-01-01"), a=0.3, b=0.9).tables["customers"])
    assert {r["customer_id"]: r["class_now"] for r in found} == {
        "a": "A",
        "c": "B",
        "d": "C",
        "e": "C",
        "b": None,
    }
    with pytest.raises(BadParameter, match="above the limit"):
        run(book(SALES, "2025-01-01"), a=0.9, b=0.5)
    with pytest.raises(BadParameter, match="equal length"):
        run(book(SALES, "2025-01-01"), window="all")


def test_partial_opening_window_is_red():
    outcome = run(book([("a", "2024-02-01", 5), ("a", NOW, 5)], "2025-01-01"))
    assert outcome.reasons[0] == (
        "red", "The history covers 11 months; 24 are needed: the change compares with a partial window."
    )  # fmt: skip
    assert "cannot be judged" in outcome.lines[0]


def test_empty_windows_and_one_customer():
    empty = run(book([("old", OLD, 1)], "2025-01-01"))
    assert figures(empty)["revenue_now"] == 0
    assert rows(empty.tables["matrix"]) == []
    one = run(book([("old", OLD, 1), ("a", NOW, 3)], "2025-01-01"))
    assert [r["movement"] for r in rows(one.tables["customers"])] == ["new"]


amounts = st.integers(-2_000, 20_000).map(lambda n: Decimal(n) / 100)
sales_ = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from([OLD, BEFORE, NOW]), amounts),
    min_size=1,
    max_size=30,
)


@settings(max_examples=8, deadline=None, phases=QUICK)
@given(sales_, st.randoms(use_true_random=False))
def test_bridge_is_exact_and_row_order_does_not_matter(sales, chance):
    outcome = run(book(sales, "2025-01-01"))
    steps = {r["step"]: r["amount"] for r in rows(outcome.tables["bridge"])}
    before = sum((v for _, d, v in sales if d == BEFORE), Decimal(0))
    now = sum((v for _, d, v in sales if d == NOW), Decimal(0))
    assert (steps["opening"], steps["closing"]) == (before, now)
    assert (
        steps["opening"] + sum(steps[s] for s in ("lost", "down", "up", "new", "reactivated"))
        == steps["closing"]
    )
    matrix = rows(outcome.tables["matrix"])
    assert sum(r["value_change"] for r in matrix) == now - before
    for start in {r["from"] for r in matrix}:
        assert sum(r["share"] for r in matrix if r["from"] == start) == pytest.approx(1)
    mixed = list(sales)
    chance.shuffle(mixed)
    again = run(book(mixed, "2025-01-01"))
    assert again.figures == outcome.figures
    assert all(rows(again.tables[t]) == rows(outcome.tables[t]) for t in again.tables)


@settings(max_examples=3, deadline=None, phases=QUICK)
@given(sales_, st.integers(2, 1000))
def test_currency_scales_money_and_nothing_else(sales, factor):
    one = run(book(sales, "2025-01-01"))
    two = run(book([(c, d, v * factor) for c, d, v in sales], "2025-01-01"))
    assert figures(two)["change"] == figures(one)["change"] * factor
    assert [(r["customer_id"], r["class_before"], r["class_now"]) for r in rows(one.tables["customers"])] == [
        (r["customer_id"], r["class_before"], r["class_now"]) for r in rows(two.tables["customers"])
    ]


@pytest.mark.real
def test_northwind_classes_are_those_of_the_readme():
    if not DATA.exists():
        pytest.skip("the real data do not lie beside the checkout")
    outcome = run(book(northwind(), "1998-05-07"))
    classes = [r["class_now"] for r in rows(outcome.tables["customers"])]
    assert [classes.count(c) for c in "ABC"] == [33, 29, 26]
    assert figures(outcome)["revenue_now"].quantize(Decimal("0.01")) == Decimal("856885.23")
    assert outcome.reasons[0][0] == "red"
