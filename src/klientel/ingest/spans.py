"""Long lists with a period instead of a day ("2024-03", "Q1 2024", a year and a month beside it) get a day."""

from __future__ import annotations

from dataclasses import replace

from klientel.ingest.mapping.calendar import month_of
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.raw import RawColumn
from klientel.ingest.recognition import Match, Recognition
from klientel.ingest.values import Profile, date_end_sql
from klientel.ingest.values.calendar import MONTHS
from klientel.ingest.values.shapes import identifier, quoted
from klientel.words import Sentence, say

_QUARTER = r"^\s*(?:[qQ]\s?)?([1-4])(?:\.?\s*(?:[qQ]|[qQ]uartal|[qQ]uarter))?\s*$"


def day_of_period(found: Recognition, profile: dict[str, Profile]) -> str | None:
    """SQL of the last day of the period of a row; None if the table has days or no period that says a year.

    A month stands for its last day, so that the whole period lies before the as-of date. A month or quarter
    without year is completed by the column of years; the match of `period` then names both columns.
    """
    match = found.columns.get("period")
    if match is None or "order_date" in found.columns or found.table != "order_line":
        return None
    known = profile[match.column]
    if known.date is None or known.date_share < 0.5:
        return None
    if known.date.unit != "year":
        return f"CAST({date_end_sql(identifier(match.column), known.date)} - INTERVAL 1 DAY AS DATE)"
    part = _part_of_year(found, profile, match)
    if part is None:
        return f"CAST({date_end_sql(identifier(match.column), known.date)} - INTERVAL 1 DAY AS DATE)"
    column, number, months = part
    found.columns["period"] = replace(match, header=f"{match.header}, {column.header}")
    found.unmapped = [h for h in found.unmapped if h != column.header]
    start = f"date_trunc('year', {date_end_sql(identifier(match.column), known.date)} - INTERVAL 1 DAY)"
    return f"CAST({start} + to_months(CAST({number} AS INTEGER) * {months}) - INTERVAL 1 DAY AS DATE)"


def _part_of_year(
    found: Recognition, profile: dict[str, Profile], match: Match
) -> tuple[RawColumn, str, int] | None:
    """The column of months or quarters beside the years: column, SQL of its number, months of each."""
    used = {m.column for m in found.columns.values()}
    for column in found.raw.columns:
        if column.name in used or column.name == match.column:
            continue
        if not any(m.concept == "period" for m in meanings(column.header)):
            continue
        text = _text(column.name)
        named = column.header.casefold()
        values = profile[column.name].values
        if "quart" in named or named.startswith("q"):
            number = f"TRY_CAST(nullif(regexp_extract({text}, {quoted(_QUARTER)}, 1), '') AS INTEGER)"
            return column, number, 3
        if values and all(_month(value) for value in values):
            return column, _month_sql(text), 1
    return None


def _month(value: str) -> int | None:
    text = value.strip().rstrip(".").casefold()
    if text in MONTHS:
        return MONTHS[text]
    number = text.removesuffix(".0")
    return int(number) if number.isdecimal() and 1 <= int(number) <= 12 else None


def _month_sql(text: str) -> str:
    plain = f"rtrim(lower(trim({text})), '.')"
    names = " ".join(f"WHEN {quoted(name)} THEN {number}" for name, number in MONTHS.items())
    number = f"TRY_CAST(regexp_replace({plain}, '\\.0$', '') AS INTEGER)"
    return f"CASE {plain} {names} ELSE CASE WHEN {number} BETWEEN 1 AND 12 THEN {number} END END"


def _text(column: str) -> str:
    return f"CAST({identifier(column)} AS VARCHAR)"


def months_without_year(found: Recognition, profile: dict[str, Profile]) -> Sentence | None:
    """What to say of a list with a column for each month and no year: only its sum counts, without a day."""
    if found.table != "order_line" or found.periods or "order_date" in found.columns:
        return None
    months = [c for c in found.raw.columns if month_of(c.header) and profile[c.name].number is not None]
    if len({month_of(c.header) for c in months}) < 3 or "net_amount" not in found.columns:
        return None
    return say(
        "{file}: the months have no year, so only {header} counts, without a date. "
        "Write the year into the headers or the name of the file.",
        file=found.raw.place, header=found.columns["net_amount"].header,
    )  # fmt: skip
