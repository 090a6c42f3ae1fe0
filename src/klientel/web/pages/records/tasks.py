"""My tasks: overdue, today, later; ticked off with a way back."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_hex
from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.pages.records.many import back, undoing
from klientel.web.records import models as m
from klientel.web.records import services
from klientel.web.records.catalog import KINDS
from klientel.web.records.labels import labels
from klientel.words import mark, say

MOST = 100


def mine(request: Any) -> Any:
    """Open tasks of the person (or of all that he or she sees), by when they are due; what was done lately."""
    found = shell.reach(request)
    rep = getattr(request.user, "rep", None)
    everybody = request.GET.get("of") == "all" or rep is None
    seen = rights.visible(m.Task.present.all(), found)
    if not everybody:
        seen = seen.filter(rep=rep)
    today = shell.today()
    parts = (
        (mark("Overdue"), Q(done_on=None, due_on__lt=today), "red"),
        (mark("Today"), Q(done_on=None, due_on=today), "amber"),
        (mark("Later"), Q(done_on=None, due_on__gt=today), ""),
        (mark("Without a day"), Q(done_on=None, due_on=None), ""),
        (mark("Done in the last seven days"), Q(done_on__gt=today - timedelta(days=7)), "green"),
    )
    groups: list[dict[str, Any]] = []
    for title, test, colour in parts:
        ordered = seen.filter(test).order_by(F("due_on").asc(nulls_last=True), "pk")
        ids = list(ordered.values_list("pk", flat=True)[: MOST + 1])
        rows = (
            {r["id"]: r for r in rights.rows(m.Task.objects.filter(pk__in=ids[:MOST]), found)} if ids else {}
        )
        groups.append({"title": title, "colour": colour, "more": len(ids) > MOST,
                       "tasks": [rows[i] for i in ids[:MOST] if i in rows]})  # fmt: skip
    tasks = [t for g in groups for t in g["tasks"]]
    companies = labels(m.Company, (t["company_id"] for t in tasks), actor=found)
    reps = labels(m.Rep, (t["rep_id"] for t in tasks), actor=found)
    for task in tasks:
        task["company"] = companies.get(task["company_id"] or 0, "")
        task["rep"] = reps.get(task["rep_id"] or 0, "") if everybody else ""
    context = {"groups": groups, "everybody": everybody, "may_choose": rep is not None, "here": request.get_full_path(),
               "open": sum(len(g["tasks"]) for g in groups[:4]), "may_write": found.may("write")}  # fmt: skip
    return shell.page(request, "records/tasks.html", context)


@require_POST
def tick(request: Any, pk: int) -> Any:
    """Tick a task off, or open it again where the form says so (`done` = "no"); done twice it is done once."""
    task = find_record(request, KINDS["tasks"], pk)
    act = token_hex(8)
    done = request.POST.get("done") != "no"
    answer = back(request, reverse("records:my-tasks"))
    said = say("Done: {task}", task=task.title) if done else say("Open again: {task}", task=task.title)
    if done == (task.done_on is not None):  # somebody, or a second click, did it meanwhile
        shell.tell(request, said)
        return answer
    if done:
        services.done(task, actor=request.user, at=shell.now(), on=shell.today(), act=act)
    else:
        services.edit(task, {"done_on": None}, actor=request.user, at=shell.now(), act=act)
    shell.tell(request, said, undo=undoing(act, answer.url))
    return answer
