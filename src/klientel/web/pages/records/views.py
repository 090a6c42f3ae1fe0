"""Saved views: made, altered, deleted."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.web.pages import shell
from klientel.web.pages.records.many import undoing
from klientel.web.records import saved
from klientel.web.records.catalog import Kind
from klientel.words import say


def _query(text: str) -> str:
    from django.http import QueryDict

    held = QueryDict(text, mutable=True)
    held.pop("page", None)
    return held.urlencode()


def _address(kind: Kind, query: str) -> str:
    here = reverse("records:list", args=[kind.slug])
    return f"{here}?{query}" if query else here


@require_POST
def save(request: Any, kind: Kind) -> Any:
    """Keep the list as it is under a name."""
    query = _query(request.POST.get("query", ""))
    shared = request.POST.get("shared") == "yes"
    made = saved.save(
        kind.slug, request.POST.get("name", ""), query, shared=shared, actor=request.user, at=shell.now()
    )
    shell.tell(request, say("The view “{name}” is saved.", name=made.name))
    return HttpResponseRedirect(_address(kind, query))


@require_POST
def alter(request: Any, kind: Kind, pk: int) -> Any:
    """Rename, share, refill or delete a view."""
    view = next((v for v in saved.views(kind.slug, actor=request.user) if v.pk == pk), None)
    if view is None:
        raise Http404
    options: dict[str, Any] = {"actor": request.user, "at": shell.now()}
    query = _query(request.POST.get("query", ""))
    if request.POST.get("do") == "delete":
        act = token_hex(8)
        saved.forget(view, act=act, **options)
        shell.tell(
            request,
            say("The view “{name}” is deleted.", name=view.name),
            undo=undoing(act, _address(kind, query)),
        )
    elif request.POST.get("do") == "refill":
        saved.alter(view, query=query, **options)
        shell.tell(request, say("The view “{name}” shows this list now.", name=view.name))
    else:
        saved.alter(
            view, name=request.POST.get("name", ""), shared=request.POST.get("shared") == "yes", **options
        )
        shell.tell(request, say("The view “{name}” is changed.", name=view.name))
        query = view.query
    return HttpResponseRedirect(_address(kind, query))
