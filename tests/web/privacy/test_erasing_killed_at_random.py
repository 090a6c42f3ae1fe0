"""kill -9 at random moments of erasures, one after the other: every answer stays, what is left is ended by the next."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from test_erasing import AT, _import, _plain_bytes, _write

SCRIPT = """
import sys
from datetime import UTC, datetime
from klientel.web import home as homes
home = homes.find(sys.argv[1])
from klientel.web.privacy import erasing, persons
import klientel.engine, klientel.web.imports.writing
found = persons.find("contact", sys.argv[2])
print("ready", flush=True)
erasing.erase(home, [found], datetime(2025, 2, 1, tzinfo=UTC))
print("done", flush=True)
"""
WATCH = """
import json, sys
from klientel.web import home as homes
home = homes.find(sys.argv[1])
from klientel.errors import BadFile
from klientel.web import books
print("ready", flush=True)
while True:
    try:
        lines = books.open_book(home).tables["lines"]
        row = lines.agg(n=lines.count(), s=lines.amount.sum()).to_pyarrow().to_pylist()[0]
    except Exception as broke:  # an erasure leaves no old file to those who are just reading: they open it again
        print(json.dumps(["again", type(broke).__name__]), flush=True)
        continue
    print(json.dumps([row["n"], str(row["s"])]), flush=True)
"""


def start(script: str, home: Any, *rest: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(home.folder), *map(str, rest)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def firm(home: Any, folder: Path, number: int) -> None:
    """Invoices to persons, who are contacts elsewhere, notes about them, and a second import that changes lines."""
    from klientel.web.records import changes
    from klientel.web.records import models as m

    lines = [
        {"Invoice": str(i), "Position": 1, "Customer No": f"C{k}", "Customer": f"Vorname{k} Quandt{k}x",
         "Date": f"2024-{1 + i % 12:02d}-10", "Product": f"P{i % 3}", "Net amount": f"{i}.50"}
        for i in range(3 * number) for k in [i % number]
    ]  # fmt: skip
    people = [
        {"Contact No": f"P{i}", "Customer No": f"C{(i + 1) % number}", "First name": f"Vorname{i}",
         "Last name": f"Quandt{i}x", "E-mail": f"quandt{i}x@example.com"} for i in range(number)
    ]  # fmt: skip
    _import(home, _write(folder, "invoices", lines), _write(folder, "contacts", people))
    _import(home, _write(folder, "later", [{**row, "Net amount": "1.00"} for row in lines[: number // 2]]))
    for contact in m.Contact.objects.order_by("pk"):
        note = {"contact_id": contact.pk, "text": f"Quandt{contact.number[1:]}x loves tea"}
        changes.create(m.Note, note, None, "edit", AT)


def seen(home: Any) -> tuple[Any, ...]:
    from klientel.web import books
    from klientel.web.records import models as m

    book = books.open_book(home)
    lines = book.tables["lines"]
    row = lines.agg(n=lines.count(), s=lines.amount.sum()).to_pyarrow().to_pylist()[0]
    return (
        row["n"],
        str(row["s"]),
        m.Contact.objects.count(),
        m.Note.objects.count(),
        m.Company.objects.count(),
    )


def rounds(home: Any, folder: Path, number: int, seed: int) -> dict[str, int]:
    """Erase person after person, each killed at a random moment; figures of how far they came."""
    from klientel.web.imports.writing import writing
    from klientel.web.privacy import erasing, persons
    from klientel.web.privacy.models import Erased, Erasure
    from klientel.web.records.models import Contact

    firm(home, folder, number + 1)
    before = seen(home)
    process = start(SCRIPT, home, f"P{number}")
    began = time.monotonic()
    process.communicate()
    took = time.monotonic() - began
    watcher = start(WATCH, home)
    dice = random.Random(seed)
    told = {"before": 0, "begun": 0, "done": 0}
    try:
        for i in range(number):
            process = start(SCRIPT, home, f"P{i}")
            time.sleep(dice.uniform(0, 1.2 * took))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert seen(home) == before
            gone = Contact.objects.get(number=f"P{i}").name.startswith("erased-")
            state = Erasure.objects.latest("pk").state if gone else "before"
            told[state] += 1
            assert Erased.objects.filter(number=f"P{i}").exists() is gone  # digests come with the protocol
            if not gone and dice.random() < 0.5:
                erasing.erase(home, [persons.find("contact", f"P{i}")], AT)
                gone = True
            with writing(home, "look", AT):
                pass
            assert seen(home) == before
            if gone and i % 5 == 0:
                assert f"quandt{i}x" not in _plain_bytes(home).lower(), i
    finally:
        watcher.send_signal(signal.SIGKILL)
        out, _ = watcher.communicate()
    for i in range(number):
        if not Contact.objects.get(number=f"P{i}").name.startswith("erased-"):
            erasing.erase(home, [persons.find("contact", f"P{i}")], AT)
    with writing(home, "look", AT):
        pass
    assert not Erasure.objects.filter(state="begun").exists()
    left = _plain_bytes(home).lower()
    assert "quandt" not in left
    assert "loves tea" not in left
    assert seen(home) == before
    answers = [json.loads(line) for line in out.splitlines() if line.endswith("]")]
    assert {tuple(a) for a in answers if a[0] != "again"} == {before[:2]}
    told |= {"answers": len(answers), "opened again": sum(a[0] == "again" for a in answers)}
    print(told)
    return told


def test_a_few_kills_of_erasures(home: Any, tmp_path: Path) -> None:
    rounds(home, tmp_path, 8, seed=4)


@pytest.mark.long
def test_a_hundred_kills_of_erasures(home: Any, tmp_path: Path) -> None:
    told = rounds(home, tmp_path, 100, seed=8)
    assert told["before"] > 10
    assert told["done"] + told["begun"] > 10
