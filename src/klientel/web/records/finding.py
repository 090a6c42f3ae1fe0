"""Records found while somebody types: those that begin with the words first, then those that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from klientel.web import rights
from klientel.web.records import conditions
from klientel.web.records import models as m
from klientel.web.records.catalog import BY_MODEL, KINDS, Kind
from klientel.web.records.fields import fold
from klientel.web.records.labels import label, labels
from klientel.web.records.numbers import own
from klientel.web.records.values import name_of
from klientel.web.rights import access

PALETTE = ("companies", "contacts", "deals", "leads", "contracts", "products", "tasks", "campaigns", "reps")


@dataclass(frozen=True)
class Found:
    """A record that was found: its kind, id, name, and a word that tells it from others."""

    kind: Kind
    id: int
    name: Any
    detail: str = ""


def find(
    kind: Kind, text: str, *, actor: Any = None, limit: int = 8, through_company: bool = True
) -> list[Found]:
    """Records of a kind that a person sees and that fit what was typed, best first.

    through_company: also those whose company fits, which takes longer.
    """
    found = access(actor)
    seen = rights.visible(kind.model.present.all(), found)
    ids = _ids(kind, seen, " ".join(text.split()), found, limit, through_company)
    if not ids:
        return []
    rows = {row["id"]: row for row in rights.rows(kind.model._base_manager.filter(pk__in=ids), found)}
    companies = labels(m.Company, (row.get("company_id") for row in rows.values()), actor=found)
    return [Found(kind, i, label(kind.model, rows[i]), _detail(rows[i], companies)) for i in ids if i in rows]


def _ids(kind: Kind, seen: Any, text: str, found: Any, limit: int, through_company: bool) -> list[int]:
    if not text:
        newest = "-updated_at" if kind.model is m.Company else "-pk"
        return list(seen.order_by(newest).values_list("pk", flat=True)[:limit])
    if "folded" not in {f.name for f in kind.model._meta.concrete_fields}:
        near = conditions.searched(seen, kind, text, found) if through_company else seen.filter(number=text)
        return list(near.order_by("-pk").values_list("pk", flat=True)[:limit])
    open_to = rights.visible(seen, found, "personal") if kind.folds else seen
    first = open_to.filter(**_begins(fold(text))).order_by("folded", "pk")
    ids = list(first.values_list("pk", flat=True)[:limit])
    if len(ids) < limit and len(text) > 1:
        more = open_to.exclude(pk__in=ids)
        for word in text.split()[: conditions.MOST_WORDS]:
            more = more.filter(folded__contains=fold(word))
        ids += more.order_by("folded", "pk").values_list("pk", flat=True)[: limit - len(ids)]
    if len(ids) < limit and len(text) > 1 and through_company:
        more = conditions.searched(seen, kind, text, found).exclude(pk__in=ids)
        ids += more.order_by("pk").values_list("pk", flat=True)[: limit - len(ids)]
    return ids


def _begins(start: str) -> dict[str, str]:
    """A range that the index of SQLite can use; PostgreSQL compares by its collation, so it looks at the letters."""
    if connection.vendor == "sqlite":
        return {"folded__gte": start, "folded__lt": start + "\U0010ffff"}
    return {"folded__startswith": start}


def _detail(row: dict[str, Any], companies: dict[int, str]) -> str:
    company = companies.get(row.get("company_id") or 0, "")
    return str(company or row.get("city") or own(row.get("number")))


def everywhere(text: str, *, actor: Any = None, limit: int = 5) -> list[Found]:
    """Records of all kinds that fit what was typed; a kind that nothing may be seen of finds nothing."""
    found = access(actor)
    if not text.strip():
        return []
    result = []
    for slug in PALETTE:
        result += find(KINDS[slug], text, actor=found, limit=limit, through_company=slug == "companies")
    return result


def resolve(model: Any, text: str, *, actor: Any = None) -> list[int]:
    """The ids of the records that a person means by a typed number or whole name; several if it is not clear."""
    found = access(actor)
    seen = rights.visible(getattr(model, "present", model.objects).all(), found)
    by_number = list(seen.filter(number=text).values_list("pk", flat=True)[:2])
    if by_number:
        return by_number
    kind = BY_MODEL[name_of(model)]
    near = find(kind, text, actor=found, limit=20)
    same = [hit.id for hit in near if fold(str(hit.name)) == fold(text)]
    return same or ([near[0].id] if len(near) == 1 else [])
