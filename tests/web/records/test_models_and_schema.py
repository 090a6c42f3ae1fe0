"""The record models hold what the schema says, column by column, and nothing that it does not know."""

from __future__ import annotations

from typing import Any

import pytest

from klientel.schema import TABLES, Field

# Columns of models that are no canonical columns, and why.
OURS = {
    "id", "number", "source", "custom", "created_at", "updated_at", "deleted_at", "imported_by_id",  # every record
    "merged_into_id",  # duplicates that were merged
    "user_id",  # who signs in
    "text",  # what people write; no analysis reads it
}  # fmt: skip


@pytest.fixture
def models(home: Any) -> Any:
    from klientel.web.records import models

    return models


def column(model: Any, name: str) -> tuple[Any, Any]:
    """The model's field for a canonical column, and the field that it refers to, if it does."""
    path = model.COLUMNS.get(name, name)
    if "__" in path:
        ref, target = path.split("__")
        field = model._meta.get_field(ref)
        return field, field.related_model._meta.get_field(target)
    return model._meta.get_field(path), None


def fits(field: Field, model_field: Any) -> bool:
    """True if the model's field can hold every value of the kind, and says it as the schema does."""
    from django.db import models as kinds

    from klientel.web.records.fields import Exact

    match field.kind:
        case "key":
            return isinstance(model_field, kinds.CharField) and model_field.max_length >= 300
        case "text":
            return isinstance(model_field, kinds.CharField | kinds.TextField)
        case "currency":
            return isinstance(model_field, kinds.CharField) and model_field.max_length == 3
        case "money" | "number" if field.name != "rate":
            return isinstance(model_field, Exact) and (
                model_field.max_digits,
                model_field.decimal_places,
            ) == (18, 4)
        case "number" | "share":
            return isinstance(model_field, Exact) and model_field.decimal_places == 10
        case "integer":
            return isinstance(model_field, kinds.IntegerField)
        case "date":
            return type(model_field) is kinds.DateField
        case "flag":
            return isinstance(model_field, kinds.BooleanField) and model_field.null
    return False


def test_every_canonical_table_is_a_record_or_a_fact(models: Any) -> None:
    assert set(models.CANONICAL) | set(models.FACTS) == set(TABLES)
    assert not set(models.CANONICAL) & set(models.FACTS)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_canonical_column_has_its_field(models: Any, table: str) -> None:
    if table in models.FACTS:
        return
    model = models.CANONICAL[table]
    for field in TABLES[table].fields:
        own, target = column(model, field.name)
        assert fits(field, target or own), (field.name, own)
        assert target is None or field.kind in ("key", "text"), field.name


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_field_has_its_canonical_column(models: Any, table: str) -> None:
    if table in models.FACTS:
        return
    model = models.CANONICAL[table]
    told = {column(model, field.name)[0].attname for field in TABLES[table].fields}
    ours = {f.attname for f in model._meta.concrete_fields if not f.generated} - told
    assert ours <= OURS | ({"customer_name"} if table == "lead" else set()), ours - OURS


def test_columns_of_models_are_canonical_columns(models: Any) -> None:
    for table, model in models.CANONICAL.items():
        assert set(model.COLUMNS) <= set(TABLES[table].names()), table


def test_those_that_others_refer_to_come_first(models: Any) -> None:
    seen: set[Any] = set()
    for model in models.CANONICAL.values():
        seen.add(model)
        for field in model._meta.concrete_fields:
            target = field.related_model
            if field.attname in {column(model, n)[0].attname for n in model.COLUMNS} and target:
                later = target in models.CANONICAL.values() and target not in seen
                assert not later or (model.__name__, field.name) in {
                    ("Interaction", "lead"), ("Lead", "opportunity")
                }, (model, field)  # fmt: skip


def test_personal_columns_are_flagged() -> None:
    personal = {(t, f.name) for t, e in TABLES.items() for f in e.fields if f.personal}
    people = {"contact": ("first_name", "name", "email", "phone"), "lead": ("name", "email", "phone"),
              "rep": ("first_name", "name"), "customer": ("email", "contact_name"), "survey_response": ("text",),
              "touchpoint": ("visitor_id",), "usage_event_daily": ("user_hash",)}  # fmt: skip
    assert personal == {(table, name) for table, names in people.items() for name in names}


def test_the_migrations_say_what_the_models_say(home: Any) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "records", check=True, dry_run=True, verbosity=0)
