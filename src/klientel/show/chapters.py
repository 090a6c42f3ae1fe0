"""What a report says, before it becomes HTML or PDF: tiles, pictures, tables and sentences as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from klientel.quality import FLAGS, Flag
from klientel.show.figures import NUMERIC, cell, header, interval, missing, spoken_figure, written
from klientel.words import day, mark, number, percent, say, translate

if TYPE_CHECKING:
    from klientel.analysis import Analysis, Column
    from klientel.result import Result, ResultTable

FIRST_ROWS = 20
MOST_REJECTIONS = 50
_MOST_READ = 12  # rows of bare numbers that people read; longer ones are points of a picture
_MOST_TILES = 8
_MOST_CARDS = 6  # of a chapter; what else is known stands in a list below them

# Which analyses speak on the first page, under which heading, with how many sentences. Retention and audit say
# one each: their money is in another view of credit notes than the bridge, and two sums for "lost" confuse.
OPENING: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    (mark("What carries the business"), (("abc", 2), ("concentration", 1), ("segments", 1))),
    (mark("What changed"), (("movement", 2), ("retention", 1), ("audit", 1))),
    (mark("What to look at"), (("rfm", 2), ("xyz", 1), ("cohorts", 1))),
)
# Pictures of the first page: of these analyses only, so that no other bridge stands in for the one left out.
_OPENING_PICTURES = (("abc", "pareto"), ("movement", "bridge"), ("cohorts", "cohorts"))
# The figures a sales leader asks for first, in this order; what is missing makes room for other headlines.
FIRST_TILES = (
    ("audit", "revenue_12m"),
    ("movement", "growth"),
    ("retention", "nrr"),
    ("audit", "active_customers_12m"),
    ("abc", "a_customers"),
    ("retention", "logo_retention"),
    ("audit", "repeat_rate"),
    ("concentration", "top1_share"),
    ("concentration", "effective_customers"),
)


@dataclass(frozen=True)
class Tile:
    """A key figure: title, value as text, interval, definition, flag of its analysis, names of chapter and figure.

    method: how the interval was found, for the definition; the card itself stays short.
    """

    title: str
    value: str
    interval: str
    meaning: str
    flag: Flag
    chapter: str
    figure: str = ""
    method: str = ""


@dataclass(frozen=True)
class Picture:
    """A chart, drawn when a renderer asks for it at a width; `words` says it for those who cannot see it."""

    result: Result
    chart: str
    title: str
    words: str
    lang: str

    def svg(self, width: int) -> str:
        """The picture as SVG text at a width in pixels."""
        from klientel.show.charts import draw, svg

        return svg(draw(self.result, self.chart, lang=self.lang, width=width))


@dataclass(frozen=True)
class Grid:
    """A table as text: header, alignment, first rows, how many rows there are in all.

    kinds: what each column holds, which decides how narrow it may get: n numbers, k keys, dates and flags,
    c words of the catalogue, t texts, w names of customers.
    points: the table only holds the points of a picture, which few people want to read.
    """

    title: str
    meaning: str
    headers: tuple[str, ...]
    right: tuple[bool, ...]
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    note: str = ""
    points: bool = False


@dataclass(frozen=True)
class Chapter:
    """One analysis. tiles: its headline figures; further: the other figures."""

    name: str
    title: str
    question: str
    lines: tuple[str, ...]
    tiles: tuple[Tile, ...]
    further: tuple[Tile, ...]
    pictures: tuple[Picture, ...]
    grids: tuple[Grid, ...]
    flag: Flag
    verdict: str
    counts: str
    reasons: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...]
    reproduce: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Opening:
    """The first page."""

    says: tuple[tuple[str, tuple[str, ...]], ...]
    tiles: tuple[Tile, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Content:
    """The whole report."""

    lang: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    opening: Opening
    chapters: tuple[Chapter, ...]
    locked: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    intake: tuple[Grid, ...]
    glossary: tuple[tuple[str, str], ...]
    made_by: str


def chapter(result: Result, lang: str) -> Chapter:
    """A result as a chapter in a language."""
    analysis, quality = result.analysis, result.quality
    cards, further = cards_of(result, lang)
    counts = say("{n} in the answer, {excluded} left out", n=quality.n, excluded=quality.excluded)
    told = translate(counts, lang)
    if quality.coverage is not None:
        covered = say("coverage {share} of the revenue", share=percent(quality.coverage, lang))
        told += f" · {translate(covered, lang)}"
    return Chapter(
        name=result.name,
        title=translate(analysis.title, lang),
        question=translate(analysis.question, lang),
        lines=tuple(translate(line, lang) for line in result.lines),
        tiles=cards,
        further=further,
        pictures=pictures(result, lang),
        grids=tuple(grid(result, table, lang) for table in result.tables.values()),
        flag=quality.flag,
        verdict=translate(FLAGS[quality.flag], lang),
        counts=told,
        reasons=tuple(dict.fromkeys(translate(r, lang) for r in quality.reasons)),
        settings=_settings(result, lang),
        meanings=_meanings(analysis, lang) + _methods((*cards, *further), lang),
        reproduce=tuple((k, v) for k, v in result.reproduce.items() if v),
    )


def cards_of(result: Result, lang: str) -> tuple[tuple[Tile, ...], tuple[Tile, ...]]:
    """The headline figures of a result as cards, six at most, and the other figures; four cards without headlines.

    A single figure that would be left over for the list becomes a card, too.
    """
    known = [f for f in result.analysis.figures if not missing(result.figures.get(f.name))]
    chosen = [f.name for f in known if f.headline][:_MOST_CARDS] or [f.name for f in known[:4]]
    if len(known) - len(chosen) == 1 and len(chosen) < _MOST_CARDS:
        chosen = [f.name for f in known]
    told = {t.figure: t for t in tiles(result, lang)}
    cards = tuple(told[name] for name in chosen)
    return cards, tuple(told[f.name] for f in known if f.name not in chosen)


def tiles(result: Result, lang: str) -> tuple[Tile, ...]:
    """The figures of a result that have a value, as tiles, headlines first."""
    made = []
    for figure in sorted(result.analysis.figures, key=lambda f: not f.headline):
        value, estimate = result.figures.get(figure.name), result.estimates.get(figure.name)
        if missing(value):
            continue
        text = translate(value, lang) if isinstance(value, str) and figure.unit in ("class", "flag") else None
        spread = interval(estimate, figure.unit, lang, result.currency) if estimate else ""
        method = translate(estimate.method, lang) if estimate and spread else ""
        made.append(
            Tile(
                translate(figure.title, lang),
                text or spoken_figure(value, figure.unit, lang, result.currency),
                spread,
                translate(figure.meaning, lang),
                result.quality.flag,
                result.name,
                figure.name,
                method,
            )
        )
    return tuple(made)


def pictures(result: Result, lang: str) -> tuple[Picture, ...]:
    """The declared charts of a result; said in words by their title and the first sentences."""
    spoken = " ".join(translate(line, lang) for line in result.lines[:2])
    made = []
    for chart in result.analysis.charts:
        title = translate(chart.title or result.analysis.table(chart.table).title, lang)
        as_of = translate(say("as of {day}", day=day(result.as_of, lang)), lang) if result.as_of else ""
        words = ". ".join(part for part in (title, as_of, spoken) if part)
        made.append(Picture(result, chart.name, title, words, lang))
    return tuple(made)


def grid(result: Result, table: ResultTable, lang: str, first: int = FIRST_ROWS) -> Grid:
    """The first rows of a result table as text; columns without any value are left out."""
    data, total = table.head(first).to_pydict(), len(table)
    full = table.to_pyarrow()
    double = _named_by_number(full)
    shown = [
        c
        for c in table.table.columns
        if not (double and c.name == "name") and (not total or full.column(c.name).null_count < full.num_rows)
    ]
    rows = tuple(tuple(cell(data[c.name][i], c, lang) for c in shown) for i in range(min(first, total)))
    note = say("The first {shown} of {total} rows.", shown=len(rows), total=total) if total > first else ""
    return Grid(
        translate(table.table.title, lang),
        translate(table.table.meaning, lang),
        tuple(header(c, lang, result.currency) for c in shown),
        tuple(c.unit in NUMERIC for c in shown),
        tuple(_kind(c) for c in shown),
        rows,
        total,
        translate(note, lang),
        points=total > _MOST_READ and all(c.unit in NUMERIC for c in table.table.columns),
    )


def _kind(column: Column) -> str:
    if column.unit in NUMERIC:
        return "n"
    if column.unit in ("key", "date", "month", "flag"):
        return "k"
    return "w" if column.name == "name" else "c" if column.unit == "class" else "t"


def opening(results: Sequence[Result], lang: str) -> Opening:
    """The first page: sentences, the most important tiles, Pareto curve, value bridge, cohort picture."""
    by_name = {r.name: r for r in results}
    says: list[tuple[str, tuple[str, ...]]] = []
    for title, names in OPENING:
        lines = [line for name, most in names if name in by_name for line in by_name[name].lines[:most]]
        said = tuple(dict.fromkeys(translate(line, lang) for line in lines))
        if title == OPENING[-1][0]:
            told = " ".join([*said, *(line for _, group in says for line in group)])
            said += _warnings(results, lang, told)
        if said:
            says.append((translate(title, lang), said))
    order = [n for _, names in OPENING for n, _ in names]
    ranked = sorted(results, key=lambda r: order.index(r.name) if r.name in order else len(order))
    return Opening(tuple(says), _headlines(ranked, lang), _opening_pictures(ranked, lang))


def glossary(results: Iterable[Result], lang: str) -> tuple[tuple[str, str], ...]:
    """All figures and columns with a definition, by title."""
    found: dict[str, str] = {}
    for result in results:
        found.update((t, m) for t, m in _meanings(result.analysis, lang) if t not in found)
    return tuple(sorted(found.items(), key=lambda pair: pair[0].casefold()))


def locked_title(name: str, lang: str) -> str:
    """Title of an analysis that could not be run."""
    from klientel.analyses import ANALYSES

    return translate(ANALYSES[name].title, lang) if name in ANALYSES else name


def _named_by_number(data: Any) -> bool:
    """True if customers have no names but their numbers, so that one column says it all."""
    import pyarrow.compute as pc

    if not {"customer_id", "name"} <= set(data.column_names) or not data.num_rows:
        return False
    number, name = data.column("customer_id").cast("string"), data.column("name").cast("string")
    return bool(pc.all(pc.equal(number, name)).as_py())


def simple_grid(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]], lang: str, note: str = ""
) -> Grid:
    """A small table of texts and counts, header translated; counts stand right."""
    right = tuple(bool(rows) and all(isinstance(r[i], int) for r in rows) for i in range(len(headers)))
    cells = tuple(tuple(number(v, lang) if isinstance(v, int) else str(v) for v in r) for r in rows)
    heads = tuple(translate(h, lang) for h in headers)
    kinds = tuple("n" if r else "t" for r in right)
    return Grid(translate(title, lang), "", heads, right, kinds, cells, len(rows), translate(note, lang))


def _warnings(results: Sequence[Result], lang: str, known: str) -> tuple[str, ...]:
    """What cannot be used, with its reason unless `known` says it; one sentence on what to read with care."""
    told: list[str] = []
    for result in results:
        if result.quality.flag == "red" and result.quality.reasons:
            reason = translate(result.quality.reasons[0], lang)
            if reason not in known:
                title = translate(result.analysis.title, lang)
                told.append(
                    translate(say("{title} cannot be used: {reason}", title=title, reason=reason), lang)
                )
    doubted = [translate(r.analysis.title, lang) for r in results if r.quality.flag == "amber"]
    if doubted:
        told.append(
            translate(say("Read with care: {titles}. The reasons stand there.", titles=doubted), lang)
        )
    return tuple(told)


def _headlines(ranked: Sequence[Result], lang: str) -> tuple[Tile, ...]:
    """The tiles of the first page: `FIRST_TILES`, then other headlines, none of a red-flagged answer."""
    usable = {r.name: r for r in ranked if r.quality.flag != "red"}
    rest = [(n, f.name) for n, r in usable.items() for f in r.analysis.figures if f.headline]
    chosen: dict[str, Tile] = {}
    for name, figure in (*FIRST_TILES, *rest):
        if name in usable and not missing(usable[name].figures.get(figure)):
            tile = _tile(usable[name], figure, lang)
            chosen.setdefault(tile.title, tile)
    return tuple(chosen.values())[:_MOST_TILES]


def _tile(result: Result, figure: str, lang: str) -> Tile:
    return next(t for t in tiles(result, lang) if t.figure == figure)


def _opening_pictures(ranked: Sequence[Result], lang: str) -> tuple[Picture, ...]:
    chosen = []
    by_name = {r.name: r for r in ranked}
    for name, kind in _OPENING_PICTURES:
        result = by_name.get(name)
        # A picture that must not be used has no place on the first page, whatever stands beside it.
        if result is None or result.quality.flag == "red" or not any(len(t) for t in result.tables.values()):
            continue
        names = [c.name for c in result.analysis.charts if c.kind == kind]
        chosen += [p for p in pictures(result, lang) if p.chart in names[:1]]
    return tuple(chosen)


def _methods(known: Sequence[Tile], lang: str) -> tuple[tuple[str, str], ...]:
    """How the intervals were found, under one entry per method."""
    found: dict[str, list[str]] = {}
    for tile in known:
        if tile.method:
            found.setdefault(tile.method, []).append(tile.title)
    head = mark("Interval: {titles}")
    return tuple((translate(say(head, titles=titles), lang), method) for method, titles in found.items())


def _settings(result: Result, lang: str) -> tuple[tuple[str, str], ...]:
    titles = {p.name: p for p in result.analysis.params}
    told = []
    for name, value in result.parameters.items():
        declared = titles.get(name)
        title = translate(declared.title, lang) if declared else name
        told.append((title, _setting(value, declared, lang)))
    return tuple(told)


def _setting(value: Any, declared: Any, lang: str) -> str:
    if declared and declared.unit == "attribute":
        return written(value or None, "attribute", lang)
    if isinstance(value, str | bool) or value is None:
        return written(value, "flag", lang)
    return written(value, declared.unit if declared and declared.unit == "share" else "number", lang)


def _meanings(analysis: Analysis, lang: str) -> tuple[tuple[str, str], ...]:
    found = {translate(f.title, lang): translate(f.meaning, lang) for f in analysis.figures if f.meaning}
    for table in analysis.tables:
        for column in table.columns:
            if column.meaning:
                found.setdefault(translate(column.title, lang), translate(column.meaning, lang))
    return tuple(found.items())
