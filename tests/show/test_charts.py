from __future__ import annotations

import re

import altair as alt
import numpy as np
import pyarrow as pa
import pytest
import samples

from klientel.analysis import Chart, Column
from klientel.errors import BadParameter
from klientel.show.charts import draw, save, svg
from klientel.show.theme import DARK, LIGHT, TOKENS
from klientel.words import translate

RESULTS = {r.name: r for r in samples.all_results()}
CHARTS = [(r.name, c.name) for r in RESULTS.values() for c in r.analysis.charts]


def texts(picture: str) -> list[str]:
    found = re.findall(r"<text[^>]*>(.*?)</text>", picture, re.S)
    return [" ".join(re.sub(r"<[^>]*>", " ", text).split(" ")).strip() for text in found]


def points(chart) -> int:
    def layer(spec) -> int:
        own = len(spec.get("data", {}).get("values", [])) if isinstance(spec.get("data"), dict) else 0
        return own + sum(layer(s) for s in spec.get("layer", []))

    spec = chart.to_dict(validate=False)
    return layer(spec) + sum(len(v) for v in spec.get("datasets", {}).values())


def column_chart(kind: str, data: pa.Table, **chart) -> samples.Result:
    units = {"x": "text", "y": "money", "c": "class", **chart.pop("units", {})}
    columns = tuple(Column(n, n.upper(), units.get(n, "number")) for n in data.column_names)
    return samples.result("own_test", {"t": (columns, data)}, (Chart("c", "t", kind, **chart),))


@pytest.mark.parametrize(("name", "chart"), CHARTS)
@pytest.mark.parametrize("width", [760, 340])
def test_every_kind_is_valid_and_of_the_width_asked_for(name, chart, width) -> None:
    made = draw(RESULTS[name], chart, width=width)
    made.to_dict(validate=True)  # draw itself leaves the schema unchecked, for speed
    picture = svg(made)
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', picture)
    assert int(box[1]) == pytest.approx(width, abs=20)
    assert int(box[2]) < 800


def test_every_kind_of_the_declaration_is_drawn() -> None:
    from typing import get_args

    from klientel.analysis import ChartKind

    drawn = {c.kind for r in RESULTS.values() for c in r.analysis.charts}
    assert drawn == set(get_args(ChartKind)) - {"own"}


@pytest.mark.parametrize(("name", "chart"), CHARTS)
def test_title_and_day_are_said(name, chart, german) -> None:
    said = " ".join(texts(svg(draw(RESULTS[name], chart, lang="de")))).replace("\u00a0", " ")
    title = next(c.title for c in RESULTS[name].analysis.charts if c.name == chart)
    assert translate(title, "de") in said
    assert "Stand 01.03.2024" in said


@pytest.mark.parametrize(("name", "chart"), CHARTS)
def test_light_pictures_use_only_colours_that_have_a_dark_one(name, chart) -> None:
    picture = svg(draw(RESULTS[name], chart))
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{3,6})"', picture))
    assert used <= {light for light, _ in TOKENS.values()}
    assert not re.search(r'(?:fill|stroke)="(?:white|black|rgb)', picture)


def test_no_picture_refers_to_the_outside() -> None:
    for name, chart in CHARTS:
        links = set(re.findall(r"https?://[^\"' )]+", svg(draw(RESULTS[name], chart))))
        assert links <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_dark_theme() -> None:
    picture = svg(draw(RESULTS["abc"], "pareto", theme="dark"))
    assert DARK["paper"] in picture
    assert LIGHT["ink"] not in picture


def test_numbers_are_german(german) -> None:
    said = texts(svg(draw(RESULTS["segments"], "revenue", lang="de")))
    assert "4,2\u00a0Mio." in said
    assert "4 weitere zusammen: 140\u00a0Tsd.\u00a0€" in said
    assert "82\u202f%" in texts(svg(draw(RESULTS["segments"], "rate", lang="de")))
    assert "110\u202f%" in texts(svg(draw(RESULTS["retention"], "course", lang="de")))


def test_axis_numbers_are_german(german) -> None:
    said = texts(svg(draw(RESULTS["cohorts"], "stack", lang="de")))
    assert "2\u00a0Mio." in said
    assert "2020" in said  # years of a stack are years, not 2.020


def test_pareto_of_many_customers_is_thinned() -> None:
    n = 1_000_000
    value = np.random.default_rng(1).pareto(1.2, n) + 1
    data = pa.table({"x": np.arange(n).astype(str), "y": value})
    result = column_chart("pareto", data, x="x", y="y", units={"x": "key"})
    chart = draw(result)
    assert points(chart) < 1000
    assert len(svg(chart)) < 100_000


def test_pareto_says_the_numbers_of_the_classes() -> None:
    result = RESULTS["abc"]
    said = " ".join(texts(svg(draw(result, "pareto"))))
    grades = result.tables["customers"].to_pyarrow().column("grade").to_pylist()
    assert f"{grades.count('A')} customers" in said
    assert f"{grades.count('C')} customers" in said  # also the one at zero
    assert "2 below zero, not drawn" in said


def test_thinning_keeps_the_ends_and_the_curve() -> None:
    from klientel.show.charts.curves import thinned

    curve = np.cumsum(np.sort(np.random.default_rng(2).pareto(1.1, 200_000))[::-1])
    curve = np.concatenate([[0], curve / curve[-1]])
    kept = thinned(curve, [777])
    assert len(kept) <= 310
    assert {0, 777, len(curve) - 1} <= set(kept.tolist())
    between = np.interp(np.arange(len(curve)), kept, curve[kept])
    assert np.abs(between - curve).max() < 0.01


def test_pareto_without_positive_values_says_so() -> None:
    data = pa.table({"x": ["a", "b"], "y": [-1.0, 0.0]})
    said = " ".join(texts(svg(draw(column_chart("pareto", data, x="x", y="y")))))
    assert "no customer with a positive value" in said


@pytest.mark.parametrize(("name", "chart"), CHARTS)
def test_empty_tables_give_a_sentence(name, chart) -> None:
    full = RESULTS[name]
    columns = {t.name: t.columns for t in full.analysis.tables}
    tables = {k: (columns[k], full.tables[k].to_pyarrow().slice(0, 0)) for k in columns}
    empty = samples.result(name, tables, full.analysis.charts)
    said = " ".join(texts(svg(draw(empty, chart, width=340))))
    assert "There is nothing to show here" in said


@pytest.mark.parametrize(("name", "chart"), CHARTS)
def test_one_row_does_not_break_a_picture(name, chart) -> None:
    full = RESULTS[name]
    columns = {t.name: t.columns for t in full.analysis.tables}
    tables = {k: (columns[k], full.tables[k].to_pyarrow().slice(0, 1)) for k in columns}
    assert svg(draw(samples.result(name, tables, full.analysis.charts), chart)).startswith("<svg")


def test_bridge_adds_up() -> None:
    from klientel.show.charts.bars import steps_of
    from klientel.show.charts.canvas import Canvas

    result = RESULTS["movement"]
    steps = steps_of(Canvas(result, result.analysis.charts[0], "en", 760, "light"))
    assert [s["total"] for s in steps] == [True, False, False, False, False, False, True]
    assert steps[-2]["to"] == pytest.approx(
        steps[-1]["to"]
    )  # the last change ends where the closing total is


def test_two_customers_of_one_name_are_two_bars() -> None:
    data = pa.table({"x": ["Müller", "Müller", "Braun"], "y": [3.0, 2.0, 1.0], "c": ["A", "B", "B"]})
    said = texts(svg(draw(column_chart("bar", data, x="x", y="y", color="c"))))
    assert said.count("Müller") == 2


def test_names_are_escaped_in_pictures() -> None:
    data = pa.table({"x": [samples.NASTY, "b"], "y": [3.0, 2.0]})
    picture = svg(draw(column_chart("bar", data, x="x", y="y")))
    assert "<script" not in picture
    assert "&lt;script&gt;" in picture


def test_cohort_triangle_has_labels_up_to_fifteen_columns() -> None:
    few = texts(svg(draw(samples.cohorts(12), "triangle")))
    many = texts(svg(draw(samples.cohorts(40), "triangle")))
    assert sum("%" in t for t in few) > 60
    assert sum("%" in t for t in many) < 5
    assert any("4 earliest cohorts not drawn" in t for t in many)


def test_many_points_become_cells() -> None:
    chart = draw(samples.spread(50_000), "map")
    assert points(chart) < 1400
    assert "50,000 customers" in " ".join(texts(svg(chart)))


def test_own_drawing_is_the_escape_hatch() -> None:
    def mine(canvas):
        from klientel.show.charts.canvas import plot

        return canvas.finish([plot([{"x": 1}]).mark_point().encode(x="x:Q")], 50)

    data = pa.table({"x": ["a"], "y": [1.0]})
    made = draw(column_chart("own", data, x="x", y="y", options={"draw": mine}))
    assert isinstance(made, alt.LayerChart)


def test_unknown_chart_names_the_nearest() -> None:
    with pytest.raises(BadParameter, match="did you mean pareto"):
        draw(RESULTS["abc"], "paretto")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")],
)
def test_saved_in_every_form(tmp_path, suffix, start) -> None:
    path = save(draw(RESULTS["abc"], "pareto"), tmp_path / f"c.{suffix}")
    assert path.read_bytes().startswith(start)


def test_unknown_form_is_refused(tmp_path) -> None:
    with pytest.raises(BadParameter, match="bmp"):
        save(draw(RESULTS["abc"], "pareto"), tmp_path / "c.bmp")


def test_cells_carry_the_words_of_the_label_column() -> None:
    data = pa.table({"x": ["1", "2"], "y": ["a", "a"], "n": [3, 9], "word": ["Loyal", "New"]})
    result = column_chart(
        "heatmap",
        data,
        x="x",
        y="y",
        color="n",
        units={"y": "text", "word": "text"},
        options={"label": "word"},
    )
    said = texts(svg(draw(result)))
    assert {"Loyal", "New"} <= set(said)
    assert "9" not in said


def test_skewed_values_are_binned_in_powers_even_with_some_below_zero() -> None:
    value = np.concatenate([[-500.0, 0.0], np.exp(np.random.default_rng(4).normal(8, 1.5, 400))])
    said = texts(svg(draw(column_chart("distribution", pa.table({"y": value}), x="y"))))
    counts = [int(t) for t in said if t.isdigit()]
    assert sum(counts) >= 402
    assert {"2k", "10k"} <= set(said)


def values_of(chart, mark: str) -> list[dict]:
    """The rows behind the layers of a mark."""
    spec = chart.to_dict(validate=False)
    kinds = []
    for layer in spec["layer"]:
        data = layer.get("data", {})
        rows = data["values"] if "values" in data else spec["datasets"][data["name"]]
        kinds.append((layer["mark"]["type"], rows))
    return [row for kind, rows in kinds if kind == mark for row in rows]


def test_top_bars_are_the_largest_and_the_rest_is_said_in_words_not_drawn() -> None:
    """A table in order of dates: the bars are sorted by what they show, and the sum of the others has no bar."""
    y = [(i * 37) % 41 + 1 for i in range(40)]
    data = pa.table({"x": [f"customer {i}" for i in range(40)], "y": [float(v) for v in y]})
    chart = draw(column_chart("bar", data, x="x", y="y"))
    drawn = [row["value"] for row in values_of(chart, "bar")]
    assert drawn == sorted(y, reverse=True)[:15]
    left = sum(y) - sum(drawn)
    assert f"25 others together: €{left:.0f}" in texts(svg(chart))
    rates = draw(column_chart("bar", data, x="x", y="y", units={"y": "share"}))
    assert "25 more not drawn" in texts(svg(rates))  # rates cannot be added


def test_few_bars_keep_the_order_of_the_table() -> None:
    data = pa.table({"x": ["a", "b", "c"], "y": [1.0, 3.0, 2.0]})
    assert [r["value"] for r in values_of(draw(column_chart("bar", data, x="x", y="y")), "bar")] == [1, 3, 2]
    sorted_ = draw(column_chart("bar", data, x="x", y="y", options={"sort": True}))
    assert [r["value"] for r in values_of(sorted_, "bar")] == [3, 2, 1]


def test_rows_of_one_key_are_one_bar() -> None:
    data = pa.table({"x": ["A", "B", "A"], "y": [5.0, 7.0, 4.0], "k": ["1", "2", "1"]})
    made = column_chart("bar", data, x="x", y="y", options={"sum": "k", "sort": True}, units={"k": "key"})
    assert [(r["label"], r["value"]) for r in values_of(draw(made), "bar")] == [("A", 9), ("B", 7)]


@pytest.mark.parametrize("upright", [False, True])
def test_labels_stand_beyond_the_whiskers(upright) -> None:
    data = pa.table({"x": ["up", "down"], "y": [10.0, -10.0], "l": [6.0, -18.0], "h": [15.0, -4.0]})
    made = column_chart("bar", data, x="x", y="y", options={"low": "l", "high": "h", "upright": upright})
    chart = draw(made)
    assert {r["edge"] for r in values_of(chart, "text")} == {15, -18}
    domain = next(
        x["encoding"]["y" if upright else "x"]["scale"]["domain"]
        for x in chart.to_dict(validate=False)["layer"]
        if x["mark"]["type"] == "bar"
    )
    assert domain[0] < -18 < 15 < domain[1]


@pytest.mark.parametrize("width", [860, 340])
def test_names_at_line_ends_are_not_cut(width) -> None:
    names = ["Automobilzulieferer", "Hospitals and nursing homes", "Bau"]
    data = pa.table(
        {"x": [i for _ in names for i in range(9)], "y": [float(i + 9 * n) for n in range(3) for i in range(9)],
         "c": [n for n in names for _ in range(9)]}
    )  # fmt: skip
    made = column_chart("line", data, x="x", y="y", color="c", units={"x": "count"})
    said = texts(svg(draw(made, width=width)))
    assert not any("…" in text for text in said)
    assert "Automobilzulieferer" in said
    assert {"Hospitals", "and", "nursing", "homes"} <= set(" ".join(said).split())


def test_shares_against_shares_stand_at_their_values_beside_the_diagonal() -> None:
    """A calibration with most of its points above 0.9 must not look like a straight rise from 0 to 1."""
    data = pa.table({"x": [0.05, 0.9, 0.95, 0.99], "y": [0.1, 0.8, 0.9, 1.0]})
    chart = draw(column_chart("line", data, x="x", y="y", units={"x": "share", "y": "share"}))
    assert [r["x"] for r in values_of(chart, "point")][:4] == [0.05, 0.9, 0.95, 0.99]
    assert {"x": 1.0, "y": 1.0} in values_of(chart, "line")
    assert "dashed: came as forecast" in texts(svg(chart))


def test_months_are_counted_in_years() -> None:
    from klientel.show.charts.course import _every

    assert _every([str(i) for i in range(0, 122, 2)], 9) == 12  # every 24 months
    assert _every(["a", "b", "c"], 9) == 1
    assert _every([str(i) for i in range(100)], 4) == 36
