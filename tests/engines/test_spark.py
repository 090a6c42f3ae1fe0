"""Spark on two workers answers as the embedded engine does: files moved there, and a lake read where it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import alike
import expressions_alike
import placing
import pytest
import scenarios

import cast
import klientel
from klientel.analyses import ANALYSES
from klientel.answer import lacking
from klientel.engine import connect
from klientel.errors import BadFile, BadParameter, EngineFailed

pytestmark = pytest.mark.slow
# What PostgreSQL is asked in full; a cluster needs seconds for what takes it milliseconds, so that of the whole suite
# CI asks these, and `make engines` the rest (marker `cluster`).
_ASKED = [("small_firm", name) for name in ANALYSES if name != "renewals"]
_ASKED += [("the_cast", name) for name in ("retention", "movement")]
_ASKED += [
    ("demo_firm", "renewals"),
    ("long_history", "cohorts"),
    ("one_line", "xyz"),
]
_SUITE = [
    pytest.param(book, name, marks=() if (book, name) in _ASKED else pytest.mark.cluster)
    for book in scenarios.BOOKS
    for name in ANALYSES
]


@cache
def on_the_cluster(book: str, address: str) -> Any:
    return scenarios.BOOKS[book](address)


@pytest.mark.parametrize(("book", "name"), _SUITE)
def test_every_analysis_says_the_same(spark, book, name):
    here = on_the_cluster(book, spark)
    assert scenarios.answerable(book, name) == (lacking(here, ANALYSES[name]) is None)
    if not scenarios.answerable(book, name):
        return
    assert here.engine.kind == "pyspark"
    told = alike.differences(scenarios.answer(book, name, 0), klientel.analyse(here, name))
    assert not told, told


@pytest.mark.cluster
@pytest.mark.parametrize("book", scenarios.BOOKS)
@pytest.mark.parametrize("name", scenarios.OTHER_PARAMETERS)
def test_other_parameters_say_the_same(spark, book, name):
    if not scenarios.answerable(book, name):
        return
    for call, parameters in enumerate(scenarios.calls(name)[1:], start=1):
        told = alike.differences(
            scenarios.answer(book, name, call),
            klientel.analyse(on_the_cluster(book, spark), name, **parameters),
        )
        assert not told, (parameters, told)


@pytest.mark.parametrize("delta", [False, True])
def test_a_lake_is_read_where_it_is(spark, tmp_path, delta):
    home = placing.in_parquet(tmp_path, placing.tables_of(cast.frames()), delta=delta)
    book = klientel.open_book(f"{spark}?path={home}", as_of=cast.AS_OF)
    assert book.engine.kind == "pyspark"
    assert book.facts == cast.book().facts
    told = alike.differences(klientel.analyse(cast.book(), "abc"), klientel.analyse(book, "abc"))
    assert not told, told


def test_rows_deleted_from_a_delta_table_do_not_count(spark, tmp_path):
    from deltalake import DeltaTable

    home = placing.in_parquet(tmp_path, placing.tables_of(cast.frames()), delta=True)
    DeltaTable(str(home / "order_line")).delete("customer_id = 'K01'")
    book = klientel.open_book(f"{spark}?path={home}", as_of=cast.AS_OF)
    assert "K01" not in book.totals("all").to_pyarrow()["customer_id"].to_pylist()


def test_tables_of_a_session_that_runs_stay_there(spark):
    import ibis
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    for name, table in placing.tables_of(cast.frames()).items():
        session.createDataFrame(table).createOrReplaceTempView(f"theirs_{name}")
    theirs = ibis.pyspark.connect(session)
    tables = {name: theirs.table(f"theirs_{name}") for name in cast.frames()}
    book = klientel.open_book(tables, as_of=cast.AS_OF)
    told = alike.differences(klientel.analyse(cast.book(), "movement"), klientel.analyse(book, "movement"))
    assert not told, told
    with pytest.raises(EngineFailed, match="runs in this process already"):
        connect("spark://elsewhere:7077")
    with pytest.raises(BadParameter, match="--engine duckdb"):
        klientel.open_book(tables, engine="postgres://db/x")


def test_expressions_mean_the_same(spark):
    assert not expressions_alike.wrong(connect(spark))


def test_a_lake_that_is_not_there(spark):
    with pytest.raises(BadFile, match="does not exist"):
        klientel.open_book(f"{spark}?path=/no/such/lake")
