"""PostgreSQL as an engine: exact money in and out, and the few expressions it words in its own way."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from klientel.engines.addresses import Address
from klientel.engines.kinds import limited, storable
from klientel.errors import EngineFailed
from klientel.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis.expr.types as ir
    import pyarrow as pa

_SECONDS = "10"  # to wait for a server that does not answer
_OURS = ("schema", "tables", "path")  # options that say which tables; the others are the driver's


def connect(address: Address) -> Any:
    """A connection to a PostgreSQL server as an Ibis backend.

    What the address leaves out comes from the environment (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE,
    PGSSLMODE) or from ~/.pgpass. Raises EngineFailed, with a sentence, if the driver or the server is missing.
    """
    try:
        import psycopg

        backend = _backend()
    except ImportError:
        raise EngineFailed(
            say('PostgreSQL needs a driver that is not installed: pip install "klientel[postgres]".')
        ) from None
    host, _, port = address.place.rpartition(":") if ":" in address.place else (address.place, "", "")
    told = {"host": host, "port": port, "user": address.user, "password": address.password}
    told["dbname"] = address.path
    options = {k: v for k, v in address.options.items() if k not in _OURS}
    given: dict[str, Any] = {"connect_timeout": _SECONDS, **{k: v for k, v in told.items() if v}, **options}
    try:
        link = psycopg.connect(**given, autocommit=True)
    except psycopg.Error as broke:
        raise EngineFailed(
            say("Cannot connect to {address}: {text}", address=address.shown, text=_reason(broke))
        ) from broke
    made = backend.from_connection(link)
    if "schema" in address.options:
        with link.cursor() as cursor:
            cursor.execute("SELECT set_config('search_path', %s, false)", (address.options["schema"],))
    return made


def adopt(backend: Any) -> Any:
    """An Ibis connection that somebody else opened, with our changes; the same session of the server."""
    return _backend().from_connection(backend.con)


def _reason(broke: Exception) -> str:
    """What the driver says, in one line; it tries several addresses of a host and says each."""
    lines = [line.strip(" -") for line in str(broke).splitlines() if line.strip(" -")]
    told = [line for line in lines if "failed" in line or "error" in line.lower()] or lines
    return (told[-1] if told else type(broke).__name__).removeprefix("connection failed: ")


@cache
def _backend() -> Any:
    """The Ibis backend with our changes; made when first used, because Ibis is slow to import."""
    from ibis.backends.postgres import Backend

    from klientel.engines.postgres_words import Words

    class Postgres(Backend):  # type: ignore[misc]  # Ibis gives its classes no types
        """Ibis' PostgreSQL backend, with rows copied in bulk and money that never becomes a float."""

        compiler = Words()

        def _register_in_memory_table(self, op: Any) -> None:
            schema = storable(op.schema)
            table = op.data.to_pyarrow(op.schema).cast(schema.to_pyarrow())
            self.load(op.name, table.to_reader(), schema)

        def load(self, name: str, batches: Any, schema: Any) -> ir.Table:
            """A temporary table of Arrow record batches, sent one after another."""
            import sqlglot as sg
            import sqlglot.expressions as sge

            target = sge.Schema(
                this=sg.to_identifier(name, quoted=True),
                expressions=schema.to_sqlglot_column_defs(self.dialect),
            )
            properties = sge.Properties(expressions=[sge.TemporaryProperty()])
            made = sge.Create(kind="TABLE", this=target, properties=properties)
            columns = ", ".join(sg.to_identifier(c, quoted=True).sql(self.dialect) for c in schema.names)
            quoted = sg.to_identifier(name, quoted=True).sql(self.dialect)
            with self.con.cursor() as cursor, self.con.transaction():
                cursor.execute(made.sql(self.dialect))
                with cursor.copy(f"COPY {quoted} ({columns}) FROM STDIN") as copy:
                    for batch in batches:
                        for row in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                            copy.write_row(row)
            with self.con.cursor() as cursor:
                cursor.execute(f"ANALYZE {quoted}")
            return self.table(name)

        def create_table(self, name: str, /, obj: Any = None, **how: Any) -> Any:
            """As Ibis; a kept table is looked at once, or the planner knows nothing of its size."""
            if obj is not None and obj.schema().null_fields:
                obj = obj.cast(dict.fromkeys(obj.schema().null_fields, "string"))
            made = super().create_table(name, obj, **how)
            if how.get("temp") and obj is not None:
                import sqlglot as sg

                with self.con.cursor() as cursor:
                    cursor.execute(f"ANALYZE {sg.to_identifier(name, quoted=True).sql(self.dialect)}")
            return made

        def to_pyarrow_batches(
            self, expr: Any, /, *, params: Any = None, limit: Any = None, chunk_size: int = 100_000, **_: Any
        ) -> pa.RecordBatchReader:
            """Rows in batches by a cursor of the server, in the types that Ibis promised."""
            import pyarrow as pa

            self._run_pre_execute_hooks(expr)
            schema = limited(expr.as_table().schema())
            query = _typed(self.compiler, self.compile(expr, limit=limit, params=params), schema)
            return pa.RecordBatchReader.from_batches(
                schema.to_pyarrow(), _rows(self.con, query, schema, chunk_size)
            )

        def execute(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
            """As a pandas object, by way of Arrow: decimals stay exact."""
            table = self.to_pyarrow(expr.as_table(), params=params, limit=limit)
            return expr.__pandas_result__(table.to_pandas())

    return Postgres


def _typed(compiler: Any, query: str, schema: Any) -> str:
    """The query with decimals and floats cast to what Ibis promised: the server's own types are wider."""
    import sqlglot as sg

    chosen = []
    for name, kind in schema.items():
        column: Any = sg.column(name, table="typed", quoted=True)
        if kind.is_decimal() or kind.is_floating() or kind.is_integer():
            wanted = compiler.type_mapper.from_ibis(kind)
            column = sg.cast(column, wanted).as_(name, quoted=True)
        chosen.append(column.sql(compiler.dialect))
    return f"SELECT {', '.join(chosen)} FROM ({query}) AS typed"  # noqa: S608 - names are quoted


def _rows(link: Any, query: str, schema: Any, chunk_size: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from ibis import util

    kind = schema.as_struct().to_pyarrow()
    with link.cursor(name=util.gen_name("klientel")) as cursor, link.transaction():
        cursor.execute(query)
        while rows := cursor.fetchmany(chunk_size):
            yield pa.RecordBatch.from_struct_array(pa.array(rows, type=kind))
