"""Rows written by the thousand: one statement for many, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from django.db import connection, models

from klientel.web.records.fields import Exact

BATCH = 5_000  # rows per statement and per look-up

T = TypeVar("T")
ModelClass: TypeAlias = Any  # a model's class; Django comes without types


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def dumps(value: Any) -> str:
    """JSON, short, with letters as they are."""
    return _encoder.encode(value)


def new_ids(model: ModelClass, n: int) -> range | list[int]:
    """Ids for `n` new rows, never used before; inside the transaction that writes them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
            last = cursor.fetchone()[0] or 0
            return range(last + 1, last + 1 + n)
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, n]
        )
        return [row[0] for row in cursor.fetchall()]


def insert(model: ModelClass, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows; `names` are columns with `id` first, values are as the fields want them."""
    quoted = connection.ops.quote_name
    fields = [model._meta.get_field("id" if name == "id" else _field_name(model, name)) for name in names]
    todo = _todo(fields)
    table = quoted(model._meta.db_table)
    into = ", ".join(quoted(field.column) for field in fields)
    ready = (_ready(todo, row) for row in rows)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({into}) VALUES ({marks})", ready)  # noqa: S608 - our names
            return
        with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({into}) FROM STDIN") as copy:
            for row in ready:
                copy.write_row(row)


def update(model: ModelClass, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Update rows by id; each row holds the values of `names` and then the id."""
    quoted = connection.ops.quote_name
    fields = [model._meta.get_field(_field_name(model, name)) for name in names]
    todo = _todo(fields)
    sets = ", ".join(f"{quoted(field.column)} = %s" for field in fields)
    statement = f"UPDATE {quoted(model._meta.db_table)} SET {sets} WHERE id = %s"  # noqa: S608 - our names
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_ready(todo, row) for row in rows])


def remove(model: ModelClass, ids: Iterable[int]) -> None:
    """Remove rows for good. Who calls has made sure that nothing refers to them any more."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        for batch in batches(ids):
            cursor.executemany(f"DELETE FROM {table} WHERE id = %s", [[i] for i in batch])  # noqa: S608 - ours


def _field_name(model: ModelClass, column: str) -> str:
    return next(f.name for f in model._meta.concrete_fields if f.attname == column)


def _todo(fields: Sequence[models.Field]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Places in a row whose values the database wants otherwise, and how."""
    prepared = [(k, _prepared(field)) for k, field in enumerate(fields)]
    return [(k, prepare) for k, prepare in prepared if prepare is not None]


def _ready(todo: list[tuple[int, Callable[[Any], Any]]], row: Sequence[Any]) -> list[Any]:
    ready = list(row)
    for k, prepare in todo:
        if ready[k] is not None:
            ready[k] = prepare(ready[k])
    return ready


def _prepared(field: models.Field) -> Callable[[Any], Any] | None:
    """How a value that is not NULL is handed to the database; None: as it is."""
    sqlite = connection.vendor == "sqlite"
    match field:
        case models.JSONField():
            return dumps
        case Exact() if sqlite:
            places = field.decimal_places
            return lambda value: int(value.scaleb(places))
        case models.DateTimeField() if sqlite:
            return _moment
        case models.DateField() if sqlite:
            return lambda value: value.isoformat()
    return None


@lru_cache(maxsize=64)  # a batch has one moment
def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
