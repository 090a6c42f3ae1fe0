# ruff: noqa: E501 - headers and expectations of one case belong on one line
"""Headers taken apart: spellings that mean the same get the same key, units and periods are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klientel.ingest.mapping import synonyms
from klientel.ingest.mapping.calendar import period_of
from klientel.ingest.mapping.meanings import meanings
from klientel.ingest.mapping.names import header, key
from klientel.ingest.mapping.synonyms import texts

SAME = (
    (
        "Kd.-Nr.",
        "KdNr",
        "Kundennr.",
        "KUNDENNUMMER",
        "kunden_nr",
        "Kunden-Nummer",
        "Kunden Nr",
        "kunden nummer",
        "knr",
    ),
    ("Customer No.", "CustomerNo", "customer_number", "CUSTOMER NUMBER", "Cust. No", "customer #"),
    ("Art.-Nr.", "ArtikelNr", "Artikelnummer", "ARTIKEL-NR", "artikel_nummer"),
    ("Straße", "STRASSE", "strasse", "Strasse"),
    ("Umsatz (EUR)", "Umsatz", "umsatz in €", "Umsatz [T€]", "UMSATZ EUR"),
)


@pytest.mark.parametrize("group", SAME, ids=lambda g: g[0])
def test_spellings_that_mean_the_same_have_one_key(group: tuple[str, ...]) -> None:
    assert len({key(text) for text in group}) == 1


@pytest.mark.parametrize(
    ("text", "currency", "factor"),
    [
        ("Umsatz (EUR)", "EUR", None), ("Sales in USD", "USD", None), ("Revenue [k€]", "EUR", 1e3), ("Umsatz TEUR", "EUR", 1e3),
        ("Umsatz Mio. €", "EUR", 1e6), ("Umsatz in Tsd. EUR", "EUR", 1e3), ("Netto CHF", "CHF", None), ("Menge", None, None),
    ],
)  # fmt: skip
def test_units_are_found(text: str, currency: str | None, factor: float | None) -> None:
    assert (header(text).currency, header(text).factor) == (currency, factor)


@pytest.mark.parametrize("text", ["Column 1", "Spalte 3", "c0", "", "Unnamed: 4", "F2"])
def test_headers_that_programs_invent_say_nothing(text: str) -> None:
    assert header(text).unnamed


@pytest.mark.parametrize(
    "text", ["Kunde", "Menge", "PLZ 12345", "2022-2024", "Umsatz 2022 bis 2024", "1899", "12345"]
)
def test_what_is_no_single_period(text: str) -> None:
    assert period_of(text) is None


@given(st.text(max_size=60))
def test_any_text_can_be_a_header(text: str) -> None:
    parts = header(text)
    assert parts.snake
    assert parts.snake.isidentifier()
    assert all(0 < m.strength <= 1 for m in meanings(text))
    period = period_of(text)
    assert period is None or period.start < period.end


@given(
    st.integers(1900, 2099),
    st.integers(1, 12),
    st.sampled_from(["{m:02d}.{y}", "{m:02d}/{y}", "{y}-{m:02d}", "{y}{m:02d}", "{y}/{m:02d}"]),
)
def test_every_month_reads_back_in_every_spelling(year: int, month: int, spelling: str) -> None:
    period = period_of(spelling.format(m=month, y=year))
    assert period is not None
    assert (period.start.year, period.start.month, period.kind) == (year, month, "month")
    assert 28 <= (period.end - period.start).days <= 31


@pytest.mark.parametrize("concept", sorted({c for c, _, _ in texts()}))
def test_every_spelling_is_read_as_its_concept_in_capitals_and_with_underscores(concept: str) -> None:
    for own, _, text in texts():
        if own != concept or not key(text) or header(text).period:
            continue
        for spelling in (text, text.upper(), text.replace(" ", "_"), f"  {text} "):
            if key(spelling) != key(text):
                continue  # capitals glue CamelCase together: another key, found by likeness
            assert concept in {m.concept for m in meanings(spelling)} or header(text).percent, (
                text,
                spelling,
            )


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("Bruttobetrag", "net"), ("Brutto", "amount"), ("MwSt", "net"), ("MwSt", "amount"), ("Netto", "gross"), ("USt-Betrag", "amount"),
        ("Planumsatz", "revenue"), ("Vorjahresumsatz", "revenue"), ("Lieferantennummer", "customer_no"), ("Lieferdatum", "date"),
        ("Ship name", "name"), ("Umsatz Plan 2024", "revenue"), ("Umsatzziel", "revenue"), ("Anzahl Aufträge", "order_no"),
        ("Customer Email", "customer"), ("Offener Betrag", "amount"), ("DB %", "margin"), ("Rabatt %", "discount_amount"),
        ("Abweichung Umsatz %", "revenue"), ("Umsatz Wachstum", "revenue"),
    ],
)  # fmt: skip
def test_what_a_header_never_means(text: str, never: str) -> None:
    assert never not in {m.concept for m in meanings(text) if m.strength >= 0.5}


def test_kept_keys_are_those_that_the_rules_give():
    assert synonyms._keys() == [key(text) for _, _, text in synonyms.texts()]


def test_changed_rules_are_followed_without_the_kept_keys(monkeypatch, tmp_path):
    monkeypatch.setattr(synonyms, "KEPT", tmp_path / "spellings.json")
    kept = key("Kd.-Nr.")
    (tmp_path / "spellings.json").write_text('{"of": 1, "keys": ["wrong"]}')
    assert kept in synonyms._keys()
