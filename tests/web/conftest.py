"""Workspaces of the tests: each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Any]:
    """A new workspace with the currency EUR, attached."""
    from klientel.web import home as homes

    made = homes.init(tmp_path / "workspace", currency="EUR")
    yield made
    from django.db import connections

    connections.close_all()
