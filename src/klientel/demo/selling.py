"""The stated distributions of marketing and sales: contacts, leads, deals, effort, surveys, visits, usage, costs."""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = ("trade fair", "recommendation", "website", "cold call", "partner")
"""Where leads come from; the same words as the acquisition channel of customers."""
STAGES = ("Qualification", "Needs analysis", "Proposal", "Negotiation")
CLOSED = ("Closed Won", "Closed Lost", "No decision")
KINDS = ("new", "expansion", "renewal")
NEW, EXPANSION, RENEWAL = range(3)


@dataclass(frozen=True)
class Touch:
    """A way of talking to a customer: share of all, median minutes, what it comes to and how often."""

    name: str
    share: float
    minutes: float
    outcomes: tuple[tuple[str, float], ...]


_PHONE = (("reached", 0.46), ("not reached", 0.24), ("appointment made", 0.14), ("asked for an offer", 0.16))
_ROOM = (("informed", 0.42), ("asked for an offer", 0.27), ("order announced", 0.18), ("complaint", 0.13))
_WRITTEN = (("answered", 0.55), ("no answer", 0.45))
_CROWD = (("informed", 0.60), ("contact details", 0.30), ("appointment made", 0.10))

TOUCHES = (
    Touch("call", 0.36, 11.0, _PHONE),
    Touch("e-mail", 0.27, 7.0, _WRITTEN),
    Touch("visit", 0.18, 95.0, _ROOM),
    Touch("meeting", 0.08, 50.0, _ROOM),
    Touch("trade fair", 0.03, 25.0, _CROWD),
    Touch("door-to-door", 0.03, 15.0, _CROWD),
    Touch("social media", 0.05, 8.0, _WRITTEN),
)
LOSS_REASONS = ("price", "delivery time", "technical requirements", "budget cancelled", "stays with supplier")
COMPETITORS = ("Velmotor Drives", "Talgrund Getriebe", "Quintor Motion", "Brendal Fördersysteme")


@dataclass(frozen=True)
class Selling:
    """Parameters of marketing and sales. Tuples run over CHANNELS, STAGES, size classes or KINDS as named.

    A deal stays in a stage for lognormal(median, `stage_sigma`) days, whatever comes of it, times the pace
    of its kind. New business is won with the probability of its channel; a deal that is not won ends in
    stage k with probability `leaves[k]`, and `no_decision` of those without a decision.
    """

    contacts: tuple[tuple[int, int], ...] = ((1, 2), (1, 4), (2, 5), (3, 6))  # by size class, uniform
    consent: float = 0.58  # of the contacts once agreed to marketing,
    consent_withdrawn: float = 0.12  # and of those this share took it back
    contact_left: float = 0.07
    # leads
    qualified: tuple[float, ...] = (0.42, 0.75, 0.40, 0.30, 0.60)  # by channel: lead -> deal
    lead_days: tuple[float, ...] = (24.0, 8.0, 6.0, 30.0, 14.0)  # by channel: median days from lead to deal
    response_hours: tuple[float, float] = (
        9.0,
        26.0,
    )  # median until the first answer: qualified, not qualified
    response_sigma: float = 1.1
    never_answered: float = 0.06  # of the leads that were not qualified
    # deals
    win_new: tuple[float, ...] = (0.34, 0.52, 0.28, 0.18, 0.40)  # by channel
    win_expansion: float = 0.46
    expansions: tuple[float, ...] = (0.10, 0.22, 0.55, 1.1)  # deals a year and customer, by size class
    expansion_share: tuple[float, float] = (0.22, 0.7)  # of a year's purchases: median and sigma
    new_share: tuple[float, float] = (0.60, 0.6)
    stage_days: tuple[float, ...] = (14.0, 21.0, 30.0, 18.0)  # medians of new business, by stage
    stage_sigma: float = 0.65
    pace: tuple[float, ...] = (1.0, 0.7, 0.5)  # by kind
    skips_needs: tuple[float, ...] = (0.05, 0.20, 0.60)  # by kind: no needs analysis
    leaves: tuple[float, ...] = (0.34, 0.24, 0.28, 0.14)  # by stage, of those not won
    no_decision: float = 0.22  # of those not won
    renewal_lead: int = 90  # days before the end of a framework contract that its renewal is opened
    reason: tuple[float, ...] = (0.36, 0.18, 0.17, 0.14, 0.15)  # by LOSS_REASONS
    competitor_won: float = 0.35  # of the deals won somebody else was seen in
    competitor_lost: float = 0.70
    competitor: tuple[float, ...] = (0.38, 0.28, 0.22, 0.12)  # by COMPETITORS
    # effort
    touches: tuple[float, ...] = (2.0, 4.5, 9.0, 20.0)  # interactions a year and customer, by size class
    touch_shape: float = 2.0  # gamma
    time_takers: float = 0.05  # share of the smaller customers who take much more time
    time_taken: float = 7.0  # times as many interactions
    deal_touches: float = 1.3  # interactions per stage of a deal, Poisson
    minutes_sigma: float = 0.45
    handover: float = 0.30  # share of a seller's customers that changed hands when a colleague came
    moved: float = 0.03  # of all customers moved for other reasons
    # campaigns: cost in EUR
    fair_cost: tuple[float, float] = (26_000.0, 0.25)  # median and sigma
    fairs: int = 2  # a year
    web_cost: tuple[float, float] = (5_500.0, 0.2)  # a quarter
    phone_cost: tuple[float, float] = (9_000.0, 0.2)  # a half year
    partner_cost: tuple[float, float] = (7_500.0, 0.2)  # a year
    recommendation_cost: tuple[float, float] = (2_400.0, 0.2)  # a year
    # surveys: 0-10, once a year
    survey_month: int = 5
    answers: float = 0.31  # response rate
    score: tuple[float, float] = (8.1, 1.8)  # normal, rounded, 0 to 10
    score_before_leaving: float = -2.4  # of those who leave within a year
    # visits and usage
    visits: tuple[float, ...] = (1.2, 2.0, 4.0, 8.0)  # on the website, a year and customer, by size class
    bots: float = 0.04
    users: tuple[int, ...] = (1, 2, 3, 5)  # of remote support, by size class
    use_days: float = 4.5  # a month and user
    use_decline: float = 0.5  # of use that remains in the last half year before a customer leaves


SELLING = Selling()
