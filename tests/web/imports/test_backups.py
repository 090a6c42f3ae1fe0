"""Backup and restore: the same answers byte for byte; archives that no backup would be are refused."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import portfolio as p
import pytest

import klientel
from klientel.errors import BadFile, BadParameter

AT = datetime(2025, 2, 1, tzinfo=UTC)


@pytest.fixture
def filled(home, tmp_path):
    """A workspace with lines, customers and an import that was undone."""
    rows = [p.line(i, customer=f"C{i % 9}", day=f"2024-{i % 12 + 1:02}-05", amount=f"{i * 7 % 90}.{i % 10}1")
            for i in range(1, 160)]  # fmt: skip
    p.bring(home, p.orders(tmp_path / "a.csv", rows))
    people = [
        (f"C{i}", f"Firma {i}", "Bonn" if i % 2 else "Köln", "Bau" if i % 3 else "Handel") for i in range(9)
    ]
    p.bring(home, p.orders(tmp_path / "c.csv", people, "customer_id,name,city,industry"))
    p.bring(home, p.orders(tmp_path / "b.csv", [p.line(3, amount="1"), p.line(900)]))
    p.take_back(home, 3)
    return home


def saved(home: Any, path: Path) -> Path:
    from klientel.web import backups

    backups.write(home, path, progress=p.silent)
    return path


def brought(path: Path, folder: Path) -> Any:
    from klientel.web import backups

    p.database()
    return backups.restore(path, folder, progress=p.silent)


def answers(folder: Path) -> dict[str, str]:
    from klientel.analyses import unlocked

    book = klientel.open_book(folder)
    found = {}
    for analysis in unlocked(book)[0]:
        told = klientel.analyse(klientel.open_book(folder), analysis.name).to_dict()
        told.pop("reproduce")
        found[analysis.name] = json.dumps(told, sort_keys=True)
    return found


def test_a_restored_workspace_answers_byte_for_byte_alike(filled, tmp_path):
    before, content = answers(filled.folder), p.content(filled)
    assert len(before) >= 8
    other = brought(saved(filled, tmp_path / "b.zip"), tmp_path / "other")
    assert answers(other.folder) == before
    assert p.content(other) == content
    p.take_back(other, 1)  # it can still be undone, and written to
    p.bring(other, tmp_path / "a.csv")
    p.take_back(other, 4)
    p.take_back(other, 2)
    assert not any(p.content(other).values())


def test_a_backup_is_for_its_owner_only(filled, tmp_path):
    path = saved(filled, tmp_path / "b.zip")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "b.zip.part").exists()
    with pytest.raises(BadParameter, match="outside the workspace"):
        saved(filled, filled.folder / "b.zip")


def test_a_workspace_is_restored_into_a_new_folder(filled, tmp_path):
    path = saved(filled, tmp_path / "b.zip")
    with pytest.raises(BadParameter, match="a workspace already"):
        brought(path, filled.folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(BadParameter, match="not empty"):
        brought(path, tmp_path / "full")
    assert (tmp_path / "full" / "x").exists()


def rewritten(path: Path, target: Path, change: Any) -> Path:
    """The archive with its members (name -> content) changed."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil", "facts/../../evil", "C:\\evil", "facts/lines/../x", "evil.txt"]
)
def test_members_outside_are_refused(filled, tmp_path, name):
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["klientel-backup.json"])
        manifest["members"][name] = {"size": 1, "sha256": "x"}
        members["klientel-backup.json"] = json.dumps(manifest).encode()
        members[name] = b"x"

    bad = rewritten(saved(filled, tmp_path / "b.zip"), tmp_path / "bad.zip", change)
    with pytest.raises(BadFile, match="not unpacked"):
        brought(bad, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_newer_format_is_refused(filled, tmp_path):
    def newer(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["klientel-backup.json"])
        members["klientel-backup.json"] = json.dumps({**manifest, "format": 99}).encode()

    bad = rewritten(saved(filled, tmp_path / "b.zip"), tmp_path / "bad.zip", newer)
    with pytest.raises(BadFile, match="newer Klientel"):
        brought(bad, tmp_path / "other")


def test_a_changed_or_missing_member_is_refused(filled, tmp_path):
    path = saved(filled, tmp_path / "b.zip")
    with zipfile.ZipFile(path) as archive:
        data = next(n for n in archive.namelist() if n.startswith("facts/lines/rows"))

    def changed(members: dict[str, bytes]) -> None:
        members[data] = members[data][:-1] + bytes([members[data][-1] ^ 1])

    with pytest.raises(BadFile, match="damaged"):
        brought(rewritten(path, tmp_path / "bad.zip", changed), tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(BadFile, match="not whole"):
        brought(rewritten(path, tmp_path / "bad.zip", lambda m: m.pop(data)), tmp_path / "other")
    (tmp_path / "cut.zip").write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadFile, match="no backup"):
        brought(tmp_path / "cut.zip", tmp_path / "other")


def test_what_would_not_fit_on_the_disk_is_refused(filled, tmp_path):
    def bomb(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["klientel-backup.json"])
        manifest["members"]["workspace.json"]["size"] = 10**15
        members["klientel-backup.json"] = json.dumps(manifest).encode()

    bad = rewritten(saved(filled, tmp_path / "b.zip"), tmp_path / "bad.zip", bomb)
    with pytest.raises(BadFile, match=r"not whole|unpacks to"):
        brought(bad, tmp_path / "other")


def test_a_backup_of_an_empty_workspace(home, tmp_path):
    other = brought(saved(home, tmp_path / "b.zip"), tmp_path / "other")
    assert not any(p.content(other).values())


def test_rows_of_sqlite_go_through_the_portable_form(filled, tmp_path, blank):
    """What carries records from one kind of database to another, tried on SQLite."""
    import shutil

    from django.db import connections

    from klientel.web import home as homes
    from klientel.web import portable

    content = p.content(filled)
    (tmp_path / "rows").mkdir()
    pinned, runs, members = portable.dump(tmp_path / "rows")
    assert runs == [1, 2, 3]
    assert {name for name, _ in members} >= {"rows/records_company.jsonl", "rows/imports_snapshot.jsonl"}
    connections.close_all()
    shutil.copytree(blank, tmp_path / "other")
    shutil.copytree(filled.folder / "facts", tmp_path / "other" / "facts")
    shutil.copytree(filled.folder / "imports", tmp_path / "other" / "imports")
    p.database("blank")
    other = homes.find(tmp_path / "other")
    portable.load_rows(tmp_path / "rows")
    assert p.content(other) == content
    with pytest.raises(BadParameter, match="holds records already"):
        portable.load_rows(tmp_path / "rows")
    p.bring(
        other, p.orders(tmp_path / "z.csv", [p.line(7777, customer="NEW")])
    )  # numbers go on after the old ones
    assert pinned["lines"] >= 0


def test_nobody_is_signed_in_to_a_restored_workspace(filled, tmp_path):
    from datetime import UTC, datetime

    from django.contrib.sessions.models import Session
    from django.test import Client

    from klientel.web.accounts import links, services
    from klientel.web.accounts.models import Link

    at = datetime.now(UTC)
    boss = services.add_user(None, "boss", at, role="administrator")
    Client(headers={"host": "localhost"}).force_login(boss)
    links.sign_in(boss, at)
    assert Session.objects.exists()
    assert Link.objects.exists()
    brought(saved(filled, tmp_path / "b.zip"), tmp_path / "other")
    assert not Session.objects.exists()
    assert not Link.objects.exists()


def test_what_the_original_was_about_to_do_is_not_done_by_a_restored_workspace(filled, tmp_path):
    from klientel.web.accounts import services as accounts
    from klientel.web.api.models import Delivery, Subscription
    from klientel.web.jobs.models import Job

    boss = accounts.add_user(None, "boss", AT, role="administrator")
    for state in ("waiting", "running", "done"):
        Job.objects.create(kind="undo", actor=boss, parameters={"import": 1}, created_at=AT, state=state)
    told = Subscription.objects.create(user=boss, url="https://example.com/", salt="x", at=AT)
    for state in ("waiting", "delivered"):
        Delivery.objects.create(
            subscription=told,
            event=state,
            kind="companies.created",
            body="{}",
            at=AT,
            next_at=AT,
            state=state,
        )
    brought(saved(filled, tmp_path / "b.zip"), tmp_path / "other")
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == [
        "cancelled",
        "cancelled",
        "done",
    ]
    assert dict(Delivery.objects.values_list("event", "state")) == {
        "waiting": "given up",
        "delivered": "delivered",
    }
    held = Subscription.objects.get()
    assert not held.active
    assert "restored from a backup" in held.why
