"""Backups of the whole workspace: made by administrators, downloaded, gone after a week."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import FileResponse, Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from klientel.web.imports import kept_backups
from klientel.web.jobs import services
from klientel.web.jobs.kinds import administrator
from klientel.web.pages import shell


@require_http_methods(["GET", "POST"])
def index(request: Any) -> Any:
    """The backups that are there; a POST makes one."""
    administrator(request.user)
    if request.method == "POST":
        parameters = {"back": ["intake:backups"]}
        job = services.submit(shell.workspace(), request.user, "backup", parameters, shell.now())
        answer = redirect("jobs:show", job.pk)
        answer["Location"] += "?follow=1"
        return answer
    found = [
        {
            "name": path.name,
            "bytes": path.stat().st_size,
            "at": datetime.fromtimestamp(path.stat().st_mtime, UTC),
        }
        for path in kept_backups.listed(shell.workspace())
    ]
    return shell.page(request, "intake/backups.html", {"backups": found, "kept": kept_backups.KEPT})


@require_GET
def download(request: Any, name: str) -> Any:
    """One backup. It holds everything, so only administrators have it."""
    administrator(request.user)
    path = kept_backups.find(shell.workspace(), name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")
