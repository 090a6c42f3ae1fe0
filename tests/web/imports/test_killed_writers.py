"""kill -9 at any moment: nothing lost, nothing half, the next start is clean, and readers see whole snapshots."""

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

import portfolio as p
import pytest

HERE = Path(__file__).parent


def start(what: str, home: Any, *rest: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "killing.py"), what, str(home.folder), *map(str, rest)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def killed_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill it after a while; True if it was done before."""
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    return "done" in out


def orphans(home: Any) -> list[str]:
    """Files of facts and imports that nothing names."""
    from klientel.web.imports import writing
    from klientel.web.imports.models import Import, Snapshot

    found = []
    for name, table in writing.tables(home).items():
        live = {f.name for s in Snapshot.objects.all() if name in s.facts for f in table.files(s.facts[name])}
        found += [f.name for f in table.folder.iterdir() if f.name != "_delta_log" and f.name not in live]
    kept = {str(i) for i in Import.objects.filter(state__in=["done", "undone"]).values_list("pk", flat=True)}
    folder = home.folder / "imports"
    return found + [f.name for f in folder.iterdir() if f.name not in kept] if folder.is_dir() else found


def firm(tmp_path: Path) -> tuple[Path, Path]:
    """A first file, and a second one that updates and creates."""
    rows = [p.line(i, n, customer=f"C{i % 40}", day=f"2024-{i % 12 + 1:02}-05", amount=f"{i}.{n}")
            for i in range(1500) for n in (1, 2)]  # fmt: skip
    later = [p.line(i, n, customer=f"C{i % 60}", day=f"2024-{i % 12 + 1:02}-05", amount=f"{i}.{n}7")
             for i in range(1000, 3000) for n in (1, 2)]  # fmt: skip
    return p.orders(tmp_path / "first.csv", rows), p.orders(tmp_path / "second.csv", later)


def seen(home: Any) -> tuple[int, str, int]:
    from klientel.web import books
    from klientel.web.records.models import Company

    lines = books.open_book(home).tables["lines"]
    row = lines.agg(n=lines.count(), s=lines.amount.sum()).to_pyarrow().to_pylist()[0]
    return row["n"], str(row["s"]), Company.objects.count()


def rounds(home: Any, tmp_path: Path, number: int, seed: int) -> None:
    first, second = firm(tmp_path)
    p.bring(home, first)
    began = time.monotonic()
    p.bring(home, second)
    took = time.monotonic() - began
    after = p.content(home)
    total = seen(home)
    from klientel.web.imports.models import Import

    p.take_back(home, Import.objects.latest("pk").pk)
    before = p.content(home)
    allowed = {seen(home), total}
    watcher = start("watch", home)
    dice = random.Random(seed)
    state = "before"
    try:
        for _ in range(number):
            what = dice.choice(
                ["import", "undo", "backup", "tidy"] if state == "after" else ["import", "backup", "tidy"]
            )
            done_imports = Import.objects.filter(state="done").order_by("pk")
            rest: list[Any] = {
                "import": [second],
                "undo": [done_imports.last().pk],
                "backup": [tmp_path / "b.zip"],
            }.get(what, [])
            finished = killed_after(start(what, home, *rest), dice.uniform(0, 1.3 * took))
            now = p.content(home)
            assert now in (before, after), what
            if what in ("backup", "tidy"):
                assert now == (after if state == "after" else before)
            if finished and what == "import":
                assert now == after
            state = "after" if now == after else "before"
            if what == "backup" and (tmp_path / "b.zip").exists():
                restored(tmp_path, now, home)
            settled(home)
    finally:
        watcher.send_signal(signal.SIGKILL)
        out, _ = watcher.communicate()
    told = {tuple(json.loads(line)) for line in out.splitlines() if line.endswith("]")}
    assert told
    assert told <= allowed
    p.bring(home, second)
    assert p.content(home) == after


def settled(home: Any) -> None:
    """The next writer starts clean and leaves nothing of the killed one."""
    from klientel.web.imports.models import Import
    from klientel.web.imports.writing import writing

    with writing(home, "look"):
        pass
    assert orphans(home) == []
    assert not Import.objects.filter(state="started").exists()


def restored(tmp_path: Path, expected: dict[str, Any], home: Any) -> None:
    """A backup that is there is whole."""
    import shutil

    from django.db import connections

    from klientel.web import backups
    from klientel.web import home as homes

    shutil.rmtree(tmp_path / "restored", ignore_errors=True)
    own = os.environ.get("KLIENTEL_DATABASE")
    p.database()
    other = backups.restore(tmp_path / "b.zip", tmp_path / "restored", progress=p.silent)
    assert p.content(other) == expected
    connections.close_all()
    if own:
        os.environ["KLIENTEL_DATABASE"] = own
    homes.attach(home)
    (tmp_path / "b.zip").unlink()


def test_a_few_kills(home, tmp_path):
    rounds(home, tmp_path, 12, seed=3)


@pytest.mark.long
def test_a_hundred_kills(home, tmp_path):
    rounds(home, tmp_path, 100, seed=11)


def test_two_writers_at_once(home, tmp_path):
    from klientel.web.imports.writing import Busy, writing

    first, second = firm(tmp_path)
    with writing(home, "import"):
        process = subprocess.run(
            [Path(sys.executable).parent / "klientel", "import", str(home.folder), str(first)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert process.returncode == 1
        assert process.stderr.startswith("klientel: Another process (import, process")
        assert len(process.stderr.strip().splitlines()) == 1
        with pytest.raises(Busy), writing(home, "undo"):
            pass
    p.bring(home, first)
    p.bring(home, second)
