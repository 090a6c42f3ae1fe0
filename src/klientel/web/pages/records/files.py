"""A list as a file: CSV row by row, XLSX with real numbers and dates; texts never act as formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from klientel.show.delimited import harmless
from klientel.web.pages.records import cells
from klientel.web.records import listing
from klientel.web.records.catalog import Column
from klientel.words import spoken, translate

Batches = Iterator[tuple[list[dict[str, Any]], dict[str, dict[int, str]]]]
_DATES = {"en": "yyyy-mm-dd", "de": "dd.mm.yyyy"}


def delimited(name: str, heads: list[Column], batches: Batches, lang: str) -> Any:
    """A CSV file that goes out while it is made: UTF-8 with a mark for spreadsheets, ISO dates, decimal points."""

    def lines() -> Iterator[str]:
        target = StringIO()
        writer = csv.writer(target, lineterminator="\r\n")
        yield "\ufeff"
        writer.writerow([harmless(translate(c.title, lang)) for c in heads])
        for rows, labels in batches:
            for row in rows:
                writer.writerow([_plain(c, row, labels, lang) for c in heads])
            yield target.getvalue()
            target.seek(0)
            target.truncate()
        yield target.getvalue()

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8", headers=_as_file(f"{name}.csv")
    )


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _plain(column: Column, row: dict[str, Any], labels: dict[str, dict[int, str]], lang: str) -> str:
    value = listing.value(column, row)
    if value in (None, ""):
        return ""
    if column.numeric or column.kind in ("date", "moment"):
        if isinstance(value, Decimal):
            return format(value.normalize(), "f")
        return harmless(str(value)) if isinstance(value, str) and not _number(value) else _iso(value)
    return harmless(cells.text(column, value, labels.get(column.name, {}), lang))


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


def workbook(name: str, heads: list[Column], batches: Batches, lang: str) -> Any:
    """An XLSX file. Nothing in it is a formula: texts that look so carry Excel's own mark for text."""
    import xlsxwriter

    target = BytesIO()
    options = {
        "in_memory": True,
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(target, options)
    forms = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "share": book.add_format({"num_format": "0.0 %"}),
        "date": book.add_format({"num_format": _DATES.get(lang, _DATES["en"])}),
        "guarded": book.add_format({"quote_prefix": True}),
    }
    sheet = book.add_worksheet("Klientel")
    sheet.freeze_panes(1, 0)
    for k, column in enumerate(heads):
        sheet.set_column(k, k, 28 if column.kind in ("text", "ref", "long") else 14)
        sheet.write_string(0, k, translate(column.title, lang), forms["head"])
    at = 0
    for rows, labels in batches:
        for row in rows:
            at += 1
            for k, column in enumerate(heads):
                _cell(sheet, at, k, column, row, labels, lang, forms)
    sheet.autofilter(0, 0, max(at, 1), max(len(heads) - 1, 0))
    book.close()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(target.getvalue(), content_type=kind, headers=_as_file(f"{name}.xlsx"))


def _cell(
    sheet: Any,
    at: int,
    k: int,
    column: Column,
    row: dict[str, Any],
    labels: dict[str, dict[int, str]],
    lang: str,
    forms: dict[str, Any],
) -> None:
    value = listing.value(column, row)
    if value in (None, ""):
        return
    if column.numeric and (not isinstance(value, str) or _number(value)):
        sheet.write_number(at, k, float(value), forms.get(column.kind))
    elif column.kind == "date" and isinstance(value, date):
        sheet.write_datetime(at, k, datetime.combine(value, time()), forms["date"])
    elif column.kind == "flag":
        sheet.write_string(at, k, spoken(bool(value), lang))
    else:
        text = cells.text(column, value, labels.get(column.name, {}), lang)[:32_000]
        sheet.write_string(at, k, text, forms["guarded"] if harmless(text) != text else None)
