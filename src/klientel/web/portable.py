"""Rows of every table as JSON lines, so that records go from one kind of database to another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, connections, models, transaction

from klientel.errors import BadParameter
from klientel.web.records import rows
from klientel.web.records.rows import ModelClass
from klientel.web.records.values import plain
from klientel.words import say

_DJANGO = ("contenttypes",)  # made anew by `migrate`, the same everywhere


def kept() -> list[ModelClass]:
    """The models whose rows are carried over, those that others refer to first where that is possible."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label not in _DJANGO and model._meta.managed
    ]
    return [model for model in found if model._meta.label != "auth.Permission"]


def dump(folder: Path) -> tuple[dict[str, int], list[int], list[tuple[str, Path]]]:
    """Write all rows of one state to `folder`; pinned versions, finished imports, and (member, file) of each table."""
    from klientel.web.books import reading
    from klientel.web.imports.models import Import, Snapshot

    members = []
    with reading():
        newest = Snapshot.objects.order_by("-number").first()
        runs = Import.objects.filter(state__in=["done", "undone"]).values_list("pk", flat=True)
        pinned = dict(newest.facts) if newest else {}
        finished = list(runs)
        for model in kept():
            path = folder / f"{model._meta.db_table}.jsonl"
            with path.open("w", encoding="utf-8") as target:
                for row in _read(model, "default"):
                    target.write(json.dumps(row, ensure_ascii=False) + "\n")
            members.append((f"rows/{path.name}", path))
    return pinned, finished, members


def load_rows(folder: Path) -> None:
    """Fill the empty database with rows that `dump` wrote. Raises BadParameter if it is not empty."""

    def lines(model: ModelClass) -> Iterator[dict[str, Any]]:
        path = folder / f"{model._meta.db_table}.jsonl"
        if path.is_file():
            with path.open(encoding="utf-8") as source:
                yield from (json.loads(line) for line in source)

    _load((model, lines(model)) for model in kept())


def load_sqlite(file: Path) -> None:
    """Fill the empty database with the rows of a SQLite file of records."""
    from klientel.web.settings import sqlite

    connections.settings["restored"] = connections.configure_settings({"default": sqlite(file)})["default"]
    try:
        from klientel.web.migrating import migrate

        migrate("restored")  # a backup may be older than this Klientel
        _load((model, _read(model, "restored")) for model in kept())
    finally:
        connections["restored"].close()
        del connections["restored"]
        del connections.settings["restored"]


def _read(model: ModelClass, alias: str) -> Iterator[dict[str, Any]]:
    names = [f.attname for f in model._meta.concrete_fields if not f.generated]
    found = model._base_manager.using(alias).order_by("pk").values_list(*names)
    for values in found.iterator(chunk_size=rows.BATCH):
        yield {n: plain(v) for n, v in zip(names, values, strict=True)}


def _load(tables: Iterable[tuple[ModelClass, Iterable[dict[str, Any]]]]) -> None:
    with transaction.atomic():
        for model in kept():
            if model._base_manager.exists():
                raise BadParameter(
                    say(
                        "The database that KLIENTEL_DATABASE names holds records already; restore into an empty one."
                    )
                )
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA defer_foreign_keys = ON")
            else:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for model, found in tables:
            _insert(model, found)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), kept()):
                cursor.execute(statement)


def _insert(model: ModelClass, found: Iterable[dict[str, Any]]) -> None:
    fields = {f.attname: f for f in model._meta.concrete_fields if not f.generated}
    for batch in rows.batches(found):
        made = []
        for row in batch:
            values = {
                n: v if isinstance(f, models.JSONField | models.ForeignKey) else f.to_python(v)
                for n, f in fields.items()
                if n in row
                for v in (row[n],)
            }
            made.append(model(**values))
        model._base_manager.bulk_create(made, batch_size=500)
