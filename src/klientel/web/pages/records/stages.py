"""Deals on their way: the board by stage, moving, winning, losing, opening again."""

from __future__ import annotations

from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Sum
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter
from klientel.ingest.mapping.outcomes import outcome_of
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.records import cells
from klientel.web.pages.records.kinds import found as find_record
from klientel.web.pages.records.many import back, undoing
from klientel.web.records import changes, deals, finding, kinds, listing, typed
from klientel.web.records import models as m
from klientel.web.records.catalog import KINDS, all_columns
from klientel.web.records.labels import label, labels
from klientel.words import say, translate

CARDS = 40  # of a stage; the rest is a link away
USUAL = ("New", "Qualified", "Offer", "Negotiation")  # where a firm has no stages of its own yet


def open_deals(found: Any) -> Any:
    """Deals that are not closed, of those that a person sees."""
    seen = rights.visible(m.Opportunity.present.all(), found)
    return seen.filter(outcome__in=["", "open"])


def known_stages(found: Any) -> list[str]:
    """The stages of open deals, in the order in which deals go through them."""
    names = list(
        open_deals(found).exclude(stage="").values_list("stage", flat=True).order_by().distinct()[:30]
    )
    places = _order()
    named = sorted(names, key=lambda s: (places.get(s, 99.0), s.lower()))
    return named or list(USUAL)


def _order() -> dict[str, float]:
    """How far along a stage is, on average: its place among the stages that its deals entered."""
    from django.db.models import OuterRef, Subquery

    earlier = (
        m.StageEntry.objects.filter(opportunity=OuterRef("opportunity"), entered_on__lt=OuterRef("entered_on"))
        .order_by().values("opportunity").annotate(n=Count("pk")).values("n")
    )  # fmt: skip
    newest = m.StageEntry.objects.order_by("-pk").values_list("pk", flat=True)[:2000]
    found = m.StageEntry.objects.filter(pk__in=list(newest)).annotate(before=Subquery(earlier))
    sums: dict[str, list[float]] = {}
    for stage, before in found.values_list("stage", "before"):
        sums.setdefault(stage, []).append(float(before or 0))
    return {stage: sum(held) / len(held) for stage, held in sums.items()}


def board(request: Any) -> Any:
    """Open deals by stage, with counts and sums; cards are dragged, or moved by their menu."""
    found = shell.reach(request)
    seen = open_deals(found)
    column = all_columns(m.Opportunity)["rep_id"]
    rep = getattr(request.user, "rep", None)
    many = listing.too_many(column, found)
    chosen = _chosen(request, found) if many else request.GET.get("rep", "")
    of = rep.pk if chosen == "me" and rep is not None else typed.key(chosen)
    if of is not None:
        seen = seen.filter(rep_id=of)
    words = request.GET.get("q", "").strip()[:100].replace("\0", "")
    if words:
        from klientel.web.records import conditions

        seen = conditions.searched(seen, KINDS["deals"], words, found)
    stages = known_stages(found)
    totals = _totals(seen)
    if "" in totals:
        stages = ["", *stages]
    stages += [s for s in totals if s not in stages]
    context = {
        "stages": [_stage(request, seen, s, totals.get(s), stages) for s in stages],
        "all_stages": [s for s in stages if s],
        "reps": listing.choices(KINDS["deals"], column, actor=found),
        "many": many,
        "chosen": chosen,
        "named": _named(of, found) if many and of is not None else "",
        "words": words,
        "mine": rep is not None,
        "total": cells.sums(_whole(totals), request.lang, shell.currency(), brief=True),
        "by_currency": len({unit or shell.currency() for unit, v in _whole(totals).items() if v}) > 1,
        "n": sum(r["n"] for r in totals.values()),
        "may_write": found.may("write"),
        "here": request.get_full_path(),
        "outcomes": [(k, w) for k, w in kinds.OUTCOMES.items() if k not in ("open", "won")],
    }
    return shell.page(request, "records/board.html", context)


def _chosen(request: Any, found: Any) -> str:
    """The sales person of an address that a chooser made: its id or "me", or who was typed where none was chosen."""
    chosen = str(request.GET.get("rep", ""))
    text = request.GET.get("rep.text", "").replace("\0", "").strip()[:200]
    if "rep.text" not in request.GET or (chosen and text):
        return chosen
    if not text:
        return ""
    ids = finding.resolve(m.Rep, text, actor=found)
    if len(ids) != 1:
        shell.tell(
            request, say("There is nothing called “{text}”, or there are several.", text=text), "warning"
        )
        return ""
    return str(ids[0])


def _named(pk: int, found: Any) -> str:
    """What a sales person is called, for whom may see that there is one."""
    ids = rights.visible(m.Rep.present.filter(pk=pk), found).values_list("pk", flat=True)
    return str(labels(m.Rep, ids, actor=found).get(pk, ""))


def _totals(seen: Any) -> dict[str, dict[str, Any]]:
    """By stage: how many deals, and the sums of their amounts by currency."""
    found: dict[str, dict[str, Any]] = {}
    for row in seen.order_by().values("stage", "currency").annotate(n=Count("pk"), total=Sum("amount")):
        held = found.setdefault(row["stage"], {"n": 0, "sums": {}})
        held["n"] += row["n"]
        held["sums"][row["currency"]] = row["total"]
    return found


def _whole(totals: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The sums of all stages by currency."""
    found: dict[str, Any] = {}
    for one in totals.values():
        for unit, value in one["sums"].items():
            found[unit] = found.get(unit, 0) + (value or 0)
    return found


def _stage(request: Any, seen: Any, stage: str, total: Any, stages: list[str]) -> dict[str, Any]:
    found = shell.reach(request)
    ids = []
    if total:
        own = seen.filter(stage=stage).order_by(F("amount").desc(nulls_last=True), "pk")
        ids = list(own.values_list("pk", flat=True)[:CARDS])
    rows = {r["id"]: r for r in rights.rows(m.Opportunity.objects.filter(pk__in=ids), found)} if ids else {}
    companies = labels(m.Company, (r["company_id"] for r in rows.values()), actor=found)
    reps = labels(m.Rep, (r["rep_id"] for r in rows.values()), actor=found)
    today = shell.today()
    cards = []
    for i in ids:
        row = rows[i]
        company = companies.get(row["company_id"] or 0) or row["customer_name"]
        cards.append(
            {
                "id": i,
                "name": row["name"] or company or translate(label(m.Opportunity, row), request.lang),
                "company": company if row["name"] and str(company) not in row["name"] else "",
                "rep": reps.get(row["rep_id"] or 0, ""),
                "amount": cells.money(row["amount"], row["currency"], request.lang, shell.currency()),
                "days": (today - row["created_on"]).days if row["created_on"] else None,
                "others": [s for s in stages if s and s != stage],
            }
        )
    own_list = (
        reverse("records:list", args=["deals"])
        + "?"
        + urlencode([("f.stage", stage or "–"), ("f.outcome", "open"), ("f.outcome", "–")])
    )
    n = total["n"] if total else 0
    told = cells.sums(total["sums"] if total else {}, request.lang, shell.currency(), brief=True)
    return {"name": stage, "n": n, "total": told, "cards": cards, "more": n - len(cards), "url": own_list}


def context(request: Any, deal: Any) -> dict[str, Any]:
    """What the page of a deal has besides: its way through the stages, and where it can go."""
    found = shell.reach(request)
    entries = list(deal.stages.order_by("entered_on", "id"))
    return {
        "entries": entries,
        "closed": deals.closed(deal),
        "outcome": kinds.OUTCOMES.get(deal.outcome, deal.outcome),
        "all_stages": [s for s in known_stages(found) if s != deal.stage],
        "version": changes.version(deal),
        "outcomes": [(k, w) for k, w in kinds.OUTCOMES.items() if k not in ("open", "won")],
    }


def _version(request: Any) -> int | None:
    return typed.key(request.POST.get("based_on", ""))


@require_POST
def move(request: Any, pk: int) -> Any:
    """Move a deal to a stage; one that means won or lost asks for the reason first."""
    deal = find_record(request, KINDS["deals"], pk)
    stage = request.POST.get("stage", "").strip()[:300]
    here = reverse("records:show", args=["deals", pk])
    if not stage:
        raise BadParameter(say("Say to which stage."))
    if outcome_of(stage) in ("won", "lost"):
        query = urlencode(
            {"outcome": outcome_of(stage), "stage": stage, "back": request.POST.get("back", "")}
        )
        return HttpResponseRedirect(f"{reverse('records:deal-close', args=[pk])}?{query}")
    act = token_hex(8)
    answer = back(request, here)
    deals.move(deal, stage, actor=request.user, at=shell.now(), based_on=_version(request), act=act)
    shell.tell(
        request,
        say("{deal} is in stage “{stage}” now.", deal=str(deal), stage=stage),
        undo=undoing(act, answer.url),
    )
    return answer


def close(request: Any, pk: int) -> Any:
    """The form that asks how a deal ended, and its closing."""
    deal = find_record(request, KINDS["deals"], pk)
    rights.demand(shell.reach(request), "write", deal)
    here = reverse("records:show", args=["deals", pk])
    outcome = request.POST.get("outcome") or request.GET.get("outcome", "won")
    wrong = ""
    if request.method == "POST":
        try:
            return _close(request, deal, outcome, here)
        except BadParameter as refused:
            wrong = translate(refused.sentence, request.lang)
    reasons = listing.choices(
        KINDS["deals"], all_columns(m.Opportunity)["loss_reason"], actor=shell.reach(request)
    )
    context = {
        "deal": deal,
        "called": translate(label(m.Opportunity, rights.shown(deal, shell.reach(request))), request.lang),
        "outcome": outcome,
        "outcomes": [(k, w) for k, w in kinds.OUTCOMES.items() if k != "open"],
        "stage": request.POST.get("stage") or request.GET.get("stage", ""),
        "back": request.POST.get("back") or request.GET.get("back", ""),
        "reasons": [v for v, _ in reasons],
        "amount": request.POST.get("amount", typed.written("money", deal.amount, request.lang)),
        "given": request.POST,
        "version": changes.version(deal),
        "wrong": wrong,
    }
    return shell.page(request, "records/close.html", context, status=422 if wrong else 200)


def _close(request: Any, deal: Any, outcome: str, here: str) -> Any:
    reason = request.POST.get("loss_reason", "").strip()[:300]
    amount = typed.value("money", request.POST.get("amount", ""), request.lang, shell.today())
    on = typed.value("date", request.POST.get("on", ""), request.lang, shell.today())
    stage = request.POST.get("stage", "").strip()[:300] or None
    act = token_hex(8)
    deals.close(
        deal, outcome, on=on, stage=stage, loss_reason=reason,
        competitor=request.POST.get("competitor", "").strip()[:300], amount=amount, actor=request.user,
        at=shell.now(), based_on=_version(request), act=act,
    )  # fmt: skip
    answer = back(request, here)
    word = kinds.OUTCOMES[outcome]
    shell.tell(
        request,
        say("{deal} is closed: {outcome}.", deal=str(deal), outcome=word),
        undo=undoing(act, answer.url),
    )
    return answer


@require_POST
def reopen(request: Any, pk: int) -> Any:
    """Open a closed deal again in a stage."""
    deal = find_record(request, KINDS["deals"], pk)
    stage = request.POST.get("stage", "").strip()[:300]
    if not stage:
        raise BadParameter(say("Say to which stage."))
    deals.reopen(deal, stage, actor=request.user, at=shell.now())
    shell.tell(request, say("{deal} is open again.", deal=str(deal)))
    return HttpResponseRedirect(reverse("records:show", args=["deals", pk]))
