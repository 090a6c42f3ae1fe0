"""Reads DATEV bookings and addresses: signs by debit and credit, days without year, customers by their accounts."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from klientel.errors import BadFile
from klientel.ingest.formats.encoding import Encoding, stream_utf8
from klientel.ingest.formats.rejections import BLANK_HINT, NO_SALE, TITLE, Rejections
from klientel.ingest.formats.staging import Reading, Staging
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import Sentence, mark, say

_LOOKED_AT = 15  # lines in which the header is looked for
_BATCH = 20_000
_MARKED = re.compile(r'^"?(?:EXTF|DTVF)"?;')
_SIGN = re.compile(r"soll ?[/-]+ ?haben.*|s ?/ ?h(?:[- ]k.*)?|sh|soll-haben.*|debit ?/ ?credit.*|d ?/ ?c")
_AMOUNT = re.compile(r"(?:umsatz|betrag|basis-umsatz)(?:\b.*)?")
_DAY = re.compile(r"(?:beleg|buchungs)?-?datum")
_YEAR = re.compile(r"(?<!\d)(20\d\d|19\d\d)(?!\d)")
_PARTS = re.compile(r"(\d{1,2}(?=[.\-/])|\d{1,2}(?=\d\d\.?$))[.\-/]?(\d{1,2})\.?")
_WHOLE = re.compile(r"(\d{1,2})[.\-/]?(\d{2}|(?<=[.\-/])\d)[.\-/]?(20\d\d|19\d\d|\d\d)")
_HEADERS = ("Debitorenkonto", "Belegdatum", "Belegnr", "Umsatz", "Währung", "Erlöskonto", "Buchungstext")
_NO_YEAR = mark("the booking has a day without a year, and nothing says the year")
_NO_YEAR_HINT = mark("Export with the DATEV header line, or write the year into the name of the file.")


@dataclass
class _Head:
    """What a file says of itself. line: index of the header; length: digits of a general account."""

    names: list[str]
    line: int
    separator: str
    marked: bool = False
    category: str = "21"
    length: int | None = None
    begins: date | None = None  # of the fiscal year
    first: date | None = None
    last: date | None = None
    years: tuple[int, ...] = ()
    titles: list[tuple[int, str]] = field(default_factory=list)

    def at(self, pattern: re.Pattern[str]) -> int | None:
        """Index of the first column whose name fits."""
        return next((i for i, name in enumerate(self.names) if pattern.fullmatch(name)), None)


@dataclass(frozen=True)
class _Booking:
    line: int
    cells: list[str]
    account: str
    contra: str
    sign: int


def read_datev(path: Path, file: str, name: str, encoding: Encoding, reading: Reading) -> RawTable | None:
    """The sales in a batch of DATEV bookings, or the debtors in a DATEV address list; None for another file.

    A sale joins a debtor's account with a revenue account; what is debited to the debtor counts positive, what
    is credited negative. Other bookings are set aside. Raises BadFile if there is no sale in it.
    """
    head = _head(path, file, encoding, reading)
    if head is None:
        return None
    rejections = Rejections(file, reading.limits)
    for line, text in head.titles:
        rejections.add(line, text, TITLE, BLANK_HINT)
    if head.category == "16":
        return _addresses(path, file, name, encoding, reading, head, rejections)
    return _bookings(path, file, name, encoding, reading, head, rejections)


def _lines(path: Path, encoding: Encoding, reading: Reading) -> Iterator[str]:
    rest = b""
    for data, _ in stream_utf8(path, encoding, reading.limits):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield _plain(line) + "\n"
        if len(rest) > reading.limits.line:
            return
    if rest:
        yield _plain(rest)


def _plain(line: bytes) -> str:
    """A line that the csv reader takes: without NUL bytes, and with its end as the only line break."""
    return line.decode("utf-8", "replace").replace("\0", "").rstrip("\r").replace("\r", " ")


def _cells(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # a cell longer than any header
        return []


def _head(path: Path, file: str, encoding: Encoding, reading: Reading) -> _Head | None:
    top: list[str] = []
    for line in _lines(path, encoding, reading):
        top.append(line.removeprefix("\ufeff").strip("\r\n"))
        if len(top) > _LOOKED_AT:
            break
    marked = bool(top) and bool(_MARKED.match(top[0]))
    for i, text in enumerate(top):
        if marked and i == 0:
            continue
        separator = max(";\t,", key=text.count)
        names = [c.strip().casefold() for c in _cells(text, separator)]
        head = _Head(names, i, separator, marked, years=_years(file, top[:i]))
        ours = head.at(_SIGN) is not None and {"konto"} & set(names) and head.at(_DAY) is not None
        if marked or (ours and head.at(_AMOUNT) is not None and _contra(names) is not None):
            head.titles = [(k + 1, t) for k, t in enumerate(top[:i]) if t.strip()]
            return _marked(head, top[0]) if marked else head
    return None


def _marked(head: _Head, text: str) -> _Head | None:
    """The facts of the EXTF line: category, fiscal year, length of accounts, days from and to."""
    cells = _cells(text, ";")
    cells += [""] * (16 - len(cells))
    head.category = cells[2]
    head.begins, head.first, head.last = _day(cells[12]), _day(cells[14]), _day(cells[15])
    head.length = int(cells[13]) if cells[13].isdigit() and 4 <= int(cells[13]) <= 8 else None
    known = {"21": head.at(_SIGN), "16": 0 if "konto" in head.names else None}
    return head if known.get(head.category) is not None else None


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def _years(file: str, above: list[str]) -> tuple[int, ...]:
    """The one year that the lines above or the name of the file say."""
    for text in (" ".join(above), re.sub(r"20\d\d[01]\d[0-3]\d\d*", "", file)):
        found = {int(year) for year in _YEAR.findall(text)}
        if len(found) == 1:
            return tuple(found)
    return ()


def _contra(names: list[str]) -> int | None:
    return next((i for i, name in enumerate(names) if name.startswith("gegenkonto")), None)


def _rows(path: Path, encoding: Encoding, reading: Reading, head: _Head) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header with their lines, short rows filled up."""
    csv.field_size_limit(max(csv.field_size_limit(), reading.limits.line))
    reader = csv.reader(_lines(path, encoding, reading), delimiter=head.separator)
    line = 1
    try:
        for cells in reader:
            at, line = line, reader.line_num + 1
            if at > head.line + 1 and any(c.strip() for c in cells):
                yield at, [*(c.strip() for c in cells), *[""] * (len(head.names) - len(cells))]
    except csv.Error as error:
        name = path.name
        raise BadFile(say("{file} is damaged or cut off: export or download it again.", file=name)) from error


def _bookings(
    path: Path,
    file: str,
    name: str,
    encoding: Encoding,
    reading: Reading,
    head: _Head,
    rejections: Rejections,
) -> RawTable:
    length, revenue = _chart(path, encoding, reading, head)
    staging = Staging(reading.new_path(), len(_HEADERS), rejections, reading.limits)
    batch: list[list[str | None]] = []
    lines: list[int] = []
    yearless = 0
    for line, cells in _rows(path, encoding, reading, head):
        booking = _booking(line, cells, head, length)
        if booking is None or not booking.contra.startswith(revenue):
            rejections.add(line, "; ".join(filter(None, cells))[:400], NO_SALE, BLANK_HINT)
            continue
        row = _sale(booking, head)
        yearless += row[1] is None
        batch.append(row)
        lines.append(line)
        if len(batch) >= _BATCH:
            staging.add_rows(batch, lines)
            batch, lines = [], []
    staging.add_rows(batch, lines)
    rows = staging.close()
    if not rows:
        raise BadFile(_no_sales(file))
    notes: list[Sentence] = [_told(revenue)]
    if yearless:
        notes.append(say("{n} rows: {why}. {hint}", n=yearless, why=_NO_YEAR, hint=_NO_YEAR_HINT))
    return _table(file, name, staging, rows, _HEADERS, head, rejections, notes)


def _no_sales(file: str) -> Sentence:
    return say(
        "{file} holds bookings, but none between a debtor's account and a revenue account: "
        "export the bookings with debtors, or the list of invoices.",
        file=file,
    )  # fmt: skip


def _told(revenue: str) -> Sentence:
    return say(
        "DATEV bookings: sales join a debtor with a revenue account ({digit}…); debit counts positive, credit "
        "negative. Amounts are as booked, with VAT.",
        digit=revenue,
    )  # fmt: skip


def _chart(path: Path, encoding: Encoding, reading: Reading, head: _Head) -> tuple[int, str]:
    """Digits of general accounts, and the first digit of revenue accounts: 8 (SKR03) or 4 (SKR04)."""
    konto, contra = head.names.index("konto"), _contra(head.names) or 0
    length = head.length
    if length is None:
        lengths = [
            max(len(_account(cells[konto], 0)), len(_account(cells[contra], 0)))
            for _, cells in _rows(path, encoding, reading, head)
        ]
        length = max(4, max(lengths, default=5) - 1)
    beside: Counter[str] = Counter()
    for line, cells in _rows(path, encoding, reading, head):
        booking = _booking(line, cells, head, length)
        beside[booking.contra[:1] if booking else ""] += 1
    return length, "8" if beside["8"] or not beside["4"] else "4"


def _account(text: str, length: int) -> str:
    """An account without a tax key in front and with its leading zeros."""
    digits = text.split(".")[0].strip().strip('"')
    return digits.zfill(length) if digits.isdigit() else ""


def _booking(line: int, cells: list[str], head: _Head, length: int) -> _Booking | None:
    """A booking seen from its debtor; None if it has none, or two."""
    one = _account(cells[head.names.index("konto")], length)
    other = _account(cells[_contra(head.names) or 0], length)
    debtors = [len(a) == length + 1 and a[0] in "123456" for a in (one, other)]
    kind = cells[head.at(_SIGN) or 0].strip('"').upper()[:1]
    if sum(debtors) != 1 or kind not in ("S", "H", "D", "C"):
        return None
    debit = kind in ("S", "D")
    if debtors[0]:
        return _Booking(line, cells, one, other, 1 if debit else -1)
    return _Booking(line, cells, other, one, -1 if debit else 1)


def _sale(booking: _Booking, head: _Head) -> list[str | None]:
    cells = booking.cells
    amount = cells[head.at(_AMOUNT) or 0]
    if booking.sign < 0 and amount:
        amount = amount[1:] if amount.startswith("-") else f"-{amount.lstrip('+')}"
    day = _dated(cells[head.at(_DAY) or 0], head)
    number = _named(
        head, cells, "belegfeld 1", "belegfeld1", "belegnr", "belegnr.", "belegnummer", "rechnungsnummer"
    )
    money = _named(head, cells, "wkz umsatz", "wkz", "währung")
    text = _named(head, cells, "buchungstext", "text")
    return [booking.account, day, number, amount or None, money, booking.contra, text]


def _named(head: _Head, cells: list[str], *names: str) -> str | None:
    at = next((head.names.index(n) for n in names if n in head.names), None)
    return (cells[at] or None) if at is not None else None


def _dated(text: str, head: _Head) -> str | None:
    """The day as ISO text: 0501, 501 or 05.01. with the year in which it lies in the fiscal year."""
    if whole := _WHOLE.fullmatch(text):
        year = int(whole[3]) + (2000 if len(whole[3]) == 2 else 0)
        return _iso(year, int(whole[2]), int(whole[1])) or text
    part = _PARTS.fullmatch(text)
    if part is None:
        return text or None
    month, day = int(part[2]), int(part[1])
    begins = head.begins or head.first
    years = (begins.year, begins.year + 1) if begins else head.years
    low, high = head.first or begins, head.last
    days = [d for year in years if (d := _iso(year, month, day))]
    inside = [d for d in days if (not low or d >= low.isoformat()) and (not high or d <= high.isoformat())]
    within = inside or [d for d in days if not begins or d >= begins.isoformat()]
    found = within or days
    return found[0] if found else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _addresses(
    path: Path,
    file: str,
    name: str,
    encoding: Encoding,
    reading: Reading,
    head: _Head,
    rejections: Rejections,
) -> RawTable:
    """The debtors of a DATEV address list, with the columns that are filled."""
    length = head.length or 4
    konto = head.names.index("konto")
    first = "name (adressattyp unternehmen)"
    staging = Staging(reading.new_path(), len(head.names), rejections, reading.limits)
    batch, lines = [], []
    for line, cells in _rows(path, encoding, reading, head):
        account = _account(cells[konto], length)
        if len(account) != length + 1 or account[0] not in "123456":
            rejections.add(line, "; ".join(filter(None, cells))[:400], NO_SALE, BLANK_HINT)
            continue
        batch.append([account if k == konto else c or None for k, c in enumerate(cells[: len(head.names)])])
        lines.append(line)
    staging.add_rows(batch, lines)
    rows = staging.close()
    if not rows:
        raise BadFile(_no_sales(file))
    named = {konto: "Debitorenkonto"} | ({head.names.index(first): "Firma"} if first in head.names else {})
    headers = tuple(named.get(k, n.title()) for k, n in enumerate(head.names))
    return _table(file, name, staging, rows, headers, head, rejections, [])


def _table(
    file: str, name: str, staging: Staging, rows: int, headers: tuple[str, ...], head: _Head,
    rejections: Rejections, notes: list[Sentence],
) -> RawTable:  # fmt: skip
    kept = [k for k in range(len(headers)) if k in staging.filled]
    seen: Counter[str] = Counter()
    columns = []
    for k in kept:
        seen[headers[k]] += 1
        columns.append(
            RawColumn(f"c{k}", headers[k] + (f" ({seen[headers[k]]})" if seen[headers[k]] > 1 else ""))
        )
    return RawTable(
        name=name,
        file=file,
        columns=tuple(columns),
        source=[staging.path],
        rows=rows,
        header_line=head.line + 1,
        rejections=rejections.kept,
        rejected=rejections.count,
        aside=rejections.aside,
        notes=notes,
    )
