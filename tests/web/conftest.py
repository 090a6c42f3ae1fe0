"""Workspaces of the tests: each in a folder of its own, copied from one that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new workspace with the currency EUR; copied, since making one takes a while."""
    from django.db import connections

    from klientel.web import home as homes

    made = homes.init(tmp_path_factory.mktemp("blank") / "workspace", currency="EUR")
    connections.close_all()  # so that SQLite has everything in the one file
    return made.folder


@pytest.fixture
def home(blank: Path, tmp_path: Path) -> Iterator[Any]:
    """A new workspace with the currency EUR, attached."""
    from django.db import connections

    from klientel.web import home as homes

    shutil.copytree(blank, tmp_path / "workspace")
    yield homes.find(tmp_path / "workspace")
    connections.close_all()
