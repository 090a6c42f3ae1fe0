"""Consents of a contact: what holds today, the history, and a new row."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.privacy import consents
from klientel.web.records import models as m
from klientel.web.records import typed
from klientel.web.records.catalog import KINDS
from klientel.words import say


def context(request: Any, contact: Any) -> dict[str, Any]:
    """What the page of a contact tells about consents, for whom may see personal data."""
    mine = m.Contact.objects.filter(pk=contact.pk)
    if not rights.visible(mine, shell.reach(request), "personal").exists():
        return {}
    return {
        "consents": list(reversed(consents.history(contact))),
        "states": consents.states(contact, shell.today()),
        "consent_shown": True,
    }


@require_POST
def record(request: Any, pk: int) -> Any:
    """Write down that a consent was given or withdrawn."""
    contact = find_record(request, KINDS["contacts"], pk)
    day = request.POST.get("on", "")
    given = request.POST.get("given") == "yes"
    try:
        on = typed.day(day, shell.today()) if day.strip() else shell.today()
        consents.record(
            request.user, contact, request.POST.get("purpose", "")[:200], given, on, shell.now(),
            source=request.POST.get("source", "")[:300],
        )  # fmt: skip
    except BadParameter as wrong:
        shell.tell(request, wrong.sentence, "error")
    else:
        shell.tell(request, say("The consent is written down."))
    return HttpResponseRedirect(reverse("records:show", args=["contacts", pk]))
