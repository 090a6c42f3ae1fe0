"""Attributes of customers that divide them into kinds: which one is meant, and its values as text (A7, G8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.errors import BadParameter, MissingInput, nearest
from klientel.schema import TABLES, attributes
from klientel.words import say

if TYPE_CHECKING:
    import ibis.expr.types as ir

AUTO = "auto"
_PREFERRED = (
    "industry_code",
    "size_class",
    "contract_type",
    "segment",
    "region",
    "country",
    "acquisition_channel",
)
_EMPTY = ("", "-", "?", "n/a", "none", "null", "unknown", "unbekannt", "keine angabe")
MANY = 50  # segments beyond which an attribute is hardly a segmentation


def chosen(by: str, customers: ir.Table) -> str:
    """The attribute named, or for "auto" the best known of the usual ones.

    auto takes the first of the usual attributes, then of the company's own columns, that is filled for
    four of five customers and has 2 to 50 values; if none is, the one filled most often. Raises
    MissingInput if the customers have no attribute, BadParameter with a suggestion for an unknown one.
    """
    known = attributes(customers.columns)
    if by in known:
        return by
    if by != AUTO:
        near = nearest(by, known)
        if near:
            raise BadParameter(say("There is no attribute {name}; did you mean {near}?", name=by, near=near))
        raise BadParameter(say("There is no attribute {name}; there are: {known}.", name=by, known=known))
    usual = [c for c in _PREFERRED if c in known]
    usual += [c for c in known if c not in TABLES["customer"].names() and c != "status"]
    usual = usual or [c for c in known if c != "status"]
    if not usual:
        raise MissingInput(
            say(
                "The customers have no attribute to divide them by, such as industry, size or region. "
                '--map customer.industry_code="Header" names a column that was not recognised.'
            )
        )
    asked: dict[str, Any] = {"all": customers.count()}
    for i, name in enumerate(usual):
        text = attribute_text(customers[name])
        asked |= {f"filled_{i}": text.count(), f"kinds_{i}": text.nunique()}
    found = customers.agg(**asked).to_pyarrow().to_pylist()[0]
    filled = [found[f"filled_{i}"] for i in range(len(usual))]
    for i, name in enumerate(usual):
        if filled[i] >= 0.8 * found["all"] and 2 <= found[f"kinds_{i}"] <= MANY:
            return name
    return usual[filled.index(max(filled))]


def attribute_title(name: str) -> str:
    """What people call an attribute: the marked title of a known column, else its name without underscores."""
    known = next((f.title for f in TABLES["customer"].fields if f.name == name), None)
    return known or name.replace("_", " ").strip().capitalize() or name


def attribute_text(column: Any) -> Any:
    """An attribute as text, NULL where it says nothing; dates by their year."""
    kind = column.type()
    if kind.is_date() or kind.is_timestamp():
        column = column.year()
    text = column.cast("string").strip()
    return text.lower().isin(_EMPTY).ifelse(None, text)
