"""What changed since: a feed of the log, of the records and values that the person may see."""

from __future__ import annotations

from collections.abc import Iterable
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
from klientel.web.records import rows
from klientel.web.records.models import Change
from klientel.web.rights.columns import KINDS as SECRETS
from klientel.web.rights.columns import hidden_fields
from klientel.web.rights.reach import Access

_BATCH = 500
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
    keys = seen(since, until, models, found, asked.limit + 1)
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


def seen(since: int, until: int, models: list[str], found: Access, most: int, **only: Any) -> list[int]:
    """The first `most` changes after one and up to another of records that the person may see.

    As `rights.visible` on the log, but model by model and batch by batch: one condition for all models at once takes a
    database far longer than the few records of a batch.
    """
    keys: list[int] = []
    log = Change.objects.filter(pk__gt=since, pk__lte=until, model__in=models, **only).order_by("pk")
    for batch in rows.batches(
        log.values_list("pk", "model", "object_id").iterator(chunk_size=_BATCH), _BATCH
    ):
        keys += about_seen(batch, found)
        if len(keys) >= most:
            break
    return keys[:most]


def about_seen(batch: list[tuple[int, str, int]], found: Access) -> list[int]:
    """Of changes (id, model, record), the ids of those of records that the person may see."""
    open_to = _records(batch, found, "read")
    return [pk for pk, model, record in batch if (model, record) in open_to]


def _records(batch: Iterable[tuple[int, str, int]], found: Access, action: str) -> set[tuple[str, int]]:
    """Of the records that changes are about, those with which the person may do that."""
    by_model: dict[str, set[int]] = {}
    for _, model, record in batch:
        by_model.setdefault(model, set()).add(record)
    if found.everything(action):
        return {(model, record) for model, ids in by_model.items() for record in ids}
    return {
        (model, record)
        for model, ids in by_model.items()
        for record in rights.visible(OF_MODEL[model].model._base_manager.filter(pk__in=ids), found, action)
        .order_by()
        .values_list("pk", flat=True)
    }


def told(keys: list[int], found: Access) -> list[dict[str, Any]]:
    """Changes by id, of records that the person sees, without values that are hidden from that person."""
    if not keys:
        return []
    held = list(Change.objects.filter(pk__in=keys).order_by("pk").values())
    about = [(row["id"], row["model"], row["object_id"]) for row in held]
    hide = hidden_fields(Change)
    for kind in SECRETS:
        open_to = _records(about, found, kind)
        for row in held:
            if (row["model"], row["object_id"]) not in open_to:
                hide.blank(row, kind)
    made = [_told(row) for row in held]
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
