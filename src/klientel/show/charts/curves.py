"""Curves over all customers: Pareto and Lorenz, thinned to about 300 points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import Canvas, at_x, at_y, plot
from klientel.show.figures import interval, missing, written
from klientel.words import Share, mark, percent, say

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import numpy.typing as npt

POINTS = 300
_HEIGHT = 330


def pareto(canvas: Canvas) -> alt.LayerChart:
    """Cumulated share of the value over customers, largest first, in the colours of the classes.

    x: customer; y: value; color: class (optional). Only positive values count (handbook G6).
    """
    import altair as alt
    import numpy as np

    value = canvas.numbers(canvas.chart.y)
    order = np.argsort(-np.where(np.isnan(value), -np.inf, value), kind="stable")
    order = order[value[order] > 0]
    if not len(order):
        return canvas.sentence(say("There is no customer with a positive value to draw."))
    running = np.cumsum(value[order])
    running = np.concatenate([[0.0], running / running[-1]])
    classes, names = _classes(canvas, order)
    edges = _edges(classes)
    kept = thinned(running, [end for _, end in edges])
    points = _segments(running, edges, kept, names)
    layers = [*_equality(canvas), *_curve(canvas, points), *_marks(canvas, running, edges, names)]
    layers += _key(canvas, running, edges, names, value)
    x_title = canvas.say(mark("customers, largest first"))
    layers[0] = layers[0].encode(
        x=alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=_shares(canvas, x_title)),
        y=alt.Y("y:Q", stack=None, scale=alt.Scale(domain=[0, 1], nice=False), axis=_shares(canvas, None)),
    )
    said = canvas.say(say("cumulated share: {measure}", measure=canvas.measure(canvas.chart.y)))
    return canvas.finish(layers, _HEIGHT, said)


def lorenz(canvas: Canvas) -> alt.LayerChart:
    """Lorenz curve: cumulated share of the value over customers, smallest first, against equality.

    x, y: two shares that already are the curve, or x: customer and y: value.
    """
    import altair as alt
    import numpy as np

    if canvas.has(canvas.chart.x) and canvas.unit(canvas.chart.x) == "share":
        x, y = canvas.numbers(canvas.chart.x), canvas.numbers(canvas.chart.y)
        order = np.argsort(x, kind="stable")
        x, y = np.concatenate([[0.0], x[order]]), np.concatenate([[0.0], y[order]])
    else:
        value = canvas.numbers(canvas.chart.y)
        value = np.sort(value[value > 0])
        if not len(value):
            return canvas.sentence(say("There is no customer with a positive value to draw."))
        y = np.concatenate([[0.0], np.cumsum(value) / value.sum()])
        x = np.linspace(0, 1, len(y))
    kept = thinned(y, [])
    points = [{"x": float(x[i]), "y": float(y[i])} for i in kept]
    colour = canvas.colours["cat_1"]
    base = plot(points).encode(
        x=alt.X(
            "x:Q", scale=alt.Scale(domain=[0, 1], nice=False),
            axis=_shares(canvas, canvas.say(mark("customers, smallest first"))),
        ),
        y=alt.Y("y:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=_shares(canvas, None)),
    )  # fmt: skip
    layers = [
        base.mark_area(color=colour, opacity=0.13, line=False).encode(y2="x:Q"),
        *_equality(canvas),
        base.mark_line(color=colour),
        *_lorenz_words(canvas, x, y),
    ]
    said = canvas.say(say("cumulated share: {measure}", measure=canvas.measure(canvas.chart.y)))
    return canvas.finish(layers, _HEIGHT, said if canvas.unit(canvas.chart.y) != "share" else "")


def thinned(curve: npt.NDArray[np.float64], must: list[int], points: int = POINTS) -> npt.NDArray[np.int64]:
    """Indices of at most about `points` points of a rising curve, even in both directions, with `must`."""
    import numpy as np

    n = len(curve)
    if n <= points:
        return np.arange(n)
    half = points // 2
    across = np.linspace(0, n - 1, half).round().astype(np.int64)
    levels = np.linspace(curve[0], curve[-1], half)
    up = np.clip(np.searchsorted(curve, levels), 0, n - 1)
    return np.unique(np.concatenate([across, up, [0, n - 1], np.asarray(must, dtype=np.int64)]))


def _shares(canvas: Canvas, title: str | None) -> alt.Axis:
    import altair as alt

    expression = canvas.label_expression(1.0, "share")
    return alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], labelExpr=expression, title=title)


def _classes(canvas: Canvas, order: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], bool]:
    """The class of each customer in drawing order, and whether there are classes at all."""
    import numpy as np

    if not canvas.has(canvas.chart.color):
        return np.zeros(len(order), dtype=np.int8), False
    found = canvas.data.column(canvas.chart.color).combine_chunks()
    return np.asarray(found.to_numpy(zero_copy_only=False))[order], True


def _edges(classes: npt.NDArray[Any]) -> list[tuple[Any, int]]:
    """(class, index of its last point); point 0 is the origin, point i the i-th customer."""
    import numpy as np

    ends = [*(np.flatnonzero(classes[1:] != classes[:-1]) + 1), len(classes)]
    return [(classes[int(end) - 1], int(end)) for end in ends][:12]


def _segments(
    running: npt.NDArray[np.float64], edges: list[tuple[Any, int]], kept: npt.NDArray[np.int64], names: bool
) -> list[dict[str, Any]]:
    n = len(running) - 1
    points, start = [], 0
    for place, (name, end) in enumerate(edges):
        points += [
            {"x": int(i) / n, "y": float(running[i]), "class": str(name) if names else "", "part": place}
            for i in kept
            if start <= i <= end
        ]
        start = end
    return points


def _colour(canvas: Canvas, name: Any) -> str:
    return canvas.colours.of_class(str(name)) or canvas.colours["class_a"]


def _curve(canvas: Canvas, points: list[dict[str, Any]]) -> list[Any]:
    import altair as alt

    for point in points:
        point["colour"] = _colour(canvas, point["class"])
    colour = alt.Color("colour:N", scale=None, legend=None)
    base = plot(points).encode(x="x:Q", y=alt.Y("y:Q", stack=None), color=colour, detail="part:N")
    return [base.mark_area(opacity=0.12, line=False), base.mark_line(strokeWidth=3)]


def _equality(canvas: Canvas) -> list[Any]:

    ends = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    line = plot(ends).mark_line(color=canvas.colours["line"], strokeWidth=1, strokeDash=[3, 4])
    return [line.encode(x="x:Q", y="y:Q")]


def _marks(
    canvas: Canvas, running: npt.NDArray[np.float64], edges: list[tuple[Any, int]], names: bool
) -> list[Any]:
    """Dots where a class ends, with the point said in words: 18 % bring 80 %."""
    import altair as alt

    n = len(running) - 1
    if not names or len(edges) < 2:
        return []
    dots = [
        {"x": end / n, "y": float(running[end]), "colour": _colour(canvas, name), "text": str(name)}
        for name, end in edges[:-1]
    ]
    base = plot(dots).encode(x="x:Q", y="y:Q", color=alt.Color("colour:N", scale=None, legend=None))
    return [base.mark_point(filled=True, size=70, opacity=1, stroke=canvas.colours["paper"], strokeWidth=1.5)]


def _counts(canvas: Canvas, edges: list[tuple[Any, int]], names: bool) -> dict[str, int]:
    """All customers of each class, also those at zero; empty where classes do not follow the order."""
    import pyarrow.compute as pc

    if not names or len({name for name, _ in edges}) < len(edges):
        return {}
    found = pc.value_counts(canvas.data.column(canvas.chart.color)).to_pylist()
    return {str(pair["values"]): int(pair["counts"]) for pair in found}


def _key(
    canvas: Canvas,
    running: npt.NDArray[np.float64],
    edges: list[tuple[Any, int]],
    names: bool,
    value: npt.NDArray[np.float64],
) -> list[Any]:
    """The classes in words, in the corner below the diagonal, which a Pareto curve never enters."""
    import altair as alt

    counts, n, start = _counts(canvas, edges, names), int((value == value).sum()), 0
    lines: list[dict[str, Any]] = []
    for name, end in edges[:4]:
        count, share = counts.get(str(name), end - start), float(running[end] - running[start])
        said = say(
            "{n} customers bring {share}" if canvas.narrow else "{n} customers ({part}) bring {share}",
            n=count, part=percent(count / n, canvas.lang, 0), share=percent(share, canvas.lang, 0),
        )  # fmt: skip
        lines.append(
            {"name": str(name) if names else "", "text": canvas.say(said), "colour": _colour(canvas, name)}
        )
        start = end
    # Customers at zero belong to a class, but add nothing to the curve; those below zero are outside.
    outside = int((value < 0).sum() if counts else (value <= 0).sum())
    if outside:
        words = mark("{n} below zero, not drawn") if counts else mark("{n} without positive value, not drawn")
        said = say(words, n=outside)
        lines.append({"name": "N", "text": canvas.say(said), "colour": _colour(canvas, "N")})
    longest = max(len(line["text"]) for line in lines) * 12 * 0.52 + 46
    inner = canvas.width - 74
    left = max(inner - longest, inner * 0.3)
    for i, line in enumerate(lines):
        line["y"] = _HEIGHT - 18 - 21 * (len(lines) - 1 - i)
    base = plot(lines).encode(y=alt.Y("y:Q", scale=None, axis=None))
    colour = alt.Color("colour:N", scale=None, legend=None)
    return [
        base.mark_text(align="left", baseline="middle", fontSize=13, fontWeight="bold").encode(
            x=at_x(left), text="name:N", color=colour
        ),
        base.mark_text(align="left", baseline="middle", color=canvas.colours["ink"]).encode(
            x=at_x(left + (18 if names else 0)), text="text:N"
        ),
    ]


def _lorenz_words(canvas: Canvas, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[Any]:
    import numpy as np

    said = []
    gini = canvas.result.figures.get("gini")
    if not missing(gini):
        estimate = canvas.result.estimates.get("gini")
        between = interval(estimate, "number", canvas.lang) if estimate else ""
        said.append(canvas.say(say("Gini {value}", value=written(gini, "number", canvas.lang))))
        said += [between] if between else []
    half = float(np.interp(0.5, x, y))
    said.append(canvas.say(say("The smaller half brings {share}.", share=Share(half))))
    said.append(
        canvas.say(say("The top fifth brings {share}.", share=Share(1 - float(np.interp(0.8, x, y)))))
    )
    words = plot([{"text": said}]).mark_text(
        align="left", baseline="top", lineHeight=18, color=canvas.colours["ink"]
    )
    equal = canvas.say(mark("all equal"))
    diagonal = plot([{"x": 0.62, "y": 0.64, "text": equal}]).mark_text(
        align="right", baseline="bottom", color=canvas.colours["muted"], fontStyle="italic"
    )
    return [
        words.encode(x=at_x(12), y=at_y(8), text="text:N"),
        diagonal.encode(x="x:Q", y="y:Q", text="text:N"),
    ]
