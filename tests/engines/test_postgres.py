"""PostgreSQL answers as the embedded engine does: every analysis, every Book, files and tables of the server."""

from __future__ import annotations

from functools import cache
from typing import Any

import alike
import expressions_alike
import pytest
import scenarios

import klientel
from klientel.analyses import ANALYSES
from klientel.answer import lacking


@cache
def on_the_server(book: str, address: str) -> Any:
    return scenarios.BOOKS[book](address)


@pytest.mark.slow
@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("book", scenarios.BOOKS)
def test_every_analysis_says_the_same(postgres, book, name):
    here = on_the_server(book, postgres)
    assert scenarios.answerable(book, name) == (lacking(here, ANALYSES[name]) is None)
    if not scenarios.answerable(book, name):
        return
    assert here.engine.kind == "postgres"
    for call, parameters in enumerate(scenarios.calls(name)):
        told = alike.differences(
            scenarios.answer(book, name, call), klientel.analyse(here, name, **parameters)
        )
        assert not told, (parameters, told)


@pytest.mark.parametrize("name", ["abc", "rfm", "cohorts", "churn_risk"])
def test_the_cast_says_the_same(postgres, name):
    """The quick part of what the slow test above asks in full."""
    told = alike.differences(
        scenarios.answer("the_cast", name, 0), klientel.analyse(on_the_server("the_cast", postgres), name)
    )
    assert not told, told


def test_expressions_mean_the_same(postgres):
    from klientel.engine import connect

    assert not expressions_alike.wrong(connect(postgres))
