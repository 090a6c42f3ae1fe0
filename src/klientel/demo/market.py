"""Marketing and sales of the firm, drawn from the same customers, each kind of record with its own stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.campaigns import Campaigns, draw_campaigns
from klientel.demo.catalogue import Catalogue
from klientel.demo.columns import Ints
from klientel.demo.contacts import Contacts, draw_contacts
from klientel.demo.contracts import Contracts
from klientel.demo.costs import draw_costs
from klientel.demo.days import Span
from klientel.demo.deal_tables import deal_tables
from klientel.demo.deals import Deals, draw_deals
from klientel.demo.effort import Effort, draw_effort
from klientel.demo.handovers import Handovers, draw_handovers
from klientel.demo.leads import Leads, draw_leads
from klientel.demo.population import Population
from klientel.demo.sellers import IDS
from klientel.demo.settings import Settings
from klientel.demo.voices import Surveys, draw_surveys, draw_touchpoints, draw_usage

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Market:
    """The tables of marketing and sales under their names, and what they were drawn from."""

    tables: Mapping[str, pa.Table]
    contacts: Contacts
    campaigns: Campaigns
    leads: Leads
    deals: Deals
    effort: Effort
    handovers: Handovers
    surveys: Surveys


def draw_market(
    draw: Mapping[str, np.random.Generator],
    people: Population,
    customers: pa.Table,
    contracts: Contracts,
    catalogue: Catalogue,
    owner: Ints,
    span: Span,
    settings: Settings,
) -> Market:
    """Contacts, campaigns, leads, deals, interactions, handovers, surveys, visits, usage and cost pools."""
    selling = settings.selling
    contacts = draw_contacts(draw["contacts"], customers, people, span, settings)
    campaigns = draw_campaigns(draw["campaigns"], span, settings)
    deals = draw_deals(draw["deals"], people, customers, contracts, span, selling)
    leads = draw_leads(draw["leads"], deals, customers, campaigns, span, selling)
    opportunity, stages, observed = deal_tables(
        draw["deals"], deals, leads, people, customers, contracts, span, selling
    )
    handovers = draw_handovers(draw["handovers"], people, owner, span, selling)
    everybody = np.concatenate(
        [owner, [IDS.index(o) for o in customers["owner_rep_id"].to_pylist()[len(people) :]]]
    )
    effort = draw_effort(draw["effort"], people, contacts, deals, everybody, handovers, span, selling)
    surveys = draw_surveys(draw["surveys"], people, contacts, span, selling)
    tables = {
        "contact": contacts.table,
        "campaign": campaigns.table,
        "lead": leads.table,
        "opportunity": opportunity,
        "opportunity_stage_hist": stages,
        "interaction": effort.table,
        "competitor_observation": observed,
        "customer_attribute_hist": handovers.table,
        "survey_response": surveys.table,
        "touchpoint": draw_touchpoints(draw["touchpoints"], people, leads, campaigns, span, selling),
        "usage_event_daily": draw_usage(draw["usage"], people, catalogue, span, selling),
        "cost_pool": draw_costs(draw["costs"], len(people), span),
    }
    return Market(tables, contacts, campaigns, leads, deals, effort, handovers, surveys)
