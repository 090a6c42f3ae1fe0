"""Finds sales files that repeat what another file already says, so that nothing counts twice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from klientel.ingest.reading import Read
from klientel.ingest.sql import AMOUNT
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

_FEWEST = 20  # rows: below this a coincidence is possible
_CONTAINED = 0.98  # share of the smaller file's sales that the larger one has as well
_MOST = 20  # files: more are months of one year rather than copies of one another


def repeated(con: duckdb.DuckDBPyConnection, reads: list[Read]) -> dict[int, Sentence]:
    """Positions of sales files that are contained in another one, each with the sentence that says so.

    A file is a repetition if at least 98 % of its sales (customer, day, amount, as often as they occur) are in
    the other one: the same export in two formats, or a sample beside the whole. Without days, files must agree
    in every customer and amount.
    """
    usable = [i for i, r in enumerate(reads) if AMOUNT in r.columns and _customer(r)]
    if not 2 <= len(usable) <= _MOST:
        return {}
    left_out: dict[int, Sentence] = {}
    for a, b in combinations(usable, 2):
        small, large = (a, b) if reads[a].rows < reads[b].rows else (b, a)
        if small in left_out or large in left_out or reads[small].rows < _FEWEST:
            continue
        if _contained(con, reads[small], reads[large]):
            left_out[small] = say(
                "its sales are all in {other} too; they are not counted twice",
                other=reads[large].recognition.raw.place,
            )
    return left_out


def _customer(read: Read) -> str:
    return next((c for c in ("customer_id", "customer_name") if c in read.columns), "")


def _contained(con: duckdb.DuckDBPyConnection, small: Read, large: Read) -> bool:
    dated = "order_date" in small.columns and "order_date" in large.columns
    if not dated and small.rows != large.rows:
        return False
    day = ("order_date",) if dated else ()

    def counted(read: Read) -> str:
        columns = ", ".join([f"{_customer(read)} AS k", *day, AMOUNT])
        return f"(SELECT {columns}, count(*) AS n FROM {read.accepted} GROUP BY ALL)"

    using = ", ".join(["k", *day, AMOUNT])
    row = con.execute(
        f"SELECT sum(s.n), sum(least(s.n, coalesce(l.n, 0))) FROM {counted(small)} s "
        f"LEFT JOIN {counted(large)} l USING ({using})"
    ).fetchall()[0]
    total, both = row[0] or 0, row[1] or 0
    return bool(total) and both >= _CONTAINED * total
