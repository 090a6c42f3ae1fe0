"""The record models. Every canonical table that is kept as records has one; `CANONICAL` says which.

Column names are those of `klientel.schema` but for references, which are foreign keys here and numbers there
(`COLUMNS` of a model maps the ones that differ). Facts (order lines and what machines append) are not here.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from klientel.web.records.fields import Exact, Folded


def _money(**options: Any) -> Any:
    return Exact(max_digits=18, decimal_places=4, null=True, blank=True, **options)


_number = _money  # of the same size


def _share() -> Any:
    return Exact(max_digits=12, decimal_places=10, null=True, blank=True)


def _text(length: int = 300, **options: Any) -> Any:
    return models.CharField(max_length=length, blank=True, default="", **options)


def _day(**options: Any) -> Any:
    return models.DateField(null=True, blank=True, **options)


def _to(model: str, related: str, **options: Any) -> Any:
    return models.ForeignKey(model, models.SET_NULL, null=True, blank=True, related_name=related, **options)


def new_number() -> str:
    """A number for a record that comes from no file."""
    return token_hex(8)


def _living(name: str, *fields: str) -> Any:
    """An index over the records that are not deleted: what lists are sorted and counted by."""
    return models.Index(fields=list(fields), name=name, condition=models.Q(deleted_at__isnull=True))


class Present(models.Manager):
    """The records that are not deleted: what readers use."""

    def get_queryset(self) -> Any:
        """All but the deleted."""
        return super().get_queryset().filter(deleted_at__isnull=True)


class Record(models.Model):
    """What all records have: the number they are known by in files, origin, custom fields, soft deletion.

    A record that is deleted or merged away keeps its row (`deleted_at`), so that nothing is lost and undo works.
    """

    number = models.CharField(max_length=300, default=new_number)
    source = _text(100)
    custom = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)
    imported_by = _to("imports.Import", "+")

    objects = models.Manager()  # deleted ones, too
    present = Present()

    # canonical column -> path of the field, where the two differ
    COLUMNS: ClassVar[dict[str, str]] = {}

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["number"], name="%(class)s_number")]

    def __str__(self) -> str:
        return str(getattr(self, "name", "") or self.number)


class Rep(Record):
    """A sales person or project manager."""

    COLUMNS = {"rep_id": "number", "team_id": "team", "reports_to": "reports_to__number"}

    first_name = _text()
    name = _text()
    team = _text()
    reports_to = _to("self", "reports")
    region = _text()
    capacity_hours_month = _number()
    cost_hour = _money()
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="rep"
    )
    folded = Folded("name", "first_name", "number")


class Company(Record):
    """A company: customer, lead, prospect, partner or former, which its status says and is derived (G2)."""

    COLUMNS = {
        "customer_id": "number",
        "parent_customer_id": "parent__number",
        "group_id": "group",
        "owner_rep_id": "owner__number",
    }

    name = _text(500)
    legal_form = _text(100)
    parent = _to("self", "children")
    group = _text()
    industry_code = _text()
    employees = models.BigIntegerField(null=True, blank=True)
    annual_revenue = _money()
    size_class = _text()
    country = _text(100)
    region = _text()
    city = _text()
    postcode = _text(30)
    street = _text()
    phone = _text(100)
    email = _text()
    website = _text()
    contact_name = _text()
    vat_id = _text(50)
    acquired_on = _day()
    acquisition_channel = _text()
    owner = _to("Rep", "companies")
    relation_type = _text(100)
    manual_status = _text(100)
    contract_type = _text()
    segment = _text()
    credit_rating = _text(100)
    year_established = models.IntegerField(null=True, blank=True)
    merged_into = _to("self", "merged")
    folded = Folded("name", "number", "city")

    class Meta(Record.Meta):
        indexes = [
            models.Index(fields=["name"]),
            models.Index(fields=["owner", "name"]),
            _living("company_by_folded", "folded"),
            _living("company_by_owner", "owner", "folded"),
            _living("company_by_city", "city"),
            _living("company_by_segment", "segment"),
            _living("company_by_updated", "updated_at"),
        ]


class Product(Record):
    """A product or service."""

    COLUMNS = {"product_id": "number", "product_group_id": "product_group__number"}

    name = _text(500)
    product_group = _to("ProductGroup", "products")
    list_price = _money()
    standard_cost = _money()
    uom = _text(50)
    discontinued = models.BooleanField(null=True, blank=True)
    folded = Folded("name", "number")


class ProductGroup(Record):
    """A group of products."""

    COLUMNS = {"product_group_id": "number"}

    name = _text(500)


class OfCompany(Record):
    """A record that belongs to a company; `customer_name` is kept for those whose company is not known yet."""

    company = _to("Company", "%(class)ss")
    customer_name = _text(500)

    class Meta(Record.Meta):
        abstract = True


class Contact(OfCompany):
    """A person at a company; personal data."""

    COLUMNS = {"contact_id": "number", "customer_id": "company__number"}

    first_name = _text()
    name = _text()
    role = _text()
    department = _text()
    email = _text()
    phone = _text(100)
    consent_marketing = models.BooleanField(null=True, blank=True)
    buying_role = _text(100)
    language = _text(10)
    active_to = _day()
    merged_into = _to("self", "merged")
    folded = Folded("name", "first_name", "email", "number")

    class Meta(OfCompany.Meta):
        indexes = [_living("contact_by_folded", "folded")]


class Contract(OfCompany):
    """A signed project or contract with its characteristics."""

    COLUMNS = {
        "contract_id": "number",
        "customer_id": "company__number",
        "renewal_of": "renewal_of__number",
    }

    signed_on = _day()
    start = _day()
    end = _day()
    type = _text()
    recurring_amount = _money()
    period_months = models.IntegerField(null=True, blank=True)
    one_off_amount = _money()
    total_amount = _money()
    tenure_months = models.IntegerField(null=True, blank=True)
    auto_renew = models.BooleanField(null=True, blank=True)
    notice_days = models.IntegerField(null=True, blank=True)
    min_term_months = models.IntegerField(null=True, blank=True)
    indexation_rule = _text()
    ended = models.BooleanField(null=True, blank=True)
    status = _text(100)
    cancelled_on = _day()
    ended_on = _day()
    currency = _text(3)
    deliverables = models.TextField(blank=True, default="")
    renewal_of = _to("self", "renewals")

    class Meta(OfCompany.Meta):
        indexes = [_living("contract_by_end", "end")]


class Campaign(Record):
    """A campaign, fair or other source of leads, with what it cost."""

    COLUMNS = {"campaign_id": "number"}

    name = _text(500)
    channel = _text()
    start = _day()
    end = _day()
    cost = _money()
    currency = _text(3)
    folded = Folded("name", "number")


class Lead(OfCompany):
    """A lead; once it has a company its timeline goes on there."""

    COLUMNS = {
        "lead_id": "number",
        "company": "company_name",
        "customer_id": "company__number",
        "rep_id": "rep__number",
        "campaign_id": "campaign__number",
        "opportunity_id": "opportunity__number",
    }

    name = _text()
    company_name = _text(500)
    created_on = _day()
    channel = _text()
    status = _text(100)
    email = _text()
    phone = _text(100)
    rep = _to("Rep", "leads")
    campaign = _to("Campaign", "leads")
    converted_on = _day()
    opportunity = _to("Opportunity", "leads")
    folded = Folded("company_name", "name", "email", "number")

    class Meta(OfCompany.Meta):
        indexes = [_living("lead_by_folded", "folded"), _living("lead_by_created", "created_on")]


class Opportunity(OfCompany):
    """A deal, open or closed."""

    COLUMNS = {
        "opportunity_id": "number",
        "customer_id": "company__number",
        "product_id": "product__number",
        "rep_id": "rep__number",
    }

    name = _text(500)
    created_on = _day()
    close_date = _day()
    amount = _money()
    currency = _text(3)
    stage = _text()
    outcome = _text(50)
    probability = _share()
    kind = _text(50)
    product = _to("Product", "opportunities")
    rep = _to("Rep", "opportunities")
    source_channel = _text()
    loss_reason = _text()
    competitor = _text()
    folded = Folded("name", "number")

    class Meta(OfCompany.Meta):
        indexes = [_living("deal_by_folded", "folded"), _living("deal_by_stage_amount", "stage", "amount")]


class StageEntry(models.Model):
    """An opportunity entered a stage on a day: its history, from which time in stages is measured."""

    COLUMNS: ClassVar[dict[str, str]] = {"opportunity_id": "opportunity__number", "rep_id": "rep__number"}

    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=300)
    entered_on = models.DateField()
    rep = _to("Rep", "+")
    imported_by = _to("imports.Import", "+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "stage", "entered_on"], name="stage_entered_once")
        ]
        ordering = ["entered_on", "id"]

    def __str__(self) -> str:
        return f"{self.stage}: {self.entered_on}"


class Interaction(OfCompany):
    """A call, visit, meeting, e-mail, fair, door-to-door or social contact."""

    COLUMNS = {
        "interaction_id": "number",
        "customer_id": "company__number",
        "contact_id": "contact__number",
        "lead_id": "lead__number",
        "opportunity_id": "opportunity__number",
        "campaign_id": "campaign__number",
        "rep_id": "rep__number",
    }

    contact = _to("Contact", "interactions")
    lead = _to("Lead", "interactions")
    opportunity = _to("Opportunity", "interactions")
    campaign = _to("Campaign", "interactions")
    rep = _to("Rep", "interactions")
    ts = _day()
    type = _text(100)
    direction = _text(20)
    duration_min = _number()
    cost = _money()
    outcome = _text()
    text = models.TextField(blank=True, default="")

    class Meta(OfCompany.Meta):
        indexes = [models.Index(fields=["company", "ts"]), _living("interaction_by_ts", "ts")]


class Task(OfCompany):
    """Something to do for a customer."""

    title = _text(500)
    due_on = _day()
    done_on = _day()
    rep = _to("Rep", "tasks")
    lead = _to("Lead", "tasks")
    opportunity = _to("Opportunity", "tasks")
    text = models.TextField(blank=True, default="")
    folded = Folded("title")

    class Meta(OfCompany.Meta):
        indexes = [_living("task_by_due", "due_on")]


class Note(OfCompany):
    """A note with the purpose it is kept for and the day it is to be gone."""

    contact = _to("Contact", "notes")
    lead = _to("Lead", "notes")
    written_on = _day()
    purpose = _text()
    expires_on = _day()
    text = models.TextField(blank=True, default="")


class CompetitorObservation(OfCompany):
    """A competitor seen at a customer or in a deal."""

    competitor = _text()
    opportunity = _to("Opportunity", "competitors")
    seen_on = _day()
    share = _share()
    text = models.TextField(blank=True, default="")


class Survey(Record):
    """A wave of a survey."""

    COLUMNS = {"survey_id": "number"}

    name = _text(500)
    sent_on = _day()
    question = _text(500)


class SurveyAnswer(OfCompany):
    """An answer to a survey, 0-10 for recommendation."""

    COLUMNS = {
        "response_id": "number",
        "survey_id": "survey__number",
        "customer_id": "company__number",
        "contact_id": "contact__number",
    }

    survey = _to("Survey", "answers")
    contact = _to("Contact", "answers")
    question = _text(500)
    answered_on = _day()
    score = _number()
    text = models.TextField(blank=True, default="")


class Succession(models.Model):
    """A customer number that another one follows: merger, split or duplicate (G11)."""

    COLUMNS: ClassVar[dict[str, str]] = {}

    from_id = models.CharField(max_length=300)
    to_id = models.CharField(max_length=300)
    valid_from = _day()
    share = _share()
    kind = _text(50)
    imported_by = _to("imports.Import", "+")

    def __str__(self) -> str:
        return f"{self.from_id} → {self.to_id}"


class Rate(models.Model):
    """An exchange rate: 1 unit of `from_currency` is `rate` units of `to_currency`."""

    COLUMNS: ClassVar[dict[str, str]] = {}

    date = models.DateField()
    from_currency = models.CharField(max_length=3)
    to_currency = models.CharField(max_length=3)
    rate = Exact(max_digits=18, decimal_places=10)
    kind = _text(50)
    imported_by = _to("imports.Import", "+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["date", "from_currency", "to_currency", "kind"], name="one_rate_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_currency}/{self.to_currency} {self.date}"


class DatedValue(models.Model):
    """The value that an attribute of a company had from a day on; what an old as-of date sees (G1).

    attribute: a canonical column of customers (`owner_rep_id`, `segment`, ...) or a custom field; valid_from NULL:
    from the beginning. A value holds until the next one; an empty value says that there was none from then on.
    """

    company = models.ForeignKey(Company, models.CASCADE, related_name="dated")
    attribute = models.CharField(max_length=100)
    value = _text(500)
    valid_from = _day()
    reason = _text()

    class Meta:
        indexes = [
            models.Index(fields=["attribute", "valid_from"]),
            models.Index(fields=["company", "attribute", "valid_from"]),
        ]

    def __str__(self) -> str:
        return f"{self.attribute} = {self.value} ({self.valid_from or '…'} –)"


class CustomField(models.Model):
    """A field that a company's own records have besides ours."""

    model = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=20)
    personal = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="custom_field_once")]

    def __str__(self) -> str:
        return self.title


class Consent(models.Model):
    """A consent given or withdrawn by a contact; rows are added, never changed."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=200)
    given = models.BooleanField()
    on = models.DateField()
    source = _text()
    recorded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.purpose}: {self.given} ({self.on})"


class Portfolio(models.Model):
    """The customers that a sales person or project manager answers for, by rule or by hand.

    rule: {attribute: [values]} over the attributes of customers; empty: only members by hand.
    """

    name = models.CharField(max_length=200, unique=True)
    owner = _to("Rep", "portfolios")
    rule = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A customer in a portfolio by hand, from a day to a day, with the reasons."""

    portfolio = models.ForeignKey(Portfolio, models.CASCADE, related_name="members")
    company = models.ForeignKey(Company, models.CASCADE, related_name="memberships")
    valid_from = _day()
    valid_to = _day()
    excluded = models.BooleanField(default=False)  # kept out of what the rule would take
    reason = _text()
    reason_left = _text()

    def __str__(self) -> str:
        return f"{self.company} in {self.portfolio}"


class SavedView(models.Model):
    """A list as somebody wants it again: the query of its address, for oneself or shared with everybody."""

    kind = models.CharField(max_length=50)  # of `records.catalog`
    name = models.CharField(max_length=200)
    query = models.CharField(max_length=4000, blank=True, default="")
    shared = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "owner", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class NotDuplicate(models.Model):
    """Two records of a kind of which somebody said that they are two, however alike; `first` is the lower id.

    Ids, not references: a record that is merged away stays in its pair, and what it was merged into stands for it.
    """

    kind = models.CharField(max_length=50)  # name of the model
    first = models.BigIntegerField()
    second = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "first", "second"], name="not_duplicate_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.first} ≠ {self.second}"


class Change(models.Model):
    """One change of one record: who, when, before, after. Audit, undo, un-merge and erasure share it.

    before is NULL for a creation, after is NULL for a removal; both hold the fields that changed. `act` ties
    together what was done at one stroke, such as a merge.
    """

    at = models.DateTimeField()
    actor = _to("accounts.User", "+")
    why = _text(200)  # "edit", "import", "undo", "merge", "erase", ...
    model = models.CharField(max_length=50)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    import_run = _to("imports.Import", "changes")
    act = _text(40)

    class Meta:
        indexes = [
            models.Index(fields=["act"], condition=~models.Q(act=""), name="change_act"),
            models.Index(fields=["model", "object_id", "at"]),
            models.Index(fields=["import_run", "model"]),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.object_id} {self.why}"


# Tables of which machines append rows; the workspace keeps them as facts.
FACTS = ("order_line", "order_header", "credit_note_line", "touchpoint", "usage_event_daily", "cost_event")
# canonical table -> the model that keeps it
CANONICAL: dict[str, type[models.Model]] = {  # those that others refer to come first
    "rep": Rep,
    "customer": Company,
    "product_group": ProductGroup,
    "product": Product,
    "contact": Contact,
    "project_contract": Contract,
    "campaign": Campaign,
    "opportunity": Opportunity,
    "opportunity_stage_hist": StageEntry,
    "lead": Lead,
    "interaction": Interaction,
    "survey_response": SurveyAnswer,
    "customer_succession": Succession,
    "fx_rate": Rate,
}
