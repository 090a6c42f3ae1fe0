"""Erasing a person: gone from every file of the workspace, and every analysis answers as before."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import klientel
from klientel.errors import MissingInput

AT = datetime(2025, 2, 1, tzinfo=UTC)
WORDS = (b"Quandt", b"quandt", b"Eulalia", b"0171 555 4711")


def _files(folder: Path) -> dict[str, list[dict[str, Any]]]:
    lines = [
        {"Invoice": str(100 + i), "Customer No": f"C{i % 7}", "Customer": f"Firm {i % 7} GmbH",
         "Date": f"2024-{1 + i % 12:02d}-10", "Product": f"P{i % 3}", "Quantity": 1 + i % 4,
         "Net amount": f"{100 + 7 * i}.50"}
        for i in range(60)
    ]  # fmt: skip
    for line in lines:
        if line["Customer No"] == "C3":
            line["Customer"] = "Eulalia Quandt e.K."
    bad = {**lines[0], "Invoice": "999", "Customer": "Eulalia Quandt e.K.", "Net amount": "not a number"}
    contacts = [
        {"Contact No": "P1", "Customer No": "C1", "First name": "Eulalia", "Last name": "Quandt",
         "E-mail": "e.quandt@example.com", "Phone": "0171 555 4711", "Role": "Buyer"},
        {"Contact No": "P2", "Customer No": "C1", "First name": "Bert", "Last name": "Bold",
         "E-mail": "bold@example.com", "Phone": "", "Role": "Head"},
    ]  # fmt: skip
    return {"invoices": [*lines, bad], "contacts": contacts}


def _write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _import(home: Any, *paths: Path) -> Any:
    from klientel.web.imports import importing

    return importing.run(home, paths, progress=lambda *_: None, now=AT)


@pytest.fixture
def filled(home: Any, tmp_path: Path) -> Any:
    """Invoices (one rejected, one changed by a second import), contacts, notes, visits, a lead of the same person."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    rows = _files(tmp_path)
    _import(home, *(_write(tmp_path, name, found) for name, found in rows.items()))
    again = [{**row, "Net amount": "1.00"} for row in rows["invoices"][:5] if row["Customer No"] == "C3"]
    assert again
    _import(home, _write(tmp_path, "corrected", again))
    firm = m.Company.objects.get(number="C1")
    eva = m.Contact.objects.get(number="P1")
    assert (eva.first_name, eva.name, eva.email) == ("Eulalia", "Quandt", "e.quandt@example.com")
    changes.update(eva, {"phone": "0171 555 4712"}, None, "edit", AT)
    changes.update(eva, {"phone": "0171 555 4711", "custom": {"spouse": "Kurt Quandt"}}, None, "edit", AT)
    changes.create(
        m.Note, {"contact_id": eva.pk, "company_id": firm.pk, "text": "Loves tea"}, None, "edit", AT
    )
    changes.create(m.Note, {"company_id": firm.pk, "text": "Ask Mrs Quandt; Bert knows"}, None, "edit", AT)
    call = {
        "company_id": firm.pk,
        "contact_id": eva.pk,
        "ts": date(2024, 5, 5),
        "type": "call",
        "text": "Her dog is ill",
    }
    changes.create(m.Interaction, call, None, "edit", AT)
    other = m.Company.objects.get(number="C2")
    changes.create(
        m.Task, {"company_id": other.pk, "title": "Greet EULALIA QUANDT at the fair"}, None, "edit", AT
    )
    lead = {
        "name": "E. Quandt",
        "email": "E.Quandt@example.com",
        "company_name": "X",
        "created_on": date(2024, 1, 1),
    }
    changes.create(m.Lead, lead, None, "edit", AT)
    (home.folder / "cache").mkdir(exist_ok=True)
    (home.folder / "cache" / "r.json").write_text("Quandt")
    return home


def _everything(home: Any) -> bytes:
    from django.db import connections

    connections.close_all()
    return b"\0".join(p.read_bytes() for p in sorted(home.folder.rglob("*")) if p.is_file())


def _plain_bytes(home: Any) -> str:
    """Every file of the workspace as text, Parquet files by their rows."""
    import duckdb

    found = [_everything(home).decode("latin-1")]
    for path in home.folder.rglob("*.parquet"):
        found += [str(r) for r in duckdb.connect().read_parquet(str(path)).fetchall()]
    return "\n".join(found)


def _answers(home: Any, *names: str) -> dict[str, Any]:
    from klientel.analyses import ANALYSES
    from klientel.web import books

    book = books.open_book(home, as_of=date(2025, 1, 1))
    found: dict[str, Any] = {"tables": {n: t.count().to_pyarrow().as_py() for n, t in book.tables.items()}}
    for analysis in [ANALYSES[n] for n in names] or ANALYSES.values():
        try:
            result = klientel.analyse(book, analysis.name)
        except MissingInput:
            continue
        rows = {}
        for name, table in result.tables.items():
            kept = [c for c in table.to_pyarrow().column_names if c not in ("name", "customer_name")]
            rows[name] = table.to_pyarrow().select(kept).to_pylist()
        found[analysis.name] = (result.figures, rows)
    return found


def _uploaded_and_backed_up(home: Any) -> None:
    """A file on its way in, and backups made in the browser: one whole, one that is being written."""
    from klientel.web import backups
    from klientel.web.accounts import services
    from klientel.web.imports import drafts, kept_backups
    from klientel.web.imports.receiving import Incoming

    boss = services.add_user(None, "boss", AT, role="administrator")
    with Incoming(drafts.new(home, boss), "contacts.csv") as target:
        target.write(b"Contact No,Last name\nP7,Quandt\n")
    place = kept_backups.place(home, AT)
    backups.write(home, place, progress=lambda *_: None, within=True)
    place.with_suffix(".zip.part").write_bytes(place.read_bytes())
    assert kept_backups.listed(home) == [place]


def test_a_contact_is_gone_from_every_file_and_every_answer_stays(filled: Any) -> None:
    from klientel.web.privacy import erasing, persons
    from klientel.web.records import models as m

    before = _answers(filled)
    _uploaded_and_backed_up(filled)
    assert "Quandt" in _plain_bytes(filled)
    protocol = erasing.erase(filled, [persons.find("contact", "P1")], AT)
    assert protocol.state == "done"
    assert "backups kept in the workspace too" in str(erasing.told(protocol))
    assert not list((filled.folder / "backups").glob("*"))
    left = _plain_bytes(filled).lower()
    # The sole trader of the same surname is another person; her full name is the same, so it went as well.
    for word in ("quandt", "eulalia", "0171 555", "loves tea", "dog is ill", "kurt"):
        assert word not in left, word
    assert _answers(filled) == before
    assert m.Contact.objects.get(number="P1").name == protocol.token
    assert m.Contact.objects.get(number="P1").role == "Buyer"
    assert m.Contact.objects.get(number="P2").email == "bold@example.com"
    assert m.Note.objects.get(contact=None).text == "Ask Mrs █; Bert knows"
    assert m.Task.objects.get().title == "Greet █ at the fair"
    assert m.Lead.objects.get().email == ""
    assert m.Interaction.objects.get().ts == date(2024, 5, 5)


def test_the_protocol_names_nobody(filled: Any) -> None:
    from klientel.web.privacy import erasing, persons
    from klientel.web.privacy.models import Erasure

    erasing.erase(filled, [persons.find("contact", "P1")], AT)
    row = Erasure.objects.values().get()
    told = str(row).lower()
    assert not any(w.decode().lower() in told for w in WORDS)
    assert "p1" not in told
    assert row["counts"]["records"] == 2  # the contact and the lead
    assert row["counts"]["import_files"] >= 1
    assert row["counts"]["facts_lines"] >= 1


def test_a_sole_trader_is_gone_and_revenue_stays(filled: Any) -> None:
    from klientel.web.privacy import erasing, persons
    from klientel.web.records.models import Change, Company, Contact, Lead

    for model in (Contact, Lead):  # another person of that name, in fields of their own
        model.objects.all().delete()
        Change.objects.filter(model=model.__name__).delete()
    before = _answers(filled)
    protocol = erasing.erase(filled, [persons.find("customer", "C3")], AT)
    assert Company.objects.get(number="C3").name == protocol.token
    left = _plain_bytes(filled).lower()
    assert "eulalia" not in left
    assert "e.k." not in left
    assert _answers(filled) == before


def test_erasing_twice_changes_nothing_more(filled: Any) -> None:
    from klientel.web.privacy import erasing, persons

    erasing.erase(filled, [persons.find("contact", "P1")], AT)
    before = _answers(filled)
    erasing.erase(filled, [persons.find("contact", "P1")], AT)
    assert _answers(filled) == before


def test_undo_does_not_bring_a_person_back(filled: Any) -> None:
    from klientel.web.imports import undoing
    from klientel.web.imports.models import Import
    from klientel.web.privacy import erasing, persons

    erasing.erase(filled, [persons.find("contact", "P1")], AT)
    for number in sorted(Import.objects.values_list("pk", flat=True), reverse=True):
        undoing.undo(filled, number, progress=lambda *_: None, now=AT)
    assert "quandt" not in _plain_bytes(filled).lower()


def test_the_same_file_again_does_not_bring_a_person_back(filled: Any, tmp_path: Path) -> None:
    from klientel.web.privacy import erasing, persons
    from klientel.web.records.models import Contact

    erasing.erase(filled, [persons.find("contact", "P1")], AT)
    _import(filled, _write(tmp_path, "contacts", _files(tmp_path)["contacts"]))
    again = Contact.objects.get(number="P1")
    assert (again.first_name, again.email, again.phone) == ("", "", "")
    assert again.name.startswith("erased-")


def test_only_who_may_do_everything_erases(filled: Any) -> None:
    from klientel.errors import NotAllowed
    from klientel.web.accounts.services import add_user
    from klientel.web.privacy import erasing, persons

    user = add_user(None, "eva", AT, grants={"read": "all", "write": "all"})
    with pytest.raises(NotAllowed):
        erasing.erase(filled, [persons.find("contact", "P1")], AT, actor=user)
    other = add_user(None, "own", AT, role="sales")
    with pytest.raises(NotAllowed):
        erasing.erase(filled, [persons.find("contact", "P1")], AT, actor=other)
    assert "Quandt" in _plain_bytes(filled)
