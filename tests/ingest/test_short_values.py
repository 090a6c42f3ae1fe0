"""Amounts written short in whole files, and what the check says of them."""

from __future__ import annotations

from decimal import Decimal

from writing_files import by_customer, notes, opened, write


def test_a_dashboard_export_in_english(tmp_path):
    rows = [("Acme", "67.9k"), ("Bolt", "1.5M"), ("Core", "950"), ("Dune", "(2.5k)")]
    book = opened(write(tmp_path / "d.csv", "Customer;Revenue", rows))
    wanted = {
        "Acme": Decimal(67900),
        "Bolt": Decimal(1_500_000),
        "Core": Decimal(950),
        "Dune": Decimal(-2500),
    }
    assert by_customer(book) == wanted
    assert "Revenue: values are written short and multiplied: k = 1,000, m = 1,000,000" in notes(book)


def test_a_slide_copied_in_german(tmp_path):
    rows = [("Alpha", "1,2 Mio. €"), ("Beta", "3 Tsd. €"), ("Gamma", "980,50 €")]
    book = opened(write(tmp_path / "d.csv", "Kunde;Umsatz", rows))
    assert by_customer(book) == {
        "Alpha": Decimal(1_200_000),
        "Beta": Decimal(3000),
        "Gamma": Decimal("980.5"),
    }
    assert "tsd = 1,000, mio = 1,000,000" in notes(book)
