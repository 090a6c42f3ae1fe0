"""What every drawing starts from: the data of one chart, its words, its axes, its size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from klientel.analysis import Chart, Column, Unit
from klientel.show import figures
from klientel.show.theme import Theme, theme, vega_config
from klientel.words import day, mark, say, translate

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from klientel.result import Result

EM = 0.53  # mean width of a letter in Arial, in units of the font size
ORDERED: frozenset[str] = frozenset({"date", "month", "number", "score", "days", "months", "count"})

_LOCALES = {
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""]},
    "de": {
        "decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", "\u00a0€"], "percent": "\u202f%",
    },
}  # fmt: skip


class Canvas:
    """One chart to be drawn: declaration, data, language, width in pixels and colours."""

    def __init__(self, result: Result, chart: Chart, lang: str, width: int, mode: str) -> None:
        self.result = result
        self.chart = chart
        self.lang = lang
        self.width = width
        self.colours: Theme = theme(mode)
        self.table = result.analysis.table(chart.table)
        self.currency = result.currency
        self.narrow = width < 480

    @cached_property
    def data(self) -> pa.Table:
        """The result table; columns are only turned into Python where a drawing asks for them."""
        return self.result.tables[self.chart.table].to_pyarrow()

    @property
    def empty(self) -> bool:
        """True if there is no row, or no row with a number to draw."""
        if self.data.num_rows == 0:
            return True
        named = [n for n in (self.chart.x, self.chart.y) if n and n in self.data.column_names]
        return any(self.data.column(n).null_count == self.data.num_rows for n in named)

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the declaration."""
        return self.chart.options.get(name, default)

    def column(self, name: str) -> Column:
        """The declared column; a bare text column if the name is not declared."""
        return next((c for c in self.table.columns if c.name == name), Column(name, name))

    def unit(self, name: str) -> Unit:
        """Unit of a column."""
        return self.column(name).unit

    def has(self, name: str | None) -> bool:
        """True if the data has that column."""
        return bool(name) and name in self.data.column_names

    def values(self, name: str) -> list[Any]:
        """A column as Python values."""
        found: list[Any] = self.data.column(name).to_pylist()
        return found

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as floats, NaN where missing."""
        import numpy as np
        import pyarrow as pa

        cast = self.data.column(name).cast(pa.float64())
        return np.asarray(cast.to_numpy(zero_copy_only=False), dtype=float)

    def words(self, name: str) -> list[str]:
        """A column as labels in the reader's language; fixed words (classes, steps) are translated."""
        values = self.values(name)
        if name == "name" and self.has("customer_id") and any(v is None for v in values):
            ids = self.values("customer_id")  # a customer without a name is called by its number
            values = [i if v is None else v for v, i in zip(values, ids, strict=True)]
        return self.labels(name, values)

    def labels(self, name: str, values: list[Any]) -> list[str]:
        """Values of a column as labels; days that are all the first of a month or year become these."""
        column = self.column(name)
        days = [v for v in values if isinstance(v, date)]
        if days and column.unit in ("date", "month"):
            if len(days) > 1 and all(d.month == 1 and d.day == 1 for d in days):
                return [str(v.year) if isinstance(v, date) else figures.NONE for v in values]
            if all(d.day == 1 for d in days):
                return [figures.written(v, "month", self.lang) for v in values]
        return [figures.cell(v, column, self.lang) for v in values]

    def short(self, value: Any, unit: Unit) -> str:
        """A number as a direct label, with currency where it is money."""
        return figures.short(value, unit, self.lang)

    def say(self, text: str) -> str:
        """A text in the reader's language."""
        return translate(text, self.lang)

    def title_of(self, name: str) -> str:
        """Title of a column in the reader's language."""
        return self.say(self.column(name).title or name)

    # titles ------------------------------------------------------------------------------------

    def measure(self, name: str) -> str:
        """What a column measures, with its unit: "Revenue in EUR"."""
        column = self.column(name)
        title = self.title_of(name)
        if column.unit == "money" and self.currency:
            return self.say(say("{title} in {unit}", title=title, unit=self.currency))
        if column.unit in ("days", "months"):
            return figures.header(column, self.lang)
        return title

    def titles(self, *parts: str) -> dict[str, Any]:
        """Title and subtitle of the picture, wrapped to its width; the as-of day always closes it."""
        told = [p for p in (*parts, self.say(self.option("subtitle", ""))) if p]
        if self.result.as_of:
            as_of = self.say(say("as of {day}", day=day(self.result.as_of, self.lang)))
            told.append(as_of.replace(" ", "\u00a0"))
        title = self.say(self.chart.title or self.table.title)
        return {
            "text": wrapped(title, self.width - 16, 17 * 1.06),
            "subtitle": wrapped(" · ".join(told), self.width - 16, 12.5),
        }

    # axes --------------------------------------------------------------------------------------

    def axis(self, largest: float, unit: Unit, **extra: Any) -> alt.Axis:
        """A value axis: few ticks, numbers abbreviated in the reader's language."""
        import altair as alt

        ticks = extra.pop("tickCount", 4 if self.narrow else 5)
        return alt.Axis(labelExpr=self.label_expression(largest, unit), tickCount=ticks, title=None, **extra)

    def label_expression(self, largest: float, unit: Unit) -> str:
        """Vega expression for the labels of an axis whose largest value is `largest`."""
        minus = "replace(format({}, '{}'), '-', '−')"
        if unit == "share":
            digits = 0 if largest >= 0.08 else 1
            return minus.format("datum.value * 100", f",.{digits}f") + " + '\u202f%'"
        divisor, word = figures.scale(largest, self.lang)
        number = minus.format(f"datum.value / {divisor:.0f}", ",~r" if largest < 10 * divisor else ",.0f")
        if largest < 10 * divisor:
            number = minus.format(f"datum.value / {divisor:.0f}", ",.2~f")
        if not word:
            return number
        gap = "\u00a0" if self.lang == "de" else ""
        return f"datum.value === 0 ? '0' : {number} + '{gap}{word}'"

    def ordinal(self, labels: Sequence[str], **extra: Any) -> alt.Axis:
        """An axis over positions 0, 1, 2, ... that shows `labels`."""
        import altair as alt

        lookup = f"({json.dumps(list(labels))})[datum.value]"
        return alt.Axis(labelExpr=lookup, title=None, **extra)

    # finishing ---------------------------------------------------------------------------------

    def finish(self, layers: Sequence[Any], height: int, *titles: str) -> alt.LayerChart:
        """Put layers together under the theme, at the full width and a plot height in pixels."""
        import altair as alt

        chart = alt.layer(*layers).properties(
            title=alt.TitleParams(**self.titles(*titles)), width=self.width, height=height
        )
        number = _LOCALES.get(self.lang, _LOCALES["en"])
        made: alt.LayerChart = chart.configure(
            **vega_config(self.colours),
            autosize={"type": "fit-x", "contains": "padding"},
            locale={"number": number},
        )
        return made

    def sentence(self, text: str) -> alt.LayerChart:
        """A picture that says why there is no picture."""

        lines = wrapped(self.say(text), self.width - 40, 13)
        said = (
            plot([{"text": lines}])
            .mark_text(
                align="left", baseline="middle", fontSize=13, lineHeight=19, color=self.colours["muted"]
            )
            .encode(x=at_x(0), y=at_y(20), text="text:N")
        )
        return self.finish([said], 24 + 19 * len(lines))


def wrapped(text: str, width: float, size: float) -> list[str]:
    """A text in lines that fit `width` pixels at a font size, by the mean width of letters."""
    limit = max(int(width / (size * EM)), 12)
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= limit:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def cut(text: str, most: int) -> str:
    """A text of at most `most` letters, shortened with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def plot(values: Sequence[dict[str, Any]]) -> Any:
    """A chart without a mark yet, over rows given as dictionaries of plain values."""
    import altair as alt

    # Altair copies lists element by element at every step of building a chart, but leaves tuples alone.
    return _quick_chart()(alt.InlineData(values=tuple(values)))


def at_x(pixel: float | str) -> Any:
    """A place on x in pixels of the plot ("width" = its right end)."""
    import altair as alt

    place: Any = alt.XValue
    return place(pixel)


def at_y(pixel: float) -> Any:
    """A place on y in pixels of the plot, from its top."""
    import altair as alt

    place: Any = alt.YValue
    return place(pixel)


@cache
def _quick_chart() -> Any:
    """Altair's chart, with channels made straight from "x:Q"; its own way through dictionaries is slow."""
    import altair as alt

    made = {"x": alt.X, "x2": alt.X2, "y": alt.Y, "y2": alt.Y2, "text": alt.Text, "detail": alt.Detail}
    made |= {"order": alt.Order, "color": alt.Color, "size": alt.Size}

    class Chart(alt.Chart):
        def encode(self, *args: Any, **channels: Any) -> Any:
            quick = {k: made[k](v) if isinstance(v, str) else v for k, v in channels.items()}
            return super().encode(*args, **quick)

    return Chart


OTHERS = mark("all others")
