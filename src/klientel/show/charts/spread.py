"""How values spread: histogram and scatter, binned in Python where there are many customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import Canvas, at_x, at_y, cut, plot
from klientel.show.figures import short
from klientel.words import mark, say

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import numpy.typing as npt

POINTS = 600
_BINS = 24
_HEIGHT = 290


def distribution(canvas: Canvas) -> alt.LayerChart:
    """Histogram of x, or columns of y over ready-made bins x.

    Positive values that span more than two powers of ten are binned in powers, the usual case for
    revenue per customer. The median is marked.
    """
    import numpy as np

    if canvas.has(canvas.chart.y) and canvas.chart.y != canvas.chart.x:
        from klientel.show.charts.bars import bar

        return bar(canvas)
    value = canvas.numbers(canvas.chart.x)
    value = value[np.isfinite(value)]
    edges = _edges(value)
    counts, _ = np.histogram(value, edges)
    return _histogram(canvas, edges, counts, float(np.median(value)))


def scatter(canvas: Canvas) -> alt.LayerChart:
    """Points x against y; color: class or category; more than 600 become counted cells.

    options: size (column), label (column that names the largest), log ("x", "y", "xy"),
    x_split and y_split (numbers or "median": quadrant lines), quadrants (four names: upper left, upper
    right, lower left, lower right).
    """
    import numpy as np

    x, y = canvas.numbers(canvas.chart.x), canvas.numbers(canvas.chart.y)
    log = str(canvas.option("log", ""))
    fine = np.isfinite(x) & np.isfinite(y)
    fine &= (x > 0) if "x" in log else True
    fine &= (y > 0) if "y" in log else True
    kept = np.flatnonzero(fine)
    if not len(kept):
        return canvas.sentence(say("There is nothing to show here: no row has both values."))
    layers = _cells(canvas, x, y, kept, log) if len(kept) > POINTS else _points(canvas, x, y, kept)
    layers[0] = layers[0].encode(
        x=_scale(canvas, "x", canvas.chart.x, x[kept], "x" in log),
        y=_scale(canvas, "y", canvas.chart.y, y[kept], "y" in log),
    )
    layers = [*layers, *_quadrants(canvas, x[kept], y[kept])]
    dropped = len(x) - len(kept)
    note = canvas.say(say("{n} customers", n=len(kept)))
    gone = canvas.say(say("{n} without both values not drawn", n=dropped)) if dropped else ""
    said = say("{y} against {x}", y=canvas.measure(canvas.chart.y), x=canvas.measure(canvas.chart.x))
    return canvas.finish(layers, 360, canvas.say(said), note, gone)


def _edges(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bin edges at round numbers; 1-2-5 steps of the powers of ten where the values span many."""
    import numpy as np

    low, high = float(value.min()), float(value.max())
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    positive = value[value > 0]
    if len(positive) > 0.9 * len(value) and high / np.quantile(positive, 0.02) > 100:
        steps = [m * 10.0**e for e in range(-4, 16) for m in (1, 2, 5)]
        first = max(i for i, s in enumerate(steps) if s <= np.quantile(positive, 0.005) or i == 0)
        last = min(i for i, s in enumerate(steps) if s > high)
        # The few smallest share the first bin, also those at and below zero.
        floor = low if low < 0 else max((s for s in steps if s <= low), default=0.0)
        return np.array([min(floor, steps[first]), *steps[first + 1 : last + 1]])
    raw = (high - low) / min(_BINS, max(6, int(len(value) ** 0.5)))
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    found: npt.NDArray[np.float64] = np.arange(np.floor(low / step), np.floor(high / step) + 2) * step
    return found


def _histogram(
    canvas: Canvas, edges: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], median: float
) -> alt.LayerChart:
    import altair as alt
    import numpy as np

    unit = canvas.unit(canvas.chart.x)
    bins = [{"from": i + 0.04, "to": i + 0.96, "n": int(n)} for i, n in enumerate(counts)]
    labels = [short(float(e), unit, canvas.lang) for e in edges]
    every = max(1, -(-len(labels) // (5 if canvas.narrow else 12)))
    axis = canvas.ordinal(labels, values=list(range(0, len(labels), every)), labelFlush=False)
    axis.title = canvas.measure(canvas.chart.x)
    room = alt.Scale(domain=[0, float(counts.max()) * 1.3 or 1.0], nice=False)
    few = len(counts) <= (8 if canvas.narrow else 20)
    base = plot(bins).encode(
        x=alt.X("from:Q", scale=alt.Scale(domain=[0, len(counts)], nice=False), axis=axis),
        y=alt.Y(
            "n:Q", scale=room, axis=canvas.axis(float(counts.max()), "count", labels=not few, grid=not few)
        ),
    )
    layers = [base.mark_rect(color=canvas.colours["cat_1"]).encode(x2="to:Q", y2=alt.datum(0))]
    if few:
        middle = [
            {"x": i + 0.5, "n": int(n), "text": short(int(n), "count", canvas.lang)}
            for i, n in enumerate(counts)
            if n
        ]
        layers.append(
            plot(middle).mark_text(baseline="bottom", dy=-4).encode(x="x:Q", y="n:Q", text="text:N")
        )
    at = float(np.interp(median, edges, np.arange(len(edges))))
    left = at < len(counts) * (0.35 if canvas.narrow else 0.6)
    said = canvas.say(
        say("half of them below {value}", value=short(median, unit, canvas.lang, canvas.currency))
    )
    above = float(counts[min(int(at), len(counts) - 1)]) + float(counts.max()) * (0.1 if few else 0.02)
    line = plot([{"x": at, "text": said, "low": above}]).encode(x="x:Q")
    rule = line.mark_rule(color=canvas.colours["cat_2"], strokeWidth=2)
    layers.append(rule.encode(y="low:Q", y2=alt.datum(float(counts.max()) * 1.3)))
    layers.append(
        line.mark_text(
            align="left" if left else "right", dx=6 if left else -6, baseline="top", fontWeight="bold",
            color=canvas.colours["ink"],
        ).encode(y=at_y(0), text="text:N")
    )  # fmt: skip
    return canvas.finish(layers, _HEIGHT, canvas.say(mark("number of customers")))


def _points(
    canvas: Canvas, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], kept: npt.NDArray[np.int64]
) -> list[Any]:
    import altair as alt

    kinds = canvas.words(canvas.chart.color) if canvas.has(canvas.chart.color) else None
    names = list(dict.fromkeys(kinds[i] for i in kept)) if kinds else []
    names = sorted(names) if all(len(n) == 1 for n in names) else names
    colours = [canvas.colours.of_class(n) or canvas.colours.category(i) for i, n in enumerate(names)]
    size = canvas.option("size")
    sizes = canvas.numbers(size) if canvas.has(size) else None
    points = [{"x": float(x[i]), "y": float(y[i])} for i in kept]
    for point, i in zip(points, kept, strict=True):
        if kinds:
            point["kind"] = kinds[i]
        if sizes is not None:
            point["size"] = max(float(sizes[i]), 0.0) if sizes[i] == sizes[i] else 0.0
    encoding: dict[str, Any] = {"x": "x:Q", "y": "y:Q"}
    if kinds:
        legend = alt.Legend(orient="top", direction="horizontal", title=None, symbolType="circle", columns=3)
        encoding["color"] = alt.Color("kind:N", scale=alt.Scale(domain=names, range=colours), legend=legend)
    if sizes is not None:
        encoding["size"] = alt.Size("size:Q", scale=alt.Scale(range=[20, 700]), legend=None)
    mark_of: dict[str, Any] = {"filled": True, "opacity": 0.62, "size": 46}
    if not kinds:
        mark_of["color"] = canvas.colours["cat_1"]
    return [
        plot(points).mark_point(**mark_of).encode(**encoding),
        *_names(canvas, x, y, kept, sizes),
    ]  # names last, on top


def _names(
    canvas: Canvas,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    kept: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.float64] | None,
) -> list[Any]:
    """The names of the largest points, those that do not stand on each other."""
    import numpy as np

    label = canvas.option("label")
    if not canvas.has(label):
        return []
    weight = (sizes if sizes is not None else y)[kept]
    log = str(canvas.option("log", ""))
    px, py = (np.log(v) if c in log else v for c, v in (("x", x[kept]), ("y", y[kept])))
    places = dict(zip(kept.tolist(), zip(_unit(px), _unit(py), strict=True), strict=True))
    all_names, taken, named = canvas.words(label), list[tuple[float, float]](), []
    for i in kept[np.argsort(-np.nan_to_num(weight), kind="stable")][:40]:
        here = places[int(i)]
        if all(abs(here[0] - a) > 0.2 or abs(here[1] - b) > 0.06 for a, b in taken):
            taken.append(here)
            named.append(
                {"x": float(x[i]), "y": float(y[i]), "text": cut(all_names[i], 22), "left": here[0] > 0.75}
            )
        if len(named) == (3 if canvas.narrow else 8):
            break
    return [
        plot([n for n in named if n["left"] is left])
        .mark_text(align="right" if left else "left", dx=-9 if left else 9, fontSize=11)
        .encode(x="x:Q", y="y:Q", text="text:N")
        for left in (True, False)
        if any(n["left"] is left for n in named)
    ]


def _unit(v: npt.NDArray[np.float64]) -> list[float]:
    """Values as positions between 0 and 1."""
    width = float(v.max() - v.min()) or 1.0
    return [float(p) for p in (v - v.min()) / width]


def _cells(
    canvas: Canvas,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    kept: npt.NDArray[np.int64],
    log: str,
) -> list[Any]:
    """Counted cells of a grid, darker for more customers (square-root steps)."""
    import altair as alt
    import numpy as np

    def edges(v: npt.NDArray[np.float64], n: int, powers: bool) -> npt.NDArray[np.float64]:
        low, high = float(v.min()), float(v.max())
        if powers:
            return np.geomspace(low, high * 1.0001, n + 1)
        return np.linspace(low, high + (high - low or 1.0) * 1e-9, n + 1)

    ex = edges(x[kept], 22 if canvas.narrow else 44, "x" in log)
    ey = edges(y[kept], 26, "y" in log)
    counts, _, _ = np.histogram2d(x[kept], y[kept], [ex, ey])
    most = float(counts.max())
    cells = [
        {
            "x": float(ex[i]), "x2": float(ex[i + 1]), "y": float(ey[j]), "y2": float(ey[j + 1]),
            "colour": canvas.colours.step(0.15 + 0.85 * float(np.sqrt(counts[i, j] / most)))[0],
        }
        for i, j in zip(*np.nonzero(counts), strict=True)
    ]  # fmt: skip
    colour = alt.Color("colour:N", scale=None, legend=None)
    return [plot(cells).mark_rect().encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q", color=colour)]


def _scale(canvas: Canvas, channel: str, name: str, value: npt.NDArray[np.float64], log: bool) -> Any:
    import altair as alt
    import numpy as np

    largest = float(np.abs(value).max())
    scale = alt.Scale(type="log", nice=True) if log else alt.Scale(zero=False, nice=True, padding=12)
    axis = canvas.axis(largest, canvas.unit(name), grid=True)
    if log:
        each = [canvas.label_expression(10.0**e, canvas.unit(name)) for e in (0, 3, 6, 9)]
        axis.labelExpr = (
            f"datum.value >= 1e9 ? {each[3]} : datum.value >= 1e6 ? ({each[2]}) : "
            f"datum.value >= 1e3 ? ({each[1]}) : {each[0]}"
        )
    axis.title = canvas.title_of(name)
    return {"x": alt.X, "y": alt.Y}[channel](f"{channel}:Q", scale=scale, axis=axis)


def _quadrants(canvas: Canvas, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[Any]:
    import numpy as np

    layers: list[Any] = []
    for channel, value in (("x", x), ("y", y)):
        at = canvas.option(f"{channel}_split")
        if at is not None:
            level = float(np.median(value)) if at == "median" else float(at)
            rule = plot([{channel: level}]).mark_rule(strokeDash=[4, 3], color=canvas.colours["line"])
            layers.append(rule.encode(**{channel: f"{channel}:Q"}))
    names = canvas.option("quadrants")
    if names and len(names) == 4:
        for i, name in enumerate(names):
            left, upper = i % 2 == 0, i < 2
            words = plot([{"text": canvas.say(name)}]).mark_text(
                align="left" if left else "right", baseline="top" if upper else "bottom",
                color=canvas.colours["muted"], fontStyle="italic",
            )  # fmt: skip
            place = {"x": at_x(6 if left else "width"), "y": at_y(6 if upper else 354)}
            layers.append(words.encode(**place, text="text:N"))
    return layers
