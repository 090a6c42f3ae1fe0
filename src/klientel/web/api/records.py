"""Operations on records: list, read, make, change, delete and bring back, the same for every kind."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field

from klientel.web.api import lists, schemas
from klientel.web.api.kinds import KINDS, Kind
from klientel.web.api.operations import answer, put_up
from klientel.web.pages import shell
from klientel.web.records import services


class Act(BaseModel):
    """Something that was done."""

    id: int
    act: str = Field(description="POST /acts/{act}/undo takes it back.")


def put_up_all(api: NinjaAPI) -> None:
    """The operations of every kind."""
    for kind in KINDS.values():
        _put_up(api, kind)


def _put_up(api: NinjaAPI, kind: Kind) -> None:
    place, tag = f"/{kind.name}", str(kind.title)
    one, written = schemas.record(kind), schemas.made(kind)

    def listed(request: Any, asked: Any) -> HttpResponse:
        found = lists.page(kind, shell.reach(request), asked)
        return answer({"items": found.rows, "next": found.next, "total": found.total})

    def read(request: Any, pk: int, asked: Any) -> HttpResponse:
        found = shell.reach(request)
        wanted = lists.chosen(kind, asked.fields)
        record = lists.one(kind, pk, found)
        return answer(lists.rows(kind, [record.pk], found, wanted)[0])

    def make(request: Any, body: Any) -> HttpResponse:
        writing(request)
        act = token_hex(8)
        values = body.model_dump(exclude_unset=True)
        record = services.add(kind.model, values, actor=request.user, at=shell.now(), act=act)
        where = {"Location": f"/api/v1/{kind.name}/{record.pk}"}
        return answer(told(request, kind, record, act), 201, where)

    def change(request: Any, pk: int, body: Any) -> HttpResponse:
        record = lists.one(kind, pk, shell.reach(request))
        writing(request)
        values = body.model_dump(exclude_unset=True)
        how = {"based_on": values.pop("version", None), "on": values.pop("valid_from", None)}
        act = token_hex(8)
        services.edit(record, values, actor=request.user, at=shell.now(), act=act, **how)
        return answer(told(request, kind, record, act))

    def remove(request: Any, pk: int) -> HttpResponse:
        record = lists.one(kind, pk, shell.reach(request))
        writing(request)
        act = token_hex(8)
        services.remove(record, actor=request.user, at=shell.now(), act=act)
        return answer({"id": pk, "act": act})

    def bring_back(request: Any, pk: int) -> HttpResponse:
        record = lists.one(kind, pk, shell.reach(request), deleted=True)
        writing(request)
        act = token_hex(8)
        services.bring_back(record, actor=request.user, at=shell.now(), act=act)
        return answer(told(request, kind, record, act))

    noun = kind.name.replace("-", " ")
    options: dict[str, Any] = {"tag": tag}
    put_up(api, "GET", place, listed, name=f"{kind.name}-list", title=f"List {noun}", gives={200: schemas.page(kind)},
           query=schemas.filters(kind), told=_TOLD["list"], **options)  # fmt: skip
    put_up(api, "POST", place, make, name=f"{kind.name}-add", title=f"Add to {noun}", gives={201: written},
           body=schemas.new(kind), told=_TOLD["add"], **options)  # fmt: skip
    single = f"{place}/{{int:pk}}"
    put_up(api, "GET", single, read, name=f"{kind.name}-read", title=f"Read one of {noun}", gives={200: one},
           query=schemas.Chosen, told=_TOLD["read"], **options)  # fmt: skip
    put_up(api, "PATCH", single, change, name=f"{kind.name}-change", title=f"Change one of {noun}",
           gives={200: written}, body=schemas.change(kind), told=_TOLD["change"], **options)  # fmt: skip
    put_up(api, "DELETE", single, remove, name=f"{kind.name}-delete", title=f"Delete one of {noun}", gives={200: Act},
           told=_TOLD["delete"], **options)  # fmt: skip
    put_up(api, "POST", f"{single}/bring-back", bring_back, name=f"{kind.name}-bring-back",
           title=f"Bring back one of {noun}", gives={200: written}, told=_TOLD["back"], **options)  # fmt: skip


_TOLD = {
    "list": "Those that you may see. Values that are hidden from you are null, here and in filters and sorting.",
    "add": "Rules and rights of the workspace hold; what is not given gets its default.",
    "read": "404 also stands for what you may not see.",
    "change": "Only the columns that are sent change. With `version`, 409 if somebody else changed it since.",
    "delete": "It can be brought back, and what belongs to it stays.",
    "back": "Brings a deleted record back.",
}


def writing(request: Any) -> None:
    """Raise NotAllowed where the token's scopes do not allow changes; the person's rights are asked by the services."""
    from klientel.web import rights

    rights.demand(shell.reach(request), "write")


def told(request: Any, kind: Kind, record: Any, act: str) -> dict[str, Any]:
    """A record that was just written, as its writer sees it."""
    found = lists.rows(kind, [record.pk], shell.reach(request))
    return {**(found[0] if found else {"id": record.pk, "version": 0}), "act": act}
