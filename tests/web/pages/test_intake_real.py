"""Real files through the wizard: the figures that were computed independently, and undone without a trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

pytestmark = pytest.mark.real
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def boss(sign_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    from django.conf import settings

    monkeypatch.setattr(settings, "JOBS_AT_ONCE", True)
    return sign_in()


def put(client: Any, *paths: Path) -> str:
    """Upload files; the address of the draft, whose page is there."""
    for path in paths:
        if not path.exists():
            pytest.skip(f"SKIPPED, NO REAL DATA: {path.name}")
    files = [SimpleUploadedFile(p.name, p.read_bytes()) for p in paths]
    draft = str(client.post("/imports/new/upload", {"files": files})["Location"])
    page = client.get(draft, follow=True)
    assert page.status_code == 200
    assert 'id="sheets"' in page.content.decode()
    return draft


def lines() -> Any:
    from klientel.web.books import open_book
    from klientel.web.pages import shell

    book = open_book(shell.workspace(), lenient=True)
    return book.tables.get("lines")


def test_northwind(boss: Any) -> None:
    from klientel.web.records.models import Company, Product

    names = (
        "categories",
        "customers",
        "employees",
        "order_details",
        "orders",
        "products",
        "region",
        "suppliers",
    )
    draft = put(boss, *[DATA / "northwind" / f"{name}.csv" for name in names])
    page = boss.get(draft).content.decode()
    assert page.count("suppliers are not customers") == 1
    boss.post(f"{draft}/try")
    tried = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", boss.get(f"{draft}/tried").content.decode()))
    assert "Lines 2,155" in tried
    assert "Customers 91" in tried
    boss.post(f"{draft}/commit")
    found = lines()
    total = found.amount.sum().to_pyarrow().as_py()
    assert found.count().to_pyarrow().as_py() == 2155
    assert round(float(total), 2) == 1265793.04
    assert (Company.objects.count(), Product.objects.count()) == (91, 77)
    boss.post("/imports/1/undo")
    assert lines() is None
    assert (Company.objects.count(), Product.objects.count()) == (0, 0)


@pytest.mark.slow
def test_online_retail(boss: Any) -> None:
    from klientel.web.records.models import Company

    draft = put(boss, DATA / "online_retail" / "online_retail.csv.gz")
    boss.post(f"{draft}/commit")
    from klientel.web.imports.models import Import

    counts = Import.objects.get().counts["tables"]
    assert (
        counts["lines"]["create"] + counts["lines"]["rejected"] + Import.objects.get().counts["aside"]
        == 541_909
    )
    assert Company.objects.count() == 4372
    page = boss.get("/imports/1")
    assert page.status_code == 200
    assert "rejected-1-online_retail.csv" in page.content.decode()
    boss.post("/imports/1/undo")
    assert lines() is None
    assert Company.objects.count() == 0
