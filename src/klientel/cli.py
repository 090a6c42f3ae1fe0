"""The command line: analyse, check, analyses, report. Starts fast: other commands and heavy parts load when used."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from klientel import __version__
from klientel.errors import KlientelError, nearest
from klientel.words import LANGUAGES, language, mark, say, translate

if TYPE_CHECKING:
    from rich.console import Console

    from klientel.analysis import Analysis, Param
    from klientel.book import Book

FORMATS = ("text", "json", "csv", "parquet", "xlsx")


def _lang() -> str:
    """The language asked for on the command line or by the environment, needed before options are parsed."""
    args = sys.argv[1:]
    for i, arg in enumerate(args):
        if arg.startswith("--lang="):
            return arg.partition("=")[2]
        if arg == "--lang" and i + 1 < len(args):
            return args[i + 1]
    return language()


def spoken_in(lang: str | None) -> str:
    """The language of the answer: the command's own --lang, one given before it, or the environment's."""
    return lang or _lang()


def in_words(text: str) -> str:
    """A text of the command line in the language asked for."""
    return translate(text, _lang())


class _Group(click.Group):
    """A group that answers a wrong name with the nearest right one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            near = nearest(args[0], known)
            what = self.name or "klientel"
            if near:
                raise click.UsageError(
                    in_words(
                        say("{what} has no {name}; did you mean {near}?", what=what, name=args[0], near=near)
                    )
                )
            raise click.UsageError(
                in_words(
                    say("{what} has no {name}; there are: {names}.", what=what, name=args[0], names=known)
                )
            )
        return super().resolve_command(ctx, args)


class _Whole(_Group):
    """The klientel command; what works on a workspace is loaded when it is asked for."""

    WORKSPACE = ("init", "import", "imports", "undo", "backup", "restore")
    PEOPLE = ("access", "users", "user")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "demo", "serve", *self.WORKSPACE, *self.PEOPLE, "privacy"]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in self.WORKSPACE:
            from klientel.web.commands import commands

            return commands(_lang())[name]
        if name in self.PEOPLE:
            from klientel.web.accounts.commands import commands as people

            return people(_lang())[name]
        if name == "demo":
            from klientel.cli_demo import demo

            return demo
        if name == "serve":
            from klientel.web.serving import commands as serving

            return serving(_lang())[name]
        if name == "privacy":
            from klientel.web.privacy.commands import commands as privacy

            return privacy(_lang())[name]
        return super().get_command(ctx, name)


class _Analyses(_Group):
    """`analyse NAME`: one command per declared analysis, its options made from the declared parameters."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from klientel.analyses import ANALYSES

        return list(ANALYSES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from klientel.analyses import ANALYSES

        return _command(ANALYSES[name]) if name in ANALYSES else None


@click.group(
    cls=_Whole,
    help=in_words(mark("Customer portfolio manager: which customers carry, drain or leave the business.")),
)
@click.version_option(__version__, prog_name="klientel")
@click.option("--lang", type=click.Choice(LANGUAGES), help=in_words(mark("Language of the answer.")))
def cli(lang: str | None) -> None:
    """The klientel command."""


@cli.group(
    cls=_Analyses,
    name="analyse",
    help=in_words(mark("Answer one question on files: klientel analyse abc orders.csv")),
)
@click.option("--lang", type=click.Choice(LANGUAGES), help=in_words(mark("Language of the answer.")))
def analyse(lang: str | None) -> None:
    """One command per analysis."""


def _source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that opens a Book."""
    options = [
        click.argument("sources", nargs=-1, required=True, metavar=in_words(mark("SOURCE..."))),
        click.option(
            "--as-of",
            metavar=in_words(mark("DATE")),
            help=in_words(mark("First day that no longer counts; default: the day after the last event.")),
        ),
        click.option(
            "--currency",
            help=in_words(
                mark("Reporting currency, for example EUR; needs a rates table if the files mix currencies.")
            ),
        ),
        click.option(
            "--map",
            "mapping",
            multiple=True,
            metavar='TABLE.COLUMN="Header"',
            help=in_words(mark("Say which header is which column; can be repeated.")),
        ),
        click.option("--template", type=click.Path(), help=in_words(mark("A saved mapping to reuse."))),
        click.option(
            "--save-template",
            type=click.Path(),
            help=in_words(mark("Save the mapping that was used, to reuse it with --template.")),
        ),
        click.option(
            "--level",
            type=click.Choice(["customer", "group"]),
            default="customer",
            help=in_words(mark("Customers as they are, or added up to their group.")),
        ),
        click.option(
            "--fiscal-year-start",
            type=click.IntRange(1, 12),
            help=in_words(mark("First month of the fiscal year.")),
        ),
        click.option(
            "--engine",
            metavar=in_words(mark("ADDRESS")),
            help=in_words(
                mark(
                    "Where to compute: duckdb (default), postgres://USER@HOST/DATABASE, spark://HOST:PORT, "
                    "spark://local[2]."
                )
            ),
        ),
        click.option(
            "--as",
            "user",
            metavar=in_words(mark("USER")),
            help=in_words(mark("On a workspace: only what this user may see, or export.")),
        ),
        click.option("--lang", type=click.Choice(LANGUAGES), help=in_words(mark("Language of the answer."))),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _command(analysis: Analysis) -> click.Command:
    """The command of one analysis."""

    @_source_options
    @click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help=in_words(mark("Form of the answer; default: text, or by the ending of -o.")),
    )
    @click.option("--table", help=in_words(mark("Result table to write; default: the first.")))
    @click.option("--rows", type=click.IntRange(0), default=20, help=in_words(mark("Rows shown as text.")))
    @click.option(
        "--chart",
        "picture",
        type=click.Path(),
        metavar="FILE",
        help=in_words(mark("Write the chart as .svg, .png, .pdf or .html.")),
    )
    @click.option("--chart-name", help=in_words(mark("Which chart; default: the first.")))
    @click.option(
        "-o",
        "--output",
        type=click.Path(),
        metavar="FILE",
        help=in_words(mark("Write the answer to a file.")),
    )
    def run(
        form: str | None,
        table: str | None,
        rows: int,
        picture: str | None,
        chart_name: str | None,
        output: str | None,
        lang: str | None,
        **given: Any,
    ) -> None:
        from klientel.answer import check_parameters

        names = {p.name for p in analysis.params}
        values = {n: v for n in names if (v := given.pop(f"p_{n}", None)) is not None}
        check_parameters(analysis, values)  # wrong parameters are told before files are read
        away = bool(output or picture) or form in ("csv", "parquet", "xlsx")
        result = _answer(analysis, values, given, away)
        if picture:
            from klientel.show.charts import draw, save

            chosen = chart_name or (analysis.charts[0].name if analysis.charts else "")
            result.chart(chosen or None)  # names the charts there are if this one is not
            save(draw(result, chosen, lang=spoken_in(lang)), Path(picture))
        _write(result, form, table, rows, output, spoken_in(lang), quiet=bool(picture))

    command = click.command(analysis.name, help=f"{in_words(analysis.title)}. {in_words(analysis.question)}")(
        run
    )
    for param in reversed(analysis.params):
        command.params.append(_option(param))
    return command


def _answer(analysis: Analysis, values: dict[str, Any], given: dict[str, Any], away: bool) -> Any:
    """The Result; of a workspace the one that is kept, if it is still good."""
    from klientel.answer import answer

    (folder, *others), plain = given["sources"], ("mapping", "template", "save_template", "engine", "user")
    if others or not (Path(folder) / "workspace.json").is_file() or any(given[name] for name in plain):
        return answer(open_sources(**given, export=away), analysis, **values)
    from datetime import date

    from klientel.periods import parse_day
    from klientel.web.home import find

    home = find(folder)
    from klientel.web import results  # not before Django is set up

    progress = progress_bar()
    found = results.answer(
        home,
        analysis,
        as_of=parse_day(given["as_of"]) if given["as_of"] else None,
        currency=given["currency"],
        level=given["level"],
        fiscal_year_start_month=given["fiscal_year_start"],
        today=date.today(),  # noqa: DTZ011 - the edge: business days are local
        progress=progress,
        **values,
    )
    progress.done()
    return found


def _option(param: Param) -> click.Option:
    kind: Any = click.Choice(param.choices) if param.choices else str
    limits = ""
    if param.min is not None or param.max is not None:
        low = "…" if param.min is None else f"{param.min:g}"
        high = "…" if param.max is None else f"{param.max:g}"
        limits = f" [{low} – {high}]"
    shown = in_words(mark("default")) + f": {param.default}"
    return click.Option(
        [f"--{param.name.replace('_', '-')}", f"p_{param.name}"],
        type=kind,
        metavar=None if param.choices else {int: "N", float: "X"}.get(param.type, in_words(mark("VALUE"))),
        help=f"{in_words(param.title)}{limits}; {shown}",
    )


def _write(
    result: Any, form: str | None, table: str | None, rows: int, output: str | None, lang: str, *, quiet: bool
) -> None:
    from klientel.show import write

    form = form or write.form_of(output) or ("" if quiet and not output else "text")
    if table:
        result.tables[table]
    if form == "text":
        from klientel.show.terminal import show_result

        show_result(_console(output), result, lang, table=table, rows=rows)
    elif form:
        write.result(result, form, table, output, lang)


@cli.command(
    help=in_words(mark("Say what was recognised, what is missing, which rows are rejected and why."))
)
@_source_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("-o", "--output", type=click.Path(), metavar="FILE")
def check(form: str, output: str | None, lang: str | None, **given: Any) -> None:
    """What the files are."""
    from klientel.analyses import unlocked
    from klientel.show import terminal, write

    book = open_sources(**given, lenient=True)
    free, locked = unlocked(book)
    if form == "json":
        names = {name: list(missing.columns) for name, missing in locked.items()}
        write.text(book.intake.to_dict([a.name for a in free], names, spoken_in(lang)), output)
        return
    sentences = {name: missing.sentence for name, missing in locked.items()}
    terminal.show_check(_console(output), book.intake, free, sentences, spoken_in(lang))


@cli.command(
    name="analyses",
    help=in_words(mark("The catalogue of analyses; with --for: which ones these files unlock.")),
)
@click.option(
    "--for",
    "sources",
    multiple=True,
    metavar=in_words(mark("SOURCE")),
    help=in_words(mark("Files or a folder; can be repeated.")),
)
@click.argument("more", nargs=-1)
@click.option("--lang", type=click.Choice(LANGUAGES))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def catalogue(sources: tuple[str, ...], more: tuple[str, ...], lang: str | None, form: str) -> None:
    """All analyses."""
    from klientel.analyses import ANALYSES, unlocked
    from klientel.show import terminal, write

    locked = None
    if sources or more:
        _, gaps = unlocked(open_sources((*sources, *more), lenient=True))
        locked = {name: missing.sentence for name, missing in gaps.items()}
    if form == "json":
        write.text(write.catalogue(ANALYSES.values(), locked), None)
        return
    terminal.show_catalogue(_console(None), ANALYSES.values(), locked, spoken_in(lang))


@cli.command(
    help=in_words(mark("Write the portfolio report: klientel report FILES -o report.html (or .pdf, .xlsx)."))
)
@_source_options
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="report.html",
    metavar="FILE",
    help=in_words(mark("Where to write: .html, .pdf or .xlsx.")),
)
@click.option(
    "--forecasts/--no-forecasts",
    default=True,
    help=in_words(
        mark("With forecasts (lifetime value, churn), each tried on held-out time; without is quicker.")
    ),
)
def report(output: str, forecasts: bool, lang: str | None, **given: Any) -> None:
    """The whole portfolio on paper."""
    from klientel.show import write

    write.report_form(output)
    progress = progress_bar()
    book = open_sources(**given, progress=progress, export=True)
    write.report(book, Path(output), spoken_in(lang), progress, forecasts=forecasts)
    progress.done()
    tell(say("Report written: {file}", file=output), lang)


def tell(sentence: str, lang: str | None) -> None:
    """Print a sentence in the language of the answer."""
    click.echo(translate(sentence, spoken_in(lang)))


def open_sources(
    sources: tuple[str, ...],
    as_of: str | None = None,
    currency: str | None = None,
    mapping: tuple[str, ...] = (),
    template: str | None = None,
    save_template: str | None = None,
    level: str = "customer",
    fiscal_year_start: int | None = None,
    engine: str | None = None,
    progress: Any = None,
    lenient: bool = False,
    user: str | None = None,
    export: bool = False,
) -> Book:
    """The Book of the sources of a command; a workspace as its user. Raises what opening raises."""
    from datetime import date

    from klientel.errors import BadParameter
    from klientel.ingest.opening import open_book
    from klientel.periods import parse_day

    pairs: dict[str, str] = {}
    for text in mapping:
        key, sign, header = text.partition("=")
        if not sign:
            raise BadParameter(say('--map takes TABLE.COLUMN="Header", not {text}.', text=repr(text)))
        pairs[key.strip()] = header.strip()
    own = progress or progress_bar()
    opened: Callable[..., Book] = open_book
    if user is not None:
        from klientel.web.accounts.seeing import opened_as

        opened = opened_as(user, "export" if export else "read")
    book = opened(
        list(sources),
        as_of=parse_day(as_of) if as_of else None,
        currency=currency,
        map=pairs,
        template=template,
        save_template=save_template,
        level=level,
        fiscal_year_start_month=fiscal_year_start,
        engine=engine,
        progress=own,
        today=date.today(),  # noqa: DTZ011 - the edge: business days are local
        lenient=lenient,
    )
    if progress is None:
        own.done()
    return book


def progress_bar() -> Any:
    """A bar for work that takes long: called with (what, done, total)."""
    from klientel.show.progress import Bar

    return Bar()


def _console(output: str | None) -> Console:
    from rich.console import Console

    if output:
        return Console(file=Path(output).open("w", encoding="utf-8"), width=140, no_color=True)
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def main() -> None:
    """Entry point: errors are one line on stderr; 0 done, 1 failed, 2 wrong use or unusable input."""
    # Fits solve systems of four unknowns; threads that wait for each other there cost three times the work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        _fail(mark("Interrupted."), 130)
    except KeyboardInterrupt:
        _fail(mark("Interrupted."), 130)
    except click.ClickException as wrong:
        _fail(wrong.format_message(), wrong.exit_code)
    except KlientelError as known:
        _fail(known.sentence, known.exit_code)
    except BrokenPipeError:
        os._exit(0)  # the reader (head, less) has gone; there is nobody to tell
    except OSError as broke:
        _fail(say("{file}: {text}", file=str(broke.filename or ""), text=broke.strerror or str(broke)), 1)
    except Exception as broke:  # a person never sees a traceback
        if os.environ.get("KLIENTEL_DEBUG"):
            raise
        text = say(
            "Klientel failed inside ({kind}: {text}). KLIENTEL_DEBUG=1 shows where; please report it.",
            kind=type(broke).__name__,
            text=(str(broke).splitlines() or [""])[0][:200],
        )
        _fail(text, 1)


def _fail(text: str, code: int) -> None:
    sys.stdout.flush()
    click.echo(f"klientel: {in_words(text)}", err=True)
    sys.exit(code)
