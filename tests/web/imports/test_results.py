"""Kept answers: the same in every respect, never stale, never shown to who may see less, bounded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import portfolio as p
import pytest

import klientel


@pytest.fixture
def filled(home, tmp_path):
    rows = [p.line(i, customer=f"C{i % 9}", day=f"2024-{i % 12 + 1:02}-05", amount=f"{i * 7 % 90}.{i % 10}1")
            for i in range(1, 160)]  # fmt: skip
    p.bring(home, p.orders(tmp_path / "a.csv", rows))
    people = [
        (f"C{i}", f"Firma {i}", "Bonn" if i % 2 else "Köln", "Bau" if i % 3 else "Handel") for i in range(9)
    ]
    p.bring(home, p.orders(tmp_path / "c.csv", people, "customer_id,name,city,industry"))
    return home


def ask(home, name, **options):
    from klientel.analyses import find
    from klientel.web import results

    return results.answer(home, find(name), today=p.TODAY, **options)


def test_a_kept_answer_is_the_answer(filled, monkeypatch):
    from klientel.analyses import unlocked
    from klientel.web import results

    names = [a.name for a in unlocked(klientel.open_book(filled.folder))[0]]
    first = {name: ask(filled, name) for name in names}
    plain = klientel.analyse(klientel.open_book(filled.folder), "abc").to_dict("de")
    monkeypatch.setattr(results, "compute", lambda *a, **k: pytest.fail("computed again"))
    for name in names:
        again = ask(filled, name)
        for lang in ("en", "de"):
            assert json.dumps(again.to_dict(lang)) == json.dumps(first[name].to_dict(lang)), name
        for table, kept in again.tables.items():
            assert kept.to_pyarrow().equals(first[name].tables[table].to_pyarrow())
    now = ask(filled, "abc").to_dict("de")
    assert {k: v for k, v in now.items() if k != "reproduce"} == {
        k: v for k, v in plain.items() if k != "reproduce"
    }


def test_an_import_an_edit_and_other_parameters_ask_anew(filled, tmp_path):
    from klientel.web.records import changes
    from klientel.web.records.models import Company

    def value(**options):
        return ask(filled, "abc", window="all", **options).figures["total_value"]

    before = value()
    p.bring(filled, p.orders(tmp_path / "b.csv", [p.line(900, amount="1000")]))
    assert value() == before + 1000
    assert value(as_of=date(2024, 6, 1)) < before
    assert value(currency="EUR") == before + 1000
    name = {
        r["customer_id"]: r["name"] for r in ask(filled, "abc").tables["customers"].to_pyarrow().to_pylist()
    }
    assert name["C1"] == "Firma 1"
    changes.update(Company.objects.get(number="C1"), {"name": "Neu AG"}, at=datetime(2025, 6, 1, tzinfo=UTC))
    name = {
        r["customer_id"]: r["name"] for r in ask(filled, "abc").tables["customers"].to_pyarrow().to_pylist()
    }
    assert name["C1"] == "Neu AG"
    p.take_back(filled, 3)
    assert value() == before


def test_nobody_gets_an_answer_made_for_somebody_else(filled):
    from klientel.web.accounts.models import User

    assert ask(filled, "abc").figures["customers"] == 9
    cem = User.objects.create(username="cem")
    assert not ask(filled, "abc", actor=cem).figures["customers"]
    assert ask(filled, "abc").figures["customers"] == 9


def test_the_folder_stays_bounded(filled, monkeypatch):
    from klientel.web import results

    ask(filled, "abc")
    size = next((filled.folder / "cache").iterdir()).stat().st_size
    monkeypatch.setattr(results, "LIMIT", 5 * size)
    for a in range(50, 70):
        ask(filled, "abc", a=a / 100)
    files = list((filled.folder / "cache").iterdir())
    assert sum(f.stat().st_size for f in files) <= 5 * size
    assert results.clear(filled) == len(files)


@pytest.mark.parametrize("damage", [b"", b"\x00\x00", b"\xff" * 100, None])
def test_a_damaged_file_is_asked_anew(filled, damage):
    first = ask(filled, "abc").to_dict()
    (file,) = (filled.folder / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:-50] if damage is None else damage)
    assert ask(filled, "abc").to_dict()["tables"] == first["tables"]


@pytest.mark.parametrize("moment", ["compute", "bound"])
def test_what_changes_while_an_answer_is_made_or_written_is_not_kept_as_it_was(filled, monkeypatch, moment):
    """An erasure that is through, with the cache cleaned, before the answer is written, or while it is."""
    from klientel.web import results
    from klientel.web.privacy import erasing
    from klientel.web.records import services
    from klientel.web.records.models import Company, Contact

    at = datetime(2025, 6, 1, 12, tzinfo=UTC)
    firm = Company.objects.get(number="C1")
    contact = services.add(Contact, {"name": "Eva Lang", "company": firm}, at=at)
    real = getattr(results, moment)

    def meanwhile(*args, **kwargs):
        monkeypatch.setattr(results, moment, real)
        made = real(*args, **kwargs)
        erasing.erase(filled, [contact], at)
        return made

    monkeypatch.setattr(results, moment, meanwhile)
    before = ask(filled, "abc")
    assert Contact.objects.get().name.startswith("erased-")
    assert not results.folder(filled).is_dir() or list(results.folder(filled).iterdir()) == []
    assert ask(filled, "abc").figures == before.figures
    assert [f.suffix for f in results.folder(filled).iterdir()] == [".answer"]
