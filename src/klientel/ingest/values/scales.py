"""Thousands, millions and billions written behind a number: "67.9k", "1,2 Mio.", "3 Tsd. €"."""

from __future__ import annotations

import re

from klientel.ingest.values.shapes import SPACE, quoted

# What is written, in lower case and without full stop, and by how much it multiplies. A German "T" is a thousand.
FACTORS: dict[str, int] = {
    "k": 10**3, "t": 10**3, "tsd": 10**3, "tausend": 10**3, "thousand": 10**3,
    "m": 10**6, "mn": 10**6, "mm": 10**6, "mio": 10**6, "mill": 10**6, "mil": 10**6, "million": 10**6,
    "millions": 10**6, "millionen": 10**6,
    "b": 10**9, "bn": 10**9, "mrd": 10**9, "milliarde": 10**9, "milliarden": 10**9, "billion": 10**9,
}  # fmt: skip
_PLAIN = frozenset({"t", "m", "mm", "mil", "b"})
"""Signs that also stand for tons, metres or months: believed beside a currency, a fraction or another sign."""
_WRITTEN = "|".join(sorted(FACTORS, key=len, reverse=True))
_BEHIND = re.compile(rf"(?<=9) ?({_WRITTEN})\.?(?=$|[ \x00)−-])", re.IGNORECASE)


def taken_off(body: str) -> tuple[str, str]:
    """A shape (digits as 9, a currency as NUL) without its scale, and the scale in lower case ("" for none)."""
    found = _BEHIND.search(body)
    if found is None:
        return body, ""
    rest = body[: found.start()] + body[found.end() :]
    return rest, found[1].lower()


def believed(seen: set[str], *, supported: bool) -> frozenset[str]:
    """The scales of a column out of those that were seen; supported: by currencies or fractions beside them."""
    sure = seen - _PLAIN
    return frozenset(seen if supported or sure else sure)


def pattern(scales: frozenset[str]) -> str:
    """RE2 pattern of a scale behind the number."""
    written = "|".join(sorted(scales, key=lambda s: (-len(s), s)))
    return f"{SPACE}*(?i:{written})[.]?"


def without_sql(text: str, scales: frozenset[str]) -> str:
    """SQL of the text without its scale, whose full stop is no part of the number."""
    return f"regexp_replace({text}, {quoted(f'([0-9])({pattern(scales)})')}, '\\1')"


def factor_sql(text: str, scales: frozenset[str]) -> str:
    """SQL of what the number is multiplied by, 1 without a scale."""
    behind = f"lower(regexp_extract({text}, {quoted(f'[0-9]{SPACE}*((?i:{_any(scales)}))')}, 1))"
    whens = " ".join(f"WHEN {quoted(s)} THEN {FACTORS[s]}" for s in sorted(scales))
    return f"CAST(CASE {behind} {whens} ELSE 1 END AS DECIMAL(10,0))"


def _any(scales: frozenset[str]) -> str:
    return "|".join(sorted(scales, key=lambda s: (-len(s), s)))
