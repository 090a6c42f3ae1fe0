"""What every analysis promises, tested over the whole registry (design, section 3)."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from decimal import Decimal as D
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import cast
import klientel
from klientel.analyses import ANALYSES
from klientel.answer import lacking
from klientel.errors import MissingInput

ROOT = Path(__file__).parent.parent
# The small firm has no contracts: analyses of contracts are tested in tests/analyses/test_renewals_analysis.py.
NAMES = [
    name
    for name, a in ANALYSES.items()
    if not any(n.table == "contracts" and not n.optional for n in a.needs)
]


def lines_of_a_small_firm(seed: int = 3) -> list[dict[str, Any]]:
    """Three years of orders of thirty customers with two owners: enough for every analysis to answer."""
    chance = random.Random(seed)
    rows = []
    for c in range(30):
        day = date(2022, 1, 1) + timedelta(days=chance.randrange(200))
        number = 0
        while day < date(2025, 1, 1):
            amount = D(chance.randrange(100, 50_000) * (1 + (c < 5) * 8)) / 100
            rows.append(
                {
                    "order_id": f"{c}-{number}", "customer_id": f"C{c:02d}", "customer_name": f"Customer {c}",
                    "order_date": day, "product_id": f"P{chance.randrange(5)}", "qty": D(chance.randrange(1, 9)),
                    "net_amount": amount, "direct_cost": (amount * D("0.6")).quantize(D("0.01")),
                    "industry": ["steel", "food", None][c % 3], "owner": ["anna", "ben"][c % 2],
                }
            )  # fmt: skip
            day += timedelta(days=chance.randrange(5, 70))
            number += 1
            if chance.random() < 0.02:
                break
    return rows


def small_book(rows: list[dict[str, Any]] | None = None, as_of: date = date(2025, 1, 1)) -> Any:
    """The small firm (or other rows) as a Book."""
    rows = lines_of_a_small_firm() if rows is None else rows
    lines = pa.Table.from_pylist(
        [{k: v for k, v in r.items() if k not in ("industry", "owner")} for r in rows], _SCHEMA
    )
    known = {r["customer_id"]: r for r in rows}
    customers = pa.Table.from_pylist(
        [
            {
                "customer_id": c,
                "name": r["customer_name"],
                "industry_code": r["industry"],
                "owner_rep_id": r["owner"],
            }
            for c, r in known.items()
        ],
        pa.schema([(n, pa.string()) for n in ("customer_id", "name", "industry_code", "owner_rep_id")]),
    )
    return klientel.open_book({"order_line": lines, "customer": customers}, as_of=as_of)


_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()), ("customer_id", pa.string()), ("customer_name", pa.string()),
        ("order_date", pa.date32()), ("product_id", pa.string()), ("qty", pa.decimal128(18, 4)),
        ("net_amount", pa.decimal128(18, 4)), ("direct_cost", pa.decimal128(18, 4)),
    ]
)  # fmt: skip


@cache
def answers() -> dict[str, Any]:
    book = small_book()
    return {name: klientel.analyse(book, name) for name in NAMES}


def content(result: Any) -> str:
    """Everything a result says but the recipe."""
    told = result.to_dict()
    told.pop("reproduce")
    return json.dumps(told, sort_keys=True)


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return str(request.param)


def test_what_is_declared_is_produced(name):
    result = answers()[name]
    analysis = ANALYSES[name]
    assert list(result.tables) == [t.name for t in analysis.tables]
    for table in analysis.tables:
        produced = result.tables[table.name].to_pyarrow()
        assert produced.column_names == [c.name for c in table.columns], table.name
    assert set(result.figures) == {f.name for f in analysis.figures}
    assert any(v is not None for v in result.figures.values())
    for chart in analysis.charts:
        columns = {c.name for c in analysis.table(chart.table).columns}
        assert {c for c in (chart.x, chart.y, chart.color) if c} <= columns, chart.name


def test_row_order_does_not_matter(name):
    rows = lines_of_a_small_firm()
    random.Random(1).shuffle(rows)
    assert content(klientel.analyse(small_book(rows), name)) == content(answers()[name])


def test_blind_to_what_comes_after_the_as_of_date(name):
    rows = lines_of_a_small_firm()
    later = [
        dict(r, order_date=r["order_date"] + timedelta(days=1200), order_id="x" + r["order_id"])
        for r in rows[:200]
    ]
    assert content(klientel.analyse(small_book(rows + later), name)) == content(answers()[name])


def test_splitting_an_order_into_lines_changes_no_figure(name):
    """Two lines of half the amount are the same order: only counts of lines may differ."""
    rows = []
    for r in lines_of_a_small_firm():
        half = (r["net_amount"] / 2).quantize(D("0.01"))
        cost = (r["direct_cost"] / 2).quantize(D("0.01"))
        qty = D(1)
        rows.append(dict(r, net_amount=half, direct_cost=cost, qty=qty))
        rows.append(
            dict(r, net_amount=r["net_amount"] - half, direct_cost=r["direct_cost"] - cost, qty=r["qty"])
        )
    split = klientel.analyse(small_book(rows), name)
    for figure, value in answers()[name].figures.items():
        if "line" not in figure:
            assert _near(split.figures[figure], value), figure


def test_money_scales_and_nothing_else_does(name):
    """Amounts times ten: money figures times ten, shares, counts, classes as before."""
    rows = [
        dict(r, net_amount=r["net_amount"] * 10, direct_cost=r["direct_cost"] * 10)
        for r in lines_of_a_small_firm()
    ]
    scaled = klientel.analyse(small_book(rows), name)
    for figure in ANALYSES[name].figures:
        before, after = answers()[name].figures[figure.name], scaled.figures[figure.name]
        if figure.unit == "money":
            assert (before is None) == (after is None)
            assert before is None or _near(after, before * 10), figure.name
        elif figure.unit in ("share", "count", "number", "days", "months", "score", "text", "class"):
            assert _near(after, before), figure.name


@pytest.mark.parametrize("rows", [1, 2])
def test_one_or_two_lines_do_not_break(name, rows):
    few = [r for r in lines_of_a_small_firm() if r["customer_id"] == "C01"][:rows]
    result = klientel.analyse(small_book(few), name)
    for table in result.tables.values():
        table.to_pyarrow()
    json.dumps(result.to_dict(), allow_nan=False)


def test_before_the_first_event_there_is_nothing_and_that_is_said(name):
    result = klientel.analyse(small_book(as_of=date(2000, 1, 1)), name)
    assert result.quality.flag != "green" or result.quality.n == 0
    json.dumps(result.to_dict(), allow_nan=False)
    for chart in ANALYSES[name].charts:
        result.chart(chart.name).to_dict()


def test_one_customer_many_orders(name):
    rows = [r for r in lines_of_a_small_firm() if r["customer_id"] == "C01"]
    result = klientel.analyse(small_book(rows), name)
    for chart in ANALYSES[name].charts:
        result.chart(chart.name).to_dict()


def test_all_customers_equal(name):
    """Ties everywhere: the same answer whatever the customers are called."""
    rows = [r for r in lines_of_a_small_firm() if r["customer_id"] == "C01"]
    many = [
        dict(r, customer_id=f"T{k}", customer_name=f"T{k}", order_id=f"{k}-{r['order_id']}")
        for k in range(6)
        for r in rows
    ]
    result = klientel.analyse(small_book(many), name)
    json.dumps(result.to_dict(), allow_nan=False)
    for table in result.tables.values():
        frame = table.to_pyarrow()
        for column in ("grade", "segment", "r", "f", "m", "class"):
            if column in frame.column_names and "customer_id" in frame.column_names:
                assert len(set(frame[column].to_pylist())) <= 1, (table.table.name, column)


def test_the_cast_with_credit_notes_ties_and_partners(name):
    book = cast.book()
    if lacking(book, ANALYSES[name]):
        pytest.skip("the cast lacks what this analysis needs")
    result = klientel.analyse(book, name)
    told = json.dumps(result.to_dict(), allow_nan=False)
    assert "K12" not in told, "partners are never part of the portfolio"


def test_charts_draw_in_both_languages(name):
    for chart in ANALYSES[name].charts:
        for lang in ("en", "de"):
            answers()[name].chart(chart.name, lang=lang).to_dict()


def test_a_dateless_list_is_answered_or_refused_with_a_cure(name):
    book = klientel.open_book(pa.table({"Kunde": ["A", "B", "C"], "Umsatz": [100.0, 50.0, 25.0]}))
    gap = lacking(book, ANALYSES[name])
    if gap is None:
        klientel.analyse(book, name)
        return
    with pytest.raises(MissingInput, match=r"--map"):
        klientel.analyse(book, name)
    assert all("." in column for column in gap.columns)


@pytest.mark.parametrize("written", ANALYSES)
def test_docs_page_and_parameters_are_written_down(written):
    analysis = ANALYSES[written]
    page = ROOT / analysis.reads
    assert page.exists()
    text = page.read_text(encoding="utf-8")
    for param in analysis.params:
        assert f"`{param.name}`" in text, param.name
    for table in analysis.tables:
        assert f"`{table.name}`" in text, table.name
    for figure in analysis.figures:
        assert f"`{figure.name}`" in text, figure.name
        assert figure.meaning, f"{figure.name} has no definition"


def test_german_is_complete(name):
    from klientel.words import knows

    analysis = ANALYSES[name]
    texts = [analysis.title, analysis.question, *(p.title for p in analysis.params)]
    texts += [t for f in analysis.figures for t in (f.title, f.meaning)]
    texts += [
        x
        for t in analysis.tables
        for x in (t.title, t.meaning, *(c.title for c in t.columns), *(c.meaning for c in t.columns))
    ]
    texts += [c.title for c in analysis.charts]
    result = answers()[name]
    texts += [*result.lines, *result.quality.reasons]
    missing = [t for t in texts if t and not knows(t, "de")]
    assert not missing


def _near(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return bool(a == b)
    return float(a) == pytest.approx(float(b), rel=1e-6, abs=1e-9)
