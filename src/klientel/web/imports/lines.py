"""Facts of a workspace (lines and what machines append): upserted by key with before-images, undone, described."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.values.shapes import identifier, quoted
from klientel.store.facts import FactTable, Written
from klientel.web.imports.counts import SAMPLES, Counts

if TYPE_CHECKING:
    import duckdb

    from klientel.web.home import Home
    from klientel.web.imports.taking import Staged, Taken

LINES = "lines"  # the fact table of sales and credit notes
# Fact tables -> the column of time, in whose order their rows lie.
FACTS = {
    LINES: "day",
    "order_header": "day",
    "usage_event_daily": "day",
    "touchpoint": "ts",
    "cost_event": "ts",
}
OWN = ("row_key", "import_id", "made_of", "source", "line")  # columns that no analysis looks at
_SHOWN = ("order_id", "line_no", "customer_id", "day", "product_id", "amount")


def table(home: Home, name: str = LINES) -> FactTable:
    """A fact table, that of the lines if no other is asked for."""
    return FactTable(home.facts / name)


def plan(taken: Taken, staged: Staged, facts: FactTable, version: int | None) -> Counts:
    """Compare staged rows with the stored ones; reads only files that hold their keys.

    Leaves on the connection `met_NAME` (row_key, changed) and `changed_NAME` (row_key).
    """
    con = taken.con
    counts = Counts()
    total = taken.count(staged.relation)
    stored = facts.select(version)
    met, changed = f"met_{staged.name}", f"changed_{staged.name}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {met} (row_key VARCHAR, changed BOOLEAN)")
    if stored:
        names = holding(con, stored, staged.relation)
        old = set(facts.columns(version))
        differs = " OR ".join(_differs(c, c in old) for c in staged.columns)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {met} AS SELECT n.row_key, ({differs}) AS changed "
            f"FROM ({facts.select(version, names)}) s JOIN {staged.relation} n USING (row_key)"
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {changed} AS SELECT row_key FROM {met} WHERE changed")
    counts.update = taken.count(changed)
    counts.skip = taken.count(met) - counts.update
    counts.create = total - counts.skip - counts.update
    _samples(taken, staged, counts)
    return counts


def holding(con: duckdb.DuckDBPyConnection, stored: str, keys: str) -> list[str]:
    """The files of stored lines that hold any of the keys."""
    found = con.execute(
        f"SELECT DISTINCT file FROM ({stored}) WHERE row_key IN (SELECT row_key FROM {keys})"
    ).fetchall()
    return [str(row[0]) for row in found]


def commit(
    taken: Taken, staged: Staged, facts: FactTable, version: int | None, run: int, folder: Path
) -> Written:
    """Write the planned rows as a new version that no reader sees yet; the rows that change are kept before."""
    con = taken.con
    columns = list(staged.columns)
    rows, changing = staged.relation, f"changed_{staged.name}"
    new = ", ".join(f"n.{identifier(c)}" for c in (*columns, "row_key", "made_of", "source", "line"))
    put = (
        f"SELECT {new}, CAST({run} AS BIGINT) AS import_id FROM {rows} n "
        f"WHERE n.row_key NOT IN (SELECT row_key FROM met_{staged.name})"
    )
    changed = taken.count(changing)
    if changed:
        names = holding(con, facts.select(version), changing)
        stored = facts.select(version, names)
        image = folder / f"{staged.name}.parquet"
        keep_before(
            con, f"SELECT s.* EXCLUDE (file) FROM ({stored}) s SEMI JOIN {changing} USING (row_key)", image
        )
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW before_images AS SELECT * FROM read_parquet({path_sql(image)})"
        )
        old = facts.columns(version)
        taking = {c: f"coalesce(n.{identifier(c)}, b.{identifier(c)})" if c in old else f"n.{identifier(c)}"
                  for c in columns}  # fmt: skip
        kept = [f"b.{identifier(c)}" for c in old if c not in columns and c not in OWN]
        both = [f"{sql} AS {identifier(c)}" for c, sql in taking.items()]
        both += [*kept, "n.row_key", "n.made_of", "n.source", "n.line", f"CAST({run} AS BIGINT) AS import_id"]
        put += (
            f" UNION ALL BY NAME SELECT {', '.join(both)} FROM {rows} n JOIN before_images b USING (row_key)"
        )
    con.execute(f"CREATE OR REPLACE TEMP VIEW put_rows AS {put}")
    return facts.replace(
        con,
        version,
        why=f"import {run}",
        put="put_rows",
        drop=changing if changed else None,
        order=FACTS[staged.name],
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
    """A version without what import `run` did to a fact table; None if it did nothing that is still there.

    dead: the undone imports, `run` among them. Rows that a later import changed stay and are counted as
    conflicts. What comes back is what the last import that is not undone left, never what an undone one made.
    """
    told = would_undo(con, home, facts, version, run, dead)
    if not told["removed"] + told["restored"]:
        return None, told
    put = "back_lines" if told["restored"] else None
    return facts.replace(
        con, version, why=f"undo {run}", drop="going_lines", put=put, order=FACTS[facts.folder.name]
    ), told


def would_undo(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    facts: FactTable,
    version: int | None,
    run: int,
    dead: Iterable[int],
) -> dict[str, int]:
    """How many rows an undo would remove and restore, and how many stay because a later import changed them.

    Leaves on the connection `going_lines` (row_key, at_import) and, where rows come back, `back_lines`.
    """
    gone = sorted(set(dead) | {run}, reverse=True)
    name = facts.folder.name
    stored = facts.select(version)
    if not stored:
        return {"removed": 0, "restored": 0, "conflict": 0}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE going_lines AS "
        f"SELECT row_key, import_id AS at_import FROM ({stored}) WHERE import_id = {run}"
    )
    listed = ", ".join(map(str, gone))
    parts = []
    con.execute("CREATE OR REPLACE TEMP TABLE open_lines AS SELECT * FROM going_lines")
    for number in gone:
        image = home.of_import(number) / f"{name}.parquet"
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
    conflict = _conflicts(con, home, name, run, gone)
    return {"removed": going - restored, "restored": restored, "conflict": conflict}


def _conflicts(con: duckdb.DuckDBPyConnection, home: Home, name: str, run: int, gone: Sequence[int]) -> int:
    """Rows that the import made or changed and that a later one, not undone, changed since."""
    from klientel.web.imports.models import Import

    later = Import.objects.filter(pk__gt=run, state=Import.State.DONE).values_list("pk", flat=True)
    images = [home.of_import(n) / f"{name}.parquet" for n in later if n not in gone]
    listed = [path_sql(p) for p in images if p.is_file()]
    if not listed:
        return 0
    return _count(
        con,
        f"(SELECT DISTINCT row_key FROM read_parquet([{', '.join(listed)}], union_by_name=true) "
        f"WHERE import_id = {run})",
    )


def describe(
    con: duckdb.DuckDBPyConnection,
    facts: FactTable,
    version: int | None,
    columns: Sequence[str] | None,
    whole: str = "",
) -> dict[str, Any]:
    """What readers want to know of a fact table without reading them: rows, days, kinds, columns that are filled.

    columns: those that are filled, where that is known; None: count. whole: SQL of the rows as readers see them,
    where those are not what is stored.
    """
    stored = whole or facts.select(version)
    if not stored:
        return {"rows": 0, "columns": []}
    known = dict(facts.columns(version))
    if whole:
        known = {str(c): "" for c, *_ in con.execute(f"DESCRIBE ({whole})").fetchall() if c != "file"}
    time = identifier(FACTS[facts.folder.name])
    day = f"min({time}), max({time})" if FACTS[facts.folder.name] in known else "NULL, NULL"
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


def _samples(taken: Taken, staged: Staged, counts: Counts) -> None:
    shown = [c for c in _SHOWN if c in staged.columns] or list(staged.columns[:6])
    columns = ", ".join(map(identifier, shown))
    met, changed = f"met_{staged.name}", f"changed_{staged.name}"
    where = {
        "create": f"row_key NOT IN (SELECT row_key FROM {met})",
        "update": f"row_key IN (SELECT row_key FROM {changed})",
        "skip": f"row_key IN (SELECT row_key FROM {met} WHERE NOT changed)",
    }
    for outcome, condition in where.items():
        if getattr(counts, outcome):
            sql = f"SELECT source AS file, line, {columns} FROM {staged.relation} WHERE {condition} LIMIT {SAMPLES}"
            counts.samples[outcome] = taken.con.sql(sql).to_arrow_table().to_pylist()
