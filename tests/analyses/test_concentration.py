"""Concentration: vector V31, small portfolios, exactness, intervals, and the real data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import structure_tables as st_
from hypothesis import given, settings
from hypothesis import strategies as st
from structure_tables import YEAR, column, flags, plain, real_totals, rows, run, texts, totals

from klientel.analyses.concentration import concentration
from klientel.analysis import Estimate

V31 = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]


def figures(outcome):
    return {name: plain(value) for name, value in outcome.figures.items()}


def test_v31():
    found = figures(run(concentration, totals(V31)))
    assert found["hhi"] == pytest.approx(0.1840812, abs=5e-8)
    assert found["rosenbluth"] == pytest.approx(0.1859051, abs=5e-8)
    assert found["effective_customers"] == pytest.approx(5.4324, abs=5e-5)
    assert found["gini"] == pytest.approx(0.462091, abs=5e-7)
    assert found["gini_corrected"] == pytest.approx(0.513435, abs=5e-7)
    assert found["top20_share"] == pytest.approx(0.513096, abs=5e-7)  # CR2 of ten customers
    assert found["top1_share"] == pytest.approx(0.3343, abs=5e-5)
    assert found["cr5"] == pytest.approx(0.8149, abs=5e-5)
    assert found["top10_share"] == 1.0
    assert (found["pareto_customers_80"], found["pareto_share_80"]) == (5, 0.5)
    assert found["largest_customer"] == "K09"


def test_golden_top_table():
    names = st_.customers({"K00": "Adler AG", "K01": "Bolt GmbH"})
    found = run(concentration, totals([500, 400, 80, 20, -7]), names, top=3)
    assert rows(found, "top") == [
        _top("K00", "Adler AG", 500, 0.5, 0.5, True),
        _top("K01", "Bolt GmbH", 400, 0.4, 0.9, True),
        _top("K02", "K02", 80, 0.08, 0.98, False),
    ]
    assert found.figures["major_customers"] == 2
    assert "Adler AG alone brings 50.0\u202f%" in str(found.lines[0])


def _top(key, name, value, share, cumulative, major):
    return {
        "customer_id": key,
        "name": name,
        "value": value,
        "share": pytest.approx(share),
        "cumulative": pytest.approx(cumulative),
        "major": major,
    }


def test_exactly_ten_per_cent_is_not_more_than_ten_per_cent():
    found = run(concentration, totals([10] * 10))
    assert found.figures["major_customers"] == 0
    assert column(found, "top", "major") == [False] * 10
    assert plain(found.figures["gini"]) == 0.0
    assert plain(found.figures["effective_customers"]) == pytest.approx(10)


def test_below_ten_customers_only_shares_and_the_effective_number():
    found = run(concentration, totals([50, 30, 20]))
    shown = {name for name, value in found.figures.items() if value is not None}
    assert shown == {
        "customers",
        "total_value",
        "effective_customers",
        "hhi",
        "top1_share",
        "cr5",
        "top10_share",
        "major_customers",
        "largest_customer",
    }
    assert found.figures["effective_customers"] == pytest.approx(1 / 0.38)
    assert flags(found) == ["amber"]
    assert "Below 10" in texts(found)


def test_nobody_one_and_only_losses():
    for values in ([], [-1, 0]):
        found = run(concentration, totals(values))
        assert "red" in flags(found)
        assert rows(found, "lorenz") == []
        assert rows(found, "top") == []
        assert found.figures["largest_customer"] is None
    one = run(concentration, totals([9]))
    assert one.figures["top1_share"] == 1.0
    assert one.figures["effective_customers"] == 1.0
    assert rows(one, "lorenz") == [{"p": 0.0, "share": 0.0}, {"p": 1.0, "share": 1.0}]


def test_customers_at_or_below_zero_are_left_out_and_counted():
    found = run(concentration, totals([*V31, 0, -40]))
    assert figures(found)["gini"] == pytest.approx(0.462091, abs=5e-7)
    assert found.excluded == 2
    assert "left out: 2" in texts(found)


def test_every_estimate_holds_its_value_and_says_its_method():
    for n in (12, 60):
        found = run(concentration, totals([1.1**i for i in range(n)]))
        estimates = {k: v for k, v in found.figures.items() if isinstance(v, Estimate)}
        assert {"gini", "hhi", "effective_customers", "top20_share", "pareto_customers_80"} <= set(estimates)
        for estimate in estimates.values():
            assert estimate.low <= estimate.value <= estimate.high
            assert "bootstrap" in estimate.method
            assert estimate.level == 0.95


def test_the_level_of_the_context_is_used():
    narrow = run(concentration, totals(V31), context=replace(st_.UNDATED, level=0.8)).figures["gini"]
    wide = run(concentration, totals(V31)).figures["gini"]
    assert narrow.level == 0.8
    assert narrow.high - narrow.low < wide.high - wide.low


def test_lorenz_has_at_most_200_steps():
    found = run(concentration, totals(list(range(1, 1001))))
    assert len(rows(found, "lorenz")) == 201
    shares = column(found, "lorenz", "share")
    assert shares == sorted(shares)


def test_a_window_before_the_data_is_said():
    late = replace(YEAR, first_day=date(2023, 7, 1))
    assert "not fully covered" in texts(run(concentration, totals(V31), context=late))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 10**6), min_size=10, max_size=30), st.integers(2, 99), st.randoms())
def test_row_order_and_currency_change_nothing(values, factor, rand):
    first = figures(run(concentration, totals(values)))
    mixed = [v * factor for v in values]
    rand.shuffle(mixed)
    second = figures(run(concentration, totals(mixed)))
    for name in ("gini", "hhi", "top20_share", "rosenbluth", "top1_share"):
        assert second[name] == pytest.approx(first[name], rel=1e-9, abs=1e-12)
    assert second["pareto_customers_80"] == first["pareto_customers_80"]


TRUTHS = [
    ("northwind", None, 0.575454, 0.60057, 0.450425, 0.03369089, 34),
    ("northwind", 12, 0.587238, 0.622513, 0.486743, 0.03723807, 33),
    ("cdnow_full", None, 0.633514, 0.677077, 0.026127, 0.00026126, 7695),
    ("cdnow_full", 12, 0.59677, 0.635477, 0.042394, 0.00056948, 3080),
    ("cdnow_sample", None, 0.62966, 0.673481, 0.084941, 0.0022858, 777),
    ("cdnow_sample", 12, 0.579247, 0.620882, 0.107509, 0.00361978, 304),
    ("telco_mrr", None, 0.290319, 0.336685, 0.003721, 0.00024305, 3002),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "months", "gini", "top20", "top10", "hhi", "needed"), TRUTHS)
def test_real_data(name, months, gini, top20, top10, hhi, needed):
    table, context = real_totals(name, months)
    found = figures(run(concentration, table, context=context))
    assert found["gini"] == pytest.approx(gini, abs=1e-6)
    assert found["top20_share"] == pytest.approx(top20, abs=1e-6)
    assert found["top10_share"] == pytest.approx(top10, abs=1e-6)
    assert found["hhi"] == pytest.approx(hhi, abs=6e-9)
    assert found["pareto_customers_80"] == needed


@pytest.mark.real
def test_online_retail_where_the_readme_counts_five_customers_of_float_noise():
    import numpy as np

    from klientel.stats import inequality

    table, context = real_totals("online_retail")
    found = figures(run(concentration, table, context=context))
    assert found["customers"] == 4317
    values = table.revenue.to_pyarrow().to_numpy(zero_copy_only=False).astype(float)
    with_noise = np.concatenate([values[values > 0], np.zeros(5)])
    assert inequality.gini(with_noise) == pytest.approx(0.703172, abs=1e-6)
    assert found["gini"] == pytest.approx(inequality.gini(values[values > 0]), abs=1e-12)
    assert found["hhi"] == pytest.approx(0.00450038, abs=6e-9)
    assert found["pareto_customers_80"] == 1178
