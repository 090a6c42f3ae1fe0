"""A real browser on a real server: Debian's Chromium against `klientel serve` in a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
KLIENTEL = str(Path(sys.executable).with_name("klientel"))
POSTGRES = os.environ.get("KLIENTEL_TEST_POSTGRES") == "1"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; tests that need it say loudly when it is not there."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian's package chromium), which is not installed")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread; the tests themselves are no asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Site:
    """A served workspace: its address, and browsers signed in to it."""

    def __init__(self, folder: Path, chromium: Any) -> None:
        self.folder = folder
        self.chromium = chromium
        self.port = _free_port()
        self.log = folder.parent / "serve.log"
        command = [KLIENTEL, "serve", str(folder), "--port", str(self.port)]
        environment = {**os.environ, "KLIENTEL_HOSTS": "127.0.0.1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._wait()
        self.contexts: list[Any] = []

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def person(
        self, name: str, *, language: str = "en", width: int = 1360, dark: bool = False, **options: Any
    ) -> Any:
        """A page of a browser in which this user is signed in; errors on the page's console fail the test."""
        from django.test import Client

        from klientel.web import home
        from klientel.web.accounts.models import User

        home.find(self.folder)
        user = User.objects.get(username=name)
        User.objects.filter(pk=user.pk).update(language=language)
        client = Client(headers={"host": "127.0.0.1"})
        client.force_login(user)
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900},
            locale={"de": "de-DE", "en": "en-GB"}[language],
            color_scheme="dark" if dark else "light",
            **options,
        )
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.address}]
        )
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" else None)
        self.contexts.append(context)
        return page

    def stranger(self, *, language: str = "en", width: int = 1360) -> Any:
        """A page of a browser in which nobody is signed in."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900}, locale={"de": "de-DE", "en": "en-GB"}[language]
        )
        self.contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        """End browsers and server; what the server started ends with it."""
        for context in self.contexts:
            context.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            raise


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a small simulated firm, made once by what `klientel demo` uses."""
    if POSTGRES:
        pytest.skip("the simulated firm leaves a database of its own alone; on SQLite only")
    from django.db import connections

    from klientel.demo import simulate
    from klientel.demo import write as write_files
    from klientel.web import showcase

    folder = tmp_path_factory.mktemp("firm")
    firm = simulate(seed=7, customers=120)
    files = write_files(firm, folder / "files", lang="en")
    showcase.make(
        firm, folder / "workspace", folder / "files", "en", datetime.now(UTC), lambda *_: None
    )  # fmt: skip
    assert files
    connections.close_all()
    return folder


@pytest.fixture(scope="module")
def firm(simulated: Path, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The simulated firm, served; a copy for each file of tests."""
    from django.db import connections

    folder = tmp_path_factory.mktemp("served") / "workspace"
    connections.close_all()
    shutil.copytree(simulated / "workspace", folder)
    site = Site(folder, chromium)
    yield site
    site.close()
    connections.close_all()


@pytest.fixture
def empty(blank: Path, chromium: Any, tmp_path: Path) -> Iterator[Site]:
    """An empty workspace with an administrator called boss, served."""
    from django.db import connections

    from klientel.web import home

    if POSTGRES:
        pytest.skip("served from a folder; on SQLite only")
    shutil.copytree(blank, tmp_path / "workspace")
    home.find(tmp_path / "workspace")
    from klientel.web.accounts import services

    services.add_user(None, "boss", datetime.now(UTC), role="administrator")
    site = Site(tmp_path / "workspace", chromium)
    yield site
    site.close()
    connections.close_all()


@pytest.fixture
def no_faults() -> Callable[[Any], None]:
    """no_faults(page): the console told no error, so nothing was blocked and no script broke."""

    def check(page: Any) -> None:
        assert page.faults == []

    return check


# What the drop of files from the desktop does; a script cannot move the mouse from outside into the window.
DROP = """(zone, files) => {
  const held = new DataTransfer();
  for (const [name, text] of files) {
    held.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
  }
  for (const type of ["dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer: held, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def drop() -> Callable[..., None]:
    """drop(page, *paths): files dropped from the desktop onto the page's drop zone."""

    def onto(page: Any, *paths: Path) -> None:
        files = [[path.name, b64encode(path.read_bytes()).decode()] for path in paths]
        page.locator(".dropzone").evaluate(DROP, files)

    return onto
