"""Everything known about one customer on one screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from klientel.attribute import attribute_title
from klientel.result import Result
from klientel.status import REASONS, STATUSES
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.pages.analyses import pictures
from klientel.web.pages.customers import facts
from klientel.web.pages.customers.known import Known, course_of, known
from klientel.web.pages.records import cells
from klientel.web.records import models as m
from klientel.web.records import typed
from klientel.web.records.numbers import own
from klientel.web.records.timeline import KINDS, timeline
from klientel.web.records.values import title_of
from klientel.web.scopes import name_of
from klientel.words import Word

_DETAILS = (
    "industry_code", "size_class", "employees", "annual_revenue", "segment", "contract_type", "credit_rating",
    "acquisition_channel", "acquired_on", "year_established",
)  # fmt: skip
_ADDRESS = ("street", "postcode", "city", "region", "country", "phone", "email", "website", "vat_id")


def company_of(request: Any, pk: int) -> Any:
    """The company of an address, or the one it was merged into; 404 if there is none that the person may see."""
    query = m.Company.objects.select_related("owner", "merged_into").filter(pk=pk)
    found = rights.visible(query, shell.reach(request)).first()
    if found is None or (found.deleted_at is not None and found.merged_into_id is None):
        raise Http404
    return found


def show(request: Any, pk: int) -> Any:
    """The page; what analyses say is in it where it is kept, else it comes by and by."""
    company = company_of(request, pk)
    if company.merged_into_id is not None:
        return HttpResponseRedirect(reverse("customers:show", args=[company.merged_into_id]))
    found, today = facts.at(company, shell.reach(request)), shell.today()
    told = known(request, company.number, ask=False)
    shown = rights.shown(company, found)
    owner = name_of(company.owner) if company.owner else ""
    return shell.page(
        request,
        "customers/show.html",
        {
            "company": company,
            "parent": _parent(company, shell.reach(request)),
            "details": _pairs(shown, _DETAILS),
            "address": _pairs(shown, _ADDRESS),
            "custom": sorted((shown.get("custom") or {}).items()),
            "under": [text for text in (own(company.number), company.city, owner) if text],
            "nameless": {"deal": title_of(m.Opportunity), "contract": title_of(m.Contract)},
            "contracts": _worth(
                request, _with_renewals(facts.contracts(company, found), told), "recurring_amount"
            ),
            "deals": _worth(request, facts.open_deals(company, found), "amount"),
            "contacts": facts.contacts(company, found),
            "personal": found.may("personal"),
            "tasks": facts.tasks(company, found),
            "notes": facts.notes(company, found),
            "effort": facts.effort(company, found, day_of(told, today)),
            "portfolios": facts.portfolios(company, shell.reach(request), today),
            "history": facts.history(company, found),
            "may_write": found.may("write"),
            "back": reverse("customers:show", args=[pk]),
            **figures_of(company, told),
        },
    )


def _parent(company: Any, found: Any) -> str:
    """What the parent company is called; "" if there is none that the person may see."""
    if company.parent_id is None:
        return ""
    seen = rights.visible(m.Company.present.filter(pk=company.parent_id), found).first()
    return str(seen) if seen is not None else ""


def _of_a_page(view: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    """A part that the page of a customer fetches: where the customer went meanwhile, the page is told so quietly.

    To an open page that is no error: somebody took the customer back. It says the same of customers that never were
    and of those out of reach.
    """

    @wraps(view)
    def fetched(request: Any, pk: int) -> Any:
        try:
            return view(request, pk)
        except Http404:
            if not request.htmx:
                raise
            return shell.page(request, "customers/gone.html", {})

    return fetched


@_of_a_page
def figures(request: Any, pk: int) -> Any:
    """What analyses say of the customer: what the page looks in for."""
    company = company_of(request, pk)
    told = known(request, company.number, patience=0.4)
    given = {"company": company, "late": True, **figures_of(company, told)}
    return shell.page(request, "customers/figures.html", given)


@_of_a_page
def course(request: Any, pk: int) -> Any:
    """The picture of the customer's revenue."""
    company = company_of(request, pk)
    found = course_of(request, company.number, patience=0.4)
    given: dict[str, Any] = {"company": company}
    if isinstance(found, Result):
        given["pictures"] = (
            pictures.drawn(found, request.lang, lambda *_: "") if len(found.tables["months"]) else []
        )
    elif found.why is None:
        given["waiting"] = found
    return shell.page(request, "customers/course.html", given)


@_of_a_page
def happened(request: Any, pk: int) -> Any:
    """The timeline from the first contact on, by kind and page."""
    company = company_of(request, pk)
    kind = request.GET.get("kind", "")
    page = request.GET.get("page", "")
    held: dict[str, Any] = {"home": shell.workspace(), "actor": facts.at(company, shell.reach(request))}
    number = min(typed.key(page) or 1, 100_000)
    whole = timeline(company, size=20, page=number, kinds=[kind] if kind in KINDS else None, **held)
    counts = whole.counts
    if kind in KINDS:
        counts = timeline(company, size=1, **held).counts
    return shell.page(
        request,
        "customers/timeline.html",
        {
            "company": company,
            "timeline": whole,
            "kind": kind if kind in KINDS else "",
            "kinds": [(name, KINDS[name], counts[name]) for name in KINDS if counts.get(name)],
            "all": sum(counts.values()),
            "titles": KINDS,
            "entries": [(entry, KINDS[entry.kind]) for entry in whole.entries],
        },
    )


def day_of(told: Known, today: date) -> date:
    """The day up to which twelve months are counted: today, or the day of the data where these are old."""
    if told.as_of is not None and told.as_of < today - timedelta(days=60):
        return told.as_of
    return today


def figures_of(company: Any, told: Known) -> dict[str, Any]:
    """What a template needs to show what analyses say."""
    row = told.rows.get("standing", {})
    churn = told.rows.get("churn_risk")
    if churn is not None:
        churn |= {name: Word(churn[name]) for name in ("reason", "further_reason") if churn[name]}
    return {
        "told": told,
        "standing": row,
        "status": STATUSES.get(row.get("status", ""), ""),
        "why": REASONS.get(row.get("status_reason", ""), ""),
        "abc": told.rows.get("abc"),
        "churn": churn,
        "worth": told.rows.get("lifetime_value"),
        "renewals": told.renewals,
        "figures_url": reverse("customers:figures", args=[company.pk]),
    }


def _with_renewals(contracts: list[dict[str, Any]], told: Known) -> list[dict[str, Any]]:
    for contract in contracts:
        contract["renewal"] = told.renewals.get(contract["number"], {}).get("p_renewal")
    return contracts


def _worth(request: Any, rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Rows with their amount in words, in the currency that each names."""
    for row in rows:
        row["worth"] = cells.money(row[column], row["currency"], request.lang, shell.currency())
    return rows


def _pairs(row: dict[str, Any], names: tuple[str, ...]) -> list[tuple[str, Any]]:
    known = {name: row[name] for name in names if row.get(name) not in (None, "")}
    if "year_established" in known:
        known["year_established"] = str(known["year_established"])  # 1991, not 1,991
    return [(attribute_title(name), value) for name, value in known.items()]
