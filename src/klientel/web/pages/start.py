"""The first page: my portfolio today. The page is there at once; what analyses say comes by and by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404

from klientel.analyses import ANALYSES
from klientel.errors import MissingInput
from klientel.result import Result
from klientel.web import books, rights, scopes
from klientel.web.imports.listing import listed
from klientel.web.pages import shell
from klientel.web.pages.analyses import answers, asked, leading, pictures
from klientel.web.pages.intake import uploads
from klientel.web.records import models as m
from klientel.words import Word, mark

DAYS = 90  # ahead, for renewals
_ROWS = 6
_TASKS = 8


def home(request: Any) -> Any:
    """My portfolio today; on an empty workspace the invitation to bring a file."""
    found = shell.reach(request)
    empty = books.state().snapshot == 0 and not m.Company.present.exists()
    scope = request.GET.get("scope", "")
    may_import = found.everything("write")
    nobody = not empty and asked.of_nobody(request)
    return shell.page(
        request,
        "pages/home.html",
        {
            "empty": empty,
            "may_import": may_import,
            **(uploads.dropping(request) if empty and may_import else {}),
            "may_export": found.may("export"),
            "nobody": asked.NOBODY if nobody else "",
            "parts": [] if empty or nobody else [(name, TITLES[name]) for name in PARTS],
            "portfolios": scopes.choices(found)["portfolio"],
            "scope": scope,
            "query_text": urlencode({"scope": scope} if scope else {}),
            "tasks": _tasks(request),
            "imports": _imports(request),
        },
    )


def part(request: Any, name: str) -> Any:
    """A part of the first page, or that it is being computed."""
    if name not in PARTS:
        raise Http404
    names, make = PARTS[name]
    results: dict[str, Result] = {}
    given: dict[str, Any] = {"part": name, "title": TITLES[name], "query_text": request.GET.urlencode()}
    if asked.of_nobody(request):
        return shell.page(request, "pages/home_part.html", given | {"refused": asked.NOBODY})
    for one in names:
        wanted = asked.read(request, ANALYSES[one])
        found = answers.get(wanted.question(), patience=0.3)
        if isinstance(found, Result):
            results[one] = found
        elif found.why is None:
            return shell.page(request, "pages/home_part.html", given | {"waiting": found})
        elif not isinstance(found.why, MissingInput):
            given["refused"] = found.why.sentence
    if results:
        scope = request.GET.get("scope", "")
        given |= {"scope_query": urlencode({"scope": scope}) if scope else "", **make(request, results)}
    return shell.page(request, "pages/home_part.html", given)


def _carried(request: Any, found: Mapping[str, Result]) -> dict[str, Any]:
    """What the portfolio brings and how few carry it: the figures of movement, ABC and concentration."""
    from klientel.show import chapters

    wanted = (("movement", "revenue_now"), ("movement", "growth"), ("abc", "a_customers"), ("abc", "a_value_share"),
              ("concentration", "effective_customers"), ("concentration", "top1_share"))  # fmt: skip
    tiles = []
    for name, figure in wanted:
        if name in found:
            tiles += [t for t in chapters.tiles(found[name], request.lang) if t.figure == figure]
    drawn = []
    if "abc" in found and len(found["abc"].tables["customers"]):
        key = str(asked.read(request, ANALYSES["abc"]).question().place())
        drawn = pictures.drawn(found["abc"], request.lang, lambda *_: "", key)[:1]
    as_of = next(iter(found.values())).as_of
    return {"tiles": tiles, "pictures": drawn, "as_of": as_of}


def _moved(request: Any, found: Mapping[str, Result]) -> dict[str, Any]:
    """Who rose, fell, came and left: the largest changes."""
    result = found["movement"]
    rows = _rows(request, result, "customers", _ROWS)
    for row in rows:
        row["moved"] = Word(row["movement"]) if row["movement"] else ""
    return {"result": result, "rows": rows}


def _risks(request: Any, found: Mapping[str, Result]) -> dict[str, Any]:
    """Customers with the most at stake."""
    result = found["churn_risk"]
    rows = _rows(request, result, "customers", _ROWS)
    for row in rows:
        row["why"] = [Word(row[n]) for n in ("reason", "further_reason") if row[n]]
    return {"result": result, "rows": rows, "total": result.figures.get("value_at_stake")}


def _renewals(request: Any, found: Mapping[str, Result]) -> dict[str, Any]:
    """Contracts that end within 90 days, the next first; how many ended already, undecided."""
    import pyarrow.compute as pc

    from klientel.analyses.renewals.due import due

    result = found["renewals"]
    coming, ended = due(result.tables["contracts"].to_pyarrow(), DAYS)
    value = pc.sum(coming.column("annual_value")).as_py()
    rows = _linked(request, coming.slice(0, _ROWS).to_pylist())
    return {"result": result, "rows": rows, "due": value, "count": coming.num_rows, "ended": ended.num_rows}


def _quality(request: Any, found: Mapping[str, Result]) -> dict[str, Any]:
    """How far the data carry: flags and reasons of the answers above, each reason once."""
    told: dict[str, tuple[str, str]] = {}
    for result in found.values():
        for reason in result.quality.reasons:
            told.setdefault(str(reason), (result.quality.flag, reason))
    worst = max((r.quality.flag for r in found.values()), key=("green", "amber", "red").index)
    coverage = next((r.quality.coverage for r in found.values() if r.quality.coverage is not None), None)
    del request
    return {"reasons": list(told.values())[:4], "worst": worst, "coverage": coverage}


def _rows(request: Any, result: Result, table: str, most: int) -> list[dict[str, Any]]:
    return _linked(request, result.tables[table].head(most).to_pylist())


def _linked(request: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of customers with the addresses of their pages."""
    pages = leading.customer_pages(shell.reach(request))({str(r["customer_id"]) for r in rows})
    return [{**row, "link": pages.get(str(row["customer_id"]), "")} for row in rows]


Make = Callable[[Any, Mapping[str, Result]], dict[str, Any]]
PARTS: dict[str, tuple[tuple[str, ...], Make]] = {
    "carried": (("movement", "abc", "concentration"), _carried),
    "moved": (("movement",), _moved),
    "renewals": (("renewals",), _renewals),
    "risks": (("churn_risk",), _risks),
    "quality": (("abc", "movement", "concentration"), _quality),
}
TITLES = {
    "carried": mark("What the portfolio carries"),
    "moved": mark("What moved"),
    "renewals": mark("Renewals due"),
    "risks": mark("Customers at risk"),
    "quality": mark("Data quality"),
}


def _tasks(request: Any) -> list[Any]:
    """What the person has to do, late first: the own tasks, of whoever has none of his own all that are seen."""
    from django.db.models import F

    today = shell.today()
    rep = m.Rep.objects.filter(user=request.user).values_list("pk", flat=True).first()
    query = m.Task.present.filter(done_on=None).select_related("company")
    if rep is not None:
        query = query.filter(rep__in=[rep])
    seen = rights.visible(query, shell.reach(request)).order_by(F("due_on").asc(nulls_last=True), "pk")
    return [{"task": t, "late": t.due_on is not None and t.due_on < today} for t in seen[:_TASKS]]


def _imports(request: Any) -> list[dict[str, Any]]:
    """The latest imports; nobody sees them to whom anything is hidden."""
    return list(reversed(listed(request.user)))[:3]
