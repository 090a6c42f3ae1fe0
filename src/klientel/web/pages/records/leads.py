"""From lead to customer: the lead's page, logging what happened, qualifying, converting with a look at duplicates."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.pages.records.many import undoing
from klientel.web.pages.records.single import alike_rows
from klientel.web.pages.records.stages import known_stages
from klientel.web.records import deals, services, typed
from klientel.web.records import models as m
from klientel.web.records.catalog import KINDS
from klientel.web.records.timeline import KINDS as TIMELINE
from klientel.web.records.timeline import timeline
from klientel.words import mark, say, translate

# What becomes of a lead on its way; a firm may write others.
WAY = {
    "new": mark("new"),
    "contacted": mark("contacted"),
    "qualified": mark("qualified"),
    "disqualified": mark("disqualified"),
}


def context(request: Any, lead: Any) -> dict[str, Any]:
    """What the page of a lead has besides: its timeline and where it can go."""
    page = request.GET.get("page", "1")
    number = min(typed.key(page) or 1, 10_000)
    line = timeline(lead, page=number, actor=shell.reach(request))
    return {
        "line": line,
        "entries": [
            {"day": e.day, "named": TIMELINE.get(e.kind, e.kind), "title": e.title, "text": e.text}
            for e in line.entries
        ],
        "way": [(k, w) for k, w in WAY.items() if k != lead.status],
        "status": WAY.get(lead.status, lead.status),
        "converted": lead.converted_on is not None,
    }


@require_POST
def qualify(request: Any, pk: int) -> Any:
    """Give a lead another status."""
    lead = find_record(request, KINDS["leads"], pk)
    status = request.POST.get("status", "").strip()[:100]
    if not status:
        raise BadParameter(say("Say what became of the lead."))
    act = token_hex(8)
    services.edit(lead, {"status": status}, actor=request.user, at=shell.now(), act=act)
    here = reverse("records:show", args=["leads", pk])
    shell.tell(
        request, say("The lead is “{status}” now.", status=WAY.get(status, status)), undo=undoing(act, here)
    )
    return HttpResponseRedirect(here)


def convert(request: Any, pk: int) -> Any:
    """What becomes of a lead: the companies it may be already, the deal to make; and the conversion."""
    lead = find_record(request, KINDS["leads"], pk)
    rights.demand(shell.reach(request), "write", lead)
    wrong = ""
    if request.method == "POST":
        try:
            return _convert(request, lead)
        except BadParameter as refused:
            wrong = translate(refused.sentence, request.lang)
    name = lead.company_name or lead.customer_name or lead.name or lead.email
    alike = (
        []
        if lead.company_id
        else alike_rows(request, m.Company(name=name, email=lead.email, phone=lead.phone))
    )
    context = {
        "lead": lead,
        "name": name,
        "own": lead.company if lead.company_id and lead.company.deleted_at is None else None,
        "alike": alike,
        "given": request.POST,
        "stages": known_stages(shell.reach(request)),
        "chosen": request.POST.get(
            "company", str(alike[0]["id"]) if alike and alike[0]["points"] >= 85 else "new"
        ),
        "wrong": wrong,
    }
    return shell.page(request, "records/convert.html", context, status=422 if wrong else 200)


def _convert(request: Any, lead: Any) -> Any:
    chosen = request.POST.get("company", "new")
    pk_of = typed.key(chosen)
    company = find_record(request, KINDS["companies"], pk_of) if pk_of is not None else None
    deal: dict[str, Any] | None = None
    if request.POST.get("deal") == "yes":
        amount = typed.value("money", request.POST.get("amount", ""), request.lang, shell.today())
        stage = request.POST.get("stage", "").strip()[:300] or known_stages(shell.reach(request))[0]
        deal = {"amount": amount, "stage": stage}
        if request.POST.get("deal_name", "").strip():
            deal["name"] = request.POST["deal_name"].strip()[:500]
        if shell.currency():
            deal["currency"] = shell.currency()
    made = deals.convert(lead, company=company, deal=deal, actor=request.user, at=shell.now())
    here = reverse("records:show", args=["leads", lead.pk])
    shell.tell(
        request,
        say("The lead is now with {company}.", company=str(made.company)),
        undo=undoing(made.act, here),
    )
    return HttpResponseRedirect(reverse("records:show", args=["companies", made.company.pk]))
