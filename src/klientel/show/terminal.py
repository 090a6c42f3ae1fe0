"""Results, checks and the catalogue as text on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klientel.analysis import GROUPS, Analysis, Column
from klientel.quality import FLAGS
from klientel.show.figures import NUMERIC, cell, interval, written
from klientel.words import Sentence, day, mark, number, say, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from klientel.ingest.intake import Intake
    from klientel.ingest.raw import Rejection
    from klientel.result import Result, ResultTable

_FLAG_STYLE = {"green": "green", "amber": "yellow", "red": "red"}
_MOST_REJECTIONS = 20
_MOST_ASIDE = 5
_MOST_UNUSED = 30  # headers listed as not used


def show_result(
    console: Console, result: Result, lang: str, *, table: str | None = None, rows: int = 20
) -> None:
    """Write a result: what it says, figures with intervals, one table, quality."""
    analysis = result.analysis
    console.print(f"[bold]{_safe(translate(analysis.title, lang))}[/bold]  {_safe(_subtitle(result, lang))}")
    console.print(f"[italic]{_safe(translate(analysis.question, lang))}[/italic]")
    for line in result.lines:
        console.print(f"• {_safe(translate(line, lang))}")
    console.print()
    _figures(console, result, lang)
    shown = result.tables[table] if table else next(iter(result.tables.values()), None)
    if shown is not None:
        show_table(console, shown, lang, rows=rows)
    others = [n for n in result.tables if shown is None or n != shown.table.name]
    if others:
        console.print(_dim(say("Further tables: {names} (--table NAME).", names=others), lang))
    show_quality(console, result, lang)


def _subtitle(result: Result, lang: str) -> str:
    parts = []
    if result.as_of:
        parts.append(translate(say("as of {day}", day=day(result.as_of, lang)), lang))
    window = result.parameters.get("window")
    if window not in (None, "all") and result.as_of:
        parts.append(translate(say("last {months} months", months=int(window)), lang))
    if result.currency:
        parts.append(result.currency)
    return " · ".join(parts)


def _figures(console: Console, result: Result, lang: str) -> None:
    from rich.table import Table

    grid = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for figure in result.analysis.figures:
        value = result.figures.get(figure.name)
        estimate = result.estimates.get(figure.name)
        spread = interval(estimate, figure.unit, lang, result.currency) if estimate else ""
        text = written(value, figure.unit, lang, result.currency)
        grid.add_row(
            _safe(translate(figure.title, lang)), f"[bold]{_safe(text)}[/bold]", f"[dim]{_safe(spread)}[/dim]"
        )
    console.print(grid)
    console.print()


def show_table(console: Console, shown: ResultTable, lang: str, *, rows: int = 20) -> None:
    """Write the first rows of a result table; columns without any value are left out."""
    from rich.table import Table

    arrow = shown.head(rows).to_pydict()
    columns = [c for c in shown.table.columns if any(v is not None for v in arrow[c.name]) or not len(shown)]
    widths, hidden = _fitting(columns, arrow, lang, console.width)
    columns = columns[: len(widths)]
    grid = Table(title=_safe(translate(shown.table.title, lang)), title_justify="left", header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        right = column.unit in NUMERIC
        grid.add_column(
            _safe(translate(column.title, lang)), justify="right" if right else "left", width=width
        )
    for i in range(min(rows, len(shown))):
        grid.add_row(*(_safe(cell(arrow[c.name][i], c, lang)) for c in columns))
    console.print(grid)
    if len(shown) > rows:
        said = say(
            "{shown} of {total} rows; --rows N shows more, -o FILE.csv writes all.",
            shown=rows,
            total=len(shown),
        )
        console.print(_dim(said, lang))
    if hidden:
        console.print(
            _dim(say("Columns that do not fit: {names} (-o FILE.csv writes all).", names=hidden), lang)
        )


def _fitting(
    columns: list[Column], values: dict[str, list[Any]], lang: str, width: int
) -> tuple[list[int], list[str]]:
    """The least widths of the columns that fit beside one another, and the names of those that do not.

    A number is never broken; a header breaks between its words, a text after 24 letters.
    """
    room = width - 4
    widths: list[int] = []
    for column in columns:
        words = translate(column.title, lang).split()
        cells = [len(cell(v, column, lang)) for v in values[column.name]]
        longest = max([*map(len, words), *(n if column.unit in NUMERIC else min(n, 24) for n in cells), 1])
        room -= longest + 3
        if room < 0 and widths:
            room += longest + 3
            break
        widths.append(longest)
    for i, column in enumerate(columns[: len(widths)]):  # what is left lets long texts stand on one line
        wanted = max([len(cell(v, column, lang)) for v in values[column.name]], default=0)
        more = max(0, min(wanted - widths[i], room))
        widths[i] += more
        room -= more
    return widths, [c.name for c in columns[len(widths) :]]


def show_quality(console: Console, result: Result, lang: str) -> None:
    """Write quality: flag, counts, reasons."""
    quality = result.quality
    flag = translate(FLAGS[quality.flag], lang)
    counts = translate(
        say("{n} in the answer, {excluded} left out", n=quality.n, excluded=quality.excluded), lang
    )
    label = translate(mark("Quality"), lang)
    console.print(f"{label}: [{_FLAG_STYLE[quality.flag]}]{_safe(flag)}[/] · {_safe(counts)}")
    for reason in quality.reasons:
        console.print(f"  – {_safe(translate(reason, lang))}")


def show_check(
    console: Console, intake: Intake, unlocked: Iterable[Analysis], locked: Mapping[str, str], lang: str
) -> None:
    """Write what was recognised, what is missing, which rows were rejected and why."""
    from rich.table import Table

    for report in intake.tables.values():
        title = translate(say("{table}: {file}", table=report.title, file=report.file), lang)
        grid = Table(title=_safe(title), title_justify="left", header_style="bold")
        for head in (mark("Column"), mark("read from"), mark("sure"), mark("why")):
            grid.add_column(_safe(translate(head, lang)))
        for name, match in report.matches.items():
            grid.add_row(
                name, _safe(match.header), f"{match.confidence:.0%}", _safe(translate(match.why, lang))
            )
        console.print(grid)
        counts = say(
            "{rows} rows, {accepted} accepted, {rejected} rejected",
            rows=report.rows,
            accepted=report.accepted,
            rejected=report.rejected,
        )
        console.print("  " + _safe(translate(counts, lang)))
        if report.unmapped:
            unused = [
                *report.unmapped[:_MOST_UNUSED],
                *(["…"] if len(report.unmapped) > _MOST_UNUSED else []),
            ]
            console.print("  " + _safe(translate(say("not used: {names}", names=unused), lang)))
    _ignored(console, intake, lang)
    for note in intake.notes:
        console.print(f"• {_safe(translate(note, lang))}")
    _rejections(console, intake, lang)
    console.print(f"\n[bold]{_safe(translate(mark('Analyses you can run'), lang))}[/bold]")
    names = ", ".join(f"{a.name} ({translate(a.title, lang)})" for a in unlocked)
    console.print("  " + _safe(names or "–"))
    for sentence in locked.values():
        console.print("  – " + _safe(translate(sentence, lang)))


def _ignored(console: Console, intake: Intake, lang: str) -> None:
    if intake.ignored:
        console.print(f"[bold]{_safe(translate(mark('Files that are not used'), lang))}[/bold]")
        for file, why in intake.ignored:
            console.print(f"  {_safe(file)}: {_safe(translate(why, lang))}")


def _rejections(console: Console, intake: Intake, lang: str) -> None:
    title = say("{n} rejected rows", n=intake.rejected)
    _rows(console, title, intake.rejections, intake.rejected, _MOST_REJECTIONS, lang)
    title = say(
        "{n} lines set aside (titles, totals, texts below the table, bookings that are no sales)",
        n=intake.aside,
    )
    _rows(console, title, intake.set_aside, intake.aside, _MOST_ASIDE, lang)


def _rows(
    console: Console, title: Sentence, listed: Sequence[Rejection], total: int, most: int, lang: str
) -> None:
    """Lines that were not taken, at most `most` of them."""
    from rich.table import Table

    if not total:
        return
    grid = Table(title=_safe(translate(title, lang)), title_justify="left", header_style="bold")
    for head in (
        mark("File"),
        mark("Line"),
        mark("Column"),
        mark("Value"),
        mark("Reason"),
        mark("What to do"),
    ):
        grid.add_column(_safe(translate(head, lang)))
    for row in listed[:most]:
        cells = (
            row.file,
            number(row.line, lang),
            row.column,
            row.value[:40],
            translate(row.reason, lang),
            translate(row.hint, lang),
        )
        grid.add_row(*map(_safe, cells))
    console.print(grid)
    if total > most:
        said = say("{shown} of {total} lines; --format json lists them.", shown=most, total=total)
        console.print(_dim(said, lang))


def show_catalogue(
    console: Console, analyses: Iterable[Analysis], locked: Mapping[str, str] | None, lang: str
) -> None:
    """Write the catalogue of analyses by group; with `locked`, what is unlocked and what unlocks the rest."""
    from rich.table import Table

    grid = Table(header_style="bold", box=None, padding=(0, 2, 0, 0))
    for head in (mark("Name"), mark("Title"), mark("Question")):
        grid.add_column(_safe(translate(head, lang)))
    if locked is not None:
        grid.add_column(_safe(translate(mark("For these files"), lang)))
    group = ""
    for analysis in analyses:
        if analysis.group != group:
            group = analysis.group
            grid.add_row(f"[bold]{_safe(translate(GROUPS[group], lang))}[/bold]")
        cells: list[Any] = [
            analysis.name,
            translate(analysis.title, lang),
            translate(analysis.question, lang),
        ]
        if locked is not None:
            cells.append(translate(locked.get(analysis.name, mark("can be run")), lang))
        grid.add_row(*map(_safe, cells))
    console.print(grid)


def _dim(sentence: str, lang: str) -> str:
    return f"[dim]{_safe(translate(sentence, lang))}[/dim]"


def _safe(text: Any) -> str:
    """Text that rich prints as it is: square brackets in customer names are not markup."""
    from rich.markup import escape

    return escape(str(text))
