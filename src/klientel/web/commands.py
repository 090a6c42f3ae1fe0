"""The command line of a workspace: init, import, imports, undo, backup, restore."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from klientel.errors import BadParameter
from klientel.web.commandline import answer_language
from klientel.words import LANGUAGES, mark, say, spoken, translate

if TYPE_CHECKING:
    from klientel.web.imports.importing import Report

_TABLES = {"lines": mark("Lines")}
_OUTCOMES = {
    "create": mark("new"),
    "update": mark("changed"),
    "skip": mark("unchanged"),
    "conflict": mark("conflict"),
    "rejected": mark("rejected"),
}
_STATES = {
    "started": mark("running"),
    "done": mark("done"),
    "undone": mark("undone"),
    "failed": mark("failed"),
}


def commands(lang: str) -> dict[str, click.Command]:
    """The commands by name, their help in `lang`."""

    def told(text: str) -> str:
        return translate(text, lang)

    spoken_in = click.option(
        "--lang", type=click.Choice(LANGUAGES), help=told(mark("Language of the answer."))
    )
    folder = click.argument("folder", type=click.Path(), metavar=told(mark("WORKSPACE")))
    form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")

    init = click.command(
        "init", help=told(mark("Make a workspace, the folder in which a portfolio is kept."))
    )(
        folder(
            click.option(
                "--currency", help=told(mark("Currency in which everything is reported, such as EUR."))
            )(
                click.option(
                    "--fiscal-year-start",
                    type=click.IntRange(1, 12),
                    default=1,
                    help=told(mark("First month of the fiscal year.")),
                )(spoken_in(_init))
            )
        )
    )
    options = [
        folder,
        click.argument("files", nargs=-1, required=True, metavar=told(mark("FILE..."))),
        click.option("--dry-run", is_flag=True, help=told(mark("Say what would happen; change nothing."))),
        click.option(
            "--map",
            "mapping",
            multiple=True,
            metavar='TABLE.COLUMN="Header"',
            help=told(mark("Say which header is which column; can be repeated.")),
        ),
        click.option("--template", type=click.Path(), help=told(mark("A saved mapping to reuse."))),
        click.option(
            "--overwrite",
            is_flag=True,
            help=told(mark("Let the file win where people edited the same field since.")),
        ),
        click.option(
            "--rejected",
            type=click.Path(file_okay=False),
            metavar=told(mark("FOLDER")),
            help=told(mark("Where to write the rejected rows; default: the import's own folder.")),
        ),
        form,
        spoken_in,
    ]
    importing: Any = _import
    for option in reversed(options):
        importing = option(importing)
    number = click.argument("number", type=int, metavar="ID")
    file = click.argument("file", type=click.Path(), metavar=told(mark("FILE")))
    erased_in = click.option(
        "--erased-in",
        type=click.Path(file_okay=False),
        metavar=told(mark("WORKSPACE")),
        help=told(
            mark("The workspace as it is now: who was erased in it is erased in the restored one, too.")
        ),
    )
    return {
        "init": init,
        "import": click.command(
            "import", help=told(mark("Import files into a workspace; the same file twice changes nothing."))
        )(importing),
        "imports": click.command("imports", help=told(mark("List what was imported.")))(
            folder(form(spoken_in(_imports)))
        ),
        "undo": click.command(
            "undo", help=told(mark("Undo an import; what was changed since stays and is listed."))
        )(folder(number(form(spoken_in(_undo))))),
        "backup": click.command("backup", help=told(mark("Write the whole workspace into one file.")))(
            folder(file(spoken_in(_backup)))
        ),
        "restore": click.command(
            "restore", help=told(mark("Make a workspace out of a file that backup wrote; FOLDER is new."))
        )(file(folder(erased_in(spoken_in(_restore))))),
    }


def _tell(sentence: str, lang: str, *, err: bool = False) -> None:
    click.echo(translate(sentence, lang), err=err)


def _init(folder: str, currency: str | None, fiscal_year_start: int, lang: str | None) -> None:
    from klientel.money import code
    from klientel.web import home

    made = home.init(
        folder, currency=code(currency) if currency else None, fiscal_year_start_month=fiscal_year_start
    )
    _tell(
        say("Workspace made: {folder}. Next: klientel import {folder} FILE...", folder=str(made.folder)),
        answer_language(lang),
    )


def _import(
    folder: str,
    files: tuple[str, ...],
    dry_run: bool,
    mapping: tuple[str, ...],
    template: str | None,
    overwrite: bool,
    rejected: str | None,
    form: str,
    lang: str | None,
) -> None:
    from klientel.show.progress import Bar
    from klientel.web import home

    place = home.find(folder)
    from klientel.web.imports import importing
    from klientel.web.imports import rejected as rejects

    spoken_in = answer_language(lang)
    options = importing.Options(
        mapping=_pairs(mapping),
        template=template,
        overwrite=overwrite,
        today=date.today(),  # noqa: DTZ011 - the edge: business days are local
    )
    bar = Bar(spoken_in)
    act = importing.dry_run if dry_run else importing.run
    try:
        report = act(place, files, options=options, progress=bar, now=datetime.now(UTC))
    finally:
        bar.done()
    if rejected:
        report.rejected_files = rejects.write(report.taken, Path(rejected), spoken_in)
    if form == "json":
        _json(report.to_dict(spoken_in))
        return
    _told(report, dry_run, folder, spoken_in)


def _pairs(mapping: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in mapping:
        key, sign, header = text.partition("=")
        if not sign:
            raise BadParameter(say('--map takes TABLE.COLUMN="Header", not {text}.', text=repr(text)))
        pairs[key.strip()] = header.strip()
    return pairs


def _json(content: Any) -> None:
    import json

    click.echo(json.dumps(content, ensure_ascii=False, indent=1, default=str))


def _title(table: str) -> str:
    from klientel.schema import TABLES

    return _TABLES[table] if table in _TABLES else TABLES[table].title if table in TABLES else table


def _told(report: Report, dry: bool, folder: str, lang: str) -> None:
    """What happened, or would, for a person."""
    for note in report.notes:
        _tell(note, lang)
    for table, counts in report.counts.items():
        parts = [
            f"{spoken(n, lang)} {translate(_OUTCOMES[outcome], lang)}"
            for outcome, n in counts.to_dict().items()
            if n
        ]
        click.echo(f"{translate(_title(table), lang)}: {', '.join(parts) or '–'}")
        if dry:
            for outcome, samples in counts.samples.items():
                if outcome != "skip":
                    for sample in samples:
                        click.echo(f"    {translate(_OUTCOMES[outcome], lang)}: {_sample(sample, lang)}")
    for path in report.rejected_files:
        _tell(say("Rejected rows, to be corrected and imported again: {file}", file=str(path)), lang)
    if dry:
        _tell(mark("Nothing was changed (dry run)."), lang)
    elif report.run is not None:
        number = str(report.run.pk)
        if not report.changes:
            _tell(say("Import {n}: everything was there already.", n=number), lang)
        else:
            _tell(
                say(
                    "Import {n} is done. `klientel undo {folder} {n}` takes it back.", n=number, folder=folder
                ),
                lang,
            )


def _sample(sample: dict[str, Any], lang: str) -> str:
    shown = []
    for name, value in list(sample.items())[:8]:
        if value is None or value == "":
            continue
        if isinstance(value, list):
            shown.append(f"{name}: {spoken(value[0], lang)} → {spoken(value[1], lang)}")
        elif isinstance(value, dict):
            shown += [f"{k}={v}" for k, v in list(value.items())[:3]]
        else:
            shown.append(f"{name}={spoken(value, lang)}")
    return ", ".join(shown)


def _imports(folder: str, form: str, lang: str | None) -> None:
    from klientel.web import home

    home.find(folder)
    from klientel.web.imports.listing import listed

    found = listed()
    if form == "json":
        _json(found)
        return
    spoken_in = answer_language(lang)
    if not found:
        _tell(mark("Nothing was imported yet."), spoken_in)
    for entry in found:
        totals = ", ".join(
            f"{spoken(n, spoken_in)} {translate(_OUTCOMES[outcome], spoken_in)}"
            for outcome, n in entry["totals"].items()
            if n
        )
        state = translate(_STATES[entry["state"]], spoken_in)
        names = ", ".join(f["name"] for f in entry["files"])
        click.echo(f"{entry['id']}  {entry['at'][:16].replace('T', ' ')}  {state}  {names}  {totals}")


def _undo(folder: str, number: int, form: str, lang: str | None) -> None:
    from klientel.show.progress import Bar
    from klientel.web import home

    place = home.find(folder)
    from klientel.web.imports import undoing

    spoken_in = answer_language(lang)
    bar = Bar(spoken_in)
    try:
        taken = undoing.undo(place, number, progress=bar, now=datetime.now(UTC))
    finally:
        bar.done()
    if form == "json":
        told = {"removed": taken.removed, "restored": taken.restored}
        _json({"undone": number, **told, "conflicts": [translate(c, spoken_in) for c in taken.conflicts]})
        return
    for note in taken.notes:
        _tell(note, spoken_in)
    for sentence in taken.conflicts[:20]:
        _tell(sentence, spoken_in)
    if len(taken.conflicts) > 20:
        _tell(say("… and {n} more; --format json lists all.", n=len(taken.conflicts) - 20), spoken_in)
    _tell(taken.sentence, spoken_in)


def _backup(folder: str, file: str, lang: str | None) -> None:
    from klientel.show.progress import Bar
    from klientel.web import home

    place = home.find(folder)
    from klientel.web import backups

    bar = Bar(answer_language(lang))
    try:
        backups.write(place, Path(file), progress=bar)
    finally:
        bar.done()
    _tell(say("Backup written: {file}", file=file), answer_language(lang))


def _restore(file: str, folder: str, erased_in: str | None, lang: str | None) -> None:
    from klientel.show.progress import Bar
    from klientel.web import backups

    bar = Bar(answer_language(lang))
    try:
        backups.restore(
            Path(file), Path(folder), progress=bar, erased_in=Path(erased_in) if erased_in else None
        )
    finally:
        bar.done()
    _tell(say("Workspace restored: {folder}", folder=folder), answer_language(lang))
    if not erased_in:
        _tell(
            say(
                "Who was erased after this backup was written is in it again: erase them again, or restore with "
                "--erased-in and the workspace as it is now."
            ),
            answer_language(lang),
        )
