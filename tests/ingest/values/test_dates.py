"""Dates in text columns: layouts, day or month first, periods, placeholders and impossible days."""

from __future__ import annotations

from datetime import date

import pytest
from reading import column, dates, profiled

from klientel.ingest import values


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["31.12.2024", "1.2.2024"], ["2024-12-31", "2024-02-01"]),
        (["01.02.2024"], ["2024-02-01"]),
        (["1.2.24", "31.12.99"], ["2024-02-01", "1999-12-31"]),
        (["01.02.24", "01.02.2024"], ["2024-02-01", "2024-02-01"]),
        (["13/02/2024", "01/02/2024"], ["2024-02-13", "2024-02-01"]),
        (["02/13/2024", "01/02/2024"], ["2024-02-13", "2024-01-02"]),
        (["12.31.2024", "01.02.2024"], ["2024-12-31", "2024-01-02"]),
        (["2024-01-31", "2024-1-5"], ["2024-01-31", "2024-01-05"]),
        (["2024/01/31"], ["2024-01-31"]),
        (["2024-01-31 10:00:00"], ["2024-01-31"]),
        (["2024-01-31T10:00Z", "2024-01-31T23:30:00.123+02:00"], ["2024-01-31", "2024-01-31"]),
        (["1/13/24 10:30 PM", "2/1/24 9:00 AM"], ["2024-01-13", "2024-02-01"]),
        (["31.12.2024 14:30 Uhr"], ["2024-12-31"]),
        (["19970101", "20241231"], ["1997-01-01", "2024-12-31"]),
        (["19970101.0", "19970102.0"], ["1997-01-01", "1997-01-02"]),
        (["31122024", "01022024"], ["2024-12-31", "2024-02-01"]),
        (["45292", "45293.5"], ["2024-01-01", "2024-01-02"]),
        (["1704067200", "1704153600"], ["2024-01-01", "2024-01-02"]),
        (["3. März 2024", "12. Januar 2023", "1 Mai 2024"], ["2024-03-03", "2023-01-12", "2024-05-01"]),
        (["March 3, 2024", "Mar 4 2024"], ["2024-03-03", "2024-03-04"]),
        (["03-Mar-24", "4-Dez-99"], ["2024-03-03", "1999-12-04"]),
        (["Mon, 3 Mar 2024", "Di, 4. März 2024"], ["2024-03-03", "2024-03-04"]),
        (["2024-01-05", "31.12.2023"], ["2024-01-05", "2023-12-31"]),
        (["\u00a03.1.2024", " 4.1.2024"], ["2024-01-03", "2024-01-04"]),
    ],
)
def test_written_days_are_read(cells: list[str | None], expected: list[str]) -> None:
    read, fmt = dates(cells)
    assert read == [date.fromisoformat(e) for e in expected]
    assert not fmt.ambiguous
    assert fmt.unit == "day"
    assert str(fmt.why)


@pytest.mark.parametrize(
    ("cells", "unit", "start", "end"),
    [
        (["Mär 2024", "Okt 2023"], "month", "2024-03-01", "2024-04-01"),
        (["Dec-24"], "month", "2024-12-01", "2025-01-01"),
        (["03/2024", "12/2023"], "month", "2024-03-01", "2024-04-01"),
        (["2024-03"], "month", "2024-03-01", "2024-04-01"),
        (["202403", "202312"], "month", "2024-03-01", "2024-04-01"),
        (["Q1 2024", "Q4/2023"], "quarter", "2024-01-01", "2024-04-01"),
        (["2024Q4", "2024-Q2"], "quarter", "2024-10-01", "2025-01-01"),
        (["1. Quartal 2024"], "quarter", "2024-01-01", "2024-04-01"),
        (["2024", "2023"], "year", "2024-01-01", "2025-01-01"),
    ],
)
def test_periods_have_a_first_day_and_a_day_after(
    cells: list[str | None], unit: str, start: str, end: str
) -> None:
    con, found = profiled({"c0": cells})
    fmt = found["c0"].date
    assert fmt is not None
    assert fmt.unit == unit
    assert found["c0"].date_share == 1
    assert column(con, values.date_sql("c0", fmt))[0] == date.fromisoformat(start)
    assert column(con, values.date_end_sql("c0", fmt))[0] == date.fromisoformat(end)


@pytest.mark.parametrize(
    "garbage",
    [
        "31.02.2024", "00.01.2024", "1.13.2024", "01.01.1899", "01.01.2101", "1.1.202", "32.1.2024", "1.1",
        "epoch", "infinity", "-infinity", "1.1.2024x", "x1.1.2024", "1.1.-2024", "2024", "1-1.2024", "",
        "1.1.2024 25h", "+1.1.2024", "1.1.2024\x00",
    ],
)  # fmt: skip
def test_what_is_no_date_is_never_read(garbage: str) -> None:
    read, _ = dates(["31.12.2023", "1.2.2024", "3.4.2024", garbage])
    assert read == [date(2023, 12, 31), date(2024, 2, 1), date(2024, 4, 3), None]


@pytest.mark.parametrize(("hint", "expected"), [("de", date(2024, 2, 1)), ("en", date(2024, 1, 2))])
def test_a_column_that_fits_both_orders_says_so_and_follows_the_hint(hint: str, expected: date) -> None:
    read, fmt = dates(["01/02/2024", "03/04/2024"], hint)
    assert read[0] == expected
    assert fmt.ambiguous
    assert "language given" in fmt.why


def test_without_any_hint_the_day_comes_first() -> None:
    read, fmt = dates(["01/02/2024"], header="x")
    assert read == [date(2024, 2, 1)]
    assert fmt.ambiguous


def test_another_date_column_decides() -> None:
    _, found = profiled({"c0": ["01/02/2024", "03/04/2024"], "c1": ["02/13/2024", "01/02/2024"]}, "de")
    fmt = found["c0"].date
    assert fmt is not None
    assert fmt.order == "mdy"
    assert fmt.ambiguous
    assert "other dates" in fmt.why


def test_how_many_rows_decide_is_said() -> None:
    _, fmt = dates(["13/02/2024", "14/02/2024", "01/02/2024"])
    assert "first part above 12: 2" in fmt.why


def test_mixed_orders_are_said_and_the_rarer_is_not_read() -> None:
    read, fmt = dates(["13/02/2024", "14/02/2024", "02/15/2024"])
    assert read == [date(2024, 2, 13), date(2024, 2, 14), None]
    assert fmt.ambiguous
    assert "not read: 1" in fmt.why


def test_placeholders_are_empty() -> None:
    cells: list[str | None] = [
        "0000-00-00",
        "2024-01-01",
        "9999-12-31",
        "1900-01-00",
        "n/a",
        None,
        "2024-02-30",
    ]
    con, found = profiled({"c0": cells})
    fmt = found["c0"].date
    assert fmt is not None
    assert column(con, values.date_sql("c0", fmt)) == [None, date(2024, 1, 1), *[None] * 5]
    assert column(con, values.date_empty_sql("c0")) == [True, False, True, True, True, True, False]
    assert found["c0"].empties == 4
    assert found["c0"].date_share == 0.5  # 2024-02-30 is neither empty nor a date


def test_serials_are_days_only_under_a_header_that_speaks_of_dates() -> None:
    _, found = profiled({"c0": ["45292", "45300"]}, headers={"c0": "Menge"})
    assert found["c0"].date is None
    assert found["c0"].number is not None


def test_serials_among_written_dates_are_read_and_said() -> None:
    read, fmt = dates(["31.12.2023", "45292", "1.2.2024"])
    assert read == [date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 1)]
    assert "spreadsheet" in fmt.why


def test_times_and_two_digit_years_are_noted() -> None:
    _, fmt = dates(["1.2.24 10:00", "13.2.24 11:00"])
    assert len(fmt.notes) == 2


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Umsatz 2023", "2023-01-01", "2024-01-01"),
        ("Jan 2024", "2024-01-01", "2024-02-01"),
        ("Mär-24", "2024-03-01", "2024-04-01"),
        ("Umsatz Dezember 2024 EUR", "2024-12-01", "2025-01-01"),
        ("03/2024", "2024-03-01", "2024-04-01"),
        ("rev_2024_03", "2024-03-01", "2024-04-01"),
        ("202401", "2024-01-01", "2024-02-01"),
        ("Q1 2024", "2024-01-01", "2024-04-01"),
        ("1. Quartal 2024", "2024-01-01", "2024-04-01"),
        ("2024Q4", "2024-10-01", "2025-01-01"),
        ("Sales (2021)", "2021-01-01", "2022-01-01"),
    ],
)
def test_headers_name_periods(text: str, start: str, end: str) -> None:
    assert values.period_of(text) == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    "text", ["2022/2023", "Revenue", "01.02.2024", "Mai", "12345", "Article 20241", "2024-13"]
)
def test_other_headers_name_none(text: str) -> None:
    assert values.period_of(text) is None
