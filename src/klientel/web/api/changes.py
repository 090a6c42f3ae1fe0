"""What changed since: a feed of the log, of the records and values that the person may see."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field

from klientel.web import rights
from klientel.web.api import lists
from klientel.web.api.kinds import KINDS, OF_MODEL
from klientel.web.api.operations import Form, answer, put_up
from klientel.web.api.problems import unknown_parameter
from klientel.web.api.schemas import MOST, UNTOLD
from klientel.web.api.settled import horizon
from klientel.web.pages import shell
from klientel.web.records.models import Change

AT_ONCE = 20_000  # changes that one request looks at; who may see few of many gets an empty page and goes on
Verb = Literal["created", "updated", "deleted", "merged", "brought back", "removed"]


class Since(Form):
    """From where on, and of what."""

    cursor: str | None = Field(None, max_length=4000, description="`next` of the answer before.")
    start: Literal["beginning", "now"] = Field("beginning", description="Where to begin without a cursor.")
    limit: int = Field(100, ge=1, le=MOST)
    kind: list[str] = Field([], description="Only these kinds; can be repeated.", max_length=50)


class Changed(BaseModel):
    """A change of a record."""

    id: int
    at: datetime
    kind: str
    record: int
    verb: Verb
    fields: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    by: str | None = Field(
        description="null where you may not see that person, or it was the owner of the folder"
    )
    why: str
    act: str
    import_: int | None = Field(alias="import")


class Feed(BaseModel):
    """Changes in their order, oldest first."""

    items: list[Changed]
    next: str = Field(description="Always there: ask with it again, now or later.")
    more: bool = Field(description="Whether there may be more by now.")


def put_up_all(api: NinjaAPI) -> None:
    """The feed."""
    put_up(api, "GET", "/changes", feed, name="changes", title="What changed since", tag="Changes", gives={200: Feed},
           query=Since)  # fmt: skip


def feed(request: Any, asked: Since) -> HttpResponse:
    """Everything that changed since a cursor, of the records that you may see now; nothing is missed or told twice."""
    found = shell.reach(request)
    for name in asked.kind:
        if name not in KINDS:
            raise unknown_parameter(name, list(KINDS))
    settled = horizon()
    since = int(lists.unsign(asked.cursor, 2)[1]) if asked.cursor else settled if asked.start == "now" else 0
    until = min(settled, since + AT_ONCE)
    models = [KINDS[name].model.__name__ for name in asked.kind or KINDS]
    log = Change.objects.filter(pk__gt=since, pk__lte=until, model__in=models)
    keys = list(rights.visible(log, found).order_by("pk").values_list("pk", flat=True)[: asked.limit + 1])
    over = len(keys) > asked.limit
    keys = keys[: asked.limit]
    last = keys[-1] if over else until
    return answer(
        {
            "items": told(keys, found),
            "next": lists.sign(["changes", max(since, last)]),
            "more": over or until < settled,
        }
    )


def told(keys: list[int], found: Any) -> list[dict[str, Any]]:
    """Changes by id, without what the person may not see."""
    rows = rights.rows(Change.objects.filter(pk__in=keys).order_by("pk"), found)
    made = [_told(row) for row in rows]
    people = _people({row["by"] for row in made if row["by"] is not None}, found)
    for row in made:
        row["by"] = people.get(row["by"])
    return made


def _people(keys: set[int], found: Any) -> dict[int, str]:
    from klientel.web.accounts.models import User

    known = rights.visible(User.objects.filter(pk__in=keys), found)
    return {pk: str(name) for pk, name in known.values_list("pk", "username")}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    before, after = _side(row["before"]), _side(row["after"])
    return {
        "id": row["id"],
        "at": row["at"].isoformat(),
        "kind": OF_MODEL[row["model"]].name,
        "record": row["object_id"],
        "verb": verb(row["before"], row["after"]),
        "fields": sorted({*(before or {}), *(after or {})}),
        "before": before,
        "after": after,
        "by": row["actor_id"],
        "why": row["why"],
        "act": row["act"],
        "import": row["import_run_id"],
    }


def _side(held: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if held is None else {name: value for name, value in held.items() if name not in UNTOLD}


def verb(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Verb:
    """What a change did to its record."""
    if before is None:
        return "created"
    if after is None:
        return "removed"
    if "merged_into_id" in after and after["merged_into_id"] is not None:
        return "merged"
    if "deleted_at" in after:
        return "deleted" if after["deleted_at"] else "brought back"
    return "updated"
