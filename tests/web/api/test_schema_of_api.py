"""schemathesis over the API: no fault of ours, every answer as the document says, whatever is sent."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

SCOPES = ("read", "write", "export", "margin", "personal")


@pytest.fixture
def app(program: Any, firm: Any) -> Any:
    """The server's application on a workspace with one record of every kind, and a token that may do everything."""
    from django.core.handlers.wsgi import WSGIHandler

    from klientel.web.accounts import tokens
    from klientel.web.api.kinds import KINDS
    from klientel.web.pages import shell

    boss = program()
    one = firm("Firm").pk
    least: dict[str, dict[str, Any]] = {
        "contracts": {"company_id": one},
        "interactions": {"company_id": one, "type": "call"},
        "tasks": {"title": "Call"},
        "notes": {"text": "x", "purpose": "y", "expires_on": "2027-01-01"},
        "competitors": {"competitor": "Rival", "company_id": one},
        "answers": {"score": 9, "question": "How likely?"},
    }
    for kind in KINDS:
        assert boss.post(f"/{kind}", least.get(kind, {"name": "New"})).status_code == 201
    boss.post("/portfolios", {"name": "P"})
    text = tokens.make(boss.user, "test", SCOPES, shell.now())[1]
    handler = WSGIHandler()
    return handler, {"Authorization": f"Bearer {text}", "Host": "localhost"}


def test_the_document_is_one(app: Any) -> None:
    """schemathesis reads it; every operation has a name of its own and says what it refuses."""
    import schemathesis

    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app[0])
    names = [found.ok().definition.raw["operationId"] for found in schema.get_all_operations()]
    assert len(names) == len(set(names)) > 150
    for found in schema.get_all_operations():
        assert {"400", "401", "403", "429"} <= set(found.ok().definition.raw["responses"])


@pytest.mark.slow
def test_whatever_is_sent_is_answered_as_the_document_says(app: Any) -> None:
    """Statuses, media types and shapes of all operations, for good and for bad requests."""
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as known

    logging.getLogger("django.request").setLevel(logging.ERROR)
    handler, headers = app
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", handler)
    checks = [
        not_a_server_error, known.status_code_conformance, known.content_type_conformance,
        known.response_schema_conformance, known.allow_header_conformance,
    ]  # fmt: skip
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=3,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def run(case: Any) -> None:
                answered = case.call(headers=headers)
                case.validate_response(answered, checks=checks)

            run()


def test_no_two_shapes_share_a_name() -> None:
    """The document names shapes by their class alone; of two of one name it would tell one."""
    import importlib
    import pkgutil

    from pydantic import BaseModel

    import klientel.web.api

    names: list[str] = []
    for info in pkgutil.iter_modules(klientel.web.api.__path__, "klientel.web.api."):
        module = importlib.import_module(info.name)
        names += [
            n for n, one in vars(module).items()
            if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == info.name
        ]  # fmt: skip
    assert sorted(n for n in names if names.count(n) > 1) == []
