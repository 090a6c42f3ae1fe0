"""The same tables in other words, dialects and formats: what `test_variants` compares with the original."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import klientel
from klientel.book import Book

# Column of the original -> German header, other English header, kind: d day, n number, y yes/no, t text.
Columns = dict[str, tuple[str, str, str]]


@dataclass(frozen=True)
class Table:
    """One file: its name in both languages, its columns (others keep their headers) and its rows of text."""

    german: str
    english: str
    columns: Columns
    header: list[str]
    rows: list[list[str]]
    days: str = ""  # the column by whose months the table is split

    def renamed(self, language: str) -> list[str]:
        """The header in another language."""
        place = {"de": 0, "en": 1}[language]
        return [self.columns[h][place] if h in self.columns else h for h in self.header]

    def kinds(self) -> list[str]:
        """The kind of each column."""
        return [self.columns[h][2] if h in self.columns else "t" for h in self.header]


def german_cell(text: str, kind: str) -> str:
    """A cell as a German program writes it."""
    match kind:
        case "n":
            return text.replace(".", ",")
        case "d" if text:
            day, _, time = text.partition(" ")
            return f"{date.fromisoformat(day):%d.%m.%Y}" + (f" {time}" if time else "")
        case "y":
            return {"Yes": "Ja", "No": "Nein"}.get(text, text)
    return text


def american_cell(text: str, kind: str) -> str:
    """A cell as an American program writes it."""
    if kind == "d" and text:
        return (
            f"{datetime.fromisoformat(text):%m/%d/%Y %H:%M}"
            if " " in text
            else f"{date.fromisoformat(text):%m/%d/%Y}"
        )
    return text


def typed(text: str, kind: str) -> object:
    """A cell as a spreadsheet or Parquet keeps it."""
    if not text.strip():
        return None
    if kind == "d":
        return datetime.fromisoformat(text)
    return float(text) if kind == "n" else text


Write = Callable[[Path, list[Table]], None]


def _text(
    folder: Path, table: Table, language: str, cell: Callable[[str, str], str], separator: str,
    encoding: str = "utf-8", order: list[int] | None = None, rows: list[list[str]] | None = None, suffix: str = "",
) -> None:  # fmt: skip
    order = order or list(range(len(table.header)))
    header, kinds = table.renamed(language), table.kinds()
    name = (table.german if language == "de" else table.english) + suffix
    with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow([header[k] for k in order])
        for row in table.rows if rows is None else rows:
            writer.writerow([cell(row[k], kinds[k]) for k in order])


def german(folder: Path, tables: list[Table]) -> None:
    """Semicolons, decimal commas, dd.mm.yyyy, Windows-1252."""
    for table in tables:
        _text(folder, table, "de", german_cell, ";", "cp1252")


def american(folder: Path, tables: list[Table]) -> None:
    """Other English words, commas, mm/dd/yyyy, a byte order mark."""
    for table in tables:
        _text(folder, table, "en", american_cell, ",", "utf-8-sig")


def shuffled(folder: Path, tables: list[Table]) -> None:
    """German words, tabs, UTF-16, columns and rows in another order."""
    draw = random.Random(11)
    for table in tables:
        order = list(range(len(table.header)))
        draw.shuffle(order)
        rows = draw.sample(table.rows, len(table.rows))
        _text(folder, table, "de", german_cell, "\t", "utf-16", order, rows)


def monthly(folder: Path, tables: list[Table]) -> None:
    """German, the table with the days split into a file for each month."""
    for table in tables:
        if not table.days:
            _text(folder, table, "de", german_cell, ";")
            continue
        at = table.header.index(table.days)
        months: dict[str, list[list[str]]] = {}
        for row in table.rows:
            months.setdefault(row[at][:7], []).append(row)
        for month, rows in months.items():
            _text(folder, table, "de", german_cell, ";", rows=rows, suffix=f"_{month}")


def workbook(folder: Path, tables: list[Table]) -> None:
    """One workbook in German with a sheet for each table, a title above and typed cells."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(folder / "export.xlsx"), {"remove_timezone": True})
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    for table in tables:
        sheet = book.add_worksheet(table.german[:31])
        sheet.write(0, 0, f"Auswertung {table.german}")
        sheet.write_row(2, 0, table.renamed("de"))
        for i, row in enumerate(table.rows, 3):
            for k, (text, kind) in enumerate(zip(row, table.kinds(), strict=True)):
                value = typed(text, kind)
                if isinstance(value, datetime):
                    sheet.write_datetime(i, k, value, day)
                elif isinstance(value, float):
                    sheet.write_number(i, k, value)
                elif value is not None:
                    sheet.write_string(i, k, str(value))
    book.close()


def open_document(folder: Path, tables: list[Table]) -> None:
    """OpenDocument sheets with other English words."""
    import pandas as pd

    for table in tables:
        rows = [[typed(t, k) for t, k in zip(row, table.kinds(), strict=True)] for row in table.rows]
        frame = pd.DataFrame(rows, columns=table.renamed("en"))
        frame.to_excel(folder / f"{table.english}.ods", index=False, engine="odf")


def parquet(folder: Path, tables: list[Table]) -> None:
    """Parquet with types, columns in another order, German words."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for table in tables:
        columns = list(zip(*table.rows, strict=True))
        cells = {
            name: pa.array([typed(text, kind) for text in column])
            for name, kind, column in zip(table.renamed("de"), table.kinds(), columns, strict=True)
        }
        names = sorted(cells)
        pq.write_table(pa.table({n: cells[n] for n in names}), folder / f"{table.german}.parquet")


VARIANTS: dict[str, Write] = {
    f.__name__: f for f in (german, american, shuffled, monthly, workbook, open_document, parquet)
}


def fingerprint(book: Book) -> dict[str, object]:
    """What must be the same in every variant: revenue, days, customers, classes, Gini, credit notes."""
    whole = klientel.analyse(book, "abc", window="all").figures
    told = klientel.analyse(book, "concentration", window="all").figures
    lines = book.tables["lines"]
    credits = (
        lines.filter(lines.is_credit).count().to_pyarrow().as_py() if "is_credit" in lines.columns else 0
    )
    found: dict[str, object] = {
        name: whole[name] for name in ("customers", "a_customers", "b_customers", "c_customers")
    }
    found |= {"revenue": round(float(whole["signed_total"]), 2), "gini": round(float(told["gini"]), 9)}
    return found | {
        "days": (book.facts.first_day, book.facts.last_day), "credits": credits, "lines": book.facts.rows
    }  # fmt: skip


def rows_of(path: Path, most: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    reader: Iterator[list[str]] = csv.reader(io.StringIO(text, newline=""))
    header = next(reader)
    return header, [row for _, row in zip(range(most or 10**9), reader, strict=False)]
