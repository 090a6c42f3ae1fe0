"""What rows say about themselves: credit notes written with positive amounts, orders that were cancelled."""

from __future__ import annotations

from klientel.ingest.mapping.banking import is_bank_statement
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.mapping.names import words
from klientel.ingest.mapping.outcomes import document_kind
from klientel.ingest.raw import RawColumn
from klientel.ingest.recognition import Match, Recognition
from klientel.ingest.values import Profile
from klientel.ingest.values.shapes import identifier, quoted
from klientel.words import say

# Beginnings of a text that say that the row takes back; whole words, so that "Gutscheinheft" is none.
_TEXTS = (
    "gutschrift", "storno", "stornierung", "rechnungskorrektur", "credit note", "credit memo", "retoure", "refund",
    "rückerstattung", "erstattung", "reversal",
)  # fmt: skip
_CANCELLED = frozenset(
    {
        "storniert", "cancelled", "canceled", "annulliert", "void", "voided", "failed", "fehlgeschlagen",
        "abgebrochen", "draft", "entwurf", "refunded", "erstattet", "rejected", "abgelehnt", "cancellation",
    }
)  # fmt: skip
_FEW = 40  # different values of a column of document types or of statuses
_LOOKED_AT = 30  # unknown columns
_READABLE = 2_000_000  # rows; the texts of longer files are not searched for words


def kinds_by_values(found: Recognition, profile: dict[str, Profile]) -> None:
    """Take a column whose values are document types ("Rechnung", "Gutschrift") for the document type.

    Changes the recognition: whatever its header, a column of few values of which some are credit notes or
    cancellations and all others invoices says what the row is.
    """
    if found.table != "order_line" or "kind" in found.columns or is_bank_statement(found.raw.columns):
        return  # on a statement that was mapped by hand, "Gutschrift" is a payment that came in
    for column in _free(found)[:_LOOKED_AT]:
        known = profile[column.name]
        status = any(m.concept == "status" for m in meanings(column.header))
        if status or not known.values or known.distinct > _FEW or known.number_share > 0.5:
            continue
        told = [document_kind(value) for value in known.values]
        if any(k in ("credit", "cancellation") for k in told) and "invoice" in told and None not in told:
            why = say("the values are kinds of documents")
            found.columns["kind"] = Match(column.name, column.header, 0.8, why)
            found.unmapped = [h for h in found.unmapped if h != column.header]
            return


def coded(found: Recognition, columns: dict[str, str], profile: dict[str, Profile]) -> dict[str, str]:
    """The document type with the codes for credit notes ("GS", "G2", "RK") spelt out, if its values are codes.

    "ST" may be a cancellation or a standard order: codes count only where every value is a kind we know and
    one of them is an invoice.
    """
    match = found.columns.get("kind")
    values = profile[match.column].values if match else ()
    told = {value: document_kind(value) for value in values}
    if match is None or None in told.values() or "invoice" not in told.values():
        return {}
    credits = ", ".join(quoted(v.strip()) for v, k in told.items() if k in ("credit", "cancellation"))
    if not credits:
        return {}
    kind = columns["kind"]
    return {"kind": f"CASE WHEN {kind} IN ({credits}) THEN 'credit note: ' || {kind} ELSE {kind} END"}


def said(found: Recognition, profile: dict[str, Profile]) -> dict[str, str]:
    """SQL of two flags of a row of sales: `takes_back` by its texts, `cancelled` by its status."""
    if found.table not in ("order_line", "order_header") or not found.raw.has_line:
        return {}
    if is_bank_statement(found.raw.columns):
        return {}
    flags: dict[str, str] = {}
    small = found.raw.rows <= _READABLE
    texts = [c for c in _free(found)[:_LOOKED_AT] if small and _is_text(profile[c.name])]
    texts += (
        []
        if not small
        else [
            RawColumn(m.column, m.header) for n, m in found.columns.items() if n in ("product_name", "kind")
        ]
    )
    if texts:
        starts = [
            f"starts_with(lower(trim({identifier(c.name)})), {quoted(t)})" for c in texts for t in _TEXTS
        ]
        flags["takes_back"] = f"coalesce({' OR '.join(starts)}, false)"
    statuses = [c for c in _free(found) if any(m.concept == "status" for m in meanings(c.header))]
    statuses += [RawColumn(m.column, m.header) for n, m in found.columns.items() if n == "status"]
    tests = []
    for column in statuses:
        off = [v for v in profile[column.name].values if _CANCELLED.intersection(words(v))]
        if off and profile[column.name].distinct <= _FEW:
            listed = ", ".join(quoted(v) for v in off)
            tests.append(
                f"CASE WHEN {identifier(column.name)} IN ({listed}) THEN {identifier(column.name)} END"
            )
    if tests:
        flags["cancelled"] = f"coalesce({', '.join(tests)})" if len(tests) > 1 else tests[0]
    return flags


def _free(found: Recognition) -> list[RawColumn]:
    used = {m.column for m in found.columns.values()} | set(found.periods)
    return [c for c in found.raw.columns if c.name not in used]


def _is_text(known: Profile) -> bool:
    return bool(known.filled) and known.number_share < 0.5 and known.date_share < 0.5 and known.type == "text"
