"""The kinds of records that the API offers. A new kind is one line; everything else comes from its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from klientel.web.records import models as m
from klientel.words import Word, mark


@dataclass(frozen=True)
class Kind:
    """A kind: the word in addresses, its model, its title, the columns that `search` looks into (without `folded`).

    fixed: columns that are read only, because something else decides them.
    """

    name: str
    model: Any
    title: Word
    search: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("companies", m.Company, mark("Companies")),
        Kind("contacts", m.Contact, mark("Contacts")),
        Kind("contracts", m.Contract, mark("Contracts"), ("number", "type")),
        Kind("leads", m.Lead, mark("Leads"), fixed=("converted_on", "opportunity_id")),
        Kind("deals", m.Opportunity, mark("Deals")),
        Kind("interactions", m.Interaction, mark("Interactions"), ("outcome", "text")),
        Kind("tasks", m.Task, mark("Tasks")),
        Kind("notes", m.Note, mark("Notes"), ("purpose", "text")),
        Kind("competitors", m.CompetitorObservation, mark("Competitor observations"), ("competitor", "text")),
        Kind("campaigns", m.Campaign, mark("Campaigns")),
        Kind("products", m.Product, mark("Products")),
        Kind("product-groups", m.ProductGroup, mark("Product groups"), ("name", "number")),
        Kind("surveys", m.Survey, mark("Surveys"), ("name", "number")),
        Kind("answers", m.SurveyAnswer, mark("Survey answers"), ("question", "text")),
        Kind("reps", m.Rep, mark("Sales people"), fixed=("user_id",)),
    )
}
OF_MODEL: dict[str, Kind] = {kind.model.__name__: kind for kind in KINDS.values()}
