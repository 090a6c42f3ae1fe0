"""Credit notes that are written with positive amounts count negative; cancelled orders do not count."""

from __future__ import annotations

import re

from klientel.ingest.reading import Read, Reader
from klientel.ingest.sql import AMOUNT
from klientel.ingest.values.shapes import quoted
from klientel.words import Sentence, say

# Beginnings of document numbers. Single letters count only beside numbers that begin as invoices do.
_PREFIXES = frozenset(
    {"gs", "gu", "gut", "rk", "sr", "st", "sto", "storno", "cn", "cm", "cr", "crn", "gutschrift", "rkr"}
)
_LETTERS = {
    "g": frozenset({"r", "re", "rg", ""}),
    "c": frozenset({"", "i", "in", "inv"}),
    "s": frozenset({"r", "re"}),
}


def correct(reader: Reader, read: Read) -> None:
    """Leave cancelled orders out and let credit notes with positive amounts count negative; both are said."""
    amount = AMOUNT if AMOUNT in read.columns else "net_amount"
    if amount not in read.columns or read.lean:
        if "cancelled" in read.columns and not read.lean:
            _leave_cancelled_out(reader, read, None)
        return
    if "cancelled" in read.columns:
        _leave_cancelled_out(reader, read, amount)
    if read.recognition.table == "order_line":
        _turn(reader, read, amount)


def _leave_cancelled_out(reader: Reader, read: Read, amount: str | None) -> None:
    """Reject rows of cancelled orders, unless some are negative: then the file takes them back itself."""
    if amount:
        row = reader.con.execute(
            f"SELECT count(*) FILTER ({amount} < 0), count(*) FROM {read.view} WHERE cancelled IS NOT NULL"
        ).fetchall()[0]
        if row[0] or not row[1]:
            return
    view = f"{read.view}_standing"
    reader.con.execute(
        f"CREATE TEMP VIEW {view} AS SELECT * REPLACE (CASE WHEN reject IS NULL AND cancelled IS NOT NULL THEN "
        f"'status|cancelled' ELSE reject END AS reject, CASE WHEN reject IS NULL AND cancelled IS NOT NULL THEN "
        f"cancelled ELSE reject_value END AS reject_value) FROM {read.view}"
    )
    reader.again(read, view)


def _turn(reader: Reader, read: Read, amount: str) -> None:
    conditions: list[tuple[str, Sentence]] = []
    if "takes_back" in read.columns and "kind" not in read.columns:
        conditions.append(("takes_back", say("by their texts")))
    prefixes = _credit_prefixes(reader, read, amount) if "order_id" in read.columns else []
    if prefixes:
        listed = ", ".join(quoted(p) for p in prefixes)
        shown = [p.upper() for p in prefixes]
        conditions.append(
            (f"{_prefix_sql()} IN ({listed})", say("by their numbers: {prefixes}", prefixes=shown))
        )
    for condition, how in conditions:
        n = reader.con.execute(
            f"SELECT count(*) FROM {read.view} WHERE reject IS NULL AND {amount} > 0 AND {condition}"
        ).fetchall()[0][0]
        if not n:
            continue
        _negate(reader, read, f"{amount} > 0 AND {condition}")
        read.notes.append(
            say(
                "{file}: {n} credit notes with positive amounts ({how}) count negative.",
                file=read.recognition.raw.place, n=n, how=how,
            )
        )  # fmt: skip


def _prefix_sql() -> str:
    return "lower(regexp_extract(order_id, '^([A-Za-z]*)', 1))"


def _credit_prefixes(reader: Reader, read: Read, amount: str) -> list[str]:
    """Prefixes of numbers that stand for credit notes: few rows, all positive, beside numbers of invoices."""
    rows = reader.con.execute(
        f"SELECT {_prefix_sql()} AS p, count(*), count(*) FILTER ({amount} < 0), "
        f"count(*) FILTER (regexp_full_match(order_id, '[A-Za-z]+[ ./_-]?[0-9].*')) FROM {read.view} "
        f"WHERE order_id IS NOT NULL AND {amount} IS NOT NULL GROUP BY p ORDER BY count(*) DESC LIMIT 20"
    ).fetchall()
    if len(rows) < 2 or len(rows) >= 20:
        return []
    total = sum(n for _, n, _, _ in rows)
    usual = rows[0][0]
    found = []
    for prefix, n, negative, numbered in rows[1:]:
        meant = prefix in _PREFIXES or usual in _LETTERS.get(prefix, frozenset())
        if meant and not negative and numbered == n and n < 0.3 * total:
            found.append(prefix)
    return sorted(found)


def _negate(reader: Reader, read: Read, condition: str) -> None:
    """Let amount, quantity and margin of the rows of a condition count negative."""
    signed = [c for c in (AMOUNT, "net_amount", "qty", "margin") if c in read.columns]
    turned = ", ".join(f"CASE WHEN {condition} THEN -abs({c}) ELSE {c} END AS {c}" for c in signed)
    view = f"{read.view}_turned{len(re.findall('_turned', read.view))}"
    reader.con.execute(f"CREATE TEMP VIEW {view} AS SELECT * REPLACE ({turned}) FROM {read.view}")
    reader.again(read, view)
