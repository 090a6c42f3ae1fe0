"""What people type, as values and as addresses hold it: amounts with comma or point, per cent, days, yes and no."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from klientel.errors import BadParameter
from klientel.words import say

_GROUPED = {",": re.compile(r"[-−]?\d{1,3}(,\d{3})+"), ".": re.compile(r"[-−]?\d{1,3}(\.\d{3})+")}
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)")  # no 1e9999, which would take all memory
_DAYS = {"de": re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")}
_RELATIVE = re.compile(r"today(?:([+-]\d{1,4}))?")


def decimal(text: str, lang: str) -> Decimal:
    """A number as people of that language write it: 1.234,50 or 1,234.50, with or without € and blanks.

    Where only one of comma and point is there, it groups thousands if the language groups by it and three digits
    follow each, and is the decimal sign otherwise. Raises BadParameter for what is no number.
    """
    bare = re.sub(r"[\s\u00a0\u202f€$£%']|[A-Z]{3}$", "", text.strip()).replace("−", "-")
    if "," in bare and "." in bare:
        last = "," if bare.rindex(",") > bare.rindex(".") else "."
        bare = bare.replace("." if last == "," else ",", "").replace(last, ".")
    else:
        groups = "." if lang == "de" else ","
        if _GROUPED[groups].fullmatch(bare):
            bare = bare.replace(groups, "")
        bare = bare.replace(",", ".")
    if not _DECIMAL.fullmatch(bare):
        raise BadParameter(say("{value} is not a number.", value=text))
    return Decimal(bare)


def key(text: str) -> int | None:
    """The id of a record that an address or a form holds; None for what cannot be one."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


_NUMBERS = ("money", "number", "share", "integer")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MOST = {"money": 10**14, "number": 10**14, "share": 10**8, "integer": 10**15}  # what the columns hold


def addressed(kind: str, text: str, lang: str, today: date) -> str:
    """What was typed as an address holds it, the same for readers of every language: 1234.50, 0.3, 2024-03-01.

    Relative days (today-30) stay, as a saved view means them every day anew. Raises BadParameter.
    """
    text = text.strip()
    if kind in _NUMBERS and text:
        return format(value(kind, text, lang, today), "f")
    if kind in ("date", "moment") and text and not _RELATIVE.fullmatch(text):
        return day(text, today).isoformat()
    return text


def read(kind: str, text: str, today: date) -> Any:
    """A value as an address holds it (`addressed`), whoever reads it. Raises BadParameter."""
    if kind not in _NUMBERS:
        return value(kind, text, "", today)
    if not _PLAIN.fullmatch(text):
        raise BadParameter(say("{value} is not a number; an address has numbers like 1234.50.", value=text))
    found = _bounded(kind, Decimal(text), text)
    if kind == "integer" and found != found.to_integral_value():
        raise BadParameter(say("{value} is not a whole number.", value=text))
    return int(found) if kind == "integer" else found


def _bounded(kind: str, found: Any, text: str) -> Any:
    if abs(found) >= _MOST[kind]:
        raise BadParameter(say("{value} is too large.", value=text[:40]))
    return found


def day(text: str, today: date) -> date:
    """A day: 2024-03-01, 1.3.2024, or today, today-30, today+7. Raises BadParameter."""
    text = text.strip()
    try:
        if relative := _RELATIVE.fullmatch(text):
            return today + timedelta(days=int(relative[1] or 0))
        if german := _DAYS["de"].fullmatch(text):
            return date(int(german[3]), int(german[2]), int(german[1]))
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadParameter(say("{value} is not a date; write 2024-03-01.", value=text)) from None


def value(kind: str, text: str, lang: str, today: date) -> Any:
    """A value of a kind of column from what was typed; None for an empty text. Raises BadParameter."""
    if not text.strip():
        return None
    match kind:
        case "money" | "number":
            return _bounded(kind, decimal(text, lang), text)
        case "share":
            found = _bounded(kind, decimal(text, lang), text)
            return found / 100 if "%" in text or found > 1 else found
        case "integer":
            whole = _bounded(kind, decimal(text, lang), text)
            if whole != whole.to_integral_value():
                raise BadParameter(say("{value} is not a whole number.", value=text))
            return int(whole)
        case "date":
            return day(text, today)
        case "flag":
            if text not in ("yes", "no"):
                raise BadParameter(say("{value} is neither yes nor no.", value=text))
            return text == "yes"
    return text.strip() if kind == "text" else text.strip("\r\n").replace("\r\n", "\n")


def number(held: Any) -> Decimal | None:
    """What a field or an address holds as a number; None for what is none that people write ("n/a", NaN, 1e9999)."""
    try:
        found = Decimal(str(held))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= 30 else None


def written(kind: str, held: Any, lang: str) -> str:
    """A value as it stands in the input of a form, so that `value` reads it again; what is no value, as it is."""
    if held in (None, ""):
        return ""
    if kind == "flag":
        return "no" if held in (False, "no", "false") else "yes"
    if kind in ("money", "number", "share"):
        found = number(held)
        if found is None:
            return str(held)
        found *= 100 if kind == "share" else 1
        text = format(found.normalize(), "f")
        if kind == "money" and "." in text and len(text.partition(".")[2]) < 2:
            text = format(found, ".2f")
        text = text.replace(".", ",") if lang == "de" else text
        return f"{text} %" if kind == "share" else text
    if kind == "date":
        return held if isinstance(held, str) else str(held.isoformat())
    return str(held)
