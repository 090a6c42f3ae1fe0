"""German: every text has its translation with the same values in it; sentences speak both languages."""

from __future__ import annotations

import importlib.util
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from klientel.words import Amount, Share, in_currency, knows, mark, say, translate

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("words_tool", ROOT / "tools" / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_has_its_german_with_the_same_values(tool):
    catalog = tool.read(tool.PO)
    known = tool.texts()
    assert len(known) > 1000
    missing = [text for text in known if text.strip() and (text not in catalog or not catalog[text].string)]
    assert missing == []
    gaps = re.compile(r"\{\w+\}")
    for text in known:
        if text.strip():
            assert sorted(gaps.findall(text)) == sorted(gaps.findall(catalog[text].string)), text


def test_the_compiled_catalogue_is_what_the_texts_say(tool):
    assert tool.main(check=True) == 0


def test_sentences_write_values_in_the_readers_language():
    sentence = say("{n} of {total} rows", n=1234, total=5000)
    assert str(sentence) == "1,234 of 5,000 rows"
    told = say("As of {day}", day=date(2024, 3, 1))
    assert str(told) == "As of 2024-03-01"
    assert translate(say("{x}", x=Share(0.125)), "de") == "12,5\u202f%"
    assert translate(say("{x}", x=Amount("1234.5")), "de") == "1.234,50"
    assert translate(say("{x}", x=date(2024, 3, 1)), "de") == "01.03.2024"


def test_data_in_a_sentence_is_never_translated():
    """A customer may be called like a word of the catalogue."""
    assert knows("Share", "de")
    assert translate(say("{name}", name="Share"), "de") == "Share"
    assert translate(say("{name}", name=mark("Share")), "de") == "Anteil"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("110277.305", "110,277.31"),
        ("-0.305", "−0.31"),
        ("0.304999", "0.30"),
        ("-0.004", "0.00"),
        ("1e33", None),
    ],
)
def test_money_is_rounded_as_merchants_do(value: str, text: str | None) -> None:
    """Half away from zero, on the decimal itself: a float of it may lie below."""
    from klientel.show.figures import written

    told = written(Decimal(value), "money")
    assert told == text or (text is None and told.startswith("1,000,000"))


def test_amounts_in_sentences_are_whole_units_from_a_hundred_on():
    told = lambda amount, currency: translate(say("{x}", x=in_currency(amount, currency)), "de")  # noqa: E731
    assert told(Decimal("12345.5678"), "EUR") == "12.346 EUR"
    assert told(Decimal("-99.995"), "EUR") == translate(
        say("{x} {c}", x=Amount(Decimal("-99.995")), c="EUR"), "de"
    )
    assert told(1234.4, None) == "1.234"
