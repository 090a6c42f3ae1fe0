"""Where the values of a result lead: from a class, a cell or a bar to the rows of the customers behind it.

Nothing is declared for it: a column leads to the column of the same name in a table of customers, else to the one
class column whose values it shares. Customers lead to their pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse

from klientel.web import rights
from klientel.web.rights import Access

if TYPE_CHECKING:
    from klientel.result import Result

_KINDS = ("class", "score", "month", "flag", "attribute")


def customer_pages(found: Access) -> Any:
    """A function from numbers of customers to the addresses of their pages; one query each time."""

    def pages(numbers: set[str]) -> dict[str, str]:
        from klientel.web.records.models import Company

        seen = rights.visible(Company.present.filter(number__in=list(numbers)), found)
        try:
            return {
                number: reverse("customers:show", args=[pk])
                for number, pk in seen.values_list("number", "pk")
            }
        except NoReverseMatch:
            return {}

    return pages


def leads(result: Result, table: str) -> dict[str, tuple[str, str]]:
    """Columns of a table that lead to a table of customers: column -> (table, column)."""
    analysis = result.analysis
    customers = [t for t in analysis.tables if "customer_id" in {c.name for c in t.columns}]
    # A table of customers leads to its own rows first: class A there means all of A, not those of another table.
    targets = sorted(customers, key=lambda t: t.name != table)
    found: dict[str, tuple[str, str]] = {}
    for target in targets:
        names = {c.name: c for c in target.columns}
        for column in analysis.table(table).columns:
            if column.name in found or column.unit not in _KINDS:
                continue
            same = names.get(column.name)
            if same is not None and same.unit == column.unit:
                found[column.name] = (target.name, column.name)
            elif column.unit == "class" and "customer_id" not in {
                c.name for c in analysis.table(table).columns
            }:
                other = _sharing(result, table, column.name, target.name)
                if other:
                    found[column.name] = (target.name, other)
    return found


def _sharing(result: Result, table: str, column: str, target: str) -> str:
    """The one class column of a table of customers that has most of a column's values; "" if none or several."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def values(where: str, name: str) -> set[str]:
        data = result.tables[where].to_pyarrow().column(name).cast(pa.string())
        return set(pc.unique(data).to_pylist()) - {None}

    mine = values(table, column)
    near = column.removeprefix("class_")
    fitting = [
        c.name
        for c in result.analysis.table(target).columns
        if c.unit == "class" and len(mine & values(target, c.name)) * 2 > len(mine)
    ]
    if len(fitting) > 1:
        fitting = [name for name in fitting if _same(near, name)] or fitting
    return fitting[0] if len(fitting) == 1 else ""


_BEFORE, _AFTER = ("from", "before", "then", "old"), ("to", "now", "after", "new")


def _same(one: str, other: str) -> bool:
    """True if two names of columns speak of the same side of a change."""
    for side in (_BEFORE, _AFTER):
        if one in side:
            return bool(set(other.split("_")) & set(side))
    return False
