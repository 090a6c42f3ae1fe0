"""Demo data goes from the web, and what people brought themselves stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from klientel.demo import simulate, write

NOW = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KLIENTEL_TEST_POSTGRES")), reason="the demo makes SQLite workspaces only"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A small simulated firm in a workspace."""
    from django.conf import settings
    from django.db import connections

    from klientel.web import showcase

    firm = simulate(seed=4, customers=40, years=2)
    write(firm, tmp_path / "files", "en")
    made = showcase.make(firm, tmp_path / "workspace", tmp_path / "files", "en", NOW, lambda *_: None)
    monkeypatch.setattr(settings, "JOBS_AT_ONCE", True)
    yield made
    connections.close_all()


def test_the_firm_goes_and_ones_own_data_stays(
    home: Any, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    from klientel.web.accounts.models import Team, User
    from klientel.web.books import open_book
    from klientel.web.records.models import Company, Contact, Portfolio, Task

    boss = sign_in("boss")
    assert "This workspace holds demo data" in boss.get("/imports").content.decode()
    own = SimpleUploadedFile("own.csv", b"customer;amount\nMy first customer;100,00\nMy second;50,00\n")
    draft = boss.post("/imports/new/upload", {"files": [own]})["Location"]
    boss.post(f"{draft}/commit")
    assert Portfolio.objects.count() > 0
    assert Task.objects.count() > 0

    wrong = boss.post("/imports/demo", {"word": "yes"})
    assert wrong.status_code == 400
    assert "Type exactly" in wrong.content.decode()
    assert Contact.objects.count() > 0

    done = boss.get(boss.post("/imports/demo", {"word": "Demo"})["Location"])
    assert done["Location"] == "/imports"
    assert {c.name for c in Company.objects.all()} == {"My first customer", "My second"}
    assert {u.username for u in User.objects.all()} == {"boss"}
    assert (Contact.objects.count(), Portfolio.objects.count(), Team.objects.count()) == (0, 0, 0)
    assert Task.objects.count() == 0
    assert open_book(home).tables["lines"].count().to_pyarrow().as_py() == 2
    assert not (tmp_path / "demo.json").exists(), "`klientel demo` may not replace it any more"
    assert "demo data" not in boss.get("/imports").content.decode().replace("The demo data is removed", "")
    assert boss.get("/imports/demo")["Location"] == "/imports"


def test_a_workspace_without_a_demo_offers_nothing_to_remove(home: Any, sign_in: Callable[..., Any]) -> None:
    assert sign_in("anna", "sales").get("/imports/demo").status_code == 403
    from klientel.web import showcase
    from klientel.web.imports.models import Import

    assert showcase.found(home).options["demo"] is True
    Import.objects.update(options={})  # made before imports were marked
    assert showcase.found(home) is not None
    (home.folder.parent / "demo.json").unlink()
    assert showcase.found(home) is None
