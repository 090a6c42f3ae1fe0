"""Deals keep their history: stages run forward, closing sets the day, leads keep their original dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from klientel.errors import BadParameter


def at(month: int, day: int = 1) -> datetime:
    return datetime(2024, month, day, 12, tzinfo=UTC)


@pytest.fixture
def w(home: Any) -> Any:
    from klientel.web.records import acts, deals, models, services

    class World:
        m, d, s, a = models, deals, services, acts

    return World


@pytest.fixture
def deal(w: Any) -> Any:
    firm = w.s.add(w.m.Company, {"name": "Müller GmbH"}, at=at(1))
    values = {"company": firm, "name": "Pumps", "stage": "Contact", "created_on": date(2024, 1, 10)}
    return w.s.add(w.m.Opportunity, values, at=at(1, 20))


def stages(deal: Any) -> list[tuple[str, date]]:
    return [(e.stage, e.entered_on) for e in deal.stages.all()]


def test_moving_writes_the_history(w: Any, deal: Any) -> None:
    w.d.move(deal, "Offer", at=at(2))
    w.d.move(deal, "Negotiation", on=date(2024, 2, 10), at=at(3))
    assert deal.stage == "Negotiation"
    assert stages(deal) == [
        ("Contact", date(2024, 1, 10)),
        ("Offer", date(2024, 2, 1)),
        ("Negotiation", date(2024, 2, 10)),
    ]
    assert w.d.move(deal, "Negotiation", at=at(3)).stage == "Negotiation"
    assert len(stages(deal)) == 3


def test_history_runs_forward(w: Any, deal: Any) -> None:
    w.d.move(deal, "Offer", at=at(3))
    for day, words in (
        (date(2024, 2, 1), "is in stage Offer since 2024-03-01"),
        (date(2024, 1, 1), "began on 2024-01-10"),
        (date(2024, 4, 2), "still to come"),
    ):
        with pytest.raises(BadParameter, match=words):
            w.d.move(deal, "Negotiation", on=day, at=at(4))
    assert len(stages(deal)) == 2


@pytest.mark.parametrize(("stage", "outcome"), [("Closed Won", "won"), ("Verloren", "lost")])
def test_a_closing_stage_closes_the_deal(w: Any, deal: Any, stage: str, outcome: str) -> None:
    if outcome == "lost":
        with pytest.raises(BadParameter, match="Say why"):
            w.d.move(deal, stage, on=date(2024, 2, 3), at=at(3))
    w.d.move(deal, stage, on=date(2024, 2, 3), loss_reason="" if outcome == "won" else "price", at=at(3))
    assert (deal.outcome, deal.close_date, deal.stage) == (outcome, date(2024, 2, 3), stage)
    assert stages(deal)[-1] == (stage, date(2024, 2, 3))
    with pytest.raises(BadParameter, match="is closed; reopen it"):
        w.d.move(deal, "Offer", at=at(3))


def test_a_deal_on_hold_stays_open(w: Any, deal: Any) -> None:
    w.d.move(deal, "On hold", at=at(2))
    assert (deal.outcome, deal.close_date) == ("", None)
    with pytest.raises(BadParameter, match="Say why"):
        w.d.close(deal, "no_decision", loss_reason=" ", at=at(3))
    w.d.close(deal, "no_decision", loss_reason="no budget", at=at(3))
    assert (deal.outcome, deal.stage) == ("no_decision", "On hold")


def test_closing_tells_why_and_against_whom(w: Any, deal: Any) -> None:
    w.d.close(deal, "lost", loss_reason="price", competitor="Pumpo", at=at(2))
    assert (deal.outcome, deal.loss_reason, deal.competitor) == ("lost", "price", "Pumpo")
    with pytest.raises(BadParameter, match="is closed already"):
        w.d.close(deal, "won", at=at(2))
    with pytest.raises(BadParameter, match="closes as one of"):
        w.d.close(deal, "maybe", at=at(2))
    w.d.reopen(deal, "Offer", at=at(3))
    assert (deal.outcome, deal.close_date) == ("open", None)
    assert [s for s, _ in stages(deal)] == ["Contact", "Lost", "Offer"]


def test_stages_are_not_edited_past_their_history(w: Any, deal: Any) -> None:
    for values in ({"stage": "Offer"}, {"outcome": "won"}, {"close_date": date(2024, 2, 1)}):
        with pytest.raises(BadParameter, match="moving or closing"):
            w.s.edit(deal, values, at=at(2))
    w.s.edit(deal, {"amount": 5, "stage": "Contact"}, at=at(2))
    assert deal.amount == 5


def test_a_deal_from_a_file_gets_its_first_stage_with_the_first_move(w: Any) -> None:
    (pk,) = __import__("klientel.web.records.changes", fromlist=["x"]).bulk_create(
        w.m.Opportunity,
        [{"number": "O1", "name": "O", "stage": "Contact", "created_on": date(2023, 12, 1)}],
        None,
        at(1),
    )
    deal = w.m.Opportunity.objects.get(pk=pk)
    w.d.move(deal, "Offer", at=at(2))
    assert stages(deal) == [("Contact", date(2023, 12, 1)), ("Offer", date(2024, 2, 1))]


def test_a_lead_becomes_a_customer_and_nothing_is_lost(w: Any) -> None:
    rep = w.s.add(w.m.Rep, {"name": "Anna"}, at=at(1))
    lead = w.s.add(
        w.m.Lead,
        {"name": "Eva Kurz", "company_name": "Kurz AG", "email": "eva@kurz.de", "channel": "fair", "rep": rep,
         "created_on": date(2023, 11, 5)},
        at=at(1),
    )  # fmt: skip
    call = w.s.add(w.m.Interaction, {"lead": lead, "type": "call", "ts": date(2023, 11, 6)}, at=at(1))
    note = w.s.add(
        w.m.Note, {"lead": lead, "text": "x", "purpose": "y", "expires_on": date(2025, 1, 1)}, at=at(1)
    )
    made = w.d.convert(lead, deal={"amount": 500, "stage": "Offer"}, at=at(2))
    assert (made.company.name, made.company.owner, made.company.acquisition_channel) == (
        "Kurz AG",
        rep,
        "fair",
    )
    assert (made.contact.name, made.contact.company) == ("Eva Kurz", made.company)
    assert (made.deal.company, made.deal.source_channel, made.deal.created_on) == (
        made.company,
        "fair",
        date(2024, 2, 1),
    )
    assert (lead.company, lead.converted_on, lead.opportunity) == (made.company, date(2024, 2, 1), made.deal)
    call.refresh_from_db()
    note.refresh_from_db()
    assert (call.company, call.contact, call.ts, call.lead) == (
        made.company,
        made.contact,
        date(2023, 11, 6),
        lead,
    )
    assert note.company == made.company
    with pytest.raises(BadParameter, match="was converted on 2024-02-01"):
        w.d.convert(lead, at=at(3))


def test_a_conversion_is_taken_back_whole(w: Any) -> None:
    lead = w.s.add(w.m.Lead, {"name": "Eva", "company_name": "Kurz AG"}, at=at(1))
    call = w.s.add(w.m.Interaction, {"lead": lead, "type": "call"}, at=at(1))
    made = w.d.convert(lead, deal={"stage": "Offer"}, at=at(2))
    back = w.a.take_back(made.act, at=at(3))
    assert back.conflicts == []
    lead.refresh_from_db()
    call.refresh_from_db()
    assert (lead.company, lead.converted_on, lead.status, call.company, call.contact) == (
        None,
        None,
        "",
        None,
        None,
    )
    for model in (w.m.Company, w.m.Contact, w.m.Opportunity):
        assert not model.present.exists()
    with pytest.raises(BadParameter, match="taken back already"):
        w.a.take_back(made.act, at=at(3))
    assert w.d.convert(lead, at=at(4)).company.name == "Kurz AG"


def test_a_conversion_into_a_company_that_is_there_uses_its_contact(w: Any) -> None:
    firm = w.s.add(w.m.Company, {"name": "Kurz AG"}, at=at(1))
    eva = w.s.add(w.m.Contact, {"company": firm, "name": "Eva Kurz", "email": "EVA@kurz.de"}, at=at(1))
    lead = w.s.add(w.m.Lead, {"name": "E. Kurz", "email": "eva@kurz.de"}, at=at(1))
    made = w.d.convert(lead, company=firm, at=at(2))
    assert (made.company, made.contact, made.deal) == (firm, eva, None)
    assert w.m.Company.present.count() == 1
