"""Lists of records as one person sees them: filtered, sorted, page by page. What is hidden counts as empty."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, Case, CharField, F, Max, Q, TextField, Value, When
from django.db.models import fields as django_fields
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from klientel.web import rights
from klientel.web.api.kinds import Kind
from klientel.web.api.problems import Problem, unknown_parameter
from klientel.web.api.schemas import filter_columns, told_columns
from klientel.web.pages import shell
from klientel.web.records import models as m
from klientel.web.records.conditions import contains
from klientel.web.records.fields import fold
from klientel.web.records.models import Change
from klientel.web.records.values import columns, name_of, plain
from klientel.web.rights.columns import KINDS as SECRETS
from klientel.web.rights.columns import hidden_fields
from klientel.web.rights.reach import Access
from klientel.words import mark, say

_SALT = "klientel.api.cursor"


@dataclass(frozen=True)
class Page:
    """Rows of a page, the cursor of the next one, and how many there are in all if that was asked."""

    rows: list[dict[str, Any]]
    next: str | None
    total: int | None


class Seen:
    """The columns of a model as one person sees them: NULL where a value is hidden from that person."""

    def __init__(self, model: Any, found: Access) -> None:
        self.model, self.found = model, found
        self.hidden = hidden_fields(model)
        self._used: dict[str, str] = {}
        self._made: dict[str, Any] = {}

    def column(self, name: str) -> str:
        """The name under which a query finds a column."""
        secret = self._secret(name in self.hidden.personal, name in self.hidden.margin)
        if secret is None:
            return name
        field = columns(self.model)[name]
        kind = BigIntegerField() if isinstance(field, django_fields.related.ForeignKey) else field.clone()
        return self._alias(name, secret, F(name), kind)

    def custom(self, name: str) -> str:
        """The same for a field of the firm's own, as text."""
        text = Cast(KeyTextTransform(name, "custom"), CharField())
        secret = self._secret(name in self.hidden.customs, hides_margin=False)
        key = f"custom {name}"
        if secret is None:
            return self._keep(key, text)
        return self._alias(key, secret, text, CharField())

    def folded(self) -> str | None:
        """The name under which a query finds the folded texts of a record; None where a model has none."""
        field = next((f for f in self.model._meta.concrete_fields if f.name == "folded"), None)
        if field is None:
            return None
        secret = self._secret(bool(set(field.folds) & set(self.hidden.personal)), hides_margin=False)
        return "folded" if secret is None else self._alias("folded", secret, F("folded"), TextField())

    def on(self, queryset: Any) -> Any:
        """The query with what was asked for."""
        return queryset.annotate(**self._made) if self._made else queryset

    def _secret(self, hides_personal: bool, hides_margin: bool) -> str | None:
        """The right that a column needs and that the person has not everywhere."""
        for kind, hides in zip(SECRETS, (hides_personal, hides_margin), strict=True):
            if hides and not self.found.everything(kind):
                return kind
        return None

    def _alias(self, key: str, secret: str, expression: Any, kind: Any) -> str:
        if key in self._used:
            return self._used[key]
        keys = rights.visible(self.model._base_manager.all(), self.found, secret).values("pk")
        return self._keep(
            key, Case(When(pk__in=keys, then=expression), default=Value(None), output_field=kind)
        )

    def _keep(self, key: str, expression: Any) -> str:
        if key not in self._used:
            self._used[key] = f"seen_{len(self._used)}"
            self._made[self._used[key]] = expression
        return self._used[key]


def page(kind: Kind, found: Access, asked: Any) -> Page:
    """A page of the records of a kind that the person may see.

    asked: a `schemas.filters(kind)`. Raises Problem for a column that is not there or a cursor of another list.
    """
    seen = Seen(kind.model, found)
    condition = narrowing(kind, seen, asked)
    sort = _sorting(kind, asked.sort)
    by = seen.column(sort.lstrip("-")) if sort.lstrip("-") != "id" else "pk"
    wanted = chosen(kind, asked.fields)
    queryset = seen.on(rights.visible(base(kind, found, asked.deleted), found)).filter(condition)
    total = queryset.count() if asked.count else None
    mark_ = _fingerprint(kind, asked)
    last = _read_cursor(asked.cursor, found, mark_) if asked.cursor else None
    down = sort.startswith("-")
    if last is not None:
        queryset = queryset.filter(_after(kind, sort, by, last, down))
    order: list[Any] = []
    if by != "pk":
        order = [F(by).desc(nulls_last=True) if down else F(by).asc(nulls_last=True)]
    ties = "-pk" if by == "pk" and down else "pk"
    keys = list(queryset.order_by(*order, ties).values_list("pk", by)[: asked.limit + 1])
    further = len(keys) > asked.limit
    keys = keys[: asked.limit]
    cursor = _cursor(found, mark_, keys[-1]) if further else None
    return Page(rows(kind, [pk for pk, _ in keys], found, wanted), cursor, total)


def base(kind: Kind, found: Access, deleted: bool = False) -> Any:
    """The records of a kind that are there; or the deleted ones that the person may bring back."""
    if not deleted:
        return kind.model.present.all()
    gone = kind.model.objects.filter(deleted_at__isnull=False)
    if "merged_into_id" in columns(kind.model):
        gone = gone.filter(merged_into__isnull=True)
    if kind.model is m.Note:  # what had its day is not shown again
        gone = gone.exclude(expires_on__lt=shell.today())
    return rights.visible(gone, found, "write")


def rows(
    kind: Kind, keys: list[int], found: Access, wanted: frozenset[str] | None = None
) -> list[dict[str, Any]]:
    """Records by id in the order of the ids, as JSON values, with their versions; hidden values are None."""
    told = told_columns(kind.model)
    versions: dict[int, int] = {}
    if wanted is None or "version" in wanted:
        log = Change.objects.filter(model=name_of(kind.model), object_id__in=keys)
        versions = dict(log.order_by().values_list("object_id").annotate(Max("id")))
    by_key = {row["id"]: row for row in rights.rows(kind.model._base_manager.filter(pk__in=keys), found)}
    made = []
    for key in keys:
        if key not in by_key:
            continue
        row = {"id": key, "version": versions.get(key, 0)}
        row |= {name: plain(by_key[key].get(name)) for name in told}
        made.append(row if wanted is None else {n: v for n, v in row.items() if n in wanted})
    return made


def one(kind: Kind, key: int, found: Access, *, deleted: bool = False) -> Any:
    """The record of an id, if it is there and the person may see it; Problem "not found" otherwise."""
    manager = kind.model.objects if deleted else kind.model.present
    record = rights.visible(manager.filter(pk=key), found).first()
    if record is None:
        from klientel.web.api.problems import Missing

        raise Missing
    return record


def chosen(kind: Kind, fields: str | None) -> frozenset[str] | None:
    """The columns that `fields=` names; None: all. Problem for one that there is not."""
    if fields is None:
        return None
    known = ["id", "version", *told_columns(kind.model)]
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise unknown_parameter(name, known)
    return frozenset({"id", *wanted})


def narrowing(kind: Kind, seen: Seen, asked: Any) -> Q:
    """The filters of a request as a condition on what the person sees."""
    found = Q(pk__in=asked.id) if asked.id else Q()
    for name in filter_columns(kind):
        for step in ("", "__gte", "__lt"):
            value = getattr(asked, f"{name}{step}", None)
            if value is not None:
                found &= Q(**{f"{seen.column(name)}{step}": value})
        within = getattr(asked, f"{name}__contains", None)
        if within is not None:
            found &= contains(seen.column(name), within)
        empty = getattr(asked, f"{name}__empty", None)
        if empty is not None:
            nothing = _empty(kind, name, seen.column(name))
            found &= nothing if empty else ~nothing
    for word in (asked.search or "").split():
        folded = seen.folded()
        some = Q() if folded is None else Q(**{f"{folded}__contains": fold(word)})
        for name in kind.search if folded is None else ():
            some |= contains(seen.column(name), word)
        found &= some
    for pair in asked.custom:
        name, colon, value = pair.partition(":")
        if not colon or name not in _customs(kind):
            raise unknown_parameter(f"custom={name}", [f"custom={n}" for n in _customs(kind)])
        found &= Q(**{seen.custom(name): value})
    return found


def _customs(kind: Kind) -> list[str]:
    known = m.CustomField.objects.filter(model=name_of(kind.model)).order_by("name")
    return list(known.values_list("name", flat=True))


def _empty(kind: Kind, name: str, path: str) -> Q:
    texts = isinstance(columns(kind.model)[name], CharField)
    return Q(**{f"{path}__isnull": True}) | (Q(**{path: ""}) if texts else Q(pk__in=[]))


def _sorting(kind: Kind, sort: str | None) -> str:
    """A column with "-" in front or not; the ids if nothing was said."""
    wanted = sort or "id"
    known = ["id", *filter_columns(kind)]
    name = wanted.removeprefix("-")
    if name not in known:
        raise unknown_parameter(name, known)
    return wanted


def _after(kind: Kind, sort: str, by: str, last: list[Any], down: bool) -> Q:
    """What comes after the last row of the page before: empty values come last, ids settle ties."""
    value, pk = last
    if by == "pk":
        return Q(pk__lt=pk) if down else Q(pk__gt=pk)
    if value is None:
        return Q(**{f"{by}__isnull": True, "pk__gt": pk})
    field = columns(kind.model)[sort.lstrip("-")]
    if not isinstance(field, django_fields.related.ForeignKey):
        value = field.to_python(value)
    further = Q(**{f"{by}__{'lt' if down else 'gt'}": value})
    return further | Q(**{by: value, "pk__gt": pk}) | Q(**{f"{by}__isnull": True})


def _fingerprint(kind: Kind, asked: Any) -> str:
    """Stands for the list that a cursor belongs to: everything but the page."""
    told = asked.model_dump(mode="json", exclude={"cursor", "limit", "count", "fields"}, exclude_none=True)
    return sha256(repr((kind.name, sorted(told.items()))).encode()).hexdigest()[:16]


def _cursor(found: Access, mark_: str, last: Any) -> str:
    pk, value = last
    return sign([getattr(found.actor, "pk", None), mark_, plain(value), pk])


def _read_cursor(text: str, found: Access, mark_: str) -> list[Any]:
    who, what, value, pk = unsign(text, 4)
    if who != getattr(found.actor, "pk", None) or what != mark_:
        raise Problem("bad-request", say("{name} belongs to another list.", name="cursor"), "cursor")
    return [value, pk]


def sign(held: list[Any]) -> str:
    """A cursor that nobody can make up."""
    return signing.dumps(held, salt=_SALT, compress=True)


def unsign(text: str, length: int) -> list[Any]:
    """What a cursor holds. Problem for one that is not ours."""
    try:
        held = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError, ValidationError):
        held = None
    if not isinstance(held, list) or len(held) != length:
        raise Problem("bad-request", mark("This cursor does not hold; begin with the first page."), "cursor")
    return held
