"""What axe says of a page, one line for each fault."""

from __future__ import annotations

from typing import Any

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def faults_of(page: Any) -> list[str]:
    """Rule, meaning and the first place of each violation on an open page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:200]})" for v in found]
