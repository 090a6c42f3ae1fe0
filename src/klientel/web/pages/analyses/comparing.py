"""Two answers of the same question side by side: figures with their difference, and how classes moved."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from klientel.show.figures import NUMERIC, missing, spoken_figure, written
from klientel.words import mark, percent, say, translate

if TYPE_CHECKING:
    import pyarrow as pa

    from klientel.analysis import Column, Figure
    from klientel.result import Result

_MOST_CLASSES = 12
ABSENT = mark("not there")


@dataclass(frozen=True)
class Pair:
    """A figure on both days. trend: "better", "worse", "up", "down" or "same", told in words beside the colour."""

    title: str
    meaning: str
    before: str
    now: str
    difference: str
    trend: str
    headline: bool


@dataclass(frozen=True)
class Moved:
    """How customers moved between the classes of a column: one row per class then, one column per class now."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...]  # class then, (customers, stayed)
    changed: int
    together: int


@dataclass(frozen=True)
class Compared:
    """The comparison of two answers."""

    before: Any  # as-of dates
    now: Any
    pairs: tuple[Pair, ...]
    moved: tuple[Moved, ...]

    @property
    def headlines(self) -> tuple[Pair, ...]:
        """The figures that stand out; all where none does."""
        return tuple(p for p in self.pairs if p.headline) or self.pairs

    @property
    def further(self) -> tuple[Pair, ...]:
        """The other figures."""
        return tuple(p for p in self.pairs if p not in self.headlines)


def compare(before: Result, now: Result, lang: str) -> Compared:
    """Figures and classes of an answer beside those of an earlier day."""
    pairs = [
        _pair(figure, before, now, lang)
        for figure in sorted(now.analysis.figures, key=lambda f: not f.headline)
        if not (missing(before.figures.get(figure.name)) and missing(now.figures.get(figure.name)))
    ]
    moved = []
    for table in now.analysis.tables:
        columns = {c.name: c for c in table.columns}
        classes = [c for c in table.columns if c.unit == "class"]
        if "customer_id" in columns and classes:
            found = _moved(before, now, table.name, classes[0], lang)
            moved = [found] if found else []
            break  # tables after the first hold some of the same customers
    return Compared(before.as_of, now.as_of, tuple(pairs), tuple(moved))


def _pair(figure: Figure, before: Result, now: Result, lang: str) -> Pair:
    old, new = before.figures.get(figure.name), now.figures.get(figure.name)
    difference, trend = "", "same" if old == new else ""
    if figure.unit in NUMERIC and not (
        missing(old) or missing(new) or isinstance(old, str) or isinstance(new, str)
    ):
        change = (Decimal(str(new)) - Decimal(str(old)))  # fmt: skip
        difference = _difference(change, old, figure, now, lang)
        trend = _trend(change, figure)
    return Pair(
        translate(figure.title, lang), translate(figure.meaning, lang), _text(old, figure, before, lang),
        _text(new, figure, now, lang), difference, trend, figure.headline,
    )  # fmt: skip


def _text(value: Any, figure: Figure, result: Result, lang: str) -> str:
    if isinstance(value, str) and figure.unit in ("class", "flag"):
        return translate(value, lang)
    return spoken_figure(value, figure.unit, lang, result.currency)


def _difference(change: Decimal, old: Any, figure: Figure, result: Result, lang: str) -> str:
    """The change in the figure's unit, and as a share of what it was; shares change by points."""
    sign = "+" if change > 0 else ""
    if figure.unit == "share":
        text = written(float(change) * 100, "number", lang)
        return translate(say("{change} points", change=f"{sign}{text}"), lang)
    text = sign + spoken_figure(float(change), figure.unit, lang, result.currency)
    if old and float(old) > 0:
        return f"{text} ({sign}{percent(float(change) / float(old), lang)})"
    return text


def _trend(change: Decimal, figure: Figure) -> str:
    if not change:
        return "same"
    way = "up" if change > 0 else "down"
    if not figure.better:
        return way
    return "better" if way == figure.better else "worse"


def _moved(before: Result, now: Result, table: str, column: Column, lang: str) -> Moved | None:
    """Customers by class then and now; None if there are too many classes or nobody in both."""

    sides = [_classes(result, table, column.name) for result in (before, now)]
    if any(side.num_rows == 0 for side in sides):
        return None
    both = sides[0].join(sides[1], "customer_id", join_type="full outer", right_suffix="_now")
    counted = both.group_by(["kind", "kind_now"]).aggregate([("customer_id", "count")]).to_pylist()
    counts = {(row["kind"], row["kind_now"]): int(row["customer_id_count"]) for row in counted}
    kinds = sorted({k for pair in counts for k in pair if k is not None})
    if not kinds or len(kinds) > _MOST_CLASSES:
        return None
    names: list[str | None] = [*kinds, None]
    told = [translate(k, lang) if k is not None else translate(ABSENT, lang) for k in names]
    rows = []
    for title, old in zip(told, names, strict=True):
        cells = [(counts.get((old, new), 0), old == new and old is not None) for new in names]
        rows.append((title, tuple((written(n, "count", lang), stayed) for n, stayed in cells)))
    together = sum(n for (a, b), n in counts.items() if a is not None and b is not None)
    changed = sum(n for (a, b), n in counts.items() if a is not None and b is not None and a != b)
    return Moved(translate(column.title, lang), tuple(told), tuple(rows), changed, together)


def _classes(result: Result, table: str, column: str) -> pa.Table:
    import pyarrow as pa

    data = result.tables[table].to_pyarrow()
    return pa.table(
        {
            "customer_id": data.column("customer_id").cast(pa.string()),
            "kind": data.column(column).cast(pa.string()),
        }
    )
