"""Order histories worked out by hand: x, t_x, T, spend and windows at an origin, grouped with counts."""

from __future__ import annotations

from datetime import date

import pytest

from analyses.small_books import book, rows
from klientel import order_histories as histories

SALES = [
    ("A", "2024-01-01", 10),
    ("A", "2024-01-11", 20),
    ("A", "2024-02-01", 0),  # an order without value
    ("A", "2024-03-01", 40),
    ("B", "2024-01-01", 5),
    ("C", "2024-01-01", 7),
    ("D", "2024-02-20", 9),  # after the origin: nobody knows this customer yet
]


@pytest.fixture
def at():
    orders = histories.order_days(book(SALES, "2024-04-01").purchases)
    return histories.at_origin(orders, date(2024, 2, 10), date(2024, 1, 10), date(2024, 3, 15))


def test_what_was_known_at_the_origin_and_what_came(at):
    found = {r["customer_id"]: r for r in rows(at)}
    assert set(found) == {"A", "B", "C"}
    a = found["A"]
    # first day 1 January, last observed day 9 February: 39 days
    assert (a["x"], a["t_x"], a["T"]) == (2, 31, 39)
    assert (a["paid"], float(a["spent"])) == (1, 20.0)
    assert (a["last_orders"], float(a["last_value"])) == (2, 20.0)
    assert (a["next_orders"], float(a["next_value"])) == (1, 40.0)
    b = found["B"]
    assert (b["x"], b["t_x"], b["T"], b["paid"], float(b["spent"])) == (0, 0, 39, 0, 0.0)


def test_equal_histories_become_one_row_with_a_count(at):
    grouped = histories.grouped(at, windows=False)
    assert grouped.n.tolist() == [2, 1]
    assert grouped.x.tolist() == [0, 2]
    assert grouped.spent.tolist() == [0, 20]
    assert grouped.squared.tolist() == [0, 400]
    assert grouped.customers == 3
    assert grouped.repeaters == 1
    assert grouped.once_share == pytest.approx(2 / 3)


def test_spend_rows_are_mean_values_of_paid_repeat_orders(at):
    found = histories.spending(at)
    assert found["mean"].tolist() == [20]
    assert found["paid"].tolist() == [1]
    assert found["x"].tolist() == [2]


def test_scores_come_back_to_their_customers(at):
    import numpy as np

    grouped = histories.grouped(at, windows=False)
    table = histories.scored(at, grouped, {"found": np.array([0.25, 0.75])})
    assert {r["customer_id"]: r["found"] for r in rows(table)} == {"A": 0.75, "B": 0.25, "C": 0.25}


def test_gaps_are_between_order_days_before_the_origin():
    orders = histories.order_days(book(SALES, "2024-04-01").purchases)
    found = rows(histories.gaps(orders, date(2024, 2, 10)))
    assert found == [{"customer_id": "A", "gap": 15.5, "long_gap": pytest.approx(19.9)}]


def test_a_fully_credited_day_is_no_order():
    import cast

    orders = histories.order_days(cast.book().purchases)
    assert "K10" not in {r["customer_id"] for r in rows(orders)}
