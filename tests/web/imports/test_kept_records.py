"""Large records that are kept: always what the database says, whatever was changed; read again only where it was."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import portfolio as p
import pytest

import klientel

AT = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def filled(home: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from klientel.web import kept_records

    people = [(f"C{i}", f"Firma {i}", "Bonn" if i % 2 else "Köln", f"R{i % 3}") for i in range(12)]
    p.bring(home, p.orders(tmp_path / "c.csv", people, "customer_id,name,city,owner_rep_id"))
    calls = [(f"I{i}", f"C{i % 12}", f"2024-0{i % 9 + 1}-03", "call", f"R{i % 3}") for i in range(40)]
    p.bring(home, p.orders(tmp_path / "i.csv", calls, "interaction_id,customer_id,date,type,rep_id"))
    monkeypatch.setattr(kept_records, "WORTH_KEEPING", 1)
    return home


def look(home: Any, day: date | None = None) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The tables by way of what is kept (and they are kept), and straight from the database."""
    from klientel.web import books, kept_records
    from klientel.web.imports.models import Snapshot
    from klientel.web.records import canonical

    seen = Snapshot.objects.order_by("-number")[0].book.get("columns", {})
    state = books.state()
    with books.reading():
        found, fresh = kept_records.tables(home, seen, day, state)
        plain = canonical.tables(seen, day)
    kept_records.keep(home, fresh, state)
    return {n: [t.schema, t.to_pylist()] for n, t in found.items()}, {
        n: [t.schema, t.to_pylist()] for n, t in plain.items()
    }


def tables(home: Any, day: date | None = None) -> dict[str, list[Any]]:
    kept, plain = look(home, day)
    assert kept == plain
    return kept


def files(home: Any) -> set[str]:
    from klientel.web import results

    return {f.name.split("-")[0] for f in results.folder(home).glob("*.records")}


def forbid(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """No reading of the whole of these tables from the database."""
    from klientel.web import kept_records

    real = kept_records.canonical.read

    def only(name: str, seen: Any, as_of: Any = None, among: Any = None) -> Any:
        assert among is not None or name not in names, f"{name} is read again"
        return real(name, seen, as_of, among)

    monkeypatch.setattr(kept_records.canonical, "read", only)


def test_after_an_edit_only_what_it_changed_is_read_again(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web.records import changes
    from klientel.web.records import models as m

    def names() -> dict[str, str]:
        book = klientel.open_book(filled.folder)
        return {r["customer_id"]: r["name"] for r in book.known_customers.to_pyarrow().to_pylist()}

    plain = names()
    assert files(filled) == {"customer", "interaction"}
    with monkeypatch.context() as patch:
        forbid(patch, "customer", "interaction")
        assert names() == plain
        firm = m.Company.objects.get(number="C1")
        changes.update(firm, {"name": "Neu AG"}, at=AT)
        call = changes.create(
            m.Interaction, {"number": "I99", "company": firm, "ts": date(2025, 6, 1)}, at=AT
        )
        assert names() == {**plain, "C1": "Neu AG"}
        changes.delete(call, at=AT)
        assert names() == {**plain, "C1": "Neu AG"}
    assert tables(filled)["interaction"][1][0]["customer_id"] == "C0"
    assert len([f for f in (filled.folder / "cache").iterdir() if f.name.startswith("customer-")]) == 1
    changes.update(firm, {"number": "K1"}, at=AT)  # what others show of it
    assert "K1" in {r["customer_id"] for r in tables(filled)["interaction"][1]}


def test_an_earlier_day_is_kept_apart_and_does_not_change(filled: Any) -> None:
    from klientel.web.records import changes
    from klientel.web.records import models as m

    def city(day: date | None) -> str:
        (row,) = [r for r in tables(filled, day)["customer"][1] if r["customer_id"] == "C2"]
        return str(row["city"])

    firm = m.Company.objects.get(number="C2")
    changes.update(firm, {"city": "Jena"}, at=AT, on=date(2025, 3, 1))
    assert [city(date(2025, 3, 1)), city(date(2025, 3, 2)), city(None)] == ["Köln", "Jena", "Jena"]
    changes.update(firm, {"city": "Gera"}, at=AT, on=date(2025, 5, 1))
    assert [city(date(2025, 3, 1)), city(date(2025, 3, 2)), city(None)] == ["Köln", "Jena", "Gera"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_what_is_kept_is_what_the_database_says(
    filled: Any, tmp_path: Any, seed: int
) -> None:
    from klientel.web.imports.models import Import
    from klientel.web.records import changes, custom, merging
    from klientel.web.records import models as m

    dice, at = random.Random(seed), AT
    tables(filled)
    for k in range(25):
        at += timedelta(minutes=1)
        firm = dice.choice(list(m.Company.present.all()))
        call = dice.choice(list(m.Interaction.objects.all()))
        match dice.randrange(10):
            case 0:
                changes.create(m.Company, {"number": f"N{k}", "name": f"Neu {k}", "employees": k}, at=at)
            case 1:
                changes.update(firm, {"city": f"Ort {k}", "employees": None if k % 2 else k}, at=at)
            case 2:
                changes.update(firm, {"number": f"X{k}"}, at=at)
            case 3:
                changes.delete(firm, at=at)
            case 4:
                gone = m.Company.objects.exclude(deleted_at=None).filter(merged_into=None).first()
                if gone:
                    changes.restore(gone, at=at)
            case 5:
                values = {"number": f"J{k}", "company": firm, "ts": date(2025, 1, 1), "text": "x"}
                changes.create(m.Interaction, values, at=at)
            case 6:
                (changes.delete if call.deleted_at is None else changes.restore)(call, at=at)
            case 7:
                other = m.Company.present.exclude(pk=firm.pk).first()
                merging.merge(other, [firm], at=at)
            case 8:
                lines = [(f"Z{k}", f"Aus Datei {k}", "Ulm", "R7"), ("C3", "Firma 3", f"Aalen {k}", "R1")]
                file = p.orders(tmp_path / f"{k}.csv", lines, "customer_id,name,city,owner_rep_id")
                p.bring(filled, file)
                tables(filled)
                if dice.random() < 0.6:
                    p.take_back(filled, Import.objects.latest("pk").pk)
            case 9:
                title, name = f"Eigenes {k}", f"own_{k}"
                custom.define(m.Company, name, title, "text", at=at)
        kept, plain = look(filled)
        assert kept == plain, f"step {k}"


def test_what_changes_while_it_is_written_is_not_kept_as_it_was(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web import books, kept_records, results
    from klientel.web.records import changes
    from klientel.web.records.models import Company

    keep = kept_records.keep

    def changed(*args: Any) -> None:
        changes.update(Company.objects.get(number="C1"), {"city": "Jena"}, at=AT)
        keep(*args)

    monkeypatch.setattr(kept_records, "keep", changed)
    books.open_book(filled)
    assert list(results.folder(filled).iterdir()) == []
    monkeypatch.setattr(kept_records, "keep", keep)
    books.open_book(filled)
    assert {f.suffix for f in results.folder(filled).iterdir()} == {".records"}


def test_a_damaged_file_is_read_anew(filled: Any) -> None:
    from klientel.web import results

    first = tables(filled)
    for file in results.folder(filled).iterdir():
        file.write_bytes(file.read_bytes()[:-50])
    assert tables(filled) == first


def test_a_change_that_is_seen_late_is_not_missed(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where several write at once a change may be seen after one with a higher number."""
    from klientel.web import books
    from klientel.web.records import changes
    from klientel.web.records import models as m

    if books.connection.vendor == "sqlite":  # as on PostgreSQL
        monkeypatch.setattr(books, "recent", lambda c: m.Change.objects.filter(pk__lte=c).count())
    first = changes.update(m.Company.objects.get(number="C1"), {"city": "Jena"}, at=AT)
    assert first is not None
    late = m.Change.objects.get(pk=first.pk)
    m.Change.objects.filter(pk=late.pk).delete()  # not seen yet
    m.Company.objects.filter(number="C1").update(city="Bonn")
    changes.update(m.Company.objects.get(number="C2"), {"city": "Ulm"}, at=AT)
    before = books.state()
    tables(filled)
    late.save(force_insert=True)
    m.Company.objects.filter(number="C1").update(city="Jena")
    assert books.state() != before
    assert {r["city"] for r in tables(filled)["customer"][1] if r["customer_id"] == "C1"} == {"Jena"}


def test_what_the_next_book_needs_is_read_before_anybody_asks(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klientel.web import books, kept_records

    kept_records.prepare(filled)
    assert files(filled) == {"customer", "interaction"}
    forbid(monkeypatch, "customer", "interaction")
    books.open_book(filled)


def test_the_worker_reads_it_once_no_job_waits(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    from klientel.web import kept_records
    from klientel.web.api import delivering
    from klientel.web.jobs import worker

    over, prepare = Event(), kept_records.prepare

    def once(home: Any) -> None:
        prepare(home)
        over.set()

    monkeypatch.setattr(kept_records, "prepare", once)
    monkeypatch.setattr(delivering, "keep_delivering", lambda *_: None)
    worker.work(filled, over)
    assert files(filled) == {"customer", "interaction"}
