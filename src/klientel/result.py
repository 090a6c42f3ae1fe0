"""An answer: result tables, figures, quality, parameters, pictures and the way to reproduce it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from klientel.analysis import Analysis, Estimate, Table
from klientel.errors import BadParameter, nearest
from klientel.quality import Quality
from klientel.words import say, translate

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class ResultTable:
    """One result table, computed when it is first looked at and then kept."""

    def __init__(self, table: Table, expression: Any) -> None:
        self.table = table
        self.expression = expression

    @cached_property
    def _arrow(self) -> pa.Table:
        import pyarrow as pa

        if isinstance(self.expression, pa.Table):
            return self.expression
        found: pa.Table = self.expression.to_pyarrow()
        return found

    def to_pyarrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self._arrow

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame."""
        frame: pd.DataFrame = self._arrow.to_pandas()
        return frame

    def to_polars(self) -> pl.DataFrame:
        """All rows as a Polars frame (Polars must be installed)."""
        import polars as pl

        made = pl.from_arrow(self._arrow)
        assert isinstance(made, pl.DataFrame)
        return made

    def head(self, n: int = 10) -> pa.Table:
        """The first n rows as an Arrow table."""
        return self._arrow.slice(0, n)

    def rows(self) -> list[list[Any]]:
        """All rows as lists of plain JSON values (money as numbers, dates as ISO text)."""
        return [list(map(plain, row)) for row in zip(*self._arrow.to_pydict().values(), strict=True)]

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __repr__(self) -> str:
        return f"<ResultTable {self.table.name}: {', '.join(c.name for c in self.table.columns)}>"

    def _repr_html_(self) -> str:
        return str(import_module("klientel.show.notebook").table_html(self))


class Tables(Mapping[str, ResultTable]):
    """Result tables by name, with a helpful error for a wrong name."""

    def __init__(self, tables: dict[str, ResultTable]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> ResultTable:
        if name not in self._tables:
            raise BadParameter(_unknown("table", name, self._tables))
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables  # Mapping asks __getitem__ and expects a KeyError

    def get(self, name: str, default: Any = None) -> Any:
        """The table of that name, or `default`."""
        return self._tables.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class Recipe(Mapping[str, str]):
    """How to get an answer again: "python", "cli", and "sql", which is written when it is first looked at."""

    def __init__(self, ways: Mapping[str, str], sql: Callable[[], str]) -> None:
        self._ways = dict(ways)
        self._write = sql

    @cached_property
    def _sql(self) -> str:
        return self._write()

    def __getitem__(self, way: str) -> str:
        return self._sql if way == "sql" else self._ways[way]

    def __iter__(self) -> Iterator[str]:
        yield from self._ways
        yield "sql"

    def __len__(self) -> int:
        return len(self._ways) + 1


@dataclass
class Result:
    """What an analysis answers on a Book: a function of (snapshot, analysis, parameters, as_of, version)."""

    analysis: Analysis
    as_of: date | None
    currency: str | None
    parameters: dict[str, Any]
    tables: Tables
    figures: dict[str, Any]
    quality: Quality
    estimates: dict[str, Estimate] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    reproduce: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the analysis."""
        return self.analysis.name

    def chart(self, name: str | None = None, lang: str = "en") -> Any:
        """The chart of that name (the first one by default) as an Altair chart."""
        names = [c.name for c in self.analysis.charts]
        if not names:
            raise BadParameter(say("The analysis {name} has no chart.", name=self.name))
        if name is not None and name not in names:
            raise BadParameter(_unknown("chart", name, names))
        # Drawn by a higher layer; resolved here, at the call, so that this layer does not depend on it.
        return import_module("klientel.show.charts").draw(self, name or names[0], lang=lang)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """The JSON form of the command line and the API (design, section 5); titles and reasons in `lang`."""
        return {
            "analysis": self.name,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "currency": self.currency,
            "parameters": {k: plain(v) for k, v in self.parameters.items()},
            "figures": {k: plain(v) for k, v in self.figures.items()},
            "tables": {
                name: {
                    "columns": [
                        {"name": c.name, "title": translate(c.title, lang), "unit": c.unit}
                        for c in table.table.columns
                    ],
                    "rows": table.rows(),
                }
                for name, table in self.tables.items()
            },
            "quality": {
                "n": self.quality.n,
                "excluded": self.quality.excluded,
                "coverage": self.quality.coverage,
                "flag": self.quality.flag,
                "reasons": [translate(r, lang) for r in self.quality.reasons],
                "intervals": {
                    k: {
                        "low": plain(e.low),
                        "high": plain(e.high),
                        "level": e.level,
                        "method": translate(e.method, lang),
                    }
                    for k, e in self.estimates.items()
                },
            },
            "reproduce": dict(self.reproduce),
        }

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={plain(v)!r}" for k, v in list(self.figures.items())[:6])
        return f"<Result {self.name} as of {self.as_of}: {shown}; quality {self.quality.flag}>"

    def _repr_html_(self) -> str:
        return str(import_module("klientel.show.notebook").result_html(self))


def plain(value: Any) -> Any:
    """A value as JSON can hold it: Decimal and numpy numbers as numbers, dates as ISO text, NaN as None."""
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value


def _unknown(what: str, name: str, known: Any) -> str:
    near = nearest(name, known)
    if near:
        return say("There is no {what} {name}; did you mean {near}?", what=what, name=name, near=near)
    return say("There is no {what} {name}; there are: {known}.", what=what, name=name, known=", ".join(known))
