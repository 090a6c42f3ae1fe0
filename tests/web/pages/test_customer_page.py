"""The page of a customer: everything on one screen, the numbers of the analyses, nothing beyond the rights."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from answered_firm import NOW, TODAY, firm, look

__all__ = ["firm", "look"]  # fixtures


def pk(number: str) -> int:
    """The key of a company."""
    from klientel.web.records.models import Company

    return int(Company.objects.get(number=number).pk)


@pytest.fixture
def known(firm: Any) -> Any:
    """The firm with what people write down about one customer."""
    from klientel.web.records import dated, services
    from klientel.web.records import models as m

    company = m.Company.objects.get(number="C02")
    services.add(m.Contact, {"company": company, "name": "Anders", "email": "anders@example.com"}, at=NOW)
    services.add(m.Interaction, {"company": company, "type": "visit", "ts": date(2026, 3, 1), "duration_min": 90,
                                 "cost": 120, "text": "<script>alert(1)</script>"}, at=NOW)  # fmt: skip
    services.add(
        m.Task, {"company": company, "title": "Angebot <i>nachfassen</i>", "due_on": date(2026, 6, 1)}, at=NOW
    )
    services.add(m.Note, {"company": company, "purpose": "care", "text": "likes tea", "written_on": date(2026, 5, 1),
                          "expires_on": date(2027, 1, 1)}, at=NOW)  # fmt: skip
    services.add(
        m.Opportunity, {"company": company, "name": "Pumpen", "amount": 5000, "stage": "Offer"}, at=NOW
    )
    dated.set(company, "segment", "Key", date(2026, 1, 1), at=NOW)
    return firm


def test_everything_is_on_one_page(known: Any, sign_in: Any, look: Any) -> None:
    client = sign_in()
    text = look(client, f"/customers/{pk('C02')}")
    for part in ("Firma &lt;b&gt;2", "Rau", "anders@example.com", "Angebot &lt;i&gt;nachfassen", "likes tea",
                 "Pumpen", "Wartung", "Key", "1.5"):  # fmt: skip
        assert part in text, part
    assert "<script>alert" not in text
    happened = client.get(f"/customers/{pk('C02')}/timeline").content.decode()
    assert "&lt;script&gt;" in happened
    assert "Order" in happened
    only = client.get(f"/customers/{pk('C02')}/timeline?kind=interaction").content.decode()
    assert only.count('class="kind-') == 1


def test_the_numbers_are_those_of_analyses_and_command_line(known: Any, sign_in: Any, look: Any) -> None:
    import klientel
    from klientel.show.figures import short, written

    client = sign_in()
    text = look(client, f"/customers/{pk('C02')}/figures", 'hx-trigger="load')
    book = klientel.open_book(known.folder)
    rows = {
        r["customer_id"]: r
        for r in klientel.analyse(book, "abc").tables["customers"].to_pyarrow().to_pylist()
    }
    abc = rows["C02"]
    assert f'class-{abc["grade"].lower()}">{abc["grade"]}<' in text
    rank = 1 + sum(r["value"] > abc["value"] for r in rows.values())
    assert f"rank {rank} of {len(rows)}" in text
    assert written(abc["share"], "share") in text
    standing = {r["customer_id"]: r for r in book.customers.to_pyarrow().to_pylist()}["C02"]
    assert standing["status"] in text
    revenue = {r["customer_id"]: r["revenue"] for r in book.totals(12).to_pyarrow().to_pylist()}
    assert short(revenue["C02"], "money", "en", "EUR") in text
    churn = klientel.analyse(book, "churn_risk").tables["customers"].to_pyarrow().to_pylist()
    mine = next(r for r in churn if r["customer_id"] == "C02")
    assert written(mine["p_no_order"], "share") in text
    worth = klientel.analyse(book, "lifetime_value").tables["customers"].to_pyarrow().to_pylist()
    mine = next(r for r in worth if r["customer_id"] == "C02")
    assert short(mine["lifetime_value"], "money", "en", "EUR") in text


def test_the_course_adds_up_to_the_revenue(known: Any, sign_in: Any, look: Any) -> None:
    import klientel
    from klientel.result import Result
    from klientel.web import results, scopes
    from klientel.web.pages.customers.standing import course

    text = look(sign_in(), f"/customers/{pk('C02')}/course", "Is being computed")
    assert text.count("<svg") == 2
    part = scopes.find("customer:C02", None)
    found = results.answer(known, course, part=part, today=TODAY)
    assert isinstance(found, Result)
    book = klientel.open_book(known.folder)
    totals = {r["customer_id"]: r["revenue"] for r in book.totals("all").to_pyarrow().to_pylist()}
    months = found.tables["months"].to_pyarrow()
    assert sum(months["revenue"].to_pylist()) == totals["C02"]
    assert months["month"].to_pylist() == sorted(set(months["month"].to_pylist()))


def test_rights_hold_on_the_page(known: Any, sign_in: Any, look: Any) -> None:
    other = sign_in("otto", role="sales", rep="R2")
    for address in ("", "/figures", "/course", "/timeline"):
        assert other.get(f"/customers/{pk('C02')}{address}").status_code == 404
    director = sign_in("dora", role="reader")  # no personal data, no margins, no writing
    text = look(director, f"/customers/{pk('C02')}")
    assert "anders@example.com" not in text
    assert "likes tea" not in text
    assert "120" not in re.sub(r"<[^>]+>", " ", text)
    assert "back=" not in text
    anna = sign_in("anna", role="sales", rep="R1")
    assert "anders@example.com" in look(anna, f"/customers/{pk('C02')}")


def test_queries_are_bounded_and_the_page_waits_for_nothing(known: Any, sign_in: Any, look: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from klientel.web.pages.analyses import waiting
    from klientel.web.records import models as m
    from klientel.web.records import services

    company = m.Company.objects.get(number="C02")
    client = sign_in("anna", role="sales", rep="R1")
    address = f"/customers/{company.pk}"
    look(client, address)
    counts = []
    for _ in range(2):
        client.get(address)  # after a change it is found out anew whose customers the person may see
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        counts.append(len(asked))
        for n in range(8):
            services.add(m.Task, {"company": company, "title": f"Task {n}"}, at=NOW)
            services.add(m.Contact, {"company": company, "name": f"Name {n}"}, at=NOW)
    assert counts[0] == counts[1] <= 45
    assert waiting._queue.empty()  # the page itself asks for nothing to be computed


def test_a_merged_company_leads_to_its_successor(known: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.records import merging
    from klientel.web.records import models as m

    one, other = m.Company.objects.get(number="C02"), m.Company.objects.get(number="C03")
    merging.merge(one, [other], at=NOW)
    answer = sign_in().get(f"/customers/{other.pk}")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/customers/{one.pk}"


def test_a_customer_without_any_data_has_a_page(served: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.records import models as m
    from klientel.web.records import services

    made = services.add(m.Company, {"name": "Neu AG"}, at=NOW)
    client = sign_in()
    assert "Neu AG" in look(client, f"/customers/{made.pk}")
    look(client, f"/customers/{made.pk}/figures", 'hx-trigger="load')
    assert "no orders with dates" in look(client, f"/customers/{made.pk}/course", "Is being computed")
    assert client.get(f"/customers/{made.pk}/timeline").status_code == 200


def test_a_parent_company_is_named_only_to_whom_may_see_it(known: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.records import changes
    from klientel.web.records import models as m

    parent = m.Company.objects.get(number="C07")  # of the other sales person
    changes.update(m.Company.objects.get(number="C02"), {"parent_id": parent.pk}, at=NOW)
    crumb = f'/customers/{parent.pk}"'
    anna = look(sign_in("anna", role="sales", rep="R1"), f"/customers/{pk('C02')}")
    assert crumb not in anna
    assert "Firma &lt;b&gt;7" not in anna
    boss = look(sign_in(), f"/customers/{pk('C02')}")
    assert crumb in boss
    assert "Firma &lt;b&gt;7" in boss


def test_amounts_are_in_the_currency_of_their_record(known: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.records import models as m
    from klientel.web.records import services

    company = m.Company.objects.get(number="C02")
    values = {"company": company, "name": "Abroad", "amount": 7000, "currency": "USD", "stage": "Offer"}
    services.add(m.Opportunity, values, at=NOW)
    term = {"company": company, "type": "Hire", "recurring_amount": 300, "currency": "USD"}
    services.add(m.Contract, {**term, "start": date(2026, 1, 1)}, at=NOW)
    text = look(sign_in(), f"/customers/{pk('C02')}")
    for amount in ("$7k", "$300", "€5k"):
        assert f'<span class="n">{amount}' in text, amount
    assert "€7k" not in text


def test_an_open_page_is_told_quietly_that_its_customer_went(firm: Any, sign_in: Any) -> None:
    """Parts that a page still fetches answer alike for customers taken back, out of reach or never there."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    gone = m.Company.objects.get(number="C05")
    services.remove(gone, at=NOW)
    anna = sign_in("anna", role="sales", rep="R1")
    wanted = set()
    for part in ("figures", "course", "timeline"):
        for key in (gone.pk, pk("C07"), 10**9):  # C07 is of the other sales person
            address = f"/customers/{key}/{part}"
            assert anna.get(address).status_code == 404
            answer = anna.get(address, headers={"HX-Request": "true"})
            assert answer.status_code == 200
            wanted.add(answer.content)
            assert anna.get(f"/customers/{key}", headers={"HX-Request": "true"}).status_code == 404
    (text,) = wanted
    assert b"no longer there" in text
    assert b"hx-get" not in text


def test_effort_is_of_twelve_months_and_not_a_day_more(served: Any) -> None:
    from klientel.web.pages.customers import facts
    from klientel.web.records import models as m
    from klientel.web.records import services
    from klientel.web.rights import access

    company = services.add(m.Company, {"name": "New"}, at=NOW)
    for day in (date(2025, 6, 15), date(2025, 6, 16), date(2026, 6, 15)):
        values = {"company": company, "type": "visit", "ts": day, "duration_min": 60}
        services.add(m.Interaction, values, at=NOW)
    found = facts.effort(company, access(None), date(2026, 6, 15))
    assert (found.count, found.hours) == (2, 2)
