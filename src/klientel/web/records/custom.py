"""Custom fields: what a firm's records have besides ours, each of a kind, reaching segments and analyses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from klientel.errors import BadParameter, nearest
from klientel.web import rights
from klientel.web.records import changes
from klientel.web.records.models import CustomField
from klientel.web.records.rows import ModelClass
from klientel.web.records.values import columns, name_of, title_of
from klientel.words import mark, say

KINDS = {
    "text": mark("text"),
    "number": mark("number"),
    "money": mark("money"),
    "share": mark("share"),
    "integer": mark("whole number"),
    "date": mark("date"),
    "flag": mark("yes or no"),
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def define(
    model: ModelClass,
    name: str,
    title: str,
    kind: str,
    *,
    personal: bool = False,
    actor: Any = None,
    at: datetime,
) -> CustomField:
    """Give the records of a model a field of their own. Raises BadParameter if name or kind cannot be one."""
    field = CustomField(model=name_of(model), name=name)
    rights.demand(actor, "write", field)
    if kind not in KINDS:
        raise BadParameter(say("A field is of one of these kinds: {kinds}.", kinds=list(KINDS)))
    if not _NAME.fullmatch(name):
        raise BadParameter(
            say("{name} cannot be the name of a field: small letters, digits and _ can.", name=repr(name))
        )
    ours = {*columns(model), *getattr(model, "COLUMNS", {}), "customer_id", "name", "status"}
    if name in ours:
        raise BadParameter(say("{model} has the field {name} already.", model=title_of(model), name=name))
    values = {"model": name_of(model), "name": name, "title": title, "kind": kind, "personal": personal}
    return changes.create(CustomField, values, actor, at=at)


def merged(model: ModelClass, held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The custom values of a record after some were given; None takes one away.

    Raises BadParameter for a field that is not defined or a value that does not fit its kind. A value that came
    from a file under a name that nobody defined stays as it is.
    """
    known = {f.name: f for f in CustomField.objects.filter(model=name_of(model))}
    result = dict(held)
    for name, value in given.items():
        if name not in known and held.get(name) == value:
            continue
        if name not in known:
            like = nearest(name, known)
            if like:
                raise BadParameter(
                    say(
                        "{model} has no {field}; did you mean {like}?",
                        model=title_of(model),
                        field=name,
                        like=like,
                    )
                )
            raise BadParameter(say("{model} has no {field}.", model=title_of(model), field=name))
        if value is None or value == "":
            result.pop(name, None)
        else:
            result[name] = fitting(value, known[name].kind, known[name].title)
    return result


def fitting(value: Any, kind: str, title: str) -> Any:
    """A value as JSON keeps it, if it is of the kind; BadParameter otherwise."""
    try:
        match kind:
            case "number" | "money" | "share":
                number = Decimal(repr(value) if isinstance(value, float) else value)
                if not number.is_finite() or (kind == "share" and not 0 <= number <= 1):
                    raise ValueError
                return format(number, "f")
            case "integer":
                if Decimal(str(value)) != int(value):
                    raise ValueError
                return int(value)
            case "date":
                return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat()
            case "flag":
                if value not in (True, False):
                    raise ValueError
                return bool(value)
            case _:
                if not isinstance(value, str):
                    raise TypeError
                return value
    except (ValueError, TypeError, InvalidOperation):
        raise BadParameter(
            say(
                "{field}: {value} is not of the kind “{kind}”.",
                field=title,
                value=repr(value),
                kind=KINDS[kind],
            )
        ) from None
