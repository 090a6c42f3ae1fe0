"""The report as one self-contained HTML page: no script, no outside reference, light, dark and print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from klientel.show.theme import CODE_FONTS, TEXT_FONTS, css_variables, dark_rules
from klientel.words import mark, say, translate

if TYPE_CHECKING:
    from klientel.show.chapters import Chapter, Content, Grid, Opening, Picture, Tile

WIDE, NARROW = 860, 340
_MANY = 8  # columns from which a printed table needs small type
WAYS = {
    "python": mark("In Python"),
    "cli": mark("On the command line"),
    "sql": mark("In SQL"),
}


def page(content: Content) -> str:
    """The report as HTML text. Every text from the data is escaped; the page forbids itself outside loads."""
    lang = content.lang
    writer = _Writer(lang)
    body = [
        _header(content),
        writer.opening(content.opening),
        "</section>",
        *(writer.chapter(c) for c in content.chapters),
        writer.locked(content.locked),
        writer.intake(content),
        writer.glossary(content.glossary),
        f"<footer>{escape(content.made_by)}</footer>",
    ]
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(content.title)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#start">{_t(mark("To the content"), lang)}</a>\n'
        f'<div class="layout">\n{_contents(content)}\n<main id="start">\n'
        + "\n".join(part for part in body if part)
        + "\n</main>\n</div>\n</body>\n</html>\n"
    )


class _Writer:
    """Writes the parts of the page; remembers drawn pictures, because some stand on two pages."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._drawn: dict[tuple[int, str, int], str] = {}
        self._count = 0

    def opening(self, opening: Opening) -> str:
        says = "".join(
            f"<div><h2>{escape(title)}</h2><ul>{_items(lines)}</ul></div>" for title, lines in opening.says
        )
        return (
            (f'<div class="says">{says}</div>' if says else "")
            + _tiles(opening.tiles)
            + "".join(self.figure(p) for p in opening.pictures)
        )

    def chapter(self, chapter: Chapter) -> str:
        name = escape(chapter.name)
        lines = f'<ul class="lines">{_items(chapter.lines)}</ul>' if chapter.lines else ""
        return (
            f'<section id="{name}" aria-labelledby="{name}-title">'
            f'<h2 id="{name}-title">{escape(chapter.title)}</h2>'
            f'<p class="question">{escape(chapter.question)}</p>'
            + _verdict(chapter)
            + lines
            + _tiles(chapter.tiles)
            + _further(chapter.further, self.lang)
            + "".join(self.figure(p) for p in chapter.pictures)
            + "".join(_table(g, self.lang) for g in chapter.grids)
            + self._method(chapter)
            + "</section>"
        )

    def figure(self, picture: Picture) -> str:
        words = escape(picture.words, quote=True)
        forms = "".join(
            f'<div class="{kind}">{self._svg(picture, width, words)}</div>'
            for kind, width in (("wide", WIDE), ("narrow", NARROW))
        )
        return f"<figure>{forms}</figure>"

    def locked(self, locked: Sequence[tuple[str, str]]) -> str:
        if not locked:
            return ""
        terms = "".join(f"<div><dt>{escape(t)}</dt><dd>{escape(why)}</dd></div>" for t, why in locked)
        title = _t(mark("What more data would answer"), self.lang)
        return (
            f'<section id="locked" aria-labelledby="locked-title"><h2 id="locked-title">{title}</h2>'
            f'<dl class="terms">{terms}</dl></section>'
        )

    def intake(self, content: Content) -> str:
        notes = f'<ul class="lines">{_items(content.notes)}</ul>' if content.notes else ""
        if not (notes or content.intake):
            return ""
        title = _t(mark("The data"), self.lang)
        return (
            f'<section id="data" class="run-on" aria-labelledby="data-title"><h2 id="data-title">{title}</h2>'
            f"{notes}{''.join(_table(g, self.lang) for g in content.intake)}</section>"
        )

    def glossary(self, terms: Sequence[tuple[str, str]]) -> str:
        if not terms:
            return ""
        title = _t(mark("Definitions"), self.lang)
        return (
            f'<section id="definitions" aria-labelledby="definitions-title">'
            f'<h2 id="definitions-title">{title}</h2>'
            f'<dl class="terms glossary">{_terms(terms)}</dl></section>'
        )

    def _method(self, chapter: Chapter) -> str:
        how = ""
        if chapter.meanings or chapter.settings:
            settings = "".join(
                f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in chapter.settings
            )
            head = f"<h3>{_t(mark('Settings'), self.lang)}</h3>" if settings else ""
            how = (
                f"<details><summary>{_t(mark('How this is computed'), self.lang)}</summary>"
                f'<dl class="terms">{_terms(chapter.meanings)}</dl>{head}'
                f'<dl class="terms">{settings}</dl></details>'
            )
        if not chapter.reproduce:
            return how
        ways = "".join(
            f'<p class="way">{_t(WAYS.get(way, way), self.lang)}</p><pre><code>{escape(text)}</code></pre>'
            for way, text in chapter.reproduce
        )
        return f"{how}<details><summary>{_t(mark('The same again'), self.lang)}</summary>{ways}</details>"

    def _svg(self, picture: Picture, width: int, words: str) -> str:
        key = (id(picture.result), picture.chart, width)
        if key not in self._drawn:
            self._drawn[key] = picture.svg(width)
        self._count += 1
        return inlined(self._drawn[key], words, f"p{self._count}-")


def inlined(svg: str, words: str, prefix: str) -> str:
    """An SVG for use inside a page: named for screen readers, its ids made unique by `prefix`.

    words: escaped text for aria-label.
    """
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    text = re.sub(r'url\(#([^)"]+)\)', rf"url(#{prefix}\1)", text)
    text = re.sub(r'\bhref="#([^"]+)"', rf'href="#{prefix}\1"', text)
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(?:width|height|version|xmlns:xlink|class)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{words}">{rest}'


def _style() -> str:
    sheet = files("klientel.show").joinpath("assets/report.css").read_text(encoding="utf-8")
    fonts = f"--text:{TEXT_FONTS};--code:{CODE_FONTS};"
    dark = f":root{{{css_variables('dark')}}}{dark_rules('figure')}"
    return (
        f":root{{color-scheme:light dark;{fonts}{css_variables('light')}}}\n{sheet}"
        f"@media screen and (prefers-color-scheme:dark){{{dark}}}"
    )


def _header(content: Content) -> str:
    facts = "".join(f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in content.facts)
    sources = f'<p class="sources">{escape(", ".join(content.sources))}</p>' if content.sources else ""
    return (
        f'<section id="overview" class="first"><header><h1>{escape(content.title)}</h1>'
        f'<dl class="facts">{facts}</dl>{sources}</header>'
    )


def _contents(content: Content) -> str:
    lang = content.lang
    links = [("overview", translate(mark("Overview"), lang)), *((c.name, c.title) for c in content.chapters)]
    if content.locked:
        links.append(("locked", translate(mark("What more data would answer"), lang)))
    if content.intake or content.notes:
        links.append(("data", translate(mark("The data"), lang)))
    if content.glossary:
        links.append(("definitions", translate(mark("Definitions"), lang)))
    items = "".join(f'<li><a href="#{escape(name)}">{escape(title)}</a></li>' for name, title in links)
    return (
        f'<nav aria-label="{_t(mark("Contents"), lang)}"><div class="inside">'
        f'<p class="brand">Klientel</p><ul>{items}</ul></div></nav>'
    )


def _verdict(chapter: Chapter) -> str:
    reasons = f'<ul class="reasons {chapter.flag}">{_items(chapter.reasons)}</ul>' if chapter.reasons else ""
    return (
        f'<div class="verdict"><span class="badge {chapter.flag}">{escape(chapter.verdict)}</span>'
        f"<span>{escape(chapter.counts)}</span>{reasons}</div>"
    )


def _further(tiles: Sequence[Tile], lang: str) -> str:
    """The other figures as a list that folds on the screen and stands open on paper."""
    if not tiles:
        return ""
    items = "".join(
        f"<div><dt>{escape(t.title)}{f'<small>{escape(t.meaning)}</small>' if t.meaning else ''}</dt>"
        f"<dd{' class=long' if len(t.value) > 14 else ''}>{escape(t.value)}"
        f"{f'<small>{escape(t.interval)}</small>' if t.interval else ''}</dd></div>"
        for t in tiles
    )
    summary = _t(say("Further figures ({n})", n=len(tiles)), lang)
    return f'<details class="further"><summary>{summary}</summary><dl>{items}</dl></details>'


def _tiles(tiles: Sequence[Tile]) -> str:
    if not tiles:
        return ""
    items = []
    for tile in tiles:
        size = ' class="value long"' if len(tile.value) > 12 else ' class="value"'
        spread = f'<span class="range">{escape(tile.interval)}</span>' if tile.interval else ""
        meaning = f'<span class="meaning">{escape(tile.meaning)}</span>' if tile.meaning else ""
        items.append(
            f'<li><span class="name">{escape(tile.title)}</span>'
            f"<span{size}>{escape(tile.value)}</span>{spread}{meaning}</li>"
        )
    wide = " of3" if len(tiles) in (3, 5, 6) else ""
    return f'<ul class="tiles{wide}">{"".join(items)}</ul>'


def _table(grid: Grid, lang: str) -> str:
    if not grid.rows:
        empty = _t(mark("The table is empty."), lang)
        return f'<div class="table"><h3>{escape(grid.title)}</h3><p class="note">{empty}</p></div>'
    kinds = [f' class="{kind}"' for kind in grid.kinds]
    head = "".join(f'<th scope="col"{k}>{escape(h)}</th>' for h, k in zip(grid.headers, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{k}>{escape(c)}</td>" for c, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in grid.rows
    )
    meaning = f"<small>{escape(grid.meaning)}</small>" if grid.meaning else ""
    note = f'<p class="note">{escape(grid.note)}</p>' if grid.note else ""
    many = ' class="many"' if len(grid.headers) >= _MANY else ""
    title = escape(grid.title)
    shown = (
        f'<div class="table"><div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table{many}><caption><span>{title}{meaning}</span></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}</div>"
    )
    if grid.points:
        summary = _t(say("{title}: the numbers behind the picture", title=grid.title), lang)
        return f"<details><summary>{summary}</summary>{shown}</details>"
    return shown


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{escape(t)}</dt><dd>{escape(m)}</dd></div>" for t, m in pairs)


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _t(text: str, lang: str) -> str:
    return escape(translate(text, lang))
