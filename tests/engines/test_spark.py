"""Spark on two workers answers as the embedded engine does: files moved there, and a lake read where it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import alike
import pytest
import scenarios

import klientel
from klientel.analyses import ANALYSES

pytestmark = pytest.mark.slow
# What PostgreSQL is asked in full; a cluster needs seconds for what takes it milliseconds.
_ASKED = [(book, name) for book in ("small_firm", "the_cast") for name in ANALYSES if name != "renewals"]
_ASKED += [
    ("demo_firm", "renewals"),
    ("long_history", "abc"),
    ("long_history", "cohorts"),
    ("one_line", "xyz"),
]


@cache
def on_the_cluster(book: str, address: str) -> Any:
    return scenarios.BOOKS[book](address)


@pytest.mark.parametrize(("book", "name"), _ASKED)
def test_every_analysis_says_the_same(spark, book, name):
    assert scenarios.answerable(book, name)
    here = on_the_cluster(book, spark)
    assert here.engine.kind == "pyspark"
    told = alike.differences(scenarios.answer(book, name, 0), klientel.analyse(here, name))
    assert not told, told
