"""One address, one Ibis connection: where the Book's tables live and are computed."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import TYPE_CHECKING, Any

from klientel.engines.addresses import Address, parse
from klientel.errors import EngineFailed
from klientel.words import say

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir

MONEY = "decimal(18, 4)"
_MEMORY_SHARE = 0.6  # of the machine's memory; DuckDB spills to the scratch folder beyond it
_BATCH = 100_000  # rows of a batch that is copied from one engine to another


@dataclass
class Engine:
    """A connection and a scratch folder that goes when the engine goes."""

    address: str  # without password
    opened: Any  # an Ibis connection, or a Loading one
    scratch: Path
    _tables: list[str] = field(default_factory=list)
    # Engines of one process can share a session (Spark): names of one Book must not meet those of another.
    _mark: str = field(default_factory=lambda: token_hex(4))

    @cached_property
    def connection(self) -> Any:
        """The connection through Ibis."""
        return self.opened.wait() if isinstance(self.opened, _Loading) else self.opened

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """DuckDB's own connection, where the engine is DuckDB; there before Ibis is loaded."""
        found: duckdb.DuckDBPyConnection = self.opened.con
        return found

    @property
    def kind(self) -> str:
        """The name of the backend: duckdb, postgres, pyspark, ..."""
        return str(self.connection.name)

    def read_parquet(self, paths: Sequence[Path | str]) -> ir.Table:
        """Parquet files as one table, read lazily."""
        return self.connection.read_parquet([str(p) for p in paths])

    def names(self, schema: str | None = None) -> list[str]:
        """Names of the tables and views of a schema (default: the one that the connection looks in)."""
        if self.kind != "duckdb":
            return sorted(self.connection.list_tables(database=schema))
        # Ibis 12 asks DuckDB 2 in a way that is gone.
        asked = "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1"
        rows = self.connection.con.execute(asked, [schema or "main"]).fetchall()
        return [str(row[0]) for row in rows]

    def keep(self, expression: ir.Table, name: str) -> ir.Table:
        """Compute the table now and keep it on the engine, so that it is computed once."""
        try:
            return self.connection.create_table(self._new_name(name), expression, temp=True)
        except Exception as broke:  # every backend has its own family of errors
            raise failed(broke) from broke

    def view(self, frame: Any, name: str) -> ir.Table:
        """An Arrow, pandas or Polars frame as a table of the engine."""
        import ibis

        table: ir.Table = self.connection.create_table(self._new_name(name), ibis.memtable(frame), temp=True)
        return table

    def take(self, table: ir.Table, name: str) -> ir.Table:
        """A table of another engine, copied to this one batch by batch."""
        schema = table.schema()
        try:
            if not hasattr(self.connection, "load"):
                return self.view(table.to_pyarrow(), name)
            batches = _batches(table)
            taken: ir.Table = self.connection.load(self._new_name(name), batches, schema)
        except Exception as broke:  # every backend has its own family of errors
            raise failed(broke) from broke
        return taken

    def bring(self, table: ir.Table) -> ir.Table:
        """An Ibis table of a connection that was adopted, as a table of this engine: the same rows, not copied."""
        backend = table.get_backend()
        if backend is self.connection:
            return table
        backend._run_pre_execute_hooks(table)
        brought: ir.Table = self.connection.sql(str(backend.compile(table)), schema=table.schema())
        return brought

    def _new_name(self, name: str) -> str:
        # The embedded engine is nobody else's: there the same question is the same SQL every time.
        mark = "" if isinstance(self.opened, _Loading) else f"_{self._mark}"
        made = f"klientel_{name}_{len(self._tables)}{mark}"
        self._tables.append(made)
        return made


def connect(address: str | Address | None = None) -> Engine:
    """Connect to an engine: None or "duckdb" for the embedded one, or the address of another.

    Examples: duckdb, duckdb:///path/file.duckdb, postgres://user@host/db, spark://local[2], spark://host:7077
    (docs/engines.md). Raises BadParameter for an address that cannot be read, EngineFailed with the engine's
    own words when it cannot be reached.
    """
    asked = address if isinstance(address, Address) else None
    if asked is None and address not in (None, "", "duckdb"):
        asked = parse(str(address))
    scratch = Path(tempfile.mkdtemp(prefix="klientel-"))
    try:
        connection = _embedded(scratch) if asked is None else _remote(asked)
    except BaseException:  # Ctrl+C while libraries load must not leave the folder behind
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    engine = Engine(asked.shown if asked else "duckdb", connection, scratch)
    # Tables of a Result hold on to the connection; they may be looked at when the Book is long gone.
    kept = connection.con if isinstance(connection, _Loading) else connection
    weakref.finalize(kept, shutil.rmtree, str(scratch), True)
    return engine


class _Loading:
    """DuckDB in memory, at once; Ibis on it, a second later: it loads beside the first look at the files."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._load = Thread(target=import_module, args=("klientel.engines.embedded",), daemon=True)
        self._load.start()

    def wait(self) -> Any:
        self._load.join()
        from klientel.engines import embedded

        return embedded.on(self.con)


def adopt(backend: Any) -> Engine:
    """The engine of an Ibis connection that somebody else opened; it stays theirs and stays open."""
    if backend.name == "postgres":
        from klientel.engines import postgres

        backend = postgres.adopt(backend)
    elif backend.name == "pyspark":
        from klientel.engines import spark

        backend = spark.adopt(backend)
    scratch = Path(tempfile.mkdtemp(prefix="klientel-"))
    weakref.finalize(backend, shutil.rmtree, str(scratch), True)
    return Engine(str(backend.name), backend, scratch)


def failed(broke: Exception) -> EngineFailed:
    """An engine's exception as a sentence: its first line, without the stack of SQL below it."""
    text = str(broke).strip().splitlines() or [type(broke).__name__]
    if type(broke).__module__.split(".")[0] in ("py4j", "pyspark"):
        from klientel.engines import spark

        text = [spark.reason(broke)]
    if "Out of Memory" in text[0] or isinstance(broke, MemoryError):
        return EngineFailed(
            say(
                "The engine ran out of memory. Use fewer columns or rows, or another --engine. ({text})",
                text=text[0],
            )
        )
    return EngineFailed(say("The engine refused: {text}", text=text[0]))


def _batches(table: ir.Table) -> Any:
    """The rows of a table in Arrow batches, in the types that Ibis promises."""
    backend = table.get_backend()
    if backend.name != "duckdb":
        return table.to_pyarrow_batches(chunk_size=_BATCH)
    # Ibis 12 asks DuckDB 2 for batches by a name that is gone.
    backend._run_pre_execute_hooks(table)
    found = backend.con.sql(str(backend.compile(table))).to_arrow_reader(_BATCH)
    wanted = table.schema().to_pyarrow()
    return (batch.cast(wanted) for batch in found)


def _embedded(scratch: Path) -> _Loading:
    import duckdb

    # Nothing is downloaded: extensions that are not in the wheel stay absent (design, section 7).
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "temp_directory": str(scratch / "spill"),
        "memory_limit": f"{_memory_limit_mb()}MB",
        "preserve_insertion_order": False,
        "python_enable_replacements": False,  # a table is never a variable of ours by chance
    }
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET TimeZone = 'UTC'")
    return _Loading(con)


def _memory_limit_mb() -> int:
    wanted = os.environ.get("KLIENTEL_MEMORY_MB")
    if wanted and wanted.isdigit():
        return int(wanted)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(512, int(total * _MEMORY_SHARE))


def _remote(address: Address) -> Any:
    if address.kind == "postgres":
        from klientel.engines import postgres

        return postgres.connect(address)
    if address.kind == "spark":
        from klientel.engines import spark

        return spark.connect(address)
    from klientel.engines import embedded

    made = embedded.Embedded()
    access = {"access_mode": "READ_ONLY"} if Path(address.path).is_file() else {}
    try:
        made.do_connect(
            address.path or ":memory:",
            autoinstall_known_extensions=False,
            memory_limit=f"{_memory_limit_mb()}MB",
            preserve_insertion_order=False,
            **access,
        )
    except Exception as broke:  # the driver raises its own family of errors
        text = (str(broke).splitlines() or [type(broke).__name__])[0]
        raise EngineFailed(
            say("Cannot connect to {address}: {text}", address=address.shown, text=text)
        ) from broke
    return made
