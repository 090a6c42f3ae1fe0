"""Adding and removing second factors."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from klientel.errors import BadParameter
from klientel.web.accounts import factors, passkeys, rules
from klientel.web.accounts.models import Factor
from klientel.web.accounts.sealing import opened, sealed
from klientel.web.pages import shell
from klientel.web.pages.people.doorkeeper import delicate, without_factor
from klientel.words import mark, say

NEW = "new_app"  # of the session, encrypted: the secret of an app that has not shown its first code


@without_factor
@require_GET
def overview(request: Any) -> Any:
    """What there is, and what can be added; here comes whoever must have a second factor and has none."""
    found = factors.listed(request.user)
    context = {
        "factors": found,
        "has": factors.has(request.user),
        "app": any(one.kind == Factor.Kind.APP for one in found),
        "codes": next((one for one in found if one.kind == Factor.Kind.CODES), None),
        "needed": rules.second_factor_needed(),
        "passkeys": passkeys.possible(request),
    }
    return shell.page(request, "people/factors.html", context)


@without_factor
@require_http_methods(["GET", "POST"])
@delicate
def app(request: Any) -> Any:
    """Add an authenticator app: scan the picture, type the code that it shows."""
    refusal = ""
    if request.method == "POST" and NEW in request.session:
        try:
            secret = opened(request.session[NEW])
            factors.add_app(request.user, secret, str(request.POST.get("code", "")), shell.now())
        except BadParameter as refused:
            refusal = refused.sentence
        else:
            del request.session[NEW]
            return _added(request)
    else:
        secret = factors.new_secret()
        request.session[NEW] = sealed(secret)
    issuer = f"Klientel ({request.get_host()})"
    context = {
        "refusal": refusal,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "picture": factors.picture(factors.address(secret, request.user.username, issuer)),
    }
    return shell.page(request, "people/factor_app.html", context, status=400 if refusal else 200)


def _added(request: Any) -> Any:
    """The session counts as strong; the first factor brings recovery codes."""
    request.session["strong"] = True
    if Factor.objects.filter(user=request.user, kind=Factor.Kind.CODES).exists():
        shell.tell(request, mark("The second factor was added."))
        return HttpResponseRedirect(reverse("people:factors"))
    return _codes(request)


def _codes(request: Any) -> Any:
    made = factors.new_codes(request.user, shell.now())
    return shell.page(request, "people/factor_codes.html", {"made": made})


@without_factor
@require_POST
@delicate
def codes(request: Any) -> Any:
    """New recovery codes in place of the old ones, shown once."""
    if not factors.has(request.user):
        return HttpResponseRedirect(reverse("people:factors"))
    return _codes(request)


@without_factor
@require_POST
@delicate
def passkey_question(request: Any) -> Any:
    """What the browser needs to make a passkey."""
    return HttpResponse(passkeys.begin_adding(request, request.user), content_type="application/json")


@without_factor
@require_POST
@delicate
def passkey(request: Any) -> Any:
    """Keep the passkey that the browser made."""
    name = str(request.POST.get("name", "")).strip() or "Passkey"
    try:
        passkeys.add(request, request.user, str(request.POST.get("answer", "")), name, shell.now())
    except BadParameter as refused:
        shell.tell(request, refused.sentence, "error")
        return HttpResponseRedirect(reverse("people:factors"))
    return _added(request)


@require_POST
@delicate
def remove(request: Any, pk: int) -> Any:
    """Take a second factor away."""
    found = Factor.objects.filter(user=request.user, pk=pk).first()
    if found is not None:
        factors.remove(request.user, pk, shell.now())
        shell.tell(request, say("Removed: {what}.", what=found.name or factors.TITLES[found.kind]))
    if not factors.has(request.user):
        request.session["strong"] = False
    return HttpResponseRedirect(reverse("people:factors"))
