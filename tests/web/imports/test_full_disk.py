"""A full disk: one clear sentence, nothing lost, and the next import works once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import portfolio as p
import pytest

from klientel.web.imports.disk import DiskFull, is_full, told_if_full


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB; skips, loudly, where none can be mounted."""
    if os.environ.get("KLIENTEL_TEST_POSTGRES") == "1":
        pytest.skip("the records lie on a server, not on the small disk")
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    from django.db import connections

    connections.close_all()
    subprocess.run(["umount", place], check=True)


def filling(place: Path, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    free = shutil.disk_usage(place).free
    ballast = place / "ballast"
    with ballast.open("wb") as target:
        target.write(b"x" * max(0, free - leave))
    return ballast


def import_of(home: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "klientel", "import", str(home), str(file)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "KLIENTEL_LANG": "en"}
    )


@pytest.mark.parametrize(
    "leave", [0, 150_000, *(pytest.param(n, marks=pytest.mark.long) for n in (30_000, 400_000, 900_000))]
)
def test_a_full_disk_is_told_and_nothing_is_lost(small, tmp_path, leave):
    from klientel.web import home as homes

    home: Any = homes.init(small / "w", currency="EUR")
    first = p.orders(
        tmp_path / "a.csv", [p.line(i, customer=f"C{i % 50}", amount=f"{i}.5") for i in range(1, 2000)]
    )
    second = p.orders(
        tmp_path / "b.csv",
        [p.line(i, customer=f"Customer number {i}", product=f"P{i * 7919 % 9973}", amount=f"{i * 31 % 9999}.5")
         for i in range(1000, 9000)],
    )  # fmt: skip
    p.bring(home, first)
    before = p.content(home)
    ballast = filling(small, leave)
    done = import_of(home.folder, second)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("klientel: There is no room left on the disk of"), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert p.content(home) == before
    ballast.unlink()
    assert p.content(home) == before
    p.bring(home, second)
    from klientel.web.imports.models import Import

    assert Import.objects.latest("pk").state == "done"
    p.take_back(home, Import.objects.latest("pk").pk)
    assert p.content(home) == before


@pytest.mark.parametrize(
    "broke",
    [
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        RuntimeError("IO Error: Could not write to file: No space left on device"),
        RuntimeError("database or disk is full"),
    ],
)
def test_every_way_of_saying_it_is_understood(tmp_path, broke):
    assert is_full(broke)
    with pytest.raises(DiskFull, match="no room left"), told_if_full(tmp_path):  # noqa: PT012 - whichever step meets the full disk
        try:
            raise broke
        except Exception as cause:
            raise RuntimeError("The engine refused") from cause


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(ValueError, match="something else"), told_if_full(tmp_path):
        raise ValueError("something else")
