"""The board of deals: moving, losing, currencies, whose deals, and pages that are too old."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from made_for_pages import make, undo

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_board_moves_deals_with_their_history_and_back(sign_in: Any, served: Any, today: date) -> None:
    """Counts and sums by stage; moving is one act; a menu does what dragging does."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    firm = make("Company", name="Firm")
    for name, stage, amount in (("One", "Offer", 100), ("Two", "Offer", 50), ("Three", "Contact", 7)):
        values = {
            "company": firm,
            "name": name,
            "stage": stage,
            "amount": Decimal(amount),
            "created_on": date(2026, 1, 1),
        }
        services.add(m.Opportunity, values, at=AT)
    client = sign_in()
    text = client.get("/deals/board").content.decode()
    assert re.findall(r'<section data-stage="(\w+)".*?badge plain">(\d+)<.*?class="sum">([^<]*)<', text, re.S) == [
        ("Contact", "1", "€7"), ("Offer", "2", "€150"),
    ]  # fmt: skip
    assert 'draggable="true"' in text
    deal = m.Opportunity.objects.get(name="Three")
    answer = client.post(f"/deals/{deal.pk}/move", {"stage": "Offer", "back": "/deals/board"}, follow=True)
    deal.refresh_from_db()
    assert deal.stage == "Offer"
    assert list(deal.stages.values_list("stage", "entered_on")) == [
        ("Contact", date(2026, 1, 1)),
        ("Offer", today),
    ]
    undo(client, answer)
    deal.refresh_from_db()
    assert (deal.stage, deal.stages.count()) == ("Contact", 1)
    asked = client.post(f"/deals/{deal.pk}/move", {"stage": "Lost"})
    assert asked.headers["Location"].startswith(f"/deals/{deal.pk}/close?outcome=lost")


def test_the_board_does_not_add_dollars_to_euros(sign_in: Any, served: Any) -> None:
    """Each card in its own currency, each sum by currency, and it is said."""
    firm = make("Company", name="Firm")
    for name, amount, currency in (("One", 1000, "USD"), ("Two", 500, "EUR"), ("Three", 30, "")):
        make("Opportunity", company=firm, name=name, stage="Offer", amount=Decimal(amount), currency=currency,
             created_on=date(2026, 1, 1))  # fmt: skip
    text = sign_in().get("/deals/board").content.decode()
    assert re.findall(r'class="strong">([^<]*)<', text) == ["$1k", "€500", "€30"]
    assert re.findall(r'class="sum">([^<]*)<', text)[0] == "€530 + $1k"
    assert "3 open deals · €530 + $1k" in text
    assert "not added up" in text


def test_losing_a_deal_asks_for_the_reason(sign_in: Any, served: Any, today: date) -> None:
    """Without a reason nothing is written; with one the deal is closed, and can be opened again."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    firm = make("Company", name="Firm")
    values = {"company": firm, "name": "Pumps", "stage": "Offer", "created_on": date(2026, 1, 1)}
    deal = services.add(m.Opportunity, values, at=AT)
    client = sign_in("anna", language="de")
    assert client.post(f"/deals/{deal.pk}/close", {"outcome": "lost"}).status_code == 422
    client.post(f"/deals/{deal.pk}/close", {"outcome": "lost", "loss_reason": "Preis", "amount": "1.500,00"})
    deal.refresh_from_db()
    assert (deal.outcome, deal.loss_reason, deal.amount, deal.close_date) == (
        "lost",
        "Preis",
        Decimal(1500),
        today,
    )
    assert "Pumps" not in client.get("/deals/board").content.decode().split('class="board"')[1]
    client.post(f"/deals/{deal.pk}/reopen", {"stage": "Offer"})
    deal.refresh_from_db()
    assert deal.outcome == "open"


def test_an_old_page_does_not_move_a_deal(sign_in: Any, served: Any, today: date) -> None:
    """Somebody else moved it since: it is told."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    values = {
        "company": make("Company", name="Firm"),
        "name": "Pumps",
        "stage": "A",
        "created_on": date(2026, 1, 1),
    }
    deal = services.add(m.Opportunity, values, at=AT)
    client = sign_in()
    based_on = re.search(r'name="based_on" value="(\d+)"', client.get(f"/deals/{deal.pk}").content.decode())
    assert based_on
    client.post(f"/deals/{deal.pk}/move", {"stage": "B"})
    assert client.post(f"/deals/{deal.pk}/move", {"stage": "C", "based_on": based_on[1]}).status_code == 400
    deal.refresh_from_db()
    assert deal.stage == "B"


def test_the_board_finds_one_of_many_sales_people(
    sign_in: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many to list are typed, as in filters; whose deals are shown stands in the field."""
    from klientel.web.records import listing, services
    from klientel.web.records import models as m

    monkeypatch.setattr(listing, "MOST_CHOICES", 2)
    reps = [make("Rep", number=f"R{i}", name=name) for i, name in enumerate(("Anna", "Ben", "Cem"))]
    for rep in reps:
        values = {"name": f"Deal of {rep.name}", "stage": "New", "rep": rep, "created_on": date(2026, 1, 1)}
        services.add(m.Opportunity, values, at=AT)
    client = sign_in()
    text = client.get("/deals/board").content.decode()
    assert 'role="combobox"' in text
    assert '<select id="board-rep"' not in text
    for query in (
        f"rep={reps[1].pk}",
        f"rep={reps[1].pk}&rep.text=Ben",
        "rep=&rep.text=ben",
        "rep=&rep.text=R1",
    ):
        text = client.get(f"/deals/board?{query}").content.decode()
        assert 'name="rep.text" value="Ben"' in text, query
        assert re.findall(r"Deal of (\w+)</a>", text) == ["Ben"], query
    for query in (f"rep={reps[1].pk}&rep.text=", "rep=&rep.text=Nobody"):
        text = client.get(f"/deals/board?{query}").content.decode()
        assert sorted(re.findall(r"Deal of (\w+)</a>", text)) == ["Anna", "Ben", "Cem"], query
    assert "nothing called “Nobody”" in text
