"""Grids of coloured cells: heat map and cohort triangle."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import Canvas, cut, plot
from klientel.show.figures import missing
from klientel.words import say

if TYPE_CHECKING:
    import altair as alt

MOST_LABELS = 170
MOST_COHORTS = 36


def heatmap(canvas: Canvas) -> alt.LayerChart:
    """Cells of x by y, coloured by color (or, without it, by the option value), darker for more.

    Values, or the words of the column in option label, stand in the cells if there are few.
    """
    value = canvas.chart.color or str(canvas.option("value", ""))
    cells, columns, lines = cells_of(canvas, value)
    return _grid(canvas, cells, columns, lines, value, canvas.title_of(canvas.chart.x))


def cohorts(canvas: Canvas) -> alt.LayerChart:
    """Cohort triangle: x age, y cohort, color share (or amount) per cell; at most 36 cohorts, the latest."""
    value = canvas.chart.color or str(canvas.option("value", ""))
    cells, columns, lines = cells_of(canvas, value)
    dropped = max(len(lines) - MOST_COHORTS, 0)
    if dropped:
        cells = [{**c, "row": c["row"] - dropped} for c in cells if c["row"] >= dropped]
        lines = lines[dropped:]
    note = canvas.say(say("the {n} earliest cohorts not drawn", n=dropped)) if dropped else ""
    return _grid(canvas, cells, columns, lines, value, canvas.title_of(canvas.chart.x), note)


def cells_of(canvas: Canvas, value: str) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Cells with their positions, and the labels of columns and rows in order."""
    x, y = canvas.values(canvas.chart.x), canvas.values(canvas.chart.y)
    across, down = ordered(canvas, canvas.chart.x, x), ordered(canvas, canvas.chart.y, y)
    at_x, at_y = {v: i for i, v in enumerate(across)}, {v: i for i, v in enumerate(down)}
    numbers = canvas.values(value)
    unit = canvas.unit(value)
    label = str(canvas.option("label", ""))
    said = canvas.words(label) if canvas.has(label) else [None] * len(numbers)
    cells = [
        {"column": at_x[a], "row": at_y[b], "value": float(v), "text": s or canvas.short(v, unit)}
        for a, b, v, s in zip(x, y, numbers, said, strict=True)
        if not missing(v) and not missing(a) and not missing(b)
    ]
    return cells, canvas.labels(canvas.chart.x, across), canvas.labels(canvas.chart.y, down)


def ordered(canvas: Canvas, name: str, values: list[Any]) -> list[Any]:
    """Distinct values of a column: sorted where they have an order, else as the table brings them."""
    known = list(dict.fromkeys(v for v in values if not missing(v)))
    if canvas.unit(name) in ("text", "key", "flag"):
        return known
    return sorted(known, key=lambda v: v.isoformat() if isinstance(v, date) else v)


def _grid(
    canvas: Canvas, cells: list[dict[str, Any]], columns: list[str], lines: list[str], value: str,
    x_title: str, note: str = "",
) -> alt.LayerChart:  # fmt: skip
    import altair as alt

    unit, colours = canvas.unit(value), canvas.colours
    if not cells:
        return canvas.sentence(say("There is nothing to show here: no row has both values."))
    low, top, given = _range(canvas, cells)
    for c in cells:
        c["colour"], c["ink"] = colours.step(min((c["value"] - low) / (top - low or 1.0), 1.0) * 0.999)
        if given and c["column"] == 0:
            c["colour"], c["ink"] = colours["grid"], colours["ink"]
    most = 7 if canvas.narrow else 15
    shown = len(columns) <= most and len(cells) <= MOST_LABELS
    size = 36 if len(lines) <= 6 else 28 if len(lines) <= 16 else 20 if len(lines) <= 26 else 15
    base = plot(cells).encode(
        x=alt.X("column:O", sort=None, scale=alt.Scale(paddingInner=0.03, domain=list(range(len(columns)))),
                axis=_column_axis(canvas, columns, x_title)),
        y=alt.Y("row:O", sort=None, scale=alt.Scale(paddingInner=0.06, domain=list(range(len(lines)))),
                axis=canvas.ordinal([cut(t, 14 if canvas.narrow else 28) for t in lines], grid=False,
                                    labelColor=colours["ink"], labelLimit=200)),
    )  # fmt: skip
    layers = [base.mark_rect(cornerRadius=2).encode(color=alt.Color("colour:N", scale=None, legend=None))]
    if shown:
        font = 11 if len(columns) > 8 or canvas.narrow else 12
        layers.append(
            base.mark_text(fontSize=font, baseline="middle").encode(
                text="text:N", color=alt.Color("ink:N", scale=None, legend=None)
            )
        )
    inner = [c["value"] for c in cells if not (given and c["column"] == 0)] or [top]
    scale_said = "" if shown else canvas.say(
        say("pale {low} to deep {high}", low=canvas.short(min(inner), unit), high=canvas.short(top, unit))
    )  # fmt: skip
    label = str(canvas.option("label", ""))
    named = canvas.say(say("in the cells: {title}", title=canvas.title_of(label))) if label and shown else ""
    return canvas.finish(layers, size * len(lines), canvas.measure(value), scale_said, named, note)


def _column_axis(canvas: Canvas, columns: list[str], title: str) -> Any:
    few = len(columns) <= (7 if canvas.narrow else 16)
    every = 1 if few else max(1, len(columns) // (6 if canvas.narrow else 12))
    longest = 9 if canvas.narrow else max(8, 110 // max(len(columns), 1))
    shown = [cut(c, longest) if few else c for c in columns]
    axis = canvas.ordinal(shown, orient="top", labelAngle=0, values=list(range(0, len(columns), every)))
    axis.title = title
    return axis


def _range(canvas: Canvas, cells: list[dict[str, Any]]) -> tuple[float, float, bool]:
    """Values of the palest and the deepest cell, and whether the first column is 100 % by definition.

    That column would only make all others look alike, so it does not set the colours.
    """
    first = [c["value"] for c in cells if c["column"] == 0]
    given = canvas.chart.kind == "cohorts" and bool(first) and all(abs(v - 1) < 1e-9 for v in first)
    inner = [c["value"] for c in cells if not (given and c["column"] == 0)] or first
    low, top = min(inner), max(inner)
    if canvas.chart.kind == "heatmap":
        low = min(low, 0.0)
    return low - (top - low) * (0.15 if given else 0.0), top, given
