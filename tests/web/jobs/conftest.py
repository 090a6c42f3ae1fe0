"""People who want something done, and files that they bring."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "klientel.web.settings")
django.setup()  # models are named by these tests; each workspace is attached by its fixture
sys.path.insert(0, str(Path(__file__).parent))

from at_work import NOW, TWO_COLUMNS  # noqa: E402 - from this folder


@pytest.fixture
def boss(home: Any) -> Any:
    """An administrator of the test's workspace."""
    from klientel.web.accounts import services

    return services.add_user(None, "boss", NOW, role="administrator")


@pytest.fixture
def draft(home: Any, boss: Any) -> Any:
    """draft(text, name): the administrator's uploaded file."""
    from klientel.web.imports import drafts

    def make(text: str | bytes = TWO_COLUMNS, name: str = "sales.csv") -> Any:
        made = drafts.new(home, boss)
        place: Path = made.place_for(name)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        made.save()
        return made

    return make
