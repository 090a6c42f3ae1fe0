"""axe finds nothing to complain of on any page: English and German, wide and narrow, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from seen_by_axe import faults_of

PATHS = (
    "/", "/analyses", "/analyses/abc", "/analyses/retention", "/analyses/churn_risk", "/report",
    "/companies", "/companies/add", "/contacts", "/contracts", "/deals", "/deals/board", "/leads", "/interactions",
    "/interactions/add", "/tasks", "/tasks/mine", "/campaigns", "/products", "/portfolios", "/portfolios/add",
    "/duplicates", "/imports", "/imports/new", "/imports/1", "/jobs", "/backups", "/account", "/people", "/people/add",
    "/people/teams", "/people/log",
)  # fmt: skip


def pages_of(firm: Any, page: Any) -> list[str]:
    """The pages of PATHS that are there, and one of each kind of record."""
    page.goto(f"{firm.address}/companies")
    customer = page.locator("tbody a").first.get_attribute("href")
    page.goto(f"{firm.address}/leads")
    lead = page.locator("tbody a").first.get_attribute("href")
    return [*PATHS, customer, lead]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width", "dark"), [("en", 1360, False), ("de", 390, True)])
def test_no_page_keeps_anybody_out(firm: Any, language: str, width: int, dark: bool) -> None:
    """Contrast, names, landmarks, order of headings, labels: nothing is missing; nothing is wider than the screen."""
    page = firm.person("demo", language=language, width=width, dark=dark)
    faults = {}
    for path in pages_of(firm, page):
        answer = page.goto(f"{firm.address}{path}")
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        found = faults_of(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the screen")
        if found:
            faults[path] = found
    assert faults == {}
    assert page.faults == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_door_keeps_nobody_out(firm: Any, language: str) -> None:
    """The page to sign in at."""
    page = firm.stranger(language=language)
    page.goto(firm.address)
    assert page.url.startswith(f"{firm.address}/sign-in")
    assert faults_of(page) == []
