"""The first page: there at once, its parts by and by, what it says is what the analyses say."""

from __future__ import annotations

from datetime import date
from typing import Any

from answered_firm import NOW, firm, look

__all__ = ["firm", "look"]  # fixtures


def test_an_empty_workspace_invites_to_bring_a_file(served: Any, sign_in: Any) -> None:
    text = sign_in().get("/").content.decode()
    assert "Bring your customers" in text
    assert 'action="/imports/new/upload"' in text
    assert 'type="file"' in text
    assert "klientel/intake.js" in text
    assert "hx-get" not in text
    reader = sign_in("rita", role="reader").get("/").content.decode()
    assert "Whoever may import brings the customers in." in reader
    assert "/imports/new/upload" not in reader


def test_who_sees_no_customers_is_told_so_instead_of_a_zero(firm: Any, sign_in: Any, look: Any) -> None:
    nobody = sign_in("nora", role="sales")
    said = "There are no customers in what you may see"
    for address in ("/", "/analyses", "/analyses/abc", "/analyses/abc/card", "/home/carried"):
        text = look(nobody, address)
        assert said in text, address
        assert "€0" not in text, address
    assert said not in look(sign_in("anna", role="sales", rep="R1"), "/analyses/abc")


def test_the_page_computes_nothing(firm: Any, sign_in: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from klientel.web.pages.analyses import waiting

    client = sign_in()
    client.get("/")
    with CaptureQueriesContext(connection) as asked:
        text = client.get("/").content.decode()
    assert len(asked) <= 20
    assert waiting._queue.empty()
    for part in ("carried", "moved", "renewals", "risks", "quality"):
        assert f'hx-get="/home/{part}"' in text
    assert client.get("/home/nothing").status_code == 404


def test_the_parts_say_what_the_analyses_say(firm: Any, sign_in: Any, look: Any, tmp_path: Any) -> None:
    import klientel
    from klientel.show import chapters
    from klientel.show.figures import short
    from klientel.web.imports import importing

    late = tmp_path / "late.csv"  # a contract that ended lately, with no word of what became of it
    late.write_text("contract_id,customer_id,start,end,recurring_amount,period_months,type\n"
                    "V9,C06,2024-12-10,2025-12-10,1200,12,Wartung\n")  # fmt: skip
    importing.run(firm, [late], progress=lambda *_: None, now=NOW)
    client = sign_in()
    book = klientel.open_book(firm.folder)
    carried = look(client, "/home/carried", "hx-trigger")
    abc = klientel.analyse(book, "abc")
    for tile in chapters.tiles(abc, "en"):
        if tile.figure in ("a_customers", "a_value_share"):
            assert f">{tile.value}</span>" in carried
    assert carried.count("<svg") == 2
    moved = look(client, "/home/moved", "hx-trigger")
    first = klientel.analyse(book, "movement").tables["customers"].head(1).to_pylist()[0]
    assert short(first["change"], "money", "en", "EUR") in moved
    assert "/customers/" in moved
    risks = look(client, "/home/risks", "hx-trigger")
    found = klientel.analyse(book, "churn_risk")
    assert short(found.figures["value_at_stake"], "money", "en", "EUR") in risks
    due = look(client, "/home/renewals", "hx-trigger")
    rows = klientel.analyse(book, "renewals").tables["contracts"].to_pyarrow().to_pylist()
    coming, ended = sum(0 <= r["days_left"] <= 90 for r in rows), sum(r["days_left"] < 0 for r in rows)
    assert min(coming, ended) > 0
    assert f"<strong>{coming}</strong>" in due
    assert f"Ended already, not decided yet: {ended}" in due
    assert "badge dot" in look(client, "/home/quality", "hx-trigger")


def test_tasks_are_the_persons_own_and_the_late_ones_are_told(firm: Any, sign_in: Any, look: Any) -> None:
    from klientel.web.accounts.models import User
    from klientel.web.records import models as m
    from klientel.web.records import services

    anna = sign_in("anna", role="sales", rep="R1")
    one, other = m.Rep.objects.get(number="R1"), m.Rep.objects.get(number="R2")
    company = m.Company.objects.get(number="C02")
    services.add(
        m.Task, {"title": "Mine", "company": company, "rep": one, "due_on": date(2026, 6, 1)}, at=NOW
    )
    services.add(m.Task, {"title": "Others", "rep": other}, at=NOW)
    assert User.objects.get(username="anna").rep == one
    text = look(anna, "/")
    assert "Mine" in text
    assert "late:" in text
    assert "Others" not in text
    assert "Latest imports" not in text
    assert "orders.csv" in look(sign_in(), "/")


def test_nobody_sees_others_customers(firm: Any, sign_in: Any, look: Any) -> None:
    anna = sign_in("anna", role="sales", rep="R1")
    for part in ("carried", "moved", "renewals", "risks", "quality"):
        text = look(anna, f"/home/{part}", "hx-trigger")
        assert "Firma &lt;b&gt;7" not in text
        assert "Firma &lt;b&gt;9" not in text


def test_a_portfolio_can_be_chosen(firm: Any, sign_in: Any, look: Any) -> None:
    from klientel.web import portfolios
    from klientel.web.records import models as m

    made = portfolios.create(None, "Bau", m.Rep.objects.get(number="R1"), {"industry_code": ["Bau"]}, NOW)
    client = sign_in()
    text = look(client, f"/?scope=portfolio:{made.pk}")
    assert f'hx-get="/home/moved?scope=portfolio%3A{made.pk}"' in text
    moved = look(client, f"/home/moved?scope=portfolio:{made.pk}", "hx-trigger")
    assert "Firma &lt;b&gt;3&lt;" not in moved
