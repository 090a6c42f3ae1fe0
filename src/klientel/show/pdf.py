"""The report as PDF, set by Typst from the same content as the page."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from klientel.show.theme import CHART_FONTS, LIGHT, TOKENS
from klientel.words import mark, say, translate

if TYPE_CHECKING:
    from klientel.show.chapters import Content, Picture

WIDTH, BESIDE, BELOW = 780, 490, 1000  # pixels; the wider a picture is drawn, the smaller its type
_ROWS = 15  # of the 20 on the page; a chapter should fit a sheet where it can
_COLUMNS = 13  # that a sheet holds; a wider table goes on below itself
_SHORT = 13  # letters up to which a column of text is not broken
_LONG = 18  # letters after which a word in a table may be broken
_WAYS = {"python": mark("In Python"), "cli": mark("On the command line")}
_WORDS = {
    "further": mark("Further figures"),
    "empty": mark("The table is empty."),
    "settings": mark("Settings"),
    "locked": mark("What more data would answer"),
    "data": mark("The data"),
    "definitions": mark("Definitions"),
}


def pdf(content: Content) -> bytes:
    """The report as an accessible PDF (PDF/UA-1) with title, language and described pictures.

    Texts reach Typst as data in a JSON file, so that no text from the data can act as markup.
    """
    import typst

    with TemporaryDirectory() as folder:
        home = Path(folder)
        data = _data(content, home)
        (home / "report.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        template = files("klientel.show").joinpath("assets/report.typ").read_text(encoding="utf-8")
        main = home / "report.typ"
        main.write_text(template, encoding="utf-8")
        try:
            made = typst.compile(main, root=home, pdf_standards="ua-1")
        except typst.TypstError:
            # A letter that no font has (an emoji in a customer's name) is allowed in a PDF, not in PDF/UA.
            made = typst.compile(main, root=home)
    return bytes(made)


def _data(content: Content, home: Path) -> dict[str, Any]:
    """The content as plain data; pictures are written to `home` once each and named by file."""
    drawn: dict[tuple[int, str, int], str] = {}

    def pictures(given: tuple[Picture, ...], beside: int = 0) -> list[dict[str, str]]:
        named = []
        for i, picture in enumerate(given):
            width = (BESIDE if i < beside else BELOW) if beside else WIDTH
            key = (id(picture.result), picture.chart, width)
            if key not in drawn:
                drawn[key] = f"p{len(drawn)}.svg"
                (home / drawn[key]).write_text(_fonts(picture.svg(width)), encoding="utf-8")
            named.append({"file": drawn[key], "words": picture.words})
        return named

    lang = content.lang
    opening = {
        "says": content.opening.says,
        "tiles": [asdict(t) for t in content.opening.tiles],
        "pictures": pictures(content.opening.pictures, beside=2),
    }
    chapters = [
        {
            **{
                k: getattr(c, k)
                for k in ("title", "question", "lines", "flag", "verdict", "counts", "reasons", "settings")
            },
            "tiles": [asdict(t) for t in c.tiles],
            "further": [asdict(t) for t in c.further],
            "pictures": pictures(c.pictures),
            "grids": [_grid(part, lang) for g in c.grids if not g.points for part in _parts(asdict(g), lang)],
            "reproduce": [(translate(_WAYS[w], lang), text) for w, text in c.reproduce if w in _WAYS],
        }
        for c in content.chapters
    ]
    told = {
        "lang": lang,
        "title": content.title,
        "facts": content.facts,
        "sources": content.sources,
        "opening": opening,
        "chapters": chapters,
        "locked": content.locked,
        "notes": content.notes,
        "intake": [_grid(asdict(g), lang) for g in content.intake],
        "glossary": content.glossary,
        "footer": content.made_by,
        "words": {k: translate(v, lang) for k, v in _WORDS.items()},
        "colours": {name: LIGHT[name] for name in TOKENS},
    }
    clean: dict[str, Any] = _clean(told)
    return clean


def _grid(grid: dict[str, Any], lang: str) -> dict[str, Any]:
    """A table whose long words may be broken, so that nothing runs off the page."""
    rows = [[_breakable(cell) for cell in row] for row in grid["rows"][:_ROWS]]
    note = grid["note"]
    if len(rows) < len(grid["rows"]):
        note = translate(
            say("The first {shown} of {total} rows.", shown=len(rows), total=grid["total"]), lang
        )
    # Short columns take what they need, long ones share the rest of the width.
    widest = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    fits = [right or most <= _SHORT for right, most in zip(grid["right"], widest, strict=False)]
    return {**grid, "rows": rows, "note": note, "fits": fits}


def _parts(grid: dict[str, Any], lang: str) -> list[dict[str, Any]]:
    """A table of more columns than a sheet holds as several, each beginning with the columns that name the row."""
    heads, kinds = grid["headers"], grid["kinds"]
    if len(heads) <= _COLUMNS:
        return [grid]
    named = next((i for i, kind in enumerate(kinds[:3]) if kind == "n"), min(2, len(heads)))
    named = max(1, min(named, 2))
    room = _COLUMNS - named
    rest = list(range(named, len(heads)))
    count = -(-len(rest) // room)
    size = -(-len(rest) // count)
    parts = []
    for start in range(0, len(rest), size):
        chosen = [*range(named), *rest[start : start + size]]
        part = {k: tuple(grid[k][i] for i in chosen) for k in ("headers", "right", "kinds")}
        part["rows"] = tuple(tuple(row[i] for i in chosen) for row in grid["rows"])
        further = {} if not start else {
            "title": translate(say("{title} (continued)", title=grid["title"]), lang), "meaning": ""
        }  # fmt: skip
        parts.append(grid | part | further)
    return parts


def _breakable(text: str) -> str:
    return re.sub(rf"(\S{{{_LONG}}})(?=\S)", "\\1\u200b", text)


def _fonts(svg: str) -> str:
    """Chart fonts with the one that Typst always has at the end, before any wide system font."""
    known = CHART_FONTS.replace("sans-serif", "Libertinus Serif")
    return re.sub(r'font-family="[^"]*"', f'font-family="{known}"', svg)


def _clean(value: Any) -> Any:
    """The same data without control characters, which PDF text cannot hold."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in "\n\u200b\u00a0\u202f\u00ad" else " " for c in value)
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value
