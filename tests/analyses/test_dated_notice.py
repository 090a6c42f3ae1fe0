"""Notice and early ends of contracts with a day: what was known before them does not change when they come in."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import klientel

NOTICE, ENDED = date(2023, 10, 20), date(2023, 11, 15)
_SCHEMA = pa.schema(
    [
        ("contract_id", pa.string()), ("customer_id", pa.string()), ("type", pa.string()), ("signed_on", pa.date32()),
        ("start", pa.date32()), ("end", pa.date32()), ("recurring_amount", pa.decimal128(18, 4)),
        ("period_months", pa.int64()), ("notice_days", pa.int64()), ("status", pa.string()), ("ended", pa.bool_()),
        ("cancelled_on", pa.date32()), ("ended_on", pa.date32()),
    ]
)  # fmt: skip
# analysis -> parameters with which it reads contracts
READERS: dict[str, dict[str, Any]] = {
    "renewals": {"months": 24},
    "retention": {"basis": "contracts"},
    "lifetime": {"basis": "contracts"},
    "lifetime_value": {"business": "contracts"},
}


def terms(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Yearly terms of twelve customers up to 2024, who mostly renew; contracts by number with what changed."""
    found = []
    for c in range(12):
        start = date(2018 + c % 3, 1 + c, 10)
        for n in range(8):
            if start >= date(2024, 1, 1) or (c in (3, 7) and n == 3):
                break
            end = start.replace(year=start.year + 1)
            found.append(
                {
                    "contract_id": f"{c}-{start.year}", "customer_id": f"C{c}", "type": "service", "signed_on": start,
                    "start": start, "end": end, "recurring_amount": D(100 + 10 * c), "period_months": 1,
                    "notice_days": 60, "status": "running", "ended": None, "cancelled_on": None, "ended_on": None,
                }
            )  # fmt: skip
            start = end
    assert set(changed) <= {f"n{t['contract_id']}".replace("-", "_") for t in found}
    return [t | changed.get(f"n{t['contract_id']}".replace("-", "_"), {}) for t in found]


def book(rows: list[dict[str, Any]], as_of: date, last: date = date(2024, 6, 30), **how: Any) -> Any:
    """A Book of contracts beside sales that go on until `last`."""
    days = [date(2020, 1, 1), last]
    lines = pa.table({"customer_id": ["Z", "Z"], "order_date": days, "net_amount": [D("5.00")] * 2})
    return klientel.open_book(
        {"order_line": lines, "project_contract": pa.Table.from_pylist(rows, _SCHEMA)}, as_of=as_of, **how
    )


def told(opened: Any, name: str) -> str:
    found = klientel.analyse(opened, name, **READERS[name]).to_dict()
    found.pop("reproduce")
    return json.dumps(found, sort_keys=True)


def due(opened: Any, months: int = 24) -> dict[str, Any]:
    found = klientel.analyse(opened, "renewals", months=months).tables["contracts"].to_pyarrow().to_pylist()
    return {r["contract_id"]: r["end"] for r in found}


def reasons(opened: Any) -> dict[str, str]:
    return {r["customer_id"]: r["status_reason"] for r in opened.customers.to_pyarrow().to_pylist()}


NOTED = {"status": "terminated", "ended": True, "cancelled_on": NOTICE, "ended_on": ENDED}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_what_was_known_before_a_notice_does_not_change_when_it_comes_in(name: str) -> None:
    """The notice is an update of the same contract; another contract has a status without a day."""
    other = {"status": "gekündigt"}
    before, after = terms(n5_2023=other), terms(n5_2023=other, n4_2023=NOTED)
    # the data go on, or they end with the as-of date; on the day itself the notice is not known yet
    for last in (
        (date(2024, 6, 30), NOTICE - timedelta(days=1)) if name == "renewals" else (date(2024, 6, 30),)
    ):
        assert told(book(before, NOTICE, last), name) == told(book(after, NOTICE, last), name)
    later = date(2024, 1, 10)
    assert told(book(before, later), name) != told(book(after, later), name)


def test_at_the_end_of_the_data_a_later_notice_changes_nothing_either() -> None:
    before, after = (
        terms(n5_2023={"status": "gekündigt"}),
        terms(n5_2023={"status": "gekündigt"}, n4_2023=NOTED),
    )
    last = NOTICE - timedelta(days=1)
    assert reasons(book(before, NOTICE, last)) == reasons(book(after, NOTICE, last))
    for name in ("retention", "lifetime"):
        assert told(book(before, NOTICE, last), name) == told(book(after, NOTICE, last), name)


def test_notice_counts_from_the_day_after() -> None:
    rows = terms(n4_2023={"cancelled_on": NOTICE})
    assert due(book(rows, NOTICE))["4-2023"] == date(2024, 5, 10)
    assert "4-2023" not in due(book(rows, NOTICE + timedelta(days=1)))
    assert reasons(book(rows, NOTICE + timedelta(days=1)))["C4"] == "contract"  # it runs until its end
    assert reasons(book(rows, date(2024, 5, 11)))["C4"] == "ended"


def test_a_status_without_a_day_counts_at_the_end_of_the_data_only() -> None:
    rows, last = terms(n4_2023={"status": "terminated"}), date(2023, 12, 20)
    assert "4-2023" in due(book(rows, last, last))
    assert "4-2023" not in due(book(rows, last + timedelta(days=1), last))
    # of a contract whose notice is dated later the status was not known, whatever is known of others
    later = terms(
        n4_2023={"status": "terminated", "cancelled_on": date(2023, 12, 25)}, n5_2023={"status": "gekündigt"}
    )
    found = due(book(later, last + timedelta(days=1), last))
    assert "4-2023" in found
    assert "5-2023" not in found


def test_an_early_end_counts_once_its_day_is_over() -> None:
    rows = terms(n4_2023={"ended_on": ENDED})
    assert "4-2023" in due(book(rows, ENDED))
    assert reasons(book(rows, ENDED))["C4"] == "contract"
    after = book(rows, ENDED + timedelta(days=1))
    assert "4-2023" not in due(after)
    assert reasons(after)["C4"] == "ended"
    decided = [
        klientel.analyse(book(rows, day), "renewals").figures["decided_renewals"]
        for day in (ENDED + timedelta(days=30), ENDED + timedelta(days=31))
    ]
    assert decided[1] == decided[0] + 1


def test_a_contract_that_went_on_ended_when_it_really_did() -> None:
    rows = [t for t in terms(n4_2022={"ended_on": ENDED}) if t["contract_id"] != "4-2023"]
    assert reasons(book(rows, date(2023, 6, 1)))["C4"] == "ended"  # its end of May is all that is known
    known = book(rows, date(2024, 1, 1))._as_of("project_contract").to_pyarrow().to_pylist()
    assert {r["contract_id"]: r["end"] for r in known}["4-2022"] == ENDED


@pytest.mark.parametrize(("period", "over"), [(60, date(2023, 12, 19)), (None, NOTICE)])
def test_notice_of_a_contract_without_an_end_lets_it_run_until_the_period_is_over(
    period: int | None, over: date
) -> None:
    given = {"end": None, "cancelled_on": NOTICE, "notice_days": period}
    rows = [t for t in terms(n4_2022=given) if t["contract_id"] != "4-2023"]
    assert reasons(book(rows, NOTICE))["C4"] == "contract"
    assert reasons(book(rows, over))["C4"] == "contract"
    assert reasons(book(rows, over + timedelta(days=1)))["C4"] == "ended"


def test_days_of_notice_stand_for_ends_that_no_file_has(tmp_path: Path) -> None:
    """Subscriptions have a start and a day of cancellation: they run until it, and renewals are not locked."""
    file = tmp_path / "subscriptions.csv"
    file.write_text(
        "Subscription ID,Customer,Start date,MRR,Cancellation date\n"
        "S1,Alpha Ltd,2022-01-15,100.00,\nS2,Beta Ltd,2022-02-15,200.00,2023-03-01\nS3,Gamma Ltd,2022-03-15,50.00,\n"
    )
    opened = klientel.open_book(file, as_of=date(2023, 2, 1))
    assert "cancelled_on" in opened.columns("contracts")
    assert "end" in opened.columns("contracts")
    assert set(reasons(opened).values()) == {"contract"}
    later = klientel.open_book(file, as_of=date(2023, 6, 1))
    assert sorted(reasons(later).values()) == ["contract", "contract", "ended"]
    assert klientel.analyse(later, "renewals").figures["open_ended"] == 2


def test_contracts_that_ended_do_not_stand_for_sales() -> None:
    rows = terms(
        n4_2023={"ended_on": ENDED}, n6_2023={"end": None, "cancelled_on": NOTICE, "notice_days": 10}
    )
    table = pa.Table.from_pylist([t for t in rows if t["start"].year == 2023], _SCHEMA)

    def stand(today: date | None) -> set[str]:
        opened = klientel.open_book({"project_contract": table}, today=today)
        return {r["customer_id"] for r in opened.tables["lines"].to_pyarrow().to_pylist()}

    assert {"C4", "C6"} <= stand(ENDED - timedelta(days=20))
    assert "C4" in stand(ENDED)
    assert "C4" not in stand(ENDED + timedelta(days=1))
    assert "C6" not in stand(ENDED)
    assert "C4" not in stand(None)


def test_german_files_say_it_in_german(tmp_path: Path) -> None:
    file = tmp_path / "vertraege.csv"
    file.write_text(
        "Vertragsnummer;Kundennummer;Unterzeichnet;Vertragsbeginn;Vertragsende;Monatsbetrag;Gekündigt am;Beendet am\n"
        "V1;K1;10.01.2022;01.02.2022;31.01.2025;100,00;20.10.2023;\n"
        "V2;K2;11.01.2022;01.03.2022;28.02.2025;200,00;;15.11.2023\n"
        "V3;K3;12.01.2022;01.04.2022;31.03.2025;300,00;;\n",
        encoding="utf-8",
    )
    opened = klientel.open_book(file, as_of=date(2023, 12, 1))
    rows = {r["contract_id"]: r for r in opened.tables["project_contract"].to_pyarrow().to_pylist()}
    assert (rows["V1"]["cancelled_on"], rows["V2"]["ended_on"]) == (NOTICE, ENDED)
    assert set(due(opened)) == {"V3"}
    assert set(due(klientel.open_book(file, as_of=date(2023, 10, 1)))) == {"V1", "V2", "V3"}
