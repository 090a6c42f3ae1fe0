"""Files in the manner of real companies that once gave a wrong number or were not understood."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from writing_files import by_customer, notes, opened


def saved(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def money(**amounts: float) -> dict[str, Decimal]:
    return {name: Decimal(str(amount)) for name, amount in amounts.items()}


def test_a_copied_pivot_with_groups_counts_its_rows_once(tmp_path):
    text = (
        "Zeilenbeschriftungen;Summe von Umsatz\nNord;300,00\nAlpha;100,00\nBeta;200,00\nSüd;50,00\nGamma;50,00\n"
        "West;60,00\nDelta;-10,00\nEpsilon;30,00\nZeta;40,00\nGesamtergebnis;410,00\n"
    )
    book = opened(saved(tmp_path / "pivot.csv", text))
    assert by_customer(book) == money(Alpha=100, Beta=200, Gamma=50, Delta=-10, Epsilon=30, Zeta=40)
    assert "total rows inside the table left out: 3" in notes(book)


def test_a_plain_list_that_adds_up_only_at_its_beginning_stays(tmp_path):
    text = "Kunde;Umsatz\nAlpha;300,00\nBeta;100,00\nGamma;200,00\nDelta;50,00\nEpsilon;70,00\n"
    assert len(by_customer(opened(saved(tmp_path / "l.csv", text)))) == 5


def test_columns_of_fixed_width_with_empty_cells(tmp_path):
    rows = [
        f"{10000 + i % 3:<10}{('Müller & Söhne GmbH', 'Weiß', 'Bau AG')[i % 3]:<22}{i % 28 + 1:02d}.02.2024  "
        f"{'X1' if i % 2 else '':<6}{amount:>12}"
        for i, amount in enumerate([*["1.000,00", "50,00", "10,00-"] * 100, "12.345.678,90"])
    ]
    head = f"{'KUNDENNR':<10}{'NAME':<22}{'DATUM':<12}{'BEST':<6}{'BETRAG':>12}"
    rule = f"{'-' * 8:<10}{'-' * 20:<22}{'-' * 10:<12}{'-' * 4:<6}{'-' * 12}"
    book = opened(saved(tmp_path / "liste.txt", "\r\n".join([head, rule, *rows, ""]), "cp1252"))
    wanted = {"10000": Decimal("12445678.90"), "10001": Decimal(5000), "10002": Decimal(-1000)}
    assert by_customer(book) == wanted
    assert book.facts.rows == 301
    assert "fixed width" in notes(book)


@pytest.mark.parametrize("quoted", [False, True])
def test_numbers_that_excel_was_told_to_keep(tmp_path, quoted):
    cell = '"=""{}"""' if quoted else '="{}"'
    rows = "".join(f"{cell.format(f'0012{i % 3}')};0{i + 1}.02.2024;10,00\n" for i in range(6))
    book = opened(saved(tmp_path / "l.csv", f"Kundennr;Datum;Umsatz\n{rows}"))
    assert by_customer(book) == {"00120": Decimal(20), "00121": Decimal(20), "00122": Decimal(20)}
