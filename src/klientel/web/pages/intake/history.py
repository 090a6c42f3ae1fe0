"""What was imported: the list, one import with all it did, its rejected rows, and its undo."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST, require_safe

from klientel.errors import KlientelError
from klientel.web import rights, showcase
from klientel.web.imports import preview, reports
from klientel.web.imports.models import Import
from klientel.web.jobs import services
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import again
from klientel.web.pages import shell
from klientel.web.pages.intake import shown, uploads
from klientel.words import mark

STATES = {
    "started": (mark("running"), "accent"),
    "done": (mark("done"), "green"),
    "undone": (mark("undone"), "plain"),
    "failed": (mark("failed"), "red"),
}
_PAGE = 50
_REJECTED = 30  # rejected rows that are shown


@require_GET
def index(request: Any) -> Any:
    """Every import, newest first; the drop zone for the next one."""
    rights.demand_all(request.user, "read")
    services.reap_if_alone(shell.workspace(), shell.now())
    runs = rights.visible(Import.objects.order_by("-pk"), request.user).select_related("actor")
    page = Paginator(runs, _PAGE).get_page(request.GET.get("page"))
    writes = shell.reach(request).everything("write")
    waiting = services.jobs_of(request.user).filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    context: dict[str, Any] = {
        "page": page,
        "runs": [_line(run) for run in page],
        "writes": writes,
        "administers": request.user.is_superuser,
        "demo": request.user.is_superuser and showcase.found(shell.workspace()) is not None,
        "waiting": [
            {"number": j.pk, "kind": j.kind, "subject": j.parameters.get("subject", ""), "state": j.state}
            for j in waiting.filter(kind__in=["import", "undo", "try", "look"])
        ],
    }
    if writes:
        context |= uploads.dropping(request)
    return shell.page(request, "intake/index.html", context)


@require_GET
def show(request: Any, number: int) -> Any:
    """One import: files, counts, notes, rejected rows, what its undo left alone."""
    run = _run(request, number)
    files = _rejected_files(request, run)
    reach = shell.reach(request)
    line = _line(run)
    told = run.counts.get("tables", {})
    context = {
        "run": run,
        "line": line,
        "tables": shown.tables(told, request.lang),
        "findings": shown.findings(run.counts),
        "rejected": list(reports.rejected_rows(files, _REJECTED)),
        "rejected_files": files,
        "rejected_hidden": bool(line["totals"].get("rejected")) and not files,
        "most": _REJECTED,
        "writes": reach.everything("write"),
        "options": _options(run),
        "why": _why(run),
        "conflicts": len(run.conflicts),
        "has_lines": bool(told.get("lines", {}).get("create") or told.get("lines", {}).get("update")),
    }
    return shell.page(request, "intake/show.html", context)


@require_safe
def _preview(request: Any, run: Import) -> Any:
    try:
        look = preview.undo(shell.workspace(), run, actor=request.user)
    except KlientelError as refused:
        return shell.page(
            request, "intake/undo.html", {"run": run, "line": _line(run), "why": refused.sentence}
        )
    return shell.page(request, "intake/undo.html", {"run": run, "line": _line(run), "look": look})


def undo(request: Any, number: int) -> Any:
    """What an undo would do and leave alone; a POST has it done."""
    rights.demand_all(request.user, "write")
    run = _run(request, number)
    return _undo(request, run) if request.method == "POST" else _preview(request, run)


@require_POST
def _undo(request: Any, run: Import) -> Any:
    open_ones = services.jobs_of(request.user).filter(
        kind="undo", state__in=[Job.State.WAITING, Job.State.RUNNING], parameters__import=run.pk
    )
    job = open_ones.first()
    if job is None:
        parameters = {
            "import": run.pk,
            "subject": ", ".join(f["name"] for f in run.files[:3]),
            "back": ["intake:show", run.pk],
        }
        job = services.submit(shell.workspace(), request.user, "undo", parameters, shell.now())
    answer = redirect("jobs:show", job.pk)
    answer["Location"] += "?follow=1"
    return answer


@require_GET
def rejected(request: Any, number: int, name: str) -> Any:
    """The rows of an import that were not taken: all that the file said, so it takes the right to take out all."""
    run = _run(request, number)
    for action in ("export", "personal", "margin"):
        rights.demand_all(request.user, action)
    return shown.download(_rejected_files(request, run), name)


def _run(request: Any, number: int) -> Import:
    run: Import | None = (
        rights.visible(Import.objects.all(), request.user).select_related("actor").filter(pk=number).first()
    )
    if run is None:
        raise Http404
    return run


def _rejected_files(request: Any, run: Import) -> list[Any]:
    """The files of rejected rows, for whom nothing is kept from: the rows are as they came."""
    if not shell.reach(request).unlimited:
        return []
    return reports.rejected_files(shell.workspace().of_import(run.pk))


def _line(run: Import) -> dict[str, Any]:
    """What a list shows of an import."""
    totals: dict[str, int] = {}
    for counts in run.counts.get("tables", {}).values():
        for outcome, n in counts.items():
            totals[outcome] = totals.get(outcome, 0) + n
    state, tone = STATES[run.state]
    names = [f["name"] for f in run.files]
    return {
        "number": run.pk,
        "said": str(run.pk),  # a number by which it is called is not grouped
        "at": run.at,
        "who": str(run.actor) if run.actor else "",
        "state": run.state,
        "state_said": state,
        "tone": tone,
        "names": names,
        "subject": ", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
        "more": max(0, len(names) - 3),
        "totals": totals,
        "undone_at": run.undone_at,
    }


def _options(run: Import) -> dict[str, Any]:
    options = run.options or {}
    mapping = options.get("mapping") or {}
    template = str(options.get("template") or "").rsplit("/", 1)[-1]
    return {"mapping": sorted(mapping.items()), "template": template, "overwrite": options.get("overwrite")}


def _why(run: Import) -> Any:
    """What went wrong, where a job knows it."""
    if run.state != Import.State.FAILED:
        return None
    job = Job.objects.filter(kind="import", state__in=["failed", "cancelled"], started_at=run.at).first()
    if job is None:
        return None
    return again(job.why) or mark("It was cancelled; nothing of it stays.")
