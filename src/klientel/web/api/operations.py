"""How an operation is put up: its parameters, body and answers from models, the same rules for all."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import NinjaAPI
from ninja.params.models import Body, Path, Query
from ninja.parser import Parser
from pydantic import BaseModel, ConfigDict

from klientel.errors import BadParameter
from klientel.web.api.problems import unknown_parameter
from klientel.words import say

LARGEST = 2**63 - 1  # of an id
View = Callable[..., HttpResponse]


class Form(BaseModel):
    """What a request may carry: nothing else."""

    model_config = ConfigDict(extra="forbid")


class Strict(Parser):
    """JSON in UTF-8: numbers exact, no NaN, no letters that no database keeps."""

    def parse_body(self, request: Any) -> Any:
        """The body as values."""
        text = request.body.decode("utf-8")
        found = json.loads(text, parse_float=_exact, parse_constant=_no_number)
        json.dumps(found, default=str, ensure_ascii=False).encode()  # halves of surrogate pairs end here
        if "\\u0000" in text:
            raise ValueError("NUL in a text")
        return found


def _exact(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """JSON as an answer."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    made = HttpResponse(text, content_type="application/json", status=status)
    for name, value in (headers or {}).items():
        made[name] = value
    return made


def put_up(
    api: NinjaAPI,
    method: str,
    path: str,
    view: View,
    *,
    name: str,
    title: str,
    tag: str,
    gives: Mapping[int, Any],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    told: str = "",
    once: bool = True,
    extra: dict[str, Any] | None = None,
) -> None:
    """Put an operation up.

    view: takes the request, the parts of the path by name, `asked` (query) and `body`; gives an HttpResponse.
    gives: status -> model of the answer (None: no body). once: whether an Idempotency-Key is kept for a POST.
    """
    from klientel.web.api.keeping import once_only

    done = once_only(view) if method == "POST" and once else view

    @wraps(done)
    def run(request: Any, **values: Any) -> HttpResponse:
        _known_only(request, query)
        return done(request, **values)

    arguments = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for kind, part in re.findall(r"{(?:(\w+):)?(\w+)}", path):
        limits: Any = Path(..., ge=1, le=LARGEST) if kind == "int" else Path(..., max_length=200)
        arguments.append(_argument(part, Annotated[int if kind == "int" else str, limits]))
    if query is not None:
        arguments.append(_argument("asked", query, Query(...)))
    if body is not None:
        arguments.append(_argument("body", body, Body(...)))
    run.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    headers = {"parameters": [_KEY]} if method == "POST" and once else {}
    api.default_router.add_api_operation(
        path,
        [method],
        run,
        response=dict(gives),
        operation_id=name,
        summary=title,
        description=told or inspect.cleandoc(view.__doc__ or "").split("\n\n")[0],
        tags=[tag],
        url_name=name,
        by_alias=True,
        openapi_extra={**headers, **(extra or {})},
    )


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of yours; the same key with the same body is done once and answered alike for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def _argument(name: str, kind: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _known_only(request: Any, query: type[BaseModel] | None) -> None:
    """Refuse a parameter that is not declared: a filter that is misspelt must not give everything."""
    known = [f.alias or n for n, f in query.model_fields.items()] if query is not None else []
    for name, values in request.GET.lists():
        if name not in known:
            raise unknown_parameter(name, known)
        if any("\0" in value for value in values):
            raise BadParameter(say("{name} holds a letter that no text has.", name=name))
