"""A small firm in the workspace of a test, and pages looked at until their answers are there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def firm(served: Any, tmp_path: Any) -> Any:
    """Twelve customers of two sales people with three years of orders, up to the end of 2025."""
    from klientel.web.imports import importing

    lines = ["order_id,customer_id,order_date,net_amount"]
    for i in range(1, 361):
        day = f"{2023 + i // 120 % 3}-{i % 12 + 1:02}-{i % 27 + 1:02}"
        lines.append(f"A{i},C{i % 12:02},{day},{(i * 37 % 90 + 1) * (13 - i % 12)}.50")
    people = ["customer_id,name,industry,owner_rep_id"]
    people += [
        f"C{i:02},Firma <b>{i}</b>,{'Bau' if i % 3 else 'Handel'},{'R1' if i < 6 else 'R2'}"
        for i in range(12)
    ]
    contracts = ["contract_id,customer_id,start,end,recurring_amount,period_months,type"]
    contracts += [f"V{i},C{i:02},2025-0{i + 1}-01,2026-0{i + 1}-01,1200,12,Wartung" for i in range(6)]
    reps = ["rep_id,name,team_id", "R1,Rau,Nord", "R2,Rot,Süd"]
    files = []
    for name, rows in (("orders", lines), ("customers", people), ("reps", reps), ("contracts", contracts)):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text("\n".join(rows), encoding="utf-8")
    importing.run(served, files, options=importing.Options(today=TODAY), progress=lambda *_: None, now=NOW)
    return served


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """look(client, address, mark): the page once what `mark` stands for is not waited for any more."""
    from klientel.web.pages import shell

    monkeypatch.setattr(shell, "today", lambda: TODAY)

    def open_page(client: Any, address: str, mark: str = 'class="waiting"') -> str:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            text = str(client.get(address).content.decode())
            if mark not in text:
                return text
            time.sleep(0.05)
        raise AssertionError(f"no answer came: {address}")

    return open_page
