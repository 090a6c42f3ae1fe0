"""A bounded sample of a far table, and the questions that only the whole table can answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from klientel.ingest.mapping.overlap import DISTINCT, Contents
from klientel.ingest.raw import RawColumn, RawTable
from klientel.ingest.warehouse.tables import Remote
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

ROWS = 20_000  # rows of a table that come to this machine to recognise it by


def sample(remote: Remote) -> RawTable:
    """A raw table of at most ROWS rows, as typed as the table itself."""
    arrow = remote.table.limit(ROWS).to_pyarrow()
    notes = []
    if remote.left_out:
        notes.append(
            say("Columns with nested values cannot be used: {columns}.", columns=list(remote.left_out))
        )
    return RawTable(
        name=remote.name,
        file=remote.name,
        columns=tuple(RawColumn(f.name, f.name, str(f.type)) for f in arrow.schema),
        source=arrow,
        rows=arrow.num_rows,
        header_line=None,
        has_line=False,
        notes=notes,
    )


class Far(Contents):
    """Values compared between tables where they are; a sample of each would not meet the other."""

    def __init__(self, raws: Sequence[RawTable], tables: dict[str, ir.Table]) -> None:
        super().__init__(raws)
        self._tables = tables
        self._known: dict[tuple[str, str, str, str], float] = {}

    def contained(self, child: tuple[RawTable, str], parent: tuple[RawTable, str]) -> float:
        """As in `Contents`, by the engine: 5,000 different values of the child are looked up in the parent."""
        key = (child[0].name, child[1], parent[0].name, parent[1])
        if key not in self._known:
            few = self._values(*child).limit(DISTINCT)
            whole = self._values(*parent).rename(w="v")
            both = few.left_join(whole, few.v == whole.w)
            row = both.agg(n=both.v.count(), known=both.w.count()).to_pyarrow().to_pylist()[0]
            self._known[key] = row["known"] / row["n"] if row["n"] else 0.0
        return self._known[key]

    def _values(self, raw: RawTable, column: str) -> ir.Table:
        table = self._tables[raw.name]
        text = table[column].cast("string").strip().lower()
        found = table.select(v=text)
        return found.filter(found.v.notnull() & (found.v != "")).distinct()
