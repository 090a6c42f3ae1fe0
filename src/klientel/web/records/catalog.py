"""The kinds of records as lists show them: one declaration each; everything else follows from the models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models

from klientel import status
from klientel.web.records import kinds
from klientel.web.records import models as m
from klientel.web.records.fields import Exact
from klientel.web.records.values import SHARES, columns, field_title, name_of
from klientel.words import Word, mark


@dataclass(frozen=True)
class Kind:
    """A kind of record: its address, its names, and how its list begins.

    columns: shown unless somebody chooses others; order: the column it is sorted by, "-" for descending; filters:
    offered first; groups: attributes that it is counted by; sums: added up then; picks: texts of few values, offered
    as choices; bulk: what may be changed for many at once; folds: `folded` holds personal data.
    """

    slug: str
    model: Any
    title: Word
    one: Word
    icon: str
    columns: tuple[str, ...]
    order: str
    filters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    picks: tuple[str, ...] = ()
    bulk: tuple[str, ...] = ()
    folds: bool = False
    name: str = "name"  # the column that stands for the record and leads to it
    form: tuple[str, ...] = ()  # what a form asks first


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(
            "companies", m.Company, mark("Companies"), mark("Company"), "building-office-2",
            ("name", "number", "city", "industry_code", "owner_id", "segment", "manual_status"), "name",
            ("owner_id", "segment", "manual_status", "relation_type", "industry_code", "country", "region", "city",
             "size_class", "employees", "annual_revenue", "acquired_on", "acquisition_channel"),
            ("owner_id", "segment", "industry_code", "country", "region", "city", "size_class", "relation_type",
             "manual_status", "contract_type", "acquisition_channel", "credit_rating"),
            ("annual_revenue", "employees"),
            ("segment", "industry_code", "country", "region", "size_class", "acquisition_channel", "contract_type",
             "credit_rating", "group"),
            ("owner_id", "segment", "manual_status", "relation_type", "size_class", "industry_code", "region",
             "contract_type", "acquisition_channel", "credit_rating"),
            form=("name", "legal_form", "number", "owner_id", "segment", "street", "postcode", "city", "country",
                  "phone", "email", "website"),
        ),
        Kind(
            "contacts", m.Contact, mark("Contacts"), mark("Contact"), "users",
            ("name", "first_name", "company_id", "role", "email", "phone"), "name",
            ("company_id", "role", "department", "buying_role", "consent_marketing", "language", "active_to"),
            ("role", "department", "buying_role", "language", "consent_marketing"), (),
            ("role", "department", "buying_role", "language"), ("role", "department", "buying_role", "language"),
            folds=True,
            form=("company_id", "first_name", "name", "role", "department", "email", "phone", "buying_role"),
        ),
        Kind(
            "contracts", m.Contract, mark("Contracts"), mark("Contract"), "document-text",
            ("number", "company_id", "type", "start", "end", "recurring_amount", "status"), "-end",
            ("company_id", "type", "status", "start", "end", "recurring_amount", "auto_renew", "ended",
             "cancelled_on", "ended_on"),
            ("type", "status", "auto_renew", "ended", "currency"), ("recurring_amount", "one_off_amount"),
            ("type", "status", "currency", "indexation_rule"), ("type", "status", "auto_renew", "ended"),
            name="number",
            form=("company_id", "type", "number", "signed_on", "start", "end", "recurring_amount", "period_months",
                  "currency", "auto_renew", "notice_days"),
        ),
        Kind(
            "leads", m.Lead, mark("Leads"), mark("Lead"), "funnel",
            ("company_name", "name", "status", "channel", "rep_id", "created_on"), "-created_on",
            ("status", "channel", "rep_id", "campaign_id", "created_on", "converted_on", "company_id"),
            ("status", "channel", "rep_id", "campaign_id"), (), ("status", "channel"),
            ("status", "channel", "rep_id", "campaign_id"), folds=True, name="company_name",
            form=("company_name", "name", "email", "phone", "channel", "status", "rep_id", "campaign_id"),
        ),
        Kind(
            "deals", m.Opportunity, mark("Deals"), mark("Deal"), "view-columns",
            ("name", "company_id", "stage", "amount", "outcome", "rep_id", "created_on", "close_date"), "-created_on",
            ("stage", "outcome", "rep_id", "amount", "created_on", "close_date", "kind", "source_channel",
             "company_id", "product_id", "loss_reason", "competitor"),
            ("stage", "outcome", "rep_id", "kind", "source_channel", "loss_reason", "competitor", "product_id"),
            ("amount",), ("stage", "kind", "source_channel", "loss_reason", "competitor", "currency"),
            ("rep_id", "kind", "source_channel", "competitor", "product_id"),
            form=("company_id", "name", "amount", "currency", "stage", "probability", "kind", "rep_id", "product_id"),
        ),
        Kind(
            "interactions", m.Interaction, mark("Interactions"), mark("Interaction"), "chat-bubble-left-right",
            ("ts", "type", "company_id", "contact_id", "rep_id", "duration_min", "outcome"), "-ts",
            ("ts", "type", "rep_id", "company_id", "contact_id", "outcome", "direction", "duration_min"),
            ("type", "rep_id", "outcome", "direction", "campaign_id"), ("duration_min", "cost"), ("outcome",),
            ("type", "rep_id", "direction", "campaign_id"), name="ts",
            form=("type", "ts", "company_id", "contact_id", "duration_min", "outcome", "text"),
        ),
        Kind(
            "tasks", m.Task, mark("Tasks"), mark("Task"), "check-circle",
            ("title", "company_id", "due_on", "rep_id", "done_on"), "due_on",
            ("due_on", "done_on", "rep_id", "company_id", "lead_id", "opportunity_id"), ("rep_id",), (), (),
            ("rep_id", "due_on", "done_on"), name="title",
            form=("title", "due_on", "company_id", "rep_id", "text"),
        ),
        Kind(
            "campaigns", m.Campaign, mark("Campaigns"), mark("Campaign"), "megaphone",
            ("name", "channel", "start", "end", "cost"), "-start", ("channel", "start", "end", "cost"),
            ("channel", "currency"), ("cost",), ("channel", "currency"), ("channel",),
        ),
        Kind(
            "products", m.Product, mark("Products"), mark("Product"), "cube",
            ("name", "number", "product_group_id", "list_price", "uom", "discontinued"), "name",
            ("product_group_id", "list_price", "uom", "discontinued"), ("product_group_id", "uom", "discontinued"),
            (), ("uom",), ("product_group_id", "uom", "discontinued"),
        ),
        Kind(
            "product-groups", m.ProductGroup, mark("Product groups"), mark("Product group"), "rectangle-group",
            ("name", "number"), "name",
        ),
        Kind(
            "notes", m.Note, mark("Notes"), mark("Note"), "pencil-square",
            ("written_on", "company_id", "contact_id", "purpose", "text", "expires_on"), "-written_on",
            ("company_id", "purpose", "written_on", "expires_on"), ("purpose",), (), ("purpose",),
            ("expires_on",), name="written_on",
            form=("company_id", "contact_id", "text", "purpose", "expires_on"),
        ),
        Kind(
            "competitors", m.CompetitorObservation, mark("Competitor observations"), mark("Competitor observation"),
            "eye", ("seen_on", "competitor", "company_id", "opportunity_id", "share"), "-seen_on",
            ("competitor", "company_id", "seen_on"), ("competitor",), (), ("competitor",), name="competitor",
            form=("competitor", "company_id", "opportunity_id", "seen_on", "share", "text"),
        ),
        Kind(
            "reps", m.Rep, mark("Sales people"), mark("Sales person"), "user-group",
            ("name", "first_name", "number", "team", "region", "reports_to_id"), "name",
            ("team", "region"), ("team", "region"), ("capacity_hours_month",), ("team", "region"),
            ("team", "region", "reports_to_id"), folds=True,
            form=("first_name", "name", "number", "team", "region", "reports_to_id"),
        ),
        Kind(
            "surveys", m.Survey, mark("Surveys"), mark("Survey"), "clipboard",
            ("name", "sent_on", "question"), "-sent_on", ("sent_on",),
        ),
        Kind(
            "survey-answers", m.SurveyAnswer, mark("Survey answers"), mark("Survey answer"), "star",
            ("answered_on", "survey_id", "company_id", "contact_id", "score"), "-answered_on",
            ("survey_id", "answered_on", "score", "company_id"), ("survey_id", "score"), (), name="answered_on",
            form=("survey_id", "company_id", "contact_id", "answered_on", "score", "text"),
        ),
    )
}  # fmt: skip
BY_MODEL: dict[str, Kind] = {name_of(kind.model): kind for kind in KINDS.values()}

# What people call columns where the schema says it from a file's side, or not at all.
_TITLES: dict[str, Word] = {
    "company_id": mark("Company"), "owner_id": mark("Owner"), "rep_id": mark("Sales person"),
    "contact_id": mark("Contact"), "lead_id": mark("Lead"), "opportunity_id": mark("Deal"),
    "campaign_id": mark("Campaign"), "product_id": mark("Product"), "parent_id": mark("Parent company"),
    "product_group_id": mark("Product group"), "survey_id": mark("Survey"), "renewal_of_id": mark("Renewal of"),
    "reports_to_id": mark("Manager"), "merged_into_id": mark("Merged into"), "imported_by_id": mark("Import"),
    "user_id": mark("User"), "number": mark("Number"), "source": mark("Origin"), "created_at": mark("Made"),
    "updated_at": mark("Changed"), "deleted_at": mark("Deleted"), "customer_name": mark("Customer name"),
    "title": mark("Title"), "due_on": mark("Due"), "done_on": mark("Done on"), "text": mark("Text"),
    "written_on": mark("Written on"), "purpose": mark("Purpose"), "expires_on": mark("Expires on"),
    "competitor": mark("Competitor"), "seen_on": mark("Seen on"), "share": mark("Share"), "sent_on": mark("Sent on"),
    "question": mark("Question"), "score": mark("Score"), "answered_on": mark("Answered on"),
    "company_name": mark("Company"), "custom": mark("Own fields"), "name": mark("Name"), "valid_from": mark("From"),
    "valid_to": mark("Until"), "stage": mark("Stage"), "entered_on": mark("Entered on"), "rule": mark("Rule"),
    "excluded": mark("Kept out"), "reason": mark("Reason"), "reason_left": mark("Reason for leaving"),
    "portfolio_id": mark("Portfolio"), "given": mark("Given"), "on": mark("On"),
}  # fmt: skip
_WORDS: dict[tuple[str, str], dict[str, Any]] = {
    ("Company", "relation_type"): {**status.STATUSES, "customer": mark("customer")},
    ("Company", "manual_status"): dict(status.STATUSES),
    ("Interaction", "direction"): {"in": mark("incoming"), "out": mark("outgoing")},
}
HIDDEN = frozenset({"custom", "deleted_at", "merged_into_id", "imported_by_id", "user_id"})  # never in a list
LONG = frozenset({"text", "deliverables"})


@dataclass(frozen=True)
class Column:
    """A column as lists and forms show it.

    kind: text, long, choice, ref, money, number, share, integer, date, moment, flag; choices: value -> words, for
    "choice"; target: the model that a "ref" leads to; custom: the name of a firm's own field; right: "personal",
    "margin" or "".
    """

    name: str
    title: str
    kind: str
    choices: Any = None
    target: Any = None
    custom: str = ""
    right: str = ""
    needed: bool = False

    @property
    def numeric(self) -> bool:
        """True if it stands at the right of its cell, and can be added up."""
        return self.kind in ("money", "number", "share", "integer")


def title(model: Any, column: str) -> str:
    """What people call a column of a model."""
    if column in ("name", "number", "stage", "competitor", "score", "share") or column.endswith("_id"):
        return _TITLES.get(column) or field_title(model, column)
    found = field_title(model, column)
    return _TITLES.get(column, found) if found == column or column == "company_name" else found


@cache
def own_columns(model: Any) -> dict[str, Column]:
    """The columns of a model that people may see, by name, in the order of the model."""
    from klientel.web.privacy.fields import INTIMATE, costs, personal

    name = name_of(model)
    intimate = {*personal(name), *INTIMATE.get(name, ())} - {"number"}
    cost = set(costs(name))
    needed = {group[0] for group in kinds.NEEDED.get(model, ()) if len(group) == 1}
    found = {}
    for column, field in columns(model).items():
        if column in HIDDEN:
            continue
        choices = words_of(model, column)
        found[column] = Column(
            column,
            title(model, column),
            "choice" if choices else _kind(column, field),
            choices,
            field.related_model if isinstance(field, models.ForeignKey) else None,
            "",
            "personal" if column in intimate else "margin" if column in cost else "",
            column in needed,
        )
    return found


def all_columns(model: Any) -> dict[str, Column]:
    """The columns of a model with a firm's own fields, as `custom.NAME`."""
    found = dict(own_columns(model))
    for own in m.CustomField.objects.filter(model=name_of(model)).order_by("pk"):
        kind = (
            own.kind
            if own.kind in ("text", "money", "number", "share", "integer", "date", "flag")
            else "text"
        )
        right = "personal" if own.personal else ""
        found[f"custom.{own.name}"] = Column(
            f"custom.{own.name}", own.title, kind, custom=own.name, right=right
        )
    return found


def words_of(model: Any, column: str) -> dict[str, Any]:
    """Value -> words of a column that takes only certain values; {} for others."""
    allowed = kinds.CHOICES.get(model, {}).get(column)
    if allowed is None:
        return {}
    if isinstance(allowed, dict):
        return dict(allowed)
    known = _WORDS.get((name_of(model), column), {})
    return {value: known.get(value, value) for value in allowed}


def _kind(name: str, field: models.Field) -> str:
    match field:
        case models.ForeignKey():
            return "ref"
        case Exact() if name in SHARES:
            return "share"
        case Exact():
            return "number" if name in ("duration_min", "capacity_hours_month", "score") else "money"
        case models.DateTimeField():
            return "moment"
        case models.DateField():
            return "date"
        case models.BooleanField():
            return "flag"
        case models.IntegerField():
            return "integer"
    return "long" if name in LONG else "text"
