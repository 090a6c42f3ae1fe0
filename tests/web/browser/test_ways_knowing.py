"""Ways 6 to 9: rights and their effect, two dates side by side, a list as a file, the palette."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

LONG = 60_000


def total(page: Any, address: str) -> str:
    """What the ABC page says that the portfolio carries."""
    page.goto(f"{address}/analyses/abc")
    answer = page.locator("#answer:not(.waiting)")
    answer.wait_for(timeout=LONG)
    tile = answer.get_by_role("listitem").filter(has_text=re.compile("^Total value"))
    return str(tile.inner_text().split("\n")[1])


def test_rights_given_are_seen_by_the_other_person(firm: Any) -> None:
    """The guest sees nothing; the administrator lets him read; the list and the total are there."""
    guest, boss = firm.person("guest"), firm.person("demo")
    guest.goto(f"{firm.address}/companies")
    expect(guest.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    guest.goto(f"{firm.address}/analyses/abc")
    expect(guest.get_by_role("main")).to_contain_text("There are no customers in what you may see")

    boss.goto(f"{firm.address}/people")
    boss.get_by_role("table").get_by_role("link", name="guest").click()
    boss.get_by_role("radio", name="read: all customers", exact=True).check()
    boss.get_by_role("button", name="Save the rights").click()
    expect(boss.get_by_role("row", name=re.compile("^read "))).to_contain_text("customers: 189")

    guest.goto(f"{firm.address}/companies")
    expect(guest.get_by_role("status").filter(has_text="found")).to_contain_text("189")
    expect(guest.get_by_role("link", name="Add")).to_have_count(0)
    assert total(guest, firm.address) == total(boss, firm.address)

    boss.get_by_role("link", name="People and rights").click()
    boss.get_by_role("table").get_by_role("link", name="guest").click()
    boss.get_by_role("radio", name="read: nobody's customers", exact=True).check()
    boss.get_by_role("button", name="Save the rights").click()
    expect(boss.get_by_role("row", name=re.compile("^read "))).to_contain_text("no customers")
    guest.goto(f"{firm.address}/companies")
    expect(guest.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    assert guest.faults == boss.faults == []


def test_two_dates_are_compared(firm: Any) -> None:
    """Two days chosen in the form: both figures side by side, and who changed class; the address holds the choice."""
    page = firm.person("head.of.sales", language="de")
    page.goto(f"{firm.address}/analyses")
    page.get_by_role("link", name="ABC-Analyse").first.click()
    page.get_by_label("Stand").fill("2024-07-01")
    page.get_by_label("Verglichen mit").fill("2023-07-01")
    page.get_by_role("button", name="Anzeigen").click()
    side = page.get_by_role("heading", name="01.07.2024 verglichen mit 01.07.2023")
    expect(side).to_be_visible(timeout=LONG)
    figures = page.get_by_role("region", name="Kennzahlen beider Tage")
    expect(figures.get_by_role("columnheader")).to_contain_text(["01.07.2023", "01.07.2024"])
    before, after = figures.get_by_role("row", name="Gesamtwert").get_by_role("cell").all_inner_texts()[:2]
    assert before != after
    expect(page.get_by_role("heading", name="Klasse: wer gewechselt hat")).to_be_visible()
    assert {"as_of=2024-07-01", "compare=2023-07-01"} <= set(re.split("[?&]", page.url))
    page.reload()
    expect(side).to_be_visible(timeout=LONG)
    assert page.faults == []


def test_a_filtered_list_leaves_as_csv_and_as_xlsx(firm: Any, tmp_path: Path) -> None:
    """Only what the filter shows, in the language of the person; a name like a formula is harmless in both."""
    page = firm.person("demo")
    page.goto(f"{firm.address}/companies/add")
    page.get_by_role("textbox", name="Name", exact=True).fill('=HYPERLINK("http://evil.example") AG')
    page.get_by_role("textbox", name="City").fill("Emden")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="HYPERLINK", level=1)).to_be_visible()

    page.goto(f"{firm.address}/companies")
    page.get_by_role("link", name="Filter").click()
    page.get_by_role("group", name="City").get_by_role("textbox", name="Contains").fill("Emden")
    page.get_by_role("dialog").get_by_role("button", name="Show").click()
    expect(page.get_by_role("status").filter(has_text="found")).to_contain_text(re.compile(r"^1\s"))
    names = page.get_by_role("table").get_by_role("rowheader").all_inner_texts()

    files = {}
    for form, link in (("csv", "As CSV"), ("xlsx", "As Excel workbook")):
        page.locator("summary").filter(has_text="Export").click()
        with page.expect_download() as coming:
            page.get_by_role("link", name=link).click()
        files[form] = tmp_path / coming.value.suggested_filename
        coming.value.save_as(files[form])
        page.keyboard.press("Escape")
    with files["csv"].open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["Name"].removeprefix("'") for row in rows] == names
    assert all(row["Name"].startswith("'=") for row in rows)
    with zipfile.ZipFile(files["xlsx"]) as book:
        parts = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert "HYPERLINK" in parts
    assert "<f>" not in parts
    assert page.faults == []


def test_the_palette_by_keyboard_alone(firm: Any) -> None:
    """Ctrl+K, some letters, arrows, Enter; Escape closes it. No mouse."""
    page = firm.person("demo", language="de")
    page.goto(firm.address)
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Suchen")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("Dorgenmeyer")
    hit = palette.get_by_role("option", name=re.compile("Dorgenmeyer Spritzguss SE")).first
    expect(hit).to_be_visible()
    while hit.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dorgenmeyer Spritzguss SE", level=1)).to_be_visible()

    page.keyboard.press("Control+k")
    page.keyboard.type("abc-ana")  # faster than the palette comes, and Enter before it has answered
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="ABC-Analyse", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    assert page.faults == []
