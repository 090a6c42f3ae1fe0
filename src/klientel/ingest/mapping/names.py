# ruff: noqa: E501 - data, many words per line
"""Headers made comparable: case, umlauts, CamelCase, abbreviations, units and currencies taken apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from klientel.ingest.mapping.calendar import Period, period_of

_FOLD = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "å": "a", "€": " eur ", "№": "nr"}
)
_CURRENCIES = {
    "eur": "EUR", "euro": "EUR", "euros": "EUR", "usd": "USD", "dollar": "USD", "dollars": "USD", "gbp": "GBP",
    "chf": "CHF", "sfr": "CHF", "dkk": "DKK", "sek": "SEK", "nok": "NOK", "pln": "PLN", "czk": "CZK", "huf": "HUF",
    "jpy": "JPY", "cny": "CNY", "inr": "INR", "cad": "CAD", "aud": "AUD", "dm": "DEM",
}  # fmt: skip
_FACTORS = {
    "teur": 1e3, "keur": 1e3, "tsd": 1e3, "tausend": 1e3, "thousand": 1e3, "thousands": 1e3, "tchf": 1e3,
    "kusd": 1e3, "tusd": 1e3, "mio": 1e6, "mill": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6,
    "meur": 1e6, "musd": 1e6, "mrd": 1e9, "billion": 1e9,
    "cent": 0.01, "cents": 0.01,
}  # fmt: skip
_FACTOR_CURRENCY = {
    "teur": "EUR",
    "keur": "EUR",
    "meur": "EUR",
    "kusd": "USD",
    "tusd": "USD",
    "musd": "USD",
    "tchf": "CHF",
}
_UNITS = {
    "stk",
    "stck",
    "stueck",
    "pcs",
    "pieces",
    "std",
    "min",
    "minutes",
    "minuten",
    "monate",
    "months",
    "tage",
    "days",
}
_STOP = {
    "der", "die", "das", "des", "dem", "den", "of", "the", "in", "im", "per", "je", "pro", "lt", "fuer", "for",
}  # fmt: skip
# Abbreviations that mean one word wherever they stand alone.
_WORDS = {
    "nummer": "nr", "no": "nr", "num": "nr", "number": "nr", "nbr": "nr", "numero": "nr", "numm": "nr", "kd": "kunden",
    "kdn": "kunden", "kun": "kunden", "kund": "kunden", "cust": "customer", "custom": "customer", "acct": "account",
    "acc": "account", "art": "artikel", "dat": "datum", "dt": "date", "amt": "amount", "inv": "invoice",
    "prod": "product", "desc": "description", "descr": "description", "bez": "bezeichnung", "bezeichn": "bezeichnung",
    "betr": "betrag", "rg": "rechnung", "re": "rechnung", "rech": "rechnung", "rechn": "rechnung", "rng": "rechnung",
    "auftr": "auftrag", "auf": "auftrag", "ab": "auftrag", "bel": "beleg", "ums": "umsatz", "lfd": "laufende",
    "mitarb": "mitarbeiter", "ma": "mitarbeiter", "deb": "debitor", "quantities": "quantity", "qnty": "qty",
    "mtl": "monatlich", "monatl": "monatlich", "jaehrl": "jaehrlich", "ges": "gesamt", "proz": "prozent", "pct": "prozent",
    "percent": "prozent", "perc": "prozent", "rab": "rabatt", "wg": "warengruppe", "vertr": "vertrag", "org": "organization",
    "organisation": "organization", "organisations": "organization", "opp": "opportunity", "est": "established",
    "tel": "telefon", "str": "strasse", "ident": "id", "identifier": "id", "identification": "id", "prc": "price",
}  # fmt: skip
_KEEP_ALONE = {"ab", "re", "art", "auf", "est", "acc", "ma", "str", "org", "wg"}
"""Abbreviations that only mean something next to another word ("AB-Nr", "Art.-Nr.")."""


_THIS_YEAR = re.compile(
    r"\b(lfd\.?|laufende[sn]?|aktuelle[sn]?|diese[sn]?|current|this)\s+(jahr(es)?|gj|gesch(ä|ae)ftsjahr(es)?|(fiscal )?year|fy)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """A header taken apart.

    key: the words joined, without units, years and stop words, what synonyms are compared by.
    factor: 1000 for "T€", by which amounts are multiplied (`units`). period: the year, quarter or month named.
    """

    text: str
    tokens: tuple[str, ...]
    key: str
    currency: str | None = None
    factor: float | None = None
    percent: bool = False
    period: Period | None = None
    unnamed: bool = False

    @property
    def snake(self) -> str:
        """The header as an attribute name: "Bonität (intern)" is bonitaet_intern."""
        made = "_".join(_split(self.text)) or "column"
        return f"c_{made}" if made[0].isdigit() else made


@lru_cache(maxsize=20_000)
def header(text: str) -> Header:
    """Take a header apart; the same header always gives the same parts (no state, any language)."""
    period = period_of(text)
    rest = _THIS_YEAR.sub(" ", period.rest if period else text) or text
    percent = "%" in rest or "‰" in rest
    words, currency, factor = _without_units(_split(_unit_marks(rest)))
    tokens = tuple(_expand(words))
    percent = percent or "prozent" in tokens or "percentage" in tokens
    unnamed = (not tokens and period is None) or bool(
        re.fullmatch(r"(column|spalte|unnamed|field|feld|col|c|f|v|x)_?\d*", "".join(tokens))
    )
    return Header(text, tokens, "".join(tokens), currency, factor, percent, period, unnamed)


def key(text: str) -> str:
    """The comparison key of a header: "Kd.-Nr." and "KdNr" are both kundennr."""
    return header(text).key


def words(text: str) -> tuple[str, ...]:
    """The plain lower-case words of a file name, sheet name or header, without any expansion."""
    return tuple(_split(text))


def _split(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).replace("\ufeff", "")
    text = re.sub(r"(?<=[a-zäöüßé])(?=[A-ZÄÖÜ])", " ", text)
    text = re.sub(r"(?<=[A-ZÄÖÜ])(?=[A-ZÄÖÜ][a-zäöü])", " ", text)
    text = text.lower().translate(_FOLD)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [word for word in re.split(r"[^0-9a-z]+", text.replace("#", " nr ").replace("&", " und ")) if word]


def _unit_marks(text: str) -> str:
    """Write the signs of thousands and millions as words, before the punctuation goes."""
    text = re.sub(r"\b(?:T|k|K|Tsd\.?)\s?(?=€|\$|£)", " Tsd ", text)
    text = re.sub(r"\b(?:M|m|Mio\.?)\s?(?=€|\$|£)", " Mio ", text)
    text = re.sub(r"\b(?:T|k|K)(EUR|USD|CHF)\b", r" Tsd \1 ", text)
    return text.replace("£", " gbp ").replace("$", " usd ").replace("Σ", " summe ").replace("∑", " summe ")


def _without_units(found: list[str]) -> tuple[list[str], str | None, float | None]:
    kept: list[str] = []
    currency: str | None = None
    factor: float | None = None
    for word in found:
        if word in _CURRENCIES and len(found) > 1:
            currency = currency or _CURRENCIES[word]
        elif word in _FACTORS and len(found) > 1:
            factor = factor or _FACTORS[word]
            currency = currency or _FACTOR_CURRENCY.get(word)
        else:
            kept.append(word)
    plain = [word for word in kept if word not in _UNITS]
    return (plain if plain else kept), currency, factor


def _expand(found: list[str]) -> list[str]:
    expanded = []
    alone = len(found) == 1
    for word in found:
        if word in _STOP and not alone:
            continue
        whole = _WORDS.get(word)
        if whole and not (alone and word in _KEEP_ALONE):
            word = whole
        word = re.sub(r"(?<=[a-z]{3})nummern?$", "nr", word)
        word = re.sub(r"(?<=[a-z]{4})(number|numbr|num)$", "nr", word)
        word = re.sub(r"^(kdnr|kndnr|kundnr|knr|kdnrn)$", "kundennr", word)
        word = re.sub(r"^art(?=nr$|id$)", "artikel", word)
        word = re.sub(r"^custn(r|o)$", "customernr", word)
        word = re.sub(r"(?<=[a-z]{4})no$", "nr", word)
        word = re.sub(r"^cust(?=id$|name$|code$)", "customer", word)
        expanded.append(word)
    return expanded
