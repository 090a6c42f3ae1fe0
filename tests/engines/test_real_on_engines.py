"""Real data on PostgreSQL and Spark give the figures that the embedded engine gives."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import alike
import placing
import pytest

import klientel
from klientel.analyses import ANALYSES
from klientel.answer import lacking

pytestmark = [pytest.mark.real, pytest.mark.slow]
REAL = Path(__file__).parent.parent.parent.parent / "shared" / "data"
SOURCES = {
    "northwind": "northwind",
    "cdnow": "cdnow/CDNOW_sample.txt",
    "retail": "online_retail/online_retail.parquet",
    "telco": "telco_churn/Telco-Customer-Churn.csv",
}
CLOSED = ("abc", "concentration", "rfm", "cohorts", "retention", "movement", "segments")


@cache
def book(source: str, engine: str | None = None) -> Any:
    if source == "retail_part":  # Spark needs minutes to be handed half a million rows by one process
        import pyarrow.parquet as pq

        whole = pq.read_table(REAL / SOURCES["retail"])
        return klientel.open_book({"order_line": whole.slice(0, 50_000)}, engine=engine)
    return klientel.open_book(REAL / SOURCES[source], engine=engine)


def told(source: str, name: str, engine: str) -> list[str]:
    here = book(source)
    if lacking(here, ANALYSES[name]) is not None:
        assert lacking(book(source, engine), ANALYSES[name]) is not None
        return []
    return alike.differences(klientel.analyse(here, name), klientel.analyse(book(source, engine), name))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", [*CLOSED, "lifetime_value", "churn_risk", "renewals"])
def test_on_postgres(real, postgres, source, name):
    assert not told(source, name, postgres)


@pytest.mark.parametrize(
    ("source", "name"),
    [("northwind", "abc"), ("retail_part", "retention"), ("telco", "renewals"),
     pytest.param("northwind", "cohorts", marks=pytest.mark.cluster),
     pytest.param("cdnow", "lifetime_value", marks=pytest.mark.cluster)],
)  # fmt: skip
def test_on_spark(real, spark, source, name):
    assert not told(source, name, spark)


def northwind() -> dict[str, Any]:
    """The tables as a database would have them: typed."""
    import duckdb

    con = duckdb.connect()
    names = ("customers", "orders", "order_details", "products", "employees", "categories")
    return {
        n: con.sql(f"SELECT * FROM read_csv('{REAL / 'northwind' / n}.csv')").to_arrow_table() for n in names
    }


def test_northwind_where_it_is_has_the_stated_figures(real, postgres, tmp_path):
    for address in (
        placing.in_postgres(postgres, northwind()),
        placing.in_duckdb(tmp_path, northwind()),
    ):
        there = klientel.open_book(address)
        assert there.as_of.isoformat() == "1998-05-07"
        assert there.facts.rows == 2155
        for name in CLOSED:
            differing = alike.differences(
                klientel.analyse(book("northwind"), name), klientel.analyse(there, name)
            )
            assert not differing, (address, name, differing)
        found = klientel.analyse(there, "abc", window="all")
        assert float(found.figures["signed_total"]) == pytest.approx(1265793.04, abs=0.01)
