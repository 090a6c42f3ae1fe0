"""Shapes of texts: every digit written as 9, counted, so that a format is decided on few strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MOST = 2000
"""Shapes looked at per column, the most frequent first; a column with more of them is prose."""
LONGEST = 64
"""Longer texts are neither numbers nor dates."""

BLANKS = "\u00a0\u202f\u2009\u2007\u2002\u2003\u3000\u200b\ufeff"
"""Spaces beyond ASCII that spreadsheets and typographers write into numbers and dates."""
SPACE = r"[\s\x{00A0}\x{202F}\x{2009}\x{2007}\x{2002}\x{2003}\x{3000}\x{200B}\x{FEFF}]"
"""The same as a character class of RE2, whose \\s knows ASCII only."""

# What people and programs write into a cell that has no value. "0" and "x" are values.
MARKS = (
    "-", "--", "–", "—", "n/a", "n.a.", "#n/a", "na", "nan", "nat", "null", "(null)", "none", "nil",
    "k.a.", "k. a.", "#nv", "<na>", "\\n",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Texts that look alike: `text` has every digit written as 9; zero: the number in it begins with 0."""

    text: str
    zero: bool
    count: float


def quoted(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def trimmed_sql(column: str) -> str:
    """SQL for the text without white space (ASCII and typographic) at both ends."""
    # most texts begin and end with a visible ASCII sign, which is cheap to see; trim() with a set is slow
    return (
        f"CASE WHEN {column} BETWEEN '!' AND chr(127) AND right({column}, 1) BETWEEN '!' AND '~' "
        f"THEN {column} ELSE regexp_replace({column}, {quoted(f'^{SPACE}+|{SPACE}+$')}, '', 'g') END"
    )


def empty_sql(column: str) -> str:
    """SQL condition: the text is NULL, blank or a mark for "no value" ("n/a", "-", "NULL", "k.A.").

    For numbers and dates; a cell of which this is true is empty, not a rejection.
    """
    marks = ", ".join(quoted(mark) for mark in ("", *MARKS))
    # a long IN becomes a join of all rows; a list is looked into only where it is asked
    return f"coalesce(list_contains([{marks}], lower({trimmed_sql(column)})), true)"


def is_empty(text: str) -> bool:
    """The same as `empty_sql` for a Python string."""
    return text.strip(BLANKS + " \t\r\n\v\f").lower() in ("", *MARKS)


def shapes(
    con: duckdb.DuckDBPyConnection, relation: str, column: str, where: str, most: int = MOST
) -> list[Shape]:
    """Shapes of the texts of `column` (SQL text expression) in `relation` that satisfy `where`, most frequent
    first, counted in a random 20,000 of them (fixed seed)."""
    rows = con.execute(
        f"SELECT translate(x, '012345678', '999999999') AS shape, "
        f"regexp_matches(x, '^[^0-9]*0') AS zero, count(*) AS n "
        f"FROM (SELECT x FROM (SELECT {column} AS x FROM {relation} WHERE {column} IS NOT NULL AND {where}) "
        f"USING SAMPLE reservoir(20000 ROWS) REPEATABLE (1)) WHERE length(x) <= {LONGEST} GROUP BY ALL "
        f"ORDER BY n DESC, shape, zero LIMIT {most}"
    ).fetchall()
    return [Shape(text, bool(zero), n) for text, zero, n in rows]
