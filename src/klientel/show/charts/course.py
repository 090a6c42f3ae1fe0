"""The course of something over time or another ordered scale: lines and stacked areas."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import EM, Canvas, cut, plot
from klientel.show.figures import missing
from klientel.words import mark

if TYPE_CHECKING:
    import altair as alt

MOST_SERIES = 8
MOST_BANDS = 3  # more of them on top of each other hide the lines
_HEIGHT = 300
_AXIS = 62  # pixels of the value axis and the margins
_ROOM, _ROOM_NARROW = 0.3, 0.46  # most of the width that names take
_LINE = 15  # pixels from line to line of a name


def line(canvas: Canvas) -> alt.LayerChart:
    """Lines of y over x, one per value of color, each named at its end instead of in a key.

    options: low, high (columns: a band around each line, where there are at most three), points=True,
    zero=False (axis need not begin at zero). Shares on x stand at their values; a share against a share
    (forecast against came) gets the diagonal on which both are equal.
    """

    series, labels = series_of(canvas)
    true_to_scale = canvas.unit(canvas.chart.x) == "share"
    layers: list[Any] = []
    if true_to_scale:
        _at_values(canvas, series)
        if canvas.unit(canvas.chart.y) == "share":
            layers += _diagonal(canvas)
    for place, (name, points) in enumerate(series.items()):
        colour = _colour(canvas, place, name, len(series))
        base = plot(points).encode(x="x:Q", y="y:Q")
        if points and points[0]["low"] is not None and len(series) <= MOST_BANDS:
            layers.append(
                base.mark_area(color=colour, opacity=0.16, line=False).encode(y="low:Q", y2="high:Q")
            )
        layers.append(base.mark_line(color=colour))
        if canvas.option("points", len(points) <= 18):
            layers.append(base.mark_point(filled=True, size=34, opacity=1, color=colour))
    largest = max(
        (abs(p[k]) for s in series.values() for p in s for k in ("y", "low", "high") if p[k] is not None),
        default=1,
    )
    ends = [(name, points[-1]["x"], points[-1]["y"]) for name, points in series.items() if points]
    said, room = _end_names(canvas, ends, largest)
    layers += said
    if true_to_scale:
        largest = max(largest, 1.0) if layers else largest
    x, y = _axes(canvas, labels, largest, room)
    if true_to_scale:
        x = _share_axis(canvas)
    # The axes hang on a layer of invisible points, whatever the lines themselves are made of.
    points = [p for s in series.values() for p in s]
    frame = plot(points).mark_point(opacity=0, color=canvas.colours["ink"]).encode(x=x, y=y)
    layers.insert(0, frame)
    return canvas.finish(layers, _HEIGHT, canvas.measure(canvas.chart.y))


def _at_values(canvas: Canvas, series: dict[str, list[dict[str, Any]]]) -> None:
    """Moves the points from their rank on x to their value."""
    order = sorted({float(v) for v in canvas.values(canvas.chart.x) if not missing(v)})
    for points in series.values():
        for p in points:
            p["x"] = order[p["x"]]


def _diagonal(canvas: Canvas) -> list[Any]:
    ends = plot([{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0}])
    line = ends.mark_line(color=canvas.colours["line"], strokeWidth=1, strokeDash=[3, 4])
    said = plot([{"x": 0.03, "y": 0.03, "text": canvas.say(mark("dashed: came as forecast"))}])
    words = said.mark_text(align="left", dx=26, baseline="middle", color=canvas.colours["muted"])
    return [line.encode(x="x:Q", y="y:Q"), words.encode(x="x:Q", y="y:Q", text="text:N")]


def _share_axis(canvas: Canvas) -> Any:
    import altair as alt

    axis = canvas.axis(1.0, "share", grid=False)
    axis.title = canvas.title_of(canvas.chart.x)
    return alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis)


def area(canvas: Canvas) -> alt.LayerChart:
    """Areas of y over x stacked by color, named inside or at the end where they are thick enough."""

    series, labels = series_of(canvas)
    levels = [0.0] * len(labels)
    layers: list[Any] = []
    ends = []
    for place, (name, points) in enumerate(series.items()):
        known = {p["x"]: p["y"] for p in points}
        bands = []
        for i in range(len(labels)):
            low, levels[i] = levels[i], levels[i] + max(known.get(i, 0.0), 0.0)
            bands.append({"x": i, "y": low, "top": levels[i]})
        colour = _stack_colour(canvas, place, len(series))
        base = plot(bands).encode(x="x:Q", y="y:Q", y2="top:Q")
        layers.append(
            base.mark_area(color=colour, line=False, stroke=canvas.colours["paper"], strokeWidth=0.8)
        )
        if bands:
            ends.append(
                (
                    name,
                    bands[-1]["x"],
                    (bands[-1]["y"] + bands[-1]["top"]) / 2,
                    bands[-1]["top"] - bands[-1]["y"],
                )
            )
    largest = max(levels, default=1.0) or 1.0
    thick = [(n, x, y) for n, x, y, height in ends if height > largest * 0.035]
    said, room = _end_names(canvas, thick, largest, stacked=len(series))
    layers += said
    x, y = _axes(canvas, labels, largest, room)
    layers[0] = layers[0].encode(x=x, y=y)
    return canvas.finish(layers, _HEIGHT, canvas.measure(canvas.chart.y))


def series_of(canvas: Canvas) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Points per series at positions 0, 1, 2, ... of the sorted x values, and the labels of x."""
    raw = canvas.values(canvas.chart.x)
    order = sorted({v for v in raw if not missing(v)}, key=_key)
    place = {v: i for i, v in enumerate(order)}
    names = canvas.words(canvas.chart.color) if canvas.has(canvas.chart.color) else [""] * len(raw)
    low, high = canvas.option("low"), canvas.option("high")
    lows = canvas.values(low) if canvas.has(low) else [None] * len(raw)
    highs = canvas.values(high) if canvas.has(high) else [None] * len(raw)
    series: dict[str, list[dict[str, Any]]] = {}
    for x, y, name, a, b in zip(raw, canvas.values(canvas.chart.y), names, lows, highs, strict=True):
        if missing(x) or missing(y):
            continue
        band = not missing(a) and not missing(b)
        point = {
            "x": place[x],
            "y": float(y),
            "low": float(a) if band else None,
            "high": float(b) if band else None,
        }
        series.setdefault(name, []).append(point)
    for points in series.values():
        points.sort(key=lambda p: p["x"])
    return _gathered(canvas, series), canvas.labels(canvas.chart.x, order)


def _gathered(canvas: Canvas, series: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """At most eight series; of an area the small ones become "all others", of lines they are left out."""
    if len(series) <= MOST_SERIES or (canvas.chart.kind == "area" and len(series) <= 14):
        return series
    size = sorted(series, key=lambda n: -sum(abs(p["y"]) for p in series[n]))
    kept = set(size[: MOST_SERIES - 1])
    chosen = {n: s for n, s in series.items() if n in kept}
    if canvas.chart.kind == "area":
        sums: dict[int, float] = {}
        for name in series:
            for p in series[name] if name not in kept else ():
                sums[p["x"]] = sums.get(p["x"], 0.0) + p["y"]
        others = canvas.say(mark("all others"))
        chosen[others] = [{"x": x, "y": y, "low": None, "high": None} for x, y in sorted(sums.items())]
    return chosen


def _axes(canvas: Canvas, labels: list[str], largest: float, room: float) -> tuple[Any, Any]:
    """The x axis with room for the names at its end (pixels), and the y axis."""
    import altair as alt

    last = max(len(labels) - 1, 1)
    most = 4 if canvas.narrow else 9
    every = _every(labels, most)
    axis = canvas.ordinal(labels, values=list(range(0, len(labels), every)), labelFlush=True, labelAngle=0)
    if canvas.unit(canvas.chart.x) not in ("date", "month"):
        axis.title = canvas.title_of(canvas.chart.x)
    inner = canvas.width - _AXIS
    free = last * room / (inner - room) if room else last * 0.03
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, last + free], nice=False), axis=axis)
    zero = bool(canvas.option("zero", True))
    values = canvas.axis(largest, canvas.unit(canvas.chart.y), grid=True)
    return x, alt.Y("y:Q", scale=alt.Scale(zero=zero, nice=True), axis=values)


def _every(labels: list[str], most: int) -> int:
    """Every how many labels one is shown: numbers that count evenly in steps people count in, such as years."""
    if len(labels) > most and all(label.isdigit() for label in labels):
        numbers = [int(label) for label in labels]
        step = numbers[1] - numbers[0]
        if step > 0 and all(b - a == step for a, b in itertools.pairwise(numbers)):
            dozens = (12, 24, 36, 48, 60, 120) if step in (1, 2, 3, 6) and numbers[-1] > 24 else ()
            for wanted in dozens or (2, 5, 10, 20, 25, 50, 100, 200, 500, 1000):
                if wanted % step == 0 and numbers[-1] // wanted < most:
                    return wanted // step
    return max(1, -(-len(labels) // most))


def _end_names(
    canvas: Canvas, ends: list[tuple[str, float, float]], largest: float, stacked: int = 0
) -> tuple[list[Any], float]:
    """Names at the ends of lines, wrapped and pushed apart so that none covers another; pixels they need."""
    import altair as alt

    if not ends or (len(ends) == 1 and not ends[0][0]):
        return [], 0.0
    names = {name: _folded(canvas, name) for name, _, _ in ends}
    widest = max(len(line) for lines in names.values() for line in lines)
    room = min(widest * 12.5 * EM + 22, canvas.width * (_ROOM_NARROW if canvas.narrow else _ROOM))
    unit = largest / (_HEIGHT * 0.92)  # of y per pixel
    far = max(e[1] for e in ends)
    wide = far * room / max(canvas.width - _AXIS - room, 1.0)  # of a name, in places of x
    said: list[dict[str, Any]] = []
    for name, x, y in sorted(ends, key=lambda e: e[2]):
        half = unit * (_LINE * len(names[name]) + 3) / 2
        near = [s["y"] + s["half"] + half for s in said if abs(s["x"] - x) < wide]
        at = max([y, *near])
        place = [e[0] for e in ends].index(name)
        plain = stacked or _ordered(canvas)
        colour = canvas.colours["ink"] if plain else _colour(canvas, place, name, len(ends))
        said.append({"x": x, "y": at, "half": half, "text": names[name], "colour": colour})
    layers = []
    paper = canvas.colours["paper"]  # a rim of paper, where a name ends up on another line
    for many in sorted({len(s["text"]) for s in said}):
        part = [s for s in said if len(s["text"]) == many]
        # Several lines hang from the first one: it goes up by half of the others.
        style = {
            "align": "left", "dx": 9, "baseline": "middle", "fontWeight": "bold",
            "lineHeight": _LINE, "dy": -_LINE * (many - 1) / 2,
        }  # fmt: skip
        rim = plot(part).mark_text(**style, color=paper, stroke=paper, strokeWidth=4, strokeJoin="round")
        if not stacked:
            layers.append(rim.encode(x="x:Q", y="y:Q", text="text:N"))
        own = alt.Color("colour:N", scale=None, legend=None)
        layers.append(plot(part).mark_text(**style).encode(x="x:Q", y="y:Q", text="text:N", color=own))
    return layers, room


def _folded(canvas: Canvas, name: str) -> list[str]:
    """A name in at most two lines (three on a phone) that fit at the end; cut only where even that is too short."""
    most = int((canvas.width * (_ROOM_NARROW if canvas.narrow else _ROOM) - 22) / (12.5 * EM))
    lines: list[str] = []
    for word in name.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= min(most, 22):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    least = 3 if canvas.narrow else 2
    if len(lines) > least:
        lines = [*lines[: least - 1], " ".join(lines[least - 1 :])]
    if len(lines) == 1 and len(name) > most and len(name) < 2 * most:  # one long word
        return [f"{name[: most - 1]}-", name[most - 1 :]]
    return [cut(line, most) for line in lines]


def _ordered(canvas: Canvas) -> bool:
    """True if the series have an order of their own, as cohorts have."""
    return canvas.unit(canvas.chart.color) in ("date", "month", "number", "count", "score")


def _colour(canvas: Canvas, place: int, name: str, count: int) -> str:
    if canvas.has(canvas.chart.color) and _ordered(canvas) and count > 2:
        return canvas.colours.step(0.99 - 0.45 * place / (count - 1))[0]
    return canvas.colours.of_class(name) or canvas.colours.category(place)


def _stack_colour(canvas: Canvas, place: int, count: int) -> str:
    """Old layers deep, young layers pale: cohorts are an order, not eight different things."""
    if canvas.unit(canvas.chart.color) in ("class", "text", "key", "flag") and not canvas.option("ordered"):
        return canvas.colours.category(place)
    share = 1 - place / max(count - 1, 1)
    return canvas.colours.step(0.18 + 0.8 * share)[0]


def _key(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
