"""What the rest of a file says about columns that fit two ways of writing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from klientel.ingest.values import numbers
from klientel.words import mark

if TYPE_CHECKING:
    from klientel.ingest.raw import RawTable
    from klientel.ingest.values.dates import DateFormat, Order
    from klientel.ingest.values.numbers import Hint, NumberFormat

_GERMAN = re.compile(
    r"kunde|datum|betrag|menge|preis|umsatz|rechnung|artikel|nummer|auftrag|beleg|firma|straße|strasse|\bplz\b|\bort\b"
    r"|bezeichnung|rabatt|netto|brutto|währung|waehrung|vertrag|[äöüß]",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"customer|\bdate|amount|quantity|price|revenue|invoice|product|number|order|company|street|\bzip\b|city|discount",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Hints:
    """Language of the numbers and order of the dates of a file, each with the ground it is believed on."""

    numbers: Hint = None
    because: str = mark("nothing else in the file decides it")
    order: Order | None = None
    order_because: str = mark("nothing else in the file decides it")


NONE = Hints()


def derive(
    columns: list[tuple[str, NumberFormat | None, DateFormat | None]], raw: RawTable, hint: Hint
) -> Hints:
    """The hints of a file from (header, number, date) of its columns and the caller's `hint`.

    Strongest first: cells of a workbook (a machine writes the decimal point), decimal signs of other
    columns, the caller, dates, the language of the headers, currencies.
    """
    language, because = _language(columns, raw, hint)
    order, order_because = _order(columns, language, because)
    return Hints(language, because, order, order_because)


def _language(
    columns: list[tuple[str, NumberFormat | None, DateFormat | None]], raw: RawTable, hint: Hint
) -> tuple[Hint, str]:
    if raw.sheet is not None:
        return "en", mark("cells of a workbook have a decimal point")
    clear = [n for _, n, _ in columns if n and not n.ambiguous and not n.typed]
    commas = sum(n.decimal == "," or n.group == "." for n in clear)
    points = sum(n.decimal == "." or n.group == "," for n in clear)
    if commas != points:
        if commas > points:
            return "de", mark("other columns have a decimal comma")
        return "en", mark("other columns have a decimal point")
    if hint:
        return hint, mark("the language given for the file")
    days = [d for _, _, d in columns if d and not d.ambiguous]
    if any("." in layout and d.order == "dmy" for d in days for layout in d.layouts):
        return "de", mark("dates of the file are written with dots")
    if any(d.order == "mdy" for d in days):
        return "en", mark("dates of the file have the month first")
    german = sum(bool(_GERMAN.search(header)) for header, _, _ in columns)
    english = sum(bool(_ENGLISH.search(header)) for header, _, _ in columns)
    if german != english:
        return ("de", mark("headers are German")) if german > english else ("en", mark("headers are English"))
    return _by_currency(columns)


def _by_currency(
    columns: list[tuple[str, NumberFormat | None, DateFormat | None]],
) -> tuple[Hint, str]:
    codes = {numbers.currency(n) for _, n, _ in columns if n} - {None}
    if codes == {"EUR"}:
        return "de", mark("amounts are in euros")
    if codes and codes <= {"USD", "GBP"}:
        return "en", mark("amounts are in dollars or pounds")
    return None, NONE.because


def _order(
    columns: list[tuple[str, NumberFormat | None, DateFormat | None]], language: Hint, because: str
) -> tuple[Order | None, str]:
    clear = {d.order for _, _, d in columns if d and not d.ambiguous and d.order in ("dmy", "mdy")}
    if len(clear) == 1:
        return clear.pop(), mark("other dates of the file are written so")
    codes = {numbers.currency(n) for _, n, _ in columns if n}
    if "GBP" in codes or "EUR" in codes:
        return "dmy", mark("amounts are in pounds or euros")
    if language == "de":
        return "dmy", because
    if language == "en" and "USD" in codes:
        return "mdy", mark("amounts are in dollars")
    return ("mdy", because) if language == "en" else (None, NONE.order_because)
