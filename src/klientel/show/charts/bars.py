"""Bars: categories with direct labels, and the value bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import ORDERED, OTHERS, Canvas, cut, plot, wrapped
from klientel.show.figures import missing, short
from klientel.words import say

if TYPE_CHECKING:
    import altair as alt

    from klientel.analysis import Unit

MOST_BARS = 15
_RAISED = "raised"
_TOTALS = {"opening", "closing", "start", "end", "before", "after", "previous", "current", "total"}


def bar(canvas: Canvas) -> alt.LayerChart:
    """Bars of y by x. Ordered x (dates, numbers) stands upright, names lie down, sorted as in the table.

    color: class or category; where x repeats, the colours are stacked. options: low, high (interval
    columns), limit (bars at most: the largest values; the rest is said in words below, with its sum if
    the values can be added), sort=True (largest first), sum (column of a key: its rows are one bar).
    """
    names = canvas.values(canvas.chart.x)
    # Two customers may share a name; only a table that repeats x throughout is one to stack.
    customers = canvas.chart.x == "name" or canvas.unit(canvas.chart.x) == "key"
    repeats = not customers and 2 * len(set(names)) <= len(names)
    if canvas.has(canvas.chart.color) and canvas.option("stack", repeats):
        return _stacked(canvas)
    upright = canvas.option("upright", canvas.unit(canvas.chart.x) in ORDERED)
    bars, rest = _bars(canvas, keep_all=upright)
    return _upright(canvas, bars) if upright else _lying(canvas, bars, _left_out(canvas, rest))


def bridge(canvas: Canvas) -> alt.LayerChart:
    """Value bridge: from an opening total over its changes to a closing total, columns that add up.

    x: step; y: signed amount. Totals are the steps named in options totals, or those called opening,
    closing, start, end, before, after, previous, current, total; the rest are changes.
    """
    import altair as alt

    steps, colours, unit = steps_of(canvas), canvas.colours, canvas.unit(canvas.chart.y)
    labels = [cut(s["label"], 11 if canvas.narrow else 20) for s in steps]
    top = max(max(s["from"], s["to"]) for s in steps)
    bottom = min(0.0, *(min(s["from"], s["to"]) for s in steps))
    room = (top - bottom or 1.0) * 0.1
    lying = canvas.narrow or len(steps) > 10
    first, second = ("y", "x") if lying else ("x", "y")
    domain = [bottom - (room if bottom < 0 else 0), top + room * (2.4 if lying else 1)]
    place = _band(first, "step:O", canvas.ordinal(labels, labelAngle=0, labelLimit=150))
    axis = canvas.axis(max(top, -bottom), unit, grid=False, labels=False)
    value = {"x": alt.X, "y": alt.Y}[second]("from:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
    for i, s in enumerate(steps):
        s["step"] = i
        s["colour"] = colours["total"] if s["total"] else colours["up" if s["amount"] >= 0 else "down"]
        s["text"] = ("+" if s["amount"] > 0 and not s["total"] else "") + canvas.short(s["amount"], unit)
        s["high"] = max(s["from"], s["to"])
    base = plot(steps)
    block = base.mark_bar(cornerRadius=1, cornerRadiusEnd=1).encode(
        **{first: place, second: value, f"{second}2": "to:Q"},
        color=alt.Color("colour:N", scale=None, legend=None),
    )
    links = [{"step": i, "next": i + 1, "level": s["to"]} for i, s in enumerate(steps[:-1])]
    link = plot(links).mark_rule(color=colours["line"], strokeWidth=1)
    offset = {"align": "left", "dx": 5, "baseline": "middle"} if lying else {"baseline": "bottom", "dy": -4}
    label = base.mark_text(fontWeight="bold", **offset).encode(
        **{first: _position(first, "step:O"), second: _position(second, "high:Q")}, text="text:N"
    )
    joined = link.encode(
        **{first: _position(first, "step:O"), f"{first}2": "next:O", second: _position(second, "level:Q")}
    )
    height = 34 * len(steps) if lying else 300
    return canvas.finish([block, joined, label], height, canvas.measure(canvas.chart.y))


def steps_of(canvas: Canvas) -> list[dict[str, Any]]:
    """The steps with where each block begins and ends."""
    names, labels = canvas.values(canvas.chart.x), canvas.words(canvas.chart.x)
    amounts = [0.0 if missing(v) else float(v) for v in canvas.values(canvas.chart.y)]
    totals = set(canvas.option("totals", _TOTALS))
    at, steps = 0.0, []
    for name, label, amount in zip(names, labels, amounts, strict=True):
        total = str(name) in totals or str(name).lower() in totals
        begin = 0.0 if total else at
        at = amount if total else at + amount
        if amount or total:  # a step in which nothing happened is noise
            label = canvas.say(label)
            steps.append({"label": label, "amount": amount, "from": begin, "to": at, "total": total})
    return steps


def _bars(canvas: Canvas, *, keep_all: bool) -> tuple[list[dict[str, Any]], list[float]]:
    """The bars to be drawn, and the values of those that are left out."""
    labels, values = canvas.words(canvas.chart.x), canvas.values(canvas.chart.y)
    classes = _kinds(canvas, len(labels))
    low, high = canvas.option("low"), canvas.option("high")
    lows = canvas.values(low) if canvas.has(low) else [None] * len(labels)
    highs = canvas.values(high) if canvas.has(high) else [None] * len(labels)
    bars: list[dict[str, Any]] = [
        {"label": a, "value": float(b), "class": c, "low": _real(d), "high": _real(e)}
        for a, b, c, d, e in zip(labels, values, classes, lows, highs, strict=True)
        if not missing(b)
    ]
    if canvas.has(canvas.option("sum")):
        bars = _summed(canvas, bars)
    limit = int(canvas.option("limit", MOST_BARS))
    if canvas.option("sort") or (
        len(bars) > limit and not keep_all
    ):  # the largest, whatever the table's order
        bars.sort(key=lambda b: -b["value"])
    if keep_all or len(bars) <= limit:
        return bars, []
    return bars[:limit], [b["value"] for b in bars[limit:]]


def _summed(canvas: Canvas, bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One bar for all rows of the same key, which `options["sum"]` names; without intervals, which do not add."""
    keys = [
        k
        for k, v in zip(canvas.values(canvas.option("sum")), canvas.values(canvas.chart.y), strict=True)
        if not missing(v)
    ]
    found: dict[Any, dict[str, Any]] = {}
    for key, b in zip(keys, bars, strict=True):
        if key in found:
            found[key] |= {"value": found[key]["value"] + b["value"], "low": None, "high": None}
        else:
            found[key] = b
    return list(found.values())


def _left_out(canvas: Canvas, rest: list[float]) -> str:
    """What is said below the bars about those that are not drawn."""
    if not rest:
        return ""
    unit = canvas.unit(canvas.chart.y)
    if unit not in ("money", "count"):  # rates cannot be added
        return canvas.say(say("{n} more not drawn", n=len(rest)))
    total = short(sum(rest), unit, canvas.lang, canvas.currency)
    return canvas.say(say("{n} others together: {total}", n=len(rest), total=total))


def _kinds(canvas: Canvas, n: int) -> list[str]:
    """What colours each bar: a class, a raised flag, or nothing."""
    by = canvas.chart.color or canvas.chart.x
    if not canvas.has(by):
        return [""] * n
    if canvas.unit(by) == "flag":
        return [_RAISED if v is True else "" for v in canvas.values(by)]
    return canvas.words(by) if canvas.chart.color or canvas.unit(by) == "class" else [""] * n


def _lying(canvas: Canvas, bars: list[dict[str, Any]], note: str) -> alt.LayerChart:
    import altair as alt

    unit = canvas.unit(canvas.chart.y)
    _dress(canvas, bars, unit)
    labels = [cut(b["label"], 20 if canvas.narrow else 30) for b in bars]
    base = plot(bars)
    place = _band("y", "place:O", canvas.ordinal(labels, labelColor=canvas.colours["ink"], labelLimit=240))
    value = alt.X(
        "value:Q",
        scale=alt.Scale(domain=_room(bars, 0.24 if canvas.narrow else 0.14), nice=False),
        axis=_below(canvas, note),
    )
    colour = alt.Color("colour:N", scale=None, legend=None)
    layers = [base.mark_bar().encode(x=value, y=place, color=colour), *_whiskers(canvas, bars, "x")]
    for sign, align, dx in ((1, "left", 6), (-1, "right", -6)):
        signed = [b for b in bars if (b["value"] >= 0) == (sign > 0)]
        if signed:
            layers.append(
                plot(signed)
                .mark_text(align=align, dx=dx, baseline="middle")
                .encode(x="edge:Q", y="place:O", text="text:N")
            )
    layers += _zero(canvas, bars, "x")
    return canvas.finish(layers, max(27 * len(bars), 54), canvas.measure(canvas.chart.y))


def _below(canvas: Canvas, note: str) -> alt.Axis | None:
    """A line of text below lying bars, where an axis would have its title."""
    import altair as alt

    if not note:
        return None
    return alt.Axis(
        title=wrapped(note, canvas.width * 0.6, 13),
        titleAnchor="start",
        titleFontSize=13,
        titleColor=canvas.colours["ink"],
        titlePadding=10,
        labels=False,
        ticks=False,
        domain=False,
        grid=False,
    )


def _upright(canvas: Canvas, bars: list[dict[str, Any]]) -> alt.LayerChart:
    import altair as alt

    unit = canvas.unit(canvas.chart.y)
    _dress(canvas, bars, unit)
    few = len(bars) <= (6 if canvas.narrow else 14)
    axis = canvas.ordinal([b["label"] for b in bars], labelAngle=0, labelOverlap="greedy", labelFlush=False)
    largest = max(abs(b["value"]) for b in bars)
    values = canvas.axis(largest, unit, labels=not few, grid=not few)
    base = plot(bars)
    value = alt.Y("value:Q", scale=alt.Scale(domain=_room(bars, 0.08), nice=False), axis=values)
    place = _band("x", "place:O", axis)
    colour = alt.Color("colour:N", scale=None, legend=None)
    layers = [base.mark_bar().encode(x=place, y=value, color=colour), *_whiskers(canvas, bars, "y")]
    if few:
        layers.append(base.mark_text(baseline="bottom", dy=-5).encode(x="place:O", y="edge:Q", text="text:N"))
    layers += _zero(canvas, bars, "y")
    x_title = canvas.title_of(canvas.chart.x)
    return canvas.finish(
        layers, 270, canvas.say(say("{y} by {x}", y=canvas.measure(canvas.chart.y), x=x_title))
    )


def _stacked(canvas: Canvas) -> alt.LayerChart:
    """One bar per x, cut into the categories of color; a key in colour above it."""
    import altair as alt

    unit = canvas.unit(canvas.chart.y)
    labels, kinds = canvas.words(canvas.chart.x), canvas.words(canvas.chart.color)
    values = canvas.values(canvas.chart.y)
    order, names = list(dict.fromkeys(labels)), list(dict.fromkeys(kinds))
    colours = [canvas.colours.of_class(n) or canvas.colours.category(i) for i, n in enumerate(names)]
    parts: list[dict[str, Any]] = [
        {"place": order.index(a), "kind": b, "value": float(v), "rank": names.index(b)}
        for a, b, v in zip(labels, kinds, values, strict=True)
        if not missing(v)
    ]
    upright = canvas.unit(canvas.chart.x) in ORDERED
    first, second = ("x", "y") if upright else ("y", "x")
    shown = canvas.ordinal([cut(o, 30) for o in order], labelAngle=0, labelOverlap="greedy", labelLimit=220)
    sums = [sum(p["value"] for p in parts if p["place"] == i) for i in range(len(order))]
    axis = canvas.axis(max(sums, default=1.0), unit)
    legend = alt.Legend(orient="top", direction="horizontal", title=None, columns=4 if canvas.narrow else 6)
    kind = alt.Color("kind:N", scale=alt.Scale(domain=names, range=colours), legend=legend)
    stack = plot(parts).mark_bar(stroke=canvas.colours["paper"], strokeWidth=1, cornerRadiusEnd=0)
    value = {"x": alt.X, "y": alt.Y}[second]("value:Q", stack="zero", axis=axis)
    drawn = stack.encode(**{first: _band(first, "place:O", shown), second: value}, color=kind, order="rank:Q")
    return canvas.finish(
        [drawn], 270 if upright else max(30 * len(order), 60), canvas.measure(canvas.chart.y)
    )


def _dress(canvas: Canvas, bars: list[dict[str, Any]], unit: Unit) -> None:
    """Colour, text and place of each bar."""
    colours = canvas.colours
    for i, b in enumerate(bars):
        b["place"] = i
        b["text"] = canvas.short(b["value"], unit)
        ends = [b["value"], *(e for e in (b["low"], b["high"]) if e is not None)]
        b["edge"] = max(ends) if b["value"] >= 0 else min(ends)
        b["low_end"] = min(0.0, *ends)
        calm = colours["cat_1"] if b["low"] is None else colours["seq_4"]  # whiskers must stand out
        usual = calm if b["value"] >= 0 else colours["down"]
        other = {OTHERS: colours["class_c"], _RAISED: colours["cat_2"]}.get(b["class"])
        b["colour"] = other or colours.of_class(b["class"]) or usual


def _whiskers(canvas: Canvas, bars: list[dict[str, Any]], along: str) -> list[Any]:

    known = [b for b in bars if b["low"] is not None and b["high"] is not None]
    if not known:
        return []
    across = "y" if along == "x" else "x"
    rule = plot(known).mark_rule(color=canvas.colours["ink"], strokeWidth=1.4)
    return [
        rule.encode(
            **{across: _position(across, "place:O"), along: _position(along, "low:Q"), f"{along}2": "high:Q"}
        )
    ]


def _zero(canvas: Canvas, bars: list[dict[str, Any]], along: str) -> list[Any]:

    rule = plot([{"zero": 0}]).mark_rule(color=canvas.colours["line"])
    return [rule.encode(**{along: _position(along, "zero:Q")})] if bars else []


def _room(bars: list[dict[str, Any]], share: float) -> list[float]:
    """The domain of the values with room for the labels at both ends that need it."""
    top = max(0.0, *(b["edge"] for b in bars), *(b["value"] for b in bars))
    bottom = min(0.0, *(b["low_end"] for b in bars))
    room = (top - bottom or 1.0) * share
    return [bottom - (room if bottom < 0 else 0.0), top + (room if top > 0 else 0.0)]


def _band(channel: str, field: str, axis: alt.Axis) -> Any:
    import altair as alt

    made = {"x": alt.X, "y": alt.Y}[channel]
    return made(field, sort=None, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14), axis=axis)


def _position(channel: str, field: str) -> Any:
    import altair as alt

    return {"x": alt.X, "y": alt.Y}[channel](field)


def _real(value: Any) -> float | None:
    return None if missing(value) else float(value)
