"""Facts in Delta tables: rows replaced by key in files that hold the keys, versions that readers pin, sweeping.

A table is a folder of Parquet files and a log. A commit is one entry of the log; files are written before it and
are no part of the table until then. Rows are found by their text `row_key`; memory does not grow with the table,
since DuckDB writes the files and spills what it sorts.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from klientel.errors import BadFile
from klientel.words import say

if TYPE_CHECKING:
    import duckdb

FILE_SIZE = "16MB"  # of a data file: a change of one row rewrites a file of this size
SMALL = 4 * 2**20  # bytes below which a file is put together with others once there are MANY of them
MANY = 12
_CONFIGURATION = {
    # Who pins a version must find its log for as long as it is pinned; `tidy` cleans up when nothing is.
    "delta.enableExpiredLogCleanup": "false",
    "delta.checkpointInterval": "50",
}


@dataclass(frozen=True)
class DataFile:
    """A live file of a version: path inside the table's folder, rows, bytes."""

    name: str
    rows: int
    size: int


@dataclass(frozen=True)
class Written:
    """A commit: the version that readers may pin now, files added and removed, rows of the table."""

    version: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass
class FactTable:
    """One Delta table in a folder. One writer at a time is the caller's affair (a lock); readers are many."""

    folder: Path
    _seen: dict[int, tuple[DataFile, ...]] = field(default_factory=dict, repr=False)

    @property
    def exists(self) -> bool:
        """True if anything was ever committed."""
        return (self.folder / "_delta_log").is_dir() and any((self.folder / "_delta_log").glob("*.json"))

    def version(self) -> int:
        """The newest version of the log, pinned by somebody or not; -1 if there is no table yet."""
        return int(self._table().version()) if self.exists else -1

    def files(self, version: int | None) -> tuple[DataFile, ...]:
        """The live files of a version (None or below 0: there is no table, no files)."""
        if version is None or version < 0:
            return ()
        if version not in self._seen:
            found = self._table(version).get_add_actions(flatten=True)
            columns = {n: found.column(n).to_pylist() for n in ("path", "num_records", "size_bytes")}
            self._seen[version] = tuple(
                DataFile(str(p), int(n or 0), int(s))
                for p, n, s in zip(
                    columns["path"], columns["num_records"], columns["size_bytes"], strict=True
                )
            )
        return self._seen[version]

    def paths(self, version: int | None) -> list[str]:
        """The live files of a version as absolute paths."""
        return [str(self.folder / f.name) for f in self.files(version)]

    def columns(self, version: int | None) -> dict[str, str]:
        """Column -> SQL type of DuckDB, as of a version; empty if there is no table."""
        if version is None or version < 0:
            return {}
        fields = self._table(version).schema().fields
        return {f.name: _sql_type(f.type.type) for f in fields}

    # -- reading ------------------------------------------------------------------------------

    def select(self, version: int | None, names: Iterable[str] | None = None) -> str:
        """SQL of the rows of a version, `file` beside them: the live files, read as they lie. No table: no SQL.

        names: only these live files.
        """
        live = [f.name for f in self.files(version)]
        chosen = live if names is None else sorted(set(names) & set(live))
        columns = self.columns(version)
        if not columns:
            return ""
        typed = ", ".join(f"CAST(NULL AS {t}) AS {_quoted(c)}" for c, t in columns.items())
        if not chosen:
            return f"SELECT *, CAST(NULL AS VARCHAR) AS file FROM (SELECT {typed}) WHERE false"
        listed = ", ".join(_literal(_no_glob(str(self.folder / n))) for n in chosen)
        # A file older than a column does not have it; the empty part brings all columns in their order.
        return (
            f"SELECT * REPLACE (parse_filename(file) AS file) FROM ("
            f"SELECT *, CAST(NULL AS VARCHAR) AS file FROM (SELECT {typed}) WHERE false UNION ALL BY NAME "
            f"SELECT * FROM read_parquet([{listed}], union_by_name=true, filename='file', "
            "hive_partitioning=false))"
        )

    def log(self, version: int) -> list[Path]:
        """The files of the log up to a version: what a copy of the table needs besides its live files."""
        found = []
        for path in sorted((self.folder / "_delta_log").iterdir()):
            number = path.name.split(".")[0]
            if path.suffix in (".json", ".parquet") and number.isdigit() and int(number) <= version:
                found.append(path)
        return found

    # -- writing ------------------------------------------------------------------------------

    def replace(
        self,
        con: duckdb.DuckDBPyConnection,
        version: int | None,
        *,
        why: str,
        drop: str | None = None,
        put: str | None = None,
        order: str | None = "day",
        touched: Iterable[str] = (),
    ) -> Written:
        """Commit a version after `version` without the rows whose row_key is in `drop` and with those of `put`.

        drop, put: names of relations on `con`; put has all columns that its rows have, drop has row_key. Only files
        that hold dropped keys are rewritten, and small ones once there are many. touched: files to rewrite
        besides. order: the column by which rows are laid, so that later changes meet few files.
        """
        hit = set(touched) | (self._holding(con, version, drop) if drop else set())
        hit |= self._small(version, hit)
        columns = self._evolved(con, version, put)
        parts = []
        if hit:
            rest = f"SELECT * EXCLUDE (file) FROM ({self.select(version, hit)}) s"
            rest += f" WHERE NOT EXISTS (SELECT 1 FROM {drop} d WHERE d.row_key = s.row_key)" if drop else ""
            parts.append(rest)
        if put:
            parts.append(f"SELECT * FROM {put}")
        added: list[str] = []
        if parts:
            kept = ", ".join(f"CAST({_quoted(c)} AS {t}) AS {_quoted(c)}" for c, t in columns.items())
            empty = ", ".join(f"CAST(NULL AS {t}) AS {_quoted(c)}" for c, t in columns.items())
            union = " UNION ALL BY NAME ".join([f"SELECT * FROM (SELECT {empty}) WHERE false", *parts])
            sorting = f" ORDER BY {_quoted(order)}" if order and order in columns else ""
            added = self._write(con, f"SELECT {kept} FROM ({union}){sorting}")
        return self._commit(con, columns, added, sorted(hit), why)

    def restore(self, version: int) -> int:
        """Make the newest version equal to an older one; what was written after it is forgotten. The new version."""
        if version < 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            return -1
        table = self._table()
        if {f.name for f in self.files(int(table.version()))} != {f.name for f in self.files(version)} or (
            self.columns(int(table.version())) != self.columns(version)
        ):
            table.restore(version)
        return self.version()

    def compact(
        self, con: duckdb.DuckDBPyConnection, version: int | None, order: str | None = "day"
    ) -> Written:
        """Put small files together, in order of time."""
        small = {f.name for f in self.files(version) if f.size < SMALL}
        if len(small) < 2:
            return Written(self.version() if version is None else version)
        return self.replace(con, version, why="compact", touched=small, order=order)

    def sweep(self, keep: Iterable[int]) -> list[str]:
        """Delete every file that no version of `keep` names: replaced ones and leavings of killed writers.

        Only under the writers' lock. Gives the names of what went.
        """
        if not self.folder.is_dir():
            return []
        live = {f.name for v in keep for f in self.files(v)}
        gone = []
        for path in sorted(self.folder.iterdir()):
            if path.name == "_delta_log" or path.name in live:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone.append(path.name)
        for path in sorted((self.folder / "_delta_log").glob("*")):
            # What a writer had begun to put into the log; complete entries end in .json or .parquet.
            if path.suffix not in (".json", ".parquet") and path.name != "_last_checkpoint":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                gone.append(path.name)
        return gone

    # -- inside -------------------------------------------------------------------------------

    def _table(self, version: int | None = None) -> Any:
        from deltalake import DeltaTable

        try:
            return DeltaTable(self.folder.resolve().as_uri(), version=version)
        except Exception as broke:
            raise BadFile(
                say("The table {folder} cannot be read: {text}", folder=self.folder.name, text=_line(broke))
            ) from broke

    def _holding(self, con: duckdb.DuckDBPyConnection, version: int | None, keys: str) -> set[str]:
        """The live files with any of the keys; reads nothing but the keys."""
        stored = self.select(version)
        if not stored:
            return set()
        rows = con.execute(
            f"SELECT DISTINCT file FROM ({stored}) WHERE row_key IN (SELECT row_key FROM {keys})"
        ).fetchall()
        return {str(row[0]) for row in rows}

    def _small(self, version: int | None, hit: set[str]) -> set[str]:
        small = {f.name for f in self.files(version) if f.size < SMALL} | (
            hit & {f.name for f in self.files(version)}
        )
        return small if len(small) >= MANY else set()

    def _evolved(
        self, con: duckdb.DuckDBPyConnection, version: int | None, put: str | None
    ) -> dict[str, str]:
        """The columns of the table with those that `put` brings besides."""
        columns = dict(self.columns(version))
        if put:
            for name, kind in con.execute(
                f"SELECT column_name, column_type FROM (DESCRIBE {put})"
            ).fetchall():
                columns.setdefault(str(name), str(kind))
        return columns

    def _write(self, con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
        """Rows into new files of the table's folder, safely on the disk; their names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = token_hex(6)
        part = self.folder / f"part-{mark}"
        con.execute(
            f"COPY ({sql}) TO {_literal(str(part))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, FILE_SIZE_BYTES {_literal(FILE_SIZE)})"
        )
        names = []
        for i, path in enumerate(sorted(part.glob("*.parquet"), key=lambda p: (len(p.name), p.name))):
            name = f"rows-{mark}-{i}.parquet"
            _flush(path)
            path.rename(self.folder / name)
            names.append(name)
        part.rmdir()
        _flush(self.folder)
        return names

    def _commit(
        self,
        con: duckdb.DuckDBPyConnection,
        columns: dict[str, str],
        added: Sequence[str],
        removed: Sequence[str],
        why: str,
    ) -> Written:
        """One entry in the log (two, if columns came in)."""
        from deltalake import CommitProperties, DeltaTable, Schema
        from deltalake.schema import Field, PrimitiveType
        from deltalake.transaction import AddAction, RemoveAction

        fields = [
            Field(name, PrimitiveType(_delta_type(kind)), nullable=True) for name, kind in columns.items()
        ]
        counts = self._counts(con, added)
        added = [n for n in added if counts[n]]
        now = int(time.time() * 1000)
        if not self.exists:
            DeltaTable.create(
                self.folder.resolve().as_uri(), schema=Schema(fields), configuration=_CONFIGURATION
            )
        table = DeltaTable(self.folder.resolve().as_uri())
        old = {f.name for f in table.schema().fields}
        if new := [f for f in fields if f.name not in old]:
            table.alter.add_columns(new)
            table = DeltaTable(self.folder.resolve().as_uri())
        actions: list[Any] = [
            AddAction(n, (self.folder / n).stat().st_size, {}, now, True, f'{{"numRecords":{counts[n]}}}')
            for n in added
        ]
        actions += [RemoveAction(n, True, now) for n in removed]
        if actions:
            table.create_write_transaction(
                actions,
                "append",
                table.schema(),
                commit_properties=CommitProperties(custom_metadata={"why": why}),
            )
        _flush(self.folder / "_delta_log")
        version = self.version()
        entry = self.folder / "_delta_log" / f"{version:020d}.json"
        if entry.exists():
            _flush(entry)
        return Written(version, tuple(added), tuple(removed))

    def _counts(self, con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, int]:
        found = {}
        for name in names:
            path = _literal(_no_glob(str(self.folder / name)))
            found[name] = int(con.execute(f"SELECT count(*) FROM read_parquet({path})").fetchall()[0][0])
            if not found[name]:
                (self.folder / name).unlink()
        return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _no_glob(path: str) -> str:
    """A path of which no sign is read as a pattern."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in path)


def _line(broke: Exception) -> str:
    return (str(broke).splitlines() or [type(broke).__name__])[0]


_TYPES = {
    "VARCHAR": "string",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "BIGINT": "long",
    "INTEGER": "integer",
    "DOUBLE": "double",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}


def _delta_type(kind: str) -> str:
    """The type of Delta for one of DuckDB."""
    if kind.startswith("DECIMAL"):
        return kind.lower().replace(" ", "")
    return _TYPES[kind]


def _sql_type(kind: str) -> str:
    """The type of DuckDB for one of Delta."""
    back = {delta: sql for sql, delta in _TYPES.items()}
    return kind.upper() if kind.startswith("decimal") else back[kind]


def _flush(path: Path) -> None:
    """Let a file (or a folder's entries) reach the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
