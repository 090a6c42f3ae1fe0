"""Which record a row means: its number, what stands for it, what is there already, what a person wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from klientel.ingest.values.shapes import identifier
from klientel.web.imports.counts import Counts
from klientel.web.records.models import Change
from klientel.web.records.rows import BATCH
from klientel.web.records.values import columns, name_of

# What stands for the number where a file has none.
_STANDS = {"rep": "name", "product": "name", "contact": "email", "lead": "email"}
_IDENTITY = {
    "contact": ("customer_id", "first_name", "name"),
    "project_contract": ("customer_id", "type", "signed_on", "start"),
    "opportunity": ("name", "customer_id", "created_on", "product_id"),
    "lead": ("name", "company", "created_on"),
}
ONCE = ("rep", "product_group", "product", "customer")  # a number that appears twice is taken once
KEYS = {
    "opportunity_stage_hist": ("opportunity_id", "stage", "entered_on"),
    "customer_succession": ("from_id", "to_id", "valid_from"),
    "fx_rate": ("date", "from_currency", "to_currency", "kind"),
}


@dataclass
class Column:
    """Where a canonical column goes: a field, a reference to another model, or a custom field."""

    name: str
    attname: str = ""
    target: Any = None


def column_of(model: Any, name: str) -> Column:
    """Where a column goes in a model."""
    path = model.COLUMNS.get(name, name)
    if path.endswith("__number"):
        ref = model._meta.get_field(path.removesuffix("__number"))
        return Column(name, ref.attname, ref.related_model)
    return Column(name, path if path in columns(model) else "")


def number_sql(table: str, names: Sequence[str]) -> str:
    """SQL of the number that a record is known by."""
    key = {
        "customer": "customer_id", "project_contract": "contract_id", "survey_response": "response_id"
    }.get(table, f"{table}_id")  # fmt: skip
    have = set(names)
    written = [f"CAST({identifier(key)} AS VARCHAR)"] if key in have else []
    stands = _STANDS.get(table)
    if stands in have:
        written.append(
            f"lower(trim({identifier(str(stands))}))" if stands == "email" else identifier(str(stands))
        )
    identity = [c for c in _IDENTITY.get(table, names) if c in have] or list(names)
    text = ", ".join(f"coalesce(CAST({identifier(c)} AS VARCHAR), '')" for c in identity)
    written.append(f"'~' || left(md5(concat_ws(chr(31), {text})), 20)")
    number = f"coalesce({', '.join(written)})"
    return f"CASE WHEN length({number}) > 280 THEN md5({number}) ELSE {number} END"


def ids_of(model: Any, numbers: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Number and id of the records with these numbers."""
    for part in parts(sorted(numbers)):
        yield from model.objects.filter(number__in=part).values_list("number", "pk")


def parts(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """Rows in portions that one query can take."""
    for start in range(0, len(rows), BATCH):
        yield list(rows[start : start + BATCH])


def existing(model: Any, numbers: list[str]) -> dict[Any, tuple[int, dict[str, Any]]]:
    """Records by number: id and columns."""
    names = list(columns(model))
    found: dict[Any, tuple[int, dict[str, Any]]] = {}
    for pk, *values in model.objects.filter(number__in=numbers).values_list("pk", *names):
        now = dict(zip(names, values, strict=True))
        found[now["number"]] = (pk, now)
    return found


def with_keys(
    model: Any,
    keys: Sequence[str],
    rows: list[tuple[str, dict[str, Any]]],
    wanted: list[dict[str, Any]],
    counts: Counts,
) -> tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]]]:
    """The rows that name what they belong to; the others are rejected (a stage of a deal that is not there)."""
    kept: list[tuple[str, dict[str, Any]]] = []
    values: list[dict[str, Any]] = []
    for row, found in zip(rows, wanted, strict=True):
        if found.get(keys[0]) is None:
            counts.add("rejected", {"number": str(row[1].get(keys[0]) or row[0])})
            continue
        kept.append(row)
        values.append({n: v for n, v in found.items() if n in columns(model)})
    return kept, values


def existing_by(
    model: Any, keys: Sequence[str], wanted: Sequence[dict[str, Any]]
) -> dict[Any, tuple[int, dict[str, Any]]]:
    """Records without a number, by the columns that tell them apart: those that share the first one."""
    names = list(columns(model))
    found: dict[Any, tuple[int, dict[str, Any]]] = {}
    first = {v[keys[0]] for v in wanted}
    for pk, *values in model.objects.filter(**{f"{keys[0]}__in": first}).values_list("pk", *names):
        now = dict(zip(names, values, strict=True))
        found[tuple(now[k] if now[k] != "" else None for k in keys)] = (pk, now)
    return found


def differing(now: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not there yet; of custom fields the whole, old and new together."""
    new = {n: v for n, v in values.items() if n != "custom" and now.get(n) != v}
    if "custom" in values:
        merged = {**(now.get("custom") or {}), **values["custom"]}
        if merged != (now.get("custom") or {}):
            new["custom"] = merged
    return new


def edited(model: Any, ids: list[int]) -> dict[tuple[int, str], bool]:
    """(id, column) -> True if a person wrote the value that is there now; "custom.x" for a custom field."""
    found: dict[tuple[int, str], bool] = {}
    if not ids:
        return found
    people = set(
        Change.objects.filter(model=name_of(model), object_id__in=ids, import_run__isnull=True)
        .values_list("object_id", flat=True)
    )  # fmt: skip
    if not people:
        return found
    log = Change.objects.filter(model=name_of(model), object_id__in=people).order_by("id")
    for i, before, after, run in log.values_list("object_id", "before", "after", "import_run_id"):
        old, new = before or {}, after or {}
        for name in new:
            found[i, name] = run is None
        for name in {**(old.get("custom") or {}), **(new.get("custom") or {})} if "custom" in new else ():
            if (old.get("custom") or {}).get(name) != (new.get("custom") or {}).get(name):
                found[i, f"custom.{name}"] = run is None
    return found


def by_person(
    edits: dict[tuple[int, str], bool], pk: int, name: str, now: dict[str, Any], value: Any
) -> bool:
    """True if writing the value would undo what a person wrote."""
    if name == "source":
        return False
    if name != "custom":
        return edits.get((pk, name), False)
    old = now.get("custom") or {}
    return any(edits.get((pk, f"custom.{k}")) and old.get(k) != v for k, v in value.items())
