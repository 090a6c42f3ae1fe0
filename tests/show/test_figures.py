from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.analysis import Column, Estimate
from klientel.show.figures import cell, header, interval, month, scale, short, spoken_figure, written


@pytest.mark.parametrize(
    ("value", "unit", "lang", "text"),
    [
        (Decimal("1234.5"), "money", "en", "€1,234.50"),
        (Decimal("1234.5"), "money", "de", "1.234,50\u00a0€"),
        (-0.5, "money", "en", "−€0.50"),
        (0.125, "share", "de", "12,5\u202f%"),
        (1234567, "count", "de", "1.234.567"),
        (12.0, "days", "en", "12"),
        (12.25, "days", "de", "12,2"),
        (0.73125, "number", "de", "0,731"),
        (None, "money", "de", "–"),
        (float("nan"), "share", "en", "–"),
        (math.inf, "number", "en", "∞"),
        (date(2024, 3, 1), "date", "de", "01.03.2024"),
        (date(2024, 3, 1), "date", "en", "2024-03-01"),
        (date(2024, 3, 1), "month", "de", "März\u00a02024"),
        ("2024-03", "month", "en", "Mar\u00a02024"),
        ("0012", "key", "de", "0012"),
        ("1e5", "text", "de", "1e5"),
    ],
)
def test_written(value, unit, lang, text) -> None:
    assert written(value, unit, lang, "EUR") == text


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (1_234_567.891, "€1.23M", "1,23\u00a0Mio.\u00a0€"),
        (999_999, "€1M", "1\u00a0Mio.\u00a0€"),
        (12_345, "€12.3k", "12,3\u00a0Tsd.\u00a0€"),
        (-54_321, "−€54.3k", "−54,3\u00a0Tsd.\u00a0€"),
        (2.5e9, "€2.5bn", "2,5\u00a0Mrd.\u00a0€"),
        (0, "€0", "0\u00a0€"),
        (0.5, "€0.50", "0,50\u00a0€"),
    ],
)
def test_short_money(value, en, de) -> None:
    assert short(value, "money", "en", "EUR") == en
    assert short(value, "money", "de", "EUR") == de


def test_unknown_currency_is_its_code() -> None:
    assert short(1500, "money", "en", "SEK") == "SEK\u00a01.5k"


@given(st.floats(min_value=1, max_value=9.9e11))
def test_short_numbers_are_right_to_three_digits(value: float) -> None:
    text = short(value, "number", "en")
    factor = {"k": 1e3, "M": 1e6, "n": 1e9}.get(text[-1], 1)
    assert float(text.replace(",", "").rstrip("kMbn")) * factor == pytest.approx(value, rel=0.006)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from(["en", "de"]))
def test_money_in_full_keeps_every_cent(value: Decimal, lang: str) -> None:
    text = written(value, "money", lang).replace("−", "-")
    text = text.replace(".", "").replace(",", ".") if lang == "de" else text.replace(",", "")
    assert Decimal(text) == value


def test_words_of_classes_are_translated_but_names_are_not(german: None) -> None:
    assert written("Currency", "class", "de") == "Währung"
    assert written("Currency", "text", "de") == "Currency"
    assert written("Currency", "key", "de") == "Currency"


def test_interval_says_its_level(german: None) -> None:
    estimate = Estimate(0.4, 0.381, 0.44, 0.95)
    assert interval(estimate, "share", "en") == "38.1\u202f% to 44.0\u202f% (95\u202f%)"
    assert interval(estimate, "share", "de") == "38,1\u202f% bis 44,0\u202f% (95\u202f%)"
    assert interval(Estimate(0.4), "share", "en") == ""


def test_headers_carry_the_unit(german: None) -> None:
    assert header(Column("v", "Value", "money"), "de", "CHF") == "Wert (CHF)"
    assert header(Column("v", "Value", "money"), "de") == "Wert"
    assert header(Column("g", "Gap", "days"), "de") == "Gap (Tage)"
    assert header(Column("g", "Months later", "months"), "en") == "Months later"


def test_years_are_not_grouped() -> None:
    assert cell(2024, Column("cohort_year", "Year", "number")) == "2024"
    assert cell(2024, Column("orders", "Orders", "count")) == "2,024"


def test_figures_name_their_unit(german: None) -> None:
    assert spoken_figure(87, "days", "de") == "87\u00a0Tage"
    assert spoken_figure(23.4, "number", "de") == "23,4"


def test_month_leaves_other_texts_alone() -> None:
    assert month("2024-13") == "2024-13"
    assert month("Q1") == "Q1"


def test_scale_of_an_axis() -> None:
    assert scale(4.2e6, "de") == (1e6, "Mio.")
    assert scale(120, "de") == (1, "")
