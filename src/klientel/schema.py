"""Canonical tables and columns (handbook E): what any company file is mapped to.

`TABLES` is the one description used by recognition, checks, docs and, later, the record models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from klientel.words import mark

Kind = Literal["key", "text", "money", "number", "integer", "share", "date", "flag", "currency"]


@dataclass(frozen=True)
class Field:
    """One canonical column: its name, kind, reader's title, unit, and who may see it.

    personal: personal data; cost: a cost or margin. Both are shown only to those who may see them.
    """

    name: str
    kind: Kind
    title: str
    meaning: str = ""
    unit: str = ""
    personal: bool = False
    cost: bool = False


@dataclass(frozen=True)
class Entity:
    """One canonical table. `required`: groups of columns; of each group at least one must be present."""

    name: str
    title: str
    fields: tuple[Field, ...]
    required: tuple[tuple[str, ...], ...]
    key: tuple[str, ...] = ()

    def field(self, name: str) -> Field:
        """The field of that name; KeyError if there is none."""
        return self._by_name()[name]

    def names(self) -> tuple[str, ...]:
        """Names of all fields, in order."""
        return tuple(f.name for f in self.fields)

    def _by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}


def _f(
    name: str,
    kind: Kind,
    title: str,
    meaning: str = "",
    *,
    unit: str = "",
    personal: bool = False,
    cost: bool = False,
) -> Field:
    return Field(name, kind, title, meaning, unit, personal, cost)


_CUSTOMER = Entity(
    "customer",
    mark("Customers"),
    (
        _f("customer_id", "key", mark("Customer number")),
        _f("name", "text", mark("Customer")),
        _f("legal_form", "text", mark("Legal form")),
        _f("parent_customer_id", "key", mark("Parent company")),
        _f("group_id", "key", mark("Group")),
        _f("industry_code", "text", mark("Industry")),
        _f("employees", "integer", mark("Employees")),
        _f("annual_revenue", "money", mark("Annual revenue of the customer")),
        _f("size_class", "text", mark("Size class")),
        _f("country", "text", mark("Country")),
        _f("region", "text", mark("Region")),
        _f("city", "text", mark("City")),
        _f("postcode", "text", mark("Postcode")),
        _f("street", "text", mark("Street")),
        _f("phone", "text", mark("Phone")),
        _f("email", "text", mark("E-mail"), personal=True),
        _f("website", "text", mark("Website")),
        _f("contact_name", "text", mark("Contact person"), personal=True),
        _f("vat_id", "text", mark("VAT number")),
        _f("acquired_on", "date", mark("Customer since")),
        _f("acquisition_channel", "text", mark("Acquisition channel")),
        _f("owner_rep_id", "key", mark("Owner")),
        _f("relation_type", "text", mark("Relation"), mark("customer, lead, prospect, partner, former")),
        _f("manual_status", "text", mark("Status set by hand")),
        _f("contract_type", "text", mark("Contract type")),
        _f("segment", "text", mark("Segment")),
        _f("credit_rating", "text", mark("Credit rating")),
        _f("year_established", "integer", mark("Founded")),
    ),
    (("customer_id", "name"),),
    ("customer_id",),
)

_ORDER_HEADER = Entity(
    "order_header",
    mark("Orders"),
    (
        _f("order_id", "key", mark("Order number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("order_date", "date", mark("Order date")),
        _f("invoice_date", "date", mark("Invoice date")),
        _f("currency", "currency", mark("Currency")),
        _f("channel", "text", mark("Channel")),
        _f("rep_id", "key", mark("Sales person")),
        _f("contract_id", "key", mark("Contract number")),
        _f(
            "net_amount", "money", mark("Net amount"), mark("value of the whole order, if there are no lines")
        ),
        _f("freight", "money", mark("Freight")),
        _f("status", "text", mark("Order status")),
        _f("country", "text", mark("Country")),
    ),
    (("order_id",), ("customer_id", "customer_name")),
    ("order_id",),
)

_ORDER_LINE = Entity(
    "order_line",
    mark("Order lines"),
    (
        _f("order_id", "key", mark("Order number")),
        _f("line_no", "text", mark("Line")),
        _f("customer_id", "key", mark("Customer number"), mark("if the file has no separate order headers")),
        _f("customer_name", "text", mark("Customer")),
        _f("order_date", "date", mark("Order date"), mark("date of the order or invoice")),
        _f("product_id", "key", mark("Product number")),
        _f("product_name", "text", mark("Product")),
        _f("product_group_id", "text", mark("Product group")),
        _f("qty", "number", mark("Quantity")),
        _f("uom", "text", mark("Unit of measure")),
        _f("list_price", "money", mark("List price"), unit="per unit"),
        _f(
            "invoice_price",
            "money",
            mark("Price"),
            mark("price per unit before the discount of the line"),
            unit="per unit",
        ),
        _f("discount_share", "share", mark("Discount"), mark("fraction of the price, 0.15 or 15 %")),
        _f("on_invoice_discount", "money", mark("Discount amount"), mark("of the whole line")),
        _f("direct_cost", "money", mark("Direct cost"), mark("of the whole line"), cost=True),
        _f("unit_cost", "money", mark("Cost per unit"), unit="per unit", cost=True),
        _f("net_amount", "money", mark("Net amount"), mark("of the line, after discounts, without VAT")),
        _f("margin", "money", mark("Margin"), mark("contribution of the line"), cost=True),
        _f(
            "margin_share",
            "share",
            mark("Margin share"),
            mark("margin as a fraction of the net amount"),
            cost=True,
        ),
        _f("currency", "currency", mark("Currency")),
        _f("rep_id", "key", mark("Sales person")),
        _f("channel", "text", mark("Channel")),
        _f("kind", "text", mark("Document type"), mark("invoice, credit note, cancellation, return")),
        _f(
            "original_order_id",
            "key",
            mark("Credited order"),
            mark("the order that a credit note belongs to"),
        ),
        _f("country", "text", mark("Country")),
        _f("period", "text", mark("Period"), mark("year, quarter or month if there is no day")),
    ),
    (("net_amount", "invoice_price", "qty", "margin"),),
    ("order_id", "line_no"),
)

_CREDIT_NOTE_LINE = Entity(
    "credit_note_line",
    mark("Credit notes"),
    (
        _f("credit_id", "key", mark("Credit note number")),
        _f("line_no", "text", mark("Line")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("original_order_id", "key", mark("Credited order")),
        _f("date", "date", mark("Date")),
        _f("product_id", "key", mark("Product number")),
        _f("qty", "number", mark("Quantity")),
        _f("net_amount", "money", mark("Net amount"), mark("positive = reduction")),
        _f("reason", "text", mark("Reason")),
        _f("currency", "currency", mark("Currency")),
    ),
    (("credit_id", "original_order_id"), ("date",), ("net_amount",)),
    ("credit_id", "line_no"),
)

_PRODUCT = Entity(
    "product",
    mark("Products"),
    (
        _f("product_id", "key", mark("Product number")),
        _f("name", "text", mark("Product")),
        _f("product_group_id", "text", mark("Product group")),
        _f("list_price", "money", mark("List price"), unit="per unit"),
        _f("standard_cost", "money", mark("Standard cost"), unit="per unit", cost=True),
        _f("uom", "text", mark("Unit of measure")),
        _f("discontinued", "flag", mark("Discontinued")),
    ),
    (("product_id", "name"),),
    ("product_id",),
)

_PRODUCT_GROUP = Entity(
    "product_group",
    mark("Product groups"),
    (_f("product_group_id", "key", mark("Product group")), _f("name", "text", mark("Name"))),
    (("product_group_id",), ("name",)),
    ("product_group_id",),
)

_CONTRACT = Entity(
    "project_contract",
    mark("Contracts"),
    (
        _f("contract_id", "key", mark("Contract number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("signed_on", "date", mark("Signed on")),
        _f("start", "date", mark("Start")),
        _f("end", "date", mark("End")),
        _f("type", "text", mark("Contract type")),
        _f("recurring_amount", "money", mark("Recurring amount"), mark("per period of the contract")),
        _f("period_months", "integer", mark("Months per period"), unit="months"),
        _f("one_off_amount", "money", mark("One-off amount")),
        _f("total_amount", "money", mark("Amount charged so far")),
        _f("tenure_months", "integer", mark("Months since the start"), unit="months"),
        _f("auto_renew", "flag", mark("Renews by itself")),
        _f("notice_days", "integer", mark("Notice period"), unit="days"),
        _f("min_term_months", "integer", mark("Minimum term"), unit="months"),
        _f("indexation_rule", "text", mark("Indexation")),
        _f("renewal_of", "key", mark("Renewal of"), mark("the contract that this one follows")),
        _f("deliverables", "text", mark("Deliverables")),
        _f("ended", "flag", mark("Ended"), mark("as of the export")),
        _f("status", "text", mark("Contract status"), mark("as of the export")),
        _f(
            "cancelled_on",
            "date",
            mark("Notice given on"),
            mark("the day it was given, not the day it takes effect"),
        ),
        _f("ended_on", "date", mark("Ended on"), mark("the day it really ended, where that is not its end")),
        _f("currency", "currency", mark("Currency")),
    ),
    (("customer_id", "customer_name"), ("recurring_amount", "start", "end", "signed_on", "total_amount")),
    ("contract_id",),
)

_OPPORTUNITY = Entity(
    "opportunity",
    mark("Opportunities"),
    (
        _f("opportunity_id", "key", mark("Opportunity number")),
        _f("name", "text", mark("Opportunity")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("created_on", "date", mark("Created on")),
        _f("close_date", "date", mark("Closed on")),
        _f("amount", "money", mark("Amount")),
        _f("currency", "currency", mark("Currency")),
        _f("stage", "text", mark("Stage")),
        _f("outcome", "text", mark("Outcome"), mark("won, lost, open, no decision, abandoned")),
        _f("probability", "share", mark("Probability")),
        _f("kind", "text", mark("Kind"), mark("new, expansion, renewal")),
        _f("product_id", "key", mark("Product number")),
        _f("rep_id", "key", mark("Sales person")),
        _f("source_channel", "text", mark("Source")),
        _f("loss_reason", "text", mark("Reason for the loss")),
        _f("competitor", "text", mark("Competitor")),
    ),
    (("stage", "outcome"), ("opportunity_id", "name", "amount")),
    ("opportunity_id",),
)

_CONTACT = Entity(
    "contact",
    mark("Contacts"),
    (
        _f("contact_id", "key", mark("Contact number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("first_name", "text", mark("First name"), personal=True),
        _f("name", "text", mark("Name"), personal=True),
        _f("role", "text", mark("Role")),
        _f("department", "text", mark("Department")),
        _f("email", "text", mark("E-mail"), personal=True),
        _f("phone", "text", mark("Phone"), personal=True),
        _f("consent_marketing", "flag", mark("Consent to marketing")),
        _f("buying_role", "text", mark("Buying role"), mark("decides, advises, uses, buys, blocks")),
        _f("language", "text", mark("Language")),
        _f("active_to", "date", mark("Active until")),
    ),
    (("contact_id", "email", "name"), ("name", "email")),
    ("contact_id",),
)

_INTERACTION = Entity(
    "interaction",
    mark("Interactions"),
    (
        _f("interaction_id", "key", mark("Interaction number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("contact_id", "key", mark("Contact number")),
        _f("lead_id", "key", mark("Lead number")),
        _f("opportunity_id", "key", mark("Opportunity number")),
        _f("campaign_id", "key", mark("Campaign number")),
        _f("rep_id", "key", mark("Sales person")),
        _f("ts", "date", mark("Date")),
        _f("type", "text", mark("Type"), mark("call, visit, meeting, e-mail, demo, offer, event")),
        _f("direction", "text", mark("Direction"), mark("in or out")),
        _f("duration_min", "number", mark("Duration"), unit="minutes"),
        _f("cost", "money", mark("Cost"), cost=True),
        _f("outcome", "text", mark("Outcome")),
    ),
    (("ts",), ("type", "duration_min")),
    ("interaction_id",),
)

_LEAD = Entity(
    "lead",
    mark("Leads"),
    (
        _f("lead_id", "key", mark("Lead number")),
        _f("name", "text", mark("Name"), personal=True),
        _f("company", "text", mark("Company")),
        _f("created_on", "date", mark("Created on")),
        _f("channel", "text", mark("Channel")),
        _f("status", "text", mark("Status")),
        _f("email", "text", mark("E-mail"), personal=True),
        _f("phone", "text", mark("Phone"), personal=True),
        _f("customer_id", "key", mark("Customer number")),
        _f("rep_id", "key", mark("Sales person")),
        _f("campaign_id", "key", mark("Campaign number")),
        _f("converted_on", "date", mark("Converted on")),
        _f("opportunity_id", "key", mark("Opportunity number")),
    ),
    (("lead_id",), ("created_on", "status")),
    ("lead_id",),
)

_REP = Entity(
    "rep",
    mark("Sales people"),
    (
        _f("rep_id", "key", mark("Sales person")),
        _f("first_name", "text", mark("First name"), personal=True),
        _f("name", "text", mark("Name"), personal=True),
        _f("team_id", "text", mark("Team")),
        _f("reports_to", "key", mark("Manager")),
        _f("region", "text", mark("Region")),
        _f("capacity_hours_month", "number", mark("Hours per month"), unit="hours"),
        _f("cost_hour", "money", mark("Cost per hour"), cost=True),
    ),
    (("rep_id", "name"),),
    ("rep_id",),
)

_SUCCESSION = Entity(
    "customer_succession",
    mark("Successions"),
    (
        _f("from_id", "key", mark("Former customer number")),
        _f("to_id", "key", mark("New customer number")),
        _f("valid_from", "date", mark("Valid from")),
        _f("share", "share", mark("Share")),
        _f("kind", "text", mark("Kind"), mark("merge, split, duplicate")),
    ),
    (("from_id",), ("to_id",)),
    ("from_id", "to_id", "valid_from"),
)

_FX_RATE = Entity(
    "fx_rate",
    mark("Exchange rates"),
    (
        _f("date", "date", mark("Date")),
        _f("from_currency", "currency", mark("From")),
        _f("to_currency", "currency", mark("To")),
        _f("rate", "number", mark("Rate"), mark("1 unit of From = rate units of To")),
        _f("kind", "text", mark("Kind"), mark("average or closing")),
    ),
    (("date",), ("from_currency",), ("to_currency",), ("rate",)),
    ("date", "from_currency", "to_currency", "kind"),
)

_STAGES = Entity(
    "opportunity_stage_hist",
    mark("Stage history"),
    (
        _f("opportunity_id", "key", mark("Opportunity number")),
        _f("stage", "text", mark("Stage")),
        _f(
            "entered_on",
            "date",
            mark("Entered on"),
            mark("the day on which the opportunity came into the stage"),
        ),
        _f("rep_id", "key", mark("Sales person")),
    ),
    (("opportunity_id",), ("stage",), ("entered_on",)),
    ("opportunity_id", "stage", "entered_on"),
)

_CAMPAIGN = Entity(
    "campaign",
    mark("Campaigns"),
    (
        _f("campaign_id", "key", mark("Campaign number")),
        _f("name", "text", mark("Campaign")),
        _f("channel", "text", mark("Channel")),
        _f("start", "date", mark("Start")),
        _f("end", "date", mark("End")),
        _f("cost", "money", mark("Cost"), cost=True),
        _f("currency", "currency", mark("Currency")),
    ),
    (("campaign_id", "name"),),
    ("campaign_id",),
)

_SURVEY_RESPONSE = Entity(
    "survey_response",
    mark("Survey answers"),
    (
        _f("response_id", "key", mark("Answer number")),
        _f("survey_id", "key", mark("Survey"), mark("the wave that the answer belongs to")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("contact_id", "key", mark("Contact number")),
        _f("answered_on", "date", mark("Answered on")),
        _f("question", "text", mark("Question")),
        _f("score", "number", mark("Score"), mark("0 to 10 for recommendation")),
        _f("text", "text", mark("Comment"), personal=True),
    ),
    (("score",), ("answered_on", "survey_id")),
    ("response_id",),
)

_TOUCHPOINT = Entity(
    "touchpoint",
    mark("Touchpoints"),
    (
        _f("touch_id", "key", mark("Touchpoint number")),
        _f("ts", "date", mark("Date")),
        _f("channel", "text", mark("Channel")),
        _f("kind", "text", mark("Kind"), mark("impression, visit, click, event, mail sent, mail click, ad")),
        _f("campaign_id", "key", mark("Campaign number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("lead_id", "key", mark("Lead number")),
        _f("visitor_id", "key", mark("Visitor"), personal=True),
    ),
    (("ts",), ("channel", "kind")),
    ("touch_id",),
)

_USAGE = Entity(
    "usage_event_daily",
    mark("Product usage"),
    (
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("product_id", "key", mark("Product number")),
        _f(
            "user_hash",
            "key",
            mark("User"),
            mark("not a name: a code that stands for a person"),
            personal=True,
        ),
        _f("day", "date", mark("Date")),
        _f("events", "integer", mark("Events")),
        _f("core_events", "integer", mark("Core events"), mark("events that show real use")),
        _f("minutes", "number", mark("Minutes"), unit="minutes"),
    ),
    (("customer_id", "customer_name"), ("day",), ("events", "minutes")),
    ("customer_id", "product_id", "user_hash", "day"),
)

_COST_EVENT = Entity(
    "cost_event",
    mark("Cost events"),
    (
        _f("event_id", "key", mark("Cost event number")),
        _f("customer_id", "key", mark("Customer number")),
        _f("customer_name", "text", mark("Customer")),
        _f("activity_code", "text", mark("Activity")),
        _f("ts", "date", mark("Date")),
        _f("minutes", "number", mark("Minutes"), unit="minutes"),
        _f("amount", "money", mark("Cost"), cost=True),
        _f("currency", "currency", mark("Currency")),
    ),
    (("customer_id", "customer_name"), ("amount", "minutes")),
    ("event_id",),
)

TABLES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        _CUSTOMER,
        _ORDER_HEADER,
        _ORDER_LINE,
        _CREDIT_NOTE_LINE,
        _PRODUCT,
        _PRODUCT_GROUP,
        _CONTRACT,
        _OPPORTUNITY,
        _CONTACT,
        _INTERACTION,
        _LEAD,
        _REP,
        _SUCCESSION,
        _FX_RATE,
        _STAGES,
        _CAMPAIGN,
        _SURVEY_RESPONSE,
        _TOUCHPOINT,
        _USAGE,
        _COST_EVENT,
    )
}

# Spellings of tables and columns that people use with --map and that mean one of ours.
TABLE_ALIASES: dict[str, str] = {
    "customers": "customer",
    "accounts": "customer",
    "companies": "customer",
    "orders": "order_header",
    "invoices": "order_header",
    "order_lines": "order_line",
    "lines": "order_line",
    "sales": "order_line",
    "transactions": "order_line",
    "purchases": "order_line",
    "credit_notes": "credit_note_line",
    "products": "product",
    "contracts": "project_contract",
    "contract": "project_contract",
    "deals": "opportunity",
    "opportunities": "opportunity",
    "contacts": "contact",
    "interactions": "interaction",
    "activities": "interaction",
    "leads": "lead",
    "reps": "rep",
    "rates": "fx_rate",
}
COLUMN_ALIASES: dict[str, dict[str, str]] = {
    "order_line": {
        "customer": "customer_id",
        "revenue": "net_amount",
        "amount": "net_amount",
        "value": "net_amount",
        "date": "order_date",
        "invoice_date": "order_date",
        "quantity": "qty",
        "price": "invoice_price",
        "unit_price": "invoice_price",
        "product": "product_id",
        "discount": "discount_share",
        "cost": "direct_cost",
        "name": "customer_name",
    },
    "order_header": {"customer": "customer_id", "date": "order_date", "amount": "net_amount"},
    "customer": {
        "id": "customer_id",
        "industry": "industry_code",
        "owner": "owner_rep_id",
        "size": "size_class",
    },
    "opportunity": {
        "customer": "customer_id",
        "created": "created_on",
        "closed": "close_date",
        "value": "amount",
    },
}


# Columns of a customer that name or reach it; every other column divides customers into kinds.
NOT_AN_ATTRIBUTE = frozenset(
    {
        "customer_id",
        "name",
        "status_reason",
        "manual_status",
        "street",
        "phone",
        "website",
        "vat_id",
        "owner_rep_id",
    }
    | {field.name for field in _CUSTOMER.fields if field.personal}
)


def attributes(columns: Iterable[str]) -> list[str]:
    """The columns of `customers` that divide them into kinds: no numbers of theirs, no addresses, no persons."""
    return [c for c in columns if c not in NOT_AN_ATTRIBUTE]
