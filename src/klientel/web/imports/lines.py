"""Lines of a workspace: upserted by key with before-images, taken back by an undo, described for readers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.values.shapes import identifier, quoted
from klientel.store.facts import FactTable, Written
from klientel.web.imports.upserting import SAMPLES, Counts

if TYPE_CHECKING:
    import duckdb

    from klientel.web.home import Home
    from klientel.web.imports.taking import Taken

LINES = "lines"  # the name of the fact table
OWN = ("row_key", "import_id", "made_of", "source", "line")  # columns that no analysis looks at
_SHOWN = ("order_id", "line_no", "customer_id", "day", "product_id", "amount")


def table(home: Home) -> FactTable:
    """The fact table of the lines."""
    return FactTable(home.facts / LINES)


@dataclass
class LinePlan:
    """What an import does to the lines: counts, and on the connection `changed_lines` (row_key)."""

    counts: Counts
    changed: int = 0


def plan(taken: Taken, facts: FactTable, version: int | None) -> LinePlan:
    """Compare the staged lines with the stored ones; reads only files that hold their keys."""
    con = taken.con
    counts = Counts()
    total = taken.count(str(taken.lines))
    stored = facts.select(version)
    con.execute("CREATE OR REPLACE TEMP TABLE changed_lines (row_key VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE met_lines (row_key VARCHAR)")
    if stored:
        names = holding(con, stored, str(taken.lines))
        old = set(facts.columns(version))
        differs = " OR ".join(_differs(c, c in old) for c in taken.line_columns)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE met_lines AS SELECT n.row_key, ({differs}) AS changed "
            f"FROM ({facts.select(version, names)}) s JOIN {taken.lines} n USING (row_key)"
        )
        con.execute("INSERT INTO changed_lines SELECT row_key FROM met_lines WHERE changed")
    met = taken.count("met_lines")
    counts.update = taken.count("changed_lines")
    counts.skip = met - counts.update
    counts.create = total - met
    _samples(taken, counts)
    return LinePlan(counts, counts.update)


def holding(con: duckdb.DuckDBPyConnection, stored: str, keys: str) -> list[str]:
    """The files of stored lines that hold any of the keys."""
    found = con.execute(
        f"SELECT DISTINCT file FROM ({stored}) WHERE row_key IN (SELECT row_key FROM {keys})"
    ).fetchall()
    return [str(row[0]) for row in found]


def commit(taken: Taken, facts: FactTable, version: int | None, run: int, folder: Path) -> Written:
    """Write the planned lines as a new version that no reader sees yet; the lines that change are kept before."""
    con = taken.con
    columns = list(taken.line_columns)
    new = ", ".join(f"n.{identifier(c)}" for c in (*columns, "row_key", "made_of", "source", "line"))
    put = (
        f"SELECT {new}, CAST({run} AS BIGINT) AS import_id FROM {taken.lines} n "
        "WHERE n.row_key NOT IN (SELECT row_key FROM met_lines)"
    )
    changed = taken.count("changed_lines")
    if changed:
        names = holding(con, facts.select(version), "changed_lines")
        stored = facts.select(version, names)
        image = folder / "lines.parquet"
        keep_before(
            con, f"SELECT s.* EXCLUDE (file) FROM ({stored}) s SEMI JOIN changed_lines USING (row_key)", image
        )
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW lines_before AS SELECT * FROM read_parquet({path_sql(image)})"
        )
        old = facts.columns(version)
        taking = {c: f"coalesce(n.{identifier(c)}, b.{identifier(c)})" if c in old else f"n.{identifier(c)}"
                  for c in columns}  # fmt: skip
        kept = [f"b.{identifier(c)}" for c in old if c not in columns and c not in OWN]
        both = [f"{sql} AS {identifier(c)}" for c, sql in taking.items()]
        both += [*kept, "n.row_key", "n.made_of", "n.source", "n.line", f"CAST({run} AS BIGINT) AS import_id"]
        put += f" UNION ALL BY NAME SELECT {', '.join(both)} FROM {taken.lines} n JOIN lines_before b USING (row_key)"
    con.execute(f"CREATE OR REPLACE TEMP VIEW put_lines AS {put}")
    return facts.replace(
        con, version, why=f"import {run}", put="put_lines", drop="changed_lines" if changed else None
    )


def keep_before(con: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    """Write rows to a file that is whole and on the disk before it has its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    con.execute(f"COPY ({sql}) TO {quoted(str(part))} (FORMAT parquet, COMPRESSION zstd)")
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


def undo(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    facts: FactTable,
    version: int | None,
    run: int,
    dead: Iterable[int],
) -> tuple[Written | None, dict[str, int]]:
    """A version without what import `run` did to the lines; None if it did nothing that is still there.

    dead: the undone imports, `run` among them. Lines that a later import changed stay and are counted as
    conflicts. What comes back is what the last import that is not undone left, never what an undone one made.
    """
    gone = sorted(set(dead) | {run}, reverse=True)
    stored = facts.select(version)
    if not stored:
        return None, {"removed": 0, "restored": 0, "conflict": 0}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE going_lines AS "
        f"SELECT row_key, import_id AS at_import FROM ({stored}) WHERE import_id = {run}"
    )
    listed = ", ".join(map(str, gone))
    parts = []
    con.execute("CREATE OR REPLACE TEMP TABLE open_lines AS SELECT * FROM going_lines")
    for number in gone:
        image = home.of_import(number) / "lines.parquet"
        if not image.is_file():
            continue
        before = (
            f"SELECT b.* FROM read_parquet({path_sql(image)}) b JOIN open_lines o ON o.row_key = b.row_key "
            f"AND o.at_import = {number}"
        )
        view = f"image_{number}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {view} AS {before}")
        con.execute(f"DELETE FROM open_lines WHERE at_import = {number}")
        con.execute(
            f"INSERT INTO open_lines SELECT row_key, import_id FROM {view} WHERE import_id IN ({listed})"
        )
        parts.append(f"SELECT * FROM {view} WHERE import_id NOT IN ({listed})")
    restored = 0
    if parts:
        con.execute(f"CREATE OR REPLACE TEMP TABLE back_lines AS {' UNION ALL BY NAME '.join(parts)}")
        restored = _count(con, "back_lines")
    going = _count(con, "going_lines")
    conflict = _conflicts(con, home, run, gone)
    told = {"removed": going - restored, "restored": restored, "conflict": conflict}
    if not going:
        return None, told
    put = "back_lines" if restored else None
    return facts.replace(con, version, why=f"undo {run}", drop="going_lines", put=put), told


def _conflicts(con: duckdb.DuckDBPyConnection, home: Home, run: int, gone: Sequence[int]) -> int:
    """Lines that the import made or changed and that a later one, not undone, changed since."""
    from klientel.web.imports.models import Import

    later = Import.objects.filter(pk__gt=run, state=Import.State.DONE).values_list("pk", flat=True)
    images = [home.of_import(n) / "lines.parquet" for n in later if n not in gone]
    listed = [path_sql(p) for p in images if p.is_file()]
    if not listed:
        return 0
    return _count(
        con,
        f"(SELECT DISTINCT row_key FROM read_parquet([{', '.join(listed)}], union_by_name=true) "
        f"WHERE import_id = {run})",
    )


def describe(
    con: duckdb.DuckDBPyConnection, facts: FactTable, version: int | None, columns: Sequence[str] | None
) -> dict[str, Any]:
    """What readers want to know of the lines without reading them: rows, days, kinds, columns that are filled.

    columns: those that are filled, where that is known; None: count.
    """
    stored = facts.select(version)
    if not stored:
        return {"rows": 0, "columns": []}
    known = facts.columns(version)
    day = "min(day), max(day)" if "day" in known else "NULL, NULL"
    credit = "coalesce(bool_or(is_credit), false)" if "is_credit" in known else "false"
    candidates = [c for c in known if c not in OWN]
    counted = ", ".join(f"count({identifier(c)})" for c in candidates) if columns is None else "0"
    row = con.execute(f"SELECT count(*), {day}, {credit}, {counted} FROM ({stored})").fetchall()[0]
    if columns is None:
        columns = [c for c, n in zip(candidates, row[4:], strict=True) if n]
    kinds = con.execute(f"SELECT made_of, count(*) FROM ({stored}) GROUP BY 1 ORDER BY 1").fetchall()
    return {
        "rows": int(row[0]),
        "first_day": row[1].isoformat() if row[1] else None,
        "last_day": row[2].isoformat() if row[2] else None,
        "credits": bool(row[3]),
        "made_of": {str(k): int(n) for k, n in kinds},
        "columns": [c for c in known if c in columns] if row[0] else [],
    }


def path_sql(path: Path) -> str:
    """A path as SQL text of which no sign is read as a pattern."""
    return quoted("".join(f"[{c}]" if c in "[*?" else c for c in str(path)))


def _differs(column: str, stored: bool) -> str:
    name = identifier(column)
    if not stored:
        return f"n.{name} IS NOT NULL"
    return f"(n.{name} IS NOT NULL AND n.{name} IS DISTINCT FROM s.{name})"


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _samples(taken: Taken, counts: Counts) -> None:
    shown = ", ".join(identifier(c) for c in _SHOWN if c in taken.line_columns)
    where = {
        "create": "row_key NOT IN (SELECT row_key FROM met_lines)",
        "update": "row_key IN (SELECT row_key FROM changed_lines)",
        "skip": "row_key IN (SELECT row_key FROM met_lines) AND row_key NOT IN (SELECT row_key FROM changed_lines)",
    }
    for outcome, condition in where.items():
        if getattr(counts, outcome):
            sql = f"SELECT source AS file, line, {shown} FROM {taken.lines} WHERE {condition} LIMIT {SAMPLES}"
            counts.samples[outcome] = taken.con.sql(sql).to_arrow_table().to_pylist()
