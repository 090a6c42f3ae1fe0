"""The folder of a workspace: made by `init`, found again, attached to Django."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from klientel.errors import BadFile, BadParameter
from klientel.words import say

MARKER = "workspace.json"
FORMAT = 1  # of the folder; a newer Klientel refuses what it does not know, and migrates what it does


@dataclass(frozen=True)
class Home:
    """A workspace's folder and its settings.

    folder/workspace.json  format, currency, fiscal year start, secret key of the installation
    folder/records.sqlite3 records, unless KLIENTEL_DATABASE says where else
    folder/facts/NAME      Delta tables
    folder/imports/N       what import N needs to be undone, and its rejected rows
    folder/cache           results
    """

    folder: Path
    settings: dict[str, Any]

    @property
    def facts(self) -> Path:
        """Where the Delta tables lie."""
        return self.folder / "facts"

    @property
    def lock(self) -> Path:
        """The file that writers lock."""
        return self.folder / "writing.lock"

    def of_import(self, number: int) -> Path:
        """The folder of one import."""
        return self.folder / "imports" / str(number)


def is_workspace(path: str | Path) -> bool:
    """True if the path is the folder of a workspace."""
    return (Path(path) / MARKER).is_file()


def init(folder: str | Path, *, currency: str | None = None, fiscal_year_start_month: int = 1) -> Home:
    """Make a new workspace; the folder must be empty or absent. Raises BadParameter otherwise."""
    place = Path(folder)
    check_place(place)
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    settings = {
        "format": FORMAT,
        "currency": currency,
        "fiscal_year_start_month": fiscal_year_start_month,
        "secret": secrets.token_hex(32),
        "models": _models(),
    }
    unfinished = place / f"{MARKER}.part"
    unfinished.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    unfinished.chmod(0o600)
    home = Home(place, settings)
    attach(home)
    from klientel.web.migrating import migrate

    migrate()
    unfinished.replace(place / MARKER)  # last: a folder with the marker is a whole workspace
    return home


def check_place(place: Path) -> None:
    """Raise BadParameter unless a workspace can be made there: an empty or absent folder."""
    if is_workspace(place):
        raise BadParameter(say("{folder} is a workspace already.", folder=str(place)))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BadParameter(
            say("{folder} is not empty: a workspace needs a folder of its own.", folder=str(place))
        )
    if "%" in str(place.absolute()):
        raise BadParameter(
            say("The path {folder} has a % in it, which the tables of facts cannot have.", folder=str(place))
        )


def find(folder: str | Path) -> Home:
    """The workspace in a folder. Raises BadFile if there is none or it is of a newer Klientel."""
    place = Path(folder)
    try:
        settings = json.loads((place / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadFile(
            say("{folder} is no workspace. `klientel init {folder}` makes one.", folder=str(place))
        ) from None
    if settings.get("format", 0) > FORMAT:
        raise BadFile(say("{folder} was made by a newer Klientel; update this one.", folder=str(place)))
    home = Home(place, settings)
    attach(home)
    if settings.get("models") != _models():
        _migrate(home)
    return home


def _models() -> str:
    """Stands for the state of the models: the names of our migrations, and the apps that bring their own."""
    from klientel.web.settings import INSTALLED_APPS

    files = Path(__file__).parent.glob("*/migrations/0*.py")
    names = sorted(f"{f.parent.parent.name}/{f.stem}" for f in files) + sorted(INSTALLED_APPS)
    return sha256("\n".join(names).encode()).hexdigest()[:16]


def _migrate(home: Home) -> None:
    """Bring the records to this Klientel's models; the first process that comes does it, others wait.

    A step that is cut off is taken back by the database and taken again by whoever comes next.
    """
    with (home.folder / "migrating.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = json.loads((home.folder / MARKER).read_text(encoding="utf-8"))
        if now.get("models") == _models():
            return
        from klientel.web.migrating import migrate

        migrate()
        home.settings["models"] = _models()
        part = home.folder / f"{MARKER}.part"
        part.write_text(json.dumps({**now, "models": _models()}, indent=1) + "\n", encoding="utf-8")
        part.chmod(0o600)
        part.replace(home.folder / MARKER)


def attach(home: Home) -> None:
    """Set Django up on this workspace; a process may go from one workspace to another."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "klientel.web.settings")
    import django
    from django.conf import settings
    from django.db import connections

    from klientel.web.settings import database

    django.setup()
    settings.SECRET_KEY = home.settings["secret"]
    wanted = database(home.folder)
    connection = connections["default"]
    if connection.settings_dict["NAME"] != wanted["NAME"]:
        connections.close_all()
        connections.settings["default"] = connections.configure_settings({"default": wanted})["default"]
        del connections["default"]


def open_book(folder: str | Path, **options: Any) -> Any:
    """The Book of the workspace in a folder, for its owner; see `klientel.web.books.opened` for the options."""
    home = find(folder)
    from klientel.web import books  # not before Django is set up

    return books.open_book(home, **options)
