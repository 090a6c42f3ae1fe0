"""Forms of records, made from the fields of their models; what is typed, as values for the services."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.records import conditions, finding, typed
from klientel.web.records import models as m
from klientel.web.records.catalog import BY_MODEL, Column, Kind, all_columns
from klientel.web.records.labels import labels
from klientel.web.records.numbers import own
from klientel.web.records.services import BY_DEALS
from klientel.web.records.values import field_title, name_of
from klientel.words import say, translate

_OURS = ("created_at", "updated_at", "source")
_FEW = 100  # records that a pick list offers
OF = ("company_id", "lead_id", "contact_id", "opportunity_id")  # for whom or about what a record is
_PICKED = (m.Rep, m.Campaign, m.Survey, m.ProductGroup)


@dataclass
class Field:
    """An input of a form: column, what stands in it, and what is wrong with it."""

    column: Column
    text: str = ""
    label: str = ""  # of the record that a reference leads to
    error: str = ""
    picks: list[tuple[Any, str]] = field(default_factory=list)
    suggests: bool = False
    slug: str = ""  # of the kind that a reference leads to

    @property
    def id(self) -> str:
        """The id of the input."""
        return f"field-{self.column.name.replace('.', '-')}"


@dataclass
class Form:
    """The inputs of a record's form, those asked first apart, and what is wrong with all of it."""

    kind: Kind
    first: list[Field]
    rest: list[Field]
    error: str = ""
    based_on: int = 0

    @property
    def fields(self) -> list[Field]:
        """All inputs."""
        return [*self.first, *self.rest]

    @property
    def of(self) -> list[Field]:
        """What the record is of, as far as it is said: the company, lead, deal and so on."""
        return [f for f in self.fields if f.column.name in OF and f.text and f.label]

    @property
    def open_rest(self) -> bool:
        """True if something further down is wrong, or filled already."""
        return any(f.error or (f.text and self.based_on) for f in self.rest)


def columns_of(request: Any, kind: Kind, record: Any = None) -> list[Column]:
    """The columns that a person may fill in: not those with acts of their own, nor those hidden from the person."""
    found = shell.reach(request)
    closed = set(BY_DEALS.get(kind.model, ()))
    if record is None and kind.model is m.Opportunity:
        closed -= {"stage"}
    made = []
    for column in all_columns(kind.model).values():
        if column.name in closed or column.name in _OURS:
            continue
        if column.name == "customer_name" and not getattr(record, "customer_name", ""):
            continue
        if column.right and not _seen(found, kind, column, record):
            continue
        made.append(column)
    return made


def _seen(found: Any, kind: Kind, column: Column, record: Any) -> bool:
    if record is None:
        return column.right == "personal" or found.may("margin")
    how = conditions.sees(found, column)
    if how != "some":
        return how == "all"
    return bool(rights.visible(kind.model._base_manager.filter(pk=record.pk), found, column.right).exists())


def made(request: Any, kind: Kind, record: Any = None, given: dict[str, str] | None = None) -> Form:
    """The form of a record, or of a new one with values that an address gives."""
    held: dict[str, Any] = {}
    columns = columns_of(request, kind, record)
    for column in columns:
        if record is not None:
            held[column.name] = (
                record.custom.get(column.custom) if column.custom else getattr(record, column.name)
            )
            if column.name == "number":
                held[column.name] = own(held[column.name])
        elif given and column.name in given:
            held[column.name] = given[column.name]
    fields = [
        Field(
            c,
            str(held.get(c.name) or "")
            if c.kind == "ref"
            else typed.written(c.kind, held.get(c.name), request.lang),
        )
        for c in columns
    ]
    return _arranged(request, kind, fields, record is None)


def _arranged(request: Any, kind: Kind, fields: list[Field], new: bool) -> Form:
    """The fields in the order in which they are asked; what a new record is of is not among those further down."""
    for one in fields:
        _offer(request, kind, one)
    wanted = kind.form or tuple(dict.fromkeys((kind.name, *kind.columns)))
    by_name = {f.column.name: f for f in fields}
    first = [by_name[n] for n in wanted if n in by_name]
    if new:
        first += [f for f in fields if f.column.name in OF and f.text and f not in first]
    own = [f for f in fields if f.column.custom]
    rest = [f for f in fields if f not in first and f not in own]
    return Form(kind, [*first, *own], rest)


def _offer(request: Any, kind: Kind, one: Field) -> None:
    """Choices of an input, and the name of what a reference leads to."""
    column = one.column
    if column.kind == "choice":
        one.picks = [(v, translate(w, request.lang)) for v, w in column.choices.items()]
        if one.text and one.text not in column.choices:
            one.picks.append((one.text, one.text))  # a file may have said something else
    elif column.kind == "ref":
        found = shell.reach(request)
        one.slug = BY_MODEL[name_of(column.target)].slug if name_of(column.target) in BY_MODEL else ""
        pk = typed.key(one.text)
        if pk is not None:
            names = labels(column.target, [pk], actor=found)
            one.label = one.label or translate(next(iter(names.values()), ""), request.lang)
        if column.target in _PICKED:
            seen = rights.visible(column.target.present.all(), found).order_by(
                "folded" if hasattr(column.target, "folded") else "name"
            )
            ids = list(seen.values_list("pk", flat=True)[: _FEW + 1])
            if len(ids) <= _FEW:
                names = labels(column.target, ids, actor=found)
                one.picks = [(i, str(names[i])) for i in ids]
                if pk is not None and pk not in names:
                    one.picks.append((pk, one.label))
    elif column.kind == "text":
        one.suggests = column.name in kind.picks


def read(request: Any, kind: Kind, record: Any = None) -> tuple[Form, dict[str, Any]]:
    """The form as it was sent, with what is wrong at each input, and the values of those that are right."""
    values: dict[str, Any] = {}
    customs: dict[str, Any] = {}
    fields = []
    for column in columns_of(request, kind, record):
        if column.name not in request.POST and f"{column.name}.text" not in request.POST:
            continue
        text = request.POST.get(column.name, "").replace("\0", "")
        one = Field(column, text)
        try:
            if column.kind == "ref":
                value = _reference(request, one)
            else:
                value = typed.value(column.kind, text, request.lang, shell.today())
            if column.custom:
                customs[column.custom] = value
            elif value is None and column.kind in ("text", "long", "choice"):
                values[column.name] = ""
            else:
                values[column.name] = value
        except BadParameter as wrong:
            one.error = translate(wrong.sentence, request.lang)
        fields.append(one)
    if customs:
        values["custom"] = customs
    if values.get("number") == "" and (record is None or not own(record.number)):
        del values["number"]  # a record without one of its own gets, or keeps, what is not shown
    form = _arranged(request, kind, fields, record is None)
    form.based_on = typed.key(request.POST.get("based_on", "")) or 0
    return form, values


def _reference(request: Any, one: Field) -> int | None:
    """The record that was chosen; typed as text it is found by number or name."""
    name, target = one.column.name, one.column.target
    text = request.POST.get(f"{name}.text")
    chosen = typed.key(one.text)
    if text is None:
        return chosen
    text = text.strip()
    one.label = text
    if not text:
        one.text = ""
        return None
    found = shell.reach(request)
    if chosen is not None:
        names = labels(target, [chosen], actor=found)
        if translate(names.get(chosen, ""), request.lang) == text:
            return chosen
    ids = finding.resolve(target, text, actor=found)
    if len(ids) != 1:
        one.text = ""
        sentence = (
            say("There is nothing called “{text}”.", text=text)
            if not ids
            else say(
                "“{text}” is not clear: there are several. Choose one from the list, or write its number.",
                text=text,
            )
        )
        raise BadParameter(sentence)
    one.text = str(ids[0])
    return ids[0]


def point_out(form: Form, sentence: str, lang: str) -> None:
    """Put an error of the services at the input that it names, or on top."""
    told = translate(sentence, lang)
    values = getattr(sentence, "values", {})
    named = str(values.get("field") or values.get("later") or values.get("fields") or "")
    if values.get("fields"):
        told = translate(say("This is needed."), lang)
    for one in form.fields:
        names = (one.column.title, one.column.name, field_title(form.kind.model, one.column.name))
        if named and named in names:
            one.error = told
            return
    if values.get("fields"):
        told = translate(sentence, lang)
    for one in form.fields:
        if one.column.name == "email" and one.text and one.text == values.get("value"):
            one.error = told
            return
    form.error = told
