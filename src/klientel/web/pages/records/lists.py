"""Lists of records: table, grouped counts, filters, choice of columns, export."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect, QueryDict
from django.urls import reverse

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records import cells, grades
from klientel.web.records import conditions, finding, listing, saved, typed
from klientel.web.records.catalog import BY_MODEL, Column, Kind, all_columns
from klientel.web.records.labels import labels
from klientel.web.records.numbers import own
from klientel.web.records.values import name_of
from klientel.words import day, mark, say, translate


def index(request: Any, kind: Kind) -> Any:
    """The list of a kind; where htmx asks for the list alone, only its body."""
    found = shell.reach(request)
    if "typed" in request.GET:  # a form was sent: what was typed in one language becomes an address for all
        return HttpResponseRedirect(_addressed(request, kind))
    made = listing.wanted(kind, request.GET, found)
    context = frame(request, made)
    try:
        context |= counted(request, made) if made.by else tabled(request, made)
    except BadParameter as wrong:
        context |= {"wrong": translate(wrong.sentence, request.lang), "rows": [], "total": 0}
    back = request.headers.get("HX-History-Restore-Request") == "true"
    alone = request.headers.get("HX-Target") == "list" and not back
    return shell.page(request, "records/list_body.html" if alone else "records/list.html", context)


def _addressed(request: Any, kind: Kind) -> str:
    """The address of the list that the form of filters asks for; what cannot be read stays, and is told there."""
    held = request.GET.copy()
    held.pop("page", None)
    lang = held.pop("typed")[-1]
    known = all_columns(kind.model)
    sent: list[str] = []
    for name in [n for n in held if n.startswith("f.")]:
        path, _, tail = name[2:].rpartition(".")
        column = known.get(path if path in known else name[2:])
        if column is None or tail in ("has", "empty"):
            continue
        if path in known and tail in ("chosen", "text"):  # of a chooser
            ids = [held.get(name, "")] if tail == "chosen" else _meant(request, column, held)
            found = [*held.getlist(f"f.{path}"), *(text for text in ids if text)]
            held.setlist(f"f.{path}", list(dict.fromkeys(found)))
            sent.append(name)
        else:
            texts = [_as_address(column, text, lang) for text in held.getlist(name)]
            held.setlist(name, [text for text in texts if text])
    for name in [n for n in held if n in sent or not any(held.getlist(n))]:
        held.pop(name)
    return f"{reverse('records:list', args=[kind.slug])}?{held.urlencode()}"


def _as_address(column: Column, text: str, lang: str) -> str:
    if text == conditions.EMPTY:
        return text
    try:
        return typed.addressed(column.kind, text, lang, shell.today())
    except BadParameter:
        return text


def _meant(request: Any, column: Column, held: Any) -> list[str]:
    """The record whose name or number was typed where none was chosen from the list."""
    text = held.get(f"f.{column.name}.text", "").replace("\0", "").strip()
    if not text or held.get(f"f.{column.name}.chosen"):
        return []
    ids = finding.resolve(column.target, text, actor=shell.reach(request))
    if len(ids) != 1:
        shell.tell(
            request, say("There is nothing called “{text}”, or there are several.", text=text), "warning"
        )
    return [str(i) for i in ids] if len(ids) == 1 else []


def frame(request: Any, made: listing.Wanted) -> dict[str, Any]:
    """What stands around the rows: views, filters that hold, columns, groups."""
    found = shell.reach(request)
    state = request.GET.copy()
    state.pop("page", None)
    for name in [n for n in state if not any(state.getlist(n))]:
        state.pop(name)  # an empty input of a form says nothing
    views = saved.views(made.kind.slug, actor=request.user)
    asked = state.urlencode()
    return {
        "kind": made.kind,
        "wanted": made,
        "columns": [made.available[n] for n in made.columns],
        "chips": chips(request, made),
        "state": [(n, v) for n in state if n != "q" for v in state.getlist(n)],
        "query": asked,
        "views": [
            {"view": v, "here": same(v.query, state), "mine": v.owner_id == request.user.pk} for v in views
        ],
        "here": next((v for v in views if same(v.query, state)), None),
        "group_columns": list(listing.group_columns(made, found).values()),
        "may_write": found.may("write"),
        "may_export": found.may("export"),
        "bulk": [made.available[n] for n in made.kind.bulk if n in made.available],
        "sizes": listing.SIZES,
    }


def same(query: str, state: Any) -> bool:
    """True if an address shows what a saved view shows."""
    view = QueryDict(query, mutable=True)
    now = state.copy()
    for held in (view, now):
        held.pop("page", None)
        for name in [n for n in held if not any(held.getlist(n))]:
            held.pop(name)
    return {n: sorted(view.getlist(n)) for n in view} == {n: sorted(now.getlist(n)) for n in now}


def tabled(request: Any, made: listing.Wanted) -> dict[str, Any]:
    """The rows of a page."""
    found = shell.reach(request)
    page = listing.listed(made, actor=found, today=shell.today())
    unit = shell.currency()
    classes = grades.grades(request) if made.kind.slug == "companies" and not made.deleted else {}
    return {
        "classes": bool(classes),
        "rows": [
            {
                "id": row["id"],
                "name": _name(made, row),
                "class": classes.get(str(row["number"]), ""),
                "cells": cells.cells(made, row, page.labels, request.lang, unit),
            }
            for row in page.rows
        ],
        "heads": [_head(request, made, made.available[n], page.order) for n in made.columns],
        "total": page.total,
        "page": page.page,
        "pages": page.pages,
        "first": (page.page - 1) * made.size + 1 if page.total else 0,
        "last": (page.page - 1) * made.size + len(page.rows),
        "before": changed(request, page=page.page - 1) if page.page > 1 else "",
        "after": changed(request, page=page.page + 1) if page.page < page.pages else "",
    }


def _name(made: listing.Wanted, row: dict[str, Any]) -> str:
    name = row.get(made.kind.name)
    return str((own(name) if made.kind.name == "number" else name) or own(row.get("number")) or row["id"])


def _head(request: Any, made: listing.Wanted, column: Column, order: str) -> dict[str, Any]:
    """The head of a column: by what a click sorts, and how it is sorted now."""
    able = column.kind != "long" and conditions.sees(shell.reach(request), column) == "all"
    now = "ascending" if order == column.name else "descending" if order == f"-{column.name}" else "none"
    return {
        "column": column,
        "id": f"sort-{column.name}",
        "url": changed(request, sort=f"-{column.name}" if now == "ascending" else column.name, page="")
        if able
        else "",
        "sort": now,
    }


def changed(request: Any, **values: Any) -> str:
    """The query of this page with some values changed; an empty one takes it away."""
    held = request.GET.copy()
    for name, value in values.items():
        held.pop(name, None)
        if value not in ("", None):
            held[name] = value
    return f"?{held.urlencode()}"


def chips(request: Any, made: listing.Wanted) -> list[dict[str, Any]]:
    """The filters that hold, in words, each with the address without it."""
    found = []
    for condition in made.filters:
        held = request.GET.copy()
        for name in (condition.parameter, f"f.{condition.column.name}"):
            if condition.op in ("is", "has") or name == condition.parameter:
                held.pop(name, None)
        held.pop("page", None)
        column = translate(condition.column.title, request.lang)
        found.append({"text": f"{column} {_said(request, condition)}", "without": f"?{held.urlencode()}"})
    if made.deleted:
        found.append(
            {"text": translate(mark("Deleted ones"), request.lang), "without": changed(request, deleted="")}
        )
    return found


def _said(request: Any, condition: conditions.Condition) -> str:
    """A filter without its column: contains “x”, from 10, is A or B, is empty."""
    column, lang = condition.column, request.lang
    values = [spoken_value(request, column, v) for v in condition.values]
    sentence: Any
    match condition.op:
        case "empty":
            sentence = mark("is empty")
        case "filled":
            sentence = mark("is not empty")
        case "has":
            sentence = say("contains “{value}”", value=values[0])
        case "from":
            sentence = say("from {value}", value=values[0])
        case "to":
            sentence = say("up to {value}", value=values[0])
        case _:
            word = f" {translate(mark('or'), lang)} "
            return f"= {word.join(values)}"
    return translate(sentence, lang)


def spoken_value(request: Any, column: Column, value: str) -> str:
    """A value of a filter as a person reads it."""
    lang = request.lang
    if value == conditions.EMPTY:
        return translate(mark("none"), lang)
    if column.kind == "ref":
        if value == "me":
            return translate(mark("me"), lang)
        names = labels(column.target, [typed.key(value)], actor=shell.reach(request))
        return translate(next(iter(names.values()), value), lang)
    if column.kind == "choice":
        return translate(column.choices.get(value, value), lang)
    if column.kind == "flag":
        return translate({"yes": mark("yes"), "no": mark("no")}.get(value, value), lang)
    if column.kind in ("date", "moment"):
        try:
            return day(date.fromisoformat(value), lang)
        except ValueError:
            return value  # today-30, or what is no date
    if column.name == "number":
        return own(value) or "–"
    return typed.written(column.kind, value, lang) if column.numeric else value


def counted(request: Any, made: listing.Wanted) -> dict[str, Any]:
    """The list counted by an attribute, with sums, and by a second attribute beside it."""
    found = shell.reach(request)
    groups, total, second = listing.groups(made, actor=found, today=shell.today())
    by = made.available[made.by]
    sums = listing.sum_columns(made, found)
    names = labels(by.target, [g.value for g in groups if g.value != ""], actor=found) if by.target else {}
    across = made.available.get(made.across)
    others = (
        labels(across.target, [v for v in second if v != ""], actor=found) if across and across.target else {}
    )
    unit = shell.currency()
    most = max((g.n for g in groups), default=1)
    return {
        "total": total,
        "by": by,
        "across": across,
        "sums": sums,
        "by_currency": any(len(_units(v, unit)) > 1 for g in groups for v in g.sums.values()),
        "second": [_of(across, v, others, request.lang) for v in second] if across else [],
        "groups": [
            {
                "text": _of(by, g.value, names, request.lang),
                "url": _into(request, by, g.value),
                "n": g.n,
                "most": most,
                "sums": [_sum(c, g.sums[c.name], request.lang, unit) for c in sums],
                "across": [g.across.get(v, 0) for v in second],
            }
            for g in groups
        ],
    }


def _sum(column: Column, value: Any, lang: str, unit: str | None) -> str:
    return (
        cells.sums(value, lang, unit)
        if isinstance(value, dict)
        else cells.text(column, value, {}, lang, unit)
    )


def _units(value: Any, unit: str | None) -> set[str]:
    """The currencies of a sum."""
    return {c or unit or "" for c, v in value.items() if v is not None} if isinstance(value, dict) else set()


def _of(column: Any, value: Any, names: dict[int, str], lang: str) -> str:
    if value in ("", None):
        return translate(mark("none"), lang)
    if column.custom and column.kind == "flag":
        return translate(mark("yes") if value in ("true", "1") else mark("no"), lang)
    return cells.text(column, value, names, lang) or str(value)


def _into(request: Any, column: Column, value: Any) -> str:
    """The address of the list of one group."""
    held = request.GET.copy()
    for gone in ("by", "across", "page", f"f.{column.name}"):
        held.pop(gone, None)
    text = str(value)
    if column.kind == "flag" and value not in ("", None):  # own fields come as text out of the database
        text = "yes" if value in (True, "true", "1") else "no"
    held[f"f.{column.name}"] = conditions.EMPTY if value in ("", None) else text
    return f"?{held.urlencode()}"


def filters(request: Any, kind: Kind) -> Any:
    """The form of all filters of a kind, filled with those that hold."""
    found = shell.reach(request)
    made = listing.wanted(kind, request.GET, found)
    first = [made.available[n] for n in kind.filters if n in made.available]
    rest = [c for c in made.available.values() if c not in first and c.name not in ("created_at",)]
    kept = [(n, v) for n in request.GET if not n.startswith("f.") and n not in ("page", "deleted")
            for v in request.GET.getlist(n)]  # fmt: skip
    context = {
        "kind": kind,
        "first": [_field(request, kind, c) for c in first],
        "rest": [_field(request, kind, c) for c in rest],
        "kept": kept,
        "deleted": made.deleted,
        "open_rest": any(c.column in rest for c in made.filters),
    }
    return shell.page(request, "records/filters.html", context)


def _field(request: Any, kind: Kind, column: Column) -> dict[str, Any]:
    """One filter of the form: its inputs, filled."""
    name = f"f.{column.name}"
    held = request.GET
    picks: list[tuple[Any, Any]] = []
    slug = (
        BY_MODEL[name_of(column.target)].slug if column.target and name_of(column.target) in BY_MODEL else ""
    )
    if (
        column.kind in ("choice", "ref")
        or column.name in kind.picks
        or (column.custom and column.kind == "text")
    ):
        picks = listing.choices(kind, column, actor=shell.reach(request))
    chosen = held.getlist(name)
    if column.kind == "ref" and not picks:  # too many to list: those that hold, and a chooser for more
        picks = [(v, spoken_value(request, column, v)) for v in chosen if v not in (conditions.EMPTY, "me")]
    rows = [{"value": str(v), "text": translate(w, request.lang), "on": str(v) in chosen} for v, w in picks]
    shown = {op: held.get(f"{name}.{op}", "") for op in ("from", "to")}
    if column.numeric:
        shown = {op: typed.written(column.kind, text, request.lang) for op, text in shown.items()}
    return {
        "column": column,
        "name": name,
        "id": f"filter-{column.name.replace('.', '-')}",
        "picks": rows,
        "none": conditions.EMPTY in chosen,
        "me": "me" in chosen,
        "mine": column.kind == "ref"
        and column.target.__name__ == "Rep"
        and getattr(request.user, "rep", None),
        "is": [v for v in chosen if v != conditions.EMPTY],
        "has": held.get(f"{name}.has", ""),
        "from": shown["from"],
        "to": shown["to"],
        "slug": slug,
        "chooser": column.kind == "ref" and slug and listing.too_many(column, shell.reach(request)),
        "empty": held.get(f"{name}.empty", ""),
        "span": column.kind in ("money", "number", "share", "integer", "date", "moment"),
        "day": column.kind in ("date", "moment"),
    }


def choose_columns(request: Any, kind: Kind) -> Any:
    """The form by which a list gets other columns."""
    found = shell.reach(request)
    made = listing.wanted(kind, request.GET, found)
    shown = [made.available[n] for n in made.columns]
    kept = [(n, v) for n in request.GET if n not in ("cols", "page") for v in request.GET.getlist(n)]
    others = [c for c in made.available.values() if c not in shown]
    return shell.page(
        request, "records/columns.html", {"kind": kind, "shown": shown, "others": others, "kept": kept}
    )


def export(request: Any, kind: Kind) -> Any:
    """The whole list as a file: CSV or XLSX, of what the person may take out."""
    from klientel.web.pages.records import files

    found = shell.reach(request)
    rights.demand(found, "export")
    made = listing.wanted(kind, request.GET, found)
    form = request.GET.get("format", "csv")
    batches = listing.exported(made, actor=found, today=shell.today())
    heads = [made.available[n] for n in made.columns]
    name = f"{kind.slug}-{shell.today().isoformat()}"
    if form == "xlsx":
        return files.workbook(name, heads, batches, request.lang)
    return files.delimited(name, heads, batches, request.lang)


def url(kind: Kind, **values: Any) -> str:
    """The address of a list with filters."""
    return f"{reverse('records:list', args=[kind.slug])}?{urlencode(values)}"
