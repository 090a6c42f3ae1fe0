"""What records that others refer to are called, for whom may see them; one query per model, whatever the number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from klientel.web import rights
from klientel.web.records import models as m
from klientel.web.records.numbers import own
from klientel.web.records.values import title_of
from klientel.words import say


def labels(model: Any, ids: Iterable[Any], *, actor: Any = None) -> dict[int, str]:
    """Id -> name of records; the number where the name is not to be seen by `actor`, the kind where it has none."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    if not hasattr(model, "number"):
        return {obj.pk: str(obj) for obj in model._base_manager.filter(pk__in=wanted)}
    numbers = model._base_manager.filter(pk__in=wanted).values_list("pk", "number")
    found = {pk: own(number) or title_of(model) for pk, number in numbers}
    for row in rights.rows(model._base_manager.filter(pk__in=wanted), actor):
        found[row["id"]] = label(model, row)
    return found


def label(model: Any, row: dict[str, Any]) -> Any:
    """What a record is called, from its visible values: a text, or a sentence to be told.

    A record that has neither a name nor a number of its own is called as its kind is.
    """
    number = own(row["number"])
    bare = number or title_of(model)
    if model in (m.Contact, m.Rep):
        name = " ".join(part for part in (row.get("first_name"), row.get("name")) if part)
        return name or row.get("email") or bare
    if model is m.Lead:
        return row.get("company_name") or row.get("customer_name") or row.get("name") or bare
    if model is m.Opportunity:
        return row.get("name") or row.get("customer_name") or bare
    if model is m.Interaction:
        from klientel.web.records.kinds import INTERACTIONS

        return say("{kind} on {day}", kind=INTERACTIONS.get(row["type"], row["type"] or "–"), day=row["ts"])
    if model is m.Task:
        return row.get("title") or bare
    if model is m.Note:
        return row.get("purpose") or bare
    if model is m.CompetitorObservation:
        return row.get("competitor") or bare
    if model is m.Contract:
        return " · ".join(part for part in (number, row.get("type")) if part) or bare
    return row.get("name") or bare
