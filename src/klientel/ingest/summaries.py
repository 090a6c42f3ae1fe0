"""Sums per customer beside the sales they sum up (a pivot table, a list by month) do not count twice."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from klientel.ingest.reading import Read
from klientel.ingest.sql import AMOUNT
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

_FEWEST = 3  # customers: below this a coincidence is possible
_SAME = 0.9  # share of the customers whose sums agree
_MOST = 12  # tables of sales: more are months of one year


def summaries(con: duckdb.DuckDBPyConnection, reads: list[Read]) -> dict[int, Sentence]:
    """Positions of tables of sales that only sum up another one, each with the sentence that says so.

    A table without days, or with one column for each period, sums up one with days if at least nine of ten of
    its customers have the same sum there, over all its days or over the days of one calendar year.
    """
    usable = [i for i, r in enumerate(reads) if AMOUNT in r.columns and _customer(r) and not r.lean]
    if not 2 <= len(usable) <= _MOST:
        return {}
    left_out: dict[int, Sentence] = {}
    for coarse, fine in permutations(usable, 2):
        if coarse in left_out or fine in left_out or _fineness(reads[coarse]) >= _fineness(reads[fine]):
            continue
        if _sums_up(con, reads[coarse], reads[fine]):
            other = reads[fine].recognition.raw.place
            left_out[coarse] = say("it sums up what {other} lists; it is not counted twice", other=other)
    return left_out


def undated_beside_dated(reads: list[Read]) -> list[Sentence]:
    """What to say of tables of sales without days beside others with days."""
    sales = [r for r in reads if AMOUNT in r.columns and _customer(r)]
    dated = [r for r in sales if "order_date" in r.columns]
    return [
        say(
            "{file} has no dates, {other} has: its amounts count only where no time is looked at.",
            file=r.recognition.raw.place, other=dated[0].recognition.raw.place,
        )
        for r in sales
        if dated and "order_date" not in r.columns and "order_id" not in r.columns
    ]  # fmt: skip


def _fineness(read: Read) -> int:
    """0: a sum for each customer, 1: a column for each period, 2: a row for each period, 3: rows with days."""
    if "order_date" not in read.columns:
        return 0
    if read.recognition.periods:
        return 1
    return 3 if "order_date" in read.recognition.columns else 2


def _customer(read: Read) -> str:
    return next((c for c in ("customer_name", "customer_id") if c in read.columns), "")


def _sums_up(con: duckdb.DuckDBPyConnection, coarse: Read, fine: Read) -> bool:
    shared = [c for c in ("customer_id", "customer_name") if c in coarse.columns and c in fine.columns]
    if not shared:
        return False
    key = f"lower(trim(CAST({shared[0]} AS VARCHAR)))"
    sums = f"(SELECT {key} AS k, sum({AMOUNT}) AS v FROM {coarse.accepted} GROUP BY k HAVING count(*) > 0)"
    if _fineness(coarse) == 0:
        spans = ["true"]
        years = con.execute(
            f"SELECT DISTINCT year(order_date) FROM {fine.accepted} WHERE order_date IS NOT NULL LIMIT 20"
        ).fetchall()
        spans += [f"year(order_date) = {year}" for (year,) in years] if len(years) > 1 else []
    else:
        first, last = con.execute(
            f"SELECT min(order_date), max(order_date) FROM {coarse.accepted}"
        ).fetchall()[0]
        years_back = f"year(order_date) BETWEEN {first.year} AND {last.year}" if first and last else "true"
        spans = ["true", f"order_date <= DATE '{last}'", years_back] if last else ["true"]
    for span in spans:
        listed = f"(SELECT {key} AS k, sum({AMOUNT}) AS v FROM {fine.accepted} WHERE {span} GROUP BY k)"
        total, same = con.execute(
            f"SELECT count(*), count(*) FILTER (abs(c.v - f.v) <= greatest(0.02, abs(c.v) * 0.0005)) "
            f"FROM {sums} c LEFT JOIN {listed} f USING (k) WHERE c.v <> 0"
        ).fetchall()[0]
        if total >= _FEWEST and same >= _SAME * total:
            return True
    return False
