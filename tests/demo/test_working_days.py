"""Holidays and the business clock."""

from datetime import date

import numpy as np
import pytest

from klientel.demo.days import Span, calendar, clock, easter, holidays, intensity, number
from klientel.demo.settings import DEFAULT, INDUSTRIES


@pytest.mark.parametrize(
    "sunday",
    [
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2021, 4, 4),
        date(2024, 3, 31),
        date(2038, 4, 25),
    ],
)
def test_easter(sunday):
    assert easter(sunday.year) == sunday


def test_moving_holidays_of_2024():
    days = holidays(2024)
    for day in (date(2024, 3, 29), date(2024, 4, 1), date(2024, 5, 9), date(2024, 5, 20), date(2024, 10, 3)):
        assert number(day) in days
    assert number(date(2024, 3, 28)) not in days


def test_calendar():
    days = np.array([number(date(2024, 2, 29)), number(date(1999, 12, 31))])
    year, month, weekday = calendar(days)
    assert (year.tolist(), month.tolist(), weekday.tolist()) == ([2024, 1999], [2, 12], [3, 4])


def test_the_clock_counts_years():
    span = Span.of(3)
    weights = intensity(span, DEFAULT)
    elapsed = clock(weights)
    assert weights.shape == (len(INDUSTRIES), span.end - span.start)
    assert elapsed[:, -1] == pytest.approx((span.end - span.start) / 365.25)
    assert (np.diff(elapsed) >= 0).all()
    christmas = slice(number(date(2022, 12, 24)) - span.start, number(date(2023, 1, 2)) - span.start)
    assert not weights[:, christmas].any()
