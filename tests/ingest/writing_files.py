"""Writes the small files of the tests and opens them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from klientel.book import Book
from klientel.ingest.opening import open_book

TODAY = date(2026, 1, 1)


def write(
    path: Path, header: str, rows: Iterable[Sequence[Any]], *, above: str = "", below: str = ""
) -> Path:
    """A semicolon file: lines `above`, the header, the rows and lines `below`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [";".join("" if c is None else str(c) for c in row) for row in rows]
    text = "\n".join([*filter(None, [above, header]), *lines, *filter(None, [below])]) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def opened(*paths: Path, **options: Any) -> Book:
    """The Book of files or folders."""
    return open_book([str(p) for p in paths], lenient=True, today=TODAY, **options)


def revenue(book: Book) -> Decimal:
    """Sum of all lines."""
    return Decimal(book.tables["lines"].amount.sum().to_pyarrow().as_py()).quantize(Decimal("0.01"))


def by_customer(book: Book) -> dict[str, Decimal]:
    """Customer -> sum of the lines."""
    lines = book.tables["lines"]
    rows = lines.group_by("customer_id").agg(v=lines.amount.sum()).to_pyarrow().to_pylist()
    return {r["customer_id"]: Decimal(r["v"]).quantize(Decimal("0.01")) for r in rows}


def notes(book: Book) -> str:
    """All notes of a Book, a line each."""
    return "\n".join(str(n) for n in book.notes)


def reasons(book: Book) -> list[tuple[int, str]]:
    """(line, reason) of each row that was rejected or set aside, by line."""
    return sorted((r.line, str(r.reason)) for r in [*book.intake.rejections, *book.intake.set_aside])
