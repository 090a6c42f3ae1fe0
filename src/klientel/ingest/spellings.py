"""Customers known by name only: spellings that differ in case, spaces or punctuation are one customer."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.reading import Read
from klientel.ingest.values.shapes import identifier
from klientel.words import Sentence, say

if TYPE_CHECKING:
    import duckdb

_MOST = 200_000  # different names that are compared as written alike
_COMPARED = 3_000  # different names of which near ones are looked for
_NEAR = 92  # likeness (0-100) from which two names are shown as perhaps the same
_SHOWN = 3
_TABLES = (
    "order_line",
    "order_header",
    "opportunity",
    "project_contract",
    "credit_note_line",
    "interaction",
    "contact",
)
_NAMES = {"customer", "customer_name", "company", "name"}  # what a header means that names, not numbers
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": " und ", "+": " und "})
_FORMS = re.compile(
    r"\b(?:gmbh|mbh|co|kg|kgaa|ag|se|ohg|gbr|ug|e k|ek|e v|ev|ltd|limited|inc|llc|llp|plc|corp|corporation|sa|sarl|srl"
    r"|bv|nv|und|and|haftungsbeschraenkt)\b"
)


def one_spelling(con: duckdb.DuckDBPyConnection, reads: Mapping[str, list[Read]]) -> list[Sentence]:
    """Give customers that are known by name only one spelling, the most frequent; say it, and name near ones.

    Alike are names that differ only in case, spaces, punctuation, umlauts written out, or "&" for "und".
    Spellings of the customer table go before others. Different legal forms are not merged but shown.
    """
    named = _by_name(reads)
    if not named:
        return []
    counts = _counted(con, named)
    if not counts or len(counts) > _MOST:
        return []
    groups: dict[str, list[str]] = {}
    for name in sorted(counts, key=lambda n: (-counts[n], n)):
        groups.setdefault(alike(name), []).append(name)
    merged = {name: found[0] for key, found in groups.items() if key for name in found[1:]}
    notes: list[Sentence] = []
    if merged:
        _respell(con, named, merged)
        other, kept = next(iter(merged.items()))
        notes.append(
            say(
                "{n} spellings of customers were taken for another of the same name, such as “{other}” for “{kept}”.",
                n=len(merged), other=other, kept=kept,
            )
        )  # fmt: skip
    pairs = _near([found[0] for found in groups.values()])
    if pairs:
        notes.append(
            say(
                "{n} pairs of customers may be the same and count apart: {pairs}.",
                n=len(pairs), pairs=[f"“{a}” / “{b}”" for a, b in pairs[:_SHOWN]],
            )
        )  # fmt: skip
    return notes


def alike(name: str) -> str:
    """A name without case, accents, punctuation and double spaces, to be compared by."""
    text = unicodedata.normalize("NFKC", name).casefold().translate(_UMLAUTS)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+", " ", text).split())


def _by_name(reads: Mapping[str, list[Read]]) -> list[tuple[Read, str]]:
    """The columns by which tables name their customers, of tables that do not number them."""
    found = [
        (read, column)
        for table in _TABLES
        for read in reads.get(table, [])
        if not read.lean and (column := _naming(read, "customer_name"))
    ]
    lists = [(r, column) for r in reads.get("customer", []) if (column := _naming(r, "name"))]
    return found + lists if found else []


def _naming(read: Read, name: str) -> str:
    """`name` if the table has no numbers, "customer_id" if its numbers are names, else nothing."""
    number = read.recognition.columns.get("customer_id")
    if number is None:
        return name if name in read.columns else ""
    return "customer_id" if any(m.concept in _NAMES for m in meanings(number.header)[:1]) else ""


def _counted(con: duckdb.DuckDBPyConnection, named: list[tuple[Read, str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for read, column in named:
        weight = 1_000_000 if read.recognition.table == "customer" and not read.recognition.secondary else 1
        rows = con.execute(
            f"SELECT {identifier(column)}, count(*) FROM {read.view} WHERE {identifier(column)} IS NOT NULL "
            f"GROUP BY 1 LIMIT {_MOST + 1}"
        ).fetchall()
        for name, n in rows:
            counts[str(name)] += n * weight
    return counts


def _respell(
    con: duckdb.DuckDBPyConnection, named: list[tuple[Read, str]], merged: Mapping[str, str]
) -> None:
    import pyarrow as pa

    con.register("spellings", pa.table({"other": list(merged), "kept": list(merged.values())}))
    for read, column in named:
        view = f"{read.view}_spelt"
        columns = [column] + (["name"] if column == "customer_id" and "name" in read.columns else [])
        joins = " ".join(
            f"LEFT JOIN spellings s{i} ON s{i}.other = r.{identifier(c)}" for i, c in enumerate(columns)
        )
        respelt = ", ".join(
            f"coalesce(s{i}.kept, r.{identifier(c)}) AS {identifier(c)}" for i, c in enumerate(columns)
        )
        con.execute(f"CREATE TEMP VIEW {view} AS SELECT r.* REPLACE ({respelt}) FROM {read.view} r {joins}")
        read.view = view


def _near(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of names that differ by a typo or by their legal form."""
    if not 2 <= len(names) <= _COMPARED:
        return []
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    bare = {name: " ".join(_FORMS.sub(" ", alike(name)).split()) for name in names}
    usable = [n for n in names if len(bare[n]) >= 5 and not any(c.isdigit() for c in bare[n])]
    pairs = []
    for i, name in enumerate(usable):
        others = [bare[n] for n in usable[i + 1 :]]
        for _, _, k in process.extract(
            bare[name], others, scorer=OSA.normalized_similarity, score_cutoff=_NEAR / 100, limit=2
        ):
            pairs.append((name, usable[i + 1 + k]))
    return sorted(pairs)
