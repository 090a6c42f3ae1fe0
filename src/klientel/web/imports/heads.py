"""Customer and day of orders, kept apart from their lines, so that either may come first, change, or be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from klientel.ingest.lines import COLUMNS
from klientel.ingest.reading import Read
from klientel.ingest.values.shapes import identifier
from klientel.web.imports import lines
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

    from klientel.ingest.opening import Opening
    from klientel.web.home import Home
    from klientel.web.imports.taking import Staged

HEADS = "order_header"  # the fact table of orders
FROM_HEAD = ("customer_id", "customer_name", "day", "currency", "rep_id")
_FROM_CREDITED = ("customer_id", "customer_name")  # a credit note has its own day
_ALONE = "customer_id IS NULL AND made_of = 'order_line'"  # lines that know their order only


def read_orders(opening: Opening, totals: Sequence[Read]) -> str | None:
    """The orders of the files as the table `staged_order_header`, one row per number; None if there are none.

    totals: tables of order lines that are totals of orders. Of a number that appears twice the first row is taken.
    """
    parts = []
    for read in (*opening.reads.get(HEADS, []), *totals):
        have = set(read.columns)
        if "order_id" not in have or not {"customer_id", "customer_name"} & have:
            continue
        days = ", ".join(c for c in ("order_date", "invoice_date") if c in have)
        own = {c: c for c in FROM_HEAD if c in have} | ({"day": f"coalesce({days})"} if days else {})
        chosen = ", ".join(f"CAST({own.get(c, 'NULL')} AS {COLUMNS[c]}) AS {c}" for c in FROM_HEAD)
        parts.append(
            f"SELECT CAST(order_id AS VARCHAR) AS order_id, {chosen}, source_no, line FROM {read.accepted}"
        )
    if not parts:
        return None
    named, join = "NULL", ""
    if opening.names:
        named = "n.customer_id"
        join = f" LEFT JOIN {opening.names} n ON n.name = lower(trim(h.customer_name))"
    places = {r.recognition.raw.place for r in (*opening.reads.get(HEADS, []), *totals)}
    opening.con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_{HEADS} AS SELECT h.* EXCLUDE (source_no) REPLACE "
        f"(coalesce(h.customer_id, {named}, h.customer_name) AS customer_id), h.order_id AS row_key, "
        f"'{HEADS}' AS made_of, CAST($places AS VARCHAR) AS source FROM (SELECT DISTINCT ON (order_id) * FROM "
        f"({' UNION ALL '.join(parts)}) WHERE order_id IS NOT NULL ORDER BY order_id, source_no, line) h{join}",
        {"places": ", ".join(sorted(places))},
    )
    return f"staged_{HEADS}"


def seen(home: Home, pinned: Mapping[str, int], told: Mapping[str, Any]) -> tuple[str, set[str]]:
    """SQL of the lines as readers see them, with `file`, and their columns; "" if there are none.

    told: what the snapshot says of the lines; without any that know their order only they are read as they lie.
    """
    facts = lines.table(home)
    version = pinned.get(lines.LINES, -1)
    stored, columns = facts.select(version), facts.columns(version)
    if not stored or not told.get("apart"):
        return stored, set(columns)
    orders = lines.table(home, HEADS).select(pinned.get(HEADS, -1))
    return joined(stored, columns, orders), {*columns, *FROM_HEAD}


def joined(stored: str, columns: Mapping[str, str], orders: str) -> str:
    """SQL of lines with what their orders say, of SQL of both and the columns of the lines.

    Lines whose order is not there are no part of it.
    """
    have = set(columns)
    everything = [*columns, *(c for c in FROM_HEAD if c not in have)]
    if not orders:
        # As long as no order is known at all, a credit note without a customer is nobody's, and counts.
        return _part(everything, have, (), f"({stored}) l WHERE NOT ({_ALONE})")
    parts = [_part(everything, have, (), f"({stored}) l WHERE l.customer_id IS NOT NULL")]
    if "order_id" in have:
        source = f"(SELECT * FROM ({stored}) WHERE {_ALONE}) l JOIN ({orders}) h ON h.order_id = l.order_id"
        parts.append(_part(everything, have, FROM_HEAD, source))
    if "original_order_id" in have:
        credits = f"SELECT * FROM ({stored}) WHERE customer_id IS NULL AND made_of = 'credit_note_line'"
        source = f"({credits}) l JOIN ({orders}) h ON h.order_id = l.original_order_id"
        parts.append(_part(everything, have, _FROM_CREDITED, source))
    return " UNION ALL ".join(parts)


def _part(everything: Iterable[str], have: set[str], taken: Iterable[str], source: str) -> str:
    chosen = []
    for c in everything:
        name = identifier(c)
        own = f"l.{name}" if c in have else f"CAST(NULL AS {COLUMNS.get(c, 'VARCHAR')})"
        if c in taken:
            own = f"coalesce(l.{name}, h.{name})" if c in have else f"h.{name}"
        chosen.append(f"{own} AS {name}")
    return f"SELECT {', '.join(chosen)}, l.file FROM {source}"


def describe(
    con: duckdb.DuckDBPyConnection, home: Home, pinned: Mapping[str, int], columns: Sequence[str] | None
) -> dict[str, Any]:
    """What the snapshot says of the lines as readers see them (`lines.describe`), and of those that wait."""
    facts, version = lines.table(home), pinned.get(lines.LINES, -1)
    apart = _apart(con, home, pinned)
    if not apart:
        return lines.describe(con, facts, version, columns)
    whole = seen(home, pinned, {"apart": apart})[0]
    return {**lines.describe(con, facts, version, None, whole), "apart": apart}


def _apart(con: duckdb.DuckDBPyConnection, home: Home, pinned: Mapping[str, int]) -> dict[str, Any]:
    """Of the stored lines: how many have no customer of their own, and how many wait for theirs, with their value."""
    version = pinned.get(lines.LINES, -1)
    facts = lines.table(home)
    stored = facts.select(version)
    if not stored or not {"customer_id", "order_id"} <= set(facts.columns(version)):
        return {}
    total = con.execute(f"SELECT count(*) FROM ({stored}) WHERE customer_id IS NULL").fetchall()[0][0]
    if not total:
        return {}
    orders = lines.table(home, HEADS).select(pinned.get(HEADS, -1))
    there = f" AND NOT EXISTS (SELECT 1 FROM ({orders}) h WHERE h.order_id = l.order_id)" if orders else ""
    rows, value = con.execute(
        f"SELECT count(*), coalesce(sum(amount), 0) FROM ({stored}) l WHERE {_ALONE}{there}"
    ).fetchall()[0]
    return {"rows": int(total), "waiting": int(rows), "value": float(value)}


def missing(
    con: duckdb.DuckDBPyConnection, staged: Mapping[str, Staged], home: Home, pinned: Mapping[str, int]
) -> int:
    """How many staged lines know an order only that is neither staged nor stored."""
    rows = staged.get(lines.LINES)
    if rows is None or "order_id" not in rows.columns:
        return 0
    known = [f"SELECT order_id FROM {staged[HEADS].relation}"] if HEADS in staged else []
    stored = lines.table(home, HEADS).select(pinned.get(HEADS, -1))
    known += [f"SELECT order_id FROM ({stored})"] if stored else []
    there = f" AND order_id NOT IN ({' UNION ALL '.join(known)})" if known else ""
    found = con.execute(f"SELECT count(*) FROM {rows.relation} WHERE {_ALONE}{there}").fetchall()
    return int(found[0][0])


def told(number: int) -> Sentence:
    """What is said of lines that wait."""
    return say(
        "{n} lines wait for their order: they count once a file with their orders is imported.", n=number
    )
