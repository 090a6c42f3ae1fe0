"""Writes the reference part of each analysis page and of the schema page from the declarations.

python tools/docs.py          write
python tools/docs.py --check  change nothing; fail if a page is not what the declarations say
"""

from __future__ import annotations

import sys
from pathlib import Path

from klientel.analyses import ANALYSES
from klientel.analysis import GROUPS, Analysis
from klientel.schema import TABLES
from klientel.words import translate

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- reference: begin (written by tools/docs.py) -->", "<!-- reference: end -->"


def reference(analysis: Analysis) -> str:
    """Parameters, figures and tables of one analysis as Markdown."""
    out = [
        "## Reference",
        "",
        f"German title: {translate(analysis.title, 'de')}. {translate(analysis.question, 'de')}",
        "",
    ]
    needs = [
        f"`{n.table}`" + (" (optional)" if n.optional else f" (or `{n.instead}`)" if n.instead else "")
        for n in analysis.needs
    ]
    out += [f"Reads {', '.join(dict.fromkeys(needs))}.", ""]
    if analysis.params:
        out += ["| parameter | default | range | meaning |", "|---|---|---|---|"]
        for p in analysis.params:
            limits = ", ".join(p.choices)
            if p.min is not None or p.max is not None:
                limits = f"{_limit(p.min)} – {_limit(p.max)}"
            out.append(f"| `{p.name}` | {p.default} | {limits} | {p.title} |")
        out.append("")
    out += ["| figure | title | unit | definition |", "|---|---|---|---|"]
    out += [f"| `{f.name}` | {f.title} | {f.unit} | {f.meaning} |" for f in analysis.figures]
    for table in analysis.tables:
        out += [
            "",
            f"Table `{table.name}`: {table.title}. {table.meaning}".rstrip(),
            "",
            "| column | title | unit | meaning |",
            "|---|---|---|---|",
        ]
        out += [f"| `{c.name}` | {c.title} | {c.unit} | {c.meaning} |" for c in table.columns]
    if analysis.charts:
        out += [
            "",
            "Charts: " + ", ".join(f"`{c.name}` ({c.title or c.kind})" for c in analysis.charts) + ".",
        ]
    return "\n".join(out)


def _limit(value: float | None) -> str:
    return "…" if value is None else f"{value:g}"


def with_reference(text: str, part: str) -> str:
    """The page with its reference part replaced, or added at the end."""
    block = f"{BEGIN}\n{part}\n{END}\n"
    if BEGIN in text:
        return text[: text.index(BEGIN)] + block
    return text.rstrip() + "\n\n" + block


def schema_page() -> str:
    """All canonical tables and columns as Markdown."""
    out = [
        "# Tables and columns",
        "",
        'What any file is mapped to. `--map TABLE.COLUMN="Header"` uses these names. Written by tools/docs.py.',
    ]
    for entity in TABLES.values():
        needs = " and ".join(" or ".join(f"`{c}`" for c in group) for group in entity.required)
        out += [
            "",
            f"## `{entity.name}`: {entity.title} / {translate(entity.title, 'de')}",
            "",
            f"Needs {needs}.",
            "",
        ]
        out += ["| column | kind | English | Deutsch | meaning | personal |", "|---|---|---|---|---|---|"]
        out += [
            f"| `{f.name}` | {f.kind} | {f.title} | {translate(f.title, 'de')} | {f.meaning} | "
            f"{'yes' if f.personal else ''} |"
            for f in entity.fields
        ]
    return "\n".join(out) + "\n"


def index_page() -> str:
    """The list of analyses as Markdown."""
    out = ["# Analyses", "", "Written by tools/docs.py from the declarations."]
    group = ""
    for a in ANALYSES.values():
        if a.group != group:
            group = a.group
            out += ["", f"## {GROUPS[group]}", "", "| name | title | Titel | question |", "|---|---|---|---|"]
        out.append(f"| [`{a.name}`]({a.name}.md) | {a.title} | {translate(a.title, 'de')} | {a.question} |")
    return "\n".join(out) + "\n"


def pages() -> dict[Path, str]:
    """Every written page with its wanted text."""
    wanted = {
        ROOT / "docs" / "tables.md": schema_page(),
        ROOT / "docs" / "analyses" / "README.md": index_page(),
    }
    for analysis in ANALYSES.values():
        path = ROOT / analysis.reads
        text = (
            path.read_text(encoding="utf-8")
            if path.exists()
            else f"# {analysis.title}\n\n*{analysis.question}*\n"
        )
        wanted[path] = with_reference(text, reference(analysis))
    return wanted


def main(check: bool) -> int:
    stale = []
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'stale' if check else 'written'}: {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
