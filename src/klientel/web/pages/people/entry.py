"""Signing in and out, and the language of strangers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from klientel.web.pages import shell
from klientel.web.pages.language import COOKIE
from klientel.web.pages.people.addresses import local, onward
from klientel.words import LANGUAGES, mark

REFUSED = mark("The user name or the password is not right.")


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> Any:
    """The door: name or e-mail address and password."""
    if getattr(request, "htmx", False):
        return _whole_page(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(onward(request))
    name, refusal = "", ""
    if request.method == "POST":
        name = str(request.POST.get("name", ""))
        user = authenticate(request, username=name, password=str(request.POST.get("password", "")))
        if user is not None:
            login(request, user)
            return HttpResponseRedirect(onward(request))
        refusal = REFUSED
    context = {"name": name, "refusal": refusal, "next": onward(request)}
    return shell.page(request, "people/sign_in.html", context, status=403 if refusal else 200)


def _whole_page(request: Any) -> HttpResponse:
    """A session ended while a page was open: the browser goes to the door and comes back to that page."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = page.path + (f"?{page.query}" if page.query else "")
    query = f"?{urlencode({'next': back})}" if local(back) else ""
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("people:sign-in") + query})


@login_not_required
@require_POST
def sign_out(request: Any) -> Any:
    """End this session."""
    logout(request)
    return HttpResponseRedirect(reverse("people:sign-in"))


@login_not_required
@require_POST
def language(request: Any) -> Any:
    """The language of whoever is not signed in, kept in a cookie."""
    response = HttpResponseRedirect(onward(request))
    wanted = str(request.POST.get("language", ""))
    if wanted in LANGUAGES:
        response.set_cookie(
            COOKIE, wanted, max_age=365 * 24 * 3600, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    return response
