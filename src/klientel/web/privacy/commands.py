"""The command line of privacy: report, erase, retention, rule, log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from klientel.web import commandline
from klientel.web.commandline import answer_language
from klientel.words import mark, say, translate

KINDS = ("contact", "lead", "customer", "rep")


def commands(lang: str) -> dict[str, click.Command]:
    """The commands by name, their help in `lang`."""

    def told(text: str) -> str:
        return translate(text, lang)

    def command(name: str, run: Callable[..., None], text: str, *options: Any) -> click.Command:
        return commandline.command(name, run, text, lang, *options)

    who = [
        click.argument("kind", type=click.Choice(KINDS)),
        click.argument("number", metavar=told(mark("NUMBER"))),
    ]
    output = click.option("-o", "--output", type=click.Path(), metavar="FILE")
    yes = click.option("--yes", is_flag=True, help=told(mark("Do not ask.")))
    dry = click.option("--dry-run", is_flag=True, help=told(mark("Say what would happen; change nothing.")))
    privacy = click.Group(
        "privacy", help=told(mark("What is known of a person; erasing it; how long what is kept."))
    )
    privacy.add_command(
        command("report", _report, mark("Everything that is known of one person."), *who, output)
    )
    privacy.add_command(
        command(
            "erase", _erase, mark("Take a person out of every store; counts and amounts stay."), *who, yes
        )
    )
    privacy.add_command(command("retention", _retention, mark("Let go what was kept long enough."), dry))
    rule = [
        click.argument("subject", metavar=told(mark("SUBJECT"))),
        click.argument("months", type=click.IntRange(0, 1200), metavar=told(mark("MONTHS"))),
        click.option("--purpose", default="", help=told(mark("Only notes of this purpose."))),
    ]
    privacy.add_command(
        command("rule", _rule, mark("Keep a subject for so many months at most; 0 removes the rule."), *rule)
    )
    privacy.add_command(command("log", _log, mark("List what was erased, without names.")))
    return {"privacy": privacy}


def _report(folder: str, kind: str, number: str, output: str | None, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    home = homes.find(folder)
    from klientel.web.privacy import persons, subject

    found = subject.subject_report(home, persons.find(kind, number))
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    if form == "text" and not (output or "").endswith(".json"):
        text = subject.readable(found, answer_language(lang))
    if output:
        Path(output).write_text(text + "\n", encoding="utf-8")
    else:
        click.echo(text)


def _erase(folder: str, kind: str, number: str, yes: bool, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    home = homes.find(folder)
    from klientel.web.privacy import erasing, persons

    spoken = answer_language(lang)
    record = persons.find(kind, number)
    if not yes:
        question = say("Erase {name} from every store? This cannot be undone.", name=str(record))
        click.confirm(translate(question, spoken), abort=True, err=True)
    protocol = erasing.erase(home, [record], datetime.now(UTC))
    if form == "json":
        click.echo(json.dumps(_row(protocol), ensure_ascii=False))
    else:
        click.echo(translate(erasing.told(protocol), spoken))


def _retention(folder: str, dry_run: bool, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    home = homes.find(folder)
    from klientel.web.privacy import retention

    today = date.today()  # noqa: DTZ011 - the edge: business days are local
    now = datetime.now(UTC)
    found = retention.due(home, today) if dry_run else retention.apply(home, today, now)
    if form == "json":
        click.echo(json.dumps([{"model": d.model, "why": d.why, "count": d.count} for d in found]))
        return
    spoken = answer_language(lang)
    for one in found:
        what = retention.SUBJECTS[one.model]
        months = mark("expired") if one.why == "expired" else say("kept for {n} months", n=one.why)
        click.echo(
            translate(
                say("{n} × {model}, {why}: {what}", n=one.count, model=one.model, why=months, what=what),
                spoken,
            )
        )
    if not found:
        click.echo(translate(mark("Nothing was kept longer than it should be."), spoken))


def _rule(folder: str, subject: str, months: int, purpose: str, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from klientel.web.privacy import retention
    from klientel.web.privacy.models import RetentionRule

    retention.set_rule(None, subject, months, purpose)
    rules = list(RetentionRule.objects.order_by("model", "purpose").values("model", "purpose", "months"))
    if form == "json":
        click.echo(json.dumps(rules, ensure_ascii=False))
        return
    for rule in rules:
        told = {"model": rule["model"], "purpose": rule["purpose"] or "–", "n": rule["months"]}
        click.echo(translate(say("{model} ({purpose}): {n} months", **told), answer_language(lang)))


def _log(folder: str, form: str, lang: str | None) -> None:
    from klientel.web import home as homes

    homes.find(folder)
    from klientel.web.privacy.models import Erasure

    rows = [_row(one) for one in Erasure.objects.order_by("pk")]
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    spoken = answer_language(lang)
    for row in rows:
        click.echo(f"{row['at'][:10]}  {row['why']:<10} {row['model']:<20} {row['token']:<20} {row['state']}")
    if not rows:
        click.echo(translate(mark("Nothing was erased yet."), spoken))


def _row(protocol: Any) -> dict[str, Any]:
    return {
        "at": protocol.at.isoformat(),
        "by": str(protocol.actor or ""),
        "why": protocol.why,
        "model": protocol.model,
        "token": protocol.token,
        "counts": protocol.counts,
        "state": protocol.state,
    }
