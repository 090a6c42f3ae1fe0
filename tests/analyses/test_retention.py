"""Retention against the published vectors, by hand, as properties, and on the real data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_books import DATA, book, cdnow, declared, northwind, rows, value

from klientel.analyses.retention import retention
from klientel.errors import BadParameter, MissingInput

BEFORE, NOW = "2023-06-15", "2024-06-15"
COVERED = ("old", "2022-12-20", 1)  # an order before both windows, so that they are covered


# A failing book shrinks for minutes; the example that failed first says enough.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def run(made, contracts=None, **parameters):
    outcome = retention.function(
        made.totals,
        made.before,
        made.customers,
        made.histories,
        contracts,
        context=made.context,
        **parameters,
    )
    declared(retention, outcome)
    return outcome


def pairs(*values, extra=()):
    sales = [COVERED]
    for i, (s, e) in enumerate(values):
        sales += [(f"c{i}", BEFORE, s)] * (s != 0) + [(f"c{i}", NOW, e)] * (e != 0)
    return book([*sales, *extra], "2025-01-01")


def figures(outcome):
    return {k: value(v) for k, v in outcome.figures.items()}


def test_v42_by_customer():
    found = figures(run(pairs((100, 120), (50, 0), (200, 150), (0, 60), (80, 80))))
    assert found["nrr"] == pytest.approx(0.81395, abs=5e-6)
    assert found["grr"] == pytest.approx(0.76744, abs=5e-6)
    assert found["logo_retention"] == 0.75
    assert found["churn"] == 0.25
    assert (found["expansion"], found["contraction"], found["churned"], found["new"]) == (20, 50, 50, 60)
    assert (found["opening"], found["closing"]) == (430, 350)
    assert found["measure"] == "NRR-T12"


def test_v27_nrr_and_grr():
    # opening 100k, expansion 12k, contraction 5k, churn 8k
    found = figures(run(pairs((40_000, 52_000), (30_000, 25_000), (8_000, 0), (22_000, 22_000))))
    assert (found["nrr"], found["grr"]) == (pytest.approx(0.99), pytest.approx(0.87))
    assert figures(run(pairs((40_000, 55_000), (30_000, 25_000), (8_000, 0), (22_000, 22_000))))["nrr"] == (
        pytest.approx(1.02)
    )


def test_bridge_by_hand_and_order_of_the_customers():
    outcome = run(pairs((100, 120), (50, 0), (200, 150), (0, 60), (80, 80), extra=[("old", NOW, 5)]))
    assert [(r["step"], r["customers"], r["amount"]) for r in rows(outcome.tables["bridge"])] == [
        ("opening", 4, 430), ("expansion", 1, 20), ("contraction", 1, -50), ("churned", 1, -50),
        ("closing", 3, 350), ("reactivated", 1, 5), ("new", 1, 60), ("total", 5, 415),
    ]  # fmt: skip
    found = [(r["customer_id"], r["change"], r["movement"]) for r in rows(outcome.tables["customers"])]
    assert found == [
        ("c3", 60, "new"), ("c1", -50, "churned"), ("c2", -50, "contraction"), ("c0", 20, "expansion"),
        ("old", 5, "reactivated"), ("c4", 0, "unchanged"),
    ]  # fmt: skip


def test_windows_of_another_length_are_annualised_by_exponent():
    made = book([("old", "2023-01-01", 1), *[(f"c{i}", "2024-03-01", 10) for i in range(4)],
                 *[(f"c{i}", "2024-09-01", 10) for i in range(3)]], "2025-01-01", window=6)  # fmt: skip
    found = figures(run(made, window="6"))
    assert found["logo_retention"] == 0.75
    assert found["logo_retention_annual"] == pytest.approx(0.75**2)
    assert found["churn_annual"] == pytest.approx(1 - 0.75**2)
    assert found["measure"] == "NRR-T6"


def test_a_customer_who_ordered_for_nothing_stayed():
    found = figures(run(pairs((100, 50), (50, 40), extra=[("c9", BEFORE, 10), ("c9", NOW, 0)])))
    assert found["logo_retention"] == 1.0
    assert found["contraction"] == 50 + 10 + 10


def test_negative_values():
    outcome = run(pairs((100, 90), (50, -20), (-10, 30)))
    found = figures(outcome)
    assert (found["opening"], found["closing"]) == (150, 70)  # the customer with a negative start is outside
    assert found["grr"] == pytest.approx(90 / 150)
    assert outcome.excluded == 1
    steps = {r["step"]: r["amount"] for r in rows(outcome.tables["bridge"])}
    assert steps["credit balances"] == -20
    assert steps["total"] == 100


def test_without_the_largest_three():
    found = figures(run(pairs((1000, 0), (900, 0), (800, 0), (10, 12), (10, 8))))
    assert found["nrr_without_largest_3"] == 1.0
    assert figures(run(pairs((10, 5), (9, 5), (8, 5))))["nrr_without_largest_3"] is None


def test_by_group():
    made = book(
        [
            COVERED,
            *[(f"a{i}", BEFORE, 10) for i in range(6)],
            *[(f"a{i}", NOW, 20) for i in range(3)],
            ("b", BEFORE, 5),
        ],
        "2025-01-01",
        attributes={**{f"a{i}": {"country": "DE"} for i in range(6)}, "b": {"country": "AT"}},
    )
    found = rows(run(made).tables["segments"])
    assert [(r["segment"], r["customers"], r["nrr"], r["grr"], r["logo_retention"]) for r in found] == [
        ("DE", 6, 1.0, 0.5, 0.5), ("AT", 1, 0.0, 0.0, None),
    ]  # fmt: skip
    with pytest.raises(BadParameter, match="did you mean country"):
        run(made, by="contry")


def test_history_that_is_too_short_is_red():
    outcome = run(book([("a", "2023-03-04", 10), ("a", "2024-06-01", 10)], "2025-01-05"))
    flag, text = outcome.reasons[0]
    assert flag == "red"
    assert text == "The history covers 22 months; 24 are needed: NRR compares with a partial window."
    assert "cannot be judged" in outcome.lines[0]


def test_few_missing_days_are_amber_and_hardly_any_are_nothing():
    assert run(book([("a", "2023-02-01", 10)], "2025-01-01")).reasons[0][0] == "amber"
    covered = run(book([("a", "2023-01-04", 10)], "2025-01-01")).reasons
    assert not any("history covers" in text for _, text in covered)


def test_empty_and_one_customer():
    outcome = run(book([COVERED], "2025-01-01"))
    assert figures(outcome)["nrr"] is None
    assert outcome.reasons[-1][0] == "red"
    one = run(pairs((10, 20)))
    assert figures(one)["nrr"] == 2.0
    assert one.figures["nrr"].low == 2.0
    assert ("red", "Only 1 cases: too few for a rate.") in one.reasons


def test_window_all_is_refused():
    with pytest.raises(BadParameter, match="equal length"):
        run(pairs((1, 1)), window="all")


# -- contracts --------------------------------------------------------------------------------


def contracts(made, *lines):
    """(customer, start, end, amount per period, months per period, ended)"""
    table = pa.table(
        {
            "customer_id": [x[0] for x in lines],
            "start": pa.array([date.fromisoformat(x[1]) if x[1] else None for x in lines], pa.date32()),
            "end": pa.array([date.fromisoformat(x[2]) if x[2] else None for x in lines], pa.date32()),
            "recurring_amount": pa.array([Decimal(x[3]) for x in lines], pa.decimal128(18, 4)),
            "period_months": pa.array([x[4] for x in lines], pa.int64()),
            "ended": pa.array([x[5] for x in lines], pa.bool_()),
        }
    )
    return ibis.memtable(table)


def test_contracts_by_monthly_recurring_amount():
    made = pairs((1, 1))
    lines = contracts(
        made,
        ("a", "2022-01-01", None, 1200, 12, False),  # 100 a month throughout
        ("b", "2023-01-01", "2024-07-01", 50, 1, True),  # churned
        ("c", "2023-01-01", "2024-06-01", 80, 1, False),  # renewed after 14 days at a lower price
        ("c", "2024-06-15", None, 60, 1, False),
        ("d", "2024-03-01", None, 30, 1, False),  # new
        (
            "e",
            "2023-01-01",
            "2023-12-20",
            10,
            1,
            False,
        ),  # in a gap of 20 days at the opening: no churn, no gain
        ("e", "2024-01-09", None, 10, 1, False),
        ("f", "2023-01-01", None, 99, 1, True),  # ended, nobody knows when
    )
    outcome = run(made, lines, basis="contracts")
    found = figures(outcome)
    assert (found["opening"], found["closing"], found["new"]) == (240, 170, 30)
    assert (found["churned"], found["contraction"]) == (50, 20)
    assert found["logo_retention"] == 0.75
    assert found["measure"] == "MRR"
    assert any("1 contracts are marked as ended" in text for _, text in outcome.reasons)


def test_contracts_without_dates_say_which_column_is_needed():
    made = pairs((1, 1))
    undated = ibis.memtable({"customer_id": ["a"], "recurring_amount": [10.0], "ended": [True]})
    with pytest.raises(MissingInput, match=r"contract\.start.*contract\.end"):
        run(made, undated, basis="contracts")
    with pytest.raises(MissingInput, match="recurring amount"):
        run(made, None, basis="contracts")


# -- properties -------------------------------------------------------------------------------

values = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=12)


@settings(max_examples=8, deadline=None, phases=QUICK)
@given(values, st.integers(2, 1000))
def test_identities_and_currency(amounts, factor):
    outcome = run(pairs(*amounts))
    found = figures(outcome)
    steps = [(r["step"], r["amount"]) for r in rows(outcome.tables["bridge"])]
    places = [s for s, _ in steps]
    middle = places.index("closing")
    assert sum(a for _, a in steps[:middle]) == steps[middle][1]
    assert (
        steps[middle][1] + sum(a for _, a in steps[middle + 1 : -1])
        == steps[-1][1]
        == sum(e for _, e in amounts)
    )
    if found["nrr"] is not None:
        assert found["nrr"] >= found["grr"]
        assert 0 <= found["grr"] <= 1
        larger = figures(run(pairs(*[(s * factor, e * factor) for s, e in amounts])))
        assert larger["nrr"] == pytest.approx(found["nrr"])
        assert larger["opening"] == found["opening"] * factor


def test_row_order_does_not_matter():
    rng = np.random.default_rng(7)
    sales = [COVERED]
    sales += [
        (f"c{i}", d, int(rng.integers(1, 900)))
        for i in range(40)
        for d in (BEFORE, NOW)
        if rng.random() < 0.8
    ]
    one = run(book(sales, "2025-01-01"))
    two = run(book([sales[i] for i in rng.permutation(len(sales))], "2025-01-01"))
    assert one.figures == two.figures
    assert all(rows(one.tables[t]) == rows(two.tables[t]) for t in one.tables)


def test_linearised_interval_is_the_same_to_the_last_digit_in_any_order():
    from klientel.analyses.retention.pairs import sums_of

    random = np.random.default_rng(3)
    n = 4000
    money = [[Decimal(int(c)) / 100 for c in np.exp(random.normal(8, 2, n))] for _ in range(3)]
    columns = dict(zip(("opening", "closing", "kept"), money, strict=True))
    kind = pa.decimal128(27, 4)
    found = set()
    for _ in range(4):
        order = random.permutation(n)
        moves = {k: pa.array([v[i] for i in order], kind) for k, v in columns.items()}
        moves |= {"movement": pa.array(["expansion"] * n), "credit": moves["opening"]}
        sums = sums_of(ibis.memtable(pa.table(moves)))["base"]
        found.add(tuple(sums[k] for k in ("ss", "ee", "es", "kk", "ks")))
        exact = sum(float(x) * float(x) for x in columns["opening"])
        assert sums["ss"] == pytest.approx(exact, rel=1e-12)
    assert len(found) == 1


def test_linearised_interval_is_near_the_bootstrap(monkeypatch):
    rng = np.random.default_rng(3)
    amounts = [(int(s), int(e)) for s, e in zip(rng.gamma(2, 500, 400), rng.gamma(2, 480, 400), strict=True)]
    drawn = run(pairs(*amounts)).figures
    monkeypatch.setitem(retention.function.__globals__, "_BOOTSTRAP_UP_TO", 10)
    straight = run(pairs(*amounts)).figures
    for name in ("nrr", "grr"):
        assert straight[name].value == drawn[name].value
        assert straight[name].low == pytest.approx(drawn[name].low, abs=0.015)
        assert straight[name].high == pytest.approx(drawn[name].high, abs=0.015)


# -- real data: the truths of the READMEs, and the flag -----------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("sales", "as_of", "expected"),
    [
        (northwind, "1998-05-07", (2.018872, 0.898996, 0.9875, 80)),
        (cdnow, "1998-07-01", (0.747237, 0.391998, 0.354468, 23500)),
    ],
)
def test_real_data_are_right_and_flagged(sales, as_of, expected):
    if not DATA.exists():
        pytest.skip("the real data do not lie beside the checkout")
    outcome = run(book(sales(), as_of))
    found = figures(outcome)
    assert (found["nrr"], found["grr"], found["logo_retention"]) == pytest.approx(expected[:3], abs=1e-6)
    assert found["opening_customers"] == expected[3]
    assert outcome.reasons[0][0] == "red"
