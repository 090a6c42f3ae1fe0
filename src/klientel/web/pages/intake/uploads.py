"""The first step of an import: files come in, many at a time, and are left out again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from klientel.web.imports import drafts
from klientel.web.imports.models import Import
from klientel.web.imports.receiving import TooLarge, changing
from klientel.web.pages import shell
from klientel.web.pages.intake.receiving import IntoDraft
from klientel.words import mark


@require_GET
def start(request: Any) -> Any:
    """Where files are dropped."""
    return shell.page(request, "intake/new.html", {**dropping(request), "step": 1})


def dropping(request: Any) -> dict[str, Any]:
    """What the drop zone needs, on this page and on others: open drafts, the limit, whether it is the first import."""
    return {
        "drafts": drafts.listed(shell.workspace(), request.user),
        "megabytes": settings.UPLOAD_LIMIT // 10**6,
        "first": not Import.objects.filter(state=Import.State.DONE).exists(),
    }


@csrf_exempt  # the token is looked for in `_received`, after the files have a place to go to
@require_POST
def upload(request: Any, token: str = "") -> Any:
    """Files into a new draft, or into one that is there."""
    draft = found(request, token) if token else drafts.new(shell.workspace(), request.user)
    incoming = IntoDraft(request, draft)
    request.upload_handlers = [incoming]
    try:
        return _received(request, incoming)
    except TooLarge as full:
        shell.tell(request, full.sentence, "error")
    except MultiPartParserError:
        shell.tell(request, mark("The files did not arrive whole. Send them again."), "error")
    finally:
        incoming.drop()
        if not draft.files:
            drafts.drop(draft)
    return _to(request, draft)


@csrf_protect
def _received(request: Any, incoming: IntoDraft) -> Any:
    """Read the body, which writes the files, and take them into the draft."""
    assert request.POST is not None
    if not incoming.keep():
        shell.tell(request, mark("No file was chosen."), "warning")
    return _to(request, incoming.draft)


def _to(request: Any, draft: drafts.Draft) -> HttpResponse:
    """Go to the draft if it has files, else back to the start. A script that sent the files is told where to."""
    to = reverse("intake:draft", args=[draft.token]) if draft.files else reverse("intake:new")
    if request.headers.get("X-Upload"):
        return HttpResponse(to, content_type="text/plain")
    return redirect(to)


@require_POST
def leave_out(request: Any, token: str) -> Any:
    """Take one of the uploaded files away."""
    draft = found(request, token)
    with changing(draft):
        draft.leave_out(request.POST.get("name", ""))
    if not draft.files:
        drafts.drop(draft)
        return redirect("intake:new")
    return redirect("intake:draft", token)


@require_POST
def drop(request: Any, token: str) -> Any:
    """Throw all the uploaded files away."""
    drafts.drop(found(request, token))
    shell.tell(request, mark("The uploaded files are deleted."))
    return redirect("intake:index")


def found(request: Any, token: str) -> drafts.Draft:
    """The person's draft; 404 for one that is gone or somebody else's."""
    draft = drafts.find(shell.workspace(), request.user, token)
    if draft is None:
        raise Http404
    return draft
