"""Numbers of customers, orders and products in text: kept as written, freed of what programs added."""

from __future__ import annotations

from dataclasses import dataclass

from klientel.ingest.values.shapes import Shape, is_empty, quoted, trimmed_sql
from klientel.words import say

# Narrower than for numbers: "NA" and "-" can be a key, and "none" a name.
_NO_KEY = ("", "nan", "null", "(null)", "<na>", "#n/a", "#nv", "n/a")


@dataclass(frozen=True)
class KeyFormat:
    """How the keys of a column are cleaned. strip: a tail that the whole column carries (".0").

    typed: "whole" for integers, "float" for floats and decimals,
    "other" for days and flags, "" for text. damaged: values that a
    spreadsheet turned into 1.23E+12 and whose digits are lost.
    """

    strip: str = ""
    typed: str = ""
    damaged: int = 0
    why: str = ""
    ambiguous: bool = False


def key_sql(column: str, fmt: KeyFormat) -> str:
    """SQL that reads `column` (an SQL expression) as VARCHAR key; NULL where empty ("NULL", "nan", blank).

    Spelling and leading zeros stay; white space around goes; ".0" goes where the whole column carries it;
    floats without fraction become whole numbers.
    """
    if fmt.typed in ("whole", "other"):
        return f"CAST({column} AS VARCHAR)"
    if fmt.typed == "float":
        whole = f"CAST(try_cast({column} AS DECIMAL(38,0)) AS VARCHAR)"
        return f"CASE WHEN {column} = trunc({column}) THEN {whole} ELSE CAST({column} AS VARCHAR) END"
    text = trimmed_sql(column)
    if fmt.strip:
        text = f"regexp_replace({text}, '^([0-9]+)\\.0+$', '\\1')"
    none = ", ".join(map(quoted, _NO_KEY))
    # length first: lower() on every key is the dearest part
    return f"CASE WHEN length({text}) > 6 OR lower({text}) NOT IN ({none}) THEN {text} END"


def other_sql(column: str) -> str:
    """SQL condition: a filled text that does not end in ".0"."""
    none = ", ".join(map(quoted, _NO_KEY))
    other = f"lower({trimmed_sql(column)}) NOT IN ({none})"
    return f"CASE WHEN {column} IS NULL OR ends_with({column}, '.0') THEN false ELSE {other} END"


def may_strip(found: list[Shape]) -> bool:
    """True if every filled shape ends like "17850.0"."""
    filled = [s for s in found if not is_empty(s.text)]
    return bool(filled) and all(s.text.strip().endswith(".9") for s in filled)


def decide(found: list[Shape], others: int) -> KeyFormat:
    """The key format of a text column by its shapes; others: rows for which `other_sql` is true."""
    filled = [s for s in found if not is_empty(s.text)]
    damaged = int(sum(s.count for s in filled if _is_scientific(s.text)))
    if not others and may_strip(found):
        return KeyFormat(strip=".0", why=say("“.0” at the end of every value is left out"))
    if damaged:
        why = say("rows such as 1.23E+12 that lost digits in a spreadsheet: {n}", n=damaged)
        return KeyFormat(damaged=damaged, why=why)
    return KeyFormat(why=say("as written"))


def _is_scientific(text: str) -> bool:
    head, mark, tail = text.strip().upper().partition("E+")
    return bool(mark) and set(tail) == {"9"} and bool(head) and set(head) <= set("9.,")
