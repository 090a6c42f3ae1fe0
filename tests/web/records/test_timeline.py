"""One timeline over all kinds, dated by when things happened; pages and counts agree; nobody sees others' entries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from klientel.errors import BadParameter, KlientelError


def at(month: int) -> datetime:
    return datetime(2024, month, 1, 12, tzinfo=UTC)


@pytest.fixture
def w(home: Any) -> Any:
    from klientel.web.records import deals, merging, models, services, timeline

    class World:
        d, g, m, s, t = deals, merging, models, services, timeline
        workspace = home

    return World


def told(found: Any) -> list[tuple[date, str, str]]:
    return [(e.day, e.kind, str(e.title)) for e in found.entries]


def test_a_lead_that_became_a_customer_has_one_timeline(w: Any) -> None:
    values = {"name": "Eva", "company_name": "Kurz AG", "channel": "fair", "created_on": date(2023, 11, 5)}
    lead = w.s.add(w.m.Lead, values, at=at(1))
    call = {"lead": lead, "type": "call", "ts": date(2023, 11, 6), "outcome": "interested"}
    w.s.add(w.m.Interaction, call, at=at(1))
    assert [k for _, k, _ in told(w.t.timeline(lead))] == ["interaction", "lead"]
    made = w.d.convert(
        lead, deal={"name": "Pumps", "stage": "Offer", "amount": 500, "currency": "EUR"}, at=at(2)
    )
    w.d.move(made.deal, "Won", at=at(3))
    w.s.edit(made.company, {"segment": "A"}, at=at(4), reason="grew")
    firm = made.company
    contract = {
        "company": firm,
        "type": "service",
        "signed_on": date(2024, 3, 5),
        "recurring_amount": D("10"),
    }
    w.s.add(w.m.Contract, contract, at=at(4))
    found = w.t.timeline(firm)
    assert told(found) == [
        (date(2024, 4, 1), "attribute", "Segment: A"),
        (date(2024, 3, 5), "contract", "service"),
        (date(2024, 3, 1), "stage", "Won"),
        (date(2024, 3, 1), "won", "Pumps"),
        (date(2024, 2, 1), "conversion", "Kurz AG"),
        (date(2024, 2, 1), "deal", "Pumps"),
        (date(2024, 2, 1), "stage", "Offer"),
        (date(2023, 11, 6), "interaction", "Call: interested"),
        (date(2023, 11, 5), "lead", "Kurz AG"),
    ]
    won = next(e for e in found.entries if e.kind == "won")
    assert (won.amount, won.currency, won.record) == (D(500), "EUR", ("Opportunity", made.deal.pk))
    assert found.counts == {"interaction": 1, "lead": 1, "conversion": 1, "deal": 1, "stage": 2, "won": 1,
                            "contract": 1, "attribute": 1}  # fmt: skip
    early = w.t.timeline(firm, as_of=date(2024, 2, 1))
    assert [k for _, k, _ in told(early)] == ["interaction", "lead"]


def test_pages_follow_one_another(w: Any) -> None:
    firm = w.s.add(w.m.Company, {"name": "A"}, at=at(1))
    for day in range(1, 24):
        w.s.add(w.m.Interaction, {"company": firm, "type": "call", "ts": date(2023, 1, day)}, at=at(1))
    pages = [w.t.timeline(firm, page=n, size=10) for n in (1, 2, 3, 4)]
    assert [len(p.entries) for p in pages] == [10, 10, 3, 0]
    days = [e.day for p in pages for e in p.entries]
    assert days == sorted(days, reverse=True)
    assert {(p.total, p.pages) for p in pages} == {(23, 3)}
    assert w.t.timeline(firm, kinds=["note"]).total == 0
    for wrong in ({"kinds": ["fax"]}, {"page": 0}):
        with pytest.raises(BadParameter):
            w.t.timeline(firm, **wrong)


def test_deleted_records_are_not_in_it(w: Any) -> None:
    firm = w.s.add(w.m.Company, {"name": "A"}, at=at(1))
    call = w.s.add(w.m.Interaction, {"company": firm, "type": "call"}, at=at(1))
    w.s.remove(call, at=at(2))
    assert w.t.timeline(firm).total == 0


def test_nobody_sees_the_timeline_of_others(w: Any) -> None:
    from klientel.web.accounts.models import User

    firm = w.s.add(w.m.Company, {"name": "A"}, at=at(1))
    cem = User.objects.create(username="cem")
    with pytest.raises(KlientelError):
        w.t.timeline(firm, actor=cem)


def test_orders_are_among_it_also_those_of_duplicates(w: Any, tmp_path: Path) -> None:
    from klientel.web.imports import importing

    file = tmp_path / "sales.csv"
    file.write_text(
        "Customer number;Order number;Order date;Net amount\n"
        "K1;1;2024-01-05;100.00\nK1;1;2024-01-05;50.50\nK2;2;2024-01-20;7.00\nK3;3;2024-01-21;9.00\n"
    )
    importing.run(w.workspace, [file], now=at(2), progress=lambda *_: None)
    first = w.m.Company.present.get(number="K1")
    other = w.m.Company.present.get(number="K2")
    w.s.add(w.m.Interaction, {"company": first, "type": "visit", "ts": date(2024, 1, 10)}, at=at(2))
    w.g.merge(first, [other], at=at(2))
    found = w.t.timeline(first, home=w.workspace)
    assert [(e.day.day, e.kind, e.number, e.amount) for e in found.entries] == [
        (20, "order", "2", D("7")),
        (10, "interaction", "", None),
        (5, "order", "1", D("150.5")),
    ]
    assert found.counts == {"order": 2, "interaction": 1}
    assert w.t.timeline(first, home=w.workspace, as_of=date(2024, 1, 20)).counts["order"] == 1
