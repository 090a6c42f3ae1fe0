"""Rejected rows that a person corrected and sends again: our own columns beside theirs, and their cells made safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klientel.ingest.raw import RawTable
from klientel.ingest.values.shapes import identifier

if TYPE_CHECKING:
    import duckdb

LINE, REASON, HINT = OURS = ("klientel_line", "klientel_reason", "klientel_hint")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # beginnings that a spreadsheet takes for a formula


def without_ours(con: duckdb.DuckDBPyConnection, raw: RawTable, view: str) -> str:
    """The view of a raw table without the apostrophes that kept its cells from being formulas; else the view itself.

    Only for files that have our columns beside theirs; those are taken from `raw`, so that nobody looks at them.
    """
    if not raw.has_line or not any(c.header == REASON for c in raw.columns):
        return view
    raw.columns = tuple(c for c in raw.columns if c.header not in OURS)
    signs = "".join("\\" + s if s in "-+=@" else {"\t": "\\t", "\r": "\\r"}[s] for s in DANGEROUS)
    cells = [
        f"CASE WHEN regexp_matches({c}, '^''[{signs}]') THEN substr({c}, 2) ELSE {c} END AS {c}"
        for c in (identifier(column.name) for column in raw.columns if column.type == "text")
    ]
    con.execute(f"CREATE TEMP VIEW {view}_corrected AS SELECT * REPLACE ({', '.join(cells)}) FROM {view}")
    return f"{view}_corrected"
