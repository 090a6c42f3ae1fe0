"""The examples in the docs run as they stand."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import date
from pathlib import Path

import cast
from klientel.analysis import Analysis
from klientel.answer import answer

ROOT = Path(__file__).parent.parent.parent


def test_the_example_analysis_runs(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "adding-an-analysis.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    path = tmp_path / "baskets_example.py"
    path.write_text(code[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("baskets_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "baskets_example", module)
    spec.loader.exec_module(module)
    assert isinstance(module.baskets, Analysis)
    result = answer(cast.book(), module.baskets)
    rows = result.tables["customers"].to_pyarrow().to_pylist()
    assert rows[0] == {"customer_id": "K01", "basket": 3000}
    assert answer(cast.book(as_of=date(2000, 1, 1)), module.baskets).quality.n == 0


def test_readme_names_every_command_and_analysis():
    from klientel.analyses import ANALYSES

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ANALYSES:
        assert f"`{name}`" in text
    for command in ("analyse", "check", "analyses", "report", "demo"):
        assert f"klientel {command}" in text or f"make {command}" in text


def test_changelog_carries_the_version():
    import klientel

    assert f"## {klientel.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_of_the_docs_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
