"""The same with Klientel: open the Book, ask three analyses, take figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def answer(path: Path, way: str) -> dict[str, Any]:
    """The tables abc, rfm and cohorts as Arrow tables; way "all" takes every table of the three analyses."""
    import klientel

    book = klientel.open_book(path)
    found: dict[str, Any] = {}
    for name, table in (("abc", "customers"), ("rfm", "customers"), ("cohorts", "cohorts")):
        result = klientel.analyse(book, name)
        assert result.figures["customers"]
        wanted = result.tables if way == "all" else [table]
        tables = {t: result.tables[t].to_pyarrow() for t in wanted}
        found[name] = tables[table]
    return found
