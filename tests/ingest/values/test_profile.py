"""Profiles of long tables and of the real data: decided on a sample, true for every row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from reading import raw

from klientel.ingest import values

DATA = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.real


def of_query(query: str, names: list[str]) -> tuple[duckdb.DuckDBPyConnection, dict[str, values.Profile]]:
    con = duckdb.connect()
    con.execute(f"CREATE TABLE t AS {query}")
    row = con.execute("SELECT count(*) FROM t").fetchone()
    assert row is not None
    return con, values.profile(con, "t", raw({n: n for n in names}, row[0]))


def test_what_the_sample_did_not_show_is_decided_on_every_row() -> None:
    # one row in 300,000, outside the slices of the sample, says what each column means
    con, found = of_query(
        """SELECT i + 2 AS line,
             CASE WHEN i = 7777 THEN '13/02/2024' ELSE '0' || (1 + i % 9) || '/03/2024' END AS c0,
             CASE WHEN i = 7777 THEN '1.234.567' ELSE (1 + i % 9) || '.500' END AS c1,
             CASE WHEN i = 7777 THEN '12,5' ELSE (i % 90)::VARCHAR END AS c2,
             CASE WHEN i = 7777 THEN 'A7' ELSE i || '.0' END AS c3,
             CASE WHEN i = 7777 THEN '(5)' ELSE '3' END AS c4,
             CASE WHEN i = 7777 THEN 'maybe' ELSE 'yes' END AS c5,
             CASE WHEN i = 7777 THEN '0' ELSE i::VARCHAR END AS c6
           FROM range(300000) t(i)""",
        [f"c{i}" for i in range(7)],
    )
    day, group, comma, key, negative, flag, same = (found[f"c{i}"] for i in range(7))
    assert day.date is not None
    assert (day.date.order, day.date.ambiguous) == ("dmy", False)
    assert "first part above 12: 1" in day.date.why
    assert group.number is not None
    assert (group.number.group, group.number.ambiguous, group.high) == (".", False, Decimal(1234567))
    assert comma.number is not None
    assert (comma.number.decimal, comma.number_share) == (",", 1)
    assert key.key.strip == ""
    assert negative.number is not None
    assert (negative.low, negative.number_share) == (Decimal(-5), 1)
    assert flag.flag is not None
    assert flag.flag_share == pytest.approx(1 - 1 / 300000)
    assert not same.unique  # "0" twice
    assert same.distinct == 299999
    row = con.execute(f"SELECT count({values.date_sql('c0', day.date)}) FROM t").fetchone()
    assert row == (300000,)


def test_long_typed_tables_are_sampled() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t AS SELECT i AS id, i % 7 AS n, 'a' || (i % 3) AS s FROM range(1200000) t(i)")
    found = values.profile(con, "t", raw({"id": "id", "n": "n", "s": "s"}, 1200000, has_line=False))
    assert found["n"].sampled
    assert not found["s"].sampled
    assert found["n"].rows == found["s"].filled == 1200000
    assert found["n"].filled == pytest.approx(1200000)


def test_a_profile_does_not_depend_on_the_run_nor_leave_tables() -> None:
    query = "SELECT i + 2 AS line, hash(i)::VARCHAR AS c0, (i % 50)::VARCHAR AS c1 FROM range(250000) t(i)"
    con, first = of_query(query, ["c0", "c1"])
    second = values.profile(con, "t", raw({"c0": "c0", "c1": "c1"}, 250000))
    assert first == second
    assert [row[0] for row in con.execute("SHOW TABLES").fetchall()] == ["t"]


def test_empty_tables_and_columns() -> None:
    _, found = of_query("SELECT 2::BIGINT AS line, NULL::VARCHAR AS c0, ' ' AS c1", ["c0", "c1"])
    assert [(p.filled, p.number, p.date, p.flag, p.unique) for p in found.values()] == [
        (0, None, None, None, False)
    ] * 2
    _, found = of_query("SELECT 2::BIGINT AS line, 'a' AS c0 WHERE false", ["c0"])
    assert found["c0"].rows == 0


def of_file(path: str) -> tuple[duckdb.DuckDBPyConnection, dict[str, values.Profile]]:
    file = DATA / path
    if not file.exists():
        pytest.skip(f"real data not found: {path}")
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE t AS SELECT *, row_number() OVER () + 1 AS line "
        "FROM read_csv(?, all_varchar = true, header = true)",
        [str(file)],
    )
    names = [row[0] for row in con.execute("DESCRIBE t").fetchall() if row[0] != "line"]
    row = con.execute("SELECT count(*) FROM t").fetchone()
    assert row is not None
    return con, values.profile(con, "t", raw({n: n for n in names}, row[0]))


@real
def test_online_retail() -> None:
    con, found = of_file("online_retail/online_retail.csv.gz")
    quantity, price, day, key = (found[c] for c in ("Quantity", "UnitPrice", "InvoiceDate", "CustomerID"))
    assert quantity.number is not None
    assert price.number is not None
    assert day.date is not None
    assert (quantity.low, quantity.high, quantity.whole) == (Decimal(-80995), Decimal(80995), 1)
    assert price.low == Decimal("-11062.06")
    assert (day.first, day.last, day.date_share) == (date(2010, 12, 1), date(2011, 12, 9), 1)
    assert key.key.strip == ".0"
    amount = (
        f"{values.number_sql('Quantity', quantity.number)} * {values.number_sql('UnitPrice', price.number)}"
    )
    customer = values.key_sql("CustomerID", key.key)
    row = con.execute(f"SELECT sum({amount}), count(DISTINCT {customer}), min({customer}) FROM t").fetchone()
    assert row is not None
    assert (round(row[0], 2), row[1], row[2]) == (Decimal("9747747.93"), 4372, "12346")
    assert found["InvoiceNo"].number_share < 1  # cancellations begin with C


@real
def test_telco() -> None:
    _, found = of_file("telco_churn/Telco-Customer-Churn.csv")
    assert (found["TotalCharges"].filled, found["TotalCharges"].number_share) == (7032, 1)
    assert found["customerID"].unique
    assert found["Churn"].flag is not None
    assert found["MultipleLines"].flag is None


@real
def test_northwind_and_crm() -> None:
    _, lines = of_file("northwind/order_details.csv")
    discount = lines["discount"].number
    assert discount is not None
    assert discount.divisor == 1
    _, orders = of_file("northwind/orders.csv")
    assert (orders["order_date"].first, orders["order_date"].last) == (date(1996, 7, 4), date(1998, 5, 6))
    assert orders["order_id"].unique
    _, deals = of_file("maven_crm/sales_pipeline.csv")
    assert deals["engage_date"].date_share == 1
    assert deals["close_value"].number_share == 1


@real
def test_cdnow() -> None:
    file = DATA / "cdnow" / "CDNOW_master.txt"
    if not file.exists():
        pytest.skip("real data not found: CDNOW_master.txt")
    rows = [line.split() for line in file.read_text().splitlines()[1:] if line.strip()]
    con = duckdb.connect()
    cells = list(zip(*rows, strict=True))
    con.register(
        "f", pa.table({"line": range(2, len(rows) + 2)} | {f"c{i}": list(c) for i, c in enumerate(cells)})
    )
    found = values.profile(
        con, "f", raw({"c0": "customer_id", "c1": "date", "c2": "cds", "c3": "value"}, len(rows))
    )
    assert found["c1"].date is not None
    assert (found["c1"].first, found["c1"].last) == (date(1997, 1, 1), date(1998, 6, 30))
    assert found["c1"].date_share == 1
    assert found["c3"].number is not None
    row = con.execute(
        f"SELECT sum({values.number_sql('c3', found['c3'].number)}), count(DISTINCT c0) FROM f"
    ).fetchone()
    assert row is not None
    assert row == (Decimal("2500315.63"), 23570)
    keys = con.execute(f"SELECT min({values.key_sql('c0', found['c0'].key)}) FROM f").fetchone()
    assert keys == ("00001",)  # leading zeros stay
