"""Single records: forms, two people at once, history, deletion, what belongs to them, choosers, the palette."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


def make(model: str, **values: Any) -> Any:
    """A record."""
    from klientel.web.records import changes, models

    return changes.create(getattr(models, model), values, at=AT)


def inputs(text: str) -> dict[str, str]:
    """Name -> value of the inputs of the form on a page."""
    import html

    return {
        n: html.unescape(v)
        for n, v in re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', text.split("<main")[-1])
    }


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_kind_has_a_list_a_form_and_a_page(sign_in: Any, language: str) -> None:
    """Made from the models alone: nothing breaks for any of them."""
    from klientel.web.records.catalog import KINDS

    client = sign_in(f"boss{language}", language=language)
    firm = make("Company", name="Firm")
    for slug, kind in KINDS.items():
        values: dict[str, Any] = {"company": firm} if hasattr(kind.model, "company") else {}
        values |= {"name": "Thing"} if hasattr(kind.model, "name") else {}
        record = make(kind.model.__name__, **values)
        for address in (
            f"/{slug}", f"/{slug}/add", f"/{slug}/filters", f"/{slug}/columns", f"/{slug}/{record.pk}/edit",
            f"/{slug}/{record.pk}/history", f"/{slug}/choose?q=th", f"/{slug}/export", f"/{slug}/export?format=xlsx",
            *(f"/{slug}?by={by}" for by in kind.groups), *(f"/{slug}?sort=-{c}&cols={c}" for c in kind.columns),
        ):  # fmt: skip
            assert client.get(address).status_code == 200, address
        shown = client.get(f"/{slug}/{record.pk}")
        assert shown.status_code == (302 if slug == "companies" and _customer_pages() else 200)


def _customer_pages() -> bool:
    from django.urls import NoReverseMatch, reverse

    try:
        return bool(reverse("customers:show", args=[1]))
    except NoReverseMatch:
        return False


def test_a_record_is_added_as_the_reader_writes_numbers(sign_in: Any, served: Any) -> None:
    """1.234,50 in German; a company by its name; an own field; errors stand at their fields."""
    from klientel.web.records import custom
    from klientel.web.records import models as m

    custom.define(m.Opportunity, "risk", "Risk", "share", at=AT)
    firm = make("Company", name="Müller GmbH", number="K1")
    client = sign_in("anna", language="de")
    wrong = client.post(
        "/deals/add", {"name": "Pumps", "amount": "viel", "company_id": "", "company_id.text": "Nobody"}
    )
    text = wrong.content.decode()
    assert wrong.status_code == 422
    assert text.count('aria-invalid="true"') == 2
    assert 'value="viel"' in text
    client.post(
        "/deals/add",
        {"name": "Pumps", "amount": "1.234,50 €", "company_id.text": "mueller gmbh", "stage": "Offer",
         "probability": "40 %", "custom.risk": "0,25"},
    )  # fmt: skip
    deal = m.Opportunity.objects.get()
    assert (deal.company, deal.amount, deal.probability) == (firm, Decimal("1234.5"), Decimal("0.4"))
    assert deal.custom == {"risk": "0.25"}
    assert deal.stages.get().stage == "Offer"
    form = inputs(client.get(f"/deals/{deal.pk}/edit").content.decode())
    assert form["amount"] == "1234,50"
    assert form["company_id.text"] == "Müller GmbH"
    client.post(f"/deals/{deal.pk}/edit", form)
    deal.refresh_from_db()
    assert (deal.amount, deal.probability, deal.custom) == (
        Decimal("1234.5"),
        Decimal("0.4"),
        {"risk": "0.25"},
    )
    client.post(f"/deals/{deal.pk}/edit", {**form, "company_id.text": "K1", "company_id": "", "amount": ""})
    deal.refresh_from_db()
    assert (deal.amount, deal.company) == (None, firm)


def test_a_name_that_several_have_is_not_guessed(sign_in: Any, served: Any) -> None:
    """Two firms of one name: the form asks."""
    make("Company", name="Twin", number="K1")
    make("Company", name="Twin", number="K2")
    answer = sign_in().post("/tasks/add", {"title": "x", "company_id.text": "Twin"})
    assert answer.status_code == 422
    assert "not clear" in answer.content.decode()
    answer = sign_in().post("/tasks/add", {"title": "x", "company_id.text": "K2"})
    assert answer.status_code == 302


def test_two_people_at_once_see_both_versions(sign_in: Any, served: Any) -> None:
    """The second is told and writes nothing; what both say is shown; saving again keeps it."""
    firm = make("Contract", number="C1", type="old", company=make("Company", name="Firm"))
    anna, ben = sign_in("anna"), sign_in("ben")
    first, second = (inputs(c.get(f"/contracts/{firm.pk}/edit").content.decode()) for c in (anna, ben))
    assert anna.post(f"/contracts/{firm.pk}/edit", {**first, "type": "annas"}).status_code == 302
    answer = ben.post(f"/contracts/{firm.pk}/edit", {**second, "type": "bens"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "<td>bens</td><td>annas</td>" in text
    firm.refresh_from_db()
    assert firm.type == "annas"
    again = inputs(text)
    assert again["based_on"] != second["based_on"]
    assert ben.post(f"/contracts/{firm.pk}/edit", {**again, "type": "bens"}).status_code == 302
    firm.refresh_from_db()
    assert firm.type == "bens"
    history = anna.get(f"/contracts/{firm.pk}/history").content.decode()
    assert re.search(r"<td>annas</td>\s*<td>bens</td>", history)
    assert "ben" in history


def test_deleting_and_bringing_back(sign_in: Any, served: Any) -> None:
    """Undo stands in the message; the page of a deleted record offers to bring it back."""
    from klientel.web.records.models import Product

    product = make("Product", name="Pump")
    client = sign_in()
    text = client.post(f"/products/{product.pk}/delete", follow=True).content.decode()
    assert not Product.present.exists()
    assert client.get(f"/products/{product.pk}/edit").status_code == 404
    undo = re.search(r'action="(/undo/[^"]*)"', text)
    assert undo
    client.post(undo[1].replace("&amp;", "&"))
    assert Product.present.exists()
    client.post(f"/products/{product.pk}/delete")
    assert "/restore" in client.get(f"/products/{product.pk}").content.decode()
    client.post(f"/products/{product.pk}/restore")
    assert Product.present.exists()
    assert client.get(f"/products/{product.pk}/delete").status_code == 405


def test_a_company_that_is_there_already_is_pointed_out(sign_in: Any, served: Any) -> None:
    """The second time it is added all the same."""
    from klientel.web.records.models import Company

    make("Company", name="Nordwind Solar GmbH", city="Kiel", postcode="24103", street="Hafen 1")
    typed = {"name": "Nordwind Solar GmbH", "city": "Kiel", "postcode": "24103", "street": "Hafen 1"}
    client = sign_in()
    text = client.post("/companies/add", typed).content.decode()
    assert "This may be there already" in text
    assert Company.objects.count() == 1
    client.post("/companies/add", {**typed, "sure": "yes"})
    assert Company.objects.count() == 2


def test_an_attribute_holds_from_the_day_that_is_given(sign_in: Any, served: Any) -> None:
    """Results of earlier days stay what they were; days to come are refused."""
    from klientel.web.records import dated

    firm = make("Company", name="Firm", segment="B")
    client = sign_in()
    form = inputs(client.get(f"/companies/{firm.pk}/edit").content.decode())
    late = client.post(f"/companies/{firm.pk}/edit", {**form, "segment": "A", "valid-from": "2999-01-01"})
    assert late.status_code == 422
    client.post(
        f"/companies/{firm.pk}/edit", {**form, "segment": "A", "valid-from": "2026-03-01", "why": "grew"}
    )
    assert dated.history(firm, "segment")[-1] == (date(2026, 3, 1), "A", "grew")


def test_consents_are_rows_that_are_added(sign_in: Any, served: Any) -> None:
    """The page of a contact tells what holds today and what was said."""
    contact = make("Contact", name="Ada", company=make("Company", name="Firm"))
    client = sign_in()
    client.post(f"/contacts/{contact.pk}/consent", {"purpose": HOSTILE, "given": "yes", "on": "2026-01-02"})
    client.post(f"/contacts/{contact.pk}/consent", {"purpose": HOSTILE, "given": "no", "on": "2026-02-02"})
    client.post(f"/contacts/{contact.pk}/consent", {"purpose": "", "given": "no"})
    assert contact.consents.count() == 2
    text = client.get(f"/contacts/{contact.pk}").content.decode()
    assert "withdrawn" in text
    assert "<script>alert" not in text
    assert client.get(f"/contacts/{contact.pk}/consent").status_code == 405


def test_what_is_out_of_reach_is_not_there(sign_in: Any, served: Any) -> None:
    """404 in every channel; changes are refused; choosers and the palette find nothing."""
    from klientel.web.records import changes

    mine, theirs = make("Rep", name="Anna"), make("Rep", name="Ben")
    own = make("Company", name="Own firm", owner=mine)
    other = make("Company", name="Other firm", owner=theirs)
    task = make("Task", title="Secret plan", company=other)
    note = make("Note", text="Secret", purpose="x", company=other)
    anna = sign_in("anna", role="sales")
    changes.update(mine, {"user": anna.user}, at=AT)
    for slug, record in (("companies", other), ("tasks", task), ("notes", note)):
        for tail in ("", "/edit", "/history"):
            assert anna.get(f"/{slug}/{record.pk}{tail}").status_code == 404, (slug, tail)
        for tail in ("/edit", "/delete", "/restore"):
            assert anna.post(f"/{slug}/{record.pk}{tail}").status_code == 404, (slug, tail)
    for address in ("/companies/choose?q=firm", "/search?q=firm", "/companies?q=firm"):
        text = anna.get(address).content.decode()
        assert "Own firm" in text, address
        assert "Other firm" not in text, address
    assert "Secret" not in anna.get("/search?q=secret").content.decode().replace('value="secret"', "")
    moved = anna.post("/tasks/add", {"title": "x", "company_id": str(other.pk)})
    assert moved.status_code == 422
    assert anna.post(f"/companies/{own.pk}/delete").status_code == 302


def test_hidden_values_are_neither_shown_nor_overwritten(sign_in: Any, served: Any) -> None:
    """Without the right to personal data a form leaves out what it may not show, and leaves it as it is."""
    from klientel.web.accounts.models import Grant

    contact = make("Contact", name="Geheim", email="g@x.de", role="CEO", company=make("Company", name="Firm"))
    client = sign_in("rita", role="reader")
    Grant.objects.create(user=client.user, action="write", scope="all")
    make("Interaction", contact=contact, ts=date(2026, 1, 1), type="call", text="Private words")
    for address in (
        f"/contacts/{contact.pk}",
        f"/contacts/{contact.pk}/edit",
        f"/contacts/{contact.pk}/history",
        "/interactions",
    ):
        text = client.get(address).content.decode()
        assert "Geheim" not in text, address
        assert "g@x.de" not in text, address
        assert "Private words" not in text, address
    form = inputs(client.get(f"/contacts/{contact.pk}/edit").content.decode())
    client.post(f"/contacts/{contact.pk}/edit", {**form, "role": "CFO", "name": "Other"})
    contact.refresh_from_db()
    assert (contact.name, contact.role) == ("Geheim", "CFO")


def test_the_palette_finds_records_pages_and_analyses(sign_in: Any, served: Any) -> None:
    """Those that begin with the words come first; titles of both languages find an analysis."""
    make("Company", name="Alpha Zebra")
    make("Company", name="Zebra Bau")
    make("Contact", name="Zebrowski", company=make("Company", name="Firm"))
    client = sign_in("anna", language="de")
    text = client.get("/search?q=zebr", headers={"HX-Request": "true"}).content.decode()
    assert text.index("Zebra Bau") < text.index("Alpha Zebra")
    assert "Zebrowski" in text
    assert 'role="combobox"' in text
    assert "<html" not in text
    assert "/contacts" in client.get("/search?q=kontakte").content.decode()
    assert "/contacts" in client.get("/search?q=contacts").content.decode()
    empty = client.get(f"/search?q={HOSTILE}").content.decode()
    assert "<script>alert" not in empty


def test_hostile_texts_stay_texts_on_single_pages(sign_in: Any, served: Any) -> None:
    """Stored and reflected: pages, forms, errors, history, choosers, messages."""
    firm = make("Company", name=HOSTILE, city=HOSTILE)
    contact = make("Contact", name=HOSTILE, first_name=HOSTILE, role=HOSTILE, company=firm)
    note = make("Note", text=HOSTILE, purpose=HOSTILE, company=firm, contact=contact)
    task = make("Task", title=HOSTILE, company=firm)
    lead = make("Lead", company_name=HOSTILE, name=HOSTILE, status=HOSTILE)
    deal = make("Opportunity", name=HOSTILE, stage=HOSTILE, company=firm)
    client = sign_in()
    addresses = [
        f"/contacts/{contact.pk}", f"/contacts/{contact.pk}/edit", f"/contacts/{contact.pk}/history",
        f"/notes/{note.pk}", f"/notes/{note.pk}/edit", f"/tasks/{task.pk}", f"/leads/{lead.pk}",
        f"/leads/{lead.pk}/convert", f"/deals/{deal.pk}",
        f"/deals/{deal.pk}/close?outcome={HOSTILE}&back={HOSTILE}&stage={HOSTILE}",
        "/deals/board", "/tasks/mine?of=all", f"/deals/board?q={HOSTILE}&rep={HOSTILE}",
        "/companies/choose?q=script", "/search?q=script", f"/tasks/add?title={HOSTILE}&back={HOSTILE}",
        f"/tasks/add?company={firm.pk}", "/companies/suggest?column=city",
    ]  # fmt: skip
    pages = [client.get(a) for a in addresses]
    pages.append(client.post("/tasks/add", {"title": "x", "due_on": HOSTILE, "company_id.text": HOSTILE}))
    pages.append(client.post(f"/tasks/{task.pk}/tick", follow=True))
    pages.append(client.post(f"/leads/{lead.pk}/qualify", {"status": HOSTILE}, follow=True))
    for page in pages:
        text = page.content.decode()
        assert page.status_code in (200, 422), page.request["PATH_INFO"]
        assert "<script>alert" not in text, page.request
        assert "<img src=x" not in text, page.request


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"]
)
def test_nobody_is_sent_elsewhere(sign_in: Any, served: Any, target: str) -> None:
    """Addresses to return to are ours, or they are not followed."""
    task = make("Task", title="x")
    client = sign_in()
    form = inputs(client.get(f"/tasks/{task.pk}/edit").content.decode())
    for answer in (
        client.post(f"/tasks/{task.pk}/edit", {**form, "title": "z", "back": target}),
        client.post(f"/tasks/{task.pk}/tick", {"back": target}),
        client.post("/tasks/add", {"title": "y", "back": target}),
        client.post(f"/tasks/{task.pk}/delete", {"back": target}),
    ):
        assert answer.status_code == 302
        assert "evil" not in answer.headers["Location"]
        assert answer.headers["Location"].startswith("/")
