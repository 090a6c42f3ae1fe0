"""What all tests share: where the real data are, and a loud word when something is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Two test processes on two cores: threads of the linear algebra only get in one another's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REAL = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped, loudly, without it."""
    if not REAL.exists():
        pytest.skip("SKIPPED, REAL DATA ABSENT: ../shared/data is not beside this checkout")
    return REAL


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: else the last minutes are one long file in one process, and the other one idles."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
