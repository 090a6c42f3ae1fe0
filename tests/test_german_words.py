"""German: no word that comes from the code reaches the reader untranslated, wherever it stands in an answer."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import klientel
from klientel.analyses import ANALYSES
from klientel.show.figures import cell, spoken_figure
from klientel.words import knows, translate

sys.path.insert(0, str(Path(__file__).parent / "forecast"))
import order_firms

# Columns and figures of class whose values are data with a word of ours among them ("all others", "unknown").
DATA = {
    ("segments", "segment"), ("segments", "largest_segment"), ("segments", "fastest_segment"),
    ("lifetime", "segment"), ("retention", "segment"),
}  # fmt: skip
NAMES = list(ANALYSES)


@cache
def book() -> Any:
    """A firm with enough history for models, attributes with gaps, contracts that ended and that run."""
    from datetime import date

    people = sorted({r["customer_id"] for r in order_firms.rows()})
    customers = [
        {
            "customer_id": c,
            "name": f"Firm {c}",
            "industry_code": (None, "steel", "food")[i % 3],
            "region": "north",
        }
        for i, c in enumerate(people)
    ]
    contracts = [
        {"contract_id": f"{c}-{k}", "customer_id": c, "start": date(2021 + k, 3, 1), "end": date(2022 + k, 3, 1),
         "recurring_amount": order_firms.D(1000 * (i + 1)), "period_months": 12, "status": "running"}
        for i, c in enumerate(people[:40]) for k in range(2 if i % 4 == 0 else 3)
    ]  # fmt: skip
    lines = pa.Table.from_pylist([dict(r) for r in order_firms.rows()], order_firms._SCHEMA)
    tables = {"order_line": lines, "customer": pa.Table.from_pylist(customers),
              "project_contract": pa.Table.from_pylist(contracts)}  # fmt: skip
    return klientel.open_book(tables, as_of=order_firms.AS_OF)


@pytest.fixture(params=NAMES)
def result(request) -> Any:
    return klientel.analyse(book(), request.param)


def test_nothing_from_the_code_stays_english(result):
    """Methods of intervals, reasons, sentences, words in cells and figures."""
    said = [*result.lines, *result.quality.reasons, *(e.method for e in result.estimates.values())]
    said += [e.method for e in result.estimates.values()]
    for table in result.tables.values():
        for column in table.table.columns:
            if column.unit == "class" and (result.name, column.name) not in DATA:
                said += set(table.to_pyarrow()[column.name].drop_null().to_pylist())
    for figure in result.analysis.figures:
        value = result.figures.get(figure.name)
        if figure.unit == "class" and value is not None and (result.name, figure.name) not in DATA:
            said.append(value)
    missing = {
        str(t) for t in said if t and not knows(t, "de") and len(t) > 1
    }  # A, B, C, X, Y, Z are letters
    assert missing == set()


def test_cells_of_text_hold_data_and_no_words_of_ours(result):
    """What is written as text is never translated, so no word of the catalogue may stand there."""
    for table in result.tables.values():
        for column in table.table.columns:
            if column.unit in ("text", "key"):
                cells = set(table.to_pyarrow()[column.name].drop_null().cast("string").to_pylist())
                known = {c for c in cells if translate(c, "de") != c}
                assert known == set(), f"{table.table.name}.{column.name}"
    for figure in result.analysis.figures:
        value = result.figures.get(figure.name)
        if figure.unit == "text" and isinstance(value, str):
            assert translate(value, "de") == value, figure.name


def test_no_name_of_a_column_or_option_reaches_the_reader(result):
    from klientel.schema import TABLES

    columns = {c for c in TABLES["customer"].names() if "_" in c}
    told = " ".join(translate(t, "de") for t in (*result.lines, *result.quality.reasons))
    told += " ".join(
        spoken_figure(result.figures[f.name], f.unit, "de")
        for f in result.analysis.figures
        if result.figures.get(f.name) is not None
    )
    for table in result.tables.values():
        rows = table.head(20).to_pydict()
        told += " ".join(cell(v, c, "de") for c in table.table.columns for v in rows[c.name])
    assert not {c for c in columns if c in told}
    assert "--" not in told
