"""The grid in which a person corrects a mapping by eye: first rows, over each column what it is taken for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klientel.schema import TABLES
from klientel.words import mark, translate

if TYPE_CHECKING:
    from klientel.web.imports.drafts import Draft
    from klientel.web.imports.looking import Look, Seen, Sheet

MOST = 40  # columns that are shown; those that are used come first in wider files
# Tables that can lie inside a file of another, whose columns may be named for it, too.
INSIDE = {
    "order_line": ("customer",),
    "order_header": ("customer",),
    "project_contract": ("customer", "order_line"),
    "opportunity": ("customer",),
}
SURE, LIKELY = 0.9, 0.6


@dataclass(frozen=True)
class Choice:
    """An entry of a select."""

    value: str
    title: str
    selected: bool = False


@dataclass
class Column:
    """A column over which a select stands. tone: how sure it is, as a colour; never told by the colour alone."""

    at: int
    header: str
    groups: list[tuple[str, list[Choice]]]
    percent: int | None
    tone: str
    why: str
    said: bool
    also: list[str]
    attribute: str = ""


@dataclass
class Grid:
    """A table of the files as the page shows it."""

    at: int
    sheet: Sheet
    title: str
    percent: int
    tone: str
    kinds: list[Choice]
    columns: list[Column]
    rows: list[tuple[int, list[str]]]
    hidden: int
    missing: list[str]
    left_out: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """File and sheet."""
        return self.sheet.place


def allowed(value: str, column: bool) -> bool:
    """True if a person can say that of a column, or of a table."""
    if value in ("", "-"):
        return True
    table, dot, name = value.partition(".")
    if not column:
        return value in TABLES
    return bool(dot) and table in TABLES and name in TABLES[table].names()


def grids(draft: Draft, look: Look, lang: str) -> list[Grid]:
    """The tables of a draft: those that something was made of first."""
    made = [_grid(i, sheet, draft.choices.get(sheet.place, {}), lang) for i, sheet in enumerate(look.sheets)]
    return sorted(made, key=lambda g: (g.sheet.table is None, g.at))


def _grid(at: int, sheet: Sheet, chosen: dict[str, Any], lang: str) -> Grid:
    said = chosen.get("columns", {})
    order = list(range(len(sheet.columns)))
    if len(order) > MOST:
        used = [i for i in order if sheet.columns[i].table or sheet.columns[i].name in said]
        kept = set(used[:MOST]) | {i for i in order if i not in used}
        order = sorted(sorted(kept, key=lambda i: (i not in set(used), i))[:MOST])
    options = _fields(sheet.table, lang)
    return Grid(
        at=at,
        sheet=sheet,
        title=translate(TABLES[sheet.table].title, lang) if sheet.table else "",
        percent=round(100 * sheet.confidence),
        tone=_tone(sheet.confidence),
        kinds=_kinds(sheet, chosen.get("table", ""), lang),
        columns=[
            _column(i, sheet.columns[i], said.get(sheet.columns[i].name, ""), options, lang) for i in order
        ],
        rows=[(line, [cells[i] for i in order]) for line, cells in sheet.first],
        hidden=len(sheet.columns) - len(order),
        missing=[_either(str(sheet.table), group, lang) for group in sheet.missing],
        left_out=[c.header for c in sheet.columns if said.get(c.name) == "-"],
    )


def _kinds(sheet: Sheet, said: str, lang: str) -> list[Choice]:
    first = mark("As recognised") if said else mark("Not used")
    table = sheet.table or ""
    choices = [] if table and not said else [Choice("", translate(first, lang), not table)]
    titles = sorted(
        ((translate(t.title, lang), name) for name, t in TABLES.items()), key=lambda x: x[0].casefold()
    )
    choices += [Choice(name, title, name == table) for title, name in titles]
    return [*choices, Choice("-", translate(mark("Leave the table out"), lang), said == "-")]


def _fields(table: str | None, lang: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """(title of a table, [(value, title of a column)]) of what a column of such a file can be."""
    if table is None:
        return []
    return [
        (
            translate(TABLES[name].title, lang),
            [(f"{name}.{f.name}", translate(f.title, lang)) for f in TABLES[name].fields],
        )
        for name in (table, *INSIDE.get(table, ()))
    ]


def _column(
    at: int, seen: Seen, said: str, options: list[tuple[str, list[tuple[str, str]]]], lang: str
) -> Column:
    value = "-" if said == "-" else seen.value
    known = {v for _, fields in options for v, _ in fields}
    groups = [
        ("", [Choice("", translate(_nothing(seen, said), lang), value not in known and value != "-"),
              Choice("-", translate(mark("Leave out"), lang), value == "-")]),
        *((title, [Choice(v, text, v == value) for v, text in fields]) for title, fields in options),
    ]  # fmt: skip
    shown = seen.table != "" and said != "-"
    return Column(
        at=at,
        header=translate(seen.header, lang),
        groups=groups,
        percent=round(100 * seen.confidence) if shown else None,
        tone=_tone(seen.confidence) if shown else "plain",
        why=translate(seen.why, lang) if shown else "",
        said=bool(said),
        also=[_title(table, name, lang) for table, name in seen.also] if said != "-" else [],
        attribute=seen.column if seen.table == "attribute" and said != "-" else "",
    )


def _nothing(seen: Seen, said: str) -> str:
    """The first entry: what happens if the person says nothing."""
    if said:
        return mark("As recognised")
    if seen.table == "attribute":
        return mark("Own field")
    if seen.table == "period":
        return mark("Amount of a period")
    return mark("As recognised") if seen.table else mark("Not used")


def _title(table: str, name: str, lang: str) -> str:
    if table not in TABLES:
        return name
    return f"{translate(TABLES[table].title, lang)}: {translate(TABLES[table].field(name).title, lang)}"


def _either(table: str, group: tuple[str, ...], lang: str) -> str:
    return " / ".join(translate(TABLES[table].field(name).title, lang) for name in group)


def _tone(confidence: float) -> str:
    return "green" if confidence >= SURE else "amber" if confidence >= LIKELY else "red"
