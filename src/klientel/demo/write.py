"""Writes the simulated firm as the files that a company has: XLSX with titles, CSV in its own dialect."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.demo.dirt import Dirt, dirty_rows
from klientel.demo.layouts import LAYOUTS, Format, Header, Layout
from klientel.demo.vocabulary import german
from klientel.errors import BadParameter
from klientel.words import LANGUAGES, say

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.demo.firm import Firm

_SWAP = str.maketrans(",.", ".,")


def write(firm: Firm, folder: str | Path, lang: str = "en") -> list[Path]:
    """Write the files of `firm` into `folder` (made if absent) and give their paths.

    lang "de": semicolons, 1.234,56, dd.mm.yyyy, order lines and credit notes in Windows-1252; "en": commas,
    1234.56, ISO dates, UTF-8. Customers and contracts are XLSX with title rows, contracts with a total
    below. The rows of `dirt.dirty_rows` are mixed in. The same firm gives the same bytes.
    """
    if lang not in LANGUAGES:
        raise BadParameter(say("The demo files can be written in {languages}.", languages=list(LANGUAGES)))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # A firm written in another language before would stand beside this one as a second firm.
    for other in LANGUAGES:
        for layout in LAYOUTS:
            (folder / layout.name(other)).unlink(missing_ok=True)
    dirt = dirty_rows(firm, lang)
    paths = []
    for layout in LAYOUTS:
        path = folder / layout.name(lang)
        table = firm.tables()[layout.table]
        spoiled = [d for d in dirt if d.table == layout.table]
        if layout.title:
            _write_xlsx(path, layout, table, spoiled, lang, firm.as_of)
        else:
            _write_csv(path, layout, table, spoiled, lang)
        paths.append(path)
    return paths


def _write_csv(path: Path, layout: Layout, table: pa.Table, spoiled: list[Dirt], lang: str) -> None:
    columns = [_written(table[h.column], h.format, lang) for h in layout.headers]
    rows: list[Any] = list(zip(*columns, strict=True))
    _mix(rows, spoiled, layout.headers, "")
    ours = lang == "de"
    encoding = "cp1252" if ours and layout.old_encoding else "utf-8-sig" if ours else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";" if ours else ",", lineterminator="\r\n" if ours else "\n")
        writer.writerow([h.spoken(lang) for h in layout.headers])
        writer.writerows(rows)


def _mix(rows: list[Any], spoiled: list[Dirt], headers: tuple[Header, ...], empty: str | None) -> None:
    for dirt in reversed(spoiled):  # from below, so that the places above stay right
        rows.insert(dirt.after, tuple(dirt.cells.get(h.column, empty) for h in headers))


def _written(column: pa.ChunkedArray, form: Format, lang: str) -> list[str]:
    """A column as text, each distinct value formatted once; NULL is an empty cell."""
    import pyarrow.compute as pc

    coded = column.combine_chunks().dictionary_encode()
    texts = [_text(value, form, lang) for value in coded.dictionary.to_pylist()]
    texts.append("")
    return [texts[i] for i in pc.fill_null(coded.indices, len(texts) - 1).to_pylist()]


def _text(value: Any, form: Format, lang: str) -> str:
    ours = lang == "de"
    match form:
        case "word":
            return german(value) if ours else str(value)
        case "money":
            return f"{value:,.2f}".translate(_SWAP) if ours else f"{value:.2f}"
        case "percent":
            return _plain(f"{value * 100:.1f}", ours)
        case "rate":
            return _plain(f"{value:.4f}", ours)
        case "date":
            return value.strftime("%d.%m.%Y") if ours else str(value.isoformat())
        case "time":
            return value.strftime("%d.%m.%Y %H:%M") if ours else str(value.strftime("%Y-%m-%d %H:%M"))
        case "flag":
            return ("ja" if value else "nein") if ours else ("yes" if value else "no")
        case _:
            return str(value)


def _plain(text: str, ours: bool) -> str:
    return text.replace(".", ",") if ours else text


def _write_xlsx(
    path: Path, layout: Layout, table: pa.Table, spoiled: list[Dirt], lang: str, as_of: date
) -> None:
    """Title, date, an empty row, the header, the rows and, where the layout wants it, a total."""
    import xlsxwriter

    assert layout.title is not None
    ours = lang == "de"
    last_day = as_of - timedelta(days=1)
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    book.set_properties({"created": datetime(as_of.year, as_of.month, as_of.day)})  # noqa: DTZ001 - a date only
    bold, day, money = (
        book.add_format(f)
        for f in (
            {"bold": True},
            {"num_format": "dd.mm.yyyy" if ours else "yyyy-mm-dd"},
            {"num_format": "#,##0.00"},
        )
    )
    title = layout.title[1 if ours else 0]
    sheet = book.add_worksheet(title)
    sheet.set_column(0, len(layout.headers) - 1, 16)
    sheet.write_string(0, 0, title, bold)
    sheet.write_string(1, 0, f"Stand: {last_day:%d.%m.%Y}" if ours else f"As of {last_day.isoformat()}")
    for k, header in enumerate(layout.headers):
        sheet.write_string(3, k, header.spoken(lang), bold)
    rows: list[Any] = list(
        zip(*(_cells(table[h.column], h.format, lang) for h in layout.headers), strict=True)
    )
    _mix(rows, spoiled, layout.headers, None)
    styles = [{"date": day, "money": money}.get(h.format) for h in layout.headers]
    for r, row in enumerate(rows, start=4):
        for k, value in enumerate(row):
            _put(sheet, r, k, value, styles[k])
    if layout.total:
        at = [h.column for h in layout.headers].index(layout.total)
        sheet.write_string(len(rows) + 4, 0, "Summe" if ours else "Total", bold)
        sheet.write_number(len(rows) + 4, at, float(sum(table[layout.total].to_pylist(), Decimal(0))), money)
    book.close()


def _cells(column: pa.ChunkedArray, form: Format, lang: str) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if form in ("word", "flag"):
        return [None if v is None else _text(v, form, lang) for v in values]
    return values


def _put(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    match value:
        case None:
            return
        case date():
            sheet.write_datetime(row, column, value, style)
        case int() | Decimal():
            sheet.write_number(row, column, float(value), style)
        case _:
            sheet.write_string(row, column, str(value))
