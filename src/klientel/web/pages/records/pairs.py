"""Duplicates: pairs with points and reasons, side by side, merged with a preview, un-merged, or said to be two."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.pages.records.many import undoing
from klientel.web.records import duplicates, merging
from klientel.web.records import models as m
from klientel.web.records.catalog import KINDS, Kind, own_columns, title
from klientel.web.records.labels import labels
from klientel.web.records.numbers import own
from klientel.words import say, spoken, translate

SIZE = 25
_KEPT: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()  # pairs by who looks and at what state
_MOST_KEPT = 8


def found_pairs(kind: Kind, found: Any) -> list[Any]:
    """All pairs of a kind that a person sees; kept until a record changes, as comparing long lists takes seconds.

    Contacts are compared by personal data: only those of whom the person may see it.
    """
    newest = m.Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    key = (str(shell.workspace().folder), kind.slug, found.key, newest)
    if key not in _KEPT:
        find = duplicates.companies if kind.model is m.Company else duplicates.contacts
        pairs = find(actor=found)
        if kind.model is m.Contact and not found.everything("personal"):
            open_to = rights.visible(m.Contact.present.all(), found, "personal").values_list("pk", flat=True)
            seen = set(open_to)
            pairs = [x for x in pairs if x.first in seen and x.second in seen]
        _KEPT[key] = pairs
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return _KEPT[key]


def _kind(request: Any, slug: str = "") -> Kind:
    return KINDS["contacts" if (slug or request.GET.get("kind")) == "contacts" else "companies"]


def index(request: Any) -> Any:
    """Pairs that are probably one, most certain first; those that were merged; those that are two."""
    found = shell.reach(request)
    kind = _kind(request)
    show = request.GET.get("show", "")
    context: dict[str, Any] = {"kind": kind, "show": show, "may_write": found.may("write")}
    if show == "merged":
        context["merged"] = _merged(request, kind, found)
    elif show == "two":
        context["two"] = _two(request, kind, found)
    else:
        context |= _page(request, kind, found)
    return shell.page(request, "records/pairs.html", context)


def _page(request: Any, kind: Kind, found: Any) -> dict[str, Any]:
    pairs = found_pairs(kind, found)
    text = request.GET.get("page", "1")
    pages = max(1, -(-len(pairs) // SIZE))
    number = min(max(1, int(text)), pages) if text.isdecimal() and len(text) < 9 else 1
    some = pairs[(number - 1) * SIZE : number * SIZE]
    names = labels(kind.model, (i for x in some for i in (x.first, x.second)), actor=found)
    cities = _details(kind, some, found)
    rows = [
        {
            "first": x.first,
            "second": x.second,
            "names": (names.get(x.first, ""), names.get(x.second, "")),
            "details": (cities.get(x.first, ""), cities.get(x.second, "")),
            "points": x.points,
            "reasons": [translate(r, request.lang) for r in x.reasons],
        }
        for x in some
    ]
    here = reverse("records:duplicates")
    return {
        "rows": rows,
        "total": len(pairs),
        "page": number,
        "pages": pages,
        "before": f"{here}?{urlencode({'kind': kind.slug, 'page': number - 1})}" if number > 1 else "",
        "after": f"{here}?{urlencode({'kind': kind.slug, 'page': number + 1})}" if number < pages else "",
    }


def _details(kind: Kind, pairs: list[Any], found: Any) -> dict[int, str]:
    ids = {i for x in pairs for i in (x.first, x.second)}
    wanted = ("number", "postcode", "city") if kind.model is m.Company else ("email", "role")
    rows = rights.rows(kind.model._base_manager.filter(pk__in=ids), found)
    return {
        row["id"]: " · ".join(
            text for n in wanted if (text := own(row[n]) if n == "number" else str(row[n] or ""))
        )
        for row in rows
    }


def _merged(request: Any, kind: Kind, found: Any) -> list[dict[str, Any]]:
    gone = kind.model.objects.filter(merged_into__isnull=False).order_by("-deleted_at", "-pk")
    rows = list(rights.rows(rights.visible(gone, found), found))[:200]
    names = labels(kind.model, {i for r in rows for i in (r["id"], r["merged_into_id"])}, actor=found)
    return [
        {"id": r["id"], "name": names.get(r["id"], ""), "into": names.get(r["merged_into_id"], ""),
         "into_id": r["merged_into_id"], "at": r["deleted_at"]}
        for r in rows
    ]  # fmt: skip


def _two(request: Any, kind: Kind, found: Any) -> list[dict[str, Any]]:
    pairs = duplicates.dismissed(kind.model, actor=found)[:200]
    names = labels(kind.model, {i for pair in pairs for i in pair}, actor=found)
    return [{"first": a, "second": b, "names": (names.get(a, ""), names.get(b, ""))} for a, b in pairs]


def _both(request: Any, kind: Kind, first: int, second: int) -> list[Any]:
    if first == second or kind.slug not in ("companies", "contacts"):
        raise Http404
    records = [find_record(request, kind, pk) for pk in (first, second)]
    if kind.model is m.Contact:
        open_to = rights.visible(
            m.Contact.objects.filter(pk__in=[first, second]), shell.reach(request), "personal"
        )
        if open_to.count() < 2:
            raise Http404
    return records


def _chosen(given: Any, records: list[Any]) -> tuple[Any, list[Any], dict[str, int]]:
    """The record that stays, the other one, and of which record a value is taken."""
    keep = given.get("keep", "")
    survivor = next((r for r in records if str(r.pk) == keep), records[0])
    others = [r for r in records if r.pk != survivor.pk]
    ids = {str(r.pk): r.pk for r in records}
    choose = {n[7:]: ids[v] for n, v in given.items() if n.startswith("choose.") and v in ids}
    return survivor, others, choose


def pair(request: Any, kind: Kind, first: int, second: int) -> Any:
    """Two records side by side: which stays, which value comes from which, and what a merger would do."""
    records = _both(request, kind, first, second)
    if request.method == "POST":  # what was chosen, as an address; the token of the form belongs into none
        kept = [(n, v) for n, v in request.POST.items() if n == "keep" or n.startswith("choose.")]
        here = reverse("records:pair", args=[kind.slug, first, second])
        return HttpResponseRedirect(f"{here}?{urlencode(kept)}")
    found = shell.reach(request)
    may = rights.visible(kind.model.objects.filter(pk__in=[first, second]), found, "write").count() == 2
    survivor, others, choose = _chosen(request.GET, records)
    preview = merging.preview(survivor, others, choose=choose, actor=found) if may else None
    taken = {t.column: t for t in preview.values} if preview else {}
    order = [survivor, *others]
    lines = [
        {
            "column": line.column,
            "title": title(kind.model, line.column) if "." not in line.column else line.title,
            "values": [
                (r.pk, _told(kind, line.column, v, request.lang))
                for r, v in zip(order, line.values, strict=True)
            ],
            "same": line.same,
            "source": taken[line.column].source if line.column in taken and not line.same else None,
        }
        for line in duplicates.side_by_side(order, actor=found)
    ]
    names = labels(kind.model, [first, second], actor=found)
    context = {
        "kind": kind,
        "first": first,
        "second": second,
        "lines": lines,
        "heads": [(r.pk, names.get(r.pk, "")) for r in order],
        "keep": survivor.pk,
        "preview": preview,
        "may_write": may,
    }
    return shell.page(request, "records/pair.html", context)


def _told(kind: Kind, name: str, value: Any, lang: str) -> str:
    from klientel.web.pages.records import cells

    column = own_columns(kind.model).get(name)
    if value in (None, ""):
        return ""
    return cells.text(column, value, {}, lang) if column and column.kind != "ref" else spoken(value, lang)


@require_POST
def merge(request: Any, kind: Kind, first: int, second: int) -> Any:
    """Merge two records into one."""
    records = _both(request, kind, first, second)
    survivor, others, choose = _chosen(request.POST, records)
    act = merging.merge(survivor, others, choose=choose, actor=request.user, at=shell.now())
    here = reverse("records:pair", args=[kind.slug, first, second])
    shell.tell(
        request, say("{n} merged into {name}.", n=len(others), name=str(survivor)), undo=undoing(act, here)
    )
    return HttpResponseRedirect(reverse("records:show", args=[kind.slug, survivor.pk]))


@require_POST
def dismiss(request: Any, kind: Kind, first: int, second: int) -> Any:
    """Say that two records are two; or take that back."""
    records = _both(request, kind, first, second)
    here = f"{reverse('records:duplicates')}?{urlencode({'kind': kind.slug})}"
    if request.POST.get("again") == "yes":
        duplicates.undismiss(records, actor=request.user, at=shell.now())
        shell.tell(request, say("The pair is shown again."))
    else:
        duplicates.dismiss(records, actor=request.user, at=shell.now())
        shell.tell(request, say("These are two: the pair is not shown again."))
    return HttpResponseRedirect(here)


@require_POST
def unmerge(request: Any, kind: Kind, pk: int) -> Any:
    """Take a merger back."""
    record = rights.visible(kind.model.objects.filter(pk=pk), shell.reach(request)).first()
    if record is None or kind.slug not in ("companies", "contacts"):
        raise Http404
    done = merging.unmerge(record, actor=request.user, at=shell.now())
    shell.tell(request, say("The merger is taken back: {n} restored.", n=done.restored))
    for conflict in done.conflicts[:5]:
        shell.tell(request, conflict.sentence, "warning")
    query = urlencode({"kind": kind.slug, "show": "merged"})
    return HttpResponseRedirect(f"{reverse('records:duplicates')}?{query}")
