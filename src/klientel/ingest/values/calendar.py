"""Month names, quarters and other ways to write a day or a period, as patterns for RE2 and Python alike."""

from __future__ import annotations

import re
from datetime import date

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan jän", "february februar feber feb", "march märz maerz mar mär mrz",
            "april apr", "may mai", "june juni jun", "july juli jul", "august aug",
            "september sept sep", "october oktober oct okt", "november nov", "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = (
    r"(?:(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun"
    r"|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mo|di|mi|do|fr|sa|so)[.,]*\s+)?"
)
_DAY = r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th)?"
_YEAR = r"(?P<y>\d{4}|\d{2})"
_LONG = r"(?P<y>\d{4})"

# Patterns for lower-case text. Groups: d day, m month name, y year of four or two digits, q quarter.
NAMED: dict[str, str] = {
    "names dmy": rf"^{_WEEKDAY}{_DAY}[\s./-]*(?:of\s+)?(?P<m>{_NAME})\.?,?[\s./-]*{_YEAR}$",
    "names mdy": rf"^{_WEEKDAY}(?P<m>{_NAME})\.?[\s/-]+{_DAY}(?:,\s*|[\s/-]+){_LONG}$",
    "names ymd": rf"^{_LONG}[\s./-]*(?P<m>{_NAME})\.?[\s./-]*(?P<d>\d{{1,2}})$",
    "names my": rf"^(?P<m>{_NAME})\.?(?:[\s,./'’-]*{_LONG}|\s*['’/-]\s*(?P<s>\d{{2}}))$",
    "names ym": rf"^{_LONG}[\s./-]*(?P<m>{_NAME})\.?$",
}
QUARTERS: dict[str, str] = {
    "quarter qy": r"^q\s?(?P<q>[1-4])[\s./'’-]*(?P<y>\d{4}|\d{2})$",
    "quarter yq": r"^(?P<y>\d{4})[\s./-]*q\s?(?P<q>[1-4])$",
    "quarter nqy": r"^(?P<q>[1-4])(?:\.|st|nd|rd|th)?\s*(?:quartal|quarter|qtr\.?|q)[\s./-]*(?P<y>\d{4})$",
    "quarter yn": r"^(?P<y>\d{4})[\s./,-]*(?P<q>[1-4])\.\s*(?:quartal|quarter|q)$",
}
UNITS: dict[str, str] = {
    "names dmy": "day", "names mdy": "day", "names ymd": "day", "names my": "month", "names ym": "month",
    **dict.fromkeys(QUARTERS, "quarter"),
}  # fmt: skip

# A time of day and zone behind a date; everything from here on is dropped.
TIME = (
    r"(?:,?\s+|\s*[tT]\s*|:)[0-2]?\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?:[aApP]\.?[mM]\.?|[uU]hr|h))?(?:\s*(?:[zZ]|UTC|GMT|CEST|CET|MESZ|MEZ|[+-]\d{2}:?(?:\d{2})?))?"
)

_SHAPES = {
    name: re.compile(pattern.replace("[1-4]", r"\d")) for name, pattern in {**NAMED, **QUARTERS}.items()
}
_STRICT = {name: re.compile(pattern) for name, pattern in {**NAMED, **QUARTERS}.items()}
_YEARS = re.compile(r"(?<!\d)(19\d\d|20\d\d)(?!\d)")
_MONTHS_OF = (
    re.compile(r"(?<![\d./-])(?P<n>0?[1-9]|1[0-2])[./-](?P<y>(?:19|20)\d\d)(?![\d./-])"),
    re.compile(r"(?<![\d./-])(?P<y>(?:19|20)\d\d)[./-]?(?P<n>0[1-9]|1[0-2])(?![\d./-])"),
)


def worded(shape: str) -> str | None:
    """The layout of a shape (digits as 9) with month names or quarters, None if it has none."""
    lowered = shape.lower()
    return next((name for name, pattern in _SHAPES.items() if pattern.match(lowered)), None)


def full_year(text: str) -> int:
    """A year of two or four digits in full: 00-68 are 2000-2068, 69-99 are 1969-1999, as in POSIX."""
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 69 else 1900)


def period_of(text: str) -> tuple[date, date] | None:
    """The month, quarter or year that a header names: (first day, day after the last day), or None.

    "Umsatz 2023", "Jan 2024", "Mär-24", "03/2024", "2024-03", "Q1 2024", "1. Quartal 2024", "FY 2022".
    Exactly one period: "2022/2023" and full dates name none. Years 1900 to 2100.
    """
    joined = re.sub(r"(?<=\d)_(?=\d)", "-", text.lower().replace("\u00a0", " "))
    lowered = " ".join(joined.replace("_", " ").split())
    words = lowered.split(" ")
    for size in (3, 2, 1):
        for start in range(len(words) - size + 1):
            part = " ".join(words[start : start + size]).strip("()[],:;")
            found = _worded_period(part)
            if found:
                return found
    for pattern in _MONTHS_OF:
        months = list(pattern.finditer(lowered))
        if len(months) == 1 and len(_YEARS.findall(lowered)) <= 1:
            return _months(int(months[0]["y"]), int(months[0]["n"]), 1)
    years = _YEARS.findall(lowered)
    if len(years) == 1 and not re.search(rf"\d[./-]{years[0]}|{years[0]}[./-]\d", lowered):
        return _months(int(years[0]), 1, 12)
    return None


def _worded_period(part: str) -> tuple[date, date] | None:
    for name, pattern in _STRICT.items():
        if UNITS[name] == "day" or not (match := pattern.match(part)):
            continue
        groups = match.groupdict()
        year = full_year(groups["y"] or groups.get("s") or "0")
        if not 1900 <= year <= 2100:
            return None
        if groups.get("q"):
            return _months(year, int(groups["q"]) * 3 - 2, 3)
        return _months(year, MONTHS[groups["m"]], 1)
    return None


def _months(year: int, month: int, length: int) -> tuple[date, date]:
    after = month + length
    return date(year, month, 1), date(year + (after > 12), after - 12 if after > 12 else after, 1)
