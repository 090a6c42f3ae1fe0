"""Rows of canonical tables become records: created, updated, skipped, or left as a person wants them (conflict)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter
from klientel.ingest.values.shapes import identifier
from klientel.web.imports.taking import Taken
from klientel.web.records import changes
from klientel.web.records.canonical import REFERENCE
from klientel.web.records.merging import survivors
from klientel.web.records.models import CANONICAL, Change, Company, Product, ProductGroup, Rep
from klientel.web.records.rows import BATCH
from klientel.web.records.values import checks, columns, name_of

if TYPE_CHECKING:
    from klientel.web.imports.models import Import

SAMPLES = 5  # of each outcome, shown by a dry run
# In this order, so that what others refer to comes first.
ORDER = (
    "rep", "product_group", "product", "customer", "campaign", "contact", "project_contract", "opportunity",
    "opportunity_stage_hist", "lead", "interaction", "survey_response", "customer_succession", "fx_rate",
)  # fmt: skip
# What stands for the number where a file has none.
_STANDS = {"rep": "name", "product": "name", "contact": "email", "lead": "email"}
_IDENTITY = {
    "contact": ("customer_id", "first_name", "name"),
    "project_contract": ("customer_id", "type", "signed_on", "start"),
    "opportunity": ("name", "customer_id", "created_on", "product_id"),
    "lead": ("name", "company", "created_on"),
}
_ONCE = ("rep", "product_group", "product", "customer")  # a number that appears twice is taken once
_KEYS = {
    "opportunity_stage_hist": ("opportunity_id", "stage", "entered_on"),
    "customer_succession": ("from_id", "to_id", "valid_from"),
    "fx_rate": ("date", "from_currency", "to_currency", "kind"),
}
_STUBS = (Company, Rep, Product, ProductGroup)  # made when referred to
_PENDING = -1  # reference to a record that a dry run would make


@dataclass
class Counts:
    """What happens to the rows of one table, with samples of each."""

    create: int = 0
    update: int = 0
    skip: int = 0
    conflict: int = 0
    rejected: int = 0
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, outcome: str, sample: dict[str, Any]) -> None:
        """Count a row and keep it as a sample while there are few."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        kept = self.samples.setdefault(outcome, [])
        if len(kept) < SAMPLES:
            kept.append(sample)

    def to_dict(self) -> dict[str, int]:
        """The numbers alone."""
        return {n: getattr(self, n) for n in ("create", "update", "skip", "conflict", "rejected")}


@dataclass
class Column:
    """Where a canonical column goes: a field, a reference to another model, or a custom field."""

    name: str
    attname: str = ""
    target: Any = None


class Upsert:
    """The upsert of one import; `run` None: a dry run, which counts and writes nothing.

    overwrite: the file wins against what people edited.
    """

    def __init__(
        self, taken: Taken, run: Import | None, at: datetime, actor: Any, *, overwrite: bool
    ) -> None:
        self.taken = taken
        self.run = run
        self.at = at
        self.actor = actor
        self.overwrite = overwrite
        self.counts: dict[str, Counts] = {}
        self.unfit: dict[tuple[str, str], int] = {}  # (table, column) -> values that could not be kept
        self._pending: dict[Any, set[str]] = {}

    def everything(self, progress: Any) -> dict[str, Counts]:
        """Upsert all tables; the counts by table."""
        done = 0
        present = [t for t in ORDER if t in self.taken.tables]
        for table in ORDER:
            if table in self.taken.tables:
                progress(self.taken.opening.intake.tables[table].title, done, len(present))
                self._table(table)
                done += 1
            if table == "customer":
                self._customers_of_facts()
        return self.counts

    # -- one table ----------------------------------------------------------------------------

    def _table(self, table: str) -> None:
        model = CANONICAL[table]
        counts = self.counts.setdefault(table, Counts())
        relation, names = self.taken.tables[table]
        plan = [_column(model, n) for n in names]
        key = None if table in _KEYS else "number"
        later: list[tuple[str, dict[str, str]]] = []  # references to the table itself
        for batch in self._batches(table, relation, names):
            rows = []
            for row in batch:
                number = row.pop("__number")
                if row.pop("__nth") > 1 and table in _ONCE:
                    counts.add("rejected", {"number": number})
                    continue
                rows.append((number, row))
            selves = [c for c in plan if c.target is model]
            for number, row in rows:
                mine = {c.attname: str(row[c.name]) for c in selves if row.get(c.name)}
                if mine:
                    later.append((number, mine))
            others = [c for c in plan if c.target is not model]
            self._batch(table, model, others, rows, counts, key)
        for part in _parts(later):
            self._link(model, part)

    def _batches(self, table: str, relation: str, names: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Rows as dicts with `__number` and which of its equals it is, in the order of numbers."""
        chosen = ", ".join(identifier(n) for n in names)
        number = _number_sql(table, names)
        everything = ", ".join(identifier(n) for n in names)
        sql = (
            f"SELECT *, row_number() OVER (PARTITION BY __number ORDER BY {everything}) AS __nth "
            f"FROM (SELECT {number} AS __number, {chosen} FROM {relation})"
        )
        if table not in _ONCE and table not in _KEYS:
            sql = (
                "SELECT * REPLACE (CASE WHEN __nth > 1 THEN __number || ' #' || __nth ELSE __number END "
                f"AS __number) FROM ({sql})"
            )
        reader = self.taken.con.sql(f"SELECT * FROM ({sql}) ORDER BY __number, __nth").to_arrow_reader(BATCH)
        for batch in reader:
            yield batch.to_pylist()

    def _batch(
        self,
        table: str,
        model: Any,
        plan: list[Column],
        rows: list[tuple[str, dict[str, Any]]],
        counts: Counts,
        key: str | None,
    ) -> None:
        references = {c.target: self._ids(c.target, {str(r[c.name]) for _, r in rows if r.get(c.name)})
                      for c in plan if c.target is not None}  # fmt: skip
        wanted = [self._values(table, model, plan, row, references) for _, row in rows]
        if key:
            found = _existing(model, [n for n, _ in rows])
            keys: list[Any] = [n for n, _ in rows]
        else:
            rows, wanted = _with_keys(model, _KEYS[table], rows, wanted, counts)
            # What a dry run would make has no id yet: its number tells it apart.
            keys = [
                tuple(row.get(c) if v.get(c) == _PENDING else v.get(c) for c in _KEYS[table])
                for (_, row), v in zip(rows, wanted, strict=True)
            ]
            found = _existing_by(model, _KEYS[table], wanted)
        edits = _edited(model, [pk for pk, _ in (found[k] for k in keys if k in found)])
        create: list[dict[str, Any]] = []
        update: list[tuple[int, dict[str, Any]]] = []
        fresh: set[Any] = set()
        told = {c.attname: c.name for c in plan if c.target is not None}  # people know numbers, not our ids
        for k, (number, row), values in zip(keys, rows, wanted, strict=True):
            if k in fresh:
                counts.add("rejected", {"number": number})
            elif k not in found:
                fresh.add(k)
                create.append({**({"number": number} if key else {}), **values})
                shown = {told.get(n, n): row[told[n]] if n in told else v for n, v in values.items()}
                counts.add("create", {"number": number, **shown})
            else:
                pk, now = found[k]
                self._existing_row(counts, update, number, pk, now, values, edits)
        if self.run is not None:
            if create:
                changes.bulk_create(model, create, self.run, self.at, actor=self.actor)
            if update:
                changes.bulk_update(model, update, self.run, self.at, actor=self.actor)
        elif create and key:
            self._pending.setdefault(model, set()).update(c["number"] for c in create)

    def _existing_row(
        self,
        counts: Counts,
        update: list[tuple[int, dict[str, Any]]],
        number: str,
        pk: int,
        now: dict[str, Any],
        values: dict[str, Any],
        edits: dict[tuple[int, str], bool],
    ) -> None:
        new = _differing(now, values)
        if now.get("source") == REFERENCE and values:
            new["source"] = ""
        kept = {} if self.overwrite else {n: v for n, v in new.items() if _by_person(edits, pk, n, now, v)}
        if now.get("deleted_at") is not None:
            kept = new or {"deleted_at": now["deleted_at"]}
        changed = {n: v for n, v in new.items() if n not in kept}
        if "custom" in kept and not self.overwrite:
            merged = {**kept["custom"], **{k: v for k, v in (now.get("custom") or {}).items()
                                           if edits.get((pk, f"custom.{k}"))}}  # fmt: skip
            if merged != (now.get("custom") or {}):
                changed["custom"] = merged
        if kept:
            counts.add("conflict", {"number": number, **_shown(kept, now)})
        if changed:
            update.append((pk, changed))
            if not kept:
                counts.add("update", {"number": number, **_shown(changed, now)})
        elif not kept:
            counts.add("skip", {"number": number})

    def _values(
        self, table: str, model: Any, plan: list[Column], row: dict[str, Any], ids: dict[Any, dict[str, int]]
    ) -> dict[str, Any]:
        """The columns of a record that a row fills; what does not fit is left out and counted."""
        values: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for column in plan:
            value = row.get(column.name)
            if value is None or value == "":
                continue
            if column.target is not None:
                known = ids[column.target].get(str(value))
                if known is None:
                    custom[column.name] = str(value)
                else:
                    values[column.attname] = known
            elif not column.attname:
                custom[column.name] = value if isinstance(value, str | int | bool) else str(value)
            elif column.attname != "number":
                fits = self._fitting(table, model, column, value)
                if fits is not None:
                    values[column.attname] = fits
        if custom:
            values["custom"] = custom
        return values

    def _fitting(self, table: str, model: Any, column: Column, value: Any) -> Any:
        limit = columns(model)[column.attname].max_length
        if limit and not isinstance(value, str):
            value = str(value)
        if limit and len(value) > limit:
            value = value[:limit]
            self.unfit[table, column.name] = self.unfit.get((table, column.name), 0) + 1
        try:
            return checks(model, [column.attname])[0](value)
        except BadParameter:
            self.unfit[table, column.name] = self.unfit.get((table, column.name), 0) + 1
            return None

    # -- references ---------------------------------------------------------------------------

    def _ids(self, model: Any, numbers: set[str]) -> dict[str, int]:
        """Ids by number; companies, sales people and products that are not there yet are made."""
        found = dict(_pairs(model, numbers))
        if "merged_into_id" in columns(
            model
        ):  # what belongs to a duplicate belongs to what it was merged into
            heirs = survivors(model, list(found.values()))
            found = {number: heirs.get(i, i) for number, i in found.items()}
        missing = numbers - found.keys()
        if not missing or model not in _STUBS:
            return found
        return found | self._stubs(model, dict.fromkeys(missing, ""))

    def _stubs(self, model: Any, names: dict[str, str]) -> dict[str, int]:
        """Records of which no more is known than what others say of them."""
        counts = self.counts.setdefault(_table_of(model), Counts())
        if self.run is None:
            pending = self._pending.setdefault(model, set())
            for number in names.keys() - pending:
                counts.add("create", {"number": number, "name": names[number]})
            pending |= names.keys()
            return dict.fromkeys(names, _PENDING)
        limit = columns(model)["name"].max_length
        made = [{"number": n, "name": names[n][:limit], "source": REFERENCE} for n in sorted(names)]
        ids = changes.bulk_create(model, made, self.run, self.at, actor=self.actor)
        for row in made:
            counts.add("create", {"number": row["number"], "name": row["name"]})
        return dict(zip((row["number"] for row in made), ids, strict=True))

    def _customers_of_facts(self) -> None:
        """Companies for customers that only the facts know."""
        for staged in self.taken.staged.values():
            if "customer_id" not in staged.columns:
                continue
            name = "max(customer_name)" if "customer_name" in staged.columns else "NULL"
            reader = self.taken.con.sql(
                f"SELECT customer_id AS number, {name} AS name FROM {staged.relation} "
                "WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY 1"
            ).to_arrow_reader(BATCH)
            for batch in reader:
                names = {r["number"][:300]: r["name"] or "" for r in batch.to_pylist()}
                known = dict(_pairs(Company, set(names)))
                missing = {n: t for n, t in names.items() if n not in known}
                if missing:
                    self._stubs(Company, missing)

    def _link(self, model: Any, rows: list[tuple[str, dict[str, str]]]) -> None:
        """References of records to others of the same table, once all are there."""
        own = dict(_pairs(model, {n for n, _ in rows}))
        ids = self._ids(model, {n for _, mine in rows for n in mine.values()})
        pairs = [
            (own[number], {a: ids[n] for a, n in mine.items() if ids.get(n, _PENDING) != _PENDING})
            for number, mine in rows
            if number in own
        ]
        if self.run is not None:
            changes.bulk_update(model, pairs, self.run, self.at, actor=self.actor)


def _column(model: Any, name: str) -> Column:
    path = model.COLUMNS.get(name, name)
    if path.endswith("__number"):
        ref = model._meta.get_field(path.removesuffix("__number"))
        return Column(name, ref.attname, ref.related_model)
    return Column(name, path if path in columns(model) else "")


def _number_sql(table: str, names: Sequence[str]) -> str:
    """SQL of the number that a record is known by."""
    key = {
        "customer": "customer_id", "project_contract": "contract_id", "survey_response": "response_id"
    }.get(table, f"{table}_id")  # fmt: skip
    have = set(names)
    parts = [f"CAST({identifier(key)} AS VARCHAR)"] if key in have else []
    stands = _STANDS.get(table)
    if stands in have:
        parts.append(
            f"lower(trim({identifier(str(stands))}))" if stands == "email" else identifier(str(stands))
        )
    identity = [c for c in _IDENTITY.get(table, names) if c in have] or list(names)
    text = ", ".join(f"coalesce(CAST({identifier(c)} AS VARCHAR), '')" for c in identity)
    parts.append(f"'~' || left(md5(concat_ws(chr(31), {text})), 20)")
    number = f"coalesce({', '.join(parts)})"
    return f"CASE WHEN length({number}) > 280 THEN md5({number}) ELSE {number} END"


def _table_of(model: Any) -> str:
    return next(table for table, kept in CANONICAL.items() if kept is model)


def _pairs(model: Any, numbers: Iterable[str]) -> Iterator[tuple[str, int]]:
    for part in _parts(sorted(numbers)):
        yield from model.objects.filter(number__in=part).values_list("number", "pk")


def _parts(rows: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), BATCH):
        yield list(rows[start : start + BATCH])


def _existing(model: Any, numbers: list[str]) -> dict[Any, tuple[int, dict[str, Any]]]:
    """Records by number: id and columns."""
    names = list(columns(model))
    found: dict[Any, tuple[int, dict[str, Any]]] = {}
    for pk, *values in model.objects.filter(number__in=numbers).values_list("pk", *names):
        now = dict(zip(names, values, strict=True))
        found[now["number"]] = (pk, now)
    return found


def _with_keys(
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


def _existing_by(
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


def _differing(now: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not there yet; of custom fields the whole, old and new together."""
    new = {n: v for n, v in values.items() if n != "custom" and now.get(n) != v}
    if "custom" in values:
        merged = {**(now.get("custom") or {}), **values["custom"]}
        if merged != (now.get("custom") or {}):
            new["custom"] = merged
    return new


def _edited(model: Any, ids: list[int]) -> dict[tuple[int, str], bool]:
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


def _by_person(
    edits: dict[tuple[int, str], bool], pk: int, name: str, now: dict[str, Any], value: Any
) -> bool:
    """True if writing the value would undo what a person wrote."""
    if name == "source":
        return False
    if name != "custom":
        return edits.get((pk, name), False)
    old = now.get("custom") or {}
    return any(edits.get((pk, f"custom.{k}")) and old.get(k) != v for k, v in value.items())


def _shown(values: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Values of the sample of a change: what was and what comes."""
    return {n: [now.get(n), v] for n, v in values.items()}
