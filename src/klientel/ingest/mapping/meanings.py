"""What a header may mean: concepts with a strength, from exact spellings down to near misses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from klientel.ingest.mapping.names import Header, header
from klientel.ingest.mapping.synonyms import spellings

How = Literal["exact", "part", "near"]

_SHORTEST = 5
# A word that turns a known name into something else: a plan is not a sale, a supplier not a customer.
_BLOCK = frozenset(
    {
        "plan", "durchwahl", "ziel", "budget", "budgetierter", "vorjahr", "vorjahres", "vj", "previous",
        "prior", "target", "forecast", "soll", "offen", "offene", "offener", "open", "supplier", "vendor",
        "lieferanten", "lieferant", "kreditor", "ship", "shipping", "liefer", "lieferung", "birth",
        "geburts", "hire", "last", "letzte", "letzter", "letztes", "photo", "home", "required", "due",
        "shipped", "max", "min", "avg", "durchschnitt", "durchschnittlich", "average", "mean", "median",
        "count", "auftraege", "bestellungen", "rechnungen", "orders", "invoices", "kaeufe", "visits",
        "besuche", "abweichung", "differenz", "delta", "diff", "change", "veraenderung", "wachstum",
        "growth", "rank", "rang", "kumuliert", "cumulative", "ytd", "score", "predicted", "expected",
        "erwartet", "unpaid", "lager", "bestand", "stock", "delivery", "bank",
    }
)  # fmt: skip

_OF = re.compile(r"\b(of|des|der|von|du|de la|del)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Meaning:
    """One reading of a header: the concept, how sure the words make us (0-1) and how it was found."""

    concept: str
    strength: float
    how: How
    spelling: str


@lru_cache(maxsize=20_000)
def meanings(text: str) -> tuple[Meaning, ...]:
    """All readings of a header, strongest first; empty if it says nothing we know.

    An exact spelling ends the search: "Nettobetrag" is never also read as a kind of "Betrag". Otherwise
    the longest known part counts (specific before general), then spellings at most a typo away.
    """
    parts = header(text)
    if not parts.key:
        return ()
    found = _exact(parts) or _parts(parts)
    strong = max((m.strength for m in found), default=0.0)
    if strong < 0.6:
        found = _best([*found, *_near(parts)])
    return tuple(sorted(found, key=lambda m: (-m.strength, m.concept)))


def _exact(parts: Header) -> list[Meaning]:
    known = spellings().get(parts.key)
    if known:
        return [Meaning(c, s, "exact", parts.key) for c, s in _percent_aware(known, parts).items()]
    known = _by_words().get(tuple(sorted(parts.tokens)))
    return [Meaning(c, s * 0.97, "exact", parts.key) for c, s in _percent_aware(known or {}, parts).items()]


def _percent_aware(known: dict[str, float], parts: Header) -> dict[str, float]:
    """With a per cent sign a discount, margin or chance is a share, and an amount is nothing we know."""
    if not parts.percent:
        return known
    turned = {"discount": "discount_share", "discount_amount": "discount_share", "margin": "margin_share"}
    made = {turned.get(c, c): s for c, s in known.items()}
    return {
        c: s
        for c, s in made.items()
        if c not in {"amount", "revenue", "net", "gross", "qty", "unit_price", "cost_line"}
    }


def _parts(parts: Header) -> list[Meaning]:
    """Known spellings inside the header, the longest run of words first, compounds by their last part.

    The last word carries the meaning of a name in both languages ("customer email" is an e-mail address),
    unless the header says "X of Y".
    """
    tokens = parts.tokens
    if _BLOCK.intersection(tokens):
        return []
    for size in range(len(tokens) - 1, 0, -1):
        found = [_run(parts, start, size) for start in range(len(tokens) - size + 1)]
        if size == 1:
            found = [run or _compound(parts, i) for i, run in enumerate(found)]
        if found[-1] and not _OF.search(parts.text):
            return _best(found[-1])
        if any(found):
            return _best([meaning for run in found for meaning in run])
    return _compound(parts, 0) if len(tokens) == 1 else []


def _run(parts: Header, start: int, size: int) -> list[Meaning]:
    run = "".join(parts.tokens[start : start + size])
    weight = 0.4 + 0.5 * len(run) / len(parts.key) + (0.05 if start + size == len(parts.tokens) else 0.0)
    known = _percent_aware(spellings().get(run, {}), parts)
    return [Meaning(c, s * min(weight, 0.9), "part", run) for c, s in known.items()]


def _compound(parts: Header, index: int) -> list[Meaning]:
    word = parts.tokens[index]
    if any(sign in word for sign in ("plan", "ziel", "vorjahr", "soll", "lieferant", "versand", "spedition")):
        return []
    for start in range(2, len(word) - _SHORTEST + 1):
        tail = word[start:]
        known = spellings().get(tail)
        if known:
            weight = 0.45 + 0.4 * len(tail) / len(word)
            return [Meaning(c, s * weight, "part", tail) for c, s in _percent_aware(known, parts).items()]
    return []


def _near(parts: Header) -> list[Meaning]:
    if len(parts.key) <= _SHORTEST or _BLOCK.intersection(parts.tokens):
        return []
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    allowed = 1 if len(parts.key) < 9 else 2
    hits = process.extract(parts.key, _long_spellings(), scorer=OSA.distance, score_cutoff=allowed, limit=8)
    hits = [hit for hit in hits if hit[0][0] == parts.key[0]]
    nearest = min((hit[1] for hit in hits), default=0)
    return [
        Meaning(concept, strength * (0.86 if distance == 1 else 0.78), "near", spelling)
        for spelling, distance, _ in hits
        if distance == nearest
        for concept, strength in _percent_aware(spellings()[spelling], parts).items()
    ]


def _best(found: list[Meaning]) -> list[Meaning]:
    kept: dict[str, Meaning] = {}
    for meaning in found:
        if meaning.concept not in kept or meaning.strength > kept[meaning.concept].strength:
            kept[meaning.concept] = meaning
    return list(kept.values())


@cache
def _long_spellings() -> tuple[str, ...]:
    return tuple(s for s in spellings() if len(s) >= _SHORTEST)


@cache
def _by_words() -> dict[tuple[str, ...], dict[str, float]]:
    """Spellings by their sorted words, so that "Betrag netto" and "netto Betrag" are one."""
    from klientel.ingest.mapping.synonyms import texts

    made: dict[tuple[str, ...], dict[str, float]] = {}
    for concept, strength, text in texts():
        tokens = header(text).tokens
        if len(tokens) > 1:
            made.setdefault(tuple(sorted(tokens)), {}).setdefault(concept, strength)
    return made


def blocked(text: str) -> bool:
    """True if the header is about a plan, a forecast, last year or a change, not about what was sold."""
    return bool(_BLOCK.intersection(header(text).tokens)) or header(text).percent
