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


def sales(numbers):
    """Three sales each of some customer numbers."""
    return [(n, f"{i + 1}.03.2024", "10,00") for i in range(3) for n in numbers]


def test_numbers_that_lost_their_zeros_find_their_customer(tmp_path):
    write(tmp_path / "kunden.csv", "Kundennummer;Name;Branche", [(n, name, "Bau") for n, name in FIRMS])
    write(tmp_path / "umsatz.csv", "Kundennummer;Datum;Umsatz", sales([int(n) for n, _ in FIRMS]))
    book = opened(tmp_path)
    assert by_customer(book) == {n: Decimal(30) for n, _ in FIRMS}
    assert book.known_customers.count().to_pyarrow().as_py() == 4
    assert "match those in kunden.csv only without zeros in front; 4 of 4" in notes(book)


def test_zeros_on_the_side_of_the_sales(tmp_path):
    write(tmp_path / "kunden.csv", "Kundennummer;Name;Branche", [(int(n), name, "Bau") for n, name in FIRMS])
    write(tmp_path / "umsatz.csv", "Kundennummer;Datum;Umsatz", sales([n.zfill(10) for n, _ in FIRMS]))
    assert by_customer(opened(tmp_path)) == {str(int(n)): Decimal(30) for n, _ in FIRMS}


def test_numbers_that_differ_by_their_zeros_alone_stay_apart(tmp_path):
    twins = [*FIRMS, ("17", "Alpha Tochter")]
    write(tmp_path / "kunden.csv", "Kundennummer;Name;Branche", [(n, name, "Bau") for n, name in twins])
    write(tmp_path / "umsatz.csv", "Kundennummer;Datum;Umsatz", sales(["0017", "023", "42", "17"]))
    assert by_customer(opened(tmp_path)) == {n: Decimal(30) for n in ("0017", "023", "42", "17")}


def test_order_numbers_without_zeros_find_their_order(tmp_path):
    write(tmp_path / "auftraege.csv", "Auftragsnr;Kunde;Auftragsdatum", [
        (f"000{i}", FIRMS[i % 4][1], f"{i}.03.2024") for i in range(1, 9)
    ])  # fmt: skip
    write(tmp_path / "positionen.csv", "Auftragsnr;Pos;Artikelnr;Menge;Einzelpreis", [
        (i, 1, "A", 2, "5,00") for i in range(1, 9)
    ])  # fmt: skip
    assert by_customer(opened(tmp_path)) == {name: Decimal(20) for _, name in FIRMS}


def test_a_list_of_products_with_a_plain_id_is_keyed_by_it(tmp_path):
    write(tmp_path / "items.csv", "id;name;price", [(i, f"Thing {i}", f"{i}.50") for i in range(1, 5)])
    write(tmp_path / "orders.csv", "order_id;customer;date;item_id;quantity;price", [
        (i, "Alpha", "2024-03-01", i % 4 + 1, 1, "2.00") for i in range(8)
    ])  # fmt: skip
    assert opened(tmp_path).intake.tables["product"].matches["product_id"].header == "id"
