"""The firm on another day: the same laws, nothing after its end but what lies ahead, and the fixed day unchanged."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from klientel.demo import dirty_rows, simulate, write
from klientel.demo.days import Span, holidays, number
from klientel.demo.settings import AS_OF, DEFAULT
from klientel.errors import BadParameter

AHEAD = {("project_contract", "end"), ("opportunity", "close_date"), ("campaign", "end")}
DAYS = [
    date(2026, 11, 1),
    date(2027, 1, 1),
    date(2028, 2, 29),
    date(2026, 11, 15),
    date(1990, 7, 1),
]


def days_of(table: pa.Table) -> dict[str, list[date]]:
    """The days in each column of days or moments."""
    found: dict[str, list[date]] = {}
    for name in table.column_names:
        if pa.types.is_temporal(table.schema.field(name).type):
            values = [v for v in table[name].to_pylist() if v is not None]
            found[name] = [v.date() if isinstance(v, datetime) else v for v in values]
    return found


def digest(firm: Any) -> str:
    """Of every value of every table, its name and type."""
    told = hashlib.sha256()
    for name, table in sorted(firm.tables().items()):
        told.update(repr((name, table.schema.names, [str(t) for t in table.schema.types])).encode())
        for column in table.columns:
            told.update(repr(column.to_pylist()).encode())
    return told.hexdigest()


def test_the_fixed_day_is_the_default_and_its_firm_is_the_one_it_was():
    """Computed before the day could be chosen: 80 customers over 20 years."""
    firm = simulate(3, 80, 20)
    assert (firm.start, firm.as_of) == (date(2004, 10, 1), AS_OF)
    assert digest(firm) == "926c930c44200a884de6efc98968c1f0cd452ced74a9c359ad9a77064f43ce2a"
    assert digest(simulate(3, 80, 20, as_of=AS_OF)) == digest(firm)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("years", [1, 3])
def test_nothing_lies_after_the_end_but_what_lies_ahead(day, years):
    firm = simulate(5, 150, years, as_of=day)
    assert firm.as_of == day
    assert firm.start.year == day.year - years
    for name, table in firm.tables().items():
        for column, found in days_of(table).items():
            assert (name, column) in AHEAD or all(d < day for d in found), (name, column)
    assert max(firm.contracts["end"].to_pylist()) >= day
    ordered = firm.orders["order_date"].to_pylist()
    assert min(ordered) >= firm.start
    closed = set().union(*(holidays(y) for y in (day.year - 1, day.year)))
    last = day - timedelta(days=1)
    while last.weekday() >= 5 or number(last) in closed:
        last -= timedelta(days=1)
    assert last - timedelta(days=3) <= max(ordered) <= last


@pytest.mark.parametrize("day", DAYS)
def test_the_same_day_gives_the_same_firm(day, tmp_path):
    firm = simulate(5, 60, 2, as_of=day)
    assert digest(firm) == digest(simulate(5, 60, 2, as_of=day))
    assert digest(firm) != digest(simulate(5, 60, 2))
    assert all(p.stat().st_size for p in write(firm, tmp_path, "de"))
    assert all(
        str(day.year - 1) in d.cells["order_date"] for d in dirty_rows(firm) if "order_date" in d.cells
    )


def test_prices_rise_in_the_last_three_years_whatever_they_are():
    """Of the list: the last product prices against those of the fixed day, whose stated rises are the same."""
    fixed, later = simulate(5, 20), simulate(5, 20, as_of=date(2031, 10, 1))
    assert later.products["list_price"].to_pylist() == fixed.products["list_price"].to_pylist()
    twenty = simulate(5, 20, 20, as_of=date(2031, 10, 1))
    group = [i for i, p in enumerate(later.products["list_price"].to_pylist()) if p is not None and p > 100]
    rise = [
        float(twenty.products["list_price"][i].as_py() / later.products["list_price"][i].as_py())
        for i in group
    ]
    # 21 calendar years are 20 rises, of which the last three are stated, as in 4 calendar years.
    assert np.allclose(rise, (1 + DEFAULT.usual_increase) ** 17, rtol=1e-3)


def test_surveys_fairs_bonuses_and_rates_come_every_year():
    firm = simulate(5, 300, as_of=date(2026, 11, 1))
    waves = Counter(firm.market.tables["survey_response"]["survey_id"].to_pylist())
    assert set(waves) == {"NPS 2024", "NPS 2025", "NPS 2026"}
    campaigns = zip(
        *(firm.market.tables["campaign"][c].to_pylist() for c in ("name", "channel")), strict=True
    )
    fairs = {name for name, channel in campaigns if channel == "trade fair"}
    assert {f[-4:] for f in fairs} == {"2024", "2025", "2026"}
    notes = zip(*(firm.credit_notes[c].to_pylist() for c in ("date", "reason")), strict=True)
    assert {d for d, why in notes if why == "annual bonus"} == {date(y, 1, 20) for y in (2024, 2025, 2026)}
    assert firm.rates.num_rows == 36
    assert max(firm.customers["year_established"].to_pylist()) <= 2022


def test_a_month_that_has_begun_has_a_rate_and_a_campaign_but_no_costs_yet():
    firm = simulate(5, 60, 1, as_of=date(2026, 11, 15))
    assert (firm.start, max(firm.rates["date"].to_pylist())) == (date(2025, 11, 15), date(2026, 11, 1))
    costs = firm.market.tables["cost_pool"]["period"].to_pylist()
    assert (min(costs), max(costs)) == (date(2025, 12, 1), date(2026, 10, 1))
    assert max(firm.market.tables["campaign"]["start"].to_pylist()) == date(2026, 11, 1)


def test_years_before_a_leap_day():
    assert Span.of(3, date(2028, 2, 29)) == Span(number(date(2025, 2, 28)), number(date(2028, 2, 29)))
    assert Span.of(4, date(2028, 2, 29)).start == number(date(2024, 2, 29))


@pytest.mark.parametrize("day", [date(1969, 12, 31), date(2101, 1, 1)])
def test_days_out_of_reach_are_refused(day):
    with pytest.raises(BadParameter, match="1970 to 2100"):
        simulate(1, 20, as_of=day)
