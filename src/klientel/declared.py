"""Checks a declaration when it is imported, so that a slip is told where it was made, not to a user later."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, get_args

from klientel.errors import nearest
from klientel.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from klientel.analysis import Analysis, Outcome

_MONEY = ("revenue", "matched_revenue", "invoiced", "margin", "margin_base")
# Columns of the Book's tables (docs/architecture.md); None: the columns depend on the company's files.
BOOK: dict[str, tuple[str, ...] | None] = {
    "totals": ("customer_id", *_MONEY, "order_days", "orders", "lines"),
    "histories": ("customer_id", "first_day", "last_day", "order_days", "revenue", "months_0"),
    "purchases": ("customer_id", "day", *_MONEY, "quantity", "orders", "lines", "is_order"),
    "customers": None,
    "lines": None,
    "contracts": TABLES["project_contract"].names(),
    "opportunities": TABLES["opportunity"].names(),
    "interactions": TABLES["interaction"].names(),
    "contacts": TABLES["contact"].names(),
    "products": TABLES["product"].names(),
    "product_groups": TABLES["product_group"].names(),
    "reps": TABLES["rep"].names(),
    "leads": TABLES["lead"].names(),
}


def check_declaration(analysis: Analysis) -> None:
    """Raise TypeError with the analysis, the place and the nearest right word if the declaration is off."""
    from klientel.analysis import GROUPS, ChartKind, Unit

    name = analysis.name
    _one_of(name, "group", analysis.group, GROUPS)
    for need in analysis.needs:
        _one_of(name, "table of a Need", need.table, BOOK)
        if need.instead:
            _one_of(name, "instead of a Need", need.instead, [n.table for n in analysis.needs])
        known = BOOK[need.table]
        for wanted in need.columns if known is not None else ():
            _one_of(name, f"column of Need({need.table!r})", wanted, known or ())
    positional = [p for p in signature(analysis.function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    if len(positional) != len(analysis.needs):
        raise TypeError(
            f"{name}: {len(analysis.needs)} needs, but {len(positional)} tables are taken "
            f"({', '.join(p.name for p in positional)}); parameters must be keyword-only"
        )
    units = get_args(Unit)
    for table in analysis.tables:
        for column in table.columns:
            _one_of(name, f"unit of {table.name}.{column.name}", column.unit, units)
    for figure in analysis.figures:
        _one_of(name, f"unit of {figure.name}", figure.unit, units)
    tables = {t.name: [c.name for c in t.columns] for t in analysis.tables}
    for chart in analysis.charts:
        _one_of(name, f"kind of chart {chart.name}", chart.kind, get_args(ChartKind))
        _one_of(name, f"table of chart {chart.name}", chart.table, tables)
        for drawn in (chart.x, chart.y, chart.color):
            if drawn:
                _one_of(name, f"column of chart {chart.name}", drawn, tables[chart.table])


def check_outcome(analysis: Analysis, outcome: Outcome) -> None:
    """Raise TypeError if an analysis returns tables, columns or figures other than the declared ones."""
    declared = {t.name: [c.name for c in t.columns] for t in analysis.tables}
    for table, found in outcome.tables.items():
        _one_of(analysis.name, "returned table", table, declared)
        columns = list(getattr(found, "column_names", None) or found.columns)
        if columns != declared[table]:
            raise TypeError(
                f"{analysis.name}: table {table} returns {columns}, declared are {declared[table]} in this order"
            )
    for figure in outcome.figures:
        _one_of(analysis.name, "returned figure", figure, [f.name for f in analysis.figures])


def _one_of(analysis: str, what: str, word: str, known: Iterable[str]) -> None:
    names = list(known)
    if word not in names:
        near = nearest(word, names)
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(names)}"
        raise TypeError(f"{analysis}: {what} is {word!r}; {hint}")
