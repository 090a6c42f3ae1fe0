"""One address, one Ibis connection: where the Book's tables live and are computed."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.errors import EngineFailed
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

MONEY = "decimal(18, 4)"
_MEMORY_SHARE = 0.6  # of the machine's memory; DuckDB spills to the scratch folder beyond it


@dataclass
class Engine:
    """A connection and a scratch folder that goes when the engine goes."""

    address: str
    connection: Any
    scratch: Path
    _tables: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The name of the backend: duckdb, postgres, pyspark, ..."""
        return str(self.connection.name)

    def read_parquet(self, paths: list[Path]) -> ir.Table:
        """Parquet files as one table, read lazily."""
        return self.connection.read_parquet([str(p) for p in paths])

    def keep(self, expression: ir.Table, name: str) -> ir.Table:
        """Compute the table now and keep it on the engine, so that it is computed once."""
        kept = f"klientel_{name}_{len(self._tables)}"
        self._tables.append(kept)
        try:
            return self.connection.create_table(kept, expression, temp=True)
        except Exception as broke:  # every backend has its own family of errors
            raise failed(broke) from broke

    def view(self, frame: Any, name: str) -> ir.Table:
        """An Arrow, pandas or Polars frame as a table of the engine."""
        import ibis

        table: ir.Table = self.connection.create_table(
            f"klientel_{name}_{len(self._tables)}", ibis.memtable(frame), temp=True
        )
        self._tables.append(name)
        return table


def connect(address: str | None = None) -> Engine:
    """Connect to an engine: None or "duckdb" for the embedded one, or an address that Ibis knows.

    Examples: duckdb, duckdb:///path/file.duckdb, postgres://user@host/db, pyspark://. Raises EngineFailed
    with the engine's own words when it cannot be reached.
    """
    scratch = Path(tempfile.mkdtemp(prefix="klientel-"))
    try:
        connection = _embedded(scratch) if address in (None, "", "duckdb") else _remote(str(address))
    except BaseException:  # Ctrl+C while libraries load must not leave the folder behind
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    engine = Engine(address or "duckdb", connection, scratch)
    # Tables of a Result hold on to the connection; they may be looked at when the Book is long gone.
    weakref.finalize(connection, shutil.rmtree, str(scratch), True)
    return engine


def failed(broke: Exception) -> EngineFailed:
    """An engine's exception as a sentence: its first line, without the stack of SQL below it."""
    text = str(broke).strip().splitlines() or [type(broke).__name__]
    if "Out of Memory" in text[0] or isinstance(broke, MemoryError):
        return EngineFailed(
            say(
                "The engine ran out of memory. Use fewer columns or rows, or another --engine. ({text})",
                text=text[0],
            )
        )
    return EngineFailed(say("The engine refused: {text}", text=text[0]))


def _embedded(scratch: Path) -> Any:
    import ibis

    # Nothing is downloaded: extensions that are not in the wheel stay absent (design, section 7).
    return ibis.duckdb.connect(
        autoinstall_known_extensions=False,
        temp_directory=str(scratch / "spill"),
        memory_limit=f"{_memory_limit_mb()}MB",
        preserve_insertion_order=False,
    )


def _memory_limit_mb() -> int:
    wanted = os.environ.get("KLIENTEL_MEMORY_MB")
    if wanted and wanted.isdigit():
        return int(wanted)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(512, int(total * _MEMORY_SHARE))


def _remote(address: str) -> Any:
    import ibis

    try:
        return ibis.connect(address)
    except Exception as broke:  # drivers raise their own families of errors
        raise EngineFailed(
            say(
                "Cannot connect to {address}: {text}",
                address=address.split("@")[-1],
                text=str(broke).splitlines()[0],
            )
        ) from broke
