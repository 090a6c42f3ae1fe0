"""Kinds of records in addresses: companies, contacts, ..."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from klientel.web import rights
from klientel.web.pages import shell
from klientel.web.records.catalog import BY_MODEL, KINDS, Kind
from klientel.web.records.values import name_of


class KindConverter:
    """A kind of record in an address."""

    regex = "|".join(sorted(KINDS, key=len, reverse=True))

    def to_python(self, value: str) -> Kind:
        """The kind of an address."""
        return KINDS[value]

    def to_url(self, value: Any) -> str:
        """The address of a kind, or of its name."""
        return value.slug if isinstance(value, Kind) else str(value)


def found(request: Any, kind: Kind, pk: int, *, gone: bool = False) -> Any:
    """A record that the person may see, deleted ones too if `gone`; 404 otherwise."""
    manager = kind.model.objects if gone else kind.model.present
    record = rights.visible(manager.filter(pk=pk), shell.reach(request)).first()
    if record is None:
        raise Http404
    return record


def address(model: Any, pk: Any) -> str:
    """The address of a record of a model; "" where there is no page for its kind."""
    from django.urls import reverse

    kind = BY_MODEL.get(name_of(model))
    return reverse("records:show", args=[kind.slug, pk]) if kind is not None and pk is not None else ""
