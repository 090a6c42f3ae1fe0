"""What the tests of jobs share: the moment it is, and jobs that are done inside the test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

NOW = datetime.now(
    UTC
)  # the worker of these tests is a real process with the real clock, and tidies what is old
TWO_COLUMNS = "customer;amount\n" + "".join(f"Firm {i};{1000 - i},50\n" for i in range(40))


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have jobs done in the process."""
    from django.conf import settings

    monkeypatch.setattr(settings, "JOBS_AT_ONCE", True)
