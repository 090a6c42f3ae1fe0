"""How an analysis is declared: what it needs, what it takes, what it gives, how it is drawn.

One declaration feeds the library call, the command line, the report, the page and the API.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from klientel.declared import check_declaration
from klientel.quality import Flag
from klientel.words import mark

Unit = Literal[
    "key",
    "text",
    "money",
    "share",
    "count",
    "number",
    "score",
    "days",
    "months",
    "date",
    "month",
    "class",
    "flag",
    "attribute",
]
ChartKind = Literal[
    "pareto",
    "bar",
    "line",
    "area",
    "scatter",
    "heatmap",
    "distribution",
    "flow",
    "bridge",
    "lorenz",
    "cohorts",
    "own",
]
Group = Literal["understand", "value", "keep", "win", "decide"]
GROUPS: dict[str, str] = {
    "understand": mark("Understand the portfolio"),
    "value": mark("What customers are worth"),
    "keep": mark("Keep customers"),
    "win": mark("Win customers"),
    "decide": mark("Decide"),
}


@dataclass(frozen=True)
class Need:
    """A table of the Book that is handed over as positional argument, with the columns it must have.

    back: for windowed tables (`totals`), how many windows before the last one; optional: None is
    handed over where the Book has no such table. instead: another table of the same analysis; where the
    Book has that one, this may be missing (None is handed over).
    """

    table: str
    columns: tuple[str, ...] = ()
    back: int = 0
    optional: bool = False
    instead: str = ""


@dataclass(frozen=True)
class Param:
    """A parameter of an analysis, used as Annotated[type, Param(...)] on a keyword-only argument."""

    title: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    unit: Unit = "number"
    name: str = ""
    type: type = str
    default: Any = None


@dataclass(frozen=True)
class Column:
    """A column of a result table: stable name, reader's title, unit, meaning."""

    name: str
    title: str
    unit: Unit = "text"
    meaning: str = ""


@dataclass(frozen=True)
class Table:
    """A result table with its columns in order; `main` rows open first on a page."""

    name: str
    title: str
    columns: tuple[Column, ...]
    meaning: str = ""


@dataclass(frozen=True)
class Figure:
    """A headline figure: stable name, title, unit, definition in one sentence, which way is better."""

    name: str
    title: str
    unit: Unit = "number"
    meaning: str = ""
    better: Literal["up", "down", ""] = ""
    headline: bool = False


@dataclass(frozen=True)
class Chart:
    """A picture drawn from a result table. x, y, color name columns; `options` depend on the kind."""

    name: str
    table: str
    kind: ChartKind
    x: str = ""
    y: str = ""
    color: str = ""
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval: value, low, high at `level`, and the method in words."""

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""


@dataclass(frozen=True)
class Context:
    """What an analysis may know besides its tables; handed over if it has an argument `context`.

    start, end: the half-open window of this call (start None = from the beginning); first_day: first
    event; epoch: first day of the month that bit 0 of `histories.months_*` stands for; months: number
    of months from epoch to as_of, the last one maybe partial; statuses: False where statuses without a day
    are empty, because the data go on after the as-of date.
    """

    as_of: date
    currency: str | None
    dated: bool
    first_day: date | None = None
    epoch: date | None = None
    months: int = 0
    start: date | None = None
    end: date | None = None
    level: float = 0.95
    fiscal_year_start_month: int = 1
    statuses: bool = True
    shared: dict[Any, Any] | None = field(default=None, repr=False, compare=False)
    materialise: Callable[[Any, str], Any] | None = field(default=None, repr=False, compare=False)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once per Book and key, so that analyses share what costs much.

        `make` may depend on nothing but the tables of the Book, the as-of date and the key.
        """
        if self.shared is None:
            return make()
        if key not in self.shared:
            self.shared[key] = make()
        return self.shared[key]

    def keep(self, table: Any, name: str) -> Any:
        """The table, computed now and kept on the engine where there is one; for parts that are read often."""
        return table if self.materialise is None else self.materialise(table, name)

    def within(self, day: Any) -> Any:
        """Ibis condition: the day lies in the window of this call (always true where it is open)."""
        inside = day < (self.end or self.as_of)
        return inside if self.start is None else inside & (day >= self.start)


@dataclass(frozen=True)
class Outcome:
    """What an analysis function returns: tables (Ibis expressions), figures, quality.

    figures: name -> number, Estimate, str or None. n None: counted from the first table.
    reasons: (flag, sentence) pairs.
    """

    tables: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)
    n: int | None = None
    excluded: int = 0
    coverage: float | None = None
    reasons: tuple[tuple[Flag, str], ...] = ()
    lines: tuple[str, ...] = ()  # what the numbers say, sentences for the first page


@dataclass(frozen=True)
class Analysis:
    """A declared analysis; `function` takes the needed tables, then parameters by keyword."""

    name: str
    title: str
    question: str
    group: Group
    needs: tuple[Need, ...]
    tables: tuple[Table, ...]
    function: Callable[..., Outcome | Mapping[str, Any]]
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    params: tuple[Param, ...] = ()
    reads: str = ""
    takes_context: bool = False

    def table(self, name: str) -> Table:
        """The declared result table of that name; KeyError if there is none."""
        return {t.name: t for t in self.tables}[name]

    def param(self, name: str) -> Param:
        """The declared parameter of that name; KeyError if there is none."""
        return {p.name: p for p in self.params}[name]


def analysis(
    *,
    title: str,
    question: str,
    group: Group,
    needs: tuple[Need, ...],
    tables: tuple[Table, ...],
    figures: tuple[Figure, ...] = (),
    charts: tuple[Chart, ...] = (),
    reads: str = "",
) -> Callable[[Callable[..., Any]], Analysis]:
    """Declare the decorated function as an analysis named after it; parameters come from its signature.

    Raises TypeError at import time if a keyword-only argument has no Param or no default.
    """

    def declare(function: Callable[..., Any]) -> Analysis:
        hints = get_type_hints(function, include_extras=True)
        signature = inspect.signature(function).parameters
        keywords = [p for p in signature.values() if p.kind is p.KEYWORD_ONLY and p.name != "context"]
        made = Analysis(
            name=function.__name__,
            title=title,
            question=question,
            group=group,
            needs=needs,
            tables=tables,
            function=function,
            figures=figures,
            charts=charts,
            params=tuple(_param(p, hints[p.name]) for p in keywords),
            reads=reads or f"docs/analyses/{function.__name__}.md",
            takes_context="context" in signature,
        )
        check_declaration(made)
        return made

    return declare


def _param(argument: inspect.Parameter, hint: Any) -> Param:
    if get_origin(hint) is not Annotated or argument.default is argument.empty:
        raise TypeError(f"parameter {argument.name} needs Annotated[type, Param(...)] and a default")
    kind, *notes = get_args(hint)
    told = next(note for note in notes if isinstance(note, Param))
    plain = kind if isinstance(kind, type) else str  # `int | str` (a window) is read as text and parsed
    return Param(
        told.title, told.min, told.max, told.choices, told.unit, argument.name, plain, argument.default
    )


Window = Annotated[str, Param(mark("Window: number of months before the as-of date, or all"), unit="months")]
