"""Spark as an engine: a session at an address, Arrow in and out, kept tables cached in the cluster."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.engines.addresses import Address
from klientel.engines.kinds import as_promised, limited, storable
from klientel.errors import EngineFailed
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

_SLICE = 500_000  # rows of Arrow that go to the cluster at a time


def connect(address: Address) -> Any:
    """A Spark session as an Ibis backend: the one that runs in this process, or a new one at the address.

    place: "local[2]", "local-cluster[2,1,1024]", "spark://host:7077", "yarn", or "" for what spark-submit or
    spark-defaults.conf say. Options beginning with `spark.` are settings of the session. Raises EngineFailed,
    with a sentence, if Spark or Java is missing or the master cannot be reached.
    """
    try:
        import pyspark  # noqa: F401 - only to see that it is installed

        backend = _backend()
    except ImportError:
        raise EngineFailed(say('Spark is not installed: pip install "klientel[spark]".')) from None
    running = _running()
    if running is not None:
        master = running.sparkContext.master
        if address.place and master != address.place:
            raise EngineFailed(
                say(
                    "A Spark session at {master} runs in this process already; stop it, or use spark://.",
                    master=master,
                )
            )
        return backend().connect(running)
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise EngineFailed(
            say("Spark needs Java 17: install openjdk-17-jre-headless, or set JAVA_HOME to where it is.")
        )
    try:
        session = _session(address)
    except Exception as broke:  # py4j, Java and Spark raise their own families
        raise EngineFailed(
            say("Cannot connect to {address}: {text}", address=address.shown, text=reason(broke))
        ) from broke
    return backend().connect(session)


def adopt(backend: Any) -> Any:
    """An Ibis connection that somebody else opened, with our changes; the same Spark session."""
    return _backend()().connect(backend._session)


def _running() -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    return session if session is not None and session.sparkContext._jsc is not None else None


def _session(address: Address) -> Any:
    """A new session; the log of Java goes to a file, not between the answers."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setAll(list(settings(address).items()))
    log = Path(tempfile.mkdtemp(prefix="klientel-spark-")) / "spark.log"
    with log.open("wb") as stream:
        try:
            gateway = launch_gateway(conf, popen_kwargs={"stdout": stream, "stderr": stream})
            context = SparkContext(conf=conf, gateway=gateway)
        except BaseException:
            shutil.rmtree(log.parent, ignore_errors=True)
            raise
    import atexit

    atexit.register(shutil.rmtree, str(log.parent), True)
    context.setLogLevel("ERROR")
    return SparkSession(context)


def settings(address: Address) -> dict[str, str]:
    """The settings of a new session: ours, then those of the address."""
    given = {k: v for k, v in address.options.items() if k.startswith("spark.")}
    ours = {
        "spark.app.name": "klientel",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.maxResultSize": "0",
    }
    if address.place:
        ours["spark.master"] = address.place
    if address.place.startswith("local"):
        cores = [int(n) for n in re.findall(r"\d+", address.place)]
        number = cores[0] * (cores[1] if len(cores) > 2 else 1) if cores else (os.cpu_count() or 2)
        ours |= {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": str(max(2, number)),
            "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "klientel-spark-warehouse"),
        }
    return {**ours, **given}


def reason(broke: Exception) -> str:
    """What Java says, in one line, without the names of its classes."""
    java = getattr(broke, "java_exception", None)
    text = str(broke)
    if java is not None:
        with suppress(Exception):
            text = str(java.getMessage() or java.toString())
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(broke).__name__]
    return re.sub(r"^(?:[a-zA-Z_]+\.)+[A-Za-z]+(?:Exception|Error): ", "", lines[0])


@cache
def _backend() -> Any:
    """The Ibis backend with our changes; made when first used, because Ibis and Spark are slow to import."""
    import ibis
    from ibis.backends.pyspark import Backend

    assert ibis.pyspark is not None  # looked at once, Ibis reads its options for Spark
    from klientel.engines.spark_words import Words

    class Spark(Backend):  # type: ignore[misc]  # Ibis gives its classes no types
        """Ibis' Spark backend, with Arrow both ways, exact decimals, and tables kept in the cluster's memory."""

        compiler = Words()

        def _register_in_memory_table(self, op: Any) -> None:
            schema = storable(op.schema)
            table = op.data.to_pyarrow(op.schema).cast(schema.to_pyarrow())
            self._frame(table, schema).createOrReplaceTempView(op.name)

        def _frame(self, table: pa.Table, schema: Any) -> Any:
            from ibis.backends.pyspark.datatypes import PySparkSchema

            kind = PySparkSchema.from_ibis(schema)
            if not table.num_rows:
                return self._session.createDataFrame([], kind)
            return self._session.createDataFrame(table, kind)

        def load(self, name: str, batches: Any, schema: Any) -> ir.Table:
            """A table of Arrow record batches, sent slice by slice and kept in the cluster."""
            import pyarrow as pa
            from pyspark import StorageLevel

            frame, waiting, rows = None, [], 0
            for batch in batches:
                waiting.append(batch)
                rows += batch.num_rows
                if rows >= _SLICE:
                    part = self._frame(pa.Table.from_batches(waiting), schema)
                    frame, waiting, rows = part if frame is None else frame.unionAll(part), [], 0
            if waiting or frame is None:
                part = self._frame(pa.Table.from_batches(waiting, schema.to_pyarrow()), schema)
                frame = part if frame is None else frame.unionAll(part)
            frame.persist(StorageLevel.MEMORY_AND_DISK).createOrReplaceTempView(name)
            return self.table(name)

        def read_parquet(self, paths: Any, /, *, table_name: str | None = None, **how: Any) -> ir.Table:
            """Files or folders of Parquet as one table, read lazily by the cluster."""
            from ibis import util

            listed = paths if isinstance(paths, list) else [paths]
            name = table_name or util.gen_name("klientel_parquet")
            self._session.read.parquet(*map(str, listed), **how).createOrReplaceTempView(name)
            return self.table(name)

        def create_table(self, name: str, /, obj: Any = None, *, temp: bool | None = None, **how: Any) -> Any:
            """As Ibis; a temporary table is a view whose rows the cluster keeps, on disk where memory ends."""
            if not temp or obj is None:
                return super().create_table(name, obj, temp=temp, **how)
            from pyspark import StorageLevel

            self._run_pre_execute_hooks(obj)
            frame = _cast(self._session.sql(self.compile(obj)), limited(obj.schema()))
            frame.persist(StorageLevel.MEMORY_AND_DISK).createOrReplaceTempView(name)
            return self.table(name)

        def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
            """Through Arrow, in the types that Ibis promised."""
            self._run_pre_execute_hooks(expr)
            table = expr.as_table()
            schema = table.schema()
            frame = self._session.sql(self.compile(table, params=params, limit=limit))
            return expr.__pyarrow_result__(_typed(frame, schema))

        def execute(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
            """As a pandas object, by way of Arrow: decimals stay exact."""
            table = self.to_pyarrow(expr.as_table(), params=params, limit=limit)
            return expr.__pandas_result__(table.to_pandas())

    return Spark


def _typed(frame: Any, schema: Any) -> pa.Table:
    """The rows as Arrow, with the types that Ibis promised."""
    schema = limited(schema)
    return as_promised(_cast(frame, schema).toArrow(), schema)


def _cast(frame: Any, schema: Any) -> Any:
    """The frame with the types that Ibis promised: Spark widens decimals and has other integers."""
    from ibis.backends.pyspark.datatypes import PySparkSchema
    from pyspark.sql.functions import col

    chosen = []
    for have, want in zip(frame.schema, PySparkSchema.from_ibis(storable(schema)), strict=True):
        column = col(f"`{have.name.replace('`', '``')}`")
        chosen.append(
            column if have.dataType == want.dataType else column.cast(want.dataType).alias(want.name)
        )
    return frame.select(*chosen)
