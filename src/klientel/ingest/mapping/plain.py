"""Plain readings of single values, for checks on a few hundred cells; files are read by ingest.values."""

from __future__ import annotations

import re
from datetime import date

_DATES = tuple(
    re.compile(p)
    for p in (
        r"(?P<y>(?:19|20)\d\d)-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[ T]\d{1,2}:\d\d.*)?",
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>(?:19|20)?\d\d)(?: \d{1,2}:\d\d.*)?",
        r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>(?:19|20)?\d\d)(?: \d{1,2}:\d\d.*)?",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>(?:19|20)?\d\d)(?: \d{1,2}:\d\d.*)?",
        r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)",
    )
)


def as_number(text: str) -> float | None:
    """The number a person means: "1.234,56 €", "1,234.56", "(12.50)", "12,50-", "15 %"; None if it is none.

    A single sign followed by three digits groups ("1.234" is 1234 only if another sign says so; alone it is
    1.234), which is good enough for sums compared within a row, not for reading a file.
    """
    body = re.sub(r"[€$£%\s\u00a0\u202f']|EUR|USD|CHF", "", text)
    negative = bool(re.fullmatch(r"\(.*\)|-.*|.*-|−.*", body))
    body = body.strip("()-−+")
    if not re.fullmatch(r"\d[\d.,]*|[.,]\d+", body):
        return None
    comma, point = body.rfind(","), body.rfind(".")
    if comma >= 0 and point >= 0:
        decimal = "," if comma > point else "."
    elif max(body.count(","), body.count(".")) > 1:
        decimal = ""
    else:
        decimal = "," if comma >= 0 else "."
    group = {",": ".", ".": ",", "": ""}[decimal]
    cleaned = body.replace(group, "") if group else body.replace(",", "").replace(".", "")
    try:
        value = float(cleaned.replace(decimal, ".") if decimal else cleaned)
    except ValueError:
        return None
    return -value if negative else value


def as_date(text: str) -> bool:
    """True if the text is a date in one of the common numeric spellings."""
    for pattern in _DATES:
        found = pattern.fullmatch(text)
        if found:
            year = int(found["y"])
            try:
                date(year if year > 99 else 2000 + year, int(found["m"]), int(found["d"]))
            except ValueError:
                continue
            return True
    return False
