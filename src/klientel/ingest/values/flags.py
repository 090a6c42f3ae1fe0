"""Yes and no in text: which pair of words a column uses, and the SQL that reads it."""

from __future__ import annotations

from dataclasses import dataclass

from klientel.ingest.values.shapes import quoted, trimmed_sql
from klientel.words import Sentence, say

# true, false; a column belongs to the first group that has all of its words
_PAIRS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("yes", "y", "true", "t"), ("no", "n", "false", "f")),
    (("ja", "j", "wahr", "w"), ("nein", "n", "falsch", "f")),
    (("1", "1.0"), ("0", "0.0")),
    (("yes", "y", "ja", "j", "true", "wahr", "1"), ("no", "n", "nein", "false", "falsch", "0")),
    (("active", "aktiv"), ("inactive", "inaktiv", "not active", "nicht aktiv")),
    (("on", "enabled"), ("off", "disabled")),
    (("an", "ein"), ("aus",)),
)
_MARKS = ("x", "✓", "✔", "☑", "[x]")
_EMPTY = ("-", "n/a", "null", "none", "nan")


@dataclass(frozen=True)
class FlagFormat:
    """Words (lower case) for true and false. blank_false: a mark such as "x" says yes, an empty cell no."""

    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    blank_false: bool = False
    typed: bool = False
    why: str = ""
    ambiguous: bool = False


def flag_sql(column: str, fmt: FlagFormat) -> str:
    """SQL that reads `column` (an SQL expression) as BOOLEAN; NULL for words outside the format."""
    if fmt.typed:
        return (
            f"CASE WHEN {column} IN (0, 1) THEN {column} = 1 END"
            if fmt.true
            else f"CAST({column} AS BOOLEAN)"
        )
    word = f"lower({trimmed_sql(column)})"
    true = ", ".join(map(quoted, fmt.true))
    false = ", ".join(map(quoted, (*fmt.false, *(("", "-") if fmt.blank_false else ()))))
    no = f" WHEN {word} IN ({false}) THEN false" if false else ""
    blank = f" WHEN {column} IS NULL THEN false" if fmt.blank_false else ""
    return f"CASE WHEN {word} IN ({true}) THEN true{no}{blank} END"


def decide(words: list[str], *, blanks: bool) -> FlagFormat | None:
    """The format for the distinct filled values of a column; None if they are not yes and no.

    blanks: the column also has empty cells, which a column of marks ("x") needs. A column that holds only
    one of the two words is a flag too; only 1 or only 0 is not.
    """
    told = {word.strip().lower() for word in words} - {"", *_EMPTY}
    if not told or len(told) > 8:
        return None
    if told <= set(_MARKS):
        if not blanks:
            return None
        return FlagFormat(_MARKS, (), True, why=say("a mark means yes, an empty cell no"), ambiguous=False)
    for true, false in _PAIRS:
        if told <= {*true, *false}:
            if told in ({"1"}, {"0"}, {"t"}, {"f"}, {"w"}, {"n"}, {"an"}, {"ein"}, {"aus"}):
                return None
            return FlagFormat(
                true, false, why=say("yes: {yes}; no: {no}", yes=_told(true, told), no=_told(false, told))
            )
    return None


def zero_one() -> Sentence:
    """Why a column of the numbers 0 and 1 is a flag."""
    return say("yes: {yes}; no: {no}", yes="1", no="0")


def _told(known: tuple[str, ...], told: set[str]) -> str:
    return ", ".join(word for word in known if word in told) or "–"
