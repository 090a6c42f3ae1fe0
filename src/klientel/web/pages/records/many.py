"""What is done with many records at once, and the taking back of acts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter
from klientel.web.pages import shell
from klientel.web.records import acts, bulk, listing, typed
from klientel.web.records.catalog import Kind, all_columns
from klientel.words import say


def safe(request: Any, target: str, otherwise: str) -> str:
    """An address of ours that a form names; `otherwise` for one that leads elsewhere."""
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if ours and target.startswith("/") else otherwise


def back(request: Any, otherwise: str) -> HttpResponseRedirect:
    """To where a form came from."""
    asked = request.POST.get("back") or request.GET.get("back") or ""
    return HttpResponseRedirect(safe(request, asked, otherwise))


def undoing(act: str, target: str) -> str:
    """The address that takes an act back and returns to `target`."""
    from urllib.parse import urlencode

    return f"{reverse('records:undo', args=[act])}?{urlencode({'back': target})}"


@require_POST
def many(request: Any, kind: Kind) -> Any:
    """Change or delete the ticked records, or all that the list shows."""
    here = reverse("records:list", args=[kind.slug])
    query = request.POST.get("query", "")
    target = f"{here}?{query}" if query else here
    ids = _chosen(request, kind, query)
    column = request.POST.get("column", "")
    if request.POST.get("do") == "delete":
        act, n = bulk.remove(kind, ids, actor=request.user, at=shell.now())
        shell.tell(request, say("{n} deleted.", n=n), undo=undoing(act, target))
        return HttpResponseRedirect(target)
    found = all_columns(kind.model).get(column)
    if found is None:
        raise BadParameter(say("{field} is not changed for many at once.", field=column))
    value = _value(request, found)
    act, n = bulk.change(kind, ids, column, value, actor=request.user, at=shell.now())
    shell.tell(
        request, say("{n} changed: {field}.", n=n, field=found.title), undo=undoing(act, target) if n else ""
    )
    return HttpResponseRedirect(target)


def _chosen(request: Any, kind: Kind, query: str) -> list[int]:
    from django.http import QueryDict

    if request.POST.get("all") == "yes":
        made = listing.wanted(kind, QueryDict(query), shell.reach(request))
        found = listing.select(made, actor=shell.reach(request), lang=request.lang, today=shell.today())
        return list(found.order_by().values_list("pk", flat=True)[: bulk.MOST + 1])
    return [int(v) for v in request.POST.getlist("tick") if v.isdecimal() and len(v) < 19]


def _value(request: Any, column: Any) -> Any:
    text = request.POST.get(f"value.{column.name}", "")
    if column.kind == "ref":
        return int(text) if text.isdecimal() and len(text) < 19 else None
    return typed.value(column.kind, text, request.lang, shell.today())


def bulk_form(request: Any, kind: Kind) -> Any:
    """The input for the new value of a column, for the bar under a list."""
    column = all_columns(kind.model).get(request.GET.get("column", ""))
    if column is None or column.name not in kind.bulk:
        return shell.page(request, "records/bulk_value.html", {"column": None})
    picks = []
    if column.kind in ("choice", "ref") or column.name in kind.picks:
        from klientel.words import translate

        found = listing.choices(kind, column, actor=shell.reach(request))
        picks = [(v, translate(w, request.lang)) for v, w in found]
    context = {"column": column, "picks": picks, "free": column.kind == "text"}
    return shell.page(request, "records/bulk_value.html", context)


@require_POST
def undo(request: Any, act: str) -> Any:
    """Take back what was done at one stroke."""
    done = acts.take_back(act, actor=request.user, at=shell.now())
    shell.tell(request, say("Taken back: {n} restored, {m} removed.", n=done.restored, m=done.removed))
    for conflict in done.conflicts[:5]:
        shell.tell(request, conflict.sentence, "warning")
    return back(request, "/")
