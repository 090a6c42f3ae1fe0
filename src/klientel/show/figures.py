"""Values as people read them, by unit and language: tables, tiles, sentences, axes."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from klientel.words import day, mark, number, percent, say, spoken, translate

if TYPE_CHECKING:
    from klientel.analysis import Column, Estimate, Unit

NONE = "–"
NARROW = "\u202f"  # narrow no-break space, between number and unit
NUMERIC: frozenset[str] = frozenset({"money", "share", "count", "number", "score", "days", "months"})

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "de": ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
}
_SCALES = {
    "en": ((1e9, "bn"), (1e6, "M"), (1e3, "k")),
    "de": ((1e9, "Mrd."), (1e6, "Mio."), (1e3, "Tsd.")),
}
_UNIT_WORDS = {"days": mark("days"), "months": mark("months")}


class Scale(NamedTuple):
    """What an axis is divided by and the word behind its numbers: 1,000,000 and "Mio."."""

    divisor: float
    word: str


def missing(value: Any) -> bool:
    """True for None and NaN."""
    return value is None or (isinstance(value, float | Decimal) and value != value)


def written(value: Any, unit: Unit = "text", lang: str = "en", currency: str | None = None) -> str:
    """A value in full: 1.234,50 €, 12,5 %, 01.03.2024; with `currency` None money stays a bare number.

    Missing values are an en dash. Words of classes and flags are translated; names and keys never are.
    """
    if missing(value):
        return NONE
    if isinstance(value, str) and unit in NUMERIC:
        return value  # "all" among the months of a window
    match unit:
        case "money":
            exact = value if isinstance(value, Decimal) else _real(value)
            return with_currency(number(exact, lang, 2), currency, lang)
        case "share":
            return percent(_real(value), lang)
        case "count":
            return _plain(value, lang, most=1)
        case "days" | "months" | "score":
            return _plain(value, lang, most=1)
        case "number":
            return _plain(value, lang)
        case "date":
            return day(value, lang) if isinstance(value, date) else str(value)
        case "month":
            return month(value, lang)
        case "attribute" if isinstance(value, str):
            return _attribute(value, lang)
        case "class" | "flag":
            return translate(value, lang) if isinstance(value, str) else spoken(value, lang)
        case _:
            return _word(value, lang)


def cell(value: Any, column: Column, lang: str = "en") -> str:
    """A value in a table, its unit being in the header; years stay 2024, not 2,024."""
    return str(value) if is_year(value, column) else written(value, column.unit, lang)


def is_year(value: Any, column: Column) -> bool:
    """True for a year in a column that counts years, by its name."""
    named = {"year", "cohort"} & set(column.name.split("_"))
    return (
        bool(named)
        and column.unit in ("number", "count")
        and isinstance(value, int)
        and 1900 <= value <= 2100
    )


def spoken_figure(value: Any, unit: Unit, lang: str = "en", currency: str | None = None) -> str:
    """A headline figure with its unit: 1,24 Mio. €, 87 days, 12,5 %."""
    if missing(value) or isinstance(value, str | bool | date):
        return written(value, unit, lang, currency)
    if unit == "money" or (unit == "number" and 10 <= abs(_real(value)) < 1000):
        return short(value, unit, lang, currency)
    text = written(value, unit, lang, currency)
    word = _UNIT_WORDS.get(unit)
    return f"{text}\u00a0{translate(word, lang)}" if word else text


def interval(estimate: Estimate, unit: Unit, lang: str = "en", currency: str | None = None) -> str:
    """The interval of an estimate, "38,1 % to 44,0 % (95 %)"; empty if it has none."""
    if missing(estimate.low) and missing(estimate.high):
        return ""
    low, high = (spoken_figure(v, unit, lang, currency) for v in (estimate.low, estimate.high))
    level = percent(estimate.level, lang, 0)
    return translate(say("{low} to {high} ({level})", low=low, high=high, level=level), lang)


def short(value: Any, unit: Unit = "number", lang: str = "en", currency: str | None = None) -> str:
    """A number in few characters: 1.2M, 1,2 Mio. €, 12 %; three significant digits at most."""
    if missing(value) or unit not in NUMERIC:
        return written(value, unit, lang, currency)
    real = _real(value)
    if unit == "share":
        return percent(real, lang, 0 if abs(real) >= 0.1 or real == 0 else 1)
    if abs(real) < 1000:
        digits = 0 if real == round(real) or abs(real) >= 100 else 1 if abs(real) >= 10 else 2
        text = number(real, lang, digits)
        if digits and unit != "money":
            text = text.rstrip("0").rstrip("," if lang == "de" else ".")
    else:
        text = _scaled(real, scale(real, lang), lang)
    return with_currency(text, currency, lang) if unit == "money" else text


def scale(largest: float, lang: str = "en") -> Scale:
    """The scale of an axis whose largest value is `largest`."""
    for divisor, word in _SCALES.get(lang, _SCALES["en"]):
        if abs(largest) >= divisor * 0.9995:
            return Scale(divisor, word)
    return Scale(1, "")


def with_currency(text: str, currency: str | None, lang: str = "en") -> str:
    """An amount with its currency: €1,234.50 in English, 1.234,50 € in German; ISO code if unknown."""
    if not currency:
        return text
    symbol = _SYMBOLS.get(currency, currency)
    if lang == "de":
        return f"{text}\u00a0{symbol}"
    sign, bare = ("−", text[1:]) if text.startswith("−") else ("", text)
    return f"{sign}{symbol}{bare}" if len(symbol) == 1 else f"{sign}{symbol}\u00a0{bare}"


def currency_sign(currency: str | None) -> str:
    """€ for EUR, the ISO code where there is no sign, "" without a currency."""
    return _SYMBOLS.get(currency, currency) if currency else ""


def month(value: Any, lang: str = "en") -> str:
    """A month: Mar 2024, März 2024; takes a date or "2024-03", anything else stays as it is."""
    if isinstance(value, str):
        year, _, rest = value.partition("-")
        if not (year.isdigit() and rest[:2].isdigit() and 1 <= int(rest[:2]) <= 12):
            return value
        return f"{_MONTHS.get(lang, _MONTHS['en'])[int(rest[:2]) - 1]}\u00a0{year}"
    if isinstance(value, date):
        return f"{_MONTHS.get(lang, _MONTHS['en'])[value.month - 1]}\u00a0{value.year}"
    return str(value)


def header(column: Column, lang: str = "en", currency: str | None = None) -> str:
    """Title of a column with its unit where the cells do not show it: "Umsatz (EUR)"."""
    title = translate(column.title or column.name, lang)
    if column.unit == "money" and currency:
        return f"{title} ({currency})"
    word = _UNIT_WORDS.get(column.unit)
    if word and translate(word, lang).lower() not in title.lower():
        return f"{title} ({translate(word, lang)})"
    return title


def _real(value: Any) -> float:
    return float(value)


def _word(value: Any, lang: str) -> str:
    if isinstance(value, bool):
        return spoken(value, lang)
    if isinstance(value, float | Decimal):
        return _plain(value, lang)
    if isinstance(value, datetime | date):
        return day(value, lang)
    return str(value)


def _attribute(name: str, lang: str) -> str:
    from klientel.attribute import attribute_title
    from klientel.words import knows

    if name in ("auto", "none"):
        return translate(name, lang)
    title = attribute_title(name)
    return translate(title, lang) if knows(title, lang) else title


def _plain(value: Any, lang: str, most: int = 3) -> str:
    """A bare number with as many decimals as its size deserves, at most `most`."""
    real = _real(value)
    if math.isinf(real):
        return "∞" if real > 0 else "−∞"
    if real == round(real):
        return number(round(real), lang)
    size = abs(real)
    digits = 1 if size >= 100 else 2 if size >= 1 else 3
    return number(real, lang, min(digits, most))


def _scaled(value: float, by: Scale, lang: str) -> str:
    size = abs(value / by.divisor)
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
    text = number(value / by.divisor, lang, digits)
    point = "," if lang == "de" else "."
    if point in text:
        text = text.rstrip("0").rstrip(point)
    if not by.word:
        return text
    return f"{text}\u00a0{by.word}" if lang == "de" else f"{text}{by.word}"
