"""Imports over the API: files sent, tried, brought in and taken back as jobs; for whom may change everything."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel, Field, StrictBool

from klientel.web import rights
from klientel.web.api.operations import Form, answer, put_up
from klientel.web.api.problems import Missing, Problem
from klientel.web.imports import drafts, templates
from klientel.web.imports.listing import listed
from klientel.web.imports.receiving import Incoming, changing, demand_room
from klientel.web.jobs import live, services
from klientel.web.kinds_of_values import again
from klientel.web.pages import shell
from klientel.words import mark, say, spoken

TAG = "Imports"
_CHUNK = 2**20


class Import(BaseModel):
    """An import: its files, what it did, whether it was undone."""

    id: int
    at: datetime
    by: str | None
    state: str
    files: list[dict[str, Any]]
    tables: dict[str, dict[str, int]]
    totals: dict[str, int]
    undone_at: datetime | None
    conflicts: list[dict[str, Any]]


class Imports(BaseModel):
    """Imports, newest first."""

    items: list[Import]
    next: int | None


class ImportsAsked(Form):
    """Which part of the list."""

    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="`next` of the page before.")


class FileNamed(Form):
    """The name of a file that is sent as the body, and the upload that it joins."""

    name: str = Field(min_length=1, max_length=200)
    upload: str | None = Field(None, max_length=50)


class Upload(BaseModel):
    """Files that wait to be imported."""

    upload: str
    files: list[str]
    size: int


class How(Form):
    """How files are read."""

    template: str = Field("", max_length=200, description="A saved mapping.")
    overwrite: StrictBool = Field(False, description="Files win over what people changed since.")


class Job(BaseModel):
    """Long work: ask again until it has ended."""

    id: int
    kind: str
    state: str
    said: str | None
    why: str | None
    done: int
    total: int | None
    import_: int | None = Field(alias="import")
    created_at: datetime
    ended_at: datetime | None


def put_up_all(api: NinjaAPI) -> None:
    """The operations."""
    one, up = "/imports/{int:number}", "/uploads/{upload}"
    body = {"requestBody": {"required": True, "content": {"application/octet-stream": {
        "schema": {"type": "string", "format": "binary"}}}}}  # fmt: skip
    for method, path, view, name, title, gives, options in (
        ("GET", "/imports", imports, "imports-list", "List imports", {200: Imports}, {"query": ImportsAsked}),
        ("GET", one, read, "imports-read", "Read an import", {200: Import}, {}),
        ("POST", f"{one}/undo", undo, "imports-undo", "Undo an import", {202: Job}, {}),
        ("POST", "/uploads", upload, "uploads-add", "Send a file", {201: Upload},
         {"query": FileNamed, "once": False, "extra": body}),
        ("GET", up, uploaded, "uploads-read", "Read an upload", {200: Upload}, {}),
        ("DELETE", up, drop, "uploads-delete", "Drop an upload", {200: Upload}, {}),
        ("POST", f"{up}/dry-run", try_it, "uploads-try", "Try an import", {202: Job}, {"body": How}),
        ("GET", f"{up}/report", report, "uploads-report", "Read what a dry run found", {200: dict}, {}),
        ("POST", f"{up}/import", bring, "uploads-import", "Import", {202: Job}, {"body": How}),
        ("GET", "/jobs/{int:number}", job, "jobs-read", "Read a job", {200: Job}, {}),
        ("POST", "/jobs/{int:number}/cancel", cancel, "jobs-cancel", "Cancel a job", {200: Job}, {}),
    ):  # fmt: skip
        put_up(api, method, path, view, name=name, title=title, tag=TAG, gives=gives, **options)


def imports(request: Any, asked: ImportsAsked) -> HttpResponse:
    """What was imported, newest first; for whom may read everything."""
    known = [
        one
        for one in reversed(listed(shell.reach(request)))
        if asked.before is None or one["id"] < asked.before
    ]
    part = known[: asked.limit]
    return answer({"items": part, "next": part[-1]["id"] if len(known) > len(part) else None})


def read(request: Any, number: int) -> HttpResponse:
    """An import."""
    for one in listed(shell.reach(request)):
        if one["id"] == number:
            return answer(one)
    raise Missing


def undo(request: Any, number: int) -> HttpResponse:
    """Take an import back: what it made goes, what it changed comes back, what was changed since stays."""
    _submit_right(request)
    if not any(one["id"] == number for one in listed(shell.reach(request))):
        raise Missing
    return _submitted(request, "undo", {"import": number})


def _submit_right(request: Any) -> None:
    rights.demand_all(shell.reach(request), "write")


def _submitted(request: Any, kind: str, parameters: dict[str, Any]) -> HttpResponse:
    made = services.submit(shell.workspace(), request.user, kind, parameters, shell.now())
    return answer(_job(request, made), 202, {"Location": f"/api/v1/jobs/{made.pk}"})


def upload(request: Any, asked: FileNamed) -> HttpResponse:
    """Send a file as the body. Several are imported together: send the next ones with `upload`."""
    _submit_right(request)
    home = shell.workspace()
    draft = _draft(request, asked.upload) if asked.upload else drafts.new(home, request.user)
    told = str(request.META.get("CONTENT_LENGTH") or "")
    length = int(told) if told.isdecimal() else 0
    try:
        demand_room(draft, length)
        with Incoming(draft, asked.name) as target:
            while piece := request.read(_CHUNK):
                target.write(piece)
            if not target.size or target.size < length:  # cut off, or sent without saying how much it is
                raise Problem("bad-request", mark("The files did not arrive whole. Send them again."))
    except BaseException:
        if not asked.upload:
            drafts.drop(draft)
        raise
    return answer(_upload(draft), 201, {"Location": f"/api/v1/uploads/{draft.token}"})


def _draft(request: Any, token: str) -> Any:
    found = drafts.find(shell.workspace(), request.user, token)
    if found is None:
        raise Missing
    return found


def _upload(draft: Any) -> dict[str, Any]:
    return {"upload": draft.token, "files": draft.files, "size": draft.size}


def uploaded(request: Any, upload: str) -> HttpResponse:
    """An upload of yours; it is kept for a day."""
    return answer(_upload(_draft(request, upload)))


def drop(request: Any, upload: str) -> HttpResponse:
    """Delete an upload of yours with its files."""
    draft = _draft(request, upload)
    told = _upload(draft)
    drafts.drop(draft)
    return answer(told)


def _chosen(request: Any, token: str, how: How) -> Any:
    draft = _draft(request, token)
    if how.template and templates.load(request.user, how.template) is None:
        raise Problem("bad-request", say("There is no saved mapping {name}.", name=how.template), "template")
    with changing(draft):
        if (draft.template, draft.overwrite) != (how.template, how.overwrite):
            draft.template, draft.overwrite, draft.tried = how.template, how.overwrite, None
    return draft


def try_it(request: Any, upload: str, body: How) -> HttpResponse:
    """Say what an import would do, as a job; it changes nothing. GET .../report has the counts and samples."""
    draft = _chosen(request, upload, body)
    return _submitted(request, "try", {"draft": draft.token, "subject": draft.subject})


def report(request: Any, upload: str) -> HttpResponse:
    """What the last dry run of an upload found; 404 until there was one, and once something changed since."""
    draft = _draft(request, upload)
    place = draft.folder / "tried.json"
    if not draft.tried or not place.is_file():
        raise Problem(
            "not-found", mark("These files as they are now were not tried; ask for a dry run first.")
        )
    told = json.loads(place.read_text(encoding="utf-8"))
    told["notes"] = [spoken(again(note), request.lang) for note in told.get("notes", ())]
    told["ignored"] = [[file, spoken(again(why), request.lang)] for file, why in told.get("ignored", ())]
    return answer(told)


def bring(request: Any, upload: str, body: How) -> HttpResponse:
    """Import the files of an upload, as a job; all or nothing."""
    draft = _chosen(request, upload, body)
    return _submitted(request, "import", {"draft": draft.token, "subject": draft.subject})


def _own_job(request: Any, number: int) -> Any:
    found = services.jobs_of(request.user).filter(pk=number).first()
    if found is None:
        raise Missing
    return found


def job(request: Any, number: int) -> HttpResponse:
    """How far long work of yours is."""
    return answer(_job(request, _own_job(request, number)))


def cancel(request: Any, number: int) -> HttpResponse:
    """End long work of yours; what it began is taken back."""
    found = _own_job(request, number)
    _submit_right(request)
    services.cancel(shell.workspace(), request.user, found, shell.now())
    found.refresh_from_db()
    return answer(_job(request, found))


def _job(request: Any, found: Any) -> dict[str, Any]:
    running = live.told(shell.workspace(), found.pk) if found.state == "running" else None
    said = running.what if running is not None else again(found.result.get("said") or found.what)
    return {
        "id": found.pk,
        "kind": found.kind,
        "state": found.state,
        "said": spoken(said, request.lang) if said else None,
        "why": spoken(again(found.why), request.lang) if found.why else None,
        "done": running.done if running is not None else found.done,
        "total": running.total if running is not None else found.total,
        "import": found.result.get("import"),
        "created_at": found.created_at.isoformat(),
        "ended_at": found.ended_at.isoformat() if found.ended_at else None,
    }
