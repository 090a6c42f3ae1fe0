"""Everything known of one person, rules of retention, and consents."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from klientel.errors import BadParameter, NotAllowed

AT = datetime(2025, 2, 1, tzinfo=UTC)


@pytest.fixture
def eva(home: Any) -> Any:
    from klientel.web.records import changes
    from klientel.web.records import models as m

    firm = changes.create(m.Company, {"number": "C1", "name": "Firm"}, None, "edit", AT)
    one = {
        "number": "P1",
        "company_id": firm.pk,
        "first_name": "Eva",
        "name": "Quandt",
        "email": "eva@example.com",
    }
    made = changes.create(m.Contact, one, None, "edit", AT)
    changes.update(made, {"email": "quandt@example.com"}, None, "edit", AT)
    changes.create(m.Note, {"contact_id": made.pk, "text": "Likes tea"}, None, "edit", AT)
    changes.create(m.Interaction, {"contact_id": made.pk, "company_id": firm.pk, "ts": date(2024, 1, 1), "type": "call",
                                   "text": "Spoke of her son"}, None, "edit", AT)  # fmt: skip
    changes.create(m.Task, {"company_id": firm.pk, "title": "Write to Quandt"}, None, "edit", AT)
    other = changes.create(m.Company, {"number": "C2", "name": "Quandt AG"}, None, "edit", AT)
    changes.create(m.Task, {"company_id": other.pk, "title": "Ask Eva Quandt"}, None, "edit", AT)
    folder = home.of_import(7)
    folder.mkdir(parents=True)
    (folder / "rejected-1-x.csv").write_text("a;b\n1;eva@example.com\n2;other\n", encoding="utf-8")
    return made


def _run(*args: str) -> Any:
    from klientel.web.privacy.commands import commands

    return CliRunner().invoke(click.Group("klientel", commands=commands("en")), ["privacy", *args])


def test_the_report_has_everything_about_the_person_and_nothing_else(home: Any, eva: Any) -> None:
    from klientel.web.privacy import consents, subject

    consents.record(None, eva, "newsletter", True, date(2024, 1, 1), AT)
    found = subject.subject_report(home, eva)
    assert found["counts"] == {
        "records": 1, "consents": 1, "interactions": 1, "notes": 1, "answers": 0, "history": 0, "changes": 2,
        "mentions": 2, "facts": 0, "files": 1,
    }  # fmt: skip
    assert found["records"][0]["email"] == "quandt@example.com"
    assert found["changes"][1]["before"] == {"email": "eva@example.com"}
    assert found["files"] == [{"file": "imports/7/rejected-1-x.csv", "text": "1;eva@example.com"}]
    assert {m["title"] for m in found["mentions"]} == {"Write to Quandt", "Ask Eva Quandt"}
    assert "Quandt AG" not in json.dumps(found)  # a firm of that name is not the person
    told = subject.readable(found, "en")
    assert "Likes tea" in told
    assert "Spoke of her son" in told


def test_the_report_is_for_who_may_see_and_export(home: Any, eva: Any) -> None:
    from klientel.web.accounts.services import add_user
    from klientel.web.privacy import subject

    for i, grants in enumerate(({"read": "all", "export": "all"}, {"read": "all", "personal": "all"}, {})):
        user = add_user(None, f"u{i}", AT, grants=grants)
        with pytest.raises(NotAllowed):
            subject.subject_report(home, eva, actor=user)


def test_report_and_erasure_on_the_command_line(home: Any, eva: Any) -> None:
    place = str(home.folder)
    report = json.loads(_run("report", place, "contact", "quandt@example.com", "--format", "json").output)
    assert report["records"][0]["number"] == "P1"
    assert isinstance(_run("report", place, "contact", "P9").exception, BadParameter)
    assert isinstance(_run("erase", place, "contact", "P1").exception, SystemExit)  # asked, nothing answered
    erased = json.loads(_run("erase", place, "contact", "P1", "--yes", "--format", "json").output)
    assert erased["state"] == "done"
    assert "P1" not in json.dumps(erased)
    after = json.loads(_run("report", place, "contact", "P1", "--format", "json").output)
    told = json.dumps(after)
    for word in ("Quandt", "Eva", "tea", "son", "example.com"):
        assert word not in told, word
    assert len(json.loads(_run("log", place, "--format", "json").output)) == 1


def test_notes_go_when_they_expire(home: Any, eva: Any) -> None:
    from klientel.web.privacy import retention
    from klientel.web.records import changes
    from klientel.web.records import models as m

    late = changes.create(m.Note, {"text": "Gone soon", "expires_on": date(2025, 2, 1)}, None, "edit", AT)
    changes.create(m.Note, {"text": "Stays", "expires_on": date(2025, 2, 2)}, None, "edit", AT)
    (only,) = retention.due(home, date(2025, 2, 1))
    assert (only.model, only.why, only.ids) == ("Note", "expired", (late.pk,))
    assert m.Note.objects.filter(pk=late.pk).exists()  # saying so changes nothing
    retention.apply(home, date(2025, 2, 1), AT)
    assert not m.Note.objects.filter(pk=late.pk).exists()
    assert not m.Change.objects.filter(model="Note", object_id=late.pk, after__text="Gone soon").exists()
    assert m.Note.objects.filter(text="Stays").exists()
    assert retention.due(home, date(2025, 2, 1)) == []


def test_rules_by_purpose_and_months(home: Any, eva: Any) -> None:
    from klientel.web.privacy import retention
    from klientel.web.records import changes
    from klientel.web.records import models as m

    def note(purpose: str, day: date) -> int:
        made = changes.create(m.Note, {"text": "x", "purpose": purpose, "written_on": day}, None, "edit", AT)
        return int(made.pk)

    old, young = note("gift", date(2024, 1, 31)), note("gift", date(2024, 2, 1))
    plain = note("", date(2022, 1, 1))
    retention.set_rule(None, "Note", 12, "gift")
    retention.set_rule(None, "Note", 36)
    found = {d.why: d.ids for d in retention.due(home, date(2025, 2, 1))}
    assert found == {"12 (gift)": (old,), "36": (plain,)}
    assert young not in found["12 (gift)"]
    retention.set_rule(None, "Note", 0, "gift")
    assert {d.why for d in retention.due(home, date(2025, 2, 1))} == {"36"}
    for wrong in (("Notes", 1, ""), ("Interaction", 1, "gift"), ("Note", -1, "")):
        with pytest.raises(BadParameter):
            retention.set_rule(None, *wrong)


def test_texts_leads_contacts_and_rejected_rows_go_by_rule(home: Any, eva: Any) -> None:
    from klientel.web.imports.models import Import
    from klientel.web.privacy import retention
    from klientel.web.records import changes
    from klientel.web.records import models as m

    for subject in ("Interaction", "Lead", "Contact", "Import"):
        retention.set_rule(None, subject, 6)
    lead = {"name": "Lara Lead", "email": "lara@example.com", "created_on": date(2024, 1, 1)}
    cold = changes.create(m.Lead, lead, None, "edit", AT)
    warm = changes.create(m.Lead, {**lead, "name": "Warm One", "email": "w@example.com"}, None, "edit", AT)
    changes.create(
        m.Interaction, {"lead_id": warm.pk, "ts": date(2025, 1, 1), "text": "called"}, None, "edit", AT
    )
    changes.update(eva, {"active_to": date(2024, 3, 1)}, None, "edit", AT)
    run = Import.objects.create(pk=7, at=datetime(2024, 1, 1, tzinfo=UTC), state="done")
    found = {d.model: d.count for d in retention.due(home, date(2025, 2, 1))}
    assert found == {"Interaction": 1, "Lead": 1, "Contact": 1, "Import": 1}
    retention.apply(home, date(2025, 2, 1), AT)
    assert not list(home.of_import(run.pk).glob("rejected-*"))
    cold.refresh_from_db()
    eva.refresh_from_db()
    warm.refresh_from_db()
    assert cold.name.startswith("erased-")
    assert eva.name.startswith("erased-")
    assert cold.name != eva.name
    assert warm.name == "Warm One"
    assert m.Interaction.objects.get(ts=date(2024, 1, 1)).text == ""
    assert m.Interaction.objects.get(ts=date(2025, 1, 1)).text == "called"
    assert retention.due(home, date(2025, 2, 1)) == []


def test_consents_are_added_and_any_day_can_be_told(home: Any, eva: Any) -> None:
    from klientel.web.privacy import consents
    from klientel.web.records.models import Consent

    assert consents.state(eva, "newsletter", date(2025, 1, 1)) is None
    consents.record(None, eva, "newsletter", True, date(2024, 3, 1), AT, source="fair")
    consents.record(None, eva, "newsletter", False, date(2024, 6, 1), AT)
    consents.record(None, eva, "calls", True, date(2024, 4, 1), AT)
    consents.record(None, eva, "newsletter", True, date(2024, 6, 1), AT)  # the same day, corrected
    told = [consents.state(eva, "newsletter", date(2024, m, 1)) for m in (2, 3, 5, 6)]
    assert told == [None, True, True, True]
    assert consents.states(eva, date(2024, 4, 1)) == {"newsletter": True, "calls": True}
    assert [c.given for c in consents.history(eva)] == [True, True, False, True]
    assert Consent.objects.count() == 4
    for wrong in (("", date(2024, 1, 1)), ("x", date(2025, 2, 2))):
        with pytest.raises(BadParameter):
            consents.record(None, eva, wrong[0], True, wrong[1], AT)


def test_every_text_field_is_known_as_personal_free_or_plain(home: Any) -> None:
    from django.apps import apps

    from klientel.web.privacy.cleaning import texts_of
    from klientel.web.privacy.fields import EVERYWHERE, PLAIN, TEXT, personal

    for model in apps.get_app_config("records").get_models():
        name = model.__name__
        known = {*personal(name), *TEXT.get(name, ()), *PLAIN.get(name, ()), *EVERYWHERE}
        made = {f.name for f in model._meta.concrete_fields if f.generated}  # by the database, of others
        assert {f.name for f in texts_of(model)} - made <= known, name
