"""Analyses over the API: the catalogue, answers, tables page by page or as files, charts; all from the declarations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field, create_model

from klientel.analyses import ANALYSES, unlocked
from klientel.analysis import Analysis, Param
from klientel.errors import BadFile
from klientel.result import Result
from klientel.web import results, rights, scopes
from klientel.web.api import files, lists
from klientel.web.api.operations import LARGEST, Form, answer, put_up
from klientel.web.api.problems import Problem
from klientel.web.api.schemas import MOST, Day
from klientel.web.pages import shell
from klientel.words import mark, say, translate

TAG = "Analyses"
AsOf = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]
_SCOPE = r"^((team|portfolio):[0-9]{1,18}|(rep|customer|segment):[^\n]{1,400})$"


class Opening(Form):
    """Of which day, in what currency, for which part an analysis answers."""

    as_of: AsOf | None = Field(None, description="First day that no longer counts.")
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    level: Literal["customer", "group"] = "customer"
    scope: str | None = Field(
        None,
        pattern=_SCOPE,
        description="A part of your customers: team:ID, rep:NUMBER, portfolio:ID, customer:NUMBER, segment:NAME=VALUE.",
    )


class Parameter(BaseModel):
    """A declared parameter."""

    name: str
    title: str
    type: str
    default: Any = None
    min: float | None
    max: float | None
    choices: list[str]


class Named(BaseModel):
    """A declared figure or column."""

    name: str
    title: str
    unit: str
    meaning: str


class TableTold(BaseModel):
    """A declared result table."""

    name: str
    title: str
    columns: list[Named]


class Entry(BaseModel):
    """An analysis, and why it cannot answer if it cannot."""

    name: str
    title: str
    question: str
    group: str
    parameters: list[Parameter]
    figures: list[Named]
    tables: list[TableTold]
    charts: list[str]
    missing: str | None = Field(description="What is missing, in a sentence; null where it answers.")
    missing_columns: list[str]


class Catalogue(BaseModel):
    """All analyses."""

    items: list[Entry]


class ColumnTold(BaseModel):
    """A column of an answer."""

    name: str
    title: str
    unit: str


class Table(BaseModel):
    """A table of an answer."""

    columns: list[ColumnTold]
    rows: list[list[Any]]


class Answer(BaseModel):
    """What `klientel analyse --format json` gives."""

    analysis: str
    as_of: date | None
    currency: str | None
    parameters: dict[str, Any]
    figures: dict[str, Any]
    tables: dict[str, Table]
    quality: dict[str, Any]
    reproduce: dict[str, str]


class TablePage(BaseModel):
    """A page of a table of an answer."""

    analysis: str
    table: str
    as_of: date | None
    currency: str | None
    columns: list[ColumnTold]
    rows: list[list[Any]]
    next: str | None
    total: int


def put_up_all(api: NinjaAPI) -> None:
    """The catalogue, and the operations of every declared analysis."""
    put_up(api, "GET", "/analyses", catalogue, name="analyses-list", title="List analyses", tag=TAG,
           gives={200: Catalogue}, query=Opening)  # fmt: skip
    for analysis in ANALYSES.values():
        _put_up(api, analysis)


def _put_up(api: NinjaAPI, analysis: Analysis) -> None:
    place, name = f"/analyses/{analysis.name}", analysis.name
    query = create_model(f"{name}_asked", __base__=Opening, **_parameters(analysis))
    paging: dict[str, Any] = {
        "limit": (int, Field(100, ge=1, le=MOST)),
        "cursor": (str | None, Field(None, max_length=4000)),
        "format": (
            Literal["json", "csv", "parquet", "arrow", "xlsx"] | None,
            Field(None, description=_FORMAT),
        ),
    }
    table_query = create_model(f"{name}_table_asked", __base__=query, **paging)
    drawing: dict[str, Any] = {"format": (Literal["svg", "png"] | None, Field(None))}
    chart_query = create_model(f"{name}_chart_asked", __base__=query, **drawing)

    def whole(request: Any, asked: Any) -> HttpResponse:
        return answer(Question(request, analysis, asked).result().to_dict(request.lang))

    def table(request: Any, table: str, asked: Any) -> HttpResponse:
        return _table(Question(request, analysis, asked), table)

    def chart(request: Any, chart: str, asked: Any) -> HttpResponse:
        return files.chart(request, Question(request, analysis, asked).result(), chart, asked.format)

    told = f"{analysis.title}: {analysis.question}"
    put_up(api, "GET", place, whole, name=f"analyses-{name}", title=str(analysis.title), tag=TAG,
           gives={200: Answer}, query=query, told=told)  # fmt: skip
    put_up(api, "GET", f"{place}/tables/{{table}}", table, name=f"analyses-{name}-table", tag=TAG, told=told,
           title=f"{analysis.title}: a table", gives={200: TablePage}, query=table_query,
           extra=files.documented(files.TABLES))  # fmt: skip
    if analysis.charts:
        put_up(api, "GET", f"{place}/charts/{{chart}}", chart, name=f"analyses-{name}-chart", tag=TAG, told=told,
               title=f"{analysis.title}: a chart", gives={200: None}, query=chart_query,
               extra=files.documented(files.CHARTS))  # fmt: skip


_FORMAT = "A file instead of a page, which takes the right to export; Accept says the same."


def _parameters(analysis: Analysis) -> dict[str, Any]:
    """The declared parameters as typed ones of a query."""
    made = {}
    for param in analysis.params:
        if param.name in Opening.model_fields:
            raise TypeError(f"{analysis.name} has a parameter {param.name}, which every analysis has")
        made[param.name] = (_type(param), Field(param.default, description=str(param.title)))
    return made


def _type(param: Param) -> Any:
    kind: Any = param.type
    if param.choices:
        kind = Literal[tuple(param.choices)]
    elif param.unit == "months" and param.name == "window":
        kind = Annotated[str, Field(pattern="^(all|[1-9][0-9]{0,3})$")]
    elif kind is int:
        kind = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
    elif kind is float:
        kind = Annotated[float, Field(allow_inf_nan=False)]
    elif kind is str:
        kind = Annotated[str, Field(max_length=300)]
    if param.min is not None:
        kind = Annotated[kind, Field(ge=param.min)]
    if param.max is not None:
        kind = Annotated[kind, Field(le=param.max)]
    return kind if param.default is not None else kind | None


@dataclass
class Question:
    """What a request asks of an analysis, with the eyes of its person."""

    request: Any
    analysis: Analysis
    asked: Any

    def put(self, action: str = "read") -> results.Question:
        """The question to the workspace; raises NotAllowed where the person may not do that at all."""
        found = shell.reach(self.request)
        rights.demand(found, action)
        return results.ask(
            shell.workspace(),
            self.analysis,
            actor=found,
            as_of=self.asked.as_of,
            currency=self.asked.currency,
            level=self.asked.level,
            today=shell.today(),
            action=action,
            part=scopes.find(self.asked.scope or "", found),
            **{p.name: getattr(self.asked, p.name) for p in self.analysis.params},
        )

    def result(self, action: str = "read") -> Result:
        """The answer, kept or computed."""
        return results.give(self.put(action))

    @property
    def mark(self) -> str:
        """Stands for the question, so that a cursor belongs to it."""
        told = self.asked.model_dump(mode="json", exclude={"cursor", "limit", "format"})
        scopes_ = sorted(getattr(self.request.user, "limited_to", None) or ())
        return sha256(repr((self.analysis.name, sorted(told.items()), scopes_)).encode()).hexdigest()[:16]


def _table(question: Question, name: str) -> HttpResponse:
    """A page of a table, or all of it as a file."""
    request, asked = question.request, question.asked
    form = asked.format or files.wanted(request, files.TABLES) or "json"
    if form != "json":
        result = question.result("export")
        return files.table(request, result, _known(result, name), form)
    put = question.put()
    start, state = 0, put.place().stem  # what the rows rest on: content, day, rights, part, settings
    if asked.cursor:
        who, what, then, start = lists.unsign(asked.cursor, 4)
        if who != request.user.pk or what != f"{question.mark} {name}":
            raise Problem("bad-request", say("{name} belongs to another list.", name="cursor"), "cursor")
        if then != state:
            raise Problem(
                "outdated", mark("The workspace changed since the first page; begin again."), "cursor"
            )
    result = results.give(put)
    table = result.tables[_known(result, name)]
    rows = table.to_pyarrow()
    end = min(start + asked.limit, rows.num_rows)
    held = _page(result, name, start, end, request.lang)
    further = [request.user.pk, f"{question.mark} {name}", state, end]
    return answer(
        {**held, "next": lists.sign(further) if end < rows.num_rows else None, "total": rows.num_rows}
    )


def _known(result: Result, name: str) -> str:
    """The name of a table that there is; Problem with the nearest one otherwise."""
    from klientel.web.api.problems import Missing

    if name not in result.tables:
        raise Missing
    return name


def _page(result: Result, name: str, start: int, end: int, lang: str) -> dict[str, Any]:
    from klientel.result import ResultTable

    table = result.tables[name]
    part = ResultTable(table.table, table.to_pyarrow().slice(start, end - start))
    return {
        "analysis": result.name,
        "table": name,
        "as_of": result.as_of.isoformat() if result.as_of else None,
        "currency": result.currency,
        "columns": [
            {"name": c.name, "title": translate(c.title, lang), "unit": c.unit} for c in table.table.columns
        ],
        "rows": part.rows(),
    }


def catalogue(request: Any, asked: Opening) -> HttpResponse:
    """Every analysis as it is declared; what is missing for the customers that you may see."""
    found = shell.reach(request)
    rights.demand(found, "read")
    first = next(iter(ANALYSES.values()))
    question = results.ask(
        shell.workspace(),
        first,
        actor=found,
        as_of=asked.as_of,
        currency=asked.currency,
        level=asked.level,
        today=shell.today(),
        part=scopes.find(asked.scope or "", found),
    )
    missing: dict[str, Any] = {}
    nothing: str | None = None
    try:
        with results.computing():
            _, missing = unlocked(results.book_for(question)[0])
    except BadFile as empty:
        nothing = empty.sentence
    entries = []
    for analysis in ANALYSES.values():
        gap = missing.get(analysis.name)
        why = nothing or (gap.sentence if gap is not None else None)
        columns = list(gap.columns) if gap is not None else []
        entries.append(_entry(analysis, why, columns, request.lang))
    return answer({"items": entries})


def _entry(analysis: Analysis, why: str | None, columns: list[str], lang: str) -> dict[str, Any]:
    def named(one: Any) -> dict[str, str]:
        return {"name": one.name, "title": translate(one.title, lang), "unit": one.unit,
                "meaning": translate(one.meaning, lang)}  # fmt: skip

    return {
        "name": analysis.name,
        "title": translate(analysis.title, lang),
        "question": translate(analysis.question, lang),
        "group": analysis.group,
        "parameters": [
            {"name": p.name, "title": translate(p.title, lang), "type": p.type.__name__, "default": p.default,
             "min": p.min, "max": p.max, "choices": list(p.choices)}
            for p in analysis.params
        ],
        "figures": [named(f) for f in analysis.figures],
        "tables": [
            {"name": t.name, "title": translate(t.title, lang), "columns": [named(c) for c in t.columns]}
            for t in analysis.tables
        ],
        "charts": [c.name for c in analysis.charts],
        "missing": translate(why, lang) if why else None,
        "missing_columns": columns,
    }  # fmt: skip
