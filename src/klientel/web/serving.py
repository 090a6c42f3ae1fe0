"""`klientel serve`: the pages of a workspace in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from klientel.errors import BadParameter
from klientel.web.commandline import answer_language
from klientel.words import LANGUAGES, mark, say, translate

THREADS = 8  # of one process; analyses and imports run outside of it


def commands(lang: str) -> dict[str, click.Command]:
    """The command by name, its help in `lang`."""

    def told(text: str) -> str:
        return translate(text, lang)

    options = (
        click.argument("folder", type=click.Path(), metavar=told(mark("WORKSPACE"))),
        click.option("--host", default="127.0.0.1", show_default=True, help=told(mark("Address to listen at."))),
        click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
                     help=told(mark("Port to listen at; 0 takes a free one."))),
        click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True,
                     help=told(mark("How many processes answer."))),
        click.option("--lang", type=click.Choice(LANGUAGES), help=told(mark("Language of the answer."))),
    )  # fmt: skip
    made: Any = _serve
    for option in reversed(options):
        made = option(made)
    return {
        "serve": click.command("serve", help=told(mark("Open the pages of a workspace to browsers.")))(made)
    }


def _serve(folder: str, host: str, port: int, processes: int, lang: str | None) -> None:
    from klientel.web import home

    spoken_in = answer_language(lang)
    found = home.find(folder)
    bring_up(found)
    port = free_port(host) if port == 0 else port
    for line in greeting(f"http://{host}:{port}"):
        click.echo(translate(line, spoken_in))
    os.environ["KLIENTEL_WORKSPACE"] = str(Path(folder).absolute())
    if host not in ("127.0.0.1", "localhost", "::1"):
        os.environ["KLIENTEL_HOSTS"] = ",".join(filter(None, [os.environ.get("KLIENTEL_HOSTS"), host]))
    from klientel.web.jobs import keeping

    with keeping.worker(Path(folder).absolute()):
        run(host, port, processes)


def bring_up(_found: Any) -> None:
    """Bring the tables of all apps to their newest form."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def greeting(address: str) -> list[str]:
    """What the command line says when the pages are open."""
    return [say("Klientel is open at {address} (Ctrl+C ends it).", address=address)]


def free_port(host: str) -> int:
    """A port that nobody listens at now."""
    import socket

    with socket.create_server((host, 0)) as made:
        return int(made.getsockname()[1])


def run(host: str, port: int, processes: int) -> None:
    """Answer until somebody ends it. Raises BadParameter where the port is taken."""
    import socket

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    try:
        socket.create_server((host, port)).close()
    except OSError as refused:
        raise BadParameter(
            say("Nobody can listen at {host}:{port}: {why}. Try another --port.", host=host, port=port,
                why=str(refused.strerror))
        ) from None  # fmt: skip
    Granian(
        "klientel.web.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=THREADS,
        log_access=False,
        log_level=LogLevels.warning,  # the greeting says the rest
    ).serve()
