"""Orders of several rows: customer and day once per order, order values repeated, prices from the price list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from writing_files import by_customer, notes, opened, reasons, revenue, write

from klientel.ingest import orders

SHOP = (
    "Name;Email;Financial Status;Paid at;Currency;Subtotal;Taxes;Total;Lineitem quantity;Lineitem name;"
    "Lineitem price;Lineitem sku;Billing Name;Billing Company"
)


def shop_orders(status="paid"):
    """Four orders of two rows each, of two firms; the second row has neither firm nor day nor value."""
    rows = []
    for i in range(4):
        firm, order = f"Firma {i % 2}", f"#{1001 + i}"
        mail = f"person{i}@firma{i % 2}.de"
        rows.append([order, mail, status if i == 3 else "paid", f"2024-0{i + 1}-05 10:22:11 +0100", "EUR", 100 + i,
                     19, 119 + i, 2, "Pumpe", "40.00", "P1", "Eva", firm])  # fmt: skip
        rows.append([order, mail, "", "", "", "", "", "", 1, "Motor", f"{20 + i}.00", "M1", "", ""])
    return rows


def test_rows_below_the_first_of_an_order_belong_to_its_customer(tmp_path):
    book = opened(write(tmp_path / "orders_export_1.csv", SHOP, shop_orders()))
    assert by_customer(book) == {"Firma 0": Decimal(202), "Firma 1": Decimal(204)}
    assert (book.facts.rows, book.intake.rejected, book.currency) == (8, 0, "EUR")
    assert (book.facts.first_day, book.facts.last_day) == (date(2024, 1, 5), date(2024, 4, 5))
    assert set(book.known_customers.customer_id.to_pyarrow().to_pylist()) == {"Firma 0", "Firma 1"}
    assert "4 rows took customer and day from the first row of their order" in notes(book)


def test_orders_without_customer_stay_out(tmp_path):
    rows = [(f"A{i}", "" if i == 2 else f"K{i}", "1.3.2024", "10,00") for i in range(4) for _ in range(2)]
    rows[1] = ("A0", "", "1.3.2024", "10,00")
    book = opened(write(tmp_path / "l.csv", "Auftragsnr;Kundennr;Datum;Netto", rows))
    assert [line for line, _ in reasons(book)] == [3, 6, 7]


def test_an_order_value_in_each_row_counts_once(tmp_path):
    rows = [
        (f"A{i}", f"K{i % 2}", "1.3.2024", p, f"{100 + i},00") for i in range(4) for p in ("P1", "P2", "P3")
    ]
    book = opened(write(tmp_path / "l.csv", "Auftragsnr;Kundennr;Datum;Artikelnr;Auftragswert", rows))
    assert by_customer(book) == {"K0": Decimal(202), "K1": Decimal(204)}
    assert "Auftragswert is the value of the whole order" in notes(book)


def test_quantity_times_price_stands_for_a_repeated_order_value(tmp_path):
    rows = [
        (f"A{i}", "K1", "1.3.2024", p, q, "5,00", "25,00")
        for i in range(4)
        for p, q in (("P1", 2), ("P2", 3))
    ]
    book = opened(
        write(tmp_path / "l.csv", "Auftragsnr;Kundennr;Datum;Artikelnr;Menge;Preis;Auftragswert", rows)
    )
    assert revenue(book) == Decimal(100)
    assert "quantity times price was taken instead" in notes(book)


def test_rows_that_happen_to_cost_the_same_all_count(tmp_path):
    rows = [(f"A{i}", "K1", "1.3.2024", p, 1, "9,00", "9,00") for i in range(4) for p in ("P1", "P2")]
    book = opened(write(tmp_path / "l.csv", "Auftragsnr;Kundennr;Datum;Artikelnr;Menge;Preis;Betrag", rows))
    assert revenue(book) == Decimal(72)
    assert "whole order" not in notes(book)


def catalogue(folder, extra=()):
    write(
        folder / "kunden.csv", "KundenNr;Firmenname;Ort", [(f"K{i}", f"Firma {i}", "Ulm") for i in range(3)]
    )
    write(folder / "bestellungen.csv", "BestellNr;KundenNr;Bestelldatum", [
        (i, f"K{i % 3}", f"{i + 1}.03.2024") for i in range(6)
    ])  # fmt: skip
    write(folder / "positionen.csv", "BestellNr;PosNr;ArtikelNr;Anzahl", [
        *((i, 1, f"P{i % 2}", i + 1) for i in range(6)), *extra
    ])  # fmt: skip
    write(
        folder / "artikel.csv",
        "ArtikelNr;Artikelname;Listenpreis",
        [("P0", "Pumpe", "10,00"), ("P1", "Motor", "3,50")],
    )
    return opened(folder)


def test_lines_without_price_take_the_list_price(tmp_path):
    book = catalogue(tmp_path)
    assert revenue(book) == Decimal("90.00") + Decimal("42.00")
    assert "positionen.csv has no prices: amounts are quantity times list price of artikel.csv" in notes(book)


def test_a_product_without_list_price_is_told(tmp_path):
    book = catalogue(tmp_path, extra=[(1, 2, "P9", 5)])
    assert revenue(book) == Decimal(132)
    assert reasons(book) == [(8, "Neither the line nor its product has a price.")]


def many_orders(differing: int | None) -> list[tuple[str, ...]]:
    """Two hundred orders of three rows that repeat the order's value, but for one order."""
    return [
        (f"A{i}", f"K{i % 7}", "1.3.2024", p, f"{100 + i + (i == differing and p == 'P2')},00")
        for i in range(200)
        for p in ("P1", "P2", "P3")
    ]


@pytest.mark.parametrize("differing", [None, 0, 77, 199])
def test_orders_looked_at_in_parts_give_the_same_answer(tmp_path, monkeypatch, differing):
    path = write(
        tmp_path / "l.csv", "Auftragsnr;Kundennr;Datum;Artikelnr;Auftragswert", many_orders(differing)
    )
    whole = by_customer(opened(path))
    monkeypatch.setattr(orders, "_PART", 25)
    assert by_customer(opened(path)) == whole
    once = sum(Decimal(100 + i) for i in range(200))
    assert sum(whole.values()) == (once if differing is None else 3 * once + 1)
