"""What is written in any supported format comes back the same through profile, format and SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import column, profiled
from reading import dates as read_dates

from klientel.ingest import values

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

AMOUNTS = st.lists(
    st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places),
        st.one_of(st.integers(-(10**13), 10**13), st.integers(-99999, 99999)),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=12,
)
# One value per convention that says which sign is which, so that the column is decidable.
CLEAR = Decimal("-1234567.25")


def written(value: Decimal, decimal: str, group: str) -> str:
    """|value| with the given signs and as many decimals as it has."""
    text = f"{abs(value):,f}"
    whole, _, fraction = text.partition(".")
    return whole.replace(",", group) + (decimal + fraction if fraction else "")


def signed(value: Decimal, body: str, style: str) -> str:
    if style == "parentheses":
        return f"({body})" if value < 0 else body
    if style == "trailing":
        return f"{body}-" if value < 0 else body
    sign = {"plain": "-", "minus": "−", "plus": "-"}[style]
    return f"{sign}{body}" if value < 0 else ("+" if style == "plus" else "") + body


SIGNS = [(".", ""), (".", ","), (".", "'"), (".", " "), (",", ""), (",", "."), (",", "\u202f"), (",", "’")]
STYLES = ["plain", "minus", "plus", "parentheses", "trailing"]


@given(amounts=AMOUNTS)
@QUICK
def test_numbers_come_back(amounts: list[Decimal]) -> None:
    amounts = [*amounts, CLEAR]
    check_numbers(
        {
            f"{decimal}{group}{style}": [signed(a, written(a, decimal, group), style) for a in amounts]
            for decimal, group in SIGNS
            for style in STYLES
        },
        amounts,
    )


FORMS = ["€ {}", "€{}", "{} €", "{} EUR", "EUR {}", "{}€", "$ {}", "CHF {}", "{} Kč", "  {}\u00a0"]


@given(amounts=AMOUNTS)
@settings(QUICK, max_examples=8)
def test_amounts_with_currency_come_back(amounts: list[Decimal]) -> None:
    amounts = [*amounts, CLEAR]
    cells: dict[str, list[str | None]] = {}
    for form in FORMS:
        for style in STYLES:
            cells[f"{form}{style} in"] = [
                form.format(signed(a, written(a, ",", "."), style)) for a in amounts
            ]
            cells[f"{form}{style} out"] = [
                signed(a, form.strip().format(written(a, ",", ".")), style) for a in amounts
            ]
    check_numbers(cells, amounts)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20))
@QUICK
def test_percentages_come_back_as_fractions(tenths: list[int]) -> None:
    cells: list[str | None] = [f"{t // 10 if t >= 0 else -(-t // 10)},{abs(t) % 10} %" for t in tenths]
    cells = [
        f"-{c}" if t < 0 and not str(c).startswith("-") else c for c, t in zip(cells, tenths, strict=True)
    ]
    con, found = profiled({"c0": cells})
    fmt = found["c0"].number
    assert fmt is not None
    assert column(con, values.share_sql("c0", fmt)) == [Decimal(t) / 1000 for t in tenths]


def check_numbers(cells: dict[str, list[str | None]], amounts: list[Decimal]) -> None:
    """All columns, profiled as one table, give back the amounts and none is ambiguous."""
    names = {f"c{i}": name for i, name in enumerate(cells)}
    con, found = profiled({c: cells[name] for c, name in names.items()})
    for c, name in names.items():
        fmt = found[c].number
        assert fmt is not None, name
        assert not fmt.ambiguous, (name, fmt.why)
        assert column(con, values.number_sql(c, fmt)) == amounts, name


DAYS = st.lists(st.dates(date(1950, 1, 1), date(2099, 12, 31)), min_size=1, max_size=15)
CLEAR_DAY = date(2013, 12, 31)
# fmt: off
GERMAN = ["Januar", "Februar", "März", "April", "Mai", "Juni",
          "Juli", "August", "September", "Oktober", "November", "Dezember"]
ENGLISH = ["January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"]
# fmt: on

WRITERS: dict[str, Callable[[date], str]] = {
    "dd.mm.yyyy": lambda d: f"{d:%d.%m.%Y}",
    "d.m.yyyy": lambda d: f"{d.day}.{d.month}.{d.year}",
    "dd/mm/yyyy": lambda d: f"{d:%d/%m/%Y}",
    "mm/dd/yyyy": lambda d: f"{d:%m/%d/%Y}",
    "m/d/yyyy": lambda d: f"{d.month}/{d.day}/{d.year}",
    "dd-mm-yyyy": lambda d: f"{d:%d-%m-%Y}",
    "iso": lambda d: d.isoformat(),
    "yyyy/mm/dd": lambda d: f"{d:%Y/%m/%d}",
    "yyyymmdd": lambda d: f"{d:%Y%m%d}",
    "ddmmyyyy": lambda d: f"{d:%d%m%Y}",
    "iso time": lambda d: f"{d.isoformat()} 23:59:59",
    "iso zone": lambda d: f"{d.isoformat()}T00:30:00.5+02:00",
    "german time": lambda d: f"{d:%d.%m.%Y} 07:05",
    "american time": lambda d: f"{d.month}/{d.day}/{d.year} 11:59:59 PM",
    "serial": lambda d: str((d - date(1899, 12, 30)).days),
    "german long": lambda d: f"{d.day}. {GERMAN[d.month - 1]} {d.year}",
    "german short": lambda d: f"{d.day:02d}. {GERMAN[d.month - 1][:3]}. {d.year}",
    "english long": lambda d: f"{ENGLISH[d.month - 1]} {d.day}, {d.year}",
    "english british": lambda d: f"{d.day} {ENGLISH[d.month - 1][:3]} {d.year}",
    "english dashes": lambda d: f"{d.day:02d}-{ENGLISH[d.month - 1][:3].upper()}-{d.year}",
}


@given(days=DAYS)
@QUICK
def test_dates_come_back(days: list[date]) -> None:
    # before October 1954 a serial is below 20000 and stays a number
    days = [*days, CLEAR_DAY]
    late = [max(d, date(1954, 10, 3)) for d in days]
    cells: dict[str, list[str | None]] = {
        name: [write(d) for d in (late if name == "serial" else days)] for name, write in WRITERS.items()
    }
    names = {f"c{i}": name for i, name in enumerate(cells)}
    con, found = profiled(
        {c: cells[name] for c, name in names.items()}, None, dict.fromkeys(names, "Order date")
    )
    for c, name in names.items():
        fmt = found[c].date
        assert fmt is not None, name
        assert not fmt.ambiguous, (name, fmt.why)
        assert column(con, values.date_sql(c, fmt)) == (late if name == "serial" else days), name


@pytest.mark.parametrize("form", ["%d.%m.%y", "%d/%m/%y", "%m/%d/%y"])
@given(days=st.lists(st.dates(date(1969, 1, 1), date(2068, 12, 31)), min_size=1, max_size=15))
@QUICK
def test_two_digit_years_come_back_within_their_century(form: str, days: list[date]) -> None:
    days = [*days, date(1999, 12, 31)]  # 99 can only be a year, 31 only a day
    read, fmt = read_dates([d.strftime(form) for d in days])
    assert read == days
    assert not fmt.ambiguous


@given(days=DAYS)
@QUICK
def test_slashes_are_either_decided_by_the_column_or_said_to_be_ambiguous(days: list[date]) -> None:
    read, fmt = read_dates([f"{d:%d/%m/%Y}" for d in days], header="x")
    assert read == days or fmt.ambiguous
    assert fmt.ambiguous == all(d.day <= 12 for d in days)


TEXT = st.text(st.sampled_from("0123456789.,'-+() €$%eE_/:TZ\u00a0−xaMrzä"), max_size=14)


@given(st.lists(TEXT, min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_whatever_is_read_from_noise_is_the_number_that_is_written(cells: list[str]) -> None:
    con, found = profiled({"c0": list(cells)})
    fmt = found["c0"].number
    if fmt is None:
        return
    for text, value in zip(cells, column(con, values.number_sql("c0", fmt)), strict=True):
        if value is None or re.search("[eE][+-]", text):
            continue
        digits = re.sub(r"[^0-9.,]", "", text)
        if fmt.group in (".", ","):
            digits = digits.replace(fmt.group, "")
        plain = Decimal(digits.replace(",", "."))
        assert abs(abs(value) - plain) <= Decimal("0.00005")
        assert (value < 0) == (bool(re.search("[-−(]", text)) and round(plain, 4) != 0)


@given(st.lists(TEXT, min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_noise_never_breaks_the_other_readings(cells: list[str]) -> None:
    con, found = profiled({"c0": list(cells)}, headers={"c0": "Datum"})
    one = found["c0"]
    if one.date:
        for day in column(con, values.date_sql("c0", one.date)):
            assert day is None or date(1900, 1, 1) <= day <= date(2100, 12, 31)
        column(con, values.date_end_sql("c0", one.date))
    if one.flag:
        column(con, values.flag_sql("c0", one.flag))
    kept = column(con, values.key_sql("c0", one.key))
    assert all(k is None or k in cells[i] for i, k in enumerate(kept))
    assert 0 <= one.number_share <= 1
    assert 0 <= one.date_share <= 1


def test_serials_of_both_ends() -> None:
    first = date(1899, 12, 30)
    read, _ = read_dates(["20000", "79999"])
    assert read == [first + timedelta(20000), None]  # 2119 lies outside 1900-2100
