"""Dates in text: which layout a column uses, day or month first, and the SQL that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from klientel.ingest.values.calendar import MONTHS, NAMED, QUARTERS, TIME, UNITS, worded
from klientel.ingest.values.shapes import BLANKS, MARKS, Shape, is_empty, quoted, trimmed_sql
from klientel.words import Sentence, say

Order = Literal["dmy", "mdy", "ymd"]
Count = Callable[[Sequence[str]], list[int]]
"""Counts the rows of the column for which each SQL condition (over the column expression `x`) is true."""

_SPAN = {
    "day": "INTERVAL 1 DAY",
    "month": "INTERVAL 1 MONTH",
    "quarter": "INTERVAL 3 MONTH",
    "year": "INTERVAL 1 YEAR",
}
_DATED = re.compile(
    r"dat(e|um|ed)\b|dat(e|um)|\btag\b|\bday\b|\btime|zeit|_(on|at|dt)$|created|closed|since|seit|\b(on|am|at)$|beginn"
    r"|\bstart|\bend|ende|valid|gültig|fällig|\bdue\b|birth|geb",
    re.IGNORECASE,
)
_TRIPLE = re.compile(r"(9{1,4})([./-])(9{1,2})\2(9{1,4})")
_TIMED = re.compile(
    rf"(?P<date>.*?\d.*?)(?P<time>{TIME.replace('[0-2]', '[0-9]').replace('[0-5]', '[0-9]')})"
)
# Placeholders that systems write for "no date"; a time of day may follow.
_NO_DATE = (
    r"(0{1,4}[./-]00?[./-]0{1,4}|0{8}|0|1900-01-00|0?0[./]0?1[./]1900|0?1/0?0/(19)?00|9999-12-31|31\.12\.9999|12/31/9999"
    r"|31/12/9999|99991231|0001-01-01|0?1\.0?1\.0001|1899-12-3[01])([T ].*)?"
)


@dataclass(frozen=True)
class DateFormat:
    """How the dates of a column are written.

    layouts: strptime formats or names of calendar.NAMED, calendar.QUARTERS, "serial" (Excel, 1900 system),
    "unix". unit: what a value names: a day, or a month, quarter or year as a period. times: strptime
    formats of the times seen behind the date ("" for none); cut: times of other kinds, with zones, are cut
    off by pattern. typed: "date", "timestamp", "whole" (numbers such as 19970101) or "" for text.
    ambiguous: day and month can be told apart by no value; `why` says what was taken and on what ground.
    notes: further assumptions (times dropped, two-digit years).
    """

    layouts: tuple[str, ...] = ()
    unit: str = "day"
    times: tuple[str, ...] = ("",)
    cut: bool = False
    blanks: bool = False
    zero_tail: bool = False
    order: Order | None = None
    typed: str = ""
    why: str = ""
    ambiguous: bool = False
    notes: tuple[Sentence, ...] = ()


def date_sql(column: str, fmt: DateFormat) -> str:
    """SQL that reads `column` (an SQL expression) as DATE, of a period its first day; NULL for the rest.

    Impossible dates (31.02.) and years outside 1900-2100 are NULL. The date is the one written; zones do
    not shift it.
    """
    if fmt.typed in ("date", "timestamp"):
        return _in_range(f"try_cast({column} AS DATE)")
    text = f"CAST(try_cast({column} AS BIGINT) AS VARCHAR)" if fmt.typed == "whole" else column
    if fmt.blanks:
        text = f"translate({text}, {quoted(BLANKS)}, {quoted(' ' * len(BLANKS))})"
    if fmt.zero_tail:
        text = f"regexp_replace({text}, '\\.0+$', '')"
    if fmt.cut:
        text = f"regexp_replace({text}, {quoted(TIME + '[ ]*$')}, '')"
    ways = []
    plain = [layout for layout in fmt.layouts if layout.startswith("%")]
    if plain:
        # %y before %Y: "24" would pass as the year 24, "2024" does not pass as %y
        plain.sort(key=lambda layout: "%Y" in layout)
        formats = ", ".join(quoted(layout + time) for time in fmt.times for layout in plain)
        # strptime takes the words "epoch" and "-infinity" for dates; ":" is the sign after 9
        way = f"CASE WHEN {text} BETWEEN '' AND ':' AND NOT starts_with({text}, '-') "
        way += f"THEN CAST(try_strptime({text}, [{formats}]) AS DATE) END"
        if any("%m" in layout and not re.search("[./-]", layout) and "%d" not in layout for layout in plain):
            way = f"CASE WHEN length({trimmed_sql(text)}) <> 5 THEN {way} END"  # %Y%m would read 20241
        ways.append(way)
    ways += [_special(text, layout) for layout in fmt.layouts if not layout.startswith("%")]
    return _in_range(ways[0] if len(ways) == 1 else f"coalesce({', '.join(ways)})")


def date_end_sql(column: str, fmt: DateFormat) -> str:
    """SQL for the day after the period that `column` names: the next day, or the first day of the next
    month, quarter or year."""
    return f"CAST({date_sql(column, fmt)} + {_SPAN[fmt.unit]} AS DATE)"


def date_empty_sql(column: str) -> str:
    """SQL condition: the text is empty or stands for "no date" (0000-00-00, 1900-01-00, 9999-12-31)."""
    marks = ", ".join(quoted(mark) for mark in ("", *MARKS))
    return (
        f"coalesce(list_contains([{marks}], lower({trimmed_sql(column)})) "
        f"OR regexp_full_match({trimmed_sql(column)}, {quoted(_NO_DATE)}), true)"
    )


def typed_why(sort: str) -> Sentence:
    """Why a typed column is a date."""
    return say("times of the source as days") if sort == "timestamp" else say("dates of the source")


def decide(
    found: list[Shape], header: str, count: Count, order: Order | None = None, because: str = ""
) -> DateFormat | None:
    """The format that reads most of the shapes; None if no shape is a date.

    Of one unit only (a column of years with a few days in it is a column of years). Day or month first is
    decided by counting (`count`) the values that only one order can read; `order` with its ground
    `because` decides where every value fits both. Excel serials and Unix times are read only where the
    header speaks of a date.
    """
    kinds = [(kind, s) for s in found if (kind := _kind(s.text, dated=bool(_DATED.search(header))))]
    if not kinds:
        return None
    weights: dict[str, float] = {}
    for kind, shape in kinds:
        weights[kind.unit] = weights.get(kind.unit, 0) + shape.count
    unit = max(weights, key=lambda u: (weights[u], u))
    kinds = [(kind, shape) for kind, shape in kinds if kind.unit == unit]
    seen: dict[str, float] = {}
    for kind, shape in kinds:
        seen[kind.layout] = seen.get(kind.layout, 0) + shape.count
    times = {kind.time for kind, _ in kinds}
    base = DateFormat(
        unit=unit,
        times=tuple(sorted(t for t in times if t is not None)) or ("",),
        cut=None in times,
        blanks=any(kind.blanks for kind, _ in kinds),
        zero_tail=any(kind.zero_tail for kind, _ in kinds),
    )
    if base.cut:
        base = replace(base, times=("",))
    ordered = sorted(seen, key=lambda k: (-seen[k], k))
    fixed = tuple(layout for layout in ordered if not layout.startswith("?"))
    fmt = replace(base, layouts=fixed, why=_why(fixed, unit))
    for layout in ordered:
        if layout.startswith("?"):
            fmt = _with_order(fmt, base, layout, count, order, because)
    if not fmt.layouts:  # looked like dates ("1203-005", a postcode), but no order of the parts reads one
        return None
    return replace(fmt, notes=_notes(fmt))


@dataclass(frozen=True)
class _Kind:
    """What a shape is: layout ("?" in front: the order is open), unit, strptime time or None to be cut."""

    layout: str
    unit: str
    time: str | None = ""
    blanks: bool = False
    zero_tail: bool = False


def _kind(text: str, *, dated: bool) -> _Kind | None:
    if is_empty(text):
        return None
    body = text.translate(dict.fromkeys(map(ord, BLANKS), " ")).strip()
    blanks = any(c in BLANKS for c in text)
    time: str | None = ""
    if ":" in body:
        match = _TIMED.fullmatch(body)
        if not match:
            return None
        body, time = match["date"], _time_format(match["time"])
    zero_tail = False
    if re.fullmatch(r"9{4}(99){0,2}\.9", body):  # 19970101.0: whole numbers that went through floats
        zero_tail, body = True, body[:-2]
    layout = _layout(body, dated=dated)
    if layout is None:
        return None
    if time != "" and layout[1] != "day":
        return None
    return _Kind(layout[0], layout[1], time, blanks, zero_tail)


def _layout(body: str, *, dated: bool) -> tuple[str, str] | None:
    if triple := _TRIPLE.fullmatch(body):
        a, sep, _, c = triple.groups()
        if len(a) == 4 and len(c) <= 2:
            return f"%Y{sep}%m{sep}%d", "day"
        if len(a) <= 2 and len(c) in (2, 4):
            return f"?{sep}{'Y' if len(c) == 4 else 'y'}", "day"
        return None
    if pair := re.fullmatch(r"(9{1,4})([./-])(9{1,4})", body):
        a, sep, b = pair.groups()
        if len(a) == 4 and len(b) <= 2:
            return (f"%Y{sep}%m", "month") if sep != "." or dated else None  # 2024.03 is rather a number
        return (f"%m{sep}%Y", "month") if len(a) <= 2 and len(b) == 4 else None
    if re.fullmatch(r"9{4}|9{6}|9{8}", body):
        return {4: ("%Y", "year"), 6: ("%Y%m", "month"), 8: ("?8", "day")}[len(body)]
    if dated and re.fullmatch(r"9{5}(?:[.,]9+)?", body):
        return "serial", "day"
    if dated and re.fullmatch(r"9{10}|9{13}", body):
        return "unix", "day"
    name = worded(body)
    return (name, UNITS[name]) if name else None


def _time_format(time: str) -> str | None:
    """The strptime format of a plain time behind a date, None for kinds that are cut off by pattern."""
    match = re.fullmatch(r"([ T])9{1,2}:99(:99)?(\.9{1,6})?", time)
    if not match:
        return None
    fraction = ".%f" if match[3] else ""
    return f"{match[1]}%H:%M{':%S' if match[2] else ''}{fraction}"


def _with_order(
    fmt: DateFormat, base: DateFormat, layout: str, count: Count, wanted: Order | None, because: str
) -> DateFormat:
    """Decide the order of the parts of one open layout and add it to the format."""
    choices = _orders(layout)
    reads = {o: date_sql("x", replace(base, layouts=(strp,))) for o, strp in choices.items()}
    orders = list(reads)
    conditions = [f"{reads[o]} IS NOT NULL" for o in orders]
    conditions += [
        " AND ".join([f"{reads[o]} IS NOT NULL", *(f"{reads[p]} IS NULL" for p in orders if p != o)])
        for o in orders
    ]
    counts = count(conditions)
    able = dict(zip(orders, counts[: len(orders)], strict=True))
    only = dict(zip(orders, counts[len(orders) :], strict=True))
    best = max(able.values())
    if not best:
        return fmt
    fitting = [o for o in orders if able[o] == best]
    if len(fitting) == 1:
        chosen = fitting[0]
        mixed = any(only[o] for o in orders if o != chosen)
        why = _order_why(layout, chosen, only[chosen])
        if mixed:
            n = sum(only[o] for o in orders if o != chosen)
            why = say("{why}; rows that fit only another order and are not read: {n}", why=why, n=n)
        decided = not mixed
    else:
        # between dots only the day comes first, unless the column itself says otherwise
        chosen = wanted if wanted in fitting and not layout.startswith("?.") else fitting[0]
        mixed = any(only.values())
        decided = layout.startswith(("?.", "?8")) and not mixed  # dots are German, eight digits ISO
        why = _order_why(layout, chosen, 0)
        if mixed:
            n = sum(only[o] for o in orders if o != chosen)
            why = say("{why}; rows that fit only another order and are not read: {n}", why=why, n=n)
        elif not decided:
            why = say("{why}: every value fits more than one order ({because})", why=why, because=because)
    joined: str = say("{first}; {second}", first=fmt.why, second=why) if fmt.why else why
    return replace(
        fmt,
        layouts=(*fmt.layouts, choices[chosen]),
        order=chosen,
        why=joined,
        ambiguous=fmt.ambiguous or not decided,
    )


def _orders(layout: str) -> dict[Order, str]:
    """Order -> strptime format of an open layout, the most usual first."""
    if layout == "?8":
        return {"ymd": "%Y%m%d", "dmy": "%d%m%Y"}
    s, year = layout[1], layout[2]
    orders: dict[Order, str] = {"dmy": f"%d{s}%m{s}%{year}", "mdy": f"%m{s}%d{s}%{year}"}
    if year == "y" and s != ".":
        orders["ymd"] = f"%y{s}%m{s}%d"
    return orders


def _name(order: Order) -> Sentence:
    return {
        "dmy": say("day before month"),
        "mdy": say("month before day"),
        "ymd": say("year before month before day"),
    }[order]


def _order_why(layout: str, order: Order, proofs: int) -> Sentence:
    name = _name(order)
    if not proofs:
        return name
    if layout == "?8" or order == "ymd":
        return say("{order}; rows that can only be read so: {n}", order=name, n=proofs)
    if order == "dmy":
        return say("{order}; rows with a first part above 12: {n}", order=name, n=proofs)
    return say("{order}; rows with a second part above 12: {n}", order=name, n=proofs)


def _why(layouts: tuple[str, ...], unit: str) -> str:
    if not layouts:
        return ""
    if unit != "day":
        return {
            "month": say("months; a value stands for the whole month"),
            "quarter": say("quarters; a value stands for the whole quarter"),
            "year": say("years; a value stands for the whole year"),
        }[unit]
    if layouts[0] == "serial":
        return say("day numbers of a spreadsheet, counted from 1900")
    if layouts[0] == "unix":
        return say("seconds or milliseconds since 1970, as days in UTC")
    if layouts[0].startswith("names"):
        return say("dates with month names")
    return say("year before month before day")


def _notes(fmt: DateFormat) -> tuple[Sentence, ...]:
    notes = []
    if fmt.cut or any(fmt.times):
        notes.append(say("Times of day are dropped; zones do not shift the day."))
    if any("%y" in layout for layout in fmt.layouts):
        notes.append(say("Two-digit years: 00–68 are read as 2000–2068, 69–99 as 1969–1999."))
    return tuple(notes)


def _in_range(day: str) -> str:
    return f"CASE WHEN ({day}) BETWEEN DATE '1900-01-01' AND DATE '2100-12-31' THEN ({day}) END"


def _special(text: str, layout: str) -> str:
    if layout == "serial":
        return (
            f"CASE WHEN regexp_full_match({text}, '[2-7][0-9]{{4}}([.,][0-9]+)?') "
            f"THEN DATE '1899-12-30' + try_cast(left({text}, 5) AS INTEGER) END"
        )
    if layout == "unix":
        return (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{10}}([0-9]{{3}})?') "
            f"THEN CAST(epoch_ms(try_cast(rpad({text}, 13, '0') AS BIGINT)) AS DATE) END"
        )
    pattern = NAMED.get(layout) or QUARTERS[layout]
    groups = re.findall(r"\?P<(\w)>", pattern)
    names = ", ".join(quoted(g) for g in groups)
    bare = re.sub(r"\?P<\w>", "", pattern)
    parts = f"regexp_extract(lower({trimmed_sql(text)}), {quoted(bare)}, [{names}])"
    year = "p.y || p.s" if "s" in groups else "p.y"
    if "q" in groups:
        month = "(CAST(p.q AS INTEGER) * 3 - 2)"
    else:
        month = "CASE p.m " + " ".join(f"WHEN {quoted(m)} THEN {n}" for m, n in MONTHS.items()) + " END"
    day = "p.d" if "d" in groups else "'1'"
    century = f"CASE WHEN length({year}) > 2 THEN '' WHEN {year} < '69' THEN '20' ELSE '19' END"
    # list_transform binds the parsed parts to a name; a list of one value, taken out again
    return (
        f"list_transform([{parts}], lambda p: CASE WHEN {year} <> '' "
        f"THEN try_cast({century} || {year} || '-' || {month} || '-' || {day} AS DATE) END)[1]"
    )
