"""What a field of a record may hold: values checked on the way in, and written as JSON in the log of changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from klientel import money, schema
from klientel.errors import BadParameter, nearest
from klientel.web.records.fields import Exact
from klientel.web.records.models import CANONICAL
from klientel.web.records.rows import ModelClass
from klientel.words import Sentence, mark, say

Check = Callable[[Any], Any]

TITLES = {
    "Rep": mark("Sales person"),
    "Company": mark("Company"),
    "Product": mark("Product"),
    "ProductGroup": mark("Product group"),
    "Contact": mark("Contact"),
    "Contract": mark("Contract"),
    "Campaign": mark("Campaign"),
    "Lead": mark("Lead"),
    "Opportunity": mark("Opportunity"),
    "StageEntry": mark("Stage history"),
    "Interaction": mark("Interaction"),
    "Task": mark("Task"),
    "Note": mark("Note"),
    "CompetitorObservation": mark("Competitor observation"),
    "Survey": mark("Survey"),
    "SurveyAnswer": mark("Survey answer"),
    "Succession": mark("Succession"),
    "Rate": mark("Exchange rate"),
    "DatedValue": mark("Value over time"),
    "CustomField": mark("Custom field"),
    "Consent": mark("Consent"),
    "Portfolio": mark("Portfolio"),
    "Membership": mark("Portfolio membership"),
    "SavedView": mark("Saved view"),
    "NotDuplicate": mark("No duplicate"),
}
SHARES = frozenset({"probability", "share"})  # fractions, 0 to 1


def name_of(model: ModelClass) -> str:
    """What the log calls a model: its name, with the app before it if it is not one of the records."""
    meta = model._meta
    return str(meta.object_name if meta.app_label == "records" else meta.label)


def model_of(name: str) -> ModelClass:
    """The model of a name in the log."""
    label = name if "." in name else f"records.{name}"
    return apps.get_model(label)


def title_of(model: ModelClass) -> str:
    """What people call a model."""
    return TITLES.get(name_of(model), model.__name__)


@cache
def columns(model: ModelClass) -> dict[str, models.Field]:
    """The columns of a model by name (`owner_id`, not `owner`), without its id and what the database makes itself."""
    return {f.attname: f for f in model._meta.concrete_fields if not f.primary_key and not f.generated}


@cache
def field_title(model: ModelClass, column: str) -> str:
    """What people call a column: the schema's title where the schema knows it, else its name."""
    for table, kept in CANONICAL.items():
        if kept is not model:
            continue
        paths: dict[str, str] = getattr(model, "COLUMNS", {})
        for field in schema.TABLES[table].fields if table in schema.TABLES else ():
            path = paths.get(field.name, field.name)
            if column in (path, path.replace("__number", "_id")):
                return field.title
    return column


def checked(model: ModelClass, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column, each as its field wants it. Raises BadParameter with a sentence for what does not fit."""
    return {column: _checks(model)[column](values[given]) for given, column in named(model, values).items()}


def named(model: ModelClass, names: Any) -> dict[str, str]:
    """Names as given (`owner` or `owner_id`) -> column. Raises BadParameter for an unknown one."""
    found = {}
    known = columns(model)
    for name in names:
        if name in known:
            found[name] = name
        elif f"{name}_id" in known:
            found[name] = f"{name}_id"
        else:
            like = nearest(name, known)
            sentence = (
                say(
                    "{model} has no {field}; did you mean {like}?",
                    model=title_of(model),
                    field=name,
                    like=like,
                )
                if like
                else say("{model} has no {field}.", model=title_of(model), field=name)
            )
            raise BadParameter(sentence)
    return found


def checks(model: ModelClass, names: Any) -> list[Check]:
    """The checks of some columns, in their order; for bulk."""
    known = _checks(model)
    return [known[name] for name in names]


@cache
def _checks(model: ModelClass) -> dict[str, Check]:
    return {name: _check(model, name, field) for name, field in columns(model).items()}


def _check(model: ModelClass, name: str, field: models.Field) -> Check:
    inner: Check
    match field:
        case models.ForeignKey():
            inner = _reference
        case Exact():
            inner = _decimal(field, name in SHARES)
        case models.DateTimeField():
            inner = _moment
        case models.DateField():
            inner = _day
        case models.BooleanField():
            inner = _flag
        case models.IntegerField():
            inner = _integer(field)
        case models.JSONField():
            inner = plain
        case _ if name == "currency" or name.endswith("_currency"):
            inner = _currency
        case _:
            inner = _text(field.max_length)
    empty = "" if isinstance(field, models.CharField | models.TextField) else None
    needed = not field.null and empty is None

    def check(value: Any) -> Any:
        if value is None and not needed:
            return empty
        try:
            if value is None and field.has_default():
                return field.get_default()
            if value is None:
                raise ValueError(say("a value is needed."))
            return inner(value)
        except (ValueError, TypeError, ArithmeticError, BadParameter) as wrong:
            reason = wrong.args[0] if wrong.args and isinstance(wrong.args[0], Sentence) else str(wrong)
            title = field_title(model, name)
            raise BadParameter(
                say("{field} of {model}: {reason}", field=title, model=title_of(model), reason=reason)
            ) from None

    return check


def _reference(value: Any) -> int:
    found = value.pk if isinstance(value, models.Model) else value
    if type(found) is not int:
        raise ValueError(say("{value} is no record.", value=repr(value)))
    return found


def _decimal(field: Exact, share: bool) -> Check:
    step = Decimal(1).scaleb(-field.decimal_places)
    limit = Decimal(10) ** (field.max_digits - field.decimal_places)

    def check(value: Any) -> Decimal:
        try:
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        except (InvalidOperation, TypeError):
            raise ValueError(say("{value} is not a number.", value=repr(value))) from None
        if not number.is_finite() or abs(number) >= limit:
            raise ValueError(say("{value} is too large.", value=str(value)))
        if share and not 0 <= number <= 1:
            raise ValueError(say("{value} is not a fraction between 0 and 1.", value=str(value)))
        return number.quantize(step)

    return check


def _integer(field: models.Field) -> Check:
    limit = 2**63 if isinstance(field, models.BigIntegerField) else 2**31

    def check(value: Any) -> int:
        try:
            number = int(value)
            exact = number == Decimal(str(value))
        except (ValueError, TypeError, ArithmeticError):
            exact = False
        if not exact:
            raise ValueError(say("{value} is not a whole number.", value=repr(value)))
        if abs(number) >= limit:
            raise ValueError(say("{value} is too large.", value=str(value)))
        return number

    return check


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(say("{value} is not a date; write 2024-03-01.", value=repr(value))) from None


def _moment(value: Any) -> datetime:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(say("{value} is not a moment; write 2024-03-01T12:00.", value=repr(value))) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _flag(value: Any) -> bool:
    if value in (True, False):
        return bool(value)
    raise ValueError(say("{value} is neither yes nor no.", value=repr(value)))


def _currency(value: Any) -> str:
    return money.code(value) if value else ""


def _text(limit: int | None) -> Check:
    def check(value: Any) -> str:
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            raise TypeError(say("{value} is not a text.", value=repr(value)))
        if "\0" in value:
            value = value.replace("\0", "")
        if limit is not None and len(value) > limit:
            start = value[:40]
            raise ValueError(say("“{start}…” is longer than {limit} characters.", start=start, limit=limit))
        return value

    return check


def plain(value: Any) -> Any:
    """A value as JSON can hold it: decimals and days as text."""
    if value is None or type(value) in (str, int, bool):
        return value
    match value:
        case bool() | int() | str():
            return value
        case float() if value == value and abs(value) != float("inf"):
            return value
        case Decimal():
            return format(value, "f")
        case date():  # a datetime, too
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    raise ValueError(say("{value} cannot be kept.", value=repr(value)))


def decode(model: ModelClass, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What `plain` wrote of a record's columns, as values again; columns that are gone are left out."""
    known = columns(model)
    return {
        name: known[name].to_python(value) if not isinstance(known[name], models.ForeignKey) else value
        for name, value in kept.items()
        if name in known
    }
