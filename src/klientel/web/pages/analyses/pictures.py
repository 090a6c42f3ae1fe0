"""Charts inside a page: two widths, no styles of their own, marks of categories lead to the rows behind them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString, mark_safe

from klientel.show.figures import missing
from klientel.show.pages import NARROW, WIDE, inlined
from klientel.web import results

if TYPE_CHECKING:
    from klientel.analysis import Chart
    from klientel.result import Result
    from klientel.show.charts.canvas import Canvas

# (position of a mark as the drawing names it) -> address, and what it is called
Targets = Mapping[tuple[tuple[str, int], ...], tuple[str, str]]
_MARK = re.compile(r'<(path|rect|text) ([^>]*?)aria-label="([^"]*)"([^>]*?)(/?)>')
_POSITION = re.compile(r"\b(place|step|column|row): (-?\d+)\b")
_STYLE = re.compile(r'\sstyle="[^"]*"')
# The fonts of charts stand once in the style sheet, not at every letter of a large picture.
_NOISE = re.compile(
    r'\s(?:role="graphics-[^"]*"|aria-roledescription="[^"]*"|aria-label="[^"]*"|font-family="[^"]*"|class="mark-[^"]*")'
)
_UNSEEN = re.compile(r'<path [^>]*display="none"/>')
_DRAWN = re.compile(r' (?:d|transform|[xy][12]?|width|height)="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")


_MOST = 24 * 2**20  # letters of pictures that are held


@dataclass(frozen=True)
class Drawn:
    """A chart of a page: name, title, SVG at both widths, words for those who cannot see it."""

    name: str
    title: str
    words: str
    wide: SafeString
    narrow: SafeString


def drawn(
    result: Result, lang: str, link: Callable[[str, Any, dict[str, Any]], str], key: str = ""
) -> list[Drawn]:
    """The charts of a result. link(table, chart, row) gives the address that a mark leads to.

    key: what identifies the answer; with it the pictures are drawn once for all who look at the same.
    """
    from klientel.show import chapters

    made = []
    charts = {c.name: c for c in result.analysis.charts}
    for picture in chapters.pictures(result, lang):
        chart = charts[picture.chart]
        forms = {}
        for kind, width in (("wide", WIDE), ("narrow", NARROW)):
            canvas = _canvas(result, chart, lang, width)
            targets = _targets(canvas, link) if not canvas.empty else {}
            svg = _svg(picture, width, f"{key}:{chart.name}:{width}:{lang}" if key else "")
            forms[kind] = inside(svg, picture.words, f"{chart.name}-{kind}-", targets)
        made.append(Drawn(picture.chart, picture.title, picture.words, forms["wide"], forms["narrow"]))
    return made


_SVGS: OrderedDict[str, str] = OrderedDict()  # the pictures that were asked for last
_lock = Lock()


@results.forgets
def forget() -> None:
    """Throw the pictures of before away."""
    with _lock:
        _SVGS.clear()


def _svg(picture: Any, width: int, key: str) -> str:
    with _lock:
        if key in _SVGS:
            _SVGS.move_to_end(key)
            return _SVGS[key]
    content = results.content()
    made = str(picture.svg(width))
    if key and content == results.content():
        with _lock:
            _SVGS[key] = made
            while sum(map(len, _SVGS.values())) > _MOST:
                _SVGS.popitem(last=False)
    return made


def inside(svg: str, words: str, prefix: str, targets: Targets | None = None) -> SafeString:
    """An SVG of ours for a page: no style attributes, which the policy forbids; unique ids; marks that lead."""
    text = _STYLE.sub("", inlined(svg, escape(words, quote=True), prefix))
    head, rest = text.split(">", 1)
    if targets:
        # With links inside it is no longer one image but a group that people walk through.
        head = head.replace('role="img"', 'role="group"', 1)
        rest = _MARK.sub(lambda found: _led(found, targets), rest)
    # What Vega says of axes and marks is English, and positions instead of names.
    rest = _UNSEEN.sub("", _NOISE.sub("", rest)).replace(" data-name=", " aria-label=")
    rest = _DRAWN.sub(lambda found: _LONG.sub(r"\1", found.group()), rest)  # a hundredth of a pixel is enough
    return mark_safe(f"{head}>{rest}")  # noqa: S308 - drawn by us; Vega escapes every text of the data


def _led(found: re.Match[str], targets: Targets) -> str:
    """A mark inside a link if it leads somewhere."""
    kind, _, label, _, end = found.groups()
    position = tuple(sorted((name, int(value)) for name, value in _POSITION.findall(label)))
    address, name = targets.get(position, ("", ""))
    if not address or kind == "text" or end != "/":
        return found.group()
    told = escape(name, quote=True)
    return f'<a href="{escape(address, quote=True)}" class="lead" data-name="{told}">{found.group()}</a>'


def _canvas(result: Result, chart: Chart, lang: str, width: int) -> Canvas:
    from klientel.show.charts.canvas import Canvas

    return Canvas(result, chart, lang, width, "light")


def _targets(canvas: Canvas, link: Callable[[str, Any, dict[str, Any]], str]) -> Targets:
    """Positions of the marks as the drawing of this kind orders them, with their addresses."""
    kinds = {"bar": _of_bars, "bridge": _of_bridge, "heatmap": _of_cells, "cohorts": _of_cells}
    place = kinds.get(canvas.chart.kind)
    if place is None:
        return {}
    chart, found = canvas.chart, {}
    named = [c for c in (chart.x, chart.y if chart.kind in ("heatmap", "cohorts") else "") if c]
    for position, row in place(canvas):
        address = link(chart.table, chart, row)
        if address:
            found[position] = (address, " · ".join(canvas.labels(c, [row[c]])[0] for c in named))
    return found


def _row(canvas: Canvas, i: int) -> dict[str, Any]:
    return {name: canvas.data.column(name)[i].as_py() for name in canvas.data.column_names}


def _of_bars(canvas: Canvas) -> Any:
    from klientel.show.charts.canvas import ORDERED

    chart = canvas.chart
    names = canvas.values(chart.x)
    repeats = chart.x != "name" and canvas.unit(chart.x) != "key" and 2 * len(set(names)) <= len(names)
    if canvas.has(chart.color) and canvas.option("stack", repeats):
        return
    upright = canvas.option("upright", canvas.unit(chart.x) in ORDERED)
    values = canvas.values(chart.y)
    order = [i for i, v in enumerate(values) if not missing(v)]
    if canvas.has(canvas.option("sum")):
        return  # a bar of several rows leads to none of them
    limit = int(canvas.option("limit", 15))
    if canvas.option("sort") or (len(order) > limit and not upright):
        order.sort(key=lambda i: -float(values[i]))
    for place, i in enumerate(order if upright else order[:limit]):
        yield (("place", place),), _row(canvas, i)


def _of_bridge(canvas: Canvas) -> Any:
    from klientel.show.charts.bars import steps_of

    drawn_steps = {step["label"] for step in steps_of(canvas)}
    labels = [canvas.say(label) for label in canvas.words(canvas.chart.x)]
    order = [i for i, label in enumerate(labels) if label in drawn_steps]
    for place, i in enumerate(order):
        yield (("step", place),), _row(canvas, i)


def _of_cells(canvas: Canvas) -> Any:
    from klientel.show.charts.grids import MOST_COHORTS, cells_of, ordered

    chart = canvas.chart
    across = {v: n for n, v in enumerate(ordered(canvas, chart.x, canvas.values(chart.x)))}
    down = {v: n for n, v in enumerate(ordered(canvas, chart.y, canvas.values(chart.y)))}
    value = chart.color or str(canvas.option("value", ""))
    dropped = max(len(cells_of(canvas, value)[2]) - MOST_COHORTS, 0) if chart.kind == "cohorts" else 0
    for i, (x, y) in enumerate(zip(canvas.values(chart.x), canvas.values(chart.y), strict=True)):
        if missing(x) or missing(y):
            continue
        yield (("column", across[x]), ("row", down[y] - dropped)), _row(canvas, i)
