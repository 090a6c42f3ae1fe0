"""Signing in and out: name and password, then the second factor; or a passkey instead of both."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import authenticate, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from klientel.errors import BadParameter
from klientel.web.accounts import attempts, events, factors, letters, passkeys, provider, sessions
from klientel.web.accounts.attempts import Key
from klientel.web.accounts.backends import of_name
from klientel.web.accounts.callers import address_of, agent_of, network_of
from klientel.web.accounts.models import Factor, User
from klientel.web.pages import shell
from klientel.web.pages.language import COOKIE
from klientel.web.pages.people.addresses import local, onward, open_to_all
from klientel.web.pages.people.doorkeeper import without_factor
from klientel.words import LANGUAGES, mark

REFUSED = mark("The user name or the password is not right.")
WRONG_CODE = mark("That code is not right, or it was used already.")
ENTERING = "entering"  # of the session: who has shown the password and still owes the second factor
PATIENCE = timedelta(minutes=10)


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> Any:
    """The door: name or e-mail address and password."""
    if getattr(request, "htmx", False):
        return _whole_page(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(onward(request))
    name, refusal, status = "", "", 200
    if request.method == "POST":
        name = str(request.POST.get("name", ""))
        found, refusal = known(request, name, str(request.POST.get("password", "")))
        if found is not None:
            return let_in(request, found, onward(request))
        status = 403 if refusal == REFUSED else 429
    context = {
        "name": name,
        "refusal": refusal,
        "next": onward(request),
        "passkeys": passkeys.possible(request),
        "provider": provider.client(),
    }
    return shell.page(request, "people/sign_in.html", context, status=status)


def known(request: Any, name: str, password: str) -> tuple[Any, str]:
    """(user, "") for the right password, else (None, why not): the same for unknown names and wrong passwords."""
    at, address = shell.now(), address_of(request)
    found = of_name(name[:254])
    keys = [Key("name", _counted(found, name)), Key("address", network_of(address))]
    wait = attempts.take(keys, at)
    if wait is not None:
        return None, attempts.told(wait)
    user = authenticate(request, username=name[:254], password=password[:1000])
    if user is not None:
        attempts.passed(keys)
        return user, ""
    about = {"user": found, "address": address, "agent": agent_of(request)}
    events.note("sign-in failed", at, **about)
    if any(attempts.locked(key, at) for key in keys):
        events.note("locked", at, **about)
    return None, REFUSED


def _counted(user: Any, name: str) -> str:
    """Under which name attempts count: the user's, whether the user name or the e-mail address was typed."""
    return str(user.username) if user is not None else name[:254]


def let_in(request: Any, user: Any, goal: str, way: str = "password") -> Any:
    """Whoever has shown the password (or has an invitation) comes in, or is asked for the second factor first."""
    if not factors.has(user):
        sessions.begin(request, user, way, shell.now(), strong=way == "provider")  # which asks for its own
        return HttpResponseRedirect(goal)
    request.session.cycle_key()
    until = int((shell.now() + PATIENCE).timestamp())
    request.session[ENTERING] = {"user": user.pk, "until": until, "goal": goal, "way": way}
    return HttpResponseRedirect(reverse("people:second-factor"))


def _entering(request: Any, at: datetime) -> tuple[Any, dict[str, Any]]:
    held = request.session.get(ENTERING) or {}
    if held.get("until", 0) < at.timestamp():
        return None, {}
    return User.objects.filter(pk=held["user"], is_active=True).first(), held


@login_not_required
@require_http_methods(["GET", "POST"])
def second_factor(request: Any) -> Any:
    """After the password: a code of the app, a recovery code, or a passkey."""
    at = shell.now()
    user, held = _entering(request, at)
    if user is None:
        return HttpResponseRedirect(reverse("people:sign-in"))
    refusal = ""
    if request.method == "POST":
        refusal = _shown(request, user, at)
        if not refusal:
            del request.session[ENTERING]
            sessions.begin(request, user, held["way"], at, strong=True)
            return HttpResponseRedirect(held["goal"])
    kinds = set(Factor.objects.filter(user=user).values_list("kind", flat=True))
    context = {
        "refusal": refusal,
        "app": Factor.Kind.APP in kinds,
        "codes": Factor.Kind.CODES in kinds,
        "passkeys": Factor.Kind.PASSKEY in kinds and passkeys.possible(request),
    }
    return shell.page(request, "people/second_factor.html", context, status=403 if refusal else 200)


def _shown(request: Any, user: Any, at: datetime) -> str:
    """Check the code or passkey; "" if it passed, else why not."""
    keys = [Key("code", str(user.pk))]
    wait = attempts.take(keys, at)
    if wait is not None:
        return attempts.told(wait)
    refusal: str = ""
    if request.POST.get("answer"):
        try:
            passkeys.check(request, str(request.POST["answer"]), at, user)
        except BadParameter as refused:
            refusal = refused.sentence
    elif factors.check(user, str(request.POST.get("code", "")), at) is None:
        refusal = WRONG_CODE
    if not refusal:
        attempts.passed(keys)
        return ""
    about = {"user": user, "address": address_of(request), "agent": agent_of(request)}
    events.note("code failed", at, **about)
    if attempts.locked(keys[0], at):
        events.note("locked", at, **about)
    return refusal


@login_not_required
@require_POST
def passkey_question(request: Any) -> Any:
    """What the browser needs to show a passkey: of whoever is entering or signed in, else of anybody."""
    user = request.user if request.user.is_authenticated else _entering(request, shell.now())[0]
    return HttpResponse(passkeys.begin(request, user), content_type="application/json")


@login_not_required
@require_POST
def passkey_sign_in(request: Any) -> Any:
    """A passkey is enough: the device has asked for finger, face or PIN."""
    at = shell.now()
    keys = [Key("address", network_of(address_of(request)))]
    wait = attempts.take(keys, at)
    try:
        if wait is not None:
            raise BadParameter(attempts.told(wait))
        user = passkeys.check(request, str(request.POST.get("answer", "")), at)
    except BadParameter as refused:
        shell.tell(request, refused.sentence, "error")
        return HttpResponseRedirect(f"{reverse('people:sign-in')}?{urlencode({'next': onward(request)})}")
    attempts.passed(keys)
    sessions.begin(request, user, "passkey", at, strong=True)
    return HttpResponseRedirect(onward(request))


@without_factor
@require_http_methods(["GET", "POST"])
def confirm(request: Any) -> Any:
    """Once more: who are you? Asked before something delicate changes."""
    at, user, refusal = shell.now(), request.user, ""
    if request.method == "POST":
        if request.POST.get("answer"):
            try:
                passkeys.check(request, str(request.POST["answer"]), at, user)
            except BadParameter as refused:
                refusal = refused.sentence
        else:
            refusal = own_password(request, str(request.POST.get("password", "")))
        if not refusal:
            sessions.proved(request, at)
            return HttpResponseRedirect(onward(request))
    context = {
        "refusal": refusal,
        "next": onward(request),
        "password": user.has_usable_password(),
        "passkeys": passkeys.possible(request)
        and Factor.objects.filter(user=user, kind=Factor.Kind.PASSKEY).exists(),
    }
    return shell.page(request, "people/confirm.html", context, status=403 if refusal else 200)


def own_password(request: Any, password: str) -> str:
    """Check the password of whoever is signed in, within the limits of signing in; "" if right, else why not."""
    found, refusal = known(request, request.user.username, password)
    if found is not None and found.pk == request.user.pk:
        return ""
    return refusal if refusal and refusal != REFUSED else mark("The password is not right.")


def _whole_page(request: Any) -> HttpResponse:
    """A session ended while a page was open: the browser goes to the door and comes back to that page."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = page.path + (f"?{page.query}" if page.query else "")
    query = f"?{urlencode({'next': back})}" if local(back) else ""
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("people:sign-in") + query})


@login_not_required
@require_POST
def sign_out(request: Any) -> Any:
    """End this session; `next` is where one wants to come back to."""
    if request.user.is_authenticated:
        events.note(
            "signed out",
            shell.now(),
            user=request.user,
            address=address_of(request),
            agent=agent_of(request),
        )
    goal = onward(request, "")
    logout(request)
    if open_to_all(goal):  # an invitation asks for no sign-in: it is one
        return HttpResponseRedirect(goal)
    return HttpResponseRedirect(reverse("people:sign-in") + (f"?{urlencode({'next': goal})}" if goal else ""))


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


@login_not_required
@require_http_methods(["GET", "POST"])
def forgotten(request: Any) -> Any:
    """A letter with a link to a new password, if mail is set up; else whom to ask. The same for unknown names."""
    from klientel.web.pages.people.links import absolute

    sent, refusal = False, ""
    if request.method == "POST" and letters.on():
        name, at = str(request.POST.get("name", ""))[:254], shell.now()
        user = of_name(name)
        keys = [Key("letter", _counted(user, name)), Key("address", network_of(address_of(request)))]
        wait = attempts.take(keys, at)
        if wait is not None:
            refusal = attempts.told(wait)
        elif user is not None and user.is_active and letters.possible(user) and not provider.only(user):
            from klientel.web.accounts.services import invitation

            link = absolute(request, reverse("people:accept", args=[invitation(None, user)]))
            letters.send("forgotten", user, link)
            events.note("password asked for", at, user=user, address=address_of(request))
        sent = not refusal
    context = {"mail": letters.on(), "sent": sent, "refusal": refusal}
    return shell.page(request, "people/forgotten.html", context, status=429 if refusal else 200)
