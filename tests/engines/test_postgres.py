"""PostgreSQL answers as the embedded engine does: every analysis, every Book, files and tables of the server."""

from __future__ import annotations

from functools import cache
from typing import Any

import alike
import pytest
import scenarios

import klientel
from klientel.analyses import ANALYSES


@cache
def on_the_server(book: str, address: str) -> Any:
    return scenarios.BOOKS[book](address)


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("book", scenarios.BOOKS)
def test_every_analysis_says_the_same(postgres, book, name):
    if not scenarios.answerable(book, name):
        klientel_says = "the Book lacks what this analysis needs, on every engine"
        assert klientel_says
        return
    here = on_the_server(book, postgres)
    assert here.engine.kind == "postgres"
    for call, parameters in enumerate(scenarios.calls(name)):
        told = alike.differences(
            scenarios.answer(book, name, call), klientel.analyse(here, name, **parameters)
        )
        assert not told, (parameters, told)
