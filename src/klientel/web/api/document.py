"""The OpenAPI document, and a page of our own made from it: no script, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse

from klientel.web.api.problems import MEDIA_TYPE, TITLES
from klientel.words import translate

PREFIX = "/api/v1"
_ALWAYS = ("bad-request", "unauthenticated", "not-allowed", "not-found", "too-large", "too-many")
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "detail", "status"],
    "properties": {
        "type": {"type": "string", "description": "urn:klientel:problem:KIND"},
        "title": {"type": "string"},
        "detail": {
            "type": "string",
            "description": "What is wrong and what to do, in the reader's language.",
        },
        "status": {"type": "integer"},
        "field": {"type": "string", "description": "The parameter or field that it is about."},
    },
}
_TOLD = """What people do in Klientel, for programs.

Send a token of yours as `Authorization: Bearer TOKEN`: the token may do what its scopes and your rights allow, and
what you may not see is not there. Errors are problem JSON (RFC 9457) in the language of Accept-Language, else in your
own. See docs/api.md."""


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of the API."""
    from klientel.web.api.interface import api

    found: dict[str, Any] = api.get_openapi_schema(path_prefix="")
    found["info"]["description"] = _TOLD
    found["servers"] = [{"url": PREFIX}]
    found["components"]["schemas"]["Problem"] = _PROBLEM
    for methods in found["paths"].values():
        for method, operation in methods.items():
            _refusals(method, operation)
    return found


def _refusals(method: str, operation: dict[str, Any]) -> None:
    """What an operation may refuse, besides what it gives."""
    kinds = [*_ALWAYS]
    if method != "get":
        kinds.append("outdated")
    if any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", ())):
        kinds.append("key-reused")
    for status, title in (TITLES[kind] for kind in kinds):
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"].setdefault(status, {"description": str(title), "content": content})
    operation["responses"] = {str(s): told for s, told in sorted(operation["responses"].items())}


@login_not_required
def openapi(request: Any) -> HttpResponse:
    """The document as JSON; it tells nothing of the workspace."""
    from klientel.web.api.operations import answer

    return answer(document(), headers={"Cache-Control": "public, max-age=3600"})


@login_not_required
def page(request: Any) -> HttpResponse:
    """The document for people."""
    from klientel.web.pages import shell

    return shell.page(request, "api/document.html", {"groups": _groups(request.lang)})


@cache
def _groups(lang: str) -> list[dict[str, Any]]:
    """The operations by room, with the parameters and fields that they take; the document itself is English."""
    found = document()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            takes = [
                {"name": p["name"], "where": p["in"], "needed": p["required"],
                 "meaning": p.get("description") or p["schema"].get("title", "")}
                for p in operation.get("parameters", ())
            ]  # fmt: skip
            entry = {"method": method.upper(), "path": PREFIX + path, **operation}
            entry["takes"] = takes + _body(operation, found["components"]["schemas"])
            groups.setdefault(operation["tags"][0], []).append(entry)
    return [{"title": translate(tag, lang), "operations": entries} for tag, entries in groups.items()]


def _body(operation: dict[str, Any], shapes: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of the body of an operation."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shape = shapes.get(content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {})
    needed = shape.get("required", ())
    return [
        {"name": name, "where": "body", "needed": name in needed,
         "meaning": field.get("description") or field.get("title", "")}
        for name, field in shape.get("properties", {}).items()
    ]  # fmt: skip
