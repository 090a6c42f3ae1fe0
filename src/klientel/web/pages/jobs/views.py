"""Long work: its list, its progress while it runs, and what came of it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_POST

from klientel.web.jobs import live, services
from klientel.web.jobs.kinds import KINDS
from klientel.web.jobs.models import Job
from klientel.web.kinds_of_values import again
from klientel.web.pages import shell
from klientel.words import mark, translate

STATES = {
    "waiting": (mark("waiting"), "plain"),
    "running": (mark("running"), "accent"),
    "done": (mark("done"), "green"),
    "failed": (mark("failed"), "red"),
    "cancelled": (mark("cancelled"), "amber"),
}
LISTED = 100


@require_GET
def index(request: Any) -> Any:
    """The person's own long work; everybody's for administrators."""
    services.reap_if_alone(shell.workspace(), shell.now())
    found = [_told(job) for job in services.jobs_of(request.user)[:LISTED]]
    return shell.page(request, "jobs/index.html", {"jobs": found, "all": request.user.is_superuser})


@require_GET
def show(request: Any, number: int) -> Any:
    """One job. Where the page asks again and the job has come to its end, its result is gone to."""
    job = _job(request, number)
    if not job.ended:
        services.reap_if_alone(shell.workspace(), shell.now())
        job.refresh_from_db()
    told = _told(job)
    if request.GET.get("follow") and job.state == Job.State.DONE and told["address"]:
        if told["said"]:
            shell.tell(request, told["said"], undo=_undo(request, job))
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": told["address"]})
        return redirect(told["address"])
    if not job.ended:
        told |= _running(job)
    part = bool(request.htmx and request.GET.get("part"))
    spoken = translate(told["said"] or told["why"] or told["what"] or told["state_said"], request.lang)
    heard = sha256(f"{job.state} {spoken}".encode()).hexdigest()[:8]
    context = {
        "job": told,
        "follow": "follow" in request.GET,
        "heard": heard,
        # Each step is announced once, not every time that the page asks.
        "announced": spoken if part and heard != request.GET.get("heard") else "",
    }
    return shell.page(request, "jobs/state.html" if part else "jobs/show.html", context)


@require_POST
def cancel(request: Any, number: int) -> Any:
    """End a job."""
    job = _job(request, number)
    services.cancel(shell.workspace(), request.user, job, shell.now())
    return redirect("jobs:show", number)


def _job(request: Any, number: int) -> Job:
    found: Job | None = services.jobs_of(request.user).filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _told(job: Job) -> dict[str, Any]:
    """What the pages show of a job."""
    kind = KINDS.get(job.kind)
    state, tone = STATES[job.state]
    return {
        "number": job.pk,
        "title": kind.title if kind else job.kind,
        "subject": job.parameters.get("subject", ""),
        "who": str(job.actor),
        "state": job.state,
        "state_said": state,
        "tone": tone,
        "ended": job.ended,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "what": again(job.what),
        "done": job.done,
        "total": job.total,
        "why": again(job.why),
        "said": again(job.result.get("said")),
        "address": address(job.result.get("address")),
        "back": address(job.parameters.get("back")),
    }


def _running(job: Job) -> dict[str, Any]:
    """Progress of a job that has not ended: from its file; whom it waits for."""
    if job.state == Job.State.WAITING:
        before = services.ahead(job)
        return {
            "before": _told(before) if before else None,
            "nobody": before is None and services.nobody_works(shell.workspace()),
        }
    told = live.told(shell.workspace(), job.pk)
    if told is None:
        return {}
    ending = live.asked_to_end(shell.workspace(), job.pk)
    share = min(100, round(100 * told.done / told.total)) if told.total else None
    return {"what": told.what, "done": told.done, "total": told.total, "share": share, "ending": ending}


def address(named: list[Any] | None) -> str:
    """The address of a page that a job names ([name, arguments...]); "" if there is none (any more)."""
    if not named:
        return ""
    try:
        return reverse(named[0], args=named[1:])
    except NoReverseMatch:
        return ""


def _undo(request: Any, job: Job) -> str:
    """Where an import that just came in is undone."""
    number = job.result.get("import")
    return reverse("intake:undo", args=[number]) if number else ""
