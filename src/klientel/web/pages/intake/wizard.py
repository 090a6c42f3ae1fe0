"""Import step by step: what the files are taken for, corrected by eye; the dry run; the import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from klientel.errors import KlientelError
from klientel.web.imports import drafts, looking, reports, templates
from klientel.web.imports.models import Import
from klientel.web.imports.receiving import changing
from klientel.web.jobs import services
from klientel.web.jobs.models import Job
from klientel.web.pages import shell
from klientel.web.pages.intake import grids, shown
from klientel.web.pages.intake.uploads import found
from klientel.words import mark, say

SMALL = 8 * 10**6  # bytes of files that are read while the person waits
PACKED = (".zip", ".gz", ".bz2", ".xz")
_TRIED = 30  # rejected rows that are shown


@require_GET
def draft(request: Any, token: str) -> Any:
    """What the files are taken for, on their first rows."""
    mine = found(request, token)
    if not looking.staged(mine) and _size(mine) > SMALL:
        return _job(request, "look", mine)
    return shell.page(request, "intake/draft.html", _looked(request, mine))


def _size(mine: drafts.Draft) -> int:
    """Bytes to be read, packed files as what they may become."""
    return sum(p.stat().st_size * (12 if p.suffix.lower() in PACKED else 1) for p in mine.paths)


def _looked(request: Any, mine: drafts.Draft) -> dict[str, Any]:
    """What the page of a draft shows."""
    look: looking.Look | None = None
    trouble: str | None = None
    try:
        look = looking.look(mine, templates.load(request.user, mine.template), _silent)
        trouble = look.trouble
    except KlientelError as refused:
        trouble = refused.sentence
    drafts.touch(mine)
    return {
        "step": 2,
        "draft": mine,
        "files": [{"name": p.name, "bytes": p.stat().st_size} for p in mine.paths if p.exists()],
        "look": look,
        "grids": grids.grids(mine, look, request.lang) if look else [],
        "trouble": trouble,
        "templates": templates.names(request.user),
        "first": not Import.objects.filter(state=Import.State.DONE).exists(),
        "checks": mine.size <= SMALL,
    }


@require_POST
def choose(request: Any, token: str) -> Any:
    """Take a table or a column for what the person says, and look again at once."""
    mine = found(request, token)
    raws = looking.read(mine, _silent)
    try:
        raw = raws[int(request.POST["sheet"])]
        column = request.POST.get("column", "")
        name = raw.columns[int(column)].name if column else ""
    except (KeyError, ValueError, IndexError):
        raise Http404 from None
    value = request.POST.get("value", "")
    if not grids.allowed(value, bool(column)):
        raise Http404
    with _changing(mine):
        looking.choose(mine, raw.place, name, value)
    if not request.htmx:
        return redirect("intake:draft", token)
    return shell.page(request, "intake/sheets.html", _looked(request, mine))


@require_POST
def template(request: Any, token: str) -> Any:
    """Use a saved mapping, or save what stands there under a name, or begin anew."""
    mine = found(request, token)
    what = request.POST.get("what", "")
    if what == "save":
        look = looking.look(mine, templates.load(request.user, mine.template), _silent)
        left = {g.place: g.left_out for g in grids.grids(mine, look, request.lang)}
        made = templates.save(
            request.user, request.POST.get("name", ""), look.recognitions, left, shell.now()
        )
        shell.tell(request, say("The mapping is saved as {name}.", name=made.name))
    elif what == "remove":
        name = request.POST.get("name", "")
        if templates.remove(request.user, name):
            shell.tell(request, say("The saved mapping {name} is deleted.", name=name))
        with _changing(mine):
            mine.template = "" if mine.template == name else mine.template
    else:
        with _changing(mine):
            mine.template, mine.choices = request.POST.get("name", "")[: templates.LONGEST], {}
    return redirect("intake:draft", token)


@require_GET
def check(request: Any, token: str) -> Any:
    """What `klientel check` says of the files: rows taken and rejected, analyses that they unlock."""
    mine = found(request, token)
    context: dict[str, Any] = {"draft": mine}
    if mine.size <= SMALL and looking.staged(mine):
        try:
            context |= shown.checked(mine, templates.load(request.user, mine.template), shell.today())
        except KlientelError as refused:
            context["trouble"] = refused.sentence
    return shell.page(request, "intake/check.html", context)


@require_POST
def dry_run(request: Any, token: str) -> Any:
    """Try the import on the whole files."""
    mine = found(request, token)
    with _changing(mine):
        mine.overwrite = request.POST.get("overwrite") == "1"
    return _job(request, "try", mine)


@require_GET
def tried(request: Any, token: str) -> Any:
    """What the dry run says."""
    mine = found(request, token)
    told = shown.read(mine.folder / "tried.json") if mine.tried else None
    if told is None:
        shell.tell(request, mark("Something was changed since the dry run; try it again."), "warning")
        return redirect("intake:draft", token)
    files = reports.rejected_files(mine.folder / "rejected")
    context = {
        "step": 3,
        "draft": mine,
        "tables": shown.tables(told["tables"], request.lang),
        "findings": shown.findings(told),
        "rejected": list(reports.rejected_rows(files, _TRIED)),
        "rejected_files": files,
        "most": _TRIED,
        "changes": any(t["create"] or t["update"] for t in told["tables"].values()),
    }
    return shell.page(request, "intake/tried.html", context)


@require_GET
def rejected(request: Any, token: str, name: str) -> Any:
    """The rows that the dry run would not take, to be corrected."""
    mine = found(request, token)
    return shown.download(reports.rejected_files(mine.folder / "rejected"), name)


@require_POST
def commit(request: Any, token: str) -> Any:
    """Import."""
    mine = found(request, token)
    if "overwrite" in request.POST or request.POST.get("options"):
        with changing(mine):
            mine.overwrite = request.POST.get("overwrite") == "1"
    return _job(request, "import", mine)


def _job(request: Any, kind: str, mine: drafts.Draft) -> Any:
    """Have it done, and go where it can be watched; one draft is worked on by one job at a time."""
    home = shell.workspace()
    open_ones = services.jobs_of(request.user).filter(
        state__in=[Job.State.WAITING, Job.State.RUNNING], parameters__draft=mine.token
    )
    job = open_ones.first()
    if job is None:
        back = ["intake:draft", mine.token]
        parameters = {"draft": mine.token, "subject": mine.subject, "back": back}
        job = services.submit(home, request.user, kind, parameters, shell.now())
    address = redirect("jobs:show", job.pk)
    address["Location"] += "?follow=1"
    return address


@contextmanager
def _changing(mine: drafts.Draft) -> Iterator[None]:
    """Change what would be imported: what was tried before is no longer good."""
    with changing(mine):
        yield
        mine.tried = None
        (mine.folder / "tried.json").unlink(missing_ok=True)


def _silent(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
