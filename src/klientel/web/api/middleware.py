"""What holds for every answer of the API, also for those that come from elsewhere: problems, rates, languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klientel.web.api.problems import Missing, Problem, refused, told
from klientel.words import mark

PREFIX = "/api/"
_OTHERS = {400: "bad-request", 403: "not-allowed", 404: "not-found", 405: "no-such-method", 413: "too-large"}


class Api:
    """Makes problems of refusals that Django made itself, and puts the rate on every answer."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """The answer; untouched outside of the API."""
        response = self.get_response(request)
        if not request.path.startswith(PREFIX):
            return response
        kind = _OTHERS.get(response.status_code)
        if kind is not None and "json" not in response.get("Content-Type", ""):
            response = _replaced(request, response, kind)
        left = getattr(request, "left", None)
        if left is not None:
            for name, value in left.headers().items():
                response[name] = value
        response["Vary"] = "Accept, Accept-Language, Authorization, Cookie"
        return response

    def process_exception(self, request: Any, error: Exception) -> Any:
        """Everything that goes wrong is told as JSON."""
        return refused(request, told(error)) if request.path.startswith(PREFIX) else None


def _replaced(request: Any, response: Any, kind: str) -> Any:
    problem: Problem = Missing()
    if kind != "not-found":
        problem = Problem(kind, mark("This address does not answer to that; /api/v1/ lists what there is."))
    made = refused(request, problem)
    if "Allow" in response:
        made["Allow"] = response["Allow"]
    return made
