"""Numbers in text: which decimal sign and grouping a column uses, and the SQL that reads it exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from klientel.ingest.values import scales
from klientel.ingest.values.shapes import BLANKS, SPACE, Shape, empty_sql, is_empty, quoted
from klientel.words import Sentence, mark, say

__all__ = ["MONEY", "RATE", "NumberFormat", "currency_sql", "decide", "empty_sql", "number_sql", "share_sql"]

MONEY = "DECIMAL(18,4)"
RATE = "DECIMAL(28,10)"

Hint = Literal["de", "en"] | None

# Written form -> ISO code; "" where the sign does not say which currency it is.
CURRENCIES: dict[str, str] = {
    "EUR": "EUR", "Euro": "EUR", "€": "EUR", "US$": "USD", "USD": "USD", "$": "USD", "GBP": "GBP", "£": "GBP",
    "CHF": "CHF", "SFr.": "CHF", "Fr.": "CHF", "JPY": "JPY", "¥": "JPY", "PLN": "PLN", "zł": "PLN",
    "CZK": "CZK", "Kč": "CZK", "SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "kr": "", "HUF": "HUF", "Ft": "HUF",
    "CAD": "CAD", "AUD": "AUD", "INR": "INR", "₹": "INR", "BRL": "BRL", "R$": "BRL", "CNY": "CNY",
    "TRY": "TRY",
    "₺": "TRY", "RUB": "RUB", "₽": "RUB", "MXN": "MXN", "ZAR": "ZAR", "RON": "RON", "BGN": "BGN",
}  # fmt: skip

_WRITTEN = sorted(CURRENCIES, key=len, reverse=True)
_MONEY_SIGN = re.compile("|".join(re.escape(c) for c in _WRITTEN), re.IGNORECASE)
_LETTERS = re.compile(r"[A-Za-z]")
_SPACES = re.compile(f"[{BLANKS}]")

# (decimal sign, grouping sign), the plainest first: of equally good ones the first is taken.
_CONVENTIONS: tuple[tuple[str, str], ...] = (
    ("", ""), (".", ""), (",", ""), ("", "."), ("", ","), ("", "'"), ("", " "),
    (".", ","), (",", "."), (".", "'"), (",", "'"), (".", " "), (",", " "),
)  # fmt: skip
_CLASS = {".": r"\.", ",": ",", "'": "['’´`]", " ": f"(?: |{SPACE})"}
_PYTHON = {".": r"\.", ",": ",", "'": "'", " ": " "}

# What the signs are called in sentences.
_SIGNS = {".": mark("point"), ",": mark("comma"), "'": mark("apostrophe"), " ": mark("space")}


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    decimal, group: the signs ("" where the column has none). styles, where seen: "spaces" around,
    "currency", "percent", "parentheses" and "trailing" (negatives), "minus" (U+2212), "exponent".
    divisor: what a share is divided by (1 or 100), None where the column cannot be a share. typed: the
    column holds numbers, not text. ambiguous: the whole column can be read in two ways; `why` says which
    was taken and on what ground.
    """

    decimal: str = ""
    group: str = ""
    styles: frozenset[str] = frozenset()
    currencies: tuple[str, ...] = ()
    typed: bool = False
    divisor: int | None = None
    share_why: str = ""
    why: str = ""
    ambiguous: bool = False
    scales: frozenset[str] = frozenset()  # "k", "mio", ...: by them values are multiplied (`scales`)
    either: str = ""  # the sign that may group or be decimal, as far as the column says


@dataclass(frozen=True)
class _Peeled:
    core: str
    styles: frozenset[str]
    currency: str
    scale: str = ""


def number_sql(column: str, fmt: NumberFormat, type_: str = MONEY) -> str:
    """SQL that reads `column` (an SQL expression) as `type_`; NULL for everything not written in `fmt`.

    Exact: text becomes decimal without a float on the way; further decimals are rounded half away from
    zero. Values of 10^14 and above do not fit MONEY and are NULL. "15 %" is 15; see `share_sql`.
    """
    if fmt.typed:
        return f"try_cast({column} AS {type_})"
    if not fmt.styles - {"exponent"} and not fmt.scales:
        value = _cast(column, fmt, type_)
        return f"CASE WHEN regexp_full_match({column}, {quoted(_plain(fmt))}) THEN {value} END"
    bare = column
    if fmt.currencies:
        bare = f"regexp_replace({bare}, {quoted(_currency(fmt))}, '')"
    if fmt.scales:
        bare = scales.without_sql(bare, fmt.scales)
    junk = f"regexp_replace({bare}, '[^0-9.,]', '', 'g')"
    value = _cast(junk, fmt, type_)
    if fmt.scales:
        times = scales.factor_sql(column, fmt.scales)
        value = f"TRY(CAST({_cast(junk, fmt, 'DECIMAL(24,10)')} * {times} AS {type_}))"
    negative = f"regexp_matches({column}, '[-−(]')"
    return (
        f"CASE WHEN regexp_full_match({column}, {quoted(_full(fmt))}) THEN "
        f"CASE WHEN {negative} THEN -{value} ELSE {value} END END"
    )


def share_sql(column: str, fmt: NumberFormat) -> str:
    """SQL that reads `column` as a fraction (RATE): 0.15, "15 %", and 15 where `fmt.divisor` is 100.

    NULL where the value is not a number or lies outside −1..1 after division. In a column where some values
    carry a per cent sign the others are taken only if they are 0, because 0.15 and 15 % cannot both be meant.
    """
    if fmt.divisor is None:
        return f"CAST(NULL AS {RATE})"
    value = number_sql(column, fmt, "DECIMAL(18,10)")  # whatever does not fit is no share either
    # a product stays exact where a quotient of decimals becomes a float
    factor = {1: "1", 100: "CAST(0.01 AS DECIMAL(3,2))"}[fmt.divisor]
    fraction = f"CAST(({value}) * {factor} AS {RATE})"
    checked = f"CASE WHEN ({value}) BETWEEN -{fmt.divisor} AND {fmt.divisor} THEN {fraction} END"
    if "percent" in fmt.styles:
        return f"CASE WHEN contains({column}, '%') OR ({value}) = 0 THEN {checked} END"
    return checked


def currency_sql(column: str, fmt: NumberFormat) -> str:
    """SQL that gives the ISO code of the currency written beside the number, NULL where there is none."""
    known = [c for c in sorted(fmt.currencies, key=len, reverse=True) if CURRENCIES[c]]
    if fmt.typed or not known:
        return "CAST(NULL AS VARCHAR)"
    whens = " ".join(
        f"WHEN contains(lower({column}), {quoted(c.lower())}) THEN {quoted(CURRENCIES[c])}" for c in known
    )
    return f"CASE {whens} END"


def currency(fmt: NumberFormat | None) -> str | None:
    """ISO code of the one currency written beside the numbers; None if there is none or more than one."""
    codes = {CURRENCIES[sign] for sign in fmt.currencies} - {""} if fmt else set()
    return codes.pop() if len(codes) == 1 else None


def decide(found: list[Shape], hint: Hint = None, because: str = "") -> NumberFormat | None:
    """The format that reads most of the shapes; None if no shape is a number.

    Where the column fits both a decimal and a grouping sign ("1.234" throughout), `hint` decides:
    German: the point groups, the comma is decimal; English: the other way round; without a hint a point is
    decimal and a comma groups. `because` is the ground of the hint. Such a format is `ambiguous`.
    """
    peeled = _with_scales([(p, s) for s in found if (p := _peel(s.text)) is not None])
    votes = dict.fromkeys(_CONVENTIONS, 0.0)
    numbers = 0.0
    for part, shape in peeled:
        fits = [c for c in _CONVENTIONS if _fits(part.core, c, shape.zero)]
        numbers += shape.count if fits else 0
        for convention in fits:
            votes[convention] += shape.count
    if not numbers:
        return None
    best = max(votes.values())
    top = [c for c in _CONVENTIONS if votes[c] == best]
    chosen, why, ambiguous, either = _choose(top, hint, because)
    if best < numbers and not ambiguous:
        ambiguous = True
        why = say("{why}; rows written in another way and not read: {n}", why=why, n=round(numbers - best))
    read = [(p, s) for p, s in peeled if _fits(p.core, chosen, s.zero)]
    styles = frozenset(style for p, _ in read for style in p.styles)
    if "exponent" in styles and styles - {"exponent"}:  # both in one column: the rare exponents give way
        styles -= {"exponent"}
    signs: dict[str, float] = {}
    for part, shape in read:
        if part.currency:
            signs[part.currency] = signs.get(part.currency, 0) + shape.count
    currencies = tuple(sorted(signs, key=lambda c: (-signs[c], c)))
    if len({CURRENCIES[c] for c in currencies}) > 1:
        ambiguous = True
        why = say("{why}; several currencies in one column: {signs}", why=why, signs=", ".join(currencies))
    return NumberFormat(
        *chosen, styles=styles, currencies=currencies, why=why, ambiguous=ambiguous, either=either,
        scales=frozenset(p.scale for p, _ in read if p.scale),
    )  # fmt: skip


def _with_scales(peeled: list[tuple[_Peeled, Shape]]) -> list[tuple[_Peeled, Shape]]:
    """The shapes whose scale, if they have one, is believed by what the whole column shows."""
    supported = any(p.scale and (p.currency or re.search("9[.,]9", p.core)) for p, _ in peeled)
    known = scales.believed({p.scale for p, _ in peeled} - {""}, supported=supported)
    return [(p, s) for p, s in peeled if not p.scale or p.scale in known]


def settle(fmt: NumberFormat, *, long: int, short: int, zeros: int) -> NumberFormat:
    """Decide "1.234" by the rest of the column, where logic can.

    long: whole numbers of four and more digits without grouping; short: whole numbers up to 999; zeros:
    values whose three digits after the sign end in 0. Who groups does not write 2500 beside 1.234: decimal.
    Who writes 12 beside 2.500 neither keeps nor drops trailing zeros, so the sign groups.
    """
    sign = fmt.either
    if not sign:
        return fmt
    if long:
        why = say(
            "{sign} is the decimal sign; rows of 1000 and more without grouping: {n}",
            sign=_SIGNS[sign],
            n=long,
        )
        return replace(fmt, decimal=sign, group="", why=why, either="")
    if short and zeros:
        why = say(
            "{sign} separates thousands; rows without decimals: {short}, with three ending in zero: {zeros}",
            sign=_SIGNS[sign], short=short, zeros=zeros,
        )  # fmt: skip
        return replace(fmt, decimal="", group=sign, why=why, ambiguous=False, either="")
    return fmt


def as_share(fmt: NumberFormat, header: str, *, low: float, high: float, over_one: float, over_hundred: float,
             whole: float) -> NumberFormat:  # fmt: skip
    """The format with `divisor` set from the whole column.

    low, high: extremes; over_one, over_hundred: fractions of the values above 1 and above 100; whole:
    fraction of whole numbers; header: "%" or "percent" in it counts where all values are 0 or 1.
    """
    if "percent" in fmt.styles:
        return replace(fmt, divisor=100, share_why=say("per cent sign in the values"))
    titled = bool(re.search(r"%|perc|pct|proz", header, re.IGNORECASE))
    if over_one <= 0.01 and low >= -1:
        if titled and whole == 1:
            return replace(fmt, divisor=100, share_why=say("per cent by the header"))
        return replace(fmt, divisor=1, share_why=say("fractions: no value above 1"))
    if over_hundred <= 0.01 and low >= -100:
        why = say("read as per cent: values reach {high}", high=high)
        return replace(fmt, divisor=100, share_why=why)
    return replace(fmt, divisor=None)


def _choose(
    top: list[tuple[str, str]], hint: Hint, because: str
) -> tuple[tuple[str, str], Sentence, bool, str]:
    """Of equally good conventions the plainest, or by the hint; why; ambiguous; open sign."""
    first = top[0]
    if first == ("", ""):
        return first, say("whole numbers without separators"), False, ""
    for sign in (".", ","):
        if (sign, "") in top and ("", sign) in top:
            decimal = (hint != "de") if sign == "." else (hint == "de")
            why = (
                say(
                    "{sign} could be either and is taken as decimal sign ({because})",
                    sign=_SIGNS[sign], because=because,
                )
                if decimal
                else say(
                    "{sign} could be either and is taken as thousands separator ({because})",
                    sign=_SIGNS[sign], because=because,
                )
            )  # fmt: skip
            return ((sign, "") if decimal else ("", sign)), why, True, sign
    if first[0] and {c[0] for c in top} >= {".", ","}:
        wanted = "," if hint == "de" else "."
        chosen = next(c for c in top if c[0] == wanted)
        why = say(
            "two ways of writing are equally frequent; {sign} is taken as decimal sign", sign=_SIGNS[wanted]
        )
        return chosen, why, True, ""
    return first, _description(*first), False, ""


def _description(decimal: str, group: str) -> Sentence:
    if not decimal:
        return say("thousands separated by {group}", group=_SIGNS[group])
    if not group:
        return say("decimal sign {decimal}", decimal=_SIGNS[decimal])
    return say(
        "decimal sign {decimal}, thousands separated by {group}",
        decimal=_SIGNS[decimal],
        group=_SIGNS[group],
    )


def _peel(text: str) -> _Peeled | None:
    """Take sign, currency, per cent and spaces off a shape; None if what is left cannot be a number."""
    if is_empty(text):
        return None
    styles: set[str] = set()
    body = _SPACES.sub(" ", text)
    if body != body.strip() or body[:1] in BLANKS:
        styles.add("spaces")
        body = body.strip()
    currency = ""
    if len(signs := _MONEY_SIGN.findall(body)) == 1:
        currency = next(c for c in _WRITTEN if c.lower() == signs[0].lower())
        styles.add("currency")
        body = _MONEY_SIGN.sub("\x00", body)
    body, scale = scales.taken_off(body)
    match = _OUTER.fullmatch(body)
    if match is None or (scale and "%" in body):
        return None
    if "\x00" in body and "%" in body:
        return None
    core = re.sub("[’´`]", "'", next(g for g in match.group("a", "b", "c", "d", "e") if g is not None))
    for style, sign in (("percent", "%"), ("parentheses", "("), ("minus", "−")):
        if sign in body:
            styles.add(style)
    if match["d"] is not None or match["e"] is not None:
        styles.add("trailing")
    outer = body.replace(core, "", 1)
    if " " in outer:
        styles.add("spaces")
    if _LETTERS.search(core):
        if styles - {"exponent"}:
            return None
        styles.add("exponent")
    return _Peeled(core, frozenset(styles), currency, scale)


_CORE = r"[.,]?9(?:[9.,'’´` ]*9)?(?:[eE][+-]9{1,3})?"
_SIGN = "[+−-]"
_OUTER = re.compile(
    rf"(?:{_SIGN} ?)?(?:\x00 ?)?(?P<a>{_CORE})(?: ?[\x00%])?"  # -5  -€ 5  -5 €  -5 %
    rf"|\x00 ?{_SIGN} ?(?P<b>{_CORE})"  # € -5
    rf"|(?:\x00 ?)?\( ?(?:\x00 ?)?(?P<c>{_CORE})(?: ?[\x00%])? ?\)(?: ?[\x00%])?"  # (5)  (€ 5)  € (5)  (5) €
    rf"|(?:\x00 ?)?(?P<d>{_CORE})(?: ?[\x00%])? ?[-−]"  # 5-  € 5-  5 €-
    rf"|(?P<e>{_CORE}) ?[-−] ?[\x00%]"  # 5- €
)


def _fits(core: str, convention: tuple[str, str], zero: bool) -> bool:
    return _core_pattern(*convention, grouped_from_zero=not zero).fullmatch(core) is not None


_PATTERNS: dict[tuple[str, str, bool], re.Pattern[str]] = {}


def _core_pattern(decimal: str, group: str, *, grouped_from_zero: bool) -> re.Pattern[str]:
    key = (decimal, group, grouped_from_zero)
    if key not in _PATTERNS:
        grouped = f"9{{1,3}}(?:{_PYTHON[group]}9{{3}})+|" if group and grouped_from_zero else ""
        d = _PYTHON.get(decimal, "")
        fraction = f"(?:{d}9+)?" if d else ""
        bare = f"|{d}9+" if d else ""
        exponent = "(?:[eE][+-]9{1,3})?" if not group else ""
        _PATTERNS[key] = re.compile(f"(?:(?:{grouped}9+){fraction}{bare}){exponent}")
    return _PATTERNS[key]


def _core_sql(fmt: NumberFormat) -> str:
    grouped = f"[1-9][0-9]{{0,2}}(?:{_CLASS[fmt.group]}[0-9]{{3}})+|" if fmt.group else ""
    d = _CLASS.get(fmt.decimal, "")
    fraction = f"(?:{d}[0-9]+)?" if d else ""
    bare = f"|{d}[0-9]+" if d else ""
    return f"(?:(?:{grouped}[0-9]+){fraction}{bare})"


def _plain(fmt: NumberFormat) -> str:
    exponent = "(?:[eE][+-][0-9]{1,3})?" if "exponent" in fmt.styles else ""
    return f"[+-]?{_core_sql(fmt)}{exponent}"


def _currency(fmt: NumberFormat) -> str:
    signs = "|".join(re.escape(c) for c in sorted(fmt.currencies, key=len, reverse=True))
    return f"(?i:{signs})"


def _full(fmt: NumberFormat) -> str:
    """RE2 pattern of whole values with the styles of the format; at most one sign and one currency."""
    core, sign = _core_sql(fmt), "[+−-]"
    if fmt.scales:
        core = f"{core}(?:{scales.pattern(fmt.scales)})?"
    gap = f"{SPACE}*" if "spaces" in fmt.styles else ""
    money = _currency(fmt) if fmt.currencies else ""
    tail = [t for t in (money, "%" if "percent" in fmt.styles else "") if t]
    after = f"(?:{gap}(?:{'|'.join(tail)}))?" if tail else ""
    before = f"{money}{gap}" if money else ""
    forms = [f"(?:{sign}{gap})?{core}{after}"]
    if money:
        forms += [f"(?:{sign}{gap})?{before}{core}", f"{before}{sign}{gap}{core}"]
    if "parentheses" in fmt.styles:
        forms += [f"\\({gap}{core}{after}{gap}\\)", f"\\({gap}{core}{gap}\\){after}"]
        if money:
            forms += [f"\\({gap}{before}{core}{gap}\\)", f"{before}\\({gap}{core}{gap}\\)"]
    if "trailing" in fmt.styles:
        forms += [f"{core}{after}{gap}[-−]", f"{core}{gap}[-−]{after}"]
        if money:
            forms += [f"{before}{core}{gap}[-−]"]
    return f"{gap}(?:{'|'.join(forms)}){gap}"


def _cast(text: str, fmt: NumberFormat, type_: str) -> str:
    plain = not fmt.styles - {"exponent"}
    if fmt.group in (".", ","):
        text = f"replace({text}, {quoted(fmt.group)}, '')"
    elif fmt.group and plain:
        text = f"regexp_replace({text}, {quoted(_CLASS[fmt.group])}, '', 'g')"
    if fmt.decimal == ",":
        text = f"replace({text}, ',', '.')"
    return f"try_cast({text} AS {type_})"
