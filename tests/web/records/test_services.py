"""What people may write: kinds of records, their rules, custom fields, groups, stale edits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from klientel.errors import BadParameter

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = AT.date()


@pytest.fixture
def s(home: Any) -> Any:
    from klientel.web.records import services

    return services


@pytest.fixture
def m(home: Any) -> Any:
    from klientel.web.records import models

    return models


@pytest.fixture
def firm(s: Any, m: Any) -> Any:
    return s.add(m.Company, {"name": "Müller GmbH"}, at=AT)


def test_every_kind_of_record_can_be_made_and_found(s: Any, m: Any, firm: Any) -> None:
    rep = s.add(m.Rep, {"name": "Anna", "capacity_hours_month": 120}, at=AT)
    contact = s.add(m.Contact, {"company": firm, "name": "Eva Kurz", "email": "eva@mueller.de"}, at=AT)
    contract = {"company": firm, "type": "framework", "start": "2024-01-01", "end": "2025-01-01"}
    group = s.add(m.ProductGroup, {"name": "Pumps"}, at=AT)
    campaign = s.add(m.Campaign, {"name": "Hannover Messe", "cost": D("12000"), "currency": "EUR"}, at=AT)
    survey = s.add(m.Survey, {"name": "NPS 2024"}, at=AT)
    deal = s.add(m.Opportunity, {"company": firm, "name": "Pumps", "amount": 9000, "stage": "Offer"}, at=AT)
    made = [
        s.add(m.Contract, contract | {"recurring_amount": D("99.90"), "period_months": 1}, at=AT),
        s.add(m.Product, {"name": "Pump 3", "product_group": group, "list_price": D("19.5")}, at=AT),
        s.add(m.Lead, {"name": "Max", "company_name": "Max AG", "campaign": campaign}, at=AT),
        s.add(m.Task, {"company": firm, "title": "Call back", "due_on": date(2024, 4, 1), "rep": rep}, at=AT),
        s.add(
            m.Note,
            {"contact": contact, "text": "Likes tea", "purpose": "visits", "expires_on": date(2025, 1, 1)},
            at=AT,
        ),
        s.add(m.CompetitorObservation, {"opportunity": deal, "competitor": "Pumpo", "share": 0.3}, at=AT),
        s.add(m.SurveyAnswer, {"survey": survey, "contact": contact, "score": 9}, at=AT),
    ]
    made += [
        s.add(m.Interaction, {"contact": contact, "type": kind, "duration_min": 15, "rep": rep}, at=AT)
        for kind in ("call", "visit", "meeting", "email", "fair", "door-to-door", "social")
    ]
    for record in made:
        assert type(record).present.get(pk=record.pk) == record
        assert m.Change.objects.filter(object_id=record.pk, model=type(record).__name__).exists()
    # What hangs on a contact or deal belongs to its company; what has no day is of today.
    interaction = m.Interaction.present.first()
    assert (interaction.company, interaction.ts) == (firm, DAY)
    assert m.Note.present.get().company == firm
    assert m.CompetitorObservation.present.get().company == firm
    entry = m.StageEntry.objects.get()
    assert (entry.opportunity, entry.stage, entry.entered_on) == (deal, "Offer", DAY)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("Company", {"name": ""}, "Company needs Customer"),
        ("Company", {"name": "A", "relation_type": "friend"}, "friend is not one of customer, lead"),
        ("Company", {"name": "A", "employees": -1}, "cannot be negative"),
        ("Company", {"name": "A", "email": "nobody"}, "nobody is not an e-mail address"),
        ("Contact", {"role": "Buyer"}, "Contact needs one of: Name, E-mail"),
        ("Contract", {"type": "framework"}, "Contract needs"),
        ("Campaign", {"name": "A", "start": "2024-02-01", "end": "2024-01-01"}, "is before Start"),
        ("Campaign", {"name": "A", "cost": -5}, "Cost cannot be negative"),
        ("Interaction", {"type": "call"}, "Interaction needs one of"),
        ("Note", {"text": "x", "purpose": "y"}, "Note needs expires_on"),
        ("Note", {"text": "x", "expires_on": "2025-01-01"}, "Note needs purpose"),
        ("Task", {}, "Task needs title"),
        ("Opportunity", {"name": "x", "probability": 2}, "fraction between 0 and 1"),
        ("Opportunity", {"name": "x", "created_on": "2024-05-01"}, "is still to come"),
        ("Lead", {"name": "x", "imported_by": None}, "Lead has no imported_by"),
    ],
)
def test_what_a_kind_does_not_allow_is_refused(s: Any, m: Any, kind: str, values: Any, words: str) -> None:
    with pytest.raises(BadParameter) as told:
        s.add(getattr(m, kind), values, at=AT)
    assert words in str(told.value)
    assert not m.Change.objects.exists()


def test_an_interaction_is_of_a_known_type(s: Any, m: Any, firm: Any) -> None:
    with pytest.raises(BadParameter, match=r"Type: fax is not one of call, visit"):
        s.add(m.Interaction, {"company": firm, "type": "fax"}, at=AT)


def test_a_company_is_never_above_itself(s: Any, m: Any) -> None:
    a, b, c = (s.add(m.Company, {"name": n}, at=AT) for n in "ABC")
    s.edit(b, {"parent": a}, at=AT)
    s.edit(c, {"parent": b}, at=AT)
    for wrong in (a, c):
        with pytest.raises(BadParameter, match="cannot be above it"):
            s.edit(a, {"parent": wrong}, at=AT)
    a.refresh_from_db()
    assert a.parent is None


def test_a_stale_edit_is_a_clear_conflict(s: Any, m: Any, firm: Any) -> None:
    from klientel.web.records import changes

    seen = changes.version(firm)
    s.edit(firm, {"city": "Ulm"}, at=AT, based_on=seen)
    with pytest.raises(changes.Outdated, match="Open it again"):
        s.edit(firm, {"city": "Bonn"}, at=AT, based_on=seen)
    firm.refresh_from_db()
    assert firm.city == "Ulm"


def test_deleted_records_are_gone_until_brought_back(s: Any, m: Any, firm: Any) -> None:
    s.remove(firm, at=AT)
    with pytest.raises(BadParameter, match="This Company is gone"):
        s.edit(firm, {"city": "Ulm"}, at=AT)
    with pytest.raises(BadParameter, match="There is no such Company"):
        s.add(m.Contact, {"company": firm, "name": "Eva"}, at=AT)
    s.bring_back(firm, at=AT)
    assert s.edit(firm, {"city": "Ulm"}, at=AT).city == "Ulm"


def test_custom_fields_have_kinds(s: Any, m: Any, firm: Any) -> None:
    from klientel.web.records import custom

    custom.define(m.Company, "fleet", "Fleet", "integer", at=AT)
    custom.define(m.Company, "rebate", "Rebate", "share", at=AT)
    s.edit(firm, {"custom": {"fleet": 12, "rebate": D("0.15")}}, at=AT)
    s.edit(firm, {"custom": {"fleet": None}}, at=AT)
    assert firm.custom == {"rebate": "0.15"}
    for values, words in (
        ({"fleet": "many"}, "Fleet: 'many' is not of the kind “whole number”"),
        ({"rebate": 15}, "not of the kind “share”"),
        ({"flet": 1}, "Company has no flet; did you mean fleet?"),
    ):
        with pytest.raises(BadParameter) as told:
            s.edit(firm, {"custom": values}, at=AT)
        assert words in str(told.value)
    for name, kind in (("Fleet size", "integer"), ("city", "text"), ("customer_id", "text"), ("x", "blob")):
        with pytest.raises(BadParameter):
            custom.define(m.Company, name, "T", kind, at=AT)


def test_notes_go_when_their_day_is_over(s: Any, m: Any, firm: Any) -> None:
    values = {"company": firm, "text": "x", "purpose": "y"}
    for day in (date(2024, 4, 1), date(2024, 5, 1)):
        s.add(m.Note, {**values, "expires_on": day}, at=AT)
    assert s.expire(date(2024, 4, 1), at=AT) == 0
    assert s.expire(date(2024, 4, 2), at=AT) == 1
    assert m.Note.present.get().expires_on == date(2024, 5, 1)


def test_a_task_is_ticked_off(s: Any, m: Any, firm: Any) -> None:
    task = s.add(m.Task, {"company": firm, "title": "Call"}, at=AT)
    assert s.done(task, at=AT).done_on == DAY


def test_rights_are_asked(s: Any, m: Any, firm: Any) -> None:
    from klientel.errors import NotAllowed
    from klientel.web.accounts.models import User

    cem = User.objects.create(username="cem")
    for act in (
        lambda: s.add(m.Company, {"name": "B"}, actor=cem, at=AT),
        lambda: s.edit(firm, {"city": "Ulm"}, actor=cem, at=AT),
        lambda: s.remove(firm, actor=cem, at=AT),
        lambda: s.add(m.Interaction, {"company": firm, "type": "call"}, actor=cem, at=AT),
    ):
        with pytest.raises((NotAllowed, BadParameter)):
            act()
    assert m.Company.present.get().city == ""
