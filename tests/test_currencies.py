"""Amounts without a rate are left out, counted and said in every answer (handbook G3)."""

from __future__ import annotations

import pyarrow as pa
import pytest

import klientel
from klientel.words import translate


def lines(*rows):
    names = ("customer_id", "order_date", "net_amount", "currency")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


@pytest.mark.parametrize(("foreign", "flag", "customers"), [(1, "amber", 3), (3, "red", 1), (4, "red", 0)])
def test_lines_without_a_rate_flag_the_answer(foreign, flag, customers):
    rows = [(f"K{i}", f"2024-0{i + 1}-05", 100.0 + i, "USD" if i < foreign else "EUR") for i in range(4)]
    result = klientel.analyse(klientel.open_book(lines(*rows), currency="EUR"), "abc")
    assert result.figures["customers"] == customers
    assert result.quality.flag == flag
    sentences = [translate(r, "en") for r in result.quality.reasons]
    expected = f"{foreign} lines in USD are left out: there is no rate into EUR."
    assert any(s.startswith(expected) for s in sentences)


def test_with_a_rate_nothing_is_said():
    rows = [(f"K{i}", f"2024-0{i + 1}-05", 100.0, "USD" if i else "EUR") for i in range(4)]
    rates = pa.Table.from_pylist(
        [
            {"date": f"2024-0{i + 1}-01", "from_currency": "USD", "to_currency": "EUR", "rate": 0.5}
            for i in range(4)
        ]
    )
    book = klientel.open_book({"order_line": lines(*rows), "fx_rate": rates}, currency="EUR")
    result = klientel.analyse(book, "abc")
    assert result.figures["total_value"] == 250
    assert not [r for r in result.quality.reasons if "rate" in translate(r, "en")]
