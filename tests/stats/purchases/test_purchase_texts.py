"""Every text of the purchase and spend models has its German sentence with the same gaps."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import klientel

HOME = Path(klientel.__file__).parent
FILES = [*(HOME / "stats" / "purchases").glob("*.py"), HOME / "stats" / "spend.py"]


def spoken() -> set[str]:
    calls = [n for f in FILES for n in ast.walk(ast.parse(f.read_text())) if isinstance(n, ast.Call)]
    named = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("mark", "say")]
    return {c.args[0].value for c in named if isinstance(c.args[0], ast.Constant)}


def test_german_is_complete_and_has_the_same_gaps():
    text = (HOME / "locale" / "de" / "parts" / "stats_purchases.po").read_text()
    pairs = re.findall(r'^msgid (".+")\nmsgstr (".+")$', text, re.MULTILINE)
    german = {ast.literal_eval(a): ast.literal_eval(b) for a, b in pairs}
    assert spoken() == german.keys()
    assert len(german) > 20
    for english, other in german.items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", other)), english
