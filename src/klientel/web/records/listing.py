"""Lists of records: searched, filtered, sorted, page by page or counted by group, narrowed to what a person sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Sum

from klientel.web import rights
from klientel.web.records import conditions
from klientel.web.records.catalog import Column, Kind, all_columns
from klientel.web.records.conditions import Condition
from klientel.web.records.labels import labels
from klientel.web.rights import Access, access

SIZES = (25, 50, 100, 200)
MOST_GROUPS = 200
MOST_CHOICES = 100
MOST_COLUMNS = 16
FEW = 2_000  # found records whose ids are read at once, instead of looking twice


@dataclass
class Wanted:
    """What a list is to show, as its address says."""

    kind: Kind
    available: dict[str, Column]
    words: str = ""
    filters: list[Condition] = field(default_factory=list)
    order: str = ""
    columns: tuple[str, ...] = ()
    page: int = 1
    size: int = 50
    by: str = ""  # counted by this attribute instead of listed
    across: str = ""
    deleted: bool = False


@dataclass
class Page:
    """A page of a list: rows (column -> value, with `id`), names of what they refer to, and how many there are."""

    rows: list[dict[str, Any]]
    labels: dict[str, dict[int, str]]
    total: int
    page: int
    pages: int
    order: str


@dataclass
class Group:
    """A value of an attribute, how many records have it, sums, and counts by the values of a second attribute.

    sums: by column; amounts of records that have a currency are sums by currency ("" where a record names none).
    """

    value: Any
    n: int
    sums: dict[str, Any]
    across: dict[Any, int] = field(default_factory=dict)


def wanted(kind: Kind, given: Any, found: Access) -> Wanted:
    """What an address (a QueryDict) asks for; what cannot be asked for is passed over."""
    known = all_columns(kind.model)
    available = {n: c for n, c in known.items() if conditions.sees(found, c) != "none"}
    asked = [name for part in given.getlist("cols") for name in part.split(",")]
    columns = tuple(dict.fromkeys(n for n in asked if n in available))[:MOST_COLUMNS]
    size = given.get("size", "")
    made = Wanted(
        kind,
        available,
        given.get("q", "").strip()[:200].replace("\0", ""),
        conditions.parse(known, given),
        given.get("sort", ""),
        columns or tuple(n for n in kind.columns if n in available),
        _whole(given.get("page", "")),
        int(size) if size in {str(n) for n in SIZES} else 50,
        deleted=given.get("deleted") == "yes",
    )
    groups = group_columns(made, found)
    made.by = given.get("by", "") if given.get("by", "") in groups else ""
    made.across = given.get("across", "") if given.get("across", "") in groups and made.by else ""
    return made


def _whole(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 9 else 1


def group_columns(made: Wanted, found: Access) -> dict[str, Column]:
    """The attributes that a list can be counted by; own fields of few values, too."""
    own = {n for n, c in made.available.items() if c.custom and c.kind in ("text", "flag", "integer")}
    return {
        n: made.available[n]
        for n in (*made.kind.groups, *sorted(own))
        if n in made.available and conditions.sees(found, made.available[n]) == "all"
    }


def select(made: Wanted, *, actor: Any = None, today: date, action: str = "read") -> Any:
    """The query of all that the list shows, in its order. Raises BadParameter for a filter that cannot be one."""
    found = access(actor)
    manager = (
        made.kind.model.objects.filter(deleted_at__isnull=False)
        if made.deleted
        else made.kind.model.present.all()
    )
    if made.deleted and hasattr(made.kind.model, "merged_into"):
        manager = manager.filter(merged_into=None)
    queryset = rights.visible(manager, found)
    if action != "read":
        queryset = rights.visible(queryset, found, action)
    queryset = conditions.narrowed(queryset, made.filters, found, today=today)
    queryset = conditions.searched(queryset, made.kind, made.words, found)
    order, _ = conditions.order_by(made.kind, made.available, made.order, found)
    return queryset.order_by(*order)


def listed(made: Wanted, *, actor: Any = None, today: date) -> Page:
    """A page of a list. Ids are found by the index first; whole rows are read for the page alone."""
    found = access(actor)
    queryset = select(made, actor=found, today=today)
    ordered = queryset.values_list("pk", flat=True)
    few: list[int] | None = None
    if made.words:  # what is looked for is found in one pass, and counted by it if it is not much
        few = list(ordered[: FEW + 1])
    total = len(few) if few is not None and len(few) <= FEW else queryset.order_by().count()
    pages = max(1, -(-total // made.size))
    number = min(made.page, pages)
    start = (number - 1) * made.size
    end = start + made.size
    ids = few[start:end] if few is not None and (end <= FEW or total <= FEW) else list(ordered[start:end])
    rows = _rows(made, ids, found)
    _, order = conditions.order_by(made.kind, made.available, made.order, found)
    return Page(rows, named(made, rows, found), total, number, pages, order)


def _rows(made: Wanted, ids: list[int], found: Access, action: str = "read") -> list[dict[str, Any]]:
    model = made.kind.model
    by_id = {row["id"]: row for row in rights.rows(model._base_manager.filter(pk__in=ids), found, action)}
    return [by_id[i] for i in ids if i in by_id]


def named(made: Wanted, rows: list[dict[str, Any]], found: Access) -> dict[str, dict[int, str]]:
    """Column -> id -> name, for the columns of a list that refer to other records."""
    result: dict[str, dict[int, str]] = {}
    for target in {c.target for n in made.columns if (c := made.available[n]).target is not None}:
        mine = [n for n in made.columns if made.available[n].target is target]
        names = labels(target, (row[n] for n in mine for row in rows), actor=found)
        result.update(dict.fromkeys(mine, names))
    return result


def value(column: Column, row: Mapping[str, Any]) -> Any:
    """The value of a column in a row."""
    return (row.get("custom") or {}).get(column.custom) if column.custom else row.get(column.name)


def exported(
    made: Wanted, *, actor: Any = None, today: date, size: int = 2000
) -> Iterator[tuple[list[dict[str, Any]], dict[str, dict[int, str]]]]:
    """All rows that the person may take out, in batches with the names that they refer to.

    Raises NotAllowed for whom may take out nothing.
    """
    found = access(actor)
    rights.demand(found, "export")
    queryset = select(made, actor=found, today=today, action="export")
    ids = list(queryset.values_list("pk", flat=True))

    def batches() -> Iterator[tuple[list[dict[str, Any]], dict[str, dict[int, str]]]]:
        for start in range(0, len(ids), size):
            rows = _rows(made, ids[start : start + size], found, "export")
            yield rows, named(made, rows, found)

    return batches()


def sum_columns(made: Wanted, found: Access) -> list[Column]:
    """What groups of a list are added up by."""
    known = [made.available[n] for n in made.kind.sums if n in made.available]
    return [c for c in known if conditions.sees(found, c) == "all"]


def monetary(made: Wanted, column: Column) -> bool:
    """True if the amounts of a column are in the currency that each record names."""
    return column.kind == "money" and not column.custom and "currency" in made.available


def groups(made: Wanted, *, actor: Any = None, today: date) -> tuple[list[Group], int, list[Any]]:
    """How many records have each value of an attribute, most first, with sums; how many in all; second values.

    At most `MOST_GROUPS` values are told, and the eight most frequent ones of a second attribute.
    """
    found = access(actor)
    queryset = select(made, actor=found, today=today).order_by()
    by = _expression(made.available[made.by])
    added_up = sum_columns(made, found)
    plain = [c for c in added_up if not monetary(made, c)]
    sums = {f"sum_{i}": Sum(c.name) for i, c in enumerate(plain)}
    rows = queryset.annotate(_by=by).values("_by").annotate(n=Count("pk"), **sums).order_by("-n", "_by")
    result: dict[Any, Group] = {}
    for row in rows[: MOST_GROUPS + 1]:
        key = "" if row["_by"] is None else row["_by"]
        added = {c.name: row[f"sum_{i}"] for i, c in enumerate(plain)}
        if key in result:  # none and an empty text are one
            result[key].n += row["n"]
            result[key].sums = {n: _plus(result[key].sums[n], v) for n, v in added.items()}
        else:
            result[key] = Group(key, row["n"], added)
    _add_money(result, queryset.annotate(_by=by), [c for c in added_up if monetary(made, c)])
    second: dict[Any, int] = {}
    if made.across:
        pairs = queryset.annotate(_by=by, _across=_expression(made.available[made.across]))
        # Counted here: the databases sort all rows to group them, which takes three times as long.
        for (a, b), n in Counter(pairs.values_list("_by", "_across").iterator(chunk_size=5000)).items():
            left, right = "" if a is None else a, "" if b is None else b
            second[right] = second.get(right, 0) + n
            if left in result:
                result[left].across[right] = result[left].across.get(right, 0) + n
    most = sorted(second, key=lambda v: (-second[v], str(v)))[:8]
    return list(result.values())[:MOST_GROUPS], queryset.count(), most


def _add_money(result: dict[Any, Group], queryset: Any, columns: list[Column]) -> None:
    """Add to groups the sums of amounts, by the currency of the records: 1,000 dollars are no 1,000 euros."""
    if not columns:
        return
    for group in result.values():
        group.sums |= {c.name: {} for c in columns}
    summed = {f"sum_{i}": Sum(c.name) for i, c in enumerate(columns)}
    for row in queryset.values("_by", "currency").annotate(**summed):
        found = result.get("" if row["_by"] is None else row["_by"])
        if found is None:
            continue
        for i, column in enumerate(columns):
            held = found.sums[column.name]
            held[row["currency"]] = _plus(held.get(row["currency"]), row[f"sum_{i}"])


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _expression(column: Column) -> Any:
    from django.db.models import CharField, F
    from django.db.models.fields.json import KeyTextTransform
    from django.db.models.functions import Cast

    if column.custom:
        return Cast(KeyTextTransform(column.custom, "custom"), CharField())
    return F(column.name)


def choices(kind: Kind, column: Column, *, actor: Any = None) -> list[tuple[Any, Any]]:
    """(value, words) that a column has among what a person sees, for pick lists: the words of the kind, or texts."""
    if column.choices:
        return list(column.choices.items())
    found = access(actor)
    if conditions.sees(found, column) != "all":
        return []
    seen = rights.visible(kind.model.present.all(), found).order_by()
    if column.kind == "ref":
        ids = _targets(column, found)
        if len(ids) > MOST_CHOICES:
            return []
        names = labels(column.target, ids, actor=found)
        return sorted(names.items(), key=lambda pair: str(pair[1]).lower())
    values = (
        seen.annotate(_by=_expression(column)).values_list("_by", flat=True).distinct()[: MOST_CHOICES + 1]
    )
    texts = [v for v in values if v not in (None, "")]
    return [] if len(texts) > MOST_CHOICES else [(v, v) for v in sorted(texts, key=str)]


def too_many(column: Column, found: Access) -> bool:
    """True if more records than can be offered may stand in a column: they are looked for instead (`finding`)."""
    return column.kind == "ref" and len(_targets(column, found)) > MOST_CHOICES


def _targets(column: Column, found: Access) -> list[int]:
    """Ids of the records that a column may lead to, one more than can be offered at most."""
    target: Any = column.target
    seen = rights.visible(getattr(target, "present", target.objects).all(), found)
    return list(seen.values_list("pk", flat=True)[: MOST_CHOICES + 1])
