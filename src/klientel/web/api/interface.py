"""The API put together: who is let in, how errors are told, which operations there are."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

import klientel
from klientel.web.api import acts, analyses, changes, companies, imports, people, records, webhooks
from klientel.web.api.entrance import Session, Token
from klientel.web.api.operations import Strict
from klientel.web.api.problems import refused, told


def _tell(request: Any, error: Any) -> Any:
    return refused(request, told(error))


def _made() -> NinjaAPI:
    made = NinjaAPI(
        title="Klientel",
        version=klientel.__version__,
        urls_namespace="api-v1",
        openapi_url=None,
        docs_url=None,
        auth=[Token(), Session()],
        parser=Strict(),
    )
    for kind in (Exception, HttpError, AuthenticationError, ValidationError):
        made.add_exception_handler(kind, _tell)
    for room in (records, acts, companies, analyses, changes, imports, people, webhooks):
        room.put_up_all(made)
    return made


api = _made()
