"""Lists of records, narrowed: one rule for every model, and none is forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from klientel.errors import NotAllowed
from klientel.web.rights import demand, demand_all, rows, shown, visible

AT = datetime(2025, 1, 1, tzinfo=UTC)


def _models() -> list[Any]:
    from django.apps import apps

    return [m for m in apps.get_models() if m.__module__.startswith("klientel.")]


def _fill(people: Any) -> dict[str, Any]:
    """One record of every kind at K01 (Anna's) and at K04 (Ben's)."""
    from klientel.web.records import models as m

    made: dict[str, Any] = {}
    for number, who in (("K01", "anna"), ("K04", "ben")):
        firm, rep = m.Company.objects.get(number=number), people.reps[who]
        contact = m.Contact.objects.create(company=firm, name=f"Contact of {who}", email=f"{who}@example.com")
        deal = m.Opportunity.objects.create(company=firm, name="Deal", rep=rep, amount=1)
        m.StageEntry.objects.create(opportunity=deal, stage="new", entered_on=date(2024, 1, 1))
        lead = m.Lead.objects.create(name=f"Lead of {who}", rep=rep)
        survey, _ = m.Survey.objects.get_or_create(number="S", name="Wave")
        m.Contract.objects.create(company=firm)
        m.Interaction.objects.create(company=firm, contact=contact, cost=5, text="Likes tea")
        m.Interaction.objects.create(lead=lead, text="Called")
        m.Task.objects.create(company=firm, title="Call")
        m.Note.objects.create(contact=contact, text="Has a dog")
        m.CompetitorObservation.objects.create(opportunity=deal, competitor="X")
        m.SurveyAnswer.objects.create(contact=contact, survey=survey, score=9)
        m.Consent.objects.create(contact=contact, purpose="mail", given=True, on=date(2024, 1, 1))
        m.DatedValue.objects.create(company=firm, attribute="segment", value="A")
        portfolio = m.Portfolio.objects.create(name=f"P {who}", owner=rep)
        m.Succession.objects.create(from_id={"K01": "K02", "K04": "K05"}[number], to_id=number)
        m.Membership.objects.create(company=firm, portfolio=portfolio)
        pair = sorted((firm.pk, m.Company.objects.get(number={"K01": "K02", "K04": "K05"}[number]).pk))
        m.NotDuplicate.objects.create(kind="Company", first=pair[0], second=pair[1])
        sides = {"before": {"email": "old@example.com", "role": "x"}, "after": {"email": "n@example.com"}}
        m.Change.objects.create(at=AT, why="edit", model="Contact", object_id=contact.pk, **sides)
        made[who] = {"company": firm, "contact": contact, "deal": deal, "lead": lead}
    return made


def test_every_model_has_a_rule(people: Any) -> None:
    for model in _models():
        for user in (*people.users.values(), None):
            for action in ("read", "write", "export", "margin", "personal"):
                visible(model._base_manager.all(), user, action).count()


def test_a_model_without_a_rule_is_refused(people: Any) -> None:
    from django.contrib.contenttypes.models import ContentType

    with pytest.raises(TypeError, match="ContentType"):
        visible(ContentType.objects.all(), people.users["anna"])


def test_each_sees_half_and_cem_sees_nothing(own_people: Any) -> None:
    made = _fill(own_people)
    users = own_people.users
    for model in _models():
        name = model.__name__
        seen = {
            n: set(visible(model._base_manager.all(), u).values_list("pk", flat=True))
            for n, u in users.items()
        }
        everything = set(model._base_manager.values_list("pk", flat=True))
        assert seen["ada"] == everything, name
        assert seen["gone"] == seen["new"] == set() or model._meta.app_label == "accounts", name
        if name in (
            "Product",
            "ProductGroup",
            "Campaign",
            "Survey",
            "Rate",
            "CustomField",
            "Team",
            "User",
            "Grant",
            "Rep",
        ):
            continue
        assert seen["cem"] == seen["rita"] == seen["nils"] == set(), name
        assert not seen["anna"] & seen["ben"], name
        if model._meta.app_label in ("accounts", "api", "jobs") or name == "SavedView":
            continue  # each one's own, whatever the customers
        if name not in ("Import", "Snapshot", "Erasure", "Erased", "RetentionRule", "Mapping", "LeadForm"):
            assert seen["anna"], name
            assert seen["ben"], name
            assert seen["anna"] | seen["ben"] <= seen["lena"], name
    assert made


def test_without_the_right_to_export_there_is_nothing_to_export(own_people: Any) -> None:
    _fill(own_people)
    for model in _models():
        if model._meta.app_label == "records":
            assert not list(rows(model._base_manager.all(), own_people.users["ben"], "export"))


def test_personal_fields_and_costs_stay_hidden(own_people: Any) -> None:
    made = _fill(own_people)
    dora = own_people.users["dora"]  # reads all, no personal data
    row = shown(made["anna"]["contact"], dora)
    assert row["name"] is None
    assert row["email"] is None
    assert shown(made["anna"]["contact"], own_people.users["anna"])["email"] == "anna@example.com"
    from klientel.web.records.models import Change, Company, Interaction, Note, Rep

    assert {r["text"] for r in rows(Interaction.objects.all(), dora)} == {None}
    assert {r["text"] for r in rows(Note.objects.all(), dora)} == {None}
    assert {r["cost"] for r in rows(Interaction.objects.exclude(company=None), dora)} == {5}
    assert {r["cost"] for r in rows(Interaction.objects.all(), own_people.users["lena"])} == {None}
    assert {r["email"] for r in rows(Company.objects.all(), own_people.users["ben"])} == {None}
    assert {r["cost_hour"] for r in rows(Rep.objects.all(), own_people.users["ben"])} == {None}
    found = list(rows(Change.objects.all(), dora))
    assert [r["before"] for r in found] == [{"role": "x"}] * 2
    assert not any("example.com" in str(r) for r in found)
    assert any("example.com" in str(r) for r in rows(Change.objects.all(), own_people.users["anna"]))


def test_personal_custom_fields_stay_hidden(own_people: Any) -> None:
    from klientel.web.records.models import Company, CustomField

    CustomField.objects.create(model="Company", name="birthday", title="Birthday", kind="date", personal=True)
    Company.objects.filter(number="K01").update(custom={"birthday": "1 May", "hall": 3})
    firm = Company.objects.get(number="K01")
    assert shown(firm, own_people.users["dora"])["custom"] == {"hall": 3}
    assert shown(firm, own_people.users["anna"])["custom"] == {"birthday": "1 May", "hall": 3}


def test_a_record_out_of_reach_cannot_be_changed(own_people: Any) -> None:
    made = _fill(own_people)
    anna, ben = own_people.users["anna"], own_people.users["ben"]
    demand(anna, "write", *made["anna"].values())
    for record in made["ben"].values():
        with pytest.raises(NotAllowed):
            demand(anna, "write", record)
        with pytest.raises(NotAllowed):
            shown(record, anna)
    with pytest.raises(NotAllowed):
        demand(own_people.users["dora"], "write", made["anna"]["company"])
    demand(ben, "write", made["ben"]["contact"])


def test_new_records_belong_where_they_point_to(own_people: Any) -> None:
    from klientel.web.records import models as m

    made = _fill(own_people)
    anna = own_people.users["anna"]
    demand(
        anna,
        "write",
        m.Contact(company=made["anna"]["company"]),
        m.Lead(rep=own_people.reps["anna"]),
        m.Lead(),
    )
    demand(anna, "write", m.Company(owner=own_people.reps["anna"]))
    for record in (
        m.Contact(company=made["ben"]["company"]),
        m.Lead(rep=own_people.reps["ben"]),
        m.Company(owner=own_people.reps["ben"]),
        m.Company(),
        m.Product(),
        m.StageEntry(opportunity=made["ben"]["deal"]),
        m.Consent(contact=made["ben"]["contact"]),
        m.Portfolio(owner=own_people.reps["ben"]),
    ):
        with pytest.raises(NotAllowed):
            demand(anna, "write", record)


def test_what_touches_everything_needs_everything(people: Any) -> None:
    for name in ("anna", "lena", "dora", "rita", "gone"):
        with pytest.raises(NotAllowed):
            demand_all(people.users[name], "write")
    demand_all(people.users["ada"], "write")
    demand_all(None, "write")


def test_what_one_made_without_a_company_is_ones_own(own_people: Any) -> None:
    from klientel.web.records.models import Change, Note

    note = Note.objects.create(text="Mine")
    assert not visible(Note.objects.all(), own_people.users["anna"]).exists()
    Change.objects.create(
        at=AT, actor=own_people.users["anna"], why="edit", model="Note", object_id=note.pk, after={}
    )
    assert visible(Note.objects.all(), own_people.users["anna"]).get() == note
    assert visible(Note.objects.all(), own_people.users["lena"]).get() == note
    assert not visible(Note.objects.all(), own_people.users["ben"]).exists()


def test_what_an_undo_leaves_alone_is_told_without_names_of_persons(own_people: Any) -> None:
    """Whoever may not see personal data reads the number of the contact that stays, and so does the log of imports."""
    from klientel.web.imports.models import Import
    from klientel.web.records import changes, undoing
    from klientel.web.records.models import Company, Contact

    run = Import.objects.create(at=AT, state="done")
    values = {"number": "P9", "company_id": Company.objects.get(number="K01").pk, "name": "Anders"}
    changes.bulk_create(Contact, [values], run, AT)
    changes.update(Contact.objects.get(number="P9"), {"role": "buyer"}, at=AT)
    users = own_people.users
    told = {n: undoing.preview(run, actor=users[n]).conflicts[0] for n in ("dora", "ada")}
    assert (told["dora"].name, told["ada"].name) == ("P9", "Anders")
    assert told["ada"].as_json()["name"] == "P9"
