"""One's own account: name, language, password, second factor, sessions, tokens."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from klientel.errors import BadParameter
from klientel.web.accounts import factors, rules, services, sessions, tokens
from klientel.web.accounts.models import ApiToken
from klientel.web.pages import shell
from klientel.web.pages.people import entry
from klientel.web.pages.people.addresses import number
from klientel.web.pages.people.doorkeeper import delicate
from klientel.web.pages.people.links import TWICE
from klientel.web.rights import ACTIONS
from klientel.words import say

DAYS = (30, 90, 365)
ENDLESS = "endless"  # until it is revoked: said in so many words, never by leaving something out


@require_GET
def account(request: Any) -> Any:
    """Everything about one's own account."""
    return _page(request)


def _page(request: Any, status: int = 200, **more: Any) -> Any:
    at, user = shell.now(), request.user
    found = shell.reach(request)
    context = {
        "factors": factors.listed(user),
        "factor_needed": rules.second_factor_needed(),
        "sessions": sessions.listed(user, at, request.session.session_key),
        "tokens": tokens.listed(user, at),
        "scopes": [(name, title) for name, title in ACTIONS.items() if found.may(name)],
        "days": DAYS,
        "endless": ENDLESS,
        "profile": {
            name: more.get(name, getattr(user, name)) for name in ("first_name", "last_name", "email")
        },
        "has_password": user.has_usable_password(),
        **more,
    }
    return shell.page(request, "people/account.html", context, status=status)


def back(part: str) -> HttpResponseRedirect:
    """To the account, at one of its parts."""
    return HttpResponseRedirect(f"{reverse('people:account')}#{part}")


@require_POST
def profile(request: Any) -> Any:
    """Change one's name, e-mail address and language."""
    names = ("first_name", "last_name", "email", "language")
    given = {name: str(request.POST[name])[:254] for name in names if name in request.POST}
    other = given.get("email", request.user.email).strip() != request.user.email
    if other and not sessions.fresh(request, shell.now()):  # with the address goes the forgotten password
        return delicate(profile)(request)
    try:
        services.edit_profile(request.user, request.user, shell.now(), **given)
    except BadParameter as refused:
        return _page(request, 400, profile_refusal=refused.sentence, **given)
    request.lang = request.user.language
    shell.tell(request, say("Your account was changed."))
    return back("profile")


@sensitive_post_parameters()
@require_POST
def password(request: Any) -> Any:
    """Change one's password; all other sessions end."""
    refusal: str = ""
    if request.POST.get("password") != request.POST.get("again"):
        refusal = TWICE
    elif request.user.has_usable_password():
        old = str(request.POST.get("old", ""))
        refusal = entry.own_password(request, old)
    elif not sessions.fresh(request, shell.now()):
        return delicate(password)(request)
    if not refusal:
        key = request.session.session_key
        try:
            services.set_password(
                request.user, request.user, str(request.POST.get("password", "")), shell.now(), keep=key
            )
        except BadParameter as refused:
            refusal = refused.sentence
    if refusal:
        return _page(request, 400, password_refusal=refusal)
    sessions.renewed(request, request.user)
    shell.tell(request, say("The password was changed; your other sessions have ended."))
    return back("password")


@require_POST
def end_sessions(request: Any) -> Any:
    """End one of one's own sessions, or all but this one."""
    one = request.POST.get("session")
    options: Any = {"pk": number(one) or 0} if one else {"keep": request.session.session_key}
    n = sessions.end(request.user, request.user, shell.now(), **options)
    shell.tell(request, say("Sessions ended: {n}.", n=n))
    return back("sessions")


@require_POST
@delicate
def add_token(request: Any) -> Any:
    """A token for a program; it is shown once, on the page that answers."""
    given = str(request.POST.get("days", "")).strip()
    try:
        days = number(given)
        if days is None and given != ENDLESS:
            raise BadParameter(say("A token holds from 1 to 3650 days."))
        token, text = tokens.make(
            request.user,
            str(request.POST.get("name", "")),
            request.POST.getlist("scope"),
            shell.now(),
            days=days,
        )
    except BadParameter as refused:
        return _page(
            request, 400, token_refusal=refused.sentence, token_name=str(request.POST.get("name", ""))[:100]
        )
    return _page(request, new_token=token, new_token_text=text)


@require_POST
def revoke_token(request: Any, pk: int) -> Any:
    """End one of one's own tokens."""
    token = ApiToken.objects.filter(user=request.user, pk=pk).first()
    if token is not None:
        tokens.revoke(request.user, token, shell.now())
        shell.tell(request, say("The token {name} was revoked.", name=token.name))
    return back("tokens")
