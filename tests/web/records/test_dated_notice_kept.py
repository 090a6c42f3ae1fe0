"""Days of notice and of real ends in a workspace: kept, checked, undone, as from files, and added to older ones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import klientel
from klientel.errors import BadParameter

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
TODAY = date(2024, 3, 1)
HEAD = (
    "Vertragsnummer;Kundennummer;Vertragsbeginn;Vertragsende;Monatsbetrag;Kündigungsfrist (Tage);Vertragsstatus;"
    "Kündigungsdatum;Beendet am"
)
BEFORE = "V{n};K{n};01.0{n}.2022;31.0{n}.2025;1{n}0,00;60;laufend;;"
ORDERS = "Auftragsnr;Kundennummer;Auftragsdatum;Nettobetrag\nA1;K9;29.02.2024;10,00\n"


def bring(home: Any, file: Path) -> None:
    from klientel.web.imports import importing

    importing.run(
        home, [file], options=importing.Options(today=TODAY), progress=lambda what, done, total: None
    )


def written(folder: Path, notice: bool) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [BEFORE.format(n=n) for n in (1, 3, 5)]
    if notice:
        rows[0] = rows[0].replace("laufend;;", "gekündigt;20.10.2023;")
        rows[1] = rows[1].replace("laufend;;", "beendet;;15.11.2023")
    (folder / "vertraege.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    (folder / "auftraege.csv").write_text(ORDERS, encoding="utf-8")
    return folder


def told(source: Any, day: date, name: str = "renewals", **how: Any) -> str:
    found = klientel.analyse(klientel.open_book(source, as_of=day), name, **how).to_dict()
    found.pop("reproduce")
    found.pop("currency")  # that of the workspace; files do not say theirs
    return json.dumps(found, sort_keys=True)


@pytest.mark.slow
def test_the_workspace_answers_as_the_files_do(home: Any, tmp_path: Path) -> None:
    """A later export brings notices of contracts that are there; what was known before them stays."""
    from klientel.web.records.models import Contract

    bring(home, written(tmp_path / "first", notice=False))
    early = told(home.folder, date(2023, 10, 1), months=30)
    second = written(tmp_path / "second", notice=True)
    bring(home, second)
    days = Contract.present.order_by("number").values_list("number", "cancelled_on", "ended_on")
    assert list(days) == [
        ("V1", date(2023, 10, 20), None),
        ("V3", None, date(2023, 11, 15)),
        ("V5", None, None),
    ]
    assert told(home.folder, date(2023, 10, 1), months=30) == early
    for day in (date(2023, 10, 21), date(2024, 3, 1)):
        assert told(home.folder, day, months=30) == told(second, day, months=30)
        here, there = (
            {
                r["customer_id"]: r["status"]
                for r in klientel.open_book(s, as_of=day).customers.to_pyarrow().to_pylist()
            }
            for s in (home.folder, second)
        )
        assert here == there


def test_days_are_checked_and_taken_back(home: Any) -> None:
    from klientel.web.records import acts, services
    from klientel.web.records import models as m

    firm = services.add(m.Company, {"number": "K1", "name": "Alpha GmbH"}, at=AT)
    contract = services.add(
        m.Contract,
        {"company": firm, "number": "V1", "signed_on": date(2022, 1, 5), "start": date(2022, 2, 1)},
        at=AT,
    )
    with pytest.raises(BadParameter, match="still to come"):
        services.edit(contract, {"cancelled_on": date(2025, 1, 1)}, at=AT)
    with pytest.raises(BadParameter, match="is before"):
        services.edit(contract, {"ended_on": date(2021, 1, 1)}, at=AT)
    services.edit(
        contract, {"cancelled_on": date(2024, 2, 1), "ended_on": date(2024, 2, 29)}, at=AT, act="notice"
    )
    kept = m.Contract.objects.get()
    assert (kept.cancelled_on, kept.ended_on) == (date(2024, 2, 1), date(2024, 2, 29))
    acts.take_back("notice", at=AT)
    kept = m.Contract.objects.get()
    assert (kept.cancelled_on, kept.ended_on) == (None, None)


def test_a_workspace_of_before_gets_the_days(home: Any) -> None:
    """An older Klientel left it without the columns: its contracts stay what they are, and can be given notice."""
    from django.core.management import call_command
    from django.db import connections

    from klientel.web import home as homes
    from klientel.web.records import models as m
    from klientel.web.records import services

    firm = services.add(m.Company, {"number": "K1", "name": "Alpha GmbH"}, at=AT)
    services.add(
        m.Contract, {"company": firm, "number": "V1", "start": date(2022, 2, 1), "status": "laufend"}, at=AT
    )
    names = [
        f.attname for f in m.Contract._meta.concrete_fields if f.name not in ("cancelled_on", "ended_on")
    ]
    before = list(m.Contract.objects.values_list(*names))
    call_command("migrate", "records", "0004", verbosity=0, skip_checks=True)
    marker = home.folder / homes.MARKER
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "models": "0" * 16}), encoding="utf-8")
    connections.close_all()
    homes.find(home.folder)
    contract = m.Contract.objects.get()
    assert list(m.Contract.objects.values_list(*names)) == before
    assert (contract.cancelled_on, contract.ended_on) == (None, None)
    services.edit(contract, {"cancelled_on": date(2024, 2, 1)}, at=AT)
    assert m.Contract.objects.get().cancelled_on == date(2024, 2, 1)
