# ruff: noqa: E501 - data, one thing per line
"""Words that people write into columns: stages won or lost, credit notes, and files that are nothing for us."""

from __future__ import annotations

from klientel.ingest.mapping.apart import kept_apart
from klientel.ingest.mapping.banking import is_bank_statement
from klientel.ingest.mapping.names import words
from klientel.ingest.mapping.rules import Look
from klientel.words import Sentence, say

_WON = frozenset(
    {
        "won", "gewonnen", "closedwon", "geschlossengewonnen", "abgeschlossengewonnen",
        "gewonnenabgeschlossen", "sold", "verkauft", "beauftragt", "auftrag", "auftragerteilt",
        "auftragerhalten", "erfolgreich", "success", "successful", "sale", "closedsuccess", "signed",
        "unterschrieben", "win", "zuschlag", "dealwon", "orderreceived", "contractsigned",
        "abgeschlossenundgewonnen", "bestellt", "converted", "saleorder", "angenommen", "accepted",
    }
)  # fmt: skip
_LOST = frozenset(
    {
        "lost", "verloren", "closedlost", "geschlossenverloren", "abgeschlossenverloren",
        "verlorenabgeschlossen", "abgelehnt", "rejected", "declined", "failed", "absage", "abgesagt",
        "dead", "nogo", "closedlosttocompetition", "deallost", "unsuccessful", "erfolglos",
        "losttocompetitor", "refused", "abgeschlossenundverloren", "loss", "disqualified", "nichtgewonnen",
    }
)  # fmt: skip
_NO_DECISION = frozenset(
    {
        "nodecision", "keineentscheidung", "zurueckgestellt", "postponed", "onhold", "verschoben",
        "stalled", "ruht", "nodecisionmade",
    }
)  # fmt: skip
_ABANDONED = frozenset(
    {
        "abandoned", "aufgegeben", "abgebrochen", "cancelled", "canceled", "storniert", "withdrawn",
        "zurueckgezogen", "eingestellt", "verworfen", "deleted", "geloescht",
    }
)  # fmt: skip
_OPEN = frozenset(
    {
        "open", "offen", "new", "neu", "prospecting", "engaging", "qualification", "qualifikation",
        "qualified", "qualifiziert", "proposal", "angebot", "verhandlung", "negotiation", "inprogress",
        "inbearbeitung", "laufend", "aktiv", "active", "discovery", "demo", "presentation", "lead",
        "contacted", "kontaktiert", "needsanalysis", "bedarfsanalyse", "valueproposition",
        "iddecisionmakers", "perceptionanalysis", "proposalpricequote", "quote", "negotiationreview",
        "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin",
        "contractsent", "proposition", "proposalmade", "negotiationsstarted", "contactmade",
        "demoscheduled", "pending", "angebotgesendet", "erstkontakt", "termin", "angeboterstellt",
        "angebotabgegeben", "vertraggesendet", "vertragsverhandlung", "interesse", "praesentation",
    }
)  # fmt: skip
_CREDIT = (
    "gutschrift",
    "credit",
    "rechnungskorrektur",
    "korrekturrechnung",
    "retoure",
    "return",
    "rueckgabe",
    "ruecksendung",
    "refund",
    "erstattung",
    "outrefund",
    "nachlass",
    "reklamation",
    "ruecknahme",
    "bonus gutschrift",
    "creditmemo",
    "avoir",
    "abono",
)
_CANCEL = ("storno", "storniert", "cancel", "annull", "void", "reversal", "stornierung", "rueckbuchung")
_INVOICE = (
    "rechnung",
    "invoice",
    "faktura",
    "outinvoice",
    "bill",
    "auftrag",
    "order",
    "verkauf",
    "sale",
    "lieferung",
    "beleg",
    "posted",
)
_CODES = {
    "g2": "credit", "cr": "credit", "crm": "credit", "cbre": "credit", "gs": "credit", "gu": "credit", "ga": "credit",
    "s1": "cancellation", "s2": "cancellation", "st": "cancellation", "f2": "invoice", "f1": "invoice", "ta": "invoice", "or": "invoice",
    "rg": "invoice", "re": "invoice", "rn": "invoice", "ar": "invoice", "inv": "invoice", "so": "invoice", "h": "credit", "s": "invoice", "c": "credit", "i": "invoice",
}  # fmt: skip


def outcome_of(stage: str) -> str | None:
    """won, lost, open, no_decision or abandoned for the name of a stage or status; None if it says nothing.

    "Closed Won", "3 - Gewonnen", "Abgeschlossen (verloren)", "Zuschlag erhalten" and the stages of the common
    sales programs are known; "Won" inside a longer name counts, "Not won" is lost.
    """
    found = [w for w in words(stage) if not w.isdigit()]
    joined = "".join(found)
    for outcome, known in (
        ("won", _WON),
        ("lost", _LOST),
        ("no_decision", _NO_DECISION),
        ("abandoned", _ABANDONED),
        ("open", _OPEN),
    ):
        if joined in known:
            return outcome
    if "not" in found or "nicht" in found:
        return "lost" if _WON.intersection(found) else "open" if _LOST.intersection(found) else None
    for outcome, known in (
        ("lost", _LOST),
        ("won", _WON),
        ("abandoned", _ABANDONED),
        ("no_decision", _NO_DECISION),
        ("open", _OPEN),
    ):
        if known.intersection(found):
            return outcome
    return None


def document_kind(text: str) -> str | None:
    """invoice, credit or cancellation for the text of a document type; None if it says nothing.

    "Gutschrift", "Rechnungskorrektur", "Stornorechnung", "Credit memo", "Return", "Retoure", "out_refund",
    SAP's F2, G2, RE, S1 and letters such as GS and RG.
    """
    joined = "".join(words(text))
    if joined in _CODES:
        return _CODES[joined]
    for kind, known in (("cancellation", _CANCEL), ("credit", _CREDIT), ("invoice", _INVOICE)):
        if any(word.replace(" ", "") in joined for word in known):
            return kind
    return None


def nothing_for_us(seen: Look) -> Sentence | None:
    """Why a raw table is nothing that Klientel uses, or None if it may be."""
    if not seen.raw.columns or seen.raw.rows == 0:
        return say("there are no rows")
    if is_bank_statement(seen.raw.columns):
        return say(
            "a bank statement: payments are not sales. Bring the list of invoices or order lines, with customer, "
            "date and net amount"
        )
    apart = kept_apart(seen)
    if apart is not None:
        return apart
    counted = seen.has("frequency", "recency") == 2 and not seen.has("order_date", "order_no", "product_no")
    if counted and (seen.has("observed") or not seen.has("revenue", "net", "amount", "country")):
        return say(
            "already summarised per customer (frequency and recency): purchase models can be fitted to it, "
            "but there are no orders or amounts in it"
        )
    if (
        seen.has("dictionary")
        and seen.raw.rows < 2_000
        and ("dictionary" in seen.hints or _describes_columns(seen))
    ):
        return say("a description of columns, not data")
    ours = {"customer", "order_line", "order_header"} & seen.hints
    if (
        (seen.row == "supplier" or "supplier" in seen.hints)
        and not ours
        and seen.row not in {"product", "order", "customer"}
    ):
        return say("suppliers are not customers")
    if seen.row == "supplier" and not seen.has("customer_no", "order_no", "product_no"):
        return say("suppliers are not customers")
    if seen.row == "shipper" or "shipper" in seen.hints:
        return say("carriers are not customers")
    if _is_places(seen):
        return say("a list of regions or an assignment to them, without customers and amounts")
    return None


def _describes_columns(seen: Look) -> bool:
    from klientel.ingest.mapping.meanings import meanings

    about = sum(any(m.concept == "dictionary" for m in meanings(c.header)) for c in seen.raw.columns)
    return about >= 2 and len(seen.raw.columns) <= 8


def _is_places(seen: Look) -> bool:
    about = seen.row == "place" or ("place" in seen.hints and seen.has("place", "region"))
    return bool(about) and not seen.has(
        "customer_no",
        "customer",
        "customer_name",
        "company",
        "net",
        "revenue",
        "amount",
        "order_no",
        "qty",
        "product_no",
    )
