"""What is true about marketing and sales because it was drawn: outcomes still to come, laws, yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klientel.demo.columns import NEVER, dates, decimals, numbered, texts
from klientel.demo.customers import customer_ids
from klientel.demo.days import Span
from klientel.demo.deals import WON, stays
from klientel.demo.market import Market
from klientel.demo.selling import CHANNELS, EXPANSION, KINDS, NEW, STAGES, Selling

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SalesTruth:
    """Truth of marketing and sales; the laws themselves stand in `selling`.

    deals: opportunity_id, kind, closes_on and won as they truly come, after the data too, and days in each
    stage (NULL where skipped or not reached). effort: customer_id, interactions_per_year (its law) and
    time_taker. campaigns: campaign_id, leads, deals, won and won_amount before the end of the data.
    win_rate: stated probability by (kind, source); renewals have none of their own, the contracts decide.
    stage_days: stated median by (kind, stage), without renewals. nps: per wave, of those who answered.
    asked: people asked per wave.
    """

    selling: Selling
    deals: pa.Table
    effort: pa.Table
    campaigns: pa.Table
    win_rate: dict[tuple[str, str], float]
    stage_days: dict[tuple[str, str], float]
    nps: tuple[float, ...]
    asked: tuple[int, ...]

    def __eq__(self, other: object) -> bool:
        """Equal if every table and number is."""
        return isinstance(other, SalesTruth) and vars(self) == vars(other)

    def __hash__(self) -> int:
        """By the laws it was drawn from."""
        return hash(self.selling)


def tell_sales_truth(market: Market, customers: int, span: Span, selling: Selling) -> SalesTruth:
    """Lay out what was drawn."""
    import pyarrow as pa

    surveys, effort = market.surveys, market.effort
    nps = []
    for wave in range(len(surveys.day)):
        score = surveys.score[surveys.wave == wave]
        nps.append(100.0 * float((score >= 9).mean() - (score <= 6).mean()) if len(score) else float("nan"))
    win = {("new", name): selling.win_new[k] for k, name in enumerate(CHANNELS)}
    win["expansion", "existing customer"] = selling.win_expansion
    days = {
        (KINDS[kind], stage): selling.stage_days[k] * selling.pace[kind]
        for kind in (NEW, EXPANSION)
        for k, stage in enumerate(STAGES)
    }
    return SalesTruth(
        selling,
        _deals(market),
        pa.table(
            {
                "customer_id": texts(customer_ids(customers)),
                "interactions_per_year": pa.array(effort.rate),
                "time_taker": pa.array(effort.time_taker),
            }
        ),
        _yields(market, span),
        win,
        days,
        tuple(nps),
        tuple(surveys.asked.tolist()),
    )


def _deals(market: Market) -> pa.Table:
    import pyarrow as pa

    deals = market.deals
    days = stays(deals)
    named = {
        f"days_{stage.lower().replace(' ', '_')}": pa.array(days[:, k], from_pandas=True)
        for k, stage in enumerate(STAGES)
    }
    return pa.table(
        {
            "opportunity_id": texts(numbered("O", np.arange(1, len(deals) + 1), 5)),
            "kind": pa.array([KINDS[k] for k in deals.kind.tolist()], type=pa.string()),
            "closes_on": dates(deals.closed),
            "won": pa.array(deals.result == WON),
            **named,
        }
    )


def _yields(market: Market, span: Span) -> pa.Table:
    """Leads, deals and won deals of each campaign, by the campaign of the lead that a deal came from."""
    import pyarrow as pa

    leads, deals, n = market.leads, market.deals, len(market.campaigns.ids)
    known = leads.campaign >= 0
    with_deal = known & (leads.deal >= 0)
    deal = leads.deal[with_deal]
    won = (deals.result[deal] == WON) & (deals.closed[deal] < min(span.end, NEVER))
    where = leads.campaign[with_deal]
    amount = np.zeros(n, dtype=np.int64)
    np.add.at(amount, where[won], deals.amount[deal[won]])
    return pa.table(
        {
            "campaign_id": texts(market.campaigns.ids),
            "leads": pa.array(np.bincount(leads.campaign[known], minlength=n)),
            "deals": pa.array(np.bincount(where, minlength=n)),
            "won": pa.array(np.bincount(where[won], minlength=n)),
            "won_amount": decimals(amount),
        }
    )
