"""Which fields hold personal data, and which hold free text that may name somebody.

What the schema flags counts for the records too; what the schema does not know is listed here. A test holds the list
against the models, so that a new text field must be put somewhere.
"""

from __future__ import annotations

from functools import cache

# Fields of records that identify or reach a person and that `klientel.schema` does not have.
_MORE = {
    "Lead": ("phone",),
    "Contact": ("number",),  # often the name or the address itself, where files have no numbers
    "Rep": (),
}
# Free text: people write names into it.
TEXT: dict[str, tuple[str, ...]] = {
    "Contract": ("deliverables",),
    "Opportunity": ("name", "loss_reason"),
    "Interaction": ("text", "outcome"),
    "Task": ("title", "text"),
    "Note": ("text", "purpose"),
    "CompetitorObservation": ("text",),
    "SurveyAnswer": ("text",),
    "DatedValue": ("value", "reason"),
    "Membership": ("reason", "reason_left"),
    "Consent": ("source",),
    "SavedView": ("name", "query"),
}
# Free text that is written about persons and is shown only to those who may see personal data.
INTIMATE: dict[str, tuple[str, ...]] = {
    "Note": ("text",),
    "Interaction": ("text",),
    "SurveyAnswer": ("text",),
}
# Text of firms and of ours: names of firms, places, stages, classes; no persons.
PLAIN: dict[str, tuple[str, ...]] = {
    "Rep": ("team", "region"),
    "Company": (
        "name", "legal_form", "group", "industry_code", "size_class", "country", "region", "city", "postcode",
        "street", "phone", "website", "vat_id", "acquisition_channel", "relation_type", "manual_status",
        "contract_type", "segment", "credit_rating",
    ),
    "Product": ("name", "uom"),
    "ProductGroup": ("name",),
    "Contact": ("role", "department", "buying_role", "language"),
    "Contract": ("type", "indexation_rule", "status", "currency"),
    "Campaign": ("name", "channel", "currency"),
    "Lead": ("company_name", "channel", "status"),
    "Opportunity": ("currency", "stage", "outcome", "kind", "source_channel", "competitor"),
    "StageEntry": ("stage",),
    "Interaction": ("type", "direction"),
    "CompetitorObservation": ("competitor",),
    "Survey": ("name", "question"),
    "SurveyAnswer": ("question",),
    "Succession": ("from_id", "to_id", "kind"),
    "Rate": ("from_currency", "to_currency", "kind"),
    "DatedValue": ("attribute",),
    "CustomField": ("model", "name", "title", "kind"),
    "Consent": ("purpose",),
    "Portfolio": ("name", "rule"),
    "SavedView": ("kind",),
    "NotDuplicate": ("kind",),
    "Change": ("why", "model", "before", "after", "act"),
}  # fmt: skip
EVERYWHERE = ("number", "source", "custom", "customer_name")


@cache
def personal(model: str) -> tuple[str, ...]:
    """The fields of a record model that identify or reach a person, by the model's name."""
    from klientel.schema import TABLES
    from klientel.web.records.models import CANONICAL

    found = list(_MORE.get(model, ()))
    for table, kept in CANONICAL.items():
        if kept.__name__ == model and table in TABLES:
            paths = getattr(kept, "COLUMNS", {})
            found += [paths.get(f.name, f.name) for f in TABLES[table].fields if f.personal]
    return tuple(dict.fromkeys(found))


@cache
def costs(model: str) -> tuple[str, ...]:
    """The fields of a record model that hold costs or margins."""
    from klientel.schema import TABLES
    from klientel.web.records.models import CANONICAL

    found = ["cost"] if model == "Campaign" else []
    for table, kept in CANONICAL.items():
        if kept.__name__ == model and table in TABLES:
            found += [f.name for f in TABLES[table].fields if f.cost]
    return tuple(dict.fromkeys(found))


def personal_customs(model: str) -> frozenset[str]:
    """The custom fields of a record model that are flagged as personal."""
    from klientel.web.records.models import CustomField

    found = CustomField.objects.filter(model__iexact=model, personal=True)
    return frozenset(found.values_list("name", flat=True))
