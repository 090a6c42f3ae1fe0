"""kill -9 in the middle of an erasure: every answer stays, and the next run or the next writer ends it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_erasing import AT, _answers, _import, _plain_bytes, filled  # noqa: F401 - the fixture

pytestmark = pytest.mark.slow

_SCRIPT = """
import os, sys
from datetime import UTC, datetime
from klientel.web import home as homes
home = homes.find(sys.argv[1])
from klientel.web.imports import writing
from klientel.web.privacy import cleaning, erasing, persons
from klientel.store.facts import FactTable
holders = {"erasing": erasing, "cleaning": cleaning, "writing": writing, "FactTable": FactTable}
holder, name, times = holders[sys.argv[2]], sys.argv[3], int(sys.argv[4])
real, calls = getattr(holder, name), []
def die(*args, **kwargs):
    calls.append(1)
    if len(calls) == times:
        os._exit(9)  # as kill -9: nothing is cleaned up
    return real(*args, **kwargs)
setattr(holder, name, die)
erasing.erase(home, [persons.find("contact", "P1")], datetime(2025, 2, 1, tzinfo=UTC))
"""
SOME = ("abc", "rfm", "movement", "segments")
# Where it dies, how often it was there before, and whether the records were written by then.
POINTS = [
    ("erasing", "clean_file", 2, False),
    ("erasing", "_clean_facts", 1, False),
    ("FactTable", "_commit", 1, False),
    ("cleaning", "anonymise", 1, False),
    ("cleaning", "clean_log", 1, False),
    ("writing", "sweep", 2, True),
    ("erasing", "compact_database", 1, True),
]


@pytest.mark.parametrize(("holder", "name", "times", "written"), POINTS)
def test_killed_and_done_again(filled: Any, holder: str, name: str, times: int, written: bool) -> None:  # noqa: F811
    from django.db import connections

    from klientel.web.imports.writing import writing
    from klientel.web.privacy import erasing, persons
    from klientel.web.privacy.models import Erasure
    from klientel.web.records.models import Contact

    before = _answers(filled, *SOME)
    connections.close_all()
    call = [sys.executable, "-c", _SCRIPT, str(filled.folder), holder, name, str(times)]
    dead = subprocess.run(call, capture_output=True, text=True, check=False)
    assert dead.returncode == 9, dead.stderr
    assert _answers(filled, *SOME) == before
    assert Contact.objects.get(number="P1").name.startswith("erased-") is written
    if written:
        assert Erasure.objects.get().state == "begun"
        with writing(filled, "test", AT):  # the next writer, whatever it is there for
            pass
    else:
        assert Erasure.objects.count() == 0
        erasing.erase(filled, [persons.find("contact", "P1")], datetime(2025, 2, 2, tzinfo=UTC))
    assert Erasure.objects.get().state == "done"
    left = _plain_bytes(filled).lower()
    for word in ("quandt", "eulalia", "loves tea", "kurt"):
        assert word not in left, word
    assert _answers(filled, *SOME) == before


def test_an_import_after_a_killed_erasure_ends_it(filled: Any, tmp_path: Path) -> None:  # noqa: F811
    from django.db import connections

    from klientel.web.privacy.models import Erasure

    connections.close_all()
    call = [sys.executable, "-c", _SCRIPT, str(filled.folder), "erasing", "compact_database", "1"]
    assert subprocess.run(call, capture_output=True, check=False).returncode == 9
    more = tmp_path / "more.csv"
    more.write_text("Invoice,Customer,Date,Net amount\n9000,Firm 1 GmbH,2024-12-01,5.00\n", encoding="utf-8")
    _import(filled, more)
    assert Erasure.objects.get().state == "done"
    assert "loves tea" not in _plain_bytes(filled).lower()
