"""Signing in with a provider of identities (OpenID Connect): there and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from klientel.web.accounts import events, provider
from klientel.web.accounts.callers import address_of, agent_of
from klientel.web.pages import shell
from klientel.web.pages.people import entry
from klientel.web.pages.people.addresses import onward
from klientel.web.pages.people.links import absolute

KEPT = "provider"  # of the session: what must come back


def _known() -> provider.Client:
    found = provider.client()
    if found is None:
        raise Http404
    return found


@login_not_required
@require_GET
def begin(request: Any) -> Any:
    """To the provider; a link and no form, since forms may lead to our own pages only."""
    known = _known()
    try:
        address, held = provider.begun(known, absolute(request, reverse("people:provider-back")))
    except provider.Failed as failed:
        return _refused(request, failed)
    request.session[KEPT] = {**held, "goal": onward(request)}
    return HttpResponseRedirect(address)


@login_not_required
@require_GET
def back(request: Any) -> Any:
    """From the provider: whoever it vouches for comes in, if we know that person."""
    known, at = _known(), shell.now()
    held = request.session.pop(KEPT, {})
    state, code = (str(request.GET.get(name, "")) for name in ("state", "code"))
    try:
        claims = provider.vouched(
            known, held, state, code, absolute(request, reverse("people:provider-back"))
        )
        user = provider.user_of(known, claims, at)
    except provider.Failed as failed:
        events.note("provider refused", at, address=address_of(request), agent=agent_of(request))
        return _refused(request, failed)
    return entry.let_in(request, user, held["goal"], "provider")


def _refused(request: Any, failed: provider.Failed) -> Any:
    shell.tell(request, failed.sentence, "error")
    return HttpResponseRedirect(f"{reverse('people:sign-in')}?{urlencode({'next': onward(request)})}")
