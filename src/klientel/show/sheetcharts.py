"""Excel's own charts for the workbook: Pareto, bars, lines, bridge, and the cohort triangle as cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from klientel.show.charts.canvas import Canvas
from klientel.show.theme import LIGHT
from klientel.words import mark, translate

if TYPE_CHECKING:
    from klientel.analysis import Chart
    from klientel.result import Result
    from klientel.show.workbook import Book

MOST_BARS = 60
_SIZE = {"width": 760, "height": 380}
_RUNNING = ("share_after", "running_share", "cumulative_share")
_FONT = {"name": "Arial", "size": 9, "color": LIGHT["muted"]}

Places = dict[tuple[str, str], tuple[Any, int]]


def add_charts(book: Book, results: Sequence[Result], places: Places) -> None:
    """Put a chart beside each table that Excel can draw; data in another shape goes to a last sheet."""
    helper = _Helper(book)
    for result in results:
        beside: dict[str, int] = {}
        for chart in result.analysis.charts:
            if (result.name, chart.table) not in places:
                continue
            sheet, rows = places[result.name, chart.table]
            canvas = Canvas(result, chart, book.lang, 760, "light")
            if rows == 0 or canvas.empty:
                continue
            made = _made(book, canvas, chart, sheet, rows, helper)
            if made is not None:
                _dress(made, canvas, chart)
                place = beside.get(chart.table, 0)
                sheet.insert_chart(
                    1 + 20 * place, len(canvas.table.columns) + 1, made, {"object_position": 3}
                )
                beside[chart.table] = place + 1


class _Helper:
    """The last sheet, made when the first chart needs data in another shape than its table."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.sheet: Any = None
        self.row = 0

    def block(self, title: str, heads: Sequence[str], lines: Sequence[Sequence[Any]], form: str) -> int:
        """Write a block; gives the row of its header. The first column is text."""
        if self.sheet is None:
            self.sheet = self.book.sheet(translate(mark("Chart data"), self.book.lang))
            self.sheet.set_column(0, 0, 22)
        bold, number = self.book.format(bold=True), self.book.format(num_format=form)
        self.book.text(self.sheet, self.row, 0, title, bold)
        top = self.row + 1
        for i, head in enumerate(heads):
            self.book.text(self.sheet, top, i, head, bold)
        for i, line in enumerate(lines):
            self.book.text(self.sheet, top + 1 + i, 0, str(line[0]))
            for j, value in enumerate(line[1:], 1):
                if value is not None:
                    self.sheet.write_number(top + 1 + i, j, float(value), number)
        self.row = top + len(lines) + 3
        return top


def _made(book: Book, canvas: Canvas, chart: Chart, sheet: Any, rows: int, helper: _Helper) -> Any:
    if chart.kind == "pareto":
        return _pareto(book, canvas, sheet, min(rows, MOST_BARS))
    if chart.kind == "bar" and rows <= MOST_BARS:
        return _bars(book, canvas, sheet, rows)
    if chart.kind == "bridge":
        return _bridge(book, canvas, helper)
    if chart.kind in ("line", "area"):
        return _lines(book, canvas, helper)
    if chart.kind == "cohorts":
        _triangle(canvas, helper)
    return None


def _range(sheet: Any, column: int, rows: int, first: int = 1) -> list[Any]:
    return [sheet.get_name(), first, column, first + rows - 1, column]


def _index(canvas: Canvas, name: str) -> int | None:
    return next((i for i, c in enumerate(canvas.table.columns) if c.name == name), None)


def _pareto(book: Book, canvas: Canvas, sheet: Any, rows: int) -> Any:
    """Columns of the largest customers and, on the second axis, the running share as a line."""
    value = _index(canvas, canvas.chart.y)
    name = _index(canvas, "name") if canvas.has("name") else _index(canvas, canvas.chart.x)
    running = canvas.option("cumulative") or next((n for n in _RUNNING if canvas.has(n)), None)
    if value is None or name is None:
        return None
    columns = book.file.add_chart({"type": "column"})
    columns.add_series(
        {
            "name": [sheet.get_name(), 0, value],
            "categories": _range(sheet, name, rows),
            "values": _range(sheet, value, rows),
            "fill": {"color": LIGHT["class_a"]},
            "gap": 30,
        }
    )
    share = _index(canvas, running) if running else None
    if share is not None:
        line = book.file.add_chart({"type": "line"})
        line.add_series(
            {
                "name": [sheet.get_name(), 0, share],
                "categories": _range(sheet, name, rows),
                "values": _range(sheet, share, rows),
                "line": {"color": LIGHT["cat_2"], "width": 2.25},
                "y2_axis": True,
            }
        )
        line.set_y2_axis({"min": 0, "max": 1, "num_format": "0 %", "num_font": _FONT, "line": {"none": True}})
        columns.combine(line)
    return columns


def _bars(book: Book, canvas: Canvas, sheet: Any, rows: int) -> Any:
    x, y = _index(canvas, canvas.chart.x), _index(canvas, canvas.chart.y)
    if x is None or y is None or len(set(canvas.values(canvas.chart.x))) < rows:
        return None
    chart = book.file.add_chart({"type": "bar" if rows > 6 else "column"})
    chart.add_series(
        {
            "name": [sheet.get_name(), 0, y],
            "categories": _range(sheet, x, rows),
            "values": _range(sheet, y, rows),
            "fill": {"color": LIGHT["cat_1"]},
            "gap": 45,
        }
    )
    return chart


def _bridge(book: Book, canvas: Canvas, helper: _Helper) -> Any:
    """Stacked columns on an invisible foot; each block goes from its lower to its upper end."""
    from klientel.show.charts.bars import steps_of

    steps = steps_of(canvas)
    if any(min(s["from"], s["to"]) < 0 for s in steps):
        return None  # columns that cross zero cannot stand on a foot
    heads = ["", translate(mark("Foot"), book.lang), *(translate(t, book.lang) for t in _BRIDGE)]
    lines = []
    for s in steps:
        low, size = min(s["from"], s["to"]), abs(s["to"] - s["from"])
        kind = 0 if s["total"] else 1 if s["amount"] >= 0 else 2
        lines.append([s["label"], low, *(size if kind == k else None for k in range(3))])
    top = helper.block(canvas.say(canvas.chart.title or canvas.table.title), heads, lines, "#,##0.00")
    chart = book.file.add_chart({"type": "column", "subtype": "stacked"})
    fills = [None, LIGHT["total"], LIGHT["up"], LIGHT["down"]]
    for i, fill in enumerate(fills, 1):
        chart.add_series(
            {
                "name": [helper.sheet.get_name(), top, i],
                "categories": _range(helper.sheet, 0, len(lines), top + 1),
                "values": _range(helper.sheet, i, len(lines), top + 1),
                "fill": {"color": fill} if fill else {"none": True},
                "gap": 40,
            }
        )
    chart.set_legend({"none": True})
    return chart


_BRIDGE = (mark("Total"), mark("Increase"), mark("Decrease"))


def _lines(book: Book, canvas: Canvas, helper: _Helper) -> Any:
    from klientel.show.charts.course import series_of

    series, labels = series_of(canvas)
    if not labels:
        return None
    names = [n or canvas.title_of(canvas.chart.y) for n in series]
    known = [{p["x"]: p["y"] for p in points} for points in series.values()]
    lines = [[label, *(k.get(i) for k in known)] for i, label in enumerate(labels)]
    form = "0.0 %" if canvas.unit(canvas.chart.y) == "share" else "#,##0.00"
    title = canvas.say(canvas.chart.title or canvas.table.title)
    top = helper.block(title, [canvas.title_of(canvas.chart.x), *names], lines, form)
    stacked = canvas.chart.kind == "area"
    chart = book.file.add_chart({"type": "area", "subtype": "stacked"} if stacked else {"type": "line"})
    for i in range(len(names)):
        colour = LIGHT.category(i)
        chart.add_series(
            {
                "name": [helper.sheet.get_name(), top, i + 1],
                "categories": _range(helper.sheet, 0, len(lines), top + 1),
                "values": _range(helper.sheet, i + 1, len(lines), top + 1),
                **({"fill": {"color": colour}} if stacked else {"line": {"color": colour, "width": 2.25}}),
            }
        )
    chart.set_legend({"position": "bottom", "font": _FONT} if len(names) > 1 else {"none": True})
    return chart


def _triangle(canvas: Canvas, helper: _Helper) -> None:
    """The cohort triangle as coloured cells on the sheet of chart data."""
    from klientel.show.charts.grids import cells_of

    cells, columns, rows = cells_of(canvas, canvas.chart.color or str(canvas.option("value", "")))
    known = {(c["row"], c["column"]): c["value"] for c in cells}
    lines = [[r, *(known.get((i, j)) for j in range(len(columns)))] for i, r in enumerate(rows)]
    form = "0 %" if canvas.unit(canvas.chart.color) == "share" else "#,##0"
    title = canvas.say(canvas.chart.title or canvas.table.title)
    top = helper.block(title, [canvas.title_of(canvas.chart.y), *columns], lines, form)
    helper.sheet.conditional_format(
        top + 1, 1, top + len(lines), len(columns),
        {"type": "2_color_scale", "min_color": LIGHT["seq_1"], "max_color": LIGHT["seq_6"]},
    )  # fmt: skip


def _dress(made: Any, canvas: Canvas, chart: Chart) -> None:
    unit = canvas.unit(chart.y)
    title = canvas.say(chart.title or canvas.table.title)
    made.set_title(
        {"name": title, "name_font": {"name": "Arial", "size": 13, "color": LIGHT["ink"]}, "overlay": False}
    )
    grid = {"visible": True, "line": {"color": LIGHT["grid"], "width": 0.75}}
    form = "0 %" if unit == "share" else "#,##0"
    values = {"num_format": form, "num_font": _FONT, "major_gridlines": grid, "line": {"none": True}}
    names = {"num_font": _FONT, "line": {"color": LIGHT["line"]}, "major_gridlines": {"visible": False}}
    if type(made).__name__ == "ChartBar":
        names["reverse"] = True  # the first row on top, as in the table
        made.set_x_axis(values)
        made.set_y_axis(names)
    else:
        made.set_x_axis(names)
        made.set_y_axis({**values, "name": canvas.measure(chart.y), "name_font": _FONT})
    if chart.kind in ("pareto",):
        made.set_legend({"position": "bottom", "font": _FONT})
    elif chart.kind == "bar":
        made.set_legend({"none": True})
    made.set_size(_SIZE)
    made.set_chartarea({"border": {"none": True}})
