"""The fixed cast: twelve customers, each there for a reason, and three owners; as of 2025-01-01.

Anna sells to most, Ben to some, Cem sees nothing. Amounts are chosen so that tables can be worked out by
hand. Revenue of 2024 (the last 12 months) stands behind each name.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

AS_OF = date(2025, 1, 1)

CUSTOMERS: list[dict[str, Any]] = [
    # the giant: most of the revenue
    {"customer_id": "K01", "name": "Giant AG", "industry_code": "steel", "owner_rep_id": "anna", "relation_type": None},
    # grows
    {"customer_id": "K02", "name": "Grow GmbH", "industry_code": "steel", "owner_rep_id": "anna", "relation_type": None},
    # shrinks
    {"customer_id": "K03", "name": "Shrink KG", "industry_code": "food", "owner_rep_id": "anna", "relation_type": None},
    # ties with K05
    {"customer_id": "K04", "name": "Twin One", "industry_code": "food", "owner_rep_id": "ben", "relation_type": None},
    {"customer_id": "K05", "name": "Twin Two", "industry_code": "food", "owner_rep_id": "ben", "relation_type": None},
    # lost: bought in 2022 only, longer ago than two years
    {"customer_id": "K06", "name": "Lost Ltd", "industry_code": "food", "owner_rep_id": "anna", "relation_type": None},
    # new in 2024
    {"customer_id": "K07", "name": "New SE", "industry_code": None, "owner_rep_id": "ben", "relation_type": None},
    # came back after three years
    {"customer_id": "K08", "name": "Back & Co", "industry_code": "steel", "owner_rep_id": "anna", "relation_type": None},
    # credited more than it bought: class N
    {"customer_id": "K09", "name": "Minus e.K.", "industry_code": "steel", "owner_rep_id": "ben", "relation_type": None},
    # one order, fully returned
    {"customer_id": "K10", "name": "Return OHG", "industry_code": "food", "owner_rep_id": "ben", "relation_type": None},
    # never bought: a lead
    {"customer_id": "K11", "name": "Lead <b>GmbH</b>", "industry_code": "food", "owner_rep_id": "ben", "relation_type": None},
    # a partner, never part of the portfolio
    {"customer_id": "K12", "name": "Partner AG", "industry_code": "steel", "owner_rep_id": None, "relation_type": "partner"},
]  # fmt: skip

# order_id, customer, day, product, quantity, amount (negative: credit note), original order
_LINES: list[tuple[str, str, date, str, int, str, str | None]] = [
    ("1", "K01", date(2022, 3, 10), "P1", 10, "1000.00", None),
    ("2", "K01", date(2023, 3, 10), "P1", 60, "6000.00", None),
    ("3", "K01", date(2024, 3, 10), "P1", 40, "4000.00", None),
    ("3", "K01", date(2024, 3, 10), "P2", 10, "1000.00", None),
    ("4", "K01", date(2024, 9, 10), "P1", 10, "1000.00", None),
    ("5", "K02", date(2023, 5, 2), "P1", 5, "500.00", None),
    ("6", "K02", date(2024, 5, 2), "P1", 9, "900.00", None),
    ("7", "K02", date(2024, 11, 2), "P2", 1, "100.00", None),
    ("8", "K03", date(2023, 2, 1), "P2", 20, "2000.00", None),
    ("9", "K03", date(2024, 2, 1), "P2", 8, "800.00", None),
    ("10", "K04", date(2023, 7, 7), "P1", 5, "500.00", None),
    ("11", "K04", date(2024, 7, 7), "P1", 5, "500.00", None),
    ("12", "K05", date(2023, 8, 8), "P1", 5, "500.00", None),
    ("13", "K05", date(2024, 8, 8), "P1", 5, "500.00", None),
    ("14", "K06", date(2022, 2, 1), "P1", 3, "300.00", None),
    ("15", "K06", date(2022, 6, 1), "P1", 3, "300.00", None),
    ("16", "K07", date(2024, 10, 1), "P2", 4, "400.00", None),
    ("17", "K08", date(2021, 12, 20), "P1", 2, "200.00", None),
    ("18", "K08", date(2024, 12, 15), "P1", 2, "200.00", None),
    ("19", "K09", date(2023, 12, 1), "P1", 2, "200.00", None),
    ("C19", "K09", date(2024, 1, 20), "P1", -2, "-200.00", "19"),
    ("C20", "K09", date(2024, 4, 1), "P2", -1, "-100.00", None),
    ("21", "K10", date(2024, 6, 3), "P2", 1, "100.00", None),
    ("C21", "K10", date(2024, 6, 20), "P2", -1, "-100.00", "21"),
    ("22", "K12", date(2024, 6, 3), "P2", 50, "5000.00", None),
]

LINES: list[dict[str, Any]] = [
    {"order_id": o, "customer_id": c, "order_date": d, "product_id": p, "qty": D(q), "net_amount": D(a), "original_order_id": r}
    for o, c, d, p, q, a, r in _LINES
]  # fmt: skip


def frames() -> dict[str, Any]:
    """The cast as Arrow tables, ready for `klientel.open_book`."""
    import pyarrow as pa

    lines = pa.Table.from_pylist(LINES)
    return {"order_line": lines, "customer": pa.Table.from_pylist(CUSTOMERS)}


def book(**options: Any) -> Any:
    """The cast as a Book."""
    import klientel

    return klientel.open_book(frames(), as_of=options.pop("as_of", AS_OF), **options)
