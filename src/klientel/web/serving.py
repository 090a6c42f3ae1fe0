"""`klientel serve`: the pages of a workspace in a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from klientel.errors import BadParameter
from klientel.web.commandline import answer_language
from klientel.words import LANGUAGES, Sentence, mark, say, translate

PORT = 8000
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 # every address of the machine, if somebody asks for it
THREADS = 4  # of one process; imports and reports run outside of it


def commands(lang: str) -> dict[str, click.Command]:
    """The command by name, its help in `lang`."""

    def told(text: str) -> str:
        return translate(text, lang)

    options = (
        click.argument("folder", type=click.Path(), metavar=told(mark("WORKSPACE"))),
        click.option("--host", default="127.0.0.1", show_default=True, help=told(mark("Address to listen at."))),
        click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
                     help=told(mark("Port to listen at; 0 takes a free one."))),
        click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True,
                     help=told(mark("How many processes answer."))),
        click.option("--sign-in", "guest", metavar="USER",
                     help=told(mark("Print a link that signs this user in, once, within the next 60 minutes."))),
        click.option("--lang", type=click.Choice(LANGUAGES), help=told(mark("Language of the answer."))),
    )  # fmt: skip
    made: Any = _serve
    for option in reversed(options):
        made = option(made)
    return {
        "serve": click.command("serve", help=told(mark("Open the pages of a workspace to browsers.")))(made)
    }


def _serve(folder: str, host: str, port: int, processes: int, guest: str | None, lang: str | None) -> None:
    serve(Path(folder), host, port, processes=processes, guest=guest, lang=answer_language(lang))


def serve(
    folder: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    processes: int = 1,
    guest: str | None = None,
    lang: str = "en",
    browser: bool = False,
) -> None:
    """Open the pages of the workspace in `folder` until somebody ends it.

    port: 0 takes a free one, None 8000 or, where somebody listens there, a free one; guest: the user who gets a link
    to sign in with; browser: open that link in this machine's browser, if it has one.
    """
    from klientel.web import home
    from klientel.web.jobs import keeping

    found = home.find(folder)
    bring_up(found)
    if port is None:
        port = PORT if is_free(host, PORT) else 0
    port = listened(host, port)  # before the greeting, which ends the links of the one before
    answer_to(host)
    lines = greeting(outside(host, port), guest)
    for line in [*lines, *_unnamed(host)]:
        click.echo(translate(line, lang))
    os.environ["KLIENTEL_WORKSPACE"] = str(folder.absolute())
    if browser:
        _show(lines[-1].values["link"] if guest else outside(host, port), host, port)
    with keeping.worker(folder.absolute()):
        run(host, port, processes)


def _show(link: str, host: str, port: int) -> None:
    """Open a link in the machine's browser once somebody answers there; a machine without one is left alone."""
    import threading
    import time
    import webbrowser

    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform != "linux"):
        return

    def wait() -> None:
        for _ in range(100):
            if not is_free(host, port):
                webbrowser.open(link)
                return
            time.sleep(0.1)

    threading.Thread(target=wait, daemon=True).start()


def is_free(host: str, port: int) -> bool:
    """True if nobody listens there."""
    import socket

    family, where = _socket_address(host, port)
    with socket.socket(family) as probe:
        return probe.connect_ex(where) != 0


def _socket_address(host: str, port: int) -> tuple[Any, Any]:
    """(family, address) of a host by name or number. Raises BadParameter for a name that nobody knows."""
    import socket

    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as refused:
        raise _not_there(host, port, refused) from None
    return family, where


def _not_there(host: str, port: int, refused: OSError) -> BadParameter:
    return BadParameter(
        say("Nobody can listen at {host}:{port}: {why}. Try another --port.", host=host, port=str(port),
            why=os.strerror(refused.errno) if refused.errno and refused.errno > 0 else str(refused.strerror))
    )  # fmt: skip


def answer_to(host: str) -> None:
    """Let the pages answer to the host that the server listens at, and links lead there."""
    from django.conf import settings

    from klientel.web.settings import setting

    if host in (*EVERYWHERE, "127.0.0.1", "localhost", "::1"):
        return
    named = f"[{host}]" if ":" in host else host
    os.environ["KLIENTEL_HOSTS"] = ",".join(filter(None, [setting("KLIENTEL_HOSTS"), named]))
    settings.ALLOWED_HOSTS.append(named)  # processes of the server may have read their settings here


def _unnamed(host: str) -> list[Sentence]:
    """What to say to whoever opens the server to others without telling under which names."""
    import socket

    from klientel.web.settings import hosts

    if host not in EVERYWHERE or hosts("KLIENTEL_HOSTS"):
        return []
    return [
        say(
            "Others are answered only under names that KLIENTEL_HOSTS lists, such as KLIENTEL_HOSTS={name}.",
            name=socket.gethostname(),
        )
    ]


def bring_up(_found: Any) -> None:
    """Bring the tables of all apps to their newest form."""
    from klientel.web import migrating

    migrating.migrate()


def outside(host: str, port: int) -> str:
    """The address that people open: the first host of KLIENTEL_HOSTS if a proxy answers there, else this machine's."""
    from django.conf import settings

    from klientel.web.settings import hosts

    known = hosts("KLIENTEL_HOSTS")
    if settings.SECURE and known:
        return f"https://{known[0]}"
    named = "localhost" if host in (*EVERYWHERE, "127.0.0.1") else host
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


def greeting(address: str, guest: str | None = None) -> list[Sentence]:
    """What the command line says when the pages are open: also how the first administrator, or `guest`, gets in.

    Raises BadParameter if there is no active user of the name `guest`, or settings of the provider do not fit.
    """
    from datetime import UTC, datetime

    from klientel.web.accounts import links, provider, retention
    from klientel.web.accounts.services import find_user

    provider.client()  # half a set of settings is told now, not to whoever signs in
    at = datetime.now(UTC)  # the edge
    retention.tidy(at)
    lines = [say("Klientel is open at {address} (Ctrl+C ends it).", address=address)]
    if guest is not None:
        secret = links.sign_in(find_user(guest), at)
        link = f"{address}/enter/{secret}"
        lines.append(say("{name} signs in, once within 60 minutes, with {link}", name=guest, link=link))
        return lines
    welcome = links.welcome(at)
    if welcome is not None:
        link = f"{address}/welcome/{welcome}"
        lines.append(
            say("There is no administrator yet. This link makes one, once within 24 hours: {link}", link=link)
        )
    return lines


def listened(host: str, port: int) -> int:
    """The port, at which one can listen now; 0 becomes a free one. Raises BadParameter where it is taken."""
    import socket

    family, where = _socket_address(host, port)
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        with socket.create_server(where[:2], family=family, dualstack_ipv6=both) as made:
            return int(made.getsockname()[1])
    except OSError as refused:
        raise _not_there(host, port, refused) from None


def run(host: str, port: int, processes: int) -> None:
    """Answer until somebody ends it."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "klientel.web.wsgi:application",
        address=_socket_address(host, port)[1][0],  # by number: it knows no names
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=THREADS,
        workers_kill_timeout=8,  # seconds: what hangs at the end does not keep Ctrl+C from ending it
        log_access=False,
        log_level=LogLevels.warning,  # the greeting says the rest
    ).serve()
