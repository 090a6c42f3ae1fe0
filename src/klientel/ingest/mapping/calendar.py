"""Periods in headers: "Umsatz 2023", "Q1/2024", "Jan 24", "01.2024" are read as half-open date ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = {
    1: "january januar jan jaenner jänner jän", 2: "february februar feb feber", 3: "march maerz märz mar mrz mär maer",
    4: "april apr", 5: "may mai", 6: "june juni jun", 7: "july juli jul", 8: "august aug", 9: "september sept sep",
    10: "october oktober oct okt", 11: "november nov", 12: "december dezember dec dez",
}  # fmt: skip
_MONTH = {name: number for number, names in _MONTHS.items() for name in names.split()}
_NAMES = "|".join(sorted(_MONTH, key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SHORT = r"(?P<year>(?:19|20)\d\d|'?\d\d)"
_A = r"(?<![0-9A-Za-zÄÖÜäöüß])"
_Z = r"(?![0-9A-Za-zÄÖÜäöüß])"
_SEP = r"[\s./_'’-]*"
_PATTERNS = tuple(
    (kind, re.compile(_A + pattern + _Z, re.IGNORECASE))
    for kind, pattern in (
        ("day", _YEAR + r"-(?P<part>\d\d)-01(?:[ T]00:00(?::00(?:\.0+)?)?)?"),
        ("day", r"01\.(?P<part>\d\d)\." + _YEAR),
        ("quarter", r"(?:q|qu|qtr|quartal|quarter)" + _SEP + r"(?P<part>[1-4])" + _SEP + _SHORT),
        ("quarter", r"(?P<part>[1-4])\.?\s*(?:q|qu|qtr|quartal|quarter)" + _SEP + _SHORT),
        ("quarter", _YEAR + _SEP + r"(?:q|qu|qtr|quartal|quarter)" + _SEP + r"(?P<part>[1-4])"),
        ("half", r"(?:h|hj|halbjahr|half)" + _SEP + r"(?P<part>[12])" + _SEP + _SHORT),
        ("half", r"(?P<part>[12])\.?\s*(?:h|hj|halbjahr|half)" + _SEP + _SHORT),
        ("half", _YEAR + _SEP + r"(?:h|hj)" + _SEP + r"(?P<part>[12])"),
        ("name", rf"(?P<name>{_NAMES})\.?" + _SEP + _SHORT),
        ("name", _YEAR + _SEP + rf"(?P<name>{_NAMES})\.?"),
        ("month", _YEAR + r"[\s./_-]?(?:m)?(?P<part>0[1-9]|1[0-2])"),
        ("month", r"(?:m)?(?P<part>0?[1-9]|1[0-2])[\s./_-]" + _YEAR),
        ("month", r"(?P<part>0[1-9]|1[0-2])/(?P<year>\d\d)"),
        ("year", r"(?:fy|gj|jahr|year|cy|kj)?" + _SEP + _YEAR),
        ("year", r"(?:fy|gj)\s?'?(?P<year>\d\d)"),
    )
)
_BARE_MONTH = re.compile(_A + rf"(?P<name>{_NAMES})\.?" + _Z, re.IGNORECASE)
_MONTHS_LONG = {"day": 1, "month": 1, "name": 1, "quarter": 3, "half": 6, "year": 12}


@dataclass(frozen=True)
class Period:
    """A named period: first day, day after the last day, kind and the header without it."""

    start: date
    end: date
    kind: str
    rest: str

    def iso(self) -> tuple[str, str]:
        """First day and day after the last day as ISO dates."""
        return self.start.isoformat(), self.end.isoformat()


def period_of(text: str) -> Period | None:
    """The year, half-year, quarter or month that a header names, or None.

    "2023", "Umsatz 2023", "FY24", "Q1/2024", "1. Quartal 2024", "Jan 24", "01.2024", "202401",
    "2024-01-01 00:00:00" (a spreadsheet's month). Ranges such as "2022-2024" name no single period.
    """
    if re.search(r"(19|20)\d\d\s*(-|–|bis|to|/)\s*(19|20)?\d\d(?!\d)", text) and not _looks_like_month(text):
        return None
    for kind, pattern in _PATTERNS:
        found = pattern.search(text)
        if found:
            return _made(kind, found, text)
    return None


def month_of(text: str) -> tuple[int, str] | None:
    """Month number of a header that names a month without a year ("Jan", "Umsatz März"), and the rest."""
    found = _BARE_MONTH.search(text)
    if not found:
        return None
    return _MONTH[found["name"].lower()], (text[: found.start()] + " " + text[found.end() :]).strip()


def month_in(year: int, month: int, rest: str) -> Period:
    """The month of a year as a period."""
    return _span(year, month, 1, "month", rest)


def _looks_like_month(text: str) -> bool:
    return bool(re.search(_A + r"(19|20)\d\d[-/](0[1-9]|1[0-2])(-01)?" + r"(?![0-9])", text))


def _made(kind: str, found: re.Match[str], text: str) -> Period | None:
    year = int(found["year"].strip("'"))
    if year < 100:
        year += 2000 if year < 70 else 1900
    groups = found.groupdict()
    if kind == "name":
        first = _MONTH[groups["name"].lower()]
    elif kind == "year":
        first = 1
    else:
        first = (int(groups["part"]) - 1) * _MONTHS_LONG[kind] + 1
    if not 1 <= first <= 12:
        return None
    rest = (text[: found.start()] + " " + text[found.end() :]).strip(" -_/:.")
    label = {"day": "month", "name": "month"}.get(kind, kind)
    return _span(year, first, _MONTHS_LONG[kind], label, rest)


def _span(year: int, month: int, months: int, kind: str, rest: str) -> Period:
    last = month - 1 + months
    return Period(date(year, month, 1), date(year + last // 12, last % 12 + 1, 1), kind, rest)
