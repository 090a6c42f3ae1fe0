"""Texts for people: marks them for translation and speaks them in English or German.

Source texts are English. `mark` only marks a text for the catalogue. `say` makes a sentence with
values that can later be spoken in another language, because it remembers its template.
"""

from __future__ import annotations

import gettext
import os
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de")
_WIDE = Context(prec=80)  # sums of money have up to 38 digits
_LOCALE = Path(__file__).parent / "locale"


class Share(float):
    """A fraction that people read as per cent: Share(0.12) is spoken "12.0 %"."""


class Amount(Decimal):
    """An amount of money without its currency, spoken with two decimals and grouping."""


class Sentence(str):
    """An English sentence that remembers how it was made, so that `translate` can speak it in German."""

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, values: dict[str, Any]) -> Sentence:
        """Fill `values` into `template` in English."""
        made = super().__new__(cls, _fill(template, values, "en"))
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[Any, ...]:  # a str subclass with two arguments needs telling
        return Sentence, (self.template, self.values)


class Word(str):
    """A text of the catalogue. As a value in a sentence it is translated; plain strings are data and are not."""


def mark(text: str) -> Word:
    """Mark a text for the catalogue and give it back, to be translated when it is shown."""
    return Word(text)


def say(template: str, **values: Any) -> Sentence:
    """A sentence with values: say("{n} of {total} rows", n=3, total=10).

    Values may be int, float, Decimal, date, Share (a fraction, read as per cent), Amount (money with two
    decimals), str, a marked text or another Sentence; each is written the way the reader's language
    writes it. Plain strings are data (customer names) and stay as they are.
    """
    return Sentence(template, values)


def in_currency(amount: Any, currency: str | None) -> Any:
    """An amount for a sentence: whole units from 100 on, with its currency where that is known."""
    short = Amount(amount) if abs(amount) < 100 else Decimal(amount).quantize(Decimal(1))
    return say("{amount} {currency}", amount=short, currency=currency) if currency else short


def translate(text: str, lang: str = "en") -> str:
    """The text in `lang`; a text that the catalogue does not know comes back in English."""
    if isinstance(text, Sentence):
        template = text.template if lang == "en" else _catalogue(lang).gettext(text.template)
        return _fill(template, text.values, lang)
    if lang == "en" or not text:
        return str(text)
    return _catalogue(lang).gettext(text)


def knows(text: str, lang: str) -> bool:
    """True if the catalogue of `lang` has the text (for the test that nothing stays untranslated)."""
    template = text.template if isinstance(text, Sentence) else text
    return lang == "en" or _catalogue(lang).gettext(template) != template or template in _same(lang)


def language(wanted: str | None = None) -> str:
    """The language to speak: the wanted one, else the environment's (KLIENTEL_LANG, LC_ALL, LANG)."""
    if wanted:
        return wanted
    for name in ("KLIENTEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "de" if value.lower().startswith("de") else "en"
    return "en"


def number(value: float | Decimal | None, lang: str = "en", decimals: int | None = None) -> str:
    """A number as the language writes it: 1,234.5 or 1.234,5. None is an en dash.

    Decimals are rounded as merchants do, half away from zero: 0.305 is 0.31.
    """
    if value is None or value != value:
        return "–"
    if decimals is None:
        decimals = 0 if isinstance(value, int) or value == int(value) else 2
    if isinstance(value, Decimal) and value.is_finite():
        value = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    text = f"{abs(value):,.{decimals}f}"
    if lang == "de":
        text = text.translate(str.maketrans(",.", ".,"))
    negative = value < 0 and any(c not in "0.," for c in text)
    return f"−{text}" if negative else text


def percent(value: float | Decimal | None, lang: str = "en", decimals: int = 1) -> str:
    """A fraction as per cent, with a narrow no-break space as both languages' typographers want it."""
    return "–" if value is None else f"{number(float(value) * 100, lang, decimals)}\u202f%"


def day(value: date | None, lang: str = "en") -> str:
    """A date: 2024-03-01 in English (ISO, unmistakable), 01.03.2024 in German."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.date()
    return value.strftime("%d.%m.%Y") if lang == "de" else value.isoformat()


def spoken(value: Any, lang: str = "en") -> str:
    """Any value as a person of that language reads it inside a sentence."""
    match value:
        case Sentence() | Word():
            return translate(value, lang)
        case bool():
            return translate(mark("yes") if value else mark("no"), lang)
        case Share():
            return percent(value, lang)
        case Amount():
            return number(value, lang, 2)
        case float() if value == value and round(value, 2) == round(value, 1):
            return number(value, lang, 0 if value == int(value) else 1)  # 45.1, not 45.10
        case int() | float() | Decimal():
            return number(value, lang)
        case date():
            return day(value, lang)
        case list() | tuple():
            return ", ".join(spoken(item, lang) for item in value)
        case _:
            return str(value)


def _fill(template: str, values: dict[str, Any], lang: str) -> str:
    return template.format(**{name: spoken(value, lang) for name, value in values.items()})


@cache
def _catalogue(lang: str) -> gettext.NullTranslations:
    return gettext.translation("klientel", localedir=_LOCALE, languages=[lang], fallback=True)


@cache
def _same(lang: str) -> frozenset[str]:
    """Texts whose translation is the English text itself ("ABC", "Status")."""
    catalogue = _catalogue(lang)
    known = getattr(catalogue, "_catalog", {})
    return frozenset(key for key, value in known.items() if isinstance(key, str) and key == value)
