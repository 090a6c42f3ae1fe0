"""Records that tests of pages begin with, and the undo that a page offers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 1, 1, tzinfo=UTC)


def make(model: str, **values: Any) -> Any:
    """A record, made in January 2026."""
    from klientel.web.records import changes, models

    return changes.create(getattr(models, model), values, at=AT)


def undo(client: Any, answer: Any) -> None:
    """Press the button of the message on a page."""
    found = re.search(r'action="(/undo/[^"]*)"', answer.content.decode())
    assert found
    client.post(found[1].replace("&amp;", "&"))
