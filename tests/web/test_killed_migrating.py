"""kill -9 while a newer Klientel brings a workspace to its models: the next start ends it, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
# Imports everything first, so that what is killed is the migration.
SCRIPT = """
import os, sys
import klientel.web.settings
from klientel.web import home as homes
import django.core.management.commands.migrate
import klientel.web.migrating
if len(sys.argv) > 2:
    from django.db.migrations.executor import MigrationExecutor
    name, times, when = sys.argv[2], int(sys.argv[3]), sys.argv[4]
    real, calls = getattr(MigrationExecutor, name), []
    def die(*args, **kwargs):
        calls.append(1)
        if len(calls) == times and when == "before":
            os._exit(9)
        made = real(*args, **kwargs)
        if len(calls) == times:
            os._exit(9)  # as kill -9
        return made
    setattr(MigrationExecutor, name, die)
print("ready", flush=True)
homes.find(sys.argv[1])
print("done", flush=True)
"""


@pytest.fixture
def filled(home: Any) -> Any:
    """A workspace with some of everything."""
    from klientel.web.records import models as m
    from klientel.web.records import services

    for i in range(40):
        firm = services.add(m.Company, {"number": f"C{i}", "name": f"Firma {i} GmbH", "city": "Ulm"}, at=AT)
        person = services.add(m.Contact, {"number": f"P{i}", "name": f"Person {i}", "company": firm}, at=AT)
        services.add(m.Interaction, {"contact": person, "type": "call", "ts": date(2024, 1, 5)}, at=AT)
    return home


def older(home: Any) -> None:
    """Take the workspace back to the first models, as an older Klientel had left it."""
    from django.core.management import call_command
    from django.db import connections

    from klientel.web import home as homes

    homes.attach(home)
    for app in ("records", "privacy"):
        call_command("migrate", app, "0001", verbosity=0, skip_checks=True)
    marker = home.folder / homes.MARKER
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "models": "0" * 16}), encoding="utf-8")
    connections.close_all()


def rows(home: Any) -> dict[str, list[Any]]:
    """All that the records hold."""
    from django.apps import apps

    found = {}
    for model in apps.get_app_config("records").get_models():
        names = [f.attname for f in model._meta.concrete_fields]
        found[model.__name__] = sorted(map(str, model._base_manager.values_list(*names)))
    return found


def start(home: Any, *rest: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(home.folder), *map(str, rest)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


@pytest.fixture
def again(filled: Any) -> Iterator[Any]:
    """Ends what is left, and holds it against what was there."""
    from django.db import connections

    from klientel.web import home as homes

    before = rows(filled)

    def ended() -> None:
        connections.close_all()
        homes.find(filled.folder)
        assert rows(filled) == before
        assert json.loads((filled.folder / homes.MARKER).read_text())["models"] == homes._models()
        with connections["default"].cursor() as cursor:
            if connections["default"].vendor == "sqlite":
                cursor.execute("PRAGMA integrity_check")
                assert cursor.fetchall() == [("ok",)]
                cursor.execute("PRAGMA foreign_key_check")
                assert cursor.fetchall() == []

    yield ended
    connections.close_all()


@pytest.mark.parametrize(
    ("name", "times", "when"),
    [("migrate", 1, "before"), ("record_migration", 1, "before"), ("record_migration", 1, "after"),
     ("record_migration", 2, "before"), ("record_migration", 2, "after"), ("migrate", 1, "after")],
)  # fmt: skip
def test_killed_at_a_step(filled: Any, again: Any, name: str, times: int, when: str) -> None:
    older(filled)
    process = start(filled, name, times, when)
    process.communicate()
    assert process.returncode == 9
    again()


def rounds(home: Any, again: Any, number: int, seed: int) -> dict[str, int]:
    """Kill the migration at random moments, one after the other without help in between; figures."""
    older(home)
    process = start(home)
    began = time.monotonic()
    process.communicate()
    took = time.monotonic() - began
    again()
    dice = random.Random(seed)
    told = {"killed": 0, "done": 0}
    older(home)
    for _ in range(number):
        process = start(home)
        time.sleep(dice.uniform(0, 1.1 * took))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        told["done" if "done" in out else "killed"] += 1
        if "done" in out or dice.random() < 0.5:
            again()
            older(home)
    again()
    print(told)
    return told


def test_a_few_kills_of_a_migration(filled: Any, again: Any) -> None:
    assert rounds(filled, again, 4, seed=2)["killed"]


@pytest.mark.long
def test_a_hundred_kills_of_a_migration(filled: Any, again: Any) -> None:
    assert rounds(filled, again, 100, seed=5)["killed"] > 50


def test_two_processes_that_come_at_once_take_each_step_once(filled: Any, again: Any) -> None:
    older(filled)
    both = [start(filled), start(filled)]
    assert ["done" in p.communicate()[0] for p in both] == [True, True]
    again()
