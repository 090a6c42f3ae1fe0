"""The page about the API, and the page of the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_docs_name_every_room_and_setting(served: Any) -> None:
    """Every first word of an address, every kind of refusal, every setting."""
    from klientel.web.api.document import document
    from klientel.web.api.problems import TITLES

    told = PAGE.read_text(encoding="utf-8")
    rooms = {path.split("/")[1] for path in document()["paths"]}
    assert [
        room for room in sorted(rooms) if not re.search(rf"/{room}\b|^`.*\b{room}\b.*`$", told, re.M)
    ] == []
    assert [kind for kind in TITLES if kind not in told and kind not in ("broken", "no-such-method")] == []
    source = "".join(
        f.read_text(encoding="utf-8") for f in (PAGE.parents[1] / "src/klientel/web/api").glob("*.py")
    )
    assert [
        name for name in set(re.findall(r"KLIENTEL_(?:API|WEBHOOK)_\w+", source)) if name not in told
    ] == []


def test_the_page_of_the_api_is_open_and_loads_nothing_from_elsewhere(program: Any) -> None:
    """For strangers, too: it tells nothing of the workspace; no script inside, no other host."""
    for who in (program(None), program("berta", language="de")):
        asked = who.get("/")
        assert asked.status_code == 200
        text = asked.content.decode()
        assert "/api/v1/companies/{pk}" in text
        assert "<style" not in text
        assert not re.search(r'(?:src|href)="https?://', text)
    assert "OpenAPI-Dokument" in text
    titles = [
        set(re.findall("<h2>(.*?)</h2>", who.get("/").content.decode()))
        for who in (program(None), program("berta"))
    ]
    assert "Companies" in titles[0] - titles[1]
    assert "Unternehmen" in titles[1] - titles[0]
    assert program(None).get("/openapi.json").json()["openapi"].startswith("3.1")
