"""Files of sales and marketing that hold no sales: told by their words, so that nothing in them is revenue."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from klientel.ingest.mapping.assign import assign
from klientel.ingest.mapping.fields import FIELDS
from klientel.ingest.mapping.names import words
from klientel.ingest.mapping.rules import Look
from klientel.schema import TABLES
from klientel.words import Sentence, mark, say


@dataclass(frozen=True)
class _Kind:
    """A kind of file: groups of words, each of which a header must say; concepts that rule it out.

    tables: canonical tables that take such files, some of them not there yet.
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
        "touchpoint",
        "visitor besucher session sitzung sessionid bot referrer utm pageview pageviews seitenaufruf seitenaufrufe",
        "hit zugriff page seite seitengruppe url medium click klick pageviews seitenaufrufe visitor besucher",
        without=_SALES,
    ),
    _kind(
        mark("use of a product"),
        "usage_event_daily",
        "user users benutzer nutzer userid userhash seats logins login",
        "events event ereignisse kernereignisse usage nutzung nutzungsminuten logins minutes sessions",
        without=_SALES + " activity_no activity_type",
    ),
    _kind(
        mark("cost centres or cost pools"),
        "cost_pool",
        "kostenstelle kostenstellen costcentre costcenter centre center pool kostenpool kostenart",
        "kostentreiber driver capacity kapazitaet cost department abteilung kosten",
        without="customer_no customer customer_name company order_no invoice_no product_no",
    ),
    _kind(
        mark("answers to a survey"),
        "survey_response",
        "score punkte nps csat bewertung rating weiterempfehlung",
        "survey umfrage befragung question frage response antwort freitext answered beantwortet verbatim",
        without=_SALES,
    ),
    _kind(
        mark("changes of the owner of customers"),
        "customer_attribute_hist",
        "owner betreuer kundenbetreuer verantwortlicher inhaber",
        "before previous former bisher bisheriger vorher alter",
        without=_SALES,
    ),
    _kind(
        mark("observations of competitors"),
        "competitor_observation competitor_share",
        "competitor wettbewerber mitbewerber konkurrent",
        "seen gesehen share anteil observation beobachtung",
        without=_SALES + " stage outcome",
    ),
    _kind(
        mark("campaigns"),
        "campaign",
        "campaign kampagne kampagnen kampagnenname campaignname",
        "cost costs kosten spend ausgaben budget",
        without="customer_no customer customer_name company order_no invoice_no product_no qty lead_no",
    ),
)


def kind_of(seen: Look) -> tuple[str, frozenset[str]] | None:
    """Title of the kind of file of sales and marketing that a raw table is, and the tables that take it."""
    if _stage_history(seen):
        return mark("the stages of deals over time"), frozenset({"opportunity_stage_hist"})
    said = {word for column in seen.raw.columns for word in _parts(column.header)}
    for kind in _KINDS:
        if not seen.has(*kind.without) and all(group & said for group in kind.groups):
            return kind.title, kind.tables
    return None


def selling_table(seen: Look) -> str | None:
    """The canonical table that a file of these kinds is, if it has the columns that the table needs."""
    kind = kind_of(seen)
    if kind is None:
        return None
    for table in sorted(kind[1] & FIELDS.keys()):
        columns, _ = assign(seen.raw, table, seen.evidence)
        if all(any(name in columns for name in group) for group in TABLES[table].required):
            return table
    return None


def kept_apart(seen: Look) -> Sentence | None:
    """Why a raw table is kept apart from the tables it resembles, or None if it is not one of these kinds.

    A kind that Klientel has a table for is kept apart only if it lacks what that table needs.
    """
    kind = kind_of(seen)
    if kind is None or selling_table(seen) is not None:
        return None
    if kind[1] & FIELDS.keys():
        return say("{kind}: no sales, and too little of it was recognised to be used", kind=kind[0])
    return say("{kind}: no sales, and not used yet", kind=kind[0])


def _stage_history(seen: Look) -> bool:
    """Several rows per deal with a stage and a day each, and none of what a list of deals has."""
    if seen.has("deal_no", "stage") < 2 or seen.row == "opportunity":
        return False
    listed = seen.has(
        "deal_amount", "amount", "net", "revenue", "probability", "loss_reason", "customer_name"
    )
    return listed == 0 and any(e.is_date for e in seen.evidence.values())


def _parts(header: str) -> set[str]:
    found = words(header)
    return {*found, *(a + b for a, b in pairwise(found))}
