# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Words for won and lost, invoice and credit note, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.ingest.mapping import document_kind, outcome_of

OUTCOMES = {
    "won": ["Won", "Closed Won", "closedwon", "CLOSED WON", "Gewonnen", "6 - Gewonnen", "Abgeschlossen (gewonnen)", "Auftrag erhalten", "won ", "Deal won", "Beauftragt"],
    "lost": ["Lost", "Closed Lost", "closedlost", "Verloren", "Abgeschlossen - verloren", "Lost to competitor", "Abgelehnt", "Not won", "Nicht gewonnen", "Auftrag verloren", "Closed - Lost (price)"],
    "open": ["Prospecting", "Engaging", "Qualification", "Verhandlung", "Negotiation/Review", "In Bearbeitung", "Angebot gesendet", "Proposal", "Offen", "Open"],
    "no_decision": ["No decision", "Keine Entscheidung", "Zurückgestellt", "On hold"],
    "abandoned": ["Abgebrochen", "Abandoned", "Withdrawn", "Zurückgezogen"],
}  # fmt: skip
KINDS = {
    "invoice": ["Rechnung", "Invoice", "RECHNUNG", "out_invoice", "F2", "RG", "Faktura", "Auftrag", "Sales Invoice"],
    "credit": ["Gutschrift", "Credit memo", "Credit Note", "Rechnungskorrektur", "Retoure", "Return", "out_refund", "G2", "GS", "Rechnungsgutschrift", "Refund"],
    "cancellation": ["Storno", "Stornorechnung", "Cancellation", "Storniert", "Cancelled", "Storno zu Gutschrift", "S1"],
}  # fmt: skip


@pytest.mark.parametrize(("outcome", "text"), [(o, t) for o, texts in OUTCOMES.items() for t in texts])
def test_outcome_of_a_stage(outcome: str, text: str) -> None:
    assert outcome_of(text) == outcome


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in KINDS.items() for t in texts])
def test_kind_of_a_document(kind: str, text: str) -> None:
    assert document_kind(text) == kind


@pytest.mark.parametrize("text", ["", "Foo", "12", "Phase 3", "–"])
def test_words_that_say_nothing(text: str) -> None:
    assert outcome_of(text) is None
    assert document_kind(text) is None


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert outcome_of(text) in {None, *OUTCOMES}
    assert document_kind(text) in {None, *KINDS}
