"""Results as an Excel workbook: real numbers and dates, filters, native charts, nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.show.delimited import DANGEROUS, csv_text
from klientel.show.figures import header, is_year, missing, written
from klientel.show.theme import LIGHT
from klientel.words import day, mark, say, translate

if TYPE_CHECKING:
    from klientel.analysis import Column
    from klientel.result import Result, ResultTable
    from klientel.show.chapters import Content

__all__ = ["MOST_ROWS", "REPORT_ROWS", "csv_text", "number_format", "workbook"]

MOST_ROWS = 1_048_575  # of a sheet, without the header
REPORT_ROWS = 100_000  # of a table in the report; more belongs into a CSV file
_STREAM = 50_000  # rows from which the workbook is written row by row instead of being held in memory
_LONGEST = 32_767
_DATES = {"en": "yyyy-mm-dd", "de": "dd.mm.yyyy"}
_FORMATS = {
    "money": "#,##0.00",
    "share": "0.0 %",
    "count": "#,##0",
    "number": "#,##0.00",
    "score": "#,##0.0",
    "days": "#,##0",
    "months": "#,##0",
    "year": "0",
    "month": "mmm yyyy",
}


class Book:
    """The open workbook with its formats and the names of sheets already taken."""

    def __init__(self, path: Path, lang: str, *, stream: bool) -> None:
        import xlsxwriter

        self.lang = lang
        self.file = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": stream,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": False,
            },
        )
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._taken: set[str] = set()
        # Texts that look like formulas keep Excel's mark for text, also after somebody edits them.
        self.guarded = self.format(quote_prefix=True)

    def format(self, **properties: Any) -> Any:
        """A cell format, made once for the same properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format({"font_name": "Arial", "font_size": 10, **properties})
        return self._formats[key]

    def sheet(self, name: str) -> Any:
        """A new sheet; the name is made unique and valid (31 letters, no []:*?/\\)."""
        plain = re.sub(r"[\[\]:*?/\\']", " ", name).strip() or "Klientel"
        made, n = plain[:31].strip(), 2
        while made.casefold() in self._taken or made.casefold() == "history":
            tail = f" {n}"
            made, n = f"{plain[: 31 - len(tail)].strip()}{tail}", n + 1
        self._taken.add(made.casefold())
        return self.file.add_worksheet(made)

    def text(self, sheet: Any, row: int, column: int, text: str, form: Any = None) -> None:
        """Write text as text, whatever it begins with."""
        if form is None and text.startswith(DANGEROUS):
            form = self.guarded
        sheet.write_string(row, column, text[:_LONGEST], form or self.format())


def workbook(
    results: Sequence[Result], path: str | Path, lang: str = "en", content: Content | None = None
) -> Path:
    """Write results as .xlsx: a first sheet with summary and quality, then one sheet per result table.

    content: the report's content for the first sheet (none: figures and quality only). Tables longer
    than a sheet allows (in a report: 100,000 rows) are cut, and the first sheet says so.
    """
    from klientel.show.sheetcharts import add_charts

    target = Path(path)
    most = REPORT_ROWS if content else MOST_ROWS
    rows = max((len(t) for r in results for t in r.tables.values()), default=0)
    book = Book(target, lang, stream=rows > _STREAM)
    cuts = {(r.name, t.table.name): len(t) for r in results for t in r.tables.values() if len(t) > most}
    _summary(book, results, content, cuts, most)
    places: dict[tuple[str, str], tuple[Any, int]] = {}
    for result in results:
        for table in result.tables.values():
            title = translate(table.table.title, lang)
            if len(result.tables) > 1 or len(results) > 1:
                whole = translate(result.analysis.title, lang)
                title = title if title.startswith(whole) else f"{whole} {title}"
            sheet = book.sheet(title)
            places[result.name, table.table.name] = (sheet, _table(book, sheet, result, table, most))
    add_charts(book, results, places)
    book.file.set_properties({"title": content.title if content else "Klientel", "author": "Klientel"})
    book.file.close()
    return target


def _table(book: Book, sheet: Any, result: Result, table: ResultTable, most: int) -> int:
    """Write a table from cell A1; gives the number of rows written."""
    columns = table.table.columns
    head = book.format(
        bold=True, bg_color=LIGHT["surface"], font_color=LIGHT["ink"], bottom=1, text_wrap=True, valign="top"
    )
    for i, column in enumerate(columns):
        book.text(sheet, 0, i, header(column, book.lang, result.currency), head)
    data = table.head(most)
    lists = [data.column(c.name).to_pylist() for c in columns]
    for i, column in enumerate(columns):
        sheet.set_column(i, i, _width(column, lists[i], header(column, book.lang, result.currency)))
    writers = [_writer(book, sheet, c, values) for c, values in zip(columns, lists, strict=True)]
    for row in range(data.num_rows):
        for place, write in enumerate(writers):
            write(row + 1, place, lists[place][row])
    sheet.freeze_panes(1, _frozen(columns))
    sheet.autofilter(0, 0, max(data.num_rows, 1), len(columns) - 1)
    _print_setup(sheet, wide=len(columns) > 6)
    return int(data.num_rows)


def _writer(book: Book, sheet: Any, column: Column, values: list[Any]) -> Any:
    """A function (row, column, value) that writes one kind of value."""
    known = next((v for v in values if not missing(v)), None)
    form = book.format(num_format=number_format(column, known, book.lang, values))

    def write(row: int, place: int, value: Any) -> None:
        if missing(value):
            return
        if column.unit in ("key", "text") and not isinstance(value, str):
            value = str(value) if column.unit == "key" or isinstance(value, bool) else value
        if isinstance(value, bool) or column.unit in ("class", "flag"):
            value = written(value, "flag", book.lang)
        if isinstance(value, str):
            book.text(sheet, row, place, value)
        elif isinstance(value, datetime | date):
            sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), form)  # noqa: DTZ001
        elif isinstance(value, int | float | Decimal):
            number = float(value)
            if abs(number) != float("inf"):
                sheet.write_number(row, place, number, form)
        else:
            book.text(sheet, row, place, str(value))

    return write


def number_format(column: Column, known: Any, lang: str, values: Sequence[Any] = ()) -> str:
    """Excel's number format for a column; Excel itself shows it with the reader's separators."""
    if is_year(known, column):
        return _FORMATS["year"]
    if column.unit == "month":
        return _FORMATS["month"]
    if isinstance(known, date):
        return _DATES.get(lang, _DATES["en"])
    if column.unit in ("days", "months", "count", "number", "score"):
        whole = all(isinstance(v, int) or v == round(v) for v in values[:2000] if _finite(v))
        return "#,##0" if whole else "#,##0.0" if column.unit in ("days", "months") else _FORMATS["number"]
    return _FORMATS.get(column.unit, "General")


def _finite(value: Any) -> bool:
    return (
        not missing(value) and isinstance(value, int | float | Decimal) and abs(float(value)) != float("inf")
    )


def _width(column: Column, values: list[Any], title: str) -> float:
    """Width in letters: of the header's longest word and of the first values."""
    shown = [len(written(v, column.unit)) for v in values[:300] if not missing(v)]
    words = max((len(w) for w in title.split()), default=6) + 3
    return float(min(max([words, len(title) * 0.6, *shown]) + 2, 46))


def _frozen(columns: Sequence[Column]) -> int:
    """Columns that stay in view: the customer's number and name at the left."""
    frozen = 0
    while frozen < min(len(columns) - 1, 2) and columns[frozen].unit in ("key", "text"):
        frozen += 1
    return frozen


def _print_setup(sheet: Any, *, wide: bool) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.hide_gridlines(1)
    if wide:
        sheet.set_landscape()
    sheet.set_footer("&L&A&R&P / &N")


def _summary(
    book: Book,
    results: Sequence[Result],
    content: Content | None,
    cuts: dict[tuple[str, str], int],
    most: int,
) -> None:
    """The first sheet: facts, sentences, figures with intervals and definitions, quality, rejected rows."""
    lang = book.lang
    sheet = book.sheet(translate(mark("Summary"), lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 18)
    sheet.set_column(2, 2, 26)
    sheet.set_column(3, 3, 80)
    row = _first_lines(book, sheet, results, content)
    row = _figures(book, sheet, row, results)
    row = _quality(book, sheet, row, results)
    for (name, table), total in cuts.items():
        said = say(
            "{analysis}, table {table}: the first {shown} of {total} rows; the whole table: "
            "klientel analyse {analysis} SOURCE --table {table} -o {table}.csv",
            analysis=name, table=table, shown=most, total=total,
        )  # fmt: skip
        book.text(sheet, row, 0, translate(said, lang))
        row += 1
    if content:
        _intake(book, sheet, row + 1, content)
    _print_setup(sheet, wide=True)


def _first_lines(book: Book, sheet: Any, results: Sequence[Result], content: Content | None) -> int:
    title, strong = book.format(bold=True, font_size=16), book.format(bold=True)
    lang = book.lang
    if content is None:
        only = results[0] if results else None
        book.text(sheet, 0, 0, translate(only.analysis.title, lang) if only else "Klientel", title)
        as_of = day(only.as_of, lang) if only and only.as_of else ""
        book.text(sheet, 1, 0, translate(say("as of {day}", day=as_of), lang) if as_of else "")
        row = 3
        for line in only.lines if only else ():
            book.text(sheet, row, 0, translate(line, lang))
            row += 1
        return row + 1
    book.text(sheet, 0, 0, content.title, title)
    row = 1
    for name, value in content.facts:
        book.text(sheet, row, 0, name)
        book.text(sheet, row, 1, value, strong)
        row += 1
    for name, lines in content.opening.says:
        row += 1
        book.text(sheet, row, 0, name, strong)
        for line in lines:
            row += 1
            book.text(sheet, row, 0, line)
    return row + 2


def _figures(book: Book, sheet: Any, row: int, results: Sequence[Result]) -> int:
    from klientel.show.chapters import tiles

    lang = book.lang
    heads = (mark("Figure"), mark("Value"), mark("Interval"), mark("Definition"))
    _head(book, sheet, row, [translate(h, lang) for h in heads])
    for result in results:
        spreads = {t.figure: ", ".join(filter(None, (t.interval, t.method))) for t in tiles(result, lang)}
        for figure in result.analysis.figures:
            value = result.figures.get(figure.name)
            if value is None or missing(value):
                continue
            row += 1
            title = translate(figure.title, lang)
            book.text(sheet, row, 0, title)
            if isinstance(value, str | bool | date):
                book.text(sheet, row, 1, written(value, figure.unit, lang))
            else:
                form = _FORMATS.get(figure.unit, "General")
                if figure.unit == "money" and result.currency:
                    form = f'#,##0.00" {result.currency}"'
                sheet.write_number(row, 1, float(value), book.format(num_format=form))
            book.text(sheet, row, 2, spreads.get(figure.name, ""))
            book.text(sheet, row, 3, translate(figure.meaning, lang))
    return row + 2


def _quality(book: Book, sheet: Any, row: int, results: Sequence[Result]) -> int:
    from klientel.show.chapters import chapter

    lang = book.lang
    heads = (mark("Analysis"), mark("Quality"), mark("Customers"), mark("Reasons"))
    _head(book, sheet, row, [translate(h, lang) for h in heads])
    for result in results:
        row += 1
        told = chapter(result, lang)
        book.text(sheet, row, 0, told.title)
        colour = book.format(bold=True, font_color=LIGHT[result.quality.flag])
        book.text(sheet, row, 1, told.verdict, colour)
        book.text(sheet, row, 2, told.counts)
        book.text(sheet, row, 3, " ".join(told.reasons))
    return row + 2


def _intake(book: Book, sheet: Any, row: int, content: Content) -> int:
    for grid in content.intake:
        book.text(sheet, row, 0, grid.title, book.format(bold=True, font_size=12))
        _head(book, sheet, row + 1, grid.headers)
        for i, cells in enumerate(grid.rows):
            for place, text in enumerate(cells):
                book.text(sheet, row + 2 + i, place, text)
        row += 3 + len(grid.rows)
        if grid.note:
            book.text(sheet, row - 1, 0, grid.note)
            row += 1
    for title, why in content.locked:
        book.text(sheet, row, 0, title)
        book.text(sheet, row, 1, why)
        row += 1
    return row


def _head(book: Book, sheet: Any, row: int, titles: Sequence[str]) -> None:
    form = book.format(bold=True, bg_color=LIGHT["surface"], bottom=1)
    for i, title in enumerate(titles):
        book.text(sheet, row, i, title, form)
