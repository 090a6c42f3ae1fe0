"""Flat files: customers inside files of orders, contracts or deals; amounts inside subscriber lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from klientel.ingest.mapping.assign import LIMIT, Claim, claims
from klientel.ingest.mapping.calendar import month_of
from klientel.ingest.mapping.draft import Draft, ordered
from klientel.ingest.mapping.meanings import blocked, meanings
from klientel.ingest.mapping.names import header
from klientel.ingest.mapping.overlap import Contents
from klientel.ingest.raw import RawColumn
from klientel.ingest.recognition import Match, Recognition
from klientel.words import say

_FLAT = ("order_line", "order_header", "project_contract", "opportunity")
CONSTANT = 0.98
"""A column describes customers if this share of those with several rows has one value throughout."""
_VAGUE = frozenset({"status", "type", "created_on", "id", "name", "description"})
"""In a file of orders these speak of the order, not of the customer."""
_REPEATED = 3
_TESTED = 200
"""So many unknown columns are tested for being constant per customer."""
_EVENT = {"order_id", "opportunity_id", "order_date", "created_on", "close_date"}
_SHARED = {"country": "country", "rep_id": "owner_rep_id", "type": "contract_type"}
_NEVER = frozenset(
    {
        "gross", "tax", "other_date", "dictionary", "observed", "frequency", "recency", "supplier",
        "shipper", "date", "order_date", "invoice_date", "posting_date", "document_date", "order_no",
        "invoice_no", "line_no", "qty", "amount", "net", "revenue", "unit_price", "list_price",
        "cost_line", "unit_cost", "margin", "margin_share", "discount", "discount_share",
        "discount_amount", "fx_rate", "period", "id", "activity_date", "credit_no", "original_order",
        "created_on", "close_date", "deal_amount",
    }
)  # fmt: skip


def secondary(draft: Draft, drafts: Sequence[Draft], contents: Contents) -> list[Recognition]:
    """Further recognitions of one raw table: its customers, and the amounts charged in a contract list."""
    made: list[Recognition] = []
    if draft.table == "project_contract" and "total_amount" in draft.columns:
        made += _charged(draft, drafts)
    if draft.table in _FLAT and not _known_elsewhere(draft, drafts, contents):
        made += _customers(draft, contents)
    return made


def attributes(draft: Draft) -> dict[str, Match]:
    """Columns of a customer file that we have no name for, kept as attributes by their header."""
    free = [c for c in draft.raw.columns if c.name not in draft.used()]
    return _attributes([c for c in free if _may_describe(draft, c)], set(draft.columns))


def _charged(draft: Draft, drafts: Sequence[Draft]) -> list[Recognition]:
    if any(d.table == "order_line" for d in drafts):
        return []
    kept = ("customer_id", "customer_name", "currency")
    columns: dict[str, Claim] = {name: draft.columns[name] for name in kept if name in draft.columns}
    amount = draft.columns["total_amount"]
    columns["net_amount"] = replace(amount, field="net_amount")
    return [
        _recognition(
            draft, "order_line", columns, say("the amount charged so far is what the customer brought in")
        )
    ]


def _known_elsewhere(draft: Draft, drafts: Sequence[Draft], contents: Contents) -> bool:
    key = draft.column("customer_id", "customer_name")
    for other in drafts:
        parent = other.column("customer_id", "name") if other.table == "customer" else None
        if key and parent and other is not draft:
            if contents.contained((draft.raw, key), (other.raw, parent)) >= 0.5:
                return True
            name = other.column("name")
            if name and contents.contained((draft.raw, key), (other.raw, name)) >= 0.5:
                return True
    return False


def _customers(draft: Draft, contents: Contents) -> list[Recognition]:
    key = draft.columns.get("customer_id") or draft.columns.get("customer_name")
    if key is None:
        return []
    columns = {"customer_id": replace(key, field="customer_id")}
    shared = {_SHARED[name]: claim for name, claim in draft.columns.items() if name in _SHARED}
    if "customer_name" in draft.columns:
        shared["name"] = draft.columns["customer_name"]
    free = [c for c in draft.raw.columns if c.name not in draft.used() and _may_describe(draft, c)]
    free = free[:_TESTED]
    tested = list(dict.fromkeys([*(c.column.name for c in shared.values()), *(c.name for c in free)]))
    several, constant = contents.constant(draft.raw, key.column.name, tested)
    for name, claim in shared.items():
        if constant[claim.column.name] >= CONSTANT:
            columns[name] = replace(claim, field=name)
    free = [c for c in free if constant[c.name] >= CONSTANT]
    columns |= _described(draft, free, columns)
    used = {claim.column.name for claim in columns.values()}
    # columns without a name of ours are trusted only if customers repeat, or if a row is a customer
    known = several >= _REPEATED or not _EVENT & draft.columns.keys()
    further = _attributes([c for c in free if c.name not in used] if known else [], set(columns))
    if not further and not any(claim.column.name != key.column.name for claim in columns.values()):
        return []
    why = say("columns that are the same in all rows of a customer describe the customer")
    made = _recognition(draft, "customer", columns, why)
    made.attributes = further
    return [made]


def _described(draft: Draft, free: list[RawColumn], taken: dict[str, Claim]) -> dict[str, Claim]:
    """Free columns that fill a column of the customer table."""
    allowed = {c.name for c in free}
    found: dict[str, Claim] = {}
    used: set[str] = set()
    for claim in claims(draft.raw, "customer", draft.look.evidence):
        fits = claim.column.name in allowed and claim.column.name not in used and claim.confidence >= LIMIT
        vague = claim.meaning is not None and claim.meaning.concept in _VAGUE
        if (
            fits
            and not vague
            and claim.field not in taken
            and claim.field not in found
            and claim.field != "annual_revenue"
        ):
            found[claim.field] = claim
            used.add(claim.column.name)
    return found


def _may_describe(draft: Draft, column: RawColumn) -> bool:
    seen = draft.evidence[column.name]
    left_out = column.name in draft.left_out or (
        draft.wide is not None and column.name in draft.wide.left_out
    )
    if seen.empty or left_out or header(column.header).unnamed or header(column.header).period:
        return False
    if seen.is_number and month_of(column.header) is not None:
        return False  # the amount of a month
    found = [m for m in meanings(column.header) if m.strength >= 0.6]
    if found and found[0].concept in _NEVER:
        return False
    if blocked(column.header):
        return False
    # remarks, fax numbers and the like say something about one customer only
    private = bool(found) and found[0].concept == "other" and not seen.is_number
    return not (private and seen.distinct > 0.34 * seen.filled)


def _attributes(columns: list[RawColumn], reserved: set[str]) -> dict[str, Match]:
    made: dict[str, Match] = {}
    for column in columns:
        name = header(column.header).snake
        while name in made or name in reserved:
            name += "_2"
        made[name] = Match(
            column.name, column.header, 0.9, say("kept as an attribute of the customer under its own name")
        )
    return made


def _recognition(draft: Draft, table: str, columns: dict[str, Claim], why: str) -> Recognition:
    keyed = ordered(table, columns)
    least = min(claim.confidence for claim in keyed.values())
    return Recognition(
        draft.raw,
        table,
        round(least, 2),
        {name: claim.match() for name, claim in keyed.items()},
        secondary=True,
        why=why,
    )
