"""Putting small files of facts together and shortening their logs, as one more snapshot with the same content."""

from __future__ import annotations

from datetime import UTC, datetime

from klientel.engine import connect
from klientel.web.home import Home
from klientel.web.imports.disk import told_if_full
from klientel.web.imports.models import Snapshot
from klientel.web.imports.taking import MEMORY
from klientel.web.imports.writing import newest, tables, writing


def tidy(home: Home, *, now: datetime | None = None) -> int:
    """Put small files together; how many files went. Readers notice nothing. Raises Busy while another writes."""
    at = now or datetime.now(UTC)
    with told_if_full(home.folder), writing(home, "tidy", at):
        before = newest()
        if before is None:
            return 0
        con = connect(None).connection.con
        con.execute(f"SET memory_limit = '{MEMORY}'")
        pinned = dict(before.facts)
        gone = 0
        for name, table in tables(home).items():
            if name in pinned:
                written = table.compact(con, table.version())
                gone += len(written.removed) - len(written.added)
                pinned[name] = written.version
        if pinned != before.facts:
            Snapshot.objects.create(at=at, why="tidy", facts=pinned, book=before.book)
        return gone
