"""Between the door and the rooms: sessions in use are noted, and who must have a second factor gets one first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from klientel.web.accounts import factors, rules, sessions
from klientel.web.accounts.services import administrate
from klientel.web.pages import shell
from klientel.words import mark


class Doorkeeper:
    """Asks for a second factor where the workspace wants one and the person has none."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Passes the request on."""
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, *_: Any) -> Any:
        """None lets the request through."""
        if "session" not in request.__dict__ or not request.user.is_authenticated:
            return None
        if not request.session.session_key:  # the holder of a token, not a browser
            return None
        sessions.seen(request, shell.now())
        free = getattr(view, "without_factor", False) or not getattr(view, "login_required", True)
        if free or request.session.get("strong") or not rules.second_factor_needed():
            return None
        if factors.has(request.user):
            return None
        where = reverse("people:factors")
        if getattr(request, "htmx", False):
            return HttpResponse(status=204, headers={"HX-Redirect": where})
        return HttpResponseRedirect(where)


def without_factor(view: Any) -> Any:
    """Marks a view that answers whom the second factor is still missing."""
    view.without_factor = True
    return view


def delicate(view: Any) -> Any:
    """Marks a view that only answers whoever has shown lately who it is; others are asked once more."""

    @wraps(view)
    def asked(request: Any, *args: Any, **kwargs: Any) -> Any:
        if sessions.fresh(request, shell.now()):
            return view(request, *args, **kwargs)
        back = request.get_full_path() if request.method == "GET" else request.POST.get("back", "")
        if request.method != "GET":
            shell.tell(request, mark("Please show who you are, and then do it again."), "warning")
        query = urlencode({"next": back or reverse("people:account")})
        return HttpResponseRedirect(f"{reverse('people:confirm')}?{query}")

    asked.delicate = True  # type: ignore[attr-defined]  # by which tests find all of them
    return asked


def administrators(view: Any) -> Any:
    """Marks a view that is for administrators, whatever else it asks. The services ask again."""

    @wraps(view)
    def asked(request: Any, *args: Any, **kwargs: Any) -> Any:
        administrate(request.user)
        return view(request, *args, **kwargs)

    return asked
