"""What the tests of imports share: files as a firm exports them, and the whole content of a workspace as one value."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

_NUMBERS = count(1)
TODAY = date(2025, 6, 1)


def orders(
    path: Path,
    rows: Iterable[tuple[Any, ...]],
    columns: str = "order_id,line_no,customer_id,order_date,product_id,qty,net_amount",
) -> Path:
    """A CSV file of order lines."""
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(columns.split(","))
        writer.writerows(rows)
    return path


def line(
    order: int,
    n: int = 1,
    customer: str = "C1",
    day: str = "2024-03-01",
    product: str = "P1",
    qty: int = 1,
    amount: str = "100.00",
) -> tuple[Any, ...]:
    """One order line."""
    return (f"A{order:04}", n, customer, day, product, qty, amount)


def bring(home: Any, *files: Path, **options: Any) -> Any:
    """Import files."""
    from klientel.web.imports import importing

    return importing.run(
        home, list(files), options=importing.Options(today=TODAY, **options), progress=silent
    )


def take_back(home: Any, number: int) -> Any:
    """Undo an import."""
    from klientel.web.imports import undoing

    return undoing.undo(home, number, progress=silent)


def silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def counts(report: Any, table: str = "lines") -> tuple[int, int, int]:
    """Created, updated, skipped."""
    found = report.counts[table]
    return found.create, found.update, found.skip


def content(home: Any) -> dict[str, Any]:
    """All that a workspace holds, without what says when and by which import it came."""
    from klientel.web import books
    from klientel.web.records.models import CANONICAL

    found: dict[str, Any] = {}
    book = books.open_book(home, lenient=True, today=TODAY)
    if "lines" in book.tables:
        rows = book.tables["lines"].to_pyarrow().to_pylist()
        found["lines"] = sorted(str(sorted((k, str(v)) for k, v in r.items() if v is not None)) for r in rows)
    leave = {"id", "created_at", "updated_at", "imported_by_id"}
    for name, model in CANONICAL.items():
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in leave]
        shown = [n for n in names if not n.endswith("_id")]
        refs = [f"{f.name}__number" for f in model._meta.concrete_fields if f.attname.endswith("_id") and f.is_relation
                and hasattr(f.related_model, "number") and f.name != "imported_by"]  # fmt: skip
        found[name] = sorted(str(row) for row in model.objects.values_list(*shown, *refs))
    return found


def facts(home: Any) -> tuple[Any, ...]:
    """Names of the live files: equal if nothing was written."""
    from klientel.web.imports import lines
    from klientel.web.imports.writing import newest

    snapshot = newest()
    version = snapshot.facts.get("lines", -1) if snapshot else -1
    return tuple(f.name for f in lines.table(home).files(version))


def database(template: str = "template1") -> None:
    """Where PostgreSQL is tested: let KLIENTEL_DATABASE name a new database from now on."""
    address = os.environ.get("KLIENTEL_DATABASE")
    if not address:
        return
    import psycopg
    from django.db import connections

    connections.close_all()
    name = f"more_{next(_NUMBERS)}"
    path, mark, query = address.partition("?")
    server, rest = path.rpartition("/")[0], mark + query
    with psycopg.connect(f"{server}/postgres{rest}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    os.environ["KLIENTEL_DATABASE"] = f"{server}/{name}{rest}"
