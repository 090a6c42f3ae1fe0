"""The feed never overtakes a change that is still being written. Collected on PostgreSQL only; see conftest.py."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 6, 15, tzinfo=UTC)


def test_a_change_of_a_longer_transaction_is_waited_for(served: Any) -> None:
    """One writes a change and ends late; another writes and ends before: the feed stops below the first."""
    from django.db import connection, transaction

    from klientel.web.api.settled import horizon
    from klientel.web.records.models import Change

    def change(number: int) -> int:
        return Change.objects.create(at=AT, why="x", model="Company", object_id=number).pk

    settled = change(1)
    assert horizon() == settled
    written, end = threading.Event(), threading.Event()
    slow: list[int] = []

    def late() -> None:
        with transaction.atomic():
            slow.append(change(2))
            written.set()
            end.wait(20)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(20)
    quick = change(3)
    assert slow[0] < quick
    seen = horizon()
    assert seen == settled  # not from the beginning
    assert horizon() < slow[0]
    end.set()
    thread.join()
    assert horizon() == quick
