"""Addresses of lists: the same in every language, with choices by name, and none of them a fault of ours."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from names_in_lists import names

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_address_means_the_same_in_every_language(sign_in: Any, firms: Any) -> None:
    """What a form was given in one language becomes numbers and days that all read alike; chips speak each language."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    for amount in ("1.5", "999", "1500"):
        values = {"name": f"D{amount}", "company": firms["K1"], "amount": Decimal(amount), "stage": "Offer"}
        changes.create(m.Opportunity, {**values, "created_on": date(2026, 1, 1)}, at=AT)
    german, english = sign_in("anna", language="de"), sign_in("bob", role="administrator", language="en")
    form = {
        "typed": "de",
        "f.amount.from": "1.000",
        "f.probability.to": "30 %",
        "f.created_on.to": "2.1.2026",
        "q": "",
    }
    sent = german.get("/deals", form)
    address = "/deals?f.amount.from=1000&f.probability.to=0.3&f.created_on.to=2026-01-02"
    assert (sent.status_code, sent.headers["Location"]) == (302, address)
    assert (
        german.get("/deals", {**form, "typed": "en"})
        .headers["Location"]
        .startswith("/deals?f.amount.from=1.000&")
    )
    shared = "/deals?f.amount.from=1000&sort=amount"
    assert names(german.get(shared)) == names(english.get(shared)) == ["D1500"]
    shown = "/deals?f.amount.to=1234.5&f.created_on.to=2026-01-02"
    chips = [
        re.findall(r'<li class="chip">([^<]*)<', who.get(shown).content.decode()) for who in (german, english)
    ]
    assert [c[0].split()[-1] for c in chips] == ["1234,50", "1234.50"]
    assert chips[0][1].endswith("02.01.2026")
    form_again = german.get("/deals/filters?f.amount.from=1234.5&f.probability.to=0.3").content.decode()
    assert 'name="typed" value="de"' in form_again
    assert 'value="1234,50"' in form_again
    assert 'value="30 %"' in form_again


def test_more_than_a_hundred_choices_are_looked_for(sign_in: Any, firms: Any) -> None:
    """Where a list of choices would be too long a chooser stands; an empty one never empties the field."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    changes.bulk_create(m.Rep, [{"number": f"R{i}", "name": f"Rep {i}"} for i in range(120)], None, AT)
    wanted = m.Rep.objects.get(number="R77")
    client = sign_in()
    form = client.get(f"/companies/filters?f.owner_id={wanted.pk}").content.decode()
    assert 'name="f.owner_id.text" role="combobox"' in form
    assert re.search(rf'name="f.owner_id" value="{wanted.pk}" checked> Rep 77<', form)
    sent = client.get(
        "/companies", {"typed": "en", "f.owner_id.chosen": "", "f.owner_id.text": "R77", "f.owner_id": "–"}
    )
    assert sent.headers["Location"] == f"/companies?f.owner_id=%E2%80%93&f.owner_id={wanted.pk}"
    told = client.get("/companies", {"typed": "en", "f.owner_id.text": "Nobody"}, follow=True)
    assert "There is nothing called “Nobody”" in told.content.decode()

    assert (
        'name="value.owner_id.text" role="combobox"'
        in client.get("/companies/many/value?column=owner_id").content.decode()
    )
    firm = firms["K1"]
    given = {"tick": [firm.pk], "do": "change", "column": "owner_id", "value.owner_id": ""}

    def owner() -> Any:
        firm.refresh_from_db()
        return firm.owner

    assert client.post("/companies/many", {**given, "value.owner_id.text": ""}).status_code == 400
    assert owner() == firms["anna"]
    client.post("/companies/many", {**given, "value.owner_id.text": "R77"})
    assert owner() == wanted
    client.post("/companies/many", {**given, "value.owner_id": "none", "value.owner_id.text": ""})
    assert owner() is None


HUGE = "9" * 40


ODD = (
    "/companies?f.owner_id.from=abc", "/companies?f.owner_id.has=abc", "/companies?f.owner_id=abc",
    "/companies?f.created_at=abc", "/companies?f.created_at.from=abc", "/companies?f.created_at.to=9999-12-31",
    "/companies?f.created_at.from=0001-01-01", f"/companies?f.employees.from={HUGE}", f"/companies?f.employees={HUGE}",
    f"/companies?f.custom.fleet.from={HUGE}", f"/companies?f.owner_id={HUGE}", "/companies?f.owner_id=²",
    f"/companies?page={HUGE}", "/companies?page=²", f"/deals?f.amount.from={HUGE}", "/deals?f.amount.from=1e999999999",
    "/companies/filters?f.employees.from=abc&f.created_at.to=x", "/companies/filters?f.annual_revenue.from=NaN",
    "/companies?by=segment&f.employees.from=abc", "/companies/export?f.employees.from=abc",
    "/companies?f.custom.worth.from=0", "/companies?sort=custom.worth&cols=custom.worth", "/companies/{firm}/edit",
    "/deals/add?amount=abc", "/deals/add?amount=1e999999999", f"/deals/add?company={HUGE}", "/deals/add?company=²",
    "/deals/add?created_on=abc", f"/deals/board?rep={HUGE}", "/deals/board?rep=²", f"/companies/{HUGE}",
    f"/customers/{HUGE}", "/customers/{firm}/timeline?page=²", f"/customers/{{firm}}/timeline?page={HUGE}",
    f"/duplicates?page={HUGE}", f"/duplicates/companies/{HUGE}-1", f"/companies/views/{HUGE}",
    "/analyses/abc?scope=team:²", f"/analyses/abc?scope=portfolio:{HUGE}", "/analyses/abc?page=²",
    "/analyses/abc?as_of=9999-12-31", "/analyses/abc?as_of=0001-01-01&compare=0001-01-01", "/portfolios/1?as_of=x",
)  # fmt: skip


def test_an_odd_address_is_answered(odd: Any) -> None:
    """No address is a fault of ours: what it cannot mean is told, or there is nothing there."""
    for address in ODD:
        answer = odd.get(address.replace("{firm}", str(odd.firm)))
        assert answer.status_code in (200, 302, 400, 404, 405), address
        if answer.status_code == 400:
            assert re.search(r"<p[^>]*>[^<]{10,}</p>", answer.content.decode()), address


@pytest.fixture
def odd(sign_in: Any, firms: Any) -> Any:
    """Somebody before a workspace in which a file left a text in a field for amounts."""
    from klientel.web.records import custom
    from klientel.web.records import models as m

    custom.define(m.Company, "worth", "Worth", "money", at=AT)
    m.Company.objects.filter(number="K1").update(custom={"fleet": 3, "worth": "n/a"})
    m.Company.objects.filter(number="K3").update(custom={"fleet": 12, "worth": "0.00"})
    client = sign_in()
    client.firm = firms["K1"].pk
    return client


def test_a_text_in_a_field_for_amounts_is_no_zero(odd: Any) -> None:
    """ "n/a" meets no range, stands behind the numbers, and is shown as nothing."""
    assert names(odd.get("/companies?f.custom.worth.from=-1&f.custom.worth.to=1")) == ["Zander AG"]
    assert names(odd.get("/companies?f.custom.worth=0")) == ["Zander AG"]
    assert names(odd.get("/companies?sort=custom.worth"))[0] == "Zander AG"
