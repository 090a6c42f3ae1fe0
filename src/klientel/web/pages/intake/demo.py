"""Demo data goes: the simulated firm with its users, as one undo, after somebody typed that they mean it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from klientel.web import showcase
from klientel.web.jobs import services
from klientel.web.jobs.kinds import administrator
from klientel.web.pages import shell
from klientel.words import mark

WORD = "demo"


@require_http_methods(["GET", "POST"])
def remove(request: Any) -> Any:
    """What would go; a POST with the typed word has it done."""
    administrator(request.user)
    run = showcase.found(shell.workspace())
    if run is None:
        shell.tell(request, mark("There is no demo data in this workspace."), "warning")
        return redirect("intake:index")
    typed = request.POST.get("word", "").strip().lower()
    if request.method == "POST" and typed == WORD:
        parameters = {"subject": "demo", "back": ["intake:demo"]}
        job = services.submit(shell.workspace(), request.user, "no-demo", parameters, shell.now())
        answer = redirect("jobs:show", job.pk)
        answer["Location"] += "?follow=1"
        return answer
    context = {
        "run": run,
        "word": WORD,
        "wrong": request.method == "POST",
        "others": list(_others(run)),
    }
    return shell.page(request, "intake/demo.html", context, status=400 if context["wrong"] else 200)


def _others(run: Any) -> Any:
    """Imports that stay."""
    return type(run).objects.filter(state="done").exclude(pk=run.pk).order_by("pk")[:20]
