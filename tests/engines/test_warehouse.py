"""Tables that stay where they are give the numbers of the same tables read as files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as D
from typing import Any

import alike
import placing
import pyarrow as pa
import pytest

import cast
import klientel
from klientel.errors import BadFile, BadParameter, EngineFailed

AS_OF = date(2025, 1, 1)


@pytest.fixture(params=["duckdb", "postgres"])
def place(request, tmp_path):
    """Puts tables at an engine; gives the address."""
    if request.param == "duckdb":
        return lambda tables: placing.in_duckdb(tmp_path, placing.tables_of(tables))
    address = request.getfixturevalue("postgres")
    return lambda tables: placing.in_postgres(address, placing.tables_of(tables))


def totals(book: Any, window: Any = "all") -> dict[str, Any]:
    found = book.totals(window).to_pyarrow().to_pylist()
    return {r["customer_id"]: r["revenue"] for r in found}


ORDERS = [
    {"order_id": 1, "customer_id": 10, "order_date": date(2024, 1, 5)},
    {"order_id": 2, "customer_id": 20, "order_date": date(2024, 2, 5)},
    {"order_id": 3, "customer_id": 10, "order_date": date(2024, 3, 5)},
    {"order_id": 4, "customer_id": None, "order_date": date(2024, 3, 6)},
]
DETAILS = [
    {"order_id": 1, "product_id": "P1", "quantity": 2, "unit_price": D("10.50"), "discount": 0.1},
    {"order_id": 1, "product_id": "P2", "quantity": 1, "unit_price": D("5.00"), "discount": 0.0},
    {"order_id": 2, "product_id": "P1", "quantity": 3, "unit_price": D("10.00"), "discount": 0.0},
    {"order_id": 3, "product_id": "P2", "quantity": 4, "unit_price": D("2.50"), "discount": 0.25},
    {"order_id": 4, "product_id": "P2", "quantity": 9, "unit_price": D("2.50"), "discount": 0.0},
    {"order_id": 9, "product_id": "P2", "quantity": 9, "unit_price": D("2.50"), "discount": 0.0},
]
CUSTOMERS = [
    {"customer_id": 10, "company_name": "Ärzte GmbH", "country": "DE", "city": "Bonn"},
    {"customer_id": 20, "company_name": "Zebra AG", "country": "AT", "city": "Wien"},
]


def test_the_cast_with_credit_notes_and_partners(place):
    here, there = cast.book(), klientel.open_book(place(cast.frames()), as_of=AS_OF)
    for name in ("abc", "rfm", "cohorts", "retention", "movement"):
        assert not alike.differences(klientel.analyse(here, name), klientel.analyse(there, name)), name


def test_lines_find_their_customer_by_the_orders(place):
    book = klientel.open_book(place({"orders": ORDERS, "order_details": DETAILS, "customers": CUSTOMERS}))
    assert totals(book) == {"10": D("23.9") + D("7.5"), "20": D(30)}
    names = {r["customer_id"]: r["name"] for r in book.known_customers.to_pyarrow().to_pylist()}
    assert names == {"10": "Ärzte GmbH", "20": "Zebra AG"}
    assert book.facts.first_day == date(2024, 1, 5)
    assert book.as_of == date(2024, 3, 6)


def test_rows_that_cannot_be_used_are_counted_and_said(place):
    rows = [
        {"customer": "A", "order_date": date(2024, 1, 1), "amount": 100.0},
        {"customer": None, "order_date": date(2024, 1, 2), "amount": 50.0},
        {"customer": "B", "order_date": date(1024, 1, 2), "amount": 25.0},
        {"customer": "B", "order_date": date(2024, 1, 3), "amount": float("nan")},
        {"customer": "C", "order_date": date(2024, 1, 4), "amount": 25.0},
    ]
    book = klientel.open_book(place({"sales": rows}))
    assert totals(book) == {"A": D(100), "C": D(25)}
    report = book.intake.tables["order_line"]
    assert (report.rows, report.accepted, book.intake.rejected) == (5, 2, 3)
    said = " ".join(map(str, book.notes))
    assert "customer is empty" in said
    assert "no date between 1900 and 2100" in said
    assert book.facts.value_coverage is None or book.facts.value_coverage < 1


def test_times_texts_and_whole_numbers_as_days(place):
    rows = [
        {"kunde": "A", "bestelldatum": datetime(2024, 5, 1, 23, 59), "betrag": D("1.25")},
        {"kunde": "B", "bestelldatum": datetime(2024, 5, 2, 0, 0), "betrag": D("2.50")},
    ]
    days = {
        r["day"] for r in klientel.open_book(place({"umsatz": rows})).lines.table.to_pyarrow().to_pylist()
    }
    assert days == {date(2024, 5, 1), date(2024, 5, 2)}
    texts = [dict(r, bestelldatum=r["bestelldatum"].strftime("%Y-%m-%d")) for r in rows]
    book = klientel.open_book(place({"umsatz": texts}))
    assert {r["day"] for r in book.lines.table.to_pyarrow().to_pylist()} == days
    numbers = [dict(r, bestelldatum=int(r["bestelldatum"].strftime("%Y%m%d"))) for r in rows]
    book = klientel.open_book(place({"umsatz": numbers}))
    assert {r["day"] for r in book.lines.table.to_pyarrow().to_pylist()} == days


def test_texts_in_a_national_way_are_left_out_and_said(place):
    rows = [{"kunde": f"K{i}", "datum": date(2024, 1, 1 + i), "umsatz": f"1.{i}00,50"} for i in range(9)]
    book = klientel.open_book(place({"umsatz": rows}), lenient=True)
    assert any("written as text in a way that only files are read in" in str(n) for n in book.notes)


def test_credit_notes_of_their_own_table_and_costs_of_the_products(place):
    lines = [
        {"order_id": "1", "customer_id": "A", "order_date": date(2024, 1, 5), "product_id": "P1",
         "quantity": 10, "net_amount": D("100.00")},
        {"order_id": "2", "customer_id": "B", "order_date": date(2024, 2, 5), "product_id": "P1",
         "quantity": 5, "net_amount": D("50.00")},
    ]  # fmt: skip
    credits = [
        {"credit_id": "C1", "customer_id": "A", "original_order_id": "1", "date": date(2024, 1, 20),
         "product_id": "P1", "quantity": 2, "net_amount": D("20.00"), "reason": "broken"},
    ]  # fmt: skip
    products = [{"product_id": "P1", "product_name": "Pump", "standard_cost": D("6.00"), "list_price": D(11)}]
    tables = {"order_lines": lines, "credit_notes": credits, "products": products}
    here = klientel.open_book(placing.tables_of(tables), as_of=AS_OF)
    there = klientel.open_book(place(tables), as_of=AS_OF)
    for name, call in (("abc", {"value": "margin"}), ("abc", {}), ("retention", {}), ("rfm", {})):
        assert not alike.differences(
            klientel.analyse(here, name, **call), klientel.analyse(there, name, **call)
        ), name
    assert totals(there) == {"A": D(80), "B": D(50)}


def test_customers_known_by_name_take_their_number(place):
    lines = [
        {"order_id": i, "customer_name": n, "order_date": date(2024, 1, 5), "net_amount": D(10)}
        for i, n in enumerate([" zebra ag", "Ärzte GmbH", "Unknown KG"])
    ]
    book = klientel.open_book(place({"order_lines": lines, "customers": CUSTOMERS}))
    assert totals(book) == {"20": D(10), "10": D(10), "Unknown KG": D(10)}


def test_amounts_in_several_currencies(place):
    lines = [
        {"customer_id": "A", "order_date": date(2024, 1, 5), "net_amount": D(100), "currency": "EUR"},
        {"customer_id": "A", "order_date": date(2024, 1, 9), "net_amount": D(110), "currency": "USD"},
        {"customer_id": "B", "order_date": date(2024, 1, 9), "net_amount": D(50), "currency": "CHF"},
    ]
    rates = [
        {"date": date(2024, 1, 31), "from_currency": "USD", "to_currency": "EUR", "rate": 0.91},
    ]
    tables = {"order_lines": lines, "fx_rates": rates}
    here = klientel.open_book(placing.tables_of(tables), currency="EUR")
    there = klientel.open_book(place(tables), currency="EUR")
    assert totals(there) == totals(here) == {"A": D("200.1")}
    assert [str(n) for n in there.notes if "CHF" in str(n)]


def test_won_deals_stand_for_sales(place):
    deals = [
        {"opportunity_id": "1", "account": "A", "stage": "Won", "close_date": date(2024, 3, 1),
         "created_on": date(2024, 1, 1), "amount": 100.0},
        {"opportunity_id": "2", "account": "A", "stage": "Lost", "close_date": date(2024, 3, 2),
         "created_on": date(2024, 1, 1), "amount": 900.0},
        {"opportunity_id": "3", "account": "B", "stage": "Proposal", "close_date": None,
         "created_on": date(2024, 1, 1), "amount": 500.0},
    ]  # fmt: skip
    book = klientel.open_book(place({"opportunities": deals}), as_of=AS_OF)
    assert totals(book) == {"A": D(100)}
    outcomes = {
        r["opportunity_id"]: r["outcome"] for r in book.tables["opportunity"].to_pyarrow().to_pylist()
    }
    assert outcomes == {"1": "won", "2": "lost", "3": "open"}


def test_running_contracts_stand_for_sales(place):
    contracts = [
        {"contract_id": "1", "customer_id": "A", "start": date(2020, 1, 1), "end": date(2030, 1, 1),
         "recurring_amount": 10.0, "status": "running"},
        {"contract_id": "2", "customer_id": "B", "start": date(2020, 1, 1), "end": date(2021, 1, 1),
         "recurring_amount": 20.0, "status": "running"},
        {"contract_id": "3", "customer_id": "C", "start": date(2020, 1, 1), "end": None,
         "recurring_amount": 30.0, "status": "gekündigt"},
    ]  # fmt: skip
    tables = {"contracts": contracts}
    here = klientel.open_book(placing.tables_of(tables), today=date(2024, 6, 1))
    there = klientel.open_book(place(tables), today=date(2024, 6, 1))
    assert totals(there) == totals(here) == {"A": D(10)}


def test_a_mistyped_year_does_not_draw_the_as_of_day_into_the_future(place):
    rows = [
        {"customer": "A", "order_date": date(2024, 1, 1), "amount": D(1)},
        {"customer": "B", "order_date": date(2042, 1, 1), "amount": D(2)},
    ]
    book = klientel.open_book(place({"sales": rows}), today=date(2024, 6, 1))
    assert book.as_of == date(2024, 6, 2)
    assert totals(book) == {"A": D(1)}


def test_only_the_tables_that_are_named(place):
    address = place({"sales": DETAILS, "orders": ORDERS, "other": CUSTOMERS})
    sign = "&" if "?" in address else "?"
    with pytest.raises(BadFile, match="did you mean orders"):
        klientel.open_book(f"{address}{sign}tables=order")
    book = klientel.open_book(f"{address}{sign}tables=sales,orders")
    assert "customer" not in book.tables
    assert totals(book) == {"10": D("31.4"), "20": D(30)}


def test_one_amount_per_period_is_read_from_files_only(place):
    rows = [{"customer": f"K{i}", "2022": 1.0 * i, "2023": 2.0 * i, "2024": 3.0 * i} for i in range(5)]
    book = klientel.open_book(place({"revenue_by_year": rows}), lenient=True)
    assert any("files only" in str(why) for _, why in book.intake.ignored)


def test_with_the_embedded_engine_tables_are_copied_and_read_as_files(place):
    book = klientel.open_book(
        place({"orders": ORDERS, "order_details": DETAILS, "customers": CUSTOMERS}), engine="duckdb"
    )
    assert book.engine.address == "duckdb"
    assert totals(book) == {"10": D("31.4"), "20": D(30)}


def test_an_empty_place_is_told(tmp_path, postgres):
    with pytest.raises(BadFile, match="There is no table at"):
        klientel.open_book(placing.in_duckdb(tmp_path, {}))
    with pytest.raises(BadFile, match="There is no table at"):
        klientel.open_book(placing.in_postgres(postgres, {}))


def test_one_address_alone(tmp_path):
    address = placing.in_duckdb(tmp_path, placing.tables_of({"sales": DETAILS}))
    with pytest.raises(BadParameter, match="one engine"):
        klientel.open_book([address, address])
    with pytest.raises(BadParameter, match="--engine duckdb"):
        klientel.open_book(address, engine="spark://local[1]")


def test_the_recipe_has_the_address_without_its_password(postgres):
    address = placing.in_postgres(postgres, placing.tables_of({"orders": ORDERS, "lines": DETAILS}))
    result = klientel.analyse(klientel.open_book(f"{address}&password=s3cret"), "abc")
    assert "s3cret" not in str(dict(result.reproduce))
    assert "schema=" in result.reproduce["cli"]


def test_ibis_tables_of_a_server_stay_there(postgres):
    import ibis

    from klientel.engines.addresses import parse

    address = placing.in_postgres(postgres, cast.frames())
    asked = parse(address)
    theirs = ibis.postgres.connect(
        host=asked.options["host"], user=asked.user, database=asked.path, schema=asked.options["schema"]
    )
    sold = theirs.table("order_line").filter(lambda t: t.net_amount.notnull())
    book = klientel.open_book({"order_line": sold, "customer": theirs.table("customer")}, as_of=AS_OF)
    assert book.engine.kind == "postgres"
    result = klientel.analyse(book, "abc")
    assert not alike.differences(klientel.analyse(cast.book(), "abc"), result)
    assert theirs.table("customer").count().execute() == 12  # still theirs, still open


def test_texts_are_sorted_by_their_bytes_whatever_the_language_of_the_database(postgres):
    from klientel.engine import connect

    connection = connect(postgres).connection
    table = placing.tables_of({"t": [{"x": x} for x in ("b", "B", "ä", "a")]})["t"]
    import ibis

    kept = connection.load("texts_in_order", table.to_reader(), ibis.memtable(table).schema())
    asked = str(connection.compile(kept.order_by("x")))
    assert 'COLLATE "C"' in asked
    assert kept.order_by("x").to_pyarrow()["x"].to_pylist() == ["B", "a", "b", "ä"]
    assert 'COLLATE "C"' in str(connection.compile(kept.agg(m=kept.x.max())))


@pytest.fixture(scope="module")
def locked(postgres):
    """A database that asks for a password, and the address of a user who has one."""
    import os

    import psycopg

    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE ROLE berta LOGIN PASSWORD 'right'")
        con.execute("CREATE DATABASE vault OWNER berta")
        rules = con.execute("SHOW hba_file").fetchone()[0]
        with open(rules, encoding="utf-8") as file:
            before = file.read()
        with open(rules, "w", encoding="utf-8") as file:
            file.write("local vault berta scram-sha-256\nhost vault berta all scram-sha-256\n" + before)
        con.execute("SELECT pg_reload_conf()")
    host = postgres.partition("host=")[2]
    yield f"postgres://berta@/vault?host={host}"
    os.environ.pop("PGPASSWORD", None)


def test_a_wrong_password_is_one_sentence(locked):
    wrong = locked.replace("berta@", "berta:wrong@")
    with pytest.raises(EngineFailed, match="password authentication failed") as told:
        klientel.open_book(wrong)
    assert "wrong" not in str(told.value).replace(str(told.value.__cause__), "")
    assert "\n" not in str(told.value)


def test_the_password_may_come_from_the_environment(locked, monkeypatch):
    from klientel.engine import connect

    monkeypatch.setenv("PGPASSWORD", "right")
    assert connect(locked).connection.con.execute("SELECT current_user").fetchone() == ("berta",)


def test_a_numeric_without_limits(postgres):
    import psycopg

    address = placing.in_postgres(postgres, {})
    schema = address.partition("schema=")[2]
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute(
            f"CREATE TABLE {schema}.sales (customer text, order_date date, amount numeric, extra jsonb)"
        )
        for i, customer in enumerate("ABCDEF", start=1):
            row = f"('{customer}', '2024-01-0{i}', {i}2.345678, '{{}}')"
            con.execute(f"INSERT INTO {schema}.sales VALUES {row}")
        con.execute(f"INSERT INTO {schema}.sales VALUES ('A', '2024-01-02', 1e20, '{{}}')")
    book = klientel.open_book(address)
    assert totals(book)["A"] == D("12.3457")
    assert book.intake.rejected == 1
    assert any("extra" in str(n) for n in book.notes)


def test_a_table_from_arrow_comes_back_exactly(postgres):
    import ibis

    from klientel.engine import connect

    table = pa.table(
        {
            "money": pa.array([D("12345678901234567890123.4567"), None], pa.decimal128(38, 4)),
            "text": ["a\tb\\n", None],
            "day": pa.array([date(2024, 2, 29), None], pa.date32()),
            "flag": [True, None],
            "number": [0.1 + 0.2, None],
            "nothing": pa.nulls(2),
        }
    )
    engine = connect(postgres)
    assert ibis.memtable(table).schema() is not None
    back = engine.view(table, "back").to_pyarrow()
    for name in table.column_names:
        assert back[name].to_pylist() == table[name].to_pylist(), name
