"""Every sentence about files has its German, with the same values in it."""

import ast
import re
from pathlib import Path

from babel.messages.pofile import read_po

import klientel

HOME = Path(klientel.__file__).parent


def spoken() -> set[str]:
    found = set()
    for path in (HOME / "ingest" / "formats").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "mark") and node.args:
                text = node.args[0]
                found |= {text.value} if isinstance(text, ast.Constant) else set()
    return found


def test_every_sentence_is_translated_with_its_values() -> None:
    with (HOME / "locale" / "de" / "parts" / "formats.po").open("rb") as stream:
        german = {str(m.id): str(m.string) for m in read_po(stream) if m.id}
    texts = spoken()
    assert len(texts) > 60
    assert texts == set(german)
    values = re.compile(r"\{\w+\}")
    for text, translation in german.items():
        assert sorted(values.findall(text)) == sorted(values.findall(translation)), text
        assert translation.strip()
