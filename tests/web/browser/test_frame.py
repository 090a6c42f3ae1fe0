"""The frame in a real browser: nothing blocked, colours, the rail on a phone."""

from __future__ import annotations

from typing import Any


def test_first_page_wide_and_narrow(firm: Any, no_faults: Any) -> None:
    """Styles and scripts load under the policy; on a phone the rail opens by its button."""
    page = firm.person("head.of.sales")
    page.goto(firm.address)
    assert page.locator("h1").inner_text()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    no_faults(page)
    phone = firm.person("head.of.sales", width=390, language="de", dark=True)
    phone.goto(firm.address)
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 29)"
    assert not phone.locator("#places").is_visible()
    phone.locator(".menu-button").click()
    assert phone.locator("#places").is_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    no_faults(phone)


def test_colours_are_kept(firm: Any) -> None:
    """Whoever chooses dark has it on the next page, too."""
    page = firm.person("head.of.sales")
    page.goto(firm.address)
    page.locator(".whoami summary").click()
    page.locator("[data-mode-button=dark]").click()
    page.goto(firm.address)
    assert page.locator("html").get_attribute("data-mode") == "dark"
