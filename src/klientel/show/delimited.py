"""Result tables as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from klientel.result import ResultTable

# A spreadsheet reads text with these beginnings as a formula; an apostrophe in front makes it text again.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_WIDE = ("＝", "＋", "－", "＠")
_PASSED_OVER = (
    "".join(map(chr, range(33))) + "\x7f\u00a0\u2000\u2001\u2002\u2003\u2009\u200b\u202f\u3000\ufeff"
)
_BATCH = 50_000


def harmless(text: str) -> str:
    """Text as a spreadsheet may have it: with an apostrophe in front where it could act as a formula.

    Spreadsheets pass over blanks and control characters in front, and some read the wide signs of East Asian
    keyboards as ours.
    """
    bare = text.lstrip(_PASSED_OVER)
    return f"'{text}" if text.startswith(DANGEROUS) or bare.startswith((*DANGEROUS, *_WIDE)) else text


def csv_text(table: ResultTable, lang: str = "en", *, delimiter: str = ",") -> str:
    """A result table as CSV text: stable column names, ISO dates, decimal points, empty for missing.

    lang: taken so that every writer is called alike; a file that programs read stays the same in it.
    """
    del lang
    target = StringIO()
    _write(table, target, delimiter)
    return target.getvalue()


def write_csv(table: ResultTable, path: Path, delimiter: str = ",") -> None:
    """Write a result table of any length as CSV (UTF-8 with a mark that Excel needs to see umlauts)."""
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        _write(table, target, delimiter)


def _write(table: ResultTable, target: IO[str], delimiter: str) -> None:
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\r\n")
    data = table.to_pyarrow()
    writer.writerow([harmless(name) for name in data.column_names])
    for start in range(0, data.num_rows, _BATCH):
        columns = [[_cell(v) for v in c.to_pylist()] for c in data.slice(start, _BATCH).columns]
        writer.writerows(zip(*columns, strict=True))


def _cell(value: Any) -> Any:
    from klientel.result import plain

    made = plain(value)
    if isinstance(made, bool):
        return "true" if made else "false"
    return harmless(made) if isinstance(made, str) else made
