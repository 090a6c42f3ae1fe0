"""Customers of earlier imports found again: by their number, without zeros in front, or by their name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from klientel.ingest.refs import without_zeros
from klientel.ingest.values.shapes import identifier

if TYPE_CHECKING:
    import duckdb

# Columns that hold a customer's number, by canonical table.
REFERENCES: dict[str, tuple[str, ...]] = {
    "customer": ("customer_id", "parent_customer_id"),
    "contact": ("customer_id",),
    "project_contract": ("customer_id",),
    "opportunity": ("customer_id",),
    "lead": ("customer_id",),
    "interaction": ("customer_id",),
    "survey_response": ("customer_id",),
    "touchpoint": ("customer_id",),
    "usage_event_daily": ("customer_id",),
    "cost_event": ("customer_id",),
    "customer_succession": ("from_id", "to_id"),
    "order_header": ("customer_id",),
}
FACTS = ("touchpoint", "usage_event_daily", "cost_event", "order_header")  # those of them that are facts


@dataclass(frozen=True)
class Known:
    """The companies of the workspace: (number, name) of each.

    aliases: names that companies had for a number before one came; facts keep them, since theirs do.
    """

    companies: Iterable[tuple[str, str]]
    aliases: Iterable[str] = ()


def renumbered(
    con: duckdb.DuckDBPyConnection,
    known: Known | None,
    tables: Mapping[str, tuple[str, tuple[str, ...]]],
    lines: str | None,
) -> str | None:
    """Let tables use the numbers that the workspace knows; the relation (old, new) for lines, None if not needed.

    A reference that is no known number but a known name (of exactly one company) becomes that company's number.
    Numbers that differ by zeros in front only are aligned under the terms of `klientel.ingest.refs`.
    """
    if known is None:
        return None
    con.execute("CREATE OR REPLACE TEMP TABLE known_companies (number VARCHAR, name VARCHAR)")
    _fill(con, known)
    if not con.execute("SELECT count(*) FROM known_companies").fetchall()[0][0]:
        return None
    places = [
        (relation, column)
        for table, (relation, columns) in tables.items()
        for column in REFERENCES.get(table, ())
        if column in columns
    ]
    asked = [*places, (lines, "customer_id")] if lines else places
    used = " UNION ".join(
        f"SELECT DISTINCT CAST({identifier(c)} AS VARCHAR) AS k FROM {r} WHERE {identifier(c)} IS NOT NULL"
        for r, c in asked
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE used_numbers AS {used or 'SELECT NULL AS k WHERE false'}")
    parts = [
        # by name
        "SELECT u.k AS old, n.number AS new FROM used_numbers u JOIN (SELECT lower(trim(name)) AS name, "
        "min(number) AS number FROM known_companies WHERE name <> '' GROUP BY 1 HAVING count(*) = 1) n "
        "ON n.name = lower(trim(u.k)) WHERE u.k NOT IN (SELECT number FROM known_companies)"
    ]
    total, same, bare = con.execute(
        f"SELECT count(*), count(p.number), count(q.number) FROM used_numbers u "
        f"LEFT JOIN known_companies p ON p.number = u.k "
        f"LEFT JOIN known_companies q ON {without_zeros('q.number')} = {without_zeros('u.k')}"
    ).fetchall()[0]
    alone = con.execute(
        f"SELECT count(*) = count(DISTINCT {without_zeros('number')}) FROM known_companies"
    ).fetchall()[0][0]
    if total and same < 0.5 * total <= bare and alone:
        parts.append(
            f"SELECT u.k, q.number FROM used_numbers u JOIN known_companies q ON {without_zeros('q.number')} = "
            f"{without_zeros('u.k')} WHERE u.k <> q.number"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE renumbered AS SELECT old, min(new) AS new FROM "
        f"({' UNION ALL '.join(parts)}) GROUP BY old"
    )
    if not con.execute("SELECT count(*) FROM renumbered").fetchall()[0][0]:
        return None
    con.execute("CREATE OR REPLACE TEMP TABLE known_aliases (name VARCHAR)")
    con.executemany("INSERT INTO known_aliases VALUES (?)", [[a] for a in known.aliases] or [[None]])
    con.execute(
        "CREATE OR REPLACE TEMP TABLE renumbered_facts AS SELECT * FROM renumbered "
        "WHERE old NOT IN (SELECT name FROM known_aliases WHERE name IS NOT NULL)"
    )
    for table, (relation, columns) in tables.items():
        which = "renumbered_facts" if table in FACTS else "renumbered"
        for column in (c for c in REFERENCES.get(table, ()) if c in columns):
            con.execute(
                f"UPDATE {relation} SET {identifier(column)} = r.new FROM {which} r "
                f"WHERE r.old = CAST({relation}.{identifier(column)} AS VARCHAR)"
            )
    return "renumbered_facts"


def _fill(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    import pyarrow as pa

    rows = list(known.companies)
    table = pa.table(
        {
            "number": pa.array([r[0] for r in rows], pa.string()),
            "name": pa.array([r[1] for r in rows], pa.string()),
        }
    )
    con.register("known_given", table)
    con.execute("INSERT INTO known_companies SELECT * FROM known_given")
    con.unregister("known_given")
