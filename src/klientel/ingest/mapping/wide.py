"""Wide files: one revenue column per year, quarter or month becomes dated amounts; totals are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from klientel.ingest.mapping.calendar import Period, month_in, month_of
from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.meanings import blocked, meanings
from klientel.ingest.mapping.names import header
from klientel.ingest.mapping.overlap import Contents
from klientel.ingest.mapping.plain import as_number
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import Sentence, say

# what the rest of a header ("Umsatz" of "Umsatz 2023") may mean, the wanted first
_MEASURES = ("net", "revenue", "", "amount", "annual_revenue", "unknown", "gross")
_SUMS = frozenset({"net", "revenue", "amount", "annual_revenue", "gross"})
_SAME = 0.005
_TOTALS, _PERIODS = 4, 200  # so many columns are checked to be the sum of so many


@dataclass
class Wide:
    """Period columns of a wide file. left_out: raw column name -> why not (totals, other measures)."""

    periods: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_out: dict[str, Sentence] = field(default_factory=dict)
    measure: str = ""
    yearless: bool = False


def find(raw: RawTable, evidence: Mapping[str, Evidence], contents: Contents) -> Wide | None:
    """The period columns of a raw table, or None if fewer than two columns name a period.

    Of several measures ("Umsatz 2023", "DB 2023") revenue is taken; of periods within each other (quarters
    and their year) the finer. A column that sums them up is named as such, checked on its values.
    """
    named, yearless = _named(raw, evidence)
    # "Plan 2024" beside "Ist 2024" names a period as well, but is none that was sold.
    planned = any(blocked(p.rest) for c in raw.columns if (p := header(c.header).period) is not None)
    fewest = 1 if planned else 2
    groups: dict[str, list[tuple[RawColumn, Period]]] = {}
    for column, period in named:
        groups.setdefault(_measure(period.rest), []).append((column, period))
    for measure in _MEASURES:
        chosen = _finest(groups.get(measure, []))
        if len(chosen) >= fewest:
            break
    else:
        return Wide(yearless=True) if yearless else None
    wide = Wide(measure=measure)
    for column, period in chosen:
        wide.periods[column.name] = period.iso()
    for column, _ in named:
        if column.name not in wide.periods:
            own = header(column.header).period
            same = own is not None and _measure(own.rest) == measure
            wide.left_out[column.name] = (
                say("{header} sums up other columns", header=column.header)
                if same
                else say("{header} measures something else", header=column.header)
            )
    _leave_out_totals(raw, evidence, contents, wide)
    return wide


def _named(raw: RawTable, evidence: Mapping[str, Evidence]) -> tuple[list[tuple[RawColumn, Period]], bool]:
    numeric = [c for c in raw.columns if evidence[c.name].empty or evidence[c.name].numeric >= 0.6]
    dated = [(c, p) for c in numeric if (p := header(c.header).period) is not None]
    if len(dated) >= 2:
        return [(c, p) for c, p in dated if not blocked(p.rest)], False
    months = [(c, m) for c in numeric if (m := month_of(c.header)) is not None]
    if len({m[0] for _, m in months}) < 3:
        return [], False
    year = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", f"{raw.sheet or ''} {raw.file}")
    if year is None:
        return [], True
    return [(c, month_in(int(year[0]), number, rest)) for c, (number, rest) in months], False


def _measure(rest: str) -> str:
    if not header(rest).key or header(rest).key in {"ist", "actual", "actuals"}:
        return ""
    known = meanings(rest)
    if not known:
        return "unknown"
    for meaning in known:
        if meaning.concept in _MEASURES:
            return meaning.concept
    return f"other {known[0].concept}"


def _finest(found: list[tuple[RawColumn, Period]]) -> list[tuple[RawColumn, Period]]:
    """Without periods that contain others, and without a second column for the same period."""
    kept: dict[tuple[str, str], tuple[RawColumn, Period]] = {}
    for column, period in found:
        inside = any(
            other is not period
            and period.start <= other.start
            and other.end <= period.end
            and other.iso() != period.iso()
            for _, other in found
        )
        if not inside and period.iso() not in kept:
            kept[period.iso()] = (column, period)
    return [kept[iso] for iso in sorted(kept)]


def _leave_out_totals(
    raw: RawTable, evidence: Mapping[str, Evidence], contents: Contents, wide: Wide
) -> None:
    possible = [
        c
        for c in raw.columns
        if c.name not in wide.periods
        and c.name not in wide.left_out
        and evidence[c.name].is_number
        and any(m.concept in _SUMS for m in meanings(c.header))
    ]
    if not possible:
        return
    for column in possible:
        text = say("{header} is left out beside the periods; it is not their sum", header=column.header)
        wide.left_out[column.name] = text
    possible = possible[:_TOTALS] if len(wide.periods) <= _PERIODS else []
    rows = contents.rows(raw, [*wide.periods, *(c.name for c in possible)])
    n = len(wide.periods)
    for i, column in enumerate(possible):
        if _equal_sums([(row[:n], row[n + i]) for row in rows]) >= 0.9:
            text = say("{header} is the sum of the periods", header=column.header)
            wide.left_out[column.name] = text


def _equal_sums(rows: list[tuple[tuple[str | None, ...], str | None]]) -> float:
    checked = equal = 0
    for parts, whole in rows:
        total = as_number(whole or "")
        if total is None:
            continue
        numbers = [as_number(part) for part in parts if part]
        if None in numbers:
            continue
        checked += 1
        summed = sum(value for value in numbers if value is not None)
        equal += abs(summed - total) <= _SAME * max(abs(total), 1.0) + 0.51
    return equal / checked if checked else 0.0
