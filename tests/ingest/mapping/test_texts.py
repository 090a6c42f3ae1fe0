
"""Every sentence that recognition says has a German translation with the same values."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from babel.messages.pofile import read_po

import klientel.ingest.mapping as mapping


def _templates() -> set[str]:
    found = set()
    for path in Path(mapping.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"say", "mark"}
            ):
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno} builds its text"
                found.add(str(node.args[0].value))
    return found


def test_every_sentence_is_there_in_german() -> None:
    path = Path(mapping.__file__).parents[2] / "locale" / "de" / "parts" / "mapping.po"
    with path.open("rb") as file:
        german = {str(m.id): str(m.string) for m in read_po(file) if m.id}
    assert len(_templates()) > 50
    assert _templates() == set(german)
    for english, translated in german.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", translated)), english
        assert translated.strip()
