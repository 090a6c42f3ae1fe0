"""Files of sales and marketing that hold no sales: kept apart, so that nothing in them is added to revenue."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from klientel.ingest.mapping.fields import FIELDS
from klientel.ingest.mapping.names import words
from klientel.ingest.mapping.rules import Look
from klientel.words import Sentence, mark, say


@dataclass(frozen=True)
class _Kind:
    """A kind of file: groups of words, each of which a header must say; concepts that rule it out.

    tables: canonical tables that such files are recognised as, once there are rules for them; then this kind is
    no longer kept apart.
    """

    title: str
    tables: frozenset[str]
    groups: tuple[frozenset[str], ...]
    without: frozenset[str] = frozenset()
    concepts: frozenset[str] = frozenset()


def _kind(
    title: str, tables: str, *groups: str, without: str = "", concepts: str = ""
) -> _Kind:  # words are separated by blanks
    return _Kind(
        title,
        frozenset(tables.split()),
        tuple(frozenset(g.split()) for g in groups),
        frozenset(without.split()),
        frozenset(concepts.split()),
    )


_SALES = "net revenue amount gross unit_price qty order_no invoice_no recurring deal_amount margin"
_KINDS = (
    _kind(
        mark("visits of a website or clicks"),
        "touchpoint touchpoints",
        "visitor besucher session sitzung sessionid bot referrer utm pageview pageviews seitenaufruf seitenaufrufe",
        "hit zugriff page seite seitengruppe url medium click klick pageviews seitenaufrufe visitor besucher",
        without=_SALES,
    ),
    _kind(
        mark("use of a product"),
        "usage usage_event_daily usage_event product_usage",
        "user users benutzer nutzer userid userhash seats logins login",
        "events event ereignisse kernereignisse usage nutzung nutzungsminuten logins minutes sessions",
        without=_SALES + " activity_no activity_type",
    ),
    _kind(
        mark("cost centres or cost pools"),
        "cost_pool cost_pools",
        "kostenstelle kostenstellen costcentre costcenter centre center pool kostenpool kostenart",
        "kostentreiber driver capacity kapazitaet cost department abteilung kosten",
        without="customer_no customer customer_name company order_no invoice_no product_no",
    ),
    _kind(
        mark("answers to a survey"),
        "survey_answer survey_response survey_answers survey",
        "score punkte nps csat bewertung rating weiterempfehlung",
        "survey umfrage befragung question frage response antwort freitext answered beantwortet verbatim",
        without=_SALES,
    ),
    _kind(
        mark("changes of the owner of customers"),
        "customer_attribute customer_attribute_hist owner_history customer_history",
        "owner betreuer kundenbetreuer verantwortlicher inhaber",
        "before previous former bisher bisheriger vorher alter",
        without=_SALES,
    ),
    _kind(
        mark("observations of competitors"),
        "competitor_observation competitor_share competitor",
        "competitor wettbewerber mitbewerber konkurrent",
        "seen gesehen share anteil observation beobachtung",
        without=_SALES + " stage outcome",
    ),
    _kind(
        mark("campaigns"),
        "campaign campaigns marketing_spend",
        "campaign kampagne kampagnen kampagnenname campaignname",
        "cost costs kosten spend ausgaben budget",
        without="customer_no customer customer_name company order_no invoice_no product_no qty lead_no",
    ),
)


def kept_apart(seen: Look) -> Sentence | None:
    """Why a raw table is kept apart from the tables it resembles, or None if it is not one of these kinds."""
    if _stage_history(seen):
        return _why(mark("the stages of deals over time"))
    said = {word for column in seen.raw.columns for word in _parts(column.header)}
    for kind in _KINDS:
        if kind.tables & FIELDS.keys() or seen.has(*kind.without):
            continue
        if all(group & said for group in kind.groups):
            return _why(kind.title)
    return None


def _stage_history(seen: Look) -> bool:
    """Several rows per deal with a stage and a day each, and none of what a list of deals has."""
    if {"opportunity_stage", "opportunity_stage_hist", "stage_entry", "opportunity_stages"} & FIELDS.keys():
        return False
    if seen.has("deal_no", "stage") < 2 or seen.row == "opportunity":
        return False
    listed = seen.has(
        "deal_amount", "amount", "net", "revenue", "probability", "loss_reason", "customer_name"
    )
    return listed == 0 and any(e.is_date for e in seen.evidence.values())


def _parts(header: str) -> set[str]:
    found = words(header)
    return {*found, *(a + b for a, b in pairwise(found))}


def _why(title: str) -> Sentence:
    return say("{kind}: no sales, and not used yet", kind=title)
