"""The page of an analysis, made wholly from its declaration: a new analysis needs nothing here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse

from klientel.analyses import ANALYSES
from klientel.analysis import GROUPS, Analysis
from klientel.errors import MissingInput
from klientel.result import Result
from klientel.show import chapters
from klientel.web import scopes
from klientel.web.pages import shell
from klientel.web.pages.analyses import answers, asked, comparing, leading, pictures, segments, tables
from klientel.web.pages.analyses.asked import Asked


def declared(name: str) -> Analysis:
    """The analysis of an address."""
    if name not in ANALYSES:
        raise Http404
    return ANALYSES[name]


def show(request: Any, name: str) -> Any:
    """The page: at once; with the answer if it is kept, else it comes by and by."""
    analysis = declared(name)
    wanted = asked.read(request, analysis)
    given = frame(request, wanted)
    given |= _answer(request, wanted)
    return shell.page(request, "analyses/show.html", given)


def answer(request: Any, name: str) -> Any:
    """The answer, or how far it is: what the page looks in for."""
    wanted = asked.read(request, declared(name))
    return shell.page(
        request, "analyses/answer.html", frame(request, wanted) | _answer(request, wanted, patience=0.4)
    )


def table(request: Any, name: str) -> Any:
    """The table alone, for another page, order, search or filter."""
    analysis = declared(name)
    wanted = asked.read(request, analysis)
    found = None if asked.of_nobody(request) else answers.get(wanted.question(), patience=30)
    if not isinstance(found, Result):
        return answer(request, name)
    given = frame(request, wanted) | table_of(request, wanted, found)
    shown = shell.page(request, "analyses/table.html", given)
    shown.headers["HX-Push-Url"] = f"{given['here']}?{given['sight_query']}"
    return shown


def frame(request: Any, wanted: Asked) -> dict[str, Any]:
    """What stands around the answer: question, form, addresses."""
    analysis = wanted.analysis
    held = shell.reach(request)
    own = [e for n, e in wanted.errors.items() if not n.startswith(asked.PREFIX)]
    return {
        "analysis": analysis,
        "group": GROUPS[analysis.group],
        "asked": wanted,
        "inputs": asked.inputs(wanted),
        "changed": bool(wanted.parameters or wanted.errors),
        "parts": scopes.choices(held),
        "attributes": segments.known(request.lang),
        "may_export": held.may("export"),
        "query_text": urlencode(wanted.query),
        "errors": own,
        "here": reverse("analyses:show", args=[analysis.name]),
    }


def _answer(request: Any, wanted: Asked, patience: float = 0.0) -> dict[str, Any]:
    """The answer as a template needs it; `waiting` or `refused` where there is none."""
    if asked.of_nobody(request):
        return {"refused": asked.NOBODY}
    question = wanted.question()
    found = answers.get(question, patience=patience)
    before = None
    if wanted.compare is not None:
        before = answers.get(wanted.question(as_of=wanted.compare), patience=patience)
    for one in (found, before):
        if one is not None and not isinstance(one, Result):
            return _pending(request, one)
    assert isinstance(found, Result)
    given = {
        "result": found,
        "chapter": chapters.chapter(found, request.lang),
        "pictures": pictures.drawn(
            found, request.lang, _links(request, wanted, found), str(question.place())
        ),
        "year_before": asked.year_before(found.as_of) if found.as_of else None,
        "recipes": _recipes(request, wanted, found),
        **table_of(request, wanted, found),
    }
    if isinstance(before, Result):
        given["compared"] = comparing.compare(before, found, request.lang)
    return given


def _pending(request: Any, one: answers.Waiting) -> dict[str, Any]:
    """Why there is no answer (yet)."""
    if one.why is None:
        return {"waiting": one, "look_in": urlencode(list(request.GET.items()))}
    return {
        "refused": one.why.sentence,
        "lacking": isinstance(one.why, MissingInput),
        "may_import": shell.reach(request).everything("write"),
    }


@dataclass(frozen=True)
class Recipe:
    """A way to get the same answer again."""

    title: str
    text: str


def _recipes(request: Any, wanted: Asked, result: Result) -> list[Recipe]:
    """The recipes of an answer, as the person has to use them."""
    from klientel.show.pages import WAYS

    limited = not shell.reach(request).unlimited
    if (
        wanted.scope is not None
    ):  # the command line has no parts, and not every part is attributes of customers
        return [Recipe(WAYS["python"], _of_part(request, wanted, result, limited))]
    made = []
    for way, text in result.reproduce.items():
        if way == "cli" and limited:
            text += f" --as {shlex.quote(request.user.username)}"
        if text:
            made.append(Recipe(WAYS.get(way, way), text))
    return made


def _of_part(request: Any, wanted: Asked, result: Result, limited: bool) -> str:
    """The same answer for the same part of the customers, with the same rights, in Python."""
    assert wanted.scope is not None
    who = f"User.objects.get(username={request.user.username!r})" if limited else "None"
    given = {"as_of": result.as_of, "today": shell.today(), **wanted.parameters}
    options = "".join(f", {n}={_code(v)}" for n, v in given.items() if v is not None)
    return (
        "from datetime import date\n"
        "from klientel.analyses import find\n"
        "from klientel.web import home\n"
        f"workspace = home.find({str(shell.workspace().folder)!r})  # before what reads its records\n"
        "from klientel.web import results, scopes\n"
        + ("from klientel.web.accounts.models import User\n" if limited else "")
        + f"who = {who}\n"
        f"part = scopes.find({wanted.scope.text!r}, who)\n"
        f"results.answer(workspace, find({wanted.analysis.name!r}), actor=who, part=part{options})"
    )


def _code(value: Any) -> str:
    return f"date.fromisoformat({value.isoformat()!r})" if isinstance(value, date) else repr(value)


def table_of(request: Any, wanted: Asked, result: Result) -> dict[str, Any]:
    """The chosen table of an answer."""
    sight = tables.read(request.GET, result)
    links = tables.Links(
        wanted.query, leading.customer_pages(shell.reach(request)), leading.leads(result, sight.table)
    )
    shown = tables.show(result, sight, request.lang, links)
    return {
        "shown": shown,
        "sight": sight,
        "result": result,
        "pages": {
            "before": links.to(sight.query(page=shown.before)) if shown.before else "",
            "after": links.to(sight.query(page=shown.after)) if shown.after else "",
        },
        "tabs": [
            (title, links.to({"table": name}), name == sight.table) for name, title in shown.names
        ],
        "held": _held(wanted, sight, shown),
        "sight_query": urlencode(wanted.query | sight.query()),
        "list_query": urlencode({"answer": wanted.analysis.name, **wanted.query, **sight.query()}),
    }  # fmt: skip


def _held(wanted: Asked, sight: tables.Sight, shown: tables.Shown) -> dict[str, str]:
    """What the form above a table sends besides its inputs, so that searching drops no filter."""
    held = sight.query()
    held.pop("q", None)
    for choice in shown.choices:  # these have an input
        held.pop(choice.name, None)
    return {**wanted.query, **held}


def _links(request: Any, wanted: Asked, result: Result) -> Any:
    """Where the marks of charts lead: to the rows behind them, or to the page of the customer."""
    here = reverse("analyses:show", args=[wanted.analysis.name])
    known: dict[str, dict[str, tuple[str, str]]] = {}
    pages: dict[str, str] = {}
    numbers = leading.customer_pages(shell.reach(request))

    def link(table: str, chart: Any, row: dict[str, Any]) -> str:
        if "customer_id" in row and row["customer_id"] is not None:
            number = str(row["customer_id"])
            if number not in pages:
                pages.update(_pages(result, table, numbers))
            return pages.get(number, "")
        found = known.setdefault(table, leading.leads(result, table))
        chosen = [c for c in dict.fromkeys((chart.x, chart.y)) if c in found and row.get(c) is not None]
        targets = {found[c][0] for c in chosen}
        if len(targets) != 1:
            return ""
        filters = {tables.FILTER + found[c][1]: tables.as_text(row[c]) for c in chosen}
        query = urlencode({**wanted.query, "table": targets.pop(), **filters})
        return f"{here}?{query}#table"

    return link


def _pages(result: Result, table: str, numbers: Any) -> dict[str, str]:
    """Addresses of the customers that a chart may show: those with the most, which charts draw."""
    import pyarrow.compute as pc

    data = result.tables[table].to_pyarrow()
    ids: set[str] = set(data.slice(0, 60).column("customer_id").cast("string").to_pylist())
    for chart in result.analysis.charts:
        if chart.table == table and chart.y in data.column_names:
            order = pc.sort_indices(data, sort_keys=[(chart.y, "descending")])[:60]
            ids |= set(data.column("customer_id").take(order).cast("string").to_pylist())
    found: dict[str, str] = dict.fromkeys(ids, "")
    found.update(numbers(ids))
    return found
