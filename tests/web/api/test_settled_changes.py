"""The feed never overtakes a change that is still being written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

AT = datetime(2026, 6, 15, tzinfo=UTC)


def test_what_was_settled_in_a_quiet_moment_stays_so(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins while somebody writes begins at the last quiet moment, not at the first change of all."""
    from types import SimpleNamespace

    from klientel.web.api import settled
    from klientel.web.records.models import Change

    def change() -> int:
        return Change.objects.create(at=AT, why="x", model="Company", object_id=1).pk

    open_ones = iter([(7, 7), (7, 8), (8, 9), (9, 9)])
    monkeypatch.setattr(settled, "connection", SimpleNamespace(vendor="postgresql"))
    monkeypatch.setattr(settled, "_transactions", lambda: next(open_ones))
    quiet = change()
    assert settled.horizon() == quiet
    between = change()
    assert settled.horizon() == quiet
    change()
    assert settled.horizon() == between  # what was open when it was seen has ended
    last = change()
    assert settled.horizon() == last
    assert settled.horizon() == last  # without asking for transactions again


def test_with_one_writer_everything_that_is_seen_is_settled(served: Any) -> None:
    from klientel.web.api.settled import horizon
    from klientel.web.records.models import Change

    assert horizon() == 0
    made = Change.objects.create(at=AT, why="x", model="Company", object_id=1)
    assert horizon() == made.pk
