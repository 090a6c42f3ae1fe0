"""Records as the canonical tables that a Book is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.schema import TABLES
from klientel.web.records import dated
from klientel.web.records.models import CANONICAL, CustomField
from klientel.web.records.rows import ModelClass, batches
from klientel.web.records.values import columns as columns_of

if TYPE_CHECKING:
    import pyarrow as pa

REFERENCE = "reference"  # `source` of a record that is known only because others refer to it
# Records that nothing but references made are no rows of these tables.
_NOT_REFERENCES = ("rep", "product", "product_group")


def tables(seen: Mapping[str, Sequence[str]], as_of: date | None = None) -> dict[str, pa.Table]:
    """Canonical name -> Arrow table of every kind of record that there is, deleted ones left out.

    seen: columns that ever came in, by table; those and all that are filled are in it. as_of: attributes of
    customers as they were before that day.
    """
    found = {}
    for name, model in CANONICAL.items():
        table = _table(name, model, seen.get(name, ()), as_of)
        if table is not None and table.num_rows:
            found[name] = table
    return found


def _table(name: str, model: ModelClass, seen: Sequence[str], as_of: date | None) -> pa.Table | None:
    import pyarrow as pa

    canonical = _fields(name, model)
    manager = getattr(model, "present", model.objects)
    query = manager.order_by("pk")
    if name in _NOT_REFERENCES:
        query = query.exclude(source=REFERENCE)
    custom = "custom" in columns_of(model)
    wanted = ["pk", *canonical.values(), *(["custom"] if custom else []), *(["source"] if custom else [])]
    parts: list[pa.Table] = []
    key = next((c for c, path in canonical.items() if path == "number"), "")
    own: dict[str, None] = dict.fromkeys(c for c in seen if c not in canonical)
    if name == "customer":
        own |= dict.fromkeys(CustomField.objects.filter(model="Company").values_list("name", flat=True))
    past = dated.on_day(as_of) if as_of is not None and name == "customer" else {}
    for batch in batches(query.values_list(*wanted).iterator(chunk_size=5000)):
        rows = [_row(canonical, values, custom) for values in batch]
        for row in rows:
            if key and key not in seen and str(row[key]).startswith("~"):
                row[key] = None  # made by us, since no file gave one
            _as_it_was(row, past)
        if name == "customer":
            rows = [r for r in rows if not (r["__source"] == REFERENCE and _bare(r))]
        for row in rows:
            own |= dict.fromkeys(c for c in row if c not in canonical and not c.startswith("__"))
        arrays = {c: _array([r.get(c) for r in rows], name, c) for c in (*canonical, *own)}
        parts.append(pa.table(arrays))
    if not parts:
        return None
    whole = pa.concat_tables(parts, promote_options="default")
    kept = [c for c in whole.column_names if c in seen or whole[c].null_count < whole.num_rows]
    return whole.select(kept)


def _fields(name: str, model: ModelClass) -> dict[str, str]:
    """Canonical column -> path of the field that keeps it."""
    paths: dict[str, str] = getattr(model, "COLUMNS", {})
    found = {}
    for column in TABLES[name].names():
        path = paths.get(column, column)
        if path.split("__")[0] in {f.name for f in model._meta.concrete_fields}:
            found[column] = path
    return found


def _row(canonical: Mapping[str, str], values: Sequence[Any], custom: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"__pk": values[0]}
    for column, value in zip(canonical, values[1:], strict=False):
        row[column] = None if value == "" else value
    row["__source"] = None
    if custom:
        row["__source"] = values[-1]
        for key, value in (values[-2] or {}).items():
            # A reference to what is not there yet is kept here under the column's own name.
            if row.get(key) is None:
                row[key] = value
    return row


def _as_it_was(row: dict[str, Any], past: Mapping[str, Mapping[int, str]]) -> None:
    """Write the values of an earlier day over today's."""
    for attribute, values in past.items():
        if row["__pk"] in values:
            text = values[row["__pk"]]
            row[attribute] = text or None


def _bare(row: Mapping[str, Any]) -> bool:
    """True if nothing but number and name is known."""
    return all(
        v is None for c, v in row.items() if c not in ("customer_id", "name") and not c.startswith("__")
    )


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
        return value
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
