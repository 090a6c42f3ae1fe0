"""Rejected rows as a file: the person's own columns with line, reason and hint, to be corrected and imported again."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.corrected import DANGEROUS, OURS
from klientel.ingest.reading import told
from klientel.ingest.values.shapes import identifier
from klientel.words import language, translate

if TYPE_CHECKING:
    from klientel.ingest.raw import RawTable
    from klientel.web.imports.taking import Taken

_NUMBER = re.compile(r"[-+]?[\d.,' ]*\d[\d.,' %€$]*")  # -12,50 and +3 are amounts, no formulas


def write(taken: Taken, folder: Path, lang: str | None = None) -> list[Path]:
    """A CSV file for each table with rejected rows, below `folder`; none if all rows were taken.

    All columns as they were, then line, reason and hint. Rows that were none (too few cells, unreadable) have the
    text that could be read in the first column. Cells that a spreadsheet would take for a formula get an
    apostrophe, which goes away when the file is imported again.
    """
    files = []
    for number, raw in enumerate(taken.opening.raws):
        reasons = _reasons(taken, raw)
        if not reasons:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^\w.-]+", "_", Path(raw.file).stem + (f"_{raw.sheet}" if raw.sheet else ""))
        path = folder / f"rejected-{number + 1}-{stem}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target, delimiter=";")
            shown = [c for c in raw.columns if c.header not in OURS]
            writer.writerow([*(harmless(translate(c.header, lang or language())) for c in shown), *OURS])
            for row in _rows(taken, raw, number, reasons, lang or language()):
                writer.writerow([harmless("" if cell is None else str(cell)) for cell in row])
        files.append(path)
    return files


def harmless(text: str) -> str:
    """A cell that no spreadsheet reads as a formula; numbers stay numbers."""
    if text.startswith(DANGEROUS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _reasons(taken: Taken, raw: RawTable) -> dict[int, tuple[str, str, str]]:
    """Line -> reason, hint and value of the rows of one raw table that were not taken."""
    found: dict[int, tuple[str, str, str]] = {}
    for rejection in taken.intake.rejections:
        if rejection.file == raw.place and rejection.line > 0:
            found.setdefault(rejection.line, (rejection.reason, rejection.hint, rejection.value))
    for reads in taken.opening.reads.values():
        for read in reads:
            # The list above ends at ten thousand; the views know all.
            if (
                read.recognition.raw is not raw
                or read.rejected <= len(read.listed)
                or read.recognition.secondary
            ):
                continue
            sql = f"SELECT line, any_value(reject) FROM {read.view} WHERE reject IS NOT NULL GROUP BY line"
            for line, code in taken.con.execute(sql).fetchall():
                column, _, why = str(code).partition("|")
                if line is not None and why != "total":
                    match = read.recognition.columns.get(column)
                    found.setdefault(int(line), (*told(column, why, match), ""))
    return found


def _rows(
    taken: Taken, raw: RawTable, number: int, reasons: dict[int, tuple[str, str, str]], lang: str
) -> Iterator[list[Any]]:
    import pyarrow as pa

    lines = pa.table({"wanted": pa.array(sorted(reasons), pa.int64())})
    taken.con.register("rejected_lines", lines)
    shown = [c for c in raw.columns if c.header not in OURS]
    columns = ", ".join(f"r.{identifier(c.name)}" for c in shown)
    line = "r.line" if raw.has_line else "r.file_row_number + 1"
    there = set()
    if raw.has_line or isinstance(raw.source, list):
        sql = (
            f"SELECT {line} AS klientel_at, {columns} FROM raw_{number} r "
            f"JOIN rejected_lines j ON {line} = j.wanted ORDER BY 1"
        )
        for batch in taken.con.sql(sql).to_arrow_reader(5000):
            for row in zip(*batch.to_pydict().values(), strict=True):
                there.add(row[0])
                reason, hint, _ = reasons[row[0]]
                yield [*row[1:], row[0], translate(reason, lang), translate(hint, lang)]
    taken.con.unregister("rejected_lines")
    for at in sorted(set(reasons) - there):
        reason, hint, value = reasons[at]
        yield [value, *[""] * (len(shown) - 1), at, translate(reason, lang), translate(hint, lang)]
