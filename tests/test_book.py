"""The Book on the fixed cast: totals, windows, credit notes, status, as-of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pyarrow as pa
import pytest

import cast
import klientel
from klientel.analysis import Need
from klientel.book import Book, Facts
from klientel.engine import connect
from klientel.errors import BadParameter


def rows(table, *columns):
    found = table.to_pyarrow().to_pylist()
    key = columns[0]
    return {r[key]: tuple(r[c] for c in columns[1:]) if len(columns) > 2 else r[columns[1]] for r in found}


@pytest.fixture(scope="module")
def book() -> Book:
    return cast.book()


def test_totals_of_the_last_twelve_months_in_the_booking_view(book):
    revenue = rows(book.totals(12), "customer_id", "revenue")
    assert revenue == {
        "K01": D(6000), "K02": D(1000), "K03": D(800), "K04": D(500), "K05": D(500), "K07": D(400),
        "K08": D(200), "K09": D(-300), "K10": D(0),
    }  # fmt: skip


def test_matching_puts_a_credit_note_on_its_sale(book):
    # K09's credit of January 2024 belongs to the sale of December 2023; the other finds no sale.
    now = rows(book.totals(12), "customer_id", "matched_revenue")
    before = rows(book.totals(12, back=1), "customer_id", "matched_revenue")
    assert now["K09"] == D(-100)
    assert before["K09"] == D(0)


def test_invoiced_leaves_credit_notes_out(book):
    assert rows(book.totals(12), "customer_id", "invoiced")["K10"] == D(100)


def test_a_fully_returned_order_is_no_order(book):
    days = rows(book.totals(12, columns=("order_days",)), "customer_id", "order_days")
    assert days["K10"] == 0
    assert days["K01"] == 2
    assert days["K09"] == 0


def test_totals_of_all_time_add_up_to_the_lines_without_partners(book):
    everything = sum(r["net_amount"] for r in cast.LINES if r["customer_id"] != "K12")
    assert sum(rows(book.totals("all"), "customer_id", "revenue").values()) == everything


def test_status_by_rule(book):
    assert rows(book.customers, "customer_id", "status") == {
        "K01": "active", "K02": "active", "K03": "active", "K04": "active", "K05": "active", "K06": "former",
        "K07": "active", "K08": "reactivated", "K09": "lead", "K10": "lead", "K11": "lead", "K12": "partner",
    }  # fmt: skip


def test_status_counts(book):
    assert book.status_counts() == {"active": 6, "reactivated": 1, "former": 1, "lead": 3, "partner": 1}


def test_as_of_replay_sees_nothing_newer():
    early = cast.book(as_of=date(2024, 1, 1))
    lines = [r for r in cast.LINES if r["order_date"] < date(2024, 1, 1)]

    alone = klientel.open_book(
        {"order_line": pa.Table.from_pylist(lines), "customer": pa.Table.from_pylist(cast.CUSTOMERS)},
        as_of=date(2024, 1, 1),
    )
    for window in (12, 24, "all"):
        assert rows(early.totals(window), "customer_id", "revenue") == rows(
            alone.totals(window), "customer_id", "revenue"
        )
    assert rows(early.customers, "customer_id", "status") == rows(alone.customers, "customer_id", "status")


def test_default_as_of_is_the_day_after_the_last_event():

    assert klientel.open_book(cast.frames()).as_of == date(2024, 12, 16)


def test_months_are_bits_from_the_epoch(book):
    context = book.context()
    assert context.epoch == date(2021, 12, 1)
    assert context.months == 37
    months = rows(book.histories(), "customer_id", "months_0")
    assert months["K08"] == (1 << 0) | (1 << 36)
    assert months["K10"] == 0


def test_narrow_keeps_the_customers_of_an_owner(book):
    anna = book.narrow(owner_rep_id="anna")
    assert set(rows(anna.totals("all"), "customer_id", "revenue")) == {"K01", "K02", "K03", "K06", "K08"}
    cem = book.narrow(owner_rep_id="cem")
    assert rows(cem.totals("all"), "customer_id", "revenue") == {}


def test_narrow_by_an_unknown_attribute_suggests_one(book):
    with pytest.raises(BadParameter, match="did you mean industry_code"):
        book.narrow(industry_cod="steel")


def simple(amounts: list[tuple[str, date, str]]) -> Book:
    """A Book of positive amounts only: the path that reads raw lines in one pass."""

    engine = connect()
    lines = engine.view(
        pa.table(
            {
                "customer_id": [a for a, _, _ in amounts],
                "day": [d for _, d, _ in amounts],
                "amount": pa.array([D(x) for _, _, x in amounts], pa.decimal128(18, 4)),
            }
        ),
        "lines",
    )
    days = [d for _, d, _ in amounts]
    return Book(engine, {"lines": lines}, Facts(len(amounts), min(days), max(days)))


def test_the_one_pass_agrees_with_purchases_by_day():
    from klientel import purchases as bought

    sales = [
        (f"C{i % 7}", date(2020 + i % 5, 1 + i % 12, 1 + i % 28), f"{(i * 37) % 900 + 1}.{i % 100:02d}")
        for i in range(400)
    ]
    book = simple(sales)
    for months in (1, 5, 12, 24, 36, "all"):
        for back in (0, 1):
            span = book.window(months, back)
            one = rows(
                book.totals(months, back, ("order_days", "lines")),
                "customer_id",
                "revenue",
                "order_days",
                "lines",
            )
            other = rows(bought.totals(book.purchases, span), "customer_id", "revenue", "order_days", "lines")
            assert one == other, (months, back)
    assert book.as_of is not None
    epoch, months_known = bought.epoch_of(book.facts.first_day, book.as_of)
    columns = ("customer_id", "first_day", "last_day", "order_days", "months_0", "revenue")
    one_pass = rows(book.histories(("order_days",)), *columns)
    assert one_pass == rows(bought.histories(book.purchases, epoch, months_known), *columns)


def test_histories_longer_than_five_years_use_more_words():
    book = simple([("A", date(2010, 1, 5), "1"), ("A", date(2019, 12, 5), "2"), ("B", date(2015, 2, 1), "3")])
    found = rows(book.histories(), "customer_id", "months_0", "months_1")
    assert book.context().months == 120
    assert found["A"] == (1, 1 << 59)
    assert found["B"] == (0, 1 << 1)


def test_need_that_is_missing_is_named(book):
    assert book.lacks(Need("purchases", ("customer_id", "margin"))) == ("purchases.margin",)
    assert book.lacks(Need("contracts", ("recurring_amount",))) == ("contracts.recurring_amount",)
    assert book.lacks(Need("totals", ("customer_id", "revenue"))) == ()


def test_contracts_and_deals_are_blind_to_what_comes_later():
    """A contract signed later and a deal created later are unknown; a deal closed later is still open."""
    contracts = pa.table(
        {
            "contract_id": ["1", "2"],
            "customer_id": ["V1", "V2"],
            "start": [date(2023, 1, 1), date(2024, 6, 1)],
            "end": [date(2026, 1, 1), date(2026, 6, 1)],
            "recurring_amount": [100.0, 100.0],
        }
    )
    deals = pa.table(
        {
            "opportunity_id": ["1", "2"],
            "customer_id": ["D1", "D2"],
            "created_on": [date(2023, 5, 1), date(2024, 5, 1)],
            "close_date": [date(2024, 3, 1), date(2024, 9, 1)],
            "stage": ["Won", "Won"],
            "amount": [10.0, 10.0],
        }
    )
    tables = {**cast.frames(), "project_contract": contracts, "opportunity": deals}
    then = rows(klientel.open_book(tables, as_of=date(2024, 1, 1)).customers, "customer_id", "status")
    assert then["V1"] == "active"
    assert then["D1"] == "prospect"
    assert not {"V2", "D2"} & set(then)
    now = rows(klientel.open_book(tables, as_of=date(2025, 1, 1)).customers, "customer_id", "status")
    assert now["V2"] == "active"
