"""Portfolios: who is in them on a day and why, their rule, members by hand, who joined and left between two days."""

from __future__ import annotations

from datetime import date, timedelta
from secrets import token_hex
from typing import Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from klientel.errors import BadParameter, KlientelError
from klientel.status import REASONS as STATUS_REASONS
from klientel.status import STATUSES
from klientel.web import books, portfolios, rights
from klientel.web.pages import shell
from klientel.web.pages.records.many import undoing
from klientel.web.records import finding, typed
from klientel.web.records import models as m
from klientel.web.records.labels import labels
from klientel.web.rights.members import attribute_path, rule_attributes
from klientel.words import mark, say, translate

MOST = 500  # rows of members or moves on a page
MOST_VALUES = 200
HOW = {"rule": mark("by rule"), "hand": mark("by hand")}


class FolioConverter:
    """The word portfolios in an address."""

    regex = "portfolios"

    def to_python(self, value: str) -> str:
        """The word."""
        return value

    def to_url(self, value: Any) -> str:
        """The word."""
        return str(value)


def _found(request: Any, pk: int) -> Any:
    portfolio = (
        rights.visible(m.Portfolio.objects.filter(pk=pk), shell.reach(request))
        .select_related("owner")
        .first()
    )
    if portfolio is None:
        raise Http404
    return portfolio


def index(request: Any, kind: str) -> Any:
    """The portfolios that a person sees."""
    found = shell.reach(request)
    held = list(rights.visible(m.Portfolio.objects.all(), found).order_by("name")[:MOST])
    owners = labels(m.Rep, (p.owner_id for p in held), actor=found)
    rows = [
        {"portfolio": p, "owner": owners.get(p.owner_id or 0, ""), "rule": rule_told(request, p.rule)}
        for p in held
    ]
    return shell.page(request, "records/folios.html", {"rows": rows, "may_write": found.may("write")})


def rule_told(request: Any, rule: dict[str, list[Any]]) -> list[tuple[str, str]]:
    """A rule in words: attribute and values."""
    lang = request.lang
    told = []
    for attribute, values in (rule or {}).items():
        words = dict(_values(request, attribute)[0])
        told.append(
            (
                translate(attribute_title(attribute), lang),
                ", ".join(words.get(str(v), str(v)) for v in values),
            )
        )
    return told


def attribute_title(attribute: str) -> Any:
    """What people call an attribute of customers."""
    from klientel.schema import TABLES

    customer = TABLES["customer"]
    if attribute in customer.names():
        return customer.field(attribute).title
    own = (
        m.CustomField.objects.filter(model="Company", name=attribute).values_list("title", flat=True).first()
    )
    return own or attribute


def _values(request: Any, attribute: str) -> tuple[list[tuple[str, str]], bool]:
    """(value, words) that an attribute has among the companies of the person; False if there are too many."""
    from django.db.models import CharField
    from django.db.models.fields.json import KeyTextTransform
    from django.db.models.functions import Cast

    found = shell.reach(request)
    try:
        path, field = attribute_path(attribute)
    except BadParameter:
        return [], True
    seen = rights.visible(m.Company.present.all(), found).order_by()
    if field is None:
        seen = seen.annotate(_value=Cast(KeyTextTransform(attribute, "custom"), CharField()))
        path = "_value"
    held = [v for v in seen.values_list(path, flat=True).distinct()[: MOST_VALUES + 1] if v not in (None, "")]
    whole = len(held) <= MOST_VALUES
    if path == "owner__number":
        reps = dict(m.Rep.objects.filter(number__in=held).values_list("number", "pk"))
        names = labels(m.Rep, reps.values(), actor=found)
        return sorted(((n, str(names[pk])) for n, pk in reps.items()), key=lambda v: v[1].lower()), whole
    known = {**STATUSES, "customer": mark("customer")} if attribute == "relation_type" else {}
    told = [(str(v), translate(known.get(str(v), str(v)), request.lang)) for v in held[:MOST_VALUES]]
    return sorted(told, key=lambda v: v[1].lower()), whole


def add(request: Any, kind: str) -> Any:
    """The form of a new portfolio, and its making."""
    found = shell.reach(request)
    rights.demand(found, "write")
    wrong = ""
    if request.method == "POST":
        name = request.POST.get("name", "")
        owner = request.POST.get("owner", "")
        seen = rights.visible(m.Rep.present.all(), found)
        rep = seen.filter(pk=typed.key(owner)).first()
        try:
            made = portfolios.create(request.user, name, rep, None, shell.now())
        except BadParameter as refused:
            wrong = translate(refused.sentence, request.lang)
        else:
            shell.tell(
                request, say("The portfolio “{name}” is there. Give it a rule or members.", name=made.name)
            )
            return HttpResponseRedirect(reverse("records:show", args=["portfolios", made.pk]) + "?part=rule")
    reps = labels(
        m.Rep, rights.visible(m.Rep.present.all(), found).values_list("pk", flat=True)[:500], actor=found
    )
    context = {
        "wrong": wrong,
        "given": request.POST,
        "reps": sorted(reps.items(), key=lambda r: str(r[1]).lower()),
    }
    return shell.page(request, "records/folio_form.html", context, status=422 if wrong else 200)


def _day(request: Any, name: str) -> date | None:
    text = request.GET.get(name, "")
    return typed.day(text, shell.today()) if text.strip() else None


def show(request: Any, kind: str, pk: int) -> Any:
    """A portfolio: its members on a day, its rule, members by hand, or its moves between two days."""
    portfolio = _found(request, pk)
    part = request.GET.get("part", "members")
    found = shell.reach(request)
    owner = labels(m.Rep, [portfolio.owner_id], actor=found).get(portfolio.owner_id or 0, "")
    mine = m.Portfolio.objects.filter(pk=pk)
    context: dict[str, Any] = {
        "portfolio": portfolio,
        "owner": owner,
        "part": part,
        "rule": rule_told(request, portfolio.rule),
        "may_write": rights.visible(mine, found, "write").exists(),
        "may_rule": found.everything("write"),
    }
    parts = {"members": _members, "rule": _rule, "hand": _hand, "moves": _moves}
    try:
        context |= parts.get(part, _members)(request, portfolio)
    except KlientelError as wrong:
        context["wrong"] = translate(wrong.sentence, request.lang)
    return shell.page(request, "records/folio.html", context)


def _book(request: Any, day: date | None) -> Any:
    """The person's Book of a day; without one, of the day after the newest data."""
    book, _ = books.opened(
        shell.workspace(), actor=shell.reach(request), as_of=day, today=shell.today(), lenient=True
    )
    return book


def _numbers(rows: list[Any]) -> dict[str, int]:
    return dict(m.Company.objects.filter(number__in=[r.number for r in rows]).values_list("number", "pk"))


def _members(request: Any, portfolio: Any) -> dict[str, Any]:
    book = _book(request, _day(request, "as_of"))
    members = portfolios.members(book, portfolio)
    some = members[:MOST]
    ids = _numbers(some)
    rows = [
        {
            "name": x.name,
            "pk": ids.get(x.number),
            "how": HOW.get(x.how, x.how),
            "status": STATUSES.get(x.status, x.status),
            "why": STATUS_REASONS.get(x.status_reason, x.status_reason),
        }
        for x in some
    ]
    return {"as_of": book.as_of or shell.today(), "members": rows, "total": len(members)}


def _moves(request: Any, portfolio: Any) -> dict[str, Any]:
    now = _book(request, _day(request, "after"))
    after = now.as_of or shell.today()
    before = _day(request, "before") or after - timedelta(days=90)
    if before >= after:
        raise BadParameter(say("The earlier day must come before the later one."))
    moves = portfolios.moves(_book(request, before), now, portfolio)
    ids = _numbers(moves[:MOST])
    rows = [
        {"name": x.name, "pk": ids.get(x.number), "joined": x.joined, "told": x.told} for x in moves[:MOST]
    ]
    return {
        "before": before, "after": after, "moves": rows, "total": len(moves),
        "joined": sum(x.joined for x in moves), "left": sum(not x.joined for x in moves),
    }  # fmt: skip


def _rule(request: Any, portfolio: Any) -> dict[str, Any]:
    """The rule as pick lists: one per attribute, those asked for by the address besides."""
    asked = [a for a in request.GET.getlist("attribute") if a]
    own = m.CustomField.objects.filter(model="Company", personal=False).values_list("name", flat=True)
    known = [*rule_attributes(), *own]
    lines = []
    for attribute in dict.fromkeys([*(portfolio.rule or {}), *(a for a in asked if a in known)]):
        values, whole = _values(request, attribute)
        chosen = [str(v) for v in (portfolio.rule or {}).get(attribute, [])]
        extra = [(v, v) for v in chosen if v not in dict(values)]
        lines.append(
            {"attribute": attribute, "title": attribute_title(attribute), "whole": whole,
             "values": [(v, w, v in chosen) for v, w in [*values, *extra]]}
        )  # fmt: skip
    rest = [(a, attribute_title(a)) for a in known if a not in {line["attribute"] for line in lines}]
    rest.sort(key=lambda r: translate(r[1], request.lang).lower())
    return {"lines": lines, "rest": rest, "asked": asked}


def _hand(request: Any, portfolio: Any) -> dict[str, Any]:
    found = shell.reach(request)
    seen = rights.visible(portfolio.members.all(), found).order_by("-valid_from", "-pk")[:MOST]
    rows = list(rights.rows(m.Membership.objects.filter(pk__in=[x.pk for x in seen]), found))
    names = labels(m.Company, (r["company_id"] for r in rows), actor=found)
    for row in rows:
        row["company"] = names.get(row["company_id"], "")
    return {"hands": rows}


def _back(portfolio: Any, part: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('records:show', args=['portfolios', portfolio.pk])}?part={part}")


@require_POST
def rename(request: Any, pk: int) -> Any:
    """Call a portfolio something else."""
    portfolio = _found(request, pk)
    act = token_hex(8)
    here = reverse("records:show", args=["portfolios", pk])
    try:
        portfolios.rename(request.user, portfolio, request.POST.get("name", ""), shell.now(), act=act)
    except BadParameter as wrong:
        shell.tell(request, wrong.sentence, "error")
    else:
        shell.tell(
            request,
            say("The portfolio is called “{name}” now.", name=portfolio.name),
            undo=undoing(act, here) if m.Change.objects.filter(act=act).exists() else "",
        )
    return HttpResponseRedirect(here)


@require_POST
def rule(request: Any, pk: int) -> Any:
    """Give a portfolio another rule."""
    portfolio = _found(request, pk)
    wanted: dict[str, list[Any]] = {}
    for name in request.POST:
        if name.startswith("rule."):
            values = [v for v in request.POST.getlist(name) if v]
            if values:
                wanted[name[5:]] = values
    portfolios.change_rule(request.user, portfolio, wanted, shell.now())
    shell.tell(request, say("The rule is saved."))
    return _back(portfolio, "members" if wanted else "rule")


@require_POST
def put_in(request: Any, pk: int) -> Any:
    """Put a customer in by hand, or keep it out."""
    portfolio = _found(request, pk)
    text, chosen = request.POST.get("company_id.text", "").strip(), request.POST.get("company_id", "")
    found = shell.reach(request)
    pk_of = typed.key(chosen)
    ids = [pk_of] if pk_of is not None else finding.resolve(m.Company, text, actor=found)
    companies = list(rights.visible(m.Company.present.filter(pk__in=ids), found)) if text or chosen else []
    try:
        if len(companies) != 1:
            raise BadParameter(say("Choose one customer, by name or number."))
        days = [
            typed.value("date", request.POST.get(n, ""), request.lang, shell.today())
            for n in ("since", "until")
        ]
        portfolios.put_in(
            request.user, portfolio, companies[0], shell.now(), since=days[0], until=days[1],
            excluded=request.POST.get("excluded") == "yes", reason=request.POST.get("reason", "")[:300],
        )  # fmt: skip
    except BadParameter as wrong:
        shell.tell(request, wrong.sentence, "error")
    else:
        shell.tell(request, say("{name} is written down by hand.", name=companies[0].name))
    return _back(portfolio, "hand")


@require_POST
def take_out(request: Any, pk: int, membership: int) -> Any:
    """End a membership by hand."""
    portfolio = _found(request, pk)
    row = rights.visible(
        m.Membership.objects.filter(pk=membership, portfolio=portfolio), shell.reach(request)
    ).first()
    if row is None:
        raise Http404
    on = typed.value("date", request.POST.get("on", ""), request.lang, shell.today()) or shell.today()
    portfolios.take_out(request.user, row, on, shell.now(), reason=request.POST.get("reason", "")[:300])
    shell.tell(request, say("The membership ends on {day}.", day=on))
    return _back(portfolio, "hand")
