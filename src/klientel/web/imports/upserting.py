"""Rows of canonical tables become records: created, updated, skipped, or left as a person wants them (conflict)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter
from klientel.ingest.values.shapes import identifier
from klientel.web.imports.counts import Counts
from klientel.web.imports.matching import (
    KEYS,
    ONCE,
    Column,
    by_person,
    column_of,
    differing,
    edited,
    existing,
    existing_by,
    ids_of,
    number_sql,
    parts,
    with_keys,
)
from klientel.web.imports.renumbering import RENUMBERED, Unnumbered, aliases
from klientel.web.imports.taking import Taken
from klientel.web.privacy.returning import Gone
from klientel.web.records import changes
from klientel.web.records.canonical import REFERENCE
from klientel.web.records.merging import survivors
from klientel.web.records.models import CANONICAL, Company, Product, ProductGroup, Rep, Succession
from klientel.web.records.rows import BATCH
from klientel.web.records.values import checks, columns

if TYPE_CHECKING:
    from klientel.web.imports.models import Import

# In this order, so that what others refer to comes first.
ORDER = (
    "rep", "product_group", "product", "customer", "campaign", "contact", "project_contract", "opportunity",
    "opportunity_stage_hist", "lead", "interaction", "survey_response", "customer_succession", "fx_rate",
)  # fmt: skip
_STUBS = (Company, Rep, Product, ProductGroup)  # made when referred to
_PENDING = -1  # reference to a record that a dry run would make


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
        self.gone = Gone.load()
        self._unnumbered: Unnumbered | None = None
        self.left_out = 0  # rows of persons who were erased

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
        plan = [column_of(model, n) for n in names]
        key = None if table in KEYS else "number"
        if table == "customer":
            self._unnumbered = Unnumbered(self.taken)  # before rows are read: one result at a time
        later: list[tuple[str, dict[str, str]]] = []  # references to the table itself
        for batch in self._batches(table, relation, names):
            rows = []
            for row in batch:
                number = row.pop("__number")
                if row.pop("__nth") > 1 and table in ONCE:
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
        for part in parts(later):
            self._link(model, part)

    def _batches(self, table: str, relation: str, names: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Rows as dicts with `__number` and which of its equals it is, in the order of numbers."""
        chosen = ", ".join(identifier(n) for n in names)
        number = number_sql(table, names)
        everything = ", ".join(identifier(n) for n in names)
        sql = (
            f"SELECT *, row_number() OVER (PARTITION BY __number ORDER BY {everything}) AS __nth "
            f"FROM (SELECT {number} AS __number, {chosen} FROM {relation})"
        )
        if table not in ONCE and table not in KEYS:
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
        rows = self._without_gone(table, model, rows, counts)
        references = {c.target: self._ids(c.target, {str(r[c.name]) for _, r in rows if r.get(c.name)})
                      for c in plan if c.target is not None}  # fmt: skip
        wanted = [self._values(table, model, plan, row, references) for _, row in rows]
        if key:
            found = existing(model, [n for n, _ in rows])
            keys: list[Any] = [n for n, _ in rows]
        else:
            rows, wanted = with_keys(model, KEYS[table], rows, wanted, counts)
            # What a dry run would make has no id yet: its number tells it apart.
            keys = [
                tuple(row.get(c) if v.get(c) == _PENDING else v.get(c) for c in KEYS[table])
                for (_, row), v in zip(rows, wanted, strict=True)
            ]
            found = existing_by(model, KEYS[table], wanted)
        if table == "customer":
            self._take_numbers_over(rows, wanted, found)
        edits = edited(model, [pk for pk, _ in (found[k] for k in keys if k in found)])
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
                former = (
                    {pk: found_now["number"] for pk, found_now in found.values()} if model is Company else {}
                )
                changes.bulk_update(model, update, self.run, self.at, actor=self.actor)
                self._keep_aliases([(former[pk], new["number"]) for pk, new in update if "number" in new])
        elif create and key:
            self._pending.setdefault(model, set()).update(c["number"] for c in create)

    def _take_numbers_over(
        self,
        rows: list[tuple[str, dict[str, Any]]],
        wanted: list[dict[str, Any]],
        found: dict[Any, tuple[int, dict[str, Any]]],
    ) -> None:
        """Let rows with a new number mean the company that was known by their name only."""
        new = [(n, row, v) for (n, row), v in zip(rows, wanted, strict=True) if n not in found]
        if not new or self._unnumbered is None:
            return
        meant = {pk: (n, v) for n, row, v in new if (pk := self._unnumbered.find(n, row.get("name")))}
        names = list(columns(Company))
        for pk, *values in Company.objects.filter(pk__in=meant).values_list("pk", *names):
            number, row_values = meant[pk]
            found[number] = (pk, dict(zip(names, values, strict=True)))
            row_values["number"] = number
            if self.run is None:
                self._pending.setdefault(Company, set()).add(number)

    def _keep_aliases(self, pairs: list[tuple[str, str]]) -> None:
        """Let facts that name a company as it was known before follow it to its number."""
        made = [{"from_id": a, "to_id": b, "share": 1, "kind": RENUMBERED} for a, b in pairs]
        if made and self.run is not None:
            changes.bulk_create(Succession, made, self.run, self.at, actor=self.actor)

    def _without_gone(
        self, table: str, model: Any, rows: list[tuple[str, dict[str, Any]]], counts: Counts
    ) -> list[tuple[str, dict[str, Any]]]:
        """The rows of those who were not erased; the others are counted, and no sample names them."""
        if not self.gone:
            return rows
        meant = {n: who for n, row in rows if (who := self.gone.row(table, n, row))}
        there = dict(ids_of(model, meant.keys())) if meant else {}
        kept = []
        for number, row in rows:
            if number in meant and number not in there:
                self.left_out += 1
                counts.add("rejected", {"number": meant[number][1]})
            else:
                kept.append((number, row))
        return kept

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
        new = differing(now, values)
        if now.get("source") == REFERENCE and values:
            new["source"] = ""
        kept = {} if self.overwrite else {n: v for n, v in new.items() if by_person(edits, pk, n, now, v)}
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
                if known is None and self.gone.named(column.target.__name__, str(value)):
                    continue
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
        found = dict(ids_of(model, numbers))
        if "merged_into_id" in columns(
            model
        ):  # what belongs to a duplicate belongs to what it was merged into
            heirs = survivors(model, list(found.values()))
            found = {number: heirs.get(i, i) for number, i in found.items()}
        missing = numbers - found.keys()
        if model is Company and missing:
            known = aliases(missing)
            ids = dict(ids_of(Company, set(known.values())))
            found |= {name: ids[number] for name, number in known.items() if number in ids}
            missing -= found.keys()
        if self.gone and missing:
            meant = {n: who[0] for n in missing if (who := self.gone.named(model.__name__, n))}
            standing = dict(ids_of(model, set(meant.values())))
            found |= {n: standing[number] for n, number in meant.items() if number in standing}
            missing -= found.keys()
        if not missing or model not in _STUBS:
            return found
        return found | self._stubs(model, dict.fromkeys(missing, ""))

    def _stubs(self, model: Any, names: dict[str, str]) -> dict[str, int]:
        """Records of which no more is known than what others say of them."""
        counts = self.counts.setdefault(_table_of(model), Counts())
        if model is Company:
            names = {number: name or _name_in(number) for number, name in names.items()}
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
                known = dict(ids_of(Company, set(names)))
                missing = {n: t for n, t in names.items() if n not in known}
                for name in aliases(missing):
                    del missing[name]
                if missing:
                    self._stubs(Company, missing)

    def _link(self, model: Any, rows: list[tuple[str, dict[str, str]]]) -> None:
        """References of records to others of the same table, once all are there."""
        own = dict(ids_of(model, {n for n, _ in rows}))
        ids = self._ids(model, {n for _, mine in rows for n in mine.values()})
        pairs = [
            (own[number], {a: ids[n] for a, n in mine.items() if ids.get(n, _PENDING) != _PENDING})
            for number, mine in rows
            if number in own
        ]
        if self.run is not None:
            changes.bulk_update(model, pairs, self.run, self.at, actor=self.actor)


def _table_of(model: Any) -> str:
    return next(table for table, kept in CANONICAL.items() if kept is model)


def _shown(values: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Values of the sample of a change: what was and what comes."""
    return {n: [now.get(n), v] for n, v in values.items()}


def _name_in(number: str) -> str:
    """The number of a company if it reads as a name: files without numbers refer to companies by name."""
    return number if re.search(r"[^\W\d_]{3}", number) and (" " in number or number.isalpha()) else ""
