"""What is done with many records at once, and the taking back of acts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter
from klientel.web.pages import shell
from klientel.web.records import acts, bulk, finding, listing, typed
from klientel.web.records.catalog import BY_MODEL, Kind, all_columns
from klientel.web.records.values import name_of
from klientel.words import say, translate

NONE = "none"  # what the form of a new value says where the field is to be emptied


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
        found = listing.select(made, actor=shell.reach(request), today=shell.today())
        return list(found.order_by().values_list("pk", flat=True)[: bulk.MOST + 1])
    return [pk for v in request.POST.getlist("tick") if (pk := typed.key(v)) is not None]


def _value(request: Any, column: Any) -> Any:
    text = request.POST.get(f"value.{column.name}", "")
    if column.kind == "ref":
        return _record(request, column, text)
    return typed.value(column.kind, text, request.lang, shell.today())


def _record(request: Any, column: Any, chosen: str) -> int | None:
    """The record that is to stand in the column; None only where somebody said that none is to."""
    typed_in = request.POST.get(f"value.{column.name}.text", "").replace("\0", "").strip()
    if (pk := typed.key(chosen)) is not None:
        return pk
    if chosen == NONE or (not chosen and f"value.{column.name}.text" not in request.POST):
        return None
    ids = finding.resolve(column.target, typed_in, actor=shell.reach(request)) if typed_in else []
    if len(ids) != 1:
        raise BadParameter(
            say("Choose one from the list, or tick “none” to empty the field. Nothing was changed.")
        )
    return ids[0]


def bulk_form(request: Any, kind: Kind) -> Any:
    """The input for the new value of a column, for the bar under a list."""
    column = all_columns(kind.model).get(request.GET.get("column", ""))
    if column is None or column.name not in kind.bulk:
        return shell.page(request, "records/bulk_value.html", {"column": None})
    picks = []
    if column.kind in ("choice", "ref") or column.name in kind.picks:
        found = listing.choices(kind, column, actor=shell.reach(request))
        picks = [(v, translate(w, request.lang)) for v, w in found]
    slug = BY_MODEL[name_of(column.target)].slug if column.target is not None else ""
    chooser = listing.too_many(column, shell.reach(request))
    context = {
        "column": column,
        "picks": picks,
        "free": column.kind == "text",
        "chooser": chooser,
        "slug": slug,
    }
    return shell.page(request, "records/bulk_value.html", context)


@require_POST
def undo(request: Any, act: str) -> Any:
    """Take back what was done at one stroke."""
    done = acts.take_back(act, actor=request.user, at=shell.now())
    shell.tell(request, say("Taken back: {n} restored, {m} removed.", n=done.restored, m=done.removed))
    for conflict in done.conflicts[:5]:
        shell.tell(request, conflict.sentence, "warning")
    return back(request, "/")
