"""Collects the texts of the sources, merges the parts of the German catalogue, compiles it, checks it.

python tools/words.py          merge parts, report what is missing, write .po and .mo
python tools/words.py --check  change nothing; fail if a text has no German or the .mo is stale
"""

from __future__ import annotations

import ast
import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "klientel"
LOCALE = SOURCE / "locale" / "de"
PO = LOCALE / "LC_MESSAGES" / "klientel.po"
MARKS = ("mark", "say", "_")
FIXED = datetime(2026, 1, 1, tzinfo=UTC)  # a moving date would change the file at every run


def texts() -> dict[str, list[str]]:
    """Every marked text with the places it stands in."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in MARKS:
                for text in _constants(node.args[0]):
                    found.setdefault(text, []).append(str(path.relative_to(ROOT)))
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        for text in in_template(path.read_text(encoding="utf-8")):
            found.setdefault(text, []).append(str(path.relative_to(ROOT)))
    return found


def in_template(content: str) -> list[str]:
    """The texts of {% t "..." %} and {% say "..." n=1 %}, with either kind of quotes."""
    return [two or one for two, one in re.findall(r"""{%\s*(?:t|say)\s+(?:"([^"]*)"|'([^']*)')""", content)]


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _constants(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _constants(node.body) + _constants(node.orelse)
    return []


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="de")


def merged() -> Catalog:
    catalog = Catalog(locale="de", project="klientel", charset="utf-8", fuzzy=False)
    parts = sorted((LOCALE / "parts").glob("*.po")) if (LOCALE / "parts").exists() else []
    for path in [*([PO] if PO.exists() else []), *parts]:
        found = read(path)
        for message in [*found.obsolete.values(), *found]:
            if message.id and message.string:
                catalog.delete(message.id)  # Babel would keep the older of two; a part corrects the catalogue
                catalog.add(message.id, message.string)
    return catalog


def compiled(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main(check: bool) -> int:
    catalog = read(PO) if check else merged()
    known = texts()
    missing = [t for t in known if t.strip() and (t not in catalog or not catalog[t].string)]
    mo = PO.with_suffix(".mo")
    if check:
        stale = not mo.exists() or mo.read_bytes() != compiled(catalog)
        for text in missing:
            print(f"no German: {text!r} ({known[text][0]})")
        if stale:
            print("klientel.mo is not what klientel.po says: run tools/words.py")
        return 1 if missing or stale else 0
    kept = Catalog(
        locale="de",
        project="klientel",
        version="",
        charset="utf-8",
        fuzzy=False,
        creation_date=FIXED,
        revision_date=FIXED,
    )
    unused = {m.id: m for c in (catalog,) for m in c if m.id and m.id not in known}
    for message in unused.values():  # kept aside: a text that comes back finds its German again
        kept.obsolete[message.id] = message
    for text in sorted(known):
        kept.add(text, catalog[text].string if text in catalog and catalog[text] is not None else "")
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, kept, width=110, omit_header=False, sort_output=True)
    mo.write_bytes(compiled(read(PO)))
    print(f"{len(known)} texts, {len(missing)} without German")
    for text in missing:
        print(f"  {text!r} ({known[text][0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
