"""Results to be shown, and German spoken from the catalogue part of this area."""

from __future__ import annotations

import gettext
import sys
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from klientel import words
from klientel.ingest.raw import Rejection
from klientel.show.report import BookSummary

sys.path.insert(0, str(Path(__file__).parent))

PART = Path(words.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "klientel.po"


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    """German from show.po alone, so that the test does not depend on the merged catalogue."""
    with PART.open("rb") as part:
        catalogue = read_po(part, locale="de")
    made = BytesIO()
    write_mo(made, catalogue)
    made.seek(0)
    spoken = gettext.GNUTranslations(made)
    monkeypatch.setattr(
        words, "_catalogue", lambda lang: spoken if lang == "de" else gettext.NullTranslations()
    )


@pytest.fixture
def summary() -> BookSummary:
    return BookSummary(
        sources=("orders <2023>.csv", "customers.xlsx"),
        as_of=date(2024, 3, 1),
        currency="EUR",
        first_day=date(2021, 1, 4),
        last_day=date(2024, 2, 29),
        customers=640,
        accepted={"order_line": 54012, "customer": 640},
        rejected={"order_line": 2},
        status={"active": 512, "former": 128},
        rejections=[
            Rejection("orders.csv", 17, "Betrag", "=1+1", "The value is not a number.", "Write 1.234,56."),
            Rejection("orders.csv", 18, "Datum", "<b>x", "The value is not a date.", "Write 01.03.2024."),
        ],
        notes=("Semicolon, Windows-1252.",),
        locked={"win_rate_of_tests": "There are no opportunities."},
        version="9.9.9",
    )
