"""Order lines recognised from values alone: files without headers, or with headers that say nothing."""

from __future__ import annotations

from collections.abc import Mapping

from klientel.ingest.mapping.assign import Claim
from klientel.ingest.mapping.evidence import Evidence
from klientel.ingest.mapping.meanings import blocked, meanings
from klientel.ingest.mapping.names import header
from klientel.ingest.raw import RawColumn, RawTable
from klientel.words import say

WIDEST = 8
"""Wider files without known headers could be anything; they are not guessed."""
_NAME_ONLY = 0.58
_PERIOD = 0.75


def complete(
    raw: RawTable, evidence: Mapping[str, Evidence], known: Mapping[str, Claim]
) -> dict[str, Claim] | None:
    """Fill the roles of an order line that the headers leave open: customer, date, amount, quantity.

    Only columns whose headers say nothing are used. None if no customer or no amount can be found.
    Confidence is 0.58: a person should look. Two keys in a row: the first names the customer.
    """
    taken = {claim.column.name for claim in known.values()}
    free = [c for c in raw.columns if c.name not in taken and not _speaks(c) and not evidence[c.name].empty]
    if len(raw.columns) > WIDEST or not (free or known):
        return None
    found = dict(known)
    _date(found, free, evidence)
    _customer(found, free, evidence)
    _amount(found, free, evidence)
    _quantity(found, free, evidence)
    if not (
        {"customer_id", "customer_name"} & found.keys()
        and {"net_amount", "invoice_price", "margin"} & found.keys()
    ):
        return None
    return found


def _speaks(column: RawColumn) -> bool:
    known = any(m.strength >= 0.6 and m.concept != "id" and m.how != "near" for m in meanings(column.header))
    return known or blocked(column.header)


def _take(
    found: dict[str, Claim],
    free: list[RawColumn],
    field: str,
    column: RawColumn,
    confidence: float = _NAME_ONLY,
) -> None:
    why = {
        "order_date": say("the values are dates; the header says nothing"),
        "customer_id": say("the values are keys that repeat; the header says nothing"),
        "customer_name": say("the values read like names; the header says nothing"),
        "net_amount": say("the values are amounts; the header says nothing"),
        "qty": say("the values are small whole numbers; the header says nothing"),
    }[field]
    if confidence == _PERIOD:
        why = say("the header names a period and the values are amounts")
    found[field] = Claim(field, column, confidence, why)
    free.remove(column)


def _date(found: dict[str, Claim], free: list[RawColumn], evidence: Mapping[str, Evidence]) -> None:
    if "order_date" in found or "period" in found:
        return
    dates = [c for c in free if evidence[c.name].is_date and header(c.header).period is None]
    if dates:
        _take(found, free, "order_date", dates[0])
        for column in dates[1:]:
            free.remove(column)


def _customer(found: dict[str, Claim], free: list[RawColumn], evidence: Mapping[str, Evidence]) -> None:
    if {"customer_id", "customer_name"} & found.keys():
        return
    texts = [c for c in free if evidence[c.name].numeric < 0.3]
    keys = [c for c in free if _keylike(evidence[c.name])]
    if texts:
        seen = evidence[texts[0].name]
        _take(found, free, "customer_name" if seen.is_name else "customer_id", texts[0])
    elif keys and (len(free) > 1 or "net_amount" in found):
        twins = [c for c in keys[1:] if _looks_like_a_second_key(evidence[keys[0].name], evidence[c.name])]
        _take(found, free, "customer_id", keys[0])
        for column in twins:
            free.remove(column)


def _keylike(seen: Evidence) -> bool:
    return seen.numeric >= 0.9 and seen.whole >= 0.999 and (seen.low or 0) >= 0


def _looks_like_a_second_key(first: Evidence, other: Evidence) -> bool:
    """A second column of keys beside the first: as many different values, or zeros in front."""
    same = abs(first.distinct - other.distinct) <= 0.02 * max(first.distinct, 1)
    return _keylike(other) and (other.leading_zero or same) and not (first.unique and not other.leading_zero)


def _amount(found: dict[str, Claim], free: list[RawColumn], evidence: Mapping[str, Evidence]) -> None:
    if {"net_amount", "margin"} & found.keys() or {"qty", "invoice_price"} <= found.keys():
        return
    numbers = [c for c in free if evidence[c.name].is_number and not evidence[c.name].leading_zero]
    if not numbers:
        return
    best = max(numbers, key=lambda c: (evidence[c.name].whole < 0.95, evidence[c.name].high or 0.0))
    if _counts_rows(evidence[best.name]):
        return
    _take(found, free, "net_amount", best, _PERIOD if header(best.header).period else _NAME_ONLY)


def _counts_rows(seen: Evidence) -> bool:
    """1, 2, 3 ... is a running number, not money."""
    return (
        seen.strictly_unique
        and seen.whole == 1
        and seen.low in {0, 1}
        and seen.high in {seen.rows, seen.rows - 1}
    )


def _quantity(found: dict[str, Claim], free: list[RawColumn], evidence: Mapping[str, Evidence]) -> None:
    if "qty" in found:
        return
    small = [c for c in free if _countlike(evidence[c.name])]
    if len(small) == 1 and "net_amount" in found and evidence[found["net_amount"].column.name].whole < 0.95:
        _take(found, free, "qty", small[0])


def _countlike(seen: Evidence) -> bool:
    whole = seen.is_number and seen.whole >= 0.95 and (seen.high or 0.0) < 100_000
    return whole and not seen.leading_zero and not seen.unique


def who(raw: RawTable, evidence: Mapping[str, Evidence], known: Mapping[str, Claim]) -> Claim | None:
    """The column that names the customer where the headers do not say, or None."""
    taken = {claim.column.name for claim in known.values()}
    free = [c for c in raw.columns if c.name not in taken and not _speaks(c) and not evidence[c.name].empty]
    found: dict[str, Claim] = {}
    if free:
        texts = [c for c in free if evidence[c.name].numeric < 0.3]
        column = texts[0] if texts else next((c for c in free if _keylike(evidence[c.name])), None)
        if column is not None:
            _take(
                found, [column], "customer_name" if evidence[column.name].is_name else "customer_id", column
            )
    return next(iter(found.values()), None)
