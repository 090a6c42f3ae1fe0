"""What the values of a column say: the part of a profile that recognition weighs, in plain fractions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from klientel.ingest.raw import RawTable

if TYPE_CHECKING:
    from klientel.ingest.values import Profile

_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_CURRENCY = re.compile(
    r"(?:[A-Z]{3}|eur|usd|gbp|chf|sek|dkk|nok|pln|czk|cad|aud|jpy|€|\$|£|Euro|EURO|euro|US\$)"
)


@dataclass(frozen=True)
class Evidence:
    """Fractions (0-1) are of the filled cells. low, high: extremes of the numbers. letters: share of the
    samples with a word; spaces: with two words; mean_length: characters."""

    rows: int = 0
    filled: int = 0
    distinct: int = 0
    numeric: float = 0.0
    whole: float = 0.0
    dated: float = 0.0
    flagged: float = 0.0
    low: float | None = None
    high: float | None = None
    letters: float = 0.0
    spaces: float = 0.0
    lower: float = 0.0
    mails: float = 0.0
    currencies: float = 0.0
    mean_length: float = 0.0
    leading_zero: bool = False
    percent: bool = False
    samples: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """No cell is filled."""
        return self.filled == 0

    @property
    def unique(self) -> bool:
        """Nearly every row has its own value (a few duplicates happen in every customer list)."""
        return self.filled > 0 and self.filled >= 0.9 * self.rows and self.distinct >= 0.97 * self.filled

    @property
    def strictly_unique(self) -> bool:
        """Every row has a value and none occurs twice."""
        return self.rows > 0 and self.filled == self.rows and self.distinct >= self.rows

    @property
    def is_number(self) -> bool:
        """Practically all values are numbers."""
        return self.numeric >= 0.9

    @property
    def is_date(self) -> bool:
        """Practically all values are dates."""
        return self.dated >= 0.9

    @property
    def is_name(self) -> bool:
        """The values read like names of firms or people, not like codes."""
        if self.numeric > 0.3 or self.letters < 0.8:
            return False
        return self.spaces >= 0.25 or (self.lower >= 0.6 and self.mean_length >= 4)


def from_profile(profile: Profile | Evidence, raw: RawTable) -> Evidence:
    """The evidence in a `klientel.ingest.values` profile ; evidence passes through."""
    if isinstance(profile, Evidence):
        return profile
    samples = tuple(str(s) for s in profile.values)
    return Evidence(
        rows=raw.rows,
        filled=int(profile.filled),
        distinct=int(profile.filled if profile.unique else profile.distinct),
        numeric=profile.number_share if profile.number else 0.0,
        whole=profile.whole,
        dated=profile.date_share if profile.date else 0.0,
        flagged=profile.flag_share if profile.flag else 0.0,
        low=None if profile.low is None else float(profile.low),
        high=None if profile.high is None else float(profile.high),
        samples=samples,
        **_textual(samples),
    )


def from_values(values: Sequence[Any], *, rows: int | None = None) -> Evidence:
    """The evidence in a list of values, by plain rules, for small tables without a profile."""
    from klientel.ingest.mapping.plain import as_date, as_number

    filled = [v for v in values if v is not None and str(v).strip() != ""]
    texts = [str(v).strip() for v in filled]
    numbers = [n for t in texts if (n := as_number(t)) is not None]
    total = max(len(texts), 1)
    return Evidence(
        rows=len(values) if rows is None else rows,
        filled=len(filled),
        distinct=len(set(texts)),
        numeric=len(numbers) / total,
        whole=sum(n == int(n) for n in numbers) / max(len(numbers), 1),
        dated=sum(as_date(t) for t in texts) / total,
        flagged=sum(t.lower() in _FLAGS for t in texts) / total,
        low=min(numbers, default=None),
        high=max(numbers, default=None),
        samples=tuple(texts[:200]),
        **_textual(texts[:500]),
    )


_FLAGS = {"yes", "no", "ja", "nein", "true", "false", "wahr", "falsch", "0", "1", "x", "y", "n", "j"}


def _textual(samples: Sequence[str]) -> dict[str, Any]:
    texts = [s.strip() for s in samples if s.strip()]
    n = max(len(texts), 1)
    return {
        "letters": sum(bool(_WORD.search(t)) for t in texts) / n,
        "spaces": sum(len(_WORD.findall(t)) > 1 and bool(re.search(r"\s", t)) for t in texts) / n,
        "lower": sum(bool(re.search(r"[a-zà-ÿ]{2}", t)) for t in texts) / n,
        "mails": sum(bool(_MAIL.fullmatch(t)) for t in texts) / n,
        "currencies": sum(bool(_CURRENCY.fullmatch(t)) for t in texts) / n,
        "mean_length": sum(map(len, texts)) / n,
        "leading_zero": any(re.fullmatch(r"0\d+", t) for t in texts),
        "percent": any("%" in t for t in texts),
    }


def evidence_of(raw: RawTable, profiles: Mapping[str, Profile | Evidence]) -> dict[str, Evidence]:
    """Evidence of every column of a raw table, by column name; a column without profile has none."""
    return {
        c.name: from_profile(profiles[c.name], raw) if c.name in profiles else Evidence(rows=raw.rows)
        for c in raw.columns
    }
