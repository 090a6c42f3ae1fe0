"""What the commands of a workspace share: how one is put together, and which language it answers in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from klientel.words import LANGUAGES, language, mark, translate


def command(name: str, run: Callable[..., None], text: str, lang: str, *options: Any) -> click.Command:
    """A command on a workspace: its folder first, then `options`, --format and --lang; help in `lang`."""
    folder = click.argument("folder", type=click.Path(), metavar=translate(mark("WORKSPACE"), lang))
    form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
    speak = click.option(
        "--lang", type=click.Choice(LANGUAGES), help=translate(mark("Language of the answer."), lang)
    )
    made: Any = run
    for option in reversed([folder, *options, form, speak]):
        made = option(made)
    return click.command(name, help=translate(text, lang))(made)


def answer_language(lang: str | None) -> str:
    """The language asked for at the command or at one above it, else that of the environment."""
    context: click.Context | None = click.get_current_context()
    while context is not None and not lang:
        lang, context = context.params.get("lang"), context.parent
    return language(lang)
