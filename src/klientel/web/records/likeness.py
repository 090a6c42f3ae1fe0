"""How likely two companies, or two contacts, are one: a score with its reasons in words. No database here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, Any

from klientel.web.records import blocking, names
from klientel.words import Sentence, Share, say

if TYPE_CHECKING:
    import numpy as np

LIKELY = 60  # points from which a pair is shown
SURE = 85  # points from which it is almost certain
ALIKE = 0.72  # likeness of names below which only another proof counts


@dataclass(frozen=True)
class Firm:
    """What is compared of a company."""

    id: int
    name: str
    legal_form: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""
    website: str = ""
    email: str = ""
    vat_id: str = ""

    @cached_property
    def parts(self) -> names.Name:
        """The name taken apart."""
        return names.firm(self.name, self.legal_form)

    @cached_property
    def domain(self) -> str:
        """Web domain, also that of the e-mail address."""
        return names.domain(self.website, self.email)

    @cached_property
    def vat(self) -> str:
        """VAT number."""
        return names.vat(self.vat_id)

    @cached_property
    def line(self) -> str:
        """Phone."""
        return names.phone(self.phone)

    @cached_property
    def address(self) -> str:
        """Postcode and street, "" unless both are known."""
        return f"{self.postcode.strip()} {names.street(self.street)}" if self.postcode and self.street else ""

    @cached_property
    def town(self) -> str:
        """City, folded."""
        return names.fold(self.city).strip()

    @property
    def bare(self) -> bool:
        """True if nothing but the name is known."""
        return not (self.town or self.postcode or self.domain or self.line or self.vat)


@dataclass(frozen=True)
class Likeness:
    """Two records that may be one: ids, points (0 to 100) and the reasons."""

    first: int
    second: int
    points: int
    reasons: tuple[Sentence, ...]

    @property
    def sure(self) -> bool:
        """True if it is almost certain."""
        return self.points >= SURE


def alike(firms: Sequence[Firm]) -> list[Likeness]:
    """Pairs of companies that are probably one, most certain first."""
    from rapidfuzz import fuzz, process

    cores = [f.parts.core for f in firms]
    keys = [
        [f.vat for f in firms],
        [f.domain for f in firms],
        [f.line for f in firms],
        [f.address for f in firms],
    ]
    pairs = blocking.pairs(cores, keys, [[f.town for f in firms], [f.postcode.strip() for f in firms]])
    if not len(pairs):
        return []
    left, right = pairs[:, 0].tolist(), pairs[:, 1].tolist()
    one, other = [cores[i] for i in left], [cores[j] for j in right]
    ratios = _best(
        process.cpdist(one, other, scorer=fuzz.ratio),
        process.cpdist(one, other, scorer=fuzz.token_sort_ratio),
    )
    common = Commonness(cores)
    facts = [(f.parts.form, names.numerals(f.parts.words), f.vat, f.domain, f.line, f.address) for f in firms]
    towns = [(f.town, f.postcode.strip()) for f in firms]
    found = []
    for i, j, ratio in zip(left, right, ratios.tolist(), strict=True):
        if _at_most(facts[i], facts[j], towns[i], towns[j], ratio) >= LIKELY:
            likeness = compare(firms[i], firms[j], common, ratio)
            if likeness.points >= LIKELY:
                found.append(likeness)
    return sorted(found, key=lambda x: (-x.points, x.first, x.second))


def _at_most(a: tuple[Any, ...], b: tuple[Any, ...], place: Any, other: Any, ratio: float) -> int:
    """The points that a pair can have at most, at little cost; 0 if it is certain not to be one."""
    if a[2] and a[2] == b[2]:
        return 100
    if (a[0] != b[0] and a[0] and b[0]) or a[1] != b[1]:
        return 0
    points = 80 if ratio == 1 else 64 if ratio >= 0.9 else 52 if ratio >= ALIKE else 0
    points += sum(25 for x, y in zip(a[3:], b[3:], strict=True) if x and x == y)
    if not (a[5] and a[5] == b[5]) and any(x and x == y for x, y in zip(place, other, strict=True)):
        points += 10
    return points


def _best(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.maximum(one, other) / 100


class Commonness:
    """How much a shared name says among these names: Müller is common, Kettler Präzisionstechnik is not."""

    def __init__(self, cores: Sequence[str]) -> None:
        self.n = max(len(cores), 1)
        self.counts: Counter[str] = blocking.frequencies(cores)

    def expected(self, words: Sequence[str]) -> float:
        """How many records but these two would carry these words together by chance."""
        logs = sum(log(max(self.counts[w] - 2, 0.05) / self.n) for w in words)
        return float(self.n) * float(2.718281828459045**logs)

    def other_word(self, one: str, other: str) -> bool:
        """True if both are words of their own rather than one a slip of the other."""
        return min(self.counts[one], self.counts[other]) > 1


def compare(a: Firm, b: Firm, common: Commonness, ratio: float | None = None) -> Likeness:
    """The likeness of two companies: points for the name, then for everything that confirms or contradicts it."""
    from rapidfuzz import fuzz

    one, other = a.parts, b.parts
    if ratio is None:
        found = max(fuzz.ratio(one.core, other.core), fuzz.token_sort_ratio(one.core, other.core))
        ratio = found / 100
    points, reasons = _name(one, other, common, ratio)
    for got, reason in (*_proofs(a, b), *_place(a, b)):
        points += got
        reasons.append(reason)
    if len(reasons) == 1 and a.bare and b.bare and one.core == other.core:
        points = max(points, LIKELY + 2)  # nothing is known that could tell them apart
    same_vat = bool(a.vat and a.vat == b.vat)
    if names.differ(one.form, other.form):
        reasons.append(say("different legal forms: {one}, {other}", one=one.form, other=other.form))
        points = min(points, LIKELY + 15) if same_vat else min(points, LIKELY - 1)
    elif one.form != other.form:
        points -= 5
    if names.numerals(one.words) != names.numerals(other.words):
        reasons.append(say("different numbers in the name"))
        points = min(points, LIKELY - 1)
    return Likeness(a.id, b.id, max(0, min(100, points)), tuple(reasons))


def _name(one: names.Name, other: names.Name, common: Commonness, ratio: float) -> tuple[int, list[Sentence]]:
    if sorted(one.words) == sorted(other.words) or one.core.replace(" ", "") == other.core.replace(" ", ""):
        chance = common.expected(one.words)
        if chance > 0.6:
            return (58 if chance <= 5 else 45), [say("the same name, made of common words")]
        return (80 if chance < 0.1 else 70), [say("the same name")]
    if ratio < ALIKE:
        return 0, [say("different names")]
    reasons = [say("names alike by {share}", share=Share(ratio))]
    rest_a, rest_b = _rest(one.words, other.words), _rest(other.words, one.words)
    if not rest_a or not rest_b:  # one name has a word more
        extra = rest_a or rest_b
        known = common.expected([w for w in one.words if w in other.words]) <= 2
        return (52 if known and len(extra) == 1 else 25), reasons
    if any(common.other_word(x, y) for x, y in zip(rest_a, rest_b, strict=False)) or len(rest_a) != len(
        rest_b
    ):
        return (40 if ratio >= 0.9 else 20), reasons
    return (64 if ratio >= 0.9 else 50 if ratio >= 0.82 else 30), reasons


def _rest(words: Sequence[str], others: Sequence[str]) -> list[str]:
    return sorted((Counter(words) - Counter(others)).elements())


def _proofs(a: Firm, b: Firm) -> list[tuple[int, Sentence]]:
    found = []
    if a.vat and b.vat:
        same = a.vat == b.vat
        found.append((75, say("the same VAT number")) if same else (-60, say("different VAT numbers")))
    if a.domain and a.domain == b.domain:
        found.append((25, say("the same web domain {domain}", domain=a.domain)))
    elif a.domain and b.domain:
        found.append((-6, say("different web domains")))
    if a.line and a.line == b.line:
        found.append((25, say("the same phone number")))
    return found


def _place(a: Firm, b: Firm) -> list[tuple[int, Sentence]]:
    found = []
    if a.address and a.address == b.address:
        found.append((25, say("the same address")))
    elif (a.town and a.town == b.town) or (a.postcode and a.postcode == b.postcode):
        found.append((10, say("the same place")))
    elif a.town and b.town:
        found.append((-18, say("different places: {one}, {other}", one=a.city, other=b.city)))
    if (
        a.country
        and b.country
        and len(a.country) == len(b.country)
        and names.fold(a.country) != names.fold(b.country)
    ):
        found.append((-30, say("different countries")))
    return found
