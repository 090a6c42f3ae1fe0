"""Customers, opportunities and contracts put together from the tables that were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from klientel.ingest.mapping import outcome_of
from klientel.ingest.reading import Read, Reader
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

    from klientel.ingest.recognition import Recognition
    from klientel.ingest.values import Profile


def with_outcome(con: duckdb.DuckDBPyConnection, read: Read) -> None:
    """Give opportunities an `outcome` (won, lost, open, ...) from their own outcome or stage column."""
    import pyarrow as pa

    have = [c for c in ("outcome", "stage") if c in read.columns]
    word = f"coalesce({', '.join(have)})" if have else "NULL"
    found = [row[0] for row in con.execute(f"SELECT DISTINCT {word} FROM {read.view}").fetchall() if row[0]]
    # A stage that is neither won nor lost is a step on the way: the deal is open.
    told = [{"word": text, "told": outcome_of(text) or "open"} for text in found]
    words = f"words_of_{read.view}"
    con.register(words, pa.Table.from_pylist(told, pa.schema([("word", pa.string()), ("told", pa.string())])))
    others = ", ".join(identifier(c) for c in read.columns if c != "outcome")
    view = f"{read.view}_told"
    con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT line, source_no, reject, {others}, coalesce(w.told, 'open') AS outcome "
        f"FROM {read.view} o LEFT JOIN {words} w ON w.word = {word}"
    )
    read.view = view
    read.columns = tuple(dict.fromkeys((*read.columns, "outcome")))


def firms_before_mails(readings: Sequence[Recognition], profile: dict[str, Profile]) -> None:
    """Let the firm be the customer where a shop's orders name it beside an e-mail address.

    Several people order for one firm. Changes the recognitions of one raw table, the first of which decides:
    the address is no customer number where the name is filled as often as the amount.
    """
    first = readings[0].columns
    number, name = first.get("customer_id"), first.get("customer_name")
    amount = first.get("net_amount") or first.get("qty")
    if number is None or name is None or amount is None or number.column == name.column:
        return
    values = profile[number.column].values
    filled = profile[name.column].filled >= 0.95 * profile[amount.column].filled
    if values and all("@" in value for value in values) and filled:
        for reading in readings:
            reading.columns.pop("customer_id", None)


class CustomerMaker:
    """One row per customer out of customer files and of what flat files say about their customers."""

    def __init__(self, con: duckdb.DuckDBPyConnection, reader: Reader) -> None:
        self.con = con
        self.reader = reader
        self.notes: list[Sentence] = []

    def make(self, reads: list[Read]) -> tuple[str, ...] | None:
        """Create the view `book_customers` and say its columns; None without any customer table.

        Files of customers come before flat files; of a number that appears twice in a customer file the
        first row is taken and the other rejected.
        """
        if not reads:
            return None
        ordered = sorted(reads, key=lambda r: r.recognition.secondary)
        columns: list[str] = []
        for read in ordered:
            columns += [c for c in ("customer_id", *read.columns) if c not in columns]
        parts = [self._part(read, columns, rank) for rank, read in enumerate(ordered)]
        for read in ordered:
            if not read.recognition.secondary:
                self._twice(read)
        firsts = ", ".join(
            f"first({identifier(c)} ORDER BY rank, line) FILTER ({identifier(c)} IS NOT NULL) AS {identifier(c)}"
            for c in columns
            if c != "customer_id"
        )
        self.con.execute(
            f"CREATE TEMP TABLE book_customers AS SELECT customer_id, {firsts} FROM ({' UNION ALL '.join(parts)}) "
            "WHERE customer_id IS NOT NULL GROUP BY customer_id"
        )
        return tuple(columns)

    def _part(self, read: Read, columns: list[str], rank: int) -> str:
        have = set(read.columns)
        key = ", ".join(c for c in ("customer_id", "name") if c in have)
        chosen = [f"coalesce({key}) AS customer_id"]
        chosen += [
            identifier(c) if c in have else f"NULL AS {identifier(c)}" for c in columns if c != "customer_id"
        ]
        inner = f"SELECT {', '.join(chosen)}, {rank} AS rank, line FROM {read.accepted}"
        if read.recognition.secondary and len(have) > 1:
            # A flat file repeats its customers on every line: one row each is enough.
            return f"(SELECT DISTINCT ON (customer_id) * FROM ({inner}) ORDER BY customer_id, line)"
        return inner

    def _twice(self, read: Read) -> None:
        key = "coalesce(customer_id, name)" if {"customer_id", "name"} <= set(read.columns) else None
        key = key or ("customer_id" if "customer_id" in read.columns else "name")
        ranked = (
            f"SELECT line, {key} AS k, row_number() OVER (PARTITION BY {key} ORDER BY line) AS nth "
            f"FROM {read.accepted}"
        )
        count = self.con.execute(f"SELECT count(*) FROM ({ranked}) WHERE nth > 1").fetchall()[0][0]
        if count:
            column = key if key in ("customer_id", "name") else "customer_id"
            self.reader.list_rows(read, f"SELECT line, '{column}|twice', k FROM ({ranked}) WHERE nth > 1")
            read.rejected += count

    def names(self, columns: tuple[str, ...] | None) -> str | None:
        """A view of names that belong to exactly one customer: name in lower case, customer_id."""
        if columns is None or "name" not in columns:
            return None
        self.con.execute(
            "CREATE TEMP VIEW customer_names AS SELECT lower(trim(name)) AS name, min(customer_id) AS customer_id "
            "FROM book_customers WHERE name IS NOT NULL GROUP BY 1 HAVING count(*) = 1"
        )
        return "customer_names"


def by_number(con: duckdb.DuckDBPyConnection, read: Read, names: str | None) -> Sentence | None:
    """Let a table that names its customers use their numbers, where the names are known; a note if so.

    A CRM export often writes "Acme GmbH" where the customer file has 10023. Only if fewer than a fifth of
    the references are numbers of customers and more than half are their names.
    """
    if names is None or not ({"customer_id", "customer_name"} & set(read.columns)):
        return None
    column = "customer_id" if "customer_id" in read.columns else "customer_name"
    row = con.execute(
        f"SELECT count(*), count(c.customer_id), count(n.customer_id) FROM (SELECT DISTINCT {column} AS k FROM "
        f"{read.view} WHERE {column} IS NOT NULL) d LEFT JOIN book_customers c ON c.customer_id = d.k "
        f"LEFT JOIN {names} n ON n.name = lower(trim(d.k))"
    ).fetchall()[0]
    total, numbers, known = row
    if not total or numbers >= 0.2 * total or known <= 0.5 * total:
        return None
    view = f"{read.view}_numbered"
    others = ", ".join(f"r.{identifier(c)}" for c in read.columns if c != "customer_id")
    con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT r.line, r.source_no, r.reject, {others}, "
        f"coalesce(n.customer_id, r.{column}) AS customer_id FROM {read.view} r "
        f"LEFT JOIN {names} n ON n.name = lower(trim(r.{column}))"
    )
    read.view = view
    read.columns = tuple(dict.fromkeys((*read.columns, "customer_id")))
    return say(
        "{file}: customers are written by name; {known} of {total} names were found in the customer table.",
        file=read.recognition.raw.place, known=known, total=total,
    )  # fmt: skip
