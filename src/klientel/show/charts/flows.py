"""Flow of customers or money from one state to another, as ribbons between two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import Canvas, at_y, cut, plot
from klientel.show.figures import missing
from klientel.words import say

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 340
_BAR = 0.035  # width of the two columns, in units of the width between them
_STEPS = 24
_OTHERS = ("cat_3", "cat_2", "cat_4", "cat_6")  # apart from the blues of the classes


def flow(canvas: Canvas) -> alt.LayerChart:
    """Ribbons from x to y, as thick as color (or the option value): class migration, hand-overs.

    x: state before; y: state after; color: count or amount. options: titles (two texts over the columns).
    """
    value = canvas.chart.color or str(canvas.option("value", ""))
    links = _links(canvas, value)
    if not links:
        return canvas.sentence(say("There is nothing to show here: nothing has moved."))
    total = sum(v for *_, v in links)
    left, right = _blocks(links, 0, total), _blocks(links, 1, total)
    names = list(dict.fromkeys([*left, *right]))
    others = [n for n in names if not canvas.colours.of_class(n)]
    colours = {n: canvas.colours.of_class(n) or canvas.colours[_OTHERS[others.index(n) % 4]] for n in names}
    layers = [*_ribbons(links, left, right, colours), *_columns(canvas, left, right, colours, value)]
    titles = canvas.option("titles") or (canvas.title_of(canvas.chart.x), canvas.title_of(canvas.chart.y))
    layers += _titles(canvas, titles)
    return canvas.finish(layers, _HEIGHT, canvas.measure(value))


def _links(canvas: Canvas, value: str) -> list[tuple[str, str, float]]:
    before, after = canvas.words(canvas.chart.x), canvas.words(canvas.chart.y)
    amounts = canvas.values(value)
    return [
        (canvas.say(a), canvas.say(b), float(v))
        for a, b, v in zip(before, after, amounts, strict=True)
        if not missing(v) and float(v) > 0
    ]


def _blocks(
    links: list[tuple[str, str, float]], side: int, total: float
) -> dict[str, tuple[float, float, float]]:
    """Name -> (top, bottom, amount) on a column from 1 down to 0, with gaps between the blocks."""
    sums: dict[str, float] = {}
    for link in links:
        sums[str(link[side])] = sums.get(str(link[side]), 0.0) + link[2]
    order = sorted(sums) if all(len(n) == 1 for n in sums) else list(sums)
    gap = 0.028
    room = 1 - gap * (len(order) - 1)
    at, blocks = 1.0, {}
    for name in order:
        height = sums[name] / total * room
        blocks[name] = (at, at - height, sums[name])
        at -= height + gap
    return blocks


def _ribbons(
    links: list[tuple[str, str, float]],
    left: dict[str, tuple[float, float, float]],
    right: dict[str, tuple[float, float, float]],
    colours: dict[str, str],
) -> list[Any]:
    import altair as alt

    order_l, order_r = list(left), list(right)
    at_l = {n: b[0] for n, b in left.items()}
    room = {n: (b[0] - b[1]) / b[2] for n, b in left.items()}
    room_r = {n: (b[0] - b[1]) / b[2] for n, b in right.items()}
    ordered = sorted(links, key=lambda k: (order_l.index(k[0]), order_r.index(k[1])))
    by_right = sorted(links, key=lambda k: (order_r.index(k[1]), order_l.index(k[0])))
    top_r: dict[tuple[str, str], float] = {}
    at_r = {n: b[0] for n, b in right.items()}
    for a, b, v in by_right:
        top_r[a, b] = at_r[b]
        at_r[b] -= v * room_r[b]
    points = []
    for place, (a, b, v) in enumerate(ordered):
        start, end = at_l[a], top_r[a, b]
        at_l[a] -= v * room[a]
        for i in range(_STEPS + 1):
            t = i / _STEPS
            s = t * t * (3 - 2 * t)
            thick = v * (room[a] * (1 - s) + room_r[b] * s)
            y = start + (end - start) * s
            points.append(
                {
                    "x": _BAR + (1 - 2 * _BAR) * t,
                    "y": y,
                    "y2": y - thick,
                    "ribbon": place,
                    "colour": colours[a],
                }
            )
    base = plot(points).mark_area(opacity=0.34, line=False)
    colour = alt.Color("colour:N", scale=None, legend=None)
    return [base.encode(x=_x(), y=_y(), y2="y2:Q", detail="ribbon:N", color=colour)]


def _columns(
    canvas: Canvas,
    left: dict[str, tuple[float, float, float]],
    right: dict[str, tuple[float, float, float]],
    colours: dict[str, str],
    value: str,
) -> list[Any]:
    import altair as alt

    unit = canvas.unit(value)
    blocks: list[dict[str, Any]] = []
    for side, column in ((0, left), (1, right)):
        for name, (top, bottom, amount) in column.items():
            x = 0.0 if side == 0 else 1 - _BAR
            text = f"{cut(name, 12 if canvas.narrow else 24)}  {canvas.short(amount, unit)}"
            blocks.append(
                {
                    "x": x, "x2": x + _BAR, "edge": float(side), "side": side, "text": text,
                    "y": top, "y2": bottom, "mid": (top + bottom) / 2, "tall": top - bottom,
                    "colour": colours[name],
                }
            )  # fmt: skip
    colour = alt.Color("colour:N", scale=None, legend=None)
    layers = [
        plot(blocks).mark_rect(cornerRadius=1).encode(x=_x(), x2="x2:Q", y=_y(), y2="y2:Q", color=colour)
    ]
    for side, align, dx in ((0, "right", -8), (1, "left", 8)):
        words = plot([b for b in blocks if b["side"] == side and b["tall"] > 0.012])
        layers.append(
            words.mark_text(align=align, dx=dx, baseline="middle").encode(
                x="edge:Q", y="mid:Q", text="text:N"
            )
        )
    return layers


def _titles(canvas: Canvas, titles: Any) -> list[Any]:

    ends = [{"x": 0.0, "text": canvas.say(titles[0])}, {"x": 1.0, "text": canvas.say(titles[1])}]
    return [
        plot([end])
        .mark_text(align=align, baseline="bottom", color=canvas.colours["muted"])
        .encode(x="x:Q", y=at_y(-2), text="text:N")
        for end, align in zip(ends, ("left", "right"), strict=True)
    ]  # fmt: skip


def _x() -> Any:
    import altair as alt

    return alt.X("x:Q", scale=alt.Scale(domain=[-0.24, 1.24], nice=False), axis=None)


def _y() -> Any:
    import altair as alt

    return alt.Y("y:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
