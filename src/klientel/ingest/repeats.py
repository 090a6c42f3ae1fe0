"""Finds sales files that repeat what another file already says, so that nothing counts twice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from klientel.ingest.reading import Read
from klientel.ingest.sql import AMOUNT
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

_FEWEST = 20  # rows: below this a coincidence is possible
_CONTAINED = 0.98  # share of the smaller file's sales that the larger one has as well
_MOST = 20  # files: more are months of one year rather than copies of one another


# What makes two rows the same, by table; a name in brackets may stand in for the one before it.
_SAME: dict[str, tuple[tuple[str, ...], ...]] = {
    "order_line": (
        ("customer_id", "customer_name"),
        ("order_id",),
        ("order_date",),
        ("product_id",),
        (AMOUNT,),
    ),
    "order_header": (("order_id",), ("customer_id", "customer_name"), ("order_date", "invoice_date")),
    "credit_note_line": (("credit_id",), ("original_order_id",), ("date",), ("product_id",), (AMOUNT,)),
}
# Without these a comparison says nothing.
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "order_line": (("customer_id", "customer_name", "order_id"), (AMOUNT,)),
    "order_header": (("order_id",),),
    "credit_note_line": ((AMOUNT,), ("date",)),
}
TABLES_WITH_REPEATS = tuple(_SAME)


def repeated(con: duckdb.DuckDBPyConnection, table: str, reads: list[Read]) -> dict[int, Sentence]:
    """Positions of files of `table` that are contained in another one, each with the sentence that says so.

    A file is a repetition if at least 98 % of its rows (customer, order, day, product, amount, as often as they
    occur) are in the other one: the same export in two formats, or a sample beside the whole. Without days and
    order numbers, files must have the same number of rows too.
    """
    usable = [i for i, r in enumerate(reads) if all(set(group) & set(r.columns) for group in _NEEDED[table])]
    if not 2 <= len(usable) <= _MOST:
        return {}
    left_out: dict[int, Sentence] = {}
    for a, b in combinations(usable, 2):
        small, large = (a, b) if reads[a].rows < reads[b].rows else (b, a)
        if small in left_out or large in left_out or reads[small].rows < _FEWEST:
            continue
        if _contained(con, table, reads[small], reads[large]):
            left_out[small] = say(
                "its rows are all in {other} too; they are not counted twice",
                other=reads[large].recognition.raw.place,
            )
    return left_out


def _contained(con: duckdb.DuckDBPyConnection, table: str, small: Read, large: Read) -> bool:
    pairs = []
    for group in _SAME[table]:
        mine = next((c for c in group if c in small.columns), None)
        other = next((c for c in group if c in large.columns), None)
        if mine and other:
            pairs.append((mine, other))
    telling = {"order_date", "order_id", "date", "invoice_date"} & {mine for mine, _ in pairs}
    if not pairs or (not telling and small.rows != large.rows):
        return False
    names = [f"k{i}" for i in range(len(pairs))]

    def counted(read: Read, columns: list[str]) -> str:
        chosen = ", ".join(f"{identifier(c)} AS {n}" for c, n in zip(columns, names, strict=True))
        return f"(SELECT {chosen}, count(*) AS n FROM {read.accepted} GROUP BY ALL)"

    same = " AND ".join(f"s.{n} IS NOT DISTINCT FROM l.{n}" for n in names)
    row = con.execute(
        f"SELECT sum(s.n), sum(least(s.n, coalesce(l.n, 0))) FROM {counted(small, [m for m, _ in pairs])} s "
        f"LEFT JOIN {counted(large, [o for _, o in pairs])} l ON {same}"
    ).fetchall()[0]
    total, both = row[0] or 0, row[1] or 0
    return bool(total) and both >= _CONTAINED * total
