"""What the tables say about each other: keys by name, foreign keys by values, accounts against suppliers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from klientel.ingest.mapping.assign import Claim
from klientel.ingest.mapping.draft import Draft
from klientel.ingest.mapping.hints import says
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.mapping.overlap import Contents
from klientel.ingest.raw import RawColumn
from klientel.words import Share, say

FACTS = (
    "order_line",
    "order_header",
    "opportunity",
    "project_contract",
    "interaction",
    "credit_note_line",
    "contact",
)
_NAMED_KEYS = {
    "customer": "customer_id", "rep": "rep_id", "product": "product_id", "opportunity": "opportunity_id",
}  # fmt: skip
_ITEM = {"qty", "invoice_price", "product_id", "product_name"}
_MOST = 0.5
_FOUND = 0.9


def relate(drafts: Sequence[Draft], contents: Contents) -> None:
    """Complete and correct drafts by looking at the values of the others; changes the drafts in place."""
    for draft in drafts:
        _key_by_name(draft)
    customers = [d for d in drafts if d.table == "customer"]
    facts = [d for d in drafts if d.table in FACTS]
    for fact in facts:
        for other in customers:
            _customer_of(fact, other, contents)
    _drop_strangers(customers, facts, contents)
    for draft in drafts:
        _choose_head_or_line(draft, drafts, contents)


def _key_by_name(draft: Draft) -> None:
    """A list of accounts or agents without numbers is keyed by its names."""
    key = _NAMED_KEYS.get(draft.table or "")
    if key is None:
        return
    if key not in draft.columns and "name" in draft.columns:
        claim = draft.columns["name"]
        if draft.evidence[claim.column.name].unique or draft.evidence[claim.column.name].empty:
            draft.columns[key] = replace(claim, field=key, why=say("there is no number; the name is the key"))
    elif (
        key in draft.columns
        and "name" not in draft.columns
        and draft.evidence[draft.columns[key].column.name].is_name
    ):
        claim = draft.columns[key]
        draft.columns["name"] = replace(claim, field="name", why=say("the key is the name"))


def _customer_of(fact: Draft, other: Draft, contents: Contents) -> None:
    """Let the values decide whether a file refers to customers by number or by name, and by which column."""
    if "customer_id" not in other.columns or fact.fixed:
        return
    parent = (other.raw, other.columns["customer_id"].column.name)
    for field in ("customer_id", "customer_name"):
        claim = fact.columns.get(field)
        if claim is None:
            continue
        inside = contents.contained((fact.raw, claim.column.name), parent)
        if inside >= _MOST and (field == "customer_id" or "customer_id" not in fact.columns):
            del fact.columns[field]
            fact.columns["customer_id"] = _sure(claim, inside, other)
            return
        if field == "customer_id" and inside < 0.1 and _is_a_name_there(fact, claim, other, contents):
            del fact.columns[field]
            why = say("the values are names in {file}, not numbers", file=other.raw.place)
            fact.columns.setdefault(
                "customer_name", replace(claim, field="customer_name", confidence=0.85, why=why)
            )
            return
    if not {"customer_id", "customer_name"} & fact.columns.keys():
        _find_reference(fact, other, parent, contents)


def _sure(claim: Claim, inside: float, other: Draft) -> Claim:
    confidence = max(claim.confidence, 0.95) if inside >= _FOUND else claim.confidence
    why = say(
        "{why}; {share} of its values are in {file}", why=claim.why, share=Share(inside), file=other.raw.place
    )
    return replace(claim, field="customer_id", confidence=min(confidence, 0.99), why=why)


def _is_a_name_there(fact: Draft, claim: Claim, other: Draft, contents: Contents) -> bool:
    if "name" not in other.columns:
        return False
    name = (other.raw, other.columns["name"].column.name)
    return contents.contained((fact.raw, claim.column.name), name) >= _MOST


def _find_reference(fact: Draft, other: Draft, parent: tuple[object, str], contents: Contents) -> None:
    """A column with an unknown header whose values are the keys of the customer file refers to it."""
    best: tuple[float, RawColumn] | None = None
    for column in fact.raw.columns:
        seen = fact.evidence[column.name]
        speaks = any(m.strength >= 0.6 and m.concept != "id" for m in meanings(column.header))
        if (
            column.name in fact.used()
            or speaks
            or seen.is_date
            or seen.distinct < 2
            or seen.whole < seen.numeric * 0.9
        ):
            continue
        # facts call their table an object, because they know nothing of files; here it is a RawTable
        inside = contents.contained((fact.raw, column.name), parent)  # type: ignore[arg-type]
        if inside >= _FOUND and (best is None or inside > best[0]):
            best = (inside, column)
    if best:
        why = say("its values are the customer numbers of {file}", file=other.raw.place)
        fact.columns["customer_id"] = Claim("customer_id", best[1], 0.8, why)


def _drop_strangers(customers: Sequence[Draft], facts: Sequence[Draft], contents: Contents) -> None:
    """Of several lists of firms keep those that orders refer to: the others are suppliers or the like."""
    referring = [(f.raw, f.column("customer_id")) for f in facts if "customer_id" in f.columns]
    if len(customers) < 2 or not referring:
        return
    score = {id(d): _referred(d, referring, contents) for d in customers}
    if max(score.values()) < _MOST:
        return
    for draft in customers:
        if score[id(draft)] < 0.02 and not says(draft.raw, "customer") and not draft.fixed:
            draft.table, draft.columns = None, {}
            draft.why = say("a list of firms, but no order or contract refers to it")


def _referred(draft: Draft, referring: Iterable[tuple[object, str | None]], contents: Contents) -> float:
    parent = (draft.raw, draft.column("customer_id") or "")
    # references call their table an object, because they know nothing of files; here it is a RawTable
    return max(
        (contents.contained((raw, column), parent) for raw, column in referring if column),  # type: ignore[arg-type]
        default=0.0,
    )


def _choose_head_or_line(draft: Draft, drafts: Sequence[Draft], contents: Contents) -> None:
    """A list of orders with amounts is heads if another file has their lines, else each order is one line."""
    if draft.fixed or draft.table not in {"order_header", "order_line"}:
        return
    head, line = draft.candidate("order_header"), draft.candidate("order_line")
    if draft.table == "order_header":
        if line is None or "net_amount" not in line.columns or _lines_of(draft, drafts, contents):
            return
        kept = {name: c for name, c in draft.columns.items() if name.startswith("customer_")}
        draft.take(line)
        draft.columns = {n: c for n, c in draft.columns.items() if not n.startswith("customer_")} | kept
        draft.why = say("orders with amounts and no separate lines: each order is taken as one line")
    elif head is not None and not _ITEM & draft.columns.keys() and _lines_of(draft, drafts, contents):
        kept = {name: c for name, c in draft.columns.items() if name.startswith("customer_")}
        draft.take(head)
        draft.columns = {n: c for n, c in draft.columns.items() if not n.startswith("customer_")} | kept


def _lines_of(head: Draft, drafts: Sequence[Draft], contents: Contents) -> Draft | None:
    key = head.columns.get("order_id")
    if key is None:
        return None
    for other in drafts:
        if other is head or other.table != "order_line" or "order_id" not in other.columns:
            continue
        if other.columns.keys().isdisjoint(_ITEM | {"line_no"}):
            continue
        child = (other.raw, other.columns["order_id"].column.name)
        if contents.contained(child, (head.raw, key.column.name)) >= _MOST:
            return other
    return None
