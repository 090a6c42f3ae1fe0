"""Files of sales and marketing without sales are kept apart; files that only look a little like them are not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from making import FIRMS, run, table

from klientel.ingest.mapping.apart import kept_apart, kind_of
from klientel.ingest.mapping.rules import look

DAYS = [(date(2024, 1, 8) + timedelta(days=3 * i)).isoformat() for i in range(30)]
NUMBERS = [str(10_040 + 13 * (i % 12)) for i in range(30)]
AMOUNTS = [f"{120.5 + 31 * i:.2f}" for i in range(30)]
UNIQUE = [f"R{i:04d}" for i in range(30)]
SCORES = [str((7 * i) % 11) for i in range(30)]
NAMES = [FIRMS[i % len(FIRMS)] for i in range(30)]
STAGES = [("Qualification", "Proposal", "Closed Won")[i % 3] for i in range(30)]
DEALS = [f"D{i // 3}" for i in range(30)]
COUNTS = [str(1 + i % 9) for i in range(30)]

APART = {
    "stages": {"Deal ID": DEALS, "Stage": STAGES, "Changed on": DAYS},
    "phasen": {"Angebotsnr": DEALS, "Phase": STAGES, "Datum": DAYS, "Benutzer": NAMES},
    "hits": {"Session ID": UNIQUE, "Timestamp": DAYS, "Page": STAGES, "Customer ID": NUMBERS},
    "besucher": {"Besucher-ID": UNIQUE, "Zeitpunkt": DAYS, "Seite": STAGES, "Kundennummer": NUMBERS},
    "usage": {"Customer ID": NUMBERS, "User": NAMES, "Date": DAYS, "Events": COUNTS},
    "nutzung": {"Kundennr": NUMBERS, "Benutzer": NAMES, "Tag": DAYS, "Nutzungsminuten": COUNTS},
    "pools": {"Cost centre": COUNTS, "Month": DAYS, "Department": NAMES, "Amount": AMOUNTS},
    "kostenstellen": {"Kostenstelle": COUNTS, "Monat": DAYS, "Kosten": AMOUNTS, "Kostentreiber": NAMES},
    "nps": {"Response": UNIQUE, "Customer": NAMES, "NPS": SCORES, "Date": DAYS},
    "umfrage": {"Kunde": NAMES, "Frage": STAGES, "Bewertung": SCORES, "Beantwortet am": DAYS},
    "owner": {"Account ID": NUMBERS, "Previous owner": NAMES, "New owner": NAMES, "Date": DAYS},
    "rivals": {"Account ID": NUMBERS, "Competitor": NAMES, "Share %": SCORES},
    "campaigns": {"Campaign": NAMES, "Channel": STAGES, "Spend": AMOUNTS, "Month": DAYS},
}
OURS = {
    "order_line": {"Date": DAYS, "Customer": NAMES, "Session ID": UNIQUE, "Page": STAGES, "Revenue": AMOUNTS},
    "order_line ": {
        "Datum": DAYS,
        "Kundennr": NUMBERS,
        "Kostenstelle": COUNTS,
        "Abteilung": NAMES,
        "Umsatz": AMOUNTS,
    },
    "order_line  ": {
        "Kundennr": NUMBERS,
        "Datum": DAYS,
        "Kampagne": NAMES,
        "Werbekosten": AMOUNTS,
        "Netto": AMOUNTS,
    },
    "customer": {"Kundennr": UNIQUE, "Firma": NAMES, "Branche": STAGES, "NPS": SCORES, "Betreuer": NAMES},
    "opportunity": {
        "Deal ID": UNIQUE,
        "Deal Name": UNIQUE,
        "Stage": STAGES,
        "Competitor": NAMES,
        "Amount": AMOUNTS,
    },
    "interaction": {
        "Activity ID": UNIQUE,
        "User": NAMES,
        "Event type": STAGES,
        "Date": DAYS,
        "Minutes": COUNTS,
    },
    "lead": {
        "Lead ID": UNIQUE,
        "Campaign": NAMES,
        "Cost": AMOUNTS,
        "Lead status": STAGES,
        "Created on": DAYS,
    },
}


TAKEN = {
    "stages": ("opportunity_stage_hist", {"opportunity_id", "stage", "entered_on"}),
    "phasen": ("opportunity_stage_hist", {"opportunity_id", "stage", "entered_on"}),
    "usage": ("usage_event_daily", {"customer_id", "user_hash", "day", "events"}),
    "nutzung": ("usage_event_daily", {"customer_id", "user_hash", "day", "minutes"}),
    "nps": ("survey_response", {"score", "answered_on", "customer_name"}),
    "campaigns": ("campaign", {"name", "channel"}),
}


@pytest.mark.parametrize("name", APART)
def test_what_holds_no_sales_is_told(name: str) -> None:
    """It is one of the tables of sales and marketing where its columns say enough, else it is left aside."""
    (raw, evidence) = made = table(list(APART[name].items()), f"{name}.csv")
    assert kind_of(look(raw, evidence)) is not None
    found = run(made)
    expected, columns = TAKEN.get(name, (None, set()))
    assert [r.table for r in found] == [expected]
    assert columns <= set(found[0].columns)
    assert (kept_apart(look(raw, evidence)) is None) == (expected is not None)


@pytest.mark.parametrize("name", OURS)
def test_what_we_use_is_not(name: str) -> None:
    (raw, evidence) = table(list(OURS[name].items()), "export.csv")
    assert kind_of(look(raw, evidence)) is None


@pytest.mark.parametrize("name", OURS)
def test_and_is_recognised_as_before(name: str) -> None:
    found = run(table(list(OURS[name].items()), "export.csv"))
    assert name.strip() in {r.table for r in found}
