"""The cast of rights: one workspace for all tests that only read, one of its own for those that write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import cast_of_rights
import pytest


@pytest.fixture(scope="session")
def _shared_cast(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from klientel.web import home as homes

    folder: Path = tmp_path_factory.mktemp("cast") / "workspace"
    return cast_of_rights.make(homes.init(folder, currency="EUR"))


@pytest.fixture
def people(request: pytest.FixtureRequest) -> Any:
    """The cast, for tests that write nothing."""
    if os.environ.get("KLIENTEL_TEST_POSTGRES") == "1":  # one database for all: made anew for each test
        return request.getfixturevalue("own_people")
    from klientel.web import home as homes

    made = request.getfixturevalue("_shared_cast")
    homes.attach(made.home)
    return made


@pytest.fixture
def own_people(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The cast in a workspace of its own, for tests that write."""
    if os.environ.get("KLIENTEL_TEST_POSTGRES") == "1":
        return cast_of_rights.make(request.getfixturevalue("home"))
    from django.db import connections

    from klientel.web import home as homes

    made = request.getfixturevalue("_shared_cast")
    homes.attach(made.home)
    connections.close_all()  # what lies beside the database in its log is written into it
    shutil.copytree(made.home.folder, tmp_path / "workspace")
    return cast_of_rights.found(homes.find(tmp_path / "workspace"))
