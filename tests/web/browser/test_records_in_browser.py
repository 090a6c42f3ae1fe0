"""Lists, forms and the board in a real browser: focus, addresses, keyboard, dragging, undo."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def page(firm: Any) -> Any:
    """The administrator of the simulated firm."""
    return firm.person("demo")


def holds(text: str) -> re.Pattern[str]:
    """An address that holds a text."""
    return re.compile(f".*{re.escape(text)}.*")


def test_searching_keeps_the_focus_and_the_address(firm: Any, page: Any, no_faults: Any) -> None:
    """What is typed goes into the address, the field stays where it is, sorting keeps the words, back goes back."""
    page.goto(f"{firm.address}/companies")
    page.click("#list-words")
    page.keyboard.type("gmbh", delay=40)
    page.wait_for_url(holds("q=gmbh"))
    assert page.evaluate("document.activeElement.id") == "list-words"
    page.click("#sort-city")
    page.wait_for_url(holds("sort=city"))
    assert "q=gmbh" in page.url
    page.wait_for_selector("th[aria-sort=ascending] #sort-city")
    assert page.evaluate("document.activeElement.id") == "sort-city"
    page.go_back()
    page.wait_for_url(re.compile(r".*q=gmbh$"))
    page.wait_for_selector("header.rail nav")
    no_faults(page)


def test_a_filter_goes_into_a_short_address(firm: Any, page: Any, no_faults: Any) -> None:
    """The form of the filters opens above the list; empty inputs leave no trace."""
    page.goto(f"{firm.address}/companies?sort=-employees")
    page.click("#open-filters")
    page.wait_for_selector("#list-dialog[open]")
    page.check("#list-dialog input[name='f.country'] >> nth=0")
    page.click("#list-dialog button.primary")
    page.wait_for_url(holds("f.country="))
    assert len(page.url) < len(firm.address) + 60
    assert "sort=-employees" in page.url
    assert page.locator(".chip").count() == 1
    no_faults(page)


def test_a_company_is_chosen_by_keyboard(firm: Any, page: Any, no_faults: Any) -> None:
    """Arrows and Enter take an option and do not send the form."""
    page.goto(f"{firm.address}/companies")
    name = page.locator("tbody a.row").first.inner_text()
    page.goto(f"{firm.address}/deals/add")
    page.click("#field-company_id")
    page.keyboard.type(name[:4], delay=40)
    page.wait_for_selector(".options button")
    page.keyboard.press("Enter")
    assert page.url.endswith("/deals/add")
    assert page.input_value("input[name=company_id]").isdecimal()
    assert page.input_value("#field-company_id")
    no_faults(page)


def test_a_deal_is_dragged_and_put_back(firm: Any, page: Any, no_faults: Any) -> None:
    """Dragging moves it, undo moves it back; the menu does the same by keyboard; lost asks why."""
    page.goto(f"{firm.address}/deals/board")
    stages = page.locator(".board > section").filter(has=page.locator(".card"))
    first = stages.first.get_attribute("data-stage")
    sections = page.locator(".board > section").evaluate_all("all => all.map(s => s.dataset.stage)")
    other = next(s for s in sections if s and s != first and not s.startswith("="))
    card = page.locator(f"section[data-stage='{first}'] .card").first
    address = card.locator("h3 a").get_attribute("href")
    card.drag_to(page.locator(f"section[data-stage='{other}'] > h2"))
    page.wait_for_selector(".messages")
    assert page.locator(f"section[data-stage='{other}'] a[href='{address}']").count() == 1
    page.click(".messages button")
    page.wait_for_selector(f"section[data-stage='{first}'] a[href='{address}']")
    page.locator(f"section[data-stage='{first}'] .card summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messages:has-text('is in stage')")
    page.locator(".board .card").first.drag_to(page.locator("section[data-stage='=lost'] > h2"))
    page.wait_for_url(holds("/close?outcome=lost"))
    no_faults(page)


def test_the_palette_leads_to_a_customer(firm: Any, page: Any, no_faults: Any) -> None:
    """Ctrl+K, some letters, Enter."""
    page.goto(f"{firm.address}/companies")
    name = page.locator("tbody a.row").first.inner_text()
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette input")
    page.keyboard.type(name, delay=10)
    page.locator("#palette .found a", has_text=name).first.wait_for()
    page.wait_for_selector("#palette .found a[aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_url(holds("/customers/"))
    assert name in page.inner_text("main")
    no_faults(page)


def test_ticked_records_are_changed_and_put_back(firm: Any, page: Any, no_faults: Any) -> None:
    """The bar at the bottom knows how many are ticked and what can be changed."""
    page.goto(f"{firm.address}/companies?cols=name,segment")
    page.check("tbody tr:nth-child(1) input")
    page.check("tbody tr:nth-child(2) input")
    assert page.inner_text("[data-ticked-count]") == "2"
    page.select_option("#bulk-column", "segment")
    page.wait_for_selector("#bulk-new")
    page.fill("#bulk-new", "key")
    page.click("#bulk-value button")
    page.wait_for_selector(".messages:has-text('2 changed')")
    assert page.locator("tbody td", has_text="key").count() == 2
    page.click(".messages button")
    page.wait_for_selector(".messages:has-text('2 restored')")
    assert page.locator("tbody td", has_text="key").count() == 0
    no_faults(page)
