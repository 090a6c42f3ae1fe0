"""Total rows inside a table: told by their label and checked by adding up, so that nothing counts twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from klientel.ingest.reading import Read, Reader
from klientel.ingest.sql import AMOUNT
from klientel.ingest.values.shapes import quoted
from klientel.words import Sentence, say

_MOST = 200_000  # rows: lists with totals in them are made for people and are not longer
_FEWEST = 5  # rows of a list whose last or first row may be a total without a label that says so
_LABEL = re.compile(
    r"Σ|\b(?:zwischen|teil|end|gesamt|jahres|monats|kunden)?summen?\b|\bgesamt\w*|\binsgesamt\b|\bergebnis\b"
    r"|\b(?:sub|grand)?[ -]?totals?\b|\btotale\b|\ballgemein\b|\balle kunden\b|\ball customers\b|\bsum\b"
    r"|\b(?:teil|gesamt)ergebnis\b|\büberträge?\b|\bübertrag\b",
    re.IGNORECASE,
)


@dataclass
class _Row:
    """A row of a table: line, what stands for the customer, amount, whether it would be taken."""

    line: int | None
    label: str | None
    amount: Decimal
    taken: bool
    group: str


@dataclass
class Totals:
    """Rows found to be totals (by line, or by label where there are no lines), and labels that only look so."""

    lines: set[int] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    doubtful: list[tuple[int | None, str]] = field(default_factory=list)


def leave_out_totals(reader: Reader, reads: Sequence[Read]) -> None:
    """Reject the total rows of one raw table in all its readings (its lines, and its customers).

    A row is a total if its label says so and its amount is the sum of the rows above it back to the last
    total, of all rows so far, or of the whole table; or if, in a list without days, it equals all other rows
    together. What is labelled as a total and does not add up stays, and is said.
    """
    read = next((r for r in reads if AMOUNT in r.columns and not r.lean), None)
    if read is None or not _label(read) or read.rows > _MOST:
        return
    totals = _totals(reader, read)
    place = read.recognition.raw.place
    if totals.lines or totals.labels:
        for each in reads:
            if not each.lean and _label(each):
                _reject(reader, each, totals)
        n = len(totals.lines) or len(totals.labels)
        read.notes.append(say("{file}: total rows inside the table left out: {n}.", file=place, n=n))
    for line, label in totals.doubtful[:3]:
        read.notes.append(_doubt(place, line, label))


def _doubt(place: str, line: int | None, label: str) -> Sentence:
    return say(
        "{file}, line {line}: “{label}” looks like a total but does not add up; it counts as a customer.",
        file=place, line=line or "–", label=label,
    )  # fmt: skip


def _label(read: Read) -> str:
    have = [c for c in ("customer_name", "name", "customer_id") if c in read.columns]
    return f"coalesce({', '.join(have)})" if len(have) > 1 else (have[0] if have else "")


def _totals(reader: Reader, read: Read) -> Totals:
    dated = "order_date" in read.columns
    wide = bool(read.recognition.periods)
    group = "CAST(order_date AS VARCHAR)" if wide else "''"
    rows = [
        _Row(*row)
        for row in reader.con.execute(
            f"SELECT line, {_label(read)}, {AMOUNT}, reject IS NULL, {group} FROM {read.view} "
            f"WHERE {AMOUNT} IS NOT NULL ORDER BY 5, source_no, line"
        ).fetchall()
    ]
    by_line = read.recognition.raw.has_line and not read.recognition.raw.parts
    found: dict[int | str | None, list[bool]] = {}
    named: dict[int | str | None, _Row] = {}
    for _, piece in groupby(rows, key=lambda r: r.group):
        for row, is_total in _judged(list(piece), undated=wide or not dated):
            key = row.line if by_line else row.label
            found.setdefault(key, []).append(is_total)
            named.setdefault(key, row)
    totals = Totals()
    for key, verdicts in found.items():
        row = named[key]
        if all(verdicts) and by_line and row.line is not None:
            totals.lines.add(row.line)
        elif all(verdicts) and row.label:
            totals.labels.add(row.label)
        elif not any(verdicts) and row.taken and row.label and _only_a_label(row.label):
            totals.doubtful.append((row.line, row.label))
    return totals


def _only_a_label(label: str) -> bool:
    """True for "Summe Nord" and "Nord Gesamt", not for "Total Energies" or a firm with a legal form."""
    return bool(re.match(r"(?:zwischen|teil|gesamt)?summe\b|gesamt\b|zwischen", label.strip(), re.IGNORECASE))


def _judged(rows: list[_Row], *, undated: bool) -> list[tuple[_Row, bool]]:
    """The rows that could be totals, each with the verdict of the addition."""
    possible = [bool(r.label and _LABEL.search(r.label)) or not r.label for r in rows]
    whole = sum((r.amount for r, p in zip(rows, possible, strict=True) if r.taken and not p), Decimal(0))
    count = sum(r.taken and not p for r, p in zip(rows, possible, strict=True))
    step = Decimal(1).scaleb(-max((_places(r.amount) for r in rows), default=0))
    judged: list[tuple[_Row, bool]] = []
    block, in_block, so_far, n_so_far = Decimal(0), 0, Decimal(0), 0
    for row, may_be in zip(rows, possible, strict=True):
        if may_be and row.amount:
            sums = ((block, in_block), (so_far, n_so_far), (whole, count))
            # Without a label one row of the same amount does not make a total.
            is_total = any(n >= (1 if row.label else 3) and _same(row.amount, t, n * step) for t, n in sums)
            judged.append((row, is_total))
            if is_total:
                block, in_block = Decimal(0), 0
                continue
        if row.taken:
            block, in_block = block + row.amount, in_block + 1
            so_far, n_so_far = so_far + row.amount, n_so_far + 1
    if undated and not judged and len(rows) >= _FEWEST:
        judged = _all_others(rows) or _heads_of_groups(rows)
    return judged


def _all_others(rows: list[_Row]) -> list[tuple[_Row, bool]]:
    """The first or last row of a list, if it is exactly all other rows together."""
    whole = sum((r.amount for r in rows), Decimal(0))
    return [(r, True) for r in (rows[0], rows[-1]) if r.amount and r.amount * 2 == whole and r.taken][:1]


def _heads_of_groups(rows: list[_Row]) -> list[tuple[_Row, bool]]:
    """The rows of a pivot list that are the sums of the rows below them, if they divide the whole list so."""
    heads: list[_Row] = []
    largest, i = 0, 0
    while i < len(rows):
        total, j = Decimal(0), i + 1
        while j < len(rows) and (j == i + 1 or total != rows[i].amount):
            total, j = total + rows[j].amount, j + 1
        if j == i + 1 or total != rows[i].amount or not rows[i].taken:
            return []
        heads.append(rows[i])
        largest, i = max(largest, j - i - 1), j
    return [(row, True) for row in heads] if len(heads) >= 2 and largest >= 2 else []


def _same(amount: Decimal, total: Decimal, rounded: Decimal) -> bool:
    """True if two sums agree but for the rounding of the parts (`rounded`: one step of each)."""
    return abs(amount - total) <= min(rounded * Decimal("0.51") + Decimal("0.01"), abs(amount) / 200)


def _places(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _reject(reader: Reader, read: Read, totals: Totals) -> None:
    label = _label(read)
    if totals.lines:
        condition = f"line IN ({', '.join(str(line) for line in sorted(totals.lines))})"
    else:
        condition = f"coalesce({label} IN ({', '.join(quoted(t) for t in sorted(totals.labels))}), false)"
    column = next(c for c in ("customer_name", "name", "customer_id") if c in read.columns)
    view = f"{read.view}_summed"
    reader.con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT * REPLACE (CASE WHEN {condition} THEN '{column}|total' ELSE reject "
        f"END AS reject, CASE WHEN {condition} THEN {label} ELSE reject_value END AS reject_value) FROM {read.view}"
    )
    reader.again(read, view)
