"""Dates: half-open windows before the as-of date, months, fiscal years, cohort keys (handbook G1, G10)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from klientel.errors import BadParameter
from klientel.words import say


@dataclass(frozen=True)
class Window:
    """A half-open span of days [start, end); None means open on that side."""

    start: date | None
    end: date | None

    @property
    def whole(self) -> bool:
        """True if the window reaches back to the beginning."""
        return self.start is None


def add_months(day: date, months: int) -> date:
    """The day `months` later (or earlier), on the last day of the month where the day does not exist."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def window_months(window: str | int) -> int | None:
    """The number of months of a window parameter; None for "all"; BadParameter for anything else."""
    text = str(window).strip().lower()
    if text in ("all", "alle", "alles"):
        return None
    if text.isdigit() and 1 <= int(text) <= 1200:
        return int(text)
    raise BadParameter(
        say("The window is a number of months (1 to 1200) or 'all', not {window}.", window=repr(str(window)))
    )


def window_before(as_of: date, months: int | None, back: int = 0) -> Window:
    """The window of `months` before `as_of` (exclusive); with back=1 the one before it, and so on."""
    if months is None:
        return Window(None, as_of)
    return Window(add_months(as_of, -months * (back + 1)), add_months(as_of, -months * back))


def month_start(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def month_number(day: date, epoch: date) -> int:
    """Whole months from the month of `epoch` to the month of `day`."""
    return (day.year - epoch.year) * 12 + day.month - epoch.month


def fiscal_year(day: date, first_month: int) -> int:
    """The fiscal year of a day, named after the calendar year in which it ends."""
    return day.year + (1 if first_month > 1 and day.month >= first_month else 0)


def fiscal_quarter(day: date, first_month: int) -> int:
    """The fiscal quarter (1-4) of a day."""
    return ((day.month - first_month) % 12) // 3 + 1


def day_after(day: date) -> date:
    """The next day: the default as-of date after the last event."""
    return day + timedelta(days=1)


def parse_day(text: str) -> date:
    """A date typed by a person on the command line: 2024-12-31 or 31.12.2024."""
    cleaned = text.strip()
    try:
        if "." in cleaned:
            day, month, year = cleaned.split(".")
            return date(int(year), int(month), int(day))
        return date.fromisoformat(cleaned)
    except ValueError:
        raise BadParameter(
            say("{text} is not a date; write 2024-12-31 or 31.12.2024.", text=repr(text))
        ) from None
