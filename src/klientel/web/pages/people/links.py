"""Links that let somebody in once: the first administrator, whoever was invited, whom the command line signs in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from klientel.errors import BadParameter
from klientel.web.accounts import links, sessions
from klientel.web.accounts.services import accept as take_password
from klientel.web.accounts.services import invited
from klientel.web.pages import shell
from klientel.web.pages.people.entry import let_in
from klientel.web.settings import hosts, setting
from klientel.words import LANGUAGES, Word, mark

TWICE = mark("The two passwords are not the same.")


def absolute(request: Any, path: str) -> str:
    """The whole address of a page, at the first host of KLIENTEL_HOSTS if there is one: a link that goes out by mail
    must not lead where the caller says. The port is the server's own, unless a proxy stands before it.
    """
    from django.conf import settings
    from django.http.request import split_domain_port

    known = hosts("KLIENTEL_HOSTS")
    if not known or split_domain_port(request.get_host())[0] in known:
        return str(request.build_absolute_uri(path))
    if settings.SECURE:
        return f"https://{known[0]}{path}"
    port = request.META.get("SERVER_PORT", "80")
    behind = (setting("KLIENTEL_PROXIES") or "0") != "0"
    return f"{request.scheme}://{known[0]}{'' if behind or port in ('80', '443') else f':{port}'}{path}"


@login_not_required
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def welcome(request: Any, token: str) -> Any:
    """The first administrator chooses name, language and password."""
    at = shell.now()
    try:
        links.held("welcome", token, at)
    except BadParameter as refused:
        return _over(request, refused.sentence)
    given = {name: str(request.POST.get(name, "")).strip() for name in ("name", "email")}
    chosen = str(request.POST.get("language") or request.lang)
    refusal: str = ""
    if request.method == "POST":
        refusal = _unequal(request)
        if not refusal:
            try:
                user = links.first_administrator(
                    token, given["name"], str(request.POST["password"]),
                    chosen if chosen in LANGUAGES else "en", at, email=given["email"],
                )  # fmt: skip
            except BadParameter as refused:
                refusal = refused.sentence
            else:
                sessions.begin(request, user, "link", at, strong=False)
                return HttpResponseRedirect(reverse("home"))
    context = {**given, "chosen": chosen, "refusal": refusal}
    return shell.page(request, "people/welcome.html", context, status=400 if refusal else 200)


def _unequal(request: Any) -> Word | str:
    return "" if request.POST.get("password") == request.POST.get("again") else TWICE


def _over(request: Any, sentence: str) -> Any:
    return shell.page(request, "people/over.html", {"sentence": sentence}, status=410)


@login_not_required
@require_http_methods(["GET", "POST"])
def enter(request: Any, token: str) -> Any:
    """Signs somebody in once. To open the link takes nothing yet: programs that look into letters open links, too."""
    at = shell.now()
    try:
        found = links.held("sign-in", token, at)
        if request.method == "POST":
            links.use("sign-in", token, at)
            logout(request)
            sessions.begin(request, found.user, "link", at, strong=True)
            return HttpResponseRedirect(reverse("home"))
    except BadParameter as refused:
        return _over(request, refused.sentence)
    return shell.page(
        request, "people/enter.html", {"name": found.user.get_full_name() or found.user.username}
    )


@login_not_required
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def accept(request: Any, token: str) -> Any:
    """Whoever was invited, or forgot the password, chooses a new one."""
    refusal: str = ""
    try:
        user = invited(token)
    except BadParameter as refused:
        return _over(request, refused.sentence)
    if request.method == "POST":
        refusal = _unequal(request)
        if not refusal:
            try:
                take_password(token, str(request.POST.get("password", "")), shell.now())
            except BadParameter as refused:
                refusal = refused.sentence
            else:
                logout(request)
                user.refresh_from_db()
                return let_in(request, user, reverse("home"), "link")
    context = {"user_name": user.username, "refusal": refusal}
    return shell.page(request, "people/accept.html", context, status=400 if refusal else 200)
