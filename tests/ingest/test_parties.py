"""Customers found by number, by name, and by a number that lost its zeros."""

from __future__ import annotations

from decimal import Decimal

from writing_files import by_customer, notes, opened, write

FIRMS = [
    ("00017", "Alpha Bau GmbH"),
    ("00023", "Beta Druck KG"),
    ("00042", "Gamma Stahl AG"),
    ("00151", "Delta IT"),
]


def test_deals_that_name_their_account_get_its_number(tmp_path):
    write(
        tmp_path / "accounts.csv",
        "Account ID;Account Name;Industry",
        [(n, name, "Steel") for n, name in FIRMS],
    )
    deals = [
        (f"D{i}", f"Deal {i}", FIRMS[i % 4][1], "Closed Won", f"2024-0{1 + i % 9}-03", 100) for i in range(12)
    ]
    write(tmp_path / "deals.csv", "Deal ID;Deal Name;Account Name;Stage;Close Date;Amount", deals)
    book = opened(tmp_path)
    assert by_customer(book) == {n: Decimal(300) for n, _ in FIRMS}
    assert "customers are written by name; 4 of 4 names" in notes(book)
