"""Values of records as text in the reader's language, and where they lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone

from klientel.show.figures import NONE, short, written
from klientel.web.records import listing, typed
from klientel.web.records.catalog import BY_MODEL, Column
from klientel.web.records.labels import label
from klientel.web.records.numbers import own
from klientel.web.records.values import name_of
from klientel.words import day, spoken, translate

LONGEST = 140  # letters of a long text in a list


def text(column: Column, value: Any, names: dict[int, str], lang: str, currency: str | None = None) -> str:
    """A value as a person reads it; "" for none."""
    if value in (None, "") or (column.name == "number" and not own(value)):
        return ""
    match column.kind:
        case "ref":
            return spoken(names.get(value, str(value)), lang)
        case "choice":
            return translate(column.choices.get(value, str(value)), lang)
        case "money":
            return written(_number(value), "money", lang, currency)
        case "share":
            return written(_number(value), "share", lang)
        case "number":
            return written(_number(value), "number", lang)
        case "integer":
            plain = column.name == "year_established"
            return str(value) if plain else written(_number(value), "count", lang)
        case "date":
            return day(date.fromisoformat(value) if isinstance(value, str) else value, lang)
        case "moment":
            local = timezone.localtime(value)
            return f"{day(local.date(), lang)} {local:%H:%M}"
        case "flag":
            return spoken(bool(value), lang)
    return str(value)


def money(value: Any, unit: str, lang: str, currency: str | None) -> str:
    """An amount in few letters, in the currency of its record, or the workspace's where the record names none."""
    return short(value, "money", lang, unit or currency)


def sums(amounts: Mapping[str, Any], lang: str, currency: str | None, *, brief: bool = False) -> str:
    """Sums by currency ("" is the workspace's) as one text, the workspace's own first; different ones are not added."""
    found: dict[str, Any] = {}
    for unit, value in amounts.items():
        if value is not None:
            held = unit or currency or ""
            found[held] = found.get(held, 0) + value
    tell = short if brief else written
    order = sorted(found, key=lambda unit: (unit != (currency or ""), unit))
    return " + ".join(tell(found[unit], "money", lang, unit or None) for unit in order) or NONE


def _number(value: Any) -> Any:
    """Own fields keep their decimals as text; what is no number stays what it is."""
    if not isinstance(value, str):
        return value
    return typed.number(value)


def cells(
    made: listing.Wanted,
    row: dict[str, Any],
    names: dict[str, dict[int, str]],
    lang: str,
    currency: str | None,
) -> list[dict[str, Any]]:
    """The cells of a row: text, where it leads, whether it is a number, whether it names the record."""
    mine = reverse("records:show", args=[made.kind.slug, row["id"]])
    found = []
    named = False
    for name in made.columns:
        column = made.available[name]
        value = listing.value(column, row)
        unit = row.get("currency") or currency
        told = text(column, value, names.get(name, {}), lang, unit if column.name in row else currency)
        lead = ""
        if name == made.kind.name or (
            not named and name == made.columns[0] and made.kind.name not in made.columns
        ):
            lead, named = mine, True
        elif column.target is not None and value is not None and name_of(column.target) in BY_MODEL:
            lead = reverse("records:show", args=[BY_MODEL[name_of(column.target)].slug, value])
        if len(told) > LONGEST:
            told = f"{told[:LONGEST].rstrip()}…"
        found.append(
            {
                "text": told or ("–" if lead != mine else translate(label(made.kind.model, row), lang)),
                "url": lead,
                "numeric": column.numeric,
                "own": lead == mine and bool(lead),
                "title": column.title,
                "day": column.kind in ("date", "moment"),
            }
        )
    return found
