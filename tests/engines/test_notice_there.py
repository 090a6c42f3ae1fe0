"""Contracts with days of notice in a warehouse: known on each day as on the embedded engine, alone and beside sales."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import placing
import pyarrow as pa
import pytest

import klientel

CONTRACTS = pa.table(
    {
        "contract_id": ["V1", "V2", "V3", "V4"],
        "customer_id": ["K1", "K2", "K3", "K4"],
        "start": [date(2022, m, 1) for m in (1, 2, 3, 4)],
        "end": [date(2024, 12, 31), date(2024, 12, 31), None, None],
        "recurring_amount": [D("100.00"), D("200.00"), D("300.00"), D("400.00")],
        "notice_days": [30, 30, 60, 30],
        "status": ["gekündigt", "running", "running", "running"],
        "cancelled_on": pa.array([date(2023, 6, 10), None, date(2023, 6, 10), None], pa.date32()),
        "ended_on": pa.array([None, date(2023, 5, 1), None, None], pa.date32()),
    }
)
SALES = pa.table({"customer_id": ["K9"], "order_date": [date(2023, 12, 31)], "net_amount": [D("5.00")]})


def known(book: Any) -> Any:
    rows = book._as_of("project_contract").to_pyarrow().to_pylist()
    told = sorted(
        tuple(r[c] for c in ("contract_id", "status", "cancelled_on", "ended_on", "end")) for r in rows
    )
    return told, {r["customer_id"]: r["status_reason"] for r in book.customers.to_pyarrow().to_pylist()}


def test_notice_is_known_on_the_same_days(postgres: str) -> None:
    address = placing.in_postgres(postgres, {"contracts": CONTRACTS, "sales": SALES})
    for day in (date(2023, 4, 1), date(2023, 6, 11), date(2023, 9, 1), None):
        here = klientel.open_book({"project_contract": CONTRACTS, "order_line": SALES}, as_of=day)
        assert known(klientel.open_book(address, as_of=day)) == known(here), day


@pytest.mark.parametrize("today", [date(2023, 7, 1), date(2023, 9, 1), None])
def test_contracts_that_ended_stand_for_sales_nowhere(postgres: str, today: date | None) -> None:
    address = placing.in_postgres(postgres, {"contracts": CONTRACTS})
    there, here = (
        sorted(r["customer_id"] for r in book.tables["lines"].to_pyarrow().to_pylist())
        for book in (
            klientel.open_book(address, today=today),
            klientel.open_book({"project_contract": CONTRACTS}, today=today),
        )
    )
    assert there == here
    assert "K2" not in here
    assert ("K3" in here) == (today != date(2023, 9, 1))
