"""Pictures of results: one drawing per declared chart, one theme, no browser."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klientel.analysis import Chart
from klientel.errors import BadParameter, nearest
from klientel.show.charts.canvas import Canvas
from klientel.show.theme import dark_rules
from klientel.words import say

if TYPE_CHECKING:
    import altair as alt

    from klientel.result import Result

FORMATS = ("svg", "png", "pdf", "html")
WIDTH = 760

# kind -> module and function; resolved at the call so that a picture loads only what it needs
_DRAWINGS = {
    "pareto": ("curves", "pareto"),
    "lorenz": ("curves", "lorenz"),
    "bar": ("bars", "bar"),
    "bridge": ("bars", "bridge"),
    "distribution": ("spread", "distribution"),
    "scatter": ("spread", "scatter"),
    "line": ("course", "line"),
    "area": ("course", "area"),
    "heatmap": ("grids", "heatmap"),
    "cohorts": ("grids", "cohorts"),
    "flow": ("flows", "flow"),
}


def draw(
    result: Result, name: str | None = None, lang: str = "en", width: int = WIDTH, theme: str = "light"
) -> alt.LayerChart:
    """The declared chart `name` (default: the first) of a result, in a language, a width in pixels, a theme.

    The result table is thinned or binned before it goes to Vega, so the picture stays small however
    many customers there are. An empty table gives a picture with a sentence. Raises BadParameter for
    an unknown chart. What each kind reads from x, y, color and options
    stands with the drawing functions of this package.
    """
    from altair.utils.schemapi import debug_mode

    canvas = Canvas(result, _declared(result, name), lang, width, theme)
    if canvas.empty:
        return canvas.sentence(say("There is nothing to show here: the table has no rows."))
    # The tests validate every kind against the schema; doing it at each drawing takes half of its time.
    with debug_mode(False):
        drawn: alt.LayerChart = _drawing(canvas)(canvas)
    return drawn


def svg(chart: alt.LayerChart) -> str:
    """The chart as SVG text, without any outside reference."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(chart.to_dict(validate=False)))


def save(chart: alt.LayerChart, path: str | Path) -> Path:
    """Write the chart as .svg, .png (twice the size, for sharp print), .pdf or .html; by the suffix.

    The HTML file holds the picture itself and needs neither network nor JavaScript.
    Raises BadParameter for any other suffix.
    """
    import vl_convert

    target = Path(path)
    suffix = target.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise BadParameter(
            say(
                "A chart cannot be written as {suffix}; use one of {known}.",
                suffix=suffix,
                known=list(FORMATS),
            )
        )
    picture = svg(chart)
    if suffix == "png":
        target.write_bytes(vl_convert.svg_to_png(picture, scale=2))
    elif suffix == "pdf":
        target.write_bytes(vl_convert.svg_to_pdf(picture))
    elif suffix == "html":
        target.write_text(_page(picture), encoding="utf-8")
    else:
        target.write_text(picture, encoding="utf-8")
    return target


def _drawing(canvas: Canvas) -> Callable[[Canvas], Any]:
    if canvas.chart.kind == "own":  # the escape hatch: options["draw"] takes the canvas, gives a chart
        own: Callable[[Canvas], Any] = canvas.chart.options["draw"]
        return own
    module, function = _DRAWINGS[canvas.chart.kind]
    drawing: Callable[[Canvas], Any] = getattr(import_module(f"klientel.show.charts.{module}"), function)
    return drawing


def _declared(result: Result, name: str | None) -> Chart:
    known = {c.name: c for c in result.analysis.charts}
    if not known:
        raise BadParameter(say("The analysis {name} has no chart.", name=result.name))
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        near = nearest(name, known)
        raise BadParameter(
            say("There is no chart {name}; did you mean {near}?", name=name, near=near)
            if near
            else say("There is no chart {name}; there are: {known}.", name=name, known=", ".join(known))
        )
    return known[name]


def _page(picture: str) -> str:
    dark = f"@media (prefers-color-scheme:dark){{body{{background:#11161d}}{dark_rules('svg')}}}"
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Klientel</title>'
        f"<style>body{{margin:16px}}svg{{max-width:100%;height:auto}}{dark}</style></head>"
        f"<body>{picture}</body></html>\n"
    )
