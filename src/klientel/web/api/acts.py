"""What people do with records besides editing them: deals on their way, leads converted, duplicates merged, undo."""

from __future__ import annotations

from decimal import Decimal
from secrets import token_hex
from typing import Any, Literal

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field, StrictBool, StrictInt

from klientel.web import rights
from klientel.web.api import lists, schemas
from klientel.web.api.kinds import KINDS, OF_MODEL, Kind
from klientel.web.api.operations import Form, answer, put_up
from klientel.web.api.problems import Missing
from klientel.web.api.records import told, writing
from klientel.web.api.schemas import Day, Id
from klientel.web.pages import shell
from klientel.web.records import acts, deals, merging, services
from klientel.web.records import models as m
from klientel.web.records.values import plain
from klientel.web.rights.columns import KINDS as SECRETS
from klientel.web.rights.columns import hidden_fields
from klientel.words import translate


class Move(Form):
    """Where a deal goes."""

    stage: str = Field(min_length=1, max_length=300)
    on: Day | None = None
    version: StrictInt | None = None


class Close(Form):
    """How a deal ends."""

    outcome: Literal["won", "lost", "no_decision", "abandoned"]
    on: Day | None = None
    stage: str | None = Field(None, max_length=300)
    loss_reason: str = Field("", max_length=300)
    competitor: str = Field("", max_length=300)
    amount: Decimal | None = None
    version: StrictInt | None = None


class Reopen(Form):
    """The stage in which a closed deal opens again."""

    stage: str = Field(min_length=1, max_length=300)
    on: Day | None = None


class Convert(Form):
    """What becomes of a lead: a company that is there or a new one, and a deal if it has values."""

    company_id: Id | None = None
    deal: dict[str, Any] | None = Field(None, description="Columns of a deal, as POST /deals takes them.")
    on: Day | None = None


class Done(Form):
    """The day on which a task was done."""

    on: Day | None = None


class Merge(Form):
    """What is merged into the record of the address."""

    others: list[Id] = Field(min_length=1, max_length=20)
    choose: dict[str, StrictInt] = Field({}, description="Column -> id of the record whose value is taken.")
    versions: dict[int, StrictInt] = Field({}, description="Id -> the version that was read.")
    dry_run: StrictBool = Field(False, description="Only say what would happen.")


class Converted(BaseModel):
    """What a lead became."""

    company_id: int
    contact_id: int | None
    deal_id: int | None
    act: str


class MergedValue(BaseModel):
    """The value that a column has after a merger, and the record that it comes from."""

    column: str
    title: str
    value: Any = None
    source: int


class Merged(BaseModel):
    """What a merger does or did."""

    id: int
    act: str | None = Field(description="null in a dry run")
    values: list[MergedValue]
    moves: dict[str, int] = Field(description="Rows that move, by kind.")
    doubts: list[str]


class Conflict(BaseModel):
    """A record that stays as it is, because it was changed or is used since."""

    kind: str
    id: int
    number: str
    reason: str
    fields: list[str]


class TakenBack(BaseModel):
    """What came back, and what could not."""

    restored: int
    removed: int
    conflicts: list[Conflict]


def put_up_all(api: NinjaAPI) -> None:
    """The operations on deals, leads, tasks, duplicates and acts."""
    deal, lead, task = KINDS["deals"], KINDS["leads"], KINDS["tasks"]
    for kind, verb, view, body, gives in (
        (deal, "move", move, Move, schemas.made(deal)),
        (deal, "close", close, Close, schemas.made(deal)),
        (deal, "reopen", reopen, Reopen, schemas.made(deal)),
        (lead, "convert", convert, Convert, Converted),
        (task, "done", done, Done, schemas.made(task)),
    ):
        _put_up(api, kind, verb, view, body, gives)
    for name in ("companies", "contacts"):
        merge, unmerge = _merging(KINDS[name])
        _put_up(api, KINDS[name], "merge", merge, Merge, Merged)
        _put_up(api, KINDS[name], "unmerge", unmerge, None, TakenBack)
    put_up(api, "POST", "/acts/{act}/undo", undo, name="acts-undo", title="Undo an act", tag="Acts",
           gives={200: TakenBack})  # fmt: skip


def _put_up(api: NinjaAPI, kind: Kind, verb: str, view: Any, body: Any, gives: Any) -> None:
    put_up(api, "POST", f"/{kind.name}/{{int:pk}}/{verb}", view, name=f"{kind.name}-{verb}",
           title=f"{verb.title()}: {kind.name}", tag=str(kind.title), gives={200: gives}, body=body)  # fmt: skip


def _one(request: Any, name: str, pk: int) -> Any:
    """The record, if the person may see it and the token may change anything."""
    record = lists.one(KINDS[name], pk, shell.reach(request))
    writing(request)
    return record


def move(request: Any, pk: int, body: Move) -> HttpResponse:
    """Move a deal to a stage; a stage that means won or lost closes it."""
    deal, act = _one(request, "deals", pk), token_hex(8)
    how: dict[str, Any] = {"on": body.on, "based_on": body.version, "act": act}
    deals.move(deal, body.stage, actor=request.user, at=shell.now(), **how)
    return answer(told(request, KINDS["deals"], deal, act))


def close(request: Any, pk: int, body: Close) -> HttpResponse:
    """Close a deal as won, lost, no decision or abandoned."""
    deal, act = _one(request, "deals", pk), token_hex(8)
    how = body.model_dump(exclude={"outcome", "version"})
    how |= {"based_on": body.version, "act": act}
    deals.close(deal, body.outcome, actor=request.user, at=shell.now(), **how)
    return answer(told(request, KINDS["deals"], deal, act))


def reopen(request: Any, pk: int, body: Reopen) -> HttpResponse:
    """Open a closed deal again; that it was closed stays in its history."""
    deal, act = _one(request, "deals", pk), token_hex(8)
    deals.reopen(deal, body.stage, on=body.on, actor=request.user, at=shell.now(), act=act)
    return answer(told(request, KINDS["deals"], deal, act))


def convert(request: Any, pk: int, body: Convert) -> HttpResponse:
    """Make of a lead a company with a contact and, if wanted, a deal; its history goes on there."""
    lead = _one(request, "leads", pk)
    firm = _one(request, "companies", body.company_id) if body.company_id is not None else None
    values = None if body.deal is None else _deal(body.deal)
    made = deals.convert(lead, company=firm, deal=values, on=body.on, actor=request.user, at=shell.now())
    return answer(
        {
            "company_id": made.company.pk,
            "contact_id": made.contact.pk if made.contact is not None else None,
            "deal_id": made.deal.pk if made.deal is not None else None,
            "act": made.act,
        }
    )


def _deal(values: dict[str, Any]) -> dict[str, Any]:
    """Values of a deal in the form that POST /deals takes."""
    from ninja.errors import ValidationError
    from pydantic import ValidationError as Mistakes

    try:
        return schemas.new(KINDS["deals"])(**values).model_dump(exclude_unset=True)
    except Mistakes as wrong:
        found = [{**e, "loc": ("body", "body", "deal", *e["loc"])} for e in wrong.errors(include_url=False)]
        raise ValidationError(found) from None


def done(request: Any, pk: int, body: Done) -> HttpResponse:
    """Tick a task off."""
    task, act = _one(request, "tasks", pk), token_hex(8)
    services.done(task, actor=request.user, at=shell.now(), on=body.on, act=act)
    return answer(told(request, KINDS["tasks"], task, act))


def _merging(kind: Kind) -> tuple[Any, Any]:
    """Merging and un-merging for a kind."""

    def merge(request: Any, pk: int, body: Merge) -> HttpResponse:
        """Merge duplicates into the record of the address; with dry_run only say what would happen."""
        survivor = _one(request, kind.name, pk)
        others = [_one(request, kind.name, other) for other in body.others]
        preview = merging.preview(survivor, others, choose=body.choose, actor=request.user)
        held = _merged(request, survivor, others, preview)
        if not body.dry_run:
            held["act"] = merging.merge(
                survivor,
                others,
                choose=body.choose,
                based_on=body.versions,
                actor=request.user,
                at=shell.now(),
            )
        return answer(held)

    def unmerge(request: Any, pk: int) -> HttpResponse:
        """Take back the merger by which the record of the address was merged away."""
        record = lists.one(kind, pk, shell.reach(request), deleted=True)
        writing(request)
        return answer(_taken_back(merging.unmerge(record, actor=request.user, at=shell.now())))

    return merge, unmerge


def _merged(request: Any, survivor: Any, others: list[Any], preview: merging.Preview) -> dict[str, Any]:
    """What a merger does, without values that the person may not see of every one of the records."""
    model, found = type(survivor), shell.reach(request)
    hidden = hidden_fields(model)
    keys = [survivor.pk, *(o.pk for o in others)]
    secret: set[str] = set()
    for kind, fields in zip(SECRETS, (hidden.personal, hidden.margin), strict=True):
        allowed = rights.visible(model.objects.filter(pk__in=keys), found, kind).count()
        secret |= set(fields) if allowed < len(set(keys)) else set()
    values = [
        {"column": t.column, "title": translate(t.title, request.lang), "source": t.source,
         "value": None if t.column in secret else plain(t.value)}
        for t in preview.values
    ]  # fmt: skip
    return {
        "id": survivor.pk,
        "act": None,
        "values": values,
        "moves": {translate(title, request.lang): n for title, n in preview.moves.items()},
        "doubts": [translate(doubt, request.lang) for doubt in preview.doubts],
    }


def undo(request: Any, act: str) -> HttpResponse:
    """Take back everything that one act did: what was changed since stays and is listed."""
    writing(request)
    changed = m.Change.objects.filter(act=act)
    if not act or not rights.visible(changed, shell.reach(request)).exists():
        raise Missing
    return answer(_taken_back(acts.take_back(act, actor=request.user, at=shell.now())))


def _taken_back(found: acts.TakenBack) -> dict[str, Any]:
    conflicts = [
        {"kind": OF_MODEL[c.model].name if c.model in OF_MODEL else c.model, "id": c.id, "number": c.number,
         "reason": c.why, "fields": list(c.fields)}
        for c in found.conflicts
    ]  # fmt: skip
    return {"restored": found.restored, "removed": found.removed, "conflicts": conflicts}
