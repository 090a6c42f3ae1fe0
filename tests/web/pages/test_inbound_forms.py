"""Leads by web form: people come through, machines and foreign sites do not, and nobody learns anything by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

OWN = "http://localhost"
SITE = "https://www.example.com"
PERSON = {
    "name": "Eva Muster",
    "company": "Muster GmbH",
    "email": "eva@muster.example",
    "message": "Bitte Angebot",
}


@pytest.fixture
def boss(sign_in: Callable[..., Any]) -> Any:
    """An administrator's browser."""
    return sign_in()


@pytest.fixture
def form(boss: Any) -> Any:
    """A form that our own page and one site may send to."""
    from klientel.web.inbound.models import LeadForm

    assert boss.post("/lead-forms", {"name": "Anfrage", "origins": f"{SITE}\n"}).status_code == 302
    return LeadForm.objects.get()


@pytest.fixture
def stranger(sign_in: Callable[..., Any]) -> Any:
    """A browser of somebody whom nobody knows; tokens against forgery are checked for it."""
    return sign_in(None)


@pytest.fixture
def settings_zone() -> Any:
    """It is Berlin here."""
    from django.test import override_settings

    with override_settings(TIME_ZONE="Europe/Berlin"):
        yield


def stamped(form: Any, seconds: float = 30) -> str:
    from klientel.web.inbound import services

    return services.stamp(form, timezone.now() - timedelta(seconds=seconds))


def send(client: Any, form: Any, origin: str = OWN, **values: Any) -> Any:
    told = {**PERSON, "stamp": stamped(form), **values}
    return client.post(f"/forms/{form.token}", told, headers={"Origin": origin} if origin else {})


def leads() -> list[Any]:
    from klientel.web.records.models import Lead

    return list(Lead.objects.order_by("pk"))


def test_a_persons_enquiry_becomes_a_lead(form: Any, stranger: Any) -> None:
    from klientel.web.records.models import Interaction

    page = stranger.get(f"/forms/{form.token}").content.decode()
    assert re.search(r'name="stamp" value="[^"]{20,}"', page)
    answer = send(stranger, form)
    assert answer.status_code == 200
    assert "Thank you" in answer.content.decode()
    (lead,) = leads()
    assert (lead.name, lead.company_name, lead.email, lead.channel) == (
        "Eva Muster", "Muster GmbH", "eva@muster.example", "web form")  # fmt: skip
    said = Interaction.objects.get()
    assert (said.lead_id, said.text, said.direction) == (lead.pk, "Bitte Angebot", "in")
    form.refresh_from_db()
    assert (form.received, form.refused) == (1, 0)


@pytest.mark.parametrize(
    "machine",
    [
        {"homepage": "https://spam.example"},
        {"stamp": ""},
        {"stamp": "made:up:one"},
        {"seconds": 1},
        {"seconds": 24 * 3600},
    ],
)
def test_machines_are_thanked_and_forgotten(form: Any, stranger: Any, machine: dict[str, Any]) -> None:
    if "seconds" in machine:
        machine = {"stamp": stamped(form, machine["seconds"])}
    answer = send(stranger, form, **machine)
    assert answer.status_code == 200
    assert "Thank you" in answer.content.decode()
    assert leads() == []
    form.refresh_from_db()
    assert form.refused == 1


def test_the_stamp_of_another_form_is_worth_nothing(boss: Any, form: Any, stranger: Any) -> None:
    from klientel.web.inbound.models import LeadForm

    boss.post("/lead-forms", {"name": "Andere"})
    send(stranger, form, stamp=stamped(LeadForm.objects.get(name="Andere")))
    assert leads() == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{SITE}.evil.example"])
def test_foreign_sites_are_refused(form: Any, stranger: Any, origin: str) -> None:
    answer = send(stranger, form, origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert leads() == []


def test_ones_own_site_sends_json_and_reads_the_answer(form: Any, stranger: Any) -> None:
    address = f"/forms/{form.token}"
    asked = stranger.options(address, headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == SITE
    stamp = stranger.get(f"{address}/stamp", headers={"Origin": SITE})
    assert stamp.json()["stamp"]
    told = json.dumps({**PERSON, "stamp": stamped(form)})
    done = stranger.post(address, told, content_type="application/json", headers={"Origin": SITE})
    assert done.json() == {"ok": True}
    assert done.headers["Access-Control-Allow-Origin"] == SITE
    assert len(leads()) == 1
    bad = stranger.post(address, "[1]", content_type="application/json", headers={"Origin": SITE})
    assert (bad.status_code, bad.json()["ok"]) == (400, False)


def test_a_persons_mistakes_are_said_and_what_was_typed_stays(form: Any, stranger: Any) -> None:
    answer = send(stranger, form, email="keine", phone="")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "e-mail address or a phone number" in page
    assert "Eva Muster" in page
    assert send(stranger, form, name=" ", company="").status_code == 400
    assert leads() == []


def test_an_address_that_is_none_is_kept_for_who_reads_it(form: Any, stranger: Any) -> None:
    from klientel.web.records.models import Interaction

    send(stranger, form, email="eva at muster", phone="0711 123", message="Bitte Angebot")
    send(stranger, form, email="eva(at)muster.de", phone="0711 123", message="")
    assert [lead.email for lead in leads()] == ["", ""]
    said = list(Interaction.objects.order_by("pk").values_list("text", flat=True))
    assert said == ["Bitte Angebot\n\nE-mail: eva at muster", "E-mail: eva(at)muster.de"]


def test_a_lead_comes_in_on_the_day_that_it_is_here(form: Any, settings_zone: None) -> None:
    from datetime import UTC, date, datetime

    from klientel.web.inbound import services
    from klientel.web.records.models import Interaction

    late = datetime(2026, 6, 15, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
    told = {**PERSON, "stamp": services.stamp(form, late - timedelta(seconds=30))}
    made = services.receive(form, told, late, origin=OWN, own=OWN, address="192.0.2.1")
    assert made is not None
    made.refresh_from_db()
    assert made.created_on == date(2026, 6, 16)
    assert str(Interaction.objects.get().ts)[:10] == "2026-06-16"


def test_sales_people_who_are_gone_get_no_forms(boss: Any) -> None:
    from klientel.web.inbound.models import LeadForm
    from klientel.web.records import services
    from klientel.web.records.models import Rep

    now = timezone.now()
    here = services.add(Rep, {"number": "R1", "name": "Hier"}, at=now)
    gone = services.add(Rep, {"number": "R2", "name": "Weg"}, at=now)
    Rep.objects.filter(pk=gone.pk).update(deleted_at=now)
    page = boss.get("/lead-forms").content.decode()
    assert "Hier" in page
    assert "Weg" not in page
    assert boss.post("/lead-forms", {"name": "A", "rep": "R2"}).status_code == 400
    assert boss.post("/lead-forms", {"name": "A", "rep": "R1"}).status_code == 302
    assert LeadForm.objects.get().rep == here


def test_leads_of_a_sales_person_who_is_gone_are_nobodys(form: Any, stranger: Any) -> None:
    from klientel.web.records import services
    from klientel.web.records.models import Rep

    now = timezone.now()
    form.rep = services.add(Rep, {"number": "R1", "name": "Hier"}, at=now)
    form.save()
    send(stranger, form)
    Rep.objects.filter(pk=form.rep.pk).update(deleted_at=now)
    assert send(stranger, form).status_code == 200
    assert [lead.rep_id for lead in leads()] == [form.rep.pk, None]


def test_the_sample_speaks_the_language_of_who_reads_it(sign_in: Any, form: Any) -> None:
    page = sign_in("berta", language="de").get("/lead-forms").content.decode()
    assert '"Vielen Dank" : "Das ging nicht"' in page.replace("&quot;", '"')
    assert '"Thank you" : "That did not work"' in sign_in().get("/lead-forms").content.decode()


def test_many_at_once_have_to_wait(form: Any, stranger: Any) -> None:
    codes = [send(stranger, form, name=f"Nr. {i}").status_code for i in range(8)]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert len(leads()) < 8


def test_what_is_sent_is_text_and_nothing_else(form: Any, stranger: Any, boss: Any) -> None:
    send(stranger, form, name="<script>alert(1)</script>\x00\x07", company="=cmd()", message="a\nb")
    (lead,) = leads()
    assert lead.name == "<script>alert(1)</script>"
    page = boss.get("/records/leads", follow=True).content.decode()
    assert "<script>alert(1)</script>" not in page


def test_a_form_is_made_and_switched_off_by_whoever_may(
    boss: Any, form: Any, stranger: Any, sign_in: Callable[..., Any]
) -> None:
    page = boss.get("/lead-forms").content.decode()
    assert f"/forms/{form.token}" in page
    wrong = boss.post("/lead-forms", {"name": "Neu", "origins": "https://example.com/path"})
    assert wrong.status_code == 400
    assert boss.post("/lead-forms", {"name": "Anfrage"}).status_code == 400
    seller = sign_in("anna", "sales")
    assert seller.get("/lead-forms").status_code == 403
    assert seller.post(f"/lead-forms/{form.pk}/switch", {"on": "0"}).status_code == 403
    boss.post(f"/lead-forms/{form.pk}/switch", {"on": "0"})
    assert send(stranger, form).status_code == 404
    assert stranger.get(f"/forms/{form.token}").status_code == 404
    boss.post(f"/lead-forms/{form.pk}/switch", {"on": "1"})
    assert stranger.get(f"/forms/{form.token}").status_code == 200
    assert stranger.get("/forms/nothing").status_code == 404


@pytest.mark.parametrize(
    ("text", "origin"),
    [("www.example.com", "https://www.example.com"), ("HTTP://Example.com:8080/", "http://example.com:8080")],
)
def test_sites_are_named_as_browsers_name_them(text: str, origin: str) -> None:
    from klientel.web.inbound.services import origin_of

    assert origin_of(text) == origin
