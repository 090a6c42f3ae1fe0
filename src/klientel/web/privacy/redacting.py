"""Takes words out of texts, JSON values, Parquet files and other files, wherever they stand."""

# Identifiers and literals of the SQL pass through `identifier` and `quoted`.
# ruff: noqa: S608

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.ingest.values.shapes import identifier, quoted

if TYPE_CHECKING:
    import duckdb

GONE = "█"  # stands where something was taken out
Cut = Callable[[str], str]


@dataclass(frozen=True)
class Cutter:
    """Replaces what a pattern finds. A text that is nothing but one of the words becomes its token.

    tokens: word, lower case with single blanks -> token.
    """

    pattern: re.Pattern[str] | None
    tokens: dict[str, str]

    def __call__(self, text: str) -> str:
        """The text without the words."""
        if self.pattern is None or not text:
            return text
        whole = self.tokens.get(" ".join(text.lower().split()))
        return whole if whole is not None else self.pattern.sub(GONE, text)

    def wanted(self) -> list[str]:
        """What a quick search looks for: lower case, the first part of each word up to a blank."""
        return sorted({w.split()[0] for w in self.tokens})


def in_json(value: Any, cut: Cut) -> Any:
    """A JSON value with every text (and key) cut."""
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, dict):
        return {cut(str(k)): in_json(v, cut) for k, v in value.items()}
    if isinstance(value, list):
        return [in_json(v, cut) for v in value]
    return value


def replacements(
    con: duckdb.DuckDBPyConnection, source: str, columns: Iterable[str], cutter: Cutter
) -> dict[str, str]:
    """Text -> what it becomes, for every text of some columns of a relation (SQL) that the cutter changes.

    Reads each column once; only what may hold a word comes to Python.
    """
    found: dict[str, str] = {}
    wanted = cutter.wanted()
    if not wanted:
        return found
    for column in columns:
        name = identifier(column)
        holds = " OR ".join(f"contains(lower({name}), {quoted(w)})" for w in wanted)
        for (text,) in con.execute(f"SELECT DISTINCT {name} FROM ({source}) WHERE {holds}").fetchall():
            cleaned = cutter(text)
            if cleaned != text:
                found[text] = cleaned
    return found


def matching(
    con: duckdb.DuckDBPyConnection, source: str, columns: Iterable[str], cutter: Cutter, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Rows of a relation (SQL) with a word in one of the columns, at most `limit`, and how many there are."""
    names = list(columns)
    found = replacements(con, source, names, cutter)
    if not found:
        return [], 0
    load(con, found)
    holds = " OR ".join(f"{identifier(c)} IN (SELECT old FROM words_gone)" for c in names)
    total = con.execute(f"SELECT count(*) FROM ({source}) WHERE {holds}").fetchall()[0][0]
    rows = con.sql(f"SELECT * FROM ({source}) WHERE {holds} LIMIT {int(limit)}").to_arrow_table().to_pylist()
    return rows, int(total)


def clean_file(path: Path, cutter: Cutter, con: duckdb.DuckDBPyConnection) -> int:
    """Rewrite a file without the words; how many places. A file of an unknown form that holds one is deleted."""
    if path.suffix == ".parquet":
        return _clean_parquet(path, cutter, con)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        folded = content.lower()
        if any(w.encode() in folded for w in cutter.wanted()):
            path.unlink()
            return 1
        return 0
    if cutter.pattern is None:
        return 0
    cleaned, n = cutter.pattern.subn(GONE, text)
    if n:
        mark = "\ufeff" if content.startswith(b"\xef\xbb\xbf") else ""
        _replace(path, (mark + cleaned).encode())
    return n


def _clean_parquet(path: Path, cutter: Cutter, con: duckdb.DuckDBPyConnection) -> int:
    literal = quoted("".join(f"[{c}]" if c in "[*?" else c for c in str(path)))
    source = f"SELECT * FROM read_parquet({literal})"
    columns = text_columns(con, source)
    found = replacements(con, source, columns, cutter)
    if not found:
        return 0
    load(con, found)
    part = path.with_suffix(".part")
    con.execute(
        f"COPY ({cleaned_sql(source, columns)}) TO {quoted(str(part))} (FORMAT parquet, COMPRESSION zstd)"
    )
    _flush(part)
    part.replace(path)
    return len(found)


def text_columns(con: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    """The text columns of a relation."""
    rows = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {source})").fetchall()
    return [str(n) for n, kind in rows if kind == "VARCHAR"]


def load(con: duckdb.DuckDBPyConnection, found: dict[str, str]) -> None:
    """Put replacements where `cleaned_sql` finds them."""
    con.execute("CREATE OR REPLACE TEMP TABLE words_gone (old VARCHAR, new VARCHAR)")
    con.executemany("INSERT INTO words_gone VALUES (?, ?)", [list(pair) for pair in found.items()])


def cleaned_sql(source: str, columns: Iterable[str]) -> str:
    """The rows of a relation with the loaded replacements in their text columns."""
    changed = ", ".join(
        f"coalesce((SELECT any_value(g.new) FROM words_gone g WHERE g.old = s.{identifier(c)}), s.{identifier(c)}) "
        f"AS {identifier(c)}"
        for c in columns
    )
    return f"SELECT * REPLACE ({changed}) FROM ({source}) s"


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    _flush(part)
    part.replace(path)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
