"""Working days and seasons: how strongly each day draws orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from klientel.demo.columns import Floats, Ints
from klientel.demo.settings import AS_OF, INDUSTRIES, Settings
from klientel.periods import add_months

YEAR = 365.25


@dataclass(frozen=True)
class Span:
    """The time the data covers: [start, end) as day numbers since 1970-01-01."""

    start: int
    end: int

    @classmethod
    def of(cls, years: int, as_of: date = AS_OF) -> Span:
        """The `years` years before `as_of`; those before a 29 February begin on a 28 where there is no 29."""
        return cls(number(add_months(as_of, -12 * years)), number(as_of))

    @property
    def days(self) -> Ints:
        """All day numbers."""
        return np.arange(self.start, self.end, dtype=np.int64)

    @property
    def years(self) -> range:
        """The calendar years from that of the first day to that of the last."""
        first, last = (int(y) for y in calendar(np.array([self.start, self.end - 1]))[0])
        return range(first, last + 1)


def number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def calendar(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month (1-12) and weekday (Monday 0) of each day number."""
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]").astype(np.int64)
    return months // 12 + 1970, months % 12 + 1, (days + 3) % 7


def easter(year: int) -> date:
    """Easter Sunday (Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * week) // 451
    month, day = divmod(h + week - 7 * m + 114, 31)
    return date(year, month, day + 1)


def holidays(year: int) -> set[int]:
    """Day numbers of public holidays in all of Germany and of the shut-down over Christmas."""
    sunday = easter(year)
    moving = [sunday + timedelta(days=n) for n in (-2, 1, 39, 50)]
    fixed = [date(year, 1, 1), date(year, 5, 1), date(year, 10, 3)]
    return {number(day) for day in [*moving, *fixed, *(date(year, 12, d) for d in range(24, 32))]}


def intensity(span: Span, settings: Settings) -> Floats:
    """Order intensity (industries x days), 1/YEAR on average, so that its sum is time in years.

    Month and weekday factors of the firm, month factors of the industry, nothing on weekends, holidays
    and in the shut-down over Christmas; two weeks in August at a third.
    """
    days = span.days
    year, month, weekday = calendar(days)
    base = np.array(settings.month)[month - 1] * np.array(settings.weekday)[weekday]
    closed = set().union(*(holidays(y) for y in range(int(year[0]), int(year[-1]) + 1)))
    base[np.isin(days, sorted(closed))] = 0.0
    dom = (days.astype("datetime64[D]") - days.astype("datetime64[M]")).astype(np.int64) + 1
    base[(month == 8) & (dom >= 5) & (dom <= 18)] *= 0.35
    season = np.array([industry.season for industry in INDUSTRIES])
    weights = base[None, :] * season[:, month - 1]
    return np.asarray(weights / weights.mean(axis=1, keepdims=True) / YEAR, dtype=np.float64)


def clock(weights: Floats) -> Floats:
    """Business time elapsed before each day, in years: industries x (days + 1)."""
    return np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)], axis=1)
