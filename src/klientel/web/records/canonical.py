"""Records as the canonical tables that a Book is made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.schema import TABLES
from klientel.web.records import dated
from klientel.web.records.models import CANONICAL, CustomField, StageEntry
from klientel.web.records.rows import ModelClass
from klientel.web.records.values import columns as columns_of

if TYPE_CHECKING:
    import pyarrow as pa

REFERENCE = "reference"  # `source` of a record that is known only because others refer to it
PK = "__pk"  # no column of a file is called so
PART = 20_000  # rows that are made into columns at once
# Records that nothing but references made are no rows of these tables.
_NOT_REFERENCES = ("rep", "product", "product_group")


def tables(seen: Mapping[str, Sequence[str]], as_of: date | None = None) -> dict[str, pa.Table]:
    """Canonical name -> Arrow table of every kind of record that there is, deleted ones left out.

    seen: columns that ever came in, by table; those and all that are filled are in it. as_of: attributes of
    customers as they were before that day.
    """
    found = {}
    for name in CANONICAL:
        table = read(name, seen.get(name, ()), as_of)
        if table is not None:
            found[name] = filled(table, name, seen.get(name, ()))
    return found


def read(
    name: str, seen: Sequence[str], as_of: date | None = None, among: Collection[int] | None = None
) -> pa.Table | None:
    """The records of one canonical table with their ids (`PK`), in the order of these; None if there are none.

    among: only those with these ids. Columns that nothing fills are in it; `filled` takes them out.
    """
    model = CANONICAL[name]
    query = getattr(model, "present", model.objects).order_by("pk")
    if name in _NOT_REFERENCES:
        query = query.exclude(source=REFERENCE)
    if model is StageEntry:
        query = query.filter(opportunity__deleted_at__isnull=True)
    if among is not None:
        query = query.filter(pk__in=among)
    return _table(name, model, query, seen, as_of)


def filled(table: pa.Table, name: str, seen: Sequence[str]) -> pa.Table:
    """Without ids, and without columns that never came in and that nothing fills; in an order of their own."""
    known = [*_fields(name, CANONICAL[name]), *seen]
    order = sorted(set(table.column_names) - {PK} - set(known))
    columns = [c for c in dict.fromkeys([*known, *order]) if c in table.column_names]
    return table.select([c for c in columns if c in seen or table[c].null_count < table.num_rows])


def rests_on(name: str) -> dict[str, set[str]]:
    """Model -> its fields that a canonical table shows of it: what else than its own records it is made of."""
    model = CANONICAL[name]
    found: dict[str, set[str]] = {}
    for path in _fields(name, model).values():
        first, _, last = path.partition("__")
        if last:
            found.setdefault(model._meta.get_field(first).related_model.__name__, set()).add(last)
    if model is StageEntry:
        found.setdefault("Opportunity", set()).add("deleted_at")
    return found


def own_columns(name: str) -> list[str]:
    """Columns that a canonical table has beside its own: the fields that people have added."""
    if name != "customer":
        return []
    return list(CustomField.objects.filter(model="Company").order_by("name").values_list("name", flat=True))


def _table(
    name: str, model: ModelClass, query: Any, seen: Sequence[str], as_of: date | None
) -> pa.Table | None:
    import pyarrow as pa

    canonical = _fields(name, model)
    extra = [c for c in ("custom", "source") if c in columns_of(model)]
    parts: list[pa.Table] = []
    key = next((c for c, path in canonical.items() if path == "number"), "")
    own: dict[str, None] = dict.fromkeys(c for c in seen if c not in canonical)
    own |= dict.fromkeys(own_columns(name))
    past = dated.on_day(as_of) if as_of is not None and name == "customer" else {}
    fields = {c: _field(model, path) for c, path in canonical.items()}
    for rows in _raw(query.values_list("pk", *canonical.values(), *extra)):
        cells: dict[str, Any] = dict(
            zip(("", *canonical, *(f"__{c}" for c in extra)), zip(*rows, strict=True), strict=True)
        )
        ids = cells.pop("")
        customs, sources = cells.pop("__custom", ()), cells.pop("__source", ())
        over = _overlay(ids, cells, customs, past)
        if key and key not in seen:  # made by us, since no file gave one
            cells[key] = [None if v.startswith("~") else v for v in cells[key]]
        own |= dict.fromkeys(c for c in over if c not in canonical)
        arrays = {c: _filled(name, c, cells[c], fields[c], over.get(c)) for c in canonical}
        arrays |= {c: _array((over.get(c, {}).get(i) for i in range(len(ids))), name, c) for c in own}
        part = pa.table({PK: pa.array(ids, pa.int64()), **arrays})
        parts.append(_without_bare(part, sources) if name == "customer" else part)
    whole = pa.concat_tables(parts, promote_options="default") if parts else None
    return whole if whole is not None and whole.num_rows else None


def _field(model: ModelClass, path: str) -> Any:
    """The field at the end of a path."""
    first, _, last = path.partition("__")
    field = model._meta.get_field(first)
    return field.related_model._meta.get_field(last) if last else field


def _raw(query: Any) -> Iterator[list[Sequence[Any]]]:
    """Rows of a query in parts, as the database gives them: values are made of whole columns, not one by one."""
    from django.db.models.sql.constants import MULTI

    compiler = query.query.get_compiler("default")
    found = compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=PART)
    for part in found or ():
        if part:
            yield part


def _overlay(
    ids: Sequence[int],
    cells: Mapping[str, Sequence[Any]],
    customs: Sequence[Any],
    past: Mapping[str, Mapping[int, str]],
) -> dict[str, dict[int, Any]]:
    """column -> place in the part -> what stands there instead: custom fields, and values of an earlier day."""
    over: dict[str, dict[int, Any]] = {}
    for place, held in enumerate(customs):
        if held in ("{}", {}):
            continue
        values = json.loads(held) if isinstance(held, str) else held
        for name, value in values.items():
            # A reference to what is not there yet is kept here under the column's own name.
            if name not in cells or cells[name][place] in (None, ""):
                over.setdefault(name, {})[place] = value
    for name, values in past.items():
        for place, i in enumerate(ids):
            if i in values:
                over.setdefault(name, {})[place] = values[i] or None
    return over


def _filled(
    table: str, column: str, values: Sequence[Any], field: Any, over: Mapping[int, Any] | None
) -> Any:
    """A column of raw values as Arrow, with what stands instead of some."""
    if not over:
        return _whole(table, column, values, field)
    from django.db import connection

    convert = getattr(field, "from_db_value", None)
    mixed = [
        over[k] if k in over else (convert(v, None, connection) if convert else (None if v == "" else v))
        for k, v in enumerate(values)
    ]
    return _array(mixed, table, column)


def _whole(table: str, column: str, values: Sequence[Any], field: Any) -> Any:
    """A column of raw values as Arrow, without a look at the single one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = _type(table, column)
    only = set(map(type, values)) - {type(None)}
    if pa.types.is_string(kind):
        if not only <= {str}:
            return _array(values, table, column)
        texts = pa.array(values, kind)
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)
    if pa.types.is_decimal(kind) and only <= {int}:
        return _scaled(values, field.decimal_places, kind)
    if pa.types.is_date(kind) and only == {str}:
        return pa.array(values, pa.string()).cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array([None if v is None else bool(v) for v in values], kind)
    return pa.array(values, kind)


def _scaled(values: Sequence[int | None], places: int, kind: Any) -> Any:
    """Whole numbers of the last place as decimals, exactly."""
    import pyarrow as pa

    whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0))
    buffers = whole.buffers()
    return pa.Array.from_buffers(pa.decimal128(19, places), len(whole), buffers).cast(kind)


def _without_bare(part: pa.Table, sources: Sequence[str]) -> pa.Table:
    """Without companies of which only references tell, and those nothing but number and name."""
    import pyarrow as pa

    if REFERENCE not in sources:
        return part
    known = [False] * part.num_rows
    for column in part.column_names:
        if column not in (PK, "customer_id", "name"):
            known = [a or b for a, b in zip(known, part[column].is_valid().to_pylist(), strict=True)]
    kept = [k or source != REFERENCE for k, source in zip(known, sources, strict=True)]
    return part.filter(pa.array(kept))


def _fields(name: str, model: ModelClass) -> dict[str, str]:
    """Canonical column -> path of the field that keeps it."""
    paths: dict[str, str] = getattr(model, "COLUMNS", {})
    found = {}
    for column in TABLES[name].names():
        path = paths.get(column, column)
        if path.split("__")[0] in {f.name for f in model._meta.concrete_fields}:
            found[column] = path
    return found


def _array(values: Iterable[Any], table: str, column: str) -> Any:
    import pyarrow as pa

    kind = _type(table, column)
    if pa.types.is_string(kind):
        return pa.array([v if v is None or isinstance(v, str) else _text(v) for v in values], kind)
    return pa.array([_typed(v, kind) for v in values], kind)


def _typed(value: Any, kind: Any) -> Any:
    """A value that history keeps as text, as the column has it."""
    import pyarrow as pa

    if not isinstance(value, str):
        return bool(value) if value is not None and pa.types.is_boolean(kind) else value
    if pa.types.is_decimal(kind):
        from decimal import Decimal

        return Decimal(value)
    if pa.types.is_integer(kind):
        return int(value)
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    return value == "true"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _type(table: str, column: str) -> Any:
    """The Arrow type of a column, the same as when files are opened."""
    import pyarrow as pa

    if column not in TABLES[table].names():
        return pa.string()
    match TABLES[table].field(column).kind:
        case "money" | "number":
            return pa.decimal128(28, 10) if column == "rate" else pa.decimal128(18, 4)
        case "share":
            return pa.decimal128(28, 10)
        case "integer":
            return pa.int64()
        case "date":
            return pa.date32()
        case "flag":
            return pa.bool_()
    return pa.string()
