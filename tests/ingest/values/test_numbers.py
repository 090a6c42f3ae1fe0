"""Numbers in text columns: written forms, garbage, ambiguity, shares and currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from reading import column, numbers, profiled, shares

from klientel.ingest import values

D = Decimal


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,234.50", "99"], ["1234.5", "99"]),
        (["0,5", "12"], ["0.5", "12"]),
        (["1.5", "2.25"], ["1.5", "2.25"]),
        (["0.123", "1.234"], ["0.123", "1.234"]),
        (["1.234.567", "2.000"], ["1234567", "2000"]),
        (["12.345.678,90", "5"], ["12345678.9", "5"]),
        (["1.234", "12", "2.500"], ["1234", "12", "2500"]),
        (["1 234,56", "-1 234 567,8"], ["1234.56", "-1234567.8"]),
        (["\u00a012", "1\u202f234,56"], ["12", "1234.56"]),
        (["1’234", "999"], ["1234", "999"]),
        (["CHF 1'234.50", "CHF 5.00"], ["1234.5", "5"]),
        (["Fr. 5.50", "Fr. 1'000"], ["5.5", "1000"]),
        (["−5", "3"], ["-5", "3"]),
        (["(12.50)", "3.25"], ["-12.5", "3.25"]),
        (["12,50-", "3,00"], ["-12.5", "3"]),
        (["€ 5,00", "-€ 5,00", "€-3,00", "5,00 €"], ["5", "-5", "-3", "5"]),
        (["5,00 EUR", "6 EUR"], ["5", "6"]),
        (["$1,234", "$5.50", "($3.00)"], ["1234", "5.5", "-3"]),
        (["1.234,5 €-", "3,0 €"], ["-1234.5", "3"]),
        ([" 12 ", "\t13", "14"], ["12", "13", "14"]),
        (["+5", "-3"], ["5", "-3"]),
        (["15 %", "7,5%"], ["15", "7.5"]),
        ([".5", "-.25"], ["0.5", "-0.25"]),
        (["1.5E+05", "12", "5.6e-14"], ["150000", "12", "0"]),
        (["0.1", "0.2"], ["0.1", "0.2"]),
        (["99999999999999", "-99999999999999"], ["99999999999999", "-99999999999999"]),
    ],
)
def test_written_forms_are_read(cells: list[str | None], expected: list[str]) -> None:
    read, fmt = numbers(cells)
    assert read == [D(e) for e in expected]
    assert not fmt.ambiguous
    assert str(fmt.why)


def test_further_decimals_are_rounded_half_away_from_zero() -> None:
    read, _ = numbers(["0.00005", "-0.00005", "0.00004999", "1.23455"])
    assert read == [D("0.0001"), D("-0.0001"), D("0"), D("1.2346")]


@pytest.mark.parametrize(
    "garbage",
    [
        "12abc", "1.2.3", "1,23,4", "1e5", "12E5", "inf", "-inf", "nan", "1_000", "0x1F", "--5", "-(5)",
        "5 t", "3x", "5\x00", "1.", "€", "5 € 6", "€5€", "5 % %", "1 2", "٣", "1/2", "12-5", "+-3", "()",
        "5 EUR USD", "1..5", "'5",
    ],
)  # fmt: skip
@pytest.mark.parametrize("good", [["5", "7", "3"], ["1.5", "2.25", "3.75"], ["€ 1,50", "€ 2,25-", "(3,75)"]])
def test_garbage_is_never_read(garbage: str, good: list[str]) -> None:
    read, _ = numbers([*good, *good, garbage])
    assert read[-1] is None
    assert all(value is not None for value in read[:-1])


@pytest.mark.parametrize(
    ("cells", "hint", "expected"),
    [
        (["1.234", "2.500", "12.000"], "de", ["1234", "2500", "12000"]),
        (["1.234", "2.500", "12.000"], "en", ["1.234", "2.5", "12"]),
        (["1.234", "2.500", "12.000"], None, ["1.234", "2.5", "12"]),
        (["1,234", "2,500"], "de", ["1.234", "2.5"]),
        (["1,234", "2,500"], "en", ["1234", "2500"]),
        (["1,234", "2,500"], None, ["1234", "2500"]),
        (["1.234", "2500"], "de", ["1.234", "2500"]),
    ],
)
def test_a_column_that_fits_both_says_so_and_follows_the_hint(
    cells: list[str | None], hint: str | None, expected: list[str]
) -> None:
    read, fmt = numbers(cells, hint)
    assert read == [D(e) for e in expected]
    assert fmt.ambiguous


@pytest.mark.parametrize(("sign", "expected"), [("de", "1234"), ("en", "1.234")])
def test_other_columns_outweigh_the_hint(sign: str, expected: str) -> None:
    other: list[str | None] = ["1.234,50", "7,25"] if sign == "de" else ["1,234.50", "7.25"]
    con, found = profiled({"c0": ["1.234", "2.345"], "c1": other}, "en" if sign == "de" else "de")
    fmt = found["c0"].number
    assert fmt is not None
    assert fmt.ambiguous
    assert column(con, values.number_sql("c0", fmt))[0] == D(expected)
    assert "other columns" in fmt.why


def test_cells_of_a_workbook_have_a_decimal_point() -> None:
    read, fmt = numbers(["1.234", "2.345"], "de", sheet="Tabelle1")
    assert read == [D("1.234"), D("2.345")]
    assert "workbook" in fmt.why


def test_mixed_ways_of_writing_are_said_and_the_rarer_is_not_read() -> None:
    read, fmt = numbers(["1.234,50", "7,25", "1.5"])
    assert read == [D("1234.5"), D("7.25"), None]
    assert fmt.ambiguous
    assert "not read: 1" in fmt.why


@pytest.mark.parametrize(
    ("cells", "header", "expected"),
    [
        (["15 %", "7,5%", "0"], "x", ["0.15", "0.075", "0"]),
        (["15,0 %", "100 %"], "x", ["0.15", "1"]),
        (["0.15", "0"], "x", ["0.15", "0"]),
        (["15", "7.5", "100"], "x", ["0.15", "0.075", "1"]),
        (["0.15", "0.2"], "Discount %", ["0.15", "0.2"]),
        (["0", "1"], "Rabatt %", ["0", "0.01"]),
        (["0", "1"], "x", ["0", "1"]),
        (["15 %", "0,15"], "x", ["0.15", None]),
        (["150", "1500"], "x", [None, None]),
        (["33.3333333333", "1"], "x", ["0.3333333333", "0.01"]),
    ],
)
def test_shares(cells: list[str | None], header: str, expected: list[str | None]) -> None:
    assert shares(cells, header) == [None if e is None else D(e) for e in expected]


def test_one_mistyped_share_does_not_spoil_the_column() -> None:
    read = shares(["15", *["7"] * 200, "1500"])
    assert read[:2] == [D("0.15"), D("0.07")]
    assert read[-1] is None


def test_currencies_are_found_row_by_row() -> None:
    con, found = profiled({"c0": ["€5", "$3", "7"], "c1": ["5 EUR", "6 €", "7"]})
    mixed, one = found["c0"].number, found["c1"].number
    assert mixed is not None
    assert one is not None
    assert mixed.ambiguous
    assert found["c0"].currency is None
    assert found["c1"].currency == "EUR"
    assert column(con, values.currency_sql("c0", mixed)) == ["EUR", "USD", None]
    assert column(con, values.currency_sql("c1", one)) == ["EUR", "EUR", None]


def test_marks_for_nothing_are_empty_and_not_unread() -> None:
    con, found = profiled({"c0": ["1.5", "-", "n/a", " ", None, "k.A.", "2.5"]})
    assert found["c0"].filled == 5
    assert found["c0"].empties == 3
    assert found["c0"].number_share == 1.0
    assert column(con, values.empty_sql("c0")) == [False, True, True, True, True, True, False]
