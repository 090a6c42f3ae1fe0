"""What people type, as values: amounts with comma or point, per cent, days, yes and no."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from klientel.errors import BadParameter
from klientel.words import say

_GROUPED = {",": re.compile(r"[-−]?\d{1,3}(,\d{3})+"), ".": re.compile(r"[-−]?\d{1,3}(\.\d{3})+")}
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
    try:
        found = Decimal(bare)
    except InvalidOperation:
        raise BadParameter(say("{value} is not a number.", value=text)) from None
    if not found.is_finite():
        raise BadParameter(say("{value} is not a number.", value=text))
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
            return decimal(text, lang)
        case "share":
            found = decimal(text, lang)
            return found / 100 if "%" in text or found > 1 else found
        case "integer":
            number = decimal(text, lang)
            if number != number.to_integral_value():
                raise BadParameter(say("{value} is not a whole number.", value=text))
            return int(number)
        case "date":
            return day(text, today)
        case "flag":
            if text not in ("yes", "no"):
                raise BadParameter(say("{value} is neither yes nor no.", value=text))
            return text == "yes"
    return text.strip() if kind == "text" else text.strip("\r\n").replace("\r\n", "\n")


def written(kind: str, held: Any, lang: str) -> str:
    """A value as it stands in the input of a form, so that `value` reads it again."""
    if held in (None, ""):
        return ""
    if kind == "flag":
        return "yes" if held else "no"
    if kind in ("money", "number", "share"):
        number = Decimal(str(held)) * (100 if kind == "share" else 1)
        text = format(number.normalize(), "f")
        if kind == "money" and "." in text and len(text.partition(".")[2]) < 2:
            text = format(number, ".2f")
        text = text.replace(".", ",") if lang == "de" else text
        return f"{text} %" if kind == "share" else text
    if kind == "date":
        return held if isinstance(held, str) else str(held.isoformat())
    return str(held)
