"""One record: shown with what belongs to it, made, edited, deleted, brought back."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from django.http import HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter, NotAllowed
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records import cells, forms, histories, lists
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.pages.records.many import safe, undoing
from klientel.web.records import changes, conditions, duplicates, listing, services, typed
from klientel.web.records import models as m
from klientel.web.records.catalog import KINDS, Column, Kind, all_columns
from klientel.web.records.labels import label, labels
from klientel.web.records.numbers import own
from klientel.words import say, translate

RELATED = 6  # rows of each kind that belong to a record
_PREFILL = (
    "company",
    "contact",
    "lead",
    "opportunity",
    "campaign",
    "product",
    "survey",
    "rep",
    "owner",
    "parent",
)


def show(request: Any, kind: Kind, pk: int) -> Any:
    """A record with all that it holds, what belongs to it, and its history."""
    record = find_record(request, kind, pk, gone=True)
    if kind.model is m.Company and record.deleted_at is None:
        try:
            return HttpResponseRedirect(reverse("customers:show", args=[pk]))
        except NoReverseMatch:
            pass
    found = shell.reach(request)
    row = rights.shown(record, found)
    context = {
        "kind": kind,
        "record": record,
        "name": translate(label(kind.model, row), request.lang),
        "row": row,
        "pairs": pairs(request, kind, row),
        "related": related(request, kind, record),
        "may_write": may(request, "write", record),
        "history": histories.history(request, record, 20),
        "here": request.path,
    }
    context |= _special(request, kind, record, row)
    return shell.page(request, _TEMPLATES.get(kind.slug, "records/show.html"), context)


_TEMPLATES = {"leads": "records/lead.html", "deals": "records/deal.html"}


def _special(request: Any, kind: Kind, record: Any, row: dict[str, Any]) -> dict[str, Any]:
    """What only some kinds have."""
    from klientel.web.pages.records import consent, leads, stages

    if kind.model is m.Contact:
        return consent.context(request, record)
    if kind.model is m.Lead:
        return leads.context(request, record)
    if kind.model is m.Opportunity:
        return stages.context(request, record)
    return {}


def may(request: Any, action: str, record: Any) -> bool:
    """True if the person may do that with the record."""
    try:
        rights.demand(shell.reach(request), action, record)
    except NotAllowed:
        return False
    return True


def pairs(request: Any, kind: Kind, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Title, text and target of every column that is filled."""
    made = listing.Wanted(kind, all_columns(kind.model))
    skipped = {"created_at", "updated_at", "source"}
    if row.get("company_id"):
        skipped.add("customer_name")  # what the file called it
    made.columns = tuple(
        n
        for n, c in made.available.items()
        if n not in skipped and listing.value(c, row) not in (None, "") and (n != "number" or own(row[n]))
    )
    names = listing.named(made, [row], shell.reach(request))
    told = cells.cells(made, row, names, request.lang, shell.currency())
    return [
        {
            **cell,
            "text": _whole(made.available[n], row, cell["text"]),
            "url": "" if cell["own"] else cell["url"],
        }
        for n, cell in zip(made.columns, told, strict=True)
    ]


def _whole(column: Column, row: dict[str, Any], text: str) -> str:
    return str(listing.value(column, row)) if column.kind in ("long", "text") else text


def related(request: Any, kind: Kind, record: Any) -> list[dict[str, Any]]:
    """Records that refer to this one, the newest of each kind, and where all of them are."""
    found = shell.reach(request)
    result = []
    for other in KINDS.values():
        for column in all_columns(other.model).values():
            if column.target is not kind.model or column.custom:
                continue
            seen = rights.visible(other.model.present.filter(**{column.name: record.pk}), found)
            made = listing.Wanted(other, all_columns(other.model))
            made.columns = tuple(
                n for n in other.columns if n != column.name and n in made.available
                and conditions.sees(found, made.available[n]) != "none"
            )[:5]  # fmt: skip
            order, _ = conditions.order_by(other, made.available, other.order, found)
            ids = list(seen.order_by(*order).values_list("pk", flat=True)[: RELATED + 1])
            if not ids:
                continue
            rows = list(rights.rows(other.model._base_manager.filter(pk__in=ids[:RELATED]), found))
            rows.sort(key=lambda row, ids=ids: ids.index(row["id"]))  # type: ignore[misc]
            names = listing.named(made, rows, found)
            result.append(
                {
                    "kind": other,
                    "heads": [made.available[n] for n in made.columns],
                    "rows": [cells.cells(made, row, names, request.lang, shell.currency()) for row in rows],
                    "url": lists.url(other, **{f"f.{column.name}": record.pk}),
                    "more": len(ids) > RELATED,
                }
            )
    return result


def add(request: Any, kind: Kind) -> Any:
    """The form of a new record, and its making."""
    rights.demand(shell.reach(request), "write")
    target = request.POST.get("back") or request.GET.get("back") or ""
    if request.method != "POST":
        form = forms.made(request, kind, given=_given(request, kind))
        return _form_page(request, kind, form, None, target)
    form, values = forms.read(request, kind)
    alike: list[dict[str, Any]] = []
    if not any(f.error for f in form.fields):
        if kind.model is m.Company and request.POST.get("sure") != "yes":
            alike = _alike(request, values)
        if not alike:
            act = token_hex(8)
            try:
                made = services.add(kind.model, values, actor=request.user, at=shell.now(), act=act)
            except BadParameter as wrong:
                forms.point_out(form, wrong.sentence, request.lang)
            else:
                here = safe(request, target, reverse("records:show", args=[kind.slug, made.pk]))
                undo_to = target or reverse("records:list", args=[kind.slug])
                shell.tell(request, say("{kind} added.", kind=kind.one), undo=undoing(act, undo_to))
                return HttpResponseRedirect(here)
    return _form_page(request, kind, form, None, target, alike=alike, status=422 if not alike else 200)


def _given(request: Any, kind: Kind) -> dict[str, Any]:
    """What an address prefills: references by name, other columns as they are; today where a day is needed."""
    from klientel.web.records import kinds

    given: dict[str, Any] = {}
    for column in all_columns(kind.model).values():
        short = column.name.removesuffix("_id")
        text = request.GET.get(short if column.target else column.name, "")[:2000]
        pk = typed.key(text)
        if column.target is not None and pk is not None and short in _PREFILL:
            given[column.name] = pk
        elif column.target is None and text:
            given[column.name] = text
    if dated := kinds.DATED.get(kind.model):
        given.setdefault(dated, shell.today())
    rep = getattr(request.user, "rep", None)
    for name in ("rep_id", "owner_id"):
        if rep is not None:
            given.setdefault(name, rep.pk)
    if "currency" not in given and shell.currency():
        given["currency"] = shell.currency()
    return given


def _alike(request: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Companies that a new one may be there already as."""
    plain = {n: v for n, v in values.items() if n in ("name", "legal_form", "street", "postcode", "city", "country",
                                                      "phone", "website", "email", "vat_id")}  # fmt: skip
    if not plain.get("name"):
        return []
    return alike_rows(request, m.Company(**plain))


def alike_rows(request: Any, company: Any) -> list[dict[str, Any]]:
    """Likely duplicates of a company in words, most certain first."""
    hits = duplicates.like(company, actor=shell.reach(request))[:5]
    names = labels(m.Company, [x.second for x in hits], actor=shell.reach(request))
    return [
        {
            "id": x.second,
            "name": names.get(x.second, ""),
            "points": x.points,
            "reasons": ", ".join(translate(r, request.lang) for r in x.reasons),
        }
        for x in hits
    ]


def edit(request: Any, kind: Kind, pk: int) -> Any:
    """The form of a record, and its saving; where somebody else saved since, both versions."""
    record = find_record(request, kind, pk)
    rights.demand(shell.reach(request), "write", record)
    here = reverse("records:show", args=[kind.slug, pk])
    target = request.POST.get("back") or request.GET.get("back") or ""
    if request.method != "POST":
        form = forms.made(request, kind, record)
        form.based_on = changes.version(record)
        return _form_page(request, kind, form, record, target)
    form, values = forms.read(request, kind, record)
    versions: list[dict[str, Any]] = []
    if not any(f.error for f in form.fields):
        act = token_hex(8)
        try:
            services.edit(
                record, values, actor=request.user, at=shell.now(), based_on=form.based_on, act=act,
                **_dated(request, kind),
            )  # fmt: skip
        except changes.Outdated as newer:
            form.error = translate(newer.sentence, request.lang)
            record.refresh_from_db()
            versions = _versions(request, kind, form, record)
            form.based_on = changes.version(record)
        except BadParameter as wrong:
            forms.point_out(form, wrong.sentence, request.lang)
        else:
            shell.tell(
                request, say("{kind} saved.", kind=kind.one), undo=undoing(act, safe(request, target, here))
            )
            return HttpResponseRedirect(safe(request, target, here))
    status = 409 if versions else 422
    return _form_page(request, kind, form, record, target, versions=versions, status=status)


def _dated(request: Any, kind: Kind) -> dict[str, Any]:
    """From which day on a company has its new attributes, and why."""
    if kind.model is not m.Company:
        return {}
    text = request.POST.get("valid-from", "")
    on = typed.day(text, shell.today()) if text.strip() else None
    if on is not None and on > shell.today():
        raise BadParameter(say("{day} is still to come; a change is dated today or earlier.", day=on))
    return {"on": on, "reason": request.POST.get("why", "")[:300]}


def _versions(request: Any, kind: Kind, form: forms.Form, record: Any) -> list[dict[str, Any]]:
    """What the person typed beside what is saved by now, where they differ."""
    now = {f.column.name: f for f in forms.made(request, kind, record).fields}
    result = []
    for mine in form.fields:
        theirs = now.get(mine.column.name)
        if theirs is not None and theirs.text != mine.text:
            result.append({"column": mine.column, "mine": _told(mine), "theirs": _told(theirs)})
    return result


def _told(one: forms.Field) -> str:
    if one.column.kind == "ref":
        return one.label or one.text
    return {str(v): w for v, w in one.picks}.get(one.text, one.text)


def _form_page(
    request: Any, kind: Kind, form: forms.Form, record: Any, target: str, *, status: int = 200, **more: Any
) -> Any:
    wrong = [f for f in form.fields if f.error]
    here = reverse("records:list", args=[kind.slug])
    if record is not None:
        here = reverse("records:show", args=[kind.slug, record.pk])
    context = {
        "kind": kind,
        "form": form,
        "record": record,
        "name": translate(label(kind.model, rights.shown(record, shell.reach(request))), request.lang)
        if record
        else "",
        "back": safe(request, target, "") if target else "",
        "cancel": safe(request, target, here) if target else here,
        "wrong": wrong,
        **more,
    }
    shown = 200 if request.method != "POST" else status
    return shell.page(request, "records/form.html", context, status=shown)


@require_POST
def remove(request: Any, kind: Kind, pk: int) -> Any:
    """Delete a record; it can be brought back."""
    record = find_record(request, kind, pk)
    act = token_hex(8)
    services.remove(record, actor=request.user, at=shell.now(), act=act)
    here = reverse("records:list", args=[kind.slug])
    target = safe(request, request.POST.get("back", ""), here)
    shell.tell(request, say("{kind} deleted.", kind=kind.one), undo=undoing(act, target))
    return HttpResponseRedirect(target)


@require_POST
def restore(request: Any, kind: Kind, pk: int) -> Any:
    """Bring a deleted record back."""
    record = find_record(request, kind, pk, gone=True)
    services.bring_back(record, actor=request.user, at=shell.now())
    shell.tell(request, say("{kind} is back.", kind=kind.one))
    return HttpResponseRedirect(reverse("records:show", args=[kind.slug, pk]))


def history(request: Any, kind: Kind, pk: int) -> Any:
    """All changes of a record."""
    record = find_record(request, kind, pk, gone=True)
    row = rights.shown(record, shell.reach(request))
    context = {
        "kind": kind,
        "record": record,
        "name": translate(label(kind.model, row), request.lang),
        "history": histories.history(request, record, 500),
    }
    return shell.page(request, "records/history.html", context)
