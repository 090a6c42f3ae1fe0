"""Deals, leads, tasks, mergers and undo over the API."""

from __future__ import annotations

from typing import Any


def test_a_deal_goes_through_its_stages(program: Any, firm: Any) -> None:
    """Moved, closed, reopened; its stage cannot be written, its history is."""
    from klientel.web.records.models import Opportunity

    boss = program()
    deal = boss.post(
        "/deals", {"company_id": firm("A").pk, "name": "Pumps", "stage": "Offer", "amount": 10}
    ).json()
    assert boss.patch(f"/deals/{deal['id']}", {"stage": "Won"}).json()["field"] == "stage"
    moved = boss.post(f"/deals/{deal['id']}/move", {"stage": "Talks", "version": deal["version"]})
    assert moved.json()["stage"] == "Talks"
    late = boss.post(f"/deals/{deal['id']}/move", {"stage": "Talks", "version": deal["version"]})
    assert late.status_code == 409
    won = boss.post(f"/deals/{deal['id']}/close", {"outcome": "won", "amount": "12.50"}).json()
    assert (won["outcome"], won["amount"], won["close_date"]) == ("won", "12.5000", "2026-06-15")
    assert boss.post(f"/deals/{deal['id']}/close", {"outcome": "lost"}).status_code == 400
    again = boss.post(f"/deals/{deal['id']}/reopen", {"stage": "Talks"}).json()
    assert (again["outcome"], again["close_date"]) == ("open", None)
    stages = Opportunity.objects.get().stages.values_list("stage", flat=True)
    assert list(stages) == ["Offer", "Talks", "Won"]  # of one day, so that talks stand once
    assert boss.post(f"/acts/{again['act']}/undo").json()["conflicts"] == []
    back = boss.get(f"/deals/{deal['id']}").json()
    assert (back["outcome"], back["stage"]) == ("won", won["stage"])
    assert boss.post(f"/deals/{deal['id']}/close", {"outcome": "open"}).json()["field"] == "outcome"


def test_a_lead_becomes_a_customer_and_back(program: Any) -> None:
    """Its calls go over; the act takes all of it back."""
    boss = program()
    lead = boss.post("/leads", {"company_name": "Nova", "name": "Ina", "email": "ina@nova.example"}).json()[
        "id"
    ]
    call = boss.post("/interactions", {"lead_id": lead, "type": "call"}).json()["id"]
    wrong = boss.post(f"/leads/{lead}/convert", {"deal": {"amont": 1}})
    assert wrong.json()["field"] == "deal.amont"
    made = boss.post(f"/leads/{lead}/convert", {"deal": {"amount": "500", "stage": "Offer"}}).json()
    assert boss.get(f"/interactions/{call}").json()["company_id"] == made["company_id"]
    assert boss.get(f"/deals/{made['deal_id']}").json()["amount"] == "500.0000"
    assert boss.get(f"/contacts/{made['contact_id']}").json()["email"] == "ina@nova.example"
    back = boss.post(f"/acts/{made['act']}/undo").json()
    assert back["conflicts"] == []
    assert boss.get(f"/companies/{made['company_id']}").status_code == 404
    assert boss.get(f"/leads/{lead}").json()["converted_on"] is None
    assert boss.post(f"/acts/{made['act']}/undo").status_code == 400


def test_every_change_can_be_taken_back(program: Any) -> None:
    """Each answer names its act."""
    boss = program()
    made = boss.post("/companies", {"name": "A", "city": "Ulm"}).json()
    changed = boss.patch(f"/companies/{made['id']}", {"city": "Bonn"}).json()
    assert boss.post(f"/acts/{changed['act']}/undo").json()["restored"] >= 1
    assert boss.get(f"/companies/{made['id']}").json()["city"] == "Ulm"
    gone = boss.delete(f"/companies/{made['id']}").json()
    boss.post(f"/acts/{gone['act']}/undo")
    assert boss.get(f"/companies/{made['id']}").status_code == 200
    assert boss.post("/acts/none/undo").status_code == 404
    task = boss.post("/tasks", {"title": "Call"}).json()["id"]
    done = boss.post(f"/tasks/{task}/done", {"on": "2026-06-14"}).json()
    assert done["done_on"] == "2026-06-14"
    again = boss.post(f"/tasks/{task}/done", {"on": "2026-06-14"}).json()  # changes nothing
    assert boss.post(f"/acts/{again['act']}/undo").status_code == 404
    assert boss.get(f"/tasks/{task}").json()["done_on"] == "2026-06-14"
    assert boss.post(f"/acts/{done['act']}/undo").json()["conflicts"] == []
    assert boss.get(f"/tasks/{task}").json()["done_on"] is None


def test_duplicates_are_merged_and_taken_apart(program: Any, firm: Any) -> None:
    """A dry run changes nothing; the merger can be taken back."""
    boss = program()
    one, two = firm("Alba"), firm("Alba GmbH", city="Ulm")
    boss.post("/contacts", {"company_id": two.pk, "name": "P"})
    dry = boss.post(f"/companies/{one.pk}/merge", {"others": [two.pk], "dry_run": True}).json()
    assert {"column": "city", "title": "City", "value": "Ulm", "source": two.pk} in dry["values"]
    assert dry["act"] is None
    assert len(boss.items("/companies")) == 2
    made = boss.post(f"/companies/{one.pk}/merge", {"others": [two.pk], "choose": {"name": two.pk}}).json()
    assert boss.get(f"/companies/{one.pk}").json()["name"] == "Alba GmbH"
    assert boss.items("/contacts")[0]["company_id"] == one.pk
    assert boss.items("/companies?deleted=true") == []  # merged is not deleted
    assert made["act"]
    assert boss.post(f"/companies/{two.pk}/bring-back").status_code == 400
    back = boss.post(f"/companies/{two.pk}/unmerge")
    assert back.json()["conflicts"] == []
    assert boss.items("/contacts")[0]["company_id"] == two.pk
    assert boss.post(f"/companies/{one.pk}/merge", {"others": [one.pk]}).status_code == 400


def test_a_token_may_do_what_its_scopes_say(program: Any, holder: Any, firm: Any) -> None:
    """Reading alone writes nothing, whatever its person may; and what it does is the person's deed."""
    from klientel.web.accounts.models import ApiToken
    from klientel.web.records.models import Change

    boss, made = program(), firm("A")
    reader, writer = holder(boss, "read"), holder(boss, "read", "write")
    assert [r["name"] for r in reader.items("/companies")] == ["A"]
    for asked in (
        reader.post("/companies", {"name": "B"}), reader.patch(f"/companies/{made.pk}", {"city": "Ulm"}),
        reader.delete(f"/companies/{made.pk}"), reader.post(f"/companies/{made.pk}/merge", {"others": [1]}),
    ):  # fmt: skip
        assert asked.status_code == 403, asked.content
    assert writer.patch(f"/companies/{made.pk}", {"city": "Ulm"}).status_code == 200
    assert Change.objects.order_by("pk").last().actor == boss.user
    first = writer.post("/tasks", {"title": "x"}, idempotency_key="k")
    assert first.status_code == 201
    assert reader.post("/tasks", {"title": "x"}, idempotency_key="k").status_code in (403, 422)
    ApiToken.objects.update(revoked_at="2026-06-01T00:00Z")
    assert reader.get("/companies").status_code == 401


def test_costs_and_persons_stay_hidden_in_a_merger(program: Any, sellers: Any, firm: Any) -> None:
    """Who may not see personal data sees none in what a merger would do."""
    from klientel.web.accounts import services

    one, two = firm("A", "anna"), firm("B", "anna", email="secret@example.com")
    anna = sellers["anna"]
    seen = anna.post(f"/companies/{one.pk}/merge", {"others": [two.pk], "dry_run": True})
    assert "secret@example.com" in seen.content.decode()
    services.edit_user(None, anna.user, one.created_at, grants={"personal": "none"})
    unseen = anna.post(f"/companies/{one.pk}/merge", {"others": [two.pk], "dry_run": True})
    assert unseen.status_code == 200
    assert "secret" not in unseen.content.decode()
