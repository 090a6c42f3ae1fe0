"""References between tables whose numbers are written in two ways: "00042" in one file, 42 in the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from klientel.ingest.reading import Read
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

# Table and column that is referred to -> tables and columns that refer to it.
_REFERENCES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "customer",
        "customer_id",
        (
            ("customer", "customer_id"),  # the customers of a flat file
            ("customer", "parent_customer_id"),
            ("order_line", "customer_id"),
            ("order_header", "customer_id"),
            ("credit_note_line", "customer_id"),
            ("project_contract", "customer_id"),
            ("opportunity", "customer_id"),
            ("interaction", "customer_id"),
            ("contact", "customer_id"),
            ("customer_succession", "from_id"),
            ("customer_succession", "to_id"),
        ),
    ),
    (
        "order_header",
        "order_id",
        (("order_line", "order_id"), ("credit_note_line", "original_order_id")),
    ),
    ("product", "product_id", (("order_line", "product_id"),)),
)


def align(con: duckdb.DuckDBPyConnection, reads: Mapping[str, list[Read]]) -> list[Sentence]:
    """Let references use the spelling of the table they refer to; a note for each file that was changed.

    Only where fewer than half of the different numbers match as they are written, at least half match without
    zeros in front, and no two numbers of the referred table become the same.
    """
    notes = []
    for table, column, children in _REFERENCES:
        parents = [r for r in reads.get(table, []) if column in r.columns and not r.recognition.secondary]
        if not parents or not _distinct_without_zeros(con, parents, column):
            continue
        for child_table, child_column in children:
            for child in reads.get(child_table, []):
                if child_column not in child.columns or (child in parents and child_column == column):
                    continue
                note = _aligned(con, child, child_column, parents, column)
                notes += [note] if note else []
    return notes


def without_zeros(column: str) -> str:
    """SQL of a number without zeros in front; other texts stay as they are."""
    column = f"CAST({column} AS VARCHAR)"
    return (
        f"CASE WHEN regexp_full_match({column}, '[0-9]+') "
        f"THEN coalesce(nullif(ltrim({column}, '0'), ''), '0') ELSE {column} END"
    )


def _numbers(parents: list[Read], column: str) -> str:
    parts = [f"SELECT CAST({identifier(column)} AS VARCHAR) AS k FROM {p.accepted}" for p in parents]
    return f"(SELECT DISTINCT k FROM ({' UNION ALL '.join(parts)}) WHERE k IS NOT NULL)"


def _distinct_without_zeros(con: duckdb.DuckDBPyConnection, parents: list[Read], column: str) -> bool:
    row = con.execute(
        f"SELECT count(*), count(DISTINCT {without_zeros('k')}) FROM {_numbers(parents, column)}"
    ).fetchall()[0]
    return bool(row[0] and row[0] == row[1])


def _aligned(
    con: duckdb.DuckDBPyConnection, child: Read, column: str, parents: list[Read], parent_column: str
) -> Sentence | None:
    numbers = _numbers(parents, parent_column)
    total, same, plain = con.execute(
        f"SELECT count(*), count(p.k), count(q.k) FROM (SELECT DISTINCT CAST({identifier(column)} AS VARCHAR) AS k "
        f"FROM {child.view} WHERE {identifier(column)} IS NOT NULL) c LEFT JOIN {numbers} p ON p.k = c.k "
        f"LEFT JOIN {numbers} q ON {without_zeros('q.k')} = {without_zeros('c.k')}"
    ).fetchall()[0]
    if not total or same >= 0.5 * total or plain < 0.5 * total:
        return None
    view = f"{child.view}_{column}"
    con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT c.* REPLACE (coalesce(q.k, CAST(c.{identifier(column)} AS VARCHAR)) "
        f"AS {identifier(column)}) FROM {child.view} c LEFT JOIN {numbers} q "
        f"ON {without_zeros('q.k')} = {without_zeros(f'c.{identifier(column)}')}"
    )
    child.view, child.lean = view, ""
    match = child.recognition.columns.get(column)
    return say(
        "{file}: the numbers in {header} match those in {other} only without zeros in front; "
        "{n} of {total} were found so.",
        file=child.recognition.raw.place, header=match.header if match else column,
        other=parents[0].recognition.raw.place, n=plain, total=total,
    )  # fmt: skip
