"""`klientel demo`: a simulated firm as files, report and workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from klientel.cli import in_words, open_sources, progress_bar, spoken_in, tell
from klientel.words import LANGUAGES, mark, say, translate

if TYPE_CHECKING:
    from datetime import date


@click.command(
    "demo",
    help=in_words(
        mark("Simulate a firm; FOLDER gets its files, its report and a workspace with its users and rights.")
    ),
)
@click.argument("folder", type=click.Path(file_okay=False), default="klientel-demo")
@click.option("--lang", type=click.Choice(LANGUAGES))
@click.option("--customers", type=click.IntRange(20, 200_000), default=1200, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--as-of",
    metavar=in_words(mark("DATE")),
    help=in_words(
        mark(
            "First day after the simulated data; default: that of the workspace there, or the first of this month."
        )
    ),
)
@click.option(
    "--workspace/--no-workspace",
    default=True,
    help=in_words(mark("With a workspace, or files and report only.")),
)
@click.option("--serve", is_flag=True, help=in_words(mark("Then open its pages to this machine's browsers.")))
def demo(
    folder: str, lang: str | None, customers: int, seed: int, as_of: str | None, workspace: bool, serve: bool
) -> None:
    """A firm with a known truth."""
    from datetime import date

    from klientel.demo import simulate
    from klientel.demo import write as write_files
    from klientel.show import write

    spoken = spoken_in(lang)
    home = Path(folder)
    today = date.today()  # noqa: DTZ011 - the edge: business days are local
    held = None if as_of or not workspace else _demo_ends(home, seed, customers, spoken)
    day = _demo_day(as_of, today) if as_of else held or today.replace(day=1)
    progress = progress_bar()
    progress(translate(mark("Simulating the firm"), spoken), 0, None)
    firm = simulate(seed=seed, customers=customers, as_of=day)
    files = write_files(firm, home / "files", lang=spoken)
    book = open_sources((str(home / "files"),), progress=progress)
    place = home / "report.html"
    write.report(book, place, spoken, progress)
    progress.done()
    tell(say("{n} files of the simulated firm: {folder}", n=len(files), folder=str(home / "files")), lang)
    tell(say("Report: {file} (open it in a browser)", file=str(place)), lang)
    made = workspace and _demo_workspace(firm, home, spoken)
    if made and held is not None and held < today.replace(day=1):
        newer = today.replace(day=1).isoformat()
        tell(
            say(
                "The workspace was there and stays; its data end before {day}. --as-of {newer} makes it anew, "
                "without what was changed in it.",
                day=held,
                newer=newer,
            ),
            lang,
        )
    if serve and made:
        from klientel.web import serving, showcase

        serving.serve(home / "workspace", guest=showcase.ADMINISTRATOR, lang=spoken, browser=True)


def _demo_day(text: str, today: date) -> date:
    """The day that --as-of names; data of days to come would not be read."""
    from datetime import timedelta

    from klientel.errors import BadParameter
    from klientel.periods import parse_day

    day = parse_day(text)
    if day > today + timedelta(days=1):
        raise BadParameter(say("The data of the demo can go up to today at most; {day} is later.", day=day))
    return day


def _demo_ends(home: Path, seed: int, customers: int, lang: str) -> date | None:
    """The day before which the data of a workspace of this firm end that is there already."""
    if _no_workspace():
        return None
    from klientel.web import showcase

    return showcase.ends(home / "workspace", seed, customers, lang)


def _no_workspace() -> str:
    """Why the demo makes no workspace; empty if it does."""
    from importlib.util import find_spec

    if find_spec("django") is None:
        return say("No workspace: it needs the web part of Klientel (pip install 'klientel[web]').")
    from klientel.web import showcase

    if showcase.elsewhere():
        return say("No workspace: KLIENTEL_DATABASE names a database, which the demo leaves alone.")
    return ""


def _demo_workspace(firm: Any, home: Path, lang: str) -> bool:
    from datetime import UTC, datetime

    if why := _no_workspace():
        tell(why, lang)
        return False
    from klientel.web import showcase

    progress = progress_bar()
    place = home / "workspace"
    showcase.make(firm, place, home / "files", lang, datetime.now(UTC), progress)
    progress.done()
    tell(say("Workspace: {folder}. Try: klientel users {folder}", folder=str(place)), lang)
    return True
