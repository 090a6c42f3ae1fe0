"""Filters of lists: what an address says, as conditions on a query. What a person may not see finds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, F, FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.records import models as m
from klientel.web.records import typed
from klientel.web.records.catalog import Column, Kind
from klientel.web.records.fields import fold
from klientel.web.rights import Access
from klientel.words import say

MOST_WORDS = 6
_MANY = (m.Interaction, m.SurveyAnswer)  # too many to look into each for a piece of a number
_SPAN = ("money", "number", "share", "integer", "date", "moment")
_ABLE = {
    "has": ("text", "long", "choice"),
    "from": _SPAN,
    "to": _SPAN,
}  # kinds of columns that a filter suits
_FIRST, _LAST = date(1000, 1, 1), date(9000, 1, 1)
EMPTY = "–"  # as a value of a choice: where there is none


@dataclass(frozen=True)
class Condition:
    """One filter. op: has (text within), is (one of), from, to, empty, filled; values as they stand in the address."""

    column: Column
    op: str
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """Its name in an address."""
        tail = {"from": ".from", "to": ".to", "empty": ".empty", "filled": ".empty", "has": ".has"}
        return f"f.{self.column.name}{tail.get(self.op, '')}"


def sees(found: Access, column: Column) -> str:
    """How much of a column a person sees: "all" (of the records in reach), "some", "none"."""
    if not column.right or found.everything(column.right):
        return "all"
    if not found.may(column.right):
        return "none"
    return "all" if found.reach(column.right) == found.reach("read") else "some"


def parse(columns: dict[str, Column], given: Any) -> list[Condition]:
    """The filters of an address (a QueryDict); unknown columns are passed over."""
    found = []
    for name in given:
        if not name.startswith("f."):
            continue
        path, _, op = name[2:].rpartition(".")
        if op not in ("from", "to", "empty", "has"):
            path, op = name[2:], "is"
        values = tuple(
            dict.fromkeys(v for text in given.getlist(name) if (v := text.replace("\0", "").strip()))
        )
        column = columns.get(path)
        if column is None or not values:
            continue
        if op == "empty":
            op = "empty" if values[0] == "yes" else "filled"
        found.append(Condition(column, op, values))
    return found


def narrowed(queryset: Any, conditions: list[Condition], found: Access, *, today: date) -> Any:
    """The records that meet all conditions. Raises BadParameter for a value that cannot be one."""
    for condition in conditions:
        if sees(found, condition.column) == "none":
            return queryset.none()
        expression, alias = _place(condition.column)
        if alias:
            queryset = queryset.alias(**{alias: expression})
        test = _test(condition, alias or condition.column.name, found, today)
        if sees(found, condition.column) == "some":
            # Values that are hidden must not be found either: that would tell them.
            seen = rights.visible(queryset.model._base_manager.all(), found, condition.column.right)
            test &= Q(pk__in=seen.values("pk"))
        queryset = queryset.filter(test)
    return queryset


def searched(queryset: Any, kind: Kind, text: str, found: Access) -> Any:
    """The records in which every word of a text is found: name, number, place, address, company."""
    for word in text.split()[:MOST_WORDS]:
        queryset = queryset.filter(_word(queryset.model, kind, word, found))
    return queryset


def _word(model: Any, kind: Kind, word: str, found: Access) -> Any:
    names = {f.name for f in model._meta.concrete_fields}
    folded = fold(word)
    alone = model is m.Company or not ({"company"} & names)
    if "folded" not in names:
        test = (Q(number=word) if model in _MANY else Q(number__icontains=word)) | _texts(model, word)
    elif not kind.folds or _whole(found):
        inner = Q(folded__contains=folded)
        test = inner if alone else Q(pk__in=model.present.filter(inner).values("pk"))
    else:
        seen = rights.visible(model.present.filter(folded__contains=folded), found, "personal")
        test = Q(number__icontains=word) | Q(pk__in=seen.values("pk"))
    if model is m.Company and "@" in word and found.may("personal"):
        seen = rights.visible(m.Company.present.filter(email__icontains=word), found, "personal")
        test |= Q(pk__in=seen.values("pk"))
    if not alone:
        test |= Q(company__in=m.Company.present.filter(folded__contains=folded).values("pk"))
    return test


def _texts(model: Any, word: str) -> Any:
    """Texts of kinds without a folded column, none of them personal."""
    wanted = {"Contract": ("type",), "Note": ("purpose",), "Survey": ("name",),
              "CompetitorObservation": ("competitor",), "ProductGroup": ("name",)}  # fmt: skip
    test = Q()
    for column in wanted.get(model.__name__, ()):
        test |= Q(**{f"{column}__icontains": word})
    return test


def _whole(found: Access) -> bool:
    return found.everything("personal") or found.reach("personal") == found.reach("read")


def _place(column: Column) -> tuple[Any, str]:
    """Expression and alias of a firm's own field; nothing for ours."""
    if not column.custom:
        return None, ""
    text: Any = Cast(KeyTextTransform(column.custom, "custom"), CharField())
    return text, f"own_{column.custom}"


def _test(condition: Condition, path: str, found: Access, today: date) -> Any:
    column, op = condition.column, condition.op
    if op in ("empty", "filled"):
        none = Q(**{f"{path}__isnull": True})
        if column.custom or column.kind in ("text", "long", "choice"):
            none |= Q(**{path: ""})
        return none if op == "empty" else ~none
    if column.kind not in _ABLE.get(op, (column.kind,)):
        raise BadParameter(say("{field} is not filtered like that.", field=column.title))
    if op == "has":
        return contains(path, condition.values[0])
    if op in ("from", "to"):
        return _range(column, path, op, condition.values[0], today)
    test = _among(column, path, [text for text in condition.values if text != EMPTY], found, today)
    if EMPTY in condition.values:
        test |= _test(Condition(column, "empty", ("yes",)), path, found, today)
    return test


def contains(path: str, text: str) -> Any:
    """Text within, whatever the case; SQLite knows the case of ASCII letters only, so others are spelt out."""
    test = Q(**{f"{path}__icontains": text})
    if not text.isascii():
        for other in {text.lower(), text.upper(), text.capitalize()} - {text}:
            test |= Q(**{f"{path}__icontains": other})
    return test


def _among(column: Column, path: str, texts: list[str], found: Access, today: date) -> Any:
    """One of some values; numbers of own fields are compared as numbers, moments by their day."""
    if column.kind == "moment" or (column.custom and column.numeric):
        test = Q(pk__in=[])
        for text in texts:
            test |= _range(column, path, "from", text, today) & _range(column, path, "to", text, today)
        return test
    wanted = [_one(column, text, found, today) for text in texts]
    return Q(**{f"{path}__in": wanted}) if wanted else Q(pk__in=[])


def _one(column: Column, text: str, found: Access, today: date) -> Any:
    if column.kind == "ref":
        if text == "me" and column.target is m.Rep:
            rep = getattr(found.actor, "rep", None) if found.actor is not None else None
            return rep.pk if rep is not None else 0
        if (pk := typed.key(text)) is None:
            raise BadParameter(say("{value} is no record.", value=text))
        return pk
    if column.custom:
        made = typed.read(column.kind, text, today)
        return {True: "true", False: "false"}[made] if column.kind == "flag" else str(made)
    return text if column.kind in ("text", "choice", "long") else typed.read(column.kind, text, today)


def _range(column: Column, path: str, op: str, text: str, today: date) -> Any:
    value = typed.read("date" if column.kind == "moment" else column.kind, text, today)
    if column.custom and column.numeric:
        return _own_number(column, op, float(value))
    lookup = "gte" if op == "from" else "lte"
    if column.custom and column.kind == "date":
        return Q(**{f"{path}__{lookup}": value.isoformat()}) & ~Q(**{path: ""})
    if column.kind == "moment":
        from django.utils import timezone

        value = min(
            max(value, _FIRST), _LAST
        )  # days at the ends of the calendar have no moment in every zone
        edge = value if op == "from" else value + timedelta(days=1)
        moment = timezone.make_aware(datetime.combine(edge, time()))
        return Q(**{f"{path}__gte" if op == "from" else f"{path}__lt": moment})
    return Q(**{f"{path}__{lookup}": value})


def _own_number(column: Column, op: str, value: float) -> Any:
    """A number in JSON, compared as one."""
    from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

    compare = GreaterThanOrEqual if op == "from" else LessThanOrEqual
    return Q(compare(_as_number(column), value)) & Q(custom__has_key=column.custom)


def _as_number(column: Column) -> Any:
    """An own field as a number; a text that is none ("n/a") is passed over: it is not 0, and breaks PostgreSQL."""
    text = KeyTextTransform(column.custom, "custom")
    number: Any = Cast(text, FloatField())
    from django.db.models import Case, When
    from django.db.models.lookups import Regex

    plain = Regex(Cast(text, CharField()), r"^-?\d+(\.\d+)?$")
    return Case(When(plain, then=number), default=None, output_field=FloatField())


def order_by(kind: Kind, columns: dict[str, Column], key: str, found: Access) -> tuple[list[Any], str]:
    """What a list is sorted by, ties by id, and the key that it came to; hidden columns sort nothing."""
    name, down = key.removeprefix("-"), key.startswith("-")
    column = columns.get(name)
    if column is None or sees(found, column) != "all" or column.kind == "long":
        name, down = kind.order.removeprefix("-"), kind.order.startswith("-")
        column = columns.get(name)
        if column is None or sees(found, column) != "all":
            return ["-pk"], ""
    if column.custom:
        place: Any = _as_number(column) if column.numeric else KeyTextTransform(column.custom, "custom")
    else:
        place = F(_sorted_by(kind, column))
    ordered = place.desc(nulls_last=True) if down else place.asc(nulls_last=True)
    return [ordered, "-pk" if down else "pk"], f"-{name}" if down else name


def _sorted_by(kind: Kind, column: Column) -> str:
    names = {f.name for f in kind.model._meta.concrete_fields}
    first = {m.Task: "title", m.Lead: "company_name"}.get(kind.model, "name")
    if column.name == first and "folded" in names:
        return "folded"
    if column.kind == "ref" and column.target in (m.Company, m.Product, m.Campaign):
        return f"{column.name.removesuffix('_id')}__folded"
    if column.kind == "ref" and column.target is m.Rep:
        return "rep__number" if column.name == "rep_id" else column.name
    return column.name
