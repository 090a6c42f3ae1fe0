"""The shapes of records, made from their models: of answers, of requests, of filters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Optional

from django.db import models
from pydantic import BaseModel, BeforeValidator, Field, StrictBool, StrictInt, create_model
from pydantic_core import PydanticCustomError

from klientel.web.api.kinds import Kind
from klientel.web.api.operations import LARGEST, Form
from klientel.web.records import kinds as rules
from klientel.web.records.fields import Exact
from klientel.web.records.values import columns, field_title

# Ours, never written from outside; the first ones are not told either.
UNTOLD = frozenset({"imported_by_id", "merged_into_id"})
OURS = frozenset({"source", "created_at", "updated_at", "deleted_at", *UNTOLD})
MOST = 500  # records on a page


def _iso(value: Any) -> Any:
    try:
        if len(value) != len("2024-03-01"):
            raise ValueError
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise PydanticCustomError("date_form", "no date") from None


def _moment(value: Any) -> Any:
    try:
        if len(value) < len("2024-03-01T00:00"):
            raise ValueError
        found = datetime.fromisoformat(value)
        # In UTC: PostgreSQL knows no zone that is further from it than 15:59.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        raise PydanticCustomError("moment_form", "no moment") from None


Day = Annotated[date, BeforeValidator(_iso)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Id = Annotated[StrictInt, Field(ge=1, le=LARGEST)]
AnyId = Annotated[int, Field(ge=1, le=LARGEST)]


def told_columns(model: Any) -> dict[str, models.Field]:
    """The columns of a record that answers hold."""
    found = columns(model)
    return {n: f for n, f in found.items() if n not in UNTOLD and not getattr(f, "generated", False)}


def open_columns(kind: Kind) -> dict[str, models.Field]:
    """The columns that a request may write."""
    return {n: f for n, f in told_columns(kind.model).items() if n not in OURS and n not in kind.fixed}


def filter_columns(kind: Kind) -> dict[str, models.Field]:
    """The columns that lists are filtered and sorted by: all but long texts and own fields."""
    left_out = models.TextField | models.JSONField
    return {n: f for n, f in told_columns(kind.model).items() if not isinstance(f, left_out)}


def _written(kind: Kind, name: str, field: models.Field) -> Any:
    """The type of a column in a request."""
    choices = rules.CHOICES.get(kind.model, {}).get(name)
    if choices:
        return Literal[(*choices, "")]
    match field:
        case models.ForeignKey():
            return Id
        case Exact():
            return Decimal
        case models.DateTimeField():
            return Moment
        case models.DateField():
            return Day
        case models.BooleanField():
            return StrictBool
        case models.IntegerField():
            return StrictInt
        case models.JSONField():
            return dict[str, Any]
    return Annotated[str, Field(max_length=field.max_length)] if field.max_length else str


def _read(field: models.Field) -> Any:
    """The type of a column in an answer: decimals are texts, exact to the last place."""
    match field:
        case models.ForeignKey() | models.IntegerField():
            return int
        case models.DateTimeField():
            return datetime
        case models.DateField():
            return date
        case models.BooleanField():
            return bool
        case models.JSONField():
            return dict[str, Any]
    return str


@cache
def record(kind: Kind) -> type[BaseModel]:
    """A record in an answer; `fields=` leaves columns out, rights make them null."""
    fields: dict[str, Any] = {
        "id": (int, Field()),
        "version": (int, Field(default=0, description="Send it with a change to be told of others'.")),
    }
    for name, field in told_columns(kind.model).items():
        title = str(field_title(kind.model, name))
        fields[name] = (Optional[_read(field)], Field(default=None, title=title))  # noqa: UP045 - of a value
    return create_model(_name(kind), **fields)


@cache
def made(kind: Kind) -> type[BaseModel]:
    """A record that was just written, with the act that takes it back."""
    act = (str, Field(description="POST /acts/{act}/undo takes it back."))
    return create_model(f"{_name(kind)}Written", __base__=record(kind), act=act)


@cache
def new(kind: Kind) -> type[BaseModel]:
    """What a request carries to make a record."""
    needed = {group[0] for group in rules.NEEDED.get(kind.model, ()) if len(group) == 1}
    needed.discard(rules.DATED.get(kind.model, ""))
    fields = _fields(kind)
    for name in needed:
        fields[name] = (fields[name][0], Field(title=fields[name][1].title))
    return create_model(f"{_name(kind)}New", __base__=Form, **fields)


@cache
def change(kind: Kind) -> type[BaseModel]:
    """What a request carries to change a record: only the columns that it names change."""
    from klientel.web.records.services import BY_DEALS

    fields = {n: f for n, f in _fields(kind).items() if n not in BY_DEALS.get(kind.model, ())}
    fields["version"] = (
        Optional[StrictInt],  # noqa: UP045 - beside the others
        Field(default=None, description="The version that was read; 409 if it is no longer the newest."),
    )
    if kind.name == "companies":
        fields["valid_from"] = (Optional[Day], Field(default=None, description="From which day on it holds."))  # noqa: UP045
    return create_model(f"{_name(kind)}Change", __base__=Form, **fields)


def _fields(kind: Kind) -> dict[str, Any]:
    return {
        name: (
            Optional[_written(kind, name, field)],  # noqa: UP045 - of a value
            Field(default=None, title=str(field_title(kind.model, name))),
        )
        for name, field in open_columns(kind).items()
    }


@cache
def page(kind: Kind) -> type[BaseModel]:
    """A page of records."""
    several: Any = list[record(kind)]  # type: ignore[misc]
    return create_model(
        f"{_name(kind)}Page",
        items=(several, Field()),
        next=(str | None, Field(default=None, description="The cursor of the next page; null on the last.")),
        total=(int | None, Field(default=None, description="How many there are, with count=true.")),
    )


class Chosen(Form):
    """The columns of one record."""

    fields: str | None = Field(
        None, description="Columns to answer with, with commas between.", max_length=2000
    )


class Paging(Chosen):
    """What every list takes."""

    limit: int = Field(50, ge=1, le=MOST)
    cursor: str | None = Field(None, description="`next` of the page before.", max_length=4000)
    sort: str | None = Field(
        None, description="A column, with - in front from the largest down.", max_length=100
    )
    count: bool = Field(False, description="Whether to count all.")
    search: str | None = Field(None, description="Words that must all be found.", max_length=200)
    deleted: bool = Field(False, description="The deleted ones instead, to bring them back.")
    id: list[AnyId] = Field([], description="Only these; can be repeated.", max_length=MOST)
    custom: list[str] = Field([], description="name:value of an own field; can be repeated.", max_length=10)


@cache
def filters(kind: Kind) -> type[BaseModel]:
    """What a list of a kind takes: every column as it is, texts by a part, numbers and days from and below."""
    fields: dict[str, Any] = {}
    for name, field in filter_columns(kind).items():
        wanted, steps = _asked(field)
        fields[name] = (Optional[wanted], Field(default=None))  # noqa: UP045 - of a value
        for step in steps:
            fields[f"{name}__{step}"] = (Optional[wanted], Field(default=None))  # noqa: UP045 - of a value
        fields[f"{name}__empty"] = (bool | None, Field(default=None))
    return create_model(f"{_name(kind)}Filter", __base__=Paging, **fields)


def _asked(field: models.Field) -> tuple[Any, tuple[str, ...]]:
    """The type of a column in a query, and how it can be compared besides being equal."""
    ordered = ("gte", "lt")
    match field:
        case models.ForeignKey():
            return AnyId, ()
        case Exact():
            return Annotated[Decimal, Field(ge=-(10**15), le=10**15)], ordered
        case models.DateTimeField():
            return Moment, ordered
        case models.DateField():
            return Day, ordered
        case models.BooleanField():
            return bool, ()
        case models.IntegerField():
            return Annotated[int, Field(ge=-LARGEST, le=LARGEST)], ordered
    return Annotated[str, Field(max_length=500)], ("contains",)


def _name(kind: Kind) -> str:
    return kind.model.__name__
