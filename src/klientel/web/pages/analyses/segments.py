"""Attributes of customers and their values, to choose a segment from."""

from __future__ import annotations

from datetime import date
from typing import Any

from klientel.attribute import attribute_title
from klientel.schema import attributes
from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.rights.members import attribute_path, rule_attributes
from klientel.words import spoken, translate

_MOST = 200


def known(lang: str) -> list[tuple[str, str]]:
    """The attributes that make a segment: name and title, by title."""
    from klientel.web.records.models import CustomField

    own = CustomField.objects.filter(personal=False, model__iexact="company").values_list("name", "title")
    ours = [(n, translate(attribute_title(n), lang)) for n in attributes(rule_attributes())]
    return sorted([*ours, *own], key=lambda pair: pair[1].casefold())


def values(request: Any) -> Any:
    """The values of an attribute among the customers that the person may see, the frequent ones first."""
    from django.db.models import Count

    from klientel.web.records.models import Company

    attribute = request.GET.get("attribute", "")
    found: dict[str, str] = {}
    if attribute in dict(known(request.lang)):
        path, field = attribute_path(attribute)
        column = path if field is not None else f"custom__{attribute}"
        seen = rights.visible(Company.present.all(), shell.reach(request))
        counted = seen.values_list(column).annotate(n=Count("pk")).order_by("-n", column)[:_MOST]
        found = {as_text(v): _said(v, request.lang) for v, _ in counted if v not in (None, "")}
    return shell.page(request, "analyses/segment_values.html", {"values": found.items()})


def as_text(value: Any) -> str:
    """A value of a record as a segment names it (`attribute.attribute_text`): days by their year."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.year) if isinstance(value, date) else str(value)


def _said(value: Any, lang: str) -> str:
    return spoken(value, lang) if isinstance(value, bool) else as_text(value)
