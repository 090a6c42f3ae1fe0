"""What belongs to customers besides their records: the timeline, portfolios with members and moves."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field, StrictBool

from klientel.status import REASONS
from klientel.web import portfolios, results, rights
from klientel.web.api import lists
from klientel.web.api.analyses import AsOf
from klientel.web.api.kinds import KINDS
from klientel.web.api.operations import Form, answer, put_up
from klientel.web.api.problems import Missing
from klientel.web.api.records import writing
from klientel.web.api.schemas import MOST, Day, Id
from klientel.web.pages import shell
from klientel.web.records import models as m
from klientel.web.records.timeline import timeline
from klientel.web.records.values import plain
from klientel.words import spoken, translate

TAG = "Portfolios"


class Happened(BaseModel):
    """Something in a timeline."""

    day: date
    kind: str
    title: str
    text: str
    amount: str | None
    currency: str
    record: int | None
    number: str


class Timeline(BaseModel):
    """A page of a timeline, newest first; counts of all, by kind."""

    items: list[Happened]
    counts: dict[str, int]
    total: int
    page: int
    pages: int


class TimelineAsked(Form):
    """Which part of a timeline."""

    kind: list[str] = Field([], description="Only these kinds; can be repeated.", max_length=50)
    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(50, ge=1, le=MOST)
    as_of: AsOf | None = None


class Portfolio(BaseModel):
    """A portfolio: its sales person and its rule."""

    id: int
    name: str
    owner_id: int | None
    rule: dict[str, list[Any]]


class Portfolios(BaseModel):
    """All that you may see."""

    items: list[Portfolio]


class NewPortfolio(Form):
    """A new portfolio; a rule takes the right to change everybody's customers."""

    name: str = Field(min_length=1, max_length=200)
    owner_id: Id | None = None
    rule: dict[str, list[Any]] = Field({}, max_length=50)


class ChangedPortfolio(Form):
    """Another name, another rule, or both; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=200)
    rule: dict[str, list[Any]] | None = Field(None, max_length=50)


class PutIn(Form):
    """A customer that is in by hand, or kept out."""

    company_id: Id
    since: Day | None = None
    until: Day | None = None
    excluded: StrictBool = False
    reason: str = Field("", max_length=300)


class TakeOut(Form):
    """When and why a membership by hand ends."""

    on: Day | None = None
    reason: str = Field("", max_length=300)


class Membership(BaseModel):
    """A membership by hand."""

    id: int
    company_id: int
    valid_from: date | None
    valid_to: date | None
    excluded: bool
    reason: str


class Member(BaseModel):
    """A customer in a portfolio on a day."""

    number: str
    name: str
    how: str = Field(description="rule or hand")
    status: str
    status_reason: str
    status_told: str = Field(description="`status_reason` in the reader's language.")


class Members(BaseModel):
    """The members on a day."""

    as_of: date | None
    items: list[Member]


class Mover(BaseModel):
    """A customer that joined or left."""

    number: str
    name: str
    joined: bool
    reason: str
    told: str


class Moves(BaseModel):
    """Who joined and who left between two days."""

    items: list[Mover]


class OnDay(Form):
    """Of which day."""

    as_of: AsOf | None = None


class Between(Form):
    """From which day to which."""

    since: AsOf
    until: AsOf


def put_up_all(api: NinjaAPI) -> None:
    """The operations."""
    for name in ("companies", "leads"):
        put_up(api, "GET", f"/{name}/{{int:pk}}/timeline", _timeline(name), name=f"{name}-timeline",
               title="Timeline", tag=str(KINDS[name].title), gives={200: Timeline}, query=TimelineAsked)  # fmt: skip
    one = "/portfolios/{int:pk}"
    for method, path, view, verb, gives, options in (
        ("GET", "/portfolios", listed, "list", {200: Portfolios}, {}),
        ("POST", "/portfolios", make, "add", {201: Portfolio}, {"body": NewPortfolio}),
        ("GET", one, read, "read", {200: Portfolio}, {}),
        ("PATCH", one, change, "change", {200: Portfolio}, {"body": ChangedPortfolio}),
        ("GET", f"{one}/members", members, "members", {200: Members}, {"query": OnDay}),
        ("GET", f"{one}/moves", moves, "moves", {200: Moves}, {"query": Between}),
        ("POST", f"{one}/memberships", put_in, "put-in", {201: Membership}, {"body": PutIn}),
        ("POST", f"{one}/memberships/{{int:membership}}/end", take_out, "take-out", {200: Membership},
         {"body": TakeOut}),
    ):  # fmt: skip
        put_up(api, method, path, view, name=f"portfolios-{verb}", title=f"Portfolios: {verb}", tag=TAG, gives=gives,
               **options)  # fmt: skip


def _timeline(name: str) -> Any:
    def read(request: Any, pk: int, asked: TimelineAsked) -> HttpResponse:
        """Everything that happened, newest first, from the first contact on."""
        found = shell.reach(request)
        record = lists.one(KINDS[name], pk, found)
        told = timeline(
            record, home=shell.workspace(), kinds=asked.kind or None, page=asked.page, size=asked.limit,
            as_of=asked.as_of, actor=found,
        )  # fmt: skip
        items = [
            {"day": e.day.isoformat(), "kind": e.kind, "title": spoken(e.title, request.lang),
             "text": spoken(e.text, request.lang), "amount": plain(e.amount), "currency": e.currency,
             "record": e.record[1] or None, "number": e.number}
            for e in told.entries
        ]  # fmt: skip
        return answer(
            {
                "items": items,
                "counts": told.counts,
                "total": told.total,
                "page": told.page,
                "pages": told.pages,
            }
        )

    return read


def _portfolio(request: Any, pk: int) -> Any:
    found = rights.visible(m.Portfolio.objects.filter(pk=pk), shell.reach(request)).first()
    if found is None:
        raise Missing
    return found


def _told(one: Any) -> dict[str, Any]:
    return {"id": one.pk, "name": one.name, "owner_id": one.owner_id, "rule": one.rule or {}}


def listed(request: Any) -> HttpResponse:
    """The portfolios that you may see."""
    found = rights.visible(m.Portfolio.objects.order_by("name", "pk"), shell.reach(request))
    return answer({"items": [_told(one) for one in found]})


def read(request: Any, pk: int) -> HttpResponse:
    """A portfolio."""
    return answer(_told(_portfolio(request, pk)))


def make(request: Any, body: NewPortfolio) -> HttpResponse:
    """A new portfolio of a sales person."""
    writing(request)
    owner = (
        lists.one(KINDS["reps"], body.owner_id, shell.reach(request)) if body.owner_id is not None else None
    )
    made = portfolios.create(request.user, body.name, owner, body.rule, shell.now())
    return answer(_told(made), 201, {"Location": f"/api/v1/portfolios/{made.pk}"})


def change(request: Any, pk: int, body: ChangedPortfolio) -> HttpResponse:
    """Give a portfolio another name or rule."""
    found = _portfolio(request, pk)
    writing(request)
    with transaction.atomic():  # both or none
        if body.name is not None:
            portfolios.rename(request.user, found, body.name, shell.now())
        if body.rule is not None:
            portfolios.change_rule(request.user, found, body.rule, shell.now())
    found.refresh_from_db()
    return answer(_told(found))


def _book(request: Any, as_of: date | None) -> Any:
    """The Book that the person may read, of a day."""
    from klientel.analyses import ANALYSES

    found = shell.reach(request)
    rights.demand(found, "read")
    first = next(iter(ANALYSES.values()))
    question = results.ask(shell.workspace(), first, actor=found, as_of=as_of, today=shell.today())
    return results.book_for(question)[0]


def members(request: Any, pk: int, asked: OnDay) -> HttpResponse:
    """Who is in a portfolio on a day, by rule or by hand: customers that work with the company then."""
    found = _portfolio(request, pk)
    with results.computing():
        book = _book(request, asked.as_of)
        told = [
            {
                **vars(one),
                "status_told": translate(REASONS.get(one.status_reason, one.status_reason), request.lang),
            }
            for one in portfolios.members(book, found)
        ]
    return answer({"as_of": plain(book.as_of), "items": told})


def moves(request: Any, pk: int, asked: Between) -> HttpResponse:
    """Who joined and who left a portfolio between two days, and why."""
    found = _portfolio(request, pk)
    with results.computing():
        moved = portfolios.moves(_book(request, asked.since), _book(request, asked.until), found)
    told = [{**vars(one), "status_told": translate(one.told, request.lang)} for one in moved]
    return answer({"items": told})


def put_in(request: Any, pk: int, body: PutIn) -> HttpResponse:
    """Put a customer in by hand, or keep one out of what the rule takes."""
    found = _portfolio(request, pk)
    company = lists.one(KINDS["companies"], body.company_id, shell.reach(request))
    writing(request)
    how = body.model_dump(exclude={"company_id"})
    made = portfolios.put_in(request.user, found, company, shell.now(), **how)
    return answer(_membership(made), 201)


def take_out(request: Any, pk: int, membership: int, body: TakeOut) -> HttpResponse:
    """End a membership by hand."""
    found = shell.reach(request)
    portfolio = _portfolio(request, pk)
    held = rights.visible(m.Membership.objects.filter(pk=membership, portfolio=portfolio), found).first()
    if held is None:
        raise Missing
    writing(request)
    portfolios.take_out(request.user, held, body.on or shell.today(), shell.now(), reason=body.reason)
    held.refresh_from_db()
    return answer(_membership(held))


def _membership(one: Any) -> dict[str, Any]:
    days = {"valid_from": plain(one.valid_from), "valid_to": plain(one.valid_to)}
    return {
        "id": one.pk,
        "company_id": one.company_id,
        **days,
        "excluded": one.excluded,
        "reason": one.reason,
    }
