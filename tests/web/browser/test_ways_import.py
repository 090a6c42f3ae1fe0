"""Ways 1 and 2: from an empty workspace and a file to the ABC page; real files through the wizard and out again."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
LONG = 60_000
"""How long a job may take on a busy machine, in milliseconds."""


def real(*names: str) -> list[Path]:
    """The real files of these names; skips loudly where they are not."""
    paths = [DATA / name for name in names]
    for path in paths:
        if not path.exists():
            pytest.skip(f"SKIPPED, NO REAL DATA: {path.name}")
    return paths


def test_two_columns_become_an_abc_page(empty: Any, drop: Any, tmp_path: Path) -> None:
    """Somebody new drops customer and revenue and clicks once; the classes are there within a minute."""
    bought = tmp_path / "umsatz.csv"
    bought.write_text(
        "Kunde;Umsatz\n"
        "Ackermann Anlagen GmbH;8.000,00\nBrandt & Söhne;1.000,00\nCelle Chemie AG;500,00\n"
        "Dörr Dichtungen KG;300,00\nEbert Elektro e. K.;200,00\n",
        encoding="utf-8",
    )
    page = empty.person("boss", language="de")
    page.goto(empty.address)  # the first page takes files while there is nothing else to see

    begun = time.monotonic()
    drop(page, bought)
    expect(page.get_by_role("heading", name="Stimmt das so?")).to_be_visible()
    page.get_by_role("button", name="Importieren und Kunden ansehen").click()
    expect(page.get_by_role("heading", name="ABC-Analyse", level=1)).to_be_visible(timeout=LONG)
    table = page.get_by_role("region", name="Kunden nach Wert")
    expect(table).to_be_visible(timeout=LONG)
    took = time.monotonic() - begun
    print(f"from the drop to the ABC page, with one click: {took:.1f} s")

    best = table.get_by_role("row").filter(has_text="Ackermann Anlagen GmbH")
    expect(best).to_contain_text("8.000,00")
    expect(best).to_contain_text(re.compile(r"80,0\s%"))
    grades = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()[1:]]
    assert ["".join(set(cells) & set("ABC")) for cells in grades] == ["A", "B", "B", "C", "C"]
    assert took < 60
    assert page.faults == []


@pytest.mark.real
def test_northwind_comes_in_and_goes_again(empty: Any, drop: Any) -> None:
    """Eight tables at once: recognised, tried, imported, counted to the cent, undone."""
    page = empty.person("boss")
    page.goto(f"{empty.address}/imports")
    names = (
        "categories",
        "customers",
        "employees",
        "order_details",
        "orders",
        "products",
        "region",
        "suppliers",
    )
    drop(page, *real(*(f"northwind/{name}.csv" for name in names)))

    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("2,155 rows taken")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Dry run", exact=True).click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("row", name=re.compile("Customers 91"))).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="ABC analysis", level=1)).to_be_visible(timeout=LONG)
    table = page.get_by_role("region", name="Customers by value")
    expect(table.get_by_role("row").nth(1)).to_contain_text("Save-a-lot Markets", timeout=LONG)
    page.goto(f"{empty.address}/analyses/abc?p.window=all")
    expect(table.get_by_role("row").nth(1)).to_contain_text("110,277.3", timeout=LONG)  # README: QUICK
    counts = page.get_by_role("listitem").filter(has_text="Customers in class A").first
    expect(counts).to_contain_text("34")  # README: A 34, B 27, C 28

    page.goto(f"{empty.address}/imports")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_text("Nothing was changed since: all of it can be taken back.")).to_be_visible()
    page.get_by_role("button", name="Undo import 1").click()
    expect(page.get_by_text("nothing of it counts any more")).to_be_visible(timeout=LONG)
    page.goto(f"{empty.address}/companies")
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    assert page.faults == []


@pytest.mark.real
@pytest.mark.slow
def test_online_retail_comes_in_packed(empty: Any, drop: Any) -> None:
    """Half a million lines in a .csv.gz; the revenue of the last year is that of the README."""
    page = empty.person("boss", language="de")
    page.goto(f"{empty.address}/imports")
    drop(page, *real("online_retail/online_retail.csv.gz"))
    expect(page.get_by_role("heading", name="Stimmt das so?")).to_be_visible(timeout=3 * LONG)
    page.get_by_role("button", name="Importieren und Kunden ansehen").click()
    expect(page.get_by_role("heading", name="ABC-Analyse", level=1)).to_be_visible(timeout=5 * LONG)
    expect(page.get_by_role("region", name="Kunden nach Wert")).to_be_visible(timeout=3 * LONG)
    outcome = page.get_by_role("status").filter(has_text="ist fertig")
    expect(outcome).to_contain_text("406.829")  # README: 541,909 lines, 135,080 of them without a customer
    expect(outcome).to_contain_text("135.080")
    expect(page.get_by_role("listitem").filter(has_text="Kunden der Klasse A").first).to_contain_text("1.170")
    expect(page.get_by_role("listitem").filter(has_text="Gesamtwert").first).to_contain_text("8,01")
    assert page.faults == []
