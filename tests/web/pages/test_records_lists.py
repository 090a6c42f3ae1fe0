"""Lists of records: search, filters, order, pages, columns, counts, views, many at once, export; hostile texts."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from names_in_lists import names

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["Ärzte e.V.", "Müller GmbH", "Mueller KG", "Zander AG"]),
        ("q=müller", ["Müller GmbH", "Mueller KG"]),
        ("q=MUELLER", ["Müller GmbH", "Mueller KG"]),
        ("q=ulm+zand", ["Zander AG"]),
        ("q=K3", ["Zander AG"]),
        ("q=info@k4.de", ["Ärzte e.V."]),
        ("q=%25", []),
        ("f.segment=A", ["Ärzte e.V.", "Müller GmbH"]),
        ("f.segment=A&f.segment=B", ["Ärzte e.V.", "Müller GmbH", "Mueller KG"]),
        ("f.segment=–", ["Zander AG"]),
        ("f.segment.empty=yes", ["Zander AG"]),
        ("f.segment.empty=no&f.city.has=ulm", ["Müller GmbH"]),
        ("f.employees.from=50", ["Müller GmbH", "Zander AG"]),
        ("f.employees.from=8&f.employees.to=1000", ["Zander AG"]),
        ("f.employees.empty=yes", ["Mueller KG"]),
        ("f.custom.fleet.from=4", ["Zander AG"]),
        ("f.custom.fleet=3", ["Müller GmbH"]),
        ("f.custom.fleet.empty=yes", ["Ärzte e.V.", "Mueller KG"]),
        ("sort=-employees", ["Müller GmbH", "Zander AG", "Ärzte e.V.", "Mueller KG"]),
        ("sort=city", ["Ärzte e.V.", "Mueller KG", "Müller GmbH", "Zander AG"]),
        ("f.city.has=KÖLN", ["Mueller KG"]),
    ],
)
def test_search_filters_and_order(sign_in: Any, firms: Any, query: str, wanted: list[str]) -> None:
    """Umlauts and case do not matter; several filters hold at once; what is missing comes last."""
    answer = sign_in().get(f"/companies?{query}")
    assert answer.status_code == 200
    assert names(answer) == wanted


def test_equal_values_stand_in_the_order_of_ids_on_every_page(sign_in: Any, firms: Any) -> None:
    """Ties cannot move between pages."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    changes.bulk_create(m.Company, [{"name": f"Same {i:02}", "city": "Aalen"} for i in range(60)], None, AT)
    client = sign_in()
    pages = [names(client.get(f"/companies?sort=city&size=25&page={n}")) for n in (1, 2, 3)]
    assert len(set().union(*pages)) == 64
    assert pages[0] == [f"Same {i:02}" for i in range(25)]


def test_a_filter_that_cannot_be_one_is_told(sign_in: Any, firms: Any) -> None:
    """No error page: the sentence stands above the list."""
    answer = sign_in().get("/companies?f.employees.from=many")
    assert answer.status_code == 200
    assert "many is not a number; an address has numbers like 1234.50." in answer.content.decode()
    assert (
        sign_in().get("/companies?f.nothing=1&sort=nothing&page=99999999&cols=nothing&by=nothing").status_code
        == 200
    )


def test_dates_money_and_owner(sign_in: Any, firms: Any) -> None:
    """Ranges of days include both ends; money is typed as the reader writes it; "me" is one's own sales person."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    client = sign_in("anna", language="de")
    changes.update(firms["anna"], {"user": client.user}, at=AT)
    for i, amount in enumerate(("1000", "1234.5", "9999")):
        changes.create(
            m.Opportunity,
            {"name": f"Deal {i}", "company": firms["K1"], "amount": Decimal(amount), "stage": "Offer",
             "created_on": date(2026, 1, 10 + i), "rep": firms["anna" if i else "ben"]},
            at=AT,
        )  # fmt: skip
    assert names(client.get("/deals?f.amount.from=1234.50&sort=amount")) == ["Deal 1", "Deal 2"]
    days = "f.created_on.from=2026-01-10&f.created_on.to=2026-01-11"
    assert names(client.get(f"/deals?{days}&sort=name")) == ["Deal 0", "Deal 1"]
    assert names(client.get("/deals?f.rep_id=me&sort=name")) == ["Deal 1", "Deal 2"]
    assert names(client.get("/deals?q=mueller")) == ["Deal 2", "Deal 1", "Deal 0"]
    text = client.get("/deals?f.amount.from=1234.50").content.decode()
    assert "9.999,00\xa0€" in text


def test_columns_are_chosen_and_kept_in_the_address(sign_in: Any, firms: Any) -> None:
    """Own fields are columns like others."""
    text = sign_in().get("/companies?cols=name&cols=custom.fleet&sort=-custom.fleet").content.decode()
    heads = [re.sub("<[^>]+>|[↑↓]", "", h).strip() for h in re.findall(r'<th scope="col".*?</th>', text)]
    assert heads == ["Name", "Fleet"]
    assert names(sign_in().get("/companies?cols=name&cols=custom.fleet&sort=-custom.fleet"))[:2] == [
        "Zander AG",
        "Müller GmbH",
    ]
    form = sign_in().get("/companies/columns?cols=name").content.decode()
    assert form.count("checked") == 1


def test_counts_by_an_attribute_with_sums_and_a_second_one(sign_in: Any, firms: Any) -> None:
    """Groups lead into the list; none and empty are one."""
    text = sign_in().get("/companies?by=segment&across=city").content.decode()
    rows = re.findall(
        r"<tr><th scope=\"row\"><a[^>]*href=\"([^\"]*)\">([^<]*)</a></th><td class=\"n\">(\d+)</td>", text
    )
    assert [(name, n) for _, name, n in rows] == [("A", "2"), ("none", "1"), ("B", "1")]
    assert "1,207" in text  # employees of segment A
    for url, name, n in rows:
        assert len(names(sign_in().get(url.replace("&amp;", "&")))) == int(n), name


def test_groups_of_own_fields_lead_to_their_records(sign_in: Any, firms: Any) -> None:
    """Yes and no, numbers and none: each group has a name, and its link finds as many as it counts."""
    from klientel.web.records import custom
    from klientel.web.records import models as m

    custom.define(m.Company, "vip", "VIP", "flag", at=AT)
    for number, own in (("K1", {"vip": True, "fleet": 3}), ("K2", {"vip": False}), ("K3", {"vip": True})):
        m.Company.objects.filter(number=number).update(custom=own)
    client = sign_in()
    for by, wanted in (
        ("custom.vip", [("yes", 2), ("no", 1), ("none", 1)]),
        ("custom.fleet", [("none", 3), ("3", 1)]),
    ):
        text = client.get(f"/companies?by={by}").content.decode()
        rows = re.findall(r'<a class="row" href="([^"]*)">([^<]*)</a></th><td class="n">(\d+)<', text)
        assert sorted((name, int(n)) for _, name, n in rows) == sorted(wanted)
        for url, name, n in rows:
            assert len(names(client.get(url.replace("&amp;", "&")))) == int(n), name


def test_sums_are_by_currency(sign_in: Any, firms: Any) -> None:
    """A thousand dollars are no thousand euros: the rows and the sums of groups say which is which."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    for amount, currency in ((1000, "USD"), (200, "EUR"), (5, "")):
        values = {
            "name": f"D{amount}",
            "company": firms["K1"],
            "amount": Decimal(amount),
            "currency": currency,
        }
        changes.create(m.Opportunity, {**values, "stage": "Offer", "created_on": date(2026, 1, 1)}, at=AT)
    text = sign_in().get("/deals?by=stage").content.decode()
    assert "€205.00 + $1,000.00" in text
    assert "not added up" in text
    rows = sign_in().get("/deals").content.decode()
    assert "$1,000.00" in rows
    assert "€200.00" in rows
    changes.create(
        m.Contract, {"company": firms["K1"], "type": "Hire", "recurring_amount": Decimal(9)}, at=AT
    )
    assert "not added up" not in sign_in().get("/contracts?by=type").content.decode()


def test_views_are_own_or_shared(sign_in: Any, firms: Any) -> None:
    """Own views are nobody else's; shared ones are changed by their maker or an administrator only."""
    from klientel.web.records.models import SavedView

    anna, ben, boss = sign_in("anna", role="sales"), sign_in("ben", role="sales"), sign_in()
    anna.post("/companies/views", {"name": "Mine", "query": "f.segment=A&page=3"})
    anna.post("/companies/views", {"name": "Ours", "query": "f.city.has=ulm", "shared": "yes"})
    mine, ours = SavedView.objects.get(name="Mine"), SavedView.objects.get(name="Ours")
    assert (mine.query, mine.shared, ours.shared) == ("f.segment=A", False, True)
    assert "Mine" in anna.get("/companies").content.decode()
    seen = ben.get("/companies").content.decode()
    assert "Mine" not in seen
    assert "Ours" in seen
    assert ben.post(f"/companies/views/{mine.pk}", {"do": "delete"}).status_code == 404
    assert boss.post(f"/companies/views/{mine.pk}", {"do": "delete"}).status_code == 404
    assert ben.post(f"/companies/views/{ours.pk}", {"name": "Taken"}).status_code == 403
    assert boss.post(f"/companies/views/{ours.pk}", {"name": "Better", "shared": "yes"}).status_code == 302
    assert SavedView.objects.get(pk=ours.pk).name == "Better"
    assert anna.post("/companies/views", {"name": "Mine"}).status_code == 400
    answer = anna.post(f"/companies/views/{mine.pk}", {"do": "delete"}, follow=True).content.decode()
    assert not SavedView.objects.filter(pk=mine.pk).exists()
    undo = re.search(r'action="(/undo/[^"]*)"', answer)
    assert undo
    anna.post(undo[1].replace("&amp;", "&"))
    assert SavedView.objects.filter(pk=mine.pk, name="Mine").exists()


def test_many_are_changed_and_taken_back_at_one_stroke(sign_in: Any, firms: Any) -> None:
    """The ticked ones, or all that the list shows."""
    from klientel.web.records.models import Company

    client = sign_in()
    ticked = {"tick": [firms["K1"].pk, firms["K3"].pk], "do": "change"}
    page = client.post(
        "/companies/many", {**ticked, "column": "owner_id", "value.owner_id": firms["ben"].pk}, follow=True
    )
    assert set(Company.objects.filter(owner=firms["ben"]).values_list("number", flat=True)) == {
        "K1",
        "K3",
        "K4",
    }
    undo = re.search(r'action="(/undo/[^"]*)"', page.content.decode())
    assert undo
    client.post(undo[1].replace("&amp;", "&"))
    assert set(Company.objects.filter(owner=firms["ben"]).values_list("number", flat=True)) == {"K3", "K4"}
    client.post("/companies/many", {"all": "yes", "query": "f.city.has=ulm", "do": "delete"})
    assert set(Company.present.values_list("number", flat=True)) == {"K2", "K4"}
    assert names(client.get("/companies?deleted=yes")) == ["Müller GmbH", "Zander AG"]
    bad = client.post(
        "/companies/many",
        {"tick": firms["K2"].pk, "do": "change", "column": "manual_status", "value.manual_status": "x"},
    )
    assert bad.status_code == 400
    assert (
        client.post(
            "/companies/many", {"tick": firms["K2"].pk, "do": "change", "column": "name", "value.name": "x"}
        ).status_code
        == 400
    )
    assert client.post("/companies/many", {"do": "delete"}).status_code == 400


def test_many_takes_the_right_for_every_one(sign_in: Any, firms: Any) -> None:
    """One that is somebody else's stops all; nothing is seen of what is out of reach."""
    from klientel.web.records import changes
    from klientel.web.records.models import Company

    anna = sign_in("anna", role="sales")
    changes.update(firms["anna"], {"user": anna.user}, at=AT)
    assert names(anna.get("/companies")) == ["Müller GmbH", "Mueller KG"]
    answer = anna.post("/companies/many", {"tick": [firms["K1"].pk, firms["K3"].pk], "do": "delete"})
    assert answer.status_code == 403
    assert Company.present.count() == 4
    assert "Zander" not in anna.get("/companies?q=zander").content.decode().split("<main")[1].replace(
        'value="zander"', ""
    )


def test_hidden_values_find_sort_and_count_nothing(sign_in: Any, firms: Any) -> None:
    """Whoever may not see personal data cannot find it out by searching, filtering or sorting either."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    changes.create(
        m.Contact, {"company": firms["K1"], "name": "Geheim", "email": "geheim@x.de", "role": "CEO"}, at=AT
    )
    changes.create(m.Contact, {"company": firms["K1"], "name": "Anders", "role": "CFO"}, at=AT)
    reader = sign_in("rita", role="reader")
    assert len(re.findall(r"<tr>", reader.get("/contacts").content.decode())) == 3
    for query in ("q=geheim", "f.name.has=geh", "f.email.has=geheim"):
        assert "0" in re.findall(
            r'id="list-count"><strong>(\d+)', reader.get(f"/contacts?{query}").content.decode()
        ), query
    assert re.findall(
        r'id="list-count"><strong>(\d+)', reader.get("/companies?q=info@k1.de").content.decode()
    ) == ["0"]
    assert "Geheim" not in reader.get("/contacts?cols=name&cols=email").content.decode()
    boss = sign_in()
    assert names(boss.get("/contacts?q=geheim")) == ["Geheim"]


def test_export_holds_what_may_go_out_and_no_formula(sign_in: Any, firms: Any) -> None:
    """CSV and XLSX; blanks and control characters in front of a formula do not help it."""
    import openpyxl

    from klientel.web.records import changes

    evil = ["=1+1", " =1+1", "\t@x", "\x0b=cmd|' /C calc'!A0", "\u00a0-2"]
    for firm, text in zip(("K1", "K2", "K3", "K4"), evil, strict=False):
        changes.update(firms[firm], {"name": text}, at=AT)
    client = sign_in()
    answer = client.get("/companies/export?format=csv&cols=name,employees,owner_id&sort=number")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows[0] == ["Name", "Employees", "Owner"]
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in evil[:4]]
    assert rows[1][1:] == ["1200", "Anna"]
    book = openpyxl.load_workbook(
        BytesIO(client.get("/companies/export?format=xlsx&cols=name,employees&sort=number").content)
    )
    cells = list(book.active.iter_rows(min_row=2))
    assert [c[0].data_type for c in cells] == ["s"] * 4
    assert cells[0][1].value == 1200
    assert sign_in("rita", role="reader").get("/companies/export").status_code == 403


def test_hostile_texts_stay_texts_everywhere(sign_in: Any, firms: Any) -> None:
    """Names, own fields, names of views, what is searched for: on pages and in parts that htmx asks for."""
    from klientel.web.records import changes

    changes.update(firms["K1"], {"name": HOSTILE, "segment": HOSTILE, "city": HOSTILE}, at=AT)
    client = sign_in()
    client.post("/companies/views", {"name": HOSTILE, "query": f"q={HOSTILE}"})
    pages = (
        "/companies", f"/companies?q={HOSTILE}", f"/companies?f.city.has={HOSTILE}",
        "/companies?by=segment&across=city", f"/companies?f.employees.from={HOSTILE}",
        f"/companies?sort={HOSTILE}&cols={HOSTILE}", "/companies/filters",
        f"/companies/filters?f.city.has={HOSTILE}", f"/companies/columns?q={HOSTILE}",
    )  # fmt: skip
    for page in pages:
        for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Target": "list"}):
            text = client.get(page, headers=headers).content.decode()
            assert "<script>alert" not in text, page
            assert "<img src=x" not in text, page


@pytest.mark.parametrize(
    "kind", ["companies", "contacts", "deals", "leads", "interactions", "tasks", "contracts"]
)
def test_the_number_of_queries_does_not_grow_with_the_rows(sign_in: Any, firms: Any, kind: str) -> None:
    """Lists ask the database a bounded number of questions."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from klientel.web.records import changes
    from klientel.web.records.catalog import KINDS

    model = KINDS[kind].model

    def more(n: int) -> None:
        for i in range(n):
            values = {"company": firms["K1"]} if hasattr(model, "company") else {}
            values |= {"name": f"x{i}"} if hasattr(model, "name") else {}
            values |= {"rep": firms["anna"]} if hasattr(model, "rep") else {}
            changes.create(model, values, at=AT)

    client = sign_in()
    client.get(f"/{kind}")
    counts = []
    for n in (2, 30):
        more(n)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/{kind}").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[1] <= 20


def test_the_list_alone_is_given_to_htmx(sign_in: Any, firms: Any) -> None:
    """The search field stays where it is, so that the focus does, too."""
    text = (
        sign_in().get("/companies?q=m", headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    )
    assert "list-words" not in text
    assert "<html" not in text
    assert 'id="list-count"' in text


def test_the_class_of_a_customer_is_shown_once_it_is_known(sign_in: Any, served: Any, tmp_path: Any) -> None:
    """From the kept answer of ABC, of what the person may see; a list computes nothing itself."""
    from klientel.analyses import ANALYSES
    from klientel.web import results
    from klientel.web.imports import importing
    from klientel.web.pages import shell

    file = tmp_path / "sales.csv"
    rows = [
        f"{name},{amount},2026-0{month}-01"
        for name, amount in (("Big", 9000), ("Small", 10))
        for month in (1, 2)
    ]
    file.write_text("\n".join(["Customer,Revenue,Date", *rows]), encoding="utf-8")
    importing.run(served, [str(file)], progress=lambda *_: None, now=AT)
    client = sign_in()
    assert "/analyses/abc" not in client.get("/companies").content.decode().split("<table")[1]
    results.answer(served, ANALYSES["abc"], actor=client.user, today=shell.today())
    text = client.get("/companies").content.decode().split("<table")[1]
    assert re.findall(r'badge plain">(\w)<', text) == ["A", "C"]
    assert (
        "/analyses/abc"
        not in sign_in("rita", role="sales").get("/companies").content.decode().split("<main")[1]
    )
